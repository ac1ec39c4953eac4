//! `audit-log backup`: everything in one SQLite file and a folder beside it, while servers run.

use std::path::PathBuf;

use clap::Args;

use super::progress::{Teller, table};
use super::serve::StopSignals;
use super::{CliError, print};
use crate::server::backup::{self, Made, Step};
use crate::server::config::DataOptions;

#[derive(Debug, Args)]
pub(super) struct Backup {
    /// Where the database goes: one SQLite file, whichever database it comes from. Files (exports, imports) go to FILE.files. Nothing is written over
    file: PathBuf,
    /// Leave the files out: they are in a bucket that is backed up by itself
    #[arg(long)]
    without_files: bool,
    #[command(flatten)]
    data: DataOptions,
}

/// Makes a backup; told to stop, it takes away what it had begun.
pub(super) async fn backup(backup: Backup) -> Result<(), CliError> {
    let mut signals = StopSignals::listen().map_err(CliError::io("listening for signals"))?;
    let mut teller = Teller::new();
    let made = {
        let mut told = |step: Step<'_>| teller.tell(|| words(&step));
        tokio::select! {
            made = backup::run(&backup.data, &backup.file, !backup.without_files, &mut told) => made,
            () = signals.next() => return Err(CliError::Refused("stopped: there is no backup".to_owned())),
        }
    };
    teller.done();
    print(&summary(&backup, &made?))
}

fn words(step: &Step<'_>) -> String {
    match step {
        Step::Bytes(done, of) => format!("copying the database: {} of about {} MB", done >> 20, of.div_ceil(1 << 20)),
        Step::Table(progress) => table(progress),
        Step::Checking => "looking the copy through".to_owned(),
        Step::Files(done, of) => format!("copying the files: {done} of {of}"),
    }
}

fn summary(backup: &Backup, made: &Made) -> String {
    let files = match &made.files {
        Some((folder, count, bytes)) => format!(", {count} files ({bytes} bytes) in {}", folder.display()),
        None if backup.without_files => ", without the files".to_owned(),
        None => ", no files".to_owned(),
    };
    format!(
        "{}: {} bytes{files}. The instance key is not in it: without a copy of that, what lies sealed does not open",
        backup.file.display(),
        made.bytes
    )
}

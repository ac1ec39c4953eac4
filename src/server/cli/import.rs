//! `audit-log import`: a file of logs into a project. Works while the server runs.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use tokio::runtime::Handle;

use super::people::{find_project, open};
use super::{CliError, print};
use crate::model::retention::Kept;
use crate::server::clock::{Clock, Random};
use crate::server::config::{Config, DatabaseOption};
use crate::server::ingest::command;
use crate::server::ingest::endpoint::EndpointNames;
use crate::server::ingest::import::{ImportParts, MaskNow, Progress};
use crate::server::masking::Masking;
use crate::server::store::logs::write::{LogWriter, WriterOptions};
use crate::server::store::{Db, projects, retention};

#[derive(Debug, Args)]
pub(super) struct Import {
    /// NDJSON (one log a line), CSV (with an export's header) or HAR 1.2
    file: PathBuf,
    /// The project the logs go to
    #[arg(long, value_name = "PRJ")]
    project: String,
    /// How many days logs are kept where the project's owners chose nothing else; older ones are rejected. 0 keeps them for ever
    #[arg(long, env = "AUDIT_LOG_RETENTION_DAYS", value_name = "DAYS", default_value_t = Config::default().retention_days)]
    retention_days: u32,
    /// More names whose values are masked, beside the built-in ones, which `audit-log config` lists; `!NAME` takes one of those out
    #[arg(long, env = "AUDIT_LOG_MASK_KEYS", value_name = "NAME,…", value_delimiter = ',')]
    mask_keys: Vec<String>,
    /// Whether cells of a CSV that a spreadsheet would run as formulas were guarded by a ' in front, which is taken away: `raw` or `guarded`
    #[arg(long, value_name = "WORD", default_value = "raw", value_parser = ["raw", "guarded"])]
    csv_formulas: String,
    #[command(flatten)]
    database: DatabaseOption,
}

/// Imports, and fails where any entry was rejected.
pub(super) async fn import(import: Import) -> Result<(), CliError> {
    let db = open(&import.database).await?;
    let done = import_into(&db, &import).await;
    db.close().await;
    let done = done?;
    print(&command::summary(done))?;
    match done.rejected {
        0 => Ok(()),
        rejected => Err(CliError::Refused(format!(
            "{rejected} of the file's entries were rejected, each told above"
        ))),
    }
}

async fn import_into(db: &Db, import: &Import) -> Result<Progress, CliError> {
    let project = find_project(db, &import.project).await?.key;
    let templates = projects::endpoint_templates(db, project).await?;
    let in_use = projects::endpoint_names_in_use(db, project).await?;
    let kept = Kept::of(retention::find(db, project).await?, import.retention_days);
    let writer = LogWriter::start(
        db.clone(),
        WriterOptions {
            queue_bytes: Config::default().queue_bytes(),
        },
    );
    let parts = ImportParts {
        project,
        now_ms: Clock::System.now_ms(),
        retention_ms: kept.logs_ms(),
        mask: {
            let (masking, db, runtime) = (Masking::new(&import.mask_keys), db.clone(), Handle::current());
            MaskNow::new(move || runtime.block_on(masking.of(&db, project, Clock::System.now_ms())))
        },
        endpoints: Arc::new(EndpointNames::new(&templates, in_use)),
        random: Random::system(),
        writer: writer.clone(),
        may_be_own: true,
        guarded: import.csv_formulas == "guarded",
    };
    let done = command::import(parts, &import.file).await;
    writer.stop().await;
    Ok(done?)
}

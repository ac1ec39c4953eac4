//! `audit-log copy`: a SQLite file's contents into an empty PostgreSQL.

use clap::Args;

use super::progress::{Teller, table};
use super::{CliError, people, print};
use crate::server::config::DatabaseOption;
use crate::server::store::Db;
use crate::server::store::copy::{self, Copied, CopyError, Progress};

#[derive(Debug, Args)]
pub(super) struct Copy {
    /// Where to: an empty PostgreSQL, `postgres://USER@HOST/NAME`
    #[arg(long, value_name = "URL", env = "AUDIT_LOG_COPY_TO", hide_env_values = true)]
    to: String,
    #[command(flatten)]
    database: DatabaseOption,
}

/// Copies, compares, and fails where somebody wrote into the source meanwhile.
pub(super) async fn copy(copy: Copy) -> Result<(), CliError> {
    if !copy.database.database_url.starts_with("sqlite:") || !copy.to.starts_with("postgres") {
        return Err(CopyError::Direction.into());
    }
    let source = Db::open_existing(&copy.database.database_url).await?;
    source.migrate().await?;
    let target = people::open(&DatabaseOption { database_url: copy.to }).await?;
    let mut teller = Teller::new();
    let mut told = |progress: Progress<'_>| teller.tell(|| table(&progress));
    let copied = copy::to_postgres(&source, &target, &mut told).await;
    teller.done();
    source.close().await;
    target.close().await;
    report(&copied?)
}

fn report(copied: &Copied) -> Result<(), CliError> {
    for (table, rows) in &copied.tables {
        print(&format!("{table}: {rows}"))?;
    }
    print(&format!(
        "{} rows of {} tables were copied and compared. Files and the instance key stay where they are",
        copied.rows(),
        copied.tables.len()
    ))?;
    if copied.is_behind {
        return Err(CliError::Refused(
            "the source was written to meanwhile, which is not in the copy: stop what serves it, empty the target, and copy again".to_owned(),
        ));
    }
    Ok(())
}

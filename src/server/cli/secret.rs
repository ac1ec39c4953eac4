//! `audit-log secret`: another instance key, and everything sealed with it.

use std::sync::Arc;

use clap::Subcommand;

use super::{CliError, people, print};
use crate::server::clock::Random;
use crate::server::config::DataOptions;
use crate::server::files::Files;
use crate::server::reseal::{self, Resealed};
use crate::server::secrets::{InstanceKey, KEY_VARIABLE};

#[derive(Debug, Subcommand)]
pub(super) enum SecretCommand {
    /// Puts a new key first in the key file: after their next start servers make everything with it, and what was made before stays readable
    Rotate {
        #[command(flatten)]
        data: DataOptions,
    },
    /// Seals what lies sealed in the database and in files with the first key of all, while servers run; broken off, it goes on where it was
    Reseal {
        #[command(flatten)]
        data: DataOptions,
    },
}

pub(super) async fn secret(command: SecretCommand) -> Result<(), CliError> {
    match command {
        SecretCommand::Rotate { data } => rotate(&data),
        SecretCommand::Reseal { data } => reseal(&data).await,
    }
}

/// The instance key, where it stands in the environment.
pub(super) fn variable() -> Option<String> {
    std::env::var(KEY_VARIABLE).ok().filter(|text| !text.is_empty())
}

fn rotate(data: &DataOptions) -> Result<(), CliError> {
    if variable().is_some() {
        return Err(CliError::Refused(format!(
            "the key stands in {KEY_VARIABLE}: put a new one (`openssl rand -base64 32`) before it there, divided by a comma, and restart the servers"
        )));
    }
    let path = InstanceKey::rotate(data, &Random::system())?;
    print(&format!(
        "a new key is the first in {}; copy the file to every server, restart them all, then run `audit-log secret reseal`",
        path.display()
    ))
}

async fn reseal(data: &DataOptions) -> Result<(), CliError> {
    let random = Random::system();
    let key = InstanceKey::load(variable().as_deref(), data, &random)?;
    if !key.has_old() {
        return Err(CliError::Refused(
            "there is one key alone: nothing is sealed with another. `audit-log secret rotate` makes a new one".to_owned(),
        ));
    }
    let key = Arc::new(key);
    let files = Files::open(&data.files_url, key.clone(), random.clone())?;
    let db = people::open(&data.database).await?;
    let rows = reseal::run(&db, &key, &random).await?;
    let parts = reseal::files(&db, &files).await?;
    db.close().await;
    tell(&rows, "rows")?;
    tell(&parts, "parts of files")?;
    match rows.broken + parts.broken {
        0 => Ok(()),
        broken => Err(CliError::Refused(format!(
            "{broken} could not be opened with any of the keys, and stay as they are"
        ))),
    }
}

fn tell(done: &Resealed, what: &str) -> Result<(), CliError> {
    let others = done.seen - done.changed - done.broken;
    print(&format!(
        "{what}: {} of {} were sealed anew, {others} were already",
        done.changed, done.seen
    ))
}

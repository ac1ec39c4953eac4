//! `--demo`: on an empty database, a project with 30 days of recorded traffic of an imaginary loyalty API.
//!
//! Everything goes in through the door that applications use: JSON, read, checked and masked, then the one writer. A seeded generator makes it,
//! a day at a time, the newest first; only where the day stands depends on when the project was made, and every log has an id of its own. So a fill
//! that was interrupted is made up at the next start: what is there already is there once. To add a kind of request: a function in `calls.rs` or
//! `campaigns.rs` and its weight in [`calls::ORDINARY`]; to add a story: a function in `stories.rs`.

mod call;
mod calls;
mod campaigns;
mod cast;
mod customers;
mod dice;
mod rhythm;
mod stories;
#[cfg(test)]
mod tests;

use std::time::Duration;

use super::access::passwords::{self, PasswordError};
use super::access::{DEMO_EMAIL, DEMO_PASSWORD};
use super::ingest::endpoint::CallNames;
use super::ingest::entry::{EntryContext, EntryError, Payload, read_call};
use super::ingest::mask::MaskRules;
use super::retention;
use super::state::Server;
use super::store::chain::canon::sha256;
use super::store::logs::one::{self, put_import_file};
use super::store::logs::write::{LogCall, WriteError};
use super::store::projects::{self, Project};
use super::store::{StoreError, accounts};
use crate::model::id::{self, IdKind};
use crate::model::log::{ImportFile, NewLog, Origin};
use crate::model::rights::Role;
use call::Call;

/// Days of traffic.
pub const DAYS: i64 = 30;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// The newest log is a minute old.
const END_BEFORE_NOW_MS: i64 = 60 * 1_000;
/// What import originals are sealed for.
const IMPORT_FILE: &str = "import-file";
/// A call to the writer has so many logs.
const BATCH: usize = 500;
/// What stands for chance in the id of the demo's project, so that a later start knows it again.
const PROJECT_MARK: [u8; 10] = *b"acme-demo!";

/// Why the demo could not be made.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The person's password could not be kept.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The logs could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A log of the demo's own was refused.
    #[error("the demo's own traffic was refused: {0}")]
    Entry(#[from] EntryError),
    /// A day could not be made.
    #[error("the demo's traffic could not be made: {0}")]
    Made(tokio::task::JoinError),
}

/// The demo's project, if its month is still to be recorded: on an empty database it is made, with the person who is let in on this machine alone;
/// where it is there already, a start before this one was interrupted. None where the month is whole, or the projects are somebody's own.
pub async fn prepare(server: &Server) -> Result<Option<Project>, DemoError> {
    let now_ms = server.clock.now_ms();
    let all = projects::all(&server.db).await?;
    let is_empty = all.is_empty();
    let demo = all.into_iter().find(|project| project.id == project_id(project.created_at));
    let project = match demo {
        Some(project) if is_whole(server, &project).await? => return Ok(None),
        Some(project) => project,
        None if is_empty => {
            let made_at = now_ms - DAYS * DAY_MS;
            projects::add(&server.db, &project_id(made_at), "Acme Loyalty", "UTC", made_at).await?
        }
        None => return Ok(None),
    };
    projects::set_endpoint_templates(&server.db, project.key, &cast::templates()).await?;
    let user = match accounts::find_by_email(&server.db, DEMO_EMAIL).await? {
        Some(user) => user.key,
        None => add_person(server, now_ms).await?,
    };
    accounts::set_member(&server.db, project.key, user, Role::Owner, now_ms).await?;
    accounts::set_last_project(&server.db, user, project.key).await?;
    Ok(Some(project))
}

/// The id of the demo's project, had it been made then.
fn project_id(made_at: i64) -> String {
    id::encode(IdKind::Project, made_at, PROJECT_MARK)
}

/// When the newest log was. It hangs on the project alone, so that every start means the same month.
const fn end_of_month(project: &Project) -> i64 {
    project.created_at + DAYS * DAY_MS - END_BEFORE_NOW_MS
}

/// Whether nothing of the month is left to record: what is written last is there, or the month is so old that logs of it are no longer kept.
async fn is_whole(server: &Server, project: &Project) -> Result<bool, StoreError> {
    let oldest = end_of_month(project) - DAYS * DAY_MS;
    let kept_ms = retention::kept(server, project.key).await?.logs_ms();
    let kept_from = server.clock.now_ms().saturating_sub(kept_ms);
    Ok(oldest < kept_from || one::find(&server.db, project.key, &last_log_id()).await?.is_some())
}

/// The id of the log that is written last.
pub fn last_log_id() -> String {
    log_id(DAYS - 1, 0)
}

/// The id of a log of the day that ends `day` days before the month's end, which `left` more of that day follow.
fn log_id(day: i64, left: usize) -> String {
    format!("demo-{day}-{left}")
}

/// Makes the person who is let in; gives their number.
async fn add_person(server: &Server, now_ms: i64) -> Result<i64, DemoError> {
    let new = accounts::NewUser {
        id: &server.random.id(IdKind::User, now_ms),
        email: DEMO_EMAIL,
        name: "Demo",
        password_hash: &passwords::hash(DEMO_PASSWORD.to_owned(), &server.random).await?,
        may_operate: false,
        now_ms,
    };
    Ok(accounts::add(&server.db, new).await?.key)
}

/// Records the traffic of the month's last `days`, the newest first; `told` hears how many days are there and how many logs. Gives the number of
/// logs, with those that were there before.
pub async fn record(server: &Server, project: &Project, days: i64, mut told: impl FnMut(i64, u64)) -> Result<u64, DemoError> {
    let end_ms = end_of_month(project);
    let endpoints = server.endpoints(project.key).await?;
    let mut written = 0;
    for day in 0..days {
        let (parts, names, mask) = (server.clone(), CallNames::of(&endpoints), server.mask(project.key).await?);
        // Making a day is work for a processor; the server answers meanwhile.
        let made =
            tokio::task::spawn_blocking(move || read_day(&parts, &names, &mask, end_ms, day).map(|batches| (batches, names)))
                .await;
        let (batches, names) = made.map_err(DemoError::Made)??;
        for batch in batches {
            let ids = write(server, project, batch.logs).await?;
            for (place, (name, file)) in &batch.files {
                keep_import_file(server, project, &ids[*place], name, file).await?;
            }
            written += ids.len() as u64;
        }
        names.keep();
        told(day + 1, written);
    }
    Ok(written)
}

/// Every call of the day that ends `day` days before `end_ms`, in the order they came.
fn day_of_calls(end_ms: i64, day: i64) -> Vec<Call> {
    let until = end_ms - day * DAY_MS;
    let from = until - DAY_MS;
    let mut calls = calls::ordinary(from, until, day);
    calls.extend(stories::of_day(end_ms, from, until));
    calls.sort_by_key(|call| call.at);
    for (left, call) in calls.iter_mut().rev().enumerate() {
        call.id = log_id(day, left);
    }
    calls
}

/// Logs that are written together, and the import files of those that have one.
struct Batch {
    logs: Vec<NewLog>,
    files: Vec<(usize, (&'static str, String))>,
}

/// Through the door: as JSON, read as everybody's is.
fn read_day(server: &Server, endpoints: &CallNames, mask: &MaskRules, end_ms: i64, day: i64) -> Result<Vec<Batch>, EntryError> {
    let mut calls = day_of_calls(end_ms, day);
    let context = EntryContext {
        // As if it came in when the project was made: a fill that is made up later is not refused for its age.
        now_ms: end_ms + END_BEFORE_NOW_MS,
        retention_ms: (DAYS + 1) * DAY_MS,
        mask,
        endpoints,
        random: &server.random,
        origin: Origin::Application,
        sender: None,
    };
    let batches = calls.chunks_mut(BATCH).map(|batch| {
        let entries: Vec<String> = batch.iter().map(|call| call.to_entry().to_string()).collect();
        let logs = read_call(Payload::Ndjson, entries.join("\n").as_bytes(), &context)?;
        let files = batch
            .iter_mut()
            .enumerate()
            .filter_map(|(place, call)| Some((place, call.import_file.take()?)))
            .collect();
        Ok(Batch { logs, files })
    });
    batches.collect()
}

/// Writes logs as a patient client does, and gives their ids.
async fn write(server: &Server, project: &Project, logs: Vec<NewLog>) -> Result<Vec<String>, DemoError> {
    loop {
        let call = LogCall {
            project: project.key,
            logs: logs.clone(),
            idempotency: None,
            received_at: server.clock.now_ms(),
        };
        match server.writer.write(call).await {
            Ok(written) => return Ok(written.ids),
            Err(WriteError::Full { retry_after_s }) => tokio::time::sleep(Duration::from_secs(retry_after_s.max(1))).await,
            Err(error) => return Err(error.into()),
        }
    }
}

async fn keep_import_file(server: &Server, project: &Project, id: &str, name: &str, file: &str) -> Result<(), DemoError> {
    let sealed = server.key.seal(IMPORT_FILE, file.as_bytes(), &server.random);
    let about = ImportFile {
        name: name.to_owned(),
        bytes: file.len() as i64,
    };
    put_import_file(
        &server.db,
        project.key,
        id,
        &about,
        (&sealed, &sha256(&[file.as_bytes()])),
        server.clock.now_ms(),
    )
    .await?;
    Ok(())
}

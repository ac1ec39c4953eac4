//! Imports a file of logs that was sent in.
//!
//! Begun again it changes nothing that was stored: an entry's id is its own, or made of its place and its content.

use futures::StreamExt;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_util::io::{StreamReader, SyncIoBridge};

use super::JobError;
use super::rejects::Rejects;
use super::run::Progress;
use crate::model::format::count;
use crate::model::task::{FailedRow, ImportResult, OperationStatus, TaskStatus};
use crate::server::files::{FileError, Written};
use crate::server::ingest::import::{self, BEGINNING, Format, ImportError, ImportParts, MaskNow, Rejected, Told};
use crate::server::retention;
use crate::server::state::Server;
use crate::server::store::jobs::{self, Job, Left};
use crate::server::store::logs::write::WriteError;
use crate::server::store::tasks::TaskChange;

/// Its name in the queue.
pub const NAME: &str = "import";
/// Records that the result itself tells; the rejected file has all.
const TOLD: usize = 1_000;

/// What it is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    /// Where in the files the original is.
    pub file: String,
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub bytes: u64,
    /// Whether cells of a CSV were guarded against formulas.
    #[serde(default)]
    pub guarded: bool,
}

/// Reads the file from its beginning.
pub(super) async fn run(server: &Server, job: &Job, progress: &Progress) -> Result<(), JobError> {
    let payload: Payload = serde_json::from_str(&job.payload)
        .map_err(|error| JobError::Fail(format!("what it is to do cannot be read: {error}")))?;
    let original = server.files.read(&payload.file, payload.bytes, true);
    let beginning = beginning(original.clone().stream(0..BEGINNING.min(payload.bytes))).await?;
    let format = Format::of(&payload.name, &beginning);
    let left_out = import::left_out(format, &beginning);
    let left_out = (!left_out.is_empty()).then(|| import::said_of_left_out(format, &left_out));
    let stream = original
        .stream(0..payload.bytes)
        .map(|part| part.map_err(std::io::Error::other));
    let file = SyncIoBridge::new(StreamReader::new(Box::pin(stream)));

    let rejected_file = format!("rejected/{}/{}/{}", job.project_id, job.task_id, job.attempt);
    jobs::doom_file(&server.db, &rejected_file, 0, job.project_id, (&job.task_id, job.attempt)).await?;
    let (tell, told) = mpsc::channel(2);
    let reading = import::run_telling(parts(server, job, payload.guarded).await?, format, file, tell);
    let writing = keep(server, &rejected_file, told, payload.bytes, progress);
    let (read, kept) = tokio::join!(reading, writing);
    let kept = kept?;
    let done = match read {
        Ok(done) => done,
        Err(ImportError::Read(reason)) => return Err(kept.broken_off(&reason, &rejected_file)),
        Err(ImportError::Write(WriteError::Store(error))) => return Err(error.into()),
        Err(ImportError::Write(error)) => return Err(JobError::Retry(error.to_string())),
    };
    let Kept {
        failed,
        failed_count,
        written,
        ..
    } = kept;
    let result = ImportResult {
        message: message(&done, failed_count, job.attempt > 1, left_out),
        failed,
        done_count: done.accepted + done.duplicates,
        duplicates: done.duplicates,
        failed_count,
    };
    let outcome = TaskChange {
        status: Some(TaskStatus::Done),
        operation_status: Some(if failed_count == 0 {
            OperationStatus::Success
        } else {
            OperationStatus::Failed
        }),
        progress: Some(100),
        result: Some(serde_json::json!(result).to_string()),
        rejected: written.as_ref().map(|written| (rejected_file.clone(), written.bytes as i64)),
    };
    let files: &[&str] = if written.is_some() { &[&rejected_file] } else { &[] };
    if jobs::finish(&server.db, job, &outcome, files, server.clock.now_ms()).await? {
        metrics::counter!("import_logs_total").increment(done.accepted);
        Ok(())
    } else {
        Err(JobError::Lost)
    }
}

async fn beginning(stream: impl futures::Stream<Item = Result<bytes::Bytes, FileError>>) -> Result<Vec<u8>, FileError> {
    let mut stream = std::pin::pin!(stream);
    let mut beginning = Vec::new();
    while let Some(part) = stream.next().await {
        beginning.extend_from_slice(&part?);
    }
    Ok(beginning)
}

async fn parts(server: &Server, job: &Job, guarded: bool) -> Result<ImportParts, JobError> {
    Ok(ImportParts {
        project: job.project_id,
        now_ms: server.clock.now_ms(),
        retention_ms: retention::kept(server, job.project_id).await?.logs_ms(),
        mask: {
            let (server, project, runtime) = (server.clone(), job.project_id, Handle::current());
            MaskNow::new(move || runtime.block_on(server.mask(project)))
        },
        endpoints: server.endpoints(job.project_id).await?,
        random: server.random.clone(),
        writer: server.writer.clone(),
        may_be_own: false,
        guarded,
    })
}

/// What was not taken.
struct Kept {
    failed: Vec<FailedRow>,
    failed_count: u64,
    /// The file of what was not taken, where there is anything in it.
    written: Option<Written>,
    /// How far reading got.
    so_far: import::Progress,
}

impl Kept {
    /// The file cannot be read any further: what was stored stays, and so does the list of what was not.
    fn broken_off(self, reason: &str, rejected_file: &str) -> JobError {
        let reason = broken_off(reason, self.so_far.accepted + self.so_far.duplicates, self.failed_count);
        let result = ImportResult {
            message: reason.clone(),
            failed: self.failed,
            done_count: self.so_far.accepted + self.so_far.duplicates,
            duplicates: self.so_far.duplicates,
            failed_count: self.failed_count,
        };
        let left = Left {
            result: Some(serde_json::json!(result).to_string()),
            rejected: self.written.map(|written| (rejected_file.to_owned(), written.bytes as i64)),
        };
        JobError::Leave {
            reason,
            left: Box::new(left),
        }
    }
}

/// Writes what is rejected into its file as it comes, and notes how far reading got.
async fn keep(
    server: &Server,
    file: &str,
    mut told: mpsc::Receiver<Told>,
    bytes: u64,
    progress: &Progress,
) -> Result<Kept, JobError> {
    let mut writer = server.files.write(file, true);
    let mut rejects = Rejects::default();
    let mut kept = Kept {
        failed: Vec::new(),
        failed_count: 0,
        written: None,
        so_far: import::Progress::default(),
    };
    let mut out = Vec::new();
    while let Some((rejected, so_far)) = told.recv().await {
        for entry in rejected {
            rejects.row(&entry, &mut out);
            kept.failed_count += 1;
            if kept.failed.len() < TOLD {
                kept.failed.push(failed_row(entry));
            }
        }
        writer.push(&out).await?;
        out.clear();
        kept.so_far = so_far;
        progress.set((so_far.bytes_read.min(bytes) * 99 / bytes.max(1)) as u8);
    }
    if kept.failed_count > 0 {
        kept.written = Some(writer.finish().await?);
    }
    Ok(kept)
}

fn failed_row(entry: Rejected) -> FailedRow {
    FailedRow {
        row: entry.record,
        source_id: entry.source_id(),
        code: None,
        reason: entry.reason,
    }
}

fn logs(number: u64) -> String {
    format!("{} {}", count(number), if number == 1 { "log" } else { "logs" })
}

/// As "4 logs imported, 1 was there already, 2 logs not taken: each is told why". A try after the first may find what the ones before stored.
fn message(done: &import::Progress, failed: u64, again: bool, left_out: Option<String>) -> String {
    let there = match done.duplicates {
        0 => None,
        1 => Some("1 was there already".to_owned()),
        many => Some(format!("{} were there already", count(many))),
    };
    let why = " (an earlier try of this task may have stored them)";
    let there = there.map(|there| there + if again { why } else { "" });
    let refused = (failed > 0).then(|| format!("{} not taken: each is told why", logs(failed)));
    let parts = [Some(format!("{} imported", logs(done.accepted))), there, refused];
    let mut message = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    if let Some(left_out) = left_out {
        message.push_str(". ");
        message.push_str(&left_out);
    }
    message
}

/// Why reading ended before the file did, and what is so now.
fn broken_off(reason: &str, done: u64, failed: u64) -> String {
    if done == 0 && failed == 0 {
        return format!("Nothing was imported: {}.", reason.trim_end_matches('.'));
    }
    let rejected = match failed {
        0 => String::new(),
        1 => " One entry before that was not taken.".to_owned(),
        failed => format!(" {} entries before that were not taken.", count(failed)),
    };
    format!(
        "The file breaks off: {reason}. What came before was imported, and sending the mended file again stores nothing twice.{rejected}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_there_already_is_told_apart() {
        let done = |accepted, duplicates| import::Progress {
            accepted,
            duplicates,
            ..import::Progress::default()
        };
        assert_eq!(message(&done(4, 1), 0, false, None), "4 logs imported, 1 was there already");
        assert_eq!(
            message(&done(1, 2_000), 1, true, None),
            "1 log imported, 2,000 were there already (an earlier try of this task may have stored them), 1 log not taken: each is told why"
        );
        assert!(broken_off("x", 0, 1).contains("breaks off"));
        assert_eq!(broken_off("this is a PDF.", 0, 0), "Nothing was imported: this is a PDF.");
    }
}

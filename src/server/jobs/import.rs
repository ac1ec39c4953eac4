//! Imports a file of logs that was sent in.
//!
//! Begun again it changes nothing that was stored: an entry's id is its own, or made of its place and its content.

use futures::StreamExt;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio_util::io::{StreamReader, SyncIoBridge};

use super::JobError;
use super::rejects::Rejects;
use super::run::Progress;
use crate::model::format::count;
use crate::model::task::{FailedRow, ImportResult, OperationStatus, TaskStatus};
use crate::server::files::{FileError, Written};
use crate::server::ingest::import::{self, BEGINNING, Format, ImportError, ImportParts, Rejected, Told};
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
}

/// Reads the file from its beginning.
pub(super) async fn run(server: &Server, job: &Job, progress: &Progress) -> Result<(), JobError> {
    let payload: Payload = serde_json::from_str(&job.payload)
        .map_err(|error| JobError::Fail(format!("what it is to do cannot be read: {error}")))?;
    let original = server.files.read(&payload.file, payload.bytes, true);
    let beginning = beginning(original.clone().stream(0..BEGINNING.min(payload.bytes))).await?;
    let format = Format::of(&payload.name, &beginning);
    let left_out = import::columns_left_out(format, &beginning);
    let stream = original
        .stream(0..payload.bytes)
        .map(|part| part.map_err(std::io::Error::other));
    let file = SyncIoBridge::new(StreamReader::new(Box::pin(stream)));

    let rejected_file = format!("rejected/{}/{}/{}", job.project_id, job.task_id, job.attempt);
    jobs::doom_file(&server.db, &rejected_file, 0, job.project_id, (&job.task_id, job.attempt)).await?;
    let (tell, told) = mpsc::channel(2);
    let reading = import::run_telling(parts(server, job).await?, format, file, tell);
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
    let done_count = done.accepted + done.duplicates;
    let result = ImportResult {
        message: message(done_count, failed_count, &left_out),
        failed,
        done_count,
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

async fn parts(server: &Server, job: &Job) -> Result<ImportParts, JobError> {
    Ok(ImportParts {
        project: job.project_id,
        now_ms: server.clock.now_ms(),
        retention_ms: server.config.retention_ms(),
        mask: server.mask.clone(),
        endpoints: server.endpoints(job.project_id).await?,
        random: server.random.clone(),
        writer: server.writer.clone(),
        may_be_own: false,
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
        let reason = broken_off(reason, self.failed_count);
        let result = ImportResult {
            message: reason.clone(),
            failed: self.failed,
            done_count: self.so_far.accepted + self.so_far.duplicates,
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
        reason: entry.reason,
    }
}

fn message(done: u64, failed: u64, left_out: &[String]) -> String {
    let logs = |count_of: u64| format!("{} {}", count(count_of), if count_of == 1 { "log" } else { "logs" });
    let mut message = match failed {
        0 => format!("{} imported", logs(done)),
        failed => format!("{} imported, {} not taken: each is told why", logs(done), logs(failed)),
    };
    if !left_out.is_empty() {
        message.push_str(". ");
        message.push_str(&import::said_of_columns(left_out));
    }
    message
}

fn broken_off(reason: &str, failed: u64) -> String {
    let rejected = if failed > 0 {
        match failed {
            1 => " One entry before that was not taken.".to_owned(),
            failed => format!(" {} entries before that were not taken.", count(failed)),
        }
    } else {
        String::new()
    };
    format!(
        "The file breaks off: {reason}. What came before was imported, and sending the mended file again stores nothing twice.{rejected}"
    )
}

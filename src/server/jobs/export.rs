//! Makes an export's file.

use serde::{Deserialize, Serialize};

use super::JobError;
use super::run::Progress;
use crate::server::exporting::Encoder;
use crate::server::exporting::plan::Plan;
use crate::server::exporting::read::Records;
use crate::server::state::Server;
use crate::server::store::exports::{self, Made};
use crate::server::store::jobs::{self, Job};
use crate::server::webhooks::own;

/// Its name in the queue.
pub const NAME: &str = "export";

/// What it is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    /// The export.
    pub export_id: String,
    /// What it is to hold.
    pub plan: Plan,
}

/// Writes the file from its beginning, under a name of this claim's own.
pub(super) async fn run(server: &Server, job: &Job, progress: &Progress) -> Result<(), JobError> {
    let payload: Payload = serde_json::from_str(&job.payload)
        .map_err(|error| JobError::Fail(format!("what it is to do cannot be read: {error}")))?;
    let file = format!("exports/{}/{}/{}", job.project_id, payload.export_id, job.attempt);
    jobs::doom_file(&server.db, &file, 0, job.project_id, (&job.task_id, job.attempt)).await?;
    let mut writer = server.files.write(&file, false);
    let rules = server.mask(job.project_id).await?;
    let mut records = Records::new(&server.db, &server.key, &rules, job.project_id, &payload.plan);
    let mut out = Vec::new();
    let mut encoder = Encoder::begin(&payload.plan, &mut out)?;
    while records.next(&mut encoder, &mut out).await? {
        writer.push(&out).await?;
        out.clear();
        progress.set(records.progress());
    }
    let rows = records.rows;
    encoder.end(&mut out)?;
    writer.push(&out).await?;
    let written = writer.finish().await?;
    let made = Made {
        file: &file,
        rows: Some(rows as i64),
        bytes: written.bytes as i64,
        sha256: &written.sha256,
    };
    let result =
        serde_json::json!({ "message": said(rows), "done_count": rows, "bytes": written.bytes, "sha256": written.sha256 });
    let told = own::export_done(server, job.project_id, &payload.export_id, &made).await?;
    if exports::finish(&server.db, job, &made, &result.to_string(), told, server.clock.now_ms()).await? {
        server.webhooks.ring();
        metrics::counter!("export_rows_total").increment(rows);
        metrics::counter!("export_bytes_total").increment(written.bytes);
        Ok(())
    } else {
        Err(JobError::Lost)
    }
}

fn said(rows: u64) -> String {
    match rows {
        1 => "1 record was exported".to_owned(),
        rows => format!("{} records were exported", crate::model::format::count(rows)),
    }
}

//! An export of every log as CSV, against the sqlite3 shell printing the same columns from a plain table of the same rows.

use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};
use serde_json::Value;

use crate::Outcome;
use crate::data::Row;
use crate::http::Client;
use crate::server::Server;

/// The columns of an export of logs, where none are named.
const COLUMNS: &str = "id, created_at, status, request_id, channel, method, endpoint, url, user_email, app_id, client_app_id, request_duration, request_body, response_body";

/// Bytes, and the time they took.
#[derive(Clone, Copy, Debug)]
pub struct Printed {
    pub bytes: u64,
    pub spent: Duration,
}

impl Printed {
    /// Megabytes a second.
    pub fn rate(self) -> f64 {
        self.bytes as f64 / 1e6 / self.spent.as_secs_f64()
    }
}

/// Has every log exported as CSV: from the call until the export is DONE.
pub fn ours(server: &Server, logs: usize) -> Outcome<Printed> {
    let mut client = Client::new(&server.host, &server.key)?;
    let begun = Instant::now();
    let answer = client.send("POST", "/v1/exports", "application/json", br#"{"exported_object":"api_log"}"#)?;
    let export: Value = serde_json::from_slice(&answer.body)?;
    let id = export["id"]
        .as_str()
        .ok_or_else(|| format!("POST /v1/exports answered {}", answer.code))?;
    let path = format!("/v1/exports/{id}");
    loop {
        sleep(Duration::from_millis(20));
        let export: Value = serde_json::from_slice(&client.get(&path)?.body)?;
        match export["status"].as_str() {
            Some("DONE") => {
                let spent = begun.elapsed();
                if export["rows"].as_u64() != Some(logs as u64) {
                    return Err(format!("the export has {} rows of {logs}", export["rows"]).into());
                }
                let bytes = export["bytes"].as_u64().ok_or("an export without a size")?;
                return Ok(Printed { bytes, spent });
            }
            Some("SCHEDULED" | "IN_PROGRESS") => {}
            _ => return Err(format!("the export did not end well: {export}").into()),
        }
    }
}

/// Fills a plain table with the same rows.
pub fn fill(path: &Path, rows: impl Iterator<Item = Row>) -> Outcome<()> {
    let mut connection = Connection::open(path)?;
    connection.execute_batch(&format!(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; CREATE TABLE plain ({COLUMNS})"
    ))?;
    let insert = format!("INSERT INTO plain ({COLUMNS}) VALUES ({})", ["?"; 14].join(", "));
    let transaction = connection.transaction()?;
    {
        let mut statement = transaction.prepare(&insert)?;
        for (number, row) in rows.enumerate() {
            let status = if row.status_code < 400 { "SUCCESS" } else { "FAILURE" };
            statement.execute(params![
                format!("log_{number:026}"),
                crate::rfc3339(row.created_at),
                status,
                row.request_id,
                row.channel,
                row.method,
                row.endpoint,
                row.path,
                row.user_email,
                row.app_id,
                None::<String>,
                row.duration_ms,
                row.request_body,
                row.response_body,
            ])?;
        }
    }
    transaction.commit()?;
    Ok(())
}

/// Prints the table with `sqlite3 -csv`, into a file as the product writes one.
pub fn sqlite3(path: &Path) -> Outcome<Printed> {
    let out = path.with_extension("csv");
    let begun = Instant::now();
    let status = Command::new("sqlite3")
        .args(["-csv", "-header"])
        .arg(path)
        .arg(format!("SELECT {COLUMNS} FROM plain"))
        .stdout(Stdio::from(std::fs::File::create(&out)?))
        .status()?;
    let spent = begun.elapsed();
    if !status.success() {
        return Err(format!("sqlite3 ended with {status}").into());
    }
    let bytes = std::fs::metadata(&out)?.len();
    std::fs::remove_file(out)?;
    Ok(Printed { bytes, spent })
}

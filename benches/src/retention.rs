//! Ingest beside a purge: the 99th percentile of small calls at a steady pace, without a purge and while all the logs of the benchmark are deleted.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Outcome;
use crate::data::Rows;
use crate::http::Client;
use crate::server::Server;

/// Senders, each with a call of so many logs every so often: 1,000 logs a second. More than a server takes in small calls would measure how its queue grows, with
/// a purge and without: 4,000 a second did, on two slow cores.
const SENDERS: usize = 4;
const LOGS: usize = 20;
const EVERY: Duration = Duration::from_millis(80);
/// How long it is measured without a purge.
const WITHOUT: Duration = Duration::from_secs(30);
/// How long a purge is looked at: one that takes longer is measured by how far it got.
const WATCHED: Duration = Duration::from_mins(5);
const SEED: u64 = 77;

/// What was measured.
pub struct Measured {
    /// The 99th percentile of a call without a purge.
    pub without: Duration,
    /// The same while the purge ran.
    pub during: Duration,
    /// How long the purge took, or was looked at.
    pub purge: Duration,
    /// Logs that it deleted by then.
    pub deleted: usize,
}

/// Measures it on a server whose logs are all older than a day.
pub fn measure(server: &Server, now_ms: i64) -> Outcome<Measured> {
    let body = call(now_ms);
    let without = p99(server, &body, |_| {
        thread::sleep(WITHOUT);
        Ok(())
    })?;
    let begun = Instant::now();
    let mut deleted = 0;
    let during = p99(server, &body, |server| {
        deleted = purge(server)?;
        Ok(())
    })?;
    Ok(Measured {
        without,
        during,
        purge: begun.elapsed(),
        deleted,
    })
}

/// The body of a call with logs of now.
fn call(now_ms: i64) -> String {
    let rows = Rows::new(SEED, now_ms, 0).take(LOGS);
    rows.map(|row| format!("{}\n", row.to_json())).collect()
}

/// Sends at a steady pace while something goes on; the 99th percentile of how long a call took.
fn p99(server: &Server, body: &str, meanwhile: impl FnOnce(&Server) -> Outcome<()>) -> Outcome<Duration> {
    let stop = AtomicBool::new(false);
    let mut spent = thread::scope(|scope| {
        let senders: Vec<_> = (0..SENDERS)
            .map(|_| scope.spawn(|| send(server, body, &stop).map_err(|error| error.to_string())))
            .collect();
        let went = meanwhile(server);
        stop.store(true, Ordering::SeqCst);
        let mut all = Vec::new();
        for sender in senders {
            all.extend(sender.join().map_err(|_| "a sender panicked")??);
        }
        went.map(|()| all)
    })?;
    spent.sort_unstable();
    spent
        .get(spent.len() * 99 / 100)
        .copied()
        .ok_or_else(|| "nothing was sent".into())
}

/// One sender: a call whose time has come is measured from then, also where the one before it took longer than the pace.
fn send(server: &Server, body: &str, stop: &AtomicBool) -> Outcome<Vec<Duration>> {
    let mut client = Client::new(&server.host, &server.key)?;
    let mut spent = Vec::new();
    let mut due = Instant::now();
    while !stop.load(Ordering::SeqCst) {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let answer = client.send("POST", "/v1/logs", "application/x-ndjson", body.as_bytes())?;
        if answer.code != 201 {
            return Err(format!("ingest answered {}: {}", answer.code, String::from_utf8_lossy(&answer.body)).into());
        }
        spent.push(due.elapsed());
        due += EVERY;
    }
    Ok(spent)
}

/// Chooses one day, and waits until what is older is deleted, or for so long; gives how many logs that were.
fn purge(server: &Server) -> Outcome<usize> {
    let headers = format!("{}Origin: http://{}\r\n", server.cookie, server.host);
    let choice = serde_json::json!({"project": server.project, "choice": {"logs_days": 1, "bodies_days": null}});
    let answer = Client::new(&server.host, &headers)?.send(
        "POST",
        "/api/set_retention",
        "application/json",
        choice.to_string().as_bytes(),
    )?;
    let task: Option<String> = serde_json::from_slice(&answer.body)?;
    let path = format!("/v1/async-actions/{}", task.ok_or("there was nothing to delete")?);
    let mut client = Client::new(&server.host, &server.key)?;
    let begun = Instant::now();
    loop {
        let task: Value = serde_json::from_slice(&client.get(&path)?.body)?;
        let deleted = task["result"]["logs"].as_u64().unwrap_or_default() as usize;
        match task["status"].as_str() {
            Some("DONE") => return Ok(deleted),
            Some("FAILED") => return Err(format!("the purge failed: {task}").into()),
            _ if begun.elapsed() >= WATCHED => return Ok(deleted),
            _ => thread::sleep(Duration::from_millis(200)),
        }
    }
}

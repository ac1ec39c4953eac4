//! What the product takes: time to start, memory at rest, room on the disk.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::json;

use super::days::{Days, Span};
use super::stand::{Kind, Stand};
use super::{people, sizes};
use crate::measure::median;
use crate::report::Report;
use crate::server::Server;
use crate::{BATCH, Outcome};

const STARTS: usize = 10;
const READY_AIM: Duration = Duration::from_millis(150);
/// At rest: so long after the start, and nobody has asked for anything.
const REST: Duration = Duration::from_secs(10);
const REST_AIM: u64 = 40_000_000;
/// Batches whose bytes stand for those of all.
const SAMPLES: usize = 50;

pub async fn measure(report: &mut Report, stand: &Stand, days: &Days) -> Outcome<()> {
    starting(report, stand)?;
    let stored = {
        // Logs that ingest under load has left are of later than the days, up to now.
        let server = stand.large()?;
        let stored = people::stored(&server, days.whole())? + people::stored(&server, later(days))?;
        server.stop()?;
        stored
    };
    on_disk(report, stand, days, stored).await?;
    if stand.kind == Kind::Sqlite {
        let binary = fs::metadata(&stand.binary)?.len();
        report.figure(
            "the release binary",
            format!("{:.1} MB", binary as f64 / 1e6),
            None,
            &json!(binary),
        );
    }
    Ok(())
}

fn later(days: &Days) -> Span {
    let from = days.whole().to;
    Span {
        from,
        to: from + 1_000 * crate::DAY_MS,
    }
}

fn starting(report: &mut Report, stand: &Stand) -> Outcome<()> {
    let launch = || Server::launch(&stand.binary, &stand.url("large"), &stand.of("large"));
    let mut spent = Vec::new();
    for _ in 0..STARTS {
        let begun = Instant::now();
        let server = launch()?;
        server.wait()?;
        spent.push(begun.elapsed());
        server.stop()?;
    }
    report.time("start to ready, the middle of ten", median(spent), READY_AIM);
    let server = launch()?;
    server.wait()?;
    sleep(REST);
    report.bytes(
        "at rest, ten seconds after the start, resident",
        server.memory("status", "VmRSS:")?,
        Some(REST_AIM),
    );
    report.bytes("of that its own (proportional)", server.memory("smaps_rollup", "Pss:")?, None);
    server.stop()
}

/// Bytes a log, in parts, beside the bytes of the same logs as they were sent.
async fn on_disk(report: &mut Report, stand: &Stand, days: &Days, stored: u64) -> Outcome<()> {
    let batches = days.batches();
    let some: Vec<usize> = batches.clone().step_by((batches.len() / SAMPLES).max(1)).collect();
    let raw: usize = some.iter().map(|batch| days.body(*batch).len()).sum();
    let raw = raw as f64 / (some.len() * BATCH) as f64;
    let sizes = sizes::of(stand).await?;
    let a_log = |bytes: u64| bytes as f64 / stored as f64;
    let mut line = |name: &str, bytes: f64| report.figure(name, format!("{bytes:.1} bytes a log"), None, &json!(bytes));
    line("as NDJSON, raw", raw);
    for (name, bytes) in &sizes.parts {
        line(name, a_log(*bytes));
    }
    line("all on disk", a_log(sizes.whole));
    let aim = match stand.kind {
        Kind::Sqlite => 0.8,
        Kind::Postgres => 1.0,
    };
    report.ratio("on disk, search and all, / raw NDJSON", a_log(sizes.whole) / raw, aim, false);
    Ok(())
}

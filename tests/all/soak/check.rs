//! What is there, held against the ledger, once the faults are over and the service has come to rest.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::ledger::{Call, Entries, Fate, Task, TaskKind, call_mark, calls_of, event_id, task_mark};
use super::load::{Door, RECORDS, SEEDS};
use super::run::Run;

/// Tasks and sendouts must have ended by then.
const SETTLED: Duration = Duration::from_secs(120);
/// Fewer acknowledged calls than this say nothing.
pub const MEANINGFUL: usize = 11;
/// Whatever anybody stored, whatever the clock said.
const EVER: &str = "from=2000-01-01T00:00:00Z&to=2100-01-01T00:00:00Z";

/// Looks at everything; says what was found.
pub async fn all(run: &Run) -> String {
    let entries = run.ledger.copy();
    assert!(
        entries.surprises.is_empty(),
        "{}: {:#?}\n{}",
        run.name,
        entries.surprises,
        run.service.lines()
    );
    settled(run).await;
    let stored = stored(&run.direct).await;
    calls(&run.name, &entries, &stored);
    let failed = tasks(&run.door, &entries, &stored).await;
    shown(run, &stored).await;
    events(run, &entries);
    let verified = tokio::task::block_in_place(|| run.service.command(&["verify"]));
    assert!(
        verified.status.success(),
        "{}: {}",
        run.name,
        String::from_utf8_lossy(&verified.stderr)
    );
    format!(
        "{} logs stored, {failed} tasks failed with a reason, verified",
        stored.values().map(Vec::len).sum::<usize>()
    )
}

/// Waits until no task and no sendout is on its way.
async fn settled(run: &Run) {
    let patience = Instant::now() + SETTLED;
    let open = [
        (format!("/v1/webhook-sendouts?status=PENDING,RETRYING&limit=3&{EVER}"), "data"),
        (
            "/v1/async-actions?status=ENQUEUED,IN_PROGRESS&limit=3".to_owned(),
            "async_actions",
        ),
    ];
    for (path, rows) in open {
        loop {
            let page = run.door.get(&path).await;
            if page[rows].as_array().unwrap().is_empty() {
                break;
            }
            assert!(
                Instant::now() < patience,
                "{}: stuck: {page}\n{}",
                run.name,
                run.service.lines()
            );
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

/// What was stored, read from the database itself: ids by the mark of what they came with.
pub async fn stored(database_url: &str) -> BTreeMap<String, Vec<String>> {
    const ALL: &str =
        "SELECT request_id, id FROM logs WHERE request_id LIKE 'call-%' OR request_id LIKE 'task-%' OR request_id = 'seed'";
    let rows: Vec<(String, String)> = if database_url.starts_with("sqlite") {
        let pool = sqlx::SqlitePool::connect(database_url).await.unwrap();
        let integrity: String = sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&pool).await.unwrap();
        assert_eq!(integrity, "ok");
        let rows = sqlx::query_as(ALL).fetch_all(&pool).await.unwrap();
        pool.close().await;
        rows
    } else {
        let pool = sqlx::PgPool::connect(database_url).await.unwrap();
        let rows = sqlx::query_as(ALL).fetch_all(&pool).await.unwrap();
        pool.close().await;
        rows
    };
    let mut stored: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (mark, id) in rows {
        stored.entry(mark).or_default().push(id);
    }
    stored
}

/// Each call is there once, whole, or not at all, as its sender was told.
pub fn calls(name: &str, entries: &Entries, stored: &BTreeMap<String, Vec<String>>) {
    for (place, call) in entries.calls.iter().enumerate() {
        let there = stored.get(&call_mark(place)).map_or(&[][..], Vec::as_slice);
        one_call(name, place, call, there);
    }
    let acknowledged = calls_of(entries, Fate::Acknowledged);
    assert!(
        acknowledged >= MEANINGFUL,
        "{name}: too few calls were acknowledged to mean anything: {acknowledged}"
    );
    let sent = entries.calls.len();
    let strange = stored
        .keys()
        .filter_map(|mark| mark.strip_prefix("call-")?.parse::<usize>().ok())
        .find(|place| *place >= sent);
    assert_eq!(strange, None, "{name}: a call is there that nobody sent");
}

fn one_call(name: &str, place: usize, call: &Call, there: &[String]) {
    let ids: BTreeSet<&String> = there.iter().collect();
    assert_eq!(ids.len(), there.len(), "{name}: call {place} has a log twice: {there:?}");
    match call.fate {
        Fate::Acknowledged => {
            assert_eq!(there.len(), call.size, "{name}: call {place} was acknowledged: {call:?}");
            // Where the answer broke off after its first line, the ids that the server chose are not known.
            assert!(
                call.ids.is_empty() || call.ids.iter().collect::<BTreeSet<_>>() == ids,
                "{name}: call {place} has other ids"
            );
        }
        Fate::Refused => assert!(
            there.is_empty(),
            "{name}: call {place} was refused, and {} of its logs are there",
            there.len()
        ),
        Fate::Unknown | Fate::Open => assert!(
            there.is_empty() || there.len() == call.size,
            "{name}: half of call {place} is there: {} of {}",
            there.len(),
            call.size
        ),
    }
}

/// Each task that was acknowledged has ended, in one result; of those that were refused there is nothing. How many failed, with a reason.
async fn tasks(door: &Door, entries: &Entries, stored: &BTreeMap<String, Vec<String>>) -> usize {
    let exports = exports(door).await;
    let mut failed = 0;
    for (place, task) in entries.tasks.iter().enumerate() {
        let mark = task_mark(place);
        let made = exports.get(&mark).map_or(&[][..], Vec::as_slice);
        let records = stored.get(&mark).map_or(&[][..], Vec::as_slice);
        let once: BTreeSet<&String> = records.iter().collect();
        assert!(
            once.len() == records.len() && made.len() <= 1,
            "{mark}, done twice: {made:?} {records:?}"
        );
        match (task.fate, task.kind) {
            (Fate::Refused, _) => assert!(
                made.is_empty() && records.is_empty(),
                "{mark} was refused: {made:?} {records:?}"
            ),
            (fate, TaskKind::Export) => {
                assert!(
                    fate != Fate::Acknowledged || made.len() == 1,
                    "{mark}: an export was acknowledged and is gone"
                );
                for export in made {
                    failed += usize::from(!exported(door, export).await);
                }
            }
            (Fate::Acknowledged, TaskKind::Import) => failed += usize::from(!imported(door, task, records.len()).await),
            (_, TaskKind::Import) => assert!([0, RECORDS - 1].contains(&records.len()), "{mark}: {} records", records.len()),
        }
    }
    failed
}

/// All exports, by their mark.
async fn exports(door: &Door) -> BTreeMap<String, Vec<Value>> {
    let mut found: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for page in 1.. {
        let list = door.get(&format!("/v1/exports?limit=100&page={page}")).await;
        let exports = list["exports"].as_array().unwrap();
        for export in exports {
            let mark = &export["parameters"]["filters"]["request_id"]["conditions"]["$is_not"][0];
            if let Some(mark) = mark.as_str() {
                found.entry(mark.to_owned()).or_default().push(export.clone());
            }
        }
        if exports.len() < 100 {
            break;
        }
    }
    found
}

/// Whether an export has its file, with what it should have; else it must have failed with a reason.
async fn exported(door: &Door, export: &Value) -> bool {
    let id = export["id"].as_str().unwrap();
    let export = door.get(&format!("/v1/exports/{id}")).await;
    let task = door
        .get(&format!("/v1/async-actions/{}", export["async_action_id"].as_str().unwrap()))
        .await;
    if export["status"] == "ERROR" {
        assert!(
            task["status"] == "FAILED" && task["result"]["message"].is_string(),
            "no reason: {task}"
        );
        return false;
    }
    assert_eq!(
        (&export["status"], &task["status"], &export["rows"]),
        (&json!("DONE"), &json!("DONE"), &json!(SEEDS)),
        "{export} {task}"
    );
    let file = door.fetch(export["result"]["url"].as_str().unwrap()).await;
    assert_eq!(
        export["sha256"],
        data_encoding::HEXLOWER.encode(&Sha256::digest(&file)).as_str(),
        "a file is torn"
    );
    let ids: BTreeSet<String> = csv::Reader::from_reader(&file[..])
        .records()
        .map(|record| record.unwrap()[0].to_owned())
        .collect();
    assert_eq!(ids.len(), SEEDS);
    true
}

/// Whether an import is done, its right records there once; else it must have failed with a reason.
async fn imported(door: &Door, task: &Task, records: usize) -> bool {
    let Some(id) = &task.id else { return true };
    let task = door.get(&format!("/v1/async-actions/{id}")).await;
    if task["status"] == "FAILED" {
        assert!(task["result"]["message"].is_string(), "no reason: {task}");
        return false;
    }
    assert_eq!(
        (&task["status"], &task["result"]["done_count"], records),
        (&json!("DONE"), &json!(RECORDS - 1), RECORDS - 1),
        "{task}"
    );
    true
}

/// An export of everything, and a sample read one by one: what the database has is what the service shows.
async fn shown(run: &Run, stored: &BTreeMap<String, Vec<String>>) {
    // Also what was stored while the clock was ahead.
    let ever = json!({"created_at": {"conditions": {"$after": ["2000-01-01T00:00:00Z"], "$before": ["2100-01-01T00:00:00Z"]}}});
    let parameters = json!({"format": "ndjson", "fields": ["id", "request_id"], "filters": ever});
    let begun = run
        .door
        .call(Method::POST, "/v1/exports")
        .json(&json!({"exported_object": "api_log", "parameters": parameters}));
    let begun: Value = begun.send().await.unwrap().json().await.unwrap();
    let patience = Instant::now() + SETTLED;
    let export = loop {
        let export = run.door.get(&format!("/v1/exports/{}", begun["id"].as_str().unwrap())).await;
        if export["status"] == "DONE" {
            break export;
        }
        assert!(
            export["status"] != "ERROR" && Instant::now() < patience,
            "{}: {export}",
            run.name
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let file = String::from_utf8(run.door.fetch(export["result"]["url"].as_str().unwrap()).await).unwrap();
    let logs = file.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut shown: Vec<String> = logs.filter_map(|log| marked(&log, stored)).collect();
    shown.sort_unstable();
    let mut all: Vec<&String> = stored.values().flatten().collect();
    all.sort_unstable();
    assert!(
        shown.iter().eq(all.iter().copied()),
        "{}: {} are shown of {} that are stored",
        run.name,
        shown.len(),
        all.len()
    );
    for (mark, ids) in stored
        .iter()
        .filter(|(mark, _)| mark.starts_with("call-"))
        .step_by(stored.len() / 40 + 1)
    {
        let log = run.door.get(&format!("/v1/logs/{}", ids[0])).await;
        assert_eq!(log["response"]["body"]["told"], json!(mark));
    }
}

/// The id of a log that the load sent.
fn marked(log: &Value, stored: &BTreeMap<String, Vec<String>>) -> Option<String> {
    stored
        .contains_key(log["request_id"].as_str()?)
        .then(|| log["id"].as_str().unwrap().to_owned())
}

/// All that is stored comes page by page, once: a page's end leads to the next one, whatever times the logs carry.
pub async fn paged(run: &Run) {
    settled(run).await;
    let stored = stored(&run.direct).await;
    let all = format!("/v1/logs?limit=100&{EVER}");
    let (mut shown, mut path) = (Vec::new(), all.clone());
    loop {
        let page = run.door.get(&path).await;
        shown.extend(page["data"].as_array().unwrap().iter().filter_map(|log| marked(log, &stored)));
        let Some(next) = page["more_starting_after"].as_str().filter(|_| page["has_more"] == true) else {
            break;
        };
        path = format!("{all}&after={next}");
    }
    let mut stored: Vec<&String> = stored.values().flatten().collect();
    stored.sort_unstable();
    shown.sort_unstable();
    assert!(
        shown.iter().eq(stored.iter().copied()),
        "{}: {} come by pages of {}",
        run.name,
        shown.len(),
        stored.len()
    );
}

/// Each event that was acknowledged arrived; none that was refused did.
fn events(run: &Run, entries: &Entries) {
    let arrived = run.arrived();
    for (place, fate) in entries.events.iter().enumerate() {
        let came = arrived.contains(&event_id(place));
        match fate {
            Fate::Acknowledged => assert!(came, "{}: event {place} was acknowledged and never came", run.name),
            Fate::Refused => assert!(!came, "{}: event {place} was refused and came", run.name),
            Fate::Unknown | Fate::Open => {}
        }
    }
}

//! Logs in the database: what was written is listed, counted, found and read back, as a plain scan over the same logs says.

use std::collections::HashMap;
use std::time::Duration;

use audit_log::model::filter::LogFilter;
use audit_log::model::log::{BodyKind, ImportFile, Log, Message, NewLog, Origin, Status};
use audit_log::model::page::{Key, Place, Total};
use audit_log::model::query::Order;
use audit_log::model::selection::{LogSelection, TimeRange};
use audit_log::server::clock::Random;
use audit_log::server::store::Db;
use audit_log::server::store::logs::counts;
use audit_log::server::store::logs::list::{self, ListRequest};
use audit_log::server::store::logs::offered;
use audit_log::server::store::logs::one::{self, Put};
use audit_log::server::store::logs::write::{Idempotency, LogCall, LogWriter, WriteError, WriterOptions, Written};
use audit_log::server::store::projects::ProjectKey;

use crate::plain_scan::*;
use crate::support::TestApp;

/// 2026-11-20T10:00:00Z, on the hour.
pub const START: i64 = 1_795_168_800_000;
pub const LONG: Duration = Duration::from_secs(60);

pub fn call(project: ProjectKey, logs: Vec<NewLog>) -> LogCall {
    LogCall {
        project,
        logs,
        idempotency: None,
        received_at: START,
    }
}

/// Random logs over two hours, in calls of many sizes, some of which come late.
pub async fn write_random(app: &TestApp, project: ProjectKey, dice: &Dice, count: usize) -> Vec<NewLog> {
    let mut logs: Vec<NewLog> = (0..count)
        .map(|_| dice.log(START + dice.below(7_200) as i64 * 1_000))
        .collect();
    let mut rest = logs.as_slice();
    while !rest.is_empty() {
        let size = [1, 3, 70, 200][dice.below(4)].min(rest.len());
        let (some, after) = rest.split_at(size);
        let written = app.server.writer.write(call(project, some.to_vec())).await.unwrap();
        assert_eq!(written.accepted, size as u64);
        rest = after;
    }
    logs.sort_by(|a, b| (a.facts.created_at, &a.facts.id).cmp(&(b.facts.created_at, &b.facts.id)));
    logs
}

/// Every page of a list, one after another.
pub async fn walk(
    db: &Db,
    project: ProjectKey,
    selection: &LogSelection,
    order: Order,
    limit: usize,
    budget: Duration,
) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    let mut place = Place::Start;
    loop {
        let request = ListRequest {
            project,
            selection,
            order,
            place: place.clone(),
            limit,
            budget,
        };
        let page = list::page(db, request).await.unwrap();
        assert!(page.rows.len() <= limit);
        ids.extend(page.rows.iter().map(|facts| facts.id.clone()));
        if !page.more_after {
            assert_eq!(page.searched_to, None);
            return ids;
        }
        let next = match (page.searched_to, page.rows.last()) {
            (Some(time), _) => Key {
                created_at: time,
                id: String::new(),
            },
            (None, Some(last)) => Key {
                created_at: last.created_at,
                id: last.id.clone(),
            },
            (None, None) => panic!("more is promised after an empty page"),
        };
        assert_ne!(place, Place::After(next.clone()), "a search that goes on gets on");
        place = Place::After(next);
    }
}

/// A log that says little.
fn short(dice: &Dice, at: i64) -> NewLog {
    let mut log = dice.log(at);
    log.text.request = Message {
        kind: BodyKind::Text,
        body: dice.words(3).into_bytes(),
        headers: dice.headers(),
        ..Message::default()
    };
    log.text.response = Message {
        kind: BodyKind::Text,
        body: dice.words(3).into_bytes(),
        ..Message::default()
    };
    log
}

for_each_db! {
    async fn every_selection_lists_what_a_plain_scan_finds(app: TestApp) {
        let dice = Dice(Random::seeded(11));
        let project = app.add_project("shop").await.key;
        let other = app.add_project("other").await.key;
        write_random(app, other, &dice, 100).await;
        let logs = write_random(app, project, &dice, 500).await;
        let mut hits = 0;
        for round in 0..250 {
            let selection = dice.selection(&logs);
            let order = [Order::NewestFirst, Order::OldestFirst][dice.below(2)];
            let mut wanted: Vec<String> = logs.iter().filter(|log| is_meant(log, &selection)).map(|log| log.facts.id.clone()).collect();
            if order == Order::NewestFirst {
                wanted.reverse();
            }
            hits += wanted.len();
            let (limit, budget) = (1 + dice.below(60), [LONG, Duration::ZERO][dice.below(2)]);
            let found = walk(app.db(), project, &selection, order, limit, budget).await;
            assert_eq!(found, wanted, "round {round}: {order:?} {selection:?}");
            if !wanted.is_empty() {
                let place = dice.below(wanted.len());
                let row = logs.iter().find(|log| log.facts.id == wanted[place]).unwrap();
                let key = Key { created_at: row.facts.created_at, id: row.facts.id.clone() };
                let request = ListRequest { project, selection: &selection, order, place: Place::Before(key), limit, budget: LONG };
                let page = list::page(app.db(), request).await.unwrap();
                let ids: Vec<String> = page.rows.into_iter().map(|facts| facts.id).collect();
                assert_eq!(ids, wanted[place.saturating_sub(limit)..place], "round {round}, before: {selection:?}");
                assert_eq!(page.more_before, place > limit);
            }
        }
        assert!(hits > 2_000, "the selections leave something: {hits}");
    }

    async fn counts_are_what_a_plain_scan_counts(app: TestApp) {
        let dice = Dice(Random::seeded(12));
        let project = app.add_project("shop").await.key;
        let logs = write_random(app, project, &dice, 700).await;
        for _ in 0..200 {
            let mut selection = dice.selection(&logs);
            selection.text = Default::default();
            let wanted: Vec<_> = logs.iter().filter(|log| is_meant(log, &selection)).collect();
            let failures = wanted.iter().filter(|log| log.facts.status == Status::Failure).count() as u64;
            let successes = wanted.len() as u64 - failures;
            let total = counts::total(app.db(), project, &selection, 10_000).await.unwrap();
            assert_eq!(total, (Total::Exact(successes), Total::Exact(failures)), "{selection:?}");
            let step = [60_000, 300_000, 3_600_000][dice.below(3)];
            let histogram = counts::histogram(app.db(), project, &selection, step, 10_000).await.unwrap();
            assert!(histogram.whole);
            assert_eq!(histogram.bars.iter().map(|bar| bar.success).sum::<u64>(), successes);
            for bar in &histogram.bars {
                let inside = wanted.iter().filter(|log| (bar.from..bar.from + step).contains(&log.facts.created_at)).count() as u64;
                assert_eq!(bar.success + bar.failure, inside);
                assert_eq!(bar.from % step, 0);
            }
            if wanted.len() > 10 && !selection.is_counted() {
                let (success, failure) = counts::total(app.db(), project, &selection, 10).await.unwrap();
                let (Total::AtLeast(success), Total::AtLeast(failure)) = (success, failure) else { panic!("a bound that was met shows") };
                assert_eq!(success + failure, 10);
            }
        }
    }

    async fn values_in_use_have_their_counts(app: TestApp) {
        let dice = Dice(Random::seeded(13));
        let project = app.add_project("shop").await.key;
        let logs = write_random(app, project, &dice, 300).await;
        let range = TimeRange { from: START, to: START + 3_600_000 };
        let values = counts::values(app.db(), project, LogFilter::Channel, range, &[Origin::Application], 10).await.unwrap();
        for (value, count) in &values {
            let wanted = logs.iter().filter(|log| {
                log.facts.origin == Origin::Application && log.facts.created_at < range.to && log.facts.channel.as_ref() == Some(value)
            });
            assert_eq!(*count, wanted.count() as u64, "{value}");
        }
        assert_eq!(values.len(), 2);
        assert!(counts::values(app.db(), project, LogFilter::Ip, range, &[Origin::Application], 10).await.unwrap().is_empty());
        let codes = counts::values(app.db(), project, LogFilter::Code, range, &[Origin::Application, Origin::Own], 3).await.unwrap();
        assert_eq!(codes.len(), 3, "as many as were asked for");
    }

    async fn a_choice_has_the_numbers_of_its_very_range(app: TestApp) {
        let dice = Dice(Random::seeded(31));
        let project = app.add_project("shop").await.key;
        let logs = write_random(app, project, &dice, 300).await;
        let times: Vec<i64> = logs.iter().map(|log| log.facts.created_at).collect();
        let (first, last) = (*times.iter().min().unwrap(), *times.iter().max().unwrap());
        let mut seen = 0;
        for (from, to) in [(first, last + 1), (first + 1, last), (first + (last - first) / 3, last - (last - first) / 5), (first, first + 1), (last, last)] {
            let range = TimeRange { from, to };
            for field in [LogFilter::Method, LogFilter::Channel, LogFilter::Code, LogFilter::Endpoint] {
                let offered = offered::offered(app.db(), project, field, range, &[Origin::Application], 1_000).await.unwrap();
                assert!(offered.exact);
                let mut wanted: HashMap<String, u64> = HashMap::new();
                for log in logs.iter().filter(|log| log.facts.origin == Origin::Application && (from..to).contains(&log.facts.created_at)) {
                    let facts = &log.facts;
                    let value = match field {
                        LogFilter::Method => Some(facts.method.clone()),
                        LogFilter::Channel => facts.channel.clone(),
                        LogFilter::Endpoint => Some(facts.endpoint.clone()),
                        _ => Some(facts.status_code.map_or_else(|| "none".to_owned(), |code| code.to_string())),
                    };
                    if let Some(value) = value {
                        *wanted.entry(value).or_default() += 1;
                    }
                }
                assert!(offered.values.is_sorted_by_key(|(_, count)| std::cmp::Reverse(*count)));
                seen += offered.values.len();
                assert_eq!(offered.values.into_iter().collect::<HashMap<_, _>>(), wanted, "{field:?} {range:?}");
            }
        }
        assert!(seen > 20, "{seen}");
    }

    async fn a_log_is_read_back_as_it_was_written(app: TestApp) {
        let dice = Dice(Random::seeded(14));
        let project = app.add_project("shop").await.key;
        let other = app.add_project("other").await.key;
        for log in write_random(app, project, &dice, 150).await {
            let mut facts = log.facts.clone();
            facts.path = facts.path.replace('\0', "\u{2400}");
            let found = one::find(app.db(), project, &facts.id).await.unwrap();
            assert_eq!(found, Some(Log { facts, text: Some(log.text), import_file: None }));
            assert_eq!(one::find(app.db(), other, &log.facts.id).await.unwrap(), None, "another project's");
        }
        for id in ["", "nothing", "log_00000000000000000000000000", "a\0b", "ü"] {
            assert_eq!(one::find(app.db(), project, id).await.unwrap(), None, "{id}");
        }
    }

    async fn a_repeated_id_counts_as_a_duplicate(app: TestApp) {
        let dice = Dice(Random::seeded(15));
        let project = app.add_project("shop").await.key;
        let writer = &app.server.writer;
        let mut logs: Vec<NewLog> = (0..100).map(|place| NewLog { client_id: true, ..dice.log(START + place) }).collect();
        for (place, log) in logs.iter_mut().enumerate() {
            log.facts.id = format!("mine-{}", place % 90);
        }
        let ids: Vec<String> = logs.iter().map(|log| log.facts.id.clone()).collect();
        let written = writer.write(call(project, logs.clone())).await.unwrap();
        assert_eq!(written, Written { accepted: 90, duplicates: 10, ids: ids.clone() });
        let mut later = logs[5].clone();
        later.facts.created_at += 5_000;
        let fresh = NewLog { client_id: true, ..dice.log(START) };
        let written = writer.write(call(project, vec![later, fresh])).await.unwrap();
        assert_eq!((written.accepted, written.duplicates), (1, 1));
        let first = one::find(app.db(), project, "mine-5").await.unwrap().unwrap();
        assert_eq!((first.facts.created_at, first.text.unwrap()), (START + 5, logs[5].text.clone()), "the first one stays");
        let all = LogSelection { origins: vec![Origin::Application, Origin::Own], ..LogSelection::all(TimeRange { from: 0, to: i64::MAX }) };
        let (success, failure) = counts::total(app.db(), project, &all, 1).await.unwrap();
        let (Total::Exact(success), Total::Exact(failure)) = (success, failure) else { panic!("counted") };
        assert_eq!(success + failure, 91);
        let elsewhere = app.add_project("other").await.key;
        assert_eq!(writer.write(call(elsewhere, logs)).await.unwrap().accepted, 90, "an id belongs to its project");
    }

    async fn an_export_that_is_read_back_in_adds_nothing(app: TestApp) {
        let dice = Dice(Random::seeded(16));
        let project = app.add_project("shop").await.key;
        let logs = write_random(app, project, &dice, 80).await;
        let again: Vec<NewLog> = logs.into_iter().map(|log| NewLog { client_id: true, ..log }).collect();
        assert_eq!(app.server.writer.write(call(project, again)).await.unwrap().duplicates, 80);
    }

    async fn calls_at_the_same_time_each_get_their_own_answer(app: TestApp) {
        let dice = Dice(Random::seeded(17));
        let project = app.add_project("shop").await.key;
        let key = |fingerprint: u8| Some(Idempotency { key: "same".into(), fingerprint: [fingerprint; 32] });
        let mut calls = Vec::new();
        for round in 0..60 {
            let idempotency = match round % 3 { 0 => None, 1 => key(1), _ => key(2) };
            let mut log = dice.log(START);
            if round % 3 == 1 {
                log.facts.id = "same-1".into();
                log.client_id = true;
            }
            calls.push(LogCall { project, logs: vec![log], idempotency, received_at: START });
        }
        let writes = calls.into_iter().map(|call| app.server.writer.write(call));
        let results = futures::future::join_all(writes).await;
        let (mut first, mut reused) = (None, 0);
        for (round, result) in results.into_iter().enumerate() {
            match (round % 3, result) {
                (0, result) => assert_eq!(result.unwrap().accepted, 1),
                (1, result) => {
                    let written = result.unwrap();
                    assert_eq!(*first.get_or_insert(written.clone()), written, "the first answer again");
                }
                (_, Err(WriteError::KeyReused)) => reused += 1,
                (_, other) => panic!("{other:?}"),
            }
        }
        assert_eq!(reused, 20);
        assert_eq!(first.unwrap(), Written { accepted: 1, duplicates: 0, ids: vec!["same-1".into()] });
        let day = 24 * 3_600_000;
        let call = LogCall { project, logs: vec![dice.log(START)], idempotency: key(2), received_at: START + day + 1 };
        assert_eq!(app.server.writer.write(call).await.unwrap().accepted, 1, "a key is forgotten after a day");
    }

    async fn a_full_queue_refuses_and_says_when_to_come_back(app: TestApp) {
        let dice = Dice(Random::seeded(18));
        let project = app.add_project("shop").await.key;
        let writer = LogWriter::start(app.db().clone(), WriterOptions { queue_bytes: 1 });
        // The first one takes its time, so that it is still there when the others come.
        let first = (0..1_000).map(|_| dice.log(START)).collect();
        let calls = std::iter::once(first).chain((0..20).map(|_| vec![dice.log(START)]));
        let writes: Vec<_> = calls.map(|logs| writer.write(call(project, logs))).collect();
        let results = futures::future::join_all(writes).await;
        assert!(results[0].is_ok(), "one call always fits");
        assert!(results[1..].iter().all(|result| matches!(result, Err(WriteError::Full { retry_after_s: 1.. }))));
        assert_eq!(writer.waiting_bytes(), 0);
        assert_eq!(writer.write(call(project, Vec::new())).await.unwrap().accepted, 0);
        writer.stop().await;
        assert!(matches!(writer.write(call(project, vec![dice.log(START)])).await, Err(WriteError::Stopping)));
    }

    async fn small_blocks_are_merged_behind_everyones_back(app: TestApp) {
        const BLOCKS: &str = "SELECT COUNT(*) FROM log_blocks";
        let dice = Dice(Random::seeded(21));
        let project = app.add_project("shop").await.key;
        let month = 31 * 24 * 3_600_000;
        let logs: Vec<NewLog> = (0..300).map(|place| dice.log(START + (place % 2) * month + place * 1_000)).collect();
        for log in &logs {
            app.server.writer.write(call(project, vec![log.clone()])).await.unwrap();
        }
        let compacted = app.server.writer.compact().await.unwrap();
        assert_eq!((compacted.merged, compacted.made), (300, 6), "two months of 150 logs, 64 a block");
        assert_eq!(app.server.writer.compact().await.unwrap().merged, 0, "what is left is too little");
        let blocks: i64 = match app.db() {
            Db::Sqlite { read, .. } => sqlx::query_scalar(BLOCKS).fetch_one(read).await.unwrap(),
            Db::Postgres(pool) => sqlx::query_scalar(BLOCKS).fetch_one(pool).await.unwrap(),
        };
        assert_eq!(blocks, 6);
        for log in &logs {
            let found = one::find(app.db(), project, &log.facts.id).await.unwrap().unwrap();
            assert_eq!(found.text.as_ref(), Some(&log.text));
        }
        let mut selection = LogSelection::all(TimeRange { from: 0, to: i64::MAX });
        selection.origins = vec![Origin::Application, Origin::Own];
        selection.text.anywhere = Some("/V1/CUST".into());
        let found = walk(app.db(), project, &selection, Order::OldestFirst, 50, LONG).await;
        assert_eq!(found.len(), logs.iter().filter(|log| is_meant(log, &selection)).count());
    }

    async fn grouped_signatures_find_the_same(app: TestApp) {
        let dice = Dice(Random::seeded(22));
        let project = app.add_project("shop").await.key;
        let short = |dice: &Dice, place: i64| {
            let mut log = short(dice, START + place / 3 * 1_000);
            // Blocks, and groups of them, are of one origin each.
            log.facts.origin = if place % 10 == 0 { Origin::Own } else { Origin::Application };
            log
        };
        let mut logs: Vec<NewLog> = (0..5_120).map(|place| short(&dice, place)).collect();
        let (most, late) = logs.split_at(5_000);
        app.server.writer.write(call(project, most.to_vec())).await.unwrap();
        app.server.writer.write(call(project, late.to_vec())).await.unwrap();
        let compacted = app.server.writer.compact().await.unwrap();
        assert_eq!(compacted.grouped, 64, "one group, and the rest by themselves");
        assert_eq!(app.server.writer.compact().await.unwrap().grouped, 0);
        logs.sort_by(|a, b| (a.facts.created_at, &a.facts.id).cmp(&(b.facts.created_at, &b.facts.id)));
        let mut hits = 0;
        for round in 0..60 {
            let log = &logs[dice.below(logs.len())];
            let mut selection = LogSelection::all(TimeRange { from: 0, to: i64::MAX });
            selection.origins = vec![Origin::Application, Origin::Own];
            selection.text.anywhere = Some(match round % 4 {
                0 => log.facts.id.clone(),
                3 => dice.needle(&header_lines(&log.text.request)),
                1 => dice.needle(&log.text.url),
                _ => dice.needle(&String::from_utf8_lossy(&log.text.request.body)),
            });
            let order = [Order::NewestFirst, Order::OldestFirst][dice.below(2)];
            let mut wanted: Vec<&NewLog> = logs.iter().filter(|log| says(log, &selection)).collect();
            if order == Order::NewestFirst {
                wanted.reverse();
            }
            let wanted: Vec<&String> = wanted.into_iter().take(100).map(|log| &log.facts.id).collect();
            hits += wanted.len();
            let request = ListRequest { project, selection: &selection, order, place: Place::Start, limit: 100, budget: LONG };
            let page = list::page(app.db(), request).await.unwrap();
            assert_eq!(page.rows.iter().map(|facts| &facts.id).collect::<Vec<_>>(), wanted, "round {round}: {order:?} {selection:?}");
        }
        assert!(hits > 500, "the needles are somewhere: {hits}");
    }

    async fn what_months_leave_over_keeps_nothing_from_being_grouped(app: TestApp) {
        let dice = Dice(Random::seeded(23));
        let project = app.add_project("shop").await.key;
        // Three months whose blocks fill no group, and one with enough for one.
        for (month, blocks) in [(0, 60), (1, 60), (2, 60), (3, 100)] {
            let from = START + month * 31 * 24 * 3_600_000;
            let alike = |place: i64| {
                let mut log = short(&dice, from + place * 1_000);
                // As wide as any other's: signatures of another width are of another group.
                log.text.request.headers.clear();
                log
            };
            let logs = (0..blocks * 64).map(alike).collect();
            app.server.writer.write(call(project, logs)).await.unwrap();
        }
        assert_eq!(app.server.writer.compact().await.unwrap().grouped, 64);
        assert_eq!(app.server.writer.compact().await.unwrap().grouped, 0);
    }

    async fn an_import_file_is_kept_beside_its_log(app: TestApp) {
        let dice = Dice(Random::seeded(19));
        let project = app.add_project("shop").await.key;
        let id = write_random(app, project, &dice, 1).await[0].facts.id.clone();
        let file = ImportFile { name: "vouchers.csv".into(), bytes: 12 };
        assert_eq!(one::put_import_file(app.db(), project, "nothing", &file, (b"sealed", &[0; 32]), 0).await.unwrap(), Put::NoLog);
        assert_eq!(one::put_import_file(app.db(), project, &id, &file, (b"sealed", &[0; 32]), 0).await.unwrap(), Put::Kept);
        assert_eq!(one::put_import_file(app.db(), project, &id, &file, (b"another", &[1; 32]), 0).await.unwrap(), Put::Taken);
        assert_eq!(one::import_file(app.db(), project, &id).await.unwrap(), Some((file.clone(), b"sealed".to_vec())));
        assert_eq!(one::find(app.db(), project, &id).await.unwrap().unwrap().import_file, Some(file));
    }

    async fn a_block_that_changed_on_disk_is_not_believed(app: TestApp) {
        const CHANGE: &str = "UPDATE log_blocks SET sha256 = content";
        let dice = Dice(Random::seeded(20));
        let project = app.add_project("shop").await.key;
        let id = write_random(app, project, &dice, 1).await[0].facts.id.clone();
        match app.db() {
            Db::Sqlite { write, .. } => drop(sqlx::query(CHANGE).execute(write).await.unwrap()),
            Db::Postgres(pool) => drop(sqlx::query(CHANGE).execute(pool).await.unwrap()),
        }
        let problem = one::find(app.db(), project, &id).await.unwrap_err().to_string();
        assert!(problem.contains("broken"), "{problem}");
    }
}

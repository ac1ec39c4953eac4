//! What has passed its retention goes to the millisecond, with all that hangs on it, in steps that may be broken off at any moment; what stays is as a plain
//! scan over it says.

use std::collections::HashMap;

use audit_log::model::filter::LogFilter;
use audit_log::model::log::{BodyKind, ImportFile, Message, NewLog, Note, Origin, Status};
use audit_log::model::page::Total;
use audit_log::model::query::Order;
use audit_log::model::retention::{Choice, Cut, Cuts, DAY_MS, Kept, Purged};
use audit_log::model::selection::{LogSelection, TimeRange};
use audit_log::server::clock::Random;
use audit_log::server::store::logs::purge::{self, FIRST_BLOCK, Purge, first_row};
use audit_log::server::store::logs::{counts, offered, one};
use audit_log::server::store::projects::ProjectKey;
use audit_log::server::store::{Db, retention as stored};

use crate::logs::{LONG, START, call, walk, write_random};
use crate::plain_scan::*;
use crate::support::TestApp;

const MINUTE: i64 = 60_000;
const BOTH: [Origin; 2] = [Origin::Application, Origin::Own];

pub fn at(logs: i64, bodies: i64) -> Cuts {
    let cut = Cut { logs, bodies };
    Cuts {
        application: cut,
        own: cut,
    }
}

pub fn purge_of(app: &TestApp, project: ProjectKey, cuts: Cuts) -> Purge {
    Purge {
        db: app.db().clone(),
        project,
        cuts,
        at: app.server.clock.now_ms(),
    }
}

/// A whole purge in steps of this size; gives its numbers.
pub async fn purge_all(purge: &Purge, size: usize) -> Purged {
    let mut sum = Purged::default();
    let mut place = Some(FIRST_BLOCK);
    while let Some(from) = place {
        let step = purge::some_blocks(purge, from, size, None).await.unwrap().unwrap();
        assert_eq!(step.passed_over, 0);
        sum.add(&step.purged);
        place = step.next;
    }
    let mut place = Some(first_row(Origin::Application));
    while let Some(from) = place {
        let step = purge::some_rows(purge, &from, size, None).await.unwrap().unwrap();
        sum.add(&step.purged);
        place = step.next;
    }
    let mut place = Some(FIRST_BLOCK);
    while let Some(from) = place {
        let step = purge::some_groups(purge, from, None).await.unwrap().unwrap();
        sum.add(&step.purged);
        place = step.next;
    }
    sum
}

/// Everything that is the same whichever way one looks: lists, totals, charts, choices, single logs and their texts.
async fn is_as_a_plain_scan_says(app: &TestApp, project: ProjectKey, logs: &[NewLog], cuts: Cuts, dice: &Dice) {
    let kept: Vec<&NewLog> = logs
        .iter()
        .filter(|log| log.facts.created_at >= cuts.of(log.facts.origin).logs)
        .collect();
    let is_silent = |log: &NewLog| log.facts.created_at < cuts.of(log.facts.origin).bodies;
    for round in 0..80 {
        let mut selection = dice.selection(logs);
        if round == 0 {
            selection = LogSelection {
                origins: BOTH.to_vec(),
                ..LogSelection::all(TimeRange { from: 0, to: i64::MAX })
            };
        }
        let meant = |log: &&&NewLog| is_meant(log, &selection) && (selection.text.is_empty() || !is_silent(log));
        let mut wanted: Vec<&NewLog> = kept.iter().filter(meant).copied().collect();
        let order = [Order::NewestFirst, Order::OldestFirst][dice.below(2)];
        if order == Order::NewestFirst {
            wanted.reverse();
        }
        let ids: Vec<&str> = wanted.iter().map(|log| log.facts.id.as_str()).collect();
        let found = walk(app.db(), project, &selection, order, 1 + dice.below(60), LONG).await;
        assert_eq!(found, ids, "round {round}: {order:?} {selection:?}");
        if selection.text.is_empty() {
            are_counted(app, project, &selection, &wanted).await;
        }
    }
    for log in logs {
        let found = one::find(app.db(), project, &log.facts.id).await.unwrap();
        let Some(found) = found else {
            assert!(
                log.facts.created_at < cuts.of(log.facts.origin).logs,
                "{:?} is gone",
                log.facts
            );
            continue;
        };
        assert!(
            log.facts.created_at >= cuts.of(log.facts.origin).logs,
            "{:?} is there",
            log.facts
        );
        assert_eq!(found.text.as_ref(), Some(&log.text).filter(|_| !is_silent(log)));
        assert_eq!(found.facts.notes.contains(&Note::Expired), is_silent(log));
        assert_eq!(found.facts.request_bytes, log.facts.request_bytes, "its facts stay");
    }
}

/// Totals and bars of what is wanted, by every unit that is counted.
pub async fn are_counted(app: &TestApp, project: ProjectKey, selection: &LogSelection, wanted: &[&NewLog]) {
    let failures = wanted.iter().filter(|log| log.facts.status == Status::Failure).count() as u64;
    let total = counts::total(app.db(), project, selection, 100_000).await.unwrap();
    assert_eq!(
        total,
        (Total::Exact(wanted.len() as u64 - failures), Total::Exact(failures)),
        "{selection:?}"
    );
    for step in [1, 5, 15, 30, 60, 1_440, 4_320, 10_080].map(|minutes| minutes * MINUTE) {
        let histogram = counts::histogram(app.db(), project, selection, step, 100_000).await.unwrap();
        assert!(histogram.whole);
        let mut bars: HashMap<i64, u64> = HashMap::new();
        for log in wanted {
            *bars.entry(log.facts.created_at.div_euclid(step) * step).or_default() += 1;
        }
        let shown: HashMap<i64, u64> = histogram
            .bars
            .iter()
            .map(|bar| (bar.from, bar.success + bar.failure))
            .collect();
        assert_eq!(shown, bars, "no bar of nothing either: {selection:?}");
    }
}

/// The choices of a whole range, from the counts of hours.
async fn choices_are_counted(app: &TestApp, project: ProjectKey, kept: &[&NewLog]) {
    let range = TimeRange {
        from: START - 10 * 60 * MINUTE,
        to: START + 40 * 60 * MINUTE,
    };
    for (field, value) in [
        (
            LogFilter::Method,
            (|log| Some(log.facts.method.clone())) as fn(&NewLog) -> Option<String>,
        ),
        (LogFilter::Channel, |log| log.facts.channel.clone()),
        (LogFilter::Code, |log| {
            Some(
                log.facts
                    .status_code
                    .map_or_else(|| "none".to_owned(), |code| code.to_string()),
            )
        }),
        (LogFilter::Endpoint, |log| Some(log.facts.endpoint.clone())),
    ] {
        let mut wanted: HashMap<String, u64> = HashMap::new();
        for value in kept.iter().filter_map(|log| value(log)) {
            *wanted.entry(value).or_default() += 1;
        }
        let offered = offered::offered(app.db(), project, field, range, &BOTH, 1_000).await.unwrap();
        assert_eq!(offered.values.into_iter().collect::<HashMap<_, _>>(), wanted, "{field:?}");
    }
}

async fn number(app: &TestApp, sql: &'static str, project: ProjectKey) -> i64 {
    match app.db() {
        Db::Sqlite { read, .. } => sqlx::query_scalar(sql).bind(project).fetch_one(read).await.unwrap(),
        Db::Postgres(pool) => sqlx::query_scalar(sql).bind(project).fetch_one(pool).await.unwrap(),
    }
}

async fn change(app: &TestApp, sql: &'static str, project: ProjectKey) {
    match app.db() {
        Db::Sqlite { write, .. } => drop(sqlx::query(sql).bind(project).execute(write).await.unwrap()),
        Db::Postgres(pool) => drop(sqlx::query(sql).bind(project).execute(pool).await.unwrap()),
    }
}

/// Makes blocks, signatures and groups as they were before origins were told apart, and merges the small ones: these hold both then.
pub async fn forget_origins(app: &TestApp, project: ProjectKey) {
    for sql in [
        "UPDATE log_blocks SET origin = NULL WHERE project_id = $1",
        "UPDATE log_signatures SET origin = NULL WHERE project_id = $1",
        "UPDATE log_groups SET origin = NULL WHERE project_id = $1",
    ] {
        change(app, sql, project).await;
    }
    app.server.writer.compact().await.unwrap();
}

/// Random logs over two hours, and some at the very edges.
async fn write_around(app: &TestApp, project: ProjectKey, dice: &Dice, edges: &[i64]) -> Vec<NewLog> {
    let mut logs = write_random(app, project, dice, 400).await;
    let close: Vec<NewLog> = edges
        .iter()
        .flat_map(|edge| [edge - 1, *edge, edge + 1])
        .flat_map(|time| (0..4).map(move |_| time))
        .map(|time| dice.log(time))
        .collect();
    app.server.writer.write(call(project, close.clone())).await.unwrap();
    logs.extend(close);
    logs.sort_by(|a, b| (a.facts.created_at, &a.facts.id).cmp(&(b.facts.created_at, &b.facts.id)));
    logs
}

/// Logs of one shape, a second apart, so that their signatures come into groups.
fn alike(count: usize) -> Vec<NewLog> {
    let dice = Dice(Random::seeded(7));
    let log = |number: usize| {
        let mut log = dice.log(START + number as i64 * 1_000);
        log.facts.id = format!("alike-{number:05}");
        log.client_id = true;
        let body = format!("the needle of {number:05} is here").into_bytes();
        log.text.url = format!("/v1/alike/{number:05}");
        log.text.request = Message {
            kind: BodyKind::Text,
            body,
            ..Message::default()
        };
        log.text.response = Message::default();
        log
    };
    (0..count).map(log).collect()
}

for_each_db! {
    async fn what_is_older_goes_to_the_millisecond_and_the_rest_stays(app: TestApp) {
        let dice = Dice(Random::seeded(41));
        let project = app.add_project("shop").await.key;
        let other = app.add_project("other").await.key;
        let (edge, body_edge) = (START + 45 * MINUTE + 123, START + 80 * MINUTE + 457);
        let others = write_random(app, other, &dice, 150).await;
        let logs = write_around(app, project, &dice, &[edge, body_edge]).await;
        app.server.writer.compact().await.unwrap();
        let cuts = at(edge, body_edge);
        let purge = purge_of(app, project, cuts);
        assert!(purge::is_due(&purge).await.unwrap());
        let purged = purge_all(&purge, 3).await;
        let older = logs.iter().filter(|log| log.facts.created_at < edge).count() as u64;
        let silent = logs.iter().filter(|log| (edge..body_edge).contains(&log.facts.created_at)).count() as u64;
        assert!(older > 100 && silent > 50, "{older} {silent}");
        assert_eq!((purged.logs, purged.bodies), (older, silent));
        assert!(purged.blocks > 0 && purged.bytes_about > 0 && purged.from < purged.to, "{purged:?}");
        is_as_a_plain_scan_says(app, project, &logs, cuts, &dice).await;
        let kept: Vec<&NewLog> = logs.iter().filter(|log| log.facts.created_at >= edge).collect();
        choices_are_counted(app, project, &kept).await;
        is_as_a_plain_scan_says(app, other, &others, at(i64::MIN, i64::MIN), &dice).await;

        assert!(purge::oldest_text(app.db(), project, Origin::Application).await.unwrap() >= Some(body_edge), "no block holds what has expired");
        let signed = number(app, "SELECT COUNT(*) FROM log_signatures WHERE project_id = $1", project).await;
        let blocks = number(app, "SELECT COUNT(*) FROM log_blocks WHERE project_id = $1", project).await;
        assert_eq!(signed, blocks);
        assert!(!purge::is_due(&purge).await.unwrap());
        assert_eq!(purge_all(&purge, 100).await, Purged::default(), "once is enough");
        app.server.writer.compact().await.unwrap();
        is_as_a_plain_scan_says(app, project, &logs, cuts, &dice).await;

        let late = at(START + 90 * MINUTE, START + 90 * MINUTE);
        let purged = purge_all(&purge_of(app, project, late), 50).await;
        assert!(purged.logs > silent, "those whose bodies went before go with the others: {purged:?}");
        is_as_a_plain_scan_says(app, project, &logs, late, &dice).await;
        let everything = at(i64::MAX, i64::MAX);
        purge_all(&purge_of(app, project, everything), 1_000).await;
        for table in [
            "SELECT COUNT(*) FROM logs WHERE project_id = $1",
            "SELECT COUNT(*) FROM log_ids WHERE project_id = $1",
            "SELECT COUNT(*) FROM log_blocks WHERE project_id = $1",
            "SELECT COUNT(*) FROM log_signatures WHERE project_id = $1",
            "SELECT COUNT(*) FROM log_minutes WHERE project_id = $1",
            "SELECT COUNT(*) FROM log_quarters WHERE project_id = $1",
            "SELECT COUNT(*) FROM log_value_hours WHERE project_id = $1",
            "SELECT COUNT(*) FROM log_value_days WHERE project_id = $1",
            "SELECT COUNT(*) FROM log_value_weeks WHERE project_id = $1",
        ] {
            assert_eq!(number(app, table, project).await, 0, "{table}");
            assert!(number(app, table, other).await > 0, "{table}");
        }
    }

    async fn a_purge_that_is_broken_off_leaves_everything_in_step(app: TestApp) {
        let dice = Dice(Random::seeded(42));
        let project = app.add_project("shop").await.key;
        let (edge, body_edge) = (START + 60 * MINUTE + 1, START + 100 * MINUTE + 1);
        let logs = write_around(app, project, &dice, &[edge, body_edge]).await;
        app.server.writer.compact().await.unwrap();
        let purge = purge_of(app, project, at(edge, body_edge));
        let everything = LogSelection { origins: BOTH.to_vec(), ..LogSelection::all(TimeRange { from: 0, to: i64::MAX }) };
        let mut steps = 0;
        loop {
            // Each time as if begun anew: nothing is remembered of the step before.
            let step = purge::some_blocks(&purge, FIRST_BLOCK, 1, None).await.unwrap().unwrap();
            if step.purged.is_nothing() {
                break;
            }
            steps += 1;
            let there = walk(app.db(), project, &everything, Order::OldestFirst, 500, LONG).await;
            let (success, failure) = counts::total(app.db(), project, &everything, 1).await.unwrap();
            let (Total::Exact(success), Total::Exact(failure)) = (success, failure) else { panic!("counted") };
            assert_eq!(there.len() as u64, success + failure, "after {steps} steps");
            let with_text = number(app, "SELECT COUNT(*) FROM logs WHERE project_id = $1 AND block_id IS NOT NULL", project).await;
            let in_blocks = number(app, "SELECT CAST(COALESCE(SUM(count), 0) AS BIGINT) FROM log_blocks WHERE project_id = $1", project).await;
            assert_eq!(with_text, in_blocks, "no text without its log: after {steps} steps");
            if steps % 5 == 0 {
                app.server.writer.compact().await.unwrap();
            }
        }
        assert!(steps > 5, "{steps}");
        purge_all(&purge, 7).await;
        is_as_a_plain_scan_says(app, project, &logs, purge.cuts, &dice).await;
    }

    async fn each_origin_has_its_own_edge(app: TestApp) {
        let dice = Dice(Random::seeded(43));
        let project = app.add_project("shop").await.key;
        let logs = write_around(app, project, &dice, &[START + 60 * MINUTE]).await;
        app.server.writer.compact().await.unwrap();
        let cut = |minutes: i64, bodies: i64| Cut { logs: START + minutes * MINUTE, bodies: START + bodies * MINUTE };
        let cuts = Cuts { application: cut(60, 90), own: cut(20, 20) };
        purge_all(&purge_of(app, project, cuts), 4).await;
        is_as_a_plain_scan_says(app, project, &logs, cuts, &dice).await;
        let kept: Vec<&NewLog> = logs.iter().filter(|log| log.facts.created_at >= cuts.of(log.facts.origin).logs).collect();
        choices_are_counted(app, project, &kept).await;
        assert_eq!(purge_all(&purge_of(app, project, cuts), 4).await, Purged::default());
        assert!(!purge::is_due(&purge_of(app, project, cuts)).await.unwrap(), "what is kept for longer is not due");
    }

    async fn own_logs_are_kept_for_a_year_to_the_millisecond_whatever_was_chosen(app: TestApp) {
        let dice = Dice(Random::seeded(47));
        let project = app.add_project("shop").await.key;
        let now = START + 400 * DAY_MS;
        let logs_at = |times: [i64; 3]| times.into_iter().flat_map(|edge| [edge - 1, edge, edge + 1]);
        let mut logs: Vec<NewLog> = logs_at([now - 366 * DAY_MS, now - 7 * DAY_MS, now - 3 * DAY_MS])
            .flat_map(|time| (0..12).map(move |_| time))
            .map(|time| dice.log(time))
            .collect();
        app.server.writer.write(call(project, logs.clone())).await.unwrap();
        app.server.writer.compact().await.unwrap();
        logs.sort_by(|a, b| (a.facts.created_at, &a.facts.id).cmp(&(b.facts.created_at, &b.facts.id)));
        let kept = Kept::of(Choice { logs_days: Some(7), bodies_days: Some(3) }, 183);
        let purge = purge_of(app, project, kept.cuts(now));
        assert!(purge::is_due(&purge).await.unwrap());
        purge_all(&purge, 5).await;
        is_as_a_plain_scan_says(app, project, &logs, purge.cuts, &dice).await;
        let own = |edge: i64| logs.iter().filter(|log| log.facts.origin == Origin::Own && log.facts.created_at >= edge).count() as i64;
        let left = number(app, "SELECT COUNT(*) FROM logs WHERE project_id = $1 AND origin = 1 AND block_id IS NOT NULL", project).await;
        assert_eq!(left, own(now - 366 * DAY_MS));
        assert!(left < own(0) && left > own(now - 7 * DAY_MS), "{left}");
        assert!(!purge::is_due(&purge).await.unwrap());
        let later = purge_of(app, project, kept.cuts(now + 1));
        assert!(purge::is_due(&later).await.unwrap());
        purge_all(&later, 5).await;
        let left = number(app, "SELECT COUNT(*) FROM logs WHERE project_id = $1 AND origin = 1", project).await;
        assert_eq!(left, own(now - 366 * DAY_MS + 1));
    }

    async fn blocks_from_before_origins_were_told_apart_are_taken_apart(app: TestApp) {
        let dice = Dice(Random::seeded(45));
        let project = app.add_project("shop").await.key;
        let edge = START + 60 * MINUTE;
        let logs = write_around(app, project, &dice, &[edge]).await;
        forget_origins(app, project).await;
        let cut = |at: i64| Cut { logs: at, bodies: at };
        let cuts = Cuts { application: cut(edge), own: cut(i64::MIN) };
        let purge = purge_of(app, project, cuts);
        purge_all(&purge, 3).await;
        is_as_a_plain_scan_says(app, project, &logs, cuts, &dice).await;
        let of_both = "SELECT COUNT(*) FROM log_blocks AS b WHERE project_id = $1 AND origin IS NULL AND EXISTS
            (SELECT 1 FROM logs AS l WHERE l.project_id = b.project_id AND l.origin = 1 AND l.block_id = b.id)";
        assert!(number(app, of_both, project).await > 0, "what is later stays as it is");
        let mislaid = "SELECT COUNT(*) FROM logs AS l JOIN log_blocks AS b ON b.project_id = l.project_id AND b.id = l.block_id
            WHERE l.project_id = $1 AND b.origin <> l.origin";
        assert_eq!(number(app, mislaid, project).await, 0);
        assert!(!purge::is_due(&purge).await.unwrap(), "nothing is found due every day");
        assert_eq!(purge_all(&purge, 3).await, Purged::default());
        app.server.writer.compact().await.unwrap();
        is_as_a_plain_scan_says(app, project, &logs, cuts, &dice).await;
        assert_eq!(number(app, mislaid, project).await, 0, "merging keeps them apart");
    }

    async fn clients_may_use_an_id_again_once_its_log_is_gone(app: TestApp) {
        let project = app.add_project("shop").await.key;
        let logs = alike(30);
        app.server.writer.write(call(project, logs.clone())).await.unwrap();
        let file = ImportFile { name: "vouchers.csv".into(), bytes: 6 };
        for log in &logs {
            one::put_import_file(app.db(), project, &log.facts.id, &file, (b"sealed", &[0; 32]), 0).await.unwrap();
        }
        let (edge, body_edge) = (START + 10_000, START + 20_000);
        let purged = purge_all(&purge_of(app, project, at(edge, body_edge)), 4).await;
        assert_eq!((purged.logs, purged.bodies, purged.originals), (10, 10, 20), "an original goes with the bodies");
        for (place, log) in logs.iter().enumerate() {
            let kept = one::import_file(app.db(), project, &log.facts.id).await.unwrap();
            assert_eq!(kept.is_some(), place >= 20);
        }
        let again: Vec<NewLog> = logs.iter().cloned().map(|mut log| {
            log.facts.created_at = START + 60 * MINUTE;
            log
        }).collect();
        let written = app.server.writer.write(call(project, again)).await.unwrap();
        assert_eq!((written.accepted, written.duplicates), (10, 20), "a log without its bodies keeps its id");
        let found = one::find(app.db(), project, "alike-00003").await.unwrap().unwrap();
        assert_eq!(found.facts.created_at, START + 60 * MINUTE);
    }

    async fn signatures_of_what_is_gone_go_out_of_their_groups(app: TestApp) {
        let project = app.add_project("shop").await.key;
        let logs = alike(64 * 140);
        app.server.writer.write(call(project, logs.clone())).await.unwrap();
        while app.server.writer.compact().await.unwrap().is_behind() {}
        let groups = number(app, "SELECT COUNT(*) FROM log_groups WHERE project_id = $1", project).await;
        assert!(groups >= 1, "the month may end in between, but not everywhere");
        // In the middle of a block, in the middle of a group.
        let edge = START + (64 * 20 + 30) * 1_000;
        let cuts = at(edge, edge);
        purge_all(&purge_of(app, project, cuts), 16).await;
        let whole = number(app, "SELECT COUNT(*) FROM log_groups WHERE project_id = $1", project).await;
        let singles = number(app, "SELECT COUNT(*) FROM log_signatures WHERE project_id = $1", project).await;
        let blocks = number(app, "SELECT COUNT(*) FROM log_blocks WHERE project_id = $1", project).await;
        assert_eq!(whole, groups - 1);
        assert_eq!(singles + whole * 64, blocks, "each block is signed once");
        let slices = number(app, "SELECT COUNT(*) FROM log_slices AS s WHERE s.project_id = $1 AND NOT EXISTS
            (SELECT 1 FROM log_groups AS g WHERE g.project_id = s.project_id AND g.id = s.group_id)", project).await;
        assert_eq!(slices, 0);
        let stays = |number: usize| START + number as i64 * 1_000 >= edge;
        for number in [0, 3, 64 * 20 + 29, 64 * 20 + 30, 64 * 20 + 31, 64 * 63, 64 * 64 - 1, 64 * 64, 64 * 140 - 1] {
            let mut selection = LogSelection { origins: BOTH.to_vec(), ..LogSelection::all(TimeRange { from: 0, to: i64::MAX }) };
            selection.text.anywhere = Some(format!("Needle of {number:05} IS"));
            let found = walk(app.db(), project, &selection, Order::NewestFirst, 10, LONG).await;
            let wanted: Vec<String> = stays(number).then(|| format!("alike-{number:05}")).into_iter().collect();
            assert_eq!(found, wanted);
        }
        purge_all(&purge_of(app, project, at(i64::MAX, i64::MAX)), 64).await;
        for table in ["SELECT COUNT(*) FROM log_groups WHERE project_id = $1", "SELECT COUNT(*) FROM log_slices WHERE project_id = $1"] {
            assert_eq!(number(app, table, project).await, 0);
        }
    }

    async fn many_logs_of_one_millisecond_go_in_steps(app: TestApp) {
        let project = app.add_project("shop").await.key;
        let logs: Vec<NewLog> = alike(1_000).into_iter().map(|mut log| {
            log.facts.created_at = START;
            log
        }).collect();
        app.server.writer.write(call(project, logs)).await.unwrap();
        assert_eq!(purge_all(&purge_of(app, project, at(START, START)), 2).await, Purged::default(), "of this very millisecond they stay");
        let silenced = purge_all(&purge_of(app, project, at(START, START + 1)), 2).await;
        assert_eq!((silenced.logs, silenced.bodies), (0, 1_000));
        let purged = purge_all(&purge_of(app, project, at(START + 1, START + 1)), 70).await;
        assert_eq!((purged.logs, purged.bodies), (1_000, 0));
    }

    async fn a_block_that_does_not_open_goes_in_its_time(app: TestApp) {
        const BREAK: &str = "UPDATE log_blocks SET sha256 = content WHERE project_id = $1";
        let project = app.add_project("shop").await.key;
        app.server.writer.write(call(project, alike(64))).await.unwrap();
        match app.db() {
            Db::Sqlite { write, .. } => drop(sqlx::query(BREAK).bind(project).execute(write).await.unwrap()),
            Db::Postgres(pool) => drop(sqlx::query(BREAK).bind(project).execute(pool).await.unwrap()),
        }
        let edge = START + 10_000;
        let step = purge::some_blocks(&purge_of(app, project, at(edge, edge)), FIRST_BLOCK, 10, None).await.unwrap().unwrap();
        assert_eq!((step.purged.logs, step.passed_over), (0, 2), "each origin has its own; on the edge nobody knows what is in it");
        let purged = purge_all(&purge_of(app, project, at(START + 64_000, START + 64_000)), 10).await;
        assert_eq!((purged.logs, purged.blocks), (64, 2));
    }

    async fn a_log_whose_block_is_lost_goes_in_its_time(app: TestApp) {
        const LOSE: &str = "DELETE FROM log_blocks WHERE project_id = $1";
        let project = app.add_project("shop").await.key;
        app.server.writer.write(call(project, alike(64))).await.unwrap();
        match app.db() {
            Db::Sqlite { write, .. } => drop(sqlx::query(LOSE).bind(project).execute(write).await.unwrap()),
            Db::Postgres(pool) => drop(sqlx::query(LOSE).bind(project).execute(pool).await.unwrap()),
        }
        let purge = purge_of(app, project, at(START + 10_000, START + 10_000));
        assert_eq!(purge_all(&purge, 3).await.logs, 10);
        assert!(!purge::is_due(&purge).await.unwrap());
    }

    async fn what_was_chosen_is_kept(app: TestApp) {
        let project = app.add_project("shop").await.key;
        let other = app.add_project("other").await.key;
        let choice = Choice { logs_days: Some(30), bodies_days: Some(7) };
        assert_eq!(stored::find(app.db(), project).await.unwrap(), Choice::default());
        assert_eq!(stored::set(app.db(), project, choice, 0).await.unwrap(), Choice::default());
        assert_eq!(stored::set(app.db(), project, Choice::default(), 0).await.unwrap(), choice);
        stored::set(app.db(), project, choice, 0).await.unwrap();
        assert_eq!(stored::find(app.db(), project).await.unwrap(), choice);
        assert_eq!(stored::find(app.db(), other).await.unwrap(), Choice::default());
        let now = app.server.clock.now_ms();
        let due = stored::due(app.db(), now).await.unwrap();
        assert_eq!(due.iter().map(|due| due.project).collect::<Vec<_>>(), [project, other]);
        assert!(!stored::turn(app.db(), &due[0], now + DAY_MS, None, now).await.unwrap());
        assert_eq!(stored::due(app.db(), now).await.unwrap().len(), 1);
        assert_eq!(stored::next_at(app.db(), project).await.unwrap(), Some(now + DAY_MS));
        assert_eq!(stored::find(app.db(), project).await.unwrap(), choice);
    }
}

//! Purges as people meet them: chosen, asked for, made once a day, told as tasks; months dropped, files expired, and who may do what.

use std::time::Duration;

use audit_log::model::log::{NewLog, Origin};
use audit_log::model::query::Order;
use audit_log::model::retention::{Choice, DAY_MS, HALF_YEAR, Kept, PurgeResult, Purged};
use audit_log::model::rights::{Role, Scope};
use audit_log::model::selection::{LogSelection, TimeRange};
use audit_log::model::task::{TaskStatus, kinds};
use audit_log::server::access::issue::IssuedKey;
use audit_log::server::clock::Random;
use audit_log::server::config::Config;
use audit_log::server::jobs::retention::{Asker, begin, round};
use audit_log::server::retention;
use audit_log::server::store::logs::one;
use audit_log::server::store::logs::purge::{Account, FIRST_BLOCK, Purge, some_blocks};
use audit_log::server::store::projects::ProjectKey;
use audit_log::server::store::tasks::{self, Task};
use audit_log::server::store::{Db, jobs, retention as stored};
use reqwest::Method;
use serde_json::{Value, json};

use crate::exports_api::over;
use crate::logs::{LONG, call, walk};
use crate::plain_scan::Dice;
use crate::retention::forget_origins;
use crate::support::TestApp;

pub fn choice(logs_days: Option<u32>, bodies_days: Option<u32>) -> Choice {
    Choice { logs_days, bodies_days }
}

/// Random logs that an application sent, so many days old.
async fn write_old(app: &TestApp, project: ProjectKey, days: i64, count: usize) {
    drop(write_of(app, project, Origin::Application, days, count).await);
}

/// Random logs of an origin, so many days old.
async fn write_of(app: &TestApp, project: ProjectKey, origin: Origin, days: i64, count: usize) -> Vec<NewLog> {
    let dice = Dice(Random::seeded(
        days as u64 * 31 + count as u64 + 7 * project as u64 + 1_000 * origin.number() as u64,
    ));
    let at = app.server.clock.now_ms() - days * DAY_MS;
    let log = |place: i64| {
        let mut log = dice.log(at + place);
        log.facts.origin = origin;
        log
    };
    let logs: Vec<NewLog> = (0..count as i64).map(log).collect();
    app.server.writer.write(call(project, logs.clone())).await.unwrap();
    logs
}

/// How many logs of an origin a project has, by their rows and by the minute counts.
async fn count_of(app: &TestApp, project: ProjectKey, origin: Origin) -> (i64, i64) {
    const ROWS: &str = "SELECT COUNT(*) FROM logs WHERE project_id = $1 AND origin = $2";
    const MINUTES: &str = "SELECT CAST(COALESCE(SUM(count), 0) AS BIGINT) FROM log_minutes WHERE project_id = $1 AND origin = $2";
    let of = async |sql: &'static str| -> i64 {
        match app.db() {
            Db::Sqlite { read, .. } => {
                let number = sqlx::query_scalar(sql).bind(project).bind(origin.number());
                number.fetch_one(read).await.unwrap()
            }
            Db::Postgres(pool) => {
                let number = sqlx::query_scalar(sql).bind(project).bind(origin.number());
                number.fetch_one(pool).await.unwrap()
            }
        }
    };
    (of(ROWS).await, of(MINUTES).await)
}

/// What some logs say is there, word for word.
async fn say_the_same(app: &TestApp, project: ProjectKey, logs: &[NewLog]) {
    for log in logs {
        let found = one::find(app.db(), project, &log.facts.id).await.unwrap().unwrap();
        assert_eq!(found.text.as_ref(), Some(&log.text));
    }
}

async fn count(app: &TestApp, project: ProjectKey) -> u64 {
    retention::count_all(&app.server.db, project).await.unwrap()
}

/// A task once it is over, and its numbers.
pub async fn done(app: &TestApp, project: ProjectKey, id: &str) -> (Task, Purged) {
    for _ in 0..600 {
        let task = tasks::find(app.db(), project, id).await.unwrap().unwrap();
        if task.facts.status.is_over() {
            let result: PurgeResult = serde_json::from_str(task.result.as_deref().unwrap()).unwrap();
            assert_eq!(
                (task.facts.status, task.facts.kind.as_str()),
                (TaskStatus::Done, kinds::PURGE),
                "{result:?}"
            );
            return (task, result.purged);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the purge {id} never ended");
}

async fn purges(app: &TestApp, project: ProjectKey) -> Vec<Task> {
    tasks::latest(app.db(), project, kinds::PURGE, 100).await.unwrap()
}

pub async fn partitions(app: &TestApp) -> Option<i64> {
    let Db::Postgres(pool) = app.db() else { return None };
    let count = sqlx::query_scalar("SELECT COUNT(*) FROM pg_inherits WHERE inhparent = CAST('logs' AS REGCLASS)");
    Some(count.fetch_one(pool).await.unwrap())
}

/// Every partition of `logs` has as many indexes as the others: one that was put in another's place, too.
async fn is_indexed(app: &TestApp) {
    const COUNTS: &str = "SELECT DISTINCT (SELECT COUNT(*) FROM pg_index AS x JOIN pg_inherits AS y ON y.inhrelid = x.indexrelid
        WHERE x.indrelid = i.inhrelid AND x.indisvalid) FROM pg_inherits AS i WHERE i.inhparent = CAST('logs' AS REGCLASS)";
    let Db::Postgres(pool) = app.db() else { return };
    let counts: Vec<i64> = sqlx::query_scalar(COUNTS).fetch_all(pool).await.unwrap();
    assert!(counts.len() == 1 && counts[0] > 10, "{counts:?}");
}

fn old_log(app: &TestApp, before_ms: i64) -> Value {
    let at = app.server.clock.now_ms() - before_ms;
    json!({"created_at": at, "method": "GET", "url": "/v1/vouchers", "status_code": 200})
}

async fn send(app: &TestApp, key: &IssuedKey, log: &Value) -> (u16, String) {
    let answer = app.call(Method::POST, "/v1/logs", key).json(log).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

for_each_db! {
    with |config: &mut Config| config.retention_days = HALF_YEAR;
    async fn a_purge_is_made_once_a_day_where_there_is_something_to_delete(app: TestApp) {
        let (shop, quiet) = (app.add_project("shop").await.key, app.add_project("quiet").await.key);
        write_old(app, shop, 184, 100).await;
        write_old(app, shop, 181, 50).await;
        write_old(app, quiet, 181, 50).await;
        assert!(round(&app.server).await.unwrap().is_empty(), "a project that is new here has its first night before it");
        assert!(round(&app.server).await.unwrap().is_empty());
        app.pass(DAY_MS);
        let (one, other) = tokio::join!(round(&app.server), round(&app.server));
        let made = [one.unwrap(), other.unwrap()].concat();
        assert_eq!(made.len(), 1, "two that look at the same time make one: {made:?}");
        assert_eq!(purges(app, shop).await.len(), 1);
        assert!(round(&app.server).await.unwrap().is_empty(), "once a day");
        let workers = app.work();
        let (task, purged) = done(app, shop, &made[0]).await;
        assert_eq!((purged.logs, task.facts.by, task.facts.progress), (100, None, 100));
        assert!(task.parameters.unwrap().contains("\"logs_days\":183"));
        assert_eq!((count(app, shop).await, count(app, quiet).await), (50, 50));
        assert!(purges(app, quiet).await.is_empty(), "no task for nothing");
        app.pass(2 * DAY_MS);
        round(&app.server).await.unwrap();
        for task in purges(app, shop).await {
            done(app, shop, &task.facts.id).await;
        }
        assert_eq!(count(app, shop).await, 0, "what was 181 days old is 184 by now");
        workers.stop().await;
    }

    async fn fewer_days_delete_at_once_and_more_keep_the_rest(app: TestApp) {
        let project = app.add_project("shop").await.key;
        write_old(app, project, 100, 70).await;
        write_old(app, project, 20, 70).await;
        write_old(app, project, 1, 70).await;
        let asker = || Asker { by: Some("ann@example.com".to_owned()), ..Asker::default() };
        assert!(retention::set(&app.server, project, choice(Some(0), None), asker()).await.is_err());
        assert!(retention::set(&app.server, project, choice(Some(30), Some(31)), asker()).await.is_err());
        assert_eq!(retention::set(&app.server, project, choice(Some(365), None), asker()).await.unwrap().task, None);
        assert_eq!(retention::set(&app.server, project, choice(Some(120), None), asker()).await.unwrap().task, None, "nothing is that old");
        let kept = Kept::of(choice(Some(30), Some(7)), 183);
        let preview = retention::preview(app.db(), project, kept, app.server.clock.now_ms()).await.unwrap();
        assert_eq!((preview.logs, preview.bodies), (70, 70));
        let begun = retention::set(&app.server, project, choice(Some(30), Some(7)), asker()).await.unwrap().task.unwrap();
        assert_eq!(begin(&app.server, project, asker()).await.unwrap(), Some(begun.clone()), "the one that is on its way");
        let workers = app.work();
        let (task, purged) = done(app, project, &begun).await;
        assert_eq!((purged.logs, purged.bodies, task.facts.by.as_deref()), (70, 70, Some("ann@example.com")));
        assert_eq!(count(app, project).await, 140);
        assert_eq!(begin(&app.server, project, asker()).await.unwrap(), None, "there is nothing left to delete");
        workers.stop().await;
        let again = retention::set(&app.server, project, choice(Some(10), None), asker()).await.unwrap().task.unwrap();
        assert_eq!(retention::set(&app.server, project, choice(Some(90), None), asker()).await.unwrap().task, None);
        let workers = app.work();
        let (_, purged) = done(app, project, &again).await;
        assert_eq!(purged.logs, 0, "whoever chooses more days before it came to it keeps them");
        assert_eq!(count(app, project).await, 140);
        workers.stop().await;
    }

    async fn a_purge_goes_on_where_a_worker_left_it(app: TestApp) {
        let project = app.add_project("shop").await.key;
        write_old(app, project, 200, 300).await;
        let task = begin(&app.server, project, Asker::default()).await.unwrap().unwrap();
        // A worker that did a part, said so, and was never heard of again.
        let now = app.server.clock.now_ms();
        let job = jobs::claim(app.db(), "gone", now).await.unwrap().unwrap();
        let purge = Purge {
            db: app.db().clone(),
            project,
            cuts: retention::kept(&app.server, project).await.unwrap().cuts(now),
            at: now,
        };
        let so_far = Purged::default();
        let account = Account { job: &job, now_ms: now, so_far: &so_far };
        let step = some_blocks(&purge, FIRST_BLOCK, 2, Some(&account)).await.unwrap().unwrap();
        assert_eq!(step.purged.logs, 128);
        app.pass(jobs::LEASE_MS + 1);
        let workers = app.work();
        let (_, purged) = done(app, project, &task).await;
        assert_eq!(purged.logs, 300, "the numbers go on, too");
        let late = some_blocks(&purge, FIRST_BLOCK, 2, Some(&account)).await.unwrap();
        assert!(late.is_none(), "who was given up does nothing");
        workers.stop().await;
    }

    async fn a_purge_makes_way_for_other_work(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &crate::exports_api::ALL).await;
        write_old(app, project.key, 200, 20_000).await;
        // Whatever day it is: that month is not dropped as a whole, since another project keeps a log there.
        let other = app.add_project("long").await.key;
        retention::set(&app.server, other, choice(Some(365), None), Asker::default()).await.unwrap();
        write_old(app, other, 200, 1).await;
        let workers = audit_log::server::jobs::start(&app.server, 1);
        let purge = begin(&app.server, project.key, Asker::default()).await.unwrap().unwrap();
        let stands = async || tasks::find(app.db(), project.key, &purge).await.unwrap().unwrap();
        for _ in 0..600 {
            if stands().await.result.is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let export: Value = app.call(Method::POST, "/v1/exports", &key).json(&json!({"exported_object": "export"})).send().await.unwrap().json().await.unwrap();
        over(app, &key, export["id"].as_str().unwrap()).await;
        let task = stands().await;
        assert!(!task.facts.status.is_over(), "one job at a time, and this one was not the first: {task:?}");
        let so_far: PurgeResult = serde_json::from_str(task.result.as_deref().unwrap()).unwrap();
        assert!((1..20_000).contains(&so_far.done_count), "{so_far:?}");
        workers.stop().await;
    }

    async fn a_month_is_dropped_once_every_project_in_it_has_expired(app: TestApp) {
        let (short, long) = (app.add_project("short").await.key, app.add_project("long").await.key);
        write_old(app, short, 75, 90).await;
        write_old(app, long, 75, 40).await;
        write_old(app, short, 1, 10).await;
        write_old(app, long, 1, 10).await;
        let before = partitions(app).await;
        let workers = app.work();
        let set = async |project, days| {
            let task = retention::set(&app.server, project, choice(Some(days), None), Asker::default()).await.unwrap().task.unwrap();
            done(app, project, &task).await.1
        };
        let purged = set(short, 40).await;
        assert_eq!((purged.logs, purged.partitions), (90, 0), "another project keeps its logs there");
        assert_eq!((count(app, short).await, count(app, long).await, partitions(app).await), (10, 50, before));
        write_old(app, short, 75, 7).await;
        let purged = set(long, 40).await;
        assert_eq!(purged.logs, 40);
        assert_eq!(count(app, long).await, 10);
        if let Some(before) = before {
            assert_eq!((purged.partitions, partitions(app).await), (1, Some(before - 1)));
            assert_eq!(count(app, short).await, 10, "what had come late there went along");
            let told = purges(app, short).await;
            let (_, told) = done(app, short, &told[0].facts.id).await;
            assert_eq!((told.logs, told.partitions), (7, 1), "and its own task says so");
            let dice = Dice(Random::seeded(5));
            let again = call(short, vec![dice.log(app.server.clock.now_ms() - 75 * DAY_MS)]);
            assert_eq!(app.server.writer.write(again).await.unwrap().accepted, 1, "a month can come again");
        } else {
            assert_eq!(count(app, short).await, 17);
        }
        workers.stop().await;
    }

    async fn of_a_month_the_log_of_the_log_stays(app: TestApp) {
        let (shop, other) = (app.add_project("shop").await.key, app.add_project("other").await.key);
        write_old(app, shop, 75, 300).await;
        let own = write_of(app, shop, Origin::Own, 75, 150).await;
        write_old(app, other, 75, 90).await;
        let others = write_of(app, other, Origin::Own, 75, 20).await;
        write_old(app, other, 1, 5).await;
        forget_origins(app, other).await;
        let before = partitions(app).await;
        let workers = app.work();
        let set = async |project, days| {
            let task = retention::set(&app.server, project, choice(Some(days), Some(3)), Asker::default()).await.unwrap().task.unwrap();
            done(app, project, &task).await.1
        };
        assert_eq!(set(other, 40).await.logs, 90);
        write_old(app, other, 75, 8).await;
        let purged = set(shop, 40).await;
        assert_eq!((purged.logs, purged.partitions), (300, u64::from(before.is_some())));
        assert_eq!(partitions(app).await, before, "the month is there, with what stays");
        for (project, of) in [(shop, &own), (other, &others)] {
            assert_eq!(count_of(app, project, Origin::Own).await, (of.len() as i64, of.len() as i64));
            say_the_same(app, project, of).await;
            let selection = LogSelection { origins: vec![Origin::Own], ..LogSelection::all(TimeRange { from: 0, to: i64::MAX }) };
            let found = walk(app.db(), project, &selection, Order::OldestFirst, 33, LONG).await;
            assert_eq!(found.len(), of.len());
        }
        assert_eq!(count_of(app, shop, Origin::Application).await, (0, 0));
        if before.is_some() {
            assert_eq!(count_of(app, other, Origin::Application).await, (5, 5), "what had come late there went along");
            is_indexed(app).await;
        }
        assert_eq!(begin(&app.server, shop, Asker::default()).await.unwrap(), None, "what stays is not due, and is not written anew every day");
        app.server.writer.compact().await.unwrap();
        write_old(app, shop, 75, 6).await;
        let task = begin(&app.server, shop, Asker::default()).await.unwrap().unwrap();
        assert_eq!(done(app, shop, &task).await.1.logs, 6, "late ones go the same way again");
        say_the_same(app, shop, &own).await;
        app.pass((366 - 75) * DAY_MS + 60_000);
        for project in [shop, other] {
            if let Some(task) = begin(&app.server, project, Asker::default()).await.unwrap() {
                done(app, project, &task).await;
            }
            assert_eq!(count_of(app, project, Origin::Own).await, (0, 0));
        }
        if let Some(before) = before {
            assert!(partitions(app).await < Some(before), "by the end of the year the month is gone");
        }
        workers.stop().await;
    }

    async fn a_blocks_texts_go_with_its_origin_alone(app: TestApp) {
        let project = app.add_project("shop").await.key;
        write_old(app, project, 20, 70).await;
        let own = write_of(app, project, Origin::Own, 20, 70).await;
        let kept = Kept::of(choice(Some(10), Some(5)), 183);
        let preview = retention::preview(app.db(), project, kept, app.server.clock.now_ms()).await.unwrap();
        assert_eq!((preview.logs, preview.bodies), (70, 0), "own logs are not foretold to go");
        let workers = app.work();
        let task = retention::set(&app.server, project, choice(Some(30), Some(5)), Asker::default()).await.unwrap().task.unwrap();
        let (task, purged) = done(app, project, &task).await;
        assert_eq!((purged.logs, purged.bodies), (0, 70));
        assert!(task.parameters.unwrap().contains("\"own_days\":366"));
        say_the_same(app, project, &own).await;
        workers.stop().await;
    }

    async fn older_logs_than_the_project_keeps_are_refused(app: TestApp) {
        let project = app.add_project("shop").await;
        let other = app.add_project("other").await;
        let key = app.add_key(&project, &[Scope::LogsWrite]).await;
        let of_other = app.add_key(&other, &[Scope::LogsWrite]).await;
        assert_eq!(send(app, &key, &old_log(app, 182 * DAY_MS)).await.0, 201);
        let (status, words) = send(app, &key, &old_log(app, 183 * DAY_MS + 1_000)).await;
        assert!(status == 422 && words.contains("older than logs are kept"), "{status} {words}");
        retention::set(&app.server, project.key, choice(Some(7), None), Asker::default()).await.unwrap();
        assert_eq!(send(app, &key, &old_log(app, 7 * DAY_MS + 1_000)).await.0, 422);
        assert_eq!(send(app, &key, &old_log(app, 7 * DAY_MS - 60_000)).await.0, 201);
        assert_eq!(send(app, &of_other, &old_log(app, 100 * DAY_MS)).await.0, 201);
        retention::set(&app.server, project.key, choice(Some(3_650), None), Asker::default()).await.unwrap();
        assert_eq!(send(app, &key, &old_log(app, 3_000 * DAY_MS)).await.0, 201);
        let import = app.folder().join("old.ndjson");
        std::fs::write(&import, format!("{}\n", old_log(app, 20 * DAY_MS))).unwrap();
        let arguments = |project: &str| ["import".to_owned(), import.display().to_string(), "--project".to_owned(), project.to_owned()];
        let run = |project: &str| {
            let arguments = arguments(project);
            app.command(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), "")
        };
        assert!(run(&project.id).status.success());
        stored::set(app.db(), other.key, choice(Some(7), None), 0).await.unwrap();
        let refused = run(&other.id);
        assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("older than logs are kept"));
    }

    async fn an_exports_file_goes_after_90_days_and_its_row_says_so(app: TestApp) {
        let (project, cookie) = app.signed_in(Role::Owner).await;
        let key = app.add_key(&project, &crate::exports_api::ALL).await;
        assert_eq!(send(app, &key, &old_log(app, 1_000)).await.0, 201);
        let workers = app.work();
        let export: Value = app.call(Method::POST, "/v1/exports", &key).json(&json!({"exported_object": "api_log"})).send().await.unwrap().json().await.unwrap();
        let id = export["id"].as_str().unwrap();
        let export = over(app, &key, id).await;
        let link = export["result"]["url"].as_str().unwrap().to_owned();
        let page = format!("/projects/{}/exports/{id}", project.id);
        let text = app.get_as(&cookie, &page).await.text().await.unwrap();
        assert!(!text.contains("was kept for 90 days"));
        assert_eq!(begin(&app.server, project.key, Asker::default()).await.unwrap(), None);
        app.pass(90 * DAY_MS + 60_000);
        let task = begin(&app.server, project.key, Asker::default()).await.unwrap().unwrap();
        let (_, purged) = done(app, project.key, &task).await;
        assert_eq!((purged.export_files, purged.logs), (1, 0));
        assert!(purged.bytes_about > 0);
        let export = over(app, &key, id).await;
        assert_eq!((&export["result"], export["status"].as_str()), (&Value::Null, Some("DONE")));
        assert!(export["notes"][0].as_str().unwrap().starts_with("expired"), "{export}");
        let cookie_now = app.sign_in("owner@example.com", "correct horse").await;
        for place in [&page, &format!("{page}/browse"), &format!("/projects/{}/exports", project.id)] {
            let text = app.get_as(&cookie_now, place).await.text().await.unwrap();
            assert!(text.contains("was kept for 90 days"), "{place}: {text}");
        }
        let file = app.get_as(&cookie_now, &format!("{page}/file")).await;
        assert_eq!(file.status(), 404);
        assert!(file.text().await.unwrap().contains("kept for 90 days"));
        assert_eq!(app.client.get(&link).send().await.unwrap().status(), 401, "the link had run out long before");
        let files = app.folder().join("files").join(format!("exports/{}/{id}", project.key));
        for _ in 0..200 {
            if !files.exists() || std::fs::read_dir(&files).unwrap().count() == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(!files.join("1").exists(), "the file itself is gone");
        workers.stop().await;
    }

    async fn an_imports_original_goes_with_the_bodies(app: TestApp) {
        let (project, cookie) = app.signed_in(Role::Owner).await;
        let key = app.add_key(&project, &crate::exports_api::ALL).await;
        let workers = app.work();
        let lines = format!("{}\n{{\"method\": \"GET\"}}\n", old_log(app, 1_000));
        let part = reqwest::multipart::Part::text(lines).file_name("two.ndjson");
        let form = reqwest::multipart::Form::new().part("file", part);
        let begun: Value = app.call(Method::POST, "/v1/logs/import", &key).multipart(form).send().await.unwrap().json().await.unwrap();
        let id = begun["async_action_id"].as_str().unwrap();
        for _ in 0..600 {
            if tasks::find(app.db(), project.key, id).await.unwrap().unwrap().facts.status.is_over() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let rejected = format!("/v1/async-actions/{id}/rejected");
        assert_eq!(app.call(Method::GET, &rejected, &key).send().await.unwrap().status(), 200);
        stored::set(app.db(), project.key, choice(Some(30), Some(3)), 0).await.unwrap();
        app.pass(3 * DAY_MS + 60_000);
        let task = begin(&app.server, project.key, Asker::default()).await.unwrap().unwrap();
        let (_, purged) = done(app, project.key, &task).await;
        assert_eq!((purged.logs, purged.originals), (0, 2), "{purged:?}");
        assert!(purged.bodies >= 1);
        let gone = app.call(Method::GET, &rejected, &key).send().await.unwrap();
        assert_eq!(gone.status(), 404);
        assert!(gone.text().await.unwrap().contains("no files any more"));
        let kept = tasks::find(app.db(), project.key, id).await.unwrap().unwrap();
        assert!(kept.files_expired && kept.file.is_none() && kept.rejected.is_none() && kept.result.is_some(), "the task stays");
        let text = app.get_as(&cookie, &format!("/projects/{}/tasks/{id}", project.id)).await.text().await.unwrap();
        assert!(text.contains("Its files have expired"), "{text}");
        workers.stop().await;
    }

    async fn a_log_whose_bodies_are_gone_says_so_everywhere(app: TestApp) {
        let (project, cookie) = app.signed_in(Role::Owner).await;
        let key = app.add_key(&project, &crate::exports_api::ALL).await;
        let mut log = old_log(app, 5 * DAY_MS);
        log["id"] = "silent-1".into();
        log["request"] = json!({"headers": {"x-trace": "only-here"}, "body": {"needle": "only-here"}});
        assert_eq!(send(app, &key, &log).await.0, 201);
        let workers = app.work();
        let task = retention::set(&app.server, project.key, choice(Some(30), Some(3)), Asker::default()).await.unwrap().task.unwrap();
        let (_, purged) = done(app, project.key, &task).await;
        assert_eq!((purged.logs, purged.bodies), (0, 1));
        let get = async |path: &str| app.call(Method::GET, path, &key).send().await.unwrap().json::<Value>().await.unwrap();
        let found = get("/v1/logs/silent-1").await;
        assert_eq!((&found["request"]["body"], &found["request"]["headers"], &found["notes"]), (&Value::Null, &Value::Null, &json!(["expired"])));
        assert!(found["request"]["bytes"].as_i64().unwrap() > 0, "{found}");
        let listed = get("/v1/logs?from=-30d&limit=100").await;
        assert_eq!(listed["data"][0]["notes"], json!(["expired"]));
        assert!(get("/v1/logs?from=-30d&q=only-here").await["data"].as_array().unwrap().is_empty());
        let body = app.call(Method::GET, "/v1/logs/silent-1/request", &key).send().await.unwrap();
        assert_eq!(body.status(), 404);
        assert!(body.text().await.unwrap().contains("expired"));
        let text = app.get_as(&cookie, &format!("/projects/{}/logs/silent-1", project.id)).await.text().await.unwrap();
        assert!(text.contains("the bodies went before their log did") && !text.contains("only-here"));
        let export: Value = app.call(Method::POST, "/v1/exports", &key)
            .json(&json!({"exported_object": "api_log", "parameters": {"format": "ndjson", "fields": ["id", "url", "request_body", "request_headers"]}}))
            .send().await.unwrap().json().await.unwrap();
        let export = over(app, &key, export["id"].as_str().unwrap()).await;
        let file = app.client.get(export["result"]["url"].as_str().unwrap()).send().await.unwrap().text().await.unwrap();
        assert!(file.contains("silent-1") && !file.contains("only-here"), "{file}");
        if app.database_url.starts_with("sqlite") {
            const TEXTS: &str = "SELECT COUNT(*) FROM log_blocks WHERE project_id = $1 AND min_time < $2";
            let Db::Sqlite { read, .. } = app.db() else { panic!("SQLite") };
            let before = app.server.clock.now_ms() - 3 * DAY_MS;
            let left: i64 = sqlx::query_scalar(TEXTS).bind(project.key).bind(before).fetch_one(read).await.unwrap();
            assert_eq!(left, 0);
        }
        workers.stop().await;
    }

    async fn owners_alone_say_how_long_logs_are_kept(app: TestApp) {
        let (project, owner) = app.signed_in(Role::Owner).await;
        app.add_person("mo@example.com", "correct horse", Some((&project, Role::Member))).await;
        let member = app.sign_in("mo@example.com", "correct horse").await;
        let elsewhere = app.add_project("elsewhere").await;
        write_old(app, project.key, 20, 40).await;
        let set = async |cookie: &str, project: &str, choice: Value| {
            let body = json!({"project": project, "choice": choice});
            app.request(Method::POST, "/api/set_retention").header("cookie", cookie).json(&body).send().await.unwrap()
        };
        let week = json!({"logs_days": 7, "bodies_days": null});
        let page = format!("/projects/{}/settings/retention", project.id);
        let now_path = format!("/api/preview_retention?project={}&logs_days=7", project.id);
        assert_eq!(set(&member, &project.id, week.clone()).await.status(), 403);
        assert_eq!(set(&owner, &elsewhere.id, week.clone()).await.status(), 404);
        assert_eq!(app.get_as(&member, &now_path).await.status(), 403);
        let text = app.get_as(&member, &page).await.text().await.unwrap();
        assert!(text.contains("an owner can") && !text.contains("Purge now"), "{text}");
        let form = [("project", project.id.as_str())];
        let purge = async |cookie: &str| app.post_form("/api/purge_now", &form).header("cookie", cookie).send().await.unwrap().status();
        assert_eq!(purge(&member).await, 403);
        assert_eq!(stored::find(app.db(), project.key).await.unwrap(), Choice::default());

        let will: Value = app.get_as(&owner, &now_path).await.json().await.unwrap();
        assert_eq!((will["logs"].as_u64(), will["bodies"].as_u64()), (Some(40), Some(0)), "{will}");
        let bad = set(&owner, &project.id, json!({"logs_days": 3_651, "bodies_days": null})).await;
        assert_eq!(bad.status(), 409);
        assert!(bad.text().await.unwrap().contains("1 to 3,650 days"));
        let text = app.get_as(&owner, &page).await.text().await.unwrap();
        for words in ["6 months (183 days)", "Next purge", "nothing that could be deleted now", "log_blocks", "What the database holds"] {
            assert!(text.contains(words), "{words}: {text}");
        }
        assert!(set(&owner, &project.id, week).await.status().is_success());
        let kept = Kept::of(choice(Some(7), None), 0);
        let left = async || retention::preview(app.db(), project.key, kept, app.server.clock.now_ms()).await.unwrap().logs;
        assert_eq!(left().await, 40, "nobody works yet");
        let task = purges(app, project.key).await.remove(0);
        assert_eq!(task.facts.by.as_deref(), Some("owner@example.com"));
        let text = app.get_as(&owner, &page).await.text().await.unwrap();
        assert!(text.contains("A purge is on its way") && text.contains(&task.facts.id), "{text}");

        let stop = [("project", project.id.as_str()), ("id", task.facts.id.as_str())];
        let cancel = async |cookie: &str| app.post_form("/api/cancel_task", &stop).header("cookie", cookie).send().await.unwrap().status();
        assert_eq!(cancel(&member).await, 403, "how long logs are kept is not a member's to say");
        let key = app.add_key(&project, &[Scope::TasksWrite]).await;
        let by_key = app.call(Method::POST, &format!("/v1/async-actions/{}/cancel", task.facts.id), &key).send().await.unwrap();
        assert_eq!(by_key.status(), 403);
        assert!(cancel(&owner).await.is_success());
        assert_eq!(left().await, 40);

        let logs = format!("/projects/{}/logs?origin=self&from=-1h", project.id);
        let mut text = String::new();
        for _ in 0..200 {
            text = app.get_as(&owner, &logs).await.text().await.unwrap();
            if text.contains("/api/set_retention") && text.contains("/api/purge_now") {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        assert!(text.contains("/api/set_retention") && text.contains("/api/purge_now"), "what was asked is on the log: {text}");
    }

    async fn what_the_database_holds_is_measured(app: TestApp) {
        let project = app.add_project("shop").await.key;
        write_old(app, project, 2, 700).await;
        write_old(app, project, 180, 70).await;
        let measured = retention::storage::look(&app.server).await.unwrap();
        let size = |table: &str| measured.tables.iter().find(|(name, _)| name == table).map(|(_, bytes)| *bytes);
        assert!(size("logs") > Some(100_000) && size("log_blocks") > Some(10_000), "{measured:?}");
        assert!(measured.tables.is_sorted_by_key(|(_, bytes)| std::cmp::Reverse(*bytes)));
        assert!(!measured.tables.iter().any(|(name, _)| name.starts_with("logs_")), "a partition is its table's");
        let sum: i64 = measured.tables.iter().map(|(_, bytes)| bytes).sum();
        assert!(sum <= measured.whole.bytes && measured.logs == 770, "{measured:?}");
        // Made now, it has had one day: all that came is of that day.
        assert_eq!((measured.coming, measured.going), (700.0, 10.0));
        let is_sqlite = matches!(app.db(), Db::Sqlite { .. });
        assert_eq!((measured.disk_free.is_some(), measured.days_left().is_some()), (is_sqlite, is_sqlite));
        if is_sqlite {
            let holds = measured.whole.bytes - measured.whole.reusable.unwrap();
            assert!(sum >= holds / 10 * 9, "all of the file is some table's: {sum} of {holds}");
        }
        write_old(app, project, 3, 10).await;
        let again = retention::storage::look(&app.server).await.unwrap();
        assert_eq!(again.at, measured.at, "not for every page");
        app.pass(11 * 60 * 1_000);
        assert_eq!(retention::storage::look(&app.server).await.unwrap().logs, 780);
    }
}

//! The chain: what is written is on it, heads are signed and told, retention goes behind checkpoints; it is verified while the service runs.

use audit_log::model::log::{NewLog, Origin};
use audit_log::model::masking::{MaskRule, RuleKind};
use audit_log::model::retention::{Choice, DAY_MS};
use audit_log::model::rights::Scope;
use audit_log::model::task::kinds;
use audit_log::server::access::issue::IssuedKey;
use audit_log::server::chain::head::{self, SignedHead};
use audit_log::server::chain::key::ChainKey;
use audit_log::server::chain::signing;
use audit_log::server::chain::verify::{Verified, Verifier};
use audit_log::server::clock::Random;
use audit_log::server::jobs::retention::Asker;
use audit_log::server::secrets::InstanceKey;
use audit_log::server::store::chain::read;
use audit_log::server::store::projects::Project;
use audit_log::server::store::{Db, tasks};
use audit_log::server::{masking, retention};
use reqwest::Method;
use serde_json::{Value, json};

use crate::logs::call;
use crate::plain_scan::Dice;
use crate::support::TestApp;
use crate::tampering::Tampering;

/// Runs a statement behind the service's back.
pub async fn sql(app: &TestApp, text: &str) {
    let text = sqlx::AssertSqlSafe(text.to_owned());
    match app.db() {
        Db::Sqlite { write, .. } => drop(sqlx::query(text).execute(write).await.unwrap()),
        Db::Postgres(pool) => drop(sqlx::query(text).execute(pool).await.unwrap()),
    }
}

/// The number that a statement gives.
pub async fn number(app: &TestApp, text: &str) -> i64 {
    let text = sqlx::AssertSqlSafe(text.to_owned());
    match app.db() {
        Db::Sqlite { read, .. } => sqlx::query_scalar(text).fetch_one(read).await.unwrap(),
        Db::Postgres(pool) => sqlx::query_scalar(text).fetch_one(pool).await.unwrap(),
    }
}

/// Verifies a project's chain, with saved heads.
pub async fn verify_with(app: &TestApp, project: &Project, anchors: &[SignedHead]) -> Verified {
    let chained = read::projects(app.db()).await.unwrap();
    let chained = chained.into_iter().find(|chained| chained.key == project.key).unwrap();
    let verifier = Verifier {
        db: app.db(),
        key: &app.server.key,
        chain_key: &app.server.chain_key,
    };
    verifier.verify(&chained, anchors, &mut |_| {}).await.unwrap()
}

/// Verifies a chain that holds.
pub async fn assert_clean(app: &TestApp, project: &Project) -> Verified {
    let verified = verify_with(app, project, &[]).await;
    assert!(verified.report.is_clean(), "{:#?}", verified.report.findings());
    verified
}

/// The head of now, as somebody would save it.
pub async fn anchor(app: &TestApp, project: &Project) -> SignedHead {
    let now = read::head(app.db(), project.key).await.unwrap().unwrap();
    let row = head::sign(
        &app.server.chain_key,
        &project.id,
        now.number,
        &now.digest,
        app.server.clock.now_ms(),
    );
    SignedHead::of(&project.id, &row)
}

/// One more log.
pub async fn write_one(app: &TestApp, project: &Project) {
    let log = Dice(Random::seeded(77)).log(app.server.clock.now_ms());
    app.server.writer.write(call(project.key, vec![log])).await.unwrap();
}

/// A project with logs in batches and alone, a task that is over, a running one, an export, an original, a rule and a retention.
pub async fn filled(app: &TestApp, name: &str) -> (Project, IssuedKey) {
    let project = app.add_project(name).await;
    let key = app.add_key(&project, &Scope::ALL).await;
    let dice = Dice(Random::seeded(1));
    let now = app.server.clock.now_ms();
    for batch in 0..4 {
        let logs = (0..100)
            .map(|place| dice.log(now - 100_000 + (batch * 37 + place * 61) % 90_000))
            .collect();
        app.server.writer.write(call(project.key, logs)).await.unwrap();
    }
    let post = async |path: &str, body: Value| {
        let answer = app.call(Method::POST, path, &key).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
    };
    for n in 0..20 {
        let log = json!({"id": format!("alone-{n}"), "method": "GET", "url": "https://a.example/b", "status_code": 200});
        post("/v1/logs", log).await;
    }
    let put = app.call(Method::PUT, "/v1/logs/alone-1/import-file", &key);
    let put = put
        .header("content-disposition", "attachment; filename=\"a.csv\"")
        .body("a,b");
    assert!(put.send().await.unwrap().status().is_success());
    let kind = "VOUCHERS.IMPORT_CSV";
    post("/v1/async-actions", json!({"id": "over", "type": kind})).await;
    let over = json!({"status": "DONE", "operation_status": "SUCCESS", "result": {"done_count": 3}});
    let patch = app.call(Method::PATCH, "/v1/async-actions/over", &key).json(&over);
    assert!(patch.send().await.unwrap().status().is_success());
    post(
        "/v1/async-actions",
        json!({"id": "running", "type": kind, "status": "IN_PROGRESS"}),
    )
    .await;
    post("/v1/exports/reported", json!({"exported_object": "voucher"})).await;
    let rule = MaskRule {
        kind: RuleKind::Key,
        text: "nickname".to_owned(),
        note: String::new(),
    };
    masking::replace(&app.server, project.key, None, &[rule]).await.unwrap();
    let choice = Choice {
        logs_days: Some(200),
        bodies_days: None,
    };
    retention::set(&app.server, project.key, choice, Asker::default())
        .await
        .unwrap();
    // The service's own logs of all that are written, too.
    recorded(app).await;
    (project, key)
}

/// Waits until what the service recorded of itself is written.
async fn recorded(app: &TestApp) {
    app.server.recordings.close();
    app.server.recordings.wait().await;
    app.server.recordings.reopen();
}

/// A log that an application sent.
pub fn sent(mut log: NewLog) -> NewLog {
    log.facts.origin = Origin::Application;
    log
}

/// Waits until the project's purges are over.
pub async fn purged(app: &TestApp, project: &Project) {
    for _ in 0..600 {
        let tasks = tasks::latest(app.db(), project.key, kinds::PURGE, 10).await.unwrap();
        if !tasks.is_empty() && tasks.iter().all(|task| task.facts.status.is_over()) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the purge never ended");
}

/// Runs the binary on the database, with the key that the service has: its code, and what it said.
pub fn run(app: &TestApp, arguments: &[&str]) -> (Option<i32>, String) {
    let key = data_encoding::BASE64.encode(&[7; 32]);
    let environment = [("DATABASE_URL", app.database_url.as_str()), ("AUDIT_LOG_SECRET_KEY", &key)];
    let out = crate::support::run_binary(arguments, "", &environment, app.folder());
    (
        out.status.code(),
        String::from_utf8(out.stdout).unwrap() + &String::from_utf8(out.stderr).unwrap(),
    )
}

for_each_db! {
    async fn what_is_written_is_on_the_chain(app: TestApp) {
        let (project, _) = filled(app, "shop").await;
        let verified = assert_clean(app, &project).await;
        assert!(verified.numbers.logs >= 420, "{:?}", verified.numbers);
        assert_eq!(verified.numbers.logs_before_chain, 0);
        assert!(verified.numbers.facts >= 6, "{:?}", verified.numbers);
        app.server.writer.compact().await.unwrap();
        let merged = assert_clean(app, &project).await;
        assert_eq!(merged.numbers.logs, verified.numbers.logs, "blocks are merged, and nothing else changes");
    }

    async fn heads_are_signed_once_an_hour_and_told(app: TestApp) {
        let (project, key) = filled(app, "shop").await;
        let hook = json!({"target_url": "https://hook.example.com/", "events": ["chain.head"]});
        assert_eq!(app.call(Method::POST, "/v1/webhooks", &key).json(&hook).send().await.unwrap().status(), 201);
        assert_eq!(signing::round(&app.server).await.unwrap(), 0, "it has just begun");
        app.pass(60 * 60_000);
        assert_eq!(signing::round(&app.server).await.unwrap(), 1);
        assert_eq!(signing::round(&app.server).await.unwrap(), 0, "once an hour");
        app.pass(60 * 60_000);
        write_one(app, &project).await;
        let (one, other) = tokio::join!(signing::round(&app.server), signing::round(&app.server));
        assert_eq!(one.unwrap() + other.unwrap(), 1, "two that look at the same time sign one");
        assert_eq!(number(app, "SELECT COUNT(*) FROM events WHERE type = 'chain.head'").await, 2);
        assert_eq!(assert_clean(app, &project).await.numbers.signed_heads, 2);
        // Whoever makes the chain anew up to there cannot sign it.
        let changed = Tampering::new("signature", &["UPDATE chain_signed SET at = at + 1"], &["UPDATE chain_signed SET at = at - 1"]);
        changed.check(app, &project).await;
        let stranger = ChainKey::of(&InstanceKey::new([1; 32]));
        let chained = read::projects(app.db()).await.unwrap().remove(0);
        let verifier = Verifier { db: app.db(), key: &app.server.key, chain_key: &stranger };
        let told = verifier.verify(&chained, &[], &mut |_| {}).await.unwrap();
        assert!(told.report.findings()[0].to_string().contains("another key"), "{:?}", told.report.findings());
    }

    async fn what_retention_takes_is_on_the_chain_and_goes_behind_a_checkpoint(app: TestApp) {
        let project = app.add_project("shop").await;
        let dice = Dice(Random::seeded(4));
        let now = app.server.clock.now_ms();
        for days in [250, 240, 230, 100, 100, 1] {
            for batch in 0..3 {
                let logs = (0..50).map(|place| sent(dice.log(now - days * DAY_MS + batch * 100 + place))).collect();
                app.server.writer.write(call(project.key, logs)).await.unwrap();
            }
            // The head of a batch that will expire is signed, too.
            app.pass(60 * 60_000);
            assert_eq!(signing::round(&app.server).await.unwrap(), 1);
        }
        let saved = anchor(app, &project).await;
        assert_eq!(assert_clean(app, &project).await.numbers.logs, 900);
        let choice = Choice { logs_days: Some(200), bodies_days: Some(50) };
        retention::set(&app.server, project.key, choice, Asker::default()).await.unwrap();
        let workers = app.work();
        purged(app, &project).await;
        workers.stop().await;
        let verified = verify_with(app, &project, std::slice::from_ref(&saved)).await;
        assert!(verified.report.is_clean(), "{:#?}", verified.report.findings());
        assert_eq!(verified.numbers.logs, 450);
        assert!(number(app, "SELECT COUNT(*) FROM chain_checkpoints").await > 0);
        assert_eq!(number(app, "SELECT COUNT(*) FROM chain_entries WHERE first_seq IS NOT NULL").await, 9, "the others went behind checkpoints");
        assert!(verified.numbers.signed_heads >= 6);
        // What retention took is told apart from what somebody else took, and from what somebody puts there.
        let silent = "id = (SELECT MIN(id) FROM logs WHERE block_id IS NULL)";
        let change = |by: &str| format!("UPDATE logs SET status_code = COALESCE(status_code, 200) {by} WHERE {silent}");
        for tampering in [
            Tampering::removed("it was removed", "logs", silent),
            Tampering::removed("it was removed", "logs", "id = (SELECT MIN(id) FROM logs WHERE block_id IS NOT NULL)"),
            Tampering::put_back("it was changed", "logs", silent, &change("+ 1")),
            Tampering::removed("entry 2 of the chain: the entry is not there, and no checkpoint", "chain_checkpoints", "first_number > 0"),
            Tampering::new("not one that was signed here", &["UPDATE chain_checkpoints SET logs = logs + 1"], &["UPDATE chain_checkpoints SET logs = logs - 1"]),
        ] {
            tampering.check(app, &project).await;
        }
    }

    async fn a_chain_is_verified_while_logs_come_in_and_blocks_are_merged(app: TestApp) {
        let project = app.add_project("shop").await;
        let dice = Dice(Random::seeded(5));
        let now = app.server.clock.now_ms();
        for place in 0..300 {
            app.server.writer.write(call(project.key, vec![dice.log(now - 1_000 + place)])).await.unwrap();
        }
        let writes = async {
            for place in 0..200 {
                app.server.writer.write(call(project.key, vec![dice.log(now - 500 + place)])).await.unwrap();
                if place % 50 == 0 {
                    app.server.writer.compact().await.unwrap();
                }
            }
        };
        let verifies = async {
            for _ in 0..5 {
                assert_clean(app, &project).await;
            }
        };
        tokio::join!(writes, verifies);
        assert_eq!(assert_clean(app, &project).await.numbers.logs, 500);
    }

    async fn what_was_stored_before_the_chain_began_is_counted(app: TestApp) {
        let (project, _) = filled(app, "shop").await;
        for table in ["chain_entries", "chain_leaves", "chain_heads"] {
            sql(app, &format!("DELETE FROM {table}")).await;
        }
        write_one(app, &project).await;
        let verified = assert_clean(app, &project).await;
        assert!(verified.numbers.logs_before_chain >= 420, "{:?}", verified.numbers);
        let added = Tampering::added("some were added", "logs", "id = 'alone-6'", "id = 'alone-6x', block_id = NULL, notes = notes + 4");
        added.check(app, &project).await;
    }

    async fn a_deleted_projects_own_log_is_still_verified(app: TestApp) {
        let (project, cookie) = app.signed_in(audit_log::model::rights::Role::Owner).await;
        let logs = (0..70).map(|place| Dice(Random::seeded(place)).log(app.server.clock.now_ms() - place as i64)).collect();
        app.server.writer.write(call(project.key, logs)).await.unwrap();
        let zone = app.post_form("/api/set_time_zone", &[("project", &project.id), ("zone", "Europe/Berlin")]).header("cookie", &cookie);
        drop(zone.send().await.unwrap());
        recorded(app).await;
        let own = number(app, "SELECT COUNT(*) FROM logs WHERE origin = 1").await;
        assert!(own > 0);
        let now = app.server.clock.now_ms();
        assert!(audit_log::server::store::projects::delete(app.db(), project.key, now).await.unwrap());
        app.pass(120_000);
        let later = app.server.clock.now_ms();
        while audit_log::server::store::purge::batch(app.db(), project.key, 183, later).await.unwrap() == audit_log::server::store::purge::Left::More {}
        assert_eq!(number(app, "SELECT COUNT(*) FROM logs").await, own);
        assert_clean(app, &project).await;
        let taken = Tampering::removed("it was removed", "logs", "id = (SELECT MIN(id) FROM logs)");
        taken.check(app, &project).await;
    }

    async fn the_command_says_what_holds_and_what_does_not(app: TestApp) {
        let (project, _) = filled(app, "shop").await;
        let (out, told) = run(app, &["verify", "--project", &project.id]);
        assert_eq!(out, Some(0), "{told}");
        let line: Value = serde_json::from_str(told.lines().next().unwrap()).unwrap();
        assert_eq!((line["ok"].as_bool(), line["wrong"].as_u64()), (Some(true), Some(0)), "{line}");
        assert_eq!(line["head"]["project_id"], project.id.as_str());
        let file = app.folder().join("head.json");
        std::fs::write(&file, &told).unwrap();
        let anchored = ["verify", "--anchor", file.to_str().unwrap()];
        assert_eq!(run(app, &anchored).0, Some(0));
        sql(app, "UPDATE logs SET path = '/other' WHERE id = 'alone-9'").await;
        let (out, told) = run(app, &["verify"]);
        assert_eq!(out, Some(1));
        assert!(told.contains("alone-9") && told.contains("\"ok\":false"), "{told}");
        assert_eq!(run(app, &["verify", "--project", "prj_none"]).0, Some(1));
        std::fs::write(&file, "{}").unwrap();
        let (out, told) = run(app, &anchored);
        assert!(out == Some(1) && told.contains("holds no saved head"), "{told}");
    }
}

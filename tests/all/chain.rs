//! The chain: what is written is on it, and whoever changes, removes, swaps or adds anything behind the service's back is told of by name.

use audit_log::model::rights::Scope;
use audit_log::server::access::issue::IssuedKey;
use audit_log::server::chain::head::{self, SignedHead};
use audit_log::server::chain::key::ChainKey;
use audit_log::server::chain::verify::{Verified, Verifier};
use audit_log::server::clock::Random;
use audit_log::server::secrets::InstanceKey;
use audit_log::server::store::chain::{entry, read};
use audit_log::server::store::Db;
use audit_log::server::store::projects::Project;
use reqwest::Method;
use serde_json::{Value, json};

use crate::logs::call;
use crate::plain_scan::Dice;
use crate::support::TestApp;

/// Runs a statement behind the service's back.
async fn sql(app: &TestApp, text: &str) {
    let text = sqlx::AssertSqlSafe(text.to_owned());
    match app.db() {
        Db::Sqlite { write, .. } => drop(sqlx::query(text).execute(write).await.unwrap()),
        Db::Postgres(pool) => drop(sqlx::query(text).execute(pool).await.unwrap()),
    }
}

async fn number(app: &TestApp, text: &str) -> i64 {
    let text = sqlx::AssertSqlSafe(text.to_owned());
    match app.db() {
        Db::Sqlite { read, .. } => sqlx::query_scalar(text).fetch_one(read).await.unwrap(),
        Db::Postgres(pool) => sqlx::query_scalar(text).fetch_one(pool).await.unwrap(),
    }
}

/// The key of the tests' server.
fn chain_key(app: &TestApp) -> ChainKey {
    ChainKey::of(&app.server.key)
}

async fn verify_with(app: &TestApp, project: &Project, anchors: &[SignedHead]) -> Verified {
    let chained = read::projects(app.db()).await.unwrap();
    let chained = chained.into_iter().find(|chained| chained.key == project.key).unwrap();
    let key = chain_key(app);
    let verifier = Verifier { db: app.db(), key: &app.server.key, chain_key: &key };
    verifier.verify(&chained, anchors, &mut |_| {}).await.unwrap()
}

async fn verify(app: &TestApp, project: &Project) -> Verified {
    verify_with(app, project, &[]).await
}

async fn assert_clean(app: &TestApp, project: &Project) -> Verified {
    let verified = verify(app, project).await;
    assert!(verified.report.is_clean(), "{:#?}", verified.report.findings());
    verified
}

/// What the verifier says first.
async fn first(app: &TestApp, project: &Project) -> String {
    let verified = verify(app, project).await;
    verified.report.findings().first().map(ToString::to_string).unwrap_or_default()
}

/// The head of now, as somebody would save it.
async fn anchor(app: &TestApp, project: &Project) -> SignedHead {
    let now = read::head(app.db(), project.key).await.unwrap().unwrap();
    let row = head::sign(&chain_key(app), &project.id, now.number, &now.digest, app.server.clock.now_ms());
    SignedHead::of(&project.id, &row)
}

/// A project with logs in batches and alone, a task that is over, a running one, an export, an original, rules and a retention.
async fn filled(app: &TestApp, name: &str) -> (Project, IssuedKey) {
    let project = app.add_project(name).await;
    let key = app.add_key(&project, &Scope::ALL).await;
    let dice = Dice(Random::seeded(1));
    let now = app.server.clock.now_ms();
    for batch in 0..4 {
        let logs = (0..100).map(|place| dice.log(now - 100_000 + (batch * 37 + place * 61) % 90_000)).collect();
        app.server.writer.write(call(project.key, logs)).await.unwrap();
    }
    let post = async |path: &str, body: Value| {
        let answer = app.call(Method::POST, path, &key).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
    };
    for n in 0..20 {
        post("/v1/logs", json!({"id": format!("alone-{n}"), "method": "GET", "url": "https://a.example/b", "status_code": 200})).await;
    }
    let put = app.call(Method::PUT, "/v1/logs/alone-1/import-file", &key).header("content-disposition", "attachment; filename=\"a.csv\"").body("a,b");
    assert!(put.send().await.unwrap().status().is_success());
    post("/v1/async-actions", json!({"id": "over", "type": "VOUCHERS.IMPORT_CSV", "status": "DONE", "operation_status": "SUCCESS", "result": {"done_count": 3}})).await;
    post("/v1/async-actions", json!({"id": "running", "type": "VOUCHERS.IMPORT_CSV", "status": "IN_PROGRESS"})).await;
    post("/v1/exports", json!({"exported_object": "voucher", "status": "DONE", "reported": true})).await;
    (project, key)
}

for_each_db! {
    async fn what_is_written_is_on_the_chain(app: TestApp) {
        let (project, _) = filled(app, "shop").await;
        let verified = assert_clean(app, &project).await;
        assert!(verified.numbers.logs >= 420, "{:?}", verified.numbers);
        assert_eq!(verified.numbers.logs_before_chain, 0);
        assert!(verified.numbers.facts >= 5, "{:?}", verified.numbers);
        app.server.writer.compact().await.unwrap();
        let merged = assert_clean(app, &project).await;
        assert_eq!(merged.numbers.logs, verified.numbers.logs, "blocks are merged, and nothing else changes");
    }
}

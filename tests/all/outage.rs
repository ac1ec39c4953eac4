//! The database goes away and comes back: callers are told so, nothing acknowledged is lost, nobody has to restart anything.

use audit_log::model::rights::Scope;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{Database, TestApp};

fn a_log(id: &str) -> Value {
    json!({"id": id, "method": "GET", "url": "/v1/orders", "status_code": 200})
}

/// Lets nobody connect to the test's database any more, and ends every connection there is.
async fn cut(admin: &PgPool, name: &str) {
    allow(admin, name, false).await;
    sqlx::query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1")
        .bind(name)
        .execute(admin)
        .await
        .unwrap();
}

async fn allow(admin: &PgPool, name: &str, connections: bool) {
    let sql = format!("ALTER DATABASE \"{name}\" WITH ALLOW_CONNECTIONS {connections}");
    sqlx::query(sqlx::AssertSqlSafe(sql)).execute(admin).await.unwrap();
}

async fn while_the_database_is_gone(app: &TestApp) {
    let project = app.add_project("shop").await;
    let key = app.add_key(&project, &[Scope::LogsWrite, Scope::Read]).await;
    let send = async |id: &str| {
        app.call(Method::POST, "/v1/logs", &key)
            .json(&a_log(id))
            .send()
            .await
            .unwrap()
    };
    assert_eq!(send("before").await.status(), 201);

    let (server, name) = app.database_url.rsplit_once('/').unwrap();
    let admin = PgPool::connect(&format!("{server}/postgres")).await.unwrap();
    cut(&admin, name).await;

    let answer = send("meanwhile").await;
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("retry-after"));
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["code"], 503);
    assert!(
        problem["message"].is_string() && problem["request_id"].is_string(),
        "{problem}"
    );
    assert!(
        !problem.to_string().to_lowercase().contains("select"),
        "no SQL is told: {problem}"
    );
    assert_eq!(app.get("/health/ready").await.status(), 503);
    assert_eq!(app.get("/health/live").await.status(), 200);

    allow(&admin, name, true).await;
    // The pool finds out at its next connection; a client would come back after `Retry-After`.
    for _ in 0..50 {
        if app.get("/health/ready").await.status() == 200 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(send("after").await.status(), 201);
    for (id, there) in [("before", 200), ("meanwhile", 404), ("after", 200)] {
        let found = app.call(Method::GET, &format!("/v1/logs/{id}"), &key).send().await.unwrap();
        assert_eq!(found.status(), there, "{id}");
    }
}

#[test]
fn a_database_that_was_gone_is_found_again() {
    TestApp::run(Database::Postgres, |_| (), async |app| while_the_database_is_gone(app).await);
}

//! *Find anywhere* takes what a person copied from what they see, and finds it literally.

use audit_log::server::store::Db;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use crate::logs_api::READS_AND_WRITES;
use crate::support::TestApp;

/// The ids of the logs that an argument of the list leaves.
async fn found(app: &TestApp, key: &audit_log::server::access::issue::IssuedKey, argument: &str, text: &str) -> Vec<String> {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair(argument, text)
        .append_pair("from", "2026-11-01T00:00:00Z")
        .finish();
    let request = app.call(Method::GET, &format!("/v1/logs?{query}"), key);
    let page: Value = request.send().await.unwrap().json().await.unwrap();
    let mut ids: Vec<String> = page["data"]
        .as_array()
        .unwrap_or_else(|| panic!("{page}"))
        .iter()
        .map(|log| log["id"].as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    ids
}

async fn send(app: &TestApp, key: &audit_log::server::access::issue::IssuedKey, log: &str) {
    let request = app
        .call(Method::POST, "/v1/logs", key)
        .header("content-type", "application/json")
        .body(log.to_owned());
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 201, "{}", answer.text().await.unwrap());
}

async fn execute(db: &Db, sql: &str) -> u64 {
    let sql = AssertSqlSafe(sql.to_owned());
    match db {
        Db::Sqlite { write, .. } => sqlx::query(sql).execute(write).await.unwrap().rows_affected(),
        Db::Postgres(pool) => sqlx::query(sql).execute(pool).await.unwrap().rows_affected(),
    }
}

for_each_db! {
    async fn headers_are_found_as_they_are_read(app: TestApp) {
        let key = app.add_key(&app.add_project("shop").await, &READS_AND_WRITES).await;
        let headers = json!({"ETag": "W/\"abc\"", "X-Path": "C:\\temp", "Vary": ["Accept", "Accept-Language"]});
        let asked = json!({"id": "asked", "method": "GET", "url": "/a", "status_code": 200, "request": {"headers": headers}});
        let answered = json!({"id": "answered", "method": "GET", "url": "/a", "status_code": 200, "response": {"headers": headers}});
        let other = json!({"id": "other", "method": "GET", "url": "/a", "status_code": 200, "request": {"headers": {"etag": "abc"}}});
        for log in [asked, answered, other] {
            send(app, &key, &log.to_string()).await;
        }
        for text in ["W/\"abc\"", "w/\"ABC\"", "ETag: W/", "etag: w/\"abc\"", "C:\\temp", "Vary: Accept", "Vary: Accept-Language", ": Accept-L"] {
            assert_eq!(found(app, &key, "q", text).await, ["answered", "asked"], "{text}");
        }
        assert_eq!(found(app, &key, "q", "etag: abc").await, ["other"]);
        for text in ["W/\\\"abc", "C:\\\\temp", "\"ETag\":", "Vary: AcceptX"] {
            assert!(found(app, &key, "q", text).await.is_empty(), "{text} is how it is kept, not what it says");
        }
    }

    async fn bodies_are_found_as_they_were_sent(app: TestApp) {
        let key = app.add_key(&app.add_project("shop").await, &READS_AND_WRITES).await;
        let body = r#"{"a" :  "x\"y", "caf\u00e9":1.50,"z":[ ]}"#;
        for (id, side) in [("asked", "request"), ("answered", "response")] {
            let log = format!(r#"{{"id":"{id}","method":"GET","url":"/a","status_code":200,"{side}":{{"body":{body}}}}}"#);
            send(app, &key, &log).await;
        }
        for text in [r#"{"a" :  "x\"y", "#, r#"X\"Y"#, r#"caf\u00E9":1.50"#, "[ ]}", body] {
            assert_eq!(found(app, &key, "q", text).await, ["answered", "asked"], "{text}");
            assert_eq!(found(app, &key, "request_body", text).await, ["asked"], "{text}");
            assert_eq!(found(app, &key, "response_body", text).await, ["answered"], "{text}");
        }
        for text in [r#"{"a":"#, r#"x"y"#, "caf\u{e9}", "1.5,", "[]"] {
            assert!(found(app, &key, "q", text).await.is_empty(), "{text} means the same, but was not sent");
        }
    }

    async fn logs_that_were_signed_before_headers_were_lines_are_found(app: TestApp) {
        let key = app.add_key(&app.add_project("shop").await, &READS_AND_WRITES).await;
        let log = |id: &str, side: Value| json!({"id": id, "created_at": "2026-11-20T10:00:00Z", "method": "GET", "url": "/a", "status_code": 200, "request": side}).to_string();
        // Another log's body says what the first one's headers say, as they were signed then.
        let headers = json!({"etag": "W/\"abc\"", "x-path": "C:\\temp"});
        send(app, &key, &log("older-a", json!({"headers": headers}))).await;
        send(app, &key, &log("older-b", json!({"body": headers}))).await;
        const SIGNATURE: &str = "UPDATE log_signatures SET form = 0,
            width = (SELECT width FROM log_signatures AS other WHERE other.id > log_signatures.id),
            signature = (SELECT signature FROM log_signatures AS other WHERE other.id > log_signatures.id)
            WHERE id = (SELECT MIN(id) FROM log_signatures)";
        assert_eq!(execute(app.db(), SIGNATURE).await, 1);
        for text in ["etag: w/\"abc\"", "W/\"abc\"", ": C:\\temp", "x-path"] {
            assert!(found(app, &key, "q", text).await.contains(&"older-a".to_owned()), "{text}");
        }
        // A signature of today's form would have been believed.
        execute(app.db(), "UPDATE log_signatures SET form = 1").await;
        assert!(!found(app, &key, "q", "etag: w/\"abc\"").await.contains(&"older-a".to_owned()));
    }
}

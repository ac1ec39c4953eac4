//! The service records itself: what, whose, and what it leaves out.

use std::time::Duration;

use audit_log::model::rights::Role;
use audit_log::server::access::issue::IssuedKey;
use reqwest::Method;
use serde_json::{Value, json};

use crate::logs_api::{READS_AND_WRITES, sent};
use crate::support::TestApp;

/// The service's own logs of a project, oldest first; asked for by a page that itself is left out.
pub async fn own(app: &TestApp, key: &IssuedKey, at_least: usize) -> Vec<Value> {
    for _ in 0..200 {
        // Paging is left out, so that looking changes nothing: the cursor of a list's first page is asked for once, by another project's key.
        let logs = own_now(app, key).await;
        if logs.len() >= at_least {
            return logs;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("there are only {:?}", own_now(app, key).await);
}

async fn own_now(app: &TestApp, key: &IssuedKey) -> Vec<Value> {
    let cursor = audit_log::server::selection::cursor(
        &app.server.key,
        &audit_log::server::access::key(&app.server, &headers(key))
            .await
            .unwrap()
            .project
            .id,
        &audit_log::model::page::Key {
            created_at: 0,
            id: String::new(),
        },
    );
    let path = format!("/v1/logs?origin=self&order=created_at&limit=100&after={cursor}");
    let page: Value = app.call(Method::GET, &path, key).send().await.unwrap().json().await.unwrap();
    page["data"].as_array().unwrap_or_else(|| panic!("{page}")).clone()
}

fn headers(key: &IssuedKey) -> axum::http::HeaderMap {
    [("x-app-id", &key.app_id), ("x-app-token", &key.app_token)]
        .into_iter()
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .collect()
}

fn endpoints(logs: &[Value]) -> Vec<&str> {
    logs.iter().map(|log| log["endpoint"].as_str().unwrap()).collect()
}

for_each_db! {
    async fn a_call_becomes_a_log_of_its_project(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &READS_AND_WRITES).await;
        let other = app.add_key(&app.add_project("other").await, &READS_AND_WRITES).await;
        let call = app.call(Method::GET, "/v1/logs/missing?token=secret", &key).header("x-voucherify-channel", "Node.js-SDK");
        let answer = call.send().await.unwrap();
        let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
        answer.text().await.unwrap();
        let logs = own(app, &key, 1).await;
        let log = &logs[0];
        assert_eq!((&log["origin"], &log["endpoint"]), (&json!("self"), &json!("GET_v1_logs_{id}")));
        assert_eq!((&log["status_code"], &log["status"], &log["channel"]), (&json!(404), &json!("FAILURE"), &json!("Node.js-SDK")));
        assert_eq!((&log["request_id"], &log["app_id"], &log["app_name"]), (&json!(id), &json!(key.app_id), &json!("test key")));
        assert_eq!(log["ip"], "127.0.0.1");
        assert_eq!(log["response"]["body"]["key"], "not_found", "an error's body is kept");
        let whole = log.to_string();
        assert!(!whole.contains(&key.app_token) && !whole.contains("=secret"), "{whole}");
        assert!(log["notes"].as_array().unwrap().contains(&json!("masked")));
        assert_eq!(own_now(app, &other).await.len(), 0, "another project has none of it");
    }

    async fn records_and_files_are_not_captured(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &READS_AND_WRITES).await;
        app.call(Method::POST, "/v1/logs", &key).json(&sent("a", 200)).send().await.unwrap();
        app.call(Method::PUT, "/v1/logs/a/import-file?name=x.csv", &key).body("private rows").send().await.unwrap();
        for path in ["/v1/logs", "/v1/logs/a", "/v1/logs/a/request", "/v1/logs/a/import-file"] {
            app.call(Method::GET, path, &key).send().await.unwrap().text().await.unwrap();
        }
        let logs = own(app, &key, 5).await;
        let mut names = endpoints(&logs);
        names.sort_unstable();
        assert_eq!(names, ["GET_v1_logs", "GET_v1_logs_{id}", "GET_v1_logs_{id}_import-file", "GET_v1_logs_{id}_request", "PUT_v1_logs_{id}_import-file"]);
        for log in &logs {
            assert!(log["notes"].as_array().unwrap().contains(&json!("not captured")), "{log}");
            assert!(!log.to_string().contains("private rows"), "{log}");
        }
    }

    async fn lists_show_the_applications_traffic_unless_asked(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &READS_AND_WRITES).await;
        app.call(Method::GET, "/v1/logs", &key).send().await.unwrap().text().await.unwrap();
        own(app, &key, 1).await;
        let list: Value = app.call(Method::GET, "/v1/logs", &key).send().await.unwrap().json().await.unwrap();
        assert_eq!(list["data"], json!([]));
    }

    async fn a_sign_in_is_recorded_without_its_password(app: TestApp) {
        let (project, cookie) = app.signed_in(Role::Member).await;
        let key = app.add_key(&project, &READS_AND_WRITES).await;
        let logs = own(app, &key, 1).await;
        let log = &logs[0];
        assert_eq!((&log["endpoint"], &log["channel"], &log["status_code"]), (&json!("POST_sign-in"), &json!("WEBSITE"), &json!(303)));
        assert_eq!((&log["user_email"], &log["status"]), (&json!("member@example.com"), &json!("SUCCESS")));
        let whole = log.to_string();
        assert!(whole.contains("member%40example.com"), "{whole}");
        assert!(!whole.contains("correct") && !whole.contains(cookie.split('=').nth(1).unwrap()), "{whole}");
    }

    async fn a_sign_in_that_failed_is_recorded_too(app: TestApp) {
        let project = app.add_project("shop").await;
        app.add_person("ada@example.com", "correct horse", Some((&project, Role::Member))).await;
        let key = app.add_key(&project, &READS_AND_WRITES).await;
        app.post_form("/sign-in", &[("email", "nobody@example.com"), ("password", "guess")]).send().await.unwrap();
        app.post_form("/sign-in", &[("email", "ada@example.com"), ("password", "guess")]).send().await.unwrap();
        let log = &own(app, &key, 1).await[0];
        assert_eq!((&log["endpoint"], &log["user_email"]), (&json!("POST_sign-in"), &Value::Null));
        assert_eq!((&log["status"], &log["status_code"]), (&json!("FAILURE"), &json!(303)));
        assert_eq!(log["response"]["headers"]["location"], "/sign-in?error=wrong&next=%2F");
        assert!(log.to_string().contains("ada%40example.com") && !log.to_string().contains("guess"), "{log}");
        assert_eq!(own_now(app, &key).await.len(), 1, "a stranger belongs nowhere");
    }

    async fn a_sign_in_that_has_to_wait_is_recorded_too(app: TestApp) {
        let project = app.add_project("shop").await;
        app.add_person("ada@example.com", "correct horse", Some((&project, Role::Member))).await;
        let key = app.add_key(&project, &READS_AND_WRITES).await;
        for _ in 0..11 {
            app.post_form("/sign-in", &[("email", "ada@example.com"), ("password", "guess")]).send().await.unwrap();
        }
        let logs = own(app, &key, 11).await;
        let log = logs.iter().find(|log| log["status_code"] == 429).unwrap_or_else(|| panic!("{logs:?}"));
        assert_eq!((&log["endpoint"], &log["user_email"]), (&json!("POST_sign-in"), &Value::Null));
        assert!(log.to_string().contains("ada%40example.com") && !log.to_string().contains("guess"), "{log}");
    }

    async fn a_sign_out_is_recorded_as_its_persons(app: TestApp) {
        let (project, cookie) = app.signed_in(Role::Member).await;
        let key = app.add_key(&project, &READS_AND_WRITES).await;
        app.post_form("/sign-out", &[]).header("cookie", &cookie).send().await.unwrap();
        app.post_form("/sign-out", &[]).header("cookie", &cookie).send().await.unwrap();
        let logs = own(app, &key, 2).await;
        let log = logs.iter().find(|log| log["endpoint"] == "POST_sign-out").unwrap_or_else(|| panic!("{logs:?}"));
        assert_eq!((&log["user_email"], &log["status_code"]), (&json!("member@example.com"), &json!(303)));
        assert!(!log.to_string().contains(cookie.split('=').nth(1).unwrap()), "{log}");
        assert_eq!(own_now(app, &key).await.len(), 2, "a session that has ended is nobody's");
    }

    async fn a_download_by_a_person_is_recorded_as_theirs(app: TestApp) {
        let (project, cookie) = app.signed_in(Role::Member).await;
        let key = app.add_key(&project, &READS_AND_WRITES).await;
        app.call(Method::POST, "/v1/logs", &key).json(&sent("a", 200)).send().await.unwrap();
        app.get_as(&cookie, &format!("/projects/{}/logs/a/response", project.id)).await.text().await.unwrap();
        let logs = own(app, &key, 2).await;
        let log = logs.iter().find(|log| log["endpoint"] == "GET_projects_{project}_logs_{id}_response").unwrap_or_else(|| panic!("{logs:?}"));
        assert_eq!((&log["user_email"], &log["channel"]), (&json!("member@example.com"), &json!("WEBSITE")));
        assert_eq!(log["resource"], json!({"type": "api_log", "id": "a"}));
        assert!(log["notes"].as_array().unwrap().contains(&json!("not captured")));
    }

    async fn what_sends_records_in_is_left_out(app: TestApp) {
        let key = app.add_key(&app.add_project("shop").await, &READS_AND_WRITES).await;
        for _ in 0..3 {
            app.call(Method::POST, "/v1/logs", &key).json(&sent("a", 200)).send().await.unwrap();
        }
        app.call(Method::POST, "/v1/logs", &key).body("broken").send().await.unwrap();
        app.get("/health/live").await;
        app.call(Method::GET, "/v1/logs/a", &key).send().await.unwrap().text().await.unwrap();
        assert_eq!(endpoints(&own(app, &key, 1).await), ["GET_v1_logs_{id}"]);
    }

    async fn nothing_is_lost_when_the_server_stops(app: TestApp) {
        let key = app.add_key(&app.add_project("shop").await, &READS_AND_WRITES).await;
        let calls = (0..20).map(|_| async { app.call(Method::GET, "/v1/logs", &key).send().await.unwrap().text().await.unwrap() });
        futures::future::join_all(calls).await;
        app.server.recordings.close();
        tokio::time::timeout(Duration::from_secs(10), app.server.recordings.wait()).await.unwrap();
        assert_eq!(own_now(app, &key).await.len(), 20);
    }
}

//! Which records an export's filters choose: days before now, either of two, the Logs tab's own arguments; and how far it says it is.

use std::collections::BTreeSet;

use audit_log::model::export::Exported;
use audit_log::model::rights::{Rights, Scope};
use audit_log::server::access::issue::IssuedKey;
use audit_log::server::exporting::Encoder;
use audit_log::server::exporting::plan::Plan;
use audit_log::server::exporting::read::Records;
use audit_log::server::selection::records::context;
use audit_log::server::store::projects::Project;
use audit_log::server::store::tasks::{self, NewTask};
use reqwest::Method;
use serde_json::{Value, json};

use crate::exports_api::ALL;
use crate::support::TestApp;

const DAY_MS: i64 = 86_400_000;

/// The ids of the records that an export with these parameters holds, read as its job would.
async fn ids(app: &TestApp, project: &Project, exported: Exported, filters: Value) -> BTreeSet<String> {
    let context = context(&app.server, project, Rights::of_scopes(&ALL));
    let parameters = json!({"fields": ["id"], "filters": filters});
    let plan = Plan::read(exported, &parameters, &context).unwrap_or_else(|error| panic!("{filters}: {error}"));
    let rules = app.server.mask(project.key).await.unwrap();
    let (mut records, mut out) = (
        Records::new(app.db(), &app.server.key, &rules, project.key, &plan),
        Vec::new(),
    );
    let mut encoder = Encoder::begin(&plan, &mut out).unwrap();
    while records.next(&mut encoder, &mut out).await.unwrap() {}
    encoder.end(&mut out).unwrap();
    let lines = String::from_utf8(out).unwrap();
    lines.lines().skip(1).map(str::to_owned).collect()
}

fn set(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

async fn send(app: &TestApp, key: &IssuedKey, logs: Value) {
    let sent = app.call(Method::POST, "/v1/logs", key).json(&logs).send().await.unwrap();
    assert_eq!(sent.status(), 201, "{}", sent.text().await.unwrap());
}

/// Logs of which each differs from the others in what filters ask for.
fn varied() -> Value {
    json!([
        {"id": "plain", "method": "GET", "url": "/v1/plain", "status_code": 200, "channel": "API", "user_email": "ada@example.com", "user_id": "usr_1",
            "app_id": "app_1", "app_name": "Shop", "ip": "10.0.0.1", "request_duration": 3},
        {"id": "wrong", "method": "POST", "url": "/v1/Ünique?word=QUERY", "status_code": 404, "channel": "WEBSITE", "user_id": "usr_2", "ip": "10.0.0.2",
            "request_id": "req-2", "request_duration": 900, "resource": {"type": "voucher", "id": "v_1"}, "request": {"body": {"say": "Needle"}}},
        {"id": "broken", "method": "DELETE", "url": "/v1/other", "status_code": 503, "client_app_id": "client_1", "app_name": "Shop",
            "resource": {"type": "campaign", "id": "c_1"}, "response": {"headers": {"x-served-by": "edge-9"}, "body": "a nEEdle in the answer"}},
        {"id": "silent", "method": "PUT", "url": "/v1/silent", "status_code": null, "origin": "application"},
    ])
}

for_each_db! {
    async fn a_list_is_narrowed_and_what_a_file_lacks_is_noted(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &[Scope::Read, Scope::ExportsWrite]).await;
        let mut notes = Vec::new();
        for (object, fields) in [("api_log", json!(["id", "url", "request_body"])), ("async_action", json!(["id"])), ("api_log", json!(["id"]))] {
            let asked = json!({"exported_object": object, "parameters": {"fields": fields}});
            let made: Value = app.call(Method::POST, "/v1/exports", &key).json(&asked).send().await.unwrap().json().await.unwrap();
            notes.push(made["notes"].as_array().map_or(0, Vec::len));
        }
        assert_eq!(notes, [2, 0, 0]);
        for (query, status, total) in [
            ("exported_object=api_log&status=SCHEDULED&order=-status", 200, 2),
            ("exported_object=!api_log", 200, 1),
            ("status=DONE", 200, 0),
            ("status=PERHAPS", 400, 0),
            ("colour=red", 200, 3),
        ] {
            let answer = app.call(Method::GET, &format!("/v1/exports?{query}"), &key).send().await.unwrap();
            assert_eq!(answer.status().as_u16(), status, "{query}");
            let list: Value = answer.json().await.unwrap();
            assert_eq!(list["total"].as_i64().unwrap_or_default(), total, "{query}: {list}");
        }
    }

    async fn days_are_counted_from_now(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &ALL).await;
        // 2026-11-26T12:00:00Z, whatever the time is here.
        let noon = 1_795_694_400_000;
        app.pass(noon - app.server.clock.now_ms());
        let log = |id: &str, back_ms: i64| json!({"id": id, "method": "GET", "url": "/", "status_code": 200, "created_at": noon - back_ms});
        send(app, &key, json!([
            log("soon", -DAY_MS / 48), log("today", DAY_MS / 4), log("yesterday", DAY_MS * 3 / 4), log("older", DAY_MS * 7 / 4), log("old", DAY_MS * 9 / 4),
        ])).await;
        for (conditions, expected) in [
            (json!({"$is_days_ago": [0]}), set(&["soon", "today"])),
            (json!({"$is_days_ago": [1]}), set(&["yesterday"])),
            (json!({"$is_days_ago": ["1", 2]}), set(&["yesterday", "older", "old"])),
            (json!({"$is_days_in_future": [0]}), set(&["soon", "today"])),
            (json!({"$is_days_in_future": [1]}), set(&[])),
            (json!({"$more_than_ago": [1]}), set(&["older", "old"])),
            (json!({"$more_than": [2]}), set(&["old"])),
            (json!({"$less_than_ago": [1]}), set(&["today", "yesterday"])),
            (json!({"$less_than": [2], "$more_than": [1]}), set(&["older"])),
            (json!({"$more_than_future": [0]}), set(&["soon"])),
            (json!({"$less_than_future": [1]}), set(&["soon"])),
            (json!({"$more_than_future": [1]}), set(&[])),
            (json!({"$more_than_equal": ["2026-11-26"]}), set(&["soon", "today"])),
        ] {
            let under = |junction: &str| json!({"junction": junction, "created_at": {"conditions": conditions}});
            assert_eq!(ids(app, &project, Exported::ApiLog, under("and")).await, expected, "{conditions}");
            if conditions.as_object().unwrap().len() == 1 {
                assert_eq!(ids(app, &project, Exported::ApiLog, under("or")).await, expected, "{conditions}");
            }
        }
        // By its door, and of a field that no list filters by.
        tasks::add(app.db(), project.key, &NewTask { id: "t".to_owned(), kind: "A.B".to_owned(), ..NewTask::default() }, noon - DAY_MS).await.unwrap();
        let updated = |op: &str| json!({"updated_at": {"conditions": {op: [1]}}});
        assert_eq!(ids(app, &project, Exported::AsyncAction, updated("$is_days_ago")).await, set(&["t"]));
        assert_eq!(ids(app, &project, Exported::AsyncAction, updated("$less_than_ago")).await, set(&[]));
        let parameters = json!({"filters": {"channel": {"conditions": {"$is_days_ago": [1]}}}});
        let refused = app.call(Method::POST, "/v1/exports", &key).json(&json!({"exported_object": "api_log", "parameters": parameters})).send().await.unwrap();
        assert_eq!(refused.status(), 400);
        assert!(refused.text().await.unwrap().contains("channel: $is_days_ago compares times"));
    }

    async fn the_logs_tabs_arguments_mean_the_same_under_either_junction(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &ALL).await;
        send(app, &key, varied()).await;
        for (field, op, value, expected) in [
            ("q", "$contains", "EDGE-9", set(&["broken"])),
            ("q", "$contains", "needle", set(&["wrong", "broken"])),
            ("q", "$contains", "query", set(&["wrong"])),
            ("q", "$not_contain", "needle", set(&["plain", "silent"])),
            ("request_body", "$contains", "NEEDLE", set(&["wrong"])),
            ("response_body", "$contains", "needle", set(&["broken"])),
            ("path", "$contains", "üNIQUE", set(&["wrong"])),
            ("path", "$not_contain", "/V1/", set(&[])),
            ("path", "$ends_with", "other", set(&["broken"])),
            ("code", "$in", "4xx", set(&["wrong"])),
            ("status_code", "$in", "none", set(&["silent"])),
            ("code", "$not_in", "400-599", set(&["plain", "silent"])),
            ("code", "$more_than_equal", "404", set(&["wrong", "broken"])),
            ("method", "$in", "delete", set(&["broken"])),
            ("status", "$is", "success", set(&["plain"])),
            ("slower", "$more_than", "3", set(&["wrong"])),
            ("user", "$in", "ada@example.com", set(&["plain"])),
            ("user", "$in", "usr_2", set(&["wrong"])),
            ("user", "$not_in", "usr_2", set(&["plain", "broken", "silent"])),
            ("user", "$has_value", "", set(&["plain", "wrong"])),
            ("app_id", "$in", "Shop", set(&["plain"])),
            ("app_id", "$not_in", "Shop", set(&["wrong", "broken", "silent"])),
            ("client_app_id", "$in", "Shop", set(&["broken"])),
            ("request_id", "$in", "req-2", set(&["wrong"])),
            ("id", "$in", "silent", set(&["silent"])),
            ("resource", "$in", "voucher", set(&["wrong"])),
            ("resource", "$in", "campaign:c_1", set(&["broken"])),
            ("resource", "$not_in", "voucher", set(&["plain", "broken", "silent"])),
            ("ip", "$in", "10.0.0.1", set(&["plain"])),
            ("channel", "$in", "WEBSITE", set(&["wrong"])),
            ("endpoint", "$in", "GET_v1_plain", set(&["plain"])),
        ] {
            for junction in ["and", "or"] {
                let filters = json!({"junction": junction, field: {"conditions": {op: [value]}}});
                assert_eq!(ids(app, &project, Exported::ApiLog, filters).await, expected, "{junction} {field} {op} {value}");
            }
        }
        let either = json!({"junction": "OR", "q": {"conditions": {"$contains": ["edge-9"]}}, "code": {"conditions": {"$in": ["none"]}},
            "request_duration": {"conditions": {"$less_than": [4]}}});
        assert_eq!(ids(app, &project, Exported::ApiLog, either).await, set(&["broken", "silent", "plain"]));
        // Through the door and the queue, the plan is kept whole.
        let workers = app.work();
        let parameters = json!({"fields": ["id"], "order": "created_at", "filters": {"junction": "or", "path": {"conditions": {"$contains": ["other"]}},
            "created_at": {"conditions": {"$more_than_ago": [5]}}}});
        let begun = app.call(Method::POST, "/v1/exports", &key).json(&json!({"exported_object": "api_log", "parameters": parameters})).send().await.unwrap();
        let begun: Value = begun.json().await.unwrap();
        let export = crate::exports_api::over(app, &key, begun["id"].as_str().unwrap()).await;
        workers.stop().await;
        assert_eq!((export["status"].as_str(), export["rows"].as_i64()), (Some("DONE"), Some(1)), "{export}");
    }

    async fn progress_is_told_on_the_way(app: TestApp) {
        let project = app.add_project("shop").await;
        let now_ms = app.server.clock.now_ms();
        for number in 0..2_500 {
            let task = NewTask { id: format!("t-{number}"), kind: "A.B".to_owned(), ..NewTask::default() };
            tasks::add(app.db(), project.key, &task, now_ms - 1_000_000 + number * 100).await.unwrap();
        }
        let context = context(&app.server, &project, Rights::of_scopes(&ALL));
        for order in ["created_at", "-created_at"] {
            let plan = Plan::read(Exported::AsyncAction, &json!({"order": order}), &context).unwrap();
            let rules = app.server.mask(project.key).await.unwrap();
            let (mut records, mut out) = (Records::new(app.db(), &app.server.key, &rules, project.key, &plan), Vec::new());
            let mut encoder = Encoder::begin(&plan, &mut out).unwrap();
            let mut told = Vec::new();
            while records.next(&mut encoder, &mut out).await.unwrap() {
                told.push(records.progress());
            }
            assert_eq!((records.rows, told.len()), (2_500, 3), "{told:?}");
            assert!((35..=45).contains(&told[0]) && (75..=85).contains(&told[1]) && told[2] == 99, "{told:?}");
        }
    }
}

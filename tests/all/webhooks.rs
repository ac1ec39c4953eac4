//! Endpoints, events and sendouts by the API.

use std::time::{Duration, Instant};

use audit_log::model::rights::{Role, Scope};
use audit_log::server::access::issue::IssuedKey;
use audit_log::server::config::Config;
use audit_log::server::webhooks;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Receiver, TestApp};

pub const ALL: [Scope; 7] = Scope::ALL;

/// Opens this machine to webhooks, which is where receivers of tests are.
pub fn allow(config: &mut Config) {
    config.webhook_allow = vec!["127.0.0.0/8".parse().unwrap()];
}

/// A call that must answer so; its JSON.
pub async fn ask(app: &TestApp, key: &IssuedKey, method: Method, path: &str, body: Value, code: u16) -> Value {
    let call = app.call(method, path, key);
    let call = if body.is_null() { call } else { call.json(&body) };
    let answer = call.send().await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    assert_eq!(status, code, "{path}: {text}");
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

pub async fn add_endpoint(app: &TestApp, key: &IssuedKey, wish: Value) -> Value {
    ask(app, key, Method::POST, "/v1/webhooks", wish, 201).await
}

pub async fn post_event(app: &TestApp, key: &IssuedKey, event: Value) -> Value {
    ask(app, key, Method::POST, "/v1/events", event, 201).await
}

/// A sendout, once `holds` is true of it.
pub async fn until(app: &TestApp, key: &IssuedKey, id: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let patience = Instant::now() + Duration::from_secs(30);
    loop {
        let sendout = ask(app, key, Method::GET, &format!("/v1/webhook-sendouts/{id}"), Value::Null, 200).await;
        if holds(&sendout) {
            return sendout;
        }
        assert!(Instant::now() < patience, "it never came to that: {sendout:#}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

for_each_db! {
    with allow;

    async fn an_endpoint_is_made_changed_and_deleted(app: TestApp) {
        let key = app.add_key(&app.add_project("shop").await, &ALL).await;
        let made = add_endpoint(app, &key, json!({"target_url": "https://example.com/hook", "events": ["voucher.*"], "headers": {"x-a": "1"},
            "description": "d", "rate_limit": 5, "source": "distribution"})).await;
        assert!(made["secret"].as_str().unwrap().starts_with("whsec_"), "{made}");
        let id = made["id"].as_str().unwrap();
        let path = format!("/v1/webhooks/{id}");
        let one = ask(app, &key, Method::GET, &path, Value::Null, 200).await;
        assert_eq!((&one["secret"], &one["headers"]["x-a"], &one["rate_limit"]), (&Value::Null, &json!("1"), &json!(5)));
        let changed = ask(app, &key, Method::PUT, &path, json!({"active": false, "rate_limit": null, "headers": {}}), 200).await;
        assert_eq!((&changed["active"], &changed["rate_limit"], &changed["description"]), (&json!(false), &Value::Null, &json!("d")));
        let rotated = ask(app, &key, Method::POST, &format!("{path}/rotate-secret"), Value::Null, 200).await;
        assert_ne!(rotated["secret"], made["secret"]);
        assert!(rotated["old_secret_until"].is_string());
        ask(app, &key, Method::DELETE, &path, Value::Null, 204).await;
        ask(app, &key, Method::GET, &path, Value::Null, 404).await;
        let list = ask(app, &key, Method::GET, "/v1/webhooks", Value::Null, 200).await;
        assert_eq!(list["data"], json!([]));
    }

    async fn what_is_wrong_is_said(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &ALL).await;
        for (wish, word) in [
            (json!({"target_url": "ftp://example.com"}), "target_url"),
            (json!({"target_url": "http://10.0.0.1/"}), "private"),
            (json!({"target_url": "http://[::ffff:169.254.169.254]/"}), "--webhook-allow"),
            (json!({"target_url": "http://2130706434:80/"}), ""),
            (json!({"target_url": "https://a:b@example.com"}), "password"),
            (json!({"target_url": "https://example.com", "events": ["a b"]}), "events"),
            (json!({"target_url": "https://example.com", "headers": {"webhook-id": "x"}}), "webhook-id"),
            (json!({"target_url": "https://example.com", "headers": {"a\nb": "x"}}), "headers"),
            (json!({"target_url": "https://example.com", "rate_limit": 0}), "rate_limit"),
            (json!({"target_url": "https://example.com", "color": "x"}), "color"),
            (json!({}), "target_url"),
        ] {
            if word.is_empty() {
                // 127.0.0.2 in another form, which this test's configuration opens.
                add_endpoint(app, &key, wish).await;
                continue;
            }
            let said = ask(app, &key, Method::POST, "/v1/webhooks", wish.clone(), 422).await;
            assert!(said["details"].as_str().unwrap().contains(word), "{wish}: {said}");
        }
        ask(app, &key, Method::POST, "/v1/events", json!({"type": "a b", "data": {}}), 422).await;
        ask(app, &key, Method::POST, "/v1/events", json!({"type": "a"}), 422).await;
        ask(app, &key, Method::POST, "/v1/webhook-sendouts/retry", json!({"colour": "x"}), 422).await;
        ask(app, &key, Method::GET, "/v1/webhook-sendouts/so_1", Value::Null, 404).await;
        let reader = app.add_key(&project, &[Scope::Read]).await;
        ask(app, &reader, Method::POST, "/v1/webhooks", json!({"target_url": "https://example.com"}), 403).await;
        ask(app, &reader, Method::POST, "/v1/events", json!({"type": "a", "data": {}}), 403).await;
    }

    async fn nobody_posts_under_this_service_s_own_types(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &[Scope::EventsWrite]).await;
        let document: Value = serde_json::from_slice(&app.command(&["openapi"], "").stdout).unwrap();
        let described = document["paths"]["/v1/events"]["post"]["description"].as_str().unwrap();
        let own = ["export.done", "export.failed", "task.failed", "webhook.disabled", "chain.head", "log.failure", "alert.fired", "alert.resolved", "webhook.test"];
        for kind in own {
            let said = ask(app, &key, Method::POST, "/v1/events", json!({"type": kind, "data": {}}), 422).await;
            let details = said["details"].as_str().unwrap();
            assert!(details.starts_with("type: ") && own.iter().all(|kind| details.contains(kind)), "{details}");
            assert!(described.contains(kind), "{described}");
        }
        for kind in ["export.done.again", "Export.done", "task.failing"] {
            post_event(app, &key, json!({"type": kind, "data": {}})).await;
        }
    }

    async fn an_event_is_sent_to_who_wants_it_and_once(app: TestApp) {
        let key = app.add_key(&app.add_project("shop").await, &ALL).await;
        let receiver = Receiver::start(|_, _| Answer::code(204)).await;
        let sender = webhooks::start(&app.server).await.unwrap();
        let wants = add_endpoint(app, &key, json!({"target_url": receiver.url(), "events": ["voucher.*"], "headers": {"x-own": "y"}})).await;
        add_endpoint(app, &key, json!({"target_url": receiver.url(), "events": ["order.paid"]})).await;
        add_endpoint(app, &key, json!({"target_url": receiver.url(), "source": "distribution"})).await;
        let event = json!({"type": "voucher.created", "data": {"z": 1, "a": 2.50}, "id": "order-1", "entity_id": "v_1", "group_id": "req_1", "source": "project"});
        let posted = post_event(app, &key, event.clone()).await;
        assert_eq!(posted["sendouts"].as_array().unwrap().len(), 1, "{posted}");
        assert_eq!(post_event(app, &key, event).await, posted, "a repeat is answered as the first was");
        ask(app, &key, Method::POST, "/v1/events", json!({"type": "voucher.created", "data": {}, "id": "order-1"}), 409).await;
        let seen = receiver.until(1).await.remove(0);
        let id = posted["sendouts"][0].as_str().unwrap();
        assert_eq!((seen.header("webhook-id"), seen.header("x-own"), seen.header("content-type")), (id, "y", "application/json"));
        let body: Value = serde_json::from_slice(&seen.body).unwrap();
        assert_eq!((&body["id"], &body["type"], &body["event"]["id"]), (&json!(id), &json!("voucher.created"), &json!("order-1")));
        assert_eq!((&body["source"]["id"], &body["source"]["object"]), (&wants["id"], &json!("webhook")));
        assert_eq!((&body["event"]["group_id"], &body["event"]["event_source"]["api_key"]["name"]), (&json!("req_1"), &json!("test key")));
        let sendout = until(app, &key, id, |sendout| sendout["status"] == "SUCCEEDED").await;
        assert_eq!(sendout["body"], body, "what is shown is what was sent");
        let attempt = &sendout["attempts"][0];
        assert_eq!((&attempt["response_code"], &attempt["number"]), (&json!(204), &json!(1)), "{attempt}");
        assert!(attempt["timings"]["connect_us"].is_i64() && attempt["timings"]["first_byte_us"].is_i64(), "{attempt}");
        assert_eq!(attempt["request_headers"]["webhook-id"], id);
        assert_eq!(receiver.count(), 1);
        sender.stop().await;
    }

    async fn bodies_are_for_those_who_may_read_them(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &ALL).await;
        let reader = app.add_key(&project, &[Scope::Read]).await;
        let receiver = Receiver::start(|_, _| Answer::With(200, vec![("x-b", "c".to_owned())], "thanks".to_owned())).await;
        let sender = webhooks::start(&app.server).await.unwrap();
        let endpoint = add_endpoint(app, &key, json!({"target_url": receiver.url(), "headers": {"x-a": "secret"}})).await;
        let posted = post_event(app, &key, json!({"type": "a", "data": {"secret": true}})).await;
        let id = posted["sendouts"][0].as_str().unwrap();
        let whole = until(app, &key, id, |sendout| sendout["status"] == "SUCCEEDED").await;
        assert_eq!(whole["attempts"][0]["response_body"], "thanks");
        assert_eq!(whole["attempts"][0]["response_headers"]["x-b"], "c");
        let part = until(app, &reader, id, |_| true).await;
        assert_eq!((&part["body"], &part["notes"]), (&Value::Null, &json!(["not allowed"])));
        assert_eq!(part["attempts"][0]["response_body"], Value::Null);
        let seen = ask(app, &reader, Method::GET, &format!("/v1/webhooks/{}", endpoint["id"].as_str().unwrap()), Value::Null, 200).await;
        assert_eq!(seen["headers"], Value::Null);
        sender.stop().await;
    }

    async fn sendouts_are_filtered_and_exported(app: TestApp) {
        let key = app.add_key(&app.add_project("shop").await, &ALL).await;
        let receiver = Receiver::start(|before, _| Answer::code(if before == 0 { 500 } else { 200 })).await;
        let sender = webhooks::start(&app.server).await.unwrap();
        let endpoint = add_endpoint(app, &key, json!({"target_url": receiver.url()})).await;
        let bad = post_event(app, &key, json!({"type": "a.b", "data": 1, "group_id": "req_9"})).await;
        let bad = bad["sendouts"][0].as_str().unwrap();
        until(app, &key, bad, |sendout| sendout["status"] == "RETRYING").await;
        let good = post_event(app, &key, json!({"type": "a.c", "data": 1})).await;
        let good = good["sendouts"][0].as_str().unwrap();
        until(app, &key, good, |sendout| sendout["status"] == "SUCCEEDED").await;
        let webhook = format!("webhook={}", endpoint["id"].as_str().unwrap());
        for (query, expected) in [
            ("", vec![good, bad]),
            (&webhook, vec![good, bad]),
            ("status=RETRYING", vec![bad]),
            ("type=a.c", vec![good]),
            ("request_id=req_9", vec![bad]),
            ("code=5xx", vec![bad]),
            ("code=!500", vec![good]),
            ("source=distribution", vec![]),
            ("order=created_at&limit=1", vec![bad]),
        ] {
            let list = ask(app, &key, Method::GET, &format!("/v1/webhook-sendouts?{query}"), Value::Null, 200).await;
            let ids: Vec<&str> = list["data"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect();
            assert_eq!(ids, expected, "{query}");
        }
        let workers = app.work();
        let export = ask(app, &key, Method::POST, "/v1/exports", json!({"exported_object": "webhook_sendout",
            "parameters": {"fields": ["id", "status", "response_code"], "filters": {"status": {"conditions": {"$is": ["RETRYING"]}}}}}), 200).await;
        let path = format!("/v1/exports/{}", export["id"].as_str().unwrap());
        let patience = Instant::now() + Duration::from_secs(30);
        let file = loop {
            let export = ask(app, &key, Method::GET, &path, Value::Null, 200).await;
            if let Some(url) = export["result"]["url"].as_str() {
                break app.client.get(url).send().await.unwrap().text().await.unwrap();
            }
            assert!(Instant::now() < patience, "{export}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        assert_eq!(file.trim_end(), format!("id,status,response_code\r\n{bad},RETRYING,500"));
        // Its own event goes the same way.
        let done = receiver.until(3).await.remove(2);
        let body: Value = serde_json::from_slice(&done.body).unwrap();
        assert_eq!((&body["type"], &body["data"]["rows"]), (&json!("export.done"), &json!(1)), "{body}");
        workers.stop().await;
        sender.stop().await;
    }

    async fn failed_logs_are_told_with_a_count_and_a_log_has_its_timeline(app: TestApp) {
        let key = app.add_key(&app.add_project("shop").await, &ALL).await;
        let receiver = Receiver::start(|_, _| Answer::code(200)).await;
        add_endpoint(app, &key, json!({"target_url": receiver.url(), "events": ["log.failure", "voucher.created"]})).await;
        let log = |id: &str, headers: Value| json!({"id": id, "method": "GET", "url": "/v1/a", "status_code": 500, "request_id": "req_7", "request": {"headers": headers}});
        let logs = json!([log("a", json!({})), log("b", json!({})), log("c", json!({"Webhook-Id": "so_1"}))]);
        ask(app, &key, Method::POST, "/v1/logs", logs, 201).await;
        let sender = webhooks::start(&app.server).await.unwrap();
        let body: Value = serde_json::from_slice(&receiver.until(1).await[0].body).unwrap();
        assert_eq!((&body["type"], &body["data"]["endpoint"], &body["data"]["count"]), (&json!("log.failure"), &json!("GET_v1_a"), &json!(2)));
        let posted = post_event(app, &key, json!({"type": "voucher.created", "data": {}, "group_id": "req_7"})).await;
        until(app, &key, posted["sendouts"][0].as_str().unwrap(), |sendout| sendout["status"] == "SUCCEEDED").await;
        let timeline = ask(app, &key, Method::GET, "/v1/logs/a/timeline", Value::Null, 200).await;
        let objects: Vec<&str> = timeline["data"].as_array().unwrap().iter().map(|one| one["object"].as_str().unwrap()).collect();
        assert_eq!(objects, ["api_log", "api_log", "api_log", "event", "webhook_sendout", "attempt"], "all with its request id: {timeline:#}");
        sender.stop().await;
    }

    async fn what_was_sent_is_exported_for_those_who_may_read_it(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &ALL).await;
        let reader = app.add_key(&project, &[Scope::Read, Scope::ExportsWrite]).await;
        add_endpoint(app, &key, json!({"target_url": "https://example.com/", "events": ["a.b"]})).await;
        post_event(app, &key, json!({"type": "a.b", "data": {"code": "SUMMER-24"}})).await;
        let workers = app.work();
        let make = async |by: &IssuedKey, parameters: Value| -> Value {
            let wish = json!({"exported_object": "webhook_sendout", "parameters": parameters});
            let made = ask(app, by, Method::POST, "/v1/exports", wish, 200).await;
            let path = format!("/v1/exports/{}", made["id"].as_str().unwrap());
            let patience = Instant::now() + Duration::from_secs(30);
            loop {
                let export = ask(app, by, Method::GET, &path, Value::Null, 200).await;
                if export["status"] == "DONE" {
                    return export;
                }
                assert!(Instant::now() < patience, "{export}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let file = async |export: &Value| app.client.get(export["result"]["url"].as_str().unwrap()).send().await.unwrap().text().await.unwrap();
        let all = json!({"fields": ["type", "data"], "format": "ndjson"});
        let export = make(&key, all.clone()).await;
        assert_eq!(serde_json::from_str::<Value>(&file(&export).await).unwrap(), json!({"type": "a.b", "data": {"code": "SUMMER-24"}}));
        let one = ask(app, &reader, Method::GET, &format!("/v1/exports/{}", export["id"].as_str().unwrap()), Value::Null, 200).await;
        assert_eq!(one["result"], Value::Null, "who may not read bodies does not get the file of one who may");
        let export = make(&reader, all).await;
        assert_eq!(serde_json::from_str::<Value>(&file(&export).await).unwrap(), json!({"type": "a.b", "data": null}));
        // Without the data a file is for everyone, whoever made it.
        let plain = make(&key, json!({"fields": ["type"]})).await;
        let one = ask(app, &reader, Method::GET, &format!("/v1/exports/{}", plain["id"].as_str().unwrap()), Value::Null, 200).await;
        assert!(one["result"]["url"].is_string(), "{one}");
        let by_data = json!({"filters": {"data": {"conditions": {"$contains": ["SUMMER"]}}}});
        let wish = json!({"exported_object": "webhook_sendout", "parameters": by_data});
        ask(app, &reader, Method::POST, "/v1/exports", wish, 403).await;
        let found = make(&key, by_data).await;
        assert_eq!(found["rows"], 1, "{found}");
        workers.stop().await;
    }

    async fn a_reported_task_that_failed_is_told_once(app: TestApp) {
        let key = app.add_key(&app.add_project("shop").await, &ALL).await;
        let receiver = Receiver::start(|_, _| Answer::code(200)).await;
        add_endpoint(app, &key, json!({"target_url": receiver.url(), "events": ["task.failed"]})).await;
        let sender = webhooks::start(&app.server).await.unwrap();
        let report = json!({"type": "VOUCHERS.IMPORT_CSV", "id": "aa_1", "request_id": "req_5", "status": "IN_PROGRESS"});
        ask(app, &key, Method::POST, "/v1/async-actions", report, 201).await;
        let failed = json!({"status": "FAILED", "result": {"message": "the file is empty"}});
        ask(app, &key, Method::PATCH, "/v1/async-actions/aa_1", failed.clone(), 200).await;
        ask(app, &key, Method::PATCH, "/v1/async-actions/aa_1", failed, 409).await;
        ask(app, &key, Method::POST, "/v1/async-actions", json!({"type": "B", "id": "aa_2", "status": "FAILED"}), 201).await;
        ask(app, &key, Method::POST, "/v1/async-actions", json!({"type": "C", "id": "aa_3", "status": "DONE"}), 201).await;
        let mut told: Vec<Value> = receiver.until(2).await.iter().map(|seen| serde_json::from_slice(&seen.body).unwrap()).collect();
        told.sort_by_key(|body| body["data"]["id"].as_str().unwrap().to_owned());
        assert_eq!((&told[0]["type"], &told[0]["data"]["message"]), (&json!("task.failed"), &json!("the file is empty")), "{}", told[0]);
        assert_eq!((&told[0]["event"]["group_id"], &told[1]["data"]["id"]), (&json!("req_5"), &json!("aa_2")));
        let list = ask(app, &key, Method::GET, "/v1/webhook-sendouts?type=task.failed", Value::Null, 200).await;
        assert_eq!(list["data"].as_array().unwrap().len(), 2, "{list}");
        sender.stop().await;
    }

    async fn a_reported_export_that_failed_is_told(app: TestApp) {
        let key = app.add_key(&app.add_project("shop").await, &ALL).await;
        let receiver = Receiver::start(|_, _| Answer::code(200)).await;
        add_endpoint(app, &key, json!({"target_url": receiver.url(), "events": ["export.failed"]})).await;
        let sender = webhooks::start(&app.server).await.unwrap();
        for status in ["SCHEDULED", "DONE"] {
            ask(app, &key, Method::POST, "/v1/exports/reported", json!({"exported_object": "order", "status": status}), 201).await;
        }
        let failed = json!({"exported_object": "voucher", "status": "ERROR", "file_name": "v.csv", "parameters": {"asked_by": "ada@example.com"}});
        let export = ask(app, &key, Method::POST, "/v1/exports/reported", failed, 201).await;
        let body: Value = serde_json::from_slice(&receiver.until(1).await[0].body).unwrap();
        let data = &body["data"];
        assert_eq!((&body["type"], &data["id"], &data["status"]), (&json!("export.failed"), &export["id"], &json!("ERROR")), "{body}");
        assert_eq!((&data["exported_object"], &data["file_name"]), (&json!("voucher"), &json!("v.csv")), "{body}");
        assert!(data["error"].as_str().unwrap().contains("application") && body["event"]["group_id"].is_string(), "{body}");
        assert!(!body.to_string().contains("ada@"), "what it reported as parameters may name people: {body}");
        let list = ask(app, &key, Method::GET, "/v1/webhook-sendouts?type=export.failed", Value::Null, 200).await;
        assert_eq!(list["data"].as_array().unwrap().len(), 1, "{list}");
        sender.stop().await;
    }

    async fn a_story_is_the_same_wherever_it_is_begun(app: TestApp) {
        let (project, cookie) = app.signed_in(Role::Auditor).await;
        let key = app.add_key(&project, &ALL).await;
        add_endpoint(app, &key, json!({"target_url": "https://example.com/"})).await;
        ask(app, &key, Method::POST, "/v1/async-actions", json!({"type": "ORDERS.BOOK", "id": "aa_8", "request_id": "req_8"}), 201).await;
        app.pass(5);
        let posted = post_event(app, &key, json!({"type": "order.booked", "data": {"secret": "hunter2"}, "group_id": "req_8"})).await;
        let sendout = posted["sendouts"][0].as_str().unwrap();
        let told = async |project: &str, thing: &str, id: &str, code: u16| -> String {
            let answer = app.get_as(&cookie, &format!("/api/timeline?project={project}&thing={thing}&id={id}&query=tz%3Dutc")).await;
            assert_eq!(answer.status(), code, "{thing} {id}");
            answer.text().await.unwrap()
        };
        let things = |text: &str| -> Vec<String> {
            let page: Value = serde_json::from_str(text).unwrap();
            page["all"].as_array().unwrap().iter().map(|one| one["thing"].as_str().unwrap().to_owned()).collect()
        };
        let text = told(&project.id, "webhook_sendout", sendout, 200).await;
        assert_eq!(things(&text), ["async_action", "event", "webhook_sendout"], "without a single log: {text}");
        assert!(!text.contains("hunter2"), "what is said is not in it");
        let of_task = told(&project.id, "async_action", "aa_8", 200).await;
        assert_eq!(things(&of_task), things(&text));
        told(&project.id, "webhook_sendout", "so_none", 404).await;
        told(&project.id, "api_log", "none", 404).await;
        let elsewhere = app.add_project("other").await;
        told(&elsewhere.id, "async_action", "aa_8", 404).await;
    }
}

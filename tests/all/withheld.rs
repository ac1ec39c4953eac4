//! What a role may not see is not told by tasks and exports either: who cancelled, and reasons that may quote what was sent.

use std::time::Duration;

use audit_log::model::rights::{Role, Scope};
use audit_log::server::access::REMEMBERED_MS;
use audit_log::server::access::issue::IssuedKey;
use audit_log::server::store::accounts;
use audit_log::server::webhooks;
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::support::{Answer, Receiver, TestApp};
use crate::webhooks::{ALL, add_endpoint, allow, ask};

/// The key whose name stands for who did it.
const KEY: &str = "test key";

async fn json_of(app: &TestApp, method: Method, path: &str, key: &IssuedKey) -> Value {
    app.call(method, path, key).send().await.unwrap().json().await.unwrap()
}

for_each_db! {
    with allow;

    async fn who_cancelled_is_told_to_those_who_may_see_users(app: TestApp) {
        let (project, cookie) = app.signed_in(Role::Auditor).await;
        let key = app.add_key(&project, &ALL).await;
        let begun = app.call(Method::POST, "/v1/exports", &key).json(&json!({"exported_object": "api_log"})).send().await.unwrap();
        let begun: Value = begun.json().await.unwrap();
        let (export, task) = (begun["id"].as_str().unwrap(), begun["async_action_id"].as_str().unwrap());
        json_of(app, Method::POST, &format!("/v1/async-actions/{task}/cancel"), &key).await;
        let cancelled = json_of(app, Method::GET, &format!("/v1/async-actions/{task}"), &key).await;
        assert_eq!(cancelled["result"]["message"], format!("Cancelled by {KEY}").as_str(), "a key may see it");

        let pages = [format!("tasks/{task}"), format!("exports/{export}"), "exports".to_owned(), format!("tasks/{task}/result")];
        for (may_see, bodies) in [(true, true), (false, true), (false, false)] {
            accounts::set_rights(app.db(), project.key, Role::Auditor, bodies, may_see).await.unwrap();
            app.pass(REMEMBERED_MS);
            for (place, page) in pages.iter().enumerate() {
                let answer = app.get_as(&cookie, &format!("/projects/{}/{page}", project.id)).await;
                if place == 3 && !bodies {
                    assert_eq!(answer.status(), 403, "{page}");
                    continue;
                }
                assert_eq!(answer.status(), 200, "{page}");
                let text = answer.text().await.unwrap();
                assert_eq!(text.contains(KEY), may_see, "{page} {may_see}");
                if !may_see && place < 2 {
                    assert!(text.contains("by whom: not allowed"), "{page}");
                }
            }
        }
    }

    async fn endpoints_are_not_told_who_cancelled_nor_what_names_people(app: TestApp) {
        let (project, cookie) = app.signed_in(Role::Owner).await;
        let key = app.add_key(&project, &ALL).await;
        let receiver = Receiver::start(|_, _| Answer::code(200)).await;
        let events = json!(["task.failed", "export.failed"]);
        add_endpoint(app, &key, json!({"target_url": receiver.url(), "events": events})).await;
        let sender = webhooks::start(&app.server).await.unwrap();
        let filters = json!({"user": {"conditions": {"$in": ["grace@example.com"]}}});
        let wish = json!({"exported_object": "api_log", "parameters": {"filters": filters}});
        for by_key in [true, false] {
            let begun = ask(app, &key, Method::POST, "/v1/exports", wish.clone(), 200).await;
            let task = begun["async_action_id"].as_str().unwrap();
            if by_key {
                ask(app, &key, Method::POST, &format!("/v1/async-actions/{task}/cancel"), Value::Null, 202).await;
            } else {
                let fields = [("project", project.id.as_str()), ("id", task)];
                let answer = app.post_form("/api/cancel_task", &fields).header("cookie", cookie.as_str()).send().await.unwrap();
                assert_eq!(answer.status(), 200);
            }
            let page = app.get_as(&cookie, &format!("/projects/{}/tasks/{task}", project.id)).await.text().await.unwrap();
            assert!(page.contains("Cancelled by "), "the page says who");
        }
        let seen = receiver.until(4).await;
        for request in &seen {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            let said = if body["type"] == "task.failed" { &body["data"]["message"] } else { &body["data"]["error"] };
            assert_eq!(said, "Cancelled", "{body}");
            let text = body.to_string();
            assert!(!text.contains(KEY) && !text.contains("@example.com"), "{body}");
        }
        sender.stop().await;
    }

    async fn reasons_that_may_quote_go_with_the_right_to_bodies(app: TestApp) {
        let (project, cookie) = app.signed_in(Role::Auditor).await;
        let key = app.add_key(&project, &ALL).await;
        let reader = app.add_key(&project, &[Scope::Read]).await;
        let form = Form::new().part("file", Part::text("{\"log\":{\"entries\":[{\"startedDateTime\": hush").file_name("torn.har"));
        let sent = app.call(Method::POST, "/v1/logs/import", &key).multipart(form).send().await.unwrap();
        let sent: Value = sent.json().await.unwrap();
        let task = sent["async_action_id"].as_str().unwrap();
        let workers = app.work();
        let mut told = Value::Null;
        for _ in 0..200 {
            told = json_of(app, Method::GET, &format!("/v1/async-actions/{task}"), &key).await;
            if told["status"] == "FAILED" {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        workers.stop().await;
        assert!(told["result"]["message"].as_str().unwrap().contains("Nothing was imported"), "{told}");
        let seen = json_of(app, Method::GET, &format!("/v1/async-actions/{task}"), &reader).await;
        assert_eq!((seen["status"].as_str(), &seen["result"]), (Some("FAILED"), &Value::Null), "{seen}");
        // The rows that were not taken are bodies: reading tasks is not enough.
        let rejected = app.call(Method::GET, &format!("/v1/async-actions/{task}/rejected"), &reader).send().await.unwrap();
        assert_eq!(rejected.status(), 403);

        for may_see in [true, false] {
            accounts::set_rights(app.db(), project.key, Role::Auditor, may_see, true).await.unwrap();
            app.pass(REMEMBERED_MS);
            let page = app.get_as(&cookie, &format!("/projects/{}/tasks/{task}", project.id)).await.text().await.unwrap();
            assert_eq!(page.contains("Nothing was imported"), may_see, "{may_see}");
            assert_eq!(page.contains("not allowed: it may quote what was sent"), !may_see, "the try's own reason");
            assert_eq!(page.contains("Result: not allowed."), !may_see);

            assert_eq!(page.contains("Parameters: not allowed."), !may_see);
        }
    }
}

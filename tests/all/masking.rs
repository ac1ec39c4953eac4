//! A project's own masking rules: at every door, before anything is stored, and on what is shown of what was sent elsewhere. `masking_page` settles them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use audit_log::model::masking::{MaskRule, RuleKind};
use audit_log::model::rights::{Role, Scope};
use audit_log::server::access::issue::IssuedKey;
use audit_log::server::ingest::import::{self, Format, ImportError, ImportParts, MaskNow};
use audit_log::server::ingest::mask::MaskRules;
use audit_log::server::masking::{self, REMEMBERED_MS};
use audit_log::server::store::StoreError;
use audit_log::server::store::masking as store;
use audit_log::server::store::projects::Project;
use audit_log::server::webhooks;
use reqwest::Method;
use serde_json::{Value, json};

use crate::imports_api::{begin, over};
use crate::recording::own;
use crate::support::{Answer, Receiver, TestApp};
use crate::webhooks::{ALL, add_endpoint, allow, ask, post_event, until};

const MAIL: &str = r"[\w.+-]+@[\w-]+(\.[\w-]+)+";

pub fn rule(kind: RuleKind, text: &str) -> MaskRule {
    MaskRule {
        kind,
        text: text.to_owned(),
        note: String::new(),
    }
}

/// One of each kind.
pub fn rules() -> Vec<MaskRule> {
    vec![
        rule(RuleKind::Header, "X-Customer"),
        rule(RuleKind::Key, "nickname"),
        rule(RuleKind::Path, "$.customer.address.line1"),
        rule(RuleKind::Pattern, MAIL),
    ]
}

async fn give(app: &TestApp, project: &Project, rules: &[MaskRule]) {
    masking::replace(&app.server, project.key, None, rules).await.unwrap();
}

/// A log that has something for each rule to find, and its twin that nothing is found in.
pub fn sent(id: &str) -> Value {
    json!({
        "id": id,
        "method": "POST",
        "url": "/v1/customers/ada%40example.com/orders?nickname=lady&to=grace@example.org",
        "status_code": 201,
        "user_agent": "shop of ada@example.com",
        "request": {
            "headers": {"X-Customer": "c-17", "X-Other": "from ada@example.com"},
            "body": {"customer": {"id": 17, "nickname": "lady", "address": {"line1": "12 High Street", "city": "London"}}, "line1": "stays", "note": "write to ada@example.com"},
        },
        "response": {"headers": {"content-type": "text/plain"}, "body": "sent to ada@example.com, thanks"},
    })
}

/// Fails unless all is masked that the rules are about, and nothing else.
async fn assert_masked(app: &TestApp, key: &IssuedKey, id: &str) {
    let log = ask(app, key, Method::GET, &format!("/v1/logs/{id}"), Value::Null, 200).await;
    assert_eq!(log["url"], "/v1/customers/masked/orders?nickname=masked&to=masked", "{log}");
    assert_eq!(log["endpoint"], "POST_v1_customers_masked_orders", "{log}");
    assert_eq!(log["user_agent"], "shop of masked");
    assert_eq!(
        log["request"]["headers"],
        json!({"X-Customer": "masked", "X-Other": "from masked"})
    );
    let body = json!({"customer": {"id": 17, "nickname": "masked", "address": {"line1": "masked", "city": "London"}}, "line1": "stays", "note": "write to masked"});
    assert_eq!(log["request"]["body"], body);
    assert_eq!(log["response"]["body"], "sent to masked, thanks");
    assert_eq!(log["notes"], json!(["masked"]));
    let found = ask(app, key, Method::GET, "/v1/logs?from=-1h&q=example.com", Value::Null, 200).await;
    assert_eq!(found["data"], json!([]), "nothing of it is stored");
}

pub async fn post(app: &TestApp, key: &IssuedKey, kind: &str, body: String) -> u16 {
    let call = app
        .call(Method::POST, "/v1/logs", key)
        .header("content-type", kind.to_owned())
        .body(body);
    call.send().await.unwrap().status().as_u16()
}

for_each_db! {
    with allow;

    async fn a_call_is_masked_in_each_of_its_forms_and_only_in_its_project(app: TestApp) {
        let (project, other) = (app.add_project("shop").await, app.add_project("other").await);
        let (key, elsewhere) = (app.add_key(&project, &ALL).await, app.add_key(&other, &ALL).await);
        give(app, &project, &rules()).await;
        assert_eq!(post(app, &key, "application/json", sent("one").to_string()).await, 201);
        assert_eq!(post(app, &key, "application/json", json!([sent("of-many"), sent("of-many-2")]).to_string()).await, 201);
        assert_eq!(post(app, &key, "application/x-ndjson", format!("{}\n{}\n", sent("line"), sent("line-2"))).await, 201);
        for id in ["one", "of-many", "of-many-2", "line", "line-2"] {
            assert_masked(app, &key, id).await;
        }
        assert_eq!(post(app, &elsewhere, "application/json", sent("one").to_string()).await, 201);
        let log = ask(app, &elsewhere, Method::GET, "/v1/logs/one", Value::Null, 200).await;
        assert_eq!((&log["request"]["body"], &log["notes"]), (&sent("one")["request"]["body"], &json!([])));
        assert_eq!(log["endpoint"], "POST_v1_customers_{id}_orders");
    }

    async fn a_project_keeps_built_in_names_but_not_how_somebody_signs_in(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &ALL).await;
        give(app, &project, &[rule(RuleKind::Key, "!token"), rule(RuleKind::Header, "!X-Api-Key")]).await;
        let log = json!({"id": "one", "method": "GET", "url": "/v1/a?session_token=s-1&api_key=q-1", "status_code": 200, "request": {
            "headers": {"X-Api-Key": "k-1", "X-Token": "h-1", "Authorization": "Bearer b-1", "Cookie": "token=c-1"},
            "body": {"token": "t-1", "access_token": "t-2", "password": "p-1", "api_key": "k-2"},
        }});
        assert_eq!(post(app, &key, "application/json", log.to_string()).await, 201);
        let log = ask(app, &key, Method::GET, "/v1/logs/one", Value::Null, 200).await;
        assert_eq!(log["request"]["body"], json!({"token": "t-1", "access_token": "t-2", "password": "masked", "api_key": "masked"}));
        assert_eq!(log["request"]["headers"], json!({"X-Api-Key": "k-1", "X-Token": "h-1", "Authorization": "Bearer masked", "Cookie": "token=masked"}));
        assert_eq!(log["url"], "/v1/a?session_token=s-1&api_key=masked");
    }

    async fn users_and_addresses_of_applications_are_masked_and_this_service_s_own_are_not(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &ALL).await;
        let log = |id: &str| json!({"id": id, "method": "GET", "url": "/v1/a", "status_code": 200, "user_email": "ada@example.com", "user_id": "u-17", "ip": "203.0.113.7",
            "request": {"headers": {"X-Forwarded-For": "203.0.113.7, 2001:db8:1:2::3", "X-Other": "203.0.113.7"}}});
        let stored = async |id: &str| ask(app, &key, Method::GET, &format!("/v1/logs/{id}"), Value::Null, 200).await;
        give(app, &project, &[rule(RuleKind::User, "email"), rule(RuleKind::Ip, "network")]).await;
        assert_eq!(post(app, &key, "application/json", log("some").to_string()).await, 201);
        let some = stored("some").await;
        assert_eq!((&some["user_email"], &some["user_id"], &some["ip"]), (&json!("masked"), &json!("u-17"), &json!("203.0.113.0")), "{some}");
        assert_eq!(some["request"]["headers"], json!({"X-Forwarded-For": "203.0.113.0, 2001:db8:1::", "X-Other": "203.0.113.7"}));
        assert_eq!(some["notes"], json!(["masked"]));
        let found = ask(app, &key, Method::GET, "/v1/logs?from=-1h&ip=203.0.113.0", Value::Null, 200).await;
        assert_eq!(found["data"][0]["id"], "some", "what is left of it is found");
        let whom = ask(app, &key, Method::GET, "/v1/logs?from=-1h&q=ada", Value::Null, 200).await;
        assert_eq!(whom["data"], json!([]), "nothing of it is stored");

        give(app, &project, &[rule(RuleKind::User, "id"), rule(RuleKind::User, "email"), rule(RuleKind::Ip, "whole")]).await;
        let workers = app.work();
        over(app, &key, &begin(app, &key, "logs.ndjson", log("by-import").to_string()).await).await;
        workers.stop().await;
        let all = stored("by-import").await;
        assert_eq!((&all["user_email"], &all["user_id"], &all["ip"]), (&json!("masked"), &json!("masked"), &json!("masked")), "{all}");
        assert_eq!(all["request"]["headers"]["X-Forwarded-For"], "masked");

        let own = own(app, &key, 1).await.swap_remove(0);
        assert_eq!((&own["ip"], &own["app_id"]), (&json!("127.0.0.1"), &json!(key.app_id)), "who asked this service, and from where, stays");
    }

    async fn a_file_is_masked_by_api_and_by_command_and_its_original_is_not(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &ALL).await;
        give(app, &project, &rules()).await;
        let workers = app.work();
        let content = format!("{}\n{}\n", sent("by-api"), json!({"method": "GET", "url": "/v1/a", "status_code": "99 by ada@example.com"}));
        let id = begin(app, &key, "logs.ndjson", content.clone()).await;
        let task = over(app, &key, &id).await;
        assert_eq!((&task["result"]["done_count"], &task["result"]["failed_count"]), (&json!(1), &json!(1)), "{task}");
        assert!(!task["result"].to_string().contains("ada@"), "what is shown of it is masked: {task}");
        assert_masked(app, &key, "by-api").await;
        let rejected = app.call(Method::GET, &format!("/v1/async-actions/{id}/rejected"), &key).send().await.unwrap().text().await.unwrap();
        assert!(rejected.contains("99 by ada@example.com"), "what is to be mended and sent again is whole: {rejected}");
        let log = task["log_id"].as_str().unwrap();
        let original = app.call(Method::GET, &format!("/v1/logs/{log}/import-file"), &key).send().await.unwrap();
        assert_eq!(original.text().await.unwrap(), content, "the original is whole");
        workers.stop().await;

        let path = app.folder().join("b.ndjson");
        std::fs::write(&path, sent("by-command").to_string()).unwrap();
        let done = app.command(&["import", path.to_str().unwrap(), "--project", &project.id, "--mask-keys", "city"], "");
        assert!(done.status.success(), "{done:?}");
        let log = ask(app, &key, Method::GET, "/v1/logs/by-command", Value::Null, 200).await;
        assert_eq!(log["request"]["body"]["customer"]["address"], json!({"line1": "masked", "city": "masked"}));
        assert_eq!(log["response"]["body"], "sent to masked, thanks");
    }

    async fn rules_that_are_made_while_an_import_runs_act_on_what_is_yet_to_come(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &ALL).await;
        let line = |nth: usize| format!("{}\n", json!({"id": format!("i-{nth}"), "method": "GET", "url": "/a", "status_code": 200, "request": {"body": {"nickname": "lady"}}}));
        let content: String = (0..2_500).map(line).collect();
        // Of three batches the first comes before the rule, and before the third the rules cannot be read any more.
        let asked = AtomicUsize::new(0);
        let mask = MaskNow::new(move || match asked.fetch_add(1, Ordering::SeqCst) {
            0 => Ok(Arc::default()),
            1 => Ok(Arc::new(MaskRules::with([""; 0], ["nickname"]))),
            _ => Err(StoreError::Corrupt("the rules".to_owned())),
        });
        let parts = ImportParts {
            project: project.key,
            now_ms: app.server.clock.now_ms(),
            retention_ms: i64::MAX,
            mask,
            endpoints: app.server.endpoints(project.key).await.unwrap(),
            random: app.server.random.clone(),
            writer: app.server.writer.clone(),
            may_be_own: false,
            guarded: false,
        };
        let broken = import::run(parts, Format::Ndjson, std::io::Cursor::new(content), |_, _| {}).await;
        assert!(matches!(broken, Err(ImportError::Write(_))), "{broken:?}");
        let stored = async |nth: usize| ask(app, &key, Method::GET, &format!("/v1/logs/i-{nth}"), Value::Null, 200).await["request"]["body"]["nickname"].clone();
        assert_eq!((stored(999).await, stored(1_000).await, stored(1_999).await), (json!("lady"), json!("masked"), json!("masked")));
        ask(app, &key, Method::GET, "/v1/logs/i-2000", Value::Null, 404).await;
    }

    async fn requests_to_this_service_are_masked_too(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &ALL).await;
        give(app, &project, &[rule(RuleKind::Pattern, MAIL), rule(RuleKind::Header, "X-Mine"), rule(RuleKind::Path, "$.result.place")]).await;
        let call = app.call(Method::POST, "/v1/async-actions?by=ada%40example.com", &key);
        let task = json!({"type": "A", "id": "a", "status": "DONE", "result": {"to": "grace@example.org", "place": "London"}});
        let answer = call.header("x-mine", "mine").json(&task).send().await.unwrap();
        assert_eq!(answer.status(), 201);
        answer.text().await.unwrap();
        let log = own(app, &key, 1).await.into_iter().find(|log| log["method"] == "POST").unwrap();
        assert_eq!((&log["url"], &log["request"]["headers"]["x-mine"]), (&json!("/v1/async-actions?by=masked"), &json!("masked")), "{log}");
        assert_eq!(log["request"]["body"]["result"], json!({"to": "masked", "place": "masked"}));
        assert!(!log.to_string().contains("@example"), "{log}");
    }

    async fn rules_of_another_server_act_within_seconds_and_unreadable_ones_refuse_everything(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &ALL).await;
        let body = json!({"method": "GET", "url": "/a", "status_code": 200, "request": {"body": {"nickname": "lady"}}});
        let send = async |id: &str| {
            let mut log = body.clone();
            log["id"] = json!(id);
            app.call(Method::POST, "/v1/logs", &key).json(&log).send().await.unwrap()
        };
        let stored = async |id: &str| ask(app, &key, Method::GET, &format!("/v1/logs/{id}"), Value::Null, 200).await["request"]["body"]["nickname"].clone();
        assert_eq!(send("before").await.status(), 201);
        // As another server on the same database would.
        assert!(store::replace(app.db(), project.key, None, &[rule(RuleKind::Key, "nickname")], 0).await.unwrap().is_some());
        app.pass(REMEMBERED_MS);
        assert_eq!(send("after").await.status(), 201);
        assert_eq!((stored("before").await, stored("after").await), (json!("lady"), json!("masked")));

        assert!(store::replace(app.db(), project.key, None, &[rule(RuleKind::Pattern, "a(")], 0).await.unwrap().is_some());
        app.pass(REMEMBERED_MS);
        let refused = send("unmasked").await;
        assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (503, "5"));
        let refused: Value = refused.json().await.unwrap();
        assert!(refused["details"].as_str().unwrap().contains("nothing was stored"), "{refused}");
        give(app, &project, &[rule(RuleKind::Key, "nickname")]).await;
        assert_eq!(send("again").await.status(), 201);
        assert_eq!(stored("again").await, "masked", "what was mended acts at once");
        ask(app, &key, Method::GET, "/v1/logs/unmasked", Value::Null, 404).await;
        give(app, &project, &[]).await;
        assert_eq!(send("plain").await.status(), 201);
        assert_eq!(stored("plain").await, "lady");
    }

    async fn what_is_sent_by_webhook_is_masked_where_it_is_shown_and_nowhere_else(app: TestApp) {
        let (project, cookie) = app.signed_in(Role::Owner).await;
        let key = app.add_key(&project, &ALL).await;
        give(app, &project, &[rule(RuleKind::Pattern, MAIL), rule(RuleKind::Path, "$.place"), rule(RuleKind::Path, "$.data.street"), rule(RuleKind::Header, "X-Node")]).await;
        let receiver = Receiver::start(|_, _| Answer::With(200, vec![("x-node", "node-7".to_owned())], "thanks ada@example.com".to_owned())).await;
        let sender = webhooks::start(&app.server).await.unwrap();
        add_endpoint(app, &key, json!({"target_url": receiver.url(), "headers": {"x-api-key": "k-own"}})).await;
        let data = json!({"to": "ada@example.com", "password": "hunter2", "place": "London", "street": "High Street", "n": 1});
        let posted = post_event(app, &key, json!({"type": "a", "data": data, "entity_id": "ada@example.com"})).await;
        let id = posted["sendouts"][0].as_str().unwrap();
        let whole = until(app, &key, id, |sendout| sendout["status"] == "SUCCEEDED").await;
        sender.stop().await;

        let seen = receiver.seen();
        let body: Value = serde_json::from_slice(&seen[0].body).unwrap();
        assert_eq!((&body["data"], &body["event"]["entity_id"]), (&data, &json!("ada@example.com")), "it is sent whole");
        assert_eq!(seen[0].header("x-api-key"), "k-own");

        let masked = json!({"to": "masked", "password": "masked", "place": "masked", "street": "masked", "n": 1});
        assert_eq!((&whole["body"]["data"], &whole["body"]["event"]["entity_id"], &whole["notes"]), (&masked, &json!("masked"), &json!(["masked"])), "{whole:#}");
        assert_eq!(whole["body"]["event"]["event_source"]["api_key"]["name"], "test key", "what this service itself says stays");
        let attempt = &whole["attempts"][0];
        assert_eq!((&attempt["request_headers"]["x-api-key"], &attempt["response_headers"]["x-node"]), (&json!("masked"), &json!("masked")), "{attempt}");
        assert_eq!((&attempt["response_body"], &attempt["notes"]), (&json!("thanks masked"), &json!(["masked"])));

        let page = format!("/projects/{}/sendouts/{id}", project.id);
        for path in [page.clone(), format!("{page}/data"), format!("/api/sendout?project={}&id={id}&query=", project.id)] {
            let text = app.get_as(&cookie, &path).await.text().await.unwrap();
            for secret in ["ada@", "hunter2", "London", "High Street", "k-own", "node-7"] {
                assert!(!text.contains(secret), "{secret} in {path}: {text}");
            }
            assert!(text.contains("masked"), "{path}: {text}");
        }
        assert!(app.get_as(&cookie, &page).await.text().await.unwrap().contains("it was sent and received whole"));

        let workers = app.work();
        let wish = json!({"exported_object": "webhook_sendout", "parameters": {"fields": ["data"], "format": "ndjson"}});
        let made = ask(app, &key, Method::POST, "/v1/exports", wish, 200).await;
        let export = loop {
            let export = ask(app, &key, Method::GET, &format!("/v1/exports/{}", made["id"].as_str().unwrap()), Value::Null, 200).await;
            if export["status"] == "DONE" {
                break export;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        };
        let file = app.client.get(export["result"]["url"].as_str().unwrap()).send().await.unwrap().text().await.unwrap();
        assert_eq!(serde_json::from_str::<Value>(&file).unwrap(), json!({"data": masked}), "Browse data shows it, so it is masked, too");
        workers.stop().await;
    }

    async fn what_a_task_says_of_what_was_sent_is_masked(app: TestApp) {
        let (project, cookie) = app.signed_in(Role::Member).await;
        let key = app.add_key(&project, &ALL).await;
        give(app, &project, &[rule(RuleKind::Pattern, MAIL)]).await;
        let result = json!({"message": "ada@example.com is no code", "failed": [{"row": 1, "source_id": "grace@example.org", "reason": "ada@example.com"}], "failed_count": 1});
        let new = json!({"type": "A", "id": "a", "status": "DONE", "result": result});
        ask(app, &key, Method::POST, "/v1/async-actions", new, 201).await;
        let task = ask(app, &key, Method::GET, "/v1/async-actions/a", Value::Null, 200).await;
        let masked = json!({"message": "masked is no code", "failed": [{"row": 1, "source_id": "masked", "reason": "masked"}], "failed_count": 1});
        assert_eq!(task["result"], masked);
        let page = format!("/projects/{}/tasks/a", project.id);
        for path in [page.clone(), format!("{page}/result")] {
            let text = app.get_as(&cookie, &path).await.text().await.unwrap();
            assert!(text.contains("is no code") && !text.contains("ada@") && !text.contains("grace@"), "{path}: {text}");
        }
    }

    async fn a_hundred_rules_are_kept_in_their_order(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &[Scope::Read, Scope::ReadBodies, Scope::LogsWrite]).await;
        let mut many: Vec<MaskRule> = (0..50).map(|nth| rule(RuleKind::Pattern, &format!("secret-{nth}-[0-9]+"))).collect();
        many.extend((0..50).map(|nth| rule(RuleKind::Path, &format!("$.a[{nth}].b"))));
        give(app, &project, &many).await;
        assert_eq!(masking::rules(&app.server, project.key).await.unwrap(), many);
        let body = json!({"id": "x", "method": "GET", "url": "/secret-49-1", "status_code": 200, "request": {"body": {"a": [{"b": 1}, {"b": 2}], "c": "secret-7-22 and secret-7-"}}});
        assert_eq!(post(app, &key, "application/json", body.to_string()).await, 201);
        let log = ask(app, &key, Method::GET, "/v1/logs/x", Value::Null, 200).await;
        assert_eq!(log["request"]["body"], json!({"a": [{"b": "masked"}, {"b": "masked"}], "c": "masked and secret-7-"}));
        assert_eq!((&log["url"], &log["endpoint"]), (&json!("/masked"), &json!("GET_masked")));
        many.push(rule(RuleKind::Key, "one-too-many"));
        assert!(masking::replace(&app.server, project.key, None, &many).await.is_err());
    }
}

//! Endpoints' secrets, their own headers and what is sent stay out of recordings, out of the server's own lines, and out of the database as plain text.

use std::time::{Duration, Instant};

use audit_log::model::rights::{Role, Scope};
use audit_log::server::access::issue::IssuedKey;
use audit_log::server::webhooks;
use reqwest::Method;
use serde_json::{Value, json};

use crate::kill::Victim;
use crate::recording::own;
use crate::support::{Answer, Receiver, TestApp};
use crate::webhooks::{ALL, allow, ask, post_event, until};
use crate::webhooks_kill::call;

/// In everything here that is nobody's business: own headers, data, what receivers answer.
const NEEDLE: &str = "Nadel-im-Heu";

fn hidden(what: &str) -> String {
    format!("{NEEDLE} {what}")
}

/// Fails where a secret, or what is hidden, lies open in a text.
fn assert_hidden(text: &str, secrets: &[String], whose: &str) {
    for secret in secrets.iter().map(String::as_str).chain([NEEDLE]) {
        if let Some(place) = text.find(secret) {
            let from = text.floor_char_boundary(place.saturating_sub(200));
            panic!("{whose}: {}", &text[from..text.ceil_char_boundary(place + 100)]);
        }
    }
}

fn secret_of(answer: &Value) -> String {
    let secret = answer["secret"].as_str().unwrap_or_else(|| panic!("no secret: {answer}"));
    assert!(secret.starts_with("whsec_"), "{secret}");
    // Without what all of them begin with.
    secret["whsec_".len()..].to_owned()
}

/// A call under an `Idempotency-Key`, twice: the answer, which is the same.
async fn twice(app: &TestApp, key: &IssuedKey, path: &str, body: &Value) -> Value {
    let mut answers = Vec::new();
    for _ in 0..2 {
        let call = app
            .call(Method::POST, path, key)
            .header("idempotency-key", path.replace('/', "-"));
        let answer = call.json(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answers.push(answer.json::<Value>().await.unwrap());
    }
    assert_eq!(answers[0], answers[1]);
    answers.remove(0)
}

/// A call of the pages' own.
async fn by_page(app: &TestApp, cookie: &str, path: &str, body: Value) -> Value {
    let answer = app
        .request(Method::POST, path)
        .header("cookie", cookie)
        .json(&body)
        .send()
        .await
        .unwrap();
    let (code, text) = (answer.status(), answer.text().await.unwrap());
    assert_eq!(code, 200, "{path}: {text}");
    serde_json::from_str(&text).unwrap()
}

for_each_db! {
    with allow;

    async fn secrets_headers_and_data_stay_out_of_recordings(app: TestApp) {
        let (project, cookie) = app.signed_in(Role::Owner).await;
        let key = app.add_key(&project, &ALL).await;
        let reader = app.add_key(&project, &[Scope::Read]).await;
        let receiver = Receiver::start(|before, _| {
            Answer::With(if before == 0 { 500 } else { 200 }, vec![("x-answer", hidden("answer"))], hidden("answer"))
        }).await;
        let sender = webhooks::start(&app.server).await.unwrap();
        let wish = |headers: Value| json!({"target_url": receiver.url(), "events": ["a"], "headers": headers});
        let own_header = || wish(json!({"x-own": hidden("header")}));

        // Made, and answered again; refused for its scope, for a header, for its shape.
        let made = twice(app, &key, "/v1/webhooks", &own_header()).await;
        let path = format!("/v1/webhooks/{}", made["id"].as_str().unwrap());
        ask(app, &reader, Method::POST, "/v1/webhooks", own_header(), 403).await;
        ask(app, &key, Method::POST, "/v1/webhooks", wish(json!({"x-own": hidden("header"), "not a name": "x"})), 422).await;
        ask(app, &key, Method::POST, "/v1/webhooks", wish(json!(hidden("header"))), 422).await;
        ask(app, &key, Method::PUT, &path, own_header(), 200).await;
        let rotated = twice(app, &key, &format!("{path}/rotate-secret"), &Value::Null).await;
        // By the page.
        let of_page = json!({"target_url": receiver.url(), "events": ["b"], "headers": [["x-own", hidden("header")]], "send_paused": false});
        let fresh = by_page(app, &cookie, "/api/create_endpoint", json!({"project": project.id, "wish": of_page})).await;
        let changed = json!({"project": project.id, "id": fresh["id"], "wish": of_page});
        by_page(app, &cookie, "/api/update_endpoint", changed).await;
        let form = [("project", project.id.as_str()), ("id", fresh["id"].as_str().unwrap())];
        let again = app.post_form("/api/rotate_secret", &form).header("cookie", &cookie).send().await.unwrap();
        let again: Value = again.json().await.unwrap();
        // Sent, by the wrong method too; read, and sent again.
        let event = json!({"type": "a", "data": {"x": hidden("data")}});
        ask(app, &key, Method::PUT, "/v1/events", event.clone(), 405).await;
        let posted = post_event(app, &key, event).await;
        let sendout = format!("/v1/webhook-sendouts/{}", posted["sendouts"][0].as_str().unwrap());
        let id = posted["sendouts"][0].as_str().unwrap();
        until(app, &key, id, |sendout| sendout["attempts_count"] == 1).await;
        ask(app, &key, Method::POST, &format!("{sendout}/retry"), Value::Null, 202).await;
        let whole = until(app, &key, id, |sendout| sendout["status"] == "SUCCEEDED").await;
        assert_eq!(whole["body"]["data"]["x"], hidden("data"), "who asks for it is given it");
        sender.stop().await;

        let secrets = [&made, &rotated, &fresh, &again].map(secret_of);
        // The sign-in, eight calls about endpoints, three of the page, one event that was refused, and those about the sendout.
        let logs = own(app, &key, 16).await;
        for (endpoint, count) in [("POST_v1_webhooks", 5), ("PUT_v1_webhooks_{id}", 1), ("POST_v1_webhooks_{id}_rotate-secret", 2),
            ("POST_api_create_endpoint", 1), ("POST_api_update_endpoint", 1), ("POST_api_rotate_secret", 1), ("PUT_v1_events", 1),
            ("POST_v1_webhook-sendouts_{id}_retry", 1)] {
            let found: Vec<&Value> = logs.iter().filter(|log| log["endpoint"] == endpoint).collect();
            assert_eq!(found.len(), count, "{endpoint}: {logs:#?}");
            // Of what only answers with a secret, the log has what was changed.
            if !endpoint.ends_with("_retry") && endpoint != "POST_api_rotate_secret" {
                assert!(found.iter().all(|log| log["notes"].as_array().unwrap().contains(&json!("not captured"))), "{found:#?}");
            }
        }
        for log in &logs {
            assert_hidden(&log.to_string(), &secrets, "a recording");
        }
        if app.database_url.starts_with("sqlite") {
            for file in ["audit-log.db", "audit-log.db-wal"] {
                let bytes = std::fs::read(app.folder().join(file)).unwrap_or_default();
                assert_hidden(&String::from_utf8_lossy(&bytes), &secrets, file);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_headers_and_data_stay_out_of_the_servers_own_lines() {
    let receiver = Receiver::start(|before, _| {
        let code = if before == 0 { 500 } else { 200 };
        Answer::With(code, vec![("x-answer", hidden("answer"))], hidden("answer"))
    })
    .await;
    let mut victim = Victim::new(None);
    let lines = victim.folder.path().join("lines");
    victim.lines = Some(lines.clone());
    victim.environment = vec![
        ("AUDIT_LOG_WEBHOOK_ALLOW", "127.0.0.0/8".to_owned()),
        ("AUDIT_LOG_WEBHOOK_SCHEDULE", "1,1".to_owned()),
        ("AUDIT_LOG_LOG_LEVEL", "trace".to_owned()),
    ];
    victim.start().await;
    let ask = async |method: Method, path: &str, body: Value| -> Value {
        let answer = call(&victim, method, path).json(&body).send().await.unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default()
    };
    let mut secrets = Vec::new();
    // One that fails first, one that speaks no TLS, one where nobody is.
    let speaks_none = receiver.url().replace("http:", "https:");
    for (kind, url) in [
        ("a", receiver.url()),
        ("b", speaks_none),
        ("c", "http://127.0.0.1:1/".to_owned()),
    ] {
        let wish = json!({"target_url": url, "events": [kind], "headers": {"x-own": hidden("header")}});
        let made = ask(Method::POST, "/v1/webhooks", wish).await;
        secrets.push(secret_of(&made));
        let path = format!("/v1/webhooks/{}/rotate-secret", made["id"].as_str().unwrap());
        secrets.push(secret_of(&ask(Method::POST, &path, Value::Null).await));
    }
    ask(
        Method::POST,
        "/v1/webhooks",
        json!({"target_url": receiver.url(), "headers": hidden("header")}),
    )
    .await;
    for kind in ["a", "b", "c"] {
        ask(
            Method::POST,
            "/v1/events",
            json!({"type": kind, "data": {"x": hidden("data")}}),
        )
        .await;
    }
    let patience = Instant::now() + Duration::from_secs(30);
    loop {
        let over = ask(Method::GET, "/v1/webhook-sendouts?status=SUCCEEDED,FAILED", Value::Null).await;
        if over["data"].as_array().is_some_and(|over| over.len() == 3) {
            break;
        }
        assert!(Instant::now() < patience, "{over:#}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    victim.kill();
    let said = std::fs::read_to_string(lines).unwrap();
    assert!(
        said.contains("a webhook endpoint was switched off") && said.contains("TRACE"),
        "{said}"
    );
    assert_hidden(&said, &secrets, "the server's own lines");
}

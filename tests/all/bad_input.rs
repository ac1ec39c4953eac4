//! What cannot be taken is refused in words, and nothing of it is stored.

use audit_log::server::access::issue::IssuedKey;
use reqwest::{Body, Method};
use serde_json::{Value, json};

use crate::logs_api::{READS_AND_WRITES, sent};
use crate::support::TestApp;

const JSON: &str = "application/json";
const NDJSON: &str = "application/x-ndjson";

/// Sends a body that must be refused, and gives the error; nothing may be stored.
async fn refused(app: &TestApp, key: &IssuedKey, kind: &str, body: impl Into<Body>, status: u16) -> Value {
    let answer = app
        .call(Method::POST, "/v1/logs", key)
        .header("content-type", kind)
        .body(body)
        .send()
        .await
        .unwrap();
    let (got, id) = (answer.status(), answer.headers()["x-request-id"].to_str().unwrap().to_owned());
    let text = answer.text().await.unwrap();
    assert_eq!(got, status, "{text}");
    let error: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!((&error["code"], &error["request_id"]), (&json!(status), &json!(id)));
    assert!(
        error["key"].is_string() && error["message"].is_string() && error["details"].is_string(),
        "{error}"
    );
    assert_eq!(stored(app, key).await, 0, "nothing of it is stored");
    error
}

async fn stored(app: &TestApp, key: &IssuedKey) -> usize {
    let list: Value = app
        .call(Method::GET, "/v1/logs", key)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    list["data"].as_array().unwrap().len()
}

fn says(error: &Value, words: &str) {
    assert!(
        error["details"].as_str().unwrap().contains(words),
        "{words:?} is not in {error}"
    );
}

async fn key(app: &TestApp) -> IssuedKey {
    app.add_key(&app.add_project("shop").await, &READS_AND_WRITES).await
}

for_each_db! {
    async fn broken_json_is_named_by_its_line(app: TestApp) {
        let key = key(app).await;
        let lines = format!("{}\n{}\n{{\"method\": \n", sent("a", 200), sent("b", 200));
        says(&refused(app, &key, NDJSON, lines, 400).await, "line 3");
        says(&refused(app, &key, JSON, "{\"method\":", 400).await, "line 1 column");
        refused(app, &key, JSON, "", 400).await;
        refused(app, &key, JSON, "[1,", 400).await;
    }

    async fn a_wrong_entry_is_named_by_its_index_and_field(app: TestApp) {
        let key = key(app).await;
        for (field, value) in [
            ("status_code", json!(99)),
            ("status_code", json!(1000)),
            ("status_code", json!("200")),
            ("created_at", json!("2026-02-30T10:00:00Z")),
            ("created_at", json!("yesterday")),
            ("created_at", json!("2999-01-01T00:00:00Z")),
            ("method", json!(["GET"])),
            ("method", json!("G E T")),
            ("url", json!(7)),
            ("id", json!("a b")),
            ("status", json!("MAYBE")),
            ("request_duration", json!(-1)),
        ] {
            let mut wrong = sent("b", 200);
            wrong[field] = value.clone();
            let error = refused(app, &key, JSON, json!([sent("a", 200), wrong]).to_string(), 422).await;
            says(&error, "entry 1");
            says(&error, field);
        }
        let mut without = sent("a", 200);
        without.as_object_mut().unwrap().remove("url");
        says(&refused(app, &key, JSON, without.to_string(), 422).await, "url: is required");
    }

    async fn what_is_no_text_is_refused(app: TestApp) {
        let key = key(app).await;
        says(&refused(app, &key, JSON, b"{\"method\":\"G\xFFT\"}".to_vec(), 400).await, "not UTF-8");
        let mut lines = sent("a", 200).to_string().into_bytes();
        lines.extend_from_slice(b"\n\xC3\x28\n");
        says(&refused(app, &key, NDJSON, lines, 400).await, "line 2");
        let raw_nul = sent("a", 200).to_string().replace("CODE-1", "CODE\0");
        refused(app, &key, JSON, raw_nul, 400).await;
        let escaped = r#"{"id":"a","method":"GET","url":"/a","status_code":200,"request":{"body":{"a":"\u0000"}}}"#;
        let answer = app.call(Method::POST, "/v1/logs", &key).header("content-type", JSON).body(escaped).send().await.unwrap();
        assert_eq!(answer.status(), 201, "an escaped NUL is legal");
        let body = app.call(Method::GET, "/v1/logs/a/request", &key).send().await.unwrap().text().await.unwrap();
        assert_eq!(body, r#"{"a":"\u0000"}"#);
    }

    async fn arrays_without_end_are_refused(app: TestApp) {
        let key = key(app).await;
        let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let log = |body: &str| format!(r#"{{"method":"GET","url":"/a","status_code":200,"request":{{"body":{body}}}}}"#);
        says(&refused(app, &key, JSON, log(&nested), 422).await, "levels");
        refused(app, &key, JSON, nested.clone(), 400).await;
        refused(app, &key, NDJSON, nested, 400).await;
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        let answer = app.call(Method::POST, "/v1/logs", &key).header("content-type", JSON).body(log(&deep)).send().await.unwrap();
        assert_eq!(answer.status(), 201, "10,000 levels are taken");
    }

    async fn a_call_has_its_size(app: TestApp) {
        let key = key(app).await;
        // Told beforehand: refused without a byte of it being read.
        let stream = futures::stream::pending::<Result<Vec<u8>, std::io::Error>>();
        let told = app.call(Method::POST, "/v1/logs", &key).header("content-type", JSON).header("content-length", 300 << 20);
        let answer = told.body(Body::wrap_stream(stream)).send().await.unwrap();
        assert_eq!(answer.status(), 413);
        let many: Vec<Value> = (0..10_001).map(|nth| json!({"id": format!("l{nth}"), "method": "GET", "url": "/", "status_code": 200})).collect();
        says(&refused(app, &key, JSON, Value::from(many).to_string(), 413).await, "10001 entries");
        let large = json!({"method": "GET", "url": "/", "status_code": 200, "request": {"body": "x".repeat((64 << 20) + 1)}});
        says(&refused(app, &key, JSON, large.to_string(), 413).await, "request.body");
    }

    async fn a_call_whose_size_is_not_told_is_cut_off(app: TestApp) {
        let key = key(app).await;
        let sent = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let counted = sent.clone();
        let chunks = futures::stream::iter((0..300).map(move |_| {
            counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            Ok::<_, std::io::Error>(vec![b' '; 1 << 20])
        }));
        let call = app.call(Method::POST, "/v1/logs", &key).header("content-type", JSON).body(Body::wrap_stream(chunks)).send().await;
        // The server closes the connection under a client that goes on sending; most clients see the answer first.
        if let Ok(answer) = call {
            assert_eq!(answer.status(), 413);
        }
        assert!(sent.load(std::sync::atomic::Ordering::SeqCst) < 300, "it was not read to its end");
        assert_eq!(stored(app, &key).await, 0);
    }

    async fn other_types_are_refused(app: TestApp) {
        let key = key(app).await;
        for kind in ["text/plain", "application/xml", "application/jsonx", ""] {
            refused(app, &key, kind, sent("a", 200).to_string(), 415).await;
        }
    }

    async fn wrong_keys_are_refused(app: TestApp) {
        let key = key(app).await;
        let call = |token: &str| app.client.post(format!("{}/v1/logs", app.url)).header("x-app-id", &key.app_id).header("x-app-token", token).json(&sent("a", 200));
        let other = app.add_key(&app.add_project("other").await, &READS_AND_WRITES).await;
        for token in ["wrong", &other.app_token] {
            let error: Value = call(token).send().await.unwrap().json().await.unwrap();
            assert_eq!((&error["code"], &error["key"]), (&json!(401), &json!("unauthorized")));
        }
        let error: Value = app.client.get(format!("{}/v1/logs", app.url)).send().await.unwrap().json().await.unwrap();
        assert_eq!(error["code"], 401);
        assert_eq!(stored(app, &key).await, 0);
        assert_eq!(stored(app, &other).await, 0);
    }

    async fn edited_cursors_and_wrong_arguments_are_named(app: TestApp) {
        let key = key(app).await;
        let logs = json!([sent("a", 200), sent("b", 200)]);
        assert_eq!(app.call(Method::POST, "/v1/logs", &key).json(&logs).send().await.unwrap().status(), 201);
        let page: Value = app.call(Method::GET, "/v1/logs?limit=1", &key).send().await.unwrap().json().await.unwrap();
        let cursor = page["more_starting_after"].as_str().unwrap();
        let other = app.add_key(&app.add_project("other").await, &READS_AND_WRITES).await;
        let swapped = if cursor.ends_with('A') { "B" } else { "A" };
        let edited = format!("{}{swapped}", &cursor[..cursor.len() - 1]);
        for (key, argument, query) in [
            (&key, "after", format!("after={edited}")),
            (&key, "before", "before=AAAA".to_owned()),
            (&other, "after", format!("after={cursor}")),
            (&key, "limit", "limit=0".to_owned()),
            (&key, "limit", "limit=101".to_owned()),
            (&key, "order", "order=status".to_owned()),
            (&key, "from", "from=tomorrow".to_owned()),
            (&key, "from", "from=-1h&to=-2h".to_owned()),
            (&key, "code", "code=4x4".to_owned()),
            (&key, "tz", "tz=Moon/Crater".to_owned()),
            (&key, "status", "status=MAYBE".to_owned()),
            (&key, "path", "path=%00".to_owned()),
        ] {
            let answer = app.call(Method::GET, &format!("/v1/logs?{query}"), key).send().await.unwrap();
            assert_eq!(answer.status(), 400, "{query}");
            let error: Value = answer.json().await.unwrap();
            assert_eq!(error["key"], "invalid_query_params");
            says(&error, &format!("{argument}: "));
        }
    }

    async fn a_refused_call_uses_no_endpoint_names(app: TestApp) {
        let key = key(app).await;
        let name = |nth: usize| (0..4).map(|place| char::from(b'a' + (nth / 26_usize.pow(place) % 26) as u8)).collect::<String>();
        let mut logs: Vec<Value> = (0..2_100).map(|nth| json!({"method": "GET", "url": format!("/{}", name(nth)), "status_code": 200})).collect();
        logs.push(json!({"method": "GET", "url": "/last", "status_code": 99}));
        let refused = app.call(Method::POST, "/v1/logs", &key).json(&logs).send().await.unwrap();
        assert_eq!(refused.status(), 422);
        let log = json!({"id": "kept", "method": "GET", "url": "/kept/by/name", "status_code": 200});
        assert_eq!(app.call(Method::POST, "/v1/logs", &key).json(&log).send().await.unwrap().status(), 201);
        let stored: Value = app.call(Method::GET, "/v1/logs/kept", &key).send().await.unwrap().json().await.unwrap();
        assert_eq!(stored["endpoint"], "GET_kept_by_name");
    }

    async fn odd_ids_and_paths_are_not_found(app: TestApp) {
        let key = key(app).await;
        for path in ["/v1/logs/%00", "/v1/logs/a%2Fb", "/v1/logs/%FF", "/v1/logs/a'--", "/v1/nothing", "/v1", "/v1/logs/a/b/c"] {
            let answer = app.call(Method::GET, path, &key).send().await.unwrap();
            let status = answer.status().as_u16();
            let error: Value = answer.json().await.unwrap();
            assert!(matches!(status, 400 | 404), "{path}: {status}");
            assert_eq!(error["code"], status, "{path}: {error}");
        }
        let answer = app.call(Method::DELETE, "/v1/logs", &key).send().await.unwrap();
        assert_eq!(answer.status(), 405);
        assert!(answer.headers().contains_key("allow"));
        let error: Value = answer.json().await.unwrap();
        assert_eq!(error["key"], "method_not_allowed");
    }
}

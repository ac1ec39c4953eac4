//! `/v1/logs`: sending, listing, one log, its bodies and its import file.

use audit_log::model::rights::{Role, Scope};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::TestApp;

/// Everything a key of an application needs.
pub const READS_AND_WRITES: [Scope; 3] = [Scope::Read, Scope::ReadBodies, Scope::LogsWrite];

/// A log as an application sends it.
pub fn sent(id: &str, status_code: u16) -> Value {
    json!({
        "id": id,
        "method": "post",
        "url": "https://api.example.com/v1/vouchers/CODE-1/redemption?session=abc",
        "status_code": status_code,
        "channel": "API",
        "request_id": "v-1",
        "request_duration": 41,
        "user_email": "ada@example.com",
        "ip": "203.0.113.7",
        "resource": {"type": "voucher", "id": "v_123"},
        "request": {"headers": {"content-type": "application/json", "x-tag": ["a", "b"]}, "body": {"amount": 100.50, "password": "hunter2"}},
        "response": {"headers": {"content-type": "text/plain"}, "body": "no \u{20ac}uro"},
    })
}

/// A snapshot of an answer, the same on both databases.
macro_rules! snapshot {
    ($name:literal, $value:expr) => {
        let value: Value = $value;
        insta::with_settings!({prepend_module_to_snapshot => false, snapshot_path => "snapshots"}, {
            insta::assert_json_snapshot!($name, value, {
                ".request_id" => insta::dynamic_redaction(|value, _| if value.as_str().is_some_and(|id| id.starts_with("req_")) { "req_".into() } else { value }),
                ".**.created_at" => "[time]",
                ".**.app_id" => "[app]",
                ".more_starting_after" => "[cursor]",
            });
        });
    };
}

async fn json_of(request: RequestBuilder, status: u16) -> Value {
    let answer = request.send().await.unwrap();
    let (got, text) = (answer.status(), answer.text().await.unwrap());
    assert_eq!(got, status, "{text}");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

async fn send(app: &TestApp, key: &audit_log::server::access::issue::IssuedKey, body: &Value) -> Value {
    json_of(app.call(Method::POST, "/v1/logs", key).json(body), 201).await
}

for_each_db! {
    async fn a_log_comes_back_as_it_was_sent(app: TestApp) {
        let key = app.add_key(&app.add_project("shop").await, &READS_AND_WRITES).await;
        snapshot!("sent", send(app, &key, &sent("order-1", 402)).await);
        let one = json_of(app.call(Method::GET, "/v1/logs/order-1", &key), 200).await;
        snapshot!("one_log", one.clone());
        let list = json_of(app.call(Method::GET, "/v1/logs", &key), 200).await;
        assert_eq!(list["data"][0], one, "a list gives the same");
        assert_eq!((&list["has_more"], &list["object"], &list["data_ref"]), (&json!(false), &json!("list"), &json!("data")));
        snapshot!("log_not_found", json_of(app.call(Method::GET, "/v1/logs/order-2", &key), 404).await);
    }

    async fn json_bodies_keep_their_bytes(app: TestApp) {
        let key = app.add_key(&app.add_project("shop").await, &READS_AND_WRITES).await;
        let body = r#"{"z":1.50,  "a":[1e2, "\u0000"],"z":2}"#;
        let log = format!(r#"{{"id":"a","method":"GET","url":"/a","status_code":200,"request":{{"body":{body}}}}}"#);
        let request = app.call(Method::POST, "/v1/logs", &key).header("content-type", "application/json").body(log);
        json_of(request, 201).await;
        let raw = app.call(Method::GET, "/v1/logs/a/request", &key).send().await.unwrap();
        assert_eq!(raw.headers()["content-type"], "application/json");
        assert_eq!(raw.text().await.unwrap(), body);
        let whole = app.call(Method::GET, "/v1/logs/a", &key).send().await.unwrap().text().await.unwrap();
        assert!(whole.contains(body), "{whole}");
    }

    async fn arrays_and_lines_are_taken_whole(app: TestApp) {
        let key = app.add_key(&app.add_project("shop").await, &READS_AND_WRITES).await;
        let answer = send(app, &key, &json!([sent("a", 200), sent("b", 500)])).await;
        assert_eq!((&answer["accepted"], &answer["ids"]), (&json!(2), &json!(["a", "b"])));
        let lines = format!("{}\n\n{}\n", sent("b", 200), sent("c", 200));
        let request = app.call(Method::POST, "/v1/logs", &key).header("content-type", "application/x-ndjson; charset=utf-8").body(lines);
        let answer = json_of(request, 201).await;
        assert_eq!(answer, json!({"accepted": 1, "duplicates": 1, "ids": ["b", "c"]}));
        let first = json_of(app.call(Method::GET, "/v1/logs/b", &key), 200).await;
        assert_eq!(first["status_code"], 500, "the first one stays");
    }

    async fn the_same_idempotency_key_gives_the_same_answer(app: TestApp) {
        let key = app.add_key(&app.add_project("shop").await, &READS_AND_WRITES).await;
        let log = json!({"method": "GET", "url": "/a", "status_code": 200});
        let call = |body: &Value| app.call(Method::POST, "/v1/logs", &key).header("idempotency-key", "k-1").json(body);
        let first = json_of(call(&log), 201).await;
        assert_eq!(json_of(call(&log), 201).await, first);
        let conflict = json_of(call(&sent("other", 200)), 409).await;
        assert_eq!(conflict["key"], "idempotency_key_reused");
        let list = json_of(app.call(Method::GET, "/v1/logs", &key), 200).await;
        assert_eq!(list["data"].as_array().unwrap().len(), 1);
    }

    async fn pages_lead_through_every_log_once(app: TestApp) {
        let key = app.add_key(&app.add_project("shop").await, &READS_AND_WRITES).await;
        let logs: Vec<Value> = (0..7).map(|nth| sent(&format!("log-{nth}"), 200)).collect();
        send(app, &key, &Value::from(logs)).await;
        for order in ["created_at", "-created_at"] {
            let (mut seen, mut after) = (Vec::new(), String::new());
            for _ in 0..4 {
                let page = json_of(app.call(Method::GET, &format!("/v1/logs?limit=2&order={order}&after={after}"), &key), 200).await;
                seen.extend(page["data"].as_array().unwrap().iter().map(|log| log["id"].as_str().unwrap().to_owned()));
                match page["more_starting_after"].as_str() {
                    Some(next) => after = next.to_owned(),
                    None => break,
                }
            }
            seen.sort();
            assert_eq!(seen, (0..7).map(|nth| format!("log-{nth}")).collect::<Vec<_>>(), "{order}");
        }
    }

    async fn filters_choose(app: TestApp) {
        let key = app.add_key(&app.add_project("shop").await, &READS_AND_WRITES).await;
        send(app, &key, &json!([sent("ok", 200), sent("gone", 404), sent("broken", 503)])).await;
        for (query, expected) in [
            ("status=FAILURE", vec!["broken", "gone"]),
            ("code=4xx", vec!["gone"]),
            ("code=!5xx", vec!["gone", "ok"]),
            ("id=ok,broken", vec!["broken", "ok"]),
            ("q=%E2%82%ACURO&status=SUCCESS", vec!["ok"]),
            ("q=https://logs.example.com/projects/prj_1/logs/broken?status%3DFAILURE", vec!["broken"]),
            ("request_body=hunter2", vec![]),
            ("user=ada@example.com&method=post&resource=voucher:v_123", vec!["broken", "gone", "ok"]),
            ("channel=!API", vec![]),
            ("to=-1h", vec![]),
            ("origin=self", vec![]),
        ] {
            // What this test asks is recorded too, but under origin self alone.
            let query = if query == "origin=self" { "origin=self&path=nowhere" } else { query };
            let page = json_of(app.call(Method::GET, &format!("/v1/logs?{query}"), &key), 200).await;
            let mut ids: Vec<&str> = page["data"].as_array().unwrap().iter().map(|log| log["id"].as_str().unwrap()).collect();
            ids.sort_unstable();
            assert_eq!(ids, expected, "{query}");
        }
    }

    async fn without_the_right_bodies_are_not_shown(app: TestApp) {
        let project = app.add_project("shop").await;
        let writer = app.add_key(&project, &[Scope::LogsWrite]).await;
        let reader = app.add_key(&project, &[Scope::Read]).await;
        let mut log = sent("a", 200);
        log["user_agent"] = json!("shop/1.0");
        send(app, &writer, &log).await;
        let one = json_of(app.call(Method::GET, "/v1/logs/a", &reader), 200).await;
        assert_eq!((&one["request"]["body"], &one["request"]["headers"], &one["response"]["body"]), (&Value::Null, &Value::Null, &Value::Null));
        assert_eq!((&one["url"], &one["user_agent"]), (&json!("/v1/vouchers/CODE-1/redemption"), &Value::Null));
        assert_eq!((&one["request"]["content_type"], &one["response"]["content_type"]), (&Value::Null, &Value::Null));
        assert_eq!(one["notes"], json!(["masked", "not allowed"]));
        assert_eq!(json_of(app.call(Method::GET, "/v1/logs?id=a", &reader), 200).await["data"][0], one);
        for path in ["/v1/logs?q=a", "/v1/logs?request_body=a", "/v1/logs/a/request", "/v1/logs/a/response", "/v1/logs/a/import-file"] {
            let refused = json_of(app.call(Method::GET, path, &reader), 403).await;
            assert!(refused["details"].as_str().unwrap().contains("read:bodies"), "{path}: {refused}");
        }
        json_of(app.call(Method::GET, "/v1/logs", &writer), 403).await;
        json_of(app.call(Method::POST, "/v1/logs", &reader).json(&sent("b", 200)), 403).await;
    }

    async fn another_projects_logs_are_not_there(app: TestApp) {
        let ours = app.add_key(&app.add_project("ours").await, &READS_AND_WRITES).await;
        let theirs = app.add_key(&app.add_project("theirs").await, &READS_AND_WRITES).await;
        send(app, &ours, &sent("a", 200)).await;
        for path in ["/v1/logs/a", "/v1/logs/a/request", "/v1/logs/a/import-file"] {
            json_of(app.call(Method::GET, path, &theirs), 404).await;
        }
        json_of(app.call(Method::PUT, "/v1/logs/a/import-file?name=x.csv", &theirs).body("x"), 404).await;
        assert_eq!(json_of(app.call(Method::GET, "/v1/logs", &theirs), 200).await["data"], json!([]));
        assert_eq!(send(app, &theirs, &sent("a", 500)).await["accepted"], 1, "ids are one project's own");
    }

    async fn bodies_are_downloads_that_never_run(app: TestApp) {
        let key = app.add_key(&app.add_project("shop").await, &READS_AND_WRITES).await;
        let page = "<script>alert(1)</script>";
        let log = json!({"id": "a", "method": "GET", "url": "/a", "status_code": 200, "response": {"headers": {"Content-Type": "text/html"}, "body": page}});
        let binary = json!({"id": "b", "method": "GET", "url": "/b", "status_code": 200, "response": {"content_type": "image/png", "body": {"encoding": "base64", "data": "iVBORwD/"}}});
        send(app, &key, &json!([log, binary])).await;
        let answer = app.call(Method::GET, "/v1/logs/a/response", &key).send().await.unwrap();
        let headers = answer.headers().clone();
        assert_eq!(answer.text().await.unwrap(), page);
        assert_eq!(headers["content-type"], "text/html");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert!(headers["content-disposition"].to_str().unwrap().starts_with("attachment; filename=\"a-response."));
        assert!(headers["content-security-policy"].to_str().unwrap().starts_with("sandbox; default-src 'none'"));
        let bytes = app.call(Method::GET, "/v1/logs/b/response", &key).send().await.unwrap().bytes().await.unwrap();
        assert_eq!(&bytes[..], b"\x89PNG\x00\xFF");
        let given = json_of(app.call(Method::GET, "/v1/logs/b", &key), 200).await;
        assert_eq!(given["response"]["body"], json!({"encoding": "base64", "data": "iVBORwD/"}));
        let none = json_of(app.call(Method::GET, "/v1/logs/a/request", &key), 404).await;
        assert_eq!(none["details"], "The log a has no request body");
    }

    async fn an_import_file_is_kept_sealed_and_given_back(app: TestApp) {
        let (project, cookie) = app.signed_in(Role::Auditor).await;
        let key = app.add_key(&project, &READS_AND_WRITES).await;
        send(app, &key, &sent("a", 200)).await;
        json_of(app.call(Method::GET, "/v1/logs/a/import-file", &key), 404).await;
        json_of(app.call(Method::PUT, "/v1/logs/a/import-file", &key).body("no name"), 400).await;
        let put = app.call(Method::PUT, "/v1/logs/a/import-file", &key);
        let put = put.header("content-disposition", "attachment; filename*=UTF-8''kunden%C3%BC.csv").body("id,name\n1,Ada\n");
        assert_eq!(json_of(put, 200).await, json!({"name": "kundenü.csv", "bytes": 14}));
        assert_eq!(json_of(app.call(Method::GET, "/v1/logs/a", &key), 200).await["import_file"], json!({"name": "kundenü.csv", "bytes": 14}));
        let again = |name: &'static str, content: &'static str| app.call(Method::PUT, &format!("/v1/logs/a/import-file?name={name}"), &key).body(content);
        json_of(again("kunden%C3%BC.csv", "id,name\n1,Ada\n"), 200).await;
        for (name, content) in [("kunden%C3%BC.csv", "id,name\n1,Eve\n"), ("other.csv", "id,name\n1,Ada\n")] {
            let refused = json_of(again(name, content), 409).await;
            assert_eq!(refused["details"], "This log has an original already, and an original is not replaced");
        }
        let by_key = app.call(Method::GET, "/v1/logs/a/import-file", &key).send().await.unwrap();
        let by_session = app.get_as(&cookie, &format!("/projects/{}/logs/a/import-file", project.id)).await;
        for answer in [by_key, by_session] {
            assert_eq!(answer.status(), 200);
            assert_eq!(answer.headers()["content-type"], "text/csv");
            assert!(answer.headers()["content-disposition"].to_str().unwrap().ends_with("filename*=UTF-8''kunden%C3%BC.csv"));
            assert_eq!(answer.text().await.unwrap(), "id,name\n1,Ada\n");
        }
    }

    async fn people_download_what_they_may_read(app: TestApp) {
        let (project, cookie) = app.signed_in(Role::Member).await;
        let key = app.add_key(&project, &READS_AND_WRITES).await;
        send(app, &key, &sent("a", 200)).await;
        let path = format!("/projects/{}/logs/a/response", project.id);
        assert_eq!(app.get_as(&cookie, &path).await.text().await.unwrap(), "no €uro");
        assert_eq!(app.get(&path).await.status(), 401);
        let other = app.add_project("other").await;
        assert_eq!(app.get_as(&cookie, &format!("/projects/{}/logs/a/response", other.id)).await.status(), 404);
    }

    async fn a_client_side_key_sends_from_its_origin_alone(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_client_key(&project, "https://shop.example").await;
        let call = |method: Method, origin: &str| {
            app.client
                .request(method, format!("{}/v1/logs", app.url))
                .header("x-client-application-id", &key.app_id)
                .header("x-client-token", &key.app_token)
                .header("origin", origin)
        };
        let answer = call(Method::POST, "https://shop.example").json(&sent("a", 200)).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.headers()["access-control-allow-origin"].to_str().unwrap()), (201, "https://shop.example"));
        let answer = call(Method::POST, "https://evil.example").json(&sent("b", 200)).send().await.unwrap();
        assert_eq!(answer.status(), 403);
        assert!(!answer.headers().contains_key("access-control-allow-origin"));
        assert_eq!(call(Method::GET, "https://shop.example").send().await.unwrap().status(), 403);
        let preflight = |origin: &str| {
            app.client
                .request(Method::OPTIONS, format!("{}/v1/logs", app.url))
                .header("origin", origin)
                .header("access-control-request-method", "POST")
                .header("access-control-request-headers", "content-type,x-client-application-id,x-client-token")
                .send()
        };
        let answer = preflight("https://shop.example").await.unwrap();
        assert_eq!(answer.status(), 204);
        assert_eq!(answer.headers()["access-control-allow-origin"], "https://shop.example");
        assert!(answer.headers()["access-control-allow-headers"].to_str().unwrap().contains("x-client-token"));
        assert_eq!(preflight("https://evil.example").await.unwrap().status(), 403);
    }
}

for_each_db! {
    with |config: &mut audit_log::server::config::Config| config.rate_limit = 3;

    async fn a_key_has_its_calls_a_minute(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &READS_AND_WRITES).await;
        for left in ["2", "1", "0"] {
            let answer = app.call(Method::GET, "/v1/logs", &key).send().await.unwrap();
            assert_eq!((answer.headers()["x-rate-limit-limit"].as_bytes(), answer.headers()["x-rate-limit-remaining"].to_str().unwrap()), (&b"3"[..], left));
        }
        let answer = app.call(Method::GET, "/v1/logs", &key).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.headers()["retry-after"].to_str().unwrap()), (429, "20"));
        let other = app.add_key(&project, &READS_AND_WRITES).await;
        assert_eq!(app.call(Method::GET, "/v1/logs", &other).send().await.unwrap().status(), 200);
    }
}

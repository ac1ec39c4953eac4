//! `/v1/exports`: begun, worked on, listed, downloaded whole and in parts, deleted; shapes as in the reference.

use std::time::Duration;

use audit_log::model::rights::Scope;
use audit_log::server::access::issue::IssuedKey;
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::TestApp;

pub const ALL: [Scope; 5] = [
    Scope::Read,
    Scope::ReadBodies,
    Scope::LogsWrite,
    Scope::ExportsWrite,
    Scope::TasksWrite,
];

async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or(Value::Null))
}

async fn send_logs(app: &TestApp, key: &IssuedKey, logs: Value) {
    let (status, written) = answer(app.call(Method::POST, "/v1/logs", key).json(&logs)).await;
    assert_eq!(status, 201, "{written}");
}

fn some_logs(count: usize) -> Value {
    let log = |number: usize| {
        json!({"id": format!("log-{number:04}"), "method": if number.is_multiple_of(2) { "GET" } else { "POST" }, "url": format!("/v1/vouchers/V{number}?a=1"),
            "status_code": if number.is_multiple_of(5) { 404 } else { 200 }, "channel": if number.is_multiple_of(3) { "API" } else { "WEBSITE" },
            "request": {"body": {"text": format!("a \"quoted\"\nline, {number}")}}, "response": {"body": "=1+1"}, "user_email": "=cmd@example.com"})
    };
    Value::Array((0..count).map(log).collect())
}

async fn create(app: &TestApp, key: &IssuedKey, body: Value) -> String {
    let (status, export) = answer(app.call(Method::POST, "/v1/exports", key).json(&body)).await;
    assert_eq!(status, 200, "{export}");
    assert_eq!(
        (export["status"].as_str(), &export["result"]),
        (Some("SCHEDULED"), &Value::Null)
    );
    export["id"].as_str().unwrap().to_owned()
}

/// The export once it is over.
pub async fn over(app: &TestApp, key: &IssuedKey, id: &str) -> Value {
    for _ in 0..600 {
        let (status, export) = answer(app.call(Method::GET, &format!("/v1/exports/{id}"), key)).await;
        assert_eq!(status, 200, "{export}");
        if matches!(export["status"].as_str(), Some("DONE" | "ERROR")) {
            return export;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the export {id} never ended");
}

async fn file(app: &TestApp, export: &Value) -> Vec<u8> {
    let url = export["result"]["url"].as_str().unwrap();
    let answer = app.client.get(url).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.bytes().await.unwrap().to_vec()
}

fn records(csv_file: &[u8]) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = csv::Reader::from_reader(csv_file);
    let header = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let rows = reader
        .records()
        .map(|record| record.unwrap().iter().map(str::to_owned).collect());
    (header, rows.collect())
}

for_each_db! {
    async fn logs_become_a_file_that_has_what_the_list_has(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &ALL).await;
        send_logs(app, &key, some_logs(60)).await;
        let id = create(app, &key, json!({"exported_object": "api_log"})).await;
        let (_, waiting) = answer(app.call(Method::GET, &format!("/v1/exports/{id}"), &key)).await;
        assert_eq!(waiting["status"], "SCHEDULED", "nobody works yet");
        // What comes after the click is not in it.
        send_logs(app, &key, json!({"id": "late", "method": "GET", "url": "/late", "status_code": 200})).await;
        let workers = app.work();
        let export = over(app, &key, &id).await;
        workers.stop().await;
        assert_eq!((export["status"].as_str(), export["rows"].as_i64()), (Some("DONE"), Some(60)), "{export}");

        let file = file(app, &export).await;
        assert_eq!(export["bytes"].as_u64().unwrap(), file.len() as u64);
        assert_eq!(export["sha256"].as_str().unwrap(), data_encoding::HEXLOWER.encode(&Sha256::digest(&file)));
        let (header, rows) = records(&file);
        assert_eq!(header.len(), 14);
        let (_, list) = answer(app.call(Method::GET, "/v1/logs?limit=100&from=-1h", &key)).await;
        let listed: Vec<&str> = list["data"].as_array().unwrap().iter().map(|log| log["id"].as_str().unwrap()).filter(|id| *id != "late").collect();
        assert_eq!(rows.iter().map(|row| row[0].as_str()).collect::<Vec<_>>(), listed);
        let row = rows.iter().find(|row| row[0] == "log-0003").unwrap();
        assert_eq!(row[7], "/v1/vouchers/V3?a=1");
        assert_eq!(serde_json::from_str::<Value>(&row[12]).unwrap(), json!({"text": "a \"quoted\"\nline, 3"}));
        assert_eq!(row[13], "=1+1", "by API nothing is guarded");

        let task = export["async_action_id"].as_str().unwrap();
        let (_, task) = answer(app.call(Method::GET, &format!("/v1/async-actions/{task}"), &key)).await;
        assert_eq!((task["status"].as_str(), task["operation_status"].as_str(), task["progress"].as_i64()), (Some("DONE"), Some("SUCCESS"), Some(100)), "{task}");
        assert_eq!(task["result"]["done_count"], 60);
    }

    async fn filters_fields_order_and_formats_are_heeded(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &ALL).await;
        send_logs(app, &key, some_logs(30)).await;
        let workers = app.work();
        let filters = json!({"junction": "AND", "status": {"conditions": {"$is": ["FAILURE"]}}, "channel": {"conditions": {"$in": ["API"]}}});
        let parameters = json!({"order": "created_at", "fields": ["id", "status_code", "user_email"], "filters": filters, "csv_formulas": "guarded"});
        let export = over(app, &key, &create(app, &key, json!({"exported_object": "api_log", "parameters": parameters})).await).await;
        assert_eq!(export["parameters"], parameters, "as it was asked for");
        let text = String::from_utf8(file(app, &export).await).unwrap();
        assert_eq!(text, "id,status_code,user_email\r\nlog-0000,404,'=cmd@example.com\r\nlog-0015,404,'=cmd@example.com\r\n");

        let either = json!({"junction": "or", "id": {"conditions": {"$is": ["log-0001"]}}, "status_code": {"conditions": {"$more_than": [400]}}});
        let parameters = json!({"format": "ndjson", "fields": ["id", "request_body"], "filters": either});
        let export = over(app, &key, &create(app, &key, json!({"exported_object": "api_log", "parameters": parameters})).await).await;
        let text = String::from_utf8(file(app, &export).await).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 7);
        assert!(lines.iter().all(|line| line["request_body"]["text"].is_string()), "{text}");

        let parameters = json!({"format": "parquet", "fields": ["id"], "filters": {"request_body": {"conditions": {"$contains": ["LINE, 7\""]}}}});
        let export = over(app, &key, &create(app, &key, json!({"exported_object": "api_log", "parameters": parameters})).await).await;
        let bytes = file(app, &export).await;
        assert_eq!((export["rows"].as_i64(), &bytes[..4], &bytes[bytes.len() - 4..]), (Some(1), &b"PAR1"[..], &b"PAR1"[..]), "{export}");
        workers.stop().await;
    }

    async fn tasks_and_exports_are_exported_too(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &ALL).await;
        let workers = app.work();
        for kind in ["A.ONE", "A.TWO"] {
            assert_eq!(answer(app.call(Method::POST, "/v1/async-actions", &key).json(&json!({"type": kind, "id": kind.replace('.', "-")}))).await.0, 201);
        }
        let parameters = json!({"fields": ["id", "type"], "filters": {"type": {"conditions": {"$in": ["A.ONE", "A.TWO"]}}}});
        let export = over(app, &key, &create(app, &key, json!({"exported_object": "async_action", "parameters": parameters})).await).await;
        assert_eq!(String::from_utf8(file(app, &export).await).unwrap(), "id,type\r\nA-TWO,A.TWO\r\nA-ONE,A.ONE\r\n");
        let id = create(app, &key, json!({"exported_object": "export", "parameters": {"fields": ["exported_object", "rows"]}})).await;
        let export = over(app, &key, &id).await;
        let text = String::from_utf8(file(app, &export).await).unwrap();
        assert!(text.contains("async_action,2\r\n"), "{text}");
        workers.stop().await;
    }

    async fn a_download_that_breaks_off_goes_on(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &ALL).await;
        send_logs(app, &key, some_logs(50)).await;
        let workers = app.work();
        let export = over(app, &key, &create(app, &key, json!({"exported_object": "api_log"})).await).await;
        workers.stop().await;
        let whole = file(app, &export).await;
        let url = export["result"]["url"].as_str().unwrap();
        let part = app.client.get(url).header("range", "bytes=100-").send().await.unwrap();
        assert_eq!(part.status(), 206);
        assert_eq!(part.headers()["content-range"], format!("bytes 100-{}/{}", whole.len() - 1, whole.len()).as_str());
        assert!(part.headers()["content-disposition"].to_str().unwrap().contains(".csv"));
        let etag = part.headers()["etag"].to_str().unwrap().to_owned();
        assert_eq!(part.bytes().await.unwrap(), whole[100..]);
        let last = app.client.get(url).header("range", "bytes=-5").header("if-range", &etag).send().await.unwrap();
        assert_eq!((last.status().as_u16(), last.bytes().await.unwrap().to_vec()), (206, whole[whole.len() - 5..].to_vec()));
        let other = app.client.get(url).header("range", "bytes=-5").header("if-range", "\"other\"").send().await.unwrap();
        assert_eq!((other.status().as_u16(), other.bytes().await.unwrap().len()), (200, whole.len()));
        let beyond = app.client.get(url).header("range", format!("bytes={}-", whole.len())).send().await.unwrap();
        assert_eq!(beyond.status(), 416);
    }

    async fn a_link_is_good_for_its_export_and_its_day(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &ALL).await;
        let workers = app.work();
        let export = over(app, &key, &create(app, &key, json!({"exported_object": "api_log"})).await).await;
        let other = over(app, &key, &create(app, &key, json!({"exported_object": "api_log"})).await).await;
        workers.stop().await;
        let url = export["result"]["url"].as_str().unwrap();
        assert_eq!(app.client.get(url).send().await.unwrap().status(), 200);
        let swapped = url.replace(export["id"].as_str().unwrap(), other["id"].as_str().unwrap());
        let later = url.replacen("token=1", "token=2", 1);
        for bad in [swapped, later, format!("{url}x"), url.replace("token=", "token=x")] {
            let answer = app.client.get(&bad).send().await.unwrap();
            assert_eq!(answer.status(), 401, "{bad}");
            assert_eq!(answer.json::<Value>().await.unwrap()["key"], "unauthorized");
        }
        app.pass(25 * 3_600_000);
        assert_eq!(app.client.get(url).send().await.unwrap().status(), 401);
    }

    async fn the_list_turns_pages_by_number(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &ALL).await;
        let mut ids = Vec::new();
        for _ in 0..5 {
            ids.push(create(app, &key, json!({"exported_object": "api_log"})).await);
        }
        ids.reverse();
        let (status, list) = answer(app.call(Method::GET, "/v1/exports?limit=2&page=2", &key)).await;
        assert_eq!((status, list["total"].as_i64(), list["data_ref"].as_str()), (200, Some(5), Some("exports")), "{list}");
        let page: Vec<&str> = list["exports"].as_array().unwrap().iter().map(|export| export["id"].as_str().unwrap()).collect();
        assert_eq!(page, &ids[2..4]);
        let (_, oldest) = answer(app.call(Method::GET, "/v1/exports?limit=1&order=created_at", &key)).await;
        assert_eq!(oldest["exports"][0]["id"], ids[4].as_str());
        assert_eq!(answer(app.call(Method::GET, "/v1/exports?order=id", &key)).await.0, 400);
    }

    async fn what_is_deleted_is_gone_with_its_file(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &ALL).await;
        send_logs(app, &key, some_logs(3)).await;
        let workers = app.work();
        let export = over(app, &key, &create(app, &key, json!({"exported_object": "api_log"})).await).await;
        let path = format!("/v1/exports/{}", export["id"].as_str().unwrap());
        let files = || walk(&app.folder().join("files"));
        assert_eq!(files().len(), 1);
        let reader = app.add_key(&project, &[Scope::Read]).await;
        assert_eq!(answer(app.call(Method::DELETE, &path, &reader)).await.0, 403);
        assert_eq!(answer(app.call(Method::DELETE, &path, &key)).await.0, 204);
        let (status, error) = answer(app.call(Method::GET, &path, &key)).await;
        assert_eq!((status, error["resource_type"].as_str()), (404, Some("export")), "{error}");
        assert_eq!(app.client.get(export["result"]["url"].as_str().unwrap()).send().await.unwrap().status(), 404);
        for _ in 0..200 {
            if files().is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(files(), Vec::<std::path::PathBuf>::new());
        workers.stop().await;
    }

    async fn what_makes_no_sense_is_refused_and_begins_nothing(app: TestApp) {
        let project = app.add_project("shop").await;
        let other = app.add_project("other").await;
        let key = app.add_key(&project, &ALL).await;
        let theirs = app.add_key(&other, &ALL).await;
        let no_bodies = app.add_key(&project, &[Scope::Read, Scope::ExportsWrite]).await;
        let post = |key, body: Value| answer(app.call(Method::POST, "/v1/exports", key).json(&body));
        for (body, status, error_key) in [
            (json!({}), 422, "invalid_entry"),
            (json!({"exported_object": "voucher"}), 400, "invalid_payload"),
            (json!({"exported_object": "api_log", "parameters": []}), 400, "invalid_payload"),
            (json!({"exported_object": "api_log", "parameters": {"fields": ["secret"]}}), 400, "invalid_export_fields"),
            (json!({"exported_object": "api_log", "parameters": {"filters": {"colour": {"conditions": {"$is": ["x"]}}}}}), 400, "invalid_payload"),
            (json!({"exported_object": "api_log", "parameters": {"order": "status"}}), 400, "invalid_payload"),
        ] {
            let (is, error) = post(&key, body.clone()).await;
            assert_eq!((is, error["key"].as_str()), (status, Some(error_key)), "{body} {error}");
        }
        let by_text = json!({"exported_object": "api_log", "parameters": {"filters": {"response_body": {"conditions": {"$contains": ["x"]}}}}});
        assert_eq!(post(&no_bodies, by_text).await.0, 403);
        let (_, list) = answer(app.call(Method::GET, "/v1/exports", &key)).await;
        assert_eq!(list["total"], 0);
        let id = create(app, &key, json!({"exported_object": "api_log"})).await;
        assert_eq!(answer(app.call(Method::GET, &format!("/v1/exports/{id}"), &theirs)).await.0, 404);
        assert_eq!(answer(app.call(Method::DELETE, &format!("/v1/exports/{id}"), &theirs)).await.0, 404);
    }

    async fn without_the_right_to_bodies_the_file_has_none(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &ALL).await;
        let no_bodies = app.add_key(&project, &[Scope::Read, Scope::ExportsWrite]).await;
        send_logs(app, &key, some_logs(2)).await;
        let workers = app.work();
        let export = over(app, &no_bodies, &create(app, &no_bodies, json!({"exported_object": "api_log"})).await).await;
        // A file that somebody else had made holds what they may see: no link to it is given.
        let theirs = over(app, &key, &create(app, &key, json!({"exported_object": "api_log"})).await).await;
        let narrow = json!({"exported_object": "api_log", "parameters": {"fields": ["id", "status"]}});
        let narrow = over(app, &key, &create(app, &key, narrow).await).await;
        workers.stop().await;
        for (export, is_given) in [(&theirs, false), (&narrow, true)] {
            let id = export["id"].as_str().unwrap();
            let (_, seen) = answer(app.call(Method::GET, &format!("/v1/exports/{id}"), &no_bodies)).await;
            assert_eq!(!seen["result"].is_null(), is_given, "{seen}");
            assert!(!export["result"].is_null(), "{export}");
        }
        let (_, list) = answer(app.call(Method::GET, "/v1/exports", &no_bodies)).await;
        let given = list["exports"].as_array().unwrap().iter().filter(|export| !export["result"].is_null()).count();
        assert_eq!(given, 2, "{list}");
        let text = String::from_utf8(file(app, &export).await).unwrap();
        assert!(!text.contains("quoted") && !text.contains("1+1") && !text.contains("a=1"), "{text}");
    }

    async fn a_cancelled_export_ends_and_can_be_tried_again(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &ALL).await;
        send_logs(app, &key, some_logs(3)).await;
        let id = create(app, &key, json!({"exported_object": "api_log"})).await;
        let (_, export) = answer(app.call(Method::GET, &format!("/v1/exports/{id}"), &key)).await;
        let task = format!("/v1/async-actions/{}", export["async_action_id"].as_str().unwrap());
        let (status, cancelled) = answer(app.call(Method::POST, &format!("{task}/cancel"), &key)).await;
        assert_eq!((status, cancelled["status"].as_str()), (202, Some("FAILED")), "{cancelled}");
        let export = over(app, &key, &id).await;
        assert_eq!((export["status"].as_str(), export["error"].as_str()), (Some("ERROR"), Some("Cancelled by test key")), "{export}");
        assert_eq!(answer(app.call(Method::POST, &format!("{task}/cancel"), &key)).await.0, 409);
        let (status, again) = answer(app.call(Method::POST, &format!("{task}/retry"), &key)).await;
        assert_eq!((status, again["status"].as_str()), (202, Some("ENQUEUED")), "{again}");
        let workers = app.work();
        assert_eq!(over(app, &key, &id).await["rows"], 3);
        workers.stop().await;
        assert_eq!(answer(app.call(Method::POST, &format!("{task}/retry"), &key)).await.0, 409);
    }

    async fn a_repeat_under_an_idempotency_key_makes_no_second_export(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &ALL).await;
        let call = |body: &Value| app.call(Method::POST, "/v1/exports", &key).header("idempotency-key", "once").json(body);
        let body = json!({"exported_object": "api_log"});
        let (status, first) = answer(call(&body)).await;
        assert_eq!(status, 200, "{first}");
        assert_eq!(answer(call(&body)).await, (status, first));
        let (status, other) = answer(call(&json!({"exported_object": "export"}))).await;
        assert_eq!((status, other["key"].as_str()), (409, Some("idempotency_key_reused")), "{other}");
        let (_, list) = answer(app.call(Method::GET, "/v1/exports", &key)).await;
        assert_eq!(list["total"], 1, "{list}");
        // A call that was refused has done nothing: mended, it is the first.
        let call = |body: &Value| app.call(Method::POST, "/v1/exports", &key).header("idempotency-key", "again").json(body);
        assert_eq!(answer(call(&json!({"exported_object": "nothing"}))).await.0, 400);
        assert_eq!(answer(call(&body)).await.0, 200);
    }

    async fn an_application_reports_exports_of_its_own(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &ALL).await;
        let new = json!({"exported_object": "voucher", "parameters": {"fields": ["code"]}, "file_name": "vouchers.csv"});
        let (status, export) = answer(app.call(Method::POST, "/v1/exports/reported", &key).json(&new)).await;
        assert_eq!((status, export["status"].as_str()), (201, Some("SCHEDULED")), "{export}");
        let path = format!("/v1/exports/{}/file", export["id"].as_str().unwrap());
        for content in ["code\r\nA\r\n", "code\r\nB\r\n"] {
            let (status, export) = answer(app.call(Method::PUT, &path, &key).body(content)).await;
            assert_eq!((status, export["status"].as_str()), (200, Some("DONE")), "{export}");
            assert_eq!(String::from_utf8(file(app, &export).await).unwrap(), content);
        }
        let own = create(app, &key, json!({"exported_object": "api_log"})).await;
        assert_eq!(answer(app.call(Method::PUT, &format!("/v1/exports/{own}/file"), &key).body("x")).await.0, 409);
        for bad in [json!({"exported_object": ""}), json!({"exported_object": "a", "status": "GONE"}), json!({"exported_object": "a", "file_name": "../x"})] {
            assert_eq!(answer(app.call(Method::POST, "/v1/exports/reported", &key).json(&bad)).await.0, 422, "{bad}");
        }
    }
}

/// Every file below a folder.
pub fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(walk(&path));
        } else {
            files.push(path);
        }
    }
    files
}

//! `POST /v1/logs/import`: a file in, a task, logs, and what was not taken.

use std::time::Duration;

use audit_log::model::rights::{Role, Scope};
use audit_log::server::access::issue::IssuedKey;
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::exports_api::ALL;
use crate::support::TestApp;

async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or(Value::Null))
}

fn form(name: &str, content: impl Into<Vec<u8>>) -> Form {
    Form::new().part("file", Part::bytes(content.into()).file_name(name.to_owned()))
}

pub async fn begin(app: &TestApp, key: &IssuedKey, name: &str, content: impl Into<Vec<u8>>) -> String {
    let (status, begun) = answer(app.call(Method::POST, "/v1/logs/import", key).multipart(form(name, content))).await;
    assert_eq!(status, 202, "{begun}");
    begun["async_action_id"].as_str().unwrap().to_owned()
}

pub async fn over(app: &TestApp, key: &IssuedKey, id: &str) -> Value {
    for _ in 0..600 {
        let (status, task) = answer(app.call(Method::GET, &format!("/v1/async-actions/{id}"), key)).await;
        assert_eq!(status, 200, "{task}");
        if matches!(task["status"].as_str(), Some("DONE" | "FAILED")) {
            return task;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the task {id} never ended");
}

const CSV: &str = "id,created_at,method,url,status_code,request_body\r\n\
    i-1,,GET,/v1/a,200,\r\n\
    i-2,,GET,/v1/b,99,\"{\"\"a\"\": \"\"x, y\"\"}\"\r\n\
    i-3,,POST,/v1/c,500,plain\r\n\
    i-4,yesterday,GET,/v1/d,200,\r\n";

for_each_db! {
    async fn a_file_becomes_logs_and_what_was_not_taken_comes_back(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &ALL).await;
        let workers = app.work();
        let id = begin(app, &key, "logs.csv", CSV).await;
        let task = over(app, &key, &id).await;
        assert_eq!((task["type"].as_str(), task["status"].as_str(), task["operation_status"].as_str()), (Some("LOGS.IMPORT"), Some("DONE"), Some("FAILED")), "{task}");
        let result = &task["result"];
        assert_eq!((result["done_count"].as_i64(), result["failed_count"].as_i64()), (Some(2), Some(2)), "{task}");
        assert_eq!((result["failed"][0]["row"].as_i64(), result["failed"][0]["source_id"].as_str()), (Some(2), Some("i-2")));
        assert!(result["failed"][0]["reason"].as_str().unwrap().contains("99"), "{task}");
        assert_eq!(result["failed"][1]["row"], 4);
        assert_eq!(task["import_file"], json!({"name": "logs.csv", "bytes": CSV.len()}));

        let rejected = app.call(Method::GET, &format!("/v1/async-actions/{id}/rejected"), &key).send().await.unwrap();
        assert!(rejected.headers()["content-disposition"].to_str().unwrap().starts_with("attachment; filename=\"logs-rejected.csv\""));
        let rejected = rejected.text().await.unwrap();
        assert!(rejected.starts_with("id,created_at,method,url,status_code,request_body,unreadable_record,reason\r\ni-2,,GET,/v1/b,99,\"{\"\"a\"\": \"\"x, y\"\"}\",,"), "{rejected}");

        // Mended, the very file is taken.
        let mended = rejected.replace(",99,", ",404,").replace("yesterday", "");
        let task = over(app, &key, &begin(app, &key, "logs-rejected.csv", mended).await).await;
        assert_eq!((task["operation_status"].as_str(), task["result"]["done_count"].as_i64()), (Some("SUCCESS"), Some(2)), "{task}");
        let (_, list) = answer(app.call(Method::GET, "/v1/logs?from=-1h&limit=100", &key)).await;
        assert_eq!(list["data"].as_array().unwrap().len(), 4);
        workers.stop().await;
    }

    async fn nobody_says_over_http_what_this_service_did_itself(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &ALL).await;
        let workers = app.work();
        let lines = "{\"id\":\"o-1\",\"method\":\"GET\",\"url\":\"/v1/a\",\"status_code\":200,\"origin\":\"self\",\"user_email\":\"ceo@example.com\"}\n\
            {\"id\":\"o-2\",\"method\":\"GET\",\"url\":\"/v1/a\",\"status_code\":200,\"origin\":\"application\"}\n";
        let csv = "id,method,url,status_code,origin\no-1,GET,/v1/a,200,self\no-3,GET,/v1/a,200,\n";
        for (name, content) in [("logs.ndjson", lines), ("logs.csv", csv)] {
            let task = over(app, &key, &begin(app, &key, name, content).await).await;
            assert_eq!((task["result"]["done_count"].as_i64(), task["result"]["failed_count"].as_i64()), (Some(1), Some(1)), "{task}");
            let reason = task["result"]["failed"][0]["reason"].as_str().unwrap();
            assert!(reason.starts_with("origin: self is what this service recorded itself"), "{task}");
        }
        assert_eq!(answer(app.call(Method::GET, "/v1/logs/o-1", &key)).await.0, 404);
        workers.stop().await;
    }

    async fn columns_that_nobody_knows_are_told(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &ALL).await;
        let workers = app.work();
        for (content, said) in [
            ("method,url,timestamp,colour,reason\nGET,/v1/a,2026-11-24T10:00:00Z,red,\n", "1 log imported. The columns timestamp, colour are not known, and their values were left out"),
            ("method,url,colour\nGET,/v1/b,red\n", "1 log imported. The column colour is not known, and its values were left out"),
            ("method,url\nGET,/v1/c\n", "1 log imported"),
        ] {
            let task = over(app, &key, &begin(app, &key, "logs.csv", content).await).await;
            assert_eq!(task["result"]["message"], said, "{task}");
        }
        workers.stop().await;
    }

    async fn the_original_is_kept_for_its_log_and_its_task(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &ALL).await;
        app.add_person("ada@example.com", "correct horse", Some((&project, Role::Member))).await;
        let cookie = app.sign_in("ada@example.com", "correct horse").await;
        let workers = app.work();
        let id = begin(app, &key, "my logs.csv", CSV).await;
        let task = over(app, &key, &id).await;
        workers.stop().await;
        let original = app.get_as(&cookie, &format!("/projects/{}/tasks/{id}/file", project.id)).await;
        assert_eq!((original.status().as_u16(), original.text().await.unwrap().as_str()), (200, CSV));
        let log = task["log_id"].as_str().unwrap();
        let mut found = Value::Null;
        for _ in 0..100 {
            let (status, one) = answer(app.call(Method::GET, &format!("/v1/logs/{log}"), &key)).await;
            if status == 200 {
                found = one;
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!((found["async_action_id"].as_str(), found["origin"].as_str()), (Some(id.as_str()), Some("self")), "{found}");
        let original = app.call(Method::GET, &format!("/v1/logs/{log}/import-file"), &key).send().await.unwrap();
        assert_eq!((original.status().as_u16(), original.text().await.unwrap().as_str()), (200, CSV));
        // At rest it cannot be read.
        for file in crate::exports_api::walk(&app.folder().join("files")) {
            let bytes = std::fs::read(&file).unwrap();
            assert!(!bytes.windows(6).any(|some| some == b"/v1/a,"), "{}", file.display());
        }
    }

    async fn ndjson_har_and_what_breaks_off(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &ALL).await;
        let workers = app.work();
        let ndjson = "{\"method\":\"GET\",\"url\":\"/a\",\"status_code\":200}\n{\"method\":\"GET\"}\nnot json\n";
        let id = begin(app, &key, "a.ndjson", ndjson).await;
        let task = over(app, &key, &id).await;
        assert_eq!((task["result"]["done_count"].as_i64(), task["result"]["failed_count"].as_i64()), (Some(1), Some(2)), "{task}");
        let rejected = app.call(Method::GET, &format!("/v1/async-actions/{id}/rejected"), &key).send().await.unwrap().text().await.unwrap();
        assert!(rejected.lines().count() == 3 && rejected.contains("GET") && rejected.contains(",not json,"), "{rejected}");
        // Mended where it stands, the line is taken; the other is given back once more.
        let mended = rejected.replace(",not json,", r#","{""method"":""PUT"",""url"":""/mended"",""status_code"":204}","#);
        let task = over(app, &key, &begin(app, &key, "a-rejected.csv", mended).await).await;
        assert_eq!((task["result"]["done_count"].as_i64(), task["result"]["failed_count"].as_i64()), (Some(1), Some(1)), "{task}");
        let (_, list) = answer(app.call(Method::GET, "/v1/logs?from=-1h&method=PUT", &key)).await;
        assert_eq!(list["data"][0]["url"], "/mended", "{list}");
        let again = over(app, &key, &begin(app, &key, "a.ndjson", ndjson).await).await;
        let result = &again["result"];
        assert_eq!((result["done_count"].as_i64(), result["duplicates"].as_i64()), (Some(1), Some(1)), "what is there already counts as taken, and is told");
        assert!(result["message"].as_str().unwrap().starts_with("0 logs imported, 1 was there already, 2 logs not taken"), "{again}");
        let har = json!({"log": {"version": "1.2", "entries": [{"startedDateTime": "2026-11-23T00:00:00Z", "time": 5,
            "request": {"method": "GET", "url": "https://x.example/v1/z", "headers": []}, "response": {"status": 200, "headers": [], "content": {"size": 0}}}]}});
        let task = over(app, &key, &begin(app, &key, "x.har", har.to_string()).await).await;
        assert_eq!(task["result"]["done_count"], 1, "{task}");
        let task = over(app, &key, &begin(app, &key, "x.har", "{\"log\":{\"entries\":[").await).await;
        assert_eq!(task["status"], "FAILED", "{task}");
        assert!(task["result"]["message"].as_str().unwrap().starts_with("Nothing was imported: "), "{task}");
        workers.stop().await;
    }

    async fn files_past_two_megabytes_are_taken(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &ALL).await;
        app.add_person("ada@example.com", "correct horse", Some((&project, Role::Member))).await;
        let cookie = app.sign_in("ada@example.com", "correct horse").await;
        let workers = app.work();
        let file = |name: &str| {
            let body = "x".repeat(1_000);
            let line = |number: usize| format!("{{\"id\":\"{name}-{number}\",\"method\":\"PUT\",\"url\":\"/v1/a\",\"status_code\":200,\"request\":{{\"body\":\"{body}\"}}}}\n");
            (0..3_500).map(line).collect::<String>()
        };
        let call = file("call");
        assert!(call.len() > 3 << 20);
        let task = over(app, &key, &begin(app, &key, "call.ndjson", call).await).await;
        assert_eq!(task["result"]["message"], "3,500 logs imported", "{task}");
        let path = format!("/projects/{}/tasks/import", project.id);
        let sent = app.request(Method::POST, &path).header("cookie", &cookie).multipart(form("form.ndjson", file("form"))).send().await.unwrap();
        assert_eq!(sent.status(), 303);
        let id = sent.headers()["location"].to_str().unwrap().rsplit('/').next().unwrap().to_owned();
        let task = over(app, &key, &id).await;
        assert_eq!(task["result"]["message"], "3,500 logs imported", "{task}");
        workers.stop().await;
    }

    async fn people_are_told_in_a_page(app: TestApp) {
        let project = app.add_project("shop").await;
        app.add_person("ada@example.com", "correct horse", Some((&project, Role::Member))).await;
        let cookie = app.sign_in("ada@example.com", "correct horse").await;
        let path = format!("/projects/{}/tasks/import", project.id);
        let list = format!("/projects/{}/tasks", project.id);
        let post = || app.request(Method::POST, &path).header("accept", "text/html,*/*;q=0.8");
        let signed_out = post().multipart(form("a.csv", CSV)).send().await.unwrap();
        assert_eq!(signed_out.status(), 303);
        let to = signed_out.headers()["location"].to_str().unwrap().to_owned();
        assert!(to.starts_with("/sign-in?next=%2Fprojects%2F") && to.ends_with("%2Ftasks"), "{to}");
        for (name, content, said) in [("a.csv", "", "The file is empty."), ("", "", "No file was chosen.")] {
            let answer = post().header("cookie", &cookie).multipart(form(name, content)).send().await.unwrap();
            assert_eq!((answer.status().as_u16(), answer.headers()["content-type"].to_str().unwrap()), (400, "text/html; charset=utf-8"));
            let page = answer.text().await.unwrap();
            assert!(page.contains("<h1>Nothing was imported</h1>") && page.contains(said) && page.contains(&format!("href=\"{list}\"")), "{page}");
        }
        // A file of an export that is no more: the export's page says so.
        let gone = format!("/projects/{}/exports/exp_none", project.id);
        let answer = app.request(Method::GET, &format!("{gone}/file")).header("accept", "text/html").header("cookie", &cookie).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.headers()["location"].to_str().unwrap()), (303, gone.as_str()));
        let page = app.get_as(&cookie, &gone).await;
        assert_eq!(page.status(), 404);
        assert!(page.text().await.unwrap().contains("There is no such"));
        // A program is told in JSON.
        let answer = app.request(Method::GET, &format!("{gone}/file")).header("cookie", &cookie).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.json::<Value>().await.unwrap()["code"].as_i64()), (404, Some(404)));
    }

    async fn a_guard_is_taken_away_where_it_is_said_to_be_one(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &ALL).await;
        let workers = app.work();
        let csv = |id: &str| format!("id,method,url,status_code,request_body\n{id},GET,/v1/a,200,'=quoted\n");
        for (id, path, word, body) in [
            ("g-1", "/v1/logs/import", None, "'=quoted"),
            ("g-2", "/v1/logs/import?csv_formulas=guarded", None, "=quoted"),
            ("g-3", "/v1/logs/import", Some("guarded"), "=quoted"),
            ("g-4", "/v1/logs/import?csv_formulas=raw", None, "'=quoted"),
        ] {
            let form = form("a.csv", csv(id));
            let form = match word {
                Some(word) => form.text("csv_formulas", word),
                None => form,
            };
            let (status, begun) = answer(app.call(Method::POST, path, &key).multipart(form)).await;
            assert_eq!(status, 202, "{begun}");
            over(app, &key, begun["async_action_id"].as_str().unwrap()).await;
            let (_, log) = answer(app.call(Method::GET, &format!("/v1/logs/{id}"), &key)).await;
            assert_eq!(log["request"]["body"], body, "{id}: {log}");
        }
        for path in ["/v1/logs/import?csv_formulas=perhaps", "/v1/logs/import?csv_formulas="] {
            let (status, said) = answer(app.call(Method::POST, path, &key).multipart(form("a.csv", CSV))).await;
            assert_eq!(status, if path.ends_with('=') { 202 } else { 400 }, "{said}");
        }
        workers.stop().await;
    }

    async fn rows_of_other_lengths_come_back_whole(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &ALL).await;
        let workers = app.work();
        let mut file = "method,url,status_code\nGET,/a,200\nGET,/b,200,more,still\nGET,/c\n".to_owned();
        let mut before = String::new();
        for taken in [1, 0] {
            let id = begin(app, &key, "a.csv", file.clone()).await;
            let task = over(app, &key, &id).await;
            assert_eq!((task["result"]["done_count"].as_i64(), task["result"]["failed_count"].as_i64()), (Some(taken), Some(2)), "{task}");
            file = app.call(Method::GET, &format!("/v1/async-actions/{id}/rejected"), &key).send().await.unwrap().text().await.unwrap();
            assert_eq!(file, "method,url,status_code,unreadable_record,reason\r\n,,,\"GET,/b,200,more,still\",has 5 fields where the header has 3\r\n,,,\"GET,/c\",has 2 fields where the header has 3\r\n");
            assert!(before.is_empty() || before == file);
            before.clone_from(&file);
        }
        let mended = file.replace("\"GET,/c\"", "\"GET,/c,204\"");
        let task = over(app, &key, &begin(app, &key, "a.csv", mended).await).await;
        assert_eq!((task["result"]["done_count"].as_i64(), task["result"]["failed_count"].as_i64()), (Some(1), Some(1)), "{task}");
        workers.stop().await;
    }

    async fn a_file_that_breaks_off_leaves_the_list_of_what_was_not_taken(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &ALL).await;
        let workers = app.work();
        let entry = |status: u16| json!({"startedDateTime": "2026-11-23T00:00:00Z", "time": 5, "request": {"method": "GET", "url": "https://x.example/v1/z", "headers": []},
            "response": {"status": status, "headers": [], "content": {"size": 0}}});
        let torn = format!("{{\"log\":{{\"version\":\"1.2\",\"entries\":[{},{},{},", entry(200), entry(99), entry(201));
        let id = begin(app, &key, "torn.har", torn).await;
        let task = over(app, &key, &id).await;
        let result = &task["result"];
        assert_eq!((task["status"].as_str(), task["operation_status"].as_str()), (Some("FAILED"), Some("FAILED")), "{task}");
        assert_eq!((result["done_count"].as_i64(), result["failed_count"].as_i64(), result["failed"][0]["row"].as_i64()), (Some(2), Some(1), Some(2)), "{task}");
        let message = result["message"].as_str().unwrap();
        assert!(message.contains("breaks off") && message.ends_with("One entry before that was not taken."), "{message}");
        let rejected = |key| app.call(Method::GET, &format!("/v1/async-actions/{id}/rejected"), key).send();
        let file = rejected(&key).await.unwrap();
        assert_eq!(file.status(), 200);
        let file = file.text().await.unwrap();
        assert!(file.lines().count() == 2 && file.contains("https://x.example/v1/z"), "{file}");
        // Tried again, it is found anew, and the file of the try before goes.
        let (status, again) = answer(app.call(Method::POST, &format!("/v1/async-actions/{id}/retry"), &key)).await;
        assert_eq!(status, 202, "{again}");
        let task = over(app, &key, &id).await;
        assert_eq!(task["result"]["failed_count"], 1, "{task}");
        assert_eq!(rejected(&key).await.unwrap().text().await.unwrap(), file);
        for _ in 0..200 {
            if crate::exports_api::walk(&app.folder().join("files")).len() == 2 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(crate::exports_api::walk(&app.folder().join("files")).len(), 2, "the original and one file of what was not taken");
        workers.stop().await;
    }

    async fn what_makes_no_sense_is_refused_and_keeps_nothing(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &ALL).await;
        let reader = app.add_key(&project, &[Scope::Read]).await;
        let post = |key| app.call(Method::POST, "/v1/logs/import", key);
        assert_eq!(answer(post(&reader).multipart(form("a.csv", CSV))).await.0, 403);
        assert_eq!(answer(post(&key).body("x")).await.0, 415);
        assert_eq!(answer(post(&key).multipart(Form::new().text("other", "x"))).await.0, 400);
        assert_eq!(answer(post(&key).multipart(Form::new().text("file", "x"))).await.0, 400, "a file without a name");
        assert_eq!(answer(post(&key).multipart(form("a.csv", ""))).await.0, 400);
        let (_, list) = answer(app.call(Method::GET, "/v1/async-actions", &key)).await;
        assert_eq!(list["async_actions"], json!([]));
        let workers = app.work();
        for _ in 0..100 {
            if crate::exports_api::walk(&app.folder().join("files")).is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(crate::exports_api::walk(&app.folder().join("files")), Vec::<std::path::PathBuf>::new());
        workers.stop().await;
    }

    async fn a_page_s_form_imports_for_those_who_may(app: TestApp) {
        let project = app.add_project("shop").await;
        let path = format!("/projects/{}/tasks/import", project.id);
        for (role, status) in [(Role::Auditor, 403), (Role::Member, 303)] {
            let email = format!("{}@example.com", role.as_str());
            app.add_person(&email, "correct horse", Some((&project, role))).await;
            let cookie = app.sign_in(&email, "correct horse").await;
            let sent = app.request(Method::POST, &path).header("cookie", &cookie).multipart(form("a.csv", CSV)).send().await.unwrap();
            assert_eq!(sent.status().as_u16(), status);
            if status == 303 {
                assert!(sent.headers()["location"].to_str().unwrap().contains("/tasks/aa_"));
            }
        }
    }
}

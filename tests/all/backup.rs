//! `audit-log backup` beside the running service: whole, consistent, never written over, and served again.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use audit_log::model::rights::Role;
use audit_log::server::access::issue::IssuedKey;
use audit_log::server::store::copy;
use reqwest::Method;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::chain;
use crate::exports_api::{ALL, over};
use crate::support::{Database, TestApp, new_database};

/// Logs of a call.
const CALL: usize = 40;

fn a_log(id: &str) -> Value {
    json!({"id": id, "method": "POST", "url": format!("/v1/orders/{id}"), "status_code": 201,
        "request": {"body": {"order": id, "filler": "x".repeat(600)}}, "response": {"body": {"told": id}}})
}

/// Sends calls until told to stop, and notes what was acknowledged: a call at a time.
async fn send(
    app: (String, reqwest::Client, String, String),
    name: usize,
    told: Arc<Mutex<Vec<Vec<String>>>>,
    stop: CancellationToken,
) {
    let (url, client, id, token) = app;
    for call in 0.. {
        if stop.is_cancelled() {
            return;
        }
        let ids: Vec<String> = (0..CALL).map(|log| format!("s{name}-{call}-{log}")).collect();
        let logs: Vec<Value> = ids.iter().map(|id| a_log(id)).collect();
        let sent = client
            .post(format!("{url}/v1/logs"))
            .header("x-app-id", &id)
            .header("x-app-token", &token)
            .json(&logs);
        let answer = sent.send().await.unwrap();
        assert_eq!(answer.status(), 201);
        told.lock().unwrap().push(ids);
    }
}

async fn get(app: &TestApp, key: &IssuedKey, path: &str) -> Value {
    let answer = app.call(Method::GET, path, key).send().await.unwrap();
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert_eq!(status, 200, "{path}: {text}");
    serde_json::from_str(&text).unwrap()
}

/// What a service that stands on a backup gives of these calls: all of the first ones, and of the others each whole or not at all.
async fn serves(app: &TestApp, key: &IssuedKey, before: &[Vec<String>], all: &[Vec<String>]) {
    let mut ids = app.all_ids(key).await;
    ids.sort_unstable();
    let is_there = |id: &String| ids.binary_search(id).is_ok();
    for call in before {
        assert!(
            call.iter().all(is_there),
            "acknowledged before the backup began, and not in it: {call:?}"
        );
    }
    for call in all {
        let there = call.iter().filter(|id| is_there(id)).count();
        assert!(there == 0 || there == CALL, "half a call: {there}");
    }
    for id in before.iter().flatten().step_by(97) {
        let log = get(app, key, &format!("/v1/logs/{id}")).await;
        assert_eq!(
            (&log["request"]["body"]["order"], &log["response"]["body"]["told"]),
            (&json!(id), &json!(id))
        );
    }
    let (code, words) = chain::run(app, &["verify"]);
    assert_eq!(code, Some(0), "it is as it was written, says the chain: {words}");
    let sought = &before[before.len() / 2][3];
    let found = get(
        app,
        key,
        &format!("/v1/logs?q=%22told%22:%22{sought}%22&from=2000-01-01T00:00:00Z"),
    )
    .await;
    assert_eq!(found["data"][0]["id"], json!(sought), "it is found by its text");
}

fn backup(app: &TestApp, file: &Path) -> std::process::Output {
    let files = format!("file:{}", app.folder().join("files").display());
    app.command_beside(&["backup", file.to_str().unwrap(), "--files-url", &files])
}

fn ok(output: &std::process::Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn refused(output: &std::process::Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// What lies in a folder and begins so.
fn lying(folder: &Path, start: &str) -> Vec<String> {
    let names = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with(start)).collect()
}

for_each_db! {
    async fn a_backup_under_load_has_all_that_was_acknowledged(app: TestApp) {
        let project = app.add_project("a \"shop\"\twith\\Nsigns").await;
        let key = app.add_key(&project, &ALL).await;
        let (told, stop) = (Arc::new(Mutex::new(Vec::new())), CancellationToken::new());
        let senders: Vec<_> = (0..3).map(|name| {
            let door = (app.url.clone(), app.client.clone(), key.app_id.clone(), key.app_token.clone());
            tokio::spawn(send(door, name, told.clone(), stop.clone()))
        }).collect();
        while told.lock().unwrap().len() < 60 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let before = told.lock().unwrap().clone();
        let file = app.folder().join("kept.db");
        let words = ok(&backup(app, &file));
        let during = told.lock().unwrap().len() - before.len();
        stop.cancel();
        for sender in senders {
            sender.await.unwrap();
        }
        assert!(during > 0, "nobody who writes waits for a backup");
        assert!(words.contains("kept.db: ") && words.contains("The instance key is not in it"), "{words}");
        assert_eq!(lying(app.folder(), "kept.db"), ["kept.db"], "nothing unfinished is left, and there are no files");

        let all = told.lock().unwrap().clone();
        let restored = app.folder().join("restored.db");
        std::fs::copy(&file, &restored).unwrap();
        let again = TestApp::another(&format!("sqlite://{}", restored.display()), &app.folder().join("none")).await;
        serves(&again, &key, &before, &all).await;
        again.stop().await;
        if app.database_url.starts_with("postgres") {
            let back = new_database().await;
            ok(&app.command_beside(&["copy", "--database-url", &format!("sqlite://{}", file.display()), "--to", &back]));
            let again = TestApp::another(&back, &app.folder().join("none")).await;
            serves(&again, &key, &before, &all).await;
            again.stop().await;
        }
    }

    async fn files_that_rows_name_are_in_it_and_others_are_not(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &ALL).await;
        let logs: Vec<Value> = (0..50).map(|log| a_log(&format!("l-{log}"))).collect();
        assert_eq!(app.call(Method::POST, "/v1/logs", &key).json(&logs).send().await.unwrap().status(), 201);
        let workers = app.work();
        let form = reqwest::multipart::Form::new().part("file", reqwest::multipart::Part::text("id,method,url,status_code\r\ni-1,GET,/v1/b,200\r\ni-2,GET,/v1/b,99\r\n").file_name("a.csv"));
        let task = app.call(Method::POST, "/v1/logs/import", &key).multipart(form).send().await.unwrap().json::<Value>().await.unwrap();
        let begun = json!({"exported_object": "api_log", "parameters": {"fields": ["id", "url"]}});
        let id = app.call(Method::POST, "/v1/exports", &key).json(&begun).send().await.unwrap().json::<Value>().await.unwrap()["id"].as_str().unwrap().to_owned();
        let export = over(app, &key, &id).await;
        let whole = app.client.get(export["result"]["url"].as_str().unwrap()).send().await.unwrap().text().await.unwrap();
        let task = format!("/v1/async-actions/{}", task["async_action_id"].as_str().unwrap());
        while get(app, &key, &task).await["status"] != "DONE" {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        workers.stop().await;
        std::fs::create_dir_all(app.folder().join("files/exports/nobodys")).unwrap();
        std::fs::write(app.folder().join("files/exports/nobodys/00000000"), b"x").unwrap();

        let file = app.folder().join("kept.db");
        let words = ok(&backup(app, &file));
        assert!(words.contains("3 files ("), "an export, an original, what was not taken: {words}");
        assert!(!app.folder().join("kept.db.files/exports/nobodys").exists());
        let again = TestApp::another(&format!("sqlite://{}", file.display()), &app.folder().join("kept.db.files")).await;
        let export = get(&again, &key, &format!("/v1/exports/{id}")).await;
        let url = export["result"]["url"].as_str().unwrap().replace(&app.url, &again.url);
        assert_eq!(again.client.get(url).send().await.unwrap().text().await.unwrap(), whole);
        let left = again.call(Method::GET, &format!("{task}/rejected"), &key).send().await.unwrap();
        assert!(left.text().await.unwrap().contains("i-2"), "sealed, and opened with the same key");
        again.stop().await;

        let elsewhere = app.folder().join("elsewhere.db");
        std::fs::create_dir_all(app.folder().join("empty")).unwrap();
        let other = format!("file:{}", app.folder().join("empty").display());
        let words = refused(&app.command_beside(&["backup", elsewhere.to_str().unwrap(), "--files-url", &other]));
        assert!(words.contains("3 of the files") && words.contains("--files-url"), "{words}");
        assert_eq!(lying(app.folder(), "elsewhere"), [""; 0]);
        let without = app.command_beside(&["backup", elsewhere.to_str().unwrap(), "--files-url", &other, "--without-files"]);
        assert!(ok(&without).contains("without the files"));
    }

    async fn nothing_is_written_over_and_the_refusal_says_so(app: TestApp) {
        let file = app.folder().join("kept.db");
        ok(&backup(app, &file));
        let first = std::fs::read(&file).unwrap();
        app.add_project("later").await;
        assert!(refused(&backup(app, &file)).contains("writes over nothing"));
        assert_eq!(std::fs::read(&file).unwrap(), first);
        assert_eq!(lying(app.folder(), "kept.db"), ["kept.db"]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "nobody else reads it");
        }
        let nowhere = app.folder().join("no/such/folder.db");
        assert!(refused(&backup(app, &nowhere)).contains("folder.db"));
    }

    async fn whatever_has_the_name_is_whole_however_the_backup_was_killed(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &ALL).await;
        for call in 0..10 {
            let logs: Vec<Value> = (0..200).map(|log| a_log(&format!("l-{call}-{log}"))).collect();
            assert_eq!(app.call(Method::POST, "/v1/logs", &key).json(&logs).send().await.unwrap().status(), 201);
        }
        let mut half = 0;
        for kill in 0..8 {
            let file = app.folder().join(format!("killed-{kill}.db"));
            let mut child = Command::new(env!("CARGO_BIN_EXE_audit-log"))
                .args(["backup", file.to_str().unwrap()])
                .env("DATABASE_URL", &app.database_url)
                .current_dir(app.folder())
                .stdout(Stdio::null()).stderr(Stdio::null())
                .spawn().unwrap();
            tokio::time::sleep(Duration::from_millis(15 * (kill + 1))).await;
            child.kill().unwrap();
            child.wait().unwrap();
            half += lying(app.folder(), &format!("killed-{kill}.db.part")).len();
            if file.exists() {
                let again = TestApp::another(&format!("sqlite://{}", file.display()), &app.folder().join("none")).await;
                assert_eq!(again.all_ids(&key).await.len(), 2_000);
                again.stop().await;
            }
        }
        assert!(half > 0, "no kill met a backup at work: the test means nothing");
    }
}

#[test]
fn a_database_that_is_not_there_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let output = crate::support::run_binary(
        &["backup", "kept.db", "--database-url", "sqlite://none.db"],
        "",
        &[],
        folder.path(),
    );
    assert!(refused(&output).contains("there is no database none.db"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// A month is added, and written to, while a PostgreSQL is being read.
#[test]
fn whoever_needs_a_new_month_does_not_wait_for_a_backup() {
    TestApp::run(
        Database::Postgres,
        |_| {},
        async |app| {
            let project = app.add_project("shop").await;
            let key = app.add_key(&project, &ALL).await;
            assert_eq!(
                app.call(Method::POST, "/v1/logs", &key)
                    .json(&a_log("now"))
                    .send()
                    .await
                    .unwrap()
                    .status(),
                201
            );
            let mut months = 0;
            let file: PathBuf = app.folder().join("kept.db");
            let copied = {
                let mut told = |progress: copy::Progress<'_>| {
                    if progress.table == "logs" && !progress.comparing {
                        months += 1;
                        let mut log = a_log(&format!("old-{months}"));
                        log["created_at"] = json!(format!("2024-0{months}-01T00:00:00Z"));
                        let sent = app
                            .call(Method::POST, "/v1/logs", &key)
                            .json(&log)
                            .timeout(Duration::from_secs(10))
                            .send();
                        let answer = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(sent));
                        assert_eq!(answer.unwrap().status(), 201, "it waited for the backup");
                    }
                };
                copy::to_sqlite(app.db(), &file, &mut told).await.unwrap()
            };
            assert!(months > 1, "{months}");
            let logs = copied.tables.iter().find(|(table, _)| table == "logs").unwrap().1;
            assert_eq!(logs, 1, "what came meanwhile is not in it");
        },
    );
}

/// A member of the restored service signs in with the password from before.
#[test]
fn people_come_along() {
    TestApp::run(
        Database::Sqlite,
        |_| {},
        async |app| {
            app.signed_in(Role::Owner).await;
            let file = app.folder().join("kept.db");
            ok(&backup(app, &file));
            let again = TestApp::another(&format!("sqlite://{}", file.display()), &app.folder().join("none")).await;
            again.sign_in("owner@example.com", "correct horse").await;
            again.stop().await;
        },
    );
}

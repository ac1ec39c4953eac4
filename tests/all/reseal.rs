//! Another instance key: what was sealed before stays readable, and is sealed anew.

use std::sync::Arc;

use audit_log::model::rights::Scope;
use audit_log::server::clock::Random;
use audit_log::server::files::{Files, ResealedPart};
use audit_log::server::reseal::{self, Resealed};
use audit_log::server::secrets::InstanceKey;
use audit_log::server::store::sealed::{self, SealedColumn, SealedFiles};
use audit_log::server::store::tasks;
use reqwest::Method;
use serde_json::{Value, json};

use crate::imports_api::{begin, over};
use crate::support::TestApp;

/// The service's files, as a process with these keys has them.
fn files_by(app: &TestApp, keys: &[[u8; 32]]) -> Files {
    let key = Arc::new(ring(app.folder(), keys));
    Files::open(&app.server.config.data.files_url, key, Random::seeded(3)).unwrap()
}

/// What is in a file.
async fn content(files: &Files, file: &str, bytes: i64) -> Result<Vec<u8>, String> {
    use futures::TryStreamExt;
    let parts = files.read(file, bytes as u64, true).stream(0..bytes as u64);
    let parts: Vec<bytes::Bytes> = parts.try_collect().await.map_err(|error| error.to_string())?;
    Ok(parts.concat())
}

/// Keys as their file has them: the tests' own, and a new one before it.
fn ring(folder: &std::path::Path, keys: &[[u8; 32]]) -> InstanceKey {
    let path = folder.join("ring.key");
    let lines: Vec<String> = keys.iter().map(|key| data_encoding::BASE64.encode(key)).collect();
    std::fs::write(&path, lines.join("\n")).unwrap();
    let options = audit_log::server::config::DataOptions {
        secret_key_file: Some(path),
        ..Default::default()
    };
    InstanceKey::load(None, &options, &Random::seeded(1)).unwrap()
}

for_each_db! {
    async fn what_lies_sealed_is_sealed_anew_row_by_row_and_once(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &Scope::ALL).await;
        let post = async |path: &str, body: Value| app.call(Method::POST, path, &key).json(&body).send().await.unwrap();
        for n in 0..3 {
            assert_eq!(post("/v1/webhooks", json!({"target_url": format!("https://h{n}.example.com/"), "headers": {"x-own": "a"}})).await.status(), 201);
        }
        for n in 0..150 {
            assert_eq!(post("/v1/events", json!({"type": "voucher.created", "data": {"n": n}})).await.status(), 201);
        }
        post("/v1/logs", json!({"id": "one", "method": "GET", "url": "https://a.example/b", "status_code": 200})).await;
        let put = app.call(Method::PUT, "/v1/logs/one/import-file", &key).header("content-disposition", "attachment; filename=\"a.csv\"").body("a,b");
        assert!(put.send().await.unwrap().status().is_success());

        let both = ring(app.folder(), &[[9; 32], [7; 32]]);
        let random = Random::seeded(2);
        let done = reseal::run(app.db(), &both, &random).await.unwrap();
        // Three secrets, three times headers, 150 events, one original.
        assert_eq!(done, Resealed { seen: 157, changed: 157, broken: 0 });
        assert_eq!(reseal::run(app.db(), &both, &random).await.unwrap(), Resealed { seen: 157, changed: 0, broken: 0 });
        let new = InstanceKey::new([9; 32]);
        let events = sealed::after(app.db(), SealedColumn::EventData, &(i64::MIN, String::new(), i64::MIN), 1_000).await.unwrap();
        assert_eq!(events.len(), 150);
        assert!(events.iter().all(|(_, sealed)| new.open("event-data", sealed).is_some()), "the new key alone opens them");
        let stranger = reseal::run(app.db(), &ring(app.folder(), &[[1; 32], [2; 32]]), &random).await.unwrap();
        assert_eq!(stranger, Resealed { seen: 157, changed: 0, broken: 157 }, "what no key opens is left as it is, and counted");
    }

    async fn files_are_sealed_anew_part_by_part_while_they_are_read(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &Scope::ALL).await;
        let workers = app.work();
        // Past two parts of what is not taken, and an original of as many.
        let line = |nth: usize| json!({"id": format!("i-{nth}"), "method": "GET", "url": "/a", "status_code": 99, "request": {"body": "x".repeat(4_000)}}).to_string();
        let lines: Vec<String> = (0..2_400).map(line).collect();
        let original = lines.join("\n");
        let id = begin(app, &key, "logs.ndjson", original.clone()).await;
        let task = over(app, &key, &id).await;
        assert_eq!(task["result"]["failed_count"], 2_400, "{task}");
        workers.stop().await;

        let old = &app.server.files;
        let (both, new) = (files_by(app, &[[9; 32], [7; 32]]), files_by(app, &[[9; 32]]));
        let sealed = sealed::files_after(app.db(), (i64::MIN, i64::MIN), 10).await.unwrap();
        assert_eq!(sealed.len(), 1);
        let SealedFiles { file: Some(file), rejected: Some(rejected), .. } = &sealed[0] else { panic!("{sealed:?}") };
        let parts = old.parts(file).await.unwrap().len() + old.parts(rejected).await.unwrap().len();
        assert!(parts >= 4, "{parts}");
        // Broken off after one part: the rest is done the next time, and what is read meanwhile is whole.
        both.reseal(file, 0).await.unwrap();
        assert_eq!(content(&both, file, original.len() as i64).await.unwrap(), original.as_bytes());
        assert!(content(&new, file, original.len() as i64).await.is_err(), "half of it needs the old key still");
        let reading = {
            let (both, file, length) = (both.clone(), file.clone(), original.len() as i64);
            tokio::spawn(async move {
                for _ in 0..5 {
                    content(&both, &file, length).await.unwrap();
                }
            })
        };
        let done = reseal::files(app.db(), &both).await.unwrap();
        reading.await.unwrap();
        assert_eq!(done, Resealed { seen: parts as u64, changed: parts as u64 - 1, broken: 0 });
        assert_eq!(reseal::files(app.db(), &both).await.unwrap(), Resealed { seen: parts as u64, changed: 0, broken: 0 });
        assert_eq!(content(&new, file, original.len() as i64).await.unwrap(), original.as_bytes(), "the new key alone opens it");
        let length = tasks::find(app.db(), project.key, &id).await.unwrap().unwrap().rejected.unwrap().1;
        assert!(String::from_utf8(content(&new, rejected, length).await.unwrap()).unwrap().contains("i-2399"));
        let stranger = reseal::files(app.db(), &files_by(app, &[[1; 32], [2; 32]])).await.unwrap();
        assert_eq!(stranger, Resealed { seen: parts as u64, changed: 0, broken: parts as u64 });
    }

    async fn a_file_that_is_deleted_meanwhile_does_not_come_back(app: TestApp) {
        let files = files_by(app, &[[9; 32], [7; 32]]);
        let mut writer = app.server.files.write("imports/gone", true);
        writer.push(b"hello").await.unwrap();
        writer.finish().await.unwrap();
        // As a server deletes it between the list of parts and one of them.
        app.server.files.delete("imports/gone").await.unwrap();
        assert_eq!(files.reseal("imports/gone", 0).await.unwrap(), ResealedPart::Gone);
        let none = SealedFiles { project_id: 1, created_at: 1, file: Some("imports/gone".to_owned()), rejected: None };
        assert!(!sealed::has_file(app.db(), &none, "imports/gone").await.unwrap());
        assert_eq!(files.parts("imports/gone").await.unwrap(), [0_u64; 0]);
    }
}

#[test]
fn the_commands_say_what_to_do_next() {
    use crate::support::run_binary;
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str], environment: &[(&str, &str)]| {
        let out = run_binary(arguments, "", environment, folder.path());
        (
            out.status.success(),
            format!(
                "{}{}",
                String::from_utf8_lossy(&out.stdout),
                String::from_utf8_lossy(&out.stderr)
            ),
        )
    };
    let database = format!("sqlite://{}/data/audit-log.db", folder.path().display());
    let environment = [("DATABASE_URL", database.as_str())];
    let (worked, words) = run(&["secret", "rotate"], &environment);
    assert!(!worked && words.contains("secret.key"), "there is none yet: {words}");
    std::fs::create_dir_all(folder.path().join("data")).unwrap();
    std::fs::write(folder.path().join("data/secret.key"), data_encoding::BASE64.encode(&[7; 32])).unwrap();
    let (worked, words) = run(&["secret", "reseal"], &environment);
    assert!(!worked && words.contains("one key alone"), "{words}");
    let (worked, words) = run(&["secret", "rotate"], &environment);
    assert!(worked && words.contains("secret reseal"), "{words}");
    assert_eq!(
        std::fs::read_to_string(folder.path().join("data/secret.key"))
            .unwrap()
            .lines()
            .count(),
        2
    );
    let (worked, words) = run(&["secret", "reseal"], &environment);
    assert!(
        worked && words.contains("rows: 0 of 0") && words.contains("parts of files: 0 of 0"),
        "{words}"
    );
    let held = [environment[0], ("AUDIT_LOG_SECRET_KEY", "anything")];
    let (worked, words) = run(&["secret", "rotate"], &held);
    assert!(!worked && words.contains("AUDIT_LOG_SECRET_KEY"), "{words}");
}

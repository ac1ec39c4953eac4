//! Another instance key: what was sealed before stays readable, and is sealed anew.

use audit_log::model::rights::Scope;
use audit_log::server::clock::Random;
use audit_log::server::reseal::{self, Resealed};
use audit_log::server::secrets::InstanceKey;
use audit_log::server::store::sealed::{self, SealedColumn};
use reqwest::Method;
use serde_json::{Value, json};

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
    assert!(worked && words.contains("0 of 0"), "{words}");
    let held = [environment[0], ("AUDIT_LOG_SECRET_KEY", "anything")];
    let (worked, words) = run(&["secret", "rotate"], &held);
    assert!(!worked && words.contains("AUDIT_LOG_SECRET_KEY"), "{words}");
}

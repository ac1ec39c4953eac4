//! `audit-log copy`: everything of a SQLite file arrives in PostgreSQL, compared; or nothing does.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use audit_log::model::rights::Role;
use audit_log::server::access::issue::IssuedKey;
use audit_log::server::store::logs::sequence;
use audit_log::server::store::{Db, copy, projects};
use reqwest::Method;
use serde_json::{Value, json};

use crate::chain;
use crate::exports_api::ALL;
use crate::support::{Database, TestApp, bare_database, new_database, tables};

/// Logs of three months, of clients' ids and of our own, with a person, in a database that has a row in every table.
async fn filled(app: &TestApp) -> IssuedKey {
    let (project, cookie) = app.signed_in(Role::Owner).await;
    let key = app.add_key(&project, &ALL).await;
    let view = json!({"project": project.id, "tab": "logs", "wish": {"name": "a\\b Ü", "shared": true, "query": "path=%5CN"}});
    let saved = app
        .request(Method::POST, "/api/save_view")
        .header("cookie", &cookie)
        .json(&view);
    assert_eq!(saved.send().await.unwrap().status(), 200);
    let now = app.server.clock.now_ms();
    for call in 0..12_i64 {
        let log = |nth: i64| {
            json!({"id": format!("l-{call}-{nth}"), "method": "POST", "url": format!("/v1/a/{nth}?t=\\N\\."), "status_code": 200, "user_email": "ada@example.com", "channel": "a\\b \u{1F600}",
                "created_at": now - call * 7 * 86_400_000 - nth, "request": {"body": {"told": format!("c{call}n{nth}"), "ü": "\u{1F600}\n"}}})
        };
        let logs: Vec<Value> = (0..120).map(log).collect();
        assert_eq!(
            app.call(Method::POST, "/v1/logs", &key)
                .json(&logs)
                .send()
                .await
                .unwrap()
                .status(),
            201
        );
    }
    let own = json!({"method": "GET", "url": "/own", "status_code": 500});
    assert_eq!(
        app.call(Method::POST, "/v1/logs", &key)
            .json(&own)
            .send()
            .await
            .unwrap()
            .status(),
        201
    );
    app.server.writer.compact().await.unwrap();
    // What is put in by hand is nobody's who is looked at below.
    let other = app.add_project("another").await;
    let user = app.add_person("other@example.com", "correct horse", None).await;
    tables::fill_the_empty(app.db(), other.key, user).await;
    key
}

fn copy_to(app: &TestApp, to: &str) -> Output {
    app.command_beside(&["copy", "--to", to])
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

async fn is_empty(url: &str) -> bool {
    let db = Db::open(url).await.unwrap();
    let mut rows = 0;
    for (table, _) in tables::tables(&db).await {
        rows += if table == "log_seq" {
            0
        } else {
            tables::count(&db, &table).await
        };
    }
    db.close().await;
    rows == 0
}

fn on_sqlite(body: impl AsyncFnOnce(&TestApp)) {
    TestApp::run(Database::Sqlite, |_| {}, body);
}

#[test]
fn every_table_arrives_and_is_served() {
    on_sqlite(async |app| {
        let key = filled(app).await;
        let to = bare_database().await;
        let output = copy_to(app, &to);
        assert!(output.status.success(), "{}", words(&output));
        let told = String::from_utf8(output.stdout).unwrap();
        let target = Db::open(&to).await.unwrap();
        for (table, columns) in tables::tables(app.db()).await {
            let sent = tables::count(app.db(), &table).await;
            assert!(sent > 0, "{table} is empty: the test does not see whether it is copied");
            if table == "log_seq" {
                continue;
            }
            assert_eq!(tables::count(&target, &table).await, sent, "{table}");
            assert!(
                told.lines().any(|line| line == format!("{table}: {sent}")),
                "{table} in {told}"
            );
            let mut there: Vec<String> = tables::tables(&target)
                .await
                .into_iter()
                .find(|(one, _)| *one == table)
                .unwrap()
                .1
                .into_iter()
                .map(|column| column.0)
                .collect();
            let mut names: Vec<String> = columns.into_iter().map(|column| column.0).collect();
            there.sort();
            names.sort();
            assert_eq!(there, names, "{table}");
        }
        assert_eq!(
            sequence::watermark(&target).await.unwrap(),
            sequence::watermark(app.db()).await.unwrap()
        );
        target.close().await;
        is_served(app, &key, &to).await;
    });
}

/// The copy answers as the original does, and goes on where it stood.
async fn is_served(app: &TestApp, key: &IssuedKey, to: &str) {
    let again = TestApp::another(to, &app.folder().join("files")).await;
    let before = app.all_ids(key).await;
    assert_eq!(again.all_ids(key).await, before);
    for sought in ["c0n3", "c11n119"] {
        let path = format!("/v1/logs?q={sought}&from=2000-01-01T00:00:00Z");
        let [there, here] = [&again, app].map(|app| app.call(Method::GET, &path, key).send());
        let (there, here) = (
            there.await.unwrap().text().await.unwrap(),
            here.await.unwrap().text().await.unwrap(),
        );
        assert!(here.contains(sought));
        assert_eq!(there, here);
    }
    again.sign_in("owner@example.com", "correct horse").await;
    let projects = projects::all(again.db()).await.unwrap();
    let shop = projects.into_iter().find(|project| project.name == "shop").unwrap().id;
    let (code, words) = chain::run(&again, &["verify", "--project", &shop]);
    assert_eq!(code, Some(0), "it is as it was written, says the chain: {words}");
    let highest = again.add_project("the next").await.key;
    assert!(highest > 2, "numbers go on after those that were given: {highest}");
    again.add_person("new@example.com", "correct horse", None).await;
    let log = json!({"id": "new", "method": "GET", "url": "/new", "status_code": 200});
    assert_eq!(
        again
            .call(Method::POST, "/v1/logs", key)
            .json(&log)
            .send()
            .await
            .unwrap()
            .status(),
        201
    );
    let twice = json!({"id": "l-0-1", "method": "GET", "url": "/twice", "status_code": 200});
    let answer: Value = again
        .call(Method::POST, "/v1/logs", key)
        .json(&twice)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(answer["duplicates"], 1, "a client's own id is known again: {answer}");
    assert_eq!(again.all_ids(key).await.len(), before.len() + 1);
    again.stop().await;
}

#[test]
fn a_number_that_was_given_is_not_given_again() {
    on_sqlite(async |app| {
        app.add_project("kept").await;
        let gone = app.add_project("gone").await.key;
        tables::execute(app.db(), format!("DELETE FROM projects WHERE id = {gone}")).await;
        let to = new_database().await;
        let output = copy_to(app, &to);
        assert!(output.status.success(), "{}", words(&output));
        let again = TestApp::another(&to, &app.folder().join("files")).await;
        assert_eq!(again.add_project("next").await.key, gone + 1);
        again.stop().await;
    });
}

#[test]
fn a_target_with_rows_is_refused_and_stays_as_it_is() {
    on_sqlite(async |app| {
        app.add_project("ours").await;
        let to = new_database().await;
        let theirs = TestApp::another(&to, &app.folder().join("files")).await;
        theirs.add_project("theirs").await;
        theirs.stop().await;
        let output = copy_to(app, &to);
        assert_eq!(output.status.code(), Some(1));
        assert!(
            words(&output).contains("not empty: it has rows in chain_entries, chain_heads, projects"),
            "{}",
            words(&output)
        );
        let db = Db::open(&to).await.unwrap();
        assert_eq!(tables::count(&db, "projects").await, 1);
        db.close().await;
    });
}

#[test]
fn what_arrives_otherwise_is_named_and_nothing_is_kept() {
    on_sqlite(async |app| {
        filled(app).await;
        // No row refers to them: the database itself would say that they are missing.
        app.add_person("lost@example.com", "correct horse", None).await;
        for (harm, word) in [
            ("NEW.name := 'another'; RETURN NEW;", "users (3 rows, of another content)"),
            (
                "IF NEW.email LIKE 'lost%' THEN RETURN NULL; END IF; RETURN NEW;",
                "users (3 rows were sent, 2 arrived)",
            ),
        ] {
            let to = new_database().await;
            let db = Db::open(&to).await.unwrap();
            tables::execute(
                &db,
                format!("CREATE FUNCTION harm() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {harm} END $$"),
            )
            .await;
            tables::execute(
                &db,
                "CREATE TRIGGER harm BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION harm()".to_owned(),
            )
            .await;
            db.close().await;
            let output = copy_to(app, &to);
            assert_eq!(output.status.code(), Some(1));
            assert!(words(&output).contains(word), "{}", words(&output));
            assert!(is_empty(&to).await);
        }
    });
}

#[test]
fn a_table_of_one_side_alone_is_refused() {
    on_sqlite(async |app| {
        tables::execute(app.db(), "CREATE TABLE forgotten (id BIGINT PRIMARY KEY)".to_owned()).await;
        let output = copy_to(app, &new_database().await);
        assert_eq!(output.status.code(), Some(1));
        assert!(
            words(&output).contains("the table forgotten is in the source alone"),
            "{}",
            words(&output)
        );
    });
}

#[test]
fn a_copy_that_was_killed_leaves_an_empty_target_and_is_begun_again() {
    on_sqlite(async |app| {
        let key = filled(app).await;
        let to = new_database().await;
        for kill in 0..6 {
            let mut child = Command::new(env!("CARGO_BIN_EXE_audit-log"))
                .args(["copy", "--to", &to])
                .env("DATABASE_URL", &app.database_url)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            tokio::time::sleep(Duration::from_millis(40 + 15 * kill)).await;
            child.kill().unwrap();
            if child.wait().unwrap().success() {
                return is_served(app, &key, &to).await;
            }
            assert!(is_empty(&to).await, "half a copy");
        }
        let output = copy_to(app, &to);
        assert!(output.status.success(), "{}", words(&output));
        is_served(app, &key, &to).await;
    });
}

#[test]
fn what_comes_meanwhile_is_said_to_be_missing() {
    on_sqlite(async |app| {
        app.add_project("before").await;
        let target = Db::open(&new_database().await).await.unwrap();
        let mut written = false;
        let mut told = |_: copy::Progress<'_>| {
            if !std::mem::replace(&mut written, true) {
                tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(app.add_project("meanwhile")));
            }
        };
        let copied = copy::to_postgres(app.db(), &target, &mut told).await.unwrap();
        assert!(copied.is_behind);
        assert_eq!(tables::count(&target, "projects").await, 1);
        target.close().await;
    });
}

#[test]
fn another_direction_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| crate::support::run_binary(arguments, "", &[], Path::new(folder.path()));
    for arguments in [
        &["copy", "--to", "sqlite://b.db"][..],
        &["copy", "--to", "postgres://h/b", "--database-url", "postgres://h/a"],
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(1));
        assert!(
            words(&output).contains("from a SQLite file to PostgreSQL"),
            "{}",
            words(&output)
        );
    }
    let output = run(&["copy", "--to", "postgres://h/b", "--database-url", "sqlite://none.db"]);
    assert!(words(&output).contains("there is no database none.db"), "{}", words(&output));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is made");
}

//! *Find anywhere* takes what a person copied from what they see, and finds it literally.

use std::time::Duration;

use audit_log::model::log::{BodyKind, Message, Origin};
use audit_log::model::page::Place;
use audit_log::model::query::Order;
use audit_log::model::selection::{LogSelection, TextNeedles, TimeRange};
use audit_log::server::clock::Random;
use audit_log::server::store::Db;
use audit_log::server::store::logs::list::{self, ListRequest};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use crate::logs::{LONG, START, call, walk};
use crate::logs_api::READS_AND_WRITES;
use crate::plain_scan::Dice;
use crate::support::{Database, TestApp};

/// The ids of the logs that an argument of the list leaves.
async fn found(app: &TestApp, key: &audit_log::server::access::issue::IssuedKey, argument: &str, text: &str) -> Vec<String> {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair(argument, text)
        .append_pair("from", "2026-11-01T00:00:00Z")
        .finish();
    let request = app.call(Method::GET, &format!("/v1/logs?{query}"), key);
    let page: Value = request.send().await.unwrap().json().await.unwrap();
    let mut ids: Vec<String> = page["data"]
        .as_array()
        .unwrap_or_else(|| panic!("{page}"))
        .iter()
        .map(|log| log["id"].as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    ids
}

async fn send(app: &TestApp, key: &audit_log::server::access::issue::IssuedKey, log: &str) {
    let request = app
        .call(Method::POST, "/v1/logs", key)
        .header("content-type", "application/json")
        .body(log.to_owned());
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 201, "{}", answer.text().await.unwrap());
}

async fn execute(db: &Db, sql: &str) -> u64 {
    let sql = AssertSqlSafe(sql.to_owned());
    match db {
        Db::Sqlite { write, .. } => sqlx::query(sql).execute(write).await.unwrap().rows_affected(),
        Db::Postgres(pool) => sqlx::query(sql).execute(pool).await.unwrap().rows_affected(),
    }
}

for_each_db! {
    async fn headers_are_found_as_they_are_read(app: TestApp) {
        let key = app.add_key(&app.add_project("shop").await, &READS_AND_WRITES).await;
        let headers = json!({"ETag": "W/\"abc\"", "X-Path": "C:\\temp", "Vary": ["Accept", "Accept-Language"]});
        let asked = json!({"id": "asked", "method": "GET", "url": "/a", "status_code": 200, "request": {"headers": headers}});
        let answered = json!({"id": "answered", "method": "GET", "url": "/a", "status_code": 200, "response": {"headers": headers}});
        let other = json!({"id": "other", "method": "GET", "url": "/a", "status_code": 200, "request": {"headers": {"etag": "abc"}}});
        for log in [asked, answered, other] {
            send(app, &key, &log.to_string()).await;
        }
        for text in ["W/\"abc\"", "w/\"ABC\"", "ETag: W/", "etag: w/\"abc\"", "C:\\temp", "Vary: Accept", "Vary: Accept-Language", ": Accept-L"] {
            assert_eq!(found(app, &key, "q", text).await, ["answered", "asked"], "{text}");
        }
        assert_eq!(found(app, &key, "q", "etag: abc").await, ["other"]);
        for text in ["W/\\\"abc", "C:\\\\temp", "\"ETag\":", "Vary: AcceptX"] {
            assert!(found(app, &key, "q", text).await.is_empty(), "{text} is how it is kept, not what it says");
        }
    }

    async fn bodies_are_found_as_they_were_sent(app: TestApp) {
        let key = app.add_key(&app.add_project("shop").await, &READS_AND_WRITES).await;
        let body = r#"{"a" :  "x\"y", "caf\u00e9":1.50,"z":[ ]}"#;
        for (id, side) in [("asked", "request"), ("answered", "response")] {
            let log = format!(r#"{{"id":"{id}","method":"GET","url":"/a","status_code":200,"{side}":{{"body":{body}}}}}"#);
            send(app, &key, &log).await;
        }
        for text in [r#"{"a" :  "x\"y", "#, r#"X\"Y"#, r#"caf\u00E9":1.50"#, "[ ]}", body] {
            assert_eq!(found(app, &key, "q", text).await, ["answered", "asked"], "{text}");
            assert_eq!(found(app, &key, "request_body", text).await, ["asked"], "{text}");
            assert_eq!(found(app, &key, "response_body", text).await, ["answered"], "{text}");
        }
        for text in [r#"{"a":"#, r#"x"y"#, "caf\u{e9}", "1.5,", "[]"] {
            assert!(found(app, &key, "q", text).await.is_empty(), "{text} means the same, but was not sent");
        }
    }

    async fn logs_that_were_signed_before_headers_were_lines_are_found(app: TestApp) {
        let key = app.add_key(&app.add_project("shop").await, &READS_AND_WRITES).await;
        let log = |id: &str, side: Value| json!({"id": id, "created_at": "2026-11-20T10:00:00Z", "method": "GET", "url": "/a", "status_code": 200, "request": side}).to_string();
        // Another log's body says what the first one's headers say, as they were signed then.
        let headers = json!({"etag": "W/\"abc\"", "x-path": "C:\\temp"});
        send(app, &key, &log("older-a", json!({"headers": headers}))).await;
        send(app, &key, &log("older-b", json!({"body": headers}))).await;
        const SIGNATURE: &str = "UPDATE log_signatures SET form = 0,
            width = (SELECT width FROM log_signatures AS other WHERE other.id > log_signatures.id),
            signature = (SELECT signature FROM log_signatures AS other WHERE other.id > log_signatures.id)
            WHERE id = (SELECT MIN(id) FROM log_signatures)";
        assert_eq!(execute(app.db(), SIGNATURE).await, 1);
        for text in ["etag: w/\"abc\"", "W/\"abc\"", ": C:\\temp", "x-path"] {
            assert!(found(app, &key, "q", text).await.contains(&"older-a".to_owned()), "{text}");
        }
        // A signature of today's form would have been believed.
        execute(app.db(), "UPDATE log_signatures SET form = 1").await;
        assert!(!found(app, &key, "q", "etag: w/\"abc\"").await.contains(&"older-a".to_owned()));
    }

    async fn a_search_without_time_opens_what_it_found_and_goes_on_behind_it(app: TestApp) {
        let (dice, project) = (Dice(Random::seeded(42)), app.add_project("shop").await.key);
        // Forty whole blocks, the last of which has it; a first look is at sixteen.
        for block in 0..40 {
            let mut logs: Vec<_> = (0..64).map(|place| dice.log(START + block * 64_000 + place * 1_000)).collect();
            if block == 39 {
                logs[63].text.request = Message { kind: BodyKind::Text, body: b"needle-42".to_vec(), ..Message::default() };
            }
            app.server.writer.write(call(project, logs)).await.unwrap();
        }
        let last = START + 39 * 64_000 + 63_000;
        let text = TextNeedles { anywhere: Some("needle-42".into()), ..TextNeedles::default() };
        let selection = LogSelection { text, ..LogSelection::all(TimeRange { from: 0, to: last + 1 }) };
        let request = ListRequest {
            project,
            selection: &selection,
            order: Order::NewestFirst,
            place: Place::Start,
            limit: 50,
            budget: Duration::ZERO,
        };
        let page = list::page(app.db(), request).await.unwrap();
        assert_eq!(page.rows.len(), 1);
        let reached = page.searched_to.expect("it stops behind what it opened");
        assert!(START < reached && reached < last, "{}", reached - START);
        assert_eq!(walk(app.db(), project, &selection, Order::NewestFirst, 50, Duration::ZERO).await.len(), 1);
    }

    async fn a_search_gets_on_while_blocks_move(app: TestApp) {
        let (dice, project) = (Dice(Random::seeded(43)), app.add_project("shop").await.key);
        let logs: Vec<_> = (0..64 * 150).map(|place| dice.log(START + place * 100)).collect();
        for some in logs.chunks(64) {
            app.server.writer.write(call(project, some.to_vec())).await.unwrap();
        }
        // No signature knows two letters: each block is opened.
        let text = TextNeedles { anywhere: Some("\u{1}\u{2}".into()), ..TextNeedles::default() };
        let selection = LogSelection { text, ..LogSelection::all(TimeRange { from: 0, to: START + 3_600_000 }) };
        let is_searching = std::sync::atomic::AtomicBool::new(true);
        let moving = async {
            while is_searching.load(std::sync::atomic::Ordering::Relaxed) {
                let note = format!("INSERT INTO log_moves (project_id, moves) VALUES ({project}, 1) ON CONFLICT (project_id) DO UPDATE SET moves = log_moves.moves + 1");
                execute(app.db(), &note).await;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let searching = async {
            let found = tokio::time::timeout(LONG / 2, walk(app.db(), project, &selection, Order::NewestFirst, 50, LONG)).await;
            is_searching.store(false, std::sync::atomic::Ordering::Relaxed);
            found
        };
        let ((), found) = tokio::join!(moving, searching);
        assert_eq!(found.expect("it need not begin anew each time"), Vec::<String>::new());
    }
}

/// As with a disk that is slow: here somebody holds a table, which is to be had on PostgreSQL alone.
#[test]
fn a_search_leaves_what_does_not_come_in_time() {
    TestApp::run(
        Database::Postgres,
        |_| {},
        async |app| {
            let Db::Postgres(pool) = app.db() else {
                panic!("PostgreSQL was asked for")
            };
            let (dice, project) = (Dice(Random::seeded(41)), app.add_project("shop").await.key);
            let logs: Vec<_> = (0..40).map(|place| dice.log(START + place * 1_000)).collect();
            let mut wanted = Vec::new();
            for mut log in logs {
                log.facts.origin = Origin::Application;
                log.facts.user_email = Some("ada@example.com".into());
                log.text.request = Message {
                    kind: BodyKind::Text,
                    body: b"needle-41".to_vec(),
                    ..Message::default()
                };
                wanted.push(log.facts.id.clone());
                app.server.writer.write(call(project, vec![log])).await.unwrap();
            }
            wanted.reverse();
            let text = TextNeedles {
                anywhere: Some("needle-41".into()),
                ..TextNeedles::default()
            };
            let everywhere = LogSelection {
                text,
                ..LogSelection::all(TimeRange {
                    from: 0,
                    to: START + 3_600_000,
                })
            };
            let mut few = everywhere.clone();
            few.users.wanted.push("ada@example.com".into());
            for selection in [&everywhere, &few] {
                let mut holder = pool.begin().await.unwrap();
                sqlx::query("LOCK TABLE log_blocks IN ACCESS EXCLUSIVE MODE")
                    .execute(&mut *holder)
                    .await
                    .unwrap();
                let budget = Duration::from_millis(100);
                let request = ListRequest {
                    project,
                    selection,
                    order: Order::NewestFirst,
                    place: Place::Start,
                    limit: 50,
                    budget,
                };
                let page = tokio::time::timeout(LONG, list::page(app.db(), request))
                    .await
                    .expect("nobody waits for the table")
                    .unwrap();
                assert_eq!(
                    page.searched_to,
                    Some(START + 39_000 + 1),
                    "as far as it knows that there is nothing"
                );
                assert!(page.rows.is_empty() && page.more_after);
                holder.rollback().await.unwrap();
                assert_eq!(walk(app.db(), project, selection, Order::NewestFirst, 50, LONG).await, wanted);
            }
        },
    );
}

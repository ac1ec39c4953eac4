//! The queue: fair between projects, stopped while a worker is at it, and worked on by processes of their own that may die.

use std::time::{Duration, Instant};

use audit_log::server::access::issue::IssuedKey;
use audit_log::server::store::jobs;
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::exports_api::{ALL, over, walk};
use crate::support::{Database, TestApp, Worker};

/// So many that an export of them is still at work when something is done about it.
const LOGS: usize = 8_000;

async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or(Value::Null))
}

async fn send_logs(app: &TestApp, key: &IssuedKey) {
    for start in (0..LOGS).step_by(2_000) {
        let log = |number: usize| {
            json!({"id": format!("l-{number}"), "method": "GET", "url": format!("/v1/a/{number}"), "status_code": 200,
                "response": {"body": {"number": number, "filler": "x".repeat(500)}}})
        };
        let logs: Vec<Value> = (start..start + 2_000).map(log).collect();
        let (status, written) = answer(app.call(Method::POST, "/v1/logs", key).json(&logs)).await;
        assert_eq!(status, 201, "{written}");
    }
}

/// Begins an export: its id, and its task's.
async fn begin(app: &TestApp, key: &IssuedKey) -> (String, String) {
    let body = json!({"exported_object": "api_log", "parameters": {"fields": ["id", "url", "response_body"]}});
    let (status, export) = answer(app.call(Method::POST, "/v1/exports", key).json(&body)).await;
    assert_eq!(status, 200, "{export}");
    let text = |name: &str| export[name].as_str().unwrap().to_owned();
    (text("id"), text("async_action_id"))
}

/// Waits until somebody is at it.
async fn at_work(app: &TestApp, key: &IssuedKey, id: &str) {
    let patience = Instant::now() + Duration::from_secs(30);
    loop {
        let (_, export) = answer(app.call(Method::GET, &format!("/v1/exports/{id}"), key)).await;
        match export["status"].as_str() {
            Some("IN_PROGRESS") => return,
            Some("SCHEDULED") => assert!(Instant::now() < patience, "nobody takes {export}"),
            _ => panic!("it was over before it was seen at work: {export}"),
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// The export's file is whole, and is all that is kept.
async fn is_whole(app: &TestApp, export: &Value) {
    assert_eq!(
        (export["status"].as_str(), export["rows"].as_u64()),
        (Some("DONE"), Some(LOGS as u64)),
        "{export}"
    );
    let file = app
        .client
        .get(export["result"]["url"].as_str().unwrap())
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    assert_eq!(
        export["sha256"],
        data_encoding::HEXLOWER.encode(&Sha256::digest(&file)).as_str()
    );
    let ids: std::collections::BTreeSet<Vec<u8>> = csv::Reader::from_reader(&file[..])
        .byte_records()
        .map(|record| record.unwrap()[0].to_vec())
        .collect();
    assert_eq!(ids.len(), LOGS, "each once");
    no_more_files(app, 1 + file.len() / (4 << 20)).await;
}

async fn no_more_files(app: &TestApp, expected: usize) {
    let folder = app.folder().join("files");
    let patience = Instant::now() + Duration::from_secs(20);
    while walk(&folder).len() != expected {
        assert!(
            Instant::now() < patience,
            "{expected} files belong to something: {:#?}",
            walk(&folder)
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

for_each_db! {
    async fn a_project_with_much_to_do_holds_up_no_other(app: TestApp) {
        let (busy, other) = (app.add_project("busy").await, app.add_project("other").await);
        let (busy_key, other_key) = (app.add_key(&busy, &ALL).await, app.add_key(&other, &ALL).await);
        let mut waiting = Vec::new();
        for _ in 0..20 {
            waiting.push(begin(app, &busy_key).await.1);
            app.pass(1);
        }
        let last = begin(app, &other_key).await;
        let mut claims = Vec::new();
        for holder in ["one", "two", "three"] {
            claims.push(jobs::claim(app.db(), holder, app.server.clock.now_ms()).await.unwrap().unwrap());
        }
        let order: Vec<&str> = claims.iter().map(|job| job.task_id.as_str()).collect();
        assert_eq!(order, [waiting[0].as_str(), last.1.as_str(), waiting[1].as_str()], "the one with fewest at work, then the oldest");
        for job in &claims {
            jobs::release(app.db(), job, app.server.clock.now_ms()).await.unwrap();
        }
        // The same by workers: what was asked for last is among the first that are done.
        let workers = app.work();
        let mut done = Vec::new();
        for (key, count) in [(&other_key, 1), (&busy_key, 20)] {
            let patience = Instant::now() + Duration::from_secs(30);
            loop {
                let (_, list) = answer(app.call(Method::GET, "/v1/async-actions?limit=100&status=DONE", key)).await;
                let list = list["async_actions"].as_array().unwrap().clone();
                if list.len() == count {
                    done.extend(list);
                    break;
                }
                assert!(Instant::now() < patience, "{} of {count} are done", list.len());
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        workers.stop().await;
        let sooner = done[1..].iter().filter(|task| task["updated_at"].as_str() < done[0]["updated_at"].as_str());
        assert!(sooner.count() <= 5, "{done:?}");
    }

    async fn a_task_is_stopped_under_its_worker_and_tried_again(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &ALL).await;
        send_logs(app, &key).await;
        let workers = app.work();
        let (id, task) = begin(app, &key).await;
        at_work(app, &key, &id).await;
        let (status, cancelled) = answer(app.call(Method::POST, &format!("/v1/async-actions/{task}/cancel"), &key)).await;
        assert_eq!((status, cancelled["status"].as_str(), cancelled["operation_status"].as_str()), (202, Some("FAILED"), Some("FAILED")), "{cancelled}");
        no_more_files(app, 0).await;
        let (_, export) = answer(app.call(Method::GET, &format!("/v1/exports/{id}"), &key)).await;
        assert_eq!((export["status"].as_str(), &export["result"]), (Some("ERROR"), &Value::Null), "the worker's end changed nothing: {export}");
        assert_eq!(export["error"], "Cancelled by test key");

        let (status, again) = answer(app.call(Method::POST, &format!("/v1/async-actions/{task}/retry"), &key)).await;
        assert_eq!((status, again["progress"].as_i64()), (202, Some(0)), "{again}");
        // A worker may be at it by now.
        assert!(matches!(again["status"].as_str(), Some("ENQUEUED" | "IN_PROGRESS")), "{again}");
        let export = over(app, &key, &id).await;
        is_whole(app, &export).await;
        workers.stop().await;
        let (_, task) = answer(app.call(Method::GET, &format!("/v1/async-actions/{task}"), &key)).await;
        assert_eq!((task["status"].as_str(), task["operation_status"].as_str()), (Some("DONE"), Some("SUCCESS")), "{task}");
    }
}

#[test]
fn a_worker_of_its_own_process_does_what_a_server_was_asked_for() {
    TestApp::run(
        Database::Postgres,
        |_| {},
        async |app| {
            let project = app.add_project("shop").await;
            let key = app.add_key(&project, &ALL).await;
            send_logs(app, &key).await;
            let (id, _) = begin(app, &key).await;
            let worker = Worker::start(app, &[]);
            let export = over(app, &key, &id).await;
            is_whole(app, &export).await;
            drop(worker);
        },
    );
}

#[test]
fn a_worker_that_is_killed_loses_its_job_to_another() {
    TestApp::run(
        Database::Postgres,
        |_| {},
        async |app| {
            let project = app.add_project("shop").await;
            let key = app.add_key(&project, &ALL).await;
            send_logs(app, &key).await;
            let (id, task) = begin(app, &key).await;
            let worker = Worker::start(app, &[]);
            at_work(app, &key, &id).await;
            drop(worker);
            let (_, export) = answer(app.call(Method::GET, &format!("/v1/exports/{id}"), &key)).await;
            assert_eq!(export["status"], "IN_PROGRESS", "it was killed at work");
            assert_eq!(
                jobs::claim(app.db(), "another", app.server.clock.now_ms()).await.unwrap(),
                None,
                "its lease holds"
            );
            app.pass(jobs::LEASE_MS + 1);
            let workers = app.work();
            let export = over(app, &key, &id).await;
            is_whole(app, &export).await;
            workers.stop().await;
            let kept = walk(&app.folder().join("files"));
            assert!(
                kept.iter().all(|file| file.components().any(|part| part.as_os_str() == "2")),
                "of the second claim: {kept:?}"
            );
            assert_eq!(jobs::counts(app.db(), app.server.clock.now_ms()).await.unwrap(), (0, 0));
            let (_, task) = answer(app.call(Method::GET, &format!("/v1/async-actions/{task}"), &key)).await;
            assert_eq!(
                (task["status"].as_str(), task["result"]["done_count"].as_u64()),
                (Some("DONE"), Some(LOGS as u64)),
                "{task}"
            );
        },
    );
}

//! Sendouts sent again in bulk: counted, pinned, stopped half-way, and taken up again where a worker died.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use audit_log::model::rights::Role;
use audit_log::server::access::issue::IssuedKey;
use audit_log::server::clock::Random;
use audit_log::server::jobs;
use audit_log::server::secrets::InstanceKey;
use audit_log::server::state::Server;
use audit_log::server::store::Db;
use audit_log::server::webhooks;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Receiver, TestApp};
use crate::webhooks::{ALL, add_endpoint, allow, ask, post_event};

/// Sendouts that are sent again; a whole number of seconds at [`PACE`].
const SENDOUTS: usize = 60;
const PACE: usize = 20;

/// Has so many sendouts taken; their ids.
async fn some_taken(app: &TestApp, key: &IssuedKey, receiver: &Receiver) -> Vec<String> {
    add_endpoint(app, key, json!({"target_url": receiver.url(), "events": ["bulk"]})).await;
    let mut ids = Vec::new();
    for number in 0..SENDOUTS {
        let posted = post_event(app, key, json!({"type": "bulk", "data": number})).await;
        ids.push(posted["sendouts"][0].as_str().unwrap().to_owned());
    }
    receiver.until(SENDOUTS).await;
    let patience = Instant::now() + Duration::from_secs(30);
    while count(app, key, json!({"type": "bulk", "status": "SUCCEEDED"})).await < SENDOUTS as u64 {
        assert!(Instant::now() < patience, "not all were taken");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    ids
}

async fn count(app: &TestApp, key: &IssuedKey, mut filter: Value) -> u64 {
    filter["dry_run"] = json!(true);
    let counted = ask(app, key, Method::POST, "/v1/webhook-sendouts/retry", filter, 200).await;
    counted["count"].as_u64().unwrap()
}

async fn begin(app: &TestApp, key: &IssuedKey) -> String {
    let filter = json!({"type": "bulk", "per_second": PACE});
    let begun = ask(app, key, Method::POST, "/v1/webhook-sendouts/retry", filter, 202).await;
    format!("/v1/async-actions/{}", begun["async_action_id"].as_str().unwrap())
}

async fn until_task(app: &TestApp, key: &IssuedKey, path: &str, status: &str) -> Value {
    let patience = Instant::now() + Duration::from_secs(60);
    loop {
        let task = ask(app, key, Method::GET, path, Value::Null, 200).await;
        if task["status"] == status {
            return task;
        }
        assert!(Instant::now() < patience, "it never came to that: {task:#}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// How often each sendout came.
fn times(receiver: &Receiver) -> HashMap<String, usize> {
    let mut times = HashMap::new();
    for request in receiver.seen() {
        *times.entry(request.header("webhook-id").to_owned()).or_default() += 1;
    }
    times
}

/// Waits until nothing more comes.
async fn until_quiet(receiver: &Receiver) -> usize {
    loop {
        let before = receiver.count();
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        if receiver.count() == before {
            return before;
        }
    }
}

/// A worker of its own runtime beside the service, as another process would be: it can be ended at any moment, with nothing given back.
fn worker_beside(app: &TestApp) -> tokio::runtime::Runtime {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let (url, config, clock) = (
        app.database_url.clone(),
        (*app.server.config).clone(),
        app.server.clock.clone(),
    );
    runtime.spawn(async move {
        let db = Db::open(&url).await.unwrap();
        let server = Server::new(db, config, InstanceKey::new([7; 32]), clock, Random::system()).unwrap();
        let _workers = jobs::start(&server, 1);
        std::future::pending::<()>().await;
    });
    runtime
}

for_each_db! {
    with allow;

    async fn a_retry_in_bulk_that_is_stopped_half_way_leaves_the_rest_and_can_be_taken_up(app: TestApp) {
        let key = app.add_key(&app.add_project("shop").await, &ALL).await;
        let receiver = Receiver::start(|_, _| Answer::code(200)).await;
        let sender = webhooks::start(&app.server).await.unwrap();
        let ids = some_taken(app, &key, &receiver).await;
        assert_eq!(count(app, &key, json!({"type": "bulk"})).await, SENDOUTS as u64);
        let task = begin(app, &key).await;
        // What comes after it was asked for is not in the set.
        let later = post_event(app, &key, json!({"type": "bulk", "data": "later"})).await;
        let later = later["sendouts"][0].as_str().unwrap();
        let workers = app.work();
        receiver.until(SENDOUTS + 1 + PACE).await;
        ask(app, &key, Method::POST, &format!("{task}/cancel"), Value::Null, 202).await;
        let stopped = until_task(app, &key, &task, "FAILED").await;
        let (message, done) = (stopped["result"]["message"].as_str().unwrap(), stopped["result"]["done_count"].as_u64().unwrap());
        assert!(message.contains("Cancelled"), "{stopped:#}");
        assert!(message.ends_with(&format!("{done} of {SENDOUTS} were sent")), "{stopped:#}");
        let came = until_quiet(&receiver).await;
        let again = came - SENDOUTS - 1;
        assert!((PACE..SENDOUTS).contains(&again), "{again} of {SENDOUTS} were sent again");
        assert_eq!(done, again as u64, "as many as it says");
        ask(app, &key, Method::POST, &format!("{task}/retry"), Value::Null, 202).await;
        let done = until_task(app, &key, &task, "DONE").await;
        assert_eq!((&done["result"]["done_count"], &done["progress"]), (&json!(SENDOUTS), &json!(100)), "{done:#}");
        until_quiet(&receiver).await;
        let times = times(&receiver);
        assert!(ids.iter().all(|id| times[id] == 2), "each once more, however often it was begun: {times:?}");
        assert_eq!(times[later], 1);
        workers.stop().await;
        sender.stop().await;
    }

    async fn a_retry_in_bulk_whose_worker_dies_is_taken_up_and_sends_each_once_more(app: TestApp) {
        let key = app.add_key(&app.add_project("shop").await, &ALL).await;
        let receiver = Receiver::start(|_, _| Answer::code(200)).await;
        let sender = webhooks::start(&app.server).await.unwrap();
        let ids = some_taken(app, &key, &receiver).await;
        let task = begin(app, &key).await;
        for killed in 1..=2 {
            let beside = worker_beside(app);
            receiver.until(SENDOUTS + killed * PACE / 2).await;
            beside.shutdown_background();
            let left = count(app, &key, json!({"type": "bulk"})).await;
            assert!(left > 0 && receiver.count() < 2 * SENDOUTS, "it was killed half-way: {left} left");
            // Nobody is heard of: the claim runs out.
            app.pass(jobs_lease());
            let lost = ask(app, &key, Method::GET, &task, Value::Null, 200).await;
            assert_eq!(lost["status"], "IN_PROGRESS");
        }
        let workers = app.work();
        let done = until_task(app, &key, &task, "DONE").await;
        assert_eq!(done["result"]["done_count"], json!(SENDOUTS), "{done:#}");
        until_quiet(&receiver).await;
        let times = times(&receiver);
        assert!(ids.iter().all(|id| times[id] == 2), "each once more, whoever did it: {times:?}");
        workers.stop().await;
        sender.stop().await;
    }

    async fn what_a_retry_in_bulk_sends_again_is_said_in_words(app: TestApp) {
        let (project, cookie) = app.signed_in(Role::Auditor).await;
        let key = app.add_key(&project, &ALL).await;
        add_endpoint(app, &key, json!({"target_url": "https://example.com/hook"})).await;
        for _ in 0..2 {
            post_event(app, &key, json!({"type": "order.paid", "data": {}})).await;
        }
        let some = json!({"type": ["order.paid", "!order.made"], "status": "PENDING", "from": "2020-01-01T00:00:00Z", "per_second": 1_500});
        for (filter, words) in [(some, true), (json!({}), false)] {
            let begun = ask(app, &key, Method::POST, "/v1/webhook-sendouts/retry", filter, 202).await;
            let path = format!("/projects/{}/tasks/{}?tz=utc", project.id, begun["async_action_id"].as_str().unwrap());
            let page = app.get_as(&cookie, &path).await.text().await.unwrap().replace("<!>", "");
            let page = page.split_once("id=\"parameters-title\"").unwrap().1;
            let row = |name: &str| {
                let (_, rest) = page.split_once(&format!("<dt>{name}</dt><dd>")).unwrap_or_else(|| panic!("no {name}"));
                rest.split_once("</dd>").unwrap().0
            };
            if words {
                assert_eq!((row("Event type"), row("Status")), ("order.paid, not order.made", "Pending"));
                assert_eq!(row("Pace"), "1,500 a second at most");
                assert!(row("Time range").contains("2020") && row("Sendouts").starts_with("0, as of "), "{} {}", row("Time range"), row("Sendouts"));
                let list = page.split("href=\"").find(|href| href.contains("/sendouts?from=2020")).unwrap();
                let list = list.split('"').next().unwrap().replace("&amp;", "&");
                let rows = app.get_as(&cookie, &list).await.text().await.unwrap();
                assert_eq!(rows.matches("data-copy=\"so_").count(), 2, "the list that was meant: {list}");
            } else {
                assert_eq!(row("Filters"), "none: every sendout of the range");
            }
            let (_, behind) = page.split_once("<summary>As JSON</summary>").unwrap();
            assert!(behind.split_once("</details>").unwrap().0.contains("per_second"), "its JSON is behind");
        }
    }

    async fn who_may_not_work_neither_counts_nor_sends_again_from_the_page(app: TestApp) {
        let (project, auditor) = app.signed_in(Role::Auditor).await;
        app.add_person("m@example.com", "correct horse", Some((&project, Role::Member))).await;
        let member = app.sign_in("m@example.com", "correct horse").await;
        let path = format!("/api/count_retry?project={}&query=status%3DFAILED", project.id);
        assert_eq!(app.get_as(&auditor, &path).await.status(), 403);
        let counted: Value = app.get_as(&member, &path).await.json().await.unwrap();
        assert_eq!((&counted["count"], &counted["succeeded"]), (&json!(0), &json!(0)), "{counted}");
        let pin = counted["pin"].to_string();
        for (cookie, pace, code) in [(&auditor, "10", 403), (&member, "0", 409), (&member, "10001", 409), (&member, "10", 200)] {
            let fields = [("project", project.id.as_str()), ("query", "status=FAILED"), ("pin", &pin), ("per_second", pace)];
            let answer = app.post_form("/api/retry_all", &fields).header("cookie", cookie.as_str()).send().await.unwrap();
            assert_eq!(answer.status(), code, "{pace} a second");
        }
        let elsewhere = app.add_project("other").await;
        let path = format!("/api/count_retry?project={}&query=", elsewhere.id);
        assert_eq!(app.get_as(&member, &path).await.status(), 404);
    }
}

/// A little more than a claim holds, in milliseconds.
const fn jobs_lease() -> i64 {
    audit_log::server::store::jobs::LEASE_MS + 1_000
}

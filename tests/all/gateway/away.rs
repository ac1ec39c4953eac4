//! The store is away: the API goes on being served, what passes waits on disk, and what there is no room for is counted and told.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use audit_log::server::gateway::{self, GAP_METHOD};
use serde_json::{Value, json};

use super::rig::{Rig, Switch, around, options, until};
use super::wire::Wire;
use crate::support::TestApp;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

async fn send(app: &TestApp, rig: &Rig<'_>, from: usize, count: usize, filler: &str) {
    for number in from..from + count {
        let answer = app
            .client
            .post(rig.url(&format!("/orders/{number}")))
            .header("x-request-id", number.to_string());
        assert_eq!(
            answer.body(filler.to_owned()).send().await.unwrap().status(),
            200,
            "whatever the store does"
        );
    }
}

fn spool_bytes(app: &TestApp) -> u64 {
    let files = std::fs::read_dir(app.folder().join("spool")).unwrap();
    files.map(|file| file.unwrap().metadata().unwrap().len()).sum()
}

for_each_db! {
    async fn what_waited_arrives_once(app: TestApp) {
        let upstream = Wire::saying(OK).await;
        let (project, switch) = (app.add_project("shop").await, Switch::default());
        let store = switch.store(app, &project);
        let rig = Rig::storing(app, project, options(app, upstream.port), store).await;
        send(app, &rig, 0, 100, "hello").await;
        assert!(app.all_ids(&rig.key).await.is_empty());
        switch.back();
        let logs = rig.logs(100).await;
        let ids: BTreeSet<String> = logs.iter().map(|log| log["request_id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(ids, (0..100).map(|number| number.to_string()).collect());
        send(app, &rig, 100, 5, "hello").await;
        rig.logs(105).await;
    }

    async fn what_is_in_the_spool_is_stored_by_the_next_gateway(app: TestApp) {
        let upstream = Wire::saying(OK).await;
        let project = app.add_project("shop").await;
        let away = Switch::default().store(app, &project);
        let first = Rig::storing(app, project.clone(), options(app, upstream.port), away).await;
        send(app, &first, 0, 20, "hello").await;
        let begun = Instant::now();
        first.gateway.stop(Duration::from_secs(8)).await;
        assert!(begun.elapsed() < Duration::from_secs(9), "{:?}", begun.elapsed());
        let (switch, options) = (Switch::default(), options(app, upstream.port));
        switch.back();
        let store = switch.store(app, &project);
        let next = gateway::start(&options, around(app), store).await.unwrap();
        let rig = Rig { app, gateway: next, project, key: first.key };
        rig.logs(20).await;
    }

    async fn a_full_spool_leaves_a_gap_that_says_how_much_is_missing(app: TestApp) {
        let upstream = Wire::saying(OK).await;
        let (project, switch) = (app.add_project("shop").await, Switch::default());
        let store = switch.store(app, &project);
        let mut options = options(app, upstream.port);
        options.gateway_spool_bytes = 64 << 10;
        let rig = Rig::storing(app, project, options, store).await;
        let filler = "x".repeat(2_000);
        send(app, &rig, 0, 100, &filler).await;
        until("the spool is full and some is missing", async || app.folder().join("spool/gap.json").exists()).await;
        assert!(spool_bytes(app) < 70 << 10, "{}", spool_bytes(app));
        switch.back();
        let told = |logs: &[Value]| -> u64 {
            let gaps = logs.iter().filter(|log| log["method"] == GAP_METHOD);
            gaps.map(|gap| gap["response"]["body"]["not_recorded"].as_u64().unwrap()).sum()
        };
        // How many fit depends on how they were framed: together they are all of them.
        let mut logs = Vec::new();
        until("what fitted and what is missing are all", async || {
            logs = rig.everything().await;
            let gaps = logs.iter().filter(|log| log["method"] == GAP_METHOD).count();
            gaps > 0 && logs.len() - gaps + told(&logs) as usize == 100
        })
        .await;
        let gap = logs.iter().find(|log| log["method"] == GAP_METHOD).unwrap();
        assert_eq!((&gap["status_code"], &gap["status"], &gap["channel"]), (&json!(null), &json!("FAILURE"), &json!("GATEWAY")));
        assert_eq!(gap["notes"], json!(["not captured"]));
        let body = &gap["response"]["body"];
        assert_eq!(body["reasons"]["spool full"], body["not_recorded"]);
        assert!(body["from"].as_str().unwrap() <= body["to"].as_str().unwrap(), "{gap}");
        // There is room again.
        let before = logs.len();
        send(app, &rig, 100, 3, "hello").await;
        rig.logs(before + 3).await;
    }
}

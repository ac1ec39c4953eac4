//! PostgreSQL is stopped and started again, and its connections are cut in the middle of an answer.

use std::time::{Duration, Instant};

use reqwest::{Method, Response};
use serde_json::json;

use super::proxy::Proxy;
use super::run::{Run, cluster, on};
use super::{rounds, say, within};
use crate::support::Cluster;

/// An answer comes by then, database or not.
const SOON: Duration = Duration::from_secs(1);

/// Asks everybody who might wait for the database; gives the longest wait.
async fn refused(run: &Run) -> Duration {
    let log = json!({"id": "meanwhile", "method": "GET", "url": "/v1/meanwhile", "status_code": 200});
    let calls = [
        run.door.call(Method::POST, "/v1/logs").json(&log),
        run.door.call(Method::GET, "/v1/logs?limit=25"),
        run.door.call(Method::GET, "/v1/async-actions"),
        run.door
            .call(Method::POST, "/v1/events")
            .json(&json!({"id": "meanwhile", "type": "soak.event", "data": {}})),
        run.door
            .call(Method::POST, "/v1/exports")
            .json(&json!({"exported_object": "api_log"})),
        run.door.page("logs"),
        run.door.page("tasks"),
        run.door.page("exports"),
        run.door.page("sendouts"),
        run.door.page("settings/retention"),
    ];
    let mut longest = Duration::ZERO;
    for call in calls {
        let asked = Instant::now();
        let answer = call.send().await.unwrap();
        let url = answer.url().clone();
        let took = asked.elapsed();
        says_so(answer).await;
        assert!(
            took < within(SOON),
            "{}: {url} took {took:?} to say that the database is away",
            run.name
        );
        longest = longest.max(took);
    }
    longest
}

/// Whether an answer says that the database is away: 503, when to come back, and words.
async fn says_so(answer: Response) {
    let (url, status) = (answer.url().clone(), answer.status());
    let is_told = answer.headers().contains_key("retry-after");
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    let text = answer.text().await.unwrap();
    assert!(status == 503 && is_told, "{url}: {status}, Retry-After: {is_told}: {text}");
    assert!(text.to_lowercase().contains("database"), "{url} does not say so: {text}");
    let is_page = url.path().starts_with("/projects/");
    assert!(
        kind.starts_with(if is_page { "text/html" } else { "application/json" }),
        "{url}: {kind}"
    );
}

/// Stops PostgreSQL, looks at what is answered, starts it, and looks whether all goes on by itself.
async fn away_once(run: &Run, cluster: &Cluster, how: &str) -> (Duration, Duration) {
    tokio::task::block_in_place(|| cluster.stop(how));
    let mut longest = Duration::ZERO;
    for _ in 0..3 {
        longest = longest.max(refused(run).await);
    }
    let live = run.door.call(Method::GET, "/health/live").send().await.unwrap();
    let ready = run.door.call(Method::GET, "/health/ready").send().await.unwrap();
    assert_eq!((live.status().as_u16(), ready.status().as_u16()), (200, 503));
    tokio::task::block_in_place(|| cluster.start_again());
    let back = Instant::now();
    run.until_acknowledged(1, Duration::from_secs(10)).await;
    (longest, back.elapsed())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_stopped_and_started() {
    let (cluster, url) = cluster().await;
    let mut run = Run::begin("PostgreSQL stopped and started", on(&url), 1, 0).await;
    let rounds = rounds(2, 20);
    let (mut longest, mut back) = (Duration::ZERO, Duration::ZERO);
    for round in 0..rounds {
        run.until_acknowledged(100, Duration::from_secs(60)).await;
        let how = if round % 2 == 0 { "immediate" } else { "fast" };
        let took = away_once(&run, &cluster, how).await;
        (longest, back) = (longest.max(took.0), back.max(took.1));
    }
    assert!(run.processes[0].ended().is_none(), "nobody had to restart it");
    say(&format!("{}: refused within {longest:?}, back within {back:?}", run.name));
    run.end(rounds).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_cut_in_the_middle_of_an_answer() {
    let (cluster, url) = cluster().await;
    let proxy = Proxy::to(cluster.port).await;
    let service = on(&url.replace(&format!(":{}/", cluster.port), &format!(":{}/", proxy.port)));
    let mut run = Run::begin("connections cut", service, 1, 0).await;
    run.direct = url;
    let rounds = rounds(2, 20);
    for _ in 0..rounds {
        run.until_acknowledged(50, Duration::from_secs(60)).await;
        proxy.cut(true);
        let (before, patience) = (proxy.count(), Instant::now() + Duration::from_secs(60));
        while proxy.count() < before + 15 {
            assert!(
                Instant::now() < patience,
                "only {} connections were cut",
                proxy.count() - before
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        proxy.cut(false);
    }
    say(&format!("{}: {} connections were cut", run.name, proxy.count()));
    run.end(rounds).await;
}

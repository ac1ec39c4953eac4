//! SIGTERM under load: whatever is in flight ends or is given back, within ten seconds, and the next process goes on.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::run::{Run, cluster, on};
use super::service::Service;
use super::{rounds, say, within};
use crate::support::{Answer, Receiver};

/// It has ended by then.
const STOPPED: Duration = Duration::from_secs(10);

/// Stops the server, a number of times, and starts it again.
async fn stop(mut run: Run, stops: u64) {
    let mut longest = Duration::ZERO;
    for _ in 0..stops {
        run.until_acknowledged(50, Duration::from_secs(60)).await;
        // Somebody who never sends the rest holds nobody up.
        let mut half = TcpStream::connect(("127.0.0.1", run.processes[0].port)).unwrap();
        let key = run.door.headers();
        let head =
            format!("POST /v1/logs HTTP/1.1\r\nHost: a\r\n{key}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n[");
        half.write_all(head.as_bytes()).unwrap();
        run.processes[0].terminate();
        let told = Instant::now();
        let end = loop {
            if let Some(end) = run.processes[0].ended() {
                break end;
            }
            assert!(
                told.elapsed() < within(STOPPED),
                "{}: it did not end\n{}",
                run.name,
                run.service.lines()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        longest = longest.max(told.elapsed());
        assert_eq!(end.code(), Some(0), "{}\n{}", run.name, run.service.lines());
        run.start(0);
        run.processes[0].ready().await;
    }
    say(&format!("{}: ended within {longest:?}", run.name));
    run.end(stops).await;
}

/// A receiver that now and then takes longer than a server that stops may wait.
async fn slow_receiver() -> Receiver {
    Receiver::start(|before, _| {
        if before % 10 == 9 {
            Answer::Slowly(Duration::from_secs(30))
        } else {
            Answer::code(200)
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn told_to_stop_on_sqlite() {
    let run = Run::begin_with("SIGTERM, SQLite", Service::on_sqlite(), (1, 0), slow_receiver().await).await;
    stop(run, rounds(2, 20)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn told_to_stop_on_postgres() {
    let (_cluster, url) = cluster().await;
    let run = Run::begin_with("SIGTERM, PostgreSQL", on(&url), (1, 0), slow_receiver().await).await;
    stop(run, rounds(2, 20)).await;
}

//! Thousands of connections on which nothing happens, half of a request, slow readers and slow writers: memory stays bounded, and others are served.

use std::process::Command;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

use super::run::{Run, cluster, on};
use super::service::Service;
use super::{is_full, rounds, say, within};

/// Kilobytes that a connection may cost on which nothing happens: of a debug build, with 10,000 of them, the load and the slow ones, 15 were measured.
const EACH_KB: u64 = 24;
/// Kilobytes beside those, for what the load and the slow ones hold.
const BESIDE_KB: u64 = 160 << 10;
/// Others are answered by then.
const SERVED: Duration = Duration::from_secs(3);
/// A head must have come by then, and some time later its connection is closed.
const HEAD: Duration = Duration::from_secs(45);
/// Slow readers, and slow writers.
const SLOW: u64 = 10;

/// Lets this process and those that it starts have so many connections; fewer where that is not allowed.
fn allowed(wanted: u64) -> u64 {
    let files = format!("--nofile={}", wanted + 2_000);
    let us = std::process::id().to_string();
    let raised = Command::new("prlimit").args(["--pid", &us, &files]).output();
    if raised.is_ok_and(|output| output.status.success()) {
        return wanted;
    }
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    let soft: u64 = line.split_whitespace().next().unwrap().parse().unwrap();
    let got = wanted.min(soft.saturating_sub(1_000));
    if got < wanted {
        say(&format!(
            "NOT CHECKED with {wanted} connections: this machine allows {soft} open files; with {got} instead"
        ));
    }
    got
}

/// Connections on which nothing more happens: a third says nothing, a third half a head, a third had an answer and stays.
async fn idle(port: u16, count: u64) -> Vec<TcpStream> {
    let mut connections = Vec::new();
    for number in 0..count {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        match number % 3 {
            0 => {}
            1 => stream
                .write_all(b"POST /v1/logs HTTP/1.1\r\nHost: a\r\nX-Half")
                .await
                .unwrap(),
            _ => {
                stream
                    .write_all(b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n")
                    .await
                    .unwrap();
                let mut answer = [0; 2_048];
                assert!(stream.read(&mut answer).await.unwrap() > 0);
            }
        }
        connections.push(stream);
    }
    connections
}

/// Asks for lists on and on, and reads nothing of them, until the socket takes no more.
async fn read_nothing(run_head: String, port: u16) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4 << 10).unwrap();
    let mut stream = socket.connect(([127, 0, 0, 1], port).into()).await.unwrap();
    for _ in 0..20 {
        stream.write_all(run_head.as_bytes()).await.unwrap();
    }
    stream
}

/// Sends a byte of a large body now and then, until the server has had enough: how long that took.
async fn write_slowly(head: String, port: u16) -> Duration {
    let begun = Instant::now();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 1_024];
    loop {
        tokio::select! {
            // An answer, or the end.
            _ = stream.read(&mut answer) => return begun.elapsed(),
            () = tokio::time::sleep(Duration::from_millis(500)) => {}
        }
        if stream.write_all(b"[").await.is_err() {
            return begun.elapsed();
        }
    }
}

/// How long others wait meanwhile, at most.
async fn served(run: &Run) -> Duration {
    let mut longest = Duration::ZERO;
    for number in 0..20 {
        let log = json!({"id": format!("meanwhile-{number}"), "method": "GET", "url": "/v1/meanwhile", "status_code": 200});
        for call in [
            run.door.call(Method::POST, "/v1/logs").json(&log),
            run.door.call(Method::GET, "/v1/logs?limit=25"),
            run.door.page("logs"),
        ] {
            let asked = Instant::now();
            assert!(call.send().await.unwrap().status().is_success(), "{}", run.name);
            longest = longest.max(asked.elapsed());
        }
    }
    assert!(longest < within(SERVED), "{}: somebody waited {longest:?}", run.name);
    longest
}

async fn crowd(run: Run) {
    let count = allowed(rounds(1_000, 10_000));
    let port = run.processes[0].port;
    run.until_acknowledged(200, Duration::from_secs(60)).await;
    let before = run.processes[0].memory();
    let key = run.door.headers();
    let list = format!("GET /v1/logs?limit=100 HTTP/1.1\r\nHost: a\r\n{key}\r\n");
    let call =
        format!("POST /v1/logs HTTP/1.1\r\nHost: a\r\n{key}Content-Type: application/json\r\nContent-Length: 1000000\r\n\r\n");
    let mut readers = Vec::new();
    let mut writers = JoinSet::new();
    for _ in 0..SLOW {
        readers.push(read_nothing(list.clone(), port).await);
        writers.spawn(write_slowly(call.clone(), port));
    }
    let connections = idle(port, count).await;
    let opened = Instant::now();
    let longest = served(&run).await;
    let memory = run.processes[0].memory();
    let most = before + count * EACH_KB + BESIDE_KB;
    say(&format!(
        "{}: {count} connections; {before} KB before, {memory} KB with them; others waited {longest:?} at most",
        run.name
    ));
    assert!(memory < most, "{}: {memory} KB, and {most} are the bound", run.name);
    let ended = ended(connections, opened).await;
    say(&format!(
        "{}: {ended} of {count} connections were ended by the server within {:?}",
        run.name,
        opened.elapsed()
    ));
    // Whoever has not sent a head in time is let go, whether it had an answer before or not.
    assert_eq!(ended, count, "{}", run.name);
    if is_full() {
        while let Some(took) = writers.join_next().await {
            assert!(
                took.unwrap() < Duration::from_secs(240),
                "{}: a slow writer was let write on",
                run.name
            );
        }
    }
    drop(readers);
    writers.abort_all();
    run.end(1).await;
}

/// How many of the connections the server ends in time.
async fn ended(connections: Vec<TcpStream>, opened: Instant) -> u64 {
    let mut ended = 0;
    for mut stream in connections {
        let left = HEAD.saturating_sub(opened.elapsed());
        let mut answer = [0; 1_024];
        let end = async { while let Ok(1..) = stream.read(&mut answer).await {} };
        ended += u64::from(tokio::time::timeout(left, end).await.is_ok());
    }
    ended
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_on_sqlite() {
    crowd(Run::begin("crowd, SQLite", Service::on_sqlite(), 1, 0).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_on_postgres() {
    if is_full() {
        let (_cluster, url) = cluster().await;
        crowd(Run::begin("crowd, PostgreSQL", on(&url), 1, 0).await).await;
    }
}

//! What an upstream says before it answers, such as 103, reaches the client before the answer does.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::rig::Rig;
use super::wire::{Message, PATIENCE, Wire, ask, read};
use crate::support::{Database, TestApp};

const HINTS: &str =
    "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\nLink: </app.js>\r\nConnection: x-hop\r\nX-Hop: 1\r\n\r\n";
const DONE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone";

/// An upstream that says each of these when it is let go on.
async fn upstream(parts: &'static [&'static str]) -> (u16, Arc<Semaphore>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, goes_on) = (listener.local_addr().unwrap().port(), Arc::new(Semaphore::new(0)));
    let turns = Arc::clone(&goes_on);
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        loop {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                match stream.read_u8().await {
                    Ok(byte) => head.push(byte),
                    Err(_) => return,
                }
            }
            for part in parts {
                turns.acquire().await.unwrap().forget();
                stream.write_all(part.as_bytes()).await.unwrap();
            }
        }
    });
    (port, goes_on)
}

async fn next(stream: &mut BufReader<TcpStream>) -> Message {
    tokio::time::timeout(PATIENCE, read(stream, false)).await.unwrap().unwrap()
}

#[test]
fn hints_come_while_the_upstream_still_thinks_and_on_a_kept_connection_again() {
    TestApp::run(
        Database::Sqlite,
        |_| (),
        async |app| {
            let (port, goes_on) = upstream(&[HINTS, "HTTP/1.1 102 Processing\r\n\r\n", DONE]).await;
            let rig = Rig::before(app, port).await;
            let mut stream = BufReader::new(TcpStream::connect(rig.address()).await.unwrap());
            for _ in 0..3 {
                stream
                    .get_mut()
                    .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                    .await
                    .unwrap();
                goes_on.add_permits(1);
                let hints = next(&mut stream).await;
                assert_eq!(hints.start, "HTTP/1.1 103 Early Hints");
                assert_eq!(
                    hints.headers,
                    ["link: </style.css>; rel=preload", "link: </app.js>"],
                    "nothing of the connection's own"
                );
                goes_on.add_permits(1);
                assert_eq!(next(&mut stream).await.code(), 102);
                goes_on.add_permits(1);
                assert_eq!(next(&mut stream).await.text(), "done");
            }
            drop(stream);
            let logs = rig.logs(3).await;
            assert!(logs.iter().all(|log| log["status_code"] == 200), "{logs:?}");
        },
    );
}

#[test]
fn hints_and_the_answer_in_one_packet_come_in_their_order() {
    let both: &'static str = Box::leak(format!("{HINTS}{HINTS}{DONE}").into_boxed_str());
    TestApp::run(
        Database::Sqlite,
        |_| (),
        async |app| {
            let upstream = Wire::saying(both).await;
            let rig = Rig::before(app, upstream.port).await;
            let request = |more: &str| format!("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n{more}\r\nhello");
            // Two requests at once: the second one's hints must not get into the first one's answer.
            let both = request("") + &request("Connection: close\r\n");
            let codes: Vec<u16> = ask(rig.address(), both.as_bytes()).await.iter().map(Message::code).collect();
            assert_eq!(codes, [103, 103, 200, 103, 103, 200]);
        },
    );
}

#[test]
fn a_client_of_http_1_0_is_told_nothing_before_its_answer() {
    let both: &'static str = Box::leak(format!("{HINTS}{DONE}").into_boxed_str());
    TestApp::run(
        Database::Sqlite,
        |_| (),
        async |app| {
            let upstream = Wire::saying(both).await;
            let rig = Rig::before(app, upstream.port).await;
            let answers = ask(rig.address(), b"GET / HTTP/1.0\r\nHost: a\r\n\r\n").await;
            assert_eq!(answers.iter().map(Message::code).collect::<Vec<_>>(), [200]);
        },
    );
}

#[test]
fn whoever_goes_away_after_the_hints_takes_nothing_along() {
    TestApp::run(
        Database::Sqlite,
        |_| (),
        async |app| {
            let (port, goes_on) = upstream(&[HINTS, DONE]).await;
            let rig = Rig::before(app, port).await;
            let mut stream = BufReader::new(TcpStream::connect(rig.address()).await.unwrap());
            stream
                .get_mut()
                .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                .await
                .unwrap();
            goes_on.add_permits(1);
            assert_eq!(next(&mut stream).await.code(), 103);
            drop(stream);
            let log = rig.log().await;
            assert!(log["status_code"].is_null(), "no answer came: {log}");
        },
    );
}

//! What flows: both bodies at once, before either has ended; WebSocket; HTTP/2.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message as Said;

use super::rig::{Rig, options, until};
use super::wire::{PATIENCE, Wire, read};
use crate::support::{Database, TestApp};

/// An upstream that answers at once, and echoes each chunk as it comes.
async fn echo_as_it_comes() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut bytes = [0; 4_096];
        // The head may come with a chunk behind it or not.
        let read = stream.read(&mut bytes).await.unwrap();
        let head = String::from_utf8_lossy(&bytes[..read]).into_owned();
        let (_, rest) = head.split_once("\r\n\r\n").unwrap();
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            .await
            .unwrap();
        stream.write_all(rest.as_bytes()).await.unwrap();
        while let Ok(read @ 1..) = stream.read(&mut bytes).await {
            stream.write_all(&bytes[..read]).await.unwrap();
        }
    });
    port
}

/// Reads until these bytes have come.
async fn until_came(stream: &mut TcpStream, wanted: &str) -> String {
    let mut came = String::new();
    let reading = async {
        let mut bytes = [0; 4_096];
        while !came.contains(wanted) {
            let read = stream.read(&mut bytes).await.unwrap();
            assert!(read > 0, "it ended after {came:?}");
            came.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.expect(wanted);
    came
}

#[test]
fn both_bodies_flow_at_once() {
    TestApp::run(
        Database::Sqlite,
        |_| (),
        async |app| {
            let rig = Rig::before(app, echo_as_it_comes().await).await;
            let mut stream = TcpStream::connect(rig.address()).await.unwrap();
            stream
                .write_all(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
                .await
                .unwrap();
            for word in ["one", "two", "three"] {
                // Each comes back before the next is sent.
                stream
                    .write_all(format!("{:x}\r\n{word}\r\n", word.len()).as_bytes())
                    .await
                    .unwrap();
                until_came(&mut stream, word).await;
            }
            stream.write_all(b"0\r\n\r\n").await.unwrap();
            until_came(&mut stream, "0\r\n\r\n").await;
            let log = rig.log().await;
            assert_eq!(
                (&log["request"]["body"], &log["response"]["body"]),
                (&"onetwothree".into(), &"onetwothree".into())
            );
            assert!(log["notes"].as_array().unwrap().is_empty(), "{log}");
        },
    );
}

#[test]
fn an_answer_may_come_before_the_request_has_ended() {
    TestApp::run(
        Database::Sqlite,
        |_| (),
        async |app| {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                let _some = stream.read(&mut [0; 1_024]).await;
                let refused = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 8\r\n\r\ntoo much";
                stream.write_all(refused).await.unwrap();
                // Whatever else comes is read, and not minded.
                while let Ok(1..) = stream.read(&mut [0; 65_536]).await {}
            });
            let rig = Rig::before(app, port).await;
            let stream = TcpStream::connect(rig.address()).await.unwrap();
            let (near, mut far) = stream.into_split();
            far.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nsome of it")
                .await
                .unwrap();
            let mut near = BufReader::new(near);
            let answer = tokio::time::timeout(PATIENCE, read(&mut near, false)).await.unwrap().unwrap();
            assert_eq!((answer.code(), answer.text().as_str()), (413, "too much"));
            drop((near, far));
            let log = rig.log().await;
            assert_eq!(log["status_code"], 413);
        },
    );
}

for_each_db! {
    async fn a_websocket_goes_both_ways_and_its_handshake_is_recorded(app: TestApp) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
            while let Some(Ok(said)) = socket.next().await {
                if said.is_text() || said.is_binary() {
                    socket.send(said).await.unwrap();
                }
            }
        });
        let rig = Rig::before(app, port).await;
        let stream = TcpStream::connect(rig.address()).await.unwrap();
        let (mut socket, answer) = tokio_tungstenite::client_async("ws://api.example.com/live?room=1", stream).await.unwrap();
        assert_eq!(answer.status(), 101);
        let large = "x".repeat(200_000);
        for said in ["hello", &large] {
            socket.send(Said::text(said)).await.unwrap();
            assert_eq!(socket.next().await.unwrap().unwrap().into_text().unwrap().as_str(), said);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        socket.close(None).await.unwrap();
        while socket.next().await.is_some() {}
        drop(socket);
        let log = rig.log().await;
        assert_eq!((&log["status_code"], &log["url"]), (&101.into(), &"/live?room=1".into()), "{log}");
        assert_eq!(log["request"]["headers"]["upgrade"], "websocket");
        for side in ["request", "response"] {
            assert!(log[side]["bytes"].as_u64().unwrap() > 200_000, "{log}");
        }
        assert!(log["request_duration"].as_f64().unwrap() >= 100.0, "{log}");
        assert_eq!(log["notes"], serde_json::json!(["not captured"]));
    }
}

#[test]
fn an_upgrade_that_the_upstream_does_not_know_is_a_request_like_others() {
    TestApp::run(
        Database::Sqlite,
        |_| (),
        async |app| {
            let upstream = Wire::saying("HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno").await;
            let rig = Rig::before(app, upstream.port).await;
            let stream = TcpStream::connect(rig.address()).await.unwrap();
            let refused = tokio_tungstenite::client_async("ws://api.example.com/", stream)
                .await
                .unwrap_err();
            assert!(refused.to_string().contains("426"), "{refused}");
            assert_eq!(upstream.seen()[0].header("upgrade"), Some("websocket"));
            assert_eq!(rig.log().await["status_code"], 426);
        },
    );
}

#[test]
fn http2_is_spoken_by_whoever_knows_that_it_is() {
    TestApp::run(
        Database::Sqlite,
        |_| (),
        async |app| {
            let upstream = Wire::start(|request| {
                let body = format!("{} {}", request.header("host").unwrap_or_default(), request.text());
                format!(
                    "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                )
                .into_bytes()
            })
            .await;
            let rig = Rig::before(app, upstream.port).await;
            let client = reqwest::Client::builder().http2_prior_knowledge().no_proxy().build().unwrap();
            let sends = (0..20).map(|number| client.post(rig.url("/two")).body(number.to_string()).send());
            for (number, answer) in futures::future::join_all(sends).await.into_iter().enumerate() {
                let answer = answer.unwrap();
                assert_eq!(answer.version(), reqwest::Version::HTTP_2);
                assert_eq!(answer.text().await.unwrap(), format!("{} {number}", rig.address()));
            }
            assert_eq!(upstream.seen()[0].start, "POST /two HTTP/1.1");
            rig.logs(20).await;
        },
    );
}

#[test]
fn a_client_that_goes_away_is_told_to_the_upstream() {
    TestApp::run(
        Database::Sqlite,
        |_| (),
        async |app| {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            let (gone, mut went) = tokio::sync::mpsc::channel(1);
            tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                while let Ok(1..) = stream.read(&mut [0; 1_024]).await {}
                gone.send(()).await.unwrap();
            });
            let mut options = options(app, port);
            options.gateway_user_header = Some("x-user".parse().unwrap());
            let rig = Rig::with(app, options).await;
            let mut stream = TcpStream::connect(rig.address()).await.unwrap();
            stream
                .write_all(b"GET /slow HTTP/1.1\r\nHost: a\r\nX-User: ada\r\n\r\n")
                .await
                .unwrap();
            until("the request is on its way", async || {
                tokio::time::sleep(Duration::from_millis(100)).await;
                true
            })
            .await;
            drop(stream);
            tokio::time::timeout(PATIENCE, went.recv())
                .await
                .expect("the upstream was not told");
            let log = rig.log().await;
            assert_eq!(
                (&log["status_code"], &log["status"]),
                (&serde_json::Value::Null, &"FAILURE".into())
            );
            assert_eq!(log["user_id"], "ada");
        },
    );
}

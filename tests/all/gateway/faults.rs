//! An upstream that breaks: the client sees the same break, and it is recorded as the client saw it.

use serde_json::json;
use tokio::net::TcpListener;

use super::rig::{Rig, options};
use super::wire::{Wire, ask, ask_once};
use crate::support::{Database, TestApp};

const REQUEST: &str = "GET /a HTTP/1.1\r\nHost: a\r\nX-Request-Id: req-1\r\nConnection: close\r\n\r\n";

for_each_db! {
    async fn an_upstream_that_is_not_there_is_said_to_be_so(app: TestApp) {
        // Taken and given back: nothing listens there.
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let rig = Rig::before(app, port).await;
        let answer = ask_once(rig.address(), REQUEST).await;
        assert_eq!((answer.code(), answer.header("content-type")), (502, Some("application/json")));
        let told = answer.json();
        assert_eq!((&told["code"], &told["key"], &told["request_id"]), (&json!(502), &json!("upstream_unreachable"), &json!("req-1")));
        let log = rig.log().await;
        assert_eq!((&log["status_code"], &log["status"], &log["request_id"]), (&json!(502), &json!("FAILURE"), &json!("req-1")));
        assert_eq!(log["response"]["body"], told);
    }

    async fn an_answer_that_breaks_off_breaks_off(app: TestApp) {
        let upstream = Wire::start(|request| {
            let answer: &[u8] = match request.start.split(' ').nth(1).unwrap() {
                "/length" => b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome of it",
                "/chunks" => b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nsome of it\r\n",
                _ => b"HTTP/1.1 200 O",
            };
            // The second one has no answer that a reader could wait for: it is closed.
            answer.to_vec()
        })
        .await;
        let cut = Cut::before(upstream.port).await;
        let rig = Rig::before(app, cut.port).await;
        for path in ["/length", "/chunks"] {
            let request = REQUEST.replace("/a", path);
            let answers = ask(rig.address(), request.as_bytes()).await;
            assert_eq!(answers.len(), 1, "{path}: {answers:?}");
            assert_eq!((answers[0].text().as_str(), answers[0].is_whole), ("some of it", false), "{path}");
        }
        let answer = ask_once(rig.address(), REQUEST).await;
        assert_eq!((answer.code(), answer.json()["key"].as_str()), (502, Some("upstream_unreachable")));
        let logs = rig.logs(3).await;
        for log in &logs[1..] {
            assert_eq!((&log["status_code"], &log["notes"]), (&json!(200), &json!(["truncated"])), "{log}");
            assert_eq!(log["response"]["body"], "some of it");
        }
        assert_eq!(logs[0]["status_code"], 502);
    }
}

/// Closes each connection once its first answer has gone out.
struct Cut {
    port: u16,
}

impl Cut {
    async fn before(upstream: u16) -> Self {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let mut far = tokio::net::TcpStream::connect(("127.0.0.1", upstream)).await.unwrap();
                tokio::spawn(async move {
                    let mut bytes = [0; 8_192];
                    let read = near.read(&mut bytes).await.unwrap();
                    far.write_all(&bytes[..read]).await.unwrap();
                    let read = far.read(&mut bytes).await.unwrap();
                    near.write_all(&bytes[..read]).await.unwrap();
                });
            }
        });
        Self { port }
    }
}

#[test]
fn a_connection_that_does_not_come_about_ends_in_time() {
    TestApp::run(
        Database::Sqlite,
        |_| (),
        async |app| {
            // TEST-NET-1 (RFC 5737): nobody is there, and where the network says so at once it is a 502.
            let mut options = options(app, 1);
            options.gateway_upstream.as_mut().unwrap().authority = "192.0.2.1:80".parse().unwrap();
            options.gateway_connect_seconds = 1;
            let rig = Rig::with(app, options).await;
            let answer = ask_once(rig.address(), REQUEST).await;
            assert!(matches!(answer.code(), 502 | 504), "{answer:?}");
            assert_eq!(rig.log().await["status_code"], answer.code());
        },
    );
}

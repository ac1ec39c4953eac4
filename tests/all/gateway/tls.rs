//! TLS on both sides: one gateway speaks it at its door, another one to that as its upstream, by HTTP/2.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::kill::Process;
use super::rig::{Rig, options};
use super::wire::Wire;
use crate::kill::client;
use crate::support::{Database, TestApp, pem};

/// Counts connections on their way.
async fn counted(to: u16) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, count) = (listener.local_addr().unwrap().port(), Arc::<AtomicUsize>::default());
    let counter = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            let mut far = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut near, &mut far).await });
        }
    });
    (port, count)
}

/// An upstream that takes its time, and echoes what changes its protocol.
async fn slow_upstream() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut begun = [0; 4_096];
                while let Ok(read @ 1..) = stream.peek(&mut begun).await {
                    if String::from_utf8_lossy(&begun[..read]).contains("websocket") {
                        let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
                        while let Some(Ok(said)) = socket.next().await {
                            let _closed = socket.send(said).await;
                        }
                        return;
                    }
                    let _read = stream.read(&mut begun).await;
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    stream
                        .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                        .await
                        .unwrap();
                }
            });
        }
    });
    port
}

#[test]
fn gateways_speak_tls_and_http2_to_each_other() {
    TestApp::run(
        Database::Sqlite,
        |_| (),
        async |app| {
            let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
            let (certificate, key) = (app.folder().join("cert.pem"), app.folder().join("key.pem"));
            std::fs::write(&certificate, pem("CERTIFICATE", cert.der())).unwrap();
            std::fs::write(&key, pem("PRIVATE KEY", &signing_key.serialize_der())).unwrap();
            let mut inner = options(app, slow_upstream().await);
            inner.gateway_tls_cert = Some(certificate.clone());
            inner.gateway_tls_key = Some(key);
            let rig = Rig::with(app, inner).await;
            let (between, connections) = counted(rig.address().port()).await;
            let trust = [("SSL_CERT_FILE", certificate.display().to_string())];
            let arguments = ["--to", "http://127.0.0.1:1", "--key", "nobody", "--spool", "outer"];
            let mut outer = Process::new(app.folder(), &format!("https://localhost:{between}"), &arguments, &trust);
            outer.start().await;

            let client = client();
            let ask = || client.get(format!("http://127.0.0.1:{}/a?b", outer.port)).send();
            assert_eq!(ask().await.unwrap().text().await.unwrap(), "ok");
            let answers = futures::future::join_all((0..20).map(|_| ask())).await;
            assert!(answers.into_iter().all(|answer| answer.unwrap().status() == 200));
            assert!(
                connections.load(Ordering::SeqCst) < 4,
                "HTTP/2 has one connection for all: {connections:?}"
            );

            let stream = TcpStream::connect(("127.0.0.1", outer.port)).await.unwrap();
            let (mut socket, _) = tokio_tungstenite::client_async("ws://api.example.com/live", stream)
                .await
                .unwrap();
            socket.send("hello".into()).await.unwrap();
            assert_eq!(socket.next().await.unwrap().unwrap().into_text().unwrap().as_str(), "hello");
            drop(socket);
            let logs = rig.logs(22).await;
            let forwarded = &logs[0]["request"]["headers"]["x-forwarded-proto"];
            assert_eq!((forwarded, &logs[0]["url"]), (&"http".into(), &"/a?b".into()), "{}", logs[0]);
            assert_eq!(logs[0]["request"]["headers"]["host"], format!("127.0.0.1:{}", outer.port));
        },
    );
}

#[test]
fn an_upstream_that_nobody_vouches_for_is_not_spoken_to() {
    TestApp::run(
        Database::Sqlite,
        |_| (),
        async |app| {
            let stranger = crate::support::SelfSigned::start().await;
            let mut options = options(app, stranger.port);
            options.gateway_upstream.as_mut().unwrap().is_https = true;
            let rig = Rig::with(app, options).await;
            let answer = app.client.get(rig.url("/")).send().await.unwrap();
            assert_eq!(answer.status(), 502);
            assert_eq!(stranger.counts().1, 0);
            assert_eq!(rig.log().await["status_code"], 502);
        },
    );
}

#[test]
fn files_that_are_no_certificate_are_said_so() {
    TestApp::run(
        Database::Sqlite,
        |_| (),
        async |app| {
            let upstream = Wire::saying("").await;
            let project = app.add_project("shop").await;
            let bad = app.folder().join("bad.pem");
            std::fs::write(&bad, "no certificate").unwrap();
            let mut options = options(app, upstream.port);
            options.gateway_tls_cert = Some(bad.clone());
            options.gateway_tls_key = Some(bad);
            let store = audit_log::server::gateway::Store::of(&app.server, project.id.clone());
            let Err(refused) = audit_log::server::gateway::start(&options, super::rig::around(app), store).await else {
                panic!("it started");
            };
            assert!(refused.to_string().contains("bad.pem"), "{refused}");
        },
    );
}

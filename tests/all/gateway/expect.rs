//! `Expect: 100-continue`: whether a body may be sent is the upstream's to say, not ours.

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::rig::Rig;
use super::wire::{PATIENCE, read};
use crate::support::{Database, TestApp};

const HEAD: &[u8] = b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";

/// An upstream that says this to a head, reads a body of five bytes where it said 100, and then says that.
async fn upstream(first: &'static str, then: &'static str) -> (u16, tokio::task::JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let came = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut came = Vec::new();
        while !came.ends_with(b"\r\n\r\n") {
            came.push(stream.read_u8().await.unwrap());
        }
        stream.write_all(first.as_bytes()).await.unwrap();
        if !then.is_empty() {
            let mut body = [0; 5];
            stream.read_exact(&mut body).await.unwrap();
            came.extend_from_slice(&body);
            stream.write_all(then.as_bytes()).await.unwrap();
        }
        came
    });
    (port, came)
}

#[test]
fn a_body_that_the_upstream_refuses_is_not_asked_for() {
    TestApp::run(
        Database::Sqlite,
        |_| (),
        async |app| {
            let (port, came) = upstream("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", "").await;
            let rig = Rig::before(app, port).await;
            let mut stream = BufReader::new(TcpStream::connect(rig.address()).await.unwrap());
            stream.get_mut().write_all(HEAD).await.unwrap();
            let answer = tokio::time::timeout(PATIENCE, read(&mut stream, false))
                .await
                .unwrap()
                .unwrap();
            assert_eq!(answer.code(), 401, "no 100 came before it");
            assert!(
                String::from_utf8(came.await.unwrap())
                    .unwrap()
                    .contains("Expect: 100-continue")
            );
        },
    );
}

#[test]
fn a_body_that_the_upstream_wants_is_asked_for() {
    let done = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone";
    // The second says nothing first: it does not know how.
    for first in ["HTTP/1.1 100 Continue\r\n\r\n", ""] {
        TestApp::run(
            Database::Sqlite,
            |_| (),
            async |app| {
                let (port, came) = upstream(first, done).await;
                let rig = Rig::before(app, port).await;
                let mut stream = BufReader::new(TcpStream::connect(rig.address()).await.unwrap());
                stream.get_mut().write_all(HEAD).await.unwrap();
                let goes_on = tokio::time::timeout(PATIENCE, read(&mut stream, false))
                    .await
                    .unwrap()
                    .unwrap();
                assert_eq!(goes_on.code(), 100);
                stream.get_mut().write_all(b"hello").await.unwrap();
                let answer = tokio::time::timeout(PATIENCE, read(&mut stream, false))
                    .await
                    .unwrap()
                    .unwrap();
                assert_eq!((answer.code(), answer.text().as_str()), (200, "done"));
                assert!(came.await.unwrap().ends_with(b"\r\n\r\nhello"));
                drop(stream);
                assert_eq!(rig.log().await["request"]["body"], "hello");
            },
        );
    }
}

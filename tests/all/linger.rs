//! Who is refused before their body was read can say all of it, hears why, and goes on with the connection.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::support::{Database, TestApp};

const PIECE: usize = 64 << 10;

async fn connect(app: &TestApp) -> BufReader<TcpStream> {
    let address = app.url.strip_prefix("http://").unwrap();
    BufReader::new(TcpStream::connect(address).await.unwrap())
}

/// The head of a call that nobody may make.
fn head(more: &str) -> String {
    format!(
        "POST /v1/logs HTTP/1.1\r\nHost: localhost\r\nX-App-Id: nobody\r\nX-App-Token: als_nothing\r\nContent-Type: application/x-ndjson\r\n{more}\r\n\r\n"
    )
}

/// The status of the next answer, whose body is read, too.
async fn answer(stream: &mut BufReader<TcpStream>) -> String {
    let (mut first, mut length) = (String::new(), 0);
    stream.read_line(&mut first).await.unwrap();
    loop {
        let mut line = String::new();
        assert!(
            stream.read_line(&mut line).await.unwrap() > 0,
            "the connection broke after {first}"
        );
        if line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    stream.read_exact(&mut vec![0; length]).await.unwrap();
    first.split(' ').nth(1).unwrap_or_default().to_owned()
}

#[test]
fn who_is_refused_says_all_and_goes_on() {
    TestApp::run(
        Database::Sqlite,
        |_| {},
        async |app| {
            let mut stream = connect(app).await;
            for is_chunked in [false, true, false] {
                let pieces = 64;
                let more = if is_chunked {
                    "Transfer-Encoding: chunked".to_owned()
                } else {
                    format!("Content-Length: {}", pieces * PIECE)
                };
                stream.write_all(head(&more).as_bytes()).await.unwrap();
                let piece = vec![b'x'; PIECE];
                for _ in 0..pieces {
                    if is_chunked {
                        stream.write_all(format!("{PIECE:x}\r\n").as_bytes()).await.unwrap();
                    }
                    stream.write_all(&piece).await.unwrap();
                    if is_chunked {
                        stream.write_all(b"\r\n").await.unwrap();
                    }
                    // The answer is there long before the body has been said.
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                if is_chunked {
                    stream.write_all(b"0\r\n\r\n").await.unwrap();
                }
                assert_eq!(answer(&mut stream).await, "401");
            }
        },
    );
}

#[test]
fn who_asks_first_says_nothing() {
    TestApp::run(
        Database::Sqlite,
        |_| {},
        async |app| {
            let mut stream = connect(app).await;
            let more = format!("Content-Length: {PIECE}\r\nExpect: 100-continue");
            stream.write_all(head(&more).as_bytes()).await.unwrap();
            assert_eq!(answer(&mut stream).await, "401", "and no leave to go on");
        },
    );
}

#[test]
fn who_never_ends_is_not_heard_for_ever() {
    TestApp::run(
        Database::Sqlite,
        |_| {},
        async |app| {
            let mut stream = connect(app).await;
            stream.write_all(head("Transfer-Encoding: chunked").as_bytes()).await.unwrap();
            assert_eq!(answer(&mut stream).await, "401");
            let piece = format!("{PIECE:x}\r\n{}\r\n", "x".repeat(PIECE));
            let said = tokio::time::timeout(Duration::from_secs(30), async {
                while stream.write_all(piece.as_bytes()).await.is_ok() {}
            });
            said.await.expect("the connection is closed");
        },
    );
}

//! A server that nobody here wrote, with its own tests, behind the gateway: moto (a stand-in for AWS: flask and werkzeug), tested by its own suite through its users' own client
//! (boto3). The suite passes, what goes in at one side of the gateway comes out at the other byte for byte, and every exchange is a log.
//!
//! `scripts/test` says where moto is (`MOTO`; `scripts/setup test` puts it there); without it there is nothing to run here.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

use super::rig::{Rig, options, until};
use super::wire::{Message, read};
use crate::kill::own_port;
use crate::support::{Database, TestApp};

/// Parts of moto's suite that send bodies of every kind, in a few seconds.
const TESTS: &[&str] = &[
    "tests/test_s3/test_s3_multipart.py",
    "tests/test_s3/test_s3_tagging.py",
    "tests/test_s3/test_s3_presigned_url.py",
    "tests/test_s3/test_s3_content_encoding.py",
    "tests/test_s3/test_s3_response_headers.py",
    "tests/test_s3/test_s3_copyobject.py",
    "tests/test_s3/test_s3_metadata.py",
    "tests/test_s3/test_s3_list_objects.py",
    "tests/test_s3/test_s3_conditionals.py",
    "tests/test_sqs/test_sqs_message_attributes.py",
];

/// What goes over a port, and what was answered: the bytes of each connection.
#[derive(Clone)]
struct Tap {
    port: u16,
    connections: Arc<Mutex<Vec<Arc<Mutex<Bytes>>>>>,
}

#[derive(Default)]
struct Bytes {
    asked: Vec<u8>,
    answered: Vec<u8>,
}

/// An exchange without what is of one connection alone.
type Exchange = (Vec<String>, Vec<u8>, Vec<String>, Vec<u8>);

impl Tap {
    async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let tap = Self {
            port: listener.local_addr().unwrap().port(),
            connections: Arc::default(),
        };
        let connections = Arc::clone(&tap.connections);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let bytes = Arc::<Mutex<Bytes>>::default();
                connections.lock().unwrap().push(Arc::clone(&bytes));
                tokio::spawn(async move {
                    let Ok(far) = TcpStream::connect(("127.0.0.1", port)).await else {
                        return;
                    };
                    let ((from_near, to_near), (from_far, to_far)) = (near.into_split(), far.into_split());
                    let up = Arc::clone(&bytes);
                    tokio::join!(
                        pass(from_near, to_far, move |some| up
                            .lock()
                            .unwrap()
                            .asked
                            .extend_from_slice(some)),
                        pass(from_far, to_near, move |some| bytes
                            .lock()
                            .unwrap()
                            .answered
                            .extend_from_slice(some)),
                    );
                });
            }
        });
        tap
    }

    /// What went over it, in an order of its own.
    async fn exchanges(&self) -> Vec<Exchange> {
        let connections: Vec<_> = self.connections.lock().unwrap().clone();
        let mut exchanges = Vec::new();
        for connection in connections {
            let (asked, answered) = {
                let bytes = connection.lock().unwrap();
                (bytes.asked.clone(), bytes.answered.clone())
            };
            let (mut asked, mut answered) = (BufReader::new(&asked[..]), BufReader::new(&answered[..]));
            while let Some(request) = read(&mut asked, false).await {
                let is_head = request.start.starts_with("HEAD ");
                let answer = loop {
                    let answer = read(&mut answered, is_head)
                        .await
                        .unwrap_or_else(|| panic!("no answer to {request:?}"));
                    if answer.code() >= 200 {
                        break answer;
                    }
                };
                exchanges.push((head(&request), request.body, head(&answer), answer.body));
            }
        }
        exchanges.sort();
        exchanges
    }
}

/// First line and headers, without those of the connection; by their names, since values of one name that stood apart come together. What the server says in
/// HTTP/1.0, a gateway says in HTTP/1.1.
fn head(message: &Message) -> Vec<String> {
    let of_connection = ["connection:", "keep-alive:", "transfer-encoding:"];
    let lines = message.headers.iter().filter(|line| {
        let lower = line.to_ascii_lowercase();
        !of_connection.iter().any(|name| lower.starts_with(name))
    });
    let mut lines: Vec<String> = lines.cloned().collect();
    lines.sort_by_key(|line| line.split(':').next().unwrap().to_ascii_lowercase());
    lines.insert(0, message.start.replacen("HTTP/1.0", "HTTP/1.1", 1));
    lines
}

async fn pass(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, seen: impl Fn(&[u8])) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        seen(&buffer[..read]);
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
    let _closed = to.shutdown().await;
}

async fn moto(folder: &Path) -> (Child, u16) {
    let port = own_port();
    let server = Command::new(folder.join("bin/moto_server"))
        .args(["-H", "127.0.0.1", "-p", &port.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    until("moto is up", async || {
        tokio::time::sleep(Duration::from_millis(100)).await;
        TcpStream::connect(("127.0.0.1", port)).await.is_ok()
    })
    .await;
    (server, port)
}

/// Runs the suite against a port, which must pass; how many of its tests did.
async fn suite(folder: &Path, port: u16) -> String {
    let mut command = Command::new(folder.join("bin/python"));
    command.args([
        "-m",
        "pytest",
        "-q",
        "--color=no",
        "--no-header",
        "-p",
        "no:cacheprovider",
        "-W",
        "ignore",
    ]);
    let ended = command
        .args(TESTS)
        .current_dir(folder.join("suite"))
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", folder)
        .env("TEST_SERVER_MODE", "true")
        .env("TEST_SERVER_MODE_ENDPOINT", format!("http://localhost:{port}"))
        .envs([
            ("AWS_ACCESS_KEY_ID", "nobody"),
            ("AWS_SECRET_ACCESS_KEY", "nothing"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
        ])
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert!(ended.status.success(), "{said}\n{}", String::from_utf8_lossy(&ended.stderr));
    let last = said.lines().last().unwrap();
    // "119 passed, 18 skipped in 25.66s"
    last.split(" in ").next().unwrap().to_owned()
}

/// Whether less of an answer's body came than its head says.
fn is_broken_off((_, _, head, body): &Exchange) -> bool {
    let length = head.iter().find_map(|line| {
        line.to_ascii_lowercase()
            .strip_prefix("content-length: ")?
            .parse::<usize>()
            .ok()
    });
    length.is_some_and(|length| body.len() < length)
}

#[test]
fn a_server_of_others_passes_its_own_tests_behind_the_gateway() {
    let Ok(folder) = std::env::var("MOTO") else {
        eprintln!("MOTO names no folder: scripts/test runs this");
        return;
    };
    TestApp::run(
        Database::Sqlite,
        |_| (),
        async |app| {
            let folder = Path::new(&folder);
            let (_server, port) = moto(folder).await;
            let without = suite(folder, port).await;
            let far = Tap::to(port).await;
            let mut options = options(app, far.port);
            options.gateway_body_kb = 64;
            let rig = Rig::with(app, options).await;
            let near = Tap::to(rig.address().port()).await;
            assert_eq!(suite(folder, near.port).await, without, "as many pass as without the gateway");

            let (asked, passed) = (near.exchanges().await, far.exchanges().await);
            assert!(asked.len() > 500, "{}", asked.len());
            assert_eq!(asked.len(), passed.len());
            for (asked, passed) in asked.iter().zip(&passed) {
                assert_eq!((&asked.0, &asked.1, &asked.2), (&passed.0, &passed.1, &passed.2));
                // Of an answer that its client breaks off, more may have come than has gone on.
                let is_same = asked.3 == passed.3 || (is_broken_off(asked) && passed.3.starts_with(&asked.3));
                assert!(is_same, "{:?}: {} of {} bytes", asked.0[0], asked.3.len(), passed.3.len());
            }
            let mut recorded = BTreeMap::<(String, String), i64>::new();
            for log in rig.logs(asked.len()).await {
                let request = format!("{} {}", log["method"].as_str().unwrap(), log["url"].as_str().unwrap());
                *recorded.entry((request, log["status_code"].to_string())).or_default() += 1;
            }
            for (request, _, answer, _) in &asked {
                let request = request[0].trim_end_matches(" HTTP/1.1").to_owned();
                let code = answer[0].split(' ').nth(1).unwrap().to_owned();
                // A signature in an address is a secret.
                if request.contains("Signature=") {
                    continue;
                }
                *recorded.entry((request, code)).or_default() -= 1;
            }
            recorded.retain(|(request, _), count| *count != 0 && !request.contains("Signature="));
            assert!(recorded.is_empty(), "{recorded:?}");
        },
    );
}

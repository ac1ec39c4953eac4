//! What goes through is what came: requests on their way up, answers on their way down.

use serde_json::json;

use super::rig::{Rig, options};
use super::wire::{Message, Wire, ask, ask_once};
use crate::support::{Database, TestApp};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// What the upstream gets: first line, headers, body.
type Passed = (&'static str, &'static [&'static str], &'static str);

/// A request as a client sends it, and the one that the upstream gets.
const REQUESTS: &[(&str, Passed)] = &[
    (
        "GET /a?b=%20&c=d&&e=%C3%A9+f HTTP/1.1\r\nHost: api.example.com\r\nX-One: 1\r\nx-two: 2\r\nX-ONE: 3\r\n",
        (
            "GET /a?b=%20&c=d&&e=%C3%A9+f HTTP/1.1",
            &["Host: api.example.com", "X-One: 1", "X-ONE: 3", "x-two: 2"],
            "",
        ),
    ),
    (
        "GET //a/../b;c=1/@:!$&'()*+,=?q={|}[]^`'\\ HTTP/1.1\r\nhost: a:81\r\n",
        ("GET //a/../b;c=1/@:!$&'()*+,=?q={|}[]^`'\\ HTTP/1.1", &["host: a:81"], ""),
    ),
    (
        "POST /a HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello",
        (
            "POST /a HTTP/1.1",
            &["Host: a", "Content-Type: text/plain", "Content-Length: 5"],
            "hello",
        ),
    ),
    (
        "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        ("POST /a HTTP/1.1", &["Host: a", "Content-Length: 0"], ""),
    ),
    (
        "PUT /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
        ("PUT /a HTTP/1.1", &["Host: a", "Transfer-Encoding: chunked", "X: y"], "abcde"),
    ),
    (
        "GET /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        ("GET /body HTTP/1.1", &["Host: a", "Transfer-Encoding: chunked"], "abc"),
    ),
    (
        "DELETE /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
        ("DELETE /a HTTP/1.1", &["Host: a", "Content-Length: 3"], "abc"),
    ),
    (
        "M-SEARCH /a HTTP/1.1\r\nHost: a\r\nKeep-Alive: timeout=5\r\nUpgrade: h2c\r\nX: \x20spaces \r\nEmpty:\r\n",
        ("M-SEARCH /a HTTP/1.1", &["Host: a", "X: spaces", "Empty:"], ""),
    ),
    ("OPTIONS * HTTP/1.1\r\nHost: a\r\n", ("OPTIONS * HTTP/1.1", &["Host: a"], "")),
    (
        "GET http://other.example.com/a?b HTTP/1.1\r\nHost: other.example.com\r\n",
        ("GET /a?b HTTP/1.1", &["Host: other.example.com"], ""),
    ),
];

#[test]
fn requests_go_up_as_they_came() {
    TestApp::run(
        Database::Sqlite,
        |_| (),
        async |app| {
            let upstream = Wire::saying(OK).await;
            let rig = Rig::before(app, upstream.port).await;
            for (number, (sent, (start, headers, body))) in REQUESTS.iter().enumerate() {
                // The last header closes the connection, and is of the connection alone.
                let (head, sent_body) = sent.split_once("\r\n\r\n").unwrap_or((sent.trim_end_matches("\r\n"), ""));
                let answer = ask_once(rig.address(), &format!("{head}\r\nConnection: close\r\n\r\n{sent_body}")).await;
                assert_eq!((answer.code(), answer.text().as_str()), (200, "ok"), "{sent}");
                let seen = upstream.seen();
                assert_eq!(seen.len(), number + 1, "{sent}");
                let seen = seen.last().unwrap();
                assert_eq!(
                    (seen.start.as_str(), seen.headers.as_slice(), seen.text().as_str()),
                    (
                        *start,
                        &headers.iter().map(|&line| line.to_owned()).collect::<Vec<_>>()[..],
                        *body
                    ),
                );
            }
            let paths: Vec<_> = rig.logs(REQUESTS.len()).await.iter().map(|log| log["url"].clone()).collect();
            assert!(paths.contains(&json!("/a?b=%20&c=d&&e=%C3%A9+f")), "{paths:?}");
        },
    );
}

/// The method, the upstream's answer, and what the client gets.
const ANSWERS: &[(&str, &str, &str)] = &[
    (
        "GET",
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nSet-Cookie: a=1\r\nX-Odd: caf\u{e9}\r\nset-cookie: b=2\r\nContent-Length: 2\r\n\r\nhi",
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nX-Odd: caf\u{e9}\r\nContent-Length: 2\r\n\r\nhi",
    ),
    (
        "GET",
        "HTTP/1.1 299 Alles gut\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 299 Alles gut\r\nContent-Length: 0\r\n\r\n",
    ),
    (
        "GET",
        "HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx",
        "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 1\r\n\r\nx",
    ),
    (
        "DELETE",
        "HTTP/1.1 204 No Content\r\nX: y\r\n\r\n",
        "HTTP/1.1 204 No Content\r\nX: y\r\n\r\n",
    ),
    (
        "GET",
        "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n",
    ),
    (
        "HEAD",
        "HTTP/1.1 200 OK\r\nContent-Length: 12345\r\nX: y\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 12345\r\nX: y\r\n\r\n",
    ),
    ("HEAD", "HTTP/1.1 200 OK\r\nX: y\r\n\r\n", "HTTP/1.1 200 OK\r\nX: y\r\n\r\n"),
    (
        "GET",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    ),
    (
        "GET",
        "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX-Sum: 3\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nx-sum: 3\r\n\r\n",
    ),
    (
        "GET",
        "HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n",
    ),
];

async fn parsed(text: &str, is_head: bool) -> Message {
    super::wire::read(&mut tokio::io::BufReader::new(text.as_bytes()), is_head)
        .await
        .unwrap()
}

#[test]
fn answers_come_down_as_they_were() {
    TestApp::run(
        Database::Sqlite,
        |_| (),
        async |app| {
            let upstream = Wire::start(|request| {
                let number: usize = request.start.split(['/', ' ']).nth(2).unwrap().parse().unwrap();
                ANSWERS[number].1.as_bytes().to_vec()
            })
            .await;
            let rig = Rig::before(app, upstream.port).await;
            for (number, (method, _, expected)) in ANSWERS.iter().enumerate() {
                let request = format!("{method} /{number} HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: close, TE\r\n\r\n");
                let mut answer = ask_once(rig.address(), &request).await;
                // Ours says that it closes this connection, as it was asked to.
                answer.headers.retain(|line| !line.eq_ignore_ascii_case("connection: close"));
                assert_eq!(answer, parsed(expected, *method == "HEAD").await, "{number}");
            }
            let logs = rig.logs(ANSWERS.len()).await;
            let codes: Vec<_> = logs.iter().map(|log| log["status_code"].as_u64().unwrap()).collect();
            assert_eq!(codes, [200, 299, 500, 204, 304, 200, 200, 200, 200, 302]);
        },
    );
}

#[test]
fn an_answer_without_a_length_ends_as_it_did() {
    TestApp::run(
        Database::Sqlite,
        |_| (),
        async |app| {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut head = [0; 1_024];
                let _read = tokio::io::AsyncReadExt::read(&mut stream, &mut head).await;
                let answer = b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nuntil the end";
                tokio::io::AsyncWriteExt::write_all(&mut stream, answer).await.unwrap();
            });
            let rig = Rig::before(app, port).await;
            let answer = ask_once(rig.address(), "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
            assert!(answer.is_whole);
            assert_eq!(
                (answer.start.as_str(), answer.text().as_str()),
                ("HTTP/1.1 200 OK", "until the end")
            );
            assert_eq!(rig.log().await["response"]["body"], "until the end");
        },
    );
}

#[test]
fn who_asked_is_told_where_that_is_wanted() {
    TestApp::run(
        Database::Sqlite,
        |_| (),
        async |app| {
            let upstream = Wire::saying(OK).await;
            let mut options = options(app, upstream.port);
            options.gateway_forwarded = true;
            options.gateway_upstream_host = Some("inside.example.com".parse().unwrap());
            let rig = Rig::with(app, options).await;
            let request = "GET / HTTP/1.1\r\nHost: api.example.com\r\nX-Forwarded-For: 192.0.2.1\r\nConnection: close\r\n\r\n";
            ask_once(rig.address(), request).await;
            assert_eq!(
                upstream.seen()[0].headers,
                [
                    "Host: inside.example.com",
                    "X-Forwarded-For: 192.0.2.1, 127.0.0.1",
                    "x-forwarded-host: api.example.com",
                    "x-forwarded-proto: http"
                ]
            );
            // The log has what the client sent.
            let log = rig.log().await;
            assert_eq!(log["request"]["headers"]["host"], "api.example.com");
            assert_eq!(
                log["ip"], "127.0.0.1",
                "a stranger's word about where it comes from is not believed"
            );
        },
    );
}

/// What two servers could read as different requests.
const SMUGGLED: &[&str] = &[
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n folded: b\r\n\r\n",
    "GET /\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n",
    "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
];

#[test]
fn what_can_be_read_in_two_ways_goes_no_further() {
    TestApp::run(
        Database::Sqlite,
        |_| (),
        async |app| {
            let upstream = Wire::saying(OK).await;
            let rig = Rig::before(app, upstream.port).await;
            for request in SMUGGLED {
                let answers = ask(rig.address(), request.as_bytes()).await;
                assert_eq!(answers.iter().map(Message::code).collect::<Vec<_>>(), [400], "{request:?}");
            }
            assert!(upstream.seen().is_empty(), "{:?}", upstream.seen());
            // Both lengths: the chunks count (RFC 9112, 6.3), and the length does not go on.
            let both = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n\
            5\r\nhello\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
            let answers = ask(rig.address(), both.as_bytes()).await;
            assert_eq!(answers.len(), 1, "{answers:?}");
            let seen = upstream.seen();
            assert_eq!(seen.len(), 1, "{seen:?}");
            assert_eq!((seen[0].text().as_str(), seen[0].header("content-length")), ("hello", None));
        },
    );
}

#[test]
fn a_tunnel_to_anywhere_is_not_made() {
    TestApp::run(
        Database::Sqlite,
        |_| (),
        async |app| {
            let upstream = Wire::saying(OK).await;
            let rig = Rig::before(app, upstream.port).await;
            let answer = ask_once(
                rig.address(),
                "CONNECT other:443 HTTP/1.1\r\nHost: other:443\r\nConnection: close\r\n\r\n",
            )
            .await;
            assert_eq!(
                (answer.code(), answer.json()["key"].as_str()),
                (501, Some("connect_not_supported"))
            );
            assert!(upstream.seen().is_empty());
        },
    );
}

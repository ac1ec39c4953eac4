//! What goes in and what comes out; bad input as hard as good.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::model::log::{BodyKind, Note, Status};
use crate::server::corpus::{harmed, kept};

/// 2026-11-22T12:00:00Z.
const NOW: i64 = 1_795_348_800_000;
const DAY: i64 = 86_400_000;

fn read(payload: Payload, bytes: &[u8]) -> Result<Vec<NewLog>, EntryError> {
    let random = Random::seeded(1);
    let context = EntryContext {
        now_ms: NOW,
        retention_ms: 30 * DAY,
        mask: &MaskRules::default(),
        endpoints: &CallNames::default(),
        random: &random,
        origin: Origin::Application,
        sender: Some(Sender {
            app_id: "app_1".to_owned(),
            name: "Server key".to_owned(),
            client: false,
        }),
    };
    read_call(payload, bytes, &context)
}

fn one(entry: &Value) -> Result<NewLog, EntryError> {
    read(Payload::Json, entry.to_string().as_bytes()).map(|mut logs| logs.remove(0))
}

/// The smallest log, with these fields changed; a field of `"-"` is left out.
fn with(changes: Value) -> Value {
    let mut entry = json!({ "method": "GET", "url": "/v1/customers", "status_code": 200 });
    for (name, value) in changes.as_object().unwrap() {
        if value == "-" {
            entry.as_object_mut().unwrap().remove(name);
        } else {
            entry[name] = value.clone();
        }
    }
    entry
}

fn refused(entry: &Value) -> String {
    match one(entry) {
        Err(EntryError::Invalid {
            index: 0,
            line: None,
            field,
            ..
        }) => field,
        other => panic!("{entry} gave {other:?}"),
    }
}

#[test]
fn the_smallest_log_gets_its_defaults() {
    let log = one(&with(json!({}))).unwrap();
    assert_eq!(log.facts.status, Status::Success);
    assert_eq!(log.facts.created_at, NOW);
    assert_eq!(log.facts.endpoint, "GET_v1_customers");
    assert_eq!(log.facts.app_id.as_deref(), Some("app_1"));
    assert_eq!(log.facts.app_name.as_deref(), Some("Server key"));
    assert_eq!(
        crate::model::id::time_of(crate::model::id::IdKind::Log, &log.facts.id),
        Some(NOW)
    );
    assert!(!log.client_id && log.facts.notes.is_empty());
    assert_eq!(log.text.request.kind, BodyKind::None);
}

#[test]
fn a_log_as_it_is_given_can_be_sent_in_again() {
    let entry = json!({
        "id": "order-1", "object": "api_log", "created_at": "2026-11-22T11:00:00.123Z", "status": "FAILURE", "status_code": null,
        "request_id": "req_1", "channel": "WEBSITE", "method": "post", "endpoint": "POST_orders", "url": "https://api.example/v1/orders/7?a=b",
        "user_email": "ann@example.com", "user_id": "u1", "app_id": null, "app_name": null, "client_app_id": "client_1", "request_duration": 12.345,
        "ip": "203.0.113.7", "user_agent": "curl/8", "origin": "self",
        "request": { "headers": { "Content-Type": "application/json", "Accept": ["a", "b"] }, "body": { "x": [1, 2.50, "é"] }, "bytes": 999, "content_type": "application/json" },
        "response": { "headers": {}, "body": { "encoding": "base64", "data": "AP8=" }, "bytes": 2, "content_type": null },
        "resource": { "type": "order", "id": "7" }, "async_action_id": "aa_1", "import_file": { "name": "a.csv", "bytes": 5 },
        "notes": ["truncated", "not allowed", "something new"], "unknown": { "deep": [[[]]] }
    });
    let NewLog { facts, client_id, text } = one(&entry).unwrap();
    assert!(client_id);
    assert_eq!(
        (facts.id.as_str(), facts.created_at, facts.status, facts.status_code),
        ("order-1", NOW - 3_600_000 + 123, Status::Failure, None)
    );
    assert_eq!(
        (facts.method.as_str(), facts.endpoint.as_str(), facts.path.as_str()),
        ("POST", "POST_orders", "/v1/orders/7")
    );
    assert_eq!(
        (facts.duration_us, facts.request_bytes, facts.response_bytes),
        (Some(12_345), 999, 2)
    );
    assert_eq!((facts.app_id, facts.client_app_id.as_deref()), (None, Some("client_1")));
    assert_eq!(
        facts.origin,
        Origin::Application,
        "whose traffic it is depends on the door, not on the entry"
    );
    assert_eq!(facts.resource.unwrap().kind, "order");
    assert_eq!(facts.notes, [Note::Truncated, Note::NotCaptured]);
    assert_eq!(text.url, "https://api.example/v1/orders/7?a=b");
    assert_eq!(
        text.request.headers,
        r#"{"Accept":["a","b"],"Content-Type":"application/json"}"#
    );
    assert_eq!(
        (text.response.kind, text.response.body.as_slice()),
        (BodyKind::Binary, &[0, 255][..])
    );
}

#[test]
fn a_bodys_bytes_stay_as_they_were_sent() {
    let body = "{ \"a\" : 1.50e0 ,\t\"\\u0000\": \"\\u00e9\\/\" , \"a\":[ ] }";
    let entry = format!(
        "{{\"method\":\"GET\",\"url\":\"/\",\"status_code\":200,\"request\":{{\"body\": {body} }},\"response\":{{\"body\":\"a\\u0000b\"}}}}"
    );
    let log = read(Payload::Json, entry.as_bytes()).unwrap().remove(0);
    assert_eq!(log.text.request.body, body.as_bytes());
    assert_eq!(log.facts.request_bytes, body.len() as i64);
    assert_eq!(
        (log.text.response.kind, log.text.response.body.as_slice()),
        (BodyKind::Text, &b"a\0b"[..])
    );
    assert_eq!(log.facts.notes, []);
}

#[test]
fn what_looks_like_base64_is_json_where_it_says_more() {
    for body in [
        json!({ "encoding": "base64", "data": "AA==", "more": 1 }),
        json!({ "encoding": "hex", "data": "00" }),
        json!([1]),
        json!(5),
    ] {
        assert_eq!(
            one(&with(json!({ "request": { "body": body } }))).unwrap().text.request.kind,
            BodyKind::Json,
            "{body}"
        );
    }
    assert_eq!(
        refused(&with(
            json!({ "request": { "body": { "data": "A*", "encoding": "base64" } } })
        )),
        "request.body"
    );
}

#[test]
fn secrets_are_gone_and_a_note_says_so() {
    let log = one(&with(json!({
        "url": "/v1/x?token=planted",
        "request": { "headers": { "Authorization": "Bearer planted" }, "body": "{\"password\":\"planted\"}" },
        "response": { "headers": [{ "name": "set-cookie", "value": "a=planted" }], "body": { "a": [{ "api_key": "planted" }] } }
    })))
    .unwrap();
    assert!(!format!("{log:?}").contains("planted"));
    assert_eq!(log.facts.notes, [Note::Masked]);
    assert_eq!(
        log.facts.response_bytes,
        r#"{"a":[{"api_key":"planted"}]}"#.len() as i64,
        "the size as it came"
    );
}

#[test]
fn what_the_headers_say_is_taken() {
    let log = one(&with(
        json!({ "request": { "headers": { "USER-AGENT": "curl", "content-type": "text/csv" }, "body": "a,b" } }),
    ))
    .unwrap();
    assert_eq!(
        (log.text.user_agent.as_deref(), log.text.request.content_type.as_deref()),
        (Some("curl"), Some("text/csv"))
    );
}

#[test]
fn wrong_fields_are_named() {
    for (change, field) in [
        (json!({ "method": "-" }), "method"),
        (json!({ "method": null }), "method"),
        (json!({ "method": "" }), "method"),
        (json!({ "method": "GE T" }), "method"),
        (json!({ "method": 5 }), "method"),
        (json!({ "url": "-" }), "url"),
        (json!({ "url": "" }), "url"),
        (json!({ "url": "/x".repeat(20_000) }), "url"),
        (json!({ "url": ["/"] }), "url"),
        (json!({ "status_code": "-" }), "status_code"),
        (json!({ "status_code": 99 }), "status_code"),
        (json!({ "status_code": 1000 }), "status_code"),
        (json!({ "status_code": -200 }), "status_code"),
        (json!({ "status_code": 200.5 }), "status_code"),
        (json!({ "status_code": "200" }), "status_code"),
        (json!({ "status_code": 65_736 }), "status_code"),
        (json!({ "status": "OK" }), "status"),
        (json!({ "status": "not 99" }), "status"),
        (json!({ "created_at": "2026-02-30T00:00:00Z" }), "created_at"),
        (json!({ "created_at": "yesterday" }), "created_at"),
        (json!({ "created_at": "2026-11-22T12:00:00" }), "created_at"),
        (json!({ "created_at": true }), "created_at"),
        (json!({ "created_at": NOW + 3_600_001 }), "created_at"),
        (json!({ "created_at": NOW - 30 * DAY - 1 }), "created_at"),
        (json!({ "created_at": i64::MIN }), "created_at"),
        (json!({ "created_at": 1e300 }), "created_at"),
        (json!({ "id": "" }), "id"),
        (json!({ "id": "a b" }), "id"),
        (json!({ "id": "x".repeat(65) }), "id"),
        (json!({ "id": 7 }), "id"),
        (json!({ "request_id": "x".repeat(513) }), "request_id"),
        (json!({ "user_email": "a\u{0}b" }), "user_email"),
        (json!({ "request_duration": -1 }), "request_duration"),
        (json!({ "request_duration": "5" }), "request_duration"),
        (json!({ "request_duration": 1e300 }), "request_duration"),
        (json!({ "resource": { "type": "voucher" } }), "resource"),
        (json!({ "resource": { "type": "", "id": "x" } }), "resource"),
        (json!({ "resource": 5 }), "resource"),
        (json!({ "notes": "masked" }), "notes"),
        (json!({ "request": [] }), "request"),
        (json!({ "request": { "headers": "a: b" } }), "request.headers"),
        (json!({ "response": { "bytes": -1 } }), "response.bytes"),
        (json!({ "response": { "content_type": {} } }), "response.content_type"),
        (
            json!({ "response": { "content_type": "x".repeat(5_000) } }),
            "response.content_type",
        ),
    ] {
        assert_eq!(refused(&with(change.clone())), field, "{change}");
    }
}

#[test]
fn the_edges_are_inside() {
    for change in [
        json!({ "created_at": NOW + 3_600_000 }),
        json!({ "created_at": NOW - 30 * DAY }),
        json!({ "created_at": "2026-11-22T13:00:00+01:00" }),
        json!({ "status_code": 100 }),
        json!({ "status_code": 999 }),
        json!({ "status_code": null }),
        json!({ "status": "failure" }),
        json!({ "id": "x".repeat(64) }),
        json!({ "request_duration": 0 }),
        json!({ "request_duration": null }),
        json!({ "channel": "" }),
        json!({ "request": null }),
        json!({ "url": "/a\u{0}b" }),
    ] {
        assert!(one(&with(change.clone())).is_ok(), "{change}");
    }
}

#[test]
fn unreadable_payloads_are_told_from_wrong_entries() {
    for bytes in [
        &b""[..],
        b"{",
        b"[{]",
        b"{\"a\":1}}",
        b"{\"a\":\"\0\"}",
        b"{\"a\":\"\n\"}",
        b"\xff",
        b"{\"a\":\"\xc3\"}",
        b"nul",
        b"[1,]",
        b"{'a':1}",
    ] {
        assert!(
            matches!(read(Payload::Json, bytes), Err(EntryError::Unreadable { line: None, .. })),
            "{bytes:?}"
        );
    }
    for bytes in [&b"5"[..], b"null", b"\"x\"", b"[[]]", b"[5]"] {
        assert!(
            matches!(read(Payload::Json, bytes), Err(EntryError::Invalid { index: 0, .. })),
            "{bytes:?}"
        );
    }
    assert_eq!(
        read(Payload::Json, b"{\"a\":\"\xff\"}"),
        Err(EntryError::Unreadable {
            line: None,
            reason: "byte 7 is not UTF-8".to_owned()
        })
    );
    assert_eq!(read(Payload::Json, b" [ ] ").unwrap(), []);
    assert_eq!(read(Payload::Ndjson, b"\n\n").unwrap(), []);
}

#[test]
fn ndjson_names_its_line() {
    let good = with(json!({})).to_string();
    let lines = |lines: &[&str]| read(Payload::Ndjson, lines.join("\n").as_bytes());
    assert_eq!(lines(&[&good, "", "  ", &format!("{good}\r"), ""]).unwrap().len(), 2);
    let broken = lines(&[&good, "", "  {\"a\":}", &good]).unwrap_err();
    assert_eq!(broken.to_string(), "line 3: expected value at column 8");
    let wrong = lines(&[&good, "", "{}"]).unwrap_err();
    assert!(matches!(&wrong, EntryError::Invalid { index: 1, line: Some(3), field, .. } if field == "method"));
    assert!(
        wrong.to_string().starts_with("entry 1 (line 3): method: is required"),
        "{wrong}"
    );
    assert!(matches!(
        lines(&[&good, &format!("{good}{good}")]),
        Err(EntryError::Unreadable { line: Some(2), .. })
    ));
    let mut bytes = format!("{good}\n{good}\nab").into_bytes();
    bytes.push(0xff);
    assert_eq!(
        read(Payload::Ndjson, &bytes),
        Err(EntryError::Unreadable {
            line: Some(3),
            reason: "byte 3 is not UTF-8".to_owned()
        })
    );
}

#[test]
fn deep_nesting_is_counted_and_never_overflows() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let entry =
        |body: String| format!("{{\"method\":\"GET\",\"url\":\"/\",\"status_code\":200,\"request\":{{\"body\":{body}}}}}");
    assert!(read(Payload::Json, entry(nested(10_000)).as_bytes()).is_ok());
    for levels in [10_001, 100_000] {
        let refused = read(Payload::Json, entry(nested(levels)).as_bytes());
        assert!(
            matches!(refused, Err(EntryError::Invalid { index: 0, ref field, .. }) if field == "request.body"),
            "{refused:?}"
        );
    }
    let deep = nested(100_000);
    for payload in [Payload::Json, Payload::Ndjson] {
        assert!(matches!(read(payload, deep.as_bytes()), Err(EntryError::Unreadable { .. })));
        let unknown = with(json!({}))
            .to_string()
            .replace("\"method\"", &format!("\"x\":{deep},\"method\""));
        assert!(read(payload, unknown.as_bytes()).is_ok());
        assert!(read(payload, &deep.as_bytes()[..100_000]).is_err());
    }
    for field in ["request", "resource", "notes", "id", "created_at"] {
        let wrong = format!("{{\"method\":\"GET\",\"url\":\"/\",\"status_code\":200,\"{field}\":{deep}}}");
        assert!(
            matches!(read(Payload::Json, wrong.as_bytes()), Err(EntryError::Invalid { .. })),
            "{field}"
        );
    }
    let headers =
        format!("{{\"method\":\"GET\",\"url\":\"/\",\"status_code\":200,\"request\":{{\"headers\":{{\"a\":{deep}}}}}}}");
    assert!(matches!(
        read(Payload::Json, headers.as_bytes()),
        Err(EntryError::Invalid { .. })
    ));
}

#[test]
fn what_is_too_large_is_refused() {
    let many = vec![with(json!({})); MAX_ENTRIES + 1];
    assert!(matches!(
        read(Payload::Json, json!(many).to_string().as_bytes()),
        Err(EntryError::TooLarge(_))
    ));
    let lines: Vec<String> = many.iter().map(Value::to_string).collect();
    assert!(matches!(
        read(Payload::Ndjson, lines.join("\n").as_bytes()),
        Err(EntryError::TooLarge(_))
    ));
    assert_eq!(
        read(Payload::Ndjson, lines[1..].join("\n").as_bytes()).unwrap().len(),
        MAX_ENTRIES
    );
    let large = with(json!({ "response": { "body": "x".repeat((64 << 20) + 1) } }));
    assert!(matches!(one(&large), Err(EntryError::TooLarge(_))));
    let headers = with(json!({ "request": { "headers": { "a": "x".repeat(70_000) } } }));
    assert!(matches!(one(&headers), Err(EntryError::TooLarge(_))));
}

#[test]
fn a_field_that_comes_twice_is_refused() {
    let twice = r#"{"method":"GET","url":"/","status_code":200,"url":"/b"}"#;
    assert!(matches!(
        read(Payload::Json, twice.as_bytes()),
        Err(EntryError::Invalid { .. })
    ));
}

proptest! {
    #[test]
    fn any_bytes_at_all_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        let _ = read(Payload::Json, &bytes);
        let _ = read(Payload::Ndjson, &bytes);
    }

    #[test]
    fn a_log_with_one_byte_changed_is_answered(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let entry = with(json!({ "created_at": "2026-11-22T11:00:00Z", "request": { "headers": { "cookie": "a=b" }, "body": { "password": ["é", null] } } }));
        let mut bytes = entry.to_string().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = read(Payload::Json, &bytes);
        let _ = read(Payload::Ndjson, &bytes);
    }
}

/// What holds of any call that is read.
fn holds(bytes: &[u8]) -> Result<usize, TestCaseError> {
    let json = read(Payload::Json, bytes);
    let lines = read(Payload::Ndjson, bytes);
    for logs in [&json, &lines].into_iter().flatten() {
        prop_assert!(logs.len() <= MAX_ENTRIES);
        for log in logs {
            prop_assert!(!log.facts.id.is_empty() && !log.facts.method.is_empty());
            prop_assert!(log.facts.created_at >= NOW - 31 * DAY);
        }
    }
    for error in [json.as_ref().err(), lines.as_ref().err()].into_iter().flatten() {
        prop_assert!(!error.to_string().trim().is_empty());
    }
    let is_one_line = !bytes.trim_ascii().contains(&b'\n') && bytes.trim_ascii_start().starts_with(b"{");
    if is_one_line {
        prop_assert_eq!(json.is_ok(), lines.is_ok(), "one log is one line");
    }
    Ok(json.map_or(0, |logs| logs.len()) + lines.map_or(0, |logs| logs.len()))
}

#[test]
fn every_kept_call_is_answered() {
    let mut logs = 0;
    for (name, call) in kept("call") {
        logs += holds(&call).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    assert!(logs > 4, "{logs}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_harmed_call_is_answered(call in harmed("call")) {
        holds(&call)?;
    }
}

/// How fast a core reads; run it in a release build: `cargo test --release --features ssr --lib reads_fast -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn reads_fast() {
    let body = json!({ "items": (0..8).map(|nth| json!({ "id": format!("item_{nth}"), "price": nth * 100, "name": "A cup of coffee" })).collect::<Vec<_>>(), "token": "abc" });
    let entry = with(
        json!({ "created_at": "2026-11-22T11:00:00Z", "request_id": "req_1", "channel": "API", "user_email": "ann@example.com",
        "request": { "headers": { "authorization": "Bearer abc", "content-type": "application/json", "accept": "*/*" }, "body": body }, "response": { "body": { "ok": true } } }),
    );
    let call = vec![entry.to_string(); 10_000].join("\n");
    let start = std::time::Instant::now();
    let logs = read(Payload::Ndjson, call.as_bytes()).unwrap();
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{} bytes a log, {:.0} logs/s",
        call.len() / logs.len(),
        logs.len() as f64 / seconds
    );
}

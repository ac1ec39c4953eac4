//! What spans and records become; bad input as hard as good.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use proptest::prelude::*;
use prost::Message as _;
use serde_json::{Value, json};

use super::*;
use crate::model::id::is_client_id;
use crate::model::log::{BodyKind, Note, Origin, Status};
use crate::server::clock::Random;
use crate::server::corpus::{harmed, kept};
use crate::server::ingest::endpoint::CallNames;
use crate::server::ingest::entry::Sender;
use crate::server::ingest::mask::MaskRules;

/// 2026-11-29T20:00:00Z, a little after the spans that are kept in `tests/corpora/otlp`.
const NOW: i64 = 1_795_982_400_000;
const START: u64 = 1_795_982_000_123_456_789;
const TRACE: &str = "5b8efff798038103d269b633813fc60c";
const SPAN: &str = "eee19b7ec3c1b174";

fn taken(signal: Signal, encoding: Encoding, bytes: &[u8]) -> Result<Taken, OtlpError> {
    let random = Random::seeded(1);
    let context = EntryContext {
        now_ms: NOW,
        retention_ms: 30 * 86_400_000,
        mask: &MaskRules::default(),
        endpoints: &CallNames::default(),
        random: &random,
        origin: Origin::Application,
        sender: Some(Sender {
            app_id: "app_1".to_owned(),
            name: "Checkout".to_owned(),
            client: false,
        }),
    };
    count(signal, encoding, bytes)?;
    read(signal, encoding, bytes, &context)
}

/// OTLP's JSON of attributes.
fn attributes(told: &Value) -> Value {
    fn written(value: &Value) -> Value {
        match value {
            Value::String(text) => json!({ "stringValue": text }),
            Value::Number(number) => json!({ "intValue": number.to_string() }),
            Value::Array(values) => json!({ "arrayValue": { "values": values.iter().map(written).collect::<Vec<_>>() } }),
            other => panic!("{other}"),
        }
    }
    let told = told.as_object().unwrap().iter();
    told.map(|(key, told)| json!({ "key": key, "value": written(told) }))
        .collect()
}

/// A span of an HTTP server, with some fields changed.
fn span(told: &Value, changes: &Value) -> Value {
    let mut span = json!({
        "traceId": TRACE, "spanId": SPAN, "kind": 2, "name": "a name",
        "startTimeUnixNano": START.to_string(), "endTimeUnixNano": (START + 41_500_000).to_string(), "attributes": attributes(told),
    });
    for (name, value) in changes.as_object().unwrap() {
        span[name] = value.clone();
    }
    span
}

fn traces(spans: &[Value]) -> String {
    json!({ "resourceSpans": [{ "scopeSpans": [{ "spans": spans }] }] }).to_string()
}

fn logs(records: &[Value]) -> String {
    json!({ "resourceLogs": [{ "scopeLogs": [{ "logRecords": records }] }] }).to_string()
}

fn of_spans(spans: &[Value]) -> Taken {
    taken(Signal::Traces, Encoding::Json, traces(spans).as_bytes()).unwrap()
}

fn one(told: &Value, changes: &Value) -> NewLog {
    let mut taken = of_spans(&[span(told, changes)]);
    assert_eq!((taken.logs.len(), &taken.rejected), (1, &Rejected::default()), "{told}");
    taken.logs.remove(0)
}

fn text(message: &crate::model::log::Message) -> &str {
    std::str::from_utf8(&message.body).unwrap()
}

#[test]
fn the_stable_names_and_those_from_before_say_the_same() {
    let stable = json!({
        "http.request.method": "POST", "url.scheme": "https", "server.address": "api.example.com", "server.port": 443,
        "url.path": "/v1/vouchers/SUMMER/redemption", "url.query": "x=1", "http.route": "/v1/vouchers/:code/redemption",
        "http.response.status_code": 402, "user_agent.original": "curl/8", "client.address": "203.0.113.9",
        "http.request.body.size": 12, "http.response.body.size": 0, "enduser.id": "u-7",
    });
    let before = json!({
        "http.method": "POST", "http.scheme": "https", "http.host": "api.example.com",
        "http.target": "/v1/vouchers/SUMMER/redemption?x=1", "http.route": "/v1/vouchers/:code/redemption",
        "http.status_code": "402", "http.user_agent": "curl/8", "http.client_ip": "203.0.113.9",
        "http.request_content_length": 12, "http.response_content_length": "0", "user.id": "u-7",
    });
    let log = one(&stable, &json!({}));
    assert_eq!(log, one(&before, &json!({})));
    let facts = &log.facts;
    assert_eq!(facts.id, format!("{TRACE}-{SPAN}"));
    assert!(log.client_id);
    assert_eq!((facts.created_at, facts.duration_us), (1_795_982_000_123, Some(41_500)));
    assert_eq!(
        (facts.status, facts.status_code, facts.method.as_str()),
        (Status::Failure, Some(402), "POST")
    );
    assert_eq!(facts.endpoint, "POST_v1_vouchers_{code}_redemption");
    assert_eq!(log.text.url, "https://api.example.com/v1/vouchers/SUMMER/redemption?x=1");
    assert_eq!(
        (facts.ip.as_deref(), facts.user_id.as_deref(), facts.channel.as_deref()),
        (Some("203.0.113.9"), Some("u-7"), Some("API"))
    );
    assert_eq!(
        (facts.request_id.as_deref(), facts.app_name.as_deref()),
        (Some(TRACE), Some("Checkout"))
    );
    assert_eq!(
        (facts.request_bytes, facts.response_bytes, &facts.notes),
        (12, 0, &vec![Note::NotCaptured])
    );
    assert_eq!(log.text.user_agent.as_deref(), Some("curl/8"));
}

#[test]
fn an_answer_may_be_missing_or_have_failed() {
    let told = |code: Option<i64>, error: Option<&str>| {
        let mut told = json!({ "http.request.method": "GET", "url.path": "/a" });
        if let Some(code) = code {
            told["http.response.status_code"] = code.into();
        }
        if let Some(error) = error {
            told["error.type"] = error.into();
        }
        told
    };
    for (told, status, code, outcome) in [
        (told(Some(204), None), json!({}), Some(204), Status::Success),
        (told(Some(404), None), json!({}), Some(404), Status::Failure),
        (told(None, None), json!({}), None, Status::Failure),
        (told(Some(0), None), json!({}), None, Status::Failure),
        (told(Some(200), Some("timeout")), json!({}), Some(200), Status::Failure),
        (
            told(Some(200), None),
            json!({ "code": 2, "message": "broken" }),
            Some(200),
            Status::Failure,
        ),
        (told(Some(200), None), json!({ "code": 1 }), Some(200), Status::Success),
    ] {
        let log = one(&told, &json!({ "status": status }));
        assert_eq!((log.facts.status_code, log.facts.status), (code, outcome), "{told} {status}");
    }
}

#[test]
fn bodies_and_headers_are_kept_and_masked_as_everywhere() {
    let told = json!({
        "http.request.method": "POST", "url.full": "https://a.example/v1/a?session_token=abc",
        "http.request.header.content_type": ["application/json"], "http.request.header.x-tag": ["a", "b"],
        "http.request.header.authorization": ["Bearer abc"], "http.request.header.x_api_key": "k-1", "http.request.header.x-request-id": ["r-1"],
        "http.request.body.content": "{\"password\": \"hunter2\", \"amount\": 1.50}",
    });
    let event = json!([{ "name": "any", "attributes": attributes(&json!({ "http.response.body.content": "no \u{20ac}uro" })) }]);
    let log = one(&told, &json!({ "events": event }));
    assert_eq!(text(&log.text.request), "{\"password\": \"masked\", \"amount\": 1.50}");
    assert_eq!(
        (log.text.request.kind, log.text.response.kind),
        (BodyKind::Json, BodyKind::Text)
    );
    assert_eq!(text(&log.text.response), "no \u{20ac}uro");
    let headers: Value = serde_json::from_str(&log.text.request.headers).unwrap();
    let expected = json!({ "content-type": "application/json", "x-tag": ["a", "b"], "authorization": "Bearer masked", "x-api-key": "masked", "x-request-id": "r-1" });
    assert_eq!(headers, expected);
    assert_eq!(log.text.url, "https://a.example/v1/a?session_token=masked");
    assert_eq!(log.facts.request_id.as_deref(), Some("r-1"));
    assert_eq!(log.facts.notes, [Note::Masked]);
}

#[test]
fn what_has_no_body_misses_none() {
    for (told, notes) in [
        (json!({ "http.method": "GET", "http.response.body.size": 0 }), vec![]),
        (json!({ "http.method": "GET", "http.response.body.content": "a" }), vec![]),
        (
            json!({ "http.method": "POST", "http.response.body.content": "a" }),
            vec![Note::NotCaptured],
        ),
        (
            json!({ "http.method": "POST", "http.request.body.size": 0, "http.response.body": "a" }),
            vec![],
        ),
        (
            json!({ "http.method": "GET", "http.request.body.size": 3, "http.response.body": "a" }),
            vec![Note::NotCaptured],
        ),
        (json!({ "http.method": "GET" }), vec![Note::NotCaptured]),
        (json!({ "http.method": "GET", "http.response.body.content": "" }), vec![]),
        (
            json!({ "http.method": "GET", "http.response.body.content": "abc", "http.response.body.size": 4 }),
            vec![Note::Truncated],
        ),
        (
            json!({ "http.method": "GET", "http.response.body.content": "abc", "http.response.body.size": 3 }),
            vec![],
        ),
    ] {
        let mut told = told;
        told["http.target"] = "/a".into();
        assert_eq!(one(&told, &json!({})).facts.notes, notes, "{told}");
    }
}

#[test]
fn a_path_that_no_attribute_tells_is_looked_for_elsewhere() {
    let told = json!({ "http.request.method": "GET", "server.address": "a.example", "http.route": "/v1/users/{id}" });
    let url = |name: &str| one(&told, &json!({ "name": name })).text.url;
    assert_eq!(url("GET /v1/users/77"), "http://a.example/v1/users/77");
    assert_eq!(url("users.show"), "http://a.example/v1/users/{id}");
    let other = json!({ "http.request.method": "_OTHER", "http.request.method_original": "BREW", "url.path": "/pot" });
    assert_eq!(one(&other, &json!({})).facts.method, "BREW");
}

#[test]
fn what_tells_of_no_request_to_a_server_is_passed_over() {
    let http = json!({ "http.method": "GET", "http.target": "/a" });
    let others = [
        span(&http, &json!({ "kind": 3 })),
        span(&http, &json!({ "kind": 0 })),
        span(&json!({ "rpc.method": "Get", "http.target": "/a" }), &json!({})),
        span(&json!({ "http.method": "" }), &json!({})),
    ];
    let taken = of_spans(&others);
    assert_eq!((taken.logs.len(), taken.rejected), (0, Rejected::default()));
}

#[test]
fn what_cannot_be_stored_is_told_and_the_rest_is_taken() {
    let http = json!({ "http.method": "GET", "http.target": "/a" });
    for (told, changes, says) in [
        (http.clone(), json!({ "traceId": "00" }), "trace_id"),
        (http.clone(), json!({ "spanId": "0000000000000000" }), "trace_id"),
        (
            http.clone(),
            json!({ "startTimeUnixNano": "0" }),
            "start_time_unix_nano: is required",
        ),
        (http.clone(), json!({ "startTimeUnixNano": "1" }), "older than logs are kept"),
        (
            http.clone(),
            json!({ "startTimeUnixNano": "18446744073709551615" }),
            "ahead of this server's clock",
        ),
        (json!({ "http.method": "G T", "http.target": "/a" }), json!({}), "method"),
        (json!({ "http.method": "GET" }), json!({}), "url: is required"),
        (
            json!({ "http.method": "GET", "http.target": "/a", "http.status_code": 99 }),
            json!({}),
            "status_code",
        ),
        (
            json!({ "http.method": "GET", "http.target": "/a", "enduser.id": "\u{0}" }),
            json!({}),
            "user_id",
        ),
        (
            json!({ "http.method": "GET", "http.target": "/a", "http.request.body.content": 7 }),
            json!({}),
            "request.body",
        ),
    ] {
        let good = span(&http, &json!({ "spanId": "eee19b7ec3c1b175" }));
        let taken = of_spans(&[span(&told, &changes), good]);
        assert_eq!((taken.logs.len(), taken.rejected.count), (1, 1), "{says}");
        let said = taken.rejected.message(Signal::Traces);
        assert!(said.contains(says), "{says:?} is not in {said}");
    }
    let many: Vec<Value> = (0..5).map(|_| span(&http, &json!({ "startTimeUnixNano": "1" }))).collect();
    let said = of_spans(&many).rejected.message(Signal::Traces);
    assert!(
        said.contains(": 5. ") && said.ends_with("; and 2 more") && said.contains(TRACE),
        "{said}"
    );
}

#[test]
fn a_span_without_an_end_or_that_ends_early_lasted_nobody_knows_how_long() {
    let http = json!({ "http.method": "GET", "http.target": "/a" });
    for end in ["0", "1"] {
        assert_eq!(one(&http, &json!({ "endTimeUnixNano": end })).facts.duration_us, None);
    }
}

#[test]
fn records_of_requests_become_logs_and_others_do_not() {
    let http = json!({ "http.request.method": "GET", "url.path": "/v1/orders/5", "http.response.status_code": 503, "http.route": "/v1/orders/{order}" });
    let record = |told: &Value, ids: bool| {
        let mut record = json!({ "observedTimeUnixNano": START.to_string(), "attributes": attributes(told), "body": { "stringValue": "GET /v1/orders/5" } });
        if ids {
            record["traceId"] = TRACE.into();
            record["spanId"] = SPAN.into();
        }
        record
    };
    let other = record(&json!({ "http.request.method": "GET", "http.route": "/a" }), true);
    let sent = logs(&[
        record(&http, true),
        record(&http, false),
        record(&json!({ "url.path": "/a" }), true),
        other,
    ]);
    let all = taken(Signal::Logs, Encoding::Json, sent.as_bytes()).unwrap();
    assert_eq!((all.logs.len(), all.rejected.count), (2, 0));
    let [with, without] = all.logs.as_slice() else { panic!() };
    assert!(
        with.facts.id.starts_with(&format!("{TRACE}-{SPAN}-")) && with.facts.id.len() == 64,
        "{}",
        with.facts.id
    );
    assert_eq!(
        (with.facts.request_id.as_deref(), without.facts.request_id.as_deref()),
        (Some(TRACE), None)
    );
    assert!(without.facts.id.starts_with("record-"), "{}", without.facts.id);
    assert_eq!(
        (with.facts.created_at, with.facts.endpoint.as_str()),
        (1_795_982_000_123, "GET_v1_orders_{order}")
    );
    // The same again is the same; another moment is another log.
    assert_eq!(
        taken(Signal::Logs, Encoding::Json, sent.as_bytes()).unwrap().logs[1].facts.id,
        without.facts.id
    );
    let mut later = record(&http, false);
    later["timeUnixNano"] = (START + 1).to_string().into();
    let later = taken(Signal::Logs, Encoding::Json, logs(&[later]).as_bytes()).unwrap();
    assert_ne!(later.logs[0].facts.id, without.facts.id);
}

#[test]
fn ten_thousand_requests_and_no_more() {
    let http = json!({ "http.method": "GET", "http.target": "/a" });
    let some: Vec<Value> = (0..MAX_ENTRIES)
        .map(|nth| span(&http, &json!({ "spanId": format!("{:016x}", nth + 1) })))
        .collect();
    assert_eq!(of_spans(&some).logs.len(), MAX_ENTRIES);
    let more = traces(&[&some[..], &[span(&http, &json!({}))]].concat());
    assert!(matches!(
        taken(Signal::Traces, Encoding::Json, more.as_bytes()),
        Err(OtlpError::TooLarge(_))
    ));
}

/// What an SDK really sent.
fn kept_one(name: &str) -> Vec<u8> {
    kept("otlp").into_iter().find(|(kept, _)| kept == name).unwrap().1
}

#[test]
fn pythons_sdk_is_read_with_either_names() {
    for name in [
        "traces-python-old-names.pb",
        "traces-python-stable-names.pb",
        "traces-python-no-path.pb",
    ] {
        let taken = taken(Signal::Traces, Encoding::Protobuf, &kept_one(name)).unwrap();
        assert_eq!((taken.logs.len(), &taken.rejected), (3, &Rejected::default()), "{name}");
        let [redeemed, unknown, broken] = taken.logs.as_slice() else {
            panic!()
        };
        assert_eq!(redeemed.facts.endpoint, "POST_v1_vouchers_{code}_redemption");
        assert_eq!(
            (redeemed.facts.path.as_str(), redeemed.facts.status_code),
            ("/v1/vouchers/SUMMER-24/redemption", Some(201)),
            "{name}"
        );
        assert_eq!(text(&redeemed.text.request), "{\"amount\": 100, \"password\": \"masked\"}");
        assert!(
            text(&redeemed.text.response).contains("SUMMER-24") && !redeemed.text.request.headers.contains("key-of-a-customer")
        );
        assert_eq!(redeemed.facts.request_id.as_deref(), Some("req-of-the-app"));
        assert_eq!(
            (unknown.facts.endpoint.as_str(), unknown.facts.status_code),
            ("GET_v1_customers_{id}", Some(404))
        );
        assert_eq!((broken.facts.status, broken.facts.status_code), (Status::Failure, None));
        assert_eq!(broken.facts.notes, [Note::Masked, Note::NotCaptured]);
    }
}

#[test]
fn other_senders_are_read_too() {
    for (name, signal, logs, rejected) in [
        ("traces-of-the-specification.json", Signal::Traces, 0, 0),
        ("logs-of-the-specification.json", Signal::Logs, 0, 0),
        ("traces-node.json", Signal::Traces, 1, 0),
        ("traces-empty-lists.json", Signal::Traces, 1, 0),
        ("traces-wrong-spans.json", Signal::Traces, 0, 3),
        ("logs-nginx.json", Signal::Logs, 1, 0),
    ] {
        let taken = taken(signal, Encoding::Json, &kept_one(name)).unwrap();
        assert_eq!(
            (taken.logs.len(), taken.rejected.count),
            (logs, rejected),
            "{name}: {:?}",
            taken.rejected
        );
    }
    let python = taken(Signal::Logs, Encoding::Protobuf, &kept_one("logs-python.pb")).unwrap();
    assert_eq!((python.logs.len(), python.rejected.count), (1, 0));
}

/// What holds of everything that is read, whatever the bytes are.
fn holds_of(bytes: &[u8]) {
    for signal in [Signal::Traces, Signal::Logs] {
        for encoding in [Encoding::Json, Encoding::Protobuf] {
            let Ok(first) = taken(signal, encoding, bytes) else { continue };
            let parts = count(signal, encoding, bytes).unwrap() as u64;
            assert!(
                first.logs.len() as u64 + first.rejected.count <= parts,
                "more was found than is there"
            );
            assert_eq!(first.rejected.message(signal).is_empty(), first.rejected.count == 0);
            let again = taken(signal, encoding, bytes).unwrap();
            for (log, again) in first.logs.iter().zip(&again.logs) {
                assert!(log.client_id && is_client_id(&log.facts.id), "{}", log.facts.id);
                assert_eq!(log.facts.id, again.facts.id, "a repeat is known");
                assert!(
                    !log.facts.endpoint.bytes().any(|byte| byte.is_ascii_control()),
                    "{:?}",
                    log.facts.endpoint
                );
            }
        }
    }
}

#[test]
fn every_kept_input_is_answered() {
    for (_, bytes) in kept("otlp") {
        holds_of(&bytes);
    }
}

#[test]
fn either_encoding_says_the_same() {
    for (name, bytes) in kept("otlp")
        .into_iter()
        .filter(|(name, _)| Path::new(name).extension().is_some_and(|kind| kind == "json"))
    {
        if let Ok(traces) = serde_json::from_slice::<messages::Traces>(&bytes) {
            let packed = taken(Signal::Traces, Encoding::Protobuf, &traces.encode_to_vec()).unwrap();
            let plain = taken(Signal::Traces, Encoding::Json, &bytes).unwrap();
            assert_eq!((plain.logs, plain.rejected), (packed.logs, packed.rejected), "{name}");
        }
        if let Ok(logs) = serde_json::from_slice::<messages::Logs>(&bytes) {
            let packed = taken(Signal::Logs, Encoding::Protobuf, &logs.encode_to_vec()).unwrap();
            let plain = taken(Signal::Logs, Encoding::Json, &bytes).unwrap();
            assert_eq!((plain.logs, plain.rejected), (packed.logs, packed.rejected), "{name}");
        }
    }
}

proptest! {
    #[test]
    fn harmed_inputs_are_read_or_refused(bytes in harmed("otlp")) {
        holds_of(&bytes);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        holds_of(&bytes);
    }
}

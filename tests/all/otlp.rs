//! `/v1/otlp`: what exporters of OpenTelemetry send, and what they are answered.

use std::io::Write as _;
use std::path::Path;

use audit_log::model::masking::RuleKind;
use audit_log::model::rights::Scope;
use audit_log::server::access::issue::IssuedKey;
use audit_log::server::masking;
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use prost::Message as _;
use reqwest::{Body, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

use crate::logs_api::READS_AND_WRITES;
use crate::masking::rule;
use crate::support::TestApp;

const TRACES: &str = "/v1/otlp/v1/traces";
const RECORDS: &str = "/v1/otlp/v1/logs";
const JSON: &str = "application/json";
const PROTOBUF: &str = "application/x-protobuf";
const TRACE: &str = "5b8efff798038103d269b633813fc60c";
const SPAN: &str = "eee19b7ec3c1b174";

/// `ExportTraceServiceResponse`, as opentelemetry-proto has it.
#[derive(Clone, PartialEq, prost::Message)]
struct Exported {
    #[prost(message, optional, tag = "1")]
    partial_success: Option<PartialSuccess>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct PartialSuccess {
    #[prost(int64, tag = "1")]
    rejected_spans: i64,
    #[prost(string, tag = "2")]
    error_message: String,
}

/// What an SDK really sent, and what none would.
fn kept(name: &str) -> Vec<u8> {
    std::fs::read(corpora().join(name)).unwrap()
}

fn corpora() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpora/otlp")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

async fn key(app: &TestApp) -> IssuedKey {
    app.add_key(&app.add_project("shop").await, &READS_AND_WRITES).await
}

fn post(app: &TestApp, key: &IssuedKey, path: &str, kind: &str, body: impl Into<Body>) -> RequestBuilder {
    app.call(Method::POST, path, key).header("content-type", kind).body(body)
}

/// Sends spans as JSON, and gives the answer.
async fn sent(app: &TestApp, key: &IssuedKey, spans: &[Value]) -> Value {
    let body = json!({ "resourceSpans": [{ "scopeSpans": [{ "spans": spans }] }] });
    let answer = post(app, key, TRACES, JSON, body.to_string()).send().await.unwrap();
    assert_eq!((answer.status(), kind(&answer)), (StatusCode::OK, JSON.to_owned()));
    answer.json().await.unwrap()
}

fn kind(answer: &Response) -> String {
    answer.headers()["content-type"].to_str().unwrap().to_owned()
}

/// A span of an HTTP server that began so many milliseconds ago.
fn span(app: &TestApp, ago_ms: i64, told: &Value) -> Value {
    let start = (app.server.clock.now_ms() - ago_ms) as u64 * 1_000_000;
    let told = told.as_object().unwrap().iter();
    let attributes: Vec<Value> = told
        .map(|(key, value)| match value {
            Value::Number(number) => json!({ "key": key, "value": { "intValue": number.to_string() } }),
            text => json!({ "key": key, "value": { "stringValue": text } }),
        })
        .collect();
    json!({
        "traceId": TRACE, "spanId": SPAN, "kind": 2, "name": "a", "attributes": attributes,
        "startTimeUnixNano": start.to_string(), "endTimeUnixNano": (start + 12_500_000).to_string(),
    })
}

fn voucher() -> Value {
    json!({
        "http.request.method": "POST", "url.scheme": "https", "server.address": "api.example.com",
        "url.path": "/v1/vouchers/SUMMER/redemption", "http.route": "/v1/vouchers/:code/redemption",
        "http.response.status_code": 404, "client.address": "203.0.113.9",
        "http.request.header.content-type": "application/json", "http.request.header.authorization": "Bearer abc",
        "http.request.body.content": "{\"password\": \"hunter2\", \"nickname\": \"lady\"}",
        "http.response.body.content": "{\"key\": \"voucher_not_found\"}",
    })
}

/// The logs of applications that a query finds.
async fn found(app: &TestApp, key: &IssuedKey, query: &str) -> Vec<Value> {
    let path = format!("/v1/logs?from=2000-01-01T00:00:00Z&limit=100&{query}");
    let answer = app.call(Method::GET, &path, key).send().await.unwrap();
    let (status, list) = (answer.status(), answer.json::<Value>().await.unwrap());
    assert_eq!(status, 200, "{list}");
    list["data"].as_array().unwrap().clone()
}

/// Sends what must be refused, and gives the words.
async fn refused(request: RequestBuilder, status: u16, in_kind: &str) -> String {
    let answer = request.send().await.unwrap();
    assert_eq!((answer.status().as_u16(), kind(&answer)), (status, in_kind.to_owned()));
    let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    let bytes = answer.bytes().await.unwrap();
    if in_kind == JSON {
        let error: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!((&error["code"], &error["request_id"]), (&json!(status), &json!(id)));
        return error["details"].as_str().unwrap().to_owned();
    }
    // google.rpc.Status: field 2, a text.
    assert_eq!(bytes[0], 0x12, "{bytes:?}");
    let length = prost::decode_length_delimiter(&bytes[1..]).unwrap();
    let said = String::from_utf8(bytes[bytes.len() - length..].to_vec()).unwrap();
    assert!(said.contains(&id), "{said}");
    said
}

for_each_db! {
    async fn a_span_becomes_a_log_that_both_its_ids_find(app: TestApp) {
        let key = key(app).await;
        assert_eq!(sent(app, &key, &[span(app, 1_000, &voucher())]).await, json!({}));
        let id = format!("{TRACE}-{SPAN}");
        let log: Value = app.call(Method::GET, &format!("/v1/logs/{id}"), &key).send().await.unwrap().json().await.unwrap();
        for (field, value) in [
            ("id", json!(id)), ("method", json!("POST")), ("status", json!("FAILURE")), ("status_code", json!(404)),
            ("url", json!("https://api.example.com/v1/vouchers/SUMMER/redemption")), ("endpoint", json!("POST_v1_vouchers_{code}_redemption")),
            ("request_duration", json!(12.5)), ("request_id", json!(TRACE)), ("channel", json!("API")), ("ip", json!("203.0.113.9")),
            ("app_id", json!(key.app_id)), ("app_name", json!("test key")), ("origin", json!("application")), ("notes", json!(["masked"])),
        ] {
            assert_eq!(log[field], value, "{field}");
        }
        assert_eq!(log["request"]["headers"]["authorization"], "Bearer masked");
        assert_eq!(log["request"]["body"], json!({ "password": "masked", "nickname": "lady" }));
        assert_eq!(log["response"]["body"], json!({ "key": "voucher_not_found" }));
        for query in [format!("q={TRACE}"), format!("q={SPAN}"), format!("request_id={TRACE}"), "q=voucher_not_found".to_owned(), "endpoint=POST_v1_vouchers_{code}_redemption".to_owned()] {
            let those = found(app, &key, &format!("{query}&origin=application")).await;
            assert_eq!(those.len(), 1, "{query}");
        }
    }

    async fn whatever_is_sent_again_is_there_already(app: TestApp) {
        let key = key(app).await;
        let one = span(app, 1_000, &voucher());
        for _ in 0..2 {
            assert_eq!(sent(app, &key, std::slice::from_ref(&one)).await, json!({}));
        }
        for name in ["traces-python-old-names.pb", "traces-python-stable-names.pb", "traces-python-old-names.pb"] {
            let answer = post(app, &key, TRACES, PROTOBUF, kept(name)).send().await.unwrap();
            assert_eq!((answer.status(), kind(&answer)), (StatusCode::OK, PROTOBUF.to_owned()));
            assert_eq!(answer.bytes().await.unwrap(), "", "no word of what went well");
        }
        for _ in 0..2 {
            let answer = post(app, &key, RECORDS, JSON, kept("logs-nginx.json")).send().await.unwrap();
            assert_eq!(answer.json::<Value>().await.unwrap(), json!({}));
        }
        assert_eq!(app.all_ids(&key).await.iter().filter(|id| !id.starts_with("log_")).count(), 1 + 3 + 3 + 1);
    }

    async fn gzip_is_read_as_what_was_packed(app: TestApp) {
        let key = key(app).await;
        let packed = post(app, &key, TRACES, PROTOBUF, gzip(&kept("traces-python-stable-names.pb"))).header("content-encoding", "gzip");
        assert_eq!(packed.send().await.unwrap().status(), 200);
        let packed = post(app, &key, TRACES, JSON, gzip(&kept("traces-node.json"))).header("content-encoding", "gzip");
        assert_eq!(packed.send().await.unwrap().status(), 200);
        assert_eq!(found(app, &key, "origin=application").await.len(), 4);
        let plain = post(app, &key, TRACES, JSON, "{}").header("content-encoding", "identity");
        assert_eq!(plain.send().await.unwrap().status(), 200);
    }

    async fn what_is_no_request_of_otlp_is_refused_in_its_own_encoding(app: TestApp) {
        let key = key(app).await;
        assert!(refused(post(app, &key, TRACES, JSON, "{\"resourceSpans\":"), 400, JSON).await.contains("line 1 column"));
        refused(post(app, &key, RECORDS, JSON, "[]"), 400, JSON).await;
        refused(post(app, &key, TRACES, JSON, kept("deep.json")), 400, JSON).await;
        refused(post(app, &key, RECORDS, JSON, b"{\"a\": \"\xff\"}".to_vec()), 400, JSON).await;
        refused(post(app, &key, TRACES, PROTOBUF, "{}"), 400, PROTOBUF).await;
        refused(post(app, &key, TRACES, PROTOBUF, vec![0x0a, 0x7f]), 400, PROTOBUF).await;
        let not_packed = post(app, &key, TRACES, PROTOBUF, "text").header("content-encoding", "gzip");
        assert!(refused(not_packed, 400, PROTOBUF).await.contains("gzip"));
        for kind in ["text/plain", "application/x-ndjson", "application/grpc"] {
            assert!(refused(post(app, &key, TRACES, kind, "{}"), 415, JSON).await.contains(PROTOBUF));
        }
        refused(app.call(Method::POST, TRACES, &key).body("{}"), 415, JSON).await;
        refused(post(app, &key, TRACES, JSON, "{}").header("content-encoding", "zstd"), 415, JSON).await;
        refused(post(app, &key, TRACES, PROTOBUF, "").header("content-encoding", "br"), 415, PROTOBUF).await;
        refused(app.call(Method::GET, TRACES, &key), 405, JSON).await;
        assert!(found(app, &key, "origin=application").await.is_empty());
    }

    async fn a_small_request_that_grows_is_refused(app: TestApp) {
        let key = key(app).await;
        let zeros = gzip(&vec![0; 129 << 20]);
        assert!(zeros.len() < 1 << 20);
        refused(post(app, &key, TRACES, PROTOBUF, zeros).header("content-encoding", "gzip"), 413, PROTOBUF).await;
        let empty_spans = gzip(format!("{{\"resourceSpans\":[{}{{}}]}}", "{},".repeat(1_000_001)).as_bytes());
        let said = refused(post(app, &key, TRACES, JSON, empty_spans).header("content-encoding", "gzip"), 413, JSON).await;
        assert!(said.contains("parts"), "{said}");
        let told = post(app, &key, TRACES, JSON, "{}").header("content-length", 300 << 20);
        let stream = futures::stream::pending::<Result<Vec<u8>, std::io::Error>>();
        assert_eq!(told.body(Body::wrap_stream(stream)).send().await.unwrap().status(), 413);
    }

    async fn what_cannot_be_stored_is_counted_and_told(app: TestApp) {
        let key = key(app).await;
        let other = |mut span: Value, id: &str| {
            span["spanId"] = id.into();
            span
        };
        let spans = [
            span(app, 1_000, &voucher()),
            other(span(app, -2 * 3_600_000, &voucher()), "eee19b7ec3c1b175"),
            other(span(app, 1_000, &json!({ "http.request.method": "G T", "url.path": "/a" })), "eee19b7ec3c1b176"),
            // Not a server's, so not ours: nobody is to be told.
            json!({ "kind": 3, "attributes": [{ "key": "http.request.method", "value": { "stringValue": "GET" } }] }),
        ];
        let answer = sent(app, &key, &spans).await;
        assert_eq!(answer["partialSuccess"]["rejectedSpans"], "2");
        let said = answer["partialSuccess"]["errorMessage"].as_str().unwrap();
        assert!(said.contains("ahead of this server's clock") && said.contains("eee19b7ec3c1b176: method"), "{said}");
        assert_eq!(found(app, &key, "origin=application").await.len(), 1, "the rest is stored");
        let record = json!({ "resourceLogs": [{ "scopeLogs": [{ "logRecords": [{ "attributes": [
            { "key": "http.method", "value": { "stringValue": "GET" } }, { "key": "http.target", "value": { "stringValue": "/" } }] }] }] }] });
        let answer: Value = post(app, &key, RECORDS, JSON, record.to_string()).send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["partialSuccess"]["rejectedLogRecords"], "1");
        // A resource's scope's span: of kind 2, with the attribute http.method=GET, and no ids.
        let told = [&[0x0a, 0x0b][..], b"http.method", &[0x12, 0x05, 0x0a, 0x03], b"GET"].concat();
        let of_field = |tag: u8, inner: &[u8]| [&[tag, inner.len() as u8], inner].concat();
        let span = [&[0x30, 0x02][..], &of_field(0x4a, &told)].concat();
        let wire = of_field(0x0a, &of_field(0x12, &of_field(0x12, &span)));
        let answer = post(app, &key, TRACES, PROTOBUF, wire).send().await.unwrap();
        assert_eq!((answer.status(), kind(&answer)), (StatusCode::OK, PROTOBUF.to_owned()));
        let partial = Exported::decode(answer.bytes().await.unwrap()).unwrap().partial_success.unwrap();
        assert!(partial.rejected_spans == 1 && partial.error_message.contains("trace_id"), "{partial:?}");
    }

    async fn a_projects_own_rules_mask_spans_too(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &READS_AND_WRITES).await;
        let rules = [rule(RuleKind::Key, "nickname"), rule(RuleKind::Pattern, "SUMMER")];
        masking::replace(&app.server, project.key, None, &rules).await.unwrap();
        let mut told = voucher();
        // A sender that calls the path itself the route must not tell in the endpoint's name what is masked in the path.
        told["http.route"] = told["url.path"].clone();
        sent(app, &key, &[span(app, 1_000, &told)]).await;
        let log = found(app, &key, "origin=application").await.remove(0);
        assert_eq!(log["request"]["body"]["nickname"], "masked");
        assert!(!log.to_string().contains("SUMMER") && !log.to_string().contains("lady"), "{log}");
    }

    async fn only_a_server_side_key_that_may_write_is_let_in(app: TestApp) {
        let project = app.add_project("shop").await;
        let reads = app.add_key(&project, &[Scope::Read]).await;
        for path in [TRACES, RECORDS] {
            assert!(refused(post(app, &reads, path, PROTOBUF, ""), 403, PROTOBUF).await.contains("logs:write"));
            refused(post(app, &reads, path, JSON, "{}"), 403, JSON).await;
            let nobody = app.client.post(format!("{}{path}", app.url)).header("content-type", PROTOBUF);
            refused(nobody, 401, PROTOBUF).await;
        }
        let client = app.add_client_key(&project, "https://shop.example").await;
        let from_page = app.client.post(format!("{}{TRACES}", app.url)).header("content-type", JSON).body("{}");
        let from_page = from_page.header("x-client-application-id", &client.app_id).header("x-client-token", &client.app_token);
        refused(from_page.header("origin", "https://shop.example"), 403, JSON).await;
        let writes = app.add_key(&project, &[Scope::LogsWrite]).await;
        let bearer = app.client.post(format!("{}{TRACES}", app.url)).header("content-type", PROTOBUF).bearer_auth(&writes.app_token);
        assert_eq!(bearer.send().await.unwrap().status(), 200, "nothing is a request of OTLP's, too");
    }

    async fn an_idempotency_key_is_of_one_request(app: TestApp) {
        let key = key(app).await;
        let send = |path: &str, body: &Value| post(app, &key, path, JSON, body.to_string()).header("idempotency-key", "k-1");
        let body = json!({ "resourceSpans": [{ "scopeSpans": [{ "spans": [span(app, 1_000, &voucher())] }] }] });
        for _ in 0..2 {
            let answer = send(TRACES, &body).send().await.unwrap();
            assert_eq!((answer.status().as_u16(), answer.json::<Value>().await.unwrap()), (200, json!({})));
        }
        let mut other = body.clone();
        other["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["spanId"] = "eee19b7ec3c1b175".into();
        refused(send(TRACES, &other), 409, JSON).await;
        let records: Value = serde_json::from_slice(&kept("logs-nginx.json")).unwrap();
        refused(send(RECORDS, &records), 409, JSON).await;
        assert_eq!(found(app, &key, "origin=application").await.len(), 1);
    }

    async fn any_bytes_are_answered(app: TestApp) {
        let key = key(app).await;
        let mut bodies: Vec<Vec<u8>> = std::fs::read_dir(corpora()).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
        let mut runner = TestRunner::deterministic();
        let any = prop::collection::vec(any::<u8>(), 0..100);
        bodies.extend((0..20).map(|_| any.new_tree(&mut runner).unwrap().current()));
        for body in bodies {
            for (path, kind, packing) in [(TRACES, JSON, "identity"), (TRACES, PROTOBUF, "identity"), (RECORDS, JSON, "gzip"), (RECORDS, PROTOBUF, "identity")] {
                let answer = post(app, &key, path, kind, body.clone()).header("content-encoding", packing).send().await.unwrap();
                assert!(matches!(answer.status().as_u16(), 200 | 400), "{path} {kind}: {} to {body:?}", answer.status());
            }
        }
    }

    async fn pythons_sdk_sends_what_it_saw(app: TestApp) {
        let Ok(python) = std::env::var("OTEL_PYTHON") else {
            eprintln!("OTEL_PYTHON names no Python that has OpenTelemetry's SDK: scripts/test runs this");
            return;
        };
        for (names, compression) in [("", "none"), ("http", "gzip")] {
            let key = key(app).await;
            let ended = tokio::process::Command::new(&python)
                .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/otel/app.py"))
                .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("{}/v1/otlp", app.url))
                .env("OTEL_EXPORTER_OTLP_HEADERS", format!("authorization=Bearer%20{}", key.app_token))
                .env("OTEL_EXPORTER_OTLP_COMPRESSION", compression)
                .env("OTEL_SEMCONV_STABILITY_OPT_IN", names)
                .env("OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST", ".*")
                .env("OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_RESPONSE", ".*")
                .output()
                .await
                .unwrap();
            assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
            let told: Value = serde_json::from_slice(&ended.stdout).unwrap();
            assert_eq!(told["complaints"], json!([]), "the exporters were content");
            let log = async |path: &str| -> Value {
                let ids = &told["seen"][path];
                let id = format!("{}-{}", ids["trace"].as_str().unwrap(), ids["span"].as_str().unwrap());
                app.call(Method::GET, &format!("/v1/logs/{id}"), &key).send().await.unwrap().json().await.unwrap()
            };
            let redeemed = log("/v1/vouchers/SUMMER-24/redemption").await;
            assert_eq!((&redeemed["status_code"], &redeemed["endpoint"]), (&json!(201), &json!("POST_v1_vouchers_{code}_redemption")), "{redeemed}");
            assert!(redeemed["url"].as_str().unwrap().ends_with("/v1/vouchers/SUMMER-24/redemption?session_token=masked"), "{redeemed}");
            assert_eq!(redeemed["request"]["body"], json!({ "amount": 100, "password": "masked" }));
            assert_eq!(redeemed["response"]["body"], json!({ "path": "/v1/vouchers/SUMMER-24/redemption", "found": true }));
            assert_eq!((&redeemed["request"]["headers"]["x-api-key"], &redeemed["user_id"]), (&json!("masked"), &json!("u-7")));
            assert_eq!((&redeemed["request_id"], &redeemed["ip"]), (&json!("req-of-the-app"), &json!("127.0.0.1")));
            let broken = log("/broken").await;
            assert_eq!((&broken["status"], &broken["status_code"], &broken["notes"]), (&json!("FAILURE"), &Value::Null, &json!(["masked", "not captured"])));
            let mut all: Vec<String> = found(app, &key, "origin=application").await.iter().map(|log| log["endpoint"].as_str().unwrap().to_owned()).collect();
            all.sort();
            assert_eq!(all, ["GET_broken", "GET_v1_customers_{id}", "GET_v1_orders_{order}", "POST_v1_vouchers_{code}_redemption"]);
        }
    }
}

for_each_db! {
    with |config: &mut audit_log::server::config::Config| config.retention_days = 30;
    async fn what_is_older_than_logs_are_kept_is_told(app: TestApp) {
        let key = key(app).await;
        const DAY: i64 = 86_400_000;
        let answer = sent(app, &key, &[span(app, 31 * DAY, &voucher())]).await;
        assert_eq!(answer["partialSuccess"]["rejectedSpans"], "1");
        assert!(answer["partialSuccess"]["errorMessage"].as_str().unwrap().contains("older than logs are kept"));
        assert_eq!(sent(app, &key, &[span(app, 29 * DAY, &voucher())]).await, json!({}));
    }
}

for_each_db! {
    with |config: &mut audit_log::server::config::Config| config.rate_limit = 1;
    async fn too_many_calls_are_told_when_to_come_again(app: TestApp) {
        let key = key(app).await;
        assert_eq!(post(app, &key, TRACES, PROTOBUF, "").send().await.unwrap().status(), 200);
        let late = post(app, &key, TRACES, PROTOBUF, "").send().await.unwrap();
        assert!(late.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() > 0);
        refused(post(app, &key, TRACES, PROTOBUF, ""), 429, PROTOBUF).await;
    }
}

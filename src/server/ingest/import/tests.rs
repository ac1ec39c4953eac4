//! Files in, drafts checked, rejections told; without a database.
#![allow(clippy::unwrap_used)]

use std::io::Write;

use serde_json::json;

use super::*;
use crate::model::log::{BodyKind, Note, Status};

/// 2026-11-22T12:00:00Z.
pub(super) const NOW: i64 = 1_795_348_800_000;

/// Takes every entry, as an import does, but keeps it.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) logs: Vec<NewLog>,
    pub(super) rejected: Vec<(u64, String)>,
    most: Option<usize>,
}

impl Sink for Kept {
    fn entry(&mut self, number: u64, content: Content<'_>, draft: Result<Draft<'_>, String>) -> ControlFlow<()> {
        let with = EntryContext {
            now_ms: NOW,
            retention_ms: 86_400_000 * 400,
            mask: &MaskRules::default(),
            endpoints: &CallNames::default(),
            random: &Random::seeded(1),
            origin: Origin::Application,
            sender: None,
        };
        let checked = draft.and_then(|mut draft| {
            draft.id.get_or_insert_with(|| Cow::Owned(id_of(number, content.bytes())));
            draft.check(&with).map_err(|fault| fault.to_string())
        });
        match checked {
            Ok(log) => self.logs.push(log),
            Err(reason) => self.rejected.push((number, reason)),
        }
        if self.most == Some(self.logs.len()) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

fn import(format: Format, file: &[u8]) -> (Kept, Result<(), String>) {
    let mut kept = Kept::default();
    let read = read(format, false, file, &mut kept);
    (kept, read)
}

const LINE: &str = r#"{"method":"GET","url":"/v1/a","status_code":200,"created_at":"2026-11-22T11:00:00Z"}"#;

#[test]
fn ndjson_goes_on_after_what_is_wrong() {
    let file = format!("\u{feff}{LINE}\r\n\n{{\"method\":}}\n{{\"method\":\"GET\"}}\n[{LINE}]\n{LINE}");
    let (kept, read) = import(Format::Ndjson, file.as_bytes());
    read.unwrap();
    assert_eq!(kept.logs.len(), 2);
    let numbers: Vec<u64> = kept.rejected.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, [3, 4, 5]);
    assert_eq!(kept.rejected[0].1, "expected value at column 11");
    assert!(kept.rejected[1].1.starts_with("url: is required"));
    let mut bytes = LINE.as_bytes().to_vec();
    bytes[3] = 0xff;
    assert_eq!(
        import(Format::Ndjson, &bytes).0.rejected,
        [(1, "byte 4 is not UTF-8".to_owned())]
    );
}

#[test]
fn a_line_past_its_bound_is_skipped() {
    let mut file = format!("{LINE}\n").into_bytes();
    file.resize(file.len() + MAX_ENTRY + BUFFER, b'x');
    file.write_all(format!("\n{LINE}\n").as_bytes()).unwrap();
    let (kept, read) = import(Format::Ndjson, &file);
    read.unwrap();
    assert_eq!(kept.logs.len(), 2);
    assert_eq!(kept.rejected.len(), 1);
    assert!(kept.rejected[0].1.contains("longer than"), "{:?}", kept.rejected);
}

#[test]
fn ids_are_the_same_each_time_and_differ_by_place() {
    let file = format!("{LINE}\n{LINE}\n");
    let ids = |file: &str| {
        import(Format::Ndjson, file.as_bytes())
            .0
            .logs
            .into_iter()
            .map(|log| log.facts.id)
            .collect::<Vec<_>>()
    };
    let once = ids(&file);
    assert_eq!(once, ids(&file));
    assert_ne!(once[0], once[1], "two requests may look the same");
    assert_eq!(
        once[..],
        ids(&format!("{file}{LINE}\n"))[..2],
        "a file that grew keeps its ids"
    );
    assert!(
        once.iter()
            .all(|id| id.starts_with("imp_") && crate::model::id::is_client_id(id))
    );
}

const HEADER: &str = "id,created_at,status,request_id,channel,method,endpoint,url,user_email,app_id,client_app_id,request_duration,request_body,response_body";

#[test]
fn an_exports_csv_comes_back_as_it_is() {
    let file = format!(
        "{HEADER}\r\nlog_1,2026-11-22T11:00:00.123Z,FAILURE,req_1,API,POST,POST_v1_a,/v1/a?x=1,ann@example.com,app_1,,12.5,\
         \"{{\"\"a\"\": \"\"b,\nc\"\"}}\",'=SUM(A1)\r\n"
    );
    // A line end inside a JSON string is no JSON: such a body is text.
    let (kept, read) = import(Format::Csv, file.as_bytes());
    read.unwrap();
    assert_eq!(kept.rejected, []);
    assert_eq!(
        kept.logs[0].text.response.body, b"'=SUM(A1)",
        "nobody said that it is a guard"
    );
    let mut kept = Kept::default();
    super::read(Format::Csv, true, file.as_bytes(), &mut kept).unwrap();
    let log = &kept.logs[0];
    assert_eq!(
        (
            log.facts.id.as_str(),
            log.facts.status,
            log.facts.status_code,
            log.facts.duration_us
        ),
        ("log_1", Status::Failure, None, Some(12_500))
    );
    assert_eq!(log.facts.created_at, NOW - 3_600_000 + 123);
    assert_eq!(
        (log.text.request.kind, log.text.request.body.as_slice()),
        (BodyKind::Text, &b"{\"a\": \"b,\nc\"}"[..])
    );
    assert_eq!(log.text.response.body, b"=SUM(A1)");
}

#[test]
fn csv_columns_come_in_any_order_and_bodies_are_known() {
    let file = "more,url,method,status_code,request_body,response_body,request_headers,resource,origin,user_agent\n\
                x,/a,GET,404,\"[1, {\"\"token\"\":\"\"abc\"\"}]\",\"{\"\"encoding\"\":\"\"base64\"\",\"\"data\"\":\"\"AP8=\"\"}\",\"{\"\"Cookie\"\":\"\"a=b\"\"}\",voucher:v_1,self,curl\n";
    let (kept, read) = import(Format::Csv, file.as_bytes());
    read.unwrap();
    assert_eq!(kept.rejected, []);
    let log = &kept.logs[0];
    assert_eq!(
        (log.facts.status, log.facts.status_code, log.facts.origin),
        (Status::Failure, Some(404), Origin::Own)
    );
    assert_eq!(
        (log.text.request.kind, log.text.request.body.as_slice()),
        (BodyKind::Json, &br#"[1, {"token":"masked"}]"#[..])
    );
    assert_eq!(
        (log.text.response.kind, log.text.response.body.as_slice()),
        (BodyKind::Binary, &[0, 255][..])
    );
    assert_eq!(log.text.request.headers, r#"{"Cookie":"a=masked"}"#);
    assert_eq!(log.facts.resource.as_ref().unwrap().id, "v_1");
    assert_eq!(log.facts.notes, [Note::Masked]);
}

#[test]
fn csv_rejects_records_one_by_one() {
    let file = "method,url,status_code,created_at\nGET,/a,200,2026-11-22T11:00:00Z\nGET,/a\n\"G\nT\",/a,200,\nGET,,200,\nGET,/a,99,\nGET,/a,x,\nGET,/a,200,2026-02-30T00:00:00Z\nGET,/a,,\n";
    let (kept, read) = import(Format::Csv, file.as_bytes());
    read.unwrap();
    assert_eq!(kept.logs.len(), 2);
    let numbers: Vec<u64> = kept.rejected.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, [3, 4, 6, 7, 8, 9], "a record's number is its first line");
    assert!(kept.rejected[0].1.contains("2 fields"));
    let (kept, _) = import(Format::Csv, b"method,url\nGET,/\xff\nGET,/\n");
    assert_eq!(
        (kept.logs.len(), kept.rejected),
        (1, vec![(2, "url: byte 2 is not UTF-8".to_owned())])
    );
    assert!(import(Format::Csv, b"a,b\n1,2\n").1.unwrap_err().contains("column method"));
    assert!(import(Format::Csv, b"").1.is_err());
    for (file, said) in [
        ("method,url,id,id\nGET,/,a,b\n", "names the column id more than once"),
        ("method;url\nGET;/\n", "separated by semicolons (;)"),
        ("method\turl\nGET\t/\n", "separated by tabs"),
        ("PK\u{3}\u{4}", "Excel workbook"),
    ] {
        let why = import(Format::Csv, file.as_bytes()).1.unwrap_err();
        assert!(why.contains(said), "{why}");
    }
}

fn har(entries: &serde_json::Value) -> Vec<u8> {
    json!({ "log": { "version": "1.2", "creator": { "name": "x" }, "pages": [[[{}]]], "entries": entries } })
        .to_string()
        .into_bytes()
}

fn har_entry() -> serde_json::Value {
    json!({
        "startedDateTime": "2026-11-22T12:00:00.250+01:00", "time": 50.5, "serverIPAddress": "198.51.100.1", "_initiator": { "x": 1 }, "cache": {}, "timings": { "send": 1 },
        "request": { "method": "post", "url": "https://api.example/v1/a?token=planted", "httpVersion": "HTTP/2", "bodySize": 17, "headersSize": -1,
            "cookies": [{ "name": "sid", "value": "planted" }], "queryString": [{ "name": "token", "value": "planted" }],
            "headers": [{ "name": "Cookie", "value": "sid=planted" }, { "name": "User-Agent", "value": "curl" }],
            "postData": { "mimeType": "application/json", "text": "{\"password\": \"planted\"}" } },
        "response": { "status": 201, "statusText": "Created", "headers": [], "cookies": [], "redirectURL": "", "bodySize": -1, "headersSize": -1,
            "content": { "size": 2, "mimeType": "image/png", "text": "AP8=", "encoding": "base64" } }
    })
}

#[test]
fn a_har_entry_becomes_a_log() {
    let (kept, read) = import(Format::Har, &har(&json!([har_entry()])));
    read.unwrap();
    assert_eq!(kept.rejected, []);
    let NewLog { facts, text, .. } = &kept.logs[0];
    assert_eq!(
        (facts.created_at, facts.duration_us, facts.status_code),
        (NOW - 3_600_000 + 250, Some(50_500), Some(201))
    );
    assert_eq!(
        (facts.method.as_str(), facts.path.as_str(), facts.ip.as_deref()),
        ("POST", "/v1/a", None)
    );
    assert_eq!((facts.request_bytes, facts.response_bytes), (17, 2));
    assert_eq!((text.request.kind, text.response.kind), (BodyKind::Json, BodyKind::Binary));
    assert_eq!(text.request.content_type.as_deref(), Some("application/json"));
    assert_eq!(text.user_agent.as_deref(), Some("curl"));
    assert!(!format!("{facts:?}{text:?}").contains("planted"));
}

#[test]
fn har_says_what_it_lacks() {
    let mut form = har_entry();
    form["request"]["postData"] = json!({ "mimeType": "application/x-www-form-urlencoded", "params": [{ "name": "a b", "value": "c" }, { "name": "pwd", "value": "planted" }] });
    form["response"] = json!({ "status": 0, "headers": [], "content": { "size": 0 } });
    let mut lacking = har_entry();
    lacking["response"]["content"] = json!({ "size": 900, "mimeType": "text/html" });
    let mut empty = har_entry();
    empty["request"].as_object_mut().unwrap().remove("postData");
    empty["request"]["bodySize"] = json!(-1);
    empty["time"] = json!(-1);
    let (kept, read) = import(Format::Har, &har(&json!([form, lacking, empty])));
    read.unwrap();
    assert_eq!(kept.rejected, []);
    assert_eq!(kept.logs[0].text.request.body, b"a%20b=c&pwd=masked");
    assert_eq!(
        (kept.logs[0].facts.status_code, kept.logs[0].facts.status),
        (None, Status::Failure)
    );
    assert!(kept.logs[1].facts.notes.contains(&Note::NotCaptured));
    assert_eq!((kept.logs[2].facts.duration_us, kept.logs[2].facts.request_bytes), (None, 0));
}

#[test]
fn har_goes_on_after_a_wrong_entry_and_keeps_what_came_before_a_break() {
    let (kept, read) = import(Format::Har, &har(&json!([har_entry(), 5, { "request": {} }, har_entry()])));
    read.unwrap();
    assert_eq!(kept.logs.len(), 2);
    assert_eq!(kept.rejected.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [2, 3]);
    let whole = har(&json!([har_entry(), har_entry()]));
    let (kept, read) = import(Format::Har, &whole[..whole.len() - 40]);
    assert_eq!(kept.logs.len(), 1);
    assert!(read.unwrap_err().starts_with("after entry 1: EOF"));
    for file in [
        &b"{}"[..],
        b"{\"log\":{}}",
        b"[]",
        b"{\"log\":[]}",
        b"{\"log\":{\"entries\":{}}}",
        b"",
        b"\xff",
    ] {
        assert!(import(Format::Har, file).1.is_err(), "{file:?}");
    }
    let deep = format!(
        "{{\"log\":{{\"x\":{}{},\"entries\":[]}}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert!(import(Format::Har, deep.as_bytes()).1.is_ok());
}

#[test]
fn a_sink_that_has_enough_ends_the_reading() {
    for (format, file) in [
        (Format::Ndjson, format!("{LINE}\n{LINE}\nbroken").into_bytes()),
        (Format::Csv, b"method,url\nGET,/\nGET,/\n".to_vec()),
        (Format::Har, har(&json!([har_entry(), har_entry(), har_entry()]))),
    ] {
        let mut kept = Kept {
            most: Some(1),
            ..Kept::default()
        };
        read(format, false, file.as_slice(), &mut kept).unwrap();
        assert_eq!((kept.logs.len(), kept.rejected.len()), (1, 0), "{format:?}");
    }
}

#[test]
fn formats_are_known_by_name_and_by_their_beginning() {
    for (name, beginning, format) in [
        ("a.CSV", "{", Format::Csv),
        ("a.har", "", Format::Har),
        ("a.jsonl", "", Format::Ndjson),
        ("a.json", " {\n \"log\" : {", Format::Har),
        ("a.json", "\u{feff}{\"log\":{", Format::Har),
        ("a.json", "{\"method\":", Format::Ndjson),
        ("a", "method,url", Format::Csv),
    ] {
        assert_eq!(Format::of(name, beginning.as_bytes()), format, "{name} {beginning}");
    }
}

#[test]
fn what_did_not_fit_its_header_is_read_from_its_own_column() {
    let file = "method,url,unreadable_record,reason\n,,\"GET,/a\",x\n,,\"GET,/b,c\",x\n,,\"GET,/c\nGET,/d\",x\nPUT,/e\nPUT,/f,\n";
    let (kept, read) = import(Format::Csv, file.as_bytes());
    read.unwrap();
    let urls: Vec<&str> = kept.logs.iter().map(|log| log.text.url.as_str()).collect();
    assert_eq!(urls, ["/a", "/e"]);
    let reasons: Vec<&str> = kept.rejected.iter().map(|(_, reason)| reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "has 3 fields where the header has 2",
            "unreadable_record: must be one line of CSV, one record",
            "has 3 fields where the header has 2"
        ]
    );
}

#[test]
fn keys_that_nobody_knows_are_told() {
    let lines = format!(
        "{LINE}\n{{\"method\":\"GET\",\"colour\":1,\"request\":{{\"header\":{{}},\"body\":1}}}}\n{{\"colour\":2,\"notes\":[],\"object\":\"api_log\"}}\n{{\"cut\":"
    );
    let names = left_out(Format::Ndjson, lines.as_bytes());
    assert_eq!(names, ["colour", "request.header"]);
    assert_eq!(
        said_of_left_out(Format::Ndjson, &names),
        "The keys colour, request.header are not known, and their values were left out"
    );
}

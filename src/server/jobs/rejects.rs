//! Entries that an import did not take, as CSV: the columns of an export and the reason, so that the file can be mended and sent again.
//! An entry that cannot be read stands in a column of its own as it came; mended there, it is read as a line of NDJSON.

use crate::server::ingest::import::{MOST_UNREADABLE, Rejected, Source, UNREADABLE};

/// The columns where the file that came had none of its own.
const COLUMNS: [&str; 25] = [
    "id",
    "created_at",
    "status",
    "request_id",
    "channel",
    "method",
    "endpoint",
    "url",
    "user_email",
    "app_id",
    "client_app_id",
    "request_duration",
    "request_body",
    "response_body",
    "status_code",
    "user_id",
    "ip",
    "user_agent",
    "request_headers",
    "response_headers",
    "resource",
    "async_action_id",
    "origin",
    "app_name",
    UNREADABLE,
];
/// The column that says why. It is passed over when the file is sent again.
const REASON: &str = "reason";

/// Writes them.
#[derive(Debug, Default)]
pub(super) struct Rejects {
    has_begun: bool,
    columns: usize,
}

impl Rejects {
    /// Appends an entry.
    pub(super) fn row(&mut self, entry: &Rejected, out: &mut Vec<u8>) {
        let (columns, mut cells) = match &entry.source {
            Source::Record { header, cells } => without_reasons(header, cells),
            Source::Json(text) => (
                COLUMNS.iter().map(|column| column.as_bytes()).collect::<Vec<_>>(),
                cells_of(text),
            ),
        };
        let is_cut = matches!(&entry.source, Source::Json(text) if text.len() > MOST_UNREADABLE && !is_record(text));
        let reason = if is_cut {
            format!("{}; only its first {MOST_UNREADABLE} bytes are given back", entry.reason)
        } else {
            entry.reason.clone()
        };
        if !std::mem::replace(&mut self.has_begun, true) {
            self.columns = columns.len();
            write(columns.into_iter().chain([REASON.as_bytes()]), out);
        }
        // A record with more or fewer fields than the header is what is wrong with it: all that was there stays.
        if cells.len() < self.columns {
            cells.resize(self.columns, Vec::new());
        }
        write(cells.iter().map(Vec::as_slice).chain([reason.as_bytes()]), out);
    }
}

/// A record without the reasons of an earlier round, whose column is this round's.
fn without_reasons<'a>(header: &'a [Vec<u8>], cells: &[Vec<u8>]) -> (Vec<&'a [u8]>, Vec<Vec<u8>>) {
    let is_reason = |place: usize| header.get(place).is_some_and(|name| name == REASON.as_bytes());
    let names = header.iter().map(Vec::as_slice).filter(|name| *name != REASON.as_bytes());
    let rest = cells.iter().enumerate().filter(|(place, _)| !is_reason(*place));
    (names.collect(), rest.map(|(_, cell)| cell.clone()).collect())
}

fn write<'a>(cells: impl Iterator<Item = &'a [u8]>, out: &mut Vec<u8>) {
    for (place, cell) in cells.enumerate() {
        if place > 0 {
            out.push(b',');
        }
        if memchr::memchr3(b'"', b',', b'\n', cell).is_none() && memchr::memchr(b'\r', cell).is_none() {
            out.extend_from_slice(cell);
            continue;
        }
        out.push(b'"');
        for byte in cell {
            out.extend(std::iter::repeat_n(*byte, 1 + usize::from(*byte == b'"')));
        }
        out.push(b'"');
    }
    out.extend_from_slice(b"\r\n");
}

/// What was read as a record; none where it is no JSON object.
fn record_of(text: &[u8]) -> Option<serde_json::Value> {
    serde_json::from_slice(text).ok().filter(serde_json::Value::is_object)
}

fn is_record(text: &[u8]) -> bool {
    record_of(text).is_some()
}

/// A log's JSON, field by field; what cannot be read as such as it came, in the column for that.
fn cells_of(text: &[u8]) -> Vec<Vec<u8>> {
    let Some(log) = record_of(text) else {
        let raw = String::from_utf8_lossy(&text[..text.len().min(MOST_UNREADABLE)]);
        let cell = |column: &&str| {
            if *column == UNREADABLE {
                raw.as_bytes().to_vec()
            } else {
                Vec::new()
            }
        };
        return COLUMNS.iter().map(cell).collect();
    };
    let log = if log.get("startedDateTime").is_some() {
        of_har(&log)
    } else {
        log
    };
    let cell = |value: Option<&serde_json::Value>| match value {
        None | Some(serde_json::Value::Null) => Vec::new(),
        Some(serde_json::Value::String(text)) => text.clone().into_bytes(),
        Some(other) => other.to_string().into_bytes(),
    };
    COLUMNS
        .iter()
        .map(|column| match column.split_once('_') {
            Some((side @ ("request" | "response"), part @ ("body" | "headers"))) => {
                cell(log.get(side).and_then(|message| message.get(part)))
            }
            _ if *column == "resource" => match log.get("resource") {
                Some(serde_json::Value::Object(about)) => {
                    [cell(about.get("type")), b":".to_vec(), cell(about.get("id"))].concat()
                }
                other => cell(other),
            },
            _ => cell(log.get(*column)),
        })
        .collect()
}

/// An entry of a HAR as a log's JSON (HAR 1.2, `entries`).
fn of_har(entry: &serde_json::Value) -> serde_json::Value {
    let at = |path: &str| entry.pointer(path).cloned().unwrap_or_default();
    let headers = |path: &str| {
        let pairs = entry.pointer(path).and_then(serde_json::Value::as_array);
        let pairs = pairs.into_iter().flatten();
        let pairs = pairs.filter_map(|pair| Some((pair.get("name")?.as_str()?.to_owned(), pair.get("value")?.clone())));
        serde_json::Value::Object(pairs.collect())
    };
    serde_json::json!({
        "created_at": at("/startedDateTime"),
        "method": at("/request/method"),
        "url": at("/request/url"),
        "status_code": at("/response/status"),
        "request_duration": at("/time"),
        "ip": at("/serverIPAddress"),
        "request": { "headers": headers("/request/headers"), "body": at("/request/postData/text") },
        "response": { "headers": headers("/response/headers"), "body": at("/response/content/text") },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejected(source: Source) -> Rejected {
        Rejected {
            unit: "line",
            number: 3,
            record: 2,
            reason: "status_code: 99 is none of 100 to 999".to_owned(),
            source,
        }
    }

    #[test]
    fn a_record_comes_back_with_its_reason() {
        let header: std::sync::Arc<Vec<Vec<u8>>> = vec![b"method".to_vec(), b"url".to_vec()].into();
        let cells = vec![b"GET".to_vec(), b"/a,\"b\"".to_vec()];
        let mut out = Vec::new();
        Rejects::default().row(&rejected(Source::Record { header, cells }), &mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "method,url,reason\r\nGET,\"/a,\"\"b\"\"\",status_code: 99 is none of 100 to 999\r\n"
        );
    }

    #[test]
    fn a_second_round_has_its_own_reason_alone() {
        let header: std::sync::Arc<Vec<Vec<u8>>> = vec![b"method".to_vec(), b"reason".to_vec(), b"url".to_vec()].into();
        let cells = vec![b"GET".to_vec(), b"an old one".to_vec(), b"/a".to_vec()];
        let mut out = Vec::new();
        Rejects::default().row(&rejected(Source::Record { header, cells }), &mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "method,url,reason\r\nGET,/a,status_code: 99 is none of 100 to 999\r\n"
        );
    }

    #[test]
    fn an_entry_of_a_har_comes_back_as_a_log() {
        let text = br#"{"startedDateTime":"2026-11-16T14:14:31Z","time":12.5,"request":{"method":"GET","url":"/a","headers":[{"name":"accept","value":"*/*"}]},
            "response":{"status":99,"content":{"text":"no"}}}"#;
        let cells = cells_of(text);
        let cell = |name: &str| {
            let place = COLUMNS.iter().position(|column| *column == name).unwrap();
            String::from_utf8(cells[place].clone()).unwrap()
        };
        assert_eq!(
            (cell("method"), cell("url"), cell("status_code")),
            ("GET".into(), "/a".into(), "99".into())
        );
        assert_eq!(
            (cell("created_at"), cell("response_body")),
            ("2026-11-16T14:14:31Z".into(), "no".into())
        );
        assert_eq!(cell("request_headers"), r#"{"accept":"*/*"}"#);
    }

    #[test]
    fn what_cannot_be_read_comes_back_as_it_came() {
        let cell = |text: &[u8]| {
            let mut out = Vec::new();
            Rejects::default().row(&rejected(Source::Json(text.to_vec())), &mut out);
            let mut reader = csv::Reader::from_reader(out.as_slice());
            let header = reader.headers().unwrap().clone();
            let record = reader.records().next().unwrap().unwrap();
            let at = |name: &str| header.iter().position(|column| column == name).unwrap();
            (record[at(UNREADABLE)].to_owned(), record[at("reason")].to_owned())
        };
        assert_eq!(cell(b"{\"method\": \"GET\", \"url\"").0, "{\"method\": \"GET\", \"url\"");
        assert_eq!(cell(b"[1, 2]").0, "[1, 2]");
        assert_eq!(cell(b"a\xFFb").0, "a\u{FFFD}b");
        assert_eq!(cell(br#"{"method": 1}"#).0, "", "what can be read stands in its own columns");
        let (text, reason) = cell("é".repeat(MOST_UNREADABLE).as_bytes());
        assert_eq!(text.chars().count(), MOST_UNREADABLE / 2);
        assert!(reason.ends_with("only its first 1048576 bytes are given back"), "{reason}");
    }

    #[test]
    fn a_json_entry_comes_back_as_an_exports_record() {
        let text =
            br#"{"method":"GET","url":"/a","status_code":99,"request":{"body":{"a":1}},"resource":{"type":"voucher","id":"v"}}"#;
        let mut out = Vec::new();
        Rejects::default().row(&rejected(Source::Json(text.to_vec())), &mut out);
        let mut reader = csv::Reader::from_reader(out.as_slice());
        let header = reader.headers().unwrap().clone();
        let record = reader.records().next().unwrap().unwrap();
        let cell = |name: &str| {
            header
                .iter()
                .position(|column| column == name)
                .and_then(|at| record.get(at))
                .unwrap()
        };
        assert_eq!((cell("method"), cell("status_code")), ("GET", "99"));
        assert_eq!((cell("request_body"), cell("resource")), (r#"{"a":1}"#, "voucher:v"));
        assert!(cell("reason").contains("99"));
    }
}

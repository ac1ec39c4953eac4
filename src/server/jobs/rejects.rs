//! Entries that an import did not take, as CSV: the columns of an export and the reason, so that the file can be mended and sent again.
//! An entry that cannot be read stands in a column of its own as it came; mended there, it is read as a line of NDJSON.
//!
//! A record of a CSV with more or fewer fields than its header cannot be put under the columns without moving values to where they were not: it stands whole in
//! the column `unreadable_record`, as a line of CSV, and is read from there. So every row has a field for each column, the reason is always the last one, and a
//! file that is sent again as it is is rejected again, row by row, for the same reasons.

use crate::server::ingest::import::{MOST_UNREADABLE, REASON, Rejected, Shape, Source, UNREADABLE, UNREADABLE_RECORD};

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

/// How a line ends (RFC 4180).
const LINE_END: &[u8] = b"\r\n";

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
            Source::Record { header, cells } => of_record(header, cells),
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
        // Every entry of a file has the columns of the first.
        cells.resize(self.columns, Vec::new());
        write(cells.iter().map(Vec::as_slice).chain([reason.as_bytes()]), out);
    }
}

/// A record's columns and cells: without the reasons of an earlier round, whose column is this round's; whole in a cell where it does not fit its header.
fn of_record<'a>(header: &'a [Vec<u8>], cells: &[Vec<u8>]) -> (Vec<&'a [u8]>, Vec<Vec<u8>>) {
    let own = || header.iter().enumerate().filter(|(_, name)| !Shape::is_helper(name));
    let names = own()
        .map(|(_, name)| name.as_slice())
        .chain([UNREADABLE_RECORD.as_bytes()])
        .collect();
    let (mut row, whole) = match Shape::of(header, cells.len()) {
        Shape::Whole => {
            let whole = header
                .iter()
                .position(|name| name.trim_ascii() == UNREADABLE_RECORD.as_bytes());
            let whole = whole.map(|place| cells[place].clone()).unwrap_or_default();
            (own().map(|(place, _)| cells[place].clone()).collect::<Vec<_>>(), whole)
        }
        Shape::WithoutHelpers => (cells.to_vec(), Vec::new()),
        Shape::Other => {
            let mut line = Vec::new();
            write(cells.iter().map(Vec::as_slice), &mut line);
            line.truncate(line.len() - LINE_END.len());
            if !line.starts_with(b"\"") && cells.len() == 1 {
                // A line of nothing would be no record.
                line = [b"\"", line.as_slice(), b"\""].concat();
            }
            (vec![Vec::new(); own().count()], line)
        }
    };
    row.push(whole);
    (names, row)
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
    out.extend_from_slice(LINE_END);
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
            "method,url,unreadable_record,reason\r\nGET,\"/a,\"\"b\"\"\",,status_code: 99 is none of 100 to 999\r\n"
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
            "method,url,unreadable_record,reason\r\nGET,/a,,status_code: 99 is none of 100 to 999\r\n"
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

    /// What an import of a CSV in which nothing is right gives back, through the very reading that imports.
    fn given_back(file: &[u8]) -> (Vec<u8>, Vec<String>) {
        let (mut rejects, mut out) = (Rejects::default(), Vec::new());
        let entries = crate::server::ingest::import::rejected_of_csv(file).unwrap();
        for entry in &entries {
            rejects.row(entry, &mut out);
        }
        (out, entries.into_iter().map(|entry| entry.reason).collect())
    }

    proptest::proptest! {
        /// Whatever a row holds and however many fields it has: each comes back, its reason in the column `reason`, and the file sent again as it is comes
        /// back as it is.
        #[test]
        fn rejected_rows_come_back_for_the_same_reasons(
            rows in proptest::collection::vec(proptest::collection::vec("[a\"',;{\\[=\r\n ]{0,4}", 1..7), 1..8),
        ) {
            let mut file = b"method,url,status_code,id\r\n".to_vec();
            for row in &rows {
                // A status code that is none: no row is taken. One without fields would be an empty line.
                let mut cells: Vec<&[u8]> = row.iter().map(String::as_bytes).collect();
                if cells.len() > 2 {
                    cells[2] = b"none";
                }
                if cells == [b""] {
                    cells = vec![b"x"];
                }
                write(cells.into_iter(), &mut file);
            }
            let (once, reasons) = given_back(&file);
            proptest::prop_assert_eq!(reasons.len(), rows.len());
            let mut reader = csv::ReaderBuilder::new().from_reader(once.as_slice());
            proptest::prop_assert_eq!(reader.headers().unwrap(), vec!["method", "url", "status_code", "id", UNREADABLE_RECORD, REASON]);
            let told: Vec<String> = reader.records().map(|record| record.unwrap()[5].to_owned()).collect();
            proptest::prop_assert_eq!(&told, &reasons);
            let (twice, again) = given_back(&once);
            proptest::prop_assert_eq!(again, reasons);
            proptest::prop_assert_eq!(twice, once);
        }
    }
}

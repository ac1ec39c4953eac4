//! What a field says of a record, as the value of a cell.

use std::borrow::Cow;
use std::io::Write as _;

use data_encoding::BASE64;
use jiff::Timestamp;

use crate::model::export::ExportFacts;
use crate::model::log::{BodyKind, Log, Message};
use crate::model::rights::Rights;
use crate::model::sendout::SendoutFacts;
use crate::server::store::tasks::Task;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell<'a> {
    /// Nothing is known.
    None,
    /// Text.
    Text(Cow<'a, str>),
    /// A whole number.
    Number(i64),
    /// Microseconds, written as milliseconds.
    Millis(i64),
    /// JSON as it was kept.
    Json(Cow<'a, [u8]>),
    /// Bytes that are no text.
    Bytes(&'a [u8]),
}

/// Milliseconds since 1970 as RFC 3339.
pub(super) fn time_text(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |time| format!("{time:.3}"))
}

fn time(ms: i64) -> Cell<'static> {
    Cell::Text(Cow::Owned(time_text(ms)))
}

fn text<'a>(value: impl Into<Cow<'a, str>>) -> Cell<'a> {
    Cell::Text(value.into())
}

fn maybe(value: Option<&String>) -> Cell<'_> {
    value.map_or(Cell::None, |value| text(value.as_str()))
}

/// A log's field, or what a filter of the Logs tab looks at.
pub(super) fn of_log<'a>(field: &str, log: &'a Log, rights: Rights) -> Cell<'a> {
    let facts = &log.facts;
    let who = |value: &'a Option<String>| maybe(value.as_ref().filter(|_| rights.read_users));
    let may_read = log.text.as_ref().filter(|_| rights.read_bodies);
    match field {
        "id" => text(&facts.id),
        "created_at" => time(facts.created_at),
        "status" => text(facts.status.as_str()),
        "status_code" | "code" => facts.status_code.map_or(Cell::None, |code| Cell::Number(code.into())),
        "request_id" => maybe(facts.request_id.as_ref()),
        "channel" => maybe(facts.channel.as_ref()),
        "method" => text(&facts.method),
        "endpoint" => text(&facts.endpoint),
        // Without the right to what was said the path is shown, as everywhere.
        "url" => may_read.map_or_else(|| text(&facts.path), |said| text(&said.url)),
        "path" => text(&facts.path),
        "user_email" | "user" => who(&facts.user_email),
        "user_id" => who(&facts.user_id),
        "app_id" => who(&facts.app_id),
        "client_app_id" => who(&facts.client_app_id),
        "request_duration" | "slower" => facts.duration_us.map_or(Cell::None, Cell::Millis),
        "ip" => maybe(facts.ip.as_ref()),
        "user_agent" => maybe(may_read.and_then(|said| said.user_agent.as_ref())),
        "request_body" => may_read.map_or(Cell::None, |said| body(&said.request)),
        "response_body" => may_read.map_or(Cell::None, |said| body(&said.response)),
        "request_headers" => may_read.map_or(Cell::None, |said| headers(&said.request)),
        "response_headers" => may_read.map_or(Cell::None, |said| headers(&said.response)),
        "resource" => facts
            .resource
            .as_ref()
            .map_or(Cell::None, |about| text(format!("{}:{}", about.kind, about.id))),
        "async_action_id" => maybe(facts.async_action_id.as_ref()),
        "origin" => text(facts.origin.as_str()),
        _ => Cell::None,
    }
}

fn headers(message: &Message) -> Cell<'_> {
    Cell::Json(Cow::Borrowed(message.headers.as_bytes()))
}

fn body(message: &Message) -> Cell<'_> {
    match message.kind {
        BodyKind::None => Cell::None,
        BodyKind::Json => Cell::Json(Cow::Borrowed(&message.body)),
        BodyKind::Text => Cell::Text(String::from_utf8_lossy(&message.body)),
        BodyKind::Binary => Cell::Bytes(&message.body),
    }
}

/// A task's field.
pub(super) fn of_task<'a>(field: &str, task: &'a Task, rights: Rights) -> Cell<'a> {
    let facts = &task.facts;
    match field {
        "id" => text(&facts.id),
        "type" => text(&facts.kind),
        "status" => text(facts.status.as_str()),
        "operation_status" => facts.operation_status.map_or(Cell::None, |status| text(status.as_str())),
        "created_at" => time(facts.created_at),
        "updated_at" => time(facts.updated_at),
        "request_id" => maybe(facts.request_id.as_ref()),
        "processing_time" => facts.processing_ms.map_or(Cell::None, Cell::Number),
        "progress" => Cell::Number(facts.progress.into()),
        "user" => maybe(facts.by.as_ref().filter(|_| rights.read_users)),
        "log_id" => maybe(facts.log_id.as_ref()),
        "export_id" => maybe(facts.export_id.as_ref()),
        // What came of it may quote what was sent.
        "result" => task
            .shown_result(rights)
            .filter(|_| rights.read_bodies)
            .map_or(Cell::None, |result| match result {
                Cow::Borrowed(result) => Cell::Json(Cow::Borrowed(result.as_bytes())),
                Cow::Owned(result) => Cell::Json(Cow::Owned(result.into_bytes())),
            }),
        _ => Cell::None,
    }
}

/// An export's field.
pub(super) fn of_export<'a>(field: &str, facts: &'a ExportFacts, parameters: &'a str, rights: Rights) -> Cell<'a> {
    match field {
        "id" => text(&facts.id),
        "created_at" => time(facts.created_at),
        "status" => text(facts.status.as_str()),
        "channel" => text(&facts.channel),
        "exported_object" => text(&facts.exported_object),
        "format" => facts.format.map_or(Cell::None, |format| text(format.as_str())),
        "rows" => facts.rows.map_or(Cell::None, Cell::Number),
        "bytes" => facts.bytes.map_or(Cell::None, Cell::Number),
        "sha256" => maybe(facts.sha256.as_ref()),
        "file_name" => maybe(facts.file_name.as_ref()),
        "user" => maybe(facts.by.as_ref().filter(|_| rights.read_users)),
        "user_id" => maybe(facts.user_id.as_ref().filter(|_| rights.read_users)),
        "parameters" => Cell::Json(Cow::Borrowed(parameters.as_bytes())),
        _ => Cell::None,
    }
}

/// A sendout's field, or what a filter of its tab looks at. `data` is JSON, and there only for those who may read bodies.
pub(super) fn of_sendout<'a>(field: &str, facts: &'a SendoutFacts, data: Option<&'a str>) -> Cell<'a> {
    match field {
        "data" => data.map_or(Cell::None, |json| Cell::Json(Cow::Borrowed(json.as_bytes()))),
        "id" => text(&facts.id),
        "created_at" => time(facts.created_at),
        "status" => text(facts.status.as_str()),
        "type" => text(&facts.kind),
        "webhook_id" | "webhook" => text(&facts.endpoint_id),
        "target_url" => text(&facts.target_url),
        "attempts" => Cell::Number(facts.attempts.into()),
        "response_code" | "code" => facts.last_code.map_or(Cell::None, |code| Cell::Number(code.into())),
        "error" => maybe(facts.last_error.as_ref()),
        "duration" => facts.duration_us.map_or(Cell::None, Cell::Millis),
        "request_id" => maybe(facts.request_id.as_ref()),
        "source" => text(facts.source.as_str()),
        "event_id" => text(&facts.event_id),
        "executed_at" => facts.executed_at.map_or(Cell::None, time),
        "next_at" => facts.next_at.map_or(Cell::None, time),
        "paused" => text(if facts.paused { "true" } else { "false" }),
        _ => Cell::None,
    }
}

/// Appends a whole number.
pub(super) fn write_number(number: i64, out: &mut Vec<u8>) {
    // Writing into memory does not fail.
    let _ = write!(out, "{number}");
}

/// Appends microseconds as milliseconds.
pub(super) fn write_millis(micros: i64, out: &mut Vec<u8>) {
    let _ = if micros % 1_000 == 0 {
        write!(out, "{}", micros / 1_000)
    } else {
        write!(out, "{}", micros as f64 / 1_000.0)
    };
}

/// Appends bytes as the API has them.
pub(super) fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(br#"{"encoding":"base64","data":""#);
    out.extend_from_slice(BASE64.encode(bytes).as_bytes());
    out.extend_from_slice(br#""}"#);
}

/// A cell as the bytes of a text, for a format that knows only those.
pub(super) fn text_of<'a>(cell: &'a Cell<'_>) -> Option<Cow<'a, [u8]>> {
    let owned = |write: &dyn Fn(&mut Vec<u8>)| {
        let mut out = Vec::new();
        write(&mut out);
        Some(Cow::Owned(out))
    };
    match cell {
        Cell::None => None,
        Cell::Text(text) => Some(Cow::Borrowed(text.as_bytes())),
        Cell::Json(json) => Some(Cow::Borrowed(json)),
        Cell::Number(number) => owned(&|out| write_number(*number, out)),
        Cell::Millis(micros) => owned(&|out| write_millis(*micros, out)),
        Cell::Bytes(bytes) => owned(&|out| write_bytes(bytes, out)),
    }
}

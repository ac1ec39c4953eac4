//! A request and its answer, as a span or a log record tells of them: which attribute becomes which field.
//!
//! First the stable semantic conventions for HTTP (<https://opentelemetry.io/docs/specs/semconv/http/http-spans/>), then the names from before them,
//! which many SDKs still send. Nothing is made up: a field that no attribute tells stays empty.

use std::borrow::Cow;

use data_encoding::HEXLOWER;
use prost::Message as _;
use sha2::{Digest, Sha256};

use super::address;
use super::attributes::Attributes;
use super::messages::{LogRecord, Span, Status, Value};
use crate::model::log::Note;
use crate::server::ingest::draft::{Body, Code, Draft, DraftMessage, Fault, When};
use crate::server::ingest::text;

/// `SpanKind.SPAN_KIND_SERVER`.
const SERVER: i32 = 2;
/// `Status.STATUS_CODE_ERROR`.
const ERROR: i32 = 2;
/// What stands for a method that the sender does not know; what it was stands beside it.
const OTHER_METHOD: &str = "_OTHER";
/// Bytes of a request id that are kept.
const MAX_REQUEST_ID: usize = 512;
/// Letters of a record's hash in its id: what is left of 64.
const RECORD_HASH: usize = 14;

/// The names of one side.
struct Side {
    name: &'static str,
    headers: &'static str,
    bodies: &'static [&'static str],
    sizes: &'static [&'static str],
}

const REQUEST: Side = Side {
    name: "request.body",
    headers: "http.request.header.",
    bodies: &["http.request.body.content", "http.request.body"],
    sizes: &["http.request.body.size", "http.request_content_length"],
};
const RESPONSE: Side = Side {
    name: "response.body",
    headers: "http.response.header.",
    bodies: &["http.response.body.content", "http.response.body"],
    sizes: &["http.response.body.size", "http.response_content_length"],
};

/// What a span tells; none where it is no HTTP server's.
pub(super) fn of_span(span: &Span) -> Option<Result<Draft<'_>, Fault>> {
    let told = Attributes(&span.attributes);
    let method = method(told).filter(|_| span.kind == SERVER)?;
    Some(draft_of_span(span, told, method))
}

fn draft_of_span<'a>(span: &'a Span, told: Attributes<'a>, method: Cow<'a, str>) -> Result<Draft<'a>, Fault> {
    let Some(ids) = Ids::of(&span.trace_id, &span.span_id) else {
        return Err(Fault::invalid(
            "trace_id",
            "16 bytes, and 8 of span_id, are required, not all of them zero",
        ));
    };
    let bodies: Vec<Attributes<'a>> = std::iter::once(told)
        .chain(span.events.iter().map(|event| Attributes(&event.attributes)))
        .collect();
    let is_error = span.status.as_ref().is_some_and(|Status { code }| *code == ERROR);
    let otherwise = path_of_name(span, &method).or_else(|| told.text(&["http.route"]));
    let lasted = span.end_time_unix_nano.checked_sub(span.start_time_unix_nano);
    Ok(Draft {
        id: Some(Cow::Owned(format!("{}-{}", ids.trace, ids.span))),
        created_at: Some(time("start_time_unix_nano", span.start_time_unix_nano)?),
        duration_ms: lasted.map(|nanos| nanos as f64 / 1e6),
        status: failed(is_error, told),
        ..draft(told, &bodies, method, Some(ids.trace), otherwise)?
    })
}

/// What a log record tells; none where it names no method and no address of a request.
pub(super) fn of_record(record: &LogRecord) -> Option<Result<Draft<'_>, Fault>> {
    let told = Attributes(&record.attributes);
    let method = method(told)?;
    address::of(told, None)?;
    Some(draft_of_record(record, told, method))
}

fn draft_of_record<'a>(record: &'a LogRecord, told: Attributes<'a>, method: Cow<'a, str>) -> Result<Draft<'a>, Fault> {
    let when = match record.time_unix_nano {
        0 => record.observed_time_unix_nano,
        nanos => nanos,
    };
    // A request may have several records, and its span may come, too: what a record says is part of its id.
    let hash = HEXLOWER.encode(&Sha256::digest(record.encode_to_vec()));
    let ids = Ids::of(&record.trace_id, &record.span_id);
    let id = match &ids {
        Some(Ids { trace, span }) => format!("{trace}-{span}-{}", &hash[..RECORD_HASH]),
        None => format!("record-{}", &hash[..32]),
    };
    Ok(Draft {
        id: Some(Cow::Owned(id)),
        created_at: Some(time("time_unix_nano", when)?),
        status: failed(false, told),
        ..draft(told, &[told], method, ids.map(|ids| ids.trace), None)?
    })
}

/// Some SDKs name a span by method and path, and tell the path nowhere else (Python's for WSGI servers that keep no raw address).
fn path_of_name<'a>(span: &'a Span, method: &str) -> Option<Cow<'a, str>> {
    let path = span.name.strip_prefix(method)?.trim_start();
    path.starts_with('/').then_some(Cow::Borrowed(path))
}

/// What both tell alike; `otherwise` is the path where no attribute tells one.
fn draft<'a>(
    told: Attributes<'a>,
    bodies: &[Attributes<'a>],
    method: Cow<'a, str>,
    trace: Option<String>,
    otherwise: Option<Cow<'a, str>>,
) -> Result<Draft<'a>, Fault> {
    let request = message(&REQUEST, told, bodies)?;
    let response = message(&RESPONSE, told, bodies)?;
    let notes = notes(&request, &response, &method);
    let own_id = [&request, &response].iter().find_map(|message| request_id(message));
    Ok(Draft {
        status_code: code(told),
        url: address::of(told, otherwise),
        route: told.text(&["http.route"]),
        request_id: own_id.or(trace).map(Cow::Owned),
        channel: Some(Cow::Borrowed("API")),
        user_email: told.text(&["user.email"]),
        user_id: told.text(&["enduser.id", "user.id"]),
        ip: told.text(&[
            "client.address",
            "http.client_ip",
            "network.peer.address",
            "net.sock.peer.addr",
            "net.peer.ip",
        ]),
        user_agent: told.text(&["user_agent.original", "http.user_agent"]),
        notes,
        method: Some(method),
        request,
        response,
        ..Draft::default()
    })
}

/// The ids of a span, in hexadecimal.
struct Ids {
    trace: String,
    span: String,
}

impl Ids {
    /// None where they are none (<https://www.w3.org/TR/trace-context/>).
    fn of(trace: &[u8], span: &[u8]) -> Option<Self> {
        let is_id = |bytes: &[u8], length| bytes.len() == length && bytes.iter().any(|byte| *byte != 0);
        (is_id(trace, 16) && is_id(span, 8)).then(|| Self {
            trace: HEXLOWER.encode(trace),
            span: HEXLOWER.encode(span),
        })
    }
}

fn method(told: Attributes<'_>) -> Option<Cow<'_, str>> {
    let method = told.text(&["http.request.method", "http.method"])?;
    if method == OTHER_METHOD {
        return told.text(&["http.request.method_original"]).or(Some(method));
    }
    Some(method)
}

fn time(field: &'static str, nanos: u64) -> Result<When<'static>, Fault> {
    match nanos {
        0 => Err(Fault::invalid(field, "is required")),
        // 2^64 nanoseconds are fewer than 2^63 milliseconds.
        nanos => Ok(When::Millis((nanos / 1_000_000) as i64)),
    }
}

fn code(told: Attributes<'_>) -> Code {
    match told.whole(&["http.response.status_code", "http.status_code"]) {
        None | Some(0) => Code::NoAnswer,
        Some(code) => Code::Number(code),
    }
}

/// An answer of 200 may have failed, too.
fn failed(is_error: bool, told: Attributes<'_>) -> Option<Cow<'static, str>> {
    (is_error || told.text(&["error.type"]).is_some()).then_some(Cow::Borrowed("FAILURE"))
}

fn message<'a>(side: &Side, told: Attributes<'a>, bodies: &[Attributes<'a>]) -> Result<DraftMessage<'a>, Fault> {
    let headers = told.headers(side.headers);
    let body = match bodies.iter().find_map(|told| told.value(side.bodies)) {
        None => Body::None,
        Some(Value::Text(text)) => text::body(Cow::Borrowed(text), headers.first("content-type"), side.name)?,
        Some(Value::Bytes(bytes)) => match std::str::from_utf8(bytes) {
            Ok(text) => text::body(Cow::Borrowed(text), headers.first("content-type"), side.name)?,
            Err(_) => Body::Binary(bytes.clone()),
        },
        Some(_) => return Err(Fault::invalid(side.name, "must be a text or bytes")),
    };
    let told_size = told.whole(side.sizes).filter(|bytes| *bytes >= 0);
    // An empty body that was captured is not one that was not.
    let is_empty = matches!(body, Body::None) && bodies.iter().any(|told| told.value(side.bodies).is_some());
    Ok(DraftMessage {
        bytes: told_size.or_else(|| is_empty.then_some(0)),
        headers,
        body,
        content_type: None,
    })
}

/// What is not whole: a body that is not there and may have been, or that is shorter than its size.
fn notes(request: &DraftMessage<'_>, response: &DraftMessage<'_>, method: &str) -> Vec<Note> {
    let is_missing = |message: &DraftMessage<'_>, is_usual: bool| {
        length(&message.body).is_none() && message.bytes.map_or(is_usual, |bytes| bytes > 0)
    };
    // SDKs cut off what is longer than their limit of attributes.
    let is_cut = |message: &DraftMessage<'_>| matches!((length(&message.body), message.bytes), (Some(kept), Some(bytes)) if bytes > kept as i64);
    let has_body = matches!(method, "POST" | "PUT" | "PATCH");
    let truncated = is_cut(request) || is_cut(response);
    let not_captured = is_missing(request, has_body) || is_missing(response, true);
    [(truncated, Note::Truncated), (not_captured, Note::NotCaptured)]
        .into_iter()
        .filter_map(|(is, note)| is.then_some(note))
        .collect()
}

/// Bytes of a body, where there is one.
fn length(body: &Body<'_>) -> Option<usize> {
    match body {
        Body::None => None,
        Body::Json(text) | Body::Text(text) => Some(text.len()),
        Body::Binary(bytes) => Some(bytes.len()),
    }
}

/// What the application calls the request, where that can be kept.
fn request_id(message: &DraftMessage<'_>) -> Option<String> {
    let id = message.headers.first("x-request-id")?;
    let is_plain = (1..=MAX_REQUEST_ID).contains(&id.len()) && !id.bytes().any(|byte| byte.is_ascii_control());
    is_plain.then(|| id.to_owned())
}

//! An exchange as an entry of `POST /v1/logs`: the one form in which what was recorded waits, is sent, and is stored, so that the same check and the same masking
//! as for everybody's logs come after it. What a log cannot take is cut here, or left out with a note.

use std::borrow::Cow;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use data_encoding::BASE64;
use recorder::{Captured, Ending, Exchange};
use serde::de::IgnoredAny;
use serde::ser::{SerializeMap as _, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::observe::{Ended, Subject};
use super::plain::{Plain, plain};
use super::spool::record::Record;
use super::upload;
use crate::model::id::IdKind;
use crate::model::log::Note;
use crate::server::clock::Random;
use crate::server::ingest::headers::MAX_HEADERS;
use crate::server::ingest::json::is_too_deep;

/// Bytes of a URL that a log takes.
const MAX_URL: usize = 32 << 10;
/// Headers of one side that a log takes.
const MAX_HEADER_COUNT: usize = 1_000;
/// Bytes of a content type or a user agent.
const MAX_LONG_TEXT: usize = 4_096;
/// Bytes of any other text.
const MAX_TEXT: usize = 512;
/// Letters of a method.
const MAX_METHOD: usize = 32;
/// Bytes of an answer that is looked at for the id of a task.
const MAX_TOLD: usize = 64 << 10;

/// What is said of every exchange.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    /// Bytes of each body.
    pub(super) body_bytes: usize,
    /// The request header that says who did it.
    pub(super) user_header: Option<HeaderName>,
    /// The one that says which key was used.
    pub(super) app_header: Option<HeaderName>,
}

#[derive(Serialize)]
struct Entry<'a> {
    id: &'a str,
    created_at: i64,
    method: &'a str,
    url: &'a str,
    status_code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    channel: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    async_action_id: Option<String>,
    request_duration: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<String>,
    request: Side<'a>,
    response: Side<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<&'static str>,
}

#[derive(Serialize)]
struct Side<'a> {
    headers: Lines<'a>,
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Body<'a>>,
}

/// A body as an entry has it.
#[derive(Serialize)]
#[serde(untagged)]
enum Body<'a> {
    Json(&'a RawValue),
    Text(&'a str),
    Binary { encoding: &'static str, data: String },
}

/// The record of an exchange.
pub(super) fn record(ended: &Ended, reading: &Reading, random: &Random) -> Result<Record, serde_json::Error> {
    let exchange = &ended.exchange;
    let created_at = ended.ended_at - exchange.duration.as_millis() as i64;
    let id = random.id(IdKind::Log, created_at);
    let (mut url, mut notes) = (target(exchange), notes(exchange));
    if url.len() > MAX_URL {
        url.truncate(url.floor_char_boundary(MAX_URL));
        notes.push(Note::Truncated);
    }
    let request = Read::of(&exchange.request_headers, &exchange.request, reading.body_bytes, &mut notes);
    let response = Read::of(&exchange.response_headers, &exchange.response, reading.body_bytes, &mut notes);
    notes.sort_unstable();
    notes.dedup();
    let method = exchange.method.as_str();
    let named = |name: &Option<HeaderName>| name.as_ref().and_then(|name| short(exchange.request_headers.get(name)));
    let request_id = HeaderName::from_static("x-request-id");
    let entry = Entry {
        id: &id,
        created_at,
        method: &method[..method.len().min(MAX_METHOD)],
        url: &url,
        status_code: exchange.status.map(|status| status.as_u16()),
        request_id: short(exchange.request_headers.get(&request_id))
            .or_else(|| short(exchange.response_headers.get(&request_id))),
        channel: "API",
        user_id: named(&reading.user_header),
        app_id: named(&reading.app_header),
        async_action_id: task(exchange, &response),
        request_duration: (exchange.duration.as_secs_f64() * 1_000_000.0).round() / 1_000.0,
        ip: exchange.context.ip.map(|ip| ip.to_string()),
        request: request.side(),
        response: response.side(),
        notes: notes.iter().map(|note| note.as_str()).collect(),
    };
    let whole = exchange.request.ended && !exchange.request.truncated;
    Ok(Record {
        entry: serde_json::to_string(&entry)?,
        file: whole
            .then(|| upload::file(&exchange.request_headers, &exchange.request.bytes))
            .flatten(),
    })
}

/// What was asked for: path and query, byte for byte.
fn target(exchange: &Exchange<Subject>) -> String {
    exchange
        .uri
        .path_and_query()
        .map_or_else(|| exchange.uri.to_string(), ToString::to_string)
}

fn notes(exchange: &Exchange<Subject>) -> Vec<Note> {
    let mut notes = Vec::new();
    if exchange.request.truncated
        || exchange.response.truncated
        || (exchange.status.is_some() && exchange.ending != Ending::Whole)
    {
        notes.push(Note::Truncated);
    }
    if exchange.request.left_out || exchange.response.left_out {
        notes.push(Note::NotCaptured);
    }
    notes
}

/// One side of an exchange, as far as it can be read.
struct Read<'a> {
    headers: &'a HeaderMap,
    lines: Vec<(&'a HeaderName, Cow<'a, str>)>,
    length: u64,
    bytes: Cow<'a, [u8]>,
    is_cut: bool,
}

impl<'a> Read<'a> {
    fn of(headers: &'a HeaderMap, captured: &'a Captured, bound: usize, notes: &mut Vec<Note>) -> Self {
        let coding = headers.get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok());
        let (mut bytes, mut is_cut) = match plain(coding, &captured.bytes, bound) {
            Plain::Itself => (Cow::Borrowed(&captured.bytes[..]), captured.truncated),
            Plain::Was(bytes, more) => (Cow::Owned(bytes), more || captured.truncated),
            Plain::Unreadable => {
                // What cannot be read cannot be masked.
                notes.push(Note::NotCaptured);
                (Cow::default(), captured.truncated)
            }
        };
        if bytes.len() > bound {
            is_cut = true;
            bytes = match bytes {
                Cow::Borrowed(bytes) => Cow::Borrowed(&bytes[..bound]),
                Cow::Owned(mut bytes) => {
                    bytes.truncate(bound);
                    Cow::Owned(bytes)
                }
            };
        }
        if is_cut {
            notes.push(Note::Truncated);
        }
        let lines = lines(headers);
        if lines.len() < headers.len() {
            notes.push(Note::Truncated);
        }
        Self {
            headers,
            lines,
            length: captured.length,
            bytes,
            is_cut,
        }
    }

    fn content_type(&self) -> Option<Cow<'a, str>> {
        let value = String::from_utf8_lossy(self.headers.get(header::CONTENT_TYPE)?.as_bytes());
        (value.len() <= MAX_LONG_TEXT).then_some(value)
    }

    fn side(&self) -> Side<'_> {
        Side {
            headers: Lines(&self.lines),
            bytes: self.length,
            content_type: self.content_type(),
            body: self.body(),
        }
    }

    fn body(&self) -> Option<Body<'_>> {
        if self.bytes.is_empty() {
            return None;
        }
        let text = match std::str::from_utf8(&self.bytes) {
            Ok(text) => text,
            // A text that was cut may end within a letter.
            Err(error) if self.is_cut && error.error_len().is_none() && error.valid_up_to() > 0 => {
                std::str::from_utf8(&self.bytes[..error.valid_up_to()]).unwrap_or_default()
            }
            Err(_) => {
                return Some(Body::Binary {
                    encoding: "base64",
                    data: BASE64.encode(&self.bytes),
                });
            }
        };
        let is_json = !self.is_cut && self.content_type().is_some_and(|kind| kind.contains("json"));
        Some(match is_json.then(|| json(text)).flatten() {
            Some(json) => Body::Json(json),
            None => Body::Text(text),
        })
    }
}

/// A body that an entry takes as JSON. A lone string, or what looks like an encoded body, would be read as something else there.
fn json(text: &str) -> Option<&RawValue> {
    let first = text.trim_ascii_start().as_bytes().first()?;
    if matches!(first, b'"' | b'n') || is_too_deep(text) {
        return None;
    }
    if *first == b'{' && serde_json::from_str::<Encoded<'_>>(text).is_ok() {
        return None;
    }
    serde_json::from_str(text).ok()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Encoded<'a> {
    #[serde(rename = "encoding", borrow)]
    _encoding: &'a str,
    #[serde(rename = "data")]
    _data: IgnoredAny,
}

/// The task that an answer says it began.
fn task(exchange: &Exchange<Subject>, response: &Read<'_>) -> Option<String> {
    #[derive(Deserialize)]
    struct Told {
        async_action_id: String,
    }
    if exchange.status != Some(axum::http::StatusCode::ACCEPTED) || response.is_cut || response.bytes.len() > MAX_TOLD {
        return None;
    }
    let told: Told = serde_json::from_slice(&response.bytes).ok()?;
    Some(told.async_action_id)
        .filter(|id| !id.is_empty() && id.len() <= MAX_TEXT && !id.bytes().any(|byte| byte.is_ascii_control()))
}

/// A header's value that a log's field takes.
fn short(value: Option<&HeaderValue>) -> Option<&str> {
    value
        .and_then(|value| value.to_str().ok())
        .filter(|text| !text.is_empty() && text.len() <= MAX_TEXT && !text.contains('\t'))
}

/// The headers, as many as a log takes.
fn lines(headers: &HeaderMap) -> Vec<(&HeaderName, Cow<'_, str>)> {
    let mut room = MAX_HEADERS;
    headers
        .iter()
        .take(MAX_HEADER_COUNT)
        .map_while(|(name, value)| {
            // What is not UTF-8 grows.
            let value = String::from_utf8_lossy(value.as_bytes());
            room = room.checked_sub(name.as_str().len() + value.len())?;
            Some((name, value))
        })
        .collect()
}

/// Headers as one object; a header that came more than once has an array.
struct Lines<'a>(&'a [(&'a HeaderName, Cow<'a, str>)]);

impl Serialize for Lines<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        // A header map gives the values of one name one after the other.
        for same in self.0.chunk_by(|(one, _), (other, _)| one == other) {
            if let [(name, value)] = same {
                map.serialize_entry(name.as_str(), value)?;
            } else if let Some((name, _)) = same.first() {
                let values: Vec<&str> = same.iter().map(|(_, value)| &**value).collect();
                map.serialize_entry(name.as_str(), &values)?;
            }
        }
        map.end()
    }
}

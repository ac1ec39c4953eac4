//! A log as JSON: one object's text, its fields read by their names.
//!
//! A field's value is looked at as the text it came in, so that a body's bytes stay as they were sent, and so that a wrong type names its field.

use std::borrow::Cow;
use std::collections::BTreeMap;

use data_encoding::BASE64;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::log::{Note, Origin};

use super::draft::{Body, Code, Draft, DraftMessage, Fault, MAX_LEVELS, ResourceParts, When};
use super::headers::{Headers, without_place};

/// How much is taken from an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// A call: `status_code` is required, whose traffic it is does not stand in it.
    Call,
    /// An import: a file that was exported may lack `status_code`, and says whose traffic it is.
    Import,
}

/// The fields of a log, each the text of its value. What is not listed here is passed over.
#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Fields<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    created_at: Option<&'a RawValue>,
    status: Option<&'a RawValue>,
    #[serde(deserialize_with = "present")]
    status_code: Option<&'a RawValue>,
    method: Option<&'a RawValue>,
    url: Option<&'a RawValue>,
    endpoint: Option<&'a RawValue>,
    request_id: Option<&'a RawValue>,
    channel: Option<&'a RawValue>,
    user_email: Option<&'a RawValue>,
    user_id: Option<&'a RawValue>,
    app_id: Option<&'a RawValue>,
    app_name: Option<&'a RawValue>,
    client_app_id: Option<&'a RawValue>,
    ip: Option<&'a RawValue>,
    user_agent: Option<&'a RawValue>,
    async_action_id: Option<&'a RawValue>,
    request_duration: Option<&'a RawValue>,
    resource: Option<&'a RawValue>,
    notes: Option<&'a RawValue>,
    origin: Option<&'a RawValue>,
    request: Option<&'a RawValue>,
    response: Option<&'a RawValue>,
    request_headers: Option<&'a RawValue>,
    request_body: Option<&'a RawValue>,
    response_headers: Option<&'a RawValue>,
    response_body: Option<&'a RawValue>,
}

/// The names of [`Fields`], and what a log has besides where it is given: nobody misses that.
const KNOWN: [&str; 29] = [
    "id",
    "created_at",
    "status",
    "status_code",
    "method",
    "url",
    "endpoint",
    "request_id",
    "channel",
    "user_email",
    "user_id",
    "app_id",
    "app_name",
    "client_app_id",
    "ip",
    "user_agent",
    "async_action_id",
    "request_duration",
    "resource",
    "notes",
    "origin",
    "request",
    "response",
    "request_headers",
    "request_body",
    "response_headers",
    "response_body",
    "object",
    "import_file",
];
/// The names of [`MessageFields`].
const KNOWN_OF_SIDE: [&str; 4] = ["headers", "body", "bytes", "content_type"];

/// The keys of an entry that are passed over, those of its sides with the side before; none where it is no JSON object.
pub(crate) fn unknown_keys(json: &str) -> Vec<String> {
    type Object<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;
    let Ok(entry) = serde_json::from_str::<Object<'_>>(json) else {
        return Vec::new();
    };
    let mut unknown = Vec::new();
    for (name, value) in &entry {
        if !KNOWN.contains(&name.as_ref()) {
            unknown.push(name.clone().into_owned());
        } else if matches!(name.as_ref(), "request" | "response") {
            let side = serde_json::from_str::<Object<'_>>(value.get()).unwrap_or_default();
            let names = side.into_keys().filter(|key| !KNOWN_OF_SIDE.contains(&key.as_ref()));
            unknown.extend(names.map(|key| format!("{name}.{key}")));
        }
    }
    unknown
}

/// `null` is something that was sent, not something that is missing.
fn present<'de: 'a, 'a, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// The fields of one side.
#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct MessageFields<'a> {
    #[serde(borrow)]
    headers: Option<&'a RawValue>,
    body: Option<&'a RawValue>,
    bytes: Option<&'a RawValue>,
    content_type: Option<&'a RawValue>,
}

/// Names of the fields of one side, for what is said about them.
struct Side {
    name: &'static str,
    headers: &'static str,
    body: &'static str,
    bytes: &'static str,
    content_type: &'static str,
}

const REQUEST: Side = Side {
    name: "request",
    headers: "request.headers",
    body: "request.body",
    bytes: "request.bytes",
    content_type: "request.content_type",
};
const RESPONSE: Side = Side {
    name: "response",
    headers: "response.headers",
    body: "response.body",
    bytes: "response.bytes",
    content_type: "response.content_type",
};

/// Reads one entry, whose text is known to be JSON.
pub(crate) fn read(json: &str, trust: Trust) -> Result<Draft<'_>, Fault> {
    if !json.starts_with('{') {
        return Err(Fault::invalid("", "must be a JSON object, one log"));
    }
    let fields: Fields<'_> = serde_json::from_str(json).map_err(|error| Fault::invalid("", without_place(&error)))?;
    Ok(Draft {
        id: text("id", fields.id)?,
        created_at: when(fields.created_at)?,
        status: text("status", fields.status)?,
        status_code: code(fields.status_code, trust)?,
        method: text("method", fields.method)?,
        url: text("url", fields.url)?,
        endpoint: text("endpoint", fields.endpoint)?,
        route: None,
        request_id: text("request_id", fields.request_id)?,
        channel: text("channel", fields.channel)?,
        user_email: text("user_email", fields.user_email)?,
        user_id: text("user_id", fields.user_id)?,
        app_id: text("app_id", fields.app_id)?,
        app_name: text("app_name", fields.app_name)?,
        client_app_id: text("client_app_id", fields.client_app_id)?,
        ip: text("ip", fields.ip)?,
        user_agent: text("user_agent", fields.user_agent)?,
        async_action_id: text("async_action_id", fields.async_action_id)?,
        duration_ms: duration(fields.request_duration)?,
        resource: resource(fields.resource)?,
        notes: notes(fields.notes)?,
        origin: origin(fields.origin, trust)?,
        request: message(&REQUEST, fields.request, fields.request_headers, fields.request_body)?,
        response: message(&RESPONSE, fields.response, fields.response_headers, fields.response_body)?,
    })
}

fn message<'a>(
    side: &Side,
    nested: Option<&'a RawValue>,
    headers: Option<&'a RawValue>,
    body: Option<&'a RawValue>,
) -> Result<DraftMessage<'a>, Fault> {
    let fields = match nested {
        None => MessageFields::default(),
        Some(raw) if !raw.get().starts_with('{') => return Err(Fault::invalid(side.name, "must be an object")),
        Some(raw) => serde_json::from_str(raw.get()).map_err(|error| Fault::invalid(side.name, without_place(&error)))?,
    };
    let headers = fields
        .headers
        .or(headers)
        .map(|raw| Headers::read(raw.get(), side.headers))
        .transpose()?
        .unwrap_or_default();
    let bytes = fields.bytes.map(|raw| {
        raw.get()
            .parse()
            .ok()
            .filter(|bytes| *bytes >= 0)
            .ok_or_else(|| Fault::invalid(side.bytes, "must be a whole number"))
    });
    Ok(DraftMessage {
        headers,
        body: fields
            .body
            .or(body)
            .map_or(Ok(Body::None), |raw| read_body(raw.get(), side.body))?,
        content_type: text(side.content_type, fields.content_type)?,
        bytes: bytes.transpose()?,
    })
}

/// A body: JSON, text as a JSON string, or `{"encoding":"base64","data":…}`.
pub(crate) fn read_body<'a>(json: &'a str, field: &'static str) -> Result<Body<'a>, Fault> {
    match json.as_bytes().first() {
        Some(b'"') => string(json)
            .map(Body::Text)
            .ok_or_else(|| Fault::invalid(field, "is text with half of a surrogate pair")),
        Some(b'{') => Ok(match base64_of(json) {
            Some(data) => Body::Binary(
                BASE64
                    .decode(data.as_bytes())
                    .map_err(|_| Fault::invalid(field, "has data that is not base64"))?,
            ),
            None => Body::Json(Cow::Borrowed(json)),
        }),
        Some(b'n') | None => Ok(Body::None),
        Some(_) => Ok(Body::Json(Cow::Borrowed(json))),
    }
}

/// The data, where an object has these two fields and no other.
fn base64_of(json: &str) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Encoded<'a> {
        encoding: &'a str,
        #[serde(borrow)]
        data: Cow<'a, str>,
    }
    // Nearly every body is settled by its first key, without a look at the rest.
    let first = json[1..].trim_ascii_start();
    if !first.starts_with("\"encoding\"") && !first.starts_with("\"data\"") {
        return None;
    }
    serde_json::from_str::<Encoded<'_>>(json)
        .ok()
        .filter(|encoded| encoded.encoding == "base64")
        .map(|encoded| encoded.data)
}

/// A JSON string's text, borrowed where it has no escapes; none where it has half of a surrogate pair.
fn string(json: &str) -> Option<Cow<'_, str>> {
    let content = json.strip_prefix('"')?.strip_suffix('"')?;
    if memchr::memchr(b'\\', content.as_bytes()).is_none() {
        return Some(Cow::Borrowed(content));
    }
    serde_json::from_str(json).ok().map(Cow::Owned)
}

fn text<'a>(field: &'static str, raw: Option<&'a RawValue>) -> Result<Option<Cow<'a, str>>, Fault> {
    raw.map(|raw| string(raw.get()).ok_or_else(|| Fault::invalid(field, "must be a string")))
        .transpose()
}

fn when(raw: Option<&RawValue>) -> Result<Option<When<'_>>, Fault> {
    let Some(raw) = raw.map(RawValue::get) else { return Ok(None) };
    let time = string(raw).map(When::Text).or_else(|| raw.parse().ok().map(When::Millis));
    time.map(Some).ok_or_else(|| {
        Fault::invalid(
            "created_at",
            "must be a time as RFC 3339 has them, or milliseconds since 1970",
        )
    })
}

fn code(raw: Option<&RawValue>, trust: Trust) -> Result<Code, Fault> {
    match raw.map(RawValue::get) {
        None if trust == Trust::Import => Ok(Code::NoAnswer),
        None => Ok(Code::Missing),
        Some("null") => Ok(Code::NoAnswer),
        Some(number) => number
            .parse()
            .map(Code::Number)
            .map_err(|_| Fault::invalid("status_code", "must be a whole number from 100 to 999, or null")),
    }
}

fn duration(raw: Option<&RawValue>) -> Result<Option<f64>, Fault> {
    // JSON's numbers are a part of what Rust reads as one; a string or a word is none.
    let number = |raw: &RawValue| {
        raw.get()
            .parse()
            .map_err(|_| Fault::invalid("request_duration", "must be a number of milliseconds"))
    };
    raw.map(number).transpose()
}

/// `{"type":"voucher","id":"v_123"}`, or `"voucher:v_123"` as exports and filters write it.
fn resource(raw: Option<&RawValue>) -> Result<Option<ResourceParts<'_>>, Fault> {
    #[derive(Deserialize)]
    struct Parts {
        #[serde(rename = "type")]
        kind: String,
        id: String,
    }
    let Some(json) = raw.map(RawValue::get) else { return Ok(None) };
    let wrong = || Fault::invalid("resource", "must be an object with a type and an id, both strings");
    if let Some(text) = string(json) {
        return resource_of_text(&text).map(Some).ok_or_else(wrong);
    }
    let parts: Parts = serde_json::from_str(json).map_err(|_| wrong())?;
    Ok(Some((Cow::Owned(parts.kind), Cow::Owned(parts.id))))
}

/// `voucher:v_123` as its type and its id.
pub(crate) fn resource_of_text<'a>(text: &str) -> Option<ResourceParts<'a>> {
    let (kind, id) = text.split_once(':')?;
    Some((Cow::Owned(kind.to_owned()), Cow::Owned(id.to_owned())))
}

/// Notes that are known. What the sender was not allowed to see was not captured here.
fn notes(raw: Option<&RawValue>) -> Result<Vec<Note>, Fault> {
    let Some(json) = raw.map(RawValue::get) else {
        return Ok(Vec::new());
    };
    let words: Vec<String> = serde_json::from_str(json).map_err(|_| Fault::invalid("notes", "must be an array of strings"))?;
    let mut notes: Vec<Note> = words.iter().filter_map(|word| Note::parse(word)).collect();
    for note in &mut notes {
        if *note == Note::NotAllowed {
            *note = Note::NotCaptured;
        }
    }
    notes.sort_unstable();
    notes.dedup();
    Ok(notes)
}

fn origin(raw: Option<&RawValue>, trust: Trust) -> Result<Option<Origin>, Fault> {
    match text("origin", raw)? {
        Some(word) if trust == Trust::Import => Origin::parse(&word)
            .map(Some)
            .ok_or_else(|| Fault::invalid("origin", "must be application or self")),
        _ => Ok(None),
    }
}

/// Whether a JSON text is nested deeper than any body may be. Counts brackets, and does not recurse.
pub(crate) fn is_too_deep(json: &str) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_LEVELS {
            return true;
        }
    }
    false
}

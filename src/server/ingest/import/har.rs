//! HAR 1.2: `log.entries`, one by one, without ever holding the file.
//!
//! `serverIPAddress` is not who asked, cookies stand in the headers too, and names that begin with `_` are nobody's standard: all passed over.

use std::cell::RefCell;
use std::io::Read;
use std::ops::ControlFlow;

use data_encoding::BASE64;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::Sink;
use super::budget::Budget;
use crate::model::log::Note;
use crate::server::ingest::draft::{Body, Code, Draft, DraftMessage, Fault, When};
use crate::server::ingest::headers::{Headers, without_place};
use crate::server::ingest::text;

/// Said by the visitor to end the reading early; nobody sees it.
const STOPPED: &str = "stopped";

/// Reads every entry. What breaks the file itself ends it.
pub(super) fn read(file: impl Read, budget: &Budget, sink: &mut dyn Sink) -> Result<(), String> {
    let state = RefCell::new(State {
        number: 0,
        seen: false,
        stopped: false,
        budget,
        sink,
    });
    let mut reader = serde_json::Deserializer::from_reader(file);
    let read = Level::Top(&state).deserialize(&mut reader).and_then(|()| reader.end());
    let state = state.into_inner();
    match read {
        _ if state.stopped => Ok(()),
        Err(error) => Err(format!("after entry {}: {error}", state.number)),
        Ok(()) if !state.seen => Err("this is no HAR file: it has no log.entries".to_owned()),
        Ok(()) => Ok(()),
    }
}

struct State<'s> {
    number: u64,
    seen: bool,
    stopped: bool,
    budget: &'s Budget,
    sink: &'s mut dyn Sink,
}

/// How far inside the file we are.
#[derive(Clone, Copy)]
enum Level<'a, 's> {
    Top(&'a RefCell<State<'s>>),
    Log(&'a RefCell<State<'s>>),
    Entries(&'a RefCell<State<'s>>),
}

impl<'de> DeserializeSeed<'de> for Level<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self {
            Self::Top(_) | Self::Log(_) => deserializer.deserialize_map(self),
            Self::Entries(_) => deserializer.deserialize_seq(self),
        }
    }
}

impl<'de> Visitor<'de> for Level<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object with log.entries, an array, as HAR 1.2 has it")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match (self, key.as_str()) {
                (Self::Top(state), "log") => map.next_value_seed(Level::Log(state))?,
                (Self::Log(state), "entries") => map.next_value_seed(Level::Entries(state))?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Self::Entries(state) = self else {
            return Err(Error::custom("log is no object"));
        };
        state.borrow_mut().seen = true;
        while let Some(entry) = seq.next_element::<Box<RawValue>>()? {
            let mut state = state.borrow_mut();
            state.number += 1;
            let number = state.number;
            let draft = draft(entry.get()).map_err(|fault| fault.to_string());
            if state.sink.entry(number, super::Content::Json(entry.get().as_bytes()), draft) == ControlFlow::Break(()) {
                state.stopped = true;
                return Err(Error::custom(STOPPED));
            }
            state.budget.renew();
        }
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    started_date_time: String,
    time: Option<f64>,
    #[serde(borrow)]
    request: Request<'a>,
    response: Option<Response<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    method: String,
    url: String,
    #[serde(borrow)]
    headers: Option<&'a RawValue>,
    post_data: Option<PostData>,
    body_size: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PostData {
    mime_type: Option<String>,
    text: Option<String>,
    encoding: Option<String>,
    #[serde(default)]
    params: Vec<Param>,
}

#[derive(Deserialize)]
struct Param {
    name: String,
    #[serde(default)]
    value: String,
}

#[derive(Deserialize)]
struct Response<'a> {
    status: Option<i64>,
    #[serde(borrow)]
    headers: Option<&'a RawValue>,
    content: Option<Content>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    size: Option<f64>,
    mime_type: Option<String>,
    text: Option<String>,
    encoding: Option<String>,
}

fn draft(json: &str) -> Result<Draft<'_>, Fault> {
    let entry: Entry<'_> = serde_json::from_str(json).map_err(|error| Fault::invalid("", without_place(&error)))?;
    let mut draft = Draft {
        created_at: Some(When::Text(entry.started_date_time.into())),
        method: Some(entry.request.method.into()),
        url: Some(entry.request.url.into()),
        // HAR writes -1 for what is not known.
        duration_ms: entry.time.filter(|time| *time >= 0.0),
        status_code: Code::NoAnswer,
        ..Draft::default()
    };
    draft.request = request(entry.request.headers, entry.request.post_data, entry.request.body_size)?;
    if let Some(response) = entry.response {
        draft.status_code = match response.status {
            None | Some(0) => Code::NoAnswer,
            Some(code) => Code::Number(code),
        };
        draft.response = answer(response.headers, response.content)?;
    }
    if [&draft.request, &draft.response]
        .iter()
        .any(|message| matches!(message.body, Body::None) && message.bytes.is_some())
    {
        draft.notes.push(Note::NotCaptured);
    }
    Ok(draft)
}

fn request(headers: Option<&RawValue>, data: Option<PostData>, size: Option<f64>) -> Result<DraftMessage<'_>, Fault> {
    let headers = read_headers(headers, "request.headers")?;
    let Some(data) = data else {
        return Ok(DraftMessage {
            headers,
            bytes: known(size),
            ..DraftMessage::default()
        });
    };
    let text = match data.text {
        Some(text) if !text.is_empty() => text,
        _ => form(&data.params),
    };
    message(
        headers,
        text,
        data.encoding.as_deref(),
        data.mime_type,
        size,
        "request.postData",
    )
}

fn answer(headers: Option<&RawValue>, content: Option<Content>) -> Result<DraftMessage<'_>, Fault> {
    let headers = read_headers(headers, "response.headers")?;
    match content {
        None => Ok(DraftMessage {
            headers,
            ..DraftMessage::default()
        }),
        Some(content) => {
            let text = content.text.unwrap_or_default();
            message(
                headers,
                text,
                content.encoding.as_deref(),
                content.mime_type,
                content.size,
                "response.content",
            )
        }
    }
}

fn message<'a>(
    headers: Headers<'a>,
    text: String,
    encoding: Option<&str>,
    mime_type: Option<String>,
    size: Option<f64>,
    field: &'static str,
) -> Result<DraftMessage<'a>, Fault> {
    let content_type = mime_type.filter(|mime_type| !mime_type.is_empty() && mime_type != "x-unknown");
    let body = if encoding == Some("base64") {
        let bytes = BASE64
            .decode(text.as_bytes())
            .map_err(|_| Fault::invalid(field, "has text that is not base64"))?;
        match String::from_utf8(bytes) {
            Ok(text) => text::body(text.into(), content_type.as_deref(), field)?,
            Err(not_text) => Body::Binary(not_text.into_bytes()),
        }
    } else {
        text::body(text.into(), content_type.as_deref(), field)?
    };
    Ok(DraftMessage {
        headers,
        body,
        content_type: content_type.map(Into::into),
        bytes: known(size),
    })
}

fn read_headers<'a>(headers: Option<&'a RawValue>, field: &'static str) -> Result<Headers<'a>, Fault> {
    headers.map_or(Ok(Headers::default()), |headers| Headers::read(headers.get(), field))
}

/// A size that is known: HAR writes -1 where it is not, and 0 also where nothing was looked at.
fn known(size: Option<f64>) -> Option<i64> {
    size.filter(|size| *size >= 1.0).map(|size| size as i64)
}

/// The fields of a form, as they went over the wire.
fn form(params: &[Param]) -> String {
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    params
        .iter()
        .map(|param| format!("{}={}", encode(&param.name), encode(&param.value)))
        .collect::<Vec<_>>()
        .join("&")
}

//! A log as the API writes it. JSON bodies and headers go out as they are kept, byte for byte, without being read again.

use data_encoding::BASE64;
use jiff::Timestamp;
use serde::Serialize;

use crate::model::log::{BodyKind, Log, Message, Note};
use crate::model::rights::Rights;

/// What of a log's text goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bodies {
    /// Everything.
    Shown,
    /// Neither bodies nor headers: whoever asks may not see them.
    NotAllowed,
    /// Headers, but no bodies: they are too large for a list. The note is `truncated`; the log itself has them.
    TooLarge,
}

impl Bodies {
    pub(super) const fn of(rights: Rights) -> Self {
        if rights.read_bodies { Self::Shown } else { Self::NotAllowed }
    }
}

/// RFC 3339 with milliseconds, in UTC.
pub(in crate::server::http) fn time(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |time| format!("{time:.3}"))
}

/// Writes one log.
pub(super) fn write_log(out: &mut Vec<u8>, log: &Log, rights: Rights, bodies: Bodies) {
    let facts = &log.facts;
    let may_read = log.text.as_ref().filter(|_| rights.read_bodies);
    let who = |value: &Option<String>| value.clone().filter(|_| rights.read_users);
    let mut object = Object::begin(out);
    object.field("id", &facts.id);
    object.field("object", "api_log");
    object.field("created_at", &time(facts.created_at));
    object.field("status", facts.status.as_str());
    object.field("status_code", &facts.status_code);
    object.field("request_id", &facts.request_id);
    object.field("channel", &facts.channel);
    object.field("method", &facts.method);
    object.field("endpoint", &facts.endpoint);
    // Without the right to what was said the path is shown, as everywhere.
    object.field("url", may_read.map_or(&facts.path, |text| &text.url));
    object.field("user_email", &who(&facts.user_email));
    object.field("user_id", &who(&facts.user_id));
    object.field("app_id", &who(&facts.app_id));
    object.field("app_name", &who(&facts.app_name));
    object.field("client_app_id", &who(&facts.client_app_id));
    object.field("request_duration", &facts.duration_us.map(millis));
    object.field("ip", &facts.ip);
    object.field("user_agent", &may_read.and_then(|text| text.user_agent.as_ref()));
    object.field("origin", facts.origin.as_str());
    object.message("request", may_read.map(|text| &text.request), facts.request_bytes, bodies);
    object.message("response", may_read.map(|text| &text.response), facts.response_bytes, bodies);
    object.field("resource", &facts.resource);
    object.field("async_action_id", &facts.async_action_id);
    object.field("import_file", &log.import_file);
    object.field("notes", &notes(&facts.notes, bodies));
    object.end();
}

fn notes(kept: &[Note], bodies: Bodies) -> Vec<Note> {
    let mut notes = kept.to_vec();
    let more = match bodies {
        Bodies::Shown => None,
        Bodies::NotAllowed => Some(Note::NotAllowed),
        Bodies::TooLarge => Some(Note::Truncated),
    };
    notes.extend(more.filter(|note| !kept.contains(note)));
    notes
}

/// Whole milliseconds as a whole number, as clients of the reference expect it.
pub(super) fn millis(micros: i64) -> serde_json::Number {
    if micros % 1_000 == 0 {
        return (micros / 1_000).into();
    }
    serde_json::Number::from_f64(micros as f64 / 1_000.0).unwrap_or_else(|| (micros / 1_000).into())
}

/// An object that is being written.
struct Object<'a> {
    out: &'a mut Vec<u8>,
    empty: bool,
}

impl<'a> Object<'a> {
    fn begin(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, empty: true }
    }

    fn name(&mut self, name: &str) {
        if !std::mem::take(&mut self.empty) {
            self.out.push(b',');
        }
        write(self.out, name);
        self.out.push(b':');
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) {
        self.name(name);
        write(self.out, value);
    }

    /// A value that is JSON already.
    fn raw(&mut self, name: &str, json: &[u8]) {
        self.name(name);
        self.out.extend_from_slice(json);
    }

    fn message(&mut self, name: &str, message: Option<&Message>, bytes: i64, bodies: Bodies) {
        self.name(name);
        let mut object = Object::begin(self.out);
        if let Some(message) = message.filter(|_| bodies != Bodies::NotAllowed) {
            object.raw("headers", message.headers.as_bytes());
            object.body(message, bodies);
        } else {
            object.raw("headers", b"null");
            object.raw("body", b"null");
        }
        object.field("bytes", &bytes);
        object.field("content_type", &message.and_then(|message| message.content_type.as_ref()));
        object.end();
    }

    fn body(&mut self, message: &Message, bodies: Bodies) {
        if bodies == Bodies::TooLarge {
            return self.raw("body", b"null");
        }
        match message.kind {
            BodyKind::None => self.raw("body", b"null"),
            BodyKind::Json => self.raw("body", &message.body),
            BodyKind::Text => self.field("body", &String::from_utf8_lossy(&message.body)),
            BodyKind::Binary => {
                self.name("body");
                self.out.extend_from_slice(br#"{"encoding":"base64","data":""#);
                self.out.extend_from_slice(BASE64.encode(&message.body).as_bytes());
                self.out.extend_from_slice(br#""}"#);
            }
        }
    }

    fn end(self) {
        self.out.push(b'}');
    }
}

fn write<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    // Writing into memory does not fail, and these values are texts, numbers and lists of them.
    if serde_json::to_writer(&mut *out, value).is_err() {
        out.extend_from_slice(b"null");
    }
}

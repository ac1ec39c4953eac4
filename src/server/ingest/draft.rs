//! A log as somebody sent it, in whatever format: the fields as they were written, before anything is checked. Every format ends here.

use std::borrow::Cow;

use crate::model::id::{self, IdKind};
use crate::model::log::{BodyKind, LogFacts, LogText, Message, NewLog, Note, Origin, Resource, Status};

use super::entry::EntryContext;
use super::headers::{self, Headers};
use super::mask::MaskRules;

/// A body, 64 MB.
pub(crate) const MAX_BODY: usize = 64 << 20;
/// Levels that a JSON body's brackets may be nested.
pub(crate) const MAX_LEVELS: usize = 10_000;
/// Bytes of a URL.
const MAX_URL: usize = 32 << 10;
/// Bytes of a path that lists keep.
const MAX_PATH: usize = 2_048;
/// Bytes of any other text.
const MAX_TEXT: usize = 512;
/// Bytes of a user agent or a content type.
const MAX_LONG_TEXT: usize = 4_096;
/// Bytes of a method.
const MAX_METHOD: usize = 32;
/// `created_at` may be so many milliseconds ahead of the server: clocks differ.
const MAX_AHEAD_MS: i64 = 60 * 60 * 1_000;
/// A request may last so many milliseconds: a year.
const MAX_DURATION_MS: f64 = 366.0 * 86_400_000.0;

/// Why one entry was refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A field is wrong.
    Invalid {
        /// Its name, as `request.headers`.
        field: Cow<'static, str>,
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// A body or its headers are too large.
    TooLarge(String),
}

impl Fault {
    /// A field that is wrong.
    pub(crate) fn invalid(field: impl Into<Cow<'static, str>>, reason: impl Into<String>) -> Self {
        Self::Invalid {
            field: field.into(),
            reason: reason.into(),
        }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Invalid { field, reason } if field.is_empty() => f.write_str(reason),
            Self::Invalid { field, reason } => write!(f, "{field}: {reason}"),
            Self::TooLarge(reason) => f.write_str(reason),
        }
    }
}

/// When a request came, as it was written.
#[derive(Debug)]
pub(crate) enum When<'a> {
    /// RFC 3339.
    Text(Cow<'a, str>),
    /// Milliseconds since 1970.
    Millis(i64),
}

/// A status code, as it was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Code {
    /// There was no such field.
    #[default]
    Missing,
    /// `null`: no answer came.
    NoAnswer,
    /// A number.
    Number(i64),
}

/// A body, as it was written.
#[derive(Debug, Default)]
pub(crate) enum Body<'a> {
    /// There was none.
    #[default]
    None,
    /// The text of a JSON value, known to be right.
    Json(Cow<'a, str>),
    /// Text.
    Text(Cow<'a, str>),
    /// Anything else.
    Binary(Vec<u8>),
}

/// One side of a log, as it was written.
#[derive(Debug, Default)]
pub(crate) struct DraftMessage<'a> {
    pub(crate) headers: Headers<'a>,
    pub(crate) body: Body<'a>,
    pub(crate) content_type: Option<Cow<'a, str>>,
    /// The body's size, where the sender knows better than what is here.
    pub(crate) bytes: Option<i64>,
}

/// The type and the id of a resource.
pub(crate) type ResourceParts<'a> = (Cow<'a, str>, Cow<'a, str>);

/// A log as it was written.
#[derive(Debug, Default)]
pub(crate) struct Draft<'a> {
    pub(crate) id: Option<Cow<'a, str>>,
    pub(crate) created_at: Option<When<'a>>,
    pub(crate) status: Option<Cow<'a, str>>,
    pub(crate) status_code: Code,
    pub(crate) method: Option<Cow<'a, str>>,
    pub(crate) url: Option<Cow<'a, str>>,
    pub(crate) endpoint: Option<Cow<'a, str>>,
    /// The framework's route, where the sender says it: names the endpoint unless `endpoint` does.
    pub(crate) route: Option<Cow<'a, str>>,
    pub(crate) request_id: Option<Cow<'a, str>>,
    pub(crate) channel: Option<Cow<'a, str>>,
    pub(crate) user_email: Option<Cow<'a, str>>,
    pub(crate) user_id: Option<Cow<'a, str>>,
    pub(crate) app_id: Option<Cow<'a, str>>,
    pub(crate) app_name: Option<Cow<'a, str>>,
    pub(crate) client_app_id: Option<Cow<'a, str>>,
    pub(crate) ip: Option<Cow<'a, str>>,
    pub(crate) user_agent: Option<Cow<'a, str>>,
    pub(crate) async_action_id: Option<Cow<'a, str>>,
    pub(crate) duration_ms: Option<f64>,
    pub(crate) resource: Option<ResourceParts<'a>>,
    pub(crate) notes: Vec<Note>,
    /// Whose traffic it is, where the format is trusted to say so.
    pub(crate) origin: Option<Origin>,
    pub(crate) request: DraftMessage<'a>,
    pub(crate) response: DraftMessage<'a>,
}

impl Draft<'_> {
    /// Checks every field, masks, and names the endpoint.
    pub(crate) fn check(self, context: &EntryContext<'_>) -> Result<NewLog, Fault> {
        let method = method(self.method.as_deref())?;
        let url = url(self.url.as_deref())?;
        let status_code = status_code(self.status_code)?;
        let status = status(self.status.as_deref(), status_code)?;
        let created_at = created_at(self.created_at, context)?;
        let endpoint = text("endpoint", self.endpoint)?;
        let user_agent = self.user_agent.or_else(|| {
            self.request
                .headers
                .first("user-agent")
                .map(|value| Cow::Owned(value.to_owned()))
        });
        let user_agent = bounded("user_agent", user_agent, MAX_LONG_TEXT)?;
        let (id, client_id) = id(self.id, created_at, context)?;
        let origin = self.origin.unwrap_or(context.origin);
        let mut secrets = Secrets {
            context,
            is_application: origin == Origin::Application,
            masked: false,
        };
        let masked_url = secrets.url(url);
        // A pattern may mask what stands in the path, which lists and the endpoint's name would tell.
        let path = path_of(&masked_url);
        // Some senders call the path itself the route.
        let route = self.route.filter(|route| path == path_of(url) || **route != *path_of(url));
        let user_agent = user_agent.map(|value| secrets.header("user-agent", value));
        let request = secrets.message("request", self.request)?;
        let response = secrets.message("response", self.response)?;

        let mut facts = LogFacts {
            id,
            created_at,
            status,
            status_code,
            request_id: text("request_id", self.request_id)?,
            channel: text("channel", self.channel)?,
            // Last of all: what is refused uses no name.
            endpoint: String::new(),
            path: kept_path(path),
            method,
            user_email: secrets.who(text("user_email", self.user_email)?, MaskRules::user_email),
            user_id: secrets.who(text("user_id", self.user_id)?, MaskRules::user_id),
            app_id: text("app_id", self.app_id)?,
            app_name: text("app_name", self.app_name)?,
            client_app_id: text("client_app_id", self.client_app_id)?,
            duration_us: duration_us(self.duration_ms)?,
            ip: secrets.who(text("ip", self.ip)?, MaskRules::ip),
            origin,
            resource: resource(self.resource)?,
            async_action_id: text("async_action_id", self.async_action_id)?,
            request_bytes: request.1,
            response_bytes: response.1,
            notes: self.notes,
        };
        facts.endpoint = match (endpoint, route) {
            (Some(given), _) => context.endpoints.given(&given, &facts.method, path),
            (None, Some(route)) => context.endpoints.routed(&facts.method, &route, path),
            (None, None) => context.endpoints.name(&facts.method, path),
        };
        fill_sender(&mut facts, context);
        if secrets.masked && !facts.notes.contains(&Note::Masked) {
            facts.notes.push(Note::Masked);
        }
        facts.notes.sort_unstable();
        Ok(NewLog {
            facts,
            client_id,
            text: LogText {
                url: masked_url,
                user_agent,
                request: request.0,
                response: response.0,
            },
        })
    }
}

/// A log that names no key was sent by whoever's key signed the call.
fn fill_sender(facts: &mut LogFacts, context: &EntryContext<'_>) {
    let Some(sender) = &context.sender else { return };
    if facts.app_id.is_some() || facts.client_app_id.is_some() {
        return;
    }
    if sender.client {
        facts.client_app_id = Some(sender.app_id.clone());
    } else {
        facts.app_id = Some(sender.app_id.clone());
    }
    facts.app_name.get_or_insert_with(|| sender.name.clone());
}

/// Masks, and remembers whether there was anything to mask.
struct Secrets<'c, 'e> {
    context: &'c EntryContext<'e>,
    /// Of an application's log who did it, and from where, may be masked, too.
    is_application: bool,
    masked: bool,
}

impl Secrets<'_, '_> {
    fn url(&mut self, url: &str) -> String {
        match self.context.mask.url(url) {
            Some(masked) => {
                self.masked = true;
                masked
            }
            None => url.to_owned(),
        }
    }

    /// Who did it, or from where.
    fn who(&mut self, value: Option<String>, mask: impl Fn(&MaskRules, &str) -> Option<String>) -> Option<String> {
        let value = value?;
        let masked = self.is_application.then(|| mask(self.context.mask, &value)).flatten();
        self.masked |= masked.is_some();
        Some(masked.unwrap_or(value))
    }

    /// A header's value that is kept in a place of its own, too.
    fn header(&mut self, name: &str, value: String) -> String {
        match self.context.mask.header(name, &value) {
            Some(masked) => {
                self.masked = true;
                masked
            }
            None => value,
        }
    }

    /// The message as it is kept, and its body's size as it came.
    fn message(&mut self, side: &'static str, mut draft: DraftMessage<'_>) -> Result<(Message, i64), Fault> {
        let declared = draft
            .content_type
            .or_else(|| draft.headers.first("content-type").map(|value| Cow::Owned(value.to_owned())));
        let content_type = bounded_in(side, "content_type", declared, MAX_LONG_TEXT)?;
        self.masked |= self.context.mask.headers(&mut draft.headers.pairs);
        self.masked |= self.is_application && self.context.mask.client_headers(&mut draft.headers.pairs);
        let (kind, body) = match draft.body {
            Body::None => (BodyKind::None, Cow::default()),
            Body::Json(text) => (BodyKind::Json, into_bytes(text)),
            Body::Text(text) => (BodyKind::Text, into_bytes(text)),
            Body::Binary(bytes) => (BodyKind::Binary, Cow::Owned(bytes)),
        };
        if body.len() > MAX_BODY {
            return Err(Fault::TooLarge(format!(
                "{side}.body is {} bytes long; at most {MAX_BODY} are taken",
                body.len()
            )));
        }
        let bytes = draft.bytes.unwrap_or(body.len() as i64);
        let masked = self.context.mask.body(kind, content_type.as_deref(), &body);
        if kind == BodyKind::Json && masked.levels > MAX_LEVELS {
            let reason = format!("nested {} levels deep; at most {MAX_LEVELS} are taken", masked.levels);
            return Err(Fault::invalid(format!("{side}.body"), reason));
        }
        self.masked |= masked.bytes.is_some();
        let body = masked.bytes.unwrap_or_else(|| body.into_owned());
        let content_type = content_type.map(|value| self.header("content-type", value));
        Ok((
            Message {
                headers: headers::to_json(side, &draft.headers)?,
                kind,
                body,
                content_type,
            },
            bytes,
        ))
    }
}

fn into_bytes(text: Cow<'_, str>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

/// A token of RFC 9110, 5.6.2, in capitals.
fn method(method: Option<&str>) -> Result<String, Fault> {
    let method = method.ok_or_else(|| Fault::invalid("method", "is required, as \"GET\""))?;
    let is_token_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if method.is_empty() || method.len() > MAX_METHOD || !method.bytes().all(is_token_letter) {
        return Err(Fault::invalid(
            "method",
            format!("is no HTTP method of 1 to {MAX_METHOD} letters, as \"GET\""),
        ));
    }
    Ok(method.to_ascii_uppercase())
}

fn url(url: Option<&str>) -> Result<&str, Fault> {
    match url {
        None => Err(Fault::invalid("url", "is required, as \"/v1/customers\"")),
        Some("") => Err(Fault::invalid("url", "must not be empty")),
        Some(url) if url.len() > MAX_URL => Err(Fault::invalid(
            "url",
            format!("is {} bytes long; at most {MAX_URL} are taken", url.len()),
        )),
        Some(url) => Ok(url),
    }
}

fn status_code(code: Code) -> Result<Option<u16>, Fault> {
    match code {
        Code::Missing => Err(Fault::invalid(
            "status_code",
            "is required: 100 to 999, or null where no answer came",
        )),
        Code::NoAnswer => Ok(None),
        Code::Number(number) => match u16::try_from(number) {
            Ok(code) if (100..=999).contains(&code) => Ok(Some(code)),
            _ => Err(Fault::invalid(
                "status_code",
                format!("{number} is none of 100 to 999, nor null"),
            )),
        },
    }
}

fn status(word: Option<&str>, code: Option<u16>) -> Result<Status, Fault> {
    match word {
        None => Ok(Status::of_code(code)),
        Some(word) => Status::parse(word).ok_or_else(|| Fault::invalid("status", "must be SUCCESS or FAILURE")),
    }
}

fn created_at(when: Option<When<'_>>, context: &EntryContext<'_>) -> Result<i64, Fault> {
    let time = match when {
        None => return Ok(context.now_ms),
        Some(When::Millis(millis)) => millis,
        Some(When::Text(text)) => text
            .parse::<jiff::Timestamp>()
            .map_err(|_| {
                Fault::invalid(
                    "created_at",
                    "is no time as RFC 3339 has them (2026-01-31T10:00:00.000Z), nor milliseconds since 1970",
                )
            })?
            .as_millisecond(),
    };
    if time > context.now_ms.saturating_add(MAX_AHEAD_MS) {
        return Err(Fault::invalid(
            "created_at",
            "is more than an hour ahead of this server's clock",
        ));
    }
    if time < context.now_ms.saturating_sub(context.retention_ms) || time < 0 {
        return Err(Fault::invalid("created_at", "is older than logs are kept"));
    }
    Ok(time)
}

fn id(id: Option<Cow<'_, str>>, created_at: i64, context: &EntryContext<'_>) -> Result<(String, bool), Fault> {
    match id {
        None => Ok((context.random.id(IdKind::Log, created_at), false)),
        Some(id) if id::is_client_id(&id) => Ok((id.into_owned(), true)),
        Some(_) => Err(Fault::invalid("id", "must be 1 to 64 of A-Z a-z 0-9 _ -")),
    }
}

fn duration_us(millis: Option<f64>) -> Result<Option<i64>, Fault> {
    match millis {
        None => Ok(None),
        Some(millis) if (0.0..=MAX_DURATION_MS).contains(&millis) => Ok(Some((millis * 1_000.0).round() as i64)),
        Some(_) => Err(Fault::invalid(
            "request_duration",
            "must be a number of milliseconds, 0 or more",
        )),
    }
}

fn resource(resource: Option<ResourceParts<'_>>) -> Result<Option<Resource>, Fault> {
    let Some((kind, id)) = resource else { return Ok(None) };
    match (text("resource.type", Some(kind))?, text("resource.id", Some(id))?) {
        (Some(kind), Some(id)) => Ok(Some(Resource { kind, id })),
        _ => Err(Fault::invalid("resource", "must have a type and an id")),
    }
}

/// A text of the narrow row: bounded, and without control characters (PostgreSQL's text has no NUL). An empty one is none.
fn text(field: &'static str, value: Option<Cow<'_, str>>) -> Result<Option<String>, Fault> {
    let text = bounded(field, value, MAX_TEXT)?;
    if text
        .as_deref()
        .is_some_and(|text| text.bytes().any(|byte| byte.is_ascii_control()))
    {
        return Err(Fault::invalid(field, "must not have control characters"));
    }
    Ok(text)
}

fn bounded(field: &'static str, value: Option<Cow<'_, str>>, max: usize) -> Result<Option<String>, Fault> {
    bounded_in("", field, value, max)
}

fn bounded_in(side: &'static str, field: &'static str, value: Option<Cow<'_, str>>, max: usize) -> Result<Option<String>, Fault> {
    match value {
        Some(text) if text.len() > max => {
            let field = if side.is_empty() {
                Cow::Borrowed(field)
            } else {
                Cow::Owned(format!("{side}.{field}"))
            };
            Err(Fault::invalid(
                field,
                format!("is {} bytes long; at most {max} are taken", text.len()),
            ))
        }
        Some(text) if !text.is_empty() => Ok(Some(text.into_owned())),
        _ => Ok(None),
    }
}

/// The path of a URL, or of a request's target: without scheme, host, query and fragment.
fn path_of(url: &str) -> &str {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let url = &url[..end];
    match url.find("://") {
        Some(at) if !url[..at].contains('/') => url[at + 3..].find('/').map_or("/", |slash| &url[at + 3 + slash..]),
        _ if url.is_empty() => "/",
        _ => url,
    }
}

/// A path as lists keep it: bounded, control characters as URLs write them.
fn kept_path(path: &str) -> String {
    let mut kept = String::with_capacity(path.len().min(MAX_PATH));
    for letter in path.chars() {
        let before = kept.len();
        if letter.is_ascii_control() {
            kept.push_str(percent_encoding::percent_encode_byte(letter as u8));
        } else {
            kept.push(letter);
        }
        if kept.len() > MAX_PATH {
            kept.truncate(before);
            break;
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_what_lies_between_host_and_query() {
        for (url, path) in [
            ("/v1/a?x=/b#c", "/v1/a"),
            ("https://h.example/v1/a?b", "/v1/a"),
            ("https://h.example?b", "/"),
            ("https://h.example", "/"),
            ("?x", "/"),
            ("v1/a", "v1/a"),
            ("/r/http://x/y", "/r/http://x/y"),
        ] {
            assert_eq!(path_of(url), path, "{url}");
        }
    }

    #[test]
    fn a_kept_path_has_no_control_characters_and_its_bound() {
        assert_eq!(kept_path("/a\0b é"), "/a%00b é");
        assert_eq!(kept_path(&"é".repeat(2_000)).len(), MAX_PATH);
    }
}

//! An exchange as a log: through the same check and the same masking as everybody's.

use std::borrow::Cow;

use axum::http::{HeaderMap, header};
use recorder::{Captured, Ending, Exchange};
use serde::de::IgnoredAny;

use super::change::Told;
use super::{By, Subject};
use crate::model::log::{NewLog, Note, Origin, Resource, Status};
use crate::server::access::oidc;
use crate::server::http::embed;
use crate::server::ingest::draft::{Body, Code, Draft, DraftMessage, Fault, ResourceParts, When};
use crate::server::ingest::entry::EntryContext;
use crate::server::ingest::headers::{Headers, MAX_HEADERS};
use crate::server::store::projects::ProjectKey;

/// Bytes of a URL, a content type or a user agent that a log takes.
const MAX_URL: usize = 8 << 10;
const MAX_LONG_TEXT: usize = 4_096;

/// The log that an exchange becomes in one of its projects, of one of the things that it is about.
pub(super) fn of_exchange(
    exchange: &Exchange<Subject>,
    project: ProjectKey,
    about: Option<&Resource>,
    context: &EntryContext<'_>,
) -> Result<NewLog, Fault> {
    let subject = &exchange.context;
    let change = subject.change.as_ref().and_then(|change| change.told(project, context.mask));
    let path = exchange.uri.path();
    // What an identity provider leads back with is a way in, and so is an embedded view's token.
    let uri = if path == oidc::CALLBACK {
        oidc::CALLBACK.to_owned()
    } else {
        embed::hidden(path, exchange.uri.to_string().into()).into_owned()
    };
    let mut draft = Draft {
        created_at: Some(When::Millis(context.now_ms - exchange.duration.as_millis() as i64)),
        status_code: exchange
            .status
            .map_or(Code::NoAnswer, |status| Code::Number(status.as_u16().into())),
        method: Some(exchange.method.as_str().into()),
        endpoint: subject
            .route
            .as_deref()
            .map(|route| endpoint(exchange.method.as_str(), route).into()),
        url: Some(Cow::Owned(uri.chars().take(MAX_URL).collect())),
        request_id: Some(subject.request_id.as_str().into()),
        channel: subject.channel.as_deref().map(Cow::from),
        ip: subject.ip.map(|ip| ip.to_string().into()),
        user_agent: text(&exchange.request_headers, &header::USER_AGENT).map(|text| embed::hidden(path, text)),
        duration_ms: Some(exchange.duration.as_secs_f64() * 1_000.0),
        resource: about.map(|resource| -> ResourceParts<'_> { (resource.kind.as_str().into(), resource.id.as_str().into()) }),
        notes: notes(exchange, change.as_ref()),
        origin: Some(Origin::Own),
        request: message(path, &exchange.request_headers, &exchange.request),
        response: match change {
            Some(change) => changed(&exchange.response_headers, change.body),
            None => message(path, &exchange.response_headers, &exchange.response),
        },
        ..Draft::default()
    };
    if let Some((task, log)) = &subject.began {
        draft.id = Some(log.into());
        draft.async_action_id = Some(task.into());
    }
    if subject.failed {
        draft.status = Some(Status::Failure.as_str().into());
    }
    match &subject.by {
        By::Nobody => {}
        By::Person { id, email } => {
            draft.user_id = Some(id.into());
            draft.user_email = Some(email.into());
        }
        By::Key { app_id, name, client } => {
            let place = if *client {
                &mut draft.client_app_id
            } else {
                &mut draft.app_id
            };
            *place = Some(app_id.into());
            draft.app_name = Some(name.into());
        }
    }
    draft.check(context)
}

/// `GET_v1_logs_{id}`: the method and the route's template.
fn endpoint(method: &str, route: &str) -> String {
    format!("{method}{}", route.replace("{*", "{").replace('/', "_"))
}

/// Where a change stands in the answer's place, that is whole whatever the answer was.
fn notes<C>(exchange: &Exchange<C>, change: Option<&Told>) -> Vec<Note> {
    let mut notes = Vec::new();
    let response = &exchange.response;
    if exchange.request.truncated || (change.is_none() && (response.truncated || exchange.ending != Ending::Whole)) {
        notes.push(Note::Truncated);
    }
    if exchange.request.left_out || (change.is_none() && response.left_out) {
        notes.push(Note::NotCaptured);
    }
    if change.is_some_and(|change| change.masked) {
        notes.push(Note::Masked);
    }
    notes
}

/// What was changed, in the place of the answer's body.
fn changed(headers: &HeaderMap, change: String) -> DraftMessage<'_> {
    DraftMessage {
        headers: pairs("", headers),
        content_type: Some("application/json".into()),
        bytes: None,
        body: Body::Json(change.into()),
    }
}

fn message<'a>(path: &str, headers: &'a HeaderMap, captured: &'a Captured) -> DraftMessage<'a> {
    let content_type = text(headers, &header::CONTENT_TYPE);
    DraftMessage {
        headers: pairs(path, headers),
        body: body(captured, content_type.as_deref()),
        content_type,
        bytes: Some(captured.length as i64),
    }
}

fn body<'a>(captured: &'a Captured, content_type: Option<&str>) -> Body<'a> {
    if captured.bytes.is_empty() {
        return Body::None;
    }
    // A text that was cut off may end within a letter.
    let (text, is_text) = match std::str::from_utf8(&captured.bytes) {
        Ok(text) => (text, true),
        Err(error) if captured.truncated && error.error_len().is_none() => (
            std::str::from_utf8(&captured.bytes[..error.valid_up_to()]).unwrap_or_default(),
            true,
        ),
        Err(_) => ("", false),
    };
    if !is_text {
        return Body::Binary(captured.bytes.clone());
    }
    let is_json = content_type.is_some_and(|kind| kind.contains("json")) && serde_json::from_str::<IgnoredAny>(text).is_ok();
    if is_json {
        Body::Json(text.trim().into())
    } else {
        Body::Text(text.into())
    }
}

/// The headers, as many as a log takes. What frames an embedded view may repeat its address in one (`Referer`): without its token.
fn pairs<'a>(path: &str, headers: &'a HeaderMap) -> Headers<'a> {
    let mut room = MAX_HEADERS;
    let taken = headers.iter().map_while(|(name, value)| {
        room = room.checked_sub(name.as_str().len() + 3 * value.len())?;
        let value = embed::hidden(path, String::from_utf8_lossy(value.as_bytes()));
        Some((Cow::Borrowed(name.as_str()), value))
    });
    Headers {
        pairs: taken.take(1_000).collect(),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<Cow<'a, str>> {
    let value = String::from_utf8_lossy(headers.get(name)?.as_bytes());
    (value.len() <= MAX_LONG_TEXT).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_named_by_its_route() {
        assert_eq!(endpoint("GET", "/v1/logs/{id}/request"), "GET_v1_logs_{id}_request");
        assert_eq!(endpoint("GET", "/assets/{*path}"), "GET_assets_{path}");
    }

    #[test]
    fn a_body_is_kept_as_what_it_is() {
        let captured = |bytes: &[u8], truncated| Captured {
            bytes: bytes.to_vec(),
            length: bytes.len() as u64,
            truncated,
            ended: true,
            left_out: false,
        };
        let json = Some("application/json");
        assert!(matches!(body(&captured(br#"{"a":1}"#, false), json), Body::Json(_)));
        assert!(matches!(body(&captured(br#"{"a":"#, true), json), Body::Text(_)));
        assert!(matches!(body(&captured("é".as_bytes(), false), None), Body::Text(text) if text == "é"));
        assert!(matches!(body(&captured(b"a\xC3", true), None), Body::Text(text) if text == "a"));
        assert!(matches!(body(&captured(b"a\xC3", false), None), Body::Binary(_)));
        assert!(matches!(body(&captured(b"", false), json), Body::None));
    }
}

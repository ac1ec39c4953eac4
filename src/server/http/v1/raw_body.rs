//! `GET /v1/logs/{id}/request` and `…/response`: a body as it came, as a download. The same for a member who is signed in.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::log::found;
use crate::model::log::{BodyKind, Log, Message, Note};
use crate::model::rights::Scope;
use crate::server::access::{self, KeyAccess, Member};
use crate::server::error::ApiError;
use crate::server::http::recording::{self, Recording};
use crate::server::state::Server;

/// What came from outside never runs as a page of ours, even where somebody opens it.
pub(super) const SANDBOX: HeaderValue = HeaderValue::from_static("sandbox; default-src 'none'; frame-ancestors 'none'");

#[derive(Clone, Copy)]
enum Side {
    Request,
    Response,
}

impl Side {
    const fn word(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response => "response",
        }
    }
}

/// What was sent, by key.
#[utoipa::path(
    get,
    path = "/v1/logs/{id}/request",
    operation_id = "getRequestBody",
    tag = "Logs",
    summary = "What was sent, as it came",
    description = "Needs the scope `read:bodies`.",
    responses((status = 200, description = "The body, as a download of its own content type", body = Value, content_type = "*/*")),
)]
pub(super) async fn request(server: State<Server>, key: Extension<KeyAccess>, id: Path<String>) -> Result<Response, ApiError> {
    for_key(&server, &key, &id, Side::Request).await
}

/// What came back, by key.
#[utoipa::path(
    get,
    path = "/v1/logs/{id}/response",
    operation_id = "getResponseBody",
    tag = "Logs",
    summary = "What came back, as it came",
    description = "Needs the scope `read:bodies`.",
    responses((status = 200, description = "The body, as a download of its own content type", body = Value, content_type = "*/*")),
)]
pub(super) async fn response(server: State<Server>, key: Extension<KeyAccess>, id: Path<String>) -> Result<Response, ApiError> {
    for_key(&server, &key, &id, Side::Response).await
}

/// What was sent, for a member.
pub(super) async fn request_for_member(
    server: State<Server>,
    recording: Option<Extension<Recording>>,
    path: Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    for_member(&server, recording, &path, &headers, Side::Request).await
}

/// What came back, for a member.
pub(super) async fn response_for_member(
    server: State<Server>,
    recording: Option<Extension<Recording>>,
    path: Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    for_member(&server, recording, &path, &headers, Side::Response).await
}

async fn for_key(server: &Server, key: &KeyAccess, id: &str, side: Side) -> Result<Response, ApiError> {
    key.require(Scope::ReadBodies)?;
    download(found(server, key.project.key, id).await?, side)
}

async fn for_member(
    server: &Server,
    recording: Option<Extension<Recording>>,
    (project, id): &(String, String),
    headers: &HeaderMap,
    side: Side,
) -> Result<Response, ApiError> {
    let member = reader(server, recording, headers, project).await?;
    download(found(server, member.project.key, id).await?, side)
}

/// The member who asks, if they may read bodies.
pub(super) async fn reader(
    server: &Server,
    recording: Option<Extension<Recording>>,
    headers: &HeaderMap,
    project: &str,
) -> Result<Member, ApiError> {
    let member = access::member(server, headers, project).await?;
    if let Some(Extension(recording)) = recording {
        recording.context(|subject: &mut recording::Subject| subject.by_member(&member));
    }
    if member.rights.read_bodies {
        return Ok(member);
    }
    Err(ApiError::new(
        StatusCode::FORBIDDEN,
        "your role in this project may not read bodies (read:bodies)",
    ))
}

fn download(log: Log, side: Side) -> Result<Response, ApiError> {
    let message = log.text.map(|text| match side {
        Side::Request => text.request,
        Side::Response => text.response,
    });
    let Some(message) = message.filter(|message| message.kind != BodyKind::None) else {
        return Err(nothing(&log.facts.id, &log.facts.notes, side));
    };
    let name = format!("{}-{}.{}", log.facts.id, side.word(), extension(&message));
    let headers = [
        (header::CONTENT_TYPE, content_type(&message)),
        (header::CONTENT_DISPOSITION, attachment(&name)),
        (header::CONTENT_SECURITY_POLICY, SANDBOX),
    ];
    Ok((headers, message.body).into_response())
}

fn nothing(id: &str, notes: &[Note], side: Side) -> ApiError {
    let why = [Note::Expired, Note::NotCaptured]
        .into_iter()
        .find(|note| notes.contains(note));
    let why = why.map(|note| format!(": {}", note.as_str())).unwrap_or_default();
    ApiError::new(
        StatusCode::NOT_FOUND,
        format!("The log {id} has no {} body{why}", side.word()),
    )
}

fn content_type(message: &Message) -> HeaderValue {
    let own = message
        .content_type
        .as_deref()
        .and_then(|kind| HeaderValue::from_str(kind).ok());
    own.unwrap_or(match message.kind {
        BodyKind::Json => HeaderValue::from_static("application/json"),
        BodyKind::Text => HeaderValue::from_static("text/plain; charset=utf-8"),
        BodyKind::None | BodyKind::Binary => HeaderValue::from_static("application/octet-stream"),
    })
}

fn extension(message: &Message) -> &'static str {
    let essence = message
        .content_type
        .as_deref()
        .and_then(|kind| kind.split(';').next())
        .map(str::trim);
    let known = essence
        .and_then(mime_guess::get_mime_extensions_str)
        .and_then(|known| known.first().copied());
    match (message.kind, known) {
        (BodyKind::Json, _) => "json",
        (BodyKind::Text, None | Some("asm")) => "txt",
        (_, Some(known)) => known,
        (_, None) => "bin",
    }
}

/// A download of this name: plain for old clients, and as RFC 8187 writes any letter.
pub(super) fn attachment(name: &str) -> HeaderValue {
    let plain: String = name
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() || "._- ".contains(letter) {
                letter
            } else {
                '_'
            }
        })
        .collect();
    let whole = crate::model::query::escape(name);
    HeaderValue::from_str(&format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{whole}"))
        .unwrap_or(HeaderValue::from_static("attachment"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_break_out_of_its_header() {
        let header = attachment("a\"; filename=b\r\nX: é.csv");
        let text = header.to_str().unwrap();
        assert!(
            text.starts_with("attachment; filename=\"a__ filename_b__X_ _.csv\"; filename*=UTF-8''a%22"),
            "{text}"
        );
        assert!(text.ends_with("%C3%A9.csv"), "{text}");
    }

    #[test]
    fn a_body_is_called_what_it_is() {
        let message = |kind, content_type: Option<&str>| Message {
            kind,
            content_type: content_type.map(str::to_owned),
            ..Message::default()
        };
        assert_eq!(extension(&message(BodyKind::Json, Some("application/problem+json"))), "json");
        assert_eq!(extension(&message(BodyKind::Text, Some("text/csv; charset=utf-8"))), "csv");
        assert_eq!(extension(&message(BodyKind::Text, None)), "txt");
        assert_eq!(extension(&message(BodyKind::Binary, None)), "bin");
    }
}

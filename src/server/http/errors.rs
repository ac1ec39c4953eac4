//! Writes every error of the API in its one shape: those that handlers gave, those that axum made itself, and panics. Whoever sends OTLP's protobuf reads
//! no JSON, and gets its `Status`.

use std::any::Any;
use std::borrow::Cow;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::headers::RequestId;
use super::v1::otlp;
use super::{error_page, pages};
use crate::server::error::{self, ApiError};
use crate::server::state::Server;

/// Bytes of what axum says about a request that it could not read.
const MAX_SAID: usize = 4_096;

/// The paths that machines ask: every answer there is JSON, whatever went wrong.
pub(crate) fn is_for_machines(path: &str) -> bool {
    ["/v1", "/management", "/health", "/metrics"].iter().any(|prefix| {
        path.strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// The middleware that writes errors.
pub(crate) async fn in_one_shape(request: Request, next: Next) -> Response {
    let id = request
        .extensions()
        .get::<RequestId>()
        .map(|id| id.0.clone())
        .unwrap_or_default();
    let for_machines = is_for_machines(request.uri().path());
    let visit = error_page::Visit::of(&request);
    let reads_protobuf = otlp::reads_protobuf(&request);
    let mut answer = next.run(request).await;
    if let Some(error) = answer.extensions_mut().remove::<ApiError>() {
        return match visit {
            Some(visit) => visit.answer(&error, &id),
            None if reads_protobuf => otlp::refusal(answer, &error, &id),
            None => write(answer, &error, &id),
        };
    }
    let status = answer.status();
    let is_error = status.is_client_error() || status.is_server_error();
    if !for_machines || !is_error || is_json(&answer) {
        return answer;
    }
    let (parts, body) = answer.into_parts();
    let said = axum::body::to_bytes(body, MAX_SAID).await.unwrap_or_default();
    let error = error::of_status(status, String::from_utf8_lossy(&said));
    let answer = Response::from_parts(parts, Body::empty());
    if reads_protobuf {
        otlp::refusal(answer, &error, &id)
    } else {
        write(answer, &error, &id)
    }
}

fn write(answer: Response, error: &ApiError, id: &str) -> Response {
    let (mut parts, _) = answer.into_parts();
    parts
        .headers
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(error.to_json(id)))
}

fn is_json(answer: &Response) -> bool {
    answer
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"))
}

/// What a panic answers: the request's id leads to the server's log, where the panic is.
pub(crate) fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let said = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("something that is no text");
    tracing::error!(panic = said, "a handler panicked");
    ApiError::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "Something broke on the server; its log says what, under this request's id",
    )
    .into_response()
}

/// The answer where there is nothing: JSON for machines, a page for people.
pub(crate) async fn nothing_here(State(server): State<Server>, request: Request) -> Response {
    if is_for_machines(request.uri().path()) {
        return error::of_status(StatusCode::NOT_FOUND, Cow::Borrowed("")).into_response();
    }
    pages::not_found(&server, request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_have_their_paths() {
        for (path, is) in [
            ("/v1", true),
            ("/v1/logs", true),
            ("/v10", false),
            ("/health/live", true),
            ("/projects/v1", false),
            ("/metrics", true),
        ] {
            assert_eq!(is_for_machines(path), is, "{path}");
        }
    }
}

//! How large a body may be where the handler does not settle it itself.

use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::Limited;

use super::limits::{declared_length, too_large};

/// Forms and server functions: far more than any of them sends.
const MOST: usize = 1 << 20;

/// Refuses a body that is too large before reading it, and stops reading one that turns out to be.
pub(crate) async fn check(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let is_large = matches!(
        (request.method(), route),
        (
            &Method::POST,
            Some("/v1/logs" | "/v1/logs/import" | "/v1/otlp/v1/traces" | "/v1/otlp/v1/logs" | "/projects/{project}/tasks/import")
        ) | (&Method::PUT, Some("/v1/logs/{id}/import-file" | "/v1/exports/{id}/file"))
    );
    if is_large {
        return next.run(request).await;
    }
    match declared_length(request.headers()) {
        Some(length) if length > MOST as u64 => too_large(length, MOST).into_response(),
        _ => next.run(request.map(|body| Body::new(Limited::new(body, MOST)))).await,
    }
}

//! Client-side keys send from pages of other origins: those alone may read the answer, and only from the origins that some key names.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::server::error::ApiError;
use crate::server::state::Server;
use crate::server::store::{StoreError, keys};

const METHODS: HeaderValue = HeaderValue::from_static("POST");
const HEADERS: HeaderValue = HeaderValue::from_static(
    "content-type, idempotency-key, x-client-application-id, x-client-token, x-request-id, x-voucherify-channel",
);
const EXPOSED: HeaderValue = HeaderValue::from_static("retry-after, x-rate-limit-limit, x-rate-limit-remaining, x-request-id");
/// Browsers keep the answer to a preflight for two hours at most (Chromium's bound).
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");

/// Answers preflights, and lets a page of an allowed origin read what its call was answered.
pub(super) async fn answer(State(server): State<Server>, request: Request, next: Next) -> Response {
    let sends = matches!(request.uri().path(), "/v1/logs" | "/v1/events");
    let origin = request.headers().get(header::ORIGIN).cloned();
    let (Some(origin), true) = (origin, sends) else {
        return next.run(request).await;
    };
    let preflight = *request.method() == Method::OPTIONS;
    match is_allowed(&server, &origin).await {
        Ok(true) => {}
        Ok(false) if preflight => {
            return ApiError::new(StatusCode::FORBIDDEN, "no client-side key is taken from this origin").into_response();
        }
        Ok(false) => return next.run(request).await,
        Err(error) => return ApiError::from(error).into_response(),
    }
    let mut answer = if preflight {
        preflight_answer()
    } else {
        next.run(request).await
    };
    let headers: &mut HeaderMap = answer.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    answer
}

fn preflight_answer() -> Response {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS),
        (header::ACCESS_CONTROL_MAX_AGE, MAX_AGE),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

async fn is_allowed(server: &Server, origin: &HeaderValue) -> Result<bool, StoreError> {
    let Ok(origin) = origin.to_str() else { return Ok(false) };
    let origins = keys::client_origins(&server.db).await?;
    Ok(origins.iter().any(|known| known.eq_ignore_ascii_case(origin)))
}

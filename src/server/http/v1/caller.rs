//! Who calls: the key behind a call, its allowance, and what is recorded of it.

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::server::access::{self, KeyAccess};
use crate::server::error::ApiError;
use crate::server::http::recording::Recording;
use crate::server::state::Server;

const LIMIT: HeaderName = HeaderName::from_static("x-rate-limit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-rate-limit-remaining");

/// What a key has of its calls a minute.
#[derive(Clone, Copy, Debug)]
pub(in crate::server::http) struct Allowance {
    most: u32,
    left: u32,
}

impl Allowance {
    /// Takes a call from a key's allowance: its own calls a minute, or the instance's.
    pub(in crate::server::http) fn take(server: &Server, app_id: &str, own: Option<u32>) -> Result<Self, ApiError> {
        let most = own.unwrap_or_else(|| server.limits.per_minute());
        let taken = server.limits.take(app_id, most);
        let left = taken.map_err(|seconds| {
            let details = format!("this key has {most} calls a minute");
            ApiError::new(StatusCode::TOO_MANY_REQUESTS, details)
                .keyed("rate_limited")
                .retry_after(seconds)
        })?;
        Ok(Self { most, left })
    }
}

/// Lets a call in by its key, which handlers then find in the extensions; client-side keys only send.
pub(super) async fn let_in(State(server): State<Server>, mut request: Request, next: Next) -> Response {
    match allowed(&server, &mut request).await {
        Err(error) => error.into_response(),
        Ok(left) => {
            let answer = next.run(request).await;
            if answer.status().is_success() {
                telling(left, answer)
            } else {
                answer
            }
        }
    }
}

/// Lets a call in by its key inside a handler, for a path that not only keys may ask: the key, and how many calls it has left.
pub(super) async fn key_of(server: &Server, mut request: Request) -> Result<(KeyAccess, Allowance), ApiError> {
    let left = allowed(server, &mut request).await?;
    let key = request.extensions_mut().remove::<KeyAccess>();
    let missing = || ApiError::new(StatusCode::UNAUTHORIZED, "a key is wanted");
    Ok((key.ok_or_else(missing)?, left))
}

/// Says in a successful answer how many calls the key has left.
pub(in crate::server::http) fn telling(allowance: Allowance, answer: impl IntoResponse) -> Response {
    let mut answer = answer.into_response();
    answer.headers_mut().insert(LIMIT, HeaderValue::from(allowance.most));
    answer.headers_mut().insert(REMAINING, HeaderValue::from(allowance.left));
    answer
}

async fn allowed(server: &Server, request: &mut Request) -> Result<Allowance, ApiError> {
    let sends = *request.method() == Method::POST && matches!(request.uri().path(), "/v1/logs" | "/v1/events");
    let key = if sends {
        access::sender_key(server, request.headers()).await?
    } else {
        access::key(server, request.headers()).await?
    };
    if let Some(recording) = request.extensions().get::<Recording>() {
        recording.context(|subject| subject.by_key(&key));
    }
    let allowance = Allowance::take(server, &key.app_id, key.calls_a_minute)?;
    request.extensions_mut().insert(key);
    Ok(allowance)
}

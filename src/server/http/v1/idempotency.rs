//! `Idempotency-Key` on every POST: the first answer that did something is kept 24 hours and given again; another call under the key is refused.
//!
//! What brings logs (`POST /v1/logs`, OTLP) keeps its key in the transaction that stores them, so it is passed on as it is.

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Extensions, HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::server::access::{KeyAccess, ManagementAccess};
use crate::server::error::ApiError;
use crate::server::state::Server;
use crate::server::store::idempotency::{self, Known};
use crate::server::store::projects::ProjectKey;

/// Letters of an `Idempotency-Key`.
const MAX_KEY: usize = 255;
/// Bytes of a body that is read to tell calls apart; no endpoint but those for files takes more.
const MOST: usize = 2 << 20;
/// Stands for a project where there is none; their numbers begin at 1.
const NO_PROJECT: ProjectKey = 0;
/// What kept answers are sealed for: one may hold a secret that is shown once.
const PURPOSE: &str = "idempotency-answer";

/// An answer that is given again.
#[derive(Serialize, Deserialize)]
struct Kept {
    status: u16,
    body: String,
}

/// The header's value, where there is one.
pub(super) fn key_of(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    match value.to_str() {
        Ok(key) if (1..=MAX_KEY).contains(&key.len()) => Ok(Some(key.to_owned())),
        _ => Err(ApiError::unreadable(format!(
            "Idempotency-Key must be 1 to {MAX_KEY} printable letters"
        ))),
    }
}

/// Answers a call that came before as it was answered then.
pub(in crate::server::http) async fn once(State(server): State<Server>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let brings_logs = path == "/v1/logs" || path.starts_with("/v1/otlp/");
    let is_meant = request.method() == Method::POST && !brings_logs;
    if !is_meant {
        return next.run(request).await;
    }
    match key_of(request.headers()) {
        Ok(None) => next.run(request).await,
        Ok(Some(key)) => match run(&server, &key, request, next).await {
            Ok(answer) => answer,
            Err(error) => error.into_response(),
        },
        Err(error) => error.into_response(),
    }
}

/// Whose key it is: a project's, or a management key's, which is of none.
fn place(extensions: &Extensions, key: &str) -> Option<(ProjectKey, String)> {
    if let Some(access) = extensions.get::<KeyAccess>() {
        return Some((access.project.key, key.to_owned()));
    }
    let manager = extensions.get::<ManagementAccess>()?;
    Some((NO_PROJECT, format!("{} {key}", manager.app_id)))
}

async fn run(server: &Server, key: &str, request: Request, next: Next) -> Result<Response, ApiError> {
    let Some((project, key)) = place(request.extensions(), key) else {
        return Ok(next.run(request).await);
    };
    let key = key.as_str();
    let (fingerprint, request) = fingerprint(request).await?;
    match idempotency::begin(&server.db, project, key, &fingerprint, server.clock.now_ms()).await? {
        Known::New => {}
        Known::Answered(sealed) => return again(server, &sealed),
        Known::Other => {
            let details = "this Idempotency-Key was used with another request";
            return Err(ApiError::new(StatusCode::CONFLICT, details).keyed("idempotency_key_reused"));
        }
        Known::Running => {
            let details = "the first call with this Idempotency-Key has not ended yet";
            return Err(ApiError::new(StatusCode::CONFLICT, details).retry_after(1));
        }
    }
    let answer = next.run(request).await;
    if !answer.status().is_success() {
        // What may be done already is not to be done by a repeat.
        let is_known = answer
            .extensions()
            .get()
            .is_none_or(|error: &ApiError| !error.is_outcome_unknown());
        if is_known && let Err(error) = idempotency::forget(&server.db, project, key).await {
            tracing::error!(%error, "a key could not be forgotten: its repeats wait some minutes");
        }
        return Ok(answer);
    }
    let (parts, body) = answer.into_parts();
    let body = to_bytes(body, MOST).await.map_err(|error| {
        tracing::error!(%error, "an answer could not be kept for its repeats");
        ApiError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The call was done, but its answer could not be kept",
        )
    })?;
    let kept = Kept {
        status: parts.status.as_u16(),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    let sealed = server
        .key
        .seal(PURPOSE, serde_json::json!(kept).to_string().as_bytes(), &server.random);
    if let Err(error) = idempotency::keep(&server.db, project, key, &BASE64.encode(&sealed)).await {
        // The call is done, and its sender hears so; a repeat is told for some minutes that it has not ended.
        tracing::error!(%error, "an answer could not be kept for its repeats");
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}

/// What tells two calls apart. A form with files is told by its length: its boundary is another one each time.
async fn fingerprint(request: Request) -> Result<([u8; 32], Request), ApiError> {
    let mut hash = Sha256::new();
    hash.update(request.uri().path());
    hash.update([0]);
    let kind = request.headers().get(header::CONTENT_TYPE);
    if kind.is_some_and(|kind| kind.as_bytes().starts_with(b"multipart/")) {
        if let Some(length) = request.headers().get(header::CONTENT_LENGTH) {
            hash.update(length.as_bytes());
        }
        return Ok((hash.finalize().into(), request));
    }
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, MOST).await.map_err(|_| {
        let details = format!("a call with an Idempotency-Key has at most {MOST} bytes, and comes whole");
        ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, details)
    })?;
    hash.update(&body);
    Ok((hash.finalize().into(), Request::from_parts(parts, Body::from(body))))
}

fn again(server: &Server, sealed: &str) -> Result<Response, ApiError> {
    let opened = BASE64
        .decode(sealed.as_bytes())
        .ok()
        .and_then(|sealed| server.key.open(PURPOSE, &sealed));
    let kept = opened.and_then(|text| serde_json::from_slice::<Kept>(&text).ok());
    let Some(Kept { status, body }) = kept else {
        let details = "this Idempotency-Key was used with another request";
        return Err(ApiError::new(StatusCode::CONFLICT, details).keyed("idempotency_key_reused"));
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    Ok((status, [(header::CONTENT_TYPE, "application/json")], body).into_response())
}

//! The one shape that every error of the API has, and how each part's errors take it.
//!
//! An [`ApiError`] answers with its status, and with itself in the answer's extensions: the middleware (`http/errors.rs`) writes the
//! JSON there, where the request's id is known. To give a new error its answer: a `From` here.

use std::borrow::Cow;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::access::AccessError;
use super::ingest::entry::EntryError;
use super::ingest::otlp::OtlpError;
use super::selection::SelectionError;
use super::store::StoreError;
use super::store::logs::write::WriteError;
use crate::model::query::QueryProblem;

/// Seconds after which a database that could not be reached is worth another try.
const DATABASE_RETRY_S: u64 = 5;
/// Seconds after which a server that is stopping has been replaced.
const STOPPING_RETRY_S: u64 = 2;

/// The key of an error after which nobody knows whether anything was stored.
const OUTCOME_UNKNOWN: &str = "outcome_unknown";

/// Why a call did not get what it asked for: `{code, key, message, details, request_id, resource_id?, resource_type?}`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}: {details}")]
pub struct ApiError {
    status: StatusCode,
    key: &'static str,
    message: &'static str,
    details: String,
    retry_after_s: Option<u64>,
    resource: Option<(&'static str, String)>,
}

impl ApiError {
    /// An error of this status; its key and its message are the status's own.
    pub fn new(status: StatusCode, details: impl Into<String>) -> Self {
        let (key, message) = words(status);
        Self {
            status,
            key,
            message,
            details: details.into(),
            retry_after_s: None,
            resource: None,
        }
    }

    /// 400: the payload cannot be read.
    pub fn unreadable(details: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, details)
    }

    /// 400: an argument of the URL makes no sense.
    pub fn bad_query(details: impl Into<String>) -> Self {
        Self {
            key: "invalid_query_params",
            message: "Invalid query",
            ..Self::new(StatusCode::BAD_REQUEST, details)
        }
    }

    /// 404: there is no such thing for whoever asks.
    pub fn not_found(kind: &'static str, id: &str) -> Self {
        let error = Self::new(
            StatusCode::NOT_FOUND,
            format!("Cannot find {} with id {id}", kind.replace('_', " ")),
        );
        Self {
            resource: Some((kind, id.to_owned())),
            ..error
        }
    }

    /// 503: whether it was done is not known. Its key tells it from a refusal, after which nothing was stored.
    pub fn outcome_unknown() -> Self {
        let details = "The database broke off while this was being stored: it may be there or not. Send it again under the same id or Idempotency-Key";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, details)
            .keyed(OUTCOME_UNKNOWN)
            .retry_after(DATABASE_RETRY_S)
    }

    /// The same error, worth another try after so many seconds.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// The same error under a key of its own.
    #[must_use]
    pub const fn keyed(mut self, key: &'static str) -> Self {
        self.key = key;
        self
    }

    /// The same error under a message of its own.
    #[must_use]
    pub const fn worded(mut self, message: &'static str) -> Self {
        self.message = message;
        self
    }

    /// Whether it says that nobody knows what was stored.
    pub fn is_outcome_unknown(&self) -> bool {
        self.key == OUTCOME_UNKNOWN
    }

    /// The status it answers with.
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// What was wrong, in words.
    pub fn details(&self) -> &str {
        &self.details
    }

    /// Whether it says that the one thing that was asked for is not there.
    pub const fn misses_a_resource(&self) -> bool {
        self.resource.is_some() && self.status.as_u16() == StatusCode::NOT_FOUND.as_u16()
    }

    /// Seconds after which another try is worth it.
    pub const fn retry_after_s(&self) -> Option<u64> {
        self.retry_after_s
    }

    /// Its JSON.
    pub fn to_json(&self, request_id: &str) -> String {
        let body = Body {
            code: self.status.as_u16(),
            key: self.key,
            message: self.message,
            details: &self.details,
            request_id,
            resource_id: self.resource.as_ref().map(|(_, id)| id.as_str()),
            resource_type: self.resource.as_ref().map(|(kind, _)| *kind),
        };
        // Texts and numbers alone: there is nothing in it that JSON cannot say.
        serde_json::to_string(&body).unwrap_or_default()
    }
}

#[derive(serde::Serialize)]
struct Body<'a> {
    code: u16,
    key: &'a str,
    message: &'a str,
    details: &'a str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_type: Option<&'a str>,
}

/// The key and the message of a status.
const fn words(status: StatusCode) -> (&'static str, &'static str) {
    match status.as_u16() {
        400 => ("invalid_payload", "Invalid payload"),
        401 => ("unauthorized", "Unauthorized"),
        403 => ("forbidden", "Forbidden"),
        404 => ("not_found", "Resource not found"),
        405 => ("method_not_allowed", "Method not allowed"),
        408 => ("request_timeout", "The request came too slowly"),
        409 => ("conflict", "Conflict"),
        413 => ("payload_too_large", "Payload too large"),
        415 => ("unsupported_media_type", "Unsupported media type"),
        416 => ("range_not_satisfiable", "Range not satisfiable"),
        422 => ("invalid_entry", "Invalid entry"),
        429 => ("too_many_requests", "Too many requests"),
        431 => ("headers_too_large", "Request headers too large"),
        503 => ("unavailable", "Service unavailable"),
        code if code >= 500 => ("internal_error", "Internal server error"),
        _ => ("error", "The request failed"),
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut answer = self.status.into_response();
        if let Some(seconds) = self.retry_after_s {
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        answer.extensions_mut().insert(self);
        answer
    }
}

impl From<AccessError> for ApiError {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Unauthorized(why) => Self::new(StatusCode::UNAUTHORIZED, why),
            AccessError::Forbidden(why) => Self::new(StatusCode::FORBIDDEN, why),
            AccessError::NotFound => Self::new(StatusCode::NOT_FOUND, "There is no such project, or it is not yours"),
            AccessError::Store(error) => error.into(),
        }
    }
}

impl From<WriteError> for ApiError {
    fn from(error: WriteError) -> Self {
        let said = error.to_string();
        match error {
            WriteError::Full { retry_after_s } => Self::new(StatusCode::TOO_MANY_REQUESTS, said).retry_after(retry_after_s),
            WriteError::KeyReused => Self::new(StatusCode::CONFLICT, said).keyed("idempotency_key_reused"),
            WriteError::Stopping => Self::new(StatusCode::SERVICE_UNAVAILABLE, said).retry_after(STOPPING_RETRY_S),
            WriteError::Store(error) => error.into(),
        }
    }
}

impl From<EntryError> for ApiError {
    fn from(error: EntryError) -> Self {
        let status = match error {
            EntryError::Unreadable { .. } => StatusCode::BAD_REQUEST,
            EntryError::Invalid { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            EntryError::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        };
        Self::new(status, error.to_string())
    }
}

impl From<OtlpError> for ApiError {
    fn from(error: OtlpError) -> Self {
        let status = match error {
            OtlpError::Unreadable(_) => StatusCode::BAD_REQUEST,
            OtlpError::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        };
        Self::new(status, error.to_string())
    }
}

impl From<QueryProblem> for ApiError {
    fn from(problem: QueryProblem) -> Self {
        Self::bad_query(problem.to_string())
    }
}

impl From<SelectionError> for ApiError {
    fn from(error: SelectionError) -> Self {
        match error {
            SelectionError::Problem(problem) => problem.into(),
            SelectionError::NotAllowed(problem) => Self::new(StatusCode::FORBIDDEN, problem.to_string()),
        }
    }
}

impl From<StoreError> for ApiError {
    /// What the database said is for the server's own log: it may quote SQL, paths and data.
    fn from(error: StoreError) -> Self {
        if let StoreError::Taken(what) = &error {
            return Self::new(StatusCode::CONFLICT, format!("{what} is taken already"));
        }
        tracing::error!(%error, "the store failed");
        if matches!(error, StoreError::Doubtful(_)) {
            return Self::outcome_unknown();
        }
        match trouble(&error) {
            Some(words) => Self::new(StatusCode::SERVICE_UNAVAILABLE, words).retry_after(DATABASE_RETRY_S),
            None => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "The database did not do what was asked; the server's log says why",
            ),
        }
    }
}

/// What is wrong with a database that may well do a moment later what it does not do now; `None` where nothing will change by itself.
fn trouble(error: &StoreError) -> Option<&'static str> {
    const AWAY: &str = "The database cannot be reached right now";
    const FULL: &str = "The database's disk is full: nothing was stored";
    const READ_ONLY: &str = "The database can only be read right now: nothing was stored";
    let error = match error {
        StoreError::Database(sqlx::Error::Database(error)) => error,
        StoreError::Database(
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed,
        ) => return Some(AWAY),
        _ => return None,
    };
    let code = error.code()?;
    // PostgreSQL's have five letters. Classes 08 (connection), 53 (resources), 57 (shut down, starting up), 58 (its disk), 55000 (takes no connections now).
    if code.len() == 5 {
        return match &*code {
            "53100" => Some(FULL),
            "25006" => Some(READ_ONLY),
            "55000" => Some(AWAY),
            code => ["08", "53", "57", "58"].contains(&&code[..2]).then_some(AWAY),
        };
    }
    // SQLite's: the lowest byte says what, those above it where. A disk that was set read-only fails in writing: 778, and 1546 in cutting a file.
    let code: i32 = code.parse().ok()?;
    match code & 0xff {
        // Busy, locked, cannot be opened: no more files, say.
        5 | 6 | 14 => Some(AWAY),
        8 => Some(READ_ONLY),
        13 => Some(FULL),
        10 if matches!(code, 778 | 1546) => Some(READ_ONLY),
        _ => None,
    }
}

/// What axum itself refuses (a path, a query or a form that cannot be read), in the one shape.
pub(crate) fn of_status(status: StatusCode, said: Cow<'_, str>) -> ApiError {
    let details = match status {
        StatusCode::NOT_FOUND if said.is_empty() => Cow::Borrowed("There is nothing at this path"),
        StatusCode::METHOD_NOT_ALLOWED if said.is_empty() => {
            Cow::Borrowed("This path does not know this method; Allow names those it knows")
        }
        _ => said,
    };
    ApiError::new(status, details)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_the_interfaces_fields() {
        insta::assert_snapshot!(
            ApiError::not_found("api_log", "log_1").to_json("req_1"),
            @r#"{"code":404,"key":"not_found","message":"Resource not found","details":"Cannot find api log with id log_1","request_id":"req_1","resource_id":"log_1","resource_type":"api_log"}"#
        );
    }

    #[test]
    fn what_the_database_said_stays_inside() {
        let error = ApiError::from(StoreError::Database(sqlx::Error::Protocol(
            "SELECT secret FROM logs".to_owned(),
        )));
        assert_eq!(error.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!error.to_json("req_1").contains("SELECT"));
    }

    #[test]
    fn a_database_out_of_reach_is_worth_another_try() {
        let answer = ApiError::from(StoreError::Database(sqlx::Error::PoolTimedOut)).into_response();
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.headers()["retry-after"], "5");
    }

    #[test]
    fn whoever_cannot_know_says_so() {
        let lost = || sqlx::Error::Io(std::io::ErrorKind::UnexpectedEof.into());
        let doubtful = ApiError::from(StoreError::Doubtful(lost()));
        assert_eq!(doubtful.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(doubtful.to_json("r").contains("\"outcome_unknown\""), "{doubtful}");
        let refused = ApiError::from(StoreError::Database(lost()));
        assert!(refused.to_json("r").contains("\"unavailable\""), "{refused}");
    }

    #[test]
    fn a_full_queue_says_when_to_come_back() {
        let answer = ApiError::from(WriteError::Full { retry_after_s: 3 }).into_response();
        assert_eq!(
            (answer.status(), answer.headers()["retry-after"].as_bytes()),
            (StatusCode::TOO_MANY_REQUESTS, &b"3"[..])
        );
    }

    #[test]
    fn a_wrong_entry_is_named_by_its_index() {
        let invalid = EntryError::Invalid {
            index: 4,
            line: Some(5),
            field: "status_code".into(),
            reason: "99 is none of 100 to 999".into(),
        };
        let error = ApiError::from(invalid);
        assert_eq!(error.status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert!(error.to_json("r").contains("entry 4 (line 5): status_code: 99"), "{error}");
    }
}

//! A body that is one JSON object, read into a struct; what is wrong with it is said in words, with the field that it is about.
//!
//! A list is refused, although serde would read one into a struct, field by field.

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use crate::server::error::ApiError;

const AN_OBJECT: &str = "the body must be a JSON object";

/// What the body says.
pub(in crate::server::http) struct Fields<T>(pub(in crate::server::http) T);

impl<S, T> FromRequest<S> for Fields<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let bytes = Bytes::from_request(Request::from_parts(parts.clone(), body), state)
            .await
            .map_err(|rejection| ApiError::new(rejection.status(), rejection.body_text()))?;
        let is_list = is_list(&bytes);
        let read = Json::from_request(Request::from_parts(parts, Body::from(bytes)), state).await;
        match read {
            Ok(_) | Err(JsonRejection::JsonDataError(_)) if is_list => {
                Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, AN_OBJECT))
            }
            Ok(Json(fields)) => Ok(Self(fields)),
            Err(rejection) => Err(unreadable(&rejection)),
        }
    }
}

/// A field that was given, `null` too: for `#[serde(default, deserialize_with = "given")]`.
pub(in crate::server::http) fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    value: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(value).map(Some)
}

/// Whether JSON is a list.
pub(super) fn is_list(json: &[u8]) -> bool {
    json.trim_ascii_start().first() == Some(&b'[')
}

/// A body that is no JSON is 400, one that is but has a wrong field 422.
fn unreadable(rejection: &JsonRejection) -> ApiError {
    let text = rejection.body_text();
    let details = match text.split_once("into the target type: ") {
        Some((_, problem)) => plain(problem),
        None => text,
    };
    ApiError::new(rejection.status(), details)
}

/// What serde says of a field, in words: `rate_limit: must be a whole number from 1 to 100000`.
pub(super) fn plain(problem: &str) -> String {
    let problem = problem.rsplit_once(" at line ").map_or(problem, |(problem, _)| problem);
    let quoted = |text: &str| text.split('`').nth(1).unwrap_or_default().to_owned();
    // The field is named twice where it is unknown: once as the place, once in the words.
    if let Some((_, rest)) = problem.split_once("unknown field ") {
        return format!("{}: there is no such field", quoted(rest));
    }
    if let Some((_, rest)) = problem.split_once("missing field ") {
        return format!("{}: is missing", quoted(rest));
    }
    if let Some((_, rest)) = problem.split_once("duplicate field ") {
        return format!("{}: is there twice", quoted(rest));
    }
    let Some((place, expected)) = problem.split_once("invalid ").and_then(|(place, rest)| {
        let (_, expected) = rest.rsplit_once("expected ")?;
        Some((place.trim_end_matches(": "), expected))
    }) else {
        return problem.to_owned();
    };
    let wanted = match expected {
        "u32" if place == "rate_limit" => "must be a whole number from 1 to 100000, or null",
        "u8" if place == "progress" => "must be a whole number from 0 to 100",
        "u8" | "u16" | "u32" | "u64" => "must be a whole number, not below 0",
        "i8" | "i16" | "i32" | "i64" => "must be a whole number",
        "f32" | "f64" => "must be a number",
        "a string" | "a borrowed string" => "must be a text",
        "a boolean" => "must be true or false",
        "a sequence" => "must be a list",
        "a map" if place.is_empty() => return AN_OBJECT.to_owned(),
        "a map" => "must be an object",
        expected if expected.starts_with("struct ") && place.is_empty() => return AN_OBJECT.to_owned(),
        expected if expected.starts_with("struct ") => "must be an object",
        expected => return format!("{place}: must be {expected}").trim_start_matches(": ").to_owned(),
    };
    if place.is_empty() {
        wanted.to_owned()
    } else {
        format!("{place}: {wanted}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_in_words() {
        for (said, words) in [
            (
                "rate_limit: invalid type: string \"x\", expected u32 at line 1 column 74",
                "rate_limit: must be a whole number from 1 to 100000, or null",
            ),
            (
                "rate_limit: invalid value: integer `-1`, expected u32 at line 1 column 20",
                "rate_limit: must be a whole number from 1 to 100000, or null",
            ),
            (
                "events[0]: invalid type: integer `1`, expected a string at line 1 column 3",
                "events[0]: must be a text",
            ),
            (
                "invalid length 0, expected struct New with 7 elements at line 1 column 2",
                "the body must be a JSON object",
            ),
            (
                "colour: unknown field `colour`, expected one of `a`, `b` at line 1 column 9",
                "colour: there is no such field",
            ),
            ("missing field `type` at line 1 column 2", "type: is missing"),
            (
                "active: invalid type: string \"expected u32\", expected a boolean",
                "active: must be true or false",
            ),
        ] {
            assert_eq!(plain(said), words);
        }
    }

    #[test]
    fn a_list_is_no_object() {
        assert!(is_list(b" \n[1]"));
        assert!(!is_list(b"{}"));
        assert!(!is_list(b""));
    }
}

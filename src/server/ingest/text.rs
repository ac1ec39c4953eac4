//! Bodies of formats that know only text (CSV, HAR, attributes of OpenTelemetry): JSON where it is JSON.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::draft::{Body, Fault};
use super::json;

/// A body that was written as text: an object or an array (or, where the content type says JSON, any value) is JSON, the rest is text.
pub(crate) fn body<'a>(text: Cow<'a, str>, content_type: Option<&str>, field: &'static str) -> Result<Body<'a>, Fault> {
    let trimmed = text.trim_ascii();
    if trimmed.is_empty() {
        return Ok(if text.is_empty() { Body::None } else { Body::Text(text) });
    }
    let says_json = content_type.is_some_and(|content_type| content_type.to_ascii_lowercase().contains("json"));
    let may_be_json = says_json || trimmed.starts_with(['{', '[']);
    if !may_be_json || trimmed.starts_with('"') || serde_json::from_str::<&RawValue>(trimmed).is_err() {
        return Ok(Body::Text(text));
    }
    Ok(match json::read_body(trimmed, field)? {
        Body::Binary(bytes) => Body::Binary(bytes),
        _ => Body::Json(match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim_ascii()),
            Cow::Owned(text) => Cow::Owned(text.trim_ascii().to_owned()),
        }),
    })
}

//! Who asks: the person behind a page or a server function, and the project they ask about.

use axum::http::header::{COOKIE, LOCATION};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use leptos::prelude::use_context;
use leptos::server_fn::redirect::REDIRECT_HEADER;
use leptos_axum::ResponseOptions;
use serde_json::Value;

use super::error::ApiError;
use crate::server::access::{self, Member, Person};
use crate::server::http::recording;
use crate::server::state::Server;

/// The running server and the headers of the request, as the routes put them into the context.
pub(crate) fn request() -> Result<(Server, HeaderMap), ApiError> {
    let missing = || ApiError::Unavailable("The server is not ready.".to_owned());
    let server = use_context::<Server>().ok_or_else(missing)?;
    let parts = use_context::<Parts>().ok_or_else(missing)?;
    Ok((server, parts.headers))
}

/// A person in one of their projects.
pub(crate) struct Visit {
    /// The running server.
    pub(crate) server: Server,
    /// Who, where, and what they may.
    pub(crate) member: Member,
    headers: HeaderMap,
}

impl Visit {
    /// The visit behind the running server function, if whoever asks belongs to the project.
    pub(crate) async fn to(project: &str) -> Result<Self, ApiError> {
        let (server, headers) = request()?;
        let member = access::member(&server, &headers, project).await?;
        Ok(Self { server, member, headers })
    }

    /// The visit behind a server function that changes something, which its log says: who, where, and what it is about.
    pub(crate) async fn to_change(project: &str, (kind, id): (&str, &str)) -> Result<Self, ApiError> {
        let visit = Self::to(project).await?;
        if let Some(parts) = use_context::<Parts>() {
            recording::by_member(&parts.extensions, &visit.member);
        }
        if !id.is_empty() {
            visit.is_about((kind, id));
        }
        Ok(visit)
    }

    /// Says in the log of the running server function what it is about, once that is known.
    pub(crate) fn is_about(&self, (kind, id): (&str, &str)) {
        if let Some(parts) = use_context::<Parts>() {
            recording::about(parts.extensions.get(), kind, id);
        }
    }

    /// Says that the running server function is about two things alike: it becomes a log of each.
    pub(crate) fn is_about_both(&self, kind: &str, ids: [&str; 2]) {
        if let Some(parts) = use_context::<Parts>() {
            recording::about_both(parts.extensions.get(), kind, ids);
        }
    }

    /// Says in the log of the running server function what it changed of the project's settings: null `before` for what was made, `after` for what was removed.
    pub(crate) fn changed(&self, before: Value, after: Value) {
        if let Some(parts) = use_context::<Parts>() {
            recording::change::noted(parts.extensions.get(), self.member.project.key, before, after);
        }
    }

    /// `NotAllowed`, in words, for whoever does not settle the project; `what` is among its settings.
    pub(crate) fn must_settle(&self, what: &str) -> Result<(), ApiError> {
        if self.member.rights.settle {
            return Ok(());
        }
        Err(ApiError::NotAllowed(format!(
            "Your role in this project may neither see nor change {what}; an owner can."
        )))
    }

    /// A cookie's value.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        cookie(&self.headers, name)
    }
}

/// Sends whoever reads on to another address of this server: a page's reader by the answer itself, a page that is awake by the header that its router follows.
pub(crate) fn lead_to(address: &str) {
    let (Some(parts), Some(answer)) = (use_context::<Parts>(), use_context::<ResponseOptions>()) else {
        return;
    };
    // What stands in an address is escaped: it fits a header.
    let Ok(location) = HeaderValue::try_from(address) else {
        return;
    };
    answer.insert_header(LOCATION, location);
    if parts.uri.path().starts_with("/api/") {
        answer.insert_header(HeaderName::from_static(REDIRECT_HEADER), HeaderValue::from_static(""));
    } else {
        answer.set_status(StatusCode::SEE_OTHER);
    }
}

/// The person behind the running server function.
pub(crate) async fn person() -> Result<(Server, Person), ApiError> {
    let (server, headers) = request()?;
    let person = access::person(&server, &headers).await?.ok_or(ApiError::SignedOut)?;
    Ok((server, person))
}

/// A cookie's value, percent signs undone.
pub(crate) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let cookies = headers.get_all(COOKIE).into_iter().filter_map(|header| header.to_str().ok());
    let value = cookies.flat_map(|line| line.split(';')).find_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name).then(|| value.to_owned())
    })?;
    percent_encoding::percent_decode_str(&value)
        .decode_utf8()
        .ok()
        .map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("session=abc; tz=Europe%2FBerlin"));
        headers.append(COOKIE, HeaderValue::from_static("project=prj_1"));
        assert_eq!(cookie(&headers, "tz").unwrap(), "Europe/Berlin");
        assert_eq!(cookie(&headers, "project").unwrap(), "prj_1");
        assert_eq!(cookie(&headers, "t"), None);
    }
}

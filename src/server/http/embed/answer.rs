//! What an embedded view's page is answered with: its headers, and the pages that say why there is none.

use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY, RETRY_AFTER, X_FRAME_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;

use crate::app::pages::embed::told;
use crate::server::http::headers::MayBeFramed;
use crate::server::http::{assets, error_page};
use crate::server::store::StoreError;

const X_ROBOTS_TAG: HeaderName = HeaderName::from_static("x-robots-tag");
/// Seconds after which a database that was away is worth another try.
const RETRY_S: u64 = 5;

/// Why there is no page.
#[derive(Debug)]
pub(super) enum Refused {
    /// The link was never one, or is none any more: nobody is told which.
    Ended,
    /// Too many pages were asked for; seconds until there is another.
    TooOften(u64),
    /// The place in the list is not one of its own.
    NoPlace,
    /// The view does not select such a log.
    NoLog,
    /// The database failed.
    Store(StoreError),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Refused {
    /// The page that says so, where pages of these origins may frame it.
    pub(super) fn answer(&self, origins: &[String]) -> Response {
        if let Self::Store(error) = self {
            tracing::error!(%error, "an embedded view could not be read");
        }
        let (status, title, words) = self.words();
        let has_list = matches!(self, Self::NoPlace | Self::NoLog);
        let mut answer = page(told(&error_page::styles(&assets::head()), title, words, has_list), origins);
        *answer.status_mut() = status;
        let retry_s = match self {
            Self::TooOften(seconds) => Some(*seconds),
            Self::Store(_) => Some(RETRY_S),
            Self::Ended | Self::NoPlace | Self::NoLog => None,
        };
        if let Some(seconds) = retry_s {
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        answer
    }

    const fn words(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Ended => (
                StatusCode::NOT_FOUND,
                "This link is not valid or has ended",
                "Whoever gave it to you can make another.",
            ),
            Self::TooOften(_) => (
                StatusCode::TOO_MANY_REQUESTS,
                "That was too often",
                "Too many pages of this link were asked for. Wait a minute, then load this one again.",
            ),
            Self::NoPlace => (
                StatusCode::BAD_REQUEST,
                "The address makes no sense",
                "This list has no such place.",
            ),
            Self::NoLog => (
                StatusCode::NOT_FOUND,
                "There is no such log here",
                "It may have left the view's time range since, or it is none of this view's.",
            ),
            Self::Store(_) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "The page could not be read",
                "The database did not answer. Load the page again in a moment.",
            ),
        }
    }
}

/// A page that pages of these origins may frame, and nobody else's.
pub(super) fn page(html: String, origins: &[String]) -> Response {
    let mut answer = Response::new(Body::from(html));
    let headers = answer.headers_mut();
    for (name, value) in [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        // What a page of ours leads to is no business of anybody's who is asked for it.
        (REFERRER_POLICY, "no-referrer"),
        (X_ROBOTS_TAG, "noindex, nofollow"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    match HeaderValue::try_from(policy(origins)) {
        Ok(policy) if !origins.is_empty() => {
            headers.insert(CONTENT_SECURITY_POLICY, policy);
            // The older header knows no list of origins, and would contradict.
            answer.extensions_mut().insert(MayBeFramed);
        }
        framed_by_none => {
            headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
            // Origins that a header does not take are nobody's.
            let policy = framed_by_none.unwrap_or(FRAMED_BY_NONE);
            headers.insert(CONTENT_SECURITY_POLICY, policy);
        }
    }
    answer
}

const FRAMED_BY_NONE: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
);

/// The policy of a page in which nothing runs.
fn policy(origins: &[String]) -> String {
    let ancestors = if origins.is_empty() {
        "'none'".to_owned()
    } else {
        origins.join(" ")
    };
    format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors {ancestors}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_framed_where_its_origins_say_and_nowhere_else() {
        let alone = page(String::new(), &[]);
        assert_eq!(alone.headers()[CONTENT_SECURITY_POLICY], FRAMED_BY_NONE);
        assert_eq!(alone.headers()[X_FRAME_OPTIONS], "DENY");
        assert!(alone.extensions().get::<MayBeFramed>().is_none());
        let framed = page(
            String::new(),
            &["https://a.example".to_owned(), "https://b.example:8443".to_owned()],
        );
        let policy = framed.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(
            policy.ends_with("frame-ancestors https://a.example https://b.example:8443"),
            "{policy}"
        );
        assert!(!policy.contains("script") && !policy.contains("unsafe"), "{policy}");
        assert!(!framed.headers().contains_key(X_FRAME_OPTIONS) && framed.extensions().get::<MayBeFramed>().is_some());
        // What no header takes frames nothing.
        let broken = page(String::new(), &["https://a.example\n".to_owned()]);
        assert_eq!(broken.headers()[CONTENT_SECURITY_POLICY], FRAMED_BY_NONE);
    }

    #[test]
    fn whatever_is_wrong_with_a_link_is_said_in_the_same_words() {
        let answer = Refused::Ended.answer(&[]);
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
        assert_eq!(answer.headers()[REFERRER_POLICY], "no-referrer");
        assert_eq!(answer.headers()[CACHE_CONTROL], "no-store");
        assert_eq!(Refused::TooOften(7).answer(&[]).headers()[RETRY_AFTER], "7");
    }
}

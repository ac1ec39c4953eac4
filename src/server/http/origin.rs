//! Nobody else's page acts for whoever is signed in here: what may change something must come from this service's own pages.
//!
//! As Go's `http.CrossOriginProtection` does it: `Sec-Fetch-Site` where the browser sends it, else `Origin` against the host. A call without
//! either comes from no browser, so no cookie was added behind anybody's back.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::server::error::ApiError;
use crate::server::state::Server;

/// Refuses what another site's page sent, wherever a session could count: everywhere but where keys sign.
pub(crate) async fn check(State(server): State<Server>, request: Request, next: Next) -> Response {
    let by_key = ["/v1/", "/management/"]
        .iter()
        .any(|prefix| request.uri().path().starts_with(prefix));
    if request.method().is_safe() || by_key || is_own(request.headers(), server.config.public_url.as_deref()) {
        return next.run(request).await;
    }
    ApiError::new(
        StatusCode::FORBIDDEN,
        "this request was sent by a page of another site; only this service's own pages may",
    )
    .into_response()
}

/// Where nobody has said what address this service has, the host that the browser names must do; else a name that an attacker points here would.
fn is_own(headers: &HeaderMap, public_url: Option<&str>) -> bool {
    let text = |name| {
        headers
            .get(name)
            .map(|value: &axum::http::HeaderValue| value.to_str().unwrap_or("unreadable"))
    };
    match (text(header::HeaderName::from_static("sec-fetch-site")), text(header::ORIGIN)) {
        (Some("same-origin" | "none"), _) | (None, None) => true,
        // Over plain http, and not on the machine itself, browsers do not send Sec-Fetch-Site.
        (None, Some(origin)) => match public_url {
            Some(url) => origin.eq_ignore_ascii_case(url),
            None => is_of_host(origin, text(header::HOST)),
        },
        (Some(_), _) => false,
    }
}

fn is_of_host(origin: &str, host: Option<&str>) -> bool {
    let named = origin.split_once("://").map(|(_, named)| named);
    matches!((named, host), (Some(named), Some(host)) if named.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(public_url: Option<&str>, pairs: &[(&'static str, &str)]) -> bool {
        let headers = pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        is_own(&headers, public_url)
    }

    #[test]
    fn only_our_own_pages_act() {
        for (headers, is) in [
            (&[("sec-fetch-site", "same-origin")][..], true),
            (&[("sec-fetch-site", "none")], true),
            (&[("sec-fetch-site", "same-site")], false),
            (
                &[("sec-fetch-site", "cross-site"), ("origin", "https://audit.example.com")],
                false,
            ),
            (&[("origin", "https://audit.example.com")], true),
            // A name that somebody else pointed here.
            (&[("origin", "http://evil.example"), ("host", "evil.example")], false),
            (&[("origin", "https://evil.example"), ("host", "audit.example.com")], false),
            (&[("origin", "null"), ("host", "audit.example.com")], false),
            (&[("origin", "https://audit.example.com.evil.example")], false),
            (&[], true),
        ] {
            assert_eq!(own(Some("https://audit.example.com"), headers), is, "{headers:?}");
        }
        for (headers, is) in [
            (&[("origin", "http://127.0.0.1:3000"), ("host", "127.0.0.1:3000")][..], true),
            (&[("origin", "http://127.0.0.1:3001"), ("host", "127.0.0.1:3000")], false),
        ] {
            assert_eq!(own(None, headers), is, "{headers:?}");
        }
    }
}

//! The way in by an identity provider: there (`GET /sign-in/oidc`), and back.

use std::collections::HashMap;
use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};

use super::sign_in::{DoorError, enter, local_path};
use crate::server::access::oidc::{self, Back, CALLBACK, JOURNEY_MS, OidcError};
use crate::server::state::Server;

/// The cookie that is carried there and back.
const JOURNEY: &str = "audit_log_oidc";

/// The doors, to be merged into the server's router.
pub(super) fn routes() -> Router<Server> {
    Router::new().route("/sign-in/oidc", get(there)).route(CALLBACK, get(back))
}

fn cookie(server: &Server, value: String) -> Cookie<'static> {
    // Lax: the provider leads back from a site of its own.
    Cookie::build((JOURNEY, value))
        .path("/sign-in/oidc")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(server.config.is_https())
        .build()
}

async fn there(State(server): State<Server>, Query(arguments): Query<HashMap<String, String>>) -> Response {
    let next = arguments.get("next").map(String::as_str).unwrap_or_default();
    match oidc::begin(&server, local_path(next)).await {
        Ok((url, carried)) => {
            let mut cookie = cookie(&server, carried);
            cookie.set_max_age(time::Duration::milliseconds(JOURNEY_MS));
            (CookieJar::new().add(cookie), Redirect::to(&url)).into_response()
        }
        Err(error) => refused(&error),
    }
}

async fn back(
    State(server): State<Server>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Query(back): Query<Back>,
) -> Result<Response, DoorError> {
    let jar = CookieJar::from_headers(&headers);
    let carried = jar.get(JOURNEY).map(|cookie| cookie.value().to_owned()).unwrap_or_default();
    let answer = match oidc::end(&server, &carried, back).await {
        Ok((person, next)) => enter(&server, peer, &headers, person, &next).await?,
        Err(OidcError::Store(error)) => return Err(error.into()),
        Err(error) => refused(&error),
    };
    let mut gone = cookie(&server, String::new());
    gone.make_removal();
    Ok((CookieJar::new().add(gone), answer).into_response())
}

fn refused(error: &OidcError) -> Response {
    let word = match error {
        OidcError::Off => "oidc-off",
        OidcError::Lost => "oidc-lost",
        OidcError::NoEmail => "oidc-email",
        OidcError::Refused(_) => "oidc-refused",
        OidcError::Provider(_) | OidcError::Store(_) => "oidc-failed",
    };
    tracing::warn!(%error, "a sign-in by the identity provider failed");
    Redirect::to(&format!("/sign-in?error={word}")).into_response()
}

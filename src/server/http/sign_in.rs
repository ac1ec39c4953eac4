//! Signing in and out by plain forms, which work without scripts, and the way from `/` to where a person was last.
//!
//! The page `GET /sign-in` is the app's; these are the doors behind it.

use std::net::SocketAddr;

use axum::extract::rejection::FormRejection;
use axum::extract::{ConnectInfo, DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use axum_extra::extract::cookie::CookieJar;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use crate::server::access::issue::{self, SignInError, Visitor};
use crate::server::access::second::{self, SecondError};
use crate::server::access::{self, AccessError, Person};
use crate::server::state::Server;
use crate::server::store::accounts;

/// An e-mail address, a password and a path: far more than anybody types.
pub(super) const FORM_BYTES: usize = 16 * 1_024;

/// The doors, to be merged into the server's router.
pub fn routes() -> Router<Server> {
    Router::new()
        .route("/", get(start))
        .route("/sign-in", post(sign_in))
        .route("/sign-in/demo", post(sign_in_demo))
        .route("/sign-out", post(sign_out))
        .layer(DefaultBodyLimit::max(FORM_BYTES))
}

/// What the form sends.
#[derive(Deserialize)]
struct SignInForm {
    email: String,
    password: String,
    #[serde(default)]
    next: String,
}

/// The e-mail address of a sign-in that failed, in its answer's extensions.
#[derive(Clone, Debug)]
pub(super) struct Attempted(pub(super) String);

/// What the demo's button sends.
#[derive(Deserialize)]
struct DemoForm {
    #[serde(default)]
    next: String,
}

/// Why somebody is still outside.
#[derive(Debug, thiserror::Error)]
pub(super) enum DoorError {
    #[error(transparent)]
    SignIn(#[from] SignInError),
    #[error(transparent)]
    Access(#[from] AccessError),
    #[error(transparent)]
    Second(#[from] SecondError),
    #[error("{0}")]
    Form(#[from] FormRejection),
    #[error("the demo sign-in works on this machine alone, while the server runs with --demo")]
    NoDemo,
}

impl From<crate::server::store::StoreError> for DoorError {
    fn from(error: crate::server::store::StoreError) -> Self {
        Self::Access(error.into())
    }
}

impl IntoResponse for DoorError {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::SignIn(SignInError::Wrong) => StatusCode::UNAUTHORIZED,
            Self::SignIn(SignInError::Throttled { retry_after_s }) => {
                let answer = (
                    StatusCode::TOO_MANY_REQUESTS,
                    [(header::RETRY_AFTER, retry_after_s.to_string())],
                    sentence(&throttled(*retry_after_s)),
                );
                return answer.into_response();
            }
            Self::Form(rejection) => rejection.status(),
            Self::NoDemo => StatusCode::FORBIDDEN,
            // Signed out meanwhile.
            Self::Access(AccessError::Unauthorized(_)) => return Redirect::to("/sign-in").into_response(),
            Self::SignIn(_) | Self::Second(_) | Self::Access(_) => {
                tracing::error!(error = %self, "a sign-in failed");
                return (
                    StatusCode::SERVICE_UNAVAILABLE,
                    [(header::RETRY_AFTER, "5".to_owned())],
                    sentence("Signing in does not work right now. Please try again in a moment."),
                )
                    .into_response();
            }
        };
        (status, sentence(&self.to_string())).into_response()
    }
}

fn throttled(retry_after_s: u64) -> String {
    format!(
        "Too many sign-ins failed. Please try again in {} min.",
        retry_after_s.div_ceil(60)
    )
}

/// A page of one sentence, for what has no page of the app. The sentence is ours: nothing in it came from outside.
fn sentence(text: &str) -> Html<String> {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    Html(format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Sign in</title></head>\
         <body><main><p>{text}</p><p><a href=\"/sign-in\">Sign in</a></p></main></body></html>"
    ))
}

/// `GET /`: the logs of the project looked at last.
async fn start(State(server): State<Server>, headers: HeaderMap) -> Result<Response, DoorError> {
    let Some(person) = access::person(&server, &headers).await? else {
        return Ok(Redirect::to("/sign-in").into_response());
    };
    let projects = access::projects_of(&server, &person).await?;
    let last = accounts::last_project(&server.db, person.key).await?;
    let chosen = projects
        .iter()
        .find(|(project, _)| Some(project.key) == last)
        .or_else(|| projects.first());
    Ok(match chosen {
        Some((project, _)) => Redirect::to(&format!("/projects/{}/logs", project.id)).into_response(),
        // It says so, and what can be done.
        None => Redirect::to("/account").into_response(),
    })
}

async fn sign_in(
    State(server): State<Server>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    form: Result<Form<SignInForm>, FormRejection>,
) -> Result<Response, DoorError> {
    let Form(form) = form?;
    let ip = access::client_ip(&server.config, peer, &headers);
    if access::is_demo_email(&form.email) && !demo_is_open(&server, peer, &headers) {
        return Err(DoorError::NoDemo);
    }
    match issue::check_password(&server, &form.email, &form.password, ip).await {
        Ok(person) if second::is_on(&server, person.key).await? => {
            Ok(super::second::ask(&server, &person, local_path(&form.next)))
        }
        Ok(person) => enter(&server, peer, &headers, person, &form.next).await,
        Err(SignInError::Wrong) => {
            tracing::info!(%ip, "a sign-in with a wrong e-mail address or password");
            let next = utf8_percent_encode(local_path(&form.next), NON_ALPHANUMERIC);
            let answer = Redirect::to(&format!("/sign-in?error=wrong&next={next}")).into_response();
            Ok(attempted(answer, form.email))
        }
        Err(error @ SignInError::Throttled { .. }) => Ok(attempted(DoorError::from(error).into_response(), form.email)),
        Err(error) => Err(error.into()),
    }
}

/// Whoever records the request learns here whose account was tried.
pub(super) fn attempted(mut answer: Response, email: String) -> Response {
    answer.extensions_mut().insert(Attempted(email));
    answer
}

async fn sign_in_demo(
    State(server): State<Server>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    form: Result<Form<DemoForm>, FormRejection>,
) -> Result<Response, DoorError> {
    if !demo_is_open(&server, peer, &headers) {
        return Err(DoorError::NoDemo);
    }
    let person = access::demo_person(&server).await?.ok_or(DoorError::NoDemo)?;
    // The button may come without any field, and then without a content type.
    let next = form.map(|Form(form)| form.next).unwrap_or_default();
    enter(&server, peer, &headers, person, &next).await
}

async fn sign_out(State(server): State<Server>, headers: HeaderMap) -> Result<Response, DoorError> {
    // Read before the session ends: afterwards nobody knows whose it was.
    let person = access::person(&server, &headers).await?;
    let cookie = issue::end_session(&server, &headers).await?;
    let mut answer = (CookieJar::new().add(cookie), Redirect::to("/sign-in")).into_response();
    if let Some(person) = person {
        answer.extensions_mut().insert(person);
    }
    Ok(answer)
}

/// Begins a session in place of the one that the browser had.
pub(super) async fn enter(
    server: &Server,
    peer: SocketAddr,
    headers: &HeaderMap,
    person: Person,
    next: &str,
) -> Result<Response, DoorError> {
    issue::end_session(server, headers).await?;
    let user_agent = headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let visitor = Visitor {
        ip: access::client_ip(&server.config, peer, headers),
        user_agent,
    };
    let cookie = issue::session(server, &person, visitor).await?;
    let mut answer = (CookieJar::new().add(cookie), Redirect::to(local_path(next))).into_response();
    // Whoever records the request learns here who it was.
    answer.extensions_mut().insert(person);
    Ok(answer)
}

/// Only on this machine: a request that came through a proxy came from elsewhere, even where the proxy runs here.
fn demo_is_open(server: &Server, peer: SocketAddr, headers: &HeaderMap) -> bool {
    let forwarded = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];
    server.config.demo && peer.ip().to_canonical().is_loopback() && !forwarded.iter().any(|name| headers.contains_key(*name))
}

/// The path to go to after signing in, if it is one of this service, else `/`.
///
/// Browsers read `\` as `/` and drop tabs and line ends (WHATWG URL, 4.4), so that `/\evil.example` leads away: such paths are not taken.
pub(super) fn local_path(next: &str) -> &str {
    let stays = next.starts_with('/')
        && !next.starts_with("//")
        && next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
        && !next.starts_with("/sign-");
    if stays { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_service_are_followed() {
        for stays in ["/projects/prj_1/logs?status=FAILURE&q=a%20b", "/account", "/"] {
            assert_eq!(local_path(stays), stays);
        }
        for leaves in [
            "",
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "\\/evil.example",
            "javascript:alert(1)",
            "evil.example",
            " /account",
            "/a b",
            "/sign-out",
            "/ünsafe",
        ] {
            assert_eq!(local_path(leaves), "/", "{leaves:?}");
        }
    }
}

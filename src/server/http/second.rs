//! The second step of a sign-in: the code. A plain form, which works without scripts; the page `GET /sign-in/code` is the app's.

use std::net::SocketAddr;

use axum::extract::rejection::FormRejection;
use axum::extract::{ConnectInfo, DefaultBodyLimit, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::post;
use axum::{Form, Router};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::sign_in::{DoorError, FORM_BYTES, attempted, enter};
use crate::server::access::issue::{self, CodeError, SignInError};
use crate::server::access::second::{self, SecondError, TICKET_MS};
use crate::server::access::{self, Person};
use crate::server::state::Server;

/// The cookie that says whose password was right.
const TICKET: &str = "audit_log_second";

/// The door, to be merged into the server's router.
pub(super) fn routes() -> Router<Server> {
    Router::new()
        .route("/sign-in/code", post(code))
        .layer(DefaultBodyLimit::max(FORM_BYTES))
}

/// What the form sends.
#[derive(Deserialize)]
struct CodeForm {
    code: String,
    #[serde(default)]
    next: String,
}

fn cookie(server: &Server, value: String) -> Cookie<'static> {
    Cookie::build((TICKET, value))
        .path("/sign-in")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(server.config.is_https())
        .build()
}

/// Leads whoever showed the right password to the question for the code.
pub(super) fn ask(server: &Server, person: &Person, next: &str) -> Response {
    let mut cookie = cookie(server, second::ticket(server, person));
    cookie.set_max_age(time::Duration::milliseconds(TICKET_MS));
    let next = utf8_percent_encode(next, NON_ALPHANUMERIC);
    let answer = Redirect::to(&format!("/sign-in/code?next={next}"));
    (CookieJar::new().add(cookie), answer).into_response()
}

async fn code(
    State(server): State<Server>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    form: Result<Form<CodeForm>, FormRejection>,
) -> Result<Response, DoorError> {
    let Form(form) = form?;
    let ticket = CookieJar::from_headers(&headers)
        .get(TICKET)
        .map(|cookie| cookie.value().to_owned());
    let holder = match ticket {
        Some(ticket) => second::holder(&server, &ticket).await?,
        None => None,
    };
    let next = utf8_percent_encode(&form.next, NON_ALPHANUMERIC);
    let Some(person) = holder else {
        return Ok(Redirect::to(&format!("/sign-in?error=late&next={next}")).into_response());
    };
    let ip = access::client_ip(&server.config, peer, &headers);
    match issue::check_code(&server, &person, &form.code, ip).await {
        Ok(()) => {}
        Err(CodeError::Second(SecondError::Wrong)) => {
            let back = Redirect::to(&format!("/sign-in/code?error=wrong&next={next}")).into_response();
            return Ok(attempted(back, person.email));
        }
        Err(CodeError::Throttled(retry_after_s)) => {
            let slow = DoorError::from(SignInError::Throttled { retry_after_s }).into_response();
            return Ok(attempted(slow, person.email));
        }
        Err(CodeError::Second(SecondError::Store(error))) => return Err(error.into()),
        Err(CodeError::Second(error)) => return Err(error.into()),
    }
    let mut gone = cookie(&server, String::new());
    gone.make_removal();
    let entered = enter(&server, peer, &headers, person, &form.next).await?;
    Ok((CookieJar::new().add(gone), entered).into_response())
}

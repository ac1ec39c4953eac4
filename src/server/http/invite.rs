//! Coming in by an invitation: a plain form, which works without scripts. The page `GET /invite` is the app's; this is the door behind it.

use std::net::SocketAddr;

use axum::extract::rejection::FormRejection;
use axum::extract::{ConnectInfo, DefaultBodyLimit, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::post;
use axum::{Extension, Form, Router};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::recording::{self, Recording};
use super::shown;
use super::sign_in::{DoorError, FORM_BYTES, enter};
use crate::server::access;
use crate::server::access::invite::{self, JoinError, Shown};
use crate::server::state::Server;

/// The door, to be merged into the server's router.
pub(super) fn routes() -> Router<Server> {
    Router::new()
        .route("/invite", post(join))
        .layer(DefaultBodyLimit::max(FORM_BYTES))
}

/// What the form sends.
#[derive(Deserialize)]
struct JoinForm {
    token: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
}

async fn join(
    State(server): State<Server>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    recording: Option<Extension<Recording>>,
    headers: HeaderMap,
    form: Result<Form<JoinForm>, FormRejection>,
) -> Result<Response, DoorError> {
    let Form(form) = form?;
    let person = access::person(&server, &headers).await?;
    let shown = Shown {
        person: person.as_ref(),
        name: &form.name,
        password: &form.password,
    };
    match invite::join(&server, &form.token, shown).await {
        Ok(joined) => {
            let recording = recording.as_ref().map(|Extension(recording)| recording);
            let (was, is) = (
                shown::invitation(&joined.taken.invitation),
                shown::member(&joined.taken.member),
            );
            recording::change::noted(recording, joined.taken.project, was, is);
            let next = format!("/projects/{}/logs", joined.project_id);
            enter(&server, peer, &headers, joined.person, &next).await
        }
        Err(JoinError::Store(error)) => Err(error.into()),
        Err(JoinError::SignInFirst(email)) => {
            let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
            let next = encoded(&format!("/invite?token={}", form.token));
            Ok(Redirect::to(&format!("/sign-in?email={}&next={next}", encoded(&email))).into_response())
        }
        Err(error) => Ok(back(&form.token, &error)),
    }
}

/// Back to the form, with what was wrong.
fn back(token: &str, error: &JoinError) -> Response {
    let problem = match error {
        error if invite::is_unfit(error) => "unfit",
        JoinError::SomebodyElse(_) => "other",
        JoinError::Gone => "gone",
        _ => "failed",
    };
    let token = utf8_percent_encode(token, NON_ALPHANUMERIC);
    Redirect::to(&format!("/invite?token={token}&problem={problem}")).into_response()
}

//! What people change of their own account, by plain forms, which work without scripts. The page `GET /account` is the app's; these are the doors
//! behind it.
//!
//! To add one: its route, its form, and the word in the address that the page reads what came of it from.

use std::net::{IpAddr, SocketAddr};

use axum::extract::rejection::FormRejection;
use axum::extract::{ConnectInfo, DefaultBodyLimit, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::post;
use axum::{Extension, Form, Router};
use serde::Deserialize;
use serde_json::Value;

use super::recording::{self, Recording};
use super::shown;
use super::sign_in::{DoorError, FORM_BYTES, attempted};
use crate::model::project::ProjectWish;
use crate::server::access::issue::{self, CodeError, SignInError};
use crate::server::access::passwords::PasswordError;
use crate::server::access::second::{self, SecondError};
use crate::server::access::{self, AccessError, Person, own};
use crate::server::projects::{self, ProjectError};
use crate::server::state::Server;

/// The doors, to be merged into the server's router.
pub(super) fn routes() -> Router<Server> {
    Router::new()
        .route("/account/password", post(change_password))
        .route("/account/end-session", post(end_session))
        .route("/account/second-factor/begin", post(begin_second))
        .route("/account/second-factor/confirm", post(confirm_second))
        .route("/account/second-factor/leave", post(leave_second))
        .route("/account/second-factor/off", post(turn_second_off))
        .route("/account/projects", post(make_project))
        .route("/account/sign-out-everywhere", post(sign_out_everywhere))
        .layer(DefaultBodyLimit::max(FORM_BYTES))
}

/// What the password's form sends.
#[derive(Deserialize)]
struct PasswordForm {
    current_password: String,
    new_password: String,
}

/// What a session's button sends.
#[derive(Deserialize)]
struct SessionForm {
    session: String,
}

/// What the form of a new project sends.
#[derive(Deserialize)]
struct ProjectForm {
    name: String,
    time_zone: String,
}

async fn person(server: &Server, headers: &HeaderMap) -> Result<Person, DoorError> {
    let person = access::person(server, headers).await?;
    let missing = || AccessError::Unauthorized("sign in first".to_owned());
    Ok(person.ok_or_else(missing)?)
}

/// Back to the account's page; whoever records the request learns whose it was.
fn back(person: Person, said: &str) -> Response {
    let mark = if said.starts_with('#') || said.is_empty() { "" } else { "?" };
    let mut answer = Redirect::to(&format!("/account{mark}{said}")).into_response();
    answer.extensions_mut().insert(person);
    answer
}

async fn change_password(
    State(server): State<Server>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    form: Result<Form<PasswordForm>, FormRejection>,
) -> Result<Response, DoorError> {
    let Form(form) = form?;
    let person = person(&server, &headers).await?;
    if access::is_demo_email(&person.email) {
        return Ok(back(person, "problem=demo"));
    }
    let ip = access::client_ip(&server.config, peer, &headers);
    let words = (form.current_password.as_str(), form.new_password.as_str());
    match own::change_password(&server, &headers, &person, words, ip).await {
        Ok(()) => Ok(back(person, "done=password")),
        Err(SignInError::Wrong) => {
            let email = person.email.clone();
            Ok(attempted(Redirect::to("/account?problem=wrong").into_response(), email))
        }
        Err(SignInError::Throttled { .. }) => Ok(back(person, "problem=slow")),
        Err(SignInError::Password(PasswordError::Short)) => Ok(back(person, "problem=short")),
        Err(SignInError::Password(PasswordError::Long)) => Ok(back(person, "problem=long")),
        Err(error) => Err(error.into()),
    }
}

async fn end_session(
    State(server): State<Server>,
    headers: HeaderMap,
    form: Result<Form<SessionForm>, FormRejection>,
) -> Result<Response, DoorError> {
    let Form(form) = form?;
    let person = person(&server, &headers).await?;
    let ended = own::end(&server, &person, &form.session).await?;
    Ok(back(person, if ended { "done=session" } else { "problem=session" }))
}

/// What the forms of the second factor send.
#[derive(Deserialize)]
struct SecondForm {
    #[serde(default)]
    current_password: String,
    #[serde(default)]
    code: String,
}

/// Whether the person's password is right: else where they are led.
async fn knows_password(server: &Server, person: &Person, password: &str, ip: IpAddr) -> Result<Option<Response>, DoorError> {
    match issue::check_password(server, &person.email, password, ip).await {
        Ok(_) => Ok(None),
        Err(SignInError::Wrong) => Ok(Some(attempted(
            Redirect::to("/account?problem=wrong").into_response(),
            person.email.clone(),
        ))),
        Err(SignInError::Throttled { .. }) => Ok(Some(back(person.clone(), "problem=slow"))),
        Err(error) => Err(error.into()),
    }
}

async fn begin_second(
    State(server): State<Server>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    form: Result<Form<SecondForm>, FormRejection>,
) -> Result<Response, DoorError> {
    let Form(form) = form?;
    let person = person(&server, &headers).await?;
    if access::is_demo_email(&person.email) {
        return Ok(back(person, "problem=demo"));
    }
    let ip = access::client_ip(&server.config, peer, &headers);
    if let Some(refused) = knows_password(&server, &person, &form.current_password, ip).await? {
        return Ok(refused);
    }
    if !second::is_on(&server, person.key).await? {
        second::begin(&server, &person).await?;
    }
    Ok(back(person, "#second-factor"))
}

async fn confirm_second(
    State(server): State<Server>,
    headers: HeaderMap,
    form: Result<Form<SecondForm>, FormRejection>,
) -> Result<Response, DoorError> {
    let Form(form) = form?;
    let person = person(&server, &headers).await?;
    match second::confirm(&server, &person, &form.code).await {
        Ok(()) => Ok(back(person, "done=second")),
        Err(SecondError::Wrong) => Ok(back(person, "problem=code")),
        Err(SecondError::NotBegun) => Ok(back(person, "problem=not-begun")),
        Err(error) => Err(error.into()),
    }
}

async fn leave_second(State(server): State<Server>, headers: HeaderMap) -> Result<Response, DoorError> {
    let person = person(&server, &headers).await?;
    second::leave(&server, &person).await?;
    Ok(back(person, ""))
}

async fn turn_second_off(
    State(server): State<Server>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    form: Result<Form<SecondForm>, FormRejection>,
) -> Result<Response, DoorError> {
    let Form(form) = form?;
    let person = person(&server, &headers).await?;
    let ip = access::client_ip(&server.config, peer, &headers);
    if let Some(refused) = knows_password(&server, &person, &form.current_password, ip).await? {
        return Ok(refused);
    }
    match issue::check_code(&server, &person, &form.code, ip).await {
        Ok(()) => {
            second::turn_off(&server, &person).await?;
            Ok(back(person, "done=off"))
        }
        Err(CodeError::Second(SecondError::Wrong)) => Ok(back(person, "problem=code")),
        Err(CodeError::Throttled(_)) => Ok(back(person, "problem=slow")),
        Err(CodeError::Second(error)) => Err(error.into()),
    }
}

async fn make_project(
    State(server): State<Server>,
    recording: Option<Extension<Recording>>,
    headers: HeaderMap,
    form: Result<Form<ProjectForm>, FormRejection>,
) -> Result<Response, DoorError> {
    let Form(form) = form?;
    let person = person(&server, &headers).await?;
    if !person.operator {
        return Ok(back(person, "problem=operator"));
    }
    let wish = ProjectWish {
        name: form.name,
        time_zone: form.time_zone,
        templates: Vec::new(),
    };
    match projects::create(&server, &wish, Some(person.key)).await {
        Ok(project) => {
            let recording = recording.as_ref().map(|Extension(recording)| recording);
            let made = shown::project(&project.id, &projects::settings(&server, &project).await?);
            recording::change::noted(recording, project.key, Value::Null, made);
            let mut answer = Redirect::to(&format!("/projects/{}/logs", project.id)).into_response();
            answer.extensions_mut().insert(person);
            Ok(answer)
        }
        Err(ProjectError::TimeZone(_)) => Ok(back(person, "problem=zone")),
        Err(ProjectError::Store(error)) => Err(error.into()),
        Err(_) => Ok(back(person, "problem=name")),
    }
}

async fn sign_out_everywhere(State(server): State<Server>, headers: HeaderMap) -> Result<Response, DoorError> {
    let person = person(&server, &headers).await?;
    own::end_everywhere(&server, &person).await?;
    let mut answer = Redirect::to("/sign-in?done=everywhere").into_response();
    answer.extensions_mut().insert(person);
    Ok(answer)
}

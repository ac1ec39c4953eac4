//! Makes, changes, deletes and tests endpoints from the page.

use axum::http::request::Parts;
use leptos::prelude::use_context;
use serde_json::Value;

use super::{EndpointWish, FreshSecret};
use crate::api::error::ApiError;
use crate::api::visit::Visit;
use crate::model::endpoint::EndpointFacts;
use crate::server::http::recording::{self, Recording};
use crate::server::http::shown;
use crate::server::store::Changed;
use crate::server::webhooks::endpoints::{self, EndpointError, Wish};

/// The recording of the running server function.
fn recorded() -> Option<Recording> {
    use_context::<Parts>()?.extensions.get::<Recording>().cloned()
}

/// The visit of somebody who may settle endpoints.
async fn to_settle(project: &str, id: &str) -> Result<Visit, ApiError> {
    let visit = Visit::to_change(project, ("webhook", id)).await?;
    if !visit.member.rights.settle {
        return Err(ApiError::NotAllowed(
            "Your role in this project may not change endpoints; an owner can.".to_owned(),
        ));
    }
    Ok(visit)
}

/// What the server side said, in the words of the form.
pub(super) fn failed(error: EndpointError) -> ApiError {
    match error {
        EndpointError::Invalid { field, reason } => ApiError::Refused(format!("{}: {reason}.", label(field))),
        EndpointError::NotFound => ApiError::NotFound,
        EndpointError::Accept(error) => ApiError::Unavailable(format!("Nothing was sent: {error}.")),
        EndpointError::Store(error) => error.into(),
    }
}

/// What the form calls a field.
fn label(field: &str) -> &str {
    match field {
        "target_url" => "Target URL",
        "events" => "Event types",
        "headers" => "Own headers",
        "description" => "Description",
        "rate_limit" => "Rate limit",
        "source" => "Source",
        other => other,
    }
}

fn gone(error: EndpointError) -> ApiError {
    match error {
        EndpointError::NotFound => {
            ApiError::Refused("There is no such endpoint any more: somebody deleted it. Reload the page.".to_owned())
        }
        other => failed(other),
    }
}

fn note(visit: &Visit, changed: &Changed<EndpointFacts>) {
    let (before, after) = shown::endpoints(changed);
    visit.changed(before, after);
}

fn wish(wish: EndpointWish) -> Wish {
    Wish {
        target_url: wish.target_url,
        events: wish.events,
        active: wish.active,
        source: wish.source,
        headers: wish.headers,
        description: wish.description,
        rate_limit: wish.rate_limit.map(|rate| (rate > 0).then_some(rate)),
        send_paused: wish.send_paused,
    }
}

/// Makes an endpoint.
pub(super) async fn create(project: &str, asked: EndpointWish) -> Result<FreshSecret, ApiError> {
    let visit = to_settle(project, "").await?;
    let made = endpoints::create(&visit.server, visit.member.project.key, wish(asked)).await;
    let (facts, secret) = made.map_err(failed)?;
    recording::about(recorded().as_ref(), "webhook", &facts.id);
    visit.changed(Value::Null, shown::endpoint(&facts));
    Ok(FreshSecret { id: facts.id, secret })
}

/// Changes an endpoint. Whoever may not see its headers does not replace them unseen.
pub(super) async fn update(project: &str, id: &str, asked: EndpointWish) -> Result<(), ApiError> {
    let visit = to_settle(project, id).await?;
    if asked.headers.is_some() && !visit.member.rights.read_bodies {
        return Err(ApiError::NotAllowed(
            "Your role in this project may not see own headers, and so not replace them.".to_owned(),
        ));
    }
    let changed = endpoints::update(&visit.server, visit.member.project.key, id, wish(asked)).await;
    note(&visit, &changed.map_err(gone)?);
    Ok(())
}

/// Deletes an endpoint.
pub(super) async fn delete(project: &str, id: &str) -> Result<(), ApiError> {
    let visit = to_settle(project, id).await?;
    let deleted = endpoints::delete(&visit.server, visit.member.project.key, id).await;
    visit.changed(shown::endpoint(&deleted.map_err(gone)?), Value::Null);
    Ok(())
}

/// Gives an endpoint a new secret.
pub(super) async fn rotate(project: &str, id: &str) -> Result<FreshSecret, ApiError> {
    let visit = to_settle(project, id).await?;
    let rotated = endpoints::rotate(&visit.server, visit.member.project.key, id).await;
    let (changed, secret) = rotated.map_err(gone)?;
    note(&visit, &changed);
    Ok(FreshSecret {
        id: changed.after.id,
        secret,
    })
}

/// Sends a test event.
pub(super) async fn test(project: &str, id: &str) -> Result<String, ApiError> {
    let visit = Visit::to_change(project, ("webhook", id)).await?;
    if !visit.member.rights.work {
        return Err(ApiError::NotAllowed(
            "Your role in this project may not send test events; a member or an owner can.".to_owned(),
        ));
    }
    let asked = recording::asked(recorded().as_ref());
    let sent = endpoints::test(&visit.server, visit.member.project.key, id, asked.request_id.as_deref()).await;
    sent.map_err(gone)
}

//! A retry in bulk from the page: how many there are, then the task that sends them again.

use axum::http::request::Parts;
use leptos::prelude::use_context;

use super::RetrySet;
use crate::api::error::ApiError;
use crate::api::records::{Meant, meant_at};
use crate::api::visit::Visit;
use crate::model::id::IdKind;
use crate::model::sendout::MAX_PACE;
use crate::model::tab::{Tab, TabQuery};
use crate::server::http::recording::{self, Recording};
use crate::server::jobs::retry::{self as job, Asker, Wish};
use crate::server::webhooks::sendouts;

/// Who may not work may not learn what would be sent again either: the dialog is not theirs.
fn may_work(visit: &Visit) -> Result<(), ApiError> {
    if visit.member.rights.work {
        return Ok(());
    }
    Err(ApiError::NotAllowed(
        "Your role in this project may not send sendouts again; a member or an owner can.".to_owned(),
    ))
}

/// What a list's query meant at a moment; a place in the list is none of it.
fn whole(visit: Visit, query: &str, pin: i64) -> Result<Meant, ApiError> {
    let query = TabQuery::parse(Tab::Sendouts, query)?.first_page().to_query_string();
    meant_at(visit, Tab::Sendouts, &query, pin)
}

/// Counts them, as of now.
pub(super) async fn count(project: &str, query: &str) -> Result<RetrySet, ApiError> {
    let visit = Visit::to(project).await?;
    may_work(&visit)?;
    let pin = visit.server.clock.now_ms();
    let meant = whole(visit, query, pin)?;
    let (server, key) = (&meant.visit.server, meant.visit.member.project.key);
    let counted = sendouts::count_again(server, key, &meant.selection, pin).await?;
    let (from, to) = (meant.selection.range.from, meant.selection.range.to.min(pin));
    Ok(RetrySet {
        count: counted.all,
        succeeded: counted.succeeded,
        off: counted.off,
        deleted: counted.deleted,
        pin,
        from: (from > 0).then_some(from),
        to,
        zone: meant.zone.zone_around(from.max(0), pin),
    })
}

/// Begins to send them again; gives the task's id.
pub(super) async fn all(project: &str, query: &str, pin: i64, per_second: u32) -> Result<String, ApiError> {
    let visit = Visit::to_change(project, ("async_action", "")).await?;
    may_work(&visit)?;
    if !(1..=MAX_PACE).contains(&per_second) {
        return Err(ApiError::Refused(format!("Pace: 1 to {MAX_PACE} sendouts a second.")));
    }
    let now_ms = visit.server.clock.now_ms();
    let pin = pin.clamp(0, now_ms);
    let meant = whole(visit, query, pin)?;
    let (server, member) = (&meant.visit.server, &meant.visit.member);
    let parts = use_context::<Parts>();
    let recording = parts.as_ref().and_then(|parts| parts.extensions.get::<Recording>());
    let log_id = server.random.id(IdKind::Log, now_ms);
    let request_id = recording::asked(recording).request_id;
    let asker = Asker {
        user_id: Some(member.person.id.clone()),
        by: Some(member.person.email.clone()),
        request: request_id.map(|request| (request, log_id.clone())),
    };
    let wish = Wish {
        selection: meant.selection,
        pin,
        per_second,
    };
    let task = job::begin(server, member.project.key, wish, asker).await?;
    recording::began(recording, &task, &log_id);
    recording::about(recording, "async_action", &task);
    Ok(task)
}

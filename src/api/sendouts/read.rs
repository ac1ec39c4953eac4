//! Reads what the Webhook sendouts tab and a sendout's page show, and sends again.

use super::SendoutPage;
use crate::api::error::ApiError;
use crate::api::records::{listed, meant};
use crate::api::tasks::Listed;
use crate::api::visit::Visit;
use crate::model::json_doc::message::Form;
use crate::model::json_doc::preview;
use crate::model::sendout::{SendoutFacts, SendoutStatus};
use crate::model::tab::Tab;
use crate::server::store::records::{self, RecordRequest};
use crate::server::store::webhooks::sendouts::Again;
use crate::server::webhooks::{endpoints, sendouts};

/// Rows of a JSON that come with the page.
const PREVIEW_ROWS: u32 = 200;

/// The list.
pub(super) async fn list(project: &str, query: &str) -> Result<Listed<SendoutFacts>, ApiError> {
    let meant = meant(Tab::Sendouts, project, query).await?;
    let (server, key) = (&meant.visit.server, meant.visit.member.project.key);
    let request = RecordRequest {
        project: key,
        selection: &meant.selection,
        order: meant.query.order,
        place: meant.place.clone(),
        limit: meant.query.limit.into(),
    };
    let page = records::sendouts(&server.db, request).await?;
    let any = !page.rows.is_empty() || records::any(&server.db, key, Tab::Sendouts).await?;
    // What is offered only saves typing: where it cannot be read, the field works without.
    let known = endpoints::list(server, key, false).await.unwrap_or_default();
    let offered = known.into_iter().map(|endpoint| endpoint.id).collect();
    let place = |facts: &SendoutFacts| (facts.created_at, facts.id.clone());
    Ok(listed(&meant, page, any, vec![("webhook".to_owned(), offered)], place))
}

/// A sendout's page.
pub(super) async fn page(project: &str, id: &str, query: &str) -> Result<SendoutPage, ApiError> {
    let meant = meant(Tab::Sendouts, project, query).await?;
    let (server, member) = (&meant.visit.server, &meant.visit.member);
    if !crate::model::id::is_client_id(id) {
        return Err(ApiError::NotFound);
    }
    let found = sendouts::one(server, member.project.key, id, member.rights).await?;
    let (facts, attempts) = found.ok_or(ApiError::NotFound)?;
    let data = if member.rights.read_bodies {
        sendouts::data(server, &member.project, id).await?
    } else {
        None
    };
    Ok(SendoutPage {
        attempts,
        data: data.map(|json| preview(json.as_bytes(), Form::Pretty, false, PREVIEW_ROWS)),
        bodies_hidden: !member.rights.read_bodies,
        can_retry: member.rights.work && (facts.status != SendoutStatus::Pending || facts.paused),
        zone: meant.zone.zone_around(facts.created_at, meant.now),
        now: meant.now,
        facts,
    })
}

/// Sends a sendout once more.
pub(super) async fn retry(project: &str, id: &str) -> Result<(), ApiError> {
    let visit = Visit::to_change(project, ("webhook_sendout", id)).await?;
    if !visit.member.rights.work {
        return Err(ApiError::NotAllowed(
            "Your role in this project may not do that; a member or an owner can.".to_owned(),
        ));
    }
    let why = match sendouts::again(&visit.server, visit.member.project.key, id).await? {
        Again::Due => return Ok(()),
        Again::Pending => "It is being sent already.",
        Again::NoEndpoint => "Its endpoint was deleted: there is nowhere to send it.",
        Again::NotFound => return Err(ApiError::NotFound),
    };
    Err(ApiError::Refused(why.to_owned()))
}

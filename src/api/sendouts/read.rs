//! Reads what the Webhook sendouts tab and a sendout's page show, and sends again.

use super::SendoutPage;
use crate::api::error::ApiError;
use crate::api::records::{listed, listing, meant};
use crate::api::tasks::{Listed, Offer};
use crate::api::visit::Visit;
use crate::model::endpoint::{EndpointFacts, EndpointState};
use crate::model::json_doc::message::Form;
use crate::model::json_doc::preview;
use crate::model::sendout::SendoutFacts;
use crate::model::tab::Tab;
use crate::server::store::records::{self, RecordRequest};
use crate::server::store::webhooks::sendouts::Again;
use crate::server::webhooks::{endpoints, sendouts};

/// Rows of a JSON that come with the page.
const PREVIEW_ROWS: u32 = 200;

/// The list.
pub(super) async fn list(project: &str, query: &str) -> Result<Listed<SendoutFacts>, ApiError> {
    let meant = listing(Tab::Sendouts, project, query).await?;
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
    let offered = known.iter().map(|endpoint| offer(endpoint, &known)).collect();
    let place = |facts: &SendoutFacts| (facts.created_at, facts.id.clone());
    Ok(listed(&meant, page, any, vec![("webhook".to_owned(), offered)], place))
}

/// An endpoint by its address, or by its id where others have the same one, or where commas stand in it, which part values.
fn offer(endpoint: &EndpointFacts, known: &[EndpointFacts]) -> Offer {
    let url = &endpoint.target_url;
    let about = |more: &str| {
        let parts = [more, endpoint.description.as_str()];
        parts
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" · ")
    };
    let has_own = known.iter().filter(|other| other.target_url == *url).count() == 1;
    if has_own && !url.contains(',') {
        return Offer {
            value: url.clone(),
            about: about(""),
            name: None,
        };
    }
    Offer {
        value: endpoint.id.clone(),
        about: about(url),
        name: Some(url.clone()),
    }
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
    let off_because = if facts.endpoint == EndpointState::Off {
        let endpoint = endpoints::one(server, member.project.key, &facts.endpoint_id, false).await;
        endpoint.ok().and_then(|endpoint| endpoint.disabled_reason)
    } else {
        None
    };
    Ok(SendoutPage {
        attempts,
        off_because,
        data_masked: data.as_ref().is_some_and(|data| data.masked),
        data: data.map(|data| preview(data.json.as_bytes(), Form::Pretty, data.masked, PREVIEW_ROWS)),
        bodies_hidden: !member.rights.read_bodies,
        can_retry: member.rights.work && facts.can_retry(),
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
        Again::NoEndpoint => "Its endpoint was deleted: there is nowhere to send it.",
        Again::NotFound => return Err(ApiError::NotFound),
    };
    Err(ApiError::Refused(why.to_owned()))
}

//! Sendouts, as calls and pages read them and send them again.

use super::attempt;
use super::envelope::{self, Destination, Event};
use crate::model::rights::Rights;
use crate::model::sendout::{AttemptFacts, SendoutFacts};
use crate::server::secrets::InstanceKey;
use crate::server::state::Server;
use crate::server::store::projects::{Project, ProjectKey};
use crate::server::store::records::RecordSelection;
use crate::server::store::webhooks::sendouts::{self as store, Again, AgainCount};
use crate::server::store::{Db, StoreError};

/// How often a sendout is read again that changes while it is read.
const REREADS: usize = 3;

/// A sendout with its attempts, oldest first. What attempts said is filled in only for those who may read bodies.
pub async fn one(
    server: &Server,
    project: ProjectKey,
    id: &str,
    rights: Rights,
) -> Result<Option<(SendoutFacts, Vec<AttemptFacts>)>, StoreError> {
    let Some(mut facts) = store::find(&server.db, project, id).await? else {
        return Ok(None);
    };
    let mut rows = store::attempts(&server.db, project, id).await?;
    // An attempt may have ended between the two: both are read again, so that they tell one story.
    for _ in 0..REREADS {
        if rows.len() == facts.attempts as usize {
            break;
        }
        facts = store::find(&server.db, project, id).await?.unwrap_or(facts);
        rows = store::attempts(&server.db, project, id).await?;
    }
    let attempts = rows.into_iter().map(|(mut attempt, sealed)| {
        if rights.read_bodies {
            attempt::open(&server.key, &mut attempt, &sealed);
        }
        attempt
    });
    Ok(Some((facts, attempts.collect())))
}

/// What is sent: the envelope, as JSON. For those who may read bodies.
pub async fn data(server: &Server, project: &Project, id: &str) -> Result<Option<String>, StoreError> {
    let Some(facts) = store::find(&server.db, project.key, id).await? else {
        return Ok(None);
    };
    let Some(stored) = store::event(&server.db, project.key, &facts.event_id).await? else {
        return Ok(None);
    };
    let broken = || StoreError::Corrupt(format!("the data of the event {}", facts.event_id));
    let event = Event::of_stored(&server.key, &stored).ok_or_else(broken)?;
    let to = Destination {
        project_id: &project.id,
        endpoint_id: &facts.endpoint_id,
        target_url: &facts.target_url,
        source: facts.source,
    };
    let body = envelope::body(&facts.id, facts.created_at, &event, to).map_err(|_| broken())?;
    String::from_utf8(body).map(Some).map_err(|_| broken())
}

/// The data of an event, as JSON. For those who may read bodies.
pub async fn event_data(db: &Db, key: &InstanceKey, project: ProjectKey, event: &str) -> Result<Option<String>, StoreError> {
    let Some(stored) = store::event(db, project, event).await? else {
        return Ok(None);
    };
    let broken = || StoreError::Corrupt(format!("the data of the event {event}"));
    let event = Event::of_stored(key, &stored).ok_or_else(broken)?;
    Ok(Some(event.data))
}

/// Sends a sendout once more, now, with the same `webhook-id`.
pub async fn again(server: &Server, project: ProjectKey, id: &str) -> Result<Again, StoreError> {
    let (became, endpoint) = store::again(&server.db, project, id, server.clock.now_ms()).await?;
    if let (Again::Due, Some(endpoint)) = (became, endpoint) {
        server.webhooks.due(project, &endpoint);
    }
    Ok(became)
}

/// How many sendouts a selection means that could be sent again, of those that were not changed since `pin`.
pub async fn count_again(
    server: &Server,
    project: ProjectKey,
    selection: &RecordSelection,
    pin: i64,
) -> Result<AgainCount, StoreError> {
    store::count_again(&server.db, project, selection, pin).await
}

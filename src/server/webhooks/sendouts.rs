//! Sendouts, as calls and pages read them and send them again.
//!
//! What was sent and said is kept as it was, sealed; what is shown of it here is masked as the project's logs are.

use super::attempt;
use super::envelope::{self, Destination, Event};
use crate::model::log::BodyKind;
use crate::model::rights::Rights;
use crate::model::sendout::{AttemptFacts, SendoutFacts};
use crate::server::ingest::mask::MaskRules;
use crate::server::secrets::InstanceKey;
use crate::server::state::Server;
use crate::server::store::projects::{Project, ProjectKey};
use crate::server::store::records::RecordSelection;
use crate::server::store::webhooks::sendouts::{self as store, Again, AgainCount};
use crate::server::store::{Db, StoreError};

/// How often a sendout is read again that changes while it is read.
const REREADS: usize = 3;

/// What is sent, as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// JSON.
    pub json: String,
    /// Whether something in it is masked that was sent as it is.
    pub masked: bool,
}

impl Shown {
    /// An event's data.
    fn of(rules: &MaskRules, data: String) -> Self {
        let masked = rules.json_member("data", data.as_bytes()).bytes;
        match masked.and_then(|bytes| String::from_utf8(bytes).ok()) {
            Some(json) => Self { json, masked: true },
            None => Self {
                json: data,
                masked: false,
            },
        }
    }
}

/// A sendout with its attempts, oldest first. What attempts said is filled in only for those who may read bodies, masked.
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
    let rules = if rights.read_bodies {
        Some(server.mask(project).await?)
    } else {
        None
    };
    let attempts = rows.into_iter().map(|(mut attempt, sealed)| {
        if let Some(rules) = &rules {
            attempt::open(&server.key, &mut attempt, &sealed);
            mask_attempt(rules, &mut attempt);
        }
        attempt
    });
    Ok(Some((facts, attempts.collect())))
}

fn mask_attempt(rules: &MaskRules, attempt: &mut AttemptFacts) {
    let mut told = attempt.response_headers.iter().flatten();
    let kind = told.find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let kind = kind.map(|(_, value)| value.clone());
    if let Some(body) = &mut attempt.response_body
        && let Some(masked) = rules.body(BodyKind::Text, kind.as_deref(), body.as_bytes()).bytes
    {
        *body = String::from_utf8_lossy(&masked).into_owned();
        attempt.masked = true;
    }
    let headers = [&mut attempt.request_headers, &mut attempt.response_headers];
    for (name, value) in headers.into_iter().flatten().flatten() {
        if let Some(masked) = rules.header(name, value) {
            *value = masked;
            attempt.masked = true;
        }
    }
}

/// What is sent: the envelope, as JSON, its data masked. For those who may read bodies.
pub async fn data(server: &Server, project: &Project, id: &str) -> Result<Option<Shown>, StoreError> {
    let Some(facts) = store::find(&server.db, project.key, id).await? else {
        return Ok(None);
    };
    let Some(stored) = store::event(&server.db, project.key, &facts.event_id).await? else {
        return Ok(None);
    };
    let broken = || StoreError::Corrupt(format!("the data of the event {}", facts.event_id));
    let rules = server.mask(project.key).await?;
    let event = Event::of_stored(&server.key, &stored).ok_or_else(broken)?;
    let data = Shown::of(&rules, event.data);
    let entity = event.entity_id.as_deref().and_then(|entity| rules.text(entity));
    let masked = data.masked || entity.is_some();
    let event = Event {
        data: data.json,
        entity_id: entity.or(event.entity_id),
        ..event
    };
    let to = Destination {
        project_id: &project.id,
        endpoint_id: &facts.endpoint_id,
        target_url: &facts.target_url,
        source: facts.source,
    };
    let body = envelope::body(&facts.id, facts.created_at, &event, to).map_err(|_| broken())?;
    let json = String::from_utf8(body).map_err(|_| broken())?;
    Ok(Some(Shown { json, masked }))
}

/// The data of an event, as JSON, masked. For those who may read bodies.
pub async fn event_data(
    db: &Db,
    key: &InstanceKey,
    rules: &MaskRules,
    project: ProjectKey,
    event: &str,
) -> Result<Option<String>, StoreError> {
    let Some(stored) = store::event(db, project, event).await? else {
        return Ok(None);
    };
    let broken = || StoreError::Corrupt(format!("the data of the event {event}"));
    let event = Event::of_stored(key, &stored).ok_or_else(broken)?;
    Ok(Some(Shown::of(rules, event.data).json))
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

//! Sendouts, as calls and pages read them and send them again.

use super::attempt;
use super::envelope::{self, Destination, Event};
use crate::model::id::IdKind;
use crate::model::rights::Rights;
use crate::model::sendout::{AttemptFacts, SendoutFacts};
use crate::model::task::kinds;
use crate::server::jobs::retry::{self, Payload};
use crate::server::state::Server;
use crate::server::store::projects::{Project, ProjectKey};
use crate::server::store::records::RecordSelection;
use crate::server::store::tasks::NewTask;
use crate::server::store::webhooks::sendouts::{self as store, Again};
use crate::server::store::{StoreError, jobs};

/// A sendout with its attempts, oldest first. What attempts said is filled in only for those who may read bodies.
pub async fn one(
    server: &Server,
    project: ProjectKey,
    id: &str,
    rights: Rights,
) -> Result<Option<(SendoutFacts, Vec<AttemptFacts>)>, StoreError> {
    let Some(facts) = store::find(&server.db, project, id).await? else {
        return Ok(None);
    };
    let rows = store::attempts(&server.db, project, id).await?;
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

/// Sends a sendout once more, now, with the same `webhook-id`.
pub async fn again(server: &Server, project: ProjectKey, id: &str) -> Result<Again, StoreError> {
    let (became, endpoint) = store::again(&server.db, project, id, server.clock.now_ms()).await?;
    if let (Again::Due, Some(endpoint)) = (became, endpoint) {
        server.webhooks.due(project, &endpoint);
    }
    Ok(became)
}

/// How many sendouts a selection means that could be sent again now.
pub async fn count_again(server: &Server, project: ProjectKey, selection: &RecordSelection) -> Result<u64, StoreError> {
    store::count_again(&server.db, project, selection, server.clock.now_ms()).await
}

/// Who asks for a retry in bulk.
#[derive(Clone, Debug, Default)]
pub struct BulkAsker {
    /// The person.
    pub user_id: Option<String>,
    /// The person's e-mail address, or the key's name.
    pub by: Option<String>,
    /// The id of the request that asks, and of the log that it becomes.
    pub request: Option<(String, String)>,
}

/// Begins to send again all that a selection means now, at most so many a second; gives the task's id.
pub async fn begin_again(
    server: &Server,
    project: ProjectKey,
    mut selection: RecordSelection,
    per_second: Option<u32>,
    asker: BulkAsker,
) -> Result<String, StoreError> {
    let now_ms = server.clock.now_ms();
    selection.range.to = selection.range.to.min(now_ms + 1);
    let payload = Payload {
        pin: now_ms,
        total: store::count_again(&server.db, project, &selection, now_ms).await?,
        selection,
        per_second: per_second.unwrap_or(retry::PER_SECOND),
    };
    let (request_id, log_id) = asker.request.unzip();
    let payload = serde_json::json!(payload).to_string();
    let task = NewTask {
        id: server.random.id(IdKind::Task, now_ms),
        kind: kinds::RETRY.to_owned(),
        own: true,
        request_id,
        log_id,
        user_id: asker.user_id,
        by: asker.by,
        parameters: Some(payload.clone()),
        ..NewTask::default()
    };
    jobs::add(&server.db, project, &task, retry::NAME, &payload, now_ms).await?;
    server.bell.ring();
    Ok(task.id)
}

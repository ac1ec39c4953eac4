//! This service's own events, each stored in the transaction of what it tells.

use serde_json::{Value, json};

use super::envelope::time;
use super::writer::{ids, own_event};
use crate::model::endpoint::kinds;
use crate::server::chain::head::SignedHead;
use crate::server::state::Server;
use crate::server::store::exports::{Made, NewExport};
use crate::server::store::projects::ProjectKey;
use crate::server::store::webhooks::events::{NewEvent, OwnEvents};
use crate::server::store::webhooks::failures;
use crate::server::store::{StoreError, exports, tasks};

/// One event: its type, what it is about, what it says.
type Said = (&'static str, String, Value);

fn events(server: &Server, project: ProjectKey, said: Vec<Said>, request: Option<&String>) -> OwnEvents {
    let now_ms = server.clock.now_ms();
    let event = |(kind, entity, data): Said| NewEvent {
        entity_id: Some(entity),
        group_id: request.cloned(),
        ..own_event(&server.key, &server.random, (project, kind), &data, now_ms)
    };
    OwnEvents {
        events: said.into_iter().map(event).collect(),
        ids: Box::new(ids(&server.random, now_ms)),
    }
}

/// That an export's file can be had.
pub async fn export_done(
    server: &Server,
    project: ProjectKey,
    export_id: &str,
    made: &Made<'_>,
) -> Result<OwnEvents, StoreError> {
    let Some(export) = exports::find(&server.db, project, export_id).await? else {
        return Ok(events(server, project, Vec::new(), None));
    };
    let facts = export.facts;
    let task = match &facts.task_id {
        Some(id) => tasks::find(&server.db, project, id).await?,
        None => None,
    };
    let data = json!({ "id": facts.id, "object": "export", "status": "DONE", "exported_object": facts.exported_object, "file_name": facts.file_name,
        "rows": made.rows, "bytes": made.bytes, "sha256": made.sha256, "async_action_id": facts.task_id, "created_at": time(facts.created_at) });
    let request = task.and_then(|task| task.facts.request_id);
    let said = vec![(kinds::EXPORT_DONE, facts.id, data)];
    Ok(events(server, project, said, request.as_ref()))
}

/// That a task failed, and the export that it was to make.
pub async fn task_failed(server: &Server, project: ProjectKey, task_id: &str, reason: &str) -> Result<OwnEvents, StoreError> {
    let Some(task) = tasks::find(&server.db, project, task_id).await? else {
        return Ok(events(server, project, Vec::new(), None));
    };
    let facts = task.facts;
    let data = json!({ "id": facts.id, "object": "async_action", "type": facts.kind, "status": "FAILED", "message": reason,
        "export_id": facts.export_id, "created_at": time(facts.created_at) });
    let mut said = vec![(kinds::TASK_FAILED, facts.id.clone(), data)];
    if let Some(export) = &facts.export_id {
        let data = json!({ "id": export, "object": "export", "status": "ERROR", "error": reason, "async_action_id": facts.id });
        said.push((kinds::EXPORT_FAILED, export.clone(), data));
    }
    Ok(events(server, project, said, facts.request_id.as_ref()))
}

/// That an export failed that an application makes itself. What it reported as parameters may name people: endpoints are not told.
pub fn reported_export_failed(server: &Server, project: ProjectKey, export: &NewExport, request: Option<&String>) -> OwnEvents {
    let data = json!({ "id": export.id, "object": "export", "status": "ERROR", "error": "The application that makes it reports that it failed",
        "exported_object": export.exported_object, "file_name": export.file_name, "async_action_id": null });
    events(
        server,
        project,
        vec![(kinds::EXPORT_FAILED, export.id.clone(), data)],
        request,
    )
}

/// That the head of a project's chain was signed: whoever keeps it somewhere else can hold it against the chain later.
pub fn chain_head(server: &Server, project: ProjectKey, head: &SignedHead) -> OwnEvents {
    let mut data = json!(head);
    data["object"] = "chain_head".into();
    events(
        server,
        project,
        vec![(kinds::CHAIN_HEAD, head.project_id.clone(), data)],
        None,
    )
}

/// That an alert fired, or that it is over; `data` says which, and with what figures.
pub fn alert(server: &Server, project: ProjectKey, kind: &'static str, id: &str, data: Value) -> OwnEvents {
    events(server, project, vec![(kind, id.to_owned(), data)], None)
}

/// Tells of failed logs, at most once a minute an endpoint of the API.
pub(super) async fn tell_failures(server: &Server, now_ms: i64) -> Result<(), StoreError> {
    let event = |project: ProjectKey, endpoint: &str, count: i64| {
        let data = json!({ "object": "log.failure", "endpoint": endpoint, "count": count });
        NewEvent {
            entity_id: Some(endpoint.to_owned()),
            ..own_event(&server.key, &server.random, (project, kinds::LOG_FAILURE), &data, now_ms)
        }
    };
    let told = failures::tell(&server.db, now_ms, &event, &mut ids(&server.random, now_ms)).await?;
    if told {
        server.webhooks.lanes.ring();
    }
    Ok(())
}

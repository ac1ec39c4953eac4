//! One story: what belongs to a request, in order.

use serde::{Deserialize, Serialize};

use crate::model::page::Place;
use crate::model::query::Order;
use crate::model::selection::{OneOf, TimeRange};
use crate::model::tab::Tab;
use crate::server::state::Server;
use crate::server::store::StoreError;
use crate::server::store::projects::ProjectKey;
use crate::server::store::records::{self, RecordRequest, RecordSelection};
use crate::server::store::webhooks::sendouts;

/// Tasks of a request that are shown.
const MOST: usize = 200;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happened {
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// What: `api_log`, `async_action`, `export`, `event`, `webhook_sendout`, `attempt`.
    pub object: String,
    /// Which; of an attempt, its sendout's.
    pub id: String,
    /// A type, a method and endpoint, or which attempt.
    pub what: String,
    /// How it stands.
    pub status: String,
}

/// A log, as the timeline begins with it.
#[derive(Clone, Debug)]
pub struct Beginning {
    /// Its id.
    pub id: String,
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// Its method and endpoint.
    pub what: String,
    /// Its status.
    pub status: String,
    /// The request's id.
    pub request_id: Option<String>,
}

/// What belongs to a log's request: the log, tasks, exports, events, sendouts, attempts.
pub async fn of_log(server: &Server, project: ProjectKey, log: Beginning) -> Result<Vec<Happened>, StoreError> {
    let request = log.request_id;
    let mut all = vec![happened(log.at, "api_log", log.id, log.what, &log.status)];
    if let Some(request) = request {
        tasks(server, project, &request, &mut all).await?;
        events(server, project, &request, &mut all).await?;
    }
    // Of one moment, causes come before what they cause: it is the order that they were put in.
    all.sort_by_key(|happened| happened.at);
    Ok(all)
}

fn happened(at: i64, object: &str, id: String, what: String, status: &str) -> Happened {
    Happened {
        at,
        object: object.to_owned(),
        id,
        what,
        status: status.to_owned(),
    }
}

async fn tasks(server: &Server, project: ProjectKey, request: &str, all: &mut Vec<Happened>) -> Result<(), StoreError> {
    let selection = RecordSelection {
        tab: Tab::Tasks,
        range: TimeRange { from: 0, to: i64::MAX },
        filters: vec![(
            "request_id".to_owned(),
            OneOf {
                wanted: vec![request.to_owned()],
                left_out: Vec::new(),
            },
        )],
    };
    let asked = RecordRequest {
        project,
        selection: &selection,
        order: Order::OldestFirst,
        place: Place::Start,
        limit: MOST,
    };
    for task in records::tasks(&server.db, asked).await?.rows {
        let export = match &task.export_id {
            Some(id) => crate::server::store::exports::find(&server.db, project, id).await?,
            None => None,
        };
        all.push(happened(
            task.created_at,
            "async_action",
            task.id,
            task.kind,
            task.status.as_str(),
        ));
        if let Some(export) = export {
            let facts = export.facts;
            all.push(happened(
                facts.created_at,
                "export",
                facts.id,
                facts.exported_object,
                facts.status.as_str(),
            ));
        }
    }
    Ok(())
}

async fn events(server: &Server, project: ProjectKey, request: &str, all: &mut Vec<Happened>) -> Result<(), StoreError> {
    for (id, at, kind) in sendouts::events_of(&server.db, project, request).await? {
        all.push(happened(at, "event", id, kind, "ACCEPTED"));
    }
    for sendout in sendouts::of_request(&server.db, project, request).await? {
        all.push(happened(
            sendout.created_at,
            "webhook_sendout",
            sendout.id.clone(),
            sendout.kind,
            sendout.status.as_str(),
        ));
        for (attempt, _) in sendouts::attempts(&server.db, project, &sendout.id).await? {
            let status = match (&attempt.code, &attempt.error) {
                (Some(code), _) => code.to_string(),
                (None, error) => error.clone().unwrap_or_default(),
            };
            all.push(happened(
                attempt.at,
                "attempt",
                sendout.id.clone(),
                format!("attempt {}", attempt.number),
                &status,
            ));
        }
    }
    Ok(())
}

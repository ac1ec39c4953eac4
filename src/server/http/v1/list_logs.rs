//! `GET /v1/logs`: the logs that a query means, a page at a time, each as `GET /v1/logs/{id}` gives it; but a body that is large for a list
//! is left to the log itself.

use crate::server::http::openapi::{BadQuery, LogArguments, LogList};
use std::time::Duration;

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::json::{Bodies, time, write_log};
use crate::model::log::{LogFacts, Origin};
use crate::model::page::{Key, Page};
use crate::model::query::LogQuery;
use crate::model::rights::{Rights, Scope};
use crate::server::access::KeyAccess;
use crate::server::error::ApiError;
use crate::server::selection::{self, QueryContext, cursor, resolve};
use crate::server::state::Server;
use crate::server::store::logs::{list, one};

/// How long a search may take before it says how far it got.
const BUDGET: Duration = Duration::from_secs(5);
/// Bytes of both bodies of a log that a list shows.
const LOG_BYTES: i64 = 256 << 10;
/// Bytes of all bodies on a page.
const PAGE_BYTES: i64 = 8 << 20;

/// The handler.
#[utoipa::path(
    get,
    path = "/v1/logs",
    operation_id = "listLogs",
    tag = "Logs",
    summary = "Logs, newest first",
    description = "Needs the scope `read`.",
    params(LogArguments),
    responses(
        (status = 200, description = "A page of logs", body = LogList),
        BadQuery,
    ),
)]
pub(super) async fn list(
    State(server): State<Server>,
    Extension(key): Extension<KeyAccess>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    key.require(Scope::Read)?;
    let query = LogQuery::parse(query.as_deref().unwrap_or_default())?;
    let zone = selection::zone(query.tz.as_deref().unwrap_or("utc"), &key.project.time_zone)?;
    let context = QueryContext {
        now_ms: server.clock.now_ms(),
        zone: &zone,
        rights: key.rights,
        key: &server.key,
        project_id: &key.project.id,
        default_origin: Origin::Application,
    };
    let (selection, place) = resolve(&query, &context)?;
    let request = list::ListRequest {
        project: key.project.key,
        selection: &selection,
        order: query.order,
        place,
        limit: usize::from(query.limit),
        budget: BUDGET,
    };
    let page = list::page(&server.db, request).await?;
    let next = next_cursor(&server, &key, &page);
    let json = write_page(&server, &key, page, next).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], json).into_response())
}

/// Where the next page begins: after the last row, or where a search ran out of time.
fn next_cursor(server: &Server, key: &KeyAccess, page: &Page<LogFacts>) -> Option<String> {
    if !page.more_after {
        return None;
    }
    let place = match (page.searched_to, page.rows.last()) {
        (Some(searched_to), _) => Key {
            created_at: searched_to,
            id: String::new(),
        },
        (None, Some(last)) => Key {
            created_at: last.created_at,
            id: last.id.clone(),
        },
        (None, None) => return None,
    };
    Some(cursor(&server.key, &key.project.id, &place))
}

async fn write_page(server: &Server, key: &KeyAccess, page: Page<LogFacts>, next: Option<String>) -> Result<Vec<u8>, ApiError> {
    let mut json = br#"{"object":"list","data_ref":"data","data":["#.to_vec();
    let searched_to = page.searched_to;
    let mut room = PAGE_BYTES;
    let mut is_first = true;
    let mut rows = page.rows.into_iter().peekable();
    while let Some(facts) = rows.next() {
        // Read together as long as their texts are small: no more than one large one is in memory.
        let mut bytes = size(&facts);
        let mut some = vec![facts];
        while let Some(next) = rows.next_if(|facts| bytes.saturating_add(size(facts)) <= PAGE_BYTES) {
            bytes += size(&next);
            some.push(next);
        }
        for log in one::with_texts(&server.db, key.project.key, some).await? {
            if !std::mem::take(&mut is_first) {
                json.push(b',');
            }
            let bodies = bodies_of(&log.facts, key.rights, &mut room);
            write_log(&mut json, &log, key.rights, bodies);
        }
    }
    let tail = serde_json::json!({
        "has_more": next.is_some(),
        "more_starting_after": next,
        "searched_to": searched_to.map(time),
    });
    json.extend_from_slice(b"],");
    json.extend_from_slice(&tail.to_string().as_bytes()[1..]);
    Ok(json)
}

/// Bytes of both bodies.
fn size(facts: &LogFacts) -> i64 {
    facts.request_bytes.saturating_add(facts.response_bytes)
}

/// What a row shows of its bodies, taken off the page's room.
fn bodies_of(facts: &LogFacts, rights: Rights, room: &mut i64) -> Bodies {
    let bytes = size(facts);
    let fits = bytes <= LOG_BYTES.min(*room);
    *room -= if fits { bytes } else { 0 };
    if fits || !rights.read_bodies {
        Bodies::of(rights)
    } else {
        Bodies::TooLarge
    }
}

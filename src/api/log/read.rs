//! Reads what a log's page shows, and leaves out what whoever asks may not see.

use std::time::Duration;

use super::{Absence, Body, LogPage, Pair, Side, body, curl, headers};
use crate::api::error::ApiError;
use crate::api::visit::Visit;
use crate::api::zones::{ChosenZone, ZoneHints, choose};
use crate::model::filter::LogFilter;
use crate::model::log::{Log, LogFacts, LogText, Message, Note};
use crate::model::page::{Key, Place};
use crate::model::query::{LogQuery, pairs};
use crate::model::rights::Rights;
use crate::model::selection::LogSelection;
use crate::server::selection::{QueryContext, resolve};
use crate::server::store::StoreError;
use crate::server::store::logs::{list, one};

/// How long the search for a neighbour may take; past it the page goes without.
const BUDGET: Duration = Duration::from_millis(150);

/// The page of one log.
pub(super) async fn page(project: &str, id: &str, query: &str) -> Result<LogPage, ApiError> {
    let visit = Visit::to(project).await?;
    // What makes no sense in the list's query costs the neighbours, not the log.
    let query = LogQuery::parse(query).unwrap_or_default();
    let zone = zone(&visit, &query);
    let rights = visit.member.rights;
    let log = one::find(&visit.server.db, visit.member.project.key, id)
        .await?
        .ok_or(ApiError::NotFound)?;
    let (previous, next) = neighbours(&visit, &query, &zone, &log.facts).await?;
    let now = visit.server.clock.now_ms();
    let at = log.facts.created_at;
    let mut page = shown(log, rights);
    page.previous = previous;
    page.next = next;
    page.sought = [LogFilter::Anywhere, LogFilter::RequestBody, LogFilter::ResponseBody]
        .into_iter()
        .map(|filter| query.value(filter))
        .find(|text| !text.is_empty());
    page.zone = zone.between(at.min(now), at.max(now));
    page.now = now;
    Ok(page)
}

fn zone(visit: &Visit, query: &LogQuery) -> ChosenZone {
    let (last, local) = (visit.cookie("zone"), visit.cookie("tz"));
    let hints = |asked| ZoneHints {
        asked,
        last: last.as_deref(),
        local: local.as_deref(),
        project: &visit.member.project.time_zone,
    };
    choose(&hints(query.tz.as_deref()))
        .or_else(|_| choose(&hints(None)))
        .unwrap_or_else(|_| ChosenZone {
            zone: jiff::tz::TimeZone::UTC,
            name: "UTC".to_owned(),
            unknown_local: false,
        })
}

/// The ids of the logs before and after this one in the list.
async fn neighbours(
    visit: &Visit,
    query: &LogQuery,
    zone: &ChosenZone,
    facts: &LogFacts,
) -> Result<(Option<String>, Option<String>), StoreError> {
    let query = LogQuery {
        after: None,
        before: None,
        ..query.clone()
    };
    let context = QueryContext {
        now_ms: visit.server.clock.now_ms(),
        zone: &zone.zone,
        rights: visit.member.rights,
        key: &visit.server.key,
        project_id: &visit.member.project.id,
        default_origin: facts.origin,
    };
    let Ok((selection, _)) = resolve(&query, &context) else {
        return Ok((None, None));
    };
    let here = Key {
        created_at: facts.created_at,
        id: facts.id.clone(),
    };
    tokio::try_join!(
        neighbour(visit, &query, &selection, Place::Before(here.clone())),
        neighbour(visit, &query, &selection, Place::After(here)),
    )
}

async fn neighbour(
    visit: &Visit,
    query: &LogQuery,
    selection: &LogSelection,
    place: Place,
) -> Result<Option<String>, StoreError> {
    let request = list::ListRequest {
        project: visit.member.project.key,
        selection,
        order: query.order,
        place,
        limit: 1,
        budget: BUDGET,
    };
    let page = list::page(&visit.server.db, request).await?;
    Ok(page.rows.into_iter().next().map(|facts| facts.id))
}

/// What of a log may be shown, of a body its first rows: a page that is awake reads on.
pub(crate) fn shown(log: Log, rights: Rights) -> LogPage {
    shown_up_to(log, rights, body::FIRST_ROWS)
}

/// What of a log may be shown, of a body so many rows at most.
pub(crate) fn shown_up_to(log: Log, rights: Rights, rows: u32) -> LogPage {
    let mut facts = log.facts;
    let text = log.text.filter(|_| rights.read_bodies);
    if !rights.read_bodies && !facts.notes.contains(&Note::NotAllowed) {
        facts.notes.push(Note::NotAllowed);
    }
    if !rights.read_users {
        facts.user_email = None;
        facts.user_id = None;
        facts.app_id = None;
        facts.app_name = None;
        facts.client_app_id = None;
    }
    let absent = if rights.read_bodies {
        Absence::Expired
    } else {
        Absence::NotAllowed
    };
    let sides = |pick: fn(&LogText) -> &Message, bytes| {
        text.as_ref()
            .map_or_else(|| no_side(absent, bytes), |text| side(pick(text), &facts.notes, bytes, rows))
    };
    let request = sides(|text| &text.request, facts.request_bytes);
    let response = sides(|text| &text.response, facts.response_bytes);
    let url = text.as_ref().map_or_else(|| facts.path.clone(), |text| text.url.clone());
    let curl = text.as_ref().map(|text| {
        let headers = request.headers.as_deref().unwrap_or_default();
        curl::command(&facts.method, &text.url, headers, &text.request)
    });
    LogPage {
        users_hidden: !rights.read_users,
        arguments: arguments(&url),
        url,
        user_agent: text.and_then(|text| text.user_agent),
        request,
        response,
        curl,
        import_file: log.import_file.filter(|_| rights.read_bodies),
        previous: None,
        next: None,
        sought: None,
        zone: crate::model::zone::Zone::utc(),
        now: 0,
        facts,
    }
}

fn side(message: &Message, notes: &[Note], bytes: i64, rows: u32) -> Side {
    Side {
        headers: headers::pairs(&message.headers).ok(),
        body: body::shape(message, notes, bytes, rows),
        content_type: message.content_type.clone(),
        bytes,
        kept: message.body.len() as i64,
    }
}

const fn no_side(why: Absence, bytes: i64) -> Side {
    Side {
        headers: None,
        body: Body::Absent(why),
        content_type: None,
        bytes,
        kept: 0,
    }
}

/// The arguments of a URL, decoded.
fn arguments(url: &str) -> Vec<Pair> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let query = query.split_once('#').map_or(query, |(query, _)| query);
    pairs(query).map(|(name, value)| headers::pair(name, value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::log::{BodyKind, Origin, Status};

    fn log() -> Log {
        let message = Message {
            headers: r#"{"A":"1"}"#.to_owned(),
            kind: BodyKind::Json,
            body: b"{}".to_vec(),
            content_type: None,
        };
        Log {
            facts: LogFacts {
                id: "log_1".to_owned(),
                created_at: 0,
                status: Status::Success,
                status_code: Some(200),
                request_id: None,
                channel: None,
                method: "GET".to_owned(),
                endpoint: "GET_v1_x".to_owned(),
                path: "/v1/x".to_owned(),
                user_email: Some("ada@example.com".to_owned()),
                user_id: None,
                app_id: Some("app".to_owned()),
                app_name: Some("shop".to_owned()),
                client_app_id: None,
                duration_us: None,
                ip: None,
                origin: Origin::Application,
                resource: None,
                async_action_id: None,
                request_bytes: 2,
                response_bytes: 2,
                notes: Vec::new(),
            },
            text: Some(LogText {
                url: "https://x.example/v1/x?a=b+c&token=masked#top".to_owned(),
                user_agent: Some("curl".to_owned()),
                request: message.clone(),
                response: message,
            }),
            import_file: Some(crate::model::log::ImportFile {
                name: "customers.csv".to_owned(),
                bytes: 12,
            }),
        }
    }

    #[test]
    fn bodies_are_for_those_who_may_read_them() {
        let page = shown(
            log(),
            Rights {
                read_bodies: false,
                read_users: false,
                work: false,
                settle: false,
            },
        );
        assert_eq!(page.request.body, Body::Absent(Absence::NotAllowed));
        assert_eq!((page.request.headers, page.curl, page.user_agent), (None, None, None));
        assert_eq!((page.url.as_str(), page.arguments.len()), ("/v1/x", 0));
        assert_eq!(
            (page.facts.user_email, page.facts.app_id, page.facts.app_name),
            (None, None, None)
        );
        assert_eq!(page.facts.notes, [Note::NotAllowed]);
        assert_eq!(page.import_file, None, "what may not be downloaded is not offered");
    }

    #[test]
    fn the_urls_arguments_are_read() {
        let page = shown(
            log(),
            Rights {
                read_bodies: true,
                read_users: true,
                work: false,
                settle: false,
            },
        );
        let shown: Vec<_> = page
            .arguments
            .iter()
            .map(|pair| (pair.name.as_str(), pair.value.as_str(), pair.masked))
            .collect();
        assert_eq!(shown, [("a", "b c", false), ("token", "masked", true)]);
        assert!(page.import_file.is_some());
        assert!(
            page.curl
                .is_some_and(|command| command.contains("# The URL has masked values"))
        );
    }
}

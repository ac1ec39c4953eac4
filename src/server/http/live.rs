//! Lists that are followed: server-sent events, by the same filters and rights as the page itself has.
//!
//! `GET /live/{prj}/logs?{the page's query}&since=…` tells of logs, `GET /live/{prj}/records` that a task, an export or a sendout has changed. Each event's id says
//! where to go on: a browser that lost its connection says it by itself, in `Last-Event-ID`.

use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use futures::stream::{self, Stream};
use serde::Serialize;
use tokio::time::{Instant, Interval, MissedTickBehavior};

use crate::api::logs::{Came, shown};
use crate::api::visit::cookie;
use crate::api::zones::{ZoneHints, choose};
use crate::model::column::Column;
use crate::model::log::Origin;
use crate::model::query::{LogQuery, pairs};
use crate::model::rights::Rights;
use crate::server::access::{self, AccessError, Member};
use crate::server::error::ApiError;
use crate::server::live::{Following, Found, News, Wish};
use crate::server::selection::{QueryContext, resolve};
use crate::server::state::Server;
use crate::server::store::logs::arrived::{self, Mark};

/// How often it is looked whether who follows may still see what they are told.
const CHECK: Duration = Duration::from_secs(3);
/// A proxy on the way closes what says nothing for long.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How long a browser waits before it comes back.
const COME_BACK: Duration = Duration::from_secs(1);
/// Seconds after which somebody else may have gone.
const FULL_RETRY_S: u64 = 10;
/// What asks nginx to pass on each event as it comes.
const UNBUFFERED: (HeaderName, HeaderValue) = (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));

/// The streams.
pub(crate) fn routes() -> Router<Server> {
    Router::new()
        .route("/live/{project}/logs", get(logs))
        .route("/live/{project}/records", get(records))
}

async fn logs(
    State(server): State<Server>,
    Path(project): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let member = access::member(&server, &headers, &project).await?;
    let text = query.unwrap_or_default();
    let query = LogQuery::parse(&text)?;
    if query.to.is_some() {
        return Err(ApiError::bad_query(
            "to: a list that ends is not followed; leave it out to follow what comes",
        ));
    }
    let zone = choose(&ZoneHints {
        asked: query.tz.as_deref(),
        last: cookie(&headers, "zone").as_deref(),
        local: cookie(&headers, "tz").as_deref(),
        project: &member.project.time_zone,
    })?;
    let context = QueryContext {
        now_ms: server.clock.now_ms(),
        zone: &zone.zone,
        rights: member.rights,
        key: &server.key,
        project_id: &member.project.id,
        default_origin: Origin::Application,
    };
    let (mut selection, _) = resolve(&query, &context)?;
    selection.range.to = i64::MAX;
    let since = mark(&said_since(&headers, &text).unwrap_or_default())?;
    let following = follow(&server, &member, Wish::Logs(Box::new(selection)), since)?;
    Ok(told(Telling {
        columns: Column::chosen(&query.columns),
        ..Telling::new(server, headers, member, following)
    }))
}

async fn records(
    State(server): State<Server>,
    Path(project): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let member = access::member(&server, &headers, &project).await?;
    let since = match said_since(&headers, &query.unwrap_or_default()) {
        Some(said) => mark(&said)?,
        None => arrived::mark(&server.db, member.project.key).await?,
    };
    let following = follow(&server, &member, Wish::Records, since)?;
    Ok(told(Telling::new(server, headers, member, following)))
}

fn follow(server: &Server, member: &Member, wish: Wish, since: Mark) -> Result<Following, ApiError> {
    let following = server.live.follow(member.project.key, wish, since);
    following.map_err(|full| ApiError::new(StatusCode::SERVICE_UNAVAILABLE, full.to_string()).retry_after(FULL_RETRY_S))
}

/// Where to go on: as the browser says that comes back, else as the page says.
fn said_since(headers: &HeaderMap, query: &str) -> Option<String> {
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let asked = || pairs(query).find(|(name, _)| name == "since").map(|(_, value)| value);
    last.map(str::to_owned).or_else(asked)
}

fn mark(said: &str) -> Result<Mark, ApiError> {
    let mark = said.parse().ok().filter(|mark| *mark >= 0);
    mark.ok_or_else(|| ApiError::bad_query("since: the number that the page or the last event has"))
}

/// A stream that is being told.
struct Telling {
    server: Server,
    headers: HeaderMap,
    member: Member,
    columns: Vec<Column>,
    following: Following,
    check: Interval,
    /// Whether they may still see it, while that is being asked.
    asked: Option<BoxFuture<'static, bool>>,
    /// What has been said so far.
    said: Said,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Said {
    Nothing,
    Hello,
    /// That it is over.
    Bye,
}

impl Telling {
    fn new(server: Server, headers: HeaderMap, member: Member, following: Following) -> Self {
        // Many come at the same moment, after a restart: they are not all asked about at the same moments then.
        let [some] = server.random.bytes();
        let first = CHECK.mul_f64((f64::from(some) + 1.0) / 256.0);
        let mut check = tokio::time::interval_at(Instant::now() + first, CHECK);
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            server,
            headers,
            member,
            columns: Vec::new(),
            following,
            check,
            asked: None,
            said: Said::Nothing,
        }
    }

    /// The next event; none at the end.
    async fn next(&mut self) -> Option<Event> {
        match self.said {
            // At once, so that the browser knows that it is followed.
            Said::Nothing => {
                self.said = Said::Hello;
                return Some(Event::default().retry(COME_BACK).event("hello").data("{}"));
            }
            Said::Bye => return None,
            Said::Hello => {}
        }
        loop {
            let answer = async {
                match &mut self.asked {
                    Some(asked) => asked.await,
                    None => pending().await,
                }
            };
            tokio::select! {
                may_still = answer => {
                    self.asked = None;
                    if !may_still {
                        self.said = Said::Bye;
                        return Some(Event::default().event("bye").data("{}"));
                    }
                }
                _ = self.check.tick() => self.asked = Some(may_still(&self.server, &self.headers, &self.member)),
                news = self.following.next() => return news.and_then(|news| self.event(&news)),
            }
        }
    }

    fn event(&self, news: &News) -> Option<Event> {
        match news {
            News::Found(found) => event("came", found.mark, &came(found, &self.columns, self.member.rights)),
            News::Missed(mark) => event(
                "came",
                *mark,
                &Came {
                    mark: *mark,
                    missed: true,
                    ..Came::default()
                },
            ),
            News::Moved(mark) => event("moved", *mark, mark),
            News::Nothing(mark) => event("nothing", *mark, mark),
        }
    }
}

/// Whether they may still see the same; what comes meanwhile is told. Where that cannot be asked now, it is asked again.
fn may_still(server: &Server, headers: &HeaderMap, member: &Member) -> BoxFuture<'static, bool> {
    let (server, headers) = (server.clone(), headers.clone());
    let (project, rights) = (member.project.id.clone(), member.rights);
    async move {
        match access::member(&server, &headers, &project).await {
            Ok(member) => member.rights == rights,
            Err(AccessError::Store(_)) => true,
            Err(_) => false,
        }
    }
    .boxed()
}

fn event(name: &str, mark: i64, data: &impl Serialize) -> Option<Event> {
    let event = Event::default().event(name).id(mark.to_string()).json_data(data);
    event
        .map_err(|error| tracing::error!(%error, "an event could not be written, and its stream ends"))
        .ok()
}

fn came(found: &Found, columns: &[Column], rights: Rights) -> Came {
    Came {
        mark: found.mark,
        rows: shown(found.logs.iter().map(|facts| &**facts), columns, rights),
        count: found.count,
        failed: found.failed,
        minutes: found
            .minutes
            .iter()
            .map(|(minute, (good, bad))| (*minute, *good, *bad))
            .collect(),
        missed: false,
    }
}

fn told(telling: Telling) -> Response {
    let kept = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store")), UNBUFFERED];
    let events = Sse::new(events(telling)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    (kept, events).into_response()
}

fn events(telling: Telling) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(telling, async |mut telling| {
        let event = telling.next().await?;
        Some((Ok(event), telling))
    })
}

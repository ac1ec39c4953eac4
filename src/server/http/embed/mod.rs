//! `GET /embed/{token}`: an embedded view's pages, for whoever holds its link. Read, and nothing else: no cookie counts here, and an argument names a place in the list or a log, never
//! what the list shows.
//!
//! The token is a secret in an address, so it is written down nowhere: [`without_token`] is what lines and logs have instead.

mod answer;
mod list;
mod log;

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use axum::extract::rejection::PathRejection;
use axum::extract::{ConnectInfo, Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};

use self::answer::Refused;
use super::recording::{self, Recording};
use super::{assets, error_page};
use crate::api::zones::{ChosenZone, ZoneHints, choose};
use crate::app::pages::embed::Around;
use crate::model::log::Origin;
use crate::model::query::pairs;
use crate::server::access;
use crate::server::embeds::open::{self, Found, Shown};
use crate::server::embeds::token;
use crate::server::selection::QueryContext;
use crate::server::state::Server;

/// What an embedded view is called in the log of the log.
pub(crate) const KIND: &str = "embed";
/// The route, as the router has it.
pub(super) const ROUTE: &str = "/embed/{token}";
/// Where every link begins.
const PREFIX: &str = "/embed/";
/// What stands for a token.
const MASKED: &str = "masked";

pub(super) fn routes() -> Router<Server> {
    Router::new().route(ROUTE, get(open))
}

/// The token in an address, if it has one.
pub(super) fn token_in(path: &str) -> Option<&str> {
    path.strip_prefix(PREFIX).filter(|token| !token.is_empty())
}

/// A path as it may be written down.
pub(super) fn without_token(path: &str) -> Cow<'_, str> {
    match token_in(path) {
        Some(_) => Cow::Owned(format!("{PREFIX}{MASKED}")),
        None => Cow::Borrowed(path),
    }
}

/// A text that may repeat the token of this path (an address in a header, say) as it may be written down.
pub(super) fn hidden<'a>(path: &str, text: Cow<'a, str>) -> Cow<'a, str> {
    match token_in(path) {
        Some(token) if text.contains(token) => Cow::Owned(text.replace(token, MASKED)),
        _ => text,
    }
}

/// What an address asks for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Asked {
    after: Option<String>,
    before: Option<String>,
    log: Option<String>,
}

impl Asked {
    /// Anything else that stands there means nothing.
    fn read(query: &str) -> Self {
        let mut asked = Self::default();
        for (name, value) in pairs(query).filter(|(_, value)| !value.is_empty()) {
            match name.as_str() {
                "after" => asked.after = Some(value),
                "before" => asked.before = Some(value),
                "log" => asked.log = Some(value),
                _ => {}
            }
        }
        asked
    }
}

/// Somebody with a link that leads somewhere.
struct Visit {
    server: Server,
    found: Found,
    shown: Shown,
    zone: ChosenZone,
    now: i64,
}

impl Visit {
    /// What the view's query is read with. Cursors are bound to the embedded view: those of the Logs tab, and of other links, are refused.
    fn context(&self) -> QueryContext<'_> {
        QueryContext {
            now_ms: self.now,
            zone: &self.zone.zone,
            rights: self.shown.rights,
            key: &self.server.key,
            project_id: &self.found.embed.id,
            default_origin: Origin::Application,
        }
    }

    /// What stands around a page that shows times between these.
    fn around(&self, from: i64, to: i64) -> Around {
        Around {
            styles: error_page::styles(&assets::head()),
            project: self.found.project.name.clone(),
            view: self.shown.view.name.clone(),
            zone: self.zone.between(from.min(self.now), to.max(self.now)),
            now: self.now,
        }
    }
}

async fn open(
    State(server): State<Server>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    recording: Option<Extension<Recording>>,
    headers: HeaderMap,
    token: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Response {
    let recording = recording.as_ref().map(|Extension(recording)| recording);
    // What is no text was never signed.
    let token = token.map(|Path(token)| token).unwrap_or_default();
    let address = access::network(access::client_ip(&server.config, peer, &headers));
    match let_in(server, &token, address, recording).await {
        Ok(visit) => answered(&visit, &query.unwrap_or_default(), recording).await,
        // Whose frame it would be is not known, or is no more.
        Err(refused) => refused.answer(&[]),
    }
}

/// Whoever holds a link that leads somewhere. What was signed by this instance is on its project's log, whatever comes of it.
async fn let_in(server: Server, token: &str, address: IpAddr, recording: Option<&Recording>) -> Result<Visit, Refused> {
    let signed = token::read(&server.key, token).ok_or(Refused::Ended)?;
    server.limits.visit(&signed.id, address).map_err(Refused::TooOften)?;
    let found = open::find(&server, &signed).await?.ok_or(Refused::Ended)?;
    recording::by_link(recording, found.project.key);
    recording::about(recording, KIND, &found.embed.id);
    let now = server.clock.now_ms();
    // Whoever holds a link that has ended learns no more than whoever makes one up.
    let shown = open::shown(&server, &found, now).await?.ok_or(Refused::Ended)?;
    let zone = zone(&shown, &found);
    Ok(Visit {
        server,
        found,
        shown,
        zone,
        now,
    })
}

async fn answered(visit: &Visit, query: &str, recording: Option<&Recording>) -> Response {
    let asked = Asked::read(query);
    let page = match &asked.log {
        Some(id) => log::page(visit, id, &asked, recording).await,
        None => list::page(visit, &asked).await,
    };
    let origins = &visit.found.embed.origins;
    match page {
        Ok(page) => {
            open::note(&visit.server, &visit.found, visit.now);
            answer::page(page, origins)
        }
        Err(refused) => refused.answer(origins),
    }
}

/// The view's own zone, else the project's: nobody is there whose zone it could be.
fn zone(shown: &Shown, found: &Found) -> ChosenZone {
    let own = shown.query.tz.as_deref().filter(|zone| *zone != "local");
    let hints = |asked| ZoneHints {
        asked: Some(asked),
        last: None,
        local: None,
        project: &found.project.time_zone,
    };
    choose(&hints(own.unwrap_or("project"))).unwrap_or_else(|_| ChosenZone {
        zone: jiff::tz::TimeZone::UTC,
        name: "UTC".to_owned(),
        unknown_local: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_written_down_nowhere() {
        assert_eq!(without_token("/embed/emb_1.5.abc"), "/embed/masked");
        assert_eq!(without_token("/embed/emb_1.5.abc/more"), "/embed/masked");
        for path in ["/", "/embed", "/embed/", "/projects/p/logs", "/assets/embed/x"] {
            assert_eq!(without_token(path), path);
        }
        let said = "https://host.example/?frame=/embed/emb_1.5.abc&x=1";
        assert_eq!(
            hidden("/embed/emb_1.5.abc", said.into()),
            "https://host.example/?frame=/embed/masked&x=1"
        );
        assert_eq!(hidden("/embed/", said.into()), said);
        assert_eq!(hidden("/v1/logs", said.into()), said);
    }

    #[test]
    fn an_address_names_a_place_and_a_log_and_nothing_else() {
        let asked = Asked::read("after=a%20b&log=log_1&status=SUCCESS&from=-90d&origin=self&before=&q=x&columns=user");
        assert_eq!(
            asked,
            Asked {
                after: Some("a b".to_owned()),
                before: None,
                log: Some("log_1".to_owned()),
            }
        );
        assert_eq!(Asked::read(""), Asked::default());
    }
}

//! What the tabs of records have in common: a query with all that it means, and a page around its rows.

use super::error::ApiError;
use super::logs::Turn;
use super::tasks::{Listed, Offer};
use super::views::led;
use super::visit::Visit;
use super::zones::{ChosenZone, ZoneHints, choose};
use crate::model::log::Origin;
use crate::model::page::{Key, Page, Place};
use crate::model::query::Order;
use crate::model::tab::{Tab, TabQuery};
use crate::model::view::ViewTab;
use crate::server::selection::{QueryContext, cursor, records};
use crate::server::store::records::RecordSelection;

/// A query with all that it means.
pub(super) struct Meant {
    pub(super) visit: Visit,
    pub(super) query: TabQuery,
    pub(super) zone: ChosenZone,
    pub(super) now: i64,
    pub(super) selection: RecordSelection,
    pub(super) place: Place,
}

/// The zone that a visit's page shows times in.
pub(super) fn zone_of(visit: &Visit, asked: Option<&str>) -> Result<ChosenZone, ApiError> {
    Ok(choose(&ZoneHints {
        asked,
        last: visit.cookie("zone").as_deref(),
        local: visit.cookie("tz").as_deref(),
        project: &visit.member.project.time_zone,
    })?)
}

/// What a query string means in a tab.
pub(super) async fn meant(tab: Tab, project: &str, query: &str) -> Result<Meant, ApiError> {
    let visit = Visit::to(project).await?;
    let now = visit.server.clock.now_ms();
    meant_at(visit, tab, query, now)
}

/// What a tab's page shows for a query string; where that is a view's own link, what the view says, to which the reader is sent.
pub(super) async fn listing(tab: Tab, project: &str, query: &str) -> Result<Meant, ApiError> {
    let led = led(ViewTab::of_records(tab), project, query).await?;
    meant(tab, project, led.as_deref().unwrap_or(query)).await
}

/// What a query string meant in a tab at a moment.
pub(super) fn meant_at(visit: Visit, tab: Tab, query: &str, now: i64) -> Result<Meant, ApiError> {
    let query = TabQuery::parse(tab, query)?;
    let zone = zone_of(&visit, query.tz.as_deref())?;
    let context = QueryContext {
        now_ms: now,
        zone: &zone.zone,
        rights: visit.member.rights,
        key: &visit.server.key,
        project_id: &visit.member.project.id,
        default_origin: Origin::Application,
    };
    let (selection, place) = records::resolve(&query, &context)?;
    Ok(Meant {
        visit,
        query,
        zone,
        now,
        selection,
        place,
    })
}

/// A page with what stands around its rows. `key` gives a row's place.
pub(super) fn listed<Row>(
    meant: &Meant,
    page: Page<Row>,
    any: bool,
    offered: Vec<(String, Vec<Offer>)>,
    key: impl Fn(&Row) -> (i64, String),
) -> Listed<Row> {
    let turn = |after: bool, row: Option<&Row>| {
        row.map(|row| {
            let (created_at, id) = key(row);
            Turn {
                after,
                cursor: cursor(
                    &meant.visit.server.key,
                    &meant.visit.member.project.id,
                    &Key { created_at, id },
                ),
            }
        })
    };
    let on = turn(true, page.rows.last()).filter(|_| page.more_after);
    let back = turn(false, page.rows.first()).filter(|_| page.more_before);
    let (newer, older) = if meant.query.order == Order::NewestFirst {
        (back, on)
    } else {
        (on, back)
    };
    let earliest = page.rows.iter().map(|row| key(row).0).fold(meant.now, i64::min);
    let range = &meant.selection.range;
    Listed {
        newer,
        older,
        any,
        may_work: meant.visit.member.rights.work,
        offered,
        range: (
            meant.query.from.as_ref().map(|_| range.from),
            meant.query.to.as_ref().map(|_| range.to),
        ),
        now: meant.now,
        zone: meant.zone.for_choosing(earliest, meant.now, meant.now),
        unknown_local: meant.zone.unknown_local,
        rows: page.rows,
    }
}

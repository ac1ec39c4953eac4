//! Reads what the Logs tab shows: rows, histogram and totals at the same time.

use std::time::Duration;

use super::chart::{chart_of, step_of};
use super::{COUNT_BOUND, Choices, Emptiness, InUse, LogsPage, Row, Turn};
use crate::api::error::ApiError;
use crate::api::views::led;
use crate::api::visit::Visit;
use crate::api::zones::{ChosenZone, ZoneHints, choose};
use crate::model::column::Column;
use crate::model::filter::LogFilter;
use crate::model::format;
use crate::model::log::{LogFacts, Note, Status};
use crate::model::page::{Key, Page, Place, Total};
use crate::model::query::{LogQuery, Order};
use crate::model::rights::Rights;
use crate::model::selection::{LogSelection, TextNeedles, TimeRange};
use crate::model::view::ViewTab;
use crate::server::secrets::InstanceKey;
use crate::server::selection::{QueryContext, cursor, resolve};
use crate::server::store::StoreError;
use crate::server::store::logs::offered::{self, Offered};
use crate::server::store::logs::{arrived, counts, list};

/// How long the look for any log at all may take.
const BUDGET: Duration = Duration::from_secs(1);
/// How many values a long list offers.
const MOST_VALUES: usize = 200;

/// A query with all that it means.
struct Meant {
    visit: Visit,
    query: LogQuery,
    zone: ChosenZone,
    now: i64,
    selection: LogSelection,
    place: Place,
}

impl Meant {
    /// The range as people are shown it: one that ends with now lets in what clocks that run ahead have sent, and still ends with now.
    fn range(&self) -> TimeRange {
        let TimeRange { from, to } = self.selection.range;
        TimeRange {
            from,
            to: if self.query.to.is_none() {
                to.min(self.now.max(from + 1))
            } else {
                to
            },
        }
    }
}

async fn meant(project: &str, query: &str) -> Result<Meant, ApiError> {
    let visit = Visit::to(project).await?;
    let query = LogQuery::parse(query)?;
    let zone = choose(&ZoneHints {
        asked: query.tz.as_deref(),
        last: visit.cookie("zone").as_deref(),
        local: visit.cookie("tz").as_deref(),
        project: &visit.member.project.time_zone,
    })?;
    let now = visit.server.clock.now_ms();
    let context = QueryContext {
        now_ms: now,
        zone: &zone.zone,
        rights: visit.member.rights,
        key: &visit.server.key,
        project_id: &visit.member.project.id,
        default_origin: crate::model::log::Origin::Application,
    };
    let (selection, place) = resolve(&query, &context)?;
    Ok(Meant {
        visit,
        query,
        zone,
        now,
        selection,
        place,
    })
}

/// The whole page; where the query is a view's own link, of what the view says, to which the reader is sent.
pub(super) async fn page(project: &str, query: &str) -> Result<LogsPage, ApiError> {
    let led = led(ViewTab::Logs, project, query).await?;
    let meant = meant(project, led.as_deref().unwrap_or(query)).await?;
    let range = meant.range();
    let step = step_of(range);
    let counted = LogSelection {
        text: TextNeedles::default(),
        ..meant.selection.clone()
    };
    let before_text = !meant.selection.text.is_empty();
    let (db, key) = (&meant.visit.server.db, meant.visit.member.project.key);

    // Before the rows are read: what is written meanwhile is told twice rather than never.
    let mark = if can_be_followed(&meant) {
        Some(arrived::mark(db, key).await?)
    } else {
        None
    };
    let (rows, histogram) = tokio::join!(rows(&meant), counts::histogram(db, key, &counted, step, COUNT_BOUND));
    let (rows, histogram) = (rows?, histogram?);
    let (total, failed) = if before_text {
        (Total::Unknown, Total::Unknown)
    } else {
        totals(&histogram)
    };
    let empty = if rows.rows.is_empty() {
        Some(emptiness(&meant).await?)
    } else {
        None
    };
    let turning = Turning {
        key: &meant.visit.server.key,
        bound_to: &meant.visit.member.project.id,
        order: meant.query.order,
        place: &meant.place,
    };
    let (newer, older, searched) = turns(&turning, &rows);
    let earliest = rows.rows.iter().map(|facts| facts.created_at).fold(range.from, i64::min);

    Ok(LogsPage {
        bodies_hidden: !meant.visit.member.rights.read_bodies,
        users_hidden: !meant.visit.member.rights.read_users,
        newer,
        older,
        searched,
        total,
        failed,
        chart: chart_of(range, step, &histogram, before_text),
        range: (range.from, range.to),
        now: meant.now,
        zone: meant.zone.for_choosing(earliest.min(range.from), range.to, meant.now),
        unknown_local: meant.zone.unknown_local,
        empty,
        mark,
        rows: shown(&rows.rows, &Column::chosen(&meant.query.columns), meant.visit.member.rights),
    })
}

/// Whether new logs come first on this page: it has no end in time, and is the first one, newest first.
fn can_be_followed(meant: &Meant) -> bool {
    let query = &meant.query;
    query.to.is_none() && query.order == Order::NewestFirst && meant.place == Place::Start
}

async fn rows(meant: &Meant) -> Result<Page<LogFacts>, StoreError> {
    let request = list::ListRequest {
        project: meant.visit.member.project.key,
        selection: &meant.selection,
        order: meant.query.order,
        place: meant.place.clone(),
        limit: usize::from(meant.query.limit),
        budget: Duration::from_millis(meant.visit.server.config.search_ms.into()),
    };
    list::page_of(&meant.visit.server.db, request, &Column::chosen(&meant.query.columns)).await
}

/// How many logs there are and how many failed: its bars together hold all that was counted.
fn totals(histogram: &counts::Histogram) -> (Total, Total) {
    let total = |count| {
        if histogram.whole {
            Total::Exact(count)
        } else {
            Total::AtLeast(count)
        }
    };
    let failed = histogram.bars.iter().map(|bar| bar.failure).sum();
    let all = histogram.bars.iter().map(|bar| bar.success + bar.failure).sum();
    (total(all), total(failed))
}

pub(crate) const fn sum(one: Total, other: Total) -> Total {
    match (one, other) {
        (Total::Exact(one), Total::Exact(other)) => Total::Exact(one + other),
        (Total::Unknown, _) | (_, Total::Unknown) => Total::Unknown,
        (Total::Exact(one) | Total::AtLeast(one), Total::Exact(other) | Total::AtLeast(other)) => Total::AtLeast(one + other),
    }
}

/// Why there is nothing in the range: asked only where there are no rows.
async fn emptiness(meant: &Meant) -> Result<Emptiness, ApiError> {
    let everything = LogSelection {
        origins: meant.selection.origins.clone(),
        ..LogSelection::all(TimeRange { from: 0, to: i64::MAX })
    };
    let request = list::ListRequest {
        project: meant.visit.member.project.key,
        selection: &everything,
        order: Order::NewestFirst,
        place: Place::Start,
        limit: 1,
        budget: BUDGET,
    };
    let latest = list::page(&meant.visit.server.db, request).await?;
    Ok(latest
        .rows
        .first()
        .map_or(Emptiness::Never, |facts| Emptiness::Elsewhere(facts.created_at)))
}

/// A page of a list, for which the ways to others are made.
pub(crate) struct Turning<'a> {
    /// Signs cursors.
    pub(crate) key: &'a InstanceKey,
    /// What cursors are bound to: they are refused everywhere else.
    pub(crate) bound_to: &'a str,
    /// The list's order.
    pub(crate) order: Order,
    /// Where the page begins.
    pub(crate) place: &'a Place,
}

/// Where Newer and Older lead, and where a search that ran out of time goes on.
pub(crate) fn turns(of: &Turning<'_>, page: &Page<LogFacts>) -> (Option<Turn>, Option<Turn>, Option<(i64, Turn)>) {
    let turn = |after: bool, created_at: i64, id: &str| {
        let place = Key {
            created_at,
            id: id.to_owned(),
        };
        Turn {
            after,
            cursor: cursor(of.key, of.bound_to, &place),
        }
    };
    let at = |after: bool, facts: Option<&LogFacts>| facts.map(|facts| turn(after, facts.created_at, &facts.id));
    let backwards = matches!(of.place, Place::Before(_));
    let searched = page.searched_to.map(|time| (time, turn(!backwards, time, "")));

    let on = if page.more_after { at(true, page.rows.last()) } else { None };
    let back = if page.more_before {
        at(false, page.rows.first())
    } else {
        None
    };
    let go_on = searched.as_ref().map(|(_, turn)| turn.clone());
    let (on, back) = if backwards {
        (on, go_on.or(back))
    } else {
        (go_on.or(on), back)
    };
    let (newer, older) = if of.order == Order::NewestFirst {
        (back, on)
    } else {
        (on, back)
    };
    (newer, older, searched)
}

/// Rows as the page shows them: without who did it, for those who may not see that.
pub(crate) fn shown<'a>(rows: impl IntoIterator<Item = &'a LogFacts>, columns: &[Column], rights: Rights) -> Vec<Row> {
    rows.into_iter()
        .map(|facts| Row {
            at: facts.created_at,
            failed: facts.status == Status::Failure,
            cells: columns.iter().map(|column| cell(*column, facts, rights)).collect(),
            id: facts.id.clone(),
        })
        .collect()
}

/// What a column says of a log; empty where there is nothing to say.
fn cell(column: Column, facts: &LogFacts, rights: Rights) -> String {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let who = |value: Option<&String>| {
        if rights.read_users {
            value.cloned().unwrap_or_default()
        } else {
            String::new()
        }
    };
    match column {
        Column::Time => String::new(),
        Column::Status => facts.status_code.map(|code| code.to_string()).unwrap_or_default(),
        Column::Method => facts.method.clone(),
        Column::Endpoint => template(&facts.endpoint, &facts.method, &facts.path),
        Column::Path => facts.path.clone(),
        Column::Channel => text(&facts.channel),
        Column::User => who(facts.user_email.as_ref().or(facts.user_id.as_ref())),
        Column::Took => facts.duration_us.map(format::duration).unwrap_or_default(),
        // The name is of the key that the log has, whichever side that is of.
        Column::ServerKey if facts.client_app_id.is_some() => String::new(),
        Column::ServerKey => who(facts.app_name.as_ref().or(facts.app_id.as_ref())),
        Column::ClientKey => who(facts.client_app_id.as_ref().map(|id| facts.app_name.as_ref().unwrap_or(id))),
        Column::RequestId => text(&facts.request_id),
        Column::Resource => facts
            .resource
            .as_ref()
            .map(|about| format!("{}:{}", about.kind, about.id))
            .unwrap_or_default(),
        Column::Ip => text(&facts.ip),
        Column::RequestSize => format::size(facts.request_bytes),
        Column::ResponseSize => format::size(facts.response_bytes),
        Column::Task => text(&facts.async_action_id),
        Column::Origin => facts.origin.as_str().to_owned(),
        Column::Notes => facts
            .notes
            .iter()
            .map(|note| Note::as_str(*note))
            .collect::<Vec<_>>()
            .join(", "),
    }
}

/// `/v1/vouchers/{id}/redemption` for `POST_v1_vouchers_{id}_redemption`: the path says which `_` were slashes. An endpoint that
/// does not fit its path (`…_other`) is shown as it is.
fn template(endpoint: &str, method: &str, path: &str) -> String {
    let fitted = endpoint.strip_prefix(method).and_then(|mut rest| {
        let mut shown = String::with_capacity(endpoint.len());
        for segment in path.split('/').filter(|segment| !segment.is_empty()) {
            rest = rest.strip_prefix('_')?;
            let end = if rest.starts_with('{') {
                rest.find('}')? + 1
            } else {
                rest.starts_with(segment).then_some(segment.len())?
            };
            shown.push('/');
            shown.push_str(&rest[..end]);
            rest = &rest[end..];
        }
        rest.is_empty().then_some(shown)
    });
    fitted
        .filter(|shown| !shown.is_empty())
        .unwrap_or_else(|| endpoint.to_owned())
}

/// The values behind the short lists.
pub(super) async fn choices(project: &str, query: &str) -> Result<Choices, ApiError> {
    let meant = meant(project, query).await?;
    let (db, key) = (&meant.visit.server.db, meant.visit.member.project.key);
    let (range, origins) = (meant.selection.range, &meant.selection.origins);
    let fields = [LogFilter::Status, LogFilter::Method, LogFilter::Channel];
    let mut offered = offered::all(db, key, &fields, range, origins, MOST_VALUES).await?.into_iter();
    let (Some(status), Some(method), Some(channel)) = (offered.next(), offered.next(), offered.next()) else {
        return Ok(Choices::default());
    };
    Ok(Choices {
        status: status.values,
        about: !method.exact || !channel.exact,
        method: method.values,
        channel: channel.values,
    })
}

/// The values behind a long list.
pub(super) async fn values(project: &str, query: &str, argument: &str) -> Result<InUse, ApiError> {
    let meant = meant(project, query).await?;
    let field = LogFilter::of_argument(argument).unwrap_or(LogFilter::Endpoint);
    let offered = in_use(&meant, field).await?;
    Ok(InUse {
        values: offered.values,
        about: !offered.exact,
    })
}

async fn in_use(meant: &Meant, field: LogFilter) -> Result<Offered, StoreError> {
    let (db, key) = (&meant.visit.server.db, meant.visit.member.project.key);
    offered::offered(db, key, field, meant.selection.range, &meant.selection.origins, MOST_VALUES).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_shown_as_its_path() {
        for (endpoint, method, path, shown) in [
            (
                "POST_v1_vouchers_{id}_redemption",
                "POST",
                "/v1/vouchers/CODE-1/redemption",
                "/v1/vouchers/{id}/redemption",
            ),
            ("GET_v1_api_keys", "GET", "/v1/api_keys", "/v1/api_keys"),
            ("GET_…_other", "GET", "/v1/customers", "GET_…_other"),
            ("GET_", "GET", "/", "GET_"),
            ("GET_v1_{id}", "GET", "/v1/a/b", "GET_v1_{id}"),
        ] {
            assert_eq!(template(endpoint, method, path), shown);
        }
    }

    #[test]
    fn a_sum_is_as_exact_as_its_parts() {
        assert_eq!(sum(Total::Exact(2), Total::Exact(3)), Total::Exact(5));
        assert_eq!(sum(Total::AtLeast(2), Total::Exact(3)), Total::AtLeast(5));
        assert_eq!(sum(Total::Unknown, Total::Exact(3)), Total::Unknown);
    }
}

//! Reads what the Exports tab and an export's page show.

use super::{ExportPage, Notice, Notices};
use crate::api::error::ApiError;
use crate::api::logs::COUNT_BOUND;
use crate::api::records::{listed, listing, meant, zone_of};
use crate::api::tasks::{Listed, Offer};
use crate::api::visit::Visit;
use crate::model::browse::MAX_BYTES;
use crate::model::export::{EXPIRED, ExportFacts, ExportStatus, Exported};
use crate::model::format;
use crate::model::log::Origin;
use crate::model::page::Total;
use crate::model::query::LogQuery;
use crate::model::rights::Rights;
use crate::model::tab::Tab;
use crate::model::task::shown_reason;
use crate::server::exporting::plan::read_time;
use crate::server::exports::{BROWSED_MS, Shown};
use crate::server::selection::{QueryContext, resolve};
use crate::server::store::exports::{self, Column, Export};
use crate::server::store::logs::counts;
use crate::server::store::records::{self, RecordRequest};

/// Values that a filter offers at most.
const MOST_VALUES: i64 = 100;

/// The list.
pub(super) async fn list(project: &str, query: &str) -> Result<Listed<ExportFacts>, ApiError> {
    let meant = listing(Tab::Exports, project, query).await?;
    let (db, key) = (&meant.visit.server.db, meant.visit.member.project.key);
    let request = RecordRequest {
        project: key,
        selection: &meant.selection,
        order: meant.query.order,
        place: meant.place.clone(),
        limit: meant.query.limit.into(),
    };
    let mut page = records::exports(db, request).await?;
    if !meant.visit.member.rights.read_users {
        let person = &meant.visit.member.person.id;
        let others = page.rows.iter_mut().filter(|facts| facts.user_id.as_ref() != Some(person));
        others.for_each(|facts| hide_user(facts, meant.visit.member.rights));
    }
    let any = !page.rows.is_empty() || records::any(db, key, Tab::Exports).await?;
    let plain = |values: Vec<String>| values.into_iter().map(Offer::plain).collect();
    let offered = vec![
        (
            "exported_object".to_owned(),
            plain(exports::in_use(db, key, Column::ExportedObject, MOST_VALUES).await?),
        ),
        (
            "channel".to_owned(),
            plain(exports::in_use(db, key, Column::Channel, MOST_VALUES).await?),
        ),
    ];
    let place = |facts: &ExportFacts| (facts.created_at, facts.id.clone());
    Ok(listed(&meant, page, any, offered, place))
}

fn hide_user(facts: &mut ExportFacts, rights: Rights) {
    (facts.by, facts.user_id) = (None, None);
    facts.error = facts
        .error
        .take()
        .map(|reason| shown_reason(&reason, false, rights).to_owned());
}

/// The export with this id.
pub(super) async fn found(visit: &Visit, id: &str) -> Result<Export, ApiError> {
    if !crate::model::id::is_client_id(id) {
        return Err(ApiError::NotFound);
    }
    exports::find(&visit.server.db, visit.member.project.key, id)
        .await?
        .ok_or(ApiError::NotFound)
}

/// An export's page.
pub(super) async fn page(project: &str, id: &str, query: &str) -> Result<ExportPage, ApiError> {
    let meant = meant(Tab::Exports, project, query).await?;
    let export = found(&meant.visit, id).await?;
    let rights = meant.visit.member.rights;
    let person = &meant.visit.member.person.id;
    if export.facts.status.is_over() && export.facts.user_id.as_ref() == Some(person) {
        // Whoever sees what became of it need not be told.
        let seen = [export.facts.id.clone()];
        exports::tell(&meant.visit.server.db, meant.visit.member.project.key, person, &seen).await?;
    }
    let parameters: serde_json::Value = serde_json::from_str(&export.parameters).unwrap_or_default();
    let shown: Shown = serde_json::from_str(&export.shown).unwrap_or_default();
    let mut facts = export.facts;
    // One's own name is no secret to oneself.
    let is_own = facts.user_id.as_ref() == Some(person);
    let users_hidden = !rights.read_users && facts.by.is_some() && !is_own;
    if users_hidden {
        hide_user(&mut facts, rights);
    }
    let refusal = facts.holds.refusal(rights);
    let expired = facts.expired_at.map(|_| EXPIRED);
    let ends = shown.filters.iter().filter_map(|(label, value)| end_of_range(label, value));
    let earliest = ends.fold(facts.created_at, i64::min);
    let zone = meant.zone.zone_around(earliest, meant.now);
    let filters = shown
        .filters
        .into_iter()
        .map(|(label, value)| match end_of_range(&label, &value) {
            Some(at) => (label, zone.full(at)),
            None => (label, value),
        });
    let oldest_first = parameters.get("order").and_then(serde_json::Value::as_str) == Some("created_at");
    Ok(ExportPage {
        users_hidden,
        fields: fields(&facts, &parameters),
        filters: filters.collect(),
        notes: shown.notes,
        order: if oldest_first { "Oldest first" } else { "Newest first" }.to_owned(),
        list: shown.list.map(|query| format!("/projects/{project}/logs?{query}")),
        download: export
            .file
            .as_ref()
            .filter(|_| refusal.is_none())
            .map(|_| format!("/projects/{project}/exports/{id}/file")),
        not_downloaded: expired
            .or_else(|| refusal.filter(|_| export.file.is_some()))
            .map(str::to_owned),
        not_browsed: expired
            .map(str::to_owned)
            .or_else(|| not_browsed(&facts, meant.now))
            .or_else(|| refusal.map(str::to_owned)),
        guarded: parameters.get("csv_formulas").and_then(serde_json::Value::as_str) == Some("guarded"),
        can_delete: rights.work,
        zone,
        now: meant.now,
        facts,
    })
}

/// An end of the range, which is shown in the zone's words.
fn end_of_range(label: &str, value: &str) -> Option<i64> {
    read_time(value).filter(|_| matches!(label, "From" | "To"))
}

/// The file's columns.
fn fields(facts: &ExportFacts, parameters: &serde_json::Value) -> Vec<String> {
    let named = parameters.get("fields").and_then(serde_json::Value::as_array);
    let named: Vec<String> = named
        .into_iter()
        .flatten()
        .filter_map(|field| field.as_str().map(str::to_owned))
        .collect();
    match (named.is_empty(), Exported::parse(&facts.exported_object)) {
        (true, Some(exported)) if !facts.reported => exported.fields()[..exported.defaults()]
            .iter()
            .map(|field| (*field).to_owned())
            .collect(),
        _ => named,
    }
}

/// Why an export cannot be opened in the page.
fn not_browsed(facts: &ExportFacts, now_ms: i64) -> Option<String> {
    let why = if facts.exported_object != Exported::ApiLog.as_str() || facts.reported {
        "Only exports of logs that were made here can be browsed.".to_owned()
    } else if facts.status != ExportStatus::Done {
        match facts.status {
            ExportStatus::Error => "There is no file: the export failed.".to_owned(),
            _ => "The file is not ready yet.".to_owned(),
        }
    } else if now_ms - facts.created_at > BROWSED_MS {
        "The file is older than 90 days.".to_owned()
    } else if facts.bytes.is_some_and(|bytes| bytes > MAX_BYTES as i64) {
        format!(
            "The file has {}; a page holds at most {}. Download it instead.",
            format::size(facts.bytes.unwrap_or_default()),
            format::size(MAX_BYTES as i64)
        )
    } else {
        return None;
    };
    Some(why)
}

/// How many logs an export of this query would hold.
pub(super) async fn estimate(project: &str, query: &str) -> Result<Total, ApiError> {
    let visit = Visit::to(project).await?;
    let query = LogQuery::parse(query)?;
    let zone = zone_of(&visit, query.tz.as_deref())?;
    let context = QueryContext {
        now_ms: visit.server.clock.now_ms(),
        zone: &zone.zone,
        rights: visit.member.rights,
        key: &visit.server.key,
        project_id: &visit.member.project.id,
        default_origin: Origin::Application,
    };
    let (selection, _) = resolve(
        &LogQuery {
            after: None,
            before: None,
            ..query
        },
        &context,
    )?;
    if !selection.text.is_empty() {
        return Ok(Total::Unknown);
    }
    let (succeeded, failed) = counts::total(&visit.server.db, visit.member.project.key, &selection, COUNT_BOUND).await?;
    Ok(crate::api::logs::sum(succeeded, failed))
}

/// What a person's exports have come to.
pub(super) async fn notices(project: &str) -> Result<Notices, ApiError> {
    let visit = Visit::to(project).await?;
    let (over, running) = exports::untold(&visit.server.db, visit.member.project.key, &visit.member.person.id).await?;
    Ok(Notices {
        over: over
            .into_iter()
            .map(|facts| Notice {
                name: facts.file_name.unwrap_or_else(|| facts.id.clone()),
                id: facts.id,
                status: facts.status,
                rows: facts.rows,
            })
            .collect(),
        running: running.clamp(0, i64::from(u32::MAX)) as u32,
    })
}

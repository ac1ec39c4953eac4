//! Makes and deletes exports from the pages.

use axum::http::request::Parts;
use leptos::prelude::use_context;
use serde_json::{Value, json};

use super::NewExport;
use super::read::found;
use crate::api::error::ApiError;
use crate::api::records::zone_of;
use crate::api::visit::Visit;
use crate::model::filter::LogFilter;
use crate::model::log::Origin;
use crate::model::query::{LogQuery, Order};
use crate::model::zone::rfc3339;
use crate::server::exporting::plan::{Plan, Source, read_time};
use crate::server::exports::{self as service, Asker, Shown};
use crate::server::http::recording::Recording;
use crate::server::selection::{QueryContext, resolve};
use crate::server::store::exports;

/// Begins an export of what the Logs tab shows; the range is fixed now.
pub(super) async fn create(project: &str, new: NewExport) -> Result<String, ApiError> {
    let visit = Visit::to_change(project, ("export", "")).await?;
    let asked = LogQuery::parse(&new.query)?;
    let zone = zone_of(&visit, asked.tz.as_deref())?;
    let now_ms = visit.server.clock.now_ms();
    let context = QueryContext {
        now_ms,
        zone: &zone.zone,
        rights: visit.member.rights,
        key: &visit.server.key,
        project_id: &visit.member.project.id,
        default_origin: Origin::Application,
    };
    let query = LogQuery {
        order: if new.oldest_first {
            Order::OldestFirst
        } else {
            Order::NewestFirst
        },
        after: None,
        before: None,
        view: None,
        ..asked
    };
    let (selection, _) = resolve(&query, &context)?;
    let range = selection.range;
    let is_guarded = new.guarded && new.format == crate::model::export::Format::Csv;
    let plan = Plan::of_logs(
        selection,
        query.order,
        new.fields,
        (new.format, is_guarded),
        visit.member.rights,
    )
    .map_err(|error| ApiError::Refused(error.to_string()))?;
    let Source::Logs(_) = &plan.source else {
        return Err(ApiError::NotFound);
    };
    // A list that ends with now ends with this moment from now on.
    let to = range.to.min(now_ms + 1);
    let fixed = LogQuery {
        columns: Vec::new(),
        ..query.within(Some(rfc3339(range.from)), Some(rfc3339(to)))
    };
    let shown = Shown {
        filters: filters_of(&fixed),
        list: Some(fixed.to_query_string()),
        notes: plan.notes(),
    };
    let parameters = service::parameters_of(&plan, filters_json(&fixed));
    let asker = Asker {
        user_id: Some(visit.member.person.id.clone()),
        by: Some(visit.member.person.email.clone()),
        channel: "WEBSITE".to_owned(),
    };
    let parts = use_context::<Parts>();
    let recording = parts.as_ref().and_then(|parts| parts.extensions.get::<Recording>());
    let key = visit.member.project.key;
    Ok(service::begin(&visit.server, key, plan, (&parameters, &shown), asker, recording).await?)
}

/// Labels and values, the range first.
fn filters_of(query: &LogQuery) -> Vec<(String, String)> {
    let time = |label: &str, time: &Option<String>| time.as_ref().map(|time| (label.to_owned(), time.clone()));
    let range = [time("From", &query.from), time("To", &query.to)].into_iter().flatten();
    let filters = query
        .filters
        .iter()
        .map(|(filter, _)| (filter.label().to_owned(), query.value(*filter)));
    range.chain(filters).collect()
}

/// The same in the words of the API, so that the export can be had again by a call.
fn filters_json(query: &LogQuery) -> Value {
    let mut filters = serde_json::Map::new();
    filters.insert("junction".to_owned(), json!("and"));
    let mut times = serde_json::Map::new();
    if let Some(from) = &query.from {
        // A range has its beginning in it, $after has not.
        let before = read_time(from).map_or_else(|| from.clone(), |ms| rfc3339(ms - 1));
        times.insert("$after".to_owned(), json!([before]));
    }
    if let Some(to) = &query.to {
        times.insert("$before".to_owned(), json!([to]));
    }
    filters.insert("created_at".to_owned(), json!({ "conditions": times }));
    for (filter, terms) in &query.filters {
        let of = |without: bool| -> Vec<&str> {
            let chosen = terms.iter().filter(|term| term.without == without);
            chosen.map(|term| term.value.as_str()).collect()
        };
        let mut conditions = serde_json::Map::new();
        let (wanted, left_out) = (of(false), of(true));
        let op = match filter {
            LogFilter::Slower => "$more_than",
            filter if filter.is_literal() => "$contains",
            _ => "$in",
        };
        if !wanted.is_empty() {
            conditions.insert(op.to_owned(), json!(wanted));
        }
        if !left_out.is_empty() {
            conditions.insert("$not_in".to_owned(), json!(left_out));
        }
        filters.insert(filter.argument().to_owned(), json!({ "conditions": conditions }));
    }
    Value::Object(filters)
}

/// Deletes an export.
pub(super) async fn delete(project: &str, id: &str) -> Result<(), ApiError> {
    let visit = Visit::to_change(project, ("export", id)).await?;
    if !visit.member.rights.work {
        return Err(ApiError::NotAllowed(
            "Your role in this project may not delete exports; a member or an owner can.".to_owned(),
        ));
    }
    let export = found(&visit, id).await?;
    let now_ms = visit.server.clock.now_ms();
    exports::delete(&visit.server.db, visit.member.project.key, &export.facts.id, now_ms).await?;
    Ok(())
}

/// Notes that a person has seen what became of these.
pub(super) async fn dismiss(project: &str, ids: &[String]) -> Result<(), ApiError> {
    let visit = Visit::to(project).await?;
    exports::tell(&visit.server.db, visit.member.project.key, &visit.member.person.id, ids).await?;
    Ok(())
}

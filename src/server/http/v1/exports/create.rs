//! `POST /v1/exports`.

use crate::server::http::openapi::BadBody;
use axum::extract::State;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{ExportJson, ExportedObject, found};
use crate::model::export::{ExportStatus, Exported};
use crate::model::rights::Scope;
use crate::server::access::KeyAccess;
use crate::server::error::ApiError;
use crate::server::exporting::plan::{Plan, Source};
use crate::server::exports::{self, Asker, Shown};
use crate::server::http::recording::{self, Recording};
use crate::server::http::v1::fields::Fields;
use crate::server::http::v1::json::time;
use crate::server::selection::records;
use crate::server::state::Server;

#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = ExportToMake)]
pub(super) struct New {
    #[schema(value_type = ExportedObject)]
    exported_object: String,
    #[schema(value_type = Option<Object>)]
    parameters: Option<Value>,
}

/// Begins an export. The reference answers 200.
#[utoipa::path(
    post,
    path = "/v1/exports",
    operation_id = "createExport",
    tag = "Exports",
    summary = "Begins an export",
    description = "Needs the scope `exports:write`.",
    request_body = New,
    responses(
        (status = 200, description = "The export, not made yet", body = ExportJson),
        BadBody,
    ),
)]
pub(super) async fn create(
    State(server): State<Server>,
    Extension(key): Extension<KeyAccess>,
    recording: Option<Extension<Recording>>,
    body: Result<Fields<New>, ApiError>,
) -> Result<Json<Value>, ApiError> {
    key.require(Scope::ExportsWrite)?;
    let Fields(new) = body?;
    let Some(exported) = Exported::parse(&new.exported_object) else {
        let known = Exported::ALL.map(Exported::as_str).join(", ");
        return Err(ApiError::unreadable(format!(
            "exported_object: {:?} cannot be exported here; {known} can",
            new.exported_object
        )));
    };
    let parameters = new.parameters.unwrap_or_else(|| json!({}));
    if !parameters.is_object() {
        return Err(ApiError::unreadable("parameters must be an object"));
    }
    let context = records::context(&server, &key.project, key.rights);
    let plan = Plan::read(exported, &parameters, &context)?;
    let recording = recording.as_ref().map(|Extension(recording)| recording);
    let asker = Asker {
        user_id: None,
        by: Some(key.name.clone()),
        channel: recording::asked(recording).channel.unwrap_or_else(|| "API".to_owned()),
    };
    let shown = shown(&plan, &parameters);
    let id = exports::begin(&server, key.project.key, plan, (&parameters, &shown), asker, recording).await?;
    // It is begun by now: whoever is told otherwise would begin it twice.
    let found = found(&server, key.project.key, &id).await;
    let mut export = found.map_err(|_| ApiError::outcome_unknown())?;
    // A worker may be at it by now, or done: the answer is that it was begun, as clients of the reference expect.
    export.facts.status = ExportStatus::Scheduled;
    (export.facts.rows, export.facts.bytes, export.facts.sha256, export.facts.error) = (None, None, None, None);
    Ok(Json(json!(ExportJson::of(
        &server,
        &export.facts,
        (&export.parameters, &export.shown),
        key.rights
    ))))
}

/// `a, b` for `$in`, `not a` for `$is_not`, `starts with a` for `$starts_with`, `3 days ago` for `$is_days_ago`.
fn words(op: &str, values: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let values = match values {
        Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join(", "),
        single => text(single),
    };
    match op {
        "$in" | "$is" => values,
        "$not_in" | "$is_not" => format!("not {values}"),
        "$is_days_ago" => format!("{} ago", days(&values)),
        "$more_than_ago" => format!("more than {} ago", days(&values)),
        "$less_than_ago" => format!("less than {} ago", days(&values)),
        "$is_days_in_future" => format!("in {}", days(&values)),
        "$more_than_future" => format!("in more than {}", days(&values)),
        "$less_than_future" => format!("in less than {}", days(&values)),
        "$count_less" => format!("fewer than {values}"),
        "$count_more" => format!("more of them than {values}"),
        _ => format!("{} {values}", op.trim_start_matches('$').replace('_', " ")),
    }
}

fn days(count: &str) -> String {
    format!("{count} {}", if count == "1" { "day" } else { "days" })
}

/// The filters as a person reads them.
fn shown(plan: &Plan, parameters: &Value) -> Shown {
    let mut filters = Vec::new();
    let range = match &plan.source {
        Source::Logs(selection) => selection.range,
        Source::Records(selection) => selection.range,
    };
    // A range is told once: as such where created_at is one.
    let times = parameters
        .pointer("/filters/created_at/conditions")
        .and_then(Value::as_object);
    let one_is_enough = parameters
        .pointer("/filters/junction")
        .and_then(Value::as_str)
        .is_some_and(|word| word.eq_ignore_ascii_case("or"));
    let is_range = |times: &serde_json::Map<String, Value>| times.keys().all(|op| op == "$after" || op == "$before");
    let of_range = times.filter(|times| !one_is_enough && is_range(times));
    if range.from > 0 && (times.is_none() || of_range.is_some()) {
        filters.push(("From".to_owned(), time(range.from)));
    }
    if of_range.is_some_and(|times| times.contains_key("$before")) {
        filters.push(("To".to_owned(), time(range.to)));
    }
    for (field, filter) in parameters.get("filters").and_then(Value::as_object).into_iter().flatten() {
        if field == "junction" {
            if filter.as_str().is_some_and(|word| word.eq_ignore_ascii_case("or")) {
                filters.insert(0, ("Any of".to_owned(), "one of these is enough".to_owned()));
            }
            continue;
        }
        if field == "created_at" && of_range.is_some() {
            continue;
        }
        for (op, values) in filter.get("conditions").and_then(Value::as_object).into_iter().flatten() {
            filters.push((field.clone(), words(op, values)));
        }
    }
    Shown {
        filters,
        list: None,
        notes: plan.notes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparisons_are_told_in_words() {
        for (op, values, told) in [
            ("$in", json!(["a", 2]), "a, 2"),
            ("$is_not", json!("a"), "not a"),
            ("$starts_with", json!(["a"]), "starts with a"),
            ("$is_days_ago", json!([1, 2]), "1, 2 days ago"),
            ("$more_than_ago", json!([1]), "more than 1 day ago"),
            ("$less_than_future", json!(["3"]), "in less than 3 days"),
            ("$count", json!([3]), "count 3"),
        ] {
            assert_eq!(words(op, &values), told);
        }
    }
}

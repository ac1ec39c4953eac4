//! `GET /v1/exports`: by page number and with a total, as the reference's clients expect; narrowed by the filters of the tab Exports, each by its argument's
//! name. What is neither is passed over, as in every list.

use crate::server::http::openapi::{BadQuery, ExportArguments};
use axum::extract::{RawQuery, State};
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::{ExportJson, ExportList};
use crate::model::query::{Order, QueryProblem, escape, pairs};
use crate::model::rights::Scope;
use crate::model::tab::{Tab, TabQuery};
use crate::server::access::KeyAccess;
use crate::server::error::ApiError;
use crate::server::selection::records;
use crate::server::state::Server;
use crate::server::store::exports::find;
use crate::server::store::records::numbered_exports;

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    limit: u64,
    page: u64,
    by_status: bool,
    order: Order,
}

/// The list.
#[utoipa::path(
    get,
    path = "/v1/exports",
    operation_id = "listExports",
    tag = "Exports",
    summary = "Exports, by page number",
    description = "Needs the scope `read`.",
    params(ExportArguments),
    responses(
        (status = 200, description = "A page of exports", body = ExportList),
        BadQuery,
    ),
)]
pub(super) async fn list(
    State(server): State<Server>,
    Extension(key): Extension<KeyAccess>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, ApiError> {
    key.require(Scope::Read)?;
    let query = query.as_deref().unwrap_or_default();
    let asked = Asked::read(query)?;
    let place = (asked.limit, (asked.page - 1) * asked.limit);
    let context = records::context(&server, &key.project, key.rights);
    let (selection, _) = records::resolve(&filters(query)?, &context)?;
    let order = (asked.by_status, asked.order);
    let (rows, total) = numbered_exports(&server.db, key.project.key, &selection, order, place).await?;
    let mut exports = Vec::with_capacity(rows.len());
    for facts in rows {
        // One that was deleted meanwhile is left out.
        if let Some(export) = find(&server.db, key.project.key, &facts.id).await? {
            let told = (export.parameters.as_str(), export.shown.as_str());
            exports.push(json!(ExportJson::of(&server, &export.facts, told, key.rights)));
        }
    }
    Ok(Json(
        json!({ "object": "list", "data_ref": "exports", "exports": exports, "total": total }),
    ))
}

/// The filters and the range, as the tab has them; its order and its pages are others.
fn filters(query: &str) -> Result<TabQuery, QueryProblem> {
    let is_filter =
        |name: &str| Tab::Exports.filters().iter().any(|filter| filter.argument == name) || matches!(name, "from" | "to" | "tz");
    let named = pairs(query).filter(|(name, _)| is_filter(name));
    let named: Vec<String> = named.map(|(name, value)| format!("{name}={}", escape(&value))).collect();
    TabQuery::parse(Tab::Exports, &named.join("&"))
}

impl Asked {
    fn read(query: &str) -> Result<Self, QueryProblem> {
        let mut asked = Self {
            limit: 10,
            page: 1,
            by_status: false,
            order: Order::NewestFirst,
        };
        for (name, value) in pairs(query).filter(|(_, value)| !value.is_empty()) {
            let number = || {
                value
                    .parse::<u64>()
                    .ok()
                    .filter(|number| (1..=100).contains(number))
                    .ok_or_else(|| QueryProblem::new(&name, "a number from 1 to 100"))
            };
            match name.as_str() {
                "limit" => asked.limit = number()?,
                "page" => asked.page = number()?,
                "order" => {
                    (asked.by_status, asked.order) = match value.as_str() {
                        "created_at" => (false, Order::OldestFirst),
                        "-created_at" => (false, Order::NewestFirst),
                        "status" => (true, Order::OldestFirst),
                        "-status" => (true, Order::NewestFirst),
                        _ => return Err(QueryProblem::new("order", "created_at, -created_at, status or -status")),
                    };
                }
                _ => {}
            }
        }
        Ok(asked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_as_the_reference_has_them() {
        let asked = Asked::read("limit=100&page=3&order=-status").unwrap();
        assert_eq!((asked.limit, asked.page, asked.by_status), (100, 3, true));
        for wrong in ["limit=0", "limit=101", "page=0", "page=x", "order=id"] {
            assert!(Asked::read(wrong).is_err(), "{wrong}");
        }
    }
}

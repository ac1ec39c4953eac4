//! `GET /v1/views` and `GET /v1/views/{id}`: the views that a project shares. What is somebody's own, no key reads.

use axum::extract::{Path, RawQuery, State};
use axum::routing::get;
use axum::{Extension, Json, Router};
use serde_json::{Value, json};
use utoipa::OpenApi;

use crate::model::query::{QueryProblem, pairs};
use crate::model::rights::Scope;
use crate::model::view::ViewTab;
use crate::server::access::KeyAccess;
use crate::server::error::ApiError;
use crate::server::http::openapi::{BadQuery, List, ViewArguments, ViewShown};
use crate::server::http::shown;
use crate::server::state::Server;
use crate::server::store::projects::Project;
use crate::server::store::views::{View, shared};
use crate::server::views::{self, kept};

/// By key.
pub(super) fn routes() -> Router<Server> {
    Router::new().route("/v1/views", get(list)).route("/v1/views/{id}", get(one))
}

/// What the OpenAPI document says of these paths.
#[derive(OpenApi)]
#[openapi(paths(list, one))]
struct Described;

/// It.
pub(super) fn described() -> utoipa::openapi::OpenApi {
    Described::openapi()
}

/// All of them: there are at most as many as a menu holds.
#[utoipa::path(
    get,
    path = "/v1/views",
    operation_id = "listViews",
    tag = "Views",
    summary = "The views that are shared in the project, by tab and name",
    description = "Needs the scope `read`. The list is whole. A view's `query` is asked for by whoever calls, with their own key's rights.",
    params(ViewArguments),
    responses((status = 200, description = "The views", body = List<ViewShown>), BadQuery),
)]
async fn list(
    State(server): State<Server>,
    Extension(key): Extension<KeyAccess>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, ApiError> {
    key.require(Scope::Read)?;
    let tab = tab(query.as_deref().unwrap_or_default())?;
    let views = shared(&server.db, key.project.key, tab).await?;
    let data: Vec<Value> = views.iter().map(|view| view_json(&server, &key.project, view)).collect();
    Ok(Json(
        json!({ "object": "list", "data_ref": "data", "data": data, "has_more": false, "more_starting_after": null }),
    ))
}

/// One of them.
#[utoipa::path(
    get,
    path = "/v1/views/{id}",
    operation_id = "getView",
    tag = "Views",
    summary = "A view that is shared in the project",
    description = "Needs the scope `read`.",
    responses((status = 200, description = "The view", body = ViewShown)),
)]
async fn one(
    State(server): State<Server>,
    Extension(key): Extension<KeyAccess>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    key.require(Scope::Read)?;
    let view = views::shared(&server, key.project.key, &id).await?;
    let view = view.ok_or_else(|| ApiError::not_found("view", &id))?;
    Ok(Json(view_json(&server, &key.project, &view)))
}

/// A view with what of its query is understood by now.
fn view_json(server: &Server, project: &Project, view: &View) -> Value {
    let mut shown = shown::view(view);
    shown["query"] = json!(kept::read(server, project, view).0.to_query_string());
    shown
}

/// The tab that is asked for.
fn tab(query: &str) -> Result<Option<ViewTab>, QueryProblem> {
    let asked = pairs(query).find(|(name, value)| name == "tab" && !value.is_empty());
    let wrong = || QueryProblem::new("tab", "logs, tasks, exports or sendouts");
    asked.map(|(_, word)| ViewTab::parse(&word).ok_or_else(wrong)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tab_is_named_by_its_word_or_not_at_all() {
        assert_eq!(tab("x=1&tab=").unwrap(), None);
        assert_eq!(tab("tab=exports").unwrap(), Some(ViewTab::Exports));
        assert_eq!(tab("tab=Logs").unwrap_err().argument, "tab");
    }
}

//! `…/masking` of a project: its own rules, beside the built-in names. They are put as a whole, and act on what comes from then on.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::Value;
use utoipa::OpenApi;

use super::caller::{Recorded, changed, project};
use crate::model::masking::MaskRule;
use crate::server::error::ApiError;
use crate::server::http::openapi::{BadBody, Clash};
use crate::server::http::recording;
use crate::server::http::shown::masking as shown;
use crate::server::http::v1::fields::Fields;
use crate::server::masking::{self, MaskingError};
use crate::server::state::Server;

pub(super) fn routes() -> Router<Server> {
    Router::new().route("/management/v1/projects/{prj}/masking", get(all).put(replace))
}

/// What the OpenAPI document says of these paths.
#[derive(OpenApi)]
#[openapi(paths(all, replace))]
struct Described;

/// It.
pub(super) fn described() -> utoipa::openapi::OpenApi {
    Described::openapi()
}

#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = MaskingWish)]
#[serde(deny_unknown_fields)]
struct RulesJson {
    #[schema(value_type = Vec<RuleShown>, max_items = 100)]
    rules: Vec<MaskRule>,
}

/// One rule, as the document has it.
#[derive(utoipa::ToSchema)]
#[schema(as = MaskRule)]
#[allow(dead_code, reason = "the document is made of its fields")]
struct RuleShown {
    kind: RuleKindShown,
    /// The name (after `!` a built-in one that is kept), the path or the pattern; `email` or `id` of a `user`, `network` (what is left) or `whole` of an `ip`.
    text: String,
    /// Why it is there.
    #[schema(default = "")]
    note: Option<String>,
}

/// By what a rule finds what it masks.
#[derive(utoipa::ToSchema)]
#[schema(as = MaskRuleKind, rename_all = "lowercase")]
#[allow(dead_code, reason = "the document is made of its variants")]
enum RuleKindShown {
    Header,
    Key,
    Path,
    Pattern,
    User,
    Ip,
}

/// A project's own rules, as the document has them.
#[derive(utoipa::ToSchema)]
#[schema(as = Masking)]
#[allow(dead_code, reason = "the document is made of its fields")]
struct MaskingShown {
    #[schema(pattern = "^masking$")]
    object: String,
    rules: Vec<RuleShown>,
}

#[utoipa::path(
    get,
    path = "/management/v1/projects/{prj}/masking",
    operation_id = "getMasking",
    tag = "Management",
    summary = "What a project masks beside the built-in names",
    responses((status = 200, description = "Its own rules", body = MaskingShown)),
)]
async fn all(State(server): State<Server>, recording: Recorded, Path(prj): Path<String>) -> Result<Json<Value>, ApiError> {
    let project = project(&server, &recording, &prj).await?;
    Ok(Json(shown(&masking::rules(&server, project.key).await?)))
}

#[utoipa::path(
    put,
    path = "/management/v1/projects/{prj}/masking",
    operation_id = "putMasking",
    tag = "Management",
    summary = "Puts a project's own rules, as a whole",
    request_body = RulesJson,
    responses(
        (status = 200, description = "The rules as they are kept", body = MaskingShown),
        BadBody,
        Clash,
    ),
)]
async fn replace(
    State(server): State<Server>,
    recording: Recorded,
    Path(prj): Path<String>,
    body: Result<Fields<RulesJson>, ApiError>,
) -> Result<Json<Value>, ApiError> {
    let Fields(RulesJson { rules }) = body?;
    let project = project(&server, &recording, &prj).await?;
    recording::about(recording.as_ref().map(|recording| &recording.0), "masking", &prj);
    let kept = masking::replace(&server, project.key, None, &rules).await;
    let kept = kept.map_err(|error| {
        let said = error.to_string();
        match error {
            MaskingError::Fault(_) => ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, said),
            MaskingError::Changed => ApiError::new(StatusCode::CONFLICT, said),
            MaskingError::Store(error) => error.into(),
        }
    })?;
    changed(&recording, &project, shown(&kept.before), shown(&kept.after));
    Ok(Json(shown(&kept.after)))
}

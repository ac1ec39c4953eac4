//! `…/webhooks` of a project: what `/v1/webhooks` does for a key of the project, done for a management key.

use axum::extract::{Path, Request, State};
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Extension, Router};
use tower::ServiceExt;

use super::caller::{Recorded, project};
use crate::model::rights::{Rights, Scope};
use crate::server::access::{KeyAccess, ManagementAccess};
use crate::server::error::ApiError;
use crate::server::http::recording::Recording;
use crate::server::http::v1::webhooks;
use crate::server::state::Server;

/// What a management key may do with a project's endpoints.
const SCOPES: [Scope; 3] = [Scope::Read, Scope::ReadBodies, Scope::WebhooksWrite];

pub(super) fn routes() -> Router<Server> {
    Router::new()
        .route("/management/v1/projects/{prj}/webhooks", any(all))
        .route("/management/v1/projects/{prj}/webhooks/{*rest}", any(below))
}

async fn all(
    State(server): State<Server>,
    Extension(key): Extension<ManagementAccess>,
    recording: Recorded,
    Path(prj): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    asked(&server, &key, &recording, (&prj, ""), request).await
}

async fn below(
    State(server): State<Server>,
    Extension(key): Extension<ManagementAccess>,
    recording: Recorded,
    Path((prj, rest)): Path<(String, String)>,
    request: Request,
) -> Result<Response, ApiError> {
    asked(&server, &key, &recording, (&prj, &rest), request).await
}

/// Asks the endpoint of the same name among a project's own.
async fn asked(
    server: &Server,
    key: &ManagementAccess,
    recording: &Recorded,
    (prj, rest): (&str, &str),
    request: Request,
) -> Result<Response, ApiError> {
    let project = project(server, recording, prj).await?;
    let slash = if rest.is_empty() { "" } else { "/" };
    let path = format!("/v1/webhooks{slash}{}", crate::model::query::escape(rest).replace("%2F", "/"));
    let uri = path.parse::<Uri>().map_err(|_| ApiError::not_found("webhook", rest))?;
    let (parts, body) = request.into_parts();
    // A request of its own: what the outer route found in the address is none of the inner one's.
    let mut inner = Request::new(body);
    *inner.method_mut() = parts.method;
    *inner.uri_mut() = uri;
    *inner.headers_mut() = parts.headers;
    if let Some(Extension(recording)) = recording {
        inner.extensions_mut().insert::<Recording>(recording.clone());
    }
    inner.extensions_mut().insert(KeyAccess {
        project,
        app_id: key.app_id.clone(),
        name: key.name.clone(),
        scopes: SCOPES.to_vec(),
        client: false,
        calls_a_minute: None,
        rights: Rights::of_scopes(&SCOPES),
    });
    let answer = webhooks::routes().with_state(server.clone()).oneshot(inner).await;
    Ok(answer.into_response())
}

//! Who calls: the management key behind a call, its allowance, and the project that a call is about.

use axum::Extension;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use crate::server::access::{self, ManagementAccess};
use crate::server::error::ApiError;
use crate::server::http::recording::{self, Recording};
use crate::server::http::v1::caller::{Allowance, telling};
use crate::server::state::Server;
use crate::server::store::projects::{self, Project};

/// The recording of a call, as handlers take it.
pub(super) type Recorded = Option<Extension<Recording>>;

/// Lets a call in by its management key, which handlers then find in the extensions.
pub(super) async fn let_in(State(server): State<Server>, mut request: Request, next: Next) -> Response {
    match allowed(&server, &mut request).await {
        Err(error) => error.into_response(),
        Ok(left) => {
            let answer = next.run(request).await;
            if answer.status().is_success() {
                telling(left, answer)
            } else {
                answer
            }
        }
    }
}

async fn allowed(server: &Server, request: &mut Request) -> Result<Allowance, ApiError> {
    let key = access::management_key(server, request.headers()).await?;
    if let Some(recording) = request.extensions().get::<Recording>() {
        recording.context(|subject| subject.by_manager(&key));
    }
    let allowance = Allowance::take(server, &key.app_id, None)?;
    request.extensions_mut().insert(key);
    Ok(allowance)
}

/// The project that a call is about: the call becomes a log of it.
pub(super) async fn project(server: &Server, recording: &Recorded, id: &str) -> Result<Project, ApiError> {
    let found = projects::find(&server.db, id).await?;
    let project = found.ok_or_else(|| ApiError::not_found("project", id))?;
    if let Some(Extension(recording)) = recording {
        recording.context(|subject| subject.projects = vec![project.key]);
    }
    Ok(project)
}

/// Says in the call's log what it changed of a project's settings: null `before` for what was made, `after` for what was removed.
pub(super) fn changed(recording: &Recorded, project: &Project, before: Value, after: Value) {
    let recording = recording.as_ref().map(|Extension(recording)| recording);
    recording::change::noted(recording, project.key, before, after);
}

/// How a key that invites or makes something is named.
pub(super) fn name(key: &ManagementAccess) -> String {
    format!("management key {}", key.name)
}

//! The API, `/v1`. One file an endpoint: its route, its errors, its answer.
//!
//! To add one: a file here with a handler that takes the caller's [`KeyAccess`](crate::server::access::KeyAccess) as an `Extension` and asks
//! for its scope, and its route below.

pub(super) mod caller;
mod chain;
mod cors;
mod events;
mod exports;
pub(super) mod fields;
pub(super) mod idempotency;
mod import_file;
mod import_logs;
pub(super) mod json;
mod list_logs;
mod log;
pub(super) mod otlp;
mod raw_body;
mod send_logs;
mod sendouts;
mod stored;
mod take;
mod tasks;
mod timeline;
mod views;
pub(super) mod webhooks;

pub(crate) use import_file::file_name;
pub(crate) use tasks::shown_result;

use crate::model::log::Log;
use crate::model::rights::{Rights, Role};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post, put};

use crate::server::state::Server;
use utoipa::OpenApi;

/// Every path of `/v1`, and the same files for people who are signed in.
pub(super) fn routes(server: &Server) -> Router<Server> {
    let by_key = Router::new()
        .route("/v1/logs", get(list_logs::list).merge(post(send_logs::send)))
        .route("/v1/logs/{id}", get(log::one))
        .route("/v1/logs/{id}/request", get(raw_body::request))
        .route("/v1/logs/{id}/response", get(raw_body::response))
        .route(
            "/v1/logs/{id}/import-file",
            put(import_file::put).merge(get(import_file::get)),
        )
        .route("/v1/logs/import", post(import_logs::import).layer(unbounded()))
        .route("/v1/logs/{id}/timeline", get(timeline::of_log))
        .route("/v1/events", post(events::post))
        .merge(otlp::routes())
        .merge(webhooks::routes())
        .merge(sendouts::routes())
        .merge(tasks::routes())
        .merge(exports::routes())
        .merge(chain::routes())
        .merge(views::routes())
        .route_layer(from_fn_with_state(server.clone(), idempotency::once))
        .route_layer(from_fn_with_state(server.clone(), caller::let_in))
        .route_layer(from_fn_with_state(server.clone(), cors::answer));
    let by_session = Router::new()
        .route("/projects/{project}/logs/{id}/request", get(raw_body::request_for_member))
        .route("/projects/{project}/logs/{id}/response", get(raw_body::response_for_member))
        .route("/projects/{project}/logs/{id}/import-file", get(import_file::get_for_member));
    let by_session = by_session
        .route(
            "/projects/{project}/tasks/import",
            post(import_logs::import_for_member).layer(unbounded()),
        )
        .merge(tasks::member_routes())
        .merge(sendouts::member_routes())
        .merge(exports::member_routes())
        .merge(chain::member_routes());
    by_key.merge(exports::open_routes()).merge(by_session)
}

/// A log as `GET /v1/logs` has it, with all that it says, on a line of its own: for whoever runs the server.
pub(crate) fn json_line(log: &Log) -> Vec<u8> {
    let mut line = Vec::new();
    let rights = Rights::of_role(Role::Owner, true, true);
    json::write_log(&mut line, log, rights, json::Bodies::of(rights));
    line.push(b'\n');
    line
}

/// What the OpenAPI document says of these paths.
#[derive(OpenApi)]
#[openapi(paths(
    list_logs::list,
    send_logs::send,
    log::one,
    timeline::of_log,
    raw_body::request,
    raw_body::response,
    import_file::get,
    import_file::put,
    import_logs::import,
    events::post
))]
struct Described;

/// It.
pub(in crate::server::http) fn described() -> utoipa::openapi::OpenApi {
    let mut all = Described::openapi();
    for part in [
        otlp::described(),
        webhooks::described(),
        sendouts::described(),
        tasks::described(),
        exports::described(),
        chain::described(),
        views::described(),
    ] {
        all.merge(part);
    }
    all
}

/// Files are measured while they are written; axum's own bound of a form, 2 MiB, would refuse most of them.
fn unbounded() -> DefaultBodyLimit {
    DefaultBodyLimit::disable()
}

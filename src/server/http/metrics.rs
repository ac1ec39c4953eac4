//! `/metrics`: what the server counted, as Prometheus reads it.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use super::headers::is_on_this_machine;
use crate::server::error::ApiError;
use crate::server::state::Server;

/// Seconds: from an answer out of memory to one that nobody waits for.
const BUCKETS: [f64; 12] = [0.000_5, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0];
/// How often what was counted is gathered, so that it stays small where nobody reads it.
const UPKEEP: Duration = Duration::from_secs(5);

/// `GET /metrics`, for this machine alone.
pub(crate) fn routes() -> Router<Server> {
    Router::new().route("/metrics", get(on_this_machine))
}

/// `GET /metrics` for anybody: the listener of `--metrics-listen`.
pub fn open_routes() -> Router {
    Router::new().route("/metrics", get(render))
}

async fn on_this_machine(request: Request) -> Response {
    if is_on_this_machine(&request) {
        return render().await;
    }
    ApiError::new(
        StatusCode::FORBIDDEN,
        "metrics are shown on this machine alone, or at --metrics-listen",
    )
    .into_response()
}

async fn render() -> Response {
    let text = handle().map(PrometheusHandle::render).unwrap_or_default();
    (
        [(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"),
        )],
        text,
    )
        .into_response()
}

/// Counts requests by route, method and status, and how long they took.
pub(crate) async fn count(request: Request, next: Next) -> Response {
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "other".to_owned(), |path| path.as_str().to_owned());
    let method = known_method(request.method());
    let started = Instant::now();
    let answer = next.run(request).await;
    let status = answer.status().as_u16().to_string();
    metrics::histogram!("http_request_duration_seconds", "route" => route.clone(), "method" => method).record(started.elapsed());
    metrics::counter!("http_requests_total", "route" => route, "method" => method, "status" => status).increment(1);
    answer
}

/// A method as a label: a client that makes methods up makes no new series.
fn known_method(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

/// Begins counting, once a process.
pub(crate) fn start() {
    static STARTED: OnceLock<()> = OnceLock::new();
    STARTED.get_or_init(|| {
        let Some(handle) = handle() else { return };
        let handle = handle.clone();
        let upkeep = move || {
            loop {
                std::thread::sleep(UPKEEP);
                handle.run_upkeep();
            }
        };
        if let Err(error) = std::thread::Builder::new().name("metrics".to_owned()).spawn(upkeep) {
            tracing::error!(%error, "metrics are not gathered between readings");
        }
    });
}

fn handle() -> Option<&'static PrometheusHandle> {
    static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    HANDLE.get_or_init(install).as_ref()
}

fn install() -> Option<PrometheusHandle> {
    let builder = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS);
    match builder.map(PrometheusBuilder::install_recorder) {
        Ok(Ok(handle)) => {
            describe();
            Some(handle)
        }
        Ok(Err(error)) | Err(error) => {
            tracing::error!(%error, "there are no metrics");
            None
        }
    }
}

fn describe() {
    metrics::describe_counter!("http_requests_total", "Requests answered, by route, method and status");
    metrics::describe_histogram!("http_request_duration_seconds", "From a request's head to its answer's head");
    metrics::describe_counter!("ingest_logs_accepted_total", "Logs that were sent in and stored");
    metrics::describe_counter!("ingest_logs_duplicate_total", "Logs that were sent in and were there already");
    metrics::describe_counter!(
        "ingest_calls_refused_total",
        "Calls that bring logs and were refused, by status"
    );
    metrics::describe_counter!(
        "ingest_otlp_rejected_total",
        "Spans and log records of HTTP requests that could not be stored"
    );
    metrics::describe_histogram!("ingest_commit_seconds", "From a call's last byte to its commit");
    metrics::describe_gauge!("ingest_queue_bytes", "Bytes of text that wait to be written");
    metrics::describe_counter!(
        "recordings_failed_total",
        "Requests to this service that could not be recorded"
    );
    describe_gateway();
}

fn describe_gateway() {
    metrics::describe_counter!(
        "gateway_requests_total",
        "Requests that the gateway passed on, by their answers' kind; `none` where the client went away"
    );
    metrics::describe_counter!("gateway_records_spooled_total", "Requests that are recorded on disk");
    metrics::describe_counter!("gateway_records_stored_total", "Those of them that are stored");
    metrics::describe_counter!(
        "gateway_records_dropped_total",
        "Requests that passed and are not recorded, by the reason"
    );
    metrics::describe_gauge!("gateway_spool_bytes", "Bytes of the gateway's spool");
    metrics::describe_gauge!("gateway_store_away", "1 while what the gateway recorded cannot be stored");
}

//! The pages: the app rendered on the server, its server functions, and the way to the sign-in page for those who are not in yet.

use std::future::Future;
use std::panic::resume_unwind;
use std::sync::LazyLock;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use leptos::config::LeptosOptions;
use leptos::nonce::use_nonce;
use leptos::prelude::{expect_context, provide_context, use_context};
use leptos_axum::{AxumRouteListing, LeptosRoutes, ResponseOptions, generate_route_list, render_app_async_with_context};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tracing::Instrument;

use crate::app::{App, group, shell};
use crate::server::access;
use crate::server::http::assets;
use crate::server::state::Server;

/// What every page has in its head, whatever the browser half's build adds.
const HEAD: &str = concat!(
    r#"<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">"#,
    r#"<meta name="color-scheme" content="light dark"><link rel="icon" type="image/svg+xml" href="/assets/favicon.svg">"#,
    // Where leptos_meta puts what a page adds.
    "<!--HEAD-->",
);

/// Every page, and the server functions behind them.
pub fn routes<S: Clone + Send + Sync + 'static>(server: &Server) -> Router<S> {
    let options = LeptosOptions::builder().output_name("audit-log").build();
    Router::new()
        .leptos_routes_with_context(&options, addresses(), context(server), || shell(head()))
        .route_layer(middleware::from_fn(whole_page))
        .route_layer(middleware::from_fn_with_state(server.clone(), signed_in))
        .with_state(options)
}

/// The addresses of all pages, found out once in a process.
///
/// To find them Leptos renders the whole application with the loading of resources held back by a switch that is the process's own, and a page that is
/// rendered meanwhile for somebody else waits for ever (leptos issue 4773). So it happens before anything is served, and never again.
fn addresses() -> Vec<AxumRouteListing> {
    static ADDRESSES: LazyLock<Vec<AxumRouteListing>> = LazyLock::new(|| generate_route_list(App));
    ADDRESSES.clone()
}

/// The page for an address that leads nowhere.
pub(crate) async fn not_found(server: &Server, request: Request) -> Response {
    to_its_end(render_app_async_with_context(context(server), || shell(head()))(request)).await
}

/// Pages are made to their end; what a page asks for later is given up with whoever asked.
async fn whole_page(request: Request, next: Next) -> Response {
    if request.uri().path().starts_with("/api/") {
        return next.run(request).await;
    }
    to_its_end(next.run(request)).await
}

/// Goes on with a page when its reader has left: with the reader would go the signals that tasks of the page still read, and they would panic.
async fn to_its_end(page: impl Future<Output = Response> + Send + 'static) -> Response {
    let made = tokio::spawn(page.in_current_span()).await;
    made.unwrap_or_else(|error| match error.try_into_panic() {
        Ok(panic) => resume_unwind(panic),
        // Given up with the process, whose readers it has let go.
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    })
}

/// What pages and server functions find around them.
fn context(server: &Server) -> impl Fn() + Clone + Send + Sync + 'static {
    let server = server.clone();
    move || {
        provide_context(server.clone());
        guard_page();
    }
}

/// The policy of a page: only what this server sends runs, inline scripts only with the page's nonce.
fn policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; \
         font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    )
}

/// Pages and what they ask for are somebody's own: kept by nobody on the way, and run under the policy.
fn guard_page() {
    let answer = expect_context::<ResponseOptions>();
    answer.insert_header(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // A nonce is base64: it fits a header.
    if let Some(value) = use_nonce().and_then(|nonce| HeaderValue::try_from(policy(&nonce)).ok()) {
        answer.insert_header(CONTENT_SECURITY_POLICY, value);
    }
}

fn head() -> String {
    let built = assets::head_with_nonce(&use_nonce().unwrap_or_default());
    let group = use_context::<Parts>().and_then(|request| group(request.uri.path()));
    let early = group.map(assets::early).unwrap_or_default();
    format!("{HEAD}{built}{early}")
}

/// Leads whoever asks for a page of a project without being signed in to the sign-in page, and from there back.
async fn signed_in(State(server): State<Server>, request: Request, next: Next) -> Response {
    let uri = request.uri().clone();
    let path = uri.path();
    let is_private = path == "/account" || path.starts_with("/projects/");
    if !is_private || request.method() != Method::GET {
        return next.run(request).await;
    }
    match access::person(&server, request.headers()).await {
        Ok(None) => {
            let here = uri.path_and_query().map_or(path, |whole| whole.as_str());
            Redirect::to(&format!("/sign-in?next={}", utf8_percent_encode(here, NON_ALPHANUMERIC))).into_response()
        }
        // Where the database does not answer, the page says so itself.
        Ok(Some(_)) | Err(_) => next.run(request).await,
    }
}

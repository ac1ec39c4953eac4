//! The router: what the service answers to.

pub mod assets;
pub mod pages;
pub mod sign_in;

use axum::Router;

use super::state::Server;

/// Everything the service answers to.
pub fn router(server: Server) -> Router {
    Router::new()
        .merge(assets::routes())
        .merge(sign_in::routes())
        .merge(pages::routes(&server))
        .with_state(server)
}

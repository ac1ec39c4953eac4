//! audit-log
#[cfg(any(feature = "ssr", feature = "hydrate"))]
pub mod api;
#[cfg(any(feature = "ssr", feature = "hydrate"))]
pub mod app;
pub mod model;
#[cfg(feature = "ssr")]
pub mod server;

//! audit-log
pub mod model;
#[cfg(feature="ssr")] pub mod server;
#[cfg(any(feature="ssr",feature="hydrate"))] pub mod app;
#[cfg(any(feature="ssr",feature="hydrate"))] pub mod api;

//! Server functions: the one door from the pages to the server. Thin and typed: what a page needs in one call, checked against who asks.
//!
//! To add one: a file for its page with the types it gives and the `#[server]` function; its body asks [`visit`] who is there and
//! leaves the work to a function of its own. Every server function is a public address: none does anything before [`visit`] said yes.

pub mod account;
pub mod alerts;
pub mod chain;
pub mod compare;
pub mod embeds;
pub mod error;
pub mod exports;
pub mod frame;
pub mod keys;
pub mod log;
pub mod logs;
pub mod masking;
pub mod members;
pub mod projects;
#[cfg(feature = "ssr")]
mod records;
pub mod retention;
pub mod sendouts;
pub mod tasks;
pub mod timeline;
pub mod views;
#[cfg(feature = "ssr")]
pub(crate) mod visit;
pub mod webhooks;
#[cfg(feature = "ssr")]
pub(crate) mod zones;

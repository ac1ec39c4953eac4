//! From bytes that somebody sent to logs that may be stored: read, check, mask, name the endpoint. No clock of its own; only `import` writes.
//!
//! Every format gives [`draft::Draft`]s; their check is the one way to a [`crate::model::log::NewLog`].
//! To add a file format: a file in `import/` that gives drafts one by one in constant memory, and its branch there.

pub mod command;
pub(crate) mod draft;
pub mod endpoint;
pub mod entry;
pub(crate) mod headers;
pub mod import;
pub(crate) mod json;
pub mod mask;
pub(crate) mod otlp;
mod route;
mod text;

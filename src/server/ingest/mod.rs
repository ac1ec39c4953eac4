//! From bytes that somebody sent to logs that may be stored: read, check, mask, name the endpoint. Pure: no database, no clock of its own.
//!
//! Every format gives [`draft::Draft`]s; their check is the one way to a [`crate::model::log::NewLog`].
//! To add a file format: a file here that gives drafts one by one in constant memory, and a branch in `import.rs`.

pub(crate) mod draft;
pub mod endpoint;
pub mod entry;
pub(crate) mod headers;
pub(crate) mod json;
pub mod mask;

//! From bytes that somebody sent to logs that may be stored: read, check, mask, name the endpoint. Pure: no database, no clock of its own.
//!
//! To add a file format: a file here that gives [`entry::Entry`]s one by one in constant memory, and a branch in `import.rs`.

pub mod endpoint;
pub mod entry;
pub mod mask;

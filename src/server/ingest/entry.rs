//! One log as it is sent in: its JSON, checked field by field.

use crate::model::log::{NewLog, Origin};
use crate::server::clock::Random;

use super::endpoint::EndpointNames;
use super::mask::MaskRules;

/// What every entry of a call is read with.
#[derive(Debug)]
pub struct EntryContext<'a> {
    /// When the call came, in milliseconds since 1970.
    pub now_ms: i64,
    /// Logs older than this many milliseconds are refused.
    pub retention_ms: i64,
    /// What is masked.
    pub mask: &'a MaskRules,
    /// The project's endpoint names.
    pub endpoints: &'a EndpointNames,
    /// For ids of our own.
    pub random: &'a Random,
    /// Whose traffic this is.
    pub origin: Origin,
    /// The key that sent it: fills `app_id` and `app_name` where an entry has neither a server-side nor a client-side key.
    pub sender: Option<Sender>,
}

/// The key behind a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The key's public id.
    pub app_id: String,
    /// The key's name.
    pub name: String,
    /// Whether it is a client-side key.
    pub client: bool,
}

/// Why a call's payload was refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// It is not JSON, or not UTF-8, or nested too deep: 400. `line` counts from 1 in NDJSON.
    #[error("{}{reason}", line.map(|line| format!("line {line}: ")).unwrap_or_default())]
    Unreadable {
        /// The line, in NDJSON.
        line: Option<u64>,
        /// What is wrong, with the byte or column where it is known.
        reason: String,
    },
    /// It can be read, but an entry is wrong: 422.
    #[error("entry {index}: {field}: {reason}")]
    Invalid {
        /// Which entry, from 0.
        index: usize,
        /// The NDJSON line, from 1.
        line: Option<u64>,
        /// Which field.
        field: String,
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// A body over 64 MB, headers over 64 KB, over 10,000 entries: 413.
    #[error("{0}")]
    TooLarge(String),
}

/// How a call's payload is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// One log, or an array of logs.
    Json,
    /// One log a line.
    Ndjson,
}

/// Reads a whole call: every entry, or the first thing that is wrong.
pub fn read_call(payload: Payload, bytes: &[u8], context: &EntryContext<'_>) -> Result<Vec<NewLog>, EntryError> {
    let _ = (payload, bytes, context);
    todo!()
}

//! The door: a call's payload in, logs that may be stored out; all of them, or the first thing that is wrong.

use serde_json::value::RawValue;

use crate::model::log::{NewLog, Origin};
use crate::server::clock::Random;

use super::draft::{Fault, MAX_LEVELS};
use super::endpoint::CallNames;
use super::json::{self, Trust};
use super::mask::MaskRules;

/// So many entries a call.
pub const MAX_ENTRIES: usize = 10_000;
/// Bytes of a call's payload, 128 MB.
pub const MAX_CALL: usize = 128 << 20;

/// What every entry of a call is read with.
#[derive(Debug)]
pub struct EntryContext<'a> {
    /// When the call came, in milliseconds since 1970.
    pub now_ms: i64,
    /// Logs older than this many milliseconds are refused.
    pub retention_ms: i64,
    /// What is masked.
    pub mask: &'a MaskRules,
    /// The call's endpoint names.
    pub endpoints: &'a CallNames,
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
    #[error(
        "entry {index}{}: {}{reason}",
        line.map(|line| format!(" (line {line})")).unwrap_or_default(),
        if field.is_empty() { String::new() } else { format!("{field}: ") }
    )]
    Invalid {
        /// Which entry, from 0.
        index: usize,
        /// The NDJSON line, from 1.
        line: Option<u64>,
        /// Which field; empty where it is the entry as a whole.
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
    if bytes.len() > MAX_CALL {
        return Err(EntryError::TooLarge(format!(
            "the call is {} bytes long; at most {MAX_CALL} are taken",
            bytes.len()
        )));
    }
    let text = utf8(payload, bytes)?;
    match payload {
        Payload::Json => read_json(text, context),
        Payload::Ndjson => read_ndjson(text, context),
    }
}

fn utf8(payload: Payload, bytes: &[u8]) -> Result<&str, EntryError> {
    std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        let line_start = memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |newline| newline + 1);
        let line = 1 + memchr::memchr_iter(b'\n', &bytes[..at]).count() as u64;
        match payload {
            Payload::Json => EntryError::Unreadable {
                line: None,
                reason: format!("byte {} is not UTF-8", at + 1),
            },
            Payload::Ndjson => EntryError::Unreadable {
                line: Some(line),
                reason: format!("byte {} is not UTF-8", at - line_start + 1),
            },
        }
    })
}

fn read_json(text: &str, context: &EntryContext<'_>) -> Result<Vec<NewLog>, EntryError> {
    let unreadable = |error: serde_json::Error| EntryError::Unreadable {
        line: None,
        reason: error.to_string(),
    };
    if !text.trim_ascii_start().starts_with('[') {
        let entry: &RawValue = serde_json::from_str(text).map_err(unreadable)?;
        return Ok(vec![read_entry(entry.get(), 0, None, context)?]);
    }
    let entries: Vec<&RawValue> = serde_json::from_str(text).map_err(unreadable)?;
    if entries.len() > MAX_ENTRIES {
        return Err(too_many(entries.len()));
    }
    entries
        .iter()
        .enumerate()
        .map(|(index, entry)| read_entry(entry.get(), index, None, context))
        .collect()
}

fn read_ndjson(text: &str, context: &EntryContext<'_>) -> Result<Vec<NewLog>, EntryError> {
    let mut logs = Vec::new();
    for (number, line) in (1_u64..).zip(text.split('\n')) {
        let line_text = line.trim_ascii();
        if line_text.is_empty() {
            continue;
        }
        if logs.len() == MAX_ENTRIES {
            return Err(too_many(text.lines().filter(|line| !line.trim_ascii().is_empty()).count()));
        }
        let entry: &RawValue = serde_json::from_str(line_text).map_err(|error| EntryError::Unreadable {
            line: Some(number),
            reason: ndjson_reason(&error, line, line_text),
        })?;
        logs.push(read_entry(entry.get(), logs.len(), Some(number), context)?);
    }
    Ok(logs)
}

/// What is wrong with a line, and in which column of it.
pub(super) fn ndjson_reason(error: &serde_json::Error, line: &str, trimmed: &str) -> String {
    let indent = line.len() - line.trim_ascii_start().len();
    let column = error.column().min(trimmed.len()) + indent;
    format!("{} at column {column}", super::headers::without_place(error))
}

fn too_many(count: usize) -> EntryError {
    EntryError::TooLarge(format!("the call has {count} entries; at most {MAX_ENTRIES} are taken"))
}

fn read_entry(entry: &str, index: usize, line: Option<u64>, context: &EntryContext<'_>) -> Result<NewLog, EntryError> {
    json::read(entry, Trust::Call)
        .and_then(|draft| draft.check(context))
        .map_err(|fault| match fault {
            Fault::Invalid { .. } if !entry.starts_with('{') && json::is_too_deep(entry) => EntryError::Unreadable {
                line,
                reason: format!("nested deeper than {MAX_LEVELS} levels"),
            },
            Fault::Invalid { field, reason } => EntryError::Invalid {
                index,
                line,
                field: field.into_owned(),
                reason,
            },
            Fault::TooLarge(reason) => EntryError::TooLarge(format!("entry {index}: {reason}")),
        })
}

#[cfg(test)]
mod tests;

//! OTLP in: spans of HTTP servers, and log records that tell of a request, become logs. Everything else that OpenTelemetry sends is passed over.
//!
//! A request is counted before it is read ([`count`]), read whole, and each span checked by itself: what cannot be taken is told, the rest is stored. The log's
//! id is made of the trace's and the span's, so whatever is sent again is there already (docs/decisions/0022-otlp.md).

mod address;
mod attributes;
mod exchange;
mod json;
mod messages;
mod parts;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use data_encoding::HEXLOWER;
use prost::Message;
use serde::de::DeserializeOwned;

use super::draft::{Draft, Fault};
use super::entry::{EntryContext, MAX_ENTRIES};
use crate::model::log::NewLog;
pub(crate) use parts::{BYTES_OF_A_PART, count};

/// So many reasons are told in words.
const REASONS: usize = 3;

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Spans.
    Traces,
    /// Log records.
    Logs,
}

/// How it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// `application/x-protobuf`.
    Protobuf,
    /// `application/json`.
    Json,
}

/// Why a request was refused as a whole.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OtlpError {
    /// It is none of OTLP's: 400.
    #[error("{0}")]
    Unreadable(String),
    /// More than is taken at once: 413.
    #[error("{0}")]
    TooLarge(String),
}

/// What was read.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// What may be stored.
    pub(crate) logs: Vec<NewLog>,
    /// What may not.
    pub(crate) rejected: Rejected,
}

/// Spans or records that should have become logs, and could not.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Rejected {
    /// How many.
    pub(crate) count: u64,
    /// Which, and why, of the first few.
    reasons: Vec<String>,
}

impl Rejected {
    fn add(&mut self, trace: &[u8], span: &[u8], fault: &Fault) {
        self.count += 1;
        if self.reasons.len() < REASONS {
            // Ids that are none may be of any length.
            let short = |id: &[u8]| HEXLOWER.encode(&id[..id.len().min(16)]);
            self.reasons.push(match trace {
                [] => fault.to_string(),
                trace => format!("{}-{}: {fault}", short(trace), short(span)),
            });
        }
    }

    /// What is told of them; empty where there are none.
    pub(crate) fn message(&self, signal: Signal) -> String {
        if self.count == 0 {
            return String::new();
        }
        let what = match signal {
            Signal::Traces => "spans of HTTP servers",
            Signal::Logs => "log records of HTTP requests",
        };
        let mut said = format!("{what} that could not be stored: {}. {}", self.count, self.reasons.join("; "));
        let untold = self.count - self.reasons.len() as u64;
        if untold > 0 {
            // Writing into a string does not fail.
            let _ = write!(said, "; and {untold} more");
        }
        said
    }
}

/// Reads a request: what becomes logs, and what of it could not.
pub(crate) fn read(signal: Signal, encoding: Encoding, bytes: &[u8], context: &EntryContext<'_>) -> Result<Taken, OtlpError> {
    let mut gathered = Gathered {
        context,
        taken: Taken::default(),
    };
    match signal {
        Signal::Traces => {
            let traces: messages::Traces = decoded(encoding, bytes)?;
            let scopes = traces.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
            for span in scopes.flat_map(|scope| &scope.spans) {
                gathered.add(&span.trace_id, &span.span_id, exchange::of_span(span))?;
            }
        }
        Signal::Logs => {
            let logs: messages::Logs = decoded(encoding, bytes)?;
            let scopes = logs.resource_logs.iter().flat_map(|resource| &resource.scope_logs);
            for record in scopes.flat_map(|scope| &scope.log_records) {
                gathered.add(&record.trace_id, &record.span_id, exchange::of_record(record))?;
            }
        }
    }
    Ok(gathered.taken)
}

fn decoded<T: Message + Default + DeserializeOwned>(encoding: Encoding, bytes: &[u8]) -> Result<T, OtlpError> {
    match encoding {
        Encoding::Protobuf => T::decode(bytes).map_err(|error| OtlpError::Unreadable(error.to_string())),
        // serde would take a list for the fields, one after the other.
        Encoding::Json if bytes.trim_ascii_start().first() == Some(&b'[') => {
            Err(OtlpError::Unreadable("the request must be a JSON object".to_owned()))
        }
        Encoding::Json => {
            // What is passed over would else be looked at no closer.
            let text = std::str::from_utf8(bytes).map_err(|error| OtlpError::Unreadable(error.to_string()))?;
            serde_json::from_str(text).map_err(|error| OtlpError::Unreadable(error.to_string()))
        }
    }
}

/// Checks what is found, one by one.
struct Gathered<'c, 'e> {
    context: &'c EntryContext<'e>,
    taken: Taken,
}

impl Gathered<'_, '_> {
    fn add(&mut self, trace: &[u8], span: &[u8], found: Option<Result<Draft<'_>, Fault>>) -> Result<(), OtlpError> {
        let Some(draft) = found else { return Ok(()) };
        if self.taken.logs.len() as u64 + self.taken.rejected.count == MAX_ENTRIES as u64 {
            return Err(OtlpError::TooLarge(format!(
                "the request has more than {MAX_ENTRIES} HTTP requests; send fewer at once"
            )));
        }
        match draft.and_then(|draft| draft.check(self.context)) {
            Ok(log) => self.taken.logs.push(log),
            Err(fault) => self.taken.rejected.add(trace, span, &fault),
        }
        Ok(())
    }
}

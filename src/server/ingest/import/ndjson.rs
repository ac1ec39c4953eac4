//! NDJSON: one log a line, as a call has them and as an export writes them.

use std::io::{BufRead, ErrorKind};
use std::ops::ControlFlow;

use serde_json::value::RawValue;

use super::budget::Budget;
use super::{Content, MOST_UNREADABLE, Sink};
use crate::server::ingest::draft::{Draft, MAX_LEVELS};
use crate::server::ingest::entry::ndjson_reason;
use crate::server::ingest::json::{self, Trust};

/// Reads every line. One that is too long is rejected and skipped.
pub(super) fn read(mut reader: impl BufRead, budget: &Budget, sink: &mut dyn Sink) -> Result<(), String> {
    let mut line = Vec::new();
    for number in 1.. {
        budget.renew();
        line.clear();
        let given = match reader.read_until(b'\n', &mut line) {
            Ok(0) => return Ok(()),
            Ok(_) if line.trim_ascii().is_empty() => ControlFlow::Continue(()),
            Ok(_) => sink.entry(number, Content::Json(line.trim_ascii()), draft(&line)),
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                // Of what was read of it as much is kept as is given back.
                line.truncate(MOST_UNREADABLE + 1);
                line.shrink_to_fit();
                skip_line(&mut reader, budget).map_err(|error| format!("line {number}: {error}"))?;
                sink.entry(number, Content::Json(&line), Err(error.to_string()))
            }
            Err(error) => return Err(format!("line {number}: {error}")),
        };
        if given.is_break() {
            return Ok(());
        }
    }
    Ok(())
}

pub(super) fn draft(line: &[u8]) -> Result<Draft<'_>, String> {
    let line = std::str::from_utf8(line).map_err(|error| format!("byte {} is not UTF-8", error.valid_up_to() + 1))?;
    let text = line.trim_ascii();
    let entry: &RawValue = serde_json::from_str(text).map_err(|error| ndjson_reason(&error, line, text))?;
    json::read(entry.get(), Trust::Import).map_err(|fault| {
        if !text.starts_with('{') && json::is_too_deep(text) {
            return format!("nested deeper than {MAX_LEVELS} levels");
        }
        fault.to_string()
    })
}

fn skip_line(reader: &mut impl BufRead, budget: &Budget) -> std::io::Result<()> {
    loop {
        budget.renew();
        let buffer = reader.fill_buf()?;
        let (length, ended) = match memchr::memchr(b'\n', buffer) {
            Some(at) => (at + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        reader.consume(length);
        if ended {
            return Ok(());
        }
    }
}

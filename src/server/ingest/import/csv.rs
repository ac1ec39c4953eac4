//! CSV (RFC 4180) with an export's header as it is, in any order; columns of other names are passed over.
//!
//! A text that an export guarded against formulas (`'=1+1`) loses its guard. A file without `status_code`, as an export has it by default,
//! gives logs without one. A record that has nothing but what an earlier import could not read is read as a line of NDJSON.

use std::borrow::Cow;
use std::io::Read;
use std::sync::Arc;

use csv::{ByteRecord, ReaderBuilder};

use super::budget::Budget;
use super::{Content, Sink, UNREADABLE, ndjson, text};
use crate::model::export;
use crate::model::log::Origin;
use crate::server::ingest::draft::{Code, Draft, DraftMessage, Fault, When};
use crate::server::ingest::headers::Headers;
use crate::server::ingest::json::resource_of_text;

/// A column that is known, by its name in the header.
const COLUMNS: [&str; 23] = [
    "id",
    "created_at",
    "status",
    "request_id",
    "channel",
    "method",
    "endpoint",
    "url",
    "user_email",
    "app_id",
    "client_app_id",
    "request_duration",
    "request_body",
    "response_body",
    "status_code",
    "user_id",
    "ip",
    "user_agent",
    "request_headers",
    "response_headers",
    "resource",
    "async_action_id",
    "origin",
];
/// What a file of rejected records adds; nobody misses it. An empty name has nothing to tell.
const NOT_MISSED: [&[u8]; 2] = [b"reason", b""];
/// One more that is known, though no export writes it.
const APP_NAME: &str = "app_name";

/// Reads every record.
pub(super) fn read(file: impl Read, budget: &Budget, sink: &mut dyn Sink) -> Result<(), String> {
    let mut reader = ReaderBuilder::new().flexible(true).has_headers(true).from_reader(file);
    let header = reader.byte_headers().map_err(|error| error.to_string())?;
    let columns = columns(header)?;
    let header = Arc::new(header.iter().map(<[u8]>::to_vec).collect());
    let mut record = ByteRecord::new();
    loop {
        budget.renew();
        let line = reader.position().line();
        match reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(error) => return Err(format!("line {line}: {error}")),
        }
        let line = record.position().map_or(line, csv::Position::line);
        let draft = match unreadable(&columns, &record) {
            Some(line) => ndjson::draft(line),
            None => draft(&columns, &record).map_err(|fault| fault.to_string()),
        };
        if sink.entry(line, Content::Record(&header, &record), draft).is_break() {
            return Ok(());
        }
    }
}

/// The columns that are not known; a header that does not end within the beginning says nothing.
pub(super) fn columns_left_out(beginning: &[u8]) -> Vec<String> {
    let mut reader = ReaderBuilder::new().flexible(true).has_headers(true).from_reader(beginning);
    let Ok(header) = reader.byte_headers() else {
        return Vec::new();
    };
    let header = header.clone();
    if !beginning[..usize::try_from(reader.position().byte()).unwrap_or(0)].ends_with(b"\n") {
        return Vec::new();
    }
    let names = header
        .iter()
        .filter(|name| known(name).is_none() && !NOT_MISSED.contains(&name.trim_ascii()));
    names
        .map(|name| String::from_utf8_lossy(name.trim_ascii()).into_owned())
        .collect()
}

fn known(name: &[u8]) -> Option<&'static str> {
    COLUMNS
        .into_iter()
        .chain([APP_NAME, UNREADABLE])
        .find(|known| known.as_bytes() == name.trim_ascii())
}

/// The name of each column, none where it is not known.
fn columns(header: &ByteRecord) -> Result<Vec<Option<&'static str>>, String> {
    let columns: Vec<_> = header.iter().map(known).collect();
    for required in ["method", "url"] {
        match columns.iter().filter(|column| **column == Some(required)).count() {
            1 => {}
            0 => {
                return Err(format!(
                    "the first line names no column {required}: it must name the fields, as an export's does"
                ));
            }
            _ => return Err(format!("the first line names the column {required} more than once")),
        }
    }
    Ok(columns)
}

/// What an earlier import could not read, where a record has nothing else that is known.
fn unreadable<'a>(columns: &[Option<&'static str>], record: &'a ByteRecord) -> Option<&'a [u8]> {
    let mut known = columns
        .iter()
        .zip(record)
        .filter(|(column, value)| column.is_some() && !value.is_empty());
    match (known.next(), known.next()) {
        (Some((Some(UNREADABLE), line)), None) if record.len() == columns.len() => Some(line),
        _ => None,
    }
}

fn draft<'a>(columns: &[Option<&'static str>], record: &'a ByteRecord) -> Result<Draft<'a>, Fault> {
    if record.len() != columns.len() {
        return Err(Fault::invalid(
            "",
            format!("has {} fields where the header has {}", record.len(), columns.len()),
        ));
    }
    let mut draft = Draft {
        status_code: Code::NoAnswer,
        ..Draft::default()
    };
    let (mut request_body, mut response_body) = (None, None);
    for (column, value) in columns.iter().zip(record) {
        let Some(column) = *column else { continue };
        let value = std::str::from_utf8(value)
            .map_err(|error| Fault::invalid(column, format!("byte {} is not UTF-8", error.valid_up_to() + 1)))?;
        let value = without_guard(value);
        match column {
            _ if value.is_empty() => {}
            "request_body" => request_body = Some(value),
            "response_body" => response_body = Some(value),
            _ => set(&mut draft, column, value)?,
        }
    }
    set_body(&mut draft.request, request_body, "request_body")?;
    set_body(&mut draft.response, response_body, "response_body")?;
    Ok(draft)
}

fn set_body<'a>(message: &mut DraftMessage<'a>, body: Option<&'a str>, field: &'static str) -> Result<(), Fault> {
    if let Some(body) = body {
        message.body = text::body(Cow::Borrowed(body), message.headers.first("content-type"), field)?;
    }
    Ok(())
}

fn set<'a>(draft: &mut Draft<'a>, column: &'static str, value: &'a str) -> Result<(), Fault> {
    let given = Some(Cow::Borrowed(value));
    match column {
        "id" => draft.id = given,
        "created_at" => draft.created_at = Some(value.parse().map_or(When::Text(Cow::Borrowed(value)), When::Millis)),
        "status" => draft.status = given,
        "request_id" => draft.request_id = given,
        "channel" => draft.channel = given,
        "method" => draft.method = given,
        "endpoint" => draft.endpoint = given,
        "url" => draft.url = given,
        "user_email" => draft.user_email = given,
        "app_id" => draft.app_id = given,
        "app_name" => draft.app_name = given,
        "client_app_id" => draft.client_app_id = given,
        "request_duration" => {
            let wrong = |_| Fault::invalid(column, "must be a number of milliseconds");
            draft.duration_ms = Some(value.parse().map_err(wrong)?);
        }
        "status_code" => {
            let wrong = |_| Fault::invalid(column, "must be a whole number from 100 to 999, or empty");
            draft.status_code = Code::Number(value.parse().map_err(wrong)?);
        }
        "user_id" => draft.user_id = given,
        "ip" => draft.ip = given,
        "user_agent" => draft.user_agent = given,
        "request_headers" => draft.request.headers = Headers::read(value, "request_headers")?,
        "response_headers" => draft.response.headers = Headers::read(value, "response_headers")?,
        "resource" => {
            let wrong = || Fault::invalid(column, "must be a type and an id, as voucher:v_123");
            draft.resource = Some(resource_of_text(value).ok_or_else(wrong)?);
        }
        "async_action_id" => draft.async_action_id = given,
        "origin" => {
            let wrong = || Fault::invalid(column, "must be application or self");
            draft.origin = Some(Origin::parse(value).ok_or_else(wrong)?);
        }
        _ => {}
    }
    Ok(())
}

/// `'=1` as `=1`: the guard against formulas that an export may have put before it.
fn without_guard(value: &str) -> &str {
    // An apostrophe is a letter of its own, so what follows it begins a letter.
    std::str::from_utf8(export::without_guard(value.as_bytes())).unwrap_or(value)
}

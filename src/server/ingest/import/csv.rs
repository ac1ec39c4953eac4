//! CSV (RFC 4180) with an export's header as it is, in any order; columns of other names are passed over.
//!
//! A file that is said to be guarded against formulas (`'=1+1`) loses its guards; any other is taken letter by letter, since a file does not show whether
//! an apostrophe is a guard. A file without `status_code`, as an export has it by default, gives logs without one.
//!
//! Three columns are there for files of rejected records. `reason` is passed over. A record that has nothing but `unreadable` is read as a line of NDJSON.
//! One that has nothing but `unreadable_record` is read as a line of CSV with the fields of the columns before: so is given back what had more or fewer fields
//! than its header. Where the last columns are these, a record may leave them out.

use std::borrow::Cow;
use std::io::Read;
use std::sync::Arc;

use csv::{ByteRecord, ReaderBuilder};

use super::budget::Budget;
use super::{Content, REASON, Sink, UNREADABLE, UNREADABLE_RECORD, ndjson};
use crate::model::export;
use crate::model::log::Origin;
use crate::server::ingest::draft::{Code, Draft, DraftMessage, Fault, When};
use crate::server::ingest::headers::Headers;
use crate::server::ingest::json::resource_of_text;
use crate::server::ingest::text;

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
const NOT_MISSED: [&[u8]; 2] = [REASON.as_bytes(), b""];
/// One more that is known, though no export writes it.
const APP_NAME: &str = "app_name";

/// How a record stands to its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A field for each column.
    Whole,
    /// A field for each column but the last ones, which a file of rejected records adds.
    WithoutHelpers,
    /// More or fewer fields.
    Other,
}

impl Shape {
    /// Of so many fields.
    pub fn of(header: &[Vec<u8>], fields: usize) -> Self {
        let own = header.iter().filter(|name| !is_helper(name)).count();
        if fields == header.len() {
            Self::Whole
        } else if fields == own && header[own..].iter().all(|name| is_helper(name)) {
            Self::WithoutHelpers
        } else {
            Self::Other
        }
    }

    /// Whether a column is one that a file of rejected records adds.
    pub fn is_helper(name: &[u8]) -> bool {
        is_helper(name)
    }
}

fn is_helper(name: &[u8]) -> bool {
    [REASON, UNREADABLE_RECORD]
        .iter()
        .any(|helper| helper.as_bytes() == name.trim_ascii())
}

/// What a file's first line says.
struct Header {
    names: Arc<Vec<Vec<u8>>>,
    /// The name of each column, none where it is not known.
    columns: Vec<Option<&'static str>>,
    /// Those of them that are a record's own.
    own: Vec<Option<&'static str>>,
    guarded: bool,
}

impl Header {
    fn of(header: &ByteRecord, guarded: bool) -> Result<Self, String> {
        let columns = columns(header)?;
        let own = header.iter().zip(&columns).filter(|(name, _)| !is_helper(name));
        Ok(Self {
            own: own.map(|(_, column)| *column).collect(),
            names: Arc::new(header.iter().map(<[u8]>::to_vec).collect()),
            columns,
            guarded,
        })
    }

    /// Reads a record; `inner` is room for one that stands in it whole.
    fn draft<'a>(&self, record: &'a ByteRecord, inner: &'a mut ByteRecord) -> Result<Draft<'a>, String> {
        let said = |fault: Fault| fault.to_string();
        match Shape::of(&self.names, record.len()) {
            Shape::Whole => match self.alone(record) {
                Some((UNREADABLE, line)) => ndjson::draft(line),
                Some((UNREADABLE_RECORD, line)) => {
                    read_line(line, inner)?;
                    self.draft_of_own(inner).map_err(said)
                }
                _ => draft(&self.columns, record, self.guarded).map_err(said),
            },
            Shape::WithoutHelpers | Shape::Other => self.draft_of_own(record).map_err(said),
        }
    }

    fn draft_of_own<'a>(&self, record: &'a ByteRecord) -> Result<Draft<'a>, Fault> {
        let (has, wanted) = (record.len(), self.own.len());
        if has != wanted {
            let fields = if has == 1 { "field" } else { "fields" };
            return Err(Fault::invalid(
                "",
                format!("has {has} {fields} where the header has {wanted}"),
            ));
        }
        draft(&self.own, record, self.guarded)
    }

    /// The only known column that says something, where there is just one.
    fn alone<'a>(&self, record: &'a ByteRecord) -> Option<(&'static str, &'a [u8])> {
        let said = self.columns.iter().zip(record);
        let mut said = said.filter_map(|(column, value)| column.filter(|_| !value.is_empty()).map(|column| (column, value)));
        said.next().filter(|_| said.next().is_none())
    }
}

/// Reads a line of CSV that stands in a cell.
fn read_line(line: &[u8], record: &mut ByteRecord) -> Result<(), String> {
    let mut reader = ReaderBuilder::new().flexible(true).has_headers(false).from_reader(line);
    let mut read = |record: &mut ByteRecord| reader.read_byte_record(record).map_err(|error| error.to_string());
    let is_there = read(record)?;
    if !is_there || read(&mut ByteRecord::new())? {
        return Err(format!("{UNREADABLE_RECORD}: must be one line of CSV, one record"));
    }
    Ok(())
}

/// Reads every record.
pub(super) fn read(file: impl Read, guarded: bool, budget: &Budget, sink: &mut dyn Sink) -> Result<(), String> {
    let mut reader = ReaderBuilder::new().flexible(true).has_headers(true).from_reader(file);
    let header = Header::of(reader.byte_headers().map_err(|error| error.to_string())?, guarded)?;
    let (mut record, mut inner) = (ByteRecord::new(), ByteRecord::new());
    loop {
        budget.renew();
        let line = reader.position().line();
        match reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(error) => return Err(format!("line {line}: {error}")),
        }
        let line = record.position().map_or(line, csv::Position::line);
        let draft = header.draft(&record, &mut inner);
        if sink.entry(line, Content::Record(&header.names, &record), draft).is_break() {
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
        .chain([APP_NAME, UNREADABLE, UNREADABLE_RECORD])
        .find(|known| known.as_bytes() == name.trim_ascii())
}

/// The name of each column, none where it is not known.
fn columns(header: &ByteRecord) -> Result<Vec<Option<&'static str>>, String> {
    let columns: Vec<_> = header.iter().map(known).collect();
    for (place, column) in columns.iter().enumerate() {
        if let Some(name) = column.filter(|_| columns[..place].contains(column)) {
            return Err(format!(
                "the first line names the column {name} more than once: which of them is meant cannot be told"
            ));
        }
    }
    for required in ["method", "url"] {
        if !columns.contains(&Some(required)) {
            return Err(match other_separator(header) {
                Some(separator) => format!("the fields are separated by {separator}: save the file with commas and send that"),
                None => format!("the first line names no column {required}: it must name the fields, as an export's does"),
            });
        }
    }
    Ok(columns)
}

/// What separates the header's names, where it is no comma.
fn other_separator(header: &ByteRecord) -> Option<&'static str> {
    let separators = [(b';', "semicolons (;)"), (b'\t', "tabs"), (b'|', "bars (|)")];
    let found = separators.into_iter().find(|(separator, _)| {
        let names = || header.iter().flat_map(|cell| cell.split(|byte| byte == separator));
        ["method", "url"]
            .into_iter()
            .all(|wanted| names().any(|name| name.trim_ascii() == wanted.as_bytes()))
    });
    found.map(|(_, words)| words)
}

/// Reads a record that has a field for each column.
fn draft<'a>(columns: &[Option<&'static str>], record: &'a ByteRecord, guarded: bool) -> Result<Draft<'a>, Fault> {
    let mut draft = Draft {
        status_code: Code::NoAnswer,
        ..Draft::default()
    };
    let (mut request_body, mut response_body) = (None, None);
    for (column, value) in columns.iter().zip(record) {
        let Some(column) = *column else { continue };
        let value = std::str::from_utf8(value)
            .map_err(|error| Fault::invalid(column, format!("byte {} is not UTF-8", error.valid_up_to() + 1)))?;
        let value = if guarded { without_guard(value) } else { value };
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

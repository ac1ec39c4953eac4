//! Which shape suits a body: JSON, text, a form, a table, or bytes.

use std::fmt::Write as _;

use super::headers::pair;
use super::{Absence, Body, Pair};
use crate::model::json_doc::message::Form;
use crate::model::json_doc::preview;
use crate::model::log::{BodyKind, Message, Note};
use crate::model::query::pairs;

/// Rows that a page has before any script runs.
pub(super) const FIRST_ROWS: u32 = 200;
/// Longer forms are shown as text, in bytes.
const MAX_FORM: usize = 128 << 10;
/// Longer CSV texts are shown as text, in bytes.
const MAX_TABLE: usize = 64 << 20;
/// Fields of a form that are shown.
const MAX_FIELDS: usize = 2_000;
/// Columns of a table, and letters of a cell, that are shown.
const MAX_COLUMNS: usize = 100;
const MAX_CELL: usize = 300;
/// Bytes of a binary body that are shown.
const HEX_BYTES: usize = 512;
/// What a body of bytes may begin with, and what it then is (<https://en.wikipedia.org/wiki/List_of_file_signatures>).
const SIGNATURES: [(&[u8], &str); 9] = [
    (b"\x89PNG\r\n", "PNG image"),
    (b"\xff\xd8\xff", "JPEG image"),
    (b"GIF8", "GIF image"),
    (b"%PDF-", "PDF document"),
    (b"PK\x03\x04", "ZIP archive"),
    (b"\x1f\x8b", "gzip data"),
    (b"\x28\xb5\x2f\xfd", "Zstandard data"),
    (b"PAR1", "Parquet file"),
    (b"\0asm", "WebAssembly module"),
];

/// A body in its shape, of JSON and text so many rows. `notes` are its log's.
pub(super) fn shape(message: &Message, notes: &[Note], came_with: i64, rows: u32) -> Body {
    let media = message
        .content_type
        .as_deref()
        .and_then(|text| text.split(';').next())
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let masked = notes.contains(&Note::Masked);
    let body = message.body.as_slice();
    match message.kind {
        BodyKind::None => Body::Absent(absence(notes, came_with)),
        BodyKind::Binary => binary(body, &media),
        BodyKind::Json => Body::Rows(preview(body, Form::Pretty, masked, rows)),
        BodyKind::Text if body.len() <= MAX_FORM && media == "application/x-www-form-urlencoded" => Body::Form(form(body)),
        BodyKind::Text if body.len() <= MAX_TABLE && matches!(media.as_str(), "text/csv" | "application/csv") => {
            table(body).unwrap_or_else(|| Body::Rows(preview(body, Form::Raw, masked, rows)))
        }
        BodyKind::Text if media == "application/json" || media.ends_with("+json") => {
            Body::Rows(preview(body, Form::Pretty, masked, rows))
        }
        BodyKind::Text => Body::Rows(preview(body, Form::Raw, masked, rows)),
    }
}

/// Why there is no body.
pub(super) fn absence(notes: &[Note], came_with: i64) -> Absence {
    if notes.contains(&Note::Expired) {
        Absence::Expired
    } else if notes.contains(&Note::NotCaptured) && came_with != 0 {
        Absence::NotCaptured
    } else {
        Absence::Empty
    }
}

fn form(body: &[u8]) -> Vec<Pair> {
    let text = String::from_utf8_lossy(body);
    pairs(text.trim_end())
        .take(MAX_FIELDS)
        .map(|(name, value)| pair(name, value))
        .collect()
}

/// The first rows of a CSV text; `None` where it is none.
fn table(body: &[u8]) -> Option<Body> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(body);
    let mut rows = Vec::new();
    for record in reader.records() {
        if rows.len() > FIRST_ROWS as usize {
            return Some(Body::Table { rows, more: true });
        }
        rows.push(record.ok()?.iter().take(MAX_COLUMNS).map(cell).collect());
    }
    (!rows.is_empty()).then_some(Body::Table { rows, more: false })
}

fn cell(text: &str) -> String {
    match text.char_indices().nth(MAX_CELL) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn binary(body: &[u8], media: &str) -> Body {
    let seen = SIGNATURES
        .iter()
        .find(|(start, _)| body.starts_with(start))
        .map(|(_, what)| *what);
    let what = match (seen, media) {
        (Some(what), _) => what.to_owned(),
        (None, "") => "Binary data".to_owned(),
        (None, media) => format!("Binary data ({media})"),
    };
    let lines = body.chunks(16).take(HEX_BYTES / 16).map(|line| {
        let mut hex = String::with_capacity(48);
        for byte in line {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x} ");
        }
        let letters = line.iter().map(|byte| {
            if byte.is_ascii_graphic() || *byte == b' ' {
                char::from(*byte)
            } else {
                '·'
            }
        });
        (hex.trim_end().to_owned(), letters.collect())
    });
    Body::Binary {
        what,
        lines: lines.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shaped(kind: BodyKind, content_type: &str, body: &[u8]) -> Body {
        let message = Message {
            kind,
            body: body.to_vec(),
            content_type: Some(content_type.to_owned()),
            ..Message::default()
        };
        shape(&message, &[], body.len() as i64, FIRST_ROWS)
    }

    #[test]
    fn each_body_is_shown_for_what_it_is() {
        assert!(matches!(shaped(BodyKind::Json, "application/json", b"{}"), Body::Rows(rows) if rows.form == Form::Pretty));
        assert!(matches!(shaped(BodyKind::Text, "text/plain", b"{}"), Body::Rows(rows) if rows.form == Form::Raw));
        let Body::Rows(broken) = shaped(BodyKind::Text, "application/problem+json; charset=utf-8", b"{") else {
            panic!("rows")
        };
        assert_eq!((broken.form, broken.problem.is_some()), (Form::Raw, true));
        let Body::Form(fields) = shaped(BodyKind::Text, "application/x-www-form-urlencoded", b"a=b+c&password=masked") else {
            panic!("a form")
        };
        assert_eq!((fields[0].value.as_str(), fields[1].masked), ("b c", true));
        let Body::Table { rows, more } = shaped(BodyKind::Text, "text/csv", b"id,name\n1,\"a,b\"\n2\n") else {
            panic!("a table")
        };
        assert_eq!((rows.len(), rows[1][1].as_str(), more), (3, "a,b", false));
        let Body::Binary { what, lines } = shaped(BodyKind::Binary, "", b"%PDF-1.7\n\xff") else {
            panic!("bytes")
        };
        assert_eq!(
            (what.as_str(), lines[0].0.as_str(), lines[0].1.as_str()),
            ("PDF document", "25 50 44 46 2d 31 2e 37 0a ff", "%PDF-1.7··")
        );
    }

    #[test]
    fn a_long_table_is_cut() {
        let body = "1,2\n".repeat(500);
        assert!(
            matches!(shaped(BodyKind::Text, "text/csv", body.as_bytes()), Body::Table { rows, more: true } if rows.len() == 201)
        );
    }

    #[test]
    fn an_absent_body_says_why() {
        assert_eq!(absence(&[Note::NotCaptured], -1), Absence::NotCaptured);
        assert_eq!(absence(&[Note::NotCaptured], 0), Absence::Empty);
        assert_eq!(absence(&[Note::Expired], 10), Absence::Expired);
    }
}

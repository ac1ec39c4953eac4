//! The rows that are shown as a CSV file, in pieces: a CSV's own rows as they stand, others written anew.

use std::borrow::Cow;
use std::ops::ControlFlow;

use memchr::{memchr, memchr3};

use super::rows::Rows;
use crate::model::export::{Format, is_guarded};

/// The heading.
pub(super) fn heading(rows: &Rows, out: &mut Vec<u8>) {
    for (place, name) in rows.columns().iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        cell(name.as_bytes(), false, out);
    }
    out.extend_from_slice(b"\r\n");
}

/// A row.
pub(super) fn row(rows: &Rows, bytes: &[u8], number: u32, out: &mut Vec<u8>) {
    let raw = rows.raw(bytes, number);
    if rows.format() == Format::Csv {
        out.extend_from_slice(raw);
    } else {
        let mut cells = vec![Cow::Borrowed(&b""[..]); rows.columns().len()];
        rows.each(raw, |column, text| {
            cells[column] = text;
            ControlFlow::Continue(())
        });
        for (place, text) in cells.iter().enumerate() {
            if place > 0 {
                out.push(b',');
            }
            cell(text, rows.guarded(), out);
        }
        if let [only] = cells.as_slice()
            && only.is_empty()
        {
            // A line with nothing in it would be no row.
            out.extend_from_slice(b"\"\"");
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// A cell, in quotes where it needs them.
pub(super) fn cell(text: &[u8], guarded: bool, out: &mut Vec<u8>) {
    let guard: &[u8] = if guarded && is_guarded(text) { b"'" } else { b"" };
    let is_plain = memchr3(b'"', b',', b'\n', text).is_none() && memchr(b'\r', text).is_none();
    if is_plain {
        out.extend_from_slice(guard);
        out.extend_from_slice(text);
        return;
    }
    out.push(b'"');
    out.extend_from_slice(guard);
    for &byte in text {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

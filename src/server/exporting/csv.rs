//! CSV: RFC 4180, UTF-8, CRLF. Guarded where people open it in a spreadsheet: a cell that one would run as a formula gets an apostrophe before it.

use super::cells::{Cell, write_number};
use crate::model::export::is_guarded;

/// Writes records.
#[derive(Debug)]
pub struct CsvEncoder {
    guarded: bool,
    scratch: Vec<u8>,
}

impl CsvEncoder {
    /// Writes the header.
    pub(super) fn begin(fields: &[String], guarded: bool, out: &mut Vec<u8>) -> Self {
        let encoder = Self {
            guarded,
            scratch: Vec::new(),
        };
        out.extend_from_slice(fields.join(",").as_bytes());
        out.extend_from_slice(b"\r\n");
        encoder
    }

    pub(super) fn row(&mut self, cells: &[Cell<'_>], out: &mut Vec<u8>) {
        for (place, cell) in cells.iter().enumerate() {
            if place > 0 {
                out.push(b',');
            }
            match cell {
                // A line with nothing on it is no record to who reads it.
                Cell::None if cells.len() == 1 => out.extend_from_slice(b"\"\""),
                Cell::None => {}
                Cell::Number(number) => write_number(*number, out),
                Cell::Millis(micros) => super::cells::write_millis(*micros, out),
                Cell::Text(text) => self.text(text.as_bytes(), out),
                Cell::Json(json) => self.text(json, out),
                Cell::Bytes(bytes) => {
                    self.scratch.clear();
                    let mut scratch = std::mem::take(&mut self.scratch);
                    super::cells::write_bytes(bytes, &mut scratch);
                    self.text(&scratch, out);
                    self.scratch = scratch;
                }
            }
        }
        out.extend_from_slice(b"\r\n");
    }

    fn text(&self, text: &[u8], out: &mut Vec<u8>) {
        let is_formula = self.guarded && is_guarded(text);
        let needs_quotes = memchr::memchr3(b'"', b',', b'\n', text).is_some()
            || memchr::memchr(b'\r', text).is_some()
            // An empty text differs from nothing at all.
            || text.is_empty();
        if !needs_quotes {
            if is_formula {
                out.push(b'\'');
            }
            out.extend_from_slice(text);
            return;
        }
        out.push(b'"');
        if is_formula {
            out.push(b'\'');
        }
        let mut from = 0;
        for quote in memchr::memchr_iter(b'"', text) {
            out.extend_from_slice(&text[from..=quote]);
            out.push(b'"');
            from = quote + 1;
        }
        out.extend_from_slice(&text[from..]);
        out.push(b'"');
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use proptest::prelude::*;

    use super::*;

    fn encode(guarded: bool, texts: &[&str]) -> Vec<u8> {
        let mut out = Vec::new();
        let fields: Vec<String> = (0..texts.len()).map(|number| format!("f{number}")).collect();
        let mut encoder = CsvEncoder::begin(&fields, guarded, &mut out);
        let cells: Vec<Cell<'_>> = texts.iter().map(|text| Cell::Text(Cow::Borrowed(*text))).collect();
        encoder.row(&cells, &mut out);
        out
    }

    #[test]
    fn a_formula_is_guarded_only_where_that_is_asked_for() {
        let line = |guarded| String::from_utf8(encode(guarded, &["=1+1", "a=b", "-2", "\tx,y"])).unwrap();
        assert_eq!(line(true), "f0,f1,f2,f3\r\n'=1+1,a=b,'-2,\"'\tx,y\"\r\n");
        assert_eq!(line(false), "f0,f1,f2,f3\r\n=1+1,a=b,-2,\"\tx,y\"\r\n");
    }

    proptest! {
        #[test]
        fn any_text_is_read_back(texts in proptest::collection::vec("(\\PC|[\",\r\n=+@\t]){0,12}", 1..6)) {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let bytes = encode(false, &texts);
            let mut reader = ::csv::Reader::from_reader(bytes.as_slice());
            let read: Vec<::csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
            prop_assert_eq!(read.len(), 1);
            prop_assert_eq!(read[0].iter().collect::<Vec<_>>(), texts);
        }
    }
}

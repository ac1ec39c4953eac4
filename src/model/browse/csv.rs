//! CSV as RFC 4180 has it: rows cut as bytes come, cells read out of a row.
//!
//! Whether a line break ends a row is known by counting quotes alone: a doubled one counts twice and changes nothing.

use std::borrow::Cow;

use memchr::memchr;

use crate::model::export::without_guard;

/// Finds where rows end.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cutter {
    in_quotes: bool,
}

impl Cutter {
    /// Notes the place after each row that ends in these bytes, which stand at `at` in the file. Blank lines belong to the row before them.
    pub(super) fn cut(&mut self, bytes: &[u8], at: usize, starts: &mut Vec<u32>) {
        let mut in_quotes = self.in_quotes;
        for (place, &byte) in bytes.iter().enumerate() {
            in_quotes ^= byte == b'"';
            if byte == b'\n' && !in_quotes {
                starts.push((at + place + 1) as u32);
            }
        }
        self.in_quotes = in_quotes;
    }

    /// Whether a cell is open.
    pub(super) const fn is_open(self) -> bool {
        self.in_quotes
    }
}

/// A row without its line end.
pub(super) fn trimmed(row: &[u8]) -> &[u8] {
    let mut row = row;
    while let [before @ .., b'\n' | b'\r'] = row {
        row = before;
    }
    row
}

/// A cell as it is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct RawCell<'a> {
    bytes: &'a [u8],
    doubled: bool,
}

impl<'a> RawCell<'a> {
    /// What it says: quotes single again, the guard taken away.
    pub(super) fn text(self, guarded: bool) -> Cow<'a, [u8]> {
        // A guarded cell's first two bytes are no quotes, so the guard goes before quotes are looked at.
        let bytes = if guarded { without_guard(self.bytes) } else { self.bytes };
        if !self.doubled {
            return Cow::Borrowed(bytes);
        }
        let mut text = Vec::with_capacity(bytes.len());
        let mut rest = bytes;
        while let Some(quote) = memchr(b'"', rest) {
            text.extend_from_slice(&rest[..=quote]);
            let after = &rest[quote + 1..];
            rest = after.strip_prefix(b"\"").unwrap_or(after);
        }
        text.extend_from_slice(rest);
        Cow::Owned(text)
    }
}

/// The cells of a row.
#[derive(Clone, Debug)]
pub(super) struct Cells<'a> {
    rest: Option<&'a [u8]>,
}

/// The cells of a row that has no line end.
pub(super) const fn cells(row: &[u8]) -> Cells<'_> {
    Cells { rest: Some(row) }
}

impl<'a> Iterator for Cells<'a> {
    type Item = RawCell<'a>;

    fn next(&mut self) -> Option<RawCell<'a>> {
        let rest = self.rest?;
        let Some(quoted) = rest.strip_prefix(b"\"") else {
            let end = memchr(b',', rest);
            self.rest = end.map(|end| &rest[end + 1..]);
            return Some(RawCell {
                bytes: &rest[..end.unwrap_or(rest.len())],
                doubled: false,
            });
        };
        let (mut at, mut doubled) = (0, false);
        let close = loop {
            let Some(quote) = memchr(b'"', &quoted[at..]).map(|place| at + place) else {
                break quoted.len();
            };
            if quoted.get(quote + 1) != Some(&b'"') {
                break quote;
            }
            doubled = true;
            at = quote + 2;
        };
        let after = quoted.get(close + 1..).unwrap_or_default();
        self.rest = memchr(b',', after).map(|comma| &after[comma + 1..]);
        Some(RawCell {
            bytes: &quoted[..close],
            doubled,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(row: &str, guarded: bool) -> Vec<String> {
        cells(row.as_bytes())
            .map(|cell| String::from_utf8(cell.text(guarded).into_owned()).unwrap())
            .collect()
    }

    #[test]
    fn cells_are_read_as_they_were_meant() {
        assert_eq!(texts("a,\"b,\"\"c\"\"\nd\",,\"\"", false), ["a", "b,\"c\"\nd", "", ""]);
        assert_eq!(texts("", false), [""]);
        assert_eq!(texts("\"never closed", false), ["never closed"]);
    }

    #[test]
    fn the_guard_is_undone_and_other_apostrophes_stay() {
        assert_eq!(
            texts("'=1,\"'@a,b\",'a,','',\"'\t\",''=", true),
            ["=1", "@a,b", "'a", "'", "''", "\t", "'="]
        );
        assert_eq!(texts("'=1", false), ["'=1"]);
    }

    #[test]
    fn a_line_break_in_a_cell_ends_no_row_wherever_the_bytes_are_cut() {
        let text = b"a,\"x\"\"\n\"\r\nb,\"\n\"\n";
        for cut in 0..text.len() {
            let (mut cutter, mut starts) = (Cutter::default(), Vec::new());
            cutter.cut(&text[..cut], 0, &mut starts);
            cutter.cut(&text[cut..], cut, &mut starts);
            assert_eq!(starts, [10, 16]);
        }
    }
}

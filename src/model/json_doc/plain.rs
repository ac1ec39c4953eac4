//! Text as rows: its lines, the long ones cut. Only every 64th row's place is kept, so that a text of line breaks alone costs little.

use std::ops::Range;

use super::find::{Hits, Needle};
use super::parse::Step;
use super::row::{Ink, Row, marked};

/// Longer lines go on in the next row: bytes of UTF-8 a row.
const ROW_BYTES: usize = 300;
/// Rows between two places that are kept.
const STRIDE: u32 = 64;
/// Bytes that are looked through at once.
const WINDOW: usize = 1 << 18;

/// Where a row begins.
#[derive(Clone, Copy, Debug)]
struct Start {
    offset: u32,
    /// From 0.
    line: u32,
}

/// The rows of a text. It does not hold the bytes: each call is given the same ones.
#[derive(Clone, Debug)]
pub struct PlainText {
    kept: Vec<Start>,
    rows: u32,
    next: Start,
}

impl Default for PlainText {
    fn default() -> Self {
        Self {
            kept: Vec::new(),
            rows: 0,
            next: Start { offset: 0, line: 0 },
        }
    }
}

impl PlainText {
    /// How many rows there are, as far as was read.
    pub const fn rows(&self) -> u32 {
        self.rows
    }

    /// How many bytes were read.
    pub const fn read(&self) -> usize {
        self.next.offset as usize
    }

    /// Reads on for about `budget` bytes, or until there are more than `max_rows` rows.
    pub fn step(&mut self, bytes: &[u8], budget: usize, max_rows: u32) -> Step {
        let stop = self.read().saturating_add(budget);
        while self.read() < bytes.len() {
            if self.read() >= stop || self.rows > max_rows {
                return Step::More;
            }
            if self.rows.is_multiple_of(STRIDE) {
                self.kept.push(self.next);
            }
            self.next = cut(bytes, self.next).1;
            self.rows += 1;
        }
        Step::Done
    }

    /// Where a row's text stands (without its line break), and its line.
    fn locate(&self, bytes: &[u8], row: u32) -> (Range<usize>, Start, Start) {
        let mut start = self.kept[(row / STRIDE) as usize];
        for _ in 0..row % STRIDE {
            start = cut(bytes, start).1;
        }
        let (end, next) = cut(bytes, start);
        (start.offset as usize..end, start, next)
    }

    /// The text of a row.
    pub fn text(&self, bytes: &[u8], row: u32) -> String {
        if row >= self.rows {
            return String::new();
        }
        String::from_utf8_lossy(&bytes[self.locate(bytes, row).0]).into_owned()
    }

    /// The row that a byte lies in.
    pub(super) fn row_at(&self, bytes: &[u8], offset: u32) -> u32 {
        let kept = self.kept.partition_point(|start| start.offset <= offset).saturating_sub(1);
        let mut row = kept as u32 * STRIDE;
        let Some(mut start) = self.kept.get(kept).copied() else {
            return 0;
        };
        while row + 1 < self.rows {
            let next = cut(bytes, start).1;
            if next.offset > offset {
                break;
            }
            start = next;
            row += 1;
        }
        row
    }

    /// Where a row begins, in bytes.
    pub(super) fn offset_of(&self, bytes: &[u8], row: u32) -> u32 {
        if row < self.rows {
            self.locate(bytes, row).1.offset
        } else {
            self.next.offset
        }
    }

    /// The rows from `from` on.
    pub(super) fn make_rows(
        &self,
        bytes: &[u8],
        from: u32,
        count: u32,
        search: Option<(&Needle, &Hits, Option<u32>)>,
    ) -> Vec<Row> {
        let end = from.saturating_add(count).min(self.rows);
        if from >= end {
            return Vec::new();
        }
        let mut start = self.locate(bytes, from).1;
        (from..end)
            .map(|row| {
                let (text_end, next) = cut(bytes, start);
                let made = make_row(bytes, row, start, text_end, search);
                start = next;
                made
            })
            .collect()
    }

    /// Looks on from byte `from` and notes matches by their place in bytes; gives the place to go on from, `None` at the end.
    pub(super) fn find(&self, bytes: &[u8], from: usize, needle: &Needle, hits: &mut Hits) -> Option<usize> {
        if from >= bytes.len() {
            return None;
        }
        let nominal = from + WINDOW;
        // A match that begins in this window may end in the next, and a cut may not split a letter.
        let end = super::string::char_start(bytes, nominal + needle.len() + 4);
        let mut next = super::string::char_start(bytes, nominal).max(from + 1);
        for at in needle.places_in_bytes(&bytes[from..end]) {
            if from + at >= next {
                break;
            }
            if !hits.add((from + at) as u32, 1) {
                return None;
            }
            next = next.max(from + at + needle.len());
        }
        (next < bytes.len()).then_some(next)
    }
}

fn make_row(bytes: &[u8], row: u32, start: Start, text_end: usize, search: Option<(&Needle, &Hits, Option<u32>)>) -> Row {
    let from = start.offset as usize;
    let text = String::from_utf8_lossy(&bytes[from..text_end]);
    let (mut found, mut current) = (Vec::new(), None);
    // Places in bytes are places in the text only where every byte is text.
    if let Some((needle, hits, at)) = search
        && matches!(text, std::borrow::Cow::Borrowed(_))
    {
        let first = from.saturating_sub(needle.len() - 1);
        for (place, number) in hits.between(first as u32, text_end as u32) {
            if at == Some(number) {
                current = Some(found.len());
            }
            let place = place as usize;
            found.push(place.saturating_sub(from)..(place + needle.len() - from).min(text.len()));
        }
    }
    let mut pieces = Vec::new();
    marked(&text, 0..text.len(), Ink::Line, &found, current, &mut pieces);
    let goes_on = from > 0 && bytes[from - 1] != b'\n';
    Row {
        line: if goes_on { 0 } else { start.line + 1 },
        node: row,
        depth: 0,
        open: None,
        pieces,
    }
}

/// Where the row that begins here ends, and where the next one begins.
fn cut(bytes: &[u8], start: Start) -> (usize, Start) {
    let from = start.offset as usize;
    let limit = (from + ROW_BYTES).min(bytes.len());
    let next_line = |end: usize, next: usize| {
        let end = if end > from && bytes[end - 1] == b'\r' { end - 1 } else { end };
        (
            end,
            Start {
                offset: next as u32,
                line: start.line + 1,
            },
        )
    };
    if let Some(at) = memchr::memchr(b'\n', &bytes[from..limit]) {
        return next_line(from + at, from + at + 1);
    }
    if limit == bytes.len() {
        return (
            limit,
            Start {
                offset: limit as u32,
                line: start.line + 1,
            },
        );
    }
    if bytes[limit] == b'\n' {
        return next_line(limit, limit + 1);
    }
    // A letter has at most four bytes; anything longer that looks like the inside of one is no text, and is cut anywhere.
    let end = super::string::char_start(bytes, limit);
    let end = if limit - end > 3 { limit } else { end };
    (
        end,
        Start {
            offset: end as u32,
            line: start.line,
        },
    )
}

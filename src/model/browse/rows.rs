//! Where each row begins, and its cells: what is the same for every format stands here, what is not in the format's own file.

use std::borrow::Cow;
use std::ops::{ControlFlow, Range};

use super::message::Opened;
use super::problem::Problem;
use super::{csv, ndjson};
use crate::model::export::Format;

/// The rows of a file, as far as it has come.
#[derive(Debug)]
pub(super) struct Rows {
    format: Format,
    guarded: bool,
    columns: Vec<String>,
    /// Where rows begin, and at the end where the last whole one ends. A file is at most a gigabyte: 32 bits do.
    starts: Vec<u32>,
    cutter: csv::Cutter,
    /// Up to here was looked at.
    seen: usize,
    /// A CSV's first row names its columns.
    headed: bool,
    /// A byte order mark may come before everything.
    marked: bool,
    /// Rows of NDJSON in which letters may be written in another way than a search expects.
    odd: Vec<u32>,
}

impl Rows {
    /// Those of Parquet come as CSV without a heading and without guards: so they are written here.
    pub(super) fn new(opened: &Opened) -> Self {
        let is_parquet = opened.format == Format::Parquet;
        Self {
            format: if is_parquet { Format::Csv } else { opened.format },
            guarded: opened.guarded && !is_parquet,
            columns: opened.fields.clone(),
            starts: vec![0],
            cutter: csv::Cutter::default(),
            seen: 0,
            headed: opened.format == Format::Csv,
            marked: !is_parquet,
            odd: Vec::new(),
        }
    }

    /// The columns are these.
    pub(super) fn name(&mut self, columns: Vec<String>) {
        self.columns = columns;
    }

    /// Looks at what has come since the last time.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        if self.marked && self.seen == 0 && bytes.starts_with(b"\xef\xbb\xbf") {
            self.seen = 3;
            self.starts[0] = 3;
        }
        let before = self.len();
        let from = self.starts.len();
        match self.format {
            Format::Csv => self.cutter.cut(&bytes[self.seen..], self.seen, &mut self.starts),
            _ => ndjson::cut(&bytes[self.seen..], self.seen, &mut self.starts),
        }
        self.seen = bytes.len();
        self.drop_blank(bytes, from);
        self.take_heading(bytes);
        self.check(bytes, before)
    }

    /// Nothing more comes: the last row may have no line end.
    pub(super) fn end(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        if self.cutter.is_open() {
            return Err(Problem::OpenQuote {
                row: self.len() + u32::from(!self.headed),
            });
        }
        let (before, from) = (self.len(), self.starts.len());
        if self.starts.last().is_some_and(|&start| (start as usize) < bytes.len()) {
            self.starts.push(bytes.len() as u32);
        }
        self.drop_blank(bytes, from);
        self.take_heading(bytes);
        self.check(bytes, before)
    }

    /// Takes rows without anything in them out: their line end is counted to the row before.
    fn drop_blank(&mut self, bytes: &[u8], from: usize) {
        let mut kept = from;
        for place in from..self.starts.len() {
            let (start, end) = (self.starts[kept - 1] as usize, self.starts[place]);
            let is_blank = end as usize - start <= 2 && csv::trimmed(&bytes[start..end as usize]).is_empty();
            if is_blank {
                self.starts[kept - 1] = end;
            } else {
                self.starts[kept] = end;
                kept += 1;
            }
        }
        self.starts.truncate(kept);
    }

    fn take_heading(&mut self, bytes: &[u8]) {
        if !self.headed || self.starts.len() < 2 {
            return;
        }
        self.headed = false;
        let heading = csv::trimmed(&bytes[self.starts[0] as usize..self.starts[1] as usize]);
        self.columns = csv::cells(heading)
            .map(|cell| super::needle::lossy(&cell.text(false)).into_owned())
            .collect();
        self.starts.remove(0);
    }

    /// NDJSON alone: every line is an object.
    fn check(&mut self, bytes: &[u8], before: u32) -> Result<(), Problem> {
        if self.format != Format::Ndjson {
            return Ok(());
        }
        for row in before..self.len() {
            let line = self.raw(bytes, row);
            if !ndjson::is_object(line) {
                self.starts.truncate(row as usize + 1);
                return Err(Problem::NotAnObject { row: row + 1 });
            }
            if ndjson::is_odd(line) {
                self.odd.push(row);
            }
        }
        Ok(())
    }

    /// How many rows there are, whole ones.
    pub(super) fn len(&self) -> u32 {
        if self.headed { 0 } else { self.starts.len() as u32 - 1 }
    }

    pub(super) fn columns(&self) -> &[String] {
        &self.columns
    }

    pub(super) const fn format(&self) -> Format {
        self.format
    }

    pub(super) const fn guarded(&self) -> bool {
        self.guarded
    }

    pub(super) fn odd(&self) -> &[u32] {
        &self.odd
    }

    /// Where a row begins; of the number after the last row, where that one ends.
    pub(super) fn start(&self, row: u32) -> usize {
        self.starts[row as usize] as usize
    }

    /// The row among these in which a byte stands.
    pub(super) fn row_of(&self, byte: usize, among: Range<u32>) -> u32 {
        let starts = &self.starts[among.start as usize..among.end as usize];
        among.start + starts.partition_point(|&start| start as usize <= byte).saturating_sub(1) as u32
    }

    /// A row as it is written, without its line end.
    pub(super) fn raw<'a>(&self, bytes: &'a [u8], row: u32) -> &'a [u8] {
        csv::trimmed(&bytes[self.start(row)..self.start(row + 1)])
    }

    /// Goes through a row's cells until told to stop. Those of NDJSON come in the line's order, and only those that it has.
    pub(super) fn each<'a>(&self, raw: &'a [u8], mut each: impl FnMut(usize, Cow<'a, [u8]>) -> ControlFlow<()>) {
        if self.format == Format::Csv {
            for (column, cell) in csv::cells(raw).take(self.columns.len()).enumerate() {
                if each(column, cell.text(self.guarded)).is_break() {
                    return;
                }
            }
            return;
        }
        let count = self.columns.len();
        // Lines have their keys in the columns' order as a rule: the next one is tried first.
        let mut next = 0;
        ndjson::pairs(raw, |key, value| {
            let found = (0..count)
                .map(|step| (next + step) % count)
                .find(|&column| ndjson::is_key(key, &self.columns[column]));
            let Some(column) = found else {
                return ControlFlow::Continue(());
            };
            next = column + 1;
            each(column, ndjson::text(value))
        });
    }

    /// One cell; empty where the row has none.
    pub(super) fn cell<'a>(&self, bytes: &'a [u8], row: u32, column: usize) -> Cow<'a, [u8]> {
        let raw = self.raw(bytes, row);
        if self.format == Format::Csv {
            return csv::cells(raw)
                .nth(column)
                .map_or(Cow::Borrowed(b""), |cell| cell.text(self.guarded));
        }
        let mut text = Cow::Borrowed(&b""[..]);
        self.each(raw, |at, cell| {
            if at == column {
                text = cell;
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
        text
    }
}

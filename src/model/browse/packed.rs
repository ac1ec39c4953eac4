//! A Parquet file on its way: first its bytes come, then its rows are unpacked into a table.

use super::bytes::Plain;
use super::message::Opened;
use super::parquet;
use super::problem::Problem;
use super::table::Table;

/// Bytes unpacked or written in one slice: some 40 ms.
const SLICE: usize = 4 << 20;

/// A packed file.
#[derive(Debug)]
pub(super) struct Packed {
    file: Plain,
    /// Once all has come.
    rows: Option<parquet::Rows>,
    slice: Vec<u8>,
}

/// What a slice came to.
#[derive(Debug)]
pub(super) enum Step {
    /// There is more; so many percent are done.
    On(u8),
    /// All is unpacked that can be; why not more.
    Over(Option<Problem>),
}

impl Packed {
    pub(super) fn new(opened: &Opened) -> Self {
        Self {
            file: Plain::new(opened.bytes),
            rows: None,
            slice: Vec::new(),
        }
    }

    /// Room for bytes that have come.
    pub(super) fn room(&mut self, more: usize) -> Result<&mut [u8], Problem> {
        self.file.room(more)
    }

    /// How many bytes have come.
    pub(super) fn len(&self) -> usize {
        self.file.all().len()
    }

    /// All has come: what the file says of itself is read.
    pub(super) fn begin(&mut self, table: &mut Table) -> Result<(), Problem> {
        let rows = parquet::Rows::new(self.file.all())?;
        table.expect(rows.columns(), rows.expected(self.file.all()));
        self.rows = Some(rows);
        Ok(())
    }

    /// Whether rows are being unpacked.
    pub(super) const fn reads(&self) -> bool {
        self.rows.is_some()
    }

    /// Unpacks a slice.
    pub(super) fn step(&mut self, table: &mut Table) -> Step {
        let Some(rows) = &mut self.rows else {
            return Step::Over(None);
        };
        self.slice.clear();
        let more = rows.step(self.file.all(), SLICE, &mut self.slice);
        let taken = put(table, &self.slice);
        match taken.and(more) {
            Ok(true) => Step::On(rows.percent().min(99)),
            Ok(false) => Step::Over(None),
            Err(problem) => Step::Over(Some(problem)),
        }
    }
}

fn put(table: &mut Table, rows: &[u8]) -> Result<(), Problem> {
    let room = table.room(rows.len()).map_err(|problem| match problem {
        Problem::TooLarge => Problem::Unpacked,
        other => other,
    })?;
    room.copy_from_slice(rows);
    table.take()
}

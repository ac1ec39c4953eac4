//! The worker's side of the talk, without a browser: bytes and questions in, answers out.

use super::message::{Ask, Opened, Tell, Work};
use super::problem::Problem;
use super::table::Table;

/// Rows are told of anew after so many bytes, once the first are there.
const TELL_EVERY: usize = 4 << 20;
/// Bytes written in one slice of a file.
const WRITE: usize = 4 << 20;
/// Rows given at once, at most.
const MAX_ROWS: u32 = 500;

/// A file, and the talk about it.
#[derive(Debug)]
pub struct Session {
    table: Table,
    total: Option<u64>,
    epoch: u32,
    /// Bytes that had come when rows were told of last.
    told: usize,
    columns_told: bool,
    /// The place to write on from, while a file is written.
    saving: Option<u32>,
}

/// What a slice of work came to.
#[derive(Debug, Default)]
pub struct Done {
    /// What the page is told.
    pub told: Vec<Tell>,
    /// A piece of the file that is written; an empty one is its end.
    pub piece: Option<Vec<u8>>,
}

impl Session {
    /// Nothing has come yet.
    pub fn new(opened: &Opened) -> Result<Self, Problem> {
        Ok(Self {
            table: Table::new(opened)?,
            total: opened.bytes,
            epoch: 0,
            told: 0,
            columns_told: false,
            saving: None,
        })
    }

    /// Room for bytes that have come, to be written over; then [`Session::take`].
    pub fn room(&mut self, more: usize) -> Result<&mut [u8], Problem> {
        self.table.room(more)
    }

    /// Looks at the bytes that were written into the room.
    pub fn take(&mut self) -> Result<Vec<Tell>, Problem> {
        self.table.take()?;
        let done = self.table.bytes().len();
        let is_first = !self.columns_told && self.table.rows().len() > 0;
        if !is_first && done - self.told < TELL_EVERY {
            return Ok(Vec::new());
        }
        self.told = done;
        let mut told = self.columns();
        told.push(Tell::Loading {
            done: done as u64,
            total: self.total,
        });
        told.push(self.shown());
        Ok(told)
    }

    /// Bytes that have come.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Tell>, Problem> {
        self.room(bytes.len())?.copy_from_slice(bytes);
        self.take()
    }

    /// Nothing more comes; why, where that is no good end. Rows that are here stay.
    pub fn end(&mut self, reason: Option<String>) -> Vec<Tell> {
        let done = self.table.bytes().len() as u64;
        let short = self
            .total
            .filter(|&expected| done < expected && reason.is_none())
            .map(|expected| Problem::Short { done, expected });
        let whole = reason.is_none() && short.is_none();
        let broken = self.table.end(whole).err().or(short);
        let mut told = self.columns();
        told.push(Tell::Loaded(reason.or_else(|| broken.map(|problem| problem.to_string()))));
        told.push(self.shown());
        told
    }

    fn columns(&mut self) -> Vec<Tell> {
        if std::mem::replace(&mut self.columns_told, true) {
            return Vec::new();
        }
        vec![Tell::Columns(self.table.rows().columns().to_vec())]
    }

    fn shown(&self) -> Tell {
        Tell::Shown {
            epoch: self.epoch,
            all: self.table.rows().len(),
            shown: self.table.shown(),
            done: self.table.is_done(),
        }
    }

    /// Whether there is something to go on with.
    pub fn is_busy(&self) -> bool {
        self.table.is_busy() || self.saving.is_some()
    }

    /// Does one slice of what is to be done: what is shown first, then the file.
    pub fn work(&mut self) -> Done {
        if let Some((work, percent, turned)) = self.table.step() {
            self.epoch += u32::from(turned);
            return Done {
                told: vec![Tell::Working(work, percent), self.shown()],
                piece: None,
            };
        }
        let Some(from) = self.saving else { return Done::default() };
        let mut piece = Vec::with_capacity(WRITE + (64 << 10));
        self.saving = self.table.write(from, WRITE, &mut piece);
        let percent = self.saving.map_or(100, |next| {
            (u64::from(next) * 100 / u64::from(self.table.shown().max(1))) as u8
        });
        Done {
            told: vec![Tell::Working(Work::Saving, percent)],
            piece: Some(piece),
        }
    }

    /// Whether a file is being written.
    pub const fn is_saving(&self) -> bool {
        self.saving.is_some()
    }

    /// Answers a question; [`Ask::Open`] is the worker's own to carry out.
    pub fn answer(&mut self, ask: Ask) -> Vec<Tell> {
        match ask {
            Ask::Open { .. } => Vec::new(),
            Ask::View(view) => {
                self.table.show(view);
                // A file that is half written would be of two views.
                self.saving = None;
                self.epoch += 1;
                vec![self.shown()]
            }
            Ask::Rows { from, count } => vec![Tell::Rows {
                epoch: self.epoch,
                from,
                rows: self.table.lines(from, count.min(MAX_ROWS)),
            }],
            Ask::Cell { row, column, aim } => {
                let cell = self.table.cell(row, column);
                cell.map(|text| Tell::Cell { row, column, aim, text }).into_iter().collect()
            }
            Ask::Save => {
                self.saving = Some(0);
                vec![Tell::Working(Work::Saving, 0)]
            }
        }
    }
}

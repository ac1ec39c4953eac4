//! The worker's side of the talk, without a browser: bytes and questions in, answers out.

use super::message::{Ask, Opened, Tell, Work};
use super::packed::{Packed, Step};
use super::problem::Problem;
use super::table::Table;
use crate::model::export::Format;

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
    /// A file that is unpacked once it is here.
    packed: Option<Packed>,
    /// The next slice is the search's, not the unpacking's.
    looks_next: bool,
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
    pub fn new(opened: &Opened) -> Self {
        Self {
            table: Table::new(opened),
            packed: (opened.format == Format::Parquet).then(|| Packed::new(opened)),
            looks_next: false,
            total: opened.bytes,
            epoch: 0,
            told: 0,
            columns_told: false,
            saving: None,
        }
    }

    /// Room for bytes that have come, to be written over; then [`Session::take`].
    pub fn room(&mut self, more: usize) -> Result<&mut [u8], Problem> {
        match &mut self.packed {
            Some(packed) => packed.room(more),
            None => self.table.room(more),
        }
    }

    /// Looks at the bytes that were written into the room.
    pub fn take(&mut self) -> Result<Vec<Tell>, Problem> {
        if let Some(packed) = &self.packed {
            let done = packed.len();
            if done - self.told < TELL_EVERY {
                return Ok(Vec::new());
            }
            self.told = done;
            return Ok(vec![self.loading(done)]);
        }
        self.table.take()?;
        let done = self.table.bytes().len();
        let is_first = !self.columns_told && self.table.rows().len() > 0;
        if !is_first && done - self.told < TELL_EVERY {
            return Ok(Vec::new());
        }
        self.told = done;
        let mut told = self.columns();
        told.push(self.loading(done));
        told.push(self.shown());
        Ok(told)
    }

    const fn loading(&self, done: usize) -> Tell {
        Tell::Loading {
            done: done as u64,
            total: self.total,
        }
    }

    /// Bytes that have come.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Tell>, Problem> {
        self.room(bytes.len())?.copy_from_slice(bytes);
        self.take()
    }

    /// Nothing more comes; why, where that is no good end. Rows that are here stay.
    pub fn end(&mut self, reason: Option<String>) -> Vec<Tell> {
        let done = self.packed.as_ref().map_or(self.table.bytes().len(), Packed::len) as u64;
        let short = self
            .total
            .filter(|&expected| done < expected && reason.is_none())
            .map(|expected| Problem::Short { done, expected });
        if let Some(packed) = &mut self.packed {
            // Where it is not whole, nothing of it can be read.
            let broken = reason.or_else(|| short.map(|problem| problem.to_string()));
            let begun = broken.map_or_else(|| packed.begin(&mut self.table).map_err(|problem| problem.to_string()), Err);
            return match begun {
                Ok(()) => {
                    let mut told = vec![self.loading(done as usize)];
                    told.extend(self.columns());
                    told.push(Tell::Working(Work::Reading, 0));
                    told
                }
                Err(reason) => {
                    self.packed = None;
                    vec![Tell::Failed(reason)]
                }
            };
        }
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
        self.reads() || self.table.is_busy() || self.saving.is_some()
    }

    /// Whether rows are being unpacked.
    fn reads(&self) -> bool {
        self.packed.as_ref().is_some_and(Packed::reads)
    }

    /// Unpacks a slice of rows.
    fn read(&mut self) -> Vec<Tell> {
        let step = self
            .packed
            .as_mut()
            .map_or(Step::Over(None), |packed| packed.step(&mut self.table));
        match step {
            Step::On(percent) => vec![Tell::Working(Work::Reading, percent), self.shown()],
            Step::Over(problem) => {
                self.packed = None;
                let broken = self.table.end(problem.is_none()).err();
                vec![
                    Tell::Working(Work::Reading, 100),
                    Tell::Loaded(problem.or(broken).map(|problem| problem.to_string())),
                    self.shown(),
                ]
            }
        }
    }

    /// Does one slice of what is to be done: unpacking and what is shown in turns, then the file.
    pub fn work(&mut self) -> Done {
        let reads = self.reads();
        if reads && !(std::mem::take(&mut self.looks_next) && self.table.is_busy()) {
            self.looks_next = true;
            return Done {
                told: self.read(),
                piece: None,
            };
        }
        if let Some((work, percent, turned)) = self.table.step() {
            self.epoch += u32::from(turned);
            // One thing's progress at a time.
            let working = (!reads).then_some(Tell::Working(work, percent));
            return Done {
                told: working.into_iter().chain([self.shown()]).collect(),
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

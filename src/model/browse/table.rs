//! A file's rows as a view has them: searched, filtered, in order, each by its place.

use std::ops::ControlFlow;

use super::bytes::Plain;
use super::look::Look;
use super::message::{Cut, Line, Opened, Sort, View, Work};
use super::needle::lossy;
use super::problem::Problem;
use super::rows::Rows;
use super::sort::Sorting;
use super::write;
use crate::model::export::Format;

/// Letters of a cell that a row shows.
const SHOWN: usize = 300;
/// Bytes looked through in one slice of a search: some 10 ms.
const LOOK: usize = 32 << 20;

/// A file, and which of its rows are shown.
#[derive(Debug)]
pub(super) struct Table {
    plain: Plain,
    rows: Rows,
    ended: bool,
    view: View,
    look: Option<Look>,
    looked: bool,
    sorting: Option<Sorting>,
    /// All rows in the order of a column, kept as long as it is the order.
    order: Option<(Sort, Vec<u32>)>,
    /// The found ones of `order`; `None` until both are known.
    arranged: Option<Vec<u32>>,
}

impl Table {
    pub(super) fn new(opened: &Opened) -> Self {
        // A packed file's size says nothing of its rows'.
        let expected = opened.bytes.filter(|_| opened.format != Format::Parquet);
        Self {
            plain: Plain::new(expected),
            rows: Rows::new(opened),
            ended: false,
            view: View::default(),
            look: None,
            looked: true,
            sorting: None,
            order: None,
            arranged: None,
        }
    }

    /// The columns are these, and about so many bytes of rows will come; before any has.
    pub(super) fn expect(&mut self, columns: Vec<String>, bytes: u64) {
        self.plain = Plain::new(Some(bytes));
        self.rows.name(columns);
    }

    pub(super) const fn rows(&self) -> &Rows {
        &self.rows
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.plain.all()
    }

    /// Room for bytes that have come; [`Table::take`] then looks at them.
    pub(super) fn room(&mut self, more: usize) -> Result<&mut [u8], Problem> {
        self.plain.room(more)
    }

    pub(super) fn take(&mut self) -> Result<(), Problem> {
        self.looked = self.look.is_none();
        self.rows.take(self.plain.all())
    }

    /// Nothing more comes.
    pub(super) fn end(&mut self, whole: bool) -> Result<(), Problem> {
        self.ended = true;
        self.looked = self.look.is_none();
        if whole { self.rows.end(self.plain.all()) } else { Ok(()) }
    }

    /// Shows other rows.
    pub(super) fn show(&mut self, view: View) {
        let same_rows = view.text == self.view.text && view.filters == self.view.filters;
        if !same_rows {
            self.look = Look::new(&view, self.rows.format());
            self.looked = self.look.is_none();
        }
        self.arranged = None;
        self.sorting = None;
        if self.order.as_ref().map(|(sort, _)| *sort) != view.sort {
            self.order = None;
        }
        self.view = view;
    }

    /// What is to be done next, if anything. An order waits until all has come.
    fn work(&self) -> Option<Work> {
        if !self.looked {
            Some(Work::Looking)
        } else if self.view.sort.is_some() && self.ended && self.arranged.is_none() {
            Some(Work::Sorting)
        } else {
            None
        }
    }

    pub(super) fn is_busy(&self) -> bool {
        self.work().is_some()
    }

    /// Does a slice of what is to be done, and says what that was, how far it got, and whether the order of rows is another now.
    pub(super) fn step(&mut self) -> Option<(Work, u8, bool)> {
        let work = self.work()?;
        if work == Work::Looking {
            let Some(look) = &mut self.look else { return None };
            self.looked = look.step(&self.rows, self.plain.all(), LOOK);
            return Some((work, if self.looked { 100 } else { look.percent(&self.rows) }, false));
        }
        let sort = self.view.sort?;
        if self.order.is_none() {
            let sorting = self.sorting.get_or_insert_with(|| Sorting::new(sort));
            let Some(order) = sorting.step(&self.rows, self.plain.all()) else {
                return Some((work, sorting.percent(&self.rows), false));
            };
            self.order = Some((sort, order));
            self.sorting = None;
        }
        self.arrange();
        Some((work, 100, true))
    }

    fn arrange(&mut self) {
        let Some((_, order)) = &self.order else { return };
        self.arranged = Some(match &self.look {
            None => order.clone(),
            Some(look) => {
                let mut is_found = vec![0_u64; order.len() / 64 + 1];
                look.found()
                    .iter()
                    .for_each(|&row| is_found[row as usize / 64] |= 1 << (row % 64));
                let is_found = |row: u32| is_found[row as usize / 64] >> (row % 64) & 1 == 1;
                order.iter().copied().filter(|&row| is_found(row)).collect()
            }
        });
    }

    /// How many rows are shown.
    pub(super) fn shown(&self) -> u32 {
        match (&self.arranged, &self.look) {
            (Some(arranged), _) => arranged.len() as u32,
            (None, Some(look)) => look.found().len() as u32,
            (None, None) => self.rows.len(),
        }
    }

    /// Whether what is shown is all that is to be shown of what has come.
    pub(super) const fn is_done(&self) -> bool {
        self.looked
    }

    /// The number of the row at a place.
    pub(super) fn row_at(&self, place: u32) -> Option<u32> {
        match (&self.arranged, &self.look) {
            (Some(arranged), _) => arranged.get(place as usize).copied(),
            (None, Some(look)) => look.found().get(place as usize).copied(),
            (None, None) => (place < self.rows.len()).then_some(place),
        }
    }

    /// The rows from a place on.
    pub(super) fn lines(&self, from: u32, count: u32) -> Vec<Line> {
        (from..from.saturating_add(count))
            .map_while(|place| self.row_at(place))
            .map(|row| self.line(row))
            .collect()
    }

    fn line(&self, row: u32) -> Line {
        let empty = Cut {
            text: String::new(),
            cut: false,
        };
        let mut cells = vec![empty; self.rows.columns().len()];
        self.rows.each(self.rows.raw(self.plain.all(), row), |column, text| {
            cells[column] = cut(&text);
            ControlFlow::Continue(())
        });
        Line { row, cells }
    }

    /// One cell's whole text.
    pub(super) fn cell(&self, row: u32, column: u32) -> Option<String> {
        (row < self.rows.len()).then(|| lossy(&self.rows.cell(self.plain.all(), row, column as usize)).into_owned())
    }

    /// Writes rows from a place on as CSV, about so many bytes of them; the place to go on from, if there is more.
    pub(super) fn write(&self, from: u32, budget: usize, out: &mut Vec<u8>) -> Option<u32> {
        if from == 0 {
            write::heading(&self.rows, out);
        }
        let mut place = from;
        while out.len() < budget {
            write::row(&self.rows, self.plain.all(), self.row_at(place)?, out);
            place += 1;
        }
        (place < self.shown()).then_some(place)
    }
}

/// A cell's beginning.
fn cut(cell: &[u8]) -> Cut {
    // A letter takes four bytes at most.
    let text = lossy(&cell[..cell.len().min(SHOWN * 4)]);
    let end = text.char_indices().nth(SHOWN).map_or(text.len(), |(end, _)| end);
    Cut {
        text: text[..end].to_owned(),
        cut: end < text.len() || cell.len() > SHOWN * 4,
    }
}

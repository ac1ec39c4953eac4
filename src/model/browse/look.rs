//! The search: which rows satisfy every condition, in slices, so that a new one can take its place at any time.
//!
//! One condition leads: its text is looked for in the raw bytes, across rows, and only rows where it stands are read. Where a text can stand in the
//! bytes only if it stands in a cell, nothing needs to be read at all.

use std::ops::{ControlFlow, Range};

use super::message::{Op, View};
use super::needle::{Finder, Needle};
use super::rows::Rows;
use crate::model::export::Format;

/// What reading one row's cells costs, in bytes looked through.
const READING: usize = 1_500;
/// Reading a byte of a row costs so many times what looking through it does.
const READ_BYTE: usize = 8;
/// What noting a row costs.
const NOTING: usize = 200;

/// Something that a row must satisfy.
#[derive(Clone, Debug)]
struct Condition {
    /// Any, where there is none.
    column: Option<usize>,
    op: Op,
    needle: Needle,
    text: String,
}

impl Condition {
    fn is_of(&self, cell: &[u8]) -> bool {
        match self.op {
            Op::Contains => self.needle.is_in(cell),
            Op::Equals => cell == self.text.as_bytes(),
            Op::NotEquals => cell != self.text.as_bytes(),
        }
    }

    /// Whether a row without such a cell satisfies it.
    fn is_of_none(&self) -> bool {
        self.column.is_some() && self.is_of(b"")
    }
}

/// How rows are come by that may satisfy everything.
#[derive(Clone, Debug)]
enum Lead {
    /// Where this stands in the bytes; `sure` where nothing else is to be looked at.
    Bytes { finder: Finder, sure: bool },
    /// Those that are not ASCII alone.
    Letters,
    /// Every one.
    All,
}

/// A search, as far as it got.
#[derive(Debug)]
pub(super) struct Look {
    conditions: Vec<Condition>,
    lead: Lead,
    next: u32,
    found: Vec<u32>,
}

impl Look {
    /// `None` where every row is shown.
    pub(super) fn new(view: &View, format: Format) -> Option<Self> {
        let condition = |column, op, text: &str| Condition {
            column,
            op,
            needle: Needle::new(text),
            text: text.to_owned(),
        };
        let anywhere = (!view.text.is_empty()).then(|| condition(None, Op::Contains, &view.text));
        let filters = view
            .filters
            .iter()
            .filter(|filter| filter.op != Op::Contains || !filter.text.is_empty())
            .map(|filter| condition(Some(filter.column as usize), filter.op, &filter.text));
        let conditions: Vec<Condition> = anywhere.into_iter().chain(filters).collect();
        (!conditions.is_empty()).then(|| Self {
            lead: lead(&conditions, format),
            conditions,
            next: 0,
            found: Vec::new(),
        })
    }

    /// The rows found so far, in the file's order.
    pub(super) fn found(&self) -> &[u32] {
        &self.found
    }

    /// How far it got, in percent of the rows that there are.
    pub(super) fn percent(&self, rows: &Rows) -> u8 {
        (u64::from(self.next) * 100 / u64::from(rows.len().max(1))).min(100) as u8
    }

    /// Looks on for about as long as looking through `budget` bytes takes. Whether all rows that there are were looked at.
    pub(super) fn step(&mut self, rows: &Rows, bytes: &[u8], budget: usize) -> bool {
        let mut left = budget;
        while self.next < rows.len() && left > 0 {
            let until = self.slice(rows, left);
            let spent = match self.lead.clone() {
                Lead::Bytes { finder, sure } => self.through_bytes(&finder, sure, rows, bytes, until, left),
                lead => self.through_rows(matches!(lead, Lead::Letters), rows, bytes, until, left),
            };
            left = left.saturating_sub(spent.max(1));
        }
        self.next >= rows.len()
    }

    /// How far in the file the budget leads, in whole rows, one at least.
    fn slice(&self, rows: &Rows, budget: usize) -> u32 {
        let far = rows.start(self.next).saturating_add(budget);
        rows.row_of(far, self.next..rows.len()).max(self.next + 1)
    }

    fn through_bytes(&mut self, finder: &Finder, sure: bool, rows: &Rows, bytes: &[u8], until: u32, budget: usize) -> usize {
        let end = rows.start(until);
        let (mut spent, mut row, mut place) = (0, self.next, None);
        let odd = rows.odd();
        let mut odd = odd[odd.partition_point(|&odd| odd < row)..].iter().copied().peekable();
        while row < until {
            let from = rows.start(row);
            // Where the text stands next, kept while odd rows before it are looked at.
            if place.is_none_or(|place| place < from) {
                let found = finder.find(&bytes[..end], from).unwrap_or(end);
                spent += found - from;
                place = Some(found);
            }
            let next = place
                .filter(|&place| place < end)
                .map_or(until, |place| row_from(rows, place, row..until));
            while odd.peek().is_some_and(|&odd| odd < row) {
                odd.next();
            }
            let candidate = odd.peek().map_or(next, |&odd| odd.min(next));
            if candidate >= until {
                break;
            }
            if sure || self.holds(rows, bytes, candidate) {
                self.found.push(candidate);
            }
            spent += if sure { NOTING } else { cost(rows, candidate) };
            row = candidate + 1;
            if spent > budget {
                self.next = row;
                return spent;
            }
        }
        self.next = until;
        spent
    }

    fn through_rows(&mut self, letters: bool, rows: &Rows, bytes: &[u8], until: u32, budget: usize) -> usize {
        let mut spent = 0;
        let odd = rows.odd();
        while self.next < until && spent <= budget {
            let row = self.next;
            self.next += 1;
            let raw = rows.raw(bytes, row);
            if letters && raw.is_ascii() && odd.binary_search(&row).is_err() {
                spent += raw.len() + NOTING / 10;
                continue;
            }
            spent += cost(rows, row);
            if self.holds(rows, bytes, row) {
                self.found.push(row);
            }
        }
        spent
    }

    /// Whether a row satisfies everything.
    fn holds(&self, rows: &Rows, bytes: &[u8], row: u32) -> bool {
        let mut held: u64 = 0;
        let (mut broken, mut seen) = (false, 0_u64);
        rows.each(rows.raw(bytes, row), |column, cell| {
            for (place, condition) in self.conditions.iter().enumerate() {
                let bit = 1_u64 << place.min(63);
                match condition.column {
                    None if held & bit == 0 && condition.is_of(&cell) => held |= bit,
                    Some(wanted) if wanted == column => {
                        seen |= bit;
                        if condition.is_of(&cell) {
                            held |= bit;
                        } else {
                            broken = true;
                        }
                    }
                    _ => {}
                }
            }
            if broken {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        !broken
            && self.conditions.iter().enumerate().all(|(place, condition)| {
                let bit = 1_u64 << place.min(63);
                held & bit != 0 || (seen & bit == 0 && condition.is_of_none())
            })
    }
}

/// What reading a row costs.
fn cost(rows: &Rows, row: u32) -> usize {
    READING + (rows.start(row + 1) - rows.start(row)) * READ_BYTE
}

/// The row in which a byte stands. It is near as a rule: the way there doubles.
fn row_from(rows: &Rows, byte: usize, among: Range<u32>) -> u32 {
    let mut step = 1;
    while among.start + step < among.end && rows.start(among.start + step) <= byte {
        step *= 2;
    }
    rows.row_of(byte, among.start..(among.start + step).min(among.end))
}

/// The condition that leaves the fewest rows to be read, as far as one can tell beforehand: the longest text that bytes can be looked through for.
fn lead(conditions: &[Condition], format: Format) -> Lead {
    let texts = conditions
        .iter()
        .filter(|condition| condition.op != Op::NotEquals && !condition.text.is_empty());
    let ascii = texts.clone().filter(|condition| condition.needle.folded().is_ascii());
    if let Some(best) = ascii.max_by_key(|condition| condition.text.len()) {
        let text = best.needle.folded();
        if let Some(finder) = Finder::new(&written(text, format)) {
            let is_plain = !text.contains(['"', ',', '\n', '\r', '\'']);
            let sure = conditions.len() == 1 && best.column.is_none() && format == Format::Csv && is_plain;
            return Lead::Bytes { finder, sure };
        }
    }
    if texts.count() > 0 { Lead::Letters } else { Lead::All }
}

/// A text as it stands in a cell's bytes.
fn written(text: &str, format: Format) -> Vec<u8> {
    if format == Format::Csv {
        return text.replace('"', "\"\"").into_bytes();
    }
    let quoted = serde_json::to_string(text).unwrap_or_default();
    // A control character may be written in two ways; lines that use the longer one are read anyway.
    quoted
        .trim_start_matches('"')
        .strip_suffix('"')
        .unwrap_or_default()
        .as_bytes()
        .to_vec()
}

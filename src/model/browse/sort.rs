//! All rows in the order of one column, in slices: their keys are taken, runs of them sorted, and the runs merged.
//!
//! Where every cell is a number (or empty) they are ordered as numbers, else as texts, letter by letter (by code point). Empty cells come last either
//! way round, and rows that are equal keep the file's order.

use std::cmp::Ordering;
use std::ops::Range;

use super::message::Sort;
use super::rows::Rows;

/// Bytes of a text that are kept to compare by; where they are equal the cells themselves are read.
const KEPT: usize = 48;
/// Rows sorted at once.
const RUN: usize = 1 << 14;
/// Rows whose keys are taken, or that are merged, in one slice.
const SLICE: usize = 1 << 16;

/// A row and what it is ordered by first.
#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    key: u64,
    row: u32,
}

/// How far it got.
#[derive(Debug)]
enum Stage {
    /// Keys are taken; the next row.
    Keys(u32),
    /// Runs are sorted; the next entry.
    Runs(usize),
    /// Runs of this length are merged in pairs.
    Merge(Merge),
    Done,
}

/// Two runs on their way into one.
#[derive(Debug)]
struct Merge {
    width: usize,
    left: Range<usize>,
    right: Range<usize>,
    merged: Vec<Entry>,
}

/// A sort, as far as it got.
#[derive(Debug)]
pub(super) struct Sorting {
    sort: Sort,
    stage: Stage,
    /// Rows that have something in the column.
    entries: Vec<Entry>,
    blank: Vec<u32>,
    /// Of each entry's text the beginning, one after the other, and where each ends.
    texts: Vec<u8>,
    ends: Vec<u32>,
    /// Which place in `ends` a row has.
    places: Vec<u32>,
    numbers: Option<Vec<f64>>,
    /// So many bytes begin every text.
    common: usize,
}

impl Sorting {
    pub(super) fn new(sort: Sort) -> Self {
        Self {
            sort,
            stage: Stage::Keys(0),
            entries: Vec::new(),
            blank: Vec::new(),
            texts: Vec::new(),
            ends: vec![0],
            places: Vec::new(),
            numbers: Some(Vec::new()),
            common: usize::MAX,
        }
    }

    /// How far it got, in percent.
    pub(super) fn percent(&self, rows: &Rows) -> u8 {
        let all = rows.len().max(1) as usize;
        let part = |done: usize| (done.min(all) * 100 / all) as u8;
        match &self.stage {
            Stage::Keys(next) => part(*next as usize) / 2,
            Stage::Runs(next) => 50 + part(*next) / 5,
            Stage::Merge(merge) => {
                let rounds = (all / RUN).max(1).ilog2() + 1;
                let round = (merge.width / RUN).max(1).ilog2();
                (70 + (100 * round as usize + part(merge.merged.len()) as usize) * 30 / (100 * rounds as usize)).min(99) as u8
            }
            Stage::Done => 100,
        }
    }

    /// Goes on for a slice; the rows in order once it is done.
    pub(super) fn step(&mut self, rows: &Rows, bytes: &[u8]) -> Option<Vec<u32>> {
        match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Keys(next) => {
                let until = rows.len().min(next + SLICE as u32);
                (next..until).for_each(|row| self.take(rows, bytes, row));
                if until < rows.len() {
                    self.stage = Stage::Keys(until);
                } else {
                    self.seal();
                    self.stage = Stage::Runs(0);
                }
            }
            Stage::Runs(next) => {
                let until = self.entries.len().min(next + RUN);
                let mut run = self.entries[next..until].to_vec();
                run.sort_by(|one, other| self.compare(rows, bytes, *one, *other));
                self.entries[next..until].copy_from_slice(&run);
                self.stage = if until < self.entries.len() {
                    Stage::Runs(until)
                } else {
                    Stage::Merge(Merge::new(RUN, self.entries.len()))
                };
            }
            Stage::Merge(merge) if merge.width >= self.entries.len() => {
                let mut order: Vec<u32> = self.entries.iter().map(|entry| entry.row).collect();
                order.append(&mut self.blank);
                return Some(order);
            }
            Stage::Merge(mut merge) => {
                self.merge(rows, bytes, &mut merge);
                self.stage = Stage::Merge(merge);
            }
            Stage::Done => {}
        }
        None
    }

    fn take(&mut self, rows: &Rows, bytes: &[u8], row: u32) {
        let cell = rows.cell(bytes, row, self.sort.column as usize);
        self.places.push(self.entries.len() as u32);
        if cell.is_empty() {
            self.blank.push(row);
            return;
        }
        let kept = &cell[..cell.len().min(KEPT)];
        if let Some(numbers) = &mut self.numbers {
            match number(&cell) {
                Some(number) => numbers.push(number),
                None => self.numbers = None,
            }
        }
        if self.common == usize::MAX {
            self.common = kept.len();
        }
        let first = &self.texts[..self.ends.get(1).map_or(0, |&end| end as usize)];
        if !first.is_empty() {
            let both = first.iter().zip(kept).take(self.common);
            self.common = both.take_while(|(one, other)| one == other).count();
        }
        self.texts.extend_from_slice(kept);
        self.ends.push(self.texts.len() as u32);
        self.entries.push(Entry { key: 0, row });
    }

    /// All keys are known: what comes first in a comparison is put beside each row.
    fn seal(&mut self) {
        let descending = self.sort.descending;
        for place in 0..self.entries.len() {
            let key = if let Some(numbers) = &self.numbers {
                ordered(numbers[place])
            } else {
                let text = &self.texts[self.ends[place] as usize..self.ends[place + 1] as usize];
                let rest = text.get(self.common..).unwrap_or_default();
                let mut first = [0; 8];
                let count = rest.len().min(8);
                first[..count].copy_from_slice(&rest[..count]);
                u64::from_be_bytes(first)
            };
            self.entries[place].key = if descending { !key } else { key };
        }
        if self.numbers.is_some() {
            self.texts = Vec::new();
        }
    }

    fn compare(&self, rows: &Rows, bytes: &[u8], one: Entry, other: Entry) -> Ordering {
        let by_key = one.key.cmp(&other.key);
        if by_key.is_ne() || self.numbers.is_some() {
            return by_key;
        }
        let text = |entry: Entry| {
            let place = self.places[entry.row as usize] as usize;
            &self.texts[self.ends[place] as usize..self.ends[place + 1] as usize]
        };
        let (short, long) = (text(one), text(other));
        let mut by_text = short.cmp(long);
        if by_text.is_eq() && short.len() == KEPT {
            let cell = |entry: Entry| rows.cell(bytes, entry.row, self.sort.column as usize);
            by_text = cell(one).cmp(&cell(other));
        }
        if self.sort.descending { by_text.reverse() } else { by_text }
    }

    fn merge(&mut self, rows: &Rows, bytes: &[u8], merge: &mut Merge) {
        let mut left = SLICE;
        while left > 0 {
            left -= 1;
            let take_left = match (merge.left.is_empty(), merge.right.is_empty()) {
                (true, true) => {
                    if !merge.next_pair(self.entries.len()) {
                        std::mem::swap(&mut self.entries, &mut merge.merged);
                        *merge = Merge::new(merge.width * 2, self.entries.len());
                        return;
                    }
                    continue;
                }
                (is_empty, false) if is_empty => false,
                (_, true) => true,
                _ => {
                    let (one, other) = (self.entries[merge.left.start], self.entries[merge.right.start]);
                    self.compare(rows, bytes, one, other).is_le()
                }
            };
            let from = if take_left { &mut merge.left } else { &mut merge.right };
            merge.merged.push(self.entries[from.start]);
            from.start += 1;
        }
    }
}

impl Merge {
    fn new(width: usize, count: usize) -> Self {
        Self {
            width,
            left: 0..width.min(count),
            right: width.min(count)..(width * 2).min(count),
            merged: Vec::with_capacity(count),
        }
    }

    /// Goes on to the next two runs; false where there are none.
    fn next_pair(&mut self, count: usize) -> bool {
        let start = self.right.end;
        self.left = start..(start + self.width).min(count);
        self.right = self.left.end..(self.left.end + self.width).min(count);
        start < count
    }
}

/// A number as people and programs write it; `None` for anything else, and for more digits than are compared exactly.
fn number(cell: &[u8]) -> Option<f64> {
    let starts_well = matches!(cell, [b'0'..=b'9', ..] | [b'-', b'0'..=b'9', ..]);
    if !starts_well || cell.iter().filter(|byte| byte.is_ascii_digit()).count() > 15 {
        return None;
    }
    std::str::from_utf8(cell)
        .ok()?
        .parse::<f64>()
        .ok()
        .filter(|number| number.is_finite())
}

/// A number as bits that are ordered as the numbers are.
fn ordered(number: f64) -> u64 {
    // Both zeros are one.
    let bits = (number + 0.0).to_bits();
    if bits >> 63 == 0 { bits | 1 << 63 } else { !bits }
}

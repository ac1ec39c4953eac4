//! Which logs there are: by the number of a batch alone, so that any of them can be made again without those before it.

use std::ops::Range;

use crate::data::{Row, Rows, STEP_MS};
use crate::{BATCH, DAY_MS, rfc3339};

const SEED: u64 = 20_261_129;
/// Batches of a day.
const DAY_BATCHES: usize = (DAY_MS / STEP_MS) as usize / BATCH;

/// Whole days of 100,000 logs each.
pub struct Days {
    /// Midnight before the first.
    from: i64,
    count: usize,
}

/// A range of time, from included, to not, in milliseconds.
#[derive(Clone, Copy)]
pub struct Span {
    pub from: i64,
    pub to: i64,
}

impl Span {
    /// As an address has it.
    pub fn arguments(self) -> String {
        format!("from={}&to={}", rfc3339(self.from), rfc3339(self.to))
    }
}

impl Days {
    /// So many, from a midnight on.
    pub fn new(from: i64, count: usize) -> Self {
        Self { from, count }
    }

    pub fn logs(&self) -> usize {
        self.count * DAY_BATCHES * BATCH
    }

    /// `10,000,000`.
    pub fn words(&self) -> String {
        grouped(self.logs() as u64)
    }

    pub fn batches(&self) -> Range<usize> {
        0..self.count * DAY_BATCHES
    }

    /// Those of the last day.
    pub fn last_batches(&self) -> Range<usize> {
        (self.count - 1) * DAY_BATCHES..self.count * DAY_BATCHES
    }

    pub fn whole(&self) -> Span {
        Span {
            from: self.from,
            to: self.from + self.count as i64 * DAY_MS,
        }
    }

    pub fn last(&self) -> Span {
        let to = self.whole().to;
        Span { from: to - DAY_MS, to }
    }

    /// A batch's logs, each with its id. They stand in the middle of their steps, so that a day has all of its own.
    pub fn batch(&self, number: usize) -> impl Iterator<Item = (String, Row)> + use<> {
        let first = number * BATCH;
        let begin = self.from + first as i64 * STEP_MS - STEP_MS / 2;
        let rows = Rows::new(SEED + number as u64, begin, STEP_MS).take(BATCH);
        // As long as an id of the product's own.
        rows.enumerate()
            .map(move |(nth, row)| (format!("evt-{:026}", first + nth), row))
    }

    /// A batch as `POST /v1/logs` takes it.
    pub fn body(&self, number: usize) -> String {
        self.batch(number).map(|(id, row)| row.to_line(Some(&id))).collect()
    }

    /// Every log.
    pub fn rows(&self) -> impl Iterator<Item = Row> + use<'_> {
        self.batches().flat_map(|number| self.batch(number)).map(|(_, row)| row)
    }
}

/// `10,000,000`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_all_of_its_logs_and_no_others() {
        let days = Days::new(10 * DAY_MS, 3);
        assert_eq!(days.logs(), 300_000);
        assert_eq!(days.words(), "300,000");
        let last = days.last();
        let of = |batch: usize| days.batch(batch).map(|(_, row)| row.created_at).collect::<Vec<_>>();
        let (before, first) = (of(199), of(200));
        assert!(before.iter().all(|at| *at < last.from));
        assert_eq!(first.len(), BATCH);
        assert_eq!(first[0], last.from + STEP_MS / 2);
        assert_eq!(of(299)[BATCH - 1], last.to - STEP_MS / 2);
        assert_eq!(days.last_batches(), 200..300);
    }

    #[test]
    fn a_batch_is_the_same_each_time() {
        let days = Days::new(0, 2);
        assert_eq!(days.body(7), days.body(7));
        assert_ne!(days.body(7), days.body(8));
    }
}

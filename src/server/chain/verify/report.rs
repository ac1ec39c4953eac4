//! What a verifier found wrong, in the order in which it is told: the chain itself, then logs by their times, then other facts.

use std::fmt;

/// How many findings are kept word for word; more are counted.
const KEPT: usize = 1_000;

/// Something that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which record.
    pub record: Record,
    /// What is wrong with it.
    pub what: String,
}

/// A record, as people look for it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Record {
    /// An entry of the chain.
    Entry(i64),
    /// A head that was saved outside.
    Anchor(i64),
    /// A log: its time and its id.
    Log(i64, String),
    /// A log that is not there any more: its place, of so many that this entry speaks of.
    LogOf {
        /// The entry.
        entry: i64,
        /// Which of its logs, from 1 on.
        place: i64,
        /// How many it has.
        of: u32,
    },
    /// A block of what logs say.
    Block(i64),
    /// A row of the database that cannot be read: its table and its key.
    Row(String),
    /// Something else, in words, as `task aa_1`.
    Fact(String),
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry(number) => write!(f, "entry {number} of the chain"),
            Self::Anchor(number) => write!(f, "the saved head at entry {number}"),
            Self::Log(time, id) => write!(f, "log {id} of {}", crate::model::zone::rfc3339(*time)),
            Self::LogOf { entry, place, of } => write!(f, "log {place} of {of} in entry {entry} of the chain"),
            Self::Block(id) => write!(f, "block {id} of what logs say"),
            Self::Row(row) => write!(f, "row {row}"),
            Self::Fact(words) => f.write_str(words),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.record, self.what)
    }
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    findings: Vec<Finding>,
    /// How many there are in all.
    pub count: u64,
}

impl Report {
    /// Something is wrong with a record.
    pub(super) fn add(&mut self, record: Record, what: impl Into<String>) {
        self.count += 1;
        if self.findings.len() < KEPT {
            self.findings.push(Finding {
                record,
                what: what.into(),
            });
        }
    }

    /// Something is wrong with the chain itself.
    pub(super) fn chain(&mut self, number: i64, what: impl Into<String>) {
        self.add(Record::Entry(number), what);
    }

    /// The findings, the first one first.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Whether all is as it was written.
    pub const fn is_clean(&self) -> bool {
        self.count == 0
    }
}

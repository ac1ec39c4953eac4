//! What a transaction has to tell of on the chains, gathered until it commits.

use std::collections::{BTreeMap, BTreeSet};

use super::canon::Digest;
use super::fact::{Fact, FactKind};
use crate::server::store::projects::ProjectKey;

/// Leaves of logs whose numbers follow one another.
#[derive(Clone, Debug)]
pub(in crate::server::store) struct Leaves {
    /// The first one's number.
    pub(in crate::server::store) first: i64,
    /// The leaves.
    pub(in crate::server::store) leaves: Vec<Digest>,
    /// When the first and the last of the logs was made.
    pub(in crate::server::store) times: Times,
}

/// The first and the last of some times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server::store) struct Times {
    pub(in crate::server::store) first: i64,
    pub(in crate::server::store) last: i64,
}

impl Times {
    /// One alone.
    pub(in crate::server::store) const fn of(time: i64) -> Self {
        Self { first: time, last: time }
    }

    /// With another one.
    pub(in crate::server::store) fn with(self, time: i64) -> Self {
        Self {
            first: self.first.min(time),
            last: self.last.max(time),
        }
    }
}

/// Of each project, in the order of their numbers.
#[derive(Debug, Default)]
pub(in crate::server::store) struct Notes(pub(super) BTreeMap<ProjectKey, Noted>);

/// Of one project.
#[derive(Debug, Default)]
pub(in crate::server::store) struct Noted {
    pub(super) at: i64,
    pub(super) logs: Vec<Leaves>,
    /// Ranges, first and last of each, in any order.
    pub(super) deleted: Vec<(i64, i64)>,
    pub(super) silenced: Vec<(i64, Digest)>,
    pub(super) facts: Vec<Fact>,
    /// Facts whose rows are read when the transaction commits.
    pub(super) rows: BTreeSet<(FactKind, String)>,
    pub(super) is_project_deleted: bool,
    pub(super) is_begun: bool,
}

impl Notes {
    pub(in crate::server::store) fn of(&mut self, project: ProjectKey, at: i64) -> &mut Noted {
        let noted = self.0.entry(project).or_default();
        noted.at = at.max(noted.at);
        noted
    }
}

impl Noted {
    /// Logs that were written.
    pub(in crate::server::store) fn logs(&mut self, leaves: Leaves) {
        self.logs.push(leaves);
    }

    /// Logs that are gone, by their numbers.
    pub(in crate::server::store) fn deleted(&mut self, numbers: impl IntoIterator<Item = i64>) {
        for number in numbers {
            match self.deleted.last_mut() {
                // A month's are many, and mostly follow one another.
                Some((_, last)) if *last + 1 == number => *last = number,
                _ => self.deleted.push((number, number)),
            }
        }
    }

    /// Logs that are gone, as another has them.
    pub(in crate::server::store) fn deleted_too(&mut self, other: Self) {
        self.deleted.extend(other.deleted);
    }

    /// Logs that lost what they said: the number of each, and the digest of that; zeros where it could not be read any more.
    pub(in crate::server::store) fn silenced(&mut self, logs: impl IntoIterator<Item = (i64, Digest)>) {
        self.silenced.extend(logs);
    }

    /// Facts that were stored, changed or deleted.
    pub(in crate::server::store) fn facts(&mut self, facts: impl IntoIterator<Item = Fact>) {
        self.facts.extend(facts);
    }

    /// A fact that was stored, changed or deleted: what its row says at the end of the transaction counts.
    pub(in crate::server::store) fn row(&mut self, kind: FactKind, key: impl Into<String>) {
        self.rows.insert((kind, key.into()));
    }

    /// That the chain begins, where it has not.
    pub(in crate::server::store) const fn begun(&mut self) {
        self.is_begun = true;
    }

    /// That the project was deleted.
    pub(in crate::server::store) const fn project_deleted(&mut self) {
        self.is_project_deleted = true;
    }
}

//! The chain itself, read from its beginning: whether each entry follows the one before, and what all of them say together.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::report::Report;
use crate::server::chain::key::ChainKey;
use crate::server::chain::walk::{Astray, Walk};
use crate::server::store::chain::canon::{self, Digest};
use crate::server::store::chain::entry::{Before, Body};
use crate::server::store::chain::fact::FactKind;
use crate::server::store::chain::read::{self, Chained, Checkpoint, StoredEntry, StoredHead};
use crate::server::store::chain::seqs::Seqs;
use crate::server::store::{Db, StoreError};

/// Entries that are read at a time.
const PAGE: i64 = 1_000;

/// Logs that were written with one transaction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Batch {
    pub(super) first: i64,
    pub(super) count: u32,
    /// Where its leaves begin among all; none where they are gone, since all of its logs are.
    leaves: Option<usize>,
    /// The entry.
    pub(super) number: i64,
    pub(super) at: i64,
}

impl Batch {
    const fn end(&self) -> i64 {
        self.first + self.count as i64
    }
}

/// What the entries say together.
#[derive(Debug)]
pub(super) struct History {
    /// Where the reading is.
    pub(super) walk: Walk,
    pub(super) entries: u64,
    pub(super) before: Before,
    /// In the order of their first numbers once they are all read.
    pub(super) batches: Vec<Batch>,
    leaves: Vec<Digest>,
    gone: Vec<(i64, i64)>,
    pub(super) deleted: Seqs,
    pub(super) silenced: Arc<HashMap<i64, Digest>>,
    pub(super) facts: HashMap<(FactKind, String), Option<Digest>>,
    /// What facts were told to be since the chain was read to its end first.
    pub(super) since: HashSet<Digest>,
    is_read_on: bool,
    /// An entry of logs that another one tells of, too.
    overlap: Option<i64>,
    pub(super) is_project_deleted: bool,
    /// The digests of entries that somebody asks for, by their numbers.
    pub(super) asked: BTreeMap<i64, Option<Digest>>,
}

impl History {
    /// Nothing yet; the digests of these entries will be asked for.
    pub(super) fn new(project: &Chained, asked: impl IntoIterator<Item = i64>, checkpoints: Vec<Checkpoint>) -> Self {
        Self {
            walk: Walk::new(&project.id, checkpoints),
            entries: 0,
            before: Before::default(),
            batches: Vec::new(),
            leaves: Vec::new(),
            gone: Vec::new(),
            deleted: Seqs::default(),
            silenced: Arc::default(),
            facts: HashMap::new(),
            since: HashSet::new(),
            is_read_on: false,
            overlap: None,
            is_project_deleted: false,
            asked: asked.into_iter().map(|number| (number, None)).collect(),
        }
    }

    /// Reads what follows up to the chain's end; false where it cannot be followed any further.
    pub(super) async fn read_on(
        &mut self,
        db: &Db,
        project: &Chained,
        key: &ChainKey,
        report: &mut Report,
    ) -> Result<bool, StoreError> {
        let Some(head) = read::head(db, project.key).await? else {
            report.chain(self.walk.end.0, "the chain has no head: it was removed");
            return Ok(false);
        };
        while self.walk.end.0 < head.number {
            let page = read::entries(db, project.key, self.walk.end.0, PAGE).await?;
            let mut page = page.into_iter().take_while(|stored| stored.number <= head.number).peekable();
            let went = if page.peek().is_none() {
                self.pass(key, head.number + 1)
            } else {
                page.try_for_each(|stored| self.take(key, stored, report))
            };
            if let Err(Astray { number, what }) = went {
                report.chain(number, what);
                return Ok(false);
            }
        }
        self.settle();
        Ok(self.is_end(&head, report))
    }

    /// Takes an entry, and the checkpoints before it.
    fn take(&mut self, key: &ChainKey, stored: StoredEntry, report: &mut Report) -> Result<(), Astray> {
        self.pass(key, stored.number)?;
        self.walk.take(&stored)?;
        self.entries += 1;
        self.note_digest();
        match Body::read(stored.kind, &stored.body) {
            Some(body) => self.add(body, stored, report),
            None => report.chain(stored.number, "what the entry says cannot be read"),
        }
        Ok(())
    }

    /// Passes over entries that retention took, up to the one before this.
    fn pass(&mut self, key: &ChainKey, next: i64) -> Result<(), Astray> {
        while let Some(checkpoint) = self.walk.pass(key, next)? {
            self.entries += checkpoint.entries.unsigned_abs();
            self.note_digest();
        }
        Ok(())
    }

    fn note_digest(&mut self) {
        let (number, is) = self.walk.end;
        if let Some(digest) = self.asked.get_mut(&number) {
            *digest = Some(is);
        }
    }

    fn add(&mut self, body: Body, stored: StoredEntry, report: &mut Report) {
        let said = match &body {
            Body::Logs { first, count, .. } => (Some(*first), Some(i64::from(*count))),
            _ => (None, None),
        };
        if said != (stored.first_seq, stored.logs.map(i64::from)) {
            report.chain(stored.number, "what stands beside the entry is not what it says");
        }
        match body {
            Body::Began(before) if stored.number == 1 => self.before = before,
            Body::Began(_) => report.chain(stored.number, "a chain begins once: the entry was added"),
            Body::Logs { first, count, root } => self.add_batch((first, count, root), &stored, report),
            Body::Deleted(seqs) => self.gone.extend_from_slice(seqs.ranges()),
            Body::Silenced(seqs, texts) => {
                if let Some(silenced) = Arc::get_mut(&mut self.silenced) {
                    silenced.extend(seqs.iter().zip(texts));
                } else {
                    let mut silenced = HashMap::clone(&self.silenced);
                    silenced.extend(seqs.iter().zip(texts));
                    self.silenced = Arc::new(silenced);
                }
            }
            Body::Facts(facts) => {
                for fact in facts {
                    self.since.extend(fact.digest.filter(|_| self.is_read_on));
                    self.facts.insert((fact.kind, fact.key), fact.digest);
                }
            }
            Body::ProjectDeleted => self.is_project_deleted = true,
        }
    }

    fn add_batch(&mut self, (first, count, root): (i64, u32, Digest), stored: &StoredEntry, report: &mut Report) {
        let begins = self.leaves.len();
        let leaves = if count == 1 {
            self.leaves.push(root);
            Some(begins)
        } else if let Some(bytes) = &stored.leaves {
            let (leaves, rest) = bytes.as_chunks::<32>();
            if leaves.len() != count as usize || !rest.is_empty() || canon::root(leaves) != root {
                report.chain(
                    stored.number,
                    "the digests of the entry's logs are not those that it was made of",
                );
            }
            self.leaves.extend_from_slice(leaves);
            Some(begins).filter(|_| leaves.len() == count as usize)
        } else {
            None
        };
        self.batches.push(Batch {
            first,
            count,
            leaves,
            number: stored.number,
            at: stored.at,
        });
    }

    fn settle(&mut self) {
        self.is_read_on = true;
        self.batches.sort_unstable_by_key(|batch| batch.first);
        let overlap = self.batches.windows(2).find(|pair| pair[0].end() > pair[1].first);
        self.overlap = overlap.map(|pair| pair[0].number.max(pair[1].number));
        self.deleted = Seqs::of_ranges(self.gone.clone());
    }

    fn is_end(&self, head: &StoredHead, report: &mut Report) -> bool {
        if let Some(number) = self.overlap {
            report.chain(number, "another entry tells of the same logs: one of the two was added");
        }
        if head.number != self.walk.end.0 || head.digest != self.walk.end.1 {
            report.chain(
                self.walk.end.0,
                "the chain does not end where its head says: its tail was cut off, or the head was changed",
            );
            return false;
        }
        true
    }

    /// The lowest number that an entry tells of.
    pub(super) fn first_seq(&self) -> i64 {
        self.batches.first().map_or(i64::MAX, |batch| batch.first)
    }

    /// The entry that a log of this number is in: which of the batches it is.
    pub(super) fn batch_of(&self, seq: i64) -> Option<&Batch> {
        let after = self.batches.partition_point(|batch| batch.first <= seq);
        let batch = self.batches.get(after.checked_sub(1)?)?;
        (seq < batch.end()).then_some(batch)
    }

    /// The leaf of a log of a batch; none where its leaves are gone.
    pub(super) fn leaf(&self, batch: &Batch, seq: i64) -> Option<Digest> {
        let place = usize::try_from(seq - batch.first).ok()?;
        self.leaves.get(batch.leaves? + place).copied()
    }

    /// Where a log's leaf is among all.
    pub(super) fn place(&self, batch: &Batch, seq: i64) -> Option<usize> {
        Some(batch.leaves? + usize::try_from(seq - batch.first).ok()?)
    }

    /// How many leaves there are.
    pub(super) fn leaves(&self) -> usize {
        self.leaves.len()
    }
}

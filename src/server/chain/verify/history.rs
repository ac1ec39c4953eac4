//! The chain itself, read from its beginning: whether each entry follows the one before, and what all of them say together.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::report::Report;
use crate::server::chain::head;
use crate::server::chain::key::ChainKey;
use crate::server::store::chain::canon::{self, Digest};
use crate::server::store::chain::entry::{self, Before, Body};
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

    /// Its first and its last number.
    pub(super) const fn range(&self) -> (i64, i64) {
        (self.first, self.end() - 1)
    }
}

/// What the entries say together.
#[derive(Debug, Default)]
pub(super) struct History {
    /// The last entry that was read, and its digest.
    pub(super) end: (i64, Digest),
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
    pub(super) is_project_deleted: bool,
    /// The digests of entries that somebody asks for, by their numbers.
    pub(super) asked: BTreeMap<i64, Option<Digest>>,
    checkpoints: Vec<Checkpoint>,
}

impl History {
    /// Nothing yet; the digests of these entries will be asked for.
    pub(super) fn new(project: &Chained, asked: impl IntoIterator<Item = i64>, checkpoints: Vec<Checkpoint>) -> Self {
        Self {
            end: (0, entry::origin(&project.id)),
            asked: asked.into_iter().map(|number| (number, None)).collect(),
            checkpoints,
            ..Self::default()
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
            report.chain(self.end.0, "the chain has no head: it was removed");
            return Ok(false);
        };
        while self.end.0 < head.number {
            let page = read::entries(db, project.key, self.end.0, PAGE).await?;
            let count = page.len();
            for stored in page {
                if stored.number > head.number {
                    break;
                }
                if !self.pass_gap(project, key, stored.number, report) || !self.take(stored, report) {
                    return Ok(false);
                }
            }
            if count == 0 && !self.pass_gap(project, key, head.number + 1, report) {
                return Ok(false);
            }
        }
        self.settle();
        Ok(self.is_end(&head, report))
    }

    /// Passes over entries that retention took, where a checkpoint stands for them.
    fn pass_gap(&mut self, project: &Chained, key: &ChainKey, next: i64, report: &mut Report) -> bool {
        while self.end.0 + 1 < next {
            let first = self.end.0 + 1;
            let found = self.checkpoints.iter().find(|checkpoint| checkpoint.first_number == first);
            let Some(checkpoint) = found else {
                report.chain(
                    first,
                    "the entry is not there, and no checkpoint stands in its place: it was removed",
                );
                return false;
            };
            let follows = checkpoint.before == self.end.1 && checkpoint.last_number >= first;
            let digest = read::digest_of(&checkpoint.digest).filter(|_| follows);
            let Some(digest) = digest.filter(|_| head::is_good_checkpoint(key, &project.id, checkpoint)) else {
                report.chain(
                    first,
                    "the checkpoint that stands in the entry's place is not one that was signed here",
                );
                return false;
            };
            self.entries += checkpoint.entries.unsigned_abs();
            self.end = (checkpoint.last_number, digest);
            self.note_digest();
        }
        true
    }

    /// Takes an entry; false where it does not follow.
    fn take(&mut self, stored: StoredEntry, report: &mut Report) -> bool {
        let (before, digest) = (self.end.1, read::digest_of(&stored.digest));
        let is = entry::digest(&before, stored.number, stored.at, stored.kind, &stored.body);
        if digest != Some(is) {
            report.chain(
                stored.number,
                "the entry is not what its digest says, or does not follow the one before: it was changed, swapped or added",
            );
            return false;
        }
        self.end = (stored.number, is);
        self.entries += 1;
        self.note_digest();
        let Some(body) = Body::read(stored.kind, &stored.body) else {
            report.chain(stored.number, "what the entry says cannot be read");
            return true;
        };
        self.add(body, stored, report);
        true
    }

    fn note_digest(&mut self) {
        if let Some(digest) = self.asked.get_mut(&self.end.0) {
            *digest = Some(self.end.1);
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
            Body::Began(before) => self.before = before,
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
        self.deleted = Seqs::of_ranges(self.gone.clone());
    }

    fn is_end(&self, head: &StoredHead, report: &mut Report) -> bool {
        if head.number != self.end.0 || head.digest != self.end.1 {
            report.chain(
                self.end.0,
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

//! Walking along a chain from its beginning: whether each entry follows the one before, and whether a checkpoint stands where entries are gone.

use std::collections::BTreeMap;

use super::head;
use super::key::ChainKey;
use crate::server::store::chain::canon::Digest;
use crate::server::store::chain::entry;
use crate::server::store::chain::read::{self, Checkpoint, StoredEntry};

/// Why a chain cannot be followed any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("entry {number}: {what}")]
pub struct Astray {
    /// At which entry.
    pub number: i64,
    /// Why, in words.
    pub what: &'static str,
}

/// Where one is.
#[derive(Debug)]
pub struct Walk {
    project_id: String,
    /// The last entry, and its digest.
    pub end: (i64, Digest),
    checkpoints: BTreeMap<i64, Checkpoint>,
}

impl Walk {
    /// At the beginning of a project's chain.
    pub fn new(project_id: &str, checkpoints: Vec<Checkpoint>) -> Self {
        let checkpoints = checkpoints
            .into_iter()
            .map(|checkpoint| (checkpoint.first_number, checkpoint));
        Self {
            project_id: project_id.to_owned(),
            end: (0, entry::origin(project_id)),
            checkpoints: checkpoints.collect(),
        }
    }

    /// Goes over the checkpoint that follows, where the entry that follows is not the next one; none where it is.
    pub fn pass(&mut self, key: &ChainKey, next: i64) -> Result<Option<Checkpoint>, Astray> {
        let first = self.end.0 + 1;
        if first >= next {
            return Ok(None);
        }
        let astray = |what| Astray { number: first, what };
        let Some(checkpoint) = self.checkpoints.remove(&first) else {
            return Err(astray(
                "the entry is not there, and no checkpoint stands in its place: it was removed",
            ));
        };
        let follows = checkpoint.before == self.end.1 && (first..next).contains(&checkpoint.last_number);
        let digest = read::digest_of(&checkpoint.digest).filter(|_| follows);
        let digest = digest
            .filter(|_| head::is_good_checkpoint(key, &self.project_id, &checkpoint))
            .ok_or_else(|| astray("the checkpoint that stands in the entry's place is not one that was signed here"))?;
        self.end = (checkpoint.last_number, digest);
        Ok(Some(checkpoint))
    }

    /// Takes the entry that follows.
    pub fn take(&mut self, stored: &StoredEntry) -> Result<(), Astray> {
        let is = entry::digest(&self.end.1, stored.number, stored.at, stored.kind, &stored.body);
        if stored.number != self.end.0 + 1 || read::digest_of(&stored.digest) != Some(is) {
            return Err(Astray {
                number: stored.number,
                what: "the entry is not what its digest says, or does not follow the one before: it was changed, swapped or added",
            });
        }
        self.end = (stored.number, is);
        Ok(())
    }
}

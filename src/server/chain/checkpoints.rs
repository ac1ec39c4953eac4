//! Putting signed checkpoints in the place of entries that nothing hangs on any more: at the end of a purge.
//!
//! What is signed has been followed from the chain's beginning: nobody has this service vouch for entries that do not follow one another. Entries go in the order
//! of the logs that they tell of: as long as the oldest log that is left is in some entry, all that tell of it, or of later ones, stay. An entry whose head was signed
//! is the last one before a checkpoint's end, so that its digest stays.

use super::head;
use super::walk::{Astray, Walk};
use crate::server::state::Server;
use crate::server::store::StoreError;
use crate::server::store::chain::checkpoint;
use crate::server::store::chain::entry::Body;
use crate::server::store::chain::read::{self, Checkpoint, StoredEntry};
use crate::server::store::chain::seqs::Seqs;
use crate::server::store::projects::ProjectKey;

/// Entries that are read at a time.
const PAGE: i64 = 500;
/// Checkpoints that are put in place with one transaction.
const TOGETHER: usize = 100;

/// Why no checkpoint was made.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The chain does not hold: nothing of it is vouched for.
    #[error("the chain of project {project_id} does not hold at {astray}; `audit-log verify` says more")]
    Astray {
        /// Whose.
        project_id: String,
        /// Where, and why.
        astray: Astray,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Entries in a row that may go, and checkpoints among them.
#[derive(Debug)]
struct Run {
    checkpoint: Checkpoint,
    /// Whether there is any entry in it: checkpoints alone stay as they are.
    has_entries: bool,
}

/// What a round knows.
struct Round<'a> {
    server: &'a Server,
    project: ProjectKey,
    project_id: &'a str,
    now_ms: i64,
    deleted: Seqs,
    /// Logs from this number on may be there.
    living: i64,
    run: Option<Run>,
    ready: Vec<Checkpoint>,
    gone: u64,
    /// Entries that stay, and whose leaves nobody asks for any more.
    bare: Vec<i64>,
}

/// Puts checkpoints in the place of a project's entries that nothing hangs on any more; how many entries those were.
pub async fn run(server: &Server, project: ProjectKey, project_id: &str) -> Result<u64, CheckpointError> {
    let deleted = Seqs::of_ranges(deleted_ranges(server, project).await?);
    let living = checkpoint::first_living(&server.db, project, &deleted).await?;
    let mut round = Round {
        server,
        project,
        project_id,
        now_ms: server.clock.now_ms(),
        deleted,
        living: living.unwrap_or(i64::MAX),
        run: None,
        ready: Vec::new(),
        gone: 0,
        bare: Vec::new(),
    };
    round.walk().await?;
    Ok(round.gone)
}

async fn deleted_ranges(server: &Server, project: ProjectKey) -> Result<Vec<(i64, i64)>, StoreError> {
    let mut ranges = Vec::new();
    let mut after = 0;
    loop {
        let page = checkpoint::deletions(&server.db, project, after, PAGE).await?;
        let Some((last, _)) = page.last() else { return Ok(ranges) };
        after = *last;
        for (_, body) in page {
            if let Some(Body::Deleted(seqs)) = Body::read(2, &body) {
                ranges.extend_from_slice(seqs.ranges());
            }
        }
    }
}

impl Round<'_> {
    async fn walk(&mut self) -> Result<(), CheckpointError> {
        let astray = |astray| CheckpointError::Astray {
            project_id: self.project_id.to_owned(),
            astray,
        };
        let db = &self.server.db;
        let mut walk = Walk::new(self.project_id, read::checkpoints(db, self.project).await?);
        loop {
            let page = read::entries_alone(&self.server.db, self.project, walk.end.0, PAGE).await?;
            if page.is_empty() {
                break;
            }
            let last = page.last().map_or(0, |stored| stored.number);
            let signed = read::signed_between(&self.server.db, self.project, walk.end.0, last).await?;
            for stored in page {
                while let Some(passed) = walk.pass(&self.server.chain_key, stored.number).map_err(astray)? {
                    self.pass(passed, &signed);
                }
                let before = walk.end.1;
                walk.take(&stored).map_err(astray)?;
                if signed.get(&stored.number).is_some_and(|digest| *digest != stored.digest) {
                    return Err(astray(Astray {
                        number: stored.number,
                        what: "it is not the entry that was signed here",
                    }));
                }
                self.look_at(stored, before.to_vec(), &signed);
            }
            self.put(TOGETHER).await?;
        }
        self.close();
        self.put(1).await?;
        Ok(())
    }

    /// A checkpoint is taken into the run that it stands in, or begins one.
    fn pass(&mut self, passed: Checkpoint, signed: &read::SignedDigests) {
        let is_signed = signed.contains_key(&passed.last_number);
        match &mut self.run {
            Some(run) => run.checkpoint.join(&passed),
            None => {
                self.run = Some(Run {
                    checkpoint: passed,
                    has_entries: false,
                });
            }
        }
        if is_signed {
            self.close();
        }
    }

    fn look_at(&mut self, stored: StoredEntry, before: Vec<u8>, signed: &read::SignedDigests) {
        let Some(logs) = self.spent(&stored) else {
            self.close();
            return;
        };
        let checkpoint = Checkpoint {
            first_number: stored.number,
            last_number: stored.number,
            entries: 1,
            logs,
            at: self.now_ms,
            before,
            digest: stored.digest,
            key: Vec::new(),
            signature: Vec::new(),
        };
        match &mut self.run {
            Some(run) => {
                run.checkpoint.join(&checkpoint);
                run.has_entries = true;
            }
            None => {
                self.run = Some(Run {
                    checkpoint,
                    has_entries: true,
                });
            }
        }
        if signed.contains_key(&stored.number) {
            self.close();
        }
    }

    /// How many logs an entry tells of that nothing hangs on any more; none where something does.
    fn spent(&mut self, stored: &StoredEntry) -> Option<i64> {
        match Body::read(stored.kind, &stored.body)? {
            Body::Logs { first, count, .. } => {
                let last = first + i64::from(count) - 1;
                if !self.deleted.has_all(first, last) {
                    // What stands beside the entries said otherwise: what the entry itself says counts.
                    self.living = self.living.min(first);
                    return None;
                }
                if last < self.living {
                    return Some(count.into());
                }
                if stored.leaves.is_some() {
                    self.bare.push(stored.number);
                }
                None
            }
            Body::Deleted(seqs) | Body::Silenced(seqs, _) => {
                let last = seqs.ranges().last().map(|(_, last)| *last)?;
                (last < self.living).then_some(0)
            }
            _ => None,
        }
    }

    /// The run is over.
    fn close(&mut self) {
        let Some(run) = self.run.take().filter(|run| run.has_entries) else {
            return;
        };
        let unsigned = Checkpoint {
            at: self.now_ms,
            ..run.checkpoint
        };
        let checkpoint = head::sign_checkpoint(&self.server.chain_key, self.project_id, unsigned);
        self.ready.push(checkpoint);
    }

    /// Puts what is ready in place, where that is so many.
    async fn put(&mut self, enough: usize) -> Result<(), StoreError> {
        if self.ready.len() >= enough {
            let ready = std::mem::take(&mut self.ready);
            self.gone += checkpoint::put(&self.server.db, self.project, &ready).await?;
        }
        if !self.bare.is_empty() {
            let bare = std::mem::take(&mut self.bare);
            checkpoint::forget_leaves(&self.server.db, self.project, &bare).await?;
        }
        Ok(())
    }
}

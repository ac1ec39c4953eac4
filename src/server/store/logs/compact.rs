//! Merging of blocks that came too small: a log sent alone is a block of its own until its neighbours join it.
//!
//! Runs in the writer's turn. Rows and blocks change in one transaction; whoever reads in between finds the row's new place at the second look.

use sqlx::{AssertSqlSafe, query, query_as};

use super::block::{self, Loose, MAX_LOGS, SealedBlock};
use super::{blocks, groups, month, sequence};
use crate::model::log::Origin;
use crate::server::store::db::{WriteTx, on_db, on_tx};
use crate::server::store::projects::ProjectKey;
use crate::server::store::{Db, StoreError};

/// What one round of merging did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compacted {
    /// Blocks that were taken apart.
    pub merged: usize,
    /// Blocks that came of them.
    pub made: usize,
    /// Blocks whose signatures were put into groups.
    pub grouped: usize,
    /// There is more to merge than one round does.
    pub more: bool,
}

impl Compacted {
    /// Whether there was more to do than one round does: another one should follow soon.
    pub const fn is_behind(&self) -> bool {
        self.grouped > 0 || (self.more && self.merged > 0)
    }
}

/// Small blocks that one round takes apart at most, and their logs, so that whoever writes waits for it no longer than for a batch: with ten times as many of each, everybody waited 150 ms
/// every ten seconds.
const ROUND: i64 = 320;
const ROUND_LOGS: usize = 10 * MAX_LOGS;
/// Fewer small blocks than this stay as they are, unless they fill a block: each merge writes its logs anew.
const ENOUGH: usize = 8;

/// Text that is merged together at most: what the writer holds meanwhile.
const TOGETHER: i64 = 8 << 20;

/// A small block, before it is opened: id, first time, how many logs, bytes of text.
type Small = (i64, i64, i16, i64);

/// One round over every project that has small blocks, of an origin each.
pub(super) async fn run(db: &Db) -> Result<Compacted, StoreError> {
    const PROJECTS: &str = "SELECT DISTINCT project_id, origin FROM log_blocks WHERE small = 1";
    let projects: Vec<(ProjectKey, Option<i16>)> = on_db!(read db, pool => query_as(PROJECTS).fetch_all(pool).await?);
    let mut done = Compacted::default();
    for (project, origin) in projects {
        let some = merge_some(db, project, origin.map(Origin::of_number)).await?;
        done.merged += some.merged;
        done.made += some.made;
        done.more |= some.more;
    }
    done.grouped = groups::run(db).await?;
    Ok(done)
}

async fn merge_some(db: &Db, project: ProjectKey, origin: Option<Origin>) -> Result<Compacted, StoreError> {
    let mut tx = WriteTx::begin(db).await?;
    let (index, lock) = if tx.is_sqlite() {
        // It knows nothing of how few are small, and would as soon walk over all of them in their order.
        ("INDEXED BY log_blocks_small", "")
    } else {
        // Several processes may merge: what another one has in hand is passed over.
        ("", "FOR UPDATE SKIP LOCKED")
    };
    let sql = AssertSqlSafe(format!(
        "SELECT id, min_time, count, bytes FROM log_blocks {index}
         WHERE project_id = $1 AND {} AND small = 1 ORDER BY min_time, id LIMIT $2 {lock}",
        blocks::of_origin(origin)
    ));
    let small: Vec<Small> = on_tx!(&mut tx, connection => query_as(sql).bind(project).bind(ROUND).fetch_all(connection).await?);
    let some = one_round(&small);
    let mut done = Compacted {
        more: some.len() < small.len() || small.len() as i64 == ROUND,
        ..Compacted::default()
    };
    let neighbours = neighbours(some);
    if !neighbours.is_empty() {
        blocks::note_moves(&mut tx, project).await?;
    }
    for group in neighbours {
        done.merged += group.len();
        done.made += merge(&mut tx, project, origin, group).await?;
    }
    tx.commit().await?;
    Ok(done)
}

/// As many of them as one round takes apart.
fn one_round(small: &[Small]) -> &[Small] {
    let mut logs = 0;
    let fits = small.iter().take_while(|block| {
        logs += block.2.unsigned_abs() as usize;
        logs <= ROUND_LOGS
    });
    &small[..fits.count().max(ENOUGH).min(small.len())]
}

/// Neighbours within a month that fill blocks, or are many.
fn neighbours(small: &[Small]) -> Vec<&[Small]> {
    let mut groups = Vec::new();
    for month in small.chunk_by(|a, b| month::of(a.1) == month::of(b.1)) {
        let mut rest = month;
        while !rest.is_empty() {
            let mut bytes = 0;
            let fits = rest.iter().take_while(|block| {
                bytes += block.3;
                bytes <= TOGETHER
            });
            let (group, after) = rest.split_at(fits.count().max(1));
            let logs: usize = group.iter().map(|block| block.2.unsigned_abs() as usize).sum();
            if group.len() >= ENOUGH || (group.len() > 1 && (logs >= MAX_LOGS || bytes > TOGETHER)) {
                groups.push(group);
            }
            rest = after;
        }
    }
    groups
}

async fn merge(tx: &mut WriteTx, project: ProjectKey, origin: Option<Origin>, group: &[Small]) -> Result<usize, StoreError> {
    const READ: &str = "SELECT id, bytes, sha256, content FROM log_blocks WHERE project_id = $1 AND id = $2";
    const DROP: &str = "DELETE FROM log_blocks WHERE project_id = $1 AND id = $2";
    const UNSIGN: &str = "DELETE FROM log_signatures WHERE project_id = $1 AND id = $2";
    let mut loose = Vec::new();
    for (id, ..) in group {
        let (id, bytes, sha256, content): blocks::Closed =
            on_tx!(tx, connection => query_as(READ).bind(project).bind(*id).fetch_one(connection).await?);
        let content = block::open(id, &content, bytes, &sha256)?;
        for entry in block::entries(&content)? {
            let id = entry.id()?.to_owned();
            loose.push(Loose {
                created_at: entry.created_at,
                member: (entry.created_at, id.clone()),
                id,
                entry: entry.bytes.to_vec(),
            });
        }
        for sql in [DROP, UNSIGN] {
            on_tx!(tx, connection => query(sql).bind(project).bind(id).execute(connection).await?.rows_affected());
        }
    }
    let sealed = block::seal(origin, loose)?;
    let mut numbers = sequence::take(tx, sealed.len()).await?;
    let mut named = Vec::with_capacity(sealed.len());
    for block in &sealed {
        named.push((project, numbers.next()?, block));
    }
    blocks::insert(tx, &named).await?;
    for (_, id, block) in named {
        place(tx, project, id, block).await?;
    }
    Ok(sealed.len())
}

/// Tells rows where their text lies now.
pub(super) async fn place(
    tx: &mut WriteTx,
    project: ProjectKey,
    id: i64,
    block: &SealedBlock<(i64, String)>,
) -> Result<(), StoreError> {
    const PLACE: &str =
        "UPDATE logs SET block_id = $1, slot = $2 WHERE project_id = $3 AND origin IN (0, 1) AND created_at = $4 AND id = $5";
    for (slot, (time, log)) in block.members.iter().enumerate() {
        on_tx!(tx, connection => {
            query(PLACE).bind(id).bind(slot as i16).bind(project).bind(*time).bind(log.as_str()).execute(connection).await?.rows_affected()
        });
    }
    Ok(())
}

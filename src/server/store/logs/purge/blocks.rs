//! Blocks of which something goes: all of it, or the logs on this side of the edge.

use std::collections::{BTreeMap, HashMap, HashSet};

use sqlx::{AssertSqlSafe, query, query_as, query_scalar};

use super::rows::{Gone, LogKey, Named};
use super::{Account, BlockPlace, OF, Open, Purge, Stepped, list};
use crate::model::log::Origin;
use crate::model::retention::{Cuts, Purged};
use crate::server::store::chain::canon::Digest;
use crate::server::store::db::{WriteTx, on_db, on_tx};
use crate::server::store::logs::block::{self, Loose};
use crate::server::store::logs::{blocks, compact, leaf, sequence};
use crate::server::store::projects::ProjectKey;
use crate::server::store::{Db, StoreError};

/// Text that is opened together at most, beyond one block's: what a step holds in memory.
const TOGETHER: i64 = 8 << 20;

/// A block that has something from before the end of its cut.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
struct Found {
    id: i64,
    /// None where it may hold logs of both.
    origin: Option<i16>,
    min_time: i64,
    max_time: i64,
    bytes: i64,
}

/// What is known of a block without opening it: whose traffic it is, its first time and its last.
type Known = (Option<Origin>, (i64, i64));

/// A block, opened.
#[derive(Debug)]
struct Opened {
    id: i64,
    origin: Option<Origin>,
    times: (i64, i64),
    /// Bytes of it as it lies in the database.
    stored: u64,
    keys: Vec<LogKey>,
    /// The digests of what they say, in the same order; none where the block did not open.
    texts: Vec<Digest>,
    /// The entries that may stay.
    may_stay: Vec<Loose<LogKey>>,
}

impl Opened {
    /// Whether it is taken apart: anything of it goes, or it holds both origins, which are kept for different times.
    fn is_touched(&self, gone: &Gone) -> bool {
        self.origin.is_none() || self.may_stay.len() < self.keys.len() || self.keys.iter().any(|key| gone.has(key))
    }

    /// Whether it may hold logs of an origin.
    fn may_hold(&self, origin: Origin) -> bool {
        self.origin.is_none_or(|of| of == origin)
    }
}

/// Deletes what goes of some blocks, the oldest first, at most so many: rows and texts together. What stays of them is sealed anew.
pub async fn some_blocks(purge: &Purge, place: BlockPlace, most: usize, account: Option<&Account<'_>>) -> Stepped<BlockPlace> {
    let found = fitting(find(purge, place, most).await?);
    let next = found
        .last()
        .filter(|_| found.len() == most || found_less(&found))
        .map(|last| (last.min_time, last.id));
    go_over(purge, found, next, account).await
}

/// The same for blocks from a time on and before another that hold both origins.
pub(super) async fn some_of_both(
    purge: &Purge,
    (from, to): (i64, i64),
    (time, id): BlockPlace,
    most: usize,
    account: Option<&Account<'_>>,
) -> Stepped<BlockPlace> {
    const BOTH: &str =
        "SELECT id, origin, min_time, max_time, bytes FROM log_blocks WHERE project_id = $1 AND origin IS NULL AND min_time >= $2
        AND min_time < $3 AND (min_time, id) > ($4, $5) ORDER BY min_time, id LIMIT $6";
    let found: Vec<Found> = on_db!(read &purge.db, pool => {
        query_as(BOTH).bind(purge.project).bind(from).bind(to).bind(time).bind(id).bind(most as i64).fetch_all(pool).await?
    });
    let found = fitting(found);
    let next = found.last().map(|last| (last.min_time, last.id));
    go_over(purge, found, next, account).await
}

/// One step over blocks that were found.
async fn go_over(
    purge: &Purge,
    found: Vec<Found>,
    next: Option<BlockPlace>,
    account: Option<&Account<'_>>,
) -> Stepped<BlockPlace> {
    let Purge { db, project, cuts, at } = purge;
    // What can be done before the transaction is: nobody waits for it there. A block never changes under its id.
    let opened = open(db, *project, &found, *cuts).await?;
    let Some(mut step) = Open::begin(db, account).await? else {
        return Ok(None);
    };
    let there = lock(&mut step.tx, *project, opened).await?;
    let passed_over = found.len() - there.len();
    let mut gone = Gone::new(purge);
    for origin in Origin::ALL {
        let cut = cuts.of(origin);
        let named = |from: i64, to: i64| {
            let blocks = || there.iter().filter(|block| block.may_hold(origin));
            let keys = blocks().flat_map(|block| &block.keys);
            let keys = keys.filter(|key| from <= key.0 && key.0 < to).collect();
            Named::new(keys, blocks().map(|block| block.id))
        };
        gone.delete(&mut step.tx, origin, &named(i64::MIN, cut.logs)).await?;
        gone.silence(&mut step.tx, origin, &named(cut.logs, cut.bodies)).await?;
    }
    let silenced = texts(&there, gone.silenced());
    step.tx.note(*project, *at).silenced(silenced);
    let mut purged = take_apart(&mut step.tx, *project, there, &gone).await?;
    purged.add(&gone.end(&mut step.tx).await?);
    if !Account::tells(account, *project) {
        purged = Purged::default();
    }
    step.end(purged, next, passed_over).await
}

/// Of logs that lose what they say, the digests of that; zeros where it could not be read.
fn texts(there: &[Opened], silenced: &[(i64, LogKey)]) -> Vec<(i64, Digest)> {
    if silenced.is_empty() {
        return Vec::new();
    }
    let known = there.iter().flat_map(|block| block.keys.iter().zip(&block.texts));
    let known: HashMap<&LogKey, Digest> = known.map(|(key, text)| (key, *text)).collect();
    let of = |(seq, key): &(i64, LogKey)| (*seq, known.get(key).copied().unwrap_or_default());
    silenced.iter().map(of).collect()
}

/// Whether blocks were left for the next step for their size.
fn found_less(found: &[Found]) -> bool {
    found.iter().map(|block| block.bytes).sum::<i64>() >= TOGETHER
}

/// Some blocks that begin before the end of their cuts, the oldest first. Each origin's are looked for by themselves: what is kept for longer is not
/// walked over every day.
async fn find(purge: &Purge, (time, id): BlockPlace, most: usize) -> Result<Vec<Found>, StoreError> {
    let mut found: Vec<Found> = Vec::new();
    for origin in OF {
        let sql = AssertSqlSafe(format!(
            "SELECT id, origin, min_time, max_time, bytes FROM log_blocks WHERE project_id = $1 AND {} AND min_time < $2
             AND (min_time, id) > ($3, $4) ORDER BY min_time, id LIMIT $5",
            blocks::of_origin(origin)
        ));
        let before = purge.cuts.end_of(origin);
        let some: Vec<Found> = on_db!(read &purge.db, pool => {
            query_as(sql).bind(purge.project).bind(before).bind(time).bind(id).bind(most as i64).fetch_all(pool).await?
        });
        found.extend(some);
    }
    found.sort_unstable_by_key(|block| (block.min_time, block.id));
    found.truncate(most);
    Ok(found)
}

/// Those of them, from the first on, that are opened together.
fn fitting(mut found: Vec<Found>) -> Vec<Found> {
    let mut bytes = 0_i64;
    let fits = found.iter().take_while(|block| {
        let fits = bytes < TOGETHER;
        bytes = bytes.saturating_add(block.bytes);
        fits
    });
    let fits = fits.count();
    found.truncate(fits);
    found
}

/// Opens them; those that have gone meanwhile are left out.
async fn open(db: &Db, project: ProjectKey, found: &[Found], cuts: Cuts) -> Result<Vec<Opened>, StoreError> {
    let ids: Vec<i64> = found.iter().map(|block| block.id).collect();
    let months = blocks::months_of(found.iter().map(|block| block.min_time));
    let closed = blocks::read_closed(db, project, &ids, months).await?;
    let known = |block: &Found| (block.origin.map(Origin::of_number), (block.min_time, block.max_time));
    let known: HashMap<i64, Known> = found.iter().map(|block| (block.id, known(block))).collect();
    let opening = tokio::task::spawn_blocking(move || {
        let opened = closed.into_values().map(|closed| open_one(closed, &known, cuts));
        opened.collect::<Vec<_>>()
    });
    let opened = opening
        .await
        .map_err(|problem| StoreError::Database(sqlx::Error::Io(std::io::Error::other(problem))))?;
    let mut good = Vec::with_capacity(opened.len());
    for opened in opened {
        match opened {
            Ok(opened) => good.push(opened),
            Err((id, known, problem)) => {
                tracing::error!(%problem, block = id, "a block does not open; it goes once all of it has passed the retention");
                good.extend(unopened(db, project, (id, known), cuts).await?);
            }
        }
    }
    Ok(good)
}

type Broken = (i64, Known, StoreError);

fn open_one((id, bytes, sha256, content): blocks::Closed, known: &HashMap<i64, Known>, cuts: Cuts) -> Result<Opened, Broken> {
    let (origin, times) = known.get(&id).copied().unwrap_or_default();
    let broken = |problem| (id, (origin, times), problem);
    let stored = content.len() as u64;
    let content = block::open(id, &content, bytes, &sha256).map_err(broken)?;
    let mut opened = Opened {
        id,
        origin,
        times,
        stored,
        keys: Vec::new(),
        texts: Vec::new(),
        may_stay: Vec::new(),
    };
    for entry in block::entries(&content).map_err(broken)? {
        let key = (entry.created_at, entry.id().map_err(broken)?.to_owned());
        if entry.created_at >= cuts.bodies_of(origin) {
            opened.may_stay.push(Loose {
                created_at: key.0,
                id: key.1.clone(),
                entry: entry.bytes.to_vec(),
                member: key.clone(),
            });
        }
        opened.texts.push(leaf::text_digest(entry.bytes));
        opened.keys.push(key);
    }
    Ok(opened)
}

/// A block that does not open, all of which goes: one that is broken must not stop a purge for ever. Its rows say what was in it.
async fn unopened(
    db: &Db,
    project: ProjectKey,
    (id, (origin, times)): (i64, Known),
    cuts: Cuts,
) -> Result<Option<Opened>, StoreError> {
    const KEYS: &str =
        "SELECT created_at, id FROM logs WHERE project_id = $1 AND origin IN (0, 1) AND created_at >= $2 AND created_at <= $3
        AND block_id = $4";
    if times.1 >= cuts.bodies_of(origin) {
        return Ok(None);
    }
    let keys: Vec<LogKey> = on_db!(read db, pool => {
        query_as(KEYS).bind(project).bind(times.0).bind(times.1).bind(id).fetch_all(pool).await?
    });
    Ok(Some(Opened {
        id,
        origin,
        times,
        stored: 0,
        keys,
        texts: Vec::new(),
        may_stay: Vec::new(),
    }))
}

/// Those that are still there, and, on PostgreSQL, that no other process has in hand: merging makes other blocks of them.
async fn lock(tx: &mut WriteTx, project: ProjectKey, opened: Vec<Opened>) -> Result<Vec<Opened>, StoreError> {
    if opened.is_empty() {
        return Ok(opened);
    }
    let ids = list(opened.iter().map(|block| block.id));
    let lock = if tx.is_sqlite() { "" } else { "FOR UPDATE SKIP LOCKED" };
    let sql = AssertSqlSafe(format!(
        "SELECT id FROM log_blocks WHERE project_id = $1 AND id IN ({ids}) {lock}"
    ));
    let there: Vec<i64> =
        on_tx!(tx, connection => query_scalar(sql).bind(project).persistent(false).fetch_all(connection).await?);
    Ok(opened.into_iter().filter(|block| there.contains(&block.id)).collect())
}

/// Deletes the blocks that something went of, with their signatures, and seals what stays, each origin's by itself.
async fn take_apart(tx: &mut WriteTx, project: ProjectKey, there: Vec<Opened>, gone: &Gone) -> Result<Purged, StoreError> {
    let touched: Vec<Opened> = there.into_iter().filter(|block| block.is_touched(gone)).collect();
    let own = own_of_both(tx, project, &touched, gone).await?;
    let (Some(from), Some(to)) = (
        touched.iter().map(|block| block.times.0).min(),
        touched.iter().map(|block| block.times.0).max(),
    ) else {
        return Ok(Purged::default());
    };
    let ids = list(touched.iter().map(|block| block.id));
    // The range of times tells PostgreSQL which months to look at.
    let within = if tx.is_sqlite() {
        String::new()
    } else {
        format!("AND min_time >= {from} AND min_time <= {to}")
    };
    let of_these = format!("project_id = $1 AND id IN ({ids}) {within}");
    let sql = AssertSqlSafe(format!("DELETE FROM log_blocks WHERE {of_these}"));
    on_tx!(tx, connection => query(sql).bind(project).persistent(false).execute(connection).await?.rows_affected());
    let sql = AssertSqlSafe(format!(
        "DELETE FROM log_signatures WHERE {of_these} RETURNING CAST(LENGTH(signature) AS BIGINT)"
    ));
    let signatures: Vec<i64> = on_tx!(tx, connection => {
        query_scalar(sql).bind(project).persistent(false).fetch_all(connection).await?
    });
    let (blocks, mut freed) = (touched.len() as u64, signatures.iter().sum::<i64>().unsigned_abs());
    let mut stays: BTreeMap<Origin, Vec<Loose<LogKey>>> = BTreeMap::new();
    for block in touched {
        freed = freed.saturating_add(block.stored);
        for entry in block.may_stay.into_iter().filter(|entry| !gone.has(&entry.member)) {
            let told = if own.contains(&entry.member) {
                Origin::Own
            } else {
                Origin::Application
            };
            stays.entry(block.origin.unwrap_or(told)).or_default().push(entry);
        }
    }
    let mut kept = 0;
    for (origin, stays) in stays {
        kept += seal(tx, project, origin, stays).await?;
    }
    Ok(Purged {
        blocks,
        bytes_about: freed.saturating_sub(kept),
        ..Purged::default()
    })
}

/// Which logs that stay, of blocks that hold both origins, are this service's own.
async fn own_of_both(
    tx: &mut WriteTx,
    project: ProjectKey,
    touched: &[Opened],
    gone: &Gone,
) -> Result<HashSet<LogKey>, StoreError> {
    let both = || touched.iter().filter(|block| block.origin.is_none());
    let keys = both().flat_map(|block| &block.may_stay).map(|entry| &entry.member);
    let named = Named::new(keys.filter(|key| !gone.has(key)).collect(), both().map(|block| block.id));
    named.of(tx, project, Origin::Own).await
}

/// Puts what stays into blocks of its own; gives their bytes.
async fn seal(tx: &mut WriteTx, project: ProjectKey, origin: Origin, stays: Vec<Loose<LogKey>>) -> Result<u64, StoreError> {
    let sealed = block::seal(Some(origin), stays)?;
    let mut numbers = sequence::take(tx, sealed.len()).await?;
    let mut named = Vec::with_capacity(sealed.len());
    for block in &sealed {
        named.push((project, numbers.next()?, block));
    }
    blocks::insert(tx, &named).await?;
    for (_, id, block) in &named {
        compact::place(tx, project, *id, block).await?;
    }
    // A search may have been where they lie now.
    blocks::note_moves(tx, project).await?;
    Ok(sealed
        .iter()
        .map(|block| (block.content.len() + block.signature.len()) as u64)
        .sum())
}

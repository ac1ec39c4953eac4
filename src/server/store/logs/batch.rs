//! One transaction of the writer: whole calls, each of which succeeds or fails as itself.

use std::collections::{BTreeMap, HashMap, HashSet};

use sqlx::{query, query_scalar};

use super::block::{self, Loose, SealedBlock};
use super::blocks;
use super::call::{PreparedCall, PreparedLog, PreparedText};
use super::repeats;
use super::rows::{self, NewRow};
use super::sequence;
use super::tallies::Tallies;
use super::write::{WriteError, Written};
use crate::model::id::{self, IdKind};
use crate::model::log::{LogFacts, Origin};
use crate::server::store::chain::{Leaves, Times};
use crate::server::store::db::{WriteTx, on_tx};
use crate::server::store::insert::Insert;
use crate::server::store::projects::ProjectKey;
use crate::server::store::webhooks::failures;
use crate::server::store::{Db, StoreError};

/// Which log of which call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Member {
    call: usize,
    log: usize,
}

const CLAIM: Insert = Insert {
    head: "INSERT INTO log_ids (project_id, id, created_at) VALUES",
    tail: "ON CONFLICT (project_id, id) DO NOTHING RETURNING project_id, id",
    columns: 3,
};

/// Writes the calls; one result a call, in their order. An error means that nothing was written.
pub(super) async fn write(db: &Db, calls: &[PreparedCall]) -> Result<Vec<Result<Written, WriteError>>, StoreError> {
    if let Db::Postgres(pool) = db {
        let times: Vec<i64> = calls
            .iter()
            .flat_map(|call| call.logs.iter().map(|log| log.facts.created_at))
            .collect();
        crate::server::store::postgres::make_partitions(pool, &times).await?;
    }
    let mut blocks = gather_blocks(calls).await?;
    let mut tx = WriteTx::begin(db).await?;
    let fates = repeats::settle(&mut tx, calls).await?;
    let dropped = claim_ids(&mut tx, calls, &fates).await?;
    let gone = |member: &Member| fates[member.call].is_some() || dropped.contains(member);
    if (0..calls.len()).any(|call| fates[call].is_some()) || !dropped.is_empty() {
        blocks = without(blocks, gone)?;
    }
    let leaves = insert_all(&mut tx, calls, &blocks).await?;
    count_failures(&mut tx, calls, gone).await?;
    let results = answer(&mut tx, calls, fates, &dropped).await?;
    for (project, leaves) in leaves {
        tx.note(project, received_at(calls)).logs(leaves);
    }
    tx.commit().await?;
    Ok(results)
}

/// Counts the failures that the event `log.failure` tells of.
async fn count_failures(tx: &mut WriteTx, calls: &[PreparedCall], gone: impl Fn(&Member) -> bool) -> Result<(), StoreError> {
    let mut counts = BTreeMap::new();
    for (index, call) in calls.iter().enumerate() {
        for (log, prepared) in call.logs.iter().enumerate().filter(|(_, prepared)| prepared.is_told) {
            if !gone(&Member { call: index, log }) {
                *counts.entry((call.project, prepared.facts.endpoint.as_str())).or_insert(0) += 1;
            }
        }
    }
    failures::count_in(tx, &counts).await
}

/// A block and whose it is.
type OwnedBlock = (ProjectKey, SealedBlock<Member>);

/// What is not in blocks yet: each project's and each origin's by themselves, since they are kept for different times.
type LooseLogs = HashMap<(ProjectKey, Option<Origin>), Vec<Loose<Member>>>;

/// The calls' own blocks, and new ones of what small calls brought.
async fn gather_blocks(calls: &[PreparedCall]) -> Result<Vec<OwnedBlock>, StoreError> {
    let mut blocks = Vec::new();
    let mut loose = LooseLogs::new();
    for (index, call) in calls.iter().enumerate() {
        match &call.text {
            PreparedText::Sealed(sealed) => {
                blocks.extend(
                    sealed
                        .iter()
                        .map(|block| (call.project, block.renamed(|log| Member { call: index, log: *log }))),
                );
            }
            PreparedText::Loose(entries) => {
                for (log, (entry, prepared)) in entries.iter().zip(&call.logs).enumerate() {
                    let mine = loose.entry((call.project, Some(prepared.facts.origin))).or_default();
                    mine.push(Loose {
                        created_at: prepared.facts.created_at,
                        id: prepared.facts.id.clone(),
                        entry: entry.clone(),
                        member: Member { call: index, log },
                    });
                }
            }
        }
    }
    if loose.is_empty() {
        return Ok(blocks);
    }
    let sealed = tokio::task::spawn_blocking(move || {
        loose
            .into_iter()
            .map(|((project, origin), logs)| Ok((project, block::seal(origin, logs)?)))
            .collect::<Result<Vec<_>, StoreError>>()
    });
    let sealed = sealed
        .await
        .map_err(|problem| StoreError::Database(sqlx::Error::Io(std::io::Error::other(problem))))??;
    blocks.extend(
        sealed
            .into_iter()
            .flat_map(|(project, blocks)| blocks.into_iter().map(move |block| (project, block))),
    );
    Ok(blocks)
}

/// The same blocks without some of their logs: the few blocks that had one are made anew.
fn without(blocks: Vec<OwnedBlock>, gone: impl Fn(&Member) -> bool) -> Result<Vec<OwnedBlock>, StoreError> {
    let mut kept = Vec::with_capacity(blocks.len());
    let mut loose = LooseLogs::new();
    for (project, block) in blocks {
        if !block.members.iter().any(&gone) {
            kept.push((project, block));
            continue;
        }
        let content = block::open(0, &block.content, block.bytes as i64, &block.sha256)?;
        for (entry, member) in block::entries(&content)?.iter().zip(&block.members) {
            if !gone(member) {
                let left = Loose {
                    created_at: entry.created_at,
                    id: entry.id()?.to_owned(),
                    entry: entry.bytes.to_vec(),
                    member: *member,
                };
                loose.entry((project, block.origin)).or_default().push(left);
            }
        }
    }
    for ((project, origin), logs) in loose {
        kept.extend(block::seal(origin, logs)?.into_iter().map(|block| (project, block)));
    }
    Ok(kept)
}

/// Settles who was first with each id that clients chose; gives the logs that were not.
async fn claim_ids(
    tx: &mut WriteTx,
    calls: &[PreparedCall],
    fates: &[Option<repeats::Fate>],
) -> Result<HashSet<Member>, StoreError> {
    let mut dropped = HashSet::new();
    let mut first: HashMap<(ProjectKey, &str), (Member, &LogFacts)> = HashMap::new();
    for (index, call) in calls.iter().enumerate() {
        for (log, prepared) in call.logs.iter().enumerate() {
            if fates[index].is_some() || !prepared.client_id {
                continue;
            }
            let member = Member { call: index, log };
            let facts = &prepared.facts;
            if first.contains_key(&(call.project, facts.id.as_str())) || is_ours(tx, call.project, &facts.id).await? {
                dropped.insert(member);
            } else {
                first.insert((call.project, &facts.id), (member, facts));
            }
        }
    }
    let mut wanted: Vec<_> = first.into_iter().collect();
    // Several writers lock ids in the same order.
    wanted.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    let mut won: HashSet<(ProjectKey, String)> = HashSet::new();
    for chunk in CLAIM.chunks(&wanted) {
        let sql = CLAIM.sql(chunk.len(), tx.is_sqlite());
        won.extend(on_tx!(tx, connection => {
            let mut statement = sqlx::query_as::<_, (i64, String)>(sql);
            for ((project, id), (_, facts)) in chunk {
                statement = statement.bind(*project).bind((*id).to_owned()).bind(facts.created_at);
            }
            statement.fetch_all(connection).await?
        }));
    }
    dropped.extend(
        wanted
            .into_iter()
            .filter(|((project, id), _)| !won.contains(&(*project, (*id).to_owned())))
            .map(|(_, (member, _))| member),
    );
    Ok(dropped)
}

/// Whether an id that a client sent is one that this server gave to a log: an export that is read back in.
async fn is_ours(tx: &mut WriteTx, project: ProjectKey, id: &str) -> Result<bool, StoreError> {
    const FIND: &str = "SELECT COUNT(*) FROM logs WHERE project_id = $1 AND origin IN (0, 1) AND created_at = $2 AND id = $3";
    let Some(time) = id::time_of(IdKind::Log, id) else {
        return Ok(false);
    };
    let found: i64 =
        on_tx!(tx, connection => query_scalar(FIND).bind(project).bind(time).bind(id.to_owned()).fetch_one(connection).await?);
    Ok(found > 0)
}

/// Adds a leaf to those before it, or begins others where another project's, or other numbers, begin.
fn add_leaf(leaves: &mut Vec<(ProjectKey, Leaves)>, project: ProjectKey, seq: i64, log: &PreparedLog) {
    let time = log.facts.created_at;
    match leaves.last_mut() {
        Some((before, run)) if *before == project && run.first + run.leaves.len() as i64 == seq => {
            run.leaves.push(log.leaf);
            run.times = run.times.with(time);
        }
        _ => leaves.push((
            project,
            Leaves {
                first: seq,
                leaves: vec![log.leaf],
                times: Times::of(time),
            },
        )),
    }
}

/// When the latest of the calls came.
fn received_at(calls: &[PreparedCall]) -> i64 {
    calls.iter().map(|call| call.received_at).max().unwrap_or_default()
}

/// Inserts rows, blocks and counts; gives what stands for the logs on their projects' chains.
async fn insert_all(
    tx: &mut WriteTx,
    calls: &[PreparedCall],
    written: &[OwnedBlock],
) -> Result<Vec<(ProjectKey, Leaves)>, StoreError> {
    let count: usize = written.iter().map(|(_, block)| block.members.len()).sum();
    let mut leaves: Vec<(ProjectKey, Leaves)> = Vec::new();
    if count == 0 {
        return Ok(leaves);
    }
    let mut places: HashMap<Member, (usize, i16)> = HashMap::with_capacity(count);
    for (index, (_, block)) in written.iter().enumerate() {
        places.extend(
            block
                .members
                .iter()
                .enumerate()
                .map(|(slot, member)| (*member, (index, slot as i16))),
        );
    }
    let mut numbers = sequence::take(tx, count).await?;
    let mut block_ids = vec![0; written.len()];
    let mut new_rows = Vec::with_capacity(count);
    let mut tallies = Tallies::default();
    // Project by project: the numbers of a project's logs follow one another.
    let mut in_order: Vec<(usize, &PreparedCall)> = calls.iter().enumerate().collect();
    in_order.sort_by_key(|(_, call)| call.project);
    for (call_index, call) in in_order {
        for (log, prepared) in call.logs.iter().enumerate() {
            let Some((block, slot)) = places.get(&Member { call: call_index, log }).copied() else {
                continue;
            };
            let seq = numbers.next()?;
            // A block is called as the first of its logs that has a number: no two blocks share a log.
            if block_ids[block] == 0 {
                block_ids[block] = seq;
            }
            tallies.add(call.project, &prepared.facts);
            add_leaf(&mut leaves, call.project, seq, prepared);
            new_rows.push(NewRow {
                project: call.project,
                seq,
                block_id: block_ids[block],
                slot,
                facts: &prepared.facts,
            });
        }
    }
    rows::insert(tx, new_rows).await?;
    let named: Vec<_> = written
        .iter()
        .zip(block_ids)
        .map(|((project, block), id)| (*project, id, block))
        .collect();
    blocks::insert(tx, &named).await?;
    tallies.write(tx).await?;
    Ok(leaves)
}

/// What each call hears, kept under its key where it has one.
async fn answer(
    tx: &mut WriteTx,
    calls: &[PreparedCall],
    fates: Vec<Option<repeats::Fate>>,
    dropped: &HashSet<Member>,
) -> Result<Vec<Result<Written, WriteError>>, StoreError> {
    const KEEP: &str = "UPDATE idempotency_keys SET answer = $3 WHERE project_id = $1 AND key = $2";
    let mut results: Vec<Result<Written, WriteError>> = Vec::with_capacity(calls.len());
    for (index, (call, fate)) in calls.iter().zip(fates).enumerate() {
        results.push(match fate {
            Some(repeats::Fate::Reused) => Err(WriteError::KeyReused),
            Some(repeats::Fate::Answered(first)) => Ok(first),
            Some(repeats::Fate::SameAs(first)) => match &results[first] {
                Ok(written) => Ok(written.clone()),
                Err(_) => Err(WriteError::KeyReused),
            },
            None => {
                let duplicates = (0..call.len()).filter(|log| dropped.contains(&Member { call: index, log: *log })).count() as u64;
                let ids = call.logs.iter().map(|log| log.facts.id.clone()).collect();
                let written = Written { accepted: call.len() as u64 - duplicates, duplicates, ids };
                if let Some(idempotency) = &call.idempotency {
                    let text = serde_json::to_string(&written).map_err(|problem| StoreError::Corrupt(problem.to_string()))?;
                    let key = repeats::stored_key(&idempotency.key);
                    on_tx!(tx, connection => query(KEEP).bind(call.project).bind(key).bind(text).execute(connection).await?.rows_affected());
                }
                Ok(written)
            }
        });
    }
    Ok(results)
}

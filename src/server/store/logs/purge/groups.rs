//! Groups of signatures whose blocks have gone: all of them, or some, whose words then go with them.

use std::time::Duration;

use sqlx::{AssertSqlSafe, query, query_as, query_scalar};

use super::{Account, BlockPlace, OF, Open, Purge, Step, Stepped, list};
use crate::model::retention::Purged;
use crate::server::store::StoreError;
use crate::server::store::db::{WriteTx, on_db, on_tx};
use crate::server::store::insert::Insert;
use crate::server::store::logs::blocks;
use crate::server::store::logs::groups::{self, Member};
use crate::server::store::projects::ProjectKey;

const SIGN: Insert = Insert {
    head: "INSERT INTO log_signatures (project_id, origin, id, min_time, max_time, small, width, lane, form, signature) VALUES",
    tail: "",
    columns: 10,
};
/// Signatures of one statement: each weighs some 16 KB.
const ROWS: usize = 20;

#[derive(Debug, sqlx::FromRow)]
struct Group {
    id: i64,
    origin: Option<i16>,
    min_time: i64,
    width: i32,
    lane: i32,
    form: i16,
    members: Vec<u8>,
}

/// Looks at one group, the oldest after a place, and takes it apart where blocks of it have gone: a signature tells whether a text was there.
pub async fn some_groups(purge: &Purge, place: BlockPlace, account: Option<&Account<'_>>) -> Stepped<BlockPlace> {
    const THERE: &str = "SELECT id FROM log_groups WHERE project_id = $1 AND min_time = $2 AND id = $3";
    let Purge { db, project, .. } = purge;
    let Some(group) = oldest(purge, place).await? else {
        return Ok(Some(Step {
            purged: Purged::default(),
            next: None,
            passed_over: 0,
            held: Duration::ZERO,
        }));
    };
    let members = groups::members(&group.members)
        .ok_or_else(|| StoreError::Corrupt(format!("the members of the group {} cannot be read", group.id)))?;
    let Some(mut step) = Open::begin(db, account).await? else {
        return Ok(None);
    };
    let next = Some((group.min_time, group.id));
    let lock = if step.tx.is_sqlite() { "" } else { "FOR UPDATE" };
    let there = AssertSqlSafe(format!("{THERE} {lock}"));
    let there: Option<i64> = on_tx!(&mut step.tx, connection => {
        query_scalar(there).bind(project).bind(group.min_time).bind(group.id).fetch_optional(connection).await?
    });
    let left = left(&mut step.tx, *project, &members).await?;
    if there.is_none() || left.len() == members.len() {
        return step.end(Purged::default(), next, 0).await;
    }
    let signatures = if left.is_empty() {
        Vec::new()
    } else {
        unturned(&mut step.tx, *project, &group).await?
    };
    let freed = delete(&mut step.tx, *project, &group).await?;
    let signed: Vec<(&Member, &Vec<u8>)> = members
        .iter()
        .zip(&signatures)
        .filter(|(member, _)| left.contains(&member.id))
        .collect();
    sign(&mut step.tx, *project, &group, &signed).await?;
    let kept = signed.iter().map(|(_, signature)| signature.len() as u64).sum::<u64>();
    if !signed.is_empty() {
        // A search reads single signatures before groups: it would not meet these at all.
        blocks::note_moves(&mut step.tx, *project).await?;
    }
    let purged = Purged {
        bytes_about: freed.saturating_sub(kept),
        ..Purged::default()
    };
    step.end(purged, next, 0).await
}

/// The oldest group after a place of which anything may have gone: each origin's go by its own cut, as its blocks do.
async fn oldest(purge: &Purge, (time, id): BlockPlace) -> Result<Option<Group>, StoreError> {
    let mut oldest: Option<Group> = None;
    for origin in OF {
        let sql = AssertSqlSafe(format!(
            "SELECT id, origin, min_time, width, lane, form, members FROM log_groups WHERE project_id = $1 AND {} AND min_time < $2
             AND (min_time, id) > ($3, $4) ORDER BY min_time, id LIMIT 1",
            blocks::of_origin(origin)
        ));
        let before = purge.cuts.end_of(origin);
        let first: Option<Group> = on_db!(read &purge.db, pool => {
            query_as(sql).bind(purge.project).bind(before).bind(time).bind(id).fetch_optional(pool).await?
        });
        oldest = oldest.into_iter().chain(first).min_by_key(|group| (group.min_time, group.id));
    }
    Ok(oldest)
}

/// Those of a group's blocks that are there.
async fn left(tx: &mut WriteTx, project: ProjectKey, members: &[Member]) -> Result<Vec<i64>, StoreError> {
    let ids = list(members.iter().map(|member| member.id));
    let sql = AssertSqlSafe(format!("SELECT id FROM log_blocks WHERE project_id = $1 AND id IN ({ids})"));
    Ok(on_tx!(tx, connection => query_scalar(sql).bind(project).persistent(false).fetch_all(connection).await?))
}

/// Each block's signature as it lay by itself, in the members' order.
async fn unturned(tx: &mut WriteTx, project: ProjectKey, group: &Group) -> Result<Vec<Vec<u8>>, StoreError> {
    const SLICES: &str = "SELECT words FROM log_slices WHERE project_id = $1 AND min_time = $2 AND group_id = $3 ORDER BY slice";
    let slices: Vec<Vec<u8>> = on_tx!(tx, connection => {
        query_scalar(SLICES).bind(project).bind(group.min_time).bind(group.id).fetch_all(connection).await?
    });
    groups::unturn(&slices, group.width as usize, group.lane as usize)
        .ok_or_else(|| StoreError::Corrupt(format!("the slices of the group {} are not what was written", group.id)))
}

/// Deletes a group with its slices; gives their bytes.
async fn delete(tx: &mut WriteTx, project: ProjectKey, group: &Group) -> Result<u64, StoreError> {
    const GROUP: &str = "DELETE FROM log_groups WHERE project_id = $1 AND min_time = $2 AND id = $3";
    const BYTES: &str = "SELECT CAST(COALESCE(SUM(LENGTH(words)), 0) AS BIGINT) FROM log_slices WHERE project_id = $1 AND min_time = $2 AND group_id = $3";
    const SLICES: &str = "DELETE FROM log_slices WHERE project_id = $1 AND min_time = $2 AND group_id = $3";
    let bytes: i64 = on_tx!(tx, connection => {
        query_scalar(BYTES).bind(project).bind(group.min_time).bind(group.id).fetch_one(connection).await?
    });
    for sql in [GROUP, SLICES] {
        on_tx!(tx, connection => query(sql).bind(project).bind(group.min_time).bind(group.id).execute(connection).await?.rows_affected());
    }
    Ok(bytes.unsigned_abs())
}

/// Writes signatures by themselves again; their blocks are full, or they would have been in no group.
async fn sign(tx: &mut WriteTx, project: ProjectKey, group: &Group, signed: &[(&Member, &Vec<u8>)]) -> Result<(), StoreError> {
    for some in signed.chunks(ROWS) {
        for chunk in SIGN.chunks(some) {
            let sql = SIGN.sql(chunk.len(), tx.is_sqlite());
            on_tx!(tx, connection => {
                let mut statement = query(sql);
                for (member, signature) in chunk {
                    statement = statement
                        .bind(project)
                        .bind(group.origin)
                        .bind(member.id)
                        .bind(member.min_time)
                        .bind(member.max_time)
                        .bind(0_i16)
                        .bind(group.width)
                        .bind(group.lane)
                        .bind(group.form)
                        .bind(signature.as_slice());
                }
                statement.execute(connection).await?;
            });
        }
    }
    Ok(())
}

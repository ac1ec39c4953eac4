//! A month of which the log of the log stays: its rows, blocks and signatures are copied into tables of their own, which take the place of the month's
//! partitions in the transaction that drops those. They are few; applications' logs are not, and deleting those one by one is what months are dropped for.

use sqlx::{AssertSqlSafe, query, query_scalar};

use super::Partition;
use crate::server::store::db::{WriteTx, on_db, on_tx};
use crate::server::store::logs::month::Month;
use crate::server::store::logs::purge::list;
use crate::server::store::logs::tallies::MINUTE;
use crate::server::store::postgres::PARTITIONED;
use crate::server::store::{Db, StoreError};

/// How many logs are copied at most: nobody writes into the month meanwhile, which takes about a second for so many. Where more stay, the others go one by one.
pub const MOST: u64 = 20_000;

/// How many logs stay of a month, by the minute counts.
pub async fn staying_logs(db: &Db, partition: &Partition) -> Result<u64, StoreError> {
    if partition.staying.is_empty() {
        return Ok(0);
    }
    let sql = AssertSqlSafe(format!(
        "SELECT CAST(COALESCE(SUM(count), 0) AS BIGINT) FROM log_minutes WHERE project_id IN ({}) AND origin = 1 AND minute >= $1 AND minute < $2",
        list(partition.staying.iter().copied())
    ));
    let (from, to) = (partition.month.start / MINUTE, partition.month.end / MINUTE);
    let logs: i64 = on_db!(read db, pool => query_scalar(sql).bind(from).bind(to).fetch_one(pool).await?);
    Ok(logs.unsigned_abs())
}

/// The name of a table's partition of a month, and of what takes its place.
fn names(table: &str, month: &Month) -> (String, String) {
    let old = format!("{table}_{}", month.name);
    let new = format!("{old}_kept");
    (old, new)
}

/// Copies what stays; nobody writes into the month by now. False where it cannot be told apart from what goes: a block that
/// holds both did not open, or somebody has it in hand.
pub(super) async fn copy(tx: &mut WriteTx, partition: &Partition) -> Result<bool, StoreError> {
    if partition.staying.is_empty() {
        return Ok(true);
    }
    let month = &partition.month;
    let staying = list(partition.staying.iter().copied());
    if has_both(tx, month, &staying).await? {
        return Ok(false);
    }
    for table in PARTITIONED {
        let (old, new) = names(table, month);
        // With the indexes that a partition must have.
        run(tx, format!("CREATE TABLE {new} (LIKE {table} INCLUDING ALL)")).await?;
        let sql = if table == "log_slices" {
            let (_, groups) = names("log_groups", month);
            format!(
                "INSERT INTO {new} SELECT s.* FROM {old} AS s JOIN {groups} AS g ON g.project_id = s.project_id
                 AND g.min_time = s.min_time AND g.id = s.group_id"
            )
        } else {
            format!("INSERT INTO {new} SELECT * FROM {old} WHERE project_id IN ({staying}) AND origin = 1")
        };
        run(tx, sql).await?;
    }
    Ok(true)
}

/// Whether there are blocks that hold both origins where something stays.
async fn has_both(tx: &mut WriteTx, month: &Month, staying: &str) -> Result<bool, StoreError> {
    let (blocks, _) = names("log_blocks", month);
    let sql = AssertSqlSafe(format!(
        "SELECT EXISTS (SELECT 1 FROM {blocks} WHERE project_id IN ({staying}) AND origin IS NULL)"
    ));
    Ok(on_tx!(tx, connection => query_scalar(sql).persistent(false).fetch_one(connection).await?))
}

/// Puts what was copied in the place of the partitions, which are gone by now.
pub(super) async fn put_in_place(tx: &mut WriteTx, partition: &Partition) -> Result<(), StoreError> {
    if partition.staying.is_empty() {
        return Ok(());
    }
    let month = &partition.month;
    for table in PARTITIONED {
        let (old, new) = names(table, month);
        run(tx, format!("ALTER TABLE {new} RENAME TO {old}")).await?;
        let (start, end) = (month.start, month.end);
        run(
            tx,
            format!("ALTER TABLE {table} ATTACH PARTITION {old} FOR VALUES FROM ({start}) TO ({end})"),
        )
        .await?;
    }
    Ok(())
}

/// Runs a statement of names and numbers of our own.
async fn run(tx: &mut WriteTx, sql: String) -> Result<(), StoreError> {
    let sql = AssertSqlSafe(sql);
    on_tx!(tx, connection => query(sql).persistent(false).execute(connection).await?.rows_affected());
    Ok(())
}

//! What PostgreSQL alone needs: the pool, and the monthly partitions.

use std::str::FromStr;
use std::time::Duration;

use sqlx::AssertSqlSafe;
use sqlx::Executor;
use sqlx::PgConnection;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

use super::insert::KEPT_STATEMENTS;
use super::logs::month::{self, Month};
use super::{Db, StoreError};

/// Connections of one process.
const CONNECTIONS: u32 = 12;

/// Connects to a server.
pub(super) async fn open(url: &str) -> Result<Db, StoreError> {
    let options = PgConnectOptions::from_str(url)?
        .application_name("audit-log")
        .statement_cache_capacity(KEPT_STATEMENTS);
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(Duration::from_secs(10))
        // Each statement reads little: compiling one to machine code costs more than running it.
        .after_connect(|connection, _| {
            Box::pin(async move {
                connection.execute("SET jit = off").await?;
                Ok(())
            })
        })
        .connect_with(options)
        .await?;
    Ok(Db::Postgres(pool))
}

/// Brings the schema up to date; several processes may try at once.
pub(super) async fn migrate(pool: &PgPool) -> Result<(), StoreError> {
    Ok(sqlx::migrate!("migrations/postgres").run(pool).await?)
}

/// The tables that are partitioned by month, in the order that those who write lock them.
pub(super) const PARTITIONED: [&str; 5] = ["logs", "log_signatures", "log_groups", "log_slices", "log_blocks"];

/// Guards the making of partitions among processes: an arbitrary number of our own.
const PARTITION_LOCK: i64 = 0x6c6f_6773;

/// Makes the monthly partitions that hold these times, where they are not there. Asks the database each time: another process may drop one.
pub(super) async fn make_partitions(pool: &PgPool, times: &[i64]) -> Result<(), StoreError> {
    let mut months: Vec<Month> = Vec::new();
    for &time in times {
        if !months.iter().any(|month| month.start <= time && time < month.end) {
            months.push(month::of(time));
        }
    }
    for month in months {
        let table = format!("log_blocks_{}", month.name);
        let there: bool = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL")
            .bind(table)
            .fetch_one(pool)
            .await?;
        if !there {
            let mut transaction = pool.begin().await?;
            make_partition(&mut transaction, &month).await?;
            transaction.commit().await?;
        }
    }
    Ok(())
}

/// Makes a month's partitions, where they are not there, in the transaction that is open.
pub(super) async fn make_partition(connection: &mut PgConnection, month: &Month) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT pg_advisory_xact_lock($1)")
        .bind(PARTITION_LOCK)
        .execute(&mut *connection)
        .await?;
    for table in PARTITIONED {
        // Names and bounds are numbers that `month` wrote.
        let Month { name, start, end } = month;
        let sql = format!("CREATE TABLE IF NOT EXISTS {table}_{name} PARTITION OF {table} FOR VALUES FROM ({start}) TO ({end})");
        sqlx::query(AssertSqlSafe(sql)).execute(&mut *connection).await?;
    }
    Ok(())
}

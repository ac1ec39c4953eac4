//! What PostgreSQL alone needs: the pool, and the monthly partitions.

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

use super::{Db, StoreError};

/// Connections of one process.
const CONNECTIONS: u32 = 12;

/// Connects to a server.
pub(super) async fn open(url: &str) -> Result<Db, StoreError> {
    let options = PgConnectOptions::from_str(url)?.application_name("audit-log");
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(Duration::from_secs(10))
        .connect_with(options)
        .await?;
    Ok(Db::Postgres(pool))
}

/// Brings the schema up to date; several processes may try at once.
pub(super) async fn migrate(pool: &PgPool) -> Result<(), StoreError> {
    Ok(sqlx::migrate!("migrations/postgres").run(pool).await?)
}

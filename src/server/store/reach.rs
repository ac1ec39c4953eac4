//! Whether the PostgreSQL can be reached.
//!
//! Where nobody listens at the database's address, sqlx's pool tries again and again for as long as somebody may wait for a connection: ten seconds, of which every
//! request would wait all. So a connection of its own is held here; once it is lost and no other can be had, the pool is pointed at an address that fails at once,
//! and back when the database answers again.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool};
use sqlx::{ConnectOptions, Connection};

/// How often it is looked whether the database is there.
const LOOK: Duration = Duration::from_millis(200);
/// A database that does not answer for so long is not there; one that has much to do may take its time.
const PATIENCE: Duration = Duration::from_secs(5);
/// A folder in which no socket of a PostgreSQL is: connecting there fails at once.
const NOWHERE: &str = "/dev/null/no-database";

/// Keeps watch until the pool is closed.
pub(super) fn watch(pool: PgPool) {
    let there = pool.connect_options().as_ref().clone();
    tokio::spawn(async move {
        let mut closed = pool.close_event();
        // It ends with the pool; nothing is to be said then.
        let _closed = closed.do_until(keep_watch(&pool, &there)).await;
    });
}

async fn keep_watch(pool: &PgPool, there: &PgConnectOptions) {
    let mut is_away = false;
    loop {
        match tokio::time::timeout(PATIENCE, there.connect()).await {
            Ok(Ok(connection)) => {
                if std::mem::take(&mut is_away) {
                    tracing::warn!("the database can be reached again");
                    pool.set_connect_options(there.clone());
                }
                until_lost(connection).await;
                continue;
            }
            Ok(Err(error)) if says_nothing(&error) => {}
            Ok(Err(_)) | Err(_) if is_away => {}
            away => {
                is_away = true;
                let why = away.map_or_else(
                    |_| "no answer".to_owned(),
                    |told| told.err().map_or_else(String::new, |error| error.to_string()),
                );
                tracing::error!(why, "the database cannot be reached: whoever asks for it is told so");
                pool.set_connect_options(there.clone().socket(NOWHERE));
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Whether an error of connecting says nothing of who is connected already: no more connections are taken, say.
fn says_nothing(error: &sqlx::Error) -> bool {
    // Class 57: it is shutting down, or starting up.
    let is_going = |code: &str| code.starts_with("57");
    matches!(error, sqlx::Error::Database(error) if !error.code().is_some_and(|code| is_going(&code)))
}

/// Waits until the connection is lost.
async fn until_lost(mut connection: PgConnection) {
    while let Ok(Ok(())) = tokio::time::timeout(PATIENCE, connection.ping()).await {
        tokio::time::sleep(LOOK).await;
    }
}

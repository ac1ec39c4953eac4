//! A person's second factor: what is secret in it is sealed by whoever calls, and of recovery codes only hashes are kept.

use sqlx::{query, query_as};

use super::db::on_db;
use super::{Db, StoreError};

/// A person's second factor.
#[derive(Clone, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct SecondFactor {
    /// The secret, sealed; none where it is off.
    #[sqlx(rename = "totp_secret")]
    pub secret: Option<Vec<u8>>,
    /// What waits to be confirmed, sealed.
    #[sqlx(rename = "totp_pending")]
    pub pending: Option<Vec<u8>>,
    /// The hashes of the recovery codes that are left, separated by commas.
    pub recovery: Option<String>,
}

/// A person's second factor, by their number.
pub async fn find(db: &Db, user: i64) -> Result<SecondFactor, StoreError> {
    const SQL: &str = "SELECT totp_secret, totp_pending, recovery FROM users WHERE id = $1";
    let row: Option<SecondFactor> = on_db!(read db, pool => query_as(SQL).bind(user).fetch_optional(pool).await?);
    Ok(row.unwrap_or_default())
}

/// Keeps what waits to be confirmed, in the place of what waited; nothing takes it away.
pub async fn set_pending(db: &Db, user: i64, sealed: Option<&[u8]>) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE users SET totp_pending = $2 WHERE id = $1";
    on_db!(write db, pool => query(SQL).bind(user).bind(sealed).execute(pool).await.map(|_| ()))?;
    Ok(())
}

/// Turns it on, with the code of `step` taken; false where what was confirmed is no longer what waits.
pub async fn confirm(db: &Db, user: i64, pending: &[u8], secret: &[u8], recovery: &str, step: i64) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE users SET totp_secret = $3, recovery = $4, totp_step = $5, totp_pending = NULL \
         WHERE id = $1 AND totp_pending = $2";
    let changed: u64 = on_db!(write db, pool => query(SQL)
        .bind(user)
        .bind(pending)
        .bind(secret)
        .bind(recovery)
        .bind(step)
        .execute(pool)
        .await?
        .rows_affected());
    Ok(changed == 1)
}

/// Takes the code of a step; false where it, or a later one, was taken before.
pub async fn take_step(db: &Db, user: i64, step: i64) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE users SET totp_step = $2 WHERE id = $1 AND (totp_step IS NULL OR totp_step < $2)";
    Ok(on_db!(write db, pool => query(SQL).bind(user).bind(step).execute(pool).await?.rows_affected()) == 1)
}

/// Puts one list of recovery codes in the place of another; false where that is no longer what is kept.
pub async fn set_recovery(db: &Db, user: i64, before: &str, now: &str) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE users SET recovery = $3 WHERE id = $1 AND recovery = $2";
    Ok(on_db!(write db, pool => query(SQL).bind(user).bind(before).bind(now).execute(pool).await?.rows_affected()) == 1)
}

/// Turns it off.
pub async fn clear(db: &Db, user: i64) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE users SET totp_secret = NULL, totp_pending = NULL, totp_step = NULL, recovery = NULL WHERE id = $1";
    on_db!(write db, pool => query(SQL).bind(user).execute(pool).await.map(|_| ()))?;
    Ok(())
}

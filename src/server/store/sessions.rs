//! Sign-ins that last: of a cookie's token only its SHA-256 is known.

use sqlx::{query, query_as};

use super::db::on_db;
use super::{Db, StoreError};

/// A sign-in to be kept.
#[derive(Clone, Copy, Debug)]
pub struct NewSession<'a> {
    /// The SHA-256 of the cookie's token.
    pub token_hash: [u8; 32],
    /// Whose.
    pub user: i64,
    /// Milliseconds since 1970.
    pub now_ms: i64,
    /// When it ends unless it is used.
    pub expires_at: i64,
    /// Where from.
    pub ip: &'a str,
    /// By which browser; cut at 512 bytes by whoever calls.
    pub user_agent: &'a str,
}

/// A sign-in that has not ended, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Session {
    /// The person's number.
    pub user_key: i64,
    /// `usr_…`.
    pub user_id: String,
    /// How they sign in.
    pub email: String,
    /// Whether they run the instance.
    pub operator: bool,
    /// When it ends unless it is used.
    pub expires_at: i64,
    /// When it was used last, to the hour.
    pub last_seen_at: i64,
}

/// Keeps a sign-in, and clears away those that have ended.
pub async fn add(db: &Db, new: NewSession<'_>) -> Result<(), StoreError> {
    const CLEAR: &str = "DELETE FROM sessions WHERE expires_at <= $1";
    const ADD: &str = "INSERT INTO sessions (token_hash, user_id, created_at, expires_at, last_seen_at, ip, user_agent) \
         VALUES ($1, $2, $3, $4, $3, $5, $6)";
    on_db!(write db, pool => {
        query(CLEAR).bind(new.now_ms).execute(pool).await?;
        query(ADD)
            .bind(&new.token_hash[..])
            .bind(new.user)
            .bind(new.now_ms)
            .bind(new.expires_at)
            .bind(new.ip)
            .bind(new.user_agent)
            .execute(pool)
            .await?;
    });
    Ok(())
}

/// The sign-in with this token, unless it has ended.
pub async fn find(db: &Db, token_hash: &[u8; 32], now_ms: i64) -> Result<Option<Session>, StoreError> {
    const SQL: &str = "SELECT u.id AS user_key, u.public_id AS user_id, u.email, u.operator, s.expires_at, s.last_seen_at \
         FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.token_hash = $1 AND s.expires_at > $2";
    Ok(on_db!(read db, pool => query_as(SQL).bind(&token_hash[..]).bind(now_ms).fetch_optional(pool).await?))
}

/// Notes that a sign-in is used, and puts its end off.
pub async fn touch(db: &Db, token_hash: &[u8; 32], now_ms: i64, expires_at: i64) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE sessions SET last_seen_at = $2, expires_at = $3 WHERE token_hash = $1 AND expires_at > $2";
    on_db!(write db, pool => query(SQL).bind(&token_hash[..]).bind(now_ms).bind(expires_at).execute(pool).await.map(|_| ()))?;
    Ok(())
}

/// A sign-in that has not ended, for whoever's it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnSession {
    /// The SHA-256 of the cookie's token.
    pub token_hash: [u8; 32],
    /// When it began.
    pub created_at: i64,
    /// When it was used last, to the hour.
    pub last_seen_at: i64,
    /// When it ends unless it is used.
    pub expires_at: i64,
    /// Where it began.
    pub ip: String,
    /// By which browser.
    pub user_agent: String,
}

/// A person's sign-ins that have not ended, the latest used first.
pub async fn of(db: &Db, user: i64, now_ms: i64) -> Result<Vec<OwnSession>, StoreError> {
    const SQL: &str = "SELECT token_hash, created_at, last_seen_at, expires_at, ip, user_agent FROM sessions \
         WHERE user_id = $1 AND expires_at > $2 ORDER BY last_seen_at DESC, created_at DESC";
    let rows: Vec<(Vec<u8>, i64, i64, i64, String, String)> =
        on_db!(read db, pool => query_as(SQL).bind(user).bind(now_ms).fetch_all(pool).await?);
    rows.into_iter()
        .map(|(hash, created_at, last_seen_at, expires_at, ip, user_agent)| {
            Ok(OwnSession {
                token_hash: hash
                    .try_into()
                    .map_err(|_| StoreError::Corrupt(format!("the token of a session of user {user}")))?,
                created_at,
                last_seen_at,
                expires_at,
                ip,
                user_agent,
            })
        })
        .collect()
}

/// Ends a person's sign-ins, all but one where one is to stay; gives those that it ended.
pub async fn end_all(db: &Db, user: i64, but: Option<&[u8; 32]>) -> Result<u64, StoreError> {
    const SQL: &str = "DELETE FROM sessions WHERE user_id = $1 AND token_hash <> $2";
    // No hash is empty.
    let but = but.map_or(&[][..], |hash| &hash[..]);
    Ok(on_db!(write db, pool => query(SQL).bind(user).bind(but).execute(pool).await?.rows_affected()))
}

/// Ends a sign-in.
pub async fn end(db: &Db, token_hash: &[u8; 32]) -> Result<(), StoreError> {
    const SQL: &str = "DELETE FROM sessions WHERE token_hash = $1";
    on_db!(write db, pool => query(SQL).bind(&token_hash[..]).execute(pool).await.map(|_| ()))?;
    Ok(())
}

//! Reading chains: where they end, their entries, the heads that were signed, and what stands in place of entries that are gone.

use std::collections::HashMap;

use sqlx::{query_as, query_scalar};

use super::canon::Digest;
use crate::server::store::db::on_db;
use crate::server::store::projects::ProjectKey;
use crate::server::store::{Db, StoreError};

/// An entry as it is stored: nothing of it has been checked.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct StoredEntry {
    /// Its place, from 1 on.
    pub number: i64,
    /// When it was made, in milliseconds since 1970.
    pub at: i64,
    /// What it speaks of.
    pub kind: i16,
    /// The bytes of what it says.
    pub body: Vec<u8>,
    /// Its digest.
    pub digest: Vec<u8>,
    /// Of an entry of logs, beside its body: the first one's number,
    pub first_seq: Option<i64>,
    /// and how many they are.
    pub logs: Option<i32>,
    /// The leaves of an entry of several logs, while any of those is left.
    pub leaves: Option<Vec<u8>>,
}

/// Some entries after one, in their order.
pub async fn entries(db: &Db, project: ProjectKey, after: i64, most: i64) -> Result<Vec<StoredEntry>, StoreError> {
    const ENTRIES: &str = "SELECT e.number, e.at, e.kind, e.body, e.digest, e.first_seq, e.logs, l.leaves FROM chain_entries AS e
        LEFT JOIN chain_leaves AS l ON l.project_id = e.project_id AND l.number = e.number
        WHERE e.project_id = $1 AND e.number > $2 ORDER BY e.number LIMIT $3";
    Ok(on_db!(read db, pool => query_as(ENTRIES).bind(project).bind(after).bind(most).fetch_all(pool).await?))
}

/// The same, with one byte of the leaves, where there are any.
pub async fn entries_alone(db: &Db, project: ProjectKey, after: i64, most: i64) -> Result<Vec<StoredEntry>, StoreError> {
    const ENTRIES: &str = "SELECT e.number, e.at, e.kind, e.body, e.digest, e.first_seq, e.logs, substr(l.leaves, 1, 1) AS leaves
        FROM chain_entries AS e LEFT JOIN chain_leaves AS l ON l.project_id = e.project_id AND l.number = e.number
        WHERE e.project_id = $1 AND e.number > $2 ORDER BY e.number LIMIT $3";
    Ok(on_db!(read db, pool => query_as(ENTRIES).bind(project).bind(after).bind(most).fetch_all(pool).await?))
}

/// Where a chain ends, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct StoredHead {
    /// The last entry's number.
    pub number: i64,
    /// Its digest.
    pub digest: Vec<u8>,
}

/// Where a project's chain ends; none where it has not begun.
pub async fn head(db: &Db, project: ProjectKey) -> Result<Option<StoredHead>, StoreError> {
    const HEAD: &str = "SELECT number, digest FROM chain_heads WHERE project_id = $1";
    Ok(on_db!(read db, pool => query_as(HEAD).bind(project).fetch_optional(pool).await?))
}

/// When an entry was made; none where it is not there, or went behind a checkpoint.
pub async fn made_at(db: &Db, project: ProjectKey, number: i64) -> Result<Option<i64>, StoreError> {
    const AT: &str = "SELECT at FROM chain_entries WHERE project_id = $1 AND number = $2";
    Ok(on_db!(read db, pool => query_scalar(AT).bind(project).bind(number).fetch_optional(pool).await?))
}

/// A project, or what is left of a deleted one.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Chained {
    /// The number that tables use.
    pub key: ProjectKey,
    /// `prj_…`.
    pub id: String,
    /// Whether the project was deleted.
    pub is_deleted: bool,
    /// Whether it has a chain, or something left of one.
    pub has_chain: bool,
    /// Whether it has logs.
    pub has_logs: bool,
}

/// All projects, in the order of their numbers.
pub async fn projects(db: &Db) -> Result<Vec<Chained>, StoreError> {
    const PROJECTS: &str = "SELECT p.id AS key, p.public_id AS id, p.deleted_at IS NOT NULL AS is_deleted,
            EXISTS (SELECT 1 FROM chain_heads AS h WHERE h.project_id = p.id) OR EXISTS (SELECT 1 FROM chain_entries AS e WHERE e.project_id = p.id)
                OR EXISTS (SELECT 1 FROM chain_signed AS s WHERE s.project_id = p.id) AS has_chain,
            EXISTS (SELECT 1 FROM logs AS l WHERE l.project_id = p.id AND l.origin IN (0, 1)) AS has_logs
        FROM projects AS p ORDER BY p.id";
    Ok(on_db!(read db, pool => query_as(PROJECTS).fetch_all(pool).await?))
}

/// A head that was signed.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct SignedRow {
    /// The entry's number.
    pub number: i64,
    /// Its digest.
    pub digest: Vec<u8>,
    /// When it was signed.
    pub at: i64,
    /// Whose signature it is: the public key.
    pub key: Vec<u8>,
    /// The signature.
    pub signature: Vec<u8>,
}

/// Some signed heads of a project after a number, in their order.
pub async fn signed(db: &Db, project: ProjectKey, after: i64, most: i64) -> Result<Vec<SignedRow>, StoreError> {
    const SIGNED: &str = "SELECT number, digest, at, key, signature FROM chain_signed WHERE project_id = $1 AND number > $2 ORDER BY number LIMIT $3";
    Ok(on_db!(read db, pool => query_as(SIGNED).bind(project).bind(after).bind(most).fetch_all(pool).await?))
}

/// Digests of signed heads, by the numbers of their entries.
pub type SignedDigests = HashMap<i64, Vec<u8>>;

/// The signed heads of entries after one, up to another.
pub async fn signed_between(db: &Db, project: ProjectKey, after: i64, last: i64) -> Result<SignedDigests, StoreError> {
    const BETWEEN: &str = "SELECT number, digest FROM chain_signed WHERE project_id = $1 AND number > $2 AND number <= $3";
    let rows: Vec<(i64, Vec<u8>)> =
        on_db!(read db, pool => query_as(BETWEEN).bind(project).bind(after).bind(last).fetch_all(pool).await?);
    Ok(rows.into_iter().collect())
}

/// The latest signed heads of a project, the newest first.
pub async fn latest_signed(db: &Db, project: ProjectKey, most: i64) -> Result<Vec<SignedRow>, StoreError> {
    signed_before(db, project, i64::MAX, most).await
}

/// The latest signed heads of a project before a number, the newest first.
pub async fn signed_before(db: &Db, project: ProjectKey, before: i64, most: i64) -> Result<Vec<SignedRow>, StoreError> {
    const BEFORE: &str = "SELECT number, digest, at, key, signature FROM chain_signed WHERE project_id = $1 AND number < $2 ORDER BY number DESC LIMIT $3";
    Ok(on_db!(read db, pool => query_as(BEFORE).bind(project).bind(before).bind(most).fetch_all(pool).await?))
}

/// A chain's end that is not signed.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Unsigned {
    /// Whose.
    pub project: ProjectKey,
    /// `prj_…`.
    pub project_id: String,
    /// The last entry's number.
    pub number: i64,
    /// Its digest.
    pub digest: Vec<u8>,
}

/// What stands in place of entries that are gone.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Checkpoint {
    /// The first entry that is gone.
    pub first_number: i64,
    /// The last one.
    pub last_number: i64,
    /// How many entries there were.
    pub entries: i64,
    /// How many logs they spoke of.
    pub logs: i64,
    /// When it was made.
    pub at: i64,
    /// The digest that the first one followed.
    pub before: Vec<u8>,
    /// The last one's digest.
    pub digest: Vec<u8>,
    /// Whose signature it is: the public key.
    pub key: Vec<u8>,
    /// The signature.
    pub signature: Vec<u8>,
}

/// A project's checkpoints, in their order.
pub async fn checkpoints(db: &Db, project: ProjectKey) -> Result<Vec<Checkpoint>, StoreError> {
    const ALL: &str = "SELECT first_number, last_number, entries, logs, at, before, digest, key, signature FROM chain_checkpoints
        WHERE project_id = $1 ORDER BY first_number";
    Ok(on_db!(read db, pool => query_as(ALL).bind(project).fetch_all(pool).await?))
}

/// What went behind checkpoints, all together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Behind {
    /// How many checkpoints there are.
    pub checkpoints: i64,
    /// How many entries stood there.
    pub entries: i64,
    /// How many logs those spoke of.
    pub logs: i64,
    /// When the last checkpoint was made; none where there is no checkpoint.
    pub at: Option<i64>,
}

/// What went behind a project's checkpoints.
pub async fn behind(db: &Db, project: ProjectKey) -> Result<Behind, StoreError> {
    // A sum of PostgreSQL's is no BIGINT by itself.
    const SUM: &str = "SELECT COUNT(*) AS checkpoints, CAST(COALESCE(SUM(entries), 0) AS BIGINT) AS entries,
        CAST(COALESCE(SUM(logs), 0) AS BIGINT) AS logs, MAX(at) AS at FROM chain_checkpoints WHERE project_id = $1";
    Ok(on_db!(read db, pool => query_as(SUM).bind(project).fetch_one(pool).await?))
}

/// A digest as it is stored; none where it is not as long as one.
pub fn digest_of(bytes: &[u8]) -> Option<Digest> {
    bytes.try_into().ok()
}

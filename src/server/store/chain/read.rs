//! Reading chains: where they end, their entries, the heads that were signed, and what stands in place of entries that are gone.

use sqlx::query_as;

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
    /// how many they are,
    pub logs: Option<i32>,
    /// and how many are left.
    pub logs_left: Option<i32>,
    /// The leaves of an entry of several logs, while any of those is left.
    pub leaves: Option<Vec<u8>>,
}

/// Some entries after one, in their order.
pub async fn entries(db: &Db, project: ProjectKey, after: i64, most: i64) -> Result<Vec<StoredEntry>, StoreError> {
    const ENTRIES: &str =
        "SELECT e.number, e.at, e.kind, e.body, e.digest, e.first_seq, e.logs, e.logs_left, l.leaves FROM chain_entries AS e
        LEFT JOIN chain_leaves AS l ON l.project_id = e.project_id AND l.number = e.number
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

/// A project that has a chain; deleted ones, too.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Chained {
    /// The number that tables use.
    pub key: ProjectKey,
    /// `prj_…`.
    pub id: String,
    /// Whether the project was deleted.
    pub is_deleted: bool,
}

/// The projects that have chains, or something left of one, in the order of their numbers.
pub async fn projects(db: &Db) -> Result<Vec<Chained>, StoreError> {
    const PROJECTS: &str = "SELECT p.id AS key, p.public_id AS id, p.deleted_at IS NOT NULL AS is_deleted FROM projects AS p
        WHERE EXISTS (SELECT 1 FROM chain_heads AS h WHERE h.project_id = p.id)
            OR EXISTS (SELECT 1 FROM chain_entries AS e WHERE e.project_id = p.id)
            OR EXISTS (SELECT 1 FROM chain_signed AS s WHERE s.project_id = p.id) ORDER BY p.id";
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

/// The latest signed heads of a project, the newest first.
pub async fn latest_signed(db: &Db, project: ProjectKey, most: i64) -> Result<Vec<SignedRow>, StoreError> {
    const LATEST: &str =
        "SELECT number, digest, at, key, signature FROM chain_signed WHERE project_id = $1 ORDER BY number DESC LIMIT $2";
    Ok(on_db!(read db, pool => query_as(LATEST).bind(project).bind(most).fetch_all(pool).await?))
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

/// A digest as it is stored; none where it is not as long as one.
pub fn digest_of(bytes: &[u8]) -> Option<Digest> {
    bytes.try_into().ok()
}

//! The keys of applications: of a project, and those that manage the instance. Of a token only its SHA-256 is known.

use sqlx::{query, query_as};

use super::db::{WriteTx, on_db, on_tx};
use super::projects::{Project, ProjectKey};
use super::{Changed, Db, StoreError};
use crate::model::key::KeyFacts;
use crate::model::rights::Scope;

/// A key of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Whose.
    pub project: Project,
    /// `key_…`.
    pub id: String,
    /// Its public id (`X-App-Id`).
    pub app_id: String,
    /// The SHA-256 of its token.
    pub token_hash: [u8; 32],
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// Whether it is a client-side key.
    pub client: bool,
    /// The origins that a client-side key is taken from.
    pub origins: Vec<String>,
    /// Calls a minute of its own; `None` for the instance's.
    pub calls_a_minute: Option<u32>,
    /// From when on this token is taken no more, in milliseconds since 1970.
    pub until: Option<i64>,
    /// When it was used last, to the minute, in milliseconds since 1970.
    pub last_used_at: Option<i64>,
}

/// A key to be kept.
#[derive(Clone, Copy, Debug)]
pub struct NewKey<'a> {
    /// `key_…`.
    pub id: &'a str,
    /// Its public id.
    pub app_id: &'a str,
    /// The SHA-256 of its token.
    pub token_hash: [u8; 32],
    /// What people call it.
    pub name: &'a str,
    /// Milliseconds since 1970.
    pub now_ms: i64,
}

/// What a project's key may do.
#[derive(Clone, Copy, Debug)]
pub struct KeyPowers<'a> {
    /// Its scopes.
    pub scopes: &'a [Scope],
    /// The origins of a client-side key; none for a server-side key.
    pub client_origins: Option<&'a [String]>,
    /// Calls a minute of its own; `None` for the instance's.
    pub calls_a_minute: Option<u32>,
    /// From when on it is taken no more.
    pub expires_at: Option<i64>,
}

impl KeyPowers<'_> {
    /// Scopes and origins as the table has them.
    fn lists(&self) -> (String, String) {
        let scopes = self.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(",");
        (scopes, self.client_origins.unwrap_or_default().join(","))
    }
}

/// A key that manages the instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagementKey {
    /// `key_…`.
    pub id: String,
    /// Its public id (`X-Management-Id`).
    pub app_id: String,
    /// The SHA-256 of its token.
    pub token_hash: [u8; 32],
    /// What people call it.
    pub name: String,
}

/// Keeps a project's key.
pub async fn add(db: &Db, project: ProjectKey, new: NewKey<'_>, powers: KeyPowers<'_>) -> Result<KeyFacts, StoreError> {
    const SQL: &str = "INSERT INTO api_keys (project_id, id, app_id, token_hash, name, scopes, client, origins, created_at, \
         calls_a_minute, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    let (scopes, origins) = powers.lists();
    let mut tx = WriteTx::begin(db).await?;
    on_tx!(&mut tx, connection => query(SQL)
        .bind(project)
        .bind(new.id)
        .bind(new.app_id)
        .bind(&new.token_hash[..])
        .bind(new.name)
        .bind(&scopes)
        .bind(powers.client_origins.is_some())
        .bind(&origins)
        .bind(new.now_ms)
        .bind(powers.calls_a_minute.map(i64::from))
        .bind(powers.expires_at)
        .execute(connection)
        .await?
        .rows_affected());
    let row: FactsRow = on_tx!(&mut tx, connection => query_as(ONE).bind(project).bind(new.app_id).fetch_one(connection).await?);
    let key = row.read()?;
    tx.commit().await?;
    Ok(key)
}

#[derive(sqlx::FromRow)]
struct KeyRow {
    project_key: i64,
    project_id: String,
    project_name: String,
    time_zone: String,
    project_created_at: i64,
    id: String,
    app_id: String,
    token_hash: Vec<u8>,
    name: String,
    scopes: String,
    client: bool,
    origins: String,
    calls_a_minute: Option<i64>,
    expires_at: Option<i64>,
    old_until: Option<i64>,
    last_used_at: Option<i64>,
}

/// The key with this token, or with this one before it was rotated, as long as that is taken; none that was revoked or has expired.
pub async fn find_by_token(db: &Db, token_hash: &[u8; 32], now_ms: i64) -> Result<Option<ApiKey>, StoreError> {
    const SQL: &str = "SELECT p.id AS project_key, p.public_id AS project_id, p.name AS project_name, p.time_zone, \
         p.created_at AS project_created_at, k.id, k.app_id, k.name, k.scopes, k.client, k.origins, k.last_used_at, \
         k.calls_a_minute, k.expires_at, CASE WHEN k.token_hash = $1 THEN k.token_hash ELSE k.old_token_hash END AS token_hash, \
         CASE WHEN k.token_hash = $1 THEN NULL ELSE k.old_until END AS old_until \
         FROM api_keys k JOIN projects p ON p.id = k.project_id \
         WHERE (k.token_hash = $1 OR (k.old_token_hash = $1 AND k.old_until > $2)) AND k.revoked_at IS NULL \
         AND p.deleted_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > $2)";
    let row: Option<KeyRow> =
        on_db!(read db, pool => query_as(SQL).bind(&token_hash[..]).bind(now_ms).fetch_optional(pool).await?);
    row.map(read_key).transpose()
}

fn read_key(row: KeyRow) -> Result<ApiKey, StoreError> {
    let scopes = read_scopes(&row.scopes, &row.id)?;
    Ok(ApiKey {
        project: Project {
            key: row.project_key,
            id: row.project_id,
            name: row.project_name,
            time_zone: row.time_zone,
            created_at: row.project_created_at,
        },
        token_hash: read_hash(row.token_hash, &row.id)?,
        id: row.id,
        app_id: row.app_id,
        name: row.name,
        scopes,
        client: row.client,
        origins: words(&row.origins).map(str::to_owned).collect(),
        calls_a_minute: read_calls(row.calls_a_minute),
        until: [row.expires_at, row.old_until].into_iter().flatten().min(),
        last_used_at: row.last_used_at,
    })
}

fn read_scopes(list: &str, id: &str) -> Result<Vec<Scope>, StoreError> {
    words(list)
        .map(|word| Scope::parse(word).ok_or_else(|| StoreError::Corrupt(format!("the scope {word:?} of key {id}"))))
        .collect()
}

/// What was kept is a number of a minute's calls; none beyond it was ever written.
fn read_calls(calls: Option<i64>) -> Option<u32> {
    calls.and_then(|calls| u32::try_from(calls).ok())
}

#[derive(sqlx::FromRow)]
struct FactsRow {
    app_id: String,
    name: String,
    scopes: String,
    client: bool,
    origins: String,
    calls_a_minute: Option<i64>,
    created_at: i64,
    expires_at: Option<i64>,
    last_used_at: Option<i64>,
    revoked_at: Option<i64>,
    old_until: Option<i64>,
}

impl FactsRow {
    fn read(self) -> Result<KeyFacts, StoreError> {
        Ok(KeyFacts {
            scopes: read_scopes(&self.scopes, &self.app_id)?,
            origins: self.client.then(|| words(&self.origins).map(str::to_owned).collect()),
            calls_a_minute: read_calls(self.calls_a_minute),
            app_id: self.app_id,
            name: self.name,
            created_at: self.created_at,
            expires_at: self.expires_at,
            last_used_at: self.last_used_at,
            revoked_at: self.revoked_at,
            old_token_until: self.old_until,
        })
    }
}

const ONE: &str = "SELECT app_id, name, scopes, client, origins, calls_a_minute, created_at, expires_at, last_used_at, revoked_at, \
     old_until FROM api_keys WHERE project_id = $1 AND app_id = $2";

/// A project's key; one that was revoked, too.
pub async fn find(db: &Db, project: ProjectKey, app_id: &str) -> Result<Option<KeyFacts>, StoreError> {
    let row: Option<FactsRow> = on_db!(read db, pool => query_as(ONE).bind(project).bind(app_id).fetch_optional(pool).await?);
    row.map(FactsRow::read).transpose()
}

/// A transaction in which nobody else changes a key, and the key as it is.
async fn begin(db: &Db, project: ProjectKey, app_id: &str) -> Result<(WriteTx, Option<KeyFacts>), StoreError> {
    const LOCK: &str = "UPDATE api_keys SET app_id = app_id WHERE project_id = $1 AND app_id = $2";
    let mut tx = WriteTx::begin(db).await?;
    on_tx!(&mut tx, connection => query(LOCK).bind(project).bind(app_id).execute(connection).await?.rows_affected());
    let key = one_in(&mut tx, project, app_id).await?;
    Ok((tx, key))
}

async fn one_in(tx: &mut WriteTx, project: ProjectKey, app_id: &str) -> Result<Option<KeyFacts>, StoreError> {
    let row: Option<FactsRow> =
        on_tx!(tx, connection => query_as(ONE).bind(project).bind(app_id).fetch_optional(connection).await?);
    row.map(FactsRow::read).transpose()
}

/// Ends what [`begin`] began, once so many rows were changed.
async fn end(
    mut tx: WriteTx,
    project: ProjectKey,
    before: Option<KeyFacts>,
    changed: u64,
) -> Result<Option<Changed<KeyFacts>>, StoreError> {
    let Some(before) = before.filter(|_| changed > 0) else {
        return Ok(None);
    };
    let after = one_in(&mut tx, project, &before.app_id).await?;
    tx.commit().await?;
    Ok(after.map(|after| Changed { before, after }))
}

/// A project's keys, the newest first; those that were revoked, too.
pub async fn list(db: &Db, project: ProjectKey) -> Result<Vec<KeyFacts>, StoreError> {
    const SQL: &str = "SELECT app_id, name, scopes, client, origins, calls_a_minute, created_at, expires_at, last_used_at, revoked_at, \
         old_until FROM api_keys WHERE project_id = $1 ORDER BY created_at DESC, id DESC";
    let rows: Vec<FactsRow> = on_db!(read db, pool => query_as(SQL).bind(project).fetch_all(pool).await?);
    rows.into_iter().map(FactsRow::read).collect()
}

/// Changes what a key is called and may do; nothing where there is none that could be: another project's, revoked, or of the other kind.
pub async fn change(
    db: &Db,
    project: ProjectKey,
    app_id: &str,
    name: &str,
    powers: KeyPowers<'_>,
) -> Result<Option<Changed<KeyFacts>>, StoreError> {
    const SQL: &str = "UPDATE api_keys SET name = $3, scopes = $4, origins = $5, calls_a_minute = $6, expires_at = $7 \
         WHERE project_id = $1 AND app_id = $2 AND revoked_at IS NULL AND client = $8";
    let (scopes, origins) = powers.lists();
    let (mut tx, before) = begin(db, project, app_id).await?;
    let changed: u64 = on_tx!(&mut tx, connection => query(SQL)
        .bind(project)
        .bind(app_id)
        .bind(name)
        .bind(&scopes)
        .bind(&origins)
        .bind(powers.calls_a_minute.map(i64::from))
        .bind(powers.expires_at)
        .bind(powers.client_origins.is_some())
        .execute(connection)
        .await?
        .rows_affected());
    end(tx, project, before, changed).await
}

/// Gives a key another token; the one before is taken until `old_until`, the one before that no more. Nothing where there is none that could be:
/// another project's, revoked, or expired.
pub async fn rotate(
    db: &Db,
    project: ProjectKey,
    app_id: &str,
    token_hash: &[u8; 32],
    old_until: i64,
    now_ms: i64,
) -> Result<Option<Changed<KeyFacts>>, StoreError> {
    const SQL: &str = "UPDATE api_keys SET old_token_hash = token_hash, old_until = $4, token_hash = $3 \
         WHERE project_id = $1 AND app_id = $2 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $5)";
    let (mut tx, before) = begin(db, project, app_id).await?;
    let changed: u64 = on_tx!(&mut tx, connection => query(SQL)
        .bind(project)
        .bind(app_id)
        .bind(&token_hash[..])
        .bind(old_until)
        .bind(now_ms)
        .execute(connection)
        .await?
        .rows_affected());
    end(tx, project, before, changed).await
}

/// The origins of every client-side key that is taken.
pub async fn client_origins(db: &Db) -> Result<Vec<String>, StoreError> {
    const SQL: &str = "SELECT DISTINCT k.origins FROM api_keys k JOIN projects p ON p.id = k.project_id \
         WHERE k.client = $1 AND k.revoked_at IS NULL AND p.deleted_at IS NULL";
    let lists: Vec<String> = on_db!(read db, pool => sqlx::query_scalar(SQL).bind(true).fetch_all(pool).await?);
    Ok(lists.iter().flat_map(|list| words(list)).map(str::to_owned).collect())
}

/// Notes that a key was used, at most once a minute.
pub async fn touch(db: &Db, project: ProjectKey, id: &str, now_ms: i64) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE api_keys SET last_used_at = $3 WHERE project_id = $1 AND id = $2 \
         AND (last_used_at IS NULL OR last_used_at < $3 - 60000)";
    on_db!(write db, pool => query(SQL).bind(project).bind(id).bind(now_ms).execute(pool).await.map(|_| ()))?;
    Ok(())
}

/// Revokes a project's key; nothing where there is none that could be.
pub async fn revoke(db: &Db, project: ProjectKey, app_id: &str, now_ms: i64) -> Result<Option<Changed<KeyFacts>>, StoreError> {
    const SQL: &str = "UPDATE api_keys SET revoked_at = $3 WHERE project_id = $1 AND app_id = $2 AND revoked_at IS NULL";
    let (mut tx, before) = begin(db, project, app_id).await?;
    let changed: u64 = on_tx!(&mut tx, connection => query(SQL).bind(project).bind(app_id).bind(now_ms).execute(connection).await?.rows_affected());
    end(tx, project, before, changed).await
}

/// Keeps a management key.
pub async fn add_management(db: &Db, new: NewKey<'_>) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO management_keys (id, app_id, token_hash, name, created_at) VALUES ($1, $2, $3, $4, $5)";
    on_db!(write db, pool => query(SQL)
        .bind(new.id)
        .bind(new.app_id)
        .bind(&new.token_hash[..])
        .bind(new.name)
        .bind(new.now_ms)
        .execute(pool)
        .await
        .map(|_| ()))?;
    Ok(())
}

/// The management key with this token, unless it was revoked.
pub async fn find_management_by_token(db: &Db, token_hash: &[u8; 32]) -> Result<Option<ManagementKey>, StoreError> {
    const SQL: &str = "SELECT id, app_id, token_hash, name FROM management_keys WHERE token_hash = $1 AND revoked_at IS NULL";
    let row: Option<(String, String, Vec<u8>, String)> =
        on_db!(read db, pool => query_as(SQL).bind(&token_hash[..]).fetch_optional(pool).await?);
    row.map(|(id, app_id, hash, name)| {
        Ok(ManagementKey {
            token_hash: read_hash(hash, &id)?,
            id,
            app_id,
            name,
        })
    })
    .transpose()
}

fn read_hash(bytes: Vec<u8>, id: &str) -> Result<[u8; 32], StoreError> {
    bytes
        .try_into()
        .map_err(|_| StoreError::Corrupt(format!("the token of key {id}")))
}

fn words(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').filter(|word| !word.is_empty())
}

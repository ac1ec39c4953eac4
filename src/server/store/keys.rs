//! The keys of applications: of a project, and those that manage the instance. Of a token only its SHA-256 is known.

use sqlx::{query, query_as};

use super::db::on_db;
use super::projects::{Project, ProjectKey};
use super::{Db, StoreError};
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
pub async fn add(db: &Db, project: ProjectKey, new: NewKey<'_>, powers: KeyPowers<'_>) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO api_keys (project_id, id, app_id, token_hash, name, scopes, client, origins, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let scopes = powers.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(",");
    let origins = powers.client_origins.unwrap_or_default().join(",");
    on_db!(write db, pool => query(SQL)
        .bind(project)
        .bind(new.id)
        .bind(new.app_id)
        .bind(&new.token_hash[..])
        .bind(new.name)
        .bind(&scopes)
        .bind(powers.client_origins.is_some())
        .bind(&origins)
        .bind(new.now_ms)
        .execute(pool)
        .await
        .map(|_| ()))?;
    Ok(())
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
    last_used_at: Option<i64>,
}

/// The key with this token, unless it was revoked.
pub async fn find_by_token(db: &Db, token_hash: &[u8; 32]) -> Result<Option<ApiKey>, StoreError> {
    const SQL: &str = "SELECT p.id AS project_key, p.public_id AS project_id, p.name AS project_name, p.time_zone, \
         p.created_at AS project_created_at, k.id, k.app_id, k.token_hash, k.name, k.scopes, k.client, k.origins, k.last_used_at \
         FROM api_keys k JOIN projects p ON p.id = k.project_id WHERE k.token_hash = $1 AND k.revoked_at IS NULL";
    let row: Option<KeyRow> = on_db!(read db, pool => query_as(SQL).bind(&token_hash[..]).fetch_optional(pool).await?);
    row.map(read_key).transpose()
}

fn read_key(row: KeyRow) -> Result<ApiKey, StoreError> {
    let scopes = words(&row.scopes)
        .map(|word| Scope::parse(word).ok_or_else(|| StoreError::Corrupt(format!("the scope {word:?} of key {}", row.id))))
        .collect::<Result<_, _>>()?;
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
        last_used_at: row.last_used_at,
    })
}

/// The origins of every client-side key that is taken.
pub async fn client_origins(db: &Db) -> Result<Vec<String>, StoreError> {
    const SQL: &str = "SELECT DISTINCT origins FROM api_keys WHERE client = $1 AND revoked_at IS NULL";
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

/// Revokes a project's key; false where there is none that could be.
pub async fn revoke(db: &Db, project: ProjectKey, app_id: &str, now_ms: i64) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE api_keys SET revoked_at = $3 WHERE project_id = $1 AND app_id = $2 AND revoked_at IS NULL";
    let changed: u64 =
        on_db!(write db, pool => query(SQL).bind(project).bind(app_id).bind(now_ms).execute(pool).await?.rows_affected());
    Ok(changed > 0)
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

//! The log of the log, of living and of deleted projects alike: for whoever runs the server, who reads it by `audit-log trail`.

use sqlx::{query_as, query_scalar};

use super::db::on_db;
use super::projects::ProjectKey;
use super::{Db, StoreError};

/// A project that has, or may have, a log of the log.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Trail {
    /// The number that tables use.
    #[sqlx(rename = "id")]
    pub project: ProjectKey,
    /// `prj_…`.
    #[sqlx(rename = "public_id")]
    pub id: String,
    /// What people call it, or called it.
    pub name: String,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// When it was deleted, in milliseconds since 1970; none while it lives.
    pub deleted_at: Option<i64>,
}

/// Some projects after a number, in the order that they were made in.
pub async fn some(db: &Db, after: ProjectKey, most: i64) -> Result<Vec<Trail>, StoreError> {
    const SOME: &str = "SELECT id, public_id, name, created_at, deleted_at FROM projects WHERE id > $1 ORDER BY id LIMIT $2";
    Ok(on_db!(read db, pool => query_as(SOME).bind(after).bind(most).fetch_all(pool).await?))
}

/// The project with this id, deleted or not.
pub async fn find(db: &Db, id: &str) -> Result<Option<Trail>, StoreError> {
    const FIND: &str = "SELECT id, public_id, name, created_at, deleted_at FROM projects WHERE public_id = $1";
    Ok(on_db!(read db, pool => query_as(FIND).bind(id).fetch_optional(pool).await?))
}

/// How many logs a project's log of the log has.
pub async fn count(db: &Db, project: ProjectKey) -> Result<i64, StoreError> {
    const COUNT: &str = "SELECT CAST(COALESCE(SUM(count), 0) AS BIGINT) FROM log_minutes WHERE project_id = $1 AND origin = 1";
    Ok(on_db!(read db, pool => query_scalar(COUNT).bind(project).fetch_one(pool).await?))
}

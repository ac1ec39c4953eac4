//! Projects. Every row of everything belongs to one.

use sqlx::{query, query_as, query_scalar};

use super::db::{WriteTx, on_db, on_tx};
use super::{Changed, Db, StoreError};
use crate::model::project::{Holdings, ProjectWish};

/// The number by which every table names a project; never shown.
pub type ProjectKey = i64;

/// The number of the field `endpoint` in `log_value_days`.
const ENDPOINT_FIELD: i16 = super::logs::ValueField::Endpoint.number();

/// A project.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Project {
    /// The number that tables use.
    #[sqlx(rename = "id")]
    pub key: ProjectKey,
    /// `prj_…`.
    #[sqlx(rename = "public_id")]
    pub id: String,
    /// What people call it.
    pub name: String,
    /// An IANA time zone, `UTC` where nobody chose one.
    pub time_zone: String,
    /// Milliseconds since 1970.
    pub created_at: i64,
}

/// Makes a project; its time zone is an IANA name.
pub async fn add(db: &Db, id: &str, name: &str, time_zone: &str, now_ms: i64) -> Result<Project, StoreError> {
    const ADD: &str = "INSERT INTO projects (public_id, name, time_zone, created_at) VALUES ($1, $2, $3, $4)
        RETURNING id, public_id, name, time_zone, created_at";
    let mut tx = WriteTx::begin(db).await?;
    let added: Result<Project, sqlx::Error> =
        on_tx!(&mut tx, connection => query_as(ADD).bind(id).bind(name).bind(time_zone).bind(now_ms).fetch_one(connection).await);
    let added = added.map_err(|problem| match problem.as_database_error() {
        Some(database) if database.is_unique_violation() => StoreError::Taken(format!("the project id {id}")),
        _ => problem.into(),
    })?;
    tx.note(added.key, now_ms).begun();
    tx.commit().await?;
    Ok(added)
}

/// Begins the chains of projects that have none: those from before there were chains.
pub async fn begin_chains(db: &Db, now_ms: i64) -> Result<(), StoreError> {
    const WITHOUT: &str = "SELECT id FROM projects AS p WHERE deleted_at IS NULL AND NOT EXISTS (SELECT 1 FROM chain_heads AS h WHERE h.project_id = p.id)";
    let without: Vec<ProjectKey> = on_db!(read db, pool => query_scalar(WITHOUT).fetch_all(pool).await?);
    for project in without {
        let mut tx = WriteTx::begin(db).await?;
        tx.note(project, now_ms).begun();
        tx.commit().await?;
    }
    Ok(())
}

/// The project with this id.
pub async fn find(db: &Db, id: &str) -> Result<Option<Project>, StoreError> {
    const FIND: &str =
        "SELECT id, public_id, name, time_zone, created_at FROM projects WHERE public_id = $1 AND deleted_at IS NULL";
    Ok(on_db!(read db, pool => query_as(FIND).bind(id).fetch_optional(pool).await)?)
}

/// The id of the project with this number.
pub async fn public_id(db: &Db, project: ProjectKey) -> Result<Option<String>, StoreError> {
    const FIND: &str = "SELECT public_id FROM projects WHERE id = $1";
    Ok(on_db!(read db, pool => query_scalar(FIND).bind(project).fetch_optional(pool).await)?)
}

/// Every project, oldest first.
pub async fn all(db: &Db) -> Result<Vec<Project>, StoreError> {
    const ALL: &str =
        "SELECT id, public_id, name, time_zone, created_at FROM projects WHERE deleted_at IS NULL ORDER BY created_at, id";
    Ok(on_db!(read db, pool => query_as(ALL).fetch_all(pool).await)?)
}

/// Sets all that can be changed of a project, checked by the caller. Nothing where there is no such project.
pub async fn change(db: &Db, project: ProjectKey, wish: &ProjectWish) -> Result<Option<Changed<ProjectWish>>, StoreError> {
    const LOCK: &str = "UPDATE projects SET name = name WHERE id = $1 AND deleted_at IS NULL";
    const BEFORE: &str = "SELECT name, time_zone, endpoint_templates FROM projects WHERE id = $1";
    const SET: &str = "UPDATE projects SET name = $2, time_zone = $3, endpoint_templates = $4 WHERE id = $1";
    let templates = serde_json::Value::from(wish.templates.clone()).to_string();
    let mut tx = WriteTx::begin(db).await?;
    let found = on_tx!(&mut tx, connection => query(LOCK).bind(project).execute(connection).await?.rows_affected());
    if found == 0 {
        return Ok(None);
    }
    let (name, time_zone, text): (String, String, String) =
        on_tx!(&mut tx, connection => query_as(BEFORE).bind(project).fetch_one(connection).await?);
    on_tx!(&mut tx, connection => query(SET).bind(project).bind(&wish.name).bind(&wish.time_zone).bind(templates)
        .execute(connection).await?.rows_affected());
    tx.commit().await?;
    let before = ProjectWish {
        name,
        time_zone,
        templates: read_templates(project, &text)?,
    };
    Ok(Some(Changed {
        before,
        after: wish.clone(),
    }))
}

fn read_templates(project: ProjectKey, text: &str) -> Result<Vec<String>, StoreError> {
    serde_json::from_str(text)
        .map_err(|problem| StoreError::Corrupt(format!("endpoint templates of project {project}: {problem}")))
}

/// Deletes a project: from now on nobody reaches it and nothing of it runs; what it holds is removed little by little, the log of the log last of all
/// ([`super::purge`]).
/// False where there is no such project.
pub async fn delete(db: &Db, project: ProjectKey, now_ms: i64) -> Result<bool, StoreError> {
    const DELETE: &str = "UPDATE projects SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL";
    let mut tx = WriteTx::begin(db).await?;
    let deleted =
        on_tx!(&mut tx, connection => query(DELETE).bind(project).bind(now_ms).execute(connection).await?.rows_affected());
    if deleted == 1 {
        super::purge::stop_in(&mut tx, project, now_ms).await?;
        tx.note(project, now_ms).project_deleted();
        tx.commit().await?;
    }
    Ok(deleted == 1)
}

/// What a project holds.
pub async fn holdings(db: &Db, project: ProjectKey) -> Result<Holdings, StoreError> {
    const SQL: &str = "SELECT \
         (SELECT CAST(COALESCE(SUM(count), 0) AS BIGINT) FROM log_minutes WHERE project_id = $1 AND origin = 0) AS logs, \
         (SELECT COUNT(*) FROM tasks WHERE project_id = $1) AS tasks, \
         (SELECT COUNT(*) FROM exports WHERE project_id = $1) AS exports, \
         (SELECT COUNT(*) FROM endpoints WHERE project_id = $1 AND deleted_at IS NULL) AS endpoints, \
         (SELECT COUNT(*) FROM api_keys WHERE project_id = $1 AND revoked_at IS NULL) AS keys, \
         (SELECT COUNT(*) FROM members WHERE project_id = $1) AS members";
    let (logs, tasks, exports, endpoints, keys, members): (i64, i64, i64, i64, i64, i64) =
        on_db!(read db, pool => query_as(SQL).bind(project).fetch_one(pool).await?);
    Ok(Holdings {
        logs,
        tasks,
        exports,
        endpoints,
        keys,
        members,
    })
}

/// Sets the time zone that a project's people read times in: an IANA name, checked by the caller. False where there is no such project.
pub async fn set_time_zone(db: &Db, project: ProjectKey, zone: &str) -> Result<bool, StoreError> {
    const SET: &str = "UPDATE projects SET time_zone = $2 WHERE id = $1";
    let changed = on_db!(write db, pool => query(SET).bind(project).bind(zone).execute(pool).await?.rows_affected());
    Ok(changed == 1)
}

/// The project's own route templates, as `/v1/vouchers/{code}`; they come before the general rule for endpoint names.
pub async fn endpoint_templates(db: &Db, project: ProjectKey) -> Result<Vec<String>, StoreError> {
    const TEMPLATES: &str = "SELECT endpoint_templates FROM projects WHERE id = $1";
    let text: Option<String> = on_db!(read db, pool => query_scalar(TEMPLATES).bind(project).fetch_optional(pool).await)?;
    let Some(text) = text else { return Ok(Vec::new()) };
    read_templates(project, &text)
}

/// Replaces the project's own route templates. False where there is no such project.
pub async fn set_endpoint_templates(db: &Db, project: ProjectKey, templates: &[String]) -> Result<bool, StoreError> {
    const SET: &str = "UPDATE projects SET endpoint_templates = $2 WHERE id = $1";
    let text = serde_json::Value::from(templates.to_vec()).to_string();
    let changed = on_db!(write db, pool => query(SET).bind(project).bind(text).execute(pool).await?.rows_affected());
    Ok(changed == 1)
}

/// The endpoint names that the project's logs have.
pub async fn endpoint_names_in_use(db: &Db, project: ProjectKey) -> Result<Vec<String>, StoreError> {
    const NAMES: &str = "SELECT DISTINCT value FROM log_value_days WHERE project_id = $1 AND field = $2";
    Ok(on_db!(read db, pool => query_scalar(NAMES).bind(project).bind(ENDPOINT_FIELD).fetch_all(pool).await)?)
}

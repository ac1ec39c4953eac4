//! Embedded views: which view, for whom and until when. What a link is, and what it shows, [`server::embeds`](crate::server::embeds) knows.

use sqlx::{query, query_as, query_scalar};

use super::db::on_db;
use super::projects::{Project, ProjectKey};
use super::{Changed, Db, StoreError};
use crate::model::embed::EmbedStanding;
use crate::model::rights::Role;

/// An embedded view as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Embed {
    /// `emb_…`.
    pub id: String,
    /// The number of whoever made it.
    pub user: i64,
    /// How they sign in.
    pub by: String,
    /// What they are in the project by now; nothing where they have left it.
    pub role: Option<Role>,
    /// What people of the project call it.
    pub name: String,
    /// Its view, `view_…`.
    pub view: String,
    /// Whether it shows headers and bodies.
    pub bodies: bool,
    /// Whether it shows who did it.
    pub users: bool,
    /// Whose pages may frame it.
    pub origins: Vec<String>,
    /// Milliseconds since 1970, as all times here.
    pub created_at: i64,
    /// From when on its link leads nowhere.
    pub expires_at: i64,
    /// When somebody ended it.
    pub revoked_at: Option<i64>,
    /// How many pages it has shown.
    pub opened: i64,
    /// When the last of them.
    pub opened_at: Option<i64>,
}

impl Embed {
    /// How it stands at a time.
    pub const fn standing(&self, now_ms: i64) -> EmbedStanding {
        EmbedStanding::at(now_ms, self.expires_at, self.revoked_at)
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    user_id: i64,
    email: String,
    role: Option<String>,
    name: String,
    view_id: String,
    read_bodies: bool,
    read_users: bool,
    origins: String,
    created_at: i64,
    expires_at: i64,
    revoked_at: Option<i64>,
    opened: i64,
    opened_at: Option<i64>,
}

impl From<Row> for Embed {
    fn from(row: Row) -> Self {
        Self {
            role: row.role.as_deref().and_then(Role::parse),
            id: row.id,
            user: row.user_id,
            by: row.email,
            name: row.name,
            view: row.view_id,
            bodies: row.read_bodies,
            users: row.read_users,
            origins: row.origins.split_whitespace().map(str::to_owned).collect(),
            created_at: row.created_at,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
            opened: row.opened,
            opened_at: row.opened_at,
        }
    }
}

/// A project's embedded views, the newest first; those that have ended, too.
pub async fn list(db: &Db, project: ProjectKey) -> Result<Vec<Embed>, StoreError> {
    const SQL: &str = "SELECT e.id, e.user_id, u.email, m.role, e.name, e.view_id, e.read_bodies, e.read_users, e.origins, e.created_at, \
         e.expires_at, e.revoked_at, e.opened, e.opened_at FROM embeds e JOIN users u ON u.id = e.user_id \
         LEFT JOIN members m ON m.project_id = e.project_id AND m.user_id = e.user_id \
         WHERE e.project_id = $1 ORDER BY e.created_at DESC, e.id DESC";
    let rows: Vec<Row> = on_db!(read db, pool => query_as(SQL).bind(project).fetch_all(pool).await?);
    Ok(rows.into_iter().map(Embed::from).collect())
}

/// An embedded view of a project.
pub async fn find(db: &Db, project: ProjectKey, id: &str) -> Result<Option<Embed>, StoreError> {
    const SQL: &str = "SELECT e.id, e.user_id, u.email, m.role, e.name, e.view_id, e.read_bodies, e.read_users, e.origins, e.created_at, \
         e.expires_at, e.revoked_at, e.opened, e.opened_at FROM embeds e JOIN users u ON u.id = e.user_id \
         LEFT JOIN members m ON m.project_id = e.project_id AND m.user_id = e.user_id \
         WHERE e.project_id = $1 AND e.id = $2";
    let row: Option<Row> = on_db!(read db, pool => query_as(SQL).bind(project).bind(id).fetch_optional(pool).await?);
    Ok(row.map(Embed::from))
}

/// The project of an embedded view, unless it was deleted: a link names no project.
pub async fn project_of(db: &Db, id: &str) -> Result<Option<Project>, StoreError> {
    const SQL: &str = "SELECT p.id, p.public_id, p.name, p.time_zone, p.created_at FROM embeds e \
         JOIN projects p ON p.id = e.project_id WHERE e.id = $1 AND p.deleted_at IS NULL";
    Ok(on_db!(read db, pool => query_as(SQL).bind(id).fetch_optional(pool).await?))
}

/// Those that have not ended, by view and name: what a view is shown by.
pub async fn shown_by(db: &Db, project: ProjectKey, now_ms: i64) -> Result<Vec<(String, String)>, StoreError> {
    const SQL: &str = "SELECT view_id, name FROM embeds \
         WHERE project_id = $1 AND revoked_at IS NULL AND expires_at > $2 ORDER BY view_id, name, id";
    Ok(on_db!(read db, pool => query_as(SQL).bind(project).bind(now_ms).fetch_all(pool).await?))
}

/// How many a project has.
pub async fn count(db: &Db, project: ProjectKey) -> Result<i64, StoreError> {
    const SQL: &str = "SELECT COUNT(*) FROM embeds WHERE project_id = $1";
    Ok(on_db!(read db, pool => query_scalar(SQL).bind(project).fetch_one(pool).await?))
}

/// Keeps a new one.
pub async fn add(db: &Db, project: ProjectKey, embed: &Embed) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO embeds (project_id, id, user_id, name, view_id, read_bodies, read_users, origins, created_at, expires_at, opened) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0)";
    on_db!(write db, pool => query(SQL)
        .bind(project)
        .bind(&embed.id)
        .bind(embed.user)
        .bind(&embed.name)
        .bind(&embed.view)
        .bind(embed.bodies)
        .bind(embed.users)
        .bind(embed.origins.join(" "))
        .bind(embed.created_at)
        .bind(embed.expires_at)
        .execute(pool)
        .await
        .map(|_| ())?);
    Ok(())
}

/// Ends one. Nothing where it has ended already, or is not there.
pub async fn revoke(db: &Db, project: ProjectKey, before: Embed, now_ms: i64) -> Result<Option<Changed<Embed>>, StoreError> {
    const SQL: &str = "UPDATE embeds SET revoked_at = $3 WHERE project_id = $1 AND id = $2 AND revoked_at IS NULL";
    let rows =
        on_db!(write db, pool => query(SQL).bind(project).bind(&before.id).bind(now_ms).execute(pool).await?.rows_affected());
    let after = Embed {
        revoked_at: Some(now_ms),
        ..before.clone()
    };
    Ok((rows > 0).then_some(Changed { before, after }))
}

/// Takes one away that has ended. False where it has not, or is not there.
pub async fn remove(db: &Db, project: ProjectKey, id: &str, now_ms: i64) -> Result<bool, StoreError> {
    const SQL: &str = "DELETE FROM embeds WHERE project_id = $1 AND id = $2 AND (revoked_at IS NOT NULL OR expires_at <= $3)";
    let rows = on_db!(write db, pool => query(SQL).bind(project).bind(id).bind(now_ms).execute(pool).await?.rows_affected());
    Ok(rows > 0)
}

/// Notes that it has shown a page.
pub async fn opened(db: &Db, project: ProjectKey, id: &str, now_ms: i64) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE embeds SET opened = opened + 1, opened_at = $3 WHERE project_id = $1 AND id = $2";
    on_db!(write db, pool => query(SQL).bind(project).bind(id).bind(now_ms).execute(pool).await.map(|_| ())?);
    Ok(())
}

//! Saved views: whose they are, what they are called, and the query as its tab's address has it. What that means, [`server::views`](crate::server::views) knows.

use sqlx::{query, query_as, query_scalar};

use super::alerts::Alert;
use super::alerts::change as alerts;
use super::alerts::history::Entry;
use super::db::{WriteTx, on_db, on_tx};
use super::projects::ProjectKey;
use super::{Db, StoreError};
use crate::model::view::{ViewTab, folded};

/// A view as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// `view_…`.
    pub id: String,
    /// The number of whoever made it.
    pub user: i64,
    /// How they sign in.
    pub by: String,
    /// Its tab.
    pub tab: ViewTab,
    /// What people call it.
    pub name: String,
    /// Whether the whole project has it; else it is its maker's own.
    pub shared: bool,
    /// The tab's query, without a `?`.
    pub query: String,
    /// When it was made, in milliseconds since 1970.
    pub created_at: i64,
    /// When it was changed last; rises with every change.
    pub changed_at: i64,
}

impl View {
    /// Whether this person sees it.
    pub const fn is_seen_by(&self, user: i64) -> bool {
        self.shared || self.user == user
    }
}

/// What came of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ViewChanged {
    /// It is done.
    Done,
    /// It is no longer as it was known to be: changed by somebody else, or gone.
    Otherwise,
    /// An alert of this name watches it, so it stays where everyone sees it.
    Watched(String),
}

/// Makes the line of an alert's history that says that its counts began anew.
pub type Began<'a> = &'a (dyn Fn(&Alert) -> Entry + Sync);

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    user_id: i64,
    email: String,
    tab: String,
    name: String,
    shared: bool,
    query: String,
    created_at: i64,
    changed_at: i64,
}

impl Row {
    fn read(self) -> Result<View, StoreError> {
        let tab = ViewTab::parse(&self.tab);
        Ok(View {
            tab: tab.ok_or_else(|| StoreError::Corrupt(format!("the tab {:?} of the view {}", self.tab, self.id)))?,
            id: self.id,
            user: self.user_id,
            by: self.email,
            name: self.name,
            shared: self.shared,
            query: self.query,
            created_at: self.created_at,
            changed_at: self.changed_at,
        })
    }
}

/// The views of a tab that a person sees, their own and shared ones, by name.
pub async fn seen(db: &Db, project: ProjectKey, tab: ViewTab, user: i64) -> Result<Vec<View>, StoreError> {
    const SQL: &str = "SELECT v.id, v.user_id, u.email, v.tab, v.name, v.shared, v.query, v.created_at, v.changed_at \
         FROM views v JOIN users u ON u.id = v.user_id \
         WHERE v.project_id = $1 AND v.tab = $2 AND (v.shared OR v.user_id = $3) ORDER BY v.folded, v.id";
    let rows: Vec<Row> = on_db!(read db, pool => query_as(SQL)
        .bind(project)
        .bind(tab.as_str())
        .bind(user)
        .fetch_all(pool)
        .await?);
    rows.into_iter().map(Row::read).collect()
}

/// A project's shared views, those of one tab or all of them, by tab and name.
pub async fn shared(db: &Db, project: ProjectKey, tab: Option<ViewTab>) -> Result<Vec<View>, StoreError> {
    const SQL: &str = "SELECT v.id, v.user_id, u.email, v.tab, v.name, v.shared, v.query, v.created_at, v.changed_at \
         FROM views v JOIN users u ON u.id = v.user_id \
         WHERE v.project_id = $1 AND v.shared AND ($2 = '' OR v.tab = $2) ORDER BY v.tab, v.folded, v.id";
    let tab = tab.map_or("", ViewTab::as_str);
    let rows: Vec<Row> = on_db!(read db, pool => query_as(SQL).bind(project).bind(tab).fetch_all(pool).await?);
    rows.into_iter().map(Row::read).collect()
}

/// A view of a project, whoever may see it.
pub async fn find(db: &Db, project: ProjectKey, id: &str) -> Result<Option<View>, StoreError> {
    const SQL: &str = "SELECT v.id, v.user_id, u.email, v.tab, v.name, v.shared, v.query, v.created_at, v.changed_at \
         FROM views v JOIN users u ON u.id = v.user_id WHERE v.project_id = $1 AND v.id = $2";
    let row: Option<Row> = on_db!(read db, pool => query_as(SQL).bind(project).bind(id).fetch_optional(pool).await?);
    row.map(Row::read).transpose()
}

/// How many views share a place with such a one: the tab's shared ones, or the tab's of this person alone.
pub async fn count(db: &Db, project: ProjectKey, tab: ViewTab, shared: bool, user: i64) -> Result<i64, StoreError> {
    const SQL: &str =
        "SELECT COUNT(*) FROM views WHERE project_id = $1 AND tab = $2 AND shared = $3 AND (shared OR user_id = $4)";
    Ok(on_db!(read db, pool => query_scalar(SQL)
        .bind(project)
        .bind(tab.as_str())
        .bind(shared)
        .bind(user)
        .fetch_one(pool)
        .await?))
}

/// Keeps a new view. [`StoreError::Taken`] where its name is.
pub async fn add(db: &Db, project: ProjectKey, view: &View) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO views (project_id, id, user_id, tab, name, folded, shared, query, created_at, changed_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let done = on_db!(write db, pool => query(SQL)
        .bind(project)
        .bind(&view.id)
        .bind(view.user)
        .bind(view.tab.as_str())
        .bind(&view.name)
        .bind(folded(&view.name))
        .bind(view.shared)
        .bind(&view.query)
        .bind(view.created_at)
        .bind(view.changed_at)
        .execute(pool)
        .await
        .map(|_| ()));
    done.map_err(|error| taken(error, &view.name))
}

/// Gives a view other words: its name, its query and who has it, if it has not changed since `known`. [`StoreError::Taken`] where its new name is.
/// With `began`, it has other filters: what watches it counts anew.
pub async fn change(
    db: &Db,
    project: ProjectKey,
    known: i64,
    view: &View,
    began: Option<Began<'_>>,
) -> Result<ViewChanged, StoreError> {
    const SQL: &str = "UPDATE views SET name = $4, folded = $5, shared = $6, query = $7, changed_at = $8 \
         WHERE project_id = $1 AND id = $2 AND changed_at = $3";
    let mut tx = WriteTx::begin(db).await?;
    let done = on_tx!(&mut tx, connection => query(SQL)
        .bind(project)
        .bind(&view.id)
        .bind(known)
        .bind(&view.name)
        .bind(folded(&view.name))
        .bind(view.shared)
        .bind(&view.query)
        .bind(view.changed_at)
        .execute(connection)
        .await
        .map(|done| done.rows_affected()));
    let rows = done.map_err(|error| taken(error, &view.name))?;
    if rows == 0 {
        return Ok(ViewChanged::Otherwise);
    }
    if !view.shared
        && let Some(alert) = alerts::watching_in(&mut tx, project, &view.id).await?
    {
        return Ok(ViewChanged::Watched(alert));
    }
    if let Some(began) = began {
        alerts::view_changed_in(&mut tx, project, &view.id, began).await?;
    }
    tx.commit().await?;
    Ok(ViewChanged::Done)
}

/// Removes a view, if it has not changed since `known` and no alert watches it.
pub async fn remove(db: &Db, project: ProjectKey, known: i64, id: &str) -> Result<ViewChanged, StoreError> {
    const SQL: &str = "DELETE FROM views WHERE project_id = $1 AND id = $2 AND changed_at = $3";
    let mut tx = WriteTx::begin(db).await?;
    let gone =
        on_tx!(&mut tx, connection => query(SQL).bind(project).bind(id).bind(known).execute(connection).await?.rows_affected());
    if gone == 0 {
        return Ok(ViewChanged::Otherwise);
    }
    // Whoever makes an alert holds the view's row meanwhile: none comes between this and the end.
    if let Some(alert) = alerts::watching_in(&mut tx, project, id).await? {
        return Ok(ViewChanged::Watched(alert));
    }
    tx.commit().await?;
    Ok(ViewChanged::Done)
}

/// Removes what one person has for themselves in a project that they leave.
pub(super) async fn remove_own_in(tx: &mut WriteTx, project: ProjectKey, user: i64) -> Result<(), StoreError> {
    const SQL: &str = "DELETE FROM views WHERE project_id = $1 AND user_id = $2 AND NOT shared";
    on_tx!(tx, connection => query(SQL).bind(project).bind(user).execute(connection).await.map(|_| ())?);
    Ok(())
}

fn taken(error: sqlx::Error, name: &str) -> StoreError {
    match error.as_database_error() {
        Some(broken) if broken.is_unique_violation() => StoreError::Taken(format!("the name {name}")),
        _ => error.into(),
    }
}

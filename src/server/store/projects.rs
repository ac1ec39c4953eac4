//! Projects. Every row of everything belongs to one.

use super::{Db, StoreError};

/// The number by which every table names a project; never shown.
pub type ProjectKey = i64;

/// A project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// The number that tables use.
    pub key: ProjectKey,
    /// `prj_…`.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// An IANA time zone, `UTC` where nobody chose one.
    pub time_zone: String,
    /// Milliseconds since 1970.
    pub created_at: i64,
}

/// Makes a project.
pub async fn add(db: &Db, id: &str, name: &str, now_ms: i64) -> Result<Project, StoreError> {
    let _ = (db, id, name, now_ms);
    todo!()
}

/// The project with this id.
pub async fn find(db: &Db, id: &str) -> Result<Option<Project>, StoreError> {
    let _ = (db, id);
    todo!()
}

/// Every project, oldest first.
pub async fn all(db: &Db) -> Result<Vec<Project>, StoreError> {
    let _ = db;
    todo!()
}

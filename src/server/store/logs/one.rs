//! One log: its facts, and what it says.

use crate::model::log::{ImportFile, Log};
use crate::server::store::projects::ProjectKey;
use crate::server::store::{Db, StoreError};

/// The log with this id.
pub async fn find(db: &Db, project: ProjectKey, id: &str) -> Result<Option<Log>, StoreError> {
    let _ = (db, project, id);
    todo!()
}

/// Keeps the original of an import beside a log (name, bytes as given: the caller has encrypted them; `plain_bytes` is the size people see). Replaces an earlier one.
pub async fn put_import_file(
    db: &Db,
    project: ProjectKey,
    id: &str,
    file: &ImportFile,
    sealed: &[u8],
) -> Result<bool, StoreError> {
    let _ = (db, project, id, file, sealed);
    todo!()
}

/// The original of an import, as it was kept.
pub async fn import_file(db: &Db, project: ProjectKey, id: &str) -> Result<Option<(ImportFile, Vec<u8>)>, StoreError> {
    let _ = (db, project, id);
    todo!()
}

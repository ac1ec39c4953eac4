//! Merging of blocks that came too small.

use crate::server::store::{Db, StoreError};

/// What one round of merging did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compacted {
    /// Blocks that were taken apart.
    pub merged: usize,
    /// Blocks that came of them.
    pub made: usize,
}

pub(super) async fn run(db: &Db) -> Result<Compacted, StoreError> {
    let _ = db;
    Ok(Compacted::default())
}

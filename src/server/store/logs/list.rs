//! Lists of logs, by filter and by text, newest or oldest first, in keyset pages.

use std::time::Duration;

use crate::model::log::LogFacts;
use crate::model::page::{Page, Place};
use crate::model::query::Order;
use crate::model::selection::LogSelection;
use crate::server::store::projects::ProjectKey;
use crate::server::store::{Db, StoreError};

/// A page that is asked for.
#[derive(Clone, Debug)]
pub struct ListRequest<'a> {
    /// Whose logs.
    pub project: ProjectKey,
    /// Which.
    pub selection: &'a LogSelection,
    /// In which order.
    pub order: Order,
    /// From where.
    pub place: Place,
    /// How many rows at most.
    pub limit: usize,
    /// How long it may take; then the page says how far it got.
    pub budget: Duration,
}

/// One page of logs.
pub async fn page(db: &Db, request: ListRequest<'_>) -> Result<Page<LogFacts>, StoreError> {
    let _ = (db, request);
    todo!()
}

//! One transaction of the webhooks' writer: events that are accepted, attempts that have ended.

use super::events::{self, Accepted, NewEvent};
use super::outcomes::{self, Outcome, SwitchedOff};
use crate::server::store::db::WriteTx;
use crate::server::store::{Db, StoreError};

/// What one transaction did.
#[derive(Clone, Debug, Default)]
pub struct Written {
    /// What became of each event, in order.
    pub accepted: Vec<Accepted>,
    /// Endpoints that were switched off.
    pub off: Vec<SwitchedOff>,
}

/// Writes both. `tell` makes the event that an endpoint was switched off; `ids` gives sendouts' ids in rising order.
pub async fn batch(
    db: &Db,
    events: &[NewEvent],
    outcomes: &[Outcome],
    now_ms: i64,
    tell: &(dyn Fn(&SwitchedOff) -> NewEvent + Sync),
    ids: &mut (dyn FnMut(usize) -> Vec<String> + Send),
) -> Result<Written, StoreError> {
    let mut tx = WriteTx::begin(db).await?;
    let off = if outcomes.is_empty() {
        Vec::new()
    } else {
        outcomes::settle_in(&mut tx, outcomes, now_ms).await?
    };
    for switched in &off {
        events::tell_in(&mut tx, &tell(switched), now_ms, ids).await?;
    }
    let accepted = if events.is_empty() {
        Vec::new()
    } else {
        events::accept_in(&mut tx, events, now_ms, ids).await?
    };
    tx.commit().await?;
    Ok(Written { accepted, off })
}

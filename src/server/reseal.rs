//! Seals anew, with the instance key of now, what keys from before have sealed: in batches, beside a server that runs, from the beginning again
//! where it was broken off.
//!
//! To add a column: its variant in `store/sealed.rs`, and what it is sealed for in [`purpose`].

use super::clock::Random;
use super::secrets::{InstanceKey, purposes};
use super::store::sealed::{self, SealedColumn, SealedKey};
use super::store::{Db, StoreError};

/// Rows of a batch: an original may be large.
const BATCH: i64 = 100;

/// What a column is sealed for.
const fn purpose(column: SealedColumn) -> &'static str {
    match column {
        SealedColumn::EndpointSecret | SealedColumn::EndpointOldSecret => purposes::WEBHOOK_SECRET,
        SealedColumn::EndpointHeaders => purposes::WEBHOOK_HEADERS,
        SealedColumn::EventData => purposes::EVENT_DATA,
        SealedColumn::AttemptContent => purposes::ATTEMPT,
        SealedColumn::ImportFile => purposes::IMPORT_FILE,
        SealedColumn::SecondFactor => purposes::SECOND_FACTOR,
        SealedColumn::SecondFactorPending => purposes::SECOND_FACTOR_PENDING,
    }
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resealed {
    /// Rows that were looked at.
    pub seen: u64,
    /// Rows that were sealed anew.
    pub changed: u64,
    /// Rows that none of the keys opens.
    pub broken: u64,
}

/// Seals everything in the database anew.
pub async fn run(db: &Db, key: &InstanceKey, random: &Random) -> Result<Resealed, StoreError> {
    let mut all = Resealed::default();
    for column in SealedColumn::ALL {
        let mut last: SealedKey = (i64::MIN, String::new(), i64::MIN);
        loop {
            let rows = sealed::after(db, column, &last, BATCH).await?;
            let Some((end, _)) = rows.last() else { break };
            last.clone_from(end);
            all.seen += rows.len() as u64;
            let mut changed = Vec::new();
            for (place, before) in rows {
                if let Some(now) = key.reseal(purpose(column), &before, random) {
                    changed.push((place, before, now));
                } else if key.open(purpose(column), &before).is_none() {
                    all.broken += 1;
                }
            }
            if !changed.is_empty() {
                all.changed += sealed::replace(db, column, &changed).await?;
            }
        }
    }
    Ok(all)
}

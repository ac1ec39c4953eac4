//! Seals anew, with the instance key of now, what keys from before have sealed: in batches, and files part by part, beside a server that runs; begun again where it
//! was broken off, it passes over what is done.
//!
//! To add a column: its variant in `store/sealed.rs`, and what it is sealed for in [`purpose`].

use super::clock::Random;
use super::files::{FileError, Files, ResealedPart};
use super::secrets::{InstanceKey, purposes};
use super::store::sealed::{self, SealedColumn, SealedFiles, SealedKey};
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
    /// Rows, or parts of files, that were looked at.
    pub seen: u64,
    /// Those that were sealed anew.
    pub changed: u64,
    /// Those that none of the keys opens.
    pub broken: u64,
}

/// Why it was broken off.
#[derive(Debug, thiserror::Error)]
pub enum ResealError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The files failed.
    #[error(transparent)]
    Files(#[from] FileError),
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

/// Seals every file anew that lies sealed: originals of imports, and records that were not taken. In memory there is one part at a time.
pub async fn files(db: &Db, files: &Files) -> Result<Resealed, ResealError> {
    let mut all = Resealed::default();
    let mut last = (i64::MIN, i64::MIN);
    loop {
        let tasks = sealed::files_after(db, last, BATCH).await?;
        let Some(end) = tasks.last() else { return Ok(all) };
        last = (end.project_id, end.created_at);
        for task in &tasks {
            for file in [&task.file, &task.rejected].into_iter().flatten() {
                one_file(db, files, (task, file), &mut all).await?;
            }
        }
    }
}

async fn one_file(db: &Db, files: &Files, (task, file): (&SealedFiles, &str), all: &mut Resealed) -> Result<(), ResealError> {
    for number in files.parts(file).await? {
        let part = files.reseal(file, number).await?;
        all.seen += u64::from(part != ResealedPart::Gone);
        match part {
            ResealedPart::Gone | ResealedPart::Already => {}
            ResealedPart::Broken => all.broken += 1,
            ResealedPart::Changed => {
                all.changed += 1;
                // A server may have deleted the file between the reading of the part and its writing: then it must not be there again.
                if !sealed::has_file(db, task, file).await? {
                    files.delete(file).await?;
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

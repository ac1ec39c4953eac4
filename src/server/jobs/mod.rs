//! The work behind tasks: claimed from the queue, done in the background, given back where its worker dies.
//!
//! To add a kind of job: a file here with a `NAME`, a payload that serde reads, and a `run` that may be begun again from nothing at any moment; and its
//! arm in [`run::work`]. At each `?` it says whether trying again may help ([`JobError::Retry`]) or not ([`JobError::Fail`]).

pub mod control;
pub mod export;
pub mod import;
mod rejects;
pub mod retention;
pub mod retry;
mod run;
mod runner;
mod sweep;

pub use runner::{Bell, Workers, start};

use crate::server::exporting::EncodeError;
use crate::server::exporting::read::ReadError;
use crate::server::files::FileError;
use crate::server::store::StoreError;
use crate::server::store::jobs::Left;

/// Why a job did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// Another try may go well: what it needs could not be reached.
    #[error("{0}")]
    Retry(String),
    /// No try will go better.
    #[error("{0}")]
    Fail(String),
    /// No try will go better, and what was found so far is kept.
    #[error("{reason}")]
    Leave {
        /// Why.
        reason: String,
        /// What is kept.
        left: Box<Left>,
    },
    /// Other work waits, and this one has time: it is given back, and goes on from where it is.
    #[error("other work goes first")]
    MakeWay,
    /// Somebody else has the job now, or it was cancelled: nothing is to be said.
    #[error("the job is no longer this worker's")]
    Lost,
}

impl From<StoreError> for JobError {
    /// What the database said is for the server's own log: it may quote SQL and data.
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store failed a job");
        match error {
            StoreError::Corrupt(_) => Self::Fail("The database holds something broken; the server's log says what".to_owned()),
            _ => Self::Retry("The database did not do what was asked; the server's log says why".to_owned()),
        }
    }
}

impl From<FileError> for JobError {
    fn from(error: FileError) -> Self {
        tracing::error!(%error, "the files failed a job");
        match error {
            FileError::Store(_) | FileError::Folder(_) => {
                Self::Retry("The place where files are kept could not be reached or is full".to_owned())
            }
            FileError::Broken(_) | FileError::Url(_) => {
                Self::Fail("A file is not what was written, or was sealed with another instance key".to_owned())
            }
        }
    }
}

impl From<EncodeError> for JobError {
    fn from(error: EncodeError) -> Self {
        Self::Fail(error.to_string())
    }
}

impl From<ReadError> for JobError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Store(error) => error.into(),
            ReadError::Encode(error) => error.into(),
        }
    }
}

//! The database: SQLite or PostgreSQL behind one type. SQL lives here and nowhere else.
//!
//! Static SQL is shared, with `$1` placeholders, and runs on either through [`on_db!`]; what truly differs lies in `sqlite.rs` and `postgres.rs`.
//! To add an aggregate: a file here, a migration of the same name on both sides, and a test body that runs on both.

pub mod accounts;
pub mod alerts;
pub mod backup;
pub mod chain;
pub mod copy;
mod db;
pub mod embeds;
pub mod exports;
pub mod idempotency;
mod insert;
pub mod invitations;
pub mod jobs;
pub mod keys;
pub mod logs;
pub mod masking;
pub mod members;
mod postgres;
pub mod projects;
pub mod purge;
mod reach;
mod readers;
pub mod records;
mod render;
pub mod retention;
pub mod sealed;
pub mod second_factor;
pub mod sessions;
pub mod sizes;
mod sqlite;
pub mod tasks;
pub mod trail;
pub mod views;
mod wal;
pub mod webhooks;

pub use db::{Db, StoreError};
pub use readers::Readers;

/// Something before and after it was changed, both as the transaction saw them that changed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed<T> {
    /// What held until then.
    pub before: T,
    /// What holds from then on.
    pub after: T,
}

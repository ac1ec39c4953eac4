//! The chain of each project: an entry for each committed batch of logs, and for each later change of a stored fact, each naming the one before.
//!
//! What changes a stored fact says so with `WriteTx::note`, in its own transaction; the entries are written when that commits. What is hashed stands in
//! `docs/chain.md`; reading it all again, and comparing, is `server/chain`'s.

mod append;
pub mod canon;
pub mod checkpoint;
pub mod entry;
pub mod fact;
pub mod kinds;
mod noted;
pub mod read;
pub mod seqs;
pub mod signed;
pub mod stored;

pub(super) use append::append;
pub(super) use noted::{Leaves, Noted, Notes, Times};

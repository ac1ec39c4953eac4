//! Browse data's engine: an export's file as rows that can be searched, filtered and sorted, without a database and without a browser.
//!
//! The plain bytes are kept once ([`bytes`]); beside them only where each row begins ([`rows`]). Cells are read out of their row when somebody
//! looks ([`csv`], [`ndjson`]). A search runs over the raw bytes and reads cells only where it may have found something ([`needle`], [`look`]).
//! Everything that may be long (searching, sorting, writing) goes in slices, so that a worker can hear the page in between ([`Session::work`]).
//!
//! Parquet is another matter: it is unpacked into rows of CSV once all of it is there ([`parquet`]).
//!
//! To add a format: a file beside [`ndjson`] that cuts rows and reads cells, and its arms in [`rows`].

mod bytes;
mod csv;
mod look;
pub mod message;
mod ndjson;
mod needle;
mod packed;
mod parquet;
mod problem;
mod rows;
mod session;
mod sort;
mod table;
mod write;

pub use bytes::MAX_BYTES;
pub use problem::Problem;
pub use session::Session;

#[cfg(test)]
mod tests;

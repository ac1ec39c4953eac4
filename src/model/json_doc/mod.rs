//! The viewer's engine: a body of any size as numbered, foldable, searchable rows, without ever building a tree.
//!
//! A JSON text becomes a flat list of nodes in document order ([`index`]), each with the place where its subtree ends, so that
//! skipping one is a jump and nothing recurses. Which rows are seen under folded nodes is kept as counts in a Fenwick tree
//! ([`folding`]), so that finding row 2,000,000 takes a logarithm. Everything that may be long (reading, finding) goes in slices.
//!
//! [`Document`] is what both sides use: the server for the first rows of a body, the browser's worker for all of it, through the
//! messages of [`message`]. To add a way of showing a body: a file beside [`plain`] that makes [`Row`]s, and an arm in [`document`].

mod document;
mod fenwick;
mod find;
mod folding;
mod index;
pub mod message;
mod parse;
mod plain;
mod row;
mod string;

pub use document::{Document, FoundPlace, Preview, preview};
pub use find::{MAX_HITS, fold_case};
pub use index::{JsonIndex, Kind};
pub use parse::{JsonProblem, Parser, Step};
pub use plain::PlainText;
pub use row::{FOLD_AT, Ink, Mark, Piece, Row};

/// The row number that no row has.
const NONE: u32 = u32::MAX;

#[cfg(test)]
mod tests;

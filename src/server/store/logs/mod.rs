//! Logs: narrow rows for lists, blocks with signatures for what they say, kept counts for histograms and totals.
//!
//! Writing goes through [`write`] alone, deleting through [`purge`]; everything else reads. To add a fact to a log: its column in a migration, its place in
//! [`rows`], and, where people filter by it, an index and its branch in `conditions`.

pub mod arrived;
mod bars;
mod batch;
mod block;
mod blocks;
mod call;
pub mod compact;
mod conditions;
pub mod counts;
pub mod explain;
mod fold;
mod groups;
mod header_lines;
mod headers;
mod kept;
mod keyed;
mod leaf;
pub mod list;
pub mod matching;
pub(super) mod month;
mod needles;
pub mod offered;
pub mod one;
mod placed;
pub mod proof;
pub mod purge;
mod repeats;
mod rows;
pub mod scan;
mod search;
pub mod sequence;
mod signature;
mod singles;
mod tallies;
mod units;
pub mod upkeep;
mod windows;
pub mod write;

/// A field whose values in use are counted by the hour, the day and the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum ValueField {
    /// `SUCCESS`, `FAILURE`.
    Status,
    /// `404`; an empty text where no answer came.
    Code,
    /// `POST`.
    Method,
    /// `POST_v1_vouchers`.
    Endpoint,
    /// `API`.
    Channel,
}

impl ValueField {
    /// The number that the database keeps.
    pub(super) const fn number(self) -> i16 {
        self as i16
    }
}

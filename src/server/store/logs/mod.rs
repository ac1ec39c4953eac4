//! Logs: narrow rows for lists, blocks with signatures for what they say, minute counts for histograms and totals.

pub mod block;
pub mod counts;
pub mod list;
pub mod one;
pub mod write;

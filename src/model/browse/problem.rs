//! Why a file cannot be browsed, in words that say what to do next.

use crate::model::format;

/// Why a file cannot be browsed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It holds more than a page can.
    #[error("The file is larger than {}, the most that can be browsed in place. Download it instead.", format::size(super::MAX_BYTES as i64))]
    TooLarge,
    /// The browser gave no more memory.
    #[error(
        "The browser has no memory left for this file: {} of it are here. Close other tabs and try again, or download it.",
        format::size(*.0 as i64)
    )]
    NoMemory(usize),
    /// It ends within a cell.
    #[error("The file is broken: row {row} has a quote that is never closed. Rows before it are shown.")]
    OpenQuote {
        /// Counted from 1, without the heading.
        row: u32,
    },
    /// A line is no JSON object.
    #[error("The file is broken: row {row} is not a JSON object. Rows before it are shown.")]
    NotAnObject {
        /// Counted from 1.
        row: u32,
    },
    /// Less came than the file holds.
    #[error("Only {} of {} came. Rows that did are shown. Try again.", format::size(*.done as i64), format::size(*.expected as i64))]
    Short {
        /// Bytes that came.
        done: u64,
        /// Bytes that the file holds.
        expected: u64,
    },
    /// It is no whole Parquet file.
    #[error("The Parquet file is broken: {0}. Download it to look further, or export the same once more.")]
    Broken(&'static str),
    /// It is written in a way that exports are not.
    #[error("The Parquet file has {0}, which is not read here. Download it instead.")]
    Foreign(&'static str),
    /// Unpacked, it holds more than a page can.
    #[error(
        "Unpacked, the file is larger than {}, the most that can be browsed in place. Rows before that are shown. Download it for the others.",
        format::size(super::MAX_BYTES as i64)
    )]
    Unpacked,
    /// There are more rows than can be shown.
    #[error("The file has more rows than can be browsed in place. Download it instead.")]
    TooManyRows,
}

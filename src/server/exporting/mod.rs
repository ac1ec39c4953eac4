//! Making an export's file: what is meant (`plan`), records read in short chunks up to a watermark (`read`), as cells (`cells`), written (`csv`,
//! `ndjson`, `parquet`). Filters are read by `condition`, and what indexes can find of them goes to the selection (`picking`).
//!
//! To export another kind of record: its word and fields in `model/export.rs`, its reading in `read.rs`, its cells in `cells.rs`.

mod cells;
mod compare;
mod condition;
mod csv;
mod days;
mod ndjson;
mod parquet;
mod picking;
pub mod plan;
pub mod read;

use cells::Cell;

use crate::model::export::Format;

/// Writes rows of cells.
#[derive(Debug)]
pub enum Encoder {
    /// RFC 4180.
    Csv(csv::CsvEncoder),
    /// A JSON object a line.
    Ndjson(ndjson::NdjsonEncoder),
    /// Apache Parquet.
    Parquet(Box<parquet::ParquetEncoder>),
}

/// Why a row could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the file could not be written: {0}")]
pub struct EncodeError(String);

impl Encoder {
    /// An encoder for a plan's fields; what a file begins with is appended to `out`.
    pub fn begin(plan: &plan::Plan, out: &mut Vec<u8>) -> Result<Self, EncodeError> {
        Ok(match plan.format {
            Format::Csv => Self::Csv(csv::CsvEncoder::begin(&plan.fields, plan.guarded, out)),
            Format::Ndjson => Self::Ndjson(ndjson::NdjsonEncoder::begin(&plan.fields)),
            Format::Parquet => Self::Parquet(Box::new(parquet::ParquetEncoder::begin(plan)?)),
        })
    }

    /// Appends a row.
    fn row(&mut self, cells: &[Cell<'_>], out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match self {
            Self::Csv(csv) => csv.row(cells, out),
            Self::Ndjson(ndjson) => ndjson.row(cells, out),
            Self::Parquet(parquet) => return parquet.row(cells, out),
        }
        Ok(())
    }

    /// Appends what a file ends with.
    pub fn end(self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match self {
            Self::Csv(_) | Self::Ndjson(_) => Ok(()),
            Self::Parquet(parquet) => parquet.end(out),
        }
    }
}

//! A row between two databases, and the sum of many.

use sha2::{Digest, Sha256};
use sqlx::{ColumnIndex, Database, Decode};

/// What a column holds, on either database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    Truth,
    Text,
    Bytes,
}

impl Kind {
    /// By the name of the column's type; none where it is not known.
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "smallint" | "integer" | "bigint" => Self::Number,
            "boolean" => Self::Truth,
            "text" | "character varying" => Self::Text,
            "blob" | "bytea" => Self::Bytes,
            _ => return None,
        })
    }
}

/// One field of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Null,
    Number(i64),
    Truth(bool),
    Text(String),
    Bytes(Vec<u8>),
}

/// A row, in the order of its table's columns.
pub(super) type Row = Vec<Value>;

/// Reads a row; numbers are selected as `BIGINT`.
pub(super) fn read<'r, R>(row: &'r R, kinds: &[Kind]) -> Result<Row, sqlx::Error>
where
    R: sqlx::Row,
    usize: ColumnIndex<R>,
    i64: Decode<'r, R::Database>,
    bool: Decode<'r, R::Database>,
    String: Decode<'r, R::Database>,
    Vec<u8>: Decode<'r, R::Database>,
    R::Database: Database,
{
    let field = |(at, kind): (usize, &Kind)| {
        let value = match kind {
            Kind::Number => row.try_get_unchecked::<Option<i64>, _>(at)?.map(Value::Number),
            Kind::Truth => row.try_get_unchecked::<Option<bool>, _>(at)?.map(Value::Truth),
            Kind::Text => row.try_get_unchecked::<Option<String>, _>(at)?.map(Value::Text),
            Kind::Bytes => row.try_get_unchecked::<Option<Vec<u8>>, _>(at)?.map(Value::Bytes),
        };
        Ok(value.unwrap_or(Value::Null))
    };
    kinds.iter().enumerate().map(field).collect()
}

/// Bytes that a row takes, about.
pub(super) fn bytes(row: &[Value]) -> usize {
    let field = |value: &Value| match value {
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        _ => 8,
    };
    row.iter().map(field).sum()
}

/// How many rows, and a sum of their hashes: in whatever order they come, it is the same for the same rows, and for no others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) rows: u64,
    hashes: u128,
}

impl Sum {
    pub(super) fn add(&mut self, row: &[Value]) {
        let mut hash = Sha256::new();
        for value in row {
            match value {
                Value::Null => hash.update([0]),
                Value::Number(number) => {
                    hash.update([1]);
                    hash.update(number.to_be_bytes());
                }
                Value::Truth(truth) => hash.update([2, u8::from(*truth)]),
                Value::Text(text) => with_length(&mut hash, 3, text.as_bytes()),
                Value::Bytes(bytes) => with_length(&mut hash, 4, bytes),
            }
        }
        let hash = hash.finalize();
        let first = hash.first_chunk().map_or(0, |first: &[u8; 16]| u128::from_be_bytes(*first));
        self.rows += 1;
        self.hashes = self.hashes.wrapping_add(first);
    }
}

/// With the length before, so that no two rows run into the same bytes.
fn with_length(hash: &mut Sha256, kind: u8, bytes: &[u8]) {
    hash.update([kind]);
    hash.update((bytes.len() as u64).to_be_bytes());
    hash.update(bytes);
}

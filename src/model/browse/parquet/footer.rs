//! What a Parquet file says of itself at its end: its columns, its row groups, and where the pages of each lie.

use std::ops::Range;

use super::super::problem::Problem;
use super::thrift::{BINARY, I32, I64, LIST, Reader, STRUCT};

const MAGIC: &[u8] = b"PAR1";
/// A footer that is longer is no footer.
const MAX_FOOTER: usize = 64 << 20;
/// Columns and rows that a table here can have.
const MAX_COLUMNS: usize = 1_000;
const MAX_ROWS: usize = 100_000_000;

/// What a column's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
}

/// How a column's pages are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    Plain,
    Zstd,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Whether a row may have none.
    pub(super) optional: bool,
}

/// A column's pages in one row group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) codec: Codec,
    /// Where they lie in the file.
    pub(super) place: Range<usize>,
    /// Bytes of them, unpacked.
    pub(super) unpacked: usize,
}

/// Rows whose values lie together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) rows: usize,
    pub(super) chunks: Vec<Chunk>,
}

/// What the file says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Footer {
    pub(super) fields: Vec<Field>,
    pub(super) groups: Vec<Group>,
}

impl Footer {
    pub(super) fn read(file: &[u8]) -> Result<Self, Problem> {
        let broken = Problem::Broken("it does not begin and end as a Parquet file does");
        let body = file.strip_prefix(MAGIC).and_then(|rest| rest.strip_suffix(MAGIC));
        let (before, length) = body.and_then(|body| body.split_last_chunk::<4>()).ok_or(broken.clone())?;
        let length = u32::from_le_bytes(*length) as usize;
        let start = before.len().checked_sub(length).filter(|_| length <= MAX_FOOTER);
        let start = start.ok_or(broken)?;
        // Pages lie between the first magic bytes and the footer.
        read(&before[start..], start + MAGIC.len())
    }

    /// All rows.
    pub(super) fn rows(&self) -> usize {
        self.groups.iter().map(|group| group.rows).sum()
    }

    /// About so many bytes the rows take up.
    pub(super) fn unpacked(&self) -> u64 {
        let chunks = self.groups.iter().flat_map(|group| &group.chunks);
        chunks.fold(0, |sum: u64, chunk| sum.saturating_add(chunk.unpacked as u64))
    }
}

fn read(bytes: &[u8], end: usize) -> Result<Footer, Problem> {
    let (mut fields, mut elements, mut groups) = (Vec::new(), 0, Vec::new());
    let (mut children, mut rows) = (None, 0_usize);
    Reader::new(bytes).fields(|reader, id, kind| {
        match (id, kind) {
            (2, LIST) => reader.structs(|reader| {
                elements += 1;
                if elements == 1 {
                    children = Some(root(reader)?);
                } else {
                    fields.push(field(reader)?);
                }
                if fields.len() > MAX_COLUMNS {
                    return Err(Problem::Foreign("more than 1,000 columns"));
                }
                Ok(())
            })?,
            (4, LIST) => reader.structs(|reader| {
                let group = group(reader, &fields, end)?;
                rows = rows.saturating_add(group.rows);
                if rows > MAX_ROWS {
                    return Err(Problem::TooManyRows);
                }
                groups.push(group);
                Ok(())
            })?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    if fields.is_empty() || children != Some(fields.len()) {
        return Err(Problem::Broken("its columns are not what it says they are"));
    }
    Ok(Footer { fields, groups })
}

/// The schema's first element: how many columns there are.
fn root(reader: &mut Reader) -> Result<usize, Problem> {
    let mut children = 0;
    reader.fields(|reader, id, kind| {
        if (id, kind) == (5, I32) {
            children = reader.count()?;
        }
        Ok((id, kind) == (5, I32))
    })?;
    Ok(children)
}

/// A column as the schema has it.
fn field(reader: &mut Reader) -> Result<Field, Problem> {
    let (mut physical, mut repetition, mut children, mut name, mut converted) = (None, None, 0, None, None);
    reader.fields(|reader, id, kind| {
        match (id, kind) {
            (1, I32) => physical = Some(reader.number()?),
            (3, I32) => repetition = Some(reader.number()?),
            (4, BINARY) => name = Some(String::from_utf8_lossy(reader.binary()?).into_owned()),
            (5, I32) => children = reader.number()?,
            (6, I32) => converted = Some(reader.number()?),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    if children != 0 || repetition == Some(2) {
        return Err(Problem::Foreign("columns within columns"));
    }
    let kind = match (physical, converted) {
        // Plain, UTF8, ENUM, JSON; plain, INT_64.
        (Some(6), None | Some(0 | 4 | 19)) => Kind::Text,
        (Some(2), None | Some(18)) => Kind::Number,
        _ => {
            return Err(Problem::Foreign(
                "columns that are neither texts nor whole numbers of 64 bits",
            ));
        }
    };
    Ok(Field {
        name: name.ok_or(Problem::Broken("a column has no name"))?,
        kind,
        optional: repetition == Some(1),
    })
}

fn group(reader: &mut Reader, fields: &[Field], end: usize) -> Result<Group, Problem> {
    let (mut rows, mut chunks) = (None, Vec::new());
    reader.fields(|reader, id, kind| {
        match (id, kind) {
            (1, LIST) => reader.structs(|reader| {
                let field = fields
                    .get(chunks.len())
                    .ok_or(Problem::Broken("a row group has too many columns"))?;
                chunks.push(chunk(reader, field, end)?);
                Ok(())
            })?,
            (3, I64) => rows = Some(reader.count()?),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    match rows {
        Some(rows) if chunks.len() == fields.len() => Ok(Group { rows, chunks }),
        _ => Err(Problem::Broken("a row group has too few columns")),
    }
}

fn chunk(reader: &mut Reader, field: &Field, end: usize) -> Result<Chunk, Problem> {
    let mut found = None;
    reader.fields(|reader, id, kind| {
        match (id, kind) {
            (3, STRUCT) => found = Some(meta(reader, field, end)?),
            (1, BINARY) => return Err(Problem::Foreign("more than one file")),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    found.ok_or(Problem::Broken("a column's place is missing"))
}

fn meta(reader: &mut Reader, field: &Field, end: usize) -> Result<Chunk, Problem> {
    let (mut physical, mut codec, mut unpacked, mut packed, mut start, mut dictionary) = (None, None, 0, None, None, 0);
    reader.fields(|reader, id, kind| {
        match (id, kind) {
            (1, I32) => physical = Some(reader.number()?),
            (4, I32) => codec = Some(reader.number()?),
            (6, I64) => unpacked = reader.count()?,
            (7, I64) => packed = Some(reader.count()?),
            (9, I64) => start = Some(reader.count()?),
            (11, I64) => dictionary = reader.number()?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    if dictionary > 0 {
        return Err(Problem::Foreign("dictionaries"));
    }
    let codec = match codec {
        Some(0) => Codec::Plain,
        Some(6) => Codec::Zstd,
        _ => return Err(Problem::Foreign("another compression than zstd")),
    };
    let expected = if field.kind == Kind::Text { 6 } else { 2 };
    let place = start
        .zip(packed)
        .and_then(|(start, packed)| Some(start..start.checked_add(packed)?));
    let place = place.filter(|place| place.start >= MAGIC.len() && place.end <= end && physical == Some(expected));
    Ok(Chunk {
        codec,
        place: place.ok_or(Problem::Broken("a column's place is not within the file"))?,
        unpacked,
    })
}

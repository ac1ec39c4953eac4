//! A column's pages in one row group, unpacked one at a time, and their values one after the other.

use std::ops::Range;

use super::super::problem::Problem;
use super::footer::{Chunk, Codec, Field, Kind};
use super::thrift::{I32, Reader, STRUCT};
use super::unpack::Unpacker;

/// Bytes that one page of each column may take up together: the largest body is far smaller.
const MAX_HELD: usize = 384 << 20;

const BROKEN: Problem = Problem::Broken("a page holds something else than it says");

/// A value as it stands in its page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    None,
    Text(&'a [u8]),
    Number(i64),
}

/// Where reading a column stands.
#[derive(Debug)]
pub(super) struct Column {
    kind: Kind,
    optional: bool,
    codec: Codec,
    /// Pages that are not read yet.
    rest: Range<usize>,
    /// The page at hand, unpacked.
    page: Vec<u8>,
    /// Values of the page that are not read yet, and where the next one begins.
    left: u32,
    at: usize,
    levels: Levels,
}

impl Column {
    /// A column before its first page.
    pub(super) fn new(field: &Field, chunk: &Chunk, page: Vec<u8>) -> Self {
        Self {
            kind: field.kind,
            optional: field.optional,
            codec: chunk.codec,
            rest: chunk.place.clone(),
            page,
            left: 0,
            at: 0,
            levels: Levels::default(),
        }
    }

    /// Room to be used again.
    pub(super) fn into_page(self) -> Vec<u8> {
        self.page
    }

    /// Whether the next value's page has to be unpacked first.
    pub(super) const fn is_empty(&self) -> bool {
        self.left == 0
    }

    /// Bytes of the page at hand.
    pub(super) const fn held(&self) -> usize {
        self.page.len()
    }

    /// Unpacks the next page that has values.
    pub(super) fn turn(&mut self, file: &[u8], others: usize, unpacker: &mut Unpacker) -> Result<(), Problem> {
        while self.left == 0 {
            let bytes = &file[self.rest.clone()];
            if bytes.is_empty() {
                return Err(Problem::Broken("a column ends before its rows do"));
            }
            let mut reader = Reader::new(bytes);
            let header = header(&mut reader)?;
            let packed = &bytes[bytes.len() - reader.left()..];
            let packed = packed.get(..header.packed).ok_or(BROKEN)?;
            self.rest.start = self.rest.end - reader.left() + header.packed;
            if !header.has_values {
                continue;
            }
            if header.unpacked.saturating_add(others) > MAX_HELD {
                return Err(Problem::Foreign("pages of several hundred megabytes"));
            }
            unpacker.unpack(self.codec, packed, header.unpacked, &mut self.page)?;
            self.left = header.values;
            (self.levels, self.at) = if self.optional {
                Levels::begin(&self.page)?
            } else {
                (Levels::default(), 0)
            };
        }
        Ok(())
    }

    /// The next value of the page at hand.
    pub(super) fn next(&mut self) -> Result<Value<'_>, Problem> {
        self.left = self.left.checked_sub(1).ok_or(BROKEN)?;
        if self.optional && !self.levels.next(&self.page)? {
            return Ok(Value::None);
        }
        let rest = self.page.get(self.at..).ok_or(BROKEN)?;
        if self.kind == Kind::Number {
            let bytes = rest.first_chunk::<8>().ok_or(BROKEN)?;
            self.at += 8;
            return Ok(Value::Number(i64::from_le_bytes(*bytes)));
        }
        let (length, rest) = rest.split_first_chunk::<4>().ok_or(BROKEN)?;
        let length = u32::from_le_bytes(*length) as usize;
        let text = rest.get(..length).ok_or(BROKEN)?;
        self.at += 4 + length;
        Ok(Value::Text(text))
    }
}

/// What a page says of itself.
#[derive(Clone, Copy, Debug)]
struct Header {
    has_values: bool,
    packed: usize,
    unpacked: usize,
    values: u32,
}

fn header(reader: &mut Reader) -> Result<Header, Problem> {
    let (mut kind, mut unpacked, mut packed, mut data) = (None, None, None, None);
    reader.fields(|reader, id, of| {
        match (id, of) {
            (1, I32) => kind = Some(reader.number()?),
            (2, I32) => unpacked = Some(reader.count()?),
            (3, I32) => packed = Some(reader.count()?),
            (5, STRUCT) => data = Some(values(reader)?),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    let (Some(kind), Some(unpacked), Some(packed)) = (kind, unpacked, packed) else {
        return Err(BROKEN);
    };
    let (has_values, values) = match (kind, data) {
        (0, Some(values)) => (true, values),
        // An index.
        (1, _) => (false, 0),
        (2, _) => return Err(Problem::Foreign("dictionaries")),
        (3, _) => return Err(Problem::Foreign("pages of the second version")),
        _ => return Err(BROKEN),
    };
    Ok(Header {
        has_values,
        packed,
        unpacked,
        values,
    })
}

/// How many values a page has; they are written in the one way that is read here.
fn values(reader: &mut Reader) -> Result<u32, Problem> {
    let (mut count, mut encoding, mut levels) = (None, None, None);
    reader.fields(|reader, id, kind| {
        match (id, kind) {
            (1, I32) => count = Some(reader.count()?),
            (2, I32) => encoding = Some(reader.number()?),
            (3, I32) => levels = Some(reader.number()?),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    let count = count.and_then(|count| u32::try_from(count).ok()).ok_or(BROKEN)?;
    match (encoding, levels) {
        // PLAIN, and RLE.
        (Some(0), Some(3)) => Ok(count),
        (Some(_), Some(_)) => Err(Problem::Foreign("another encoding than PLAIN")),
        _ => Err(BROKEN),
    }
}

/// For each value whether it is there: one bit each, in runs of equal ones and runs of eight bits a byte.
#[derive(Clone, Debug, Default)]
struct Levels {
    /// What is not read yet.
    rest: Range<usize>,
    run: Run,
}

#[derive(Clone, Copy, Debug)]
enum Run {
    /// So many are all like this.
    Equal(u64, bool),
    /// So many bits are left of these bytes, the next in the first byte's lowest place.
    Bits(u64, u8),
}

impl Default for Run {
    fn default() -> Self {
        Self::Equal(0, false)
    }
}

impl Levels {
    /// Those at a page's beginning, and where its values begin.
    fn begin(page: &[u8]) -> Result<(Self, usize), Problem> {
        let (length, rest) = page.split_first_chunk::<4>().ok_or(BROKEN)?;
        let length = u32::from_le_bytes(*length) as usize;
        if length > rest.len() {
            return Err(BROKEN);
        }
        let levels = Self {
            rest: 4..4 + length,
            run: Run::default(),
        };
        Ok((levels, 4 + length))
    }

    fn next(&mut self, page: &[u8]) -> Result<bool, Problem> {
        loop {
            match &mut self.run {
                Run::Equal(0, _) | Run::Bits(0, _) => self.run = self.turn(page)?,
                Run::Equal(left, is_there) => {
                    *left -= 1;
                    return Ok(*is_there);
                }
                Run::Bits(left, byte) => {
                    if (*left).is_multiple_of(8) {
                        *byte = *page[self.rest.clone()].first().ok_or(BROKEN)?;
                        self.rest.start += 1;
                    }
                    let is_there = *byte & 1 == 1;
                    *byte >>= 1;
                    *left -= 1;
                    return Ok(is_there);
                }
            }
        }
    }

    /// The next run.
    fn turn(&mut self, page: &[u8]) -> Result<Run, Problem> {
        let mut reader = Reader::new(&page[self.rest.clone()]);
        let header = reader.varint().map_err(|_| BROKEN)?;
        self.rest.start = self.rest.end - reader.left();
        if header & 1 == 1 {
            return Ok(Run::Bits((header >> 1).saturating_mul(8), 0));
        }
        let value = *page[self.rest.clone()].first().ok_or(BROKEN)?;
        self.rest.start += 1;
        if value > 1 {
            return Err(BROKEN);
        }
        Ok(Run::Equal(header >> 1, value == 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(runs: &[u8], count: usize) -> Result<Vec<bool>, Problem> {
        let mut page = (runs.len() as u32).to_le_bytes().to_vec();
        page.extend_from_slice(runs);
        let (mut levels, at) = Levels::begin(&page)?;
        assert_eq!(at, page.len());
        (0..count).map(|_| levels.next(&page)).collect()
    }

    #[test]
    fn levels_are_runs_of_equal_ones_and_of_bits() {
        let bits = [true, false, true, true, false, false, false, true];
        assert_eq!(
            read(&[6, 1, 3, 0b1000_1101, 2, 0], 12).unwrap(),
            [&[true; 3][..], &bits, &[false]].concat()
        );
        assert_eq!(
            read(&[5, 0b1000_1101, 0xff, 0, 1, 2, 1], 17).unwrap(),
            [&bits[..], &[true; 9]].concat()
        );
        assert_eq!(read(&[0xfe, 0xff, 0x03, 1], 32_767).unwrap(), vec![true; 32_767]);
    }

    #[test]
    fn levels_that_end_early_are_broken() {
        for runs in [&[][..], &[6, 1], &[6], &[3], &[5, 0xff], &[6, 2], &[0, 0], &[0xff; 20]] {
            assert_eq!(read(runs, 12), Err(BROKEN), "{runs:?}");
        }
        assert!(Levels::begin(&[9, 0, 0, 0, 1]).is_err() && Levels::begin(&[0, 0]).is_err());
    }
}

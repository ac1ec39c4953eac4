//! Thrift's compact protocol, as far as a Parquet file's footer and page headers need it: fields are read by their number, and unknown ones skipped.
//!
//! Every length is checked against what is there, so that a broken file costs no more than its own size.

use super::super::problem::Problem;

pub(super) const I32: u8 = 5;
pub(super) const I64: u8 = 6;
pub(super) const BINARY: u8 = 8;
pub(super) const LIST: u8 = 9;
pub(super) const STRUCT: u8 = 12;

/// Structures within each other that are skipped at most.
const DEPTH: u8 = 32;

const BROKEN: Problem = Problem::Broken("what describes it cannot be read");

/// A place in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// How many bytes are left.
    pub(super) const fn left(&self) -> usize {
        self.rest.len()
    }

    fn bytes(&mut self, count: usize) -> Result<&'a [u8], Problem> {
        let (bytes, rest) = self.rest.split_at_checked(count).ok_or(BROKEN)?;
        self.rest = rest;
        Ok(bytes)
    }

    fn byte(&mut self) -> Result<u8, Problem> {
        Ok(self.bytes(1)?[0])
    }

    /// A number of seven bits a byte, the low ones first.
    pub(super) fn varint(&mut self) -> Result<u64, Problem> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(BROKEN)
    }

    /// A number with a sign.
    pub(super) fn number(&mut self) -> Result<i64, Problem> {
        let number = self.varint()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    /// A number that says how many there are of something, or where.
    pub(super) fn count(&mut self) -> Result<usize, Problem> {
        usize::try_from(self.number()?).map_err(|_| BROKEN)
    }

    pub(super) fn binary(&mut self) -> Result<&'a [u8], Problem> {
        let length = usize::try_from(self.varint()?).map_err(|_| BROKEN)?;
        self.bytes(length)
    }

    /// Reads a structure: `each` is given a field's number and type, and says whether it read the field.
    pub(super) fn fields(&mut self, mut each: impl FnMut(&mut Self, i64, u8) -> Result<bool, Problem>) -> Result<(), Problem> {
        let mut last = 0_i64;
        loop {
            let header = self.byte()?;
            if header == 0 {
                return Ok(());
            }
            let (step, kind) = (i64::from(header >> 4), header & 0x0f);
            last = if step == 0 {
                self.number()?
            } else {
                last.saturating_add(step)
            };
            if !each(self, last, kind)? {
                self.skip(kind, DEPTH)?;
            }
        }
    }

    /// Reads a list of structures.
    pub(super) fn structs(&mut self, mut each: impl FnMut(&mut Self) -> Result<(), Problem>) -> Result<(), Problem> {
        let (kind, count) = self.list()?;
        if kind != STRUCT && count > 0 {
            return Err(BROKEN);
        }
        (0..count).try_for_each(|_| each(self))
    }

    fn list(&mut self) -> Result<(u8, u64), Problem> {
        let header = self.byte()?;
        let count = match header >> 4 {
            15 => self.varint()?,
            count => u64::from(count),
        };
        // Each takes a byte at least.
        if count > self.rest.len() as u64 {
            return Err(BROKEN);
        }
        Ok((header & 0x0f, count))
    }

    fn skip(&mut self, kind: u8, depth: u8) -> Result<(), Problem> {
        match kind {
            // Truth is told by the type alone.
            1 | 2 => Ok(()),
            _ => self.skip_value(kind, depth),
        }
    }

    /// Skips a value as it stands in a list, where truth takes a byte.
    fn skip_value(&mut self, kind: u8, depth: u8) -> Result<(), Problem> {
        let inner = depth.checked_sub(1).ok_or(BROKEN)?;
        match kind {
            1..=3 => self.bytes(1).map(drop),
            4 | I32 | I64 => self.varint().map(drop),
            7 => self.bytes(8).map(drop),
            BINARY => self.binary().map(drop),
            LIST | 10 => {
                let (kind, count) = self.list()?;
                (0..count).try_for_each(|_| self.skip_value(kind, inner))
            }
            11 => {
                let count = self.varint()?;
                if count == 0 {
                    return Ok(());
                }
                let kinds = self.byte()?;
                (0..count).try_for_each(|_| {
                    self.skip_value(kinds >> 4, inner)?;
                    self.skip_value(kinds & 0x0f, inner)
                })
            }
            STRUCT => loop {
                let header = self.byte()?;
                if header == 0 {
                    return Ok(());
                }
                if header >> 4 == 0 {
                    self.varint()?;
                }
                self.skip(header & 0x0f, inner)?;
            },
            13 => self.bytes(16).map(drop),
            _ => Err(BROKEN),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_their_number_and_others_skipped() {
        // 1: i32 -3; 2: true; 3: list of two structs; 20: binary "ab"; 21: map of one byte to a list of truths.
        let bytes = [
            0x15, 5, 0x11, 0x19, 0x2c, 0x15, 2, 0, 0, 0x08, 40, 2, b'a', b'b', 0x1b, 1, 0x39, 7, 0x21, 1, 2, 0,
        ];
        let mut read = Vec::new();
        let mut reader = Reader::new(&bytes);
        reader
            .fields(|reader, id, kind| {
                match (id, kind) {
                    (1, I32) => read.push(reader.number()?.to_string()),
                    (20, BINARY) => read.push(String::from_utf8_lossy(reader.binary()?).into_owned()),
                    _ => return Ok(false),
                }
                Ok(true)
            })
            .unwrap();
        assert_eq!(read, ["-3", "ab"]);
        assert_eq!(reader.left(), 0);
    }

    #[test]
    fn what_is_too_long_or_too_deep_is_refused() {
        let none = |bytes: &[u8]| Reader::new(bytes).fields(|_, _, _| Ok(false)).unwrap_err();
        assert_eq!(none(&[0x18, 0xff, 0xff, 0xff, 0xff, 0x0f, 1]), BROKEN);
        assert_eq!(none(&[0x19, 0xf5, 0xff, 0xff, 0xff, 0xff, 0x0f]), BROKEN);
        assert_eq!(none(&[0x1b, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x11]), BROKEN);
        assert_eq!(none(&[0x1c; 1_000]), BROKEN);
        assert_eq!(none(&[0xff; 100]), BROKEN);
    }
}

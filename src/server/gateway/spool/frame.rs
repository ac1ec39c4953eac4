//! A frame: some records, sealed, with what tells whether they are whole.
//!
//! Length of the sealed bytes, number of records, CRC-32 of those two and the sealed bytes: 32 bits each, little endian. Then the sealed bytes.

use super::position::Position;

/// Bytes before the sealed ones.
pub(super) const HEAD: usize = 12;
/// No frame is longer: a length past it is no length.
pub(super) const MAX_SEALED: usize = 256 << 20;

/// What stands before the sealed bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Bytes that are sealed.
    pub(super) sealed: usize,
    /// Records in them.
    pub(super) records: u32,
    crc: u32,
}

impl Head {
    /// Reads it; none where it cannot be one.
    pub(super) fn read(bytes: &[u8; HEAD]) -> Option<Self> {
        let (numbers, []) = bytes.as_chunks::<4>() else { return None };
        let [sealed, records, crc] = numbers else { return None };
        let sealed = u32::from_le_bytes(*sealed) as usize;
        (sealed > 0 && sealed <= MAX_SEALED).then(|| Self {
            sealed,
            records: u32::from_le_bytes(*records),
            crc: u32::from_le_bytes(*crc),
        })
    }

    /// Whether these are the bytes that were sealed.
    pub(super) fn is_of(&self, sealed: &[u8]) -> bool {
        crc(sealed.len() as u32, self.records, sealed) == self.crc
    }

    /// Where the next frame begins.
    pub(super) const fn end(&self, at: Position) -> Position {
        Position {
            offset: at.offset + (HEAD + self.sealed) as u64,
            ..at
        }
    }
}

/// Sealed bytes as a frame.
pub(super) fn frame(sealed: &[u8], records: u32) -> Vec<u8> {
    let length = sealed.len() as u32;
    let mut frame = Vec::with_capacity(HEAD + sealed.len());
    frame.extend_from_slice(&length.to_le_bytes());
    frame.extend_from_slice(&records.to_le_bytes());
    frame.extend_from_slice(&crc(length, records, sealed).to_le_bytes());
    frame.extend_from_slice(sealed);
    frame
}

fn crc(length: u32, records: u32, sealed: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&length.to_le_bytes());
    crc.update(&records.to_le_bytes());
    crc.update(sealed);
    crc.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_told_from_a_harmed_one() {
        let bytes = frame(b"sealed", 3);
        let read = |bytes: &[u8]| {
            let (head, sealed) = bytes.split_first_chunk::<HEAD>()?;
            Head::read(head).filter(|head| head.sealed == sealed.len() && head.is_of(sealed))
        };
        assert_eq!(read(&bytes).unwrap().records, 3);
        for at in 0..bytes.len() {
            let mut harmed = bytes.clone();
            harmed[at] ^= 4;
            assert_eq!(read(&harmed), None, "byte {at}");
            assert_eq!(read(&bytes[..at]), None, "cut at {at}");
        }
        assert_eq!(read(&[0; 20]), None, "a hole in a file is no frame");
    }
}

//! The file's plain bytes, kept once in one piece, so that a search runs through them without seams.

use super::problem::Problem;

/// The most that is taken: beyond it a page would come near the four gigabytes that wasm can address.
pub const MAX_BYTES: usize = 1_000_000_000;

/// Bytes that grow as they come.
#[derive(Debug, Default)]
pub(super) struct Plain {
    bytes: Vec<u8>,
    expected: usize,
}

impl Plain {
    /// Nothing yet. What is expected is reserved at once: growing would for a moment need the room of both the old and the new place.
    pub(super) fn new(expected: Option<u64>) -> Self {
        let expected = expected.map_or(0, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
        Self {
            bytes: Vec::new(),
            expected: expected.min(MAX_BYTES),
        }
    }

    /// All that has come.
    pub(super) fn all(&self) -> &[u8] {
        &self.bytes
    }

    /// Room for so many more bytes, to be written over.
    pub(super) fn room(&mut self, more: usize) -> Result<&mut [u8], Problem> {
        let at = self.bytes.len();
        let need = at.saturating_add(more);
        if need > MAX_BYTES {
            return Err(Problem::TooLarge);
        }
        if need > self.bytes.capacity() {
            let wanted = self.expected.max(at + at / 2).clamp(need, MAX_BYTES);
            // Where there is no room for the next size, there may be for what is needed now.
            self.bytes
                .try_reserve_exact(wanted - at)
                .or_else(|_| self.bytes.try_reserve_exact(more))
                .map_err(|_| Problem::NoMemory(at))?;
        }
        self.bytes.resize(need, 0);
        Ok(&mut self.bytes[at..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_expected_is_reserved_at_once_and_more_may_come() {
        let mut plain = Plain::new(Some(1_000));
        plain.room(10).unwrap().copy_from_slice(b"0123456789");
        assert!(plain.bytes.capacity() >= 1_000);
        plain.room(2_000).unwrap();
        assert_eq!(plain.all().len(), 2_010);
        assert_eq!(&plain.all()[..10], b"0123456789");
    }

    #[test]
    fn past_the_ceiling_it_says_so() {
        let mut plain = Plain::new(Some(u64::MAX));
        assert_eq!(plain.room(MAX_BYTES + 1).unwrap_err(), Problem::TooLarge);
        assert!(Problem::TooLarge.to_string().contains("1.0 GB"));
    }
}

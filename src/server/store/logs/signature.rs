//! A block's signature: where a text cannot be, without opening the block.
//!
//! For each of `width` hash values of a trigram (three bytes of folded text) one word, in which bit `n` says whether log `n` of the block
//! has such a trigram: a bit-sliced signature file (Faloutsos and Christodoulakis, "Signature files", ACM TOIS 1984). A text can be in log `n`
//! only where every trigram of it has bit `n` set.

use super::fold::fold_into;

/// Smallest and largest number of words: 256 for a short log, 262,144 for a body of 64 MB.
const WIDTHS: (usize, usize) = (256, 262_144);
/// Knuth's multiplicative hashing: 2^32 divided by the golden ratio, odd.
const GOLDEN: u32 = 0x9E37_79B1;

/// The words of a block's signature, while it is made.
#[derive(Debug)]
pub(super) struct SignatureBuilder {
    words: Vec<u64>,
    shift: u32,
    folded: Vec<u8>,
}

/// Bytes of one word where a block has so many logs.
pub(super) const fn lane_bytes(logs: usize) -> usize {
    match logs {
        ..=8 => 1,
        9..=16 => 2,
        17..=32 => 4,
        _ => 8,
    }
}

/// How many words a block of these logs gets: half as many again as the longest one has bytes, so that at most half of a word's bits are set;
/// but no more than half the block's own size, lest one long log among short ones makes a signature larger than the text.
pub(super) fn width_for(logs: usize, longest: usize, all: usize) -> usize {
    let wide = |bytes: usize| (bytes + bytes / 2).next_power_of_two();
    let affordable = (all / 2 / lane_bytes(logs)).max(1);
    let affordable = if affordable.is_power_of_two() {
        affordable
    } else {
        affordable.next_power_of_two() / 2
    };
    wide(longest)
        .min(affordable.max(wide(all / logs.max(1))))
        .clamp(WIDTHS.0, WIDTHS.1)
}

/// The hash of a trigram; a word's place among `width` is `hash * width / 2^32`.
const fn hash(trigram: u32) -> u32 {
    trigram.wrapping_mul(GOLDEN)
}

impl SignatureBuilder {
    /// An empty signature of so many words, a power of two.
    pub(super) fn new(width: usize) -> Self {
        Self {
            words: vec![0; width],
            shift: 32 - width.trailing_zeros(),
            folded: Vec::new(),
        }
    }

    /// Notes a field of the log that has this slot.
    pub(super) fn add(&mut self, slot: usize, field: &[u8]) {
        fold_into(field, &mut self.folded);
        let [first, second, rest @ ..] = self.folded.as_slice() else {
            return;
        };
        let bit = 1_u64 << slot;
        let mask = self.words.len() - 1;
        let mut trigram = (u32::from(*first) << 8) | u32::from(*second);
        for byte in rest {
            trigram = ((trigram << 8) | u32::from(*byte)) & 0x00FF_FFFF;
            self.words[(hash(trigram) >> self.shift) as usize & mask] |= bit;
        }
    }

    /// The words as the database keeps them: little-endian, `lane` bytes each.
    pub(super) fn into_bytes(self, lane: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.words.len() * lane);
        for word in &self.words {
            bytes.extend_from_slice(&word.to_le_bytes()[..lane]);
        }
        bytes
    }
}

/// The hashes of a folded needle's trigrams, without repeats; none where it is shorter than three bytes.
pub(super) fn needle_hashes(folded: &[u8], hashes: &mut Vec<u32>) {
    for window in folded.windows(3) {
        let hash = hash((u32::from(window[0]) << 16) | (u32::from(window[1]) << 8) | u32::from(window[2]));
        if !hashes.contains(&hash) {
            hashes.push(hash);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_text_is_possible_where_the_text_is() {
        let texts: [&[u8]; 2] = ["Grüße aus KÖLN".as_bytes(), b"plain"];
        for width in [256, 2048] {
            let mut builder = SignatureBuilder::new(width);
            for (slot, text) in texts.iter().enumerate() {
                builder.add(slot, text);
            }
            let bytes = builder.into_bytes(1);
            let mut hashes = Vec::new();
            needle_hashes("grüße".as_bytes(), &mut hashes);
            let left = hashes.iter().fold(0xFF, |left, hash| {
                left & bytes[((u64::from(*hash) * width as u64) >> 32) as usize]
            });
            assert_eq!(left & 1, 1);
            assert_eq!(left & 2, 0, "the other text has none of it");
        }
    }

    #[test]
    fn the_width_follows_the_content() {
        assert_eq!(width_for(64, 1_000, 64_000), 2_048);
        assert_eq!(width_for(1, 100, 100), 256);
        assert_eq!(width_for(1, 60_000_000, 60_000_000), 262_144);
        assert!(
            width_for(64, 60_000, 123_000) * 8 <= 123_000 / 2,
            "one long log does not blow it up"
        );
    }

    #[test]
    fn short_fields_leave_no_mark() {
        let mut builder = SignatureBuilder::new(256);
        builder.add(0, b"ab");
        builder.add(0, b"");
        assert!(builder.into_bytes(1).iter().all(|byte| *byte == 0));
    }
}

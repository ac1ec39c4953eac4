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

/// What signatures of a form were made of, as the database has it. One that is older than its column has the number 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Headers were signed as the JSON that they are kept as, not as lines.
    HeadersAsJson,
    /// All texts as searches look through them.
    Texts,
}

impl Form {
    /// The form of what is signed now.
    pub(super) const NOW: Self = Self::Texts;

    pub(super) const fn number(self) -> i16 {
        self as i16
    }

    /// The form of a number that the database gave.
    pub(super) const fn of_number(number: i64) -> Option<Self> {
        match number {
            0 => Some(Self::HeadersAsJson),
            1 => Some(Self::Texts),
            _ => None,
        }
    }
}

/// A trigram of a needle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trigram {
    pub(super) hash: u32,
    /// Whether it stands in headers' JSON wherever it stands in their lines: it has nothing that JSON escapes, and does not reach over `: `.
    is_same_in_json: bool,
}

impl Trigram {
    fn of(bytes: [u8; 3]) -> Self {
        let [first, second, third] = bytes;
        Self {
            hash: hash((u32::from(first) << 16) | (u32::from(second) << 8) | u32::from(third)),
            is_same_in_json: bytes.iter().all(|byte| *byte > b' ' && !matches!(byte, b'"' | b'\\' | b':')),
        }
    }

    /// Whether a log that has the trigram has its bit in a signature of this form.
    pub(super) const fn is_signed_in(self, form: Form) -> bool {
        match form {
            Form::HeadersAsJson => self.is_same_in_json,
            Form::Texts => true,
        }
    }
}

/// A folded needle's trigrams, without repeats; none where it is shorter than three bytes.
pub(super) fn needle_trigrams(folded: &[u8], trigrams: &mut Vec<Trigram>) {
    for window in folded.array_windows() {
        let trigram = Trigram::of(*window);
        if !trigrams.contains(&trigram) {
            trigrams.push(trigram);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::server::store::logs::{fold::fold, header_lines};

    /// The word of a trigram in a signature with words of one byte.
    fn word(signature: &[u8], trigram: Trigram) -> u8 {
        signature[((u64::from(trigram.hash) * signature.len() as u64) >> 32) as usize]
    }

    proptest! {
        /// Whoever looks for a part of a header's line is led to the blocks that were signed before lines were.
        #[test]
        fn an_older_signature_leads_to_every_part_of_a_line(
            headers in prop::collection::vec(("[a-zA-Z :\"-]{0,6}", prop::collection::vec("[ -~é\0\n]{0,9}", 1..3)), 1..4),
            (from, length) in (0_usize..60, 1_usize..30),
        ) {
            let members: Vec<String> = headers
                .iter()
                .map(|(name, values)| match values.as_slice() {
                    [value] => format!("{}:{}", serde_json::json!(name), serde_json::json!(value)),
                    values => format!("{}:{}", serde_json::json!(name), serde_json::json!(values)),
                })
                .collect();
            let json = format!("{{{}}}", members.join(","));
            let mut lines = Vec::new();
            header_lines::push(json.as_bytes(), &mut lines);
            let text = String::from_utf8(lines).expect("text");
            let part: String = text.chars().skip(from).take(length).collect();
            for (form, signed) in [(Form::HeadersAsJson, json.as_bytes()), (Form::Texts, text.as_bytes())] {
                let mut builder = SignatureBuilder::new(256);
                builder.add(0, signed);
                let signature = builder.into_bytes(1);
                let mut trigrams = Vec::new();
                needle_trigrams(&fold(part.as_bytes()), &mut trigrams);
                for trigram in trigrams.into_iter().filter(|trigram| trigram.is_signed_in(form)) {
                    prop_assert_eq!(word(&signature, trigram), 1, "{:?} {:?} of {:?}", form, part, text);
                }
            }
        }
    }

    #[test]
    fn an_older_signature_still_tells_blocks_apart() {
        let count = |needle: &str| {
            let mut trigrams = Vec::new();
            needle_trigrams(needle.as_bytes(), &mut trigrams);
            trigrams
                .into_iter()
                .filter(|trigram| trigram.is_signed_in(Form::HeadersAsJson))
                .count()
        };
        assert_eq!(count("ann@example.com"), 13, "nothing that JSON escapes");
        assert_eq!(count("etag: w/\"abc\""), 3, "eta, tag, abc");
    }

    #[test]
    fn every_part_of_a_text_is_possible_where_the_text_is() {
        let texts: [&[u8]; 2] = ["Grüße aus KÖLN".as_bytes(), b"plain"];
        for width in [256, 2048] {
            let mut builder = SignatureBuilder::new(width);
            for (slot, text) in texts.iter().enumerate() {
                builder.add(slot, text);
            }
            let bytes = builder.into_bytes(1);
            let mut trigrams = Vec::new();
            needle_trigrams("grüße".as_bytes(), &mut trigrams);
            let left = trigrams.iter().fold(0xFF, |left, trigram| left & word(&bytes, *trigram));
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

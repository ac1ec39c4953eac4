//! Looking for a literal text, in any case.
//!
//! Case is folded letter by letter, and only where the small letter is as long in bytes as the large one (all but a handful, as the Kelvin sign).
//! So a place in folded text is the same place in the text, and matches can be marked where they stand.

use std::ops::Range;

/// Rows with matches that are kept; past them the count says "and more".
pub const MAX_HITS: usize = 1_000_000;

/// Folds the case of a text, in place of its bytes: the result is as long as the text.
pub fn fold_case(text: &mut String) {
    if text.is_ascii() {
        text.make_ascii_lowercase();
        return;
    }
    let folded: String = text.chars().map(fold_letter).collect();
    *text = folded;
}

fn fold_letter(letter: char) -> char {
    let mut lower = letter.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(small), None) if small.len_utf8() == letter.len_utf8() => small,
        _ => letter,
    }
}

/// Something to look for.
#[derive(Clone, Debug)]
pub(super) struct Needle {
    finder: memchr::memmem::Finder<'static>,
    len: usize,
}

impl Needle {
    /// `None` where there is nothing to look for.
    pub(super) fn new(text: &str) -> Option<Self> {
        let mut folded = text.to_owned();
        fold_case(&mut folded);
        (!folded.is_empty()).then(|| Self {
            finder: memchr::memmem::Finder::new(folded.as_bytes()).into_owned(),
            len: folded.len(),
        })
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// How often it stands in a folded text, matches not overlapping.
    pub(super) fn count(&self, folded: &str) -> u32 {
        self.finder.find_iter(folded.as_bytes()).count() as u32
    }

    /// Where it stands in a text.
    pub(super) fn places(&self, text: &str) -> Vec<Range<usize>> {
        let mut folded = text.to_owned();
        fold_case(&mut folded);
        self.finder.find_iter(folded.as_bytes()).map(|at| at..at + self.len).collect()
    }

    /// Where it stands in bytes that may not be text; then only the case of ASCII letters is folded.
    pub(super) fn places_in_bytes(&self, bytes: &[u8]) -> Vec<usize> {
        let folded = match std::str::from_utf8(bytes) {
            Ok(text) => {
                let mut folded = text.to_owned();
                fold_case(&mut folded);
                folded.into_bytes()
            }
            Err(_) => bytes.to_ascii_lowercase(),
        };
        self.finder.find_iter(&folded).collect()
    }
}

/// Something that holds matches, and how many matches stand before it.
#[derive(Clone, Copy, Debug)]
struct Hit {
    place: u32,
    before: u32,
}

/// The matches found so far, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Hits {
    hits: Vec<Hit>,
    total: u32,
    full: bool,
}

impl Hits {
    /// Notes that a place holds `count` matches; false where no more are kept.
    pub(super) fn add(&mut self, place: u32, count: u32) -> bool {
        if count == 0 {
            return !self.full;
        }
        self.full = self.full || self.hits.len() >= MAX_HITS;
        if !self.full {
            self.hits.push(Hit {
                place,
                before: self.total,
            });
            self.total = self.total.saturating_add(count);
        }
        !self.full
    }

    /// How many matches are known.
    pub(super) const fn total(&self) -> u32 {
        self.total
    }

    /// Whether there may be more than are known.
    pub(super) const fn is_full(&self) -> bool {
        self.full
    }

    /// The place of a match, and which of that place's matches it is.
    pub(super) fn place(&self, number: u32) -> Option<(u32, u32)> {
        if number >= self.total {
            return None;
        }
        let at = self.hits.partition_point(|hit| hit.before <= number) - 1;
        Some((self.hits[at].place, number - self.hits[at].before))
    }

    /// The first match at or after a place.
    pub(super) fn first_from(&self, place: u32) -> Option<u32> {
        let at = self.hits.partition_point(|hit| hit.place < place);
        self.hits.get(at).map(|hit| hit.before)
    }

    /// Whether a place has matches.
    pub(super) fn has(&self, place: u32) -> bool {
        self.hits.binary_search_by_key(&place, |hit| hit.place).is_ok()
    }

    /// The places from `from` up to `to`, each with the number of its first match.
    pub(super) fn between(&self, from: u32, to: u32) -> impl Iterator<Item = (u32, u32)> + '_ {
        let first = self.hits.partition_point(|hit| hit.place < from);
        self.hits[first..]
            .iter()
            .take_while(move |hit| hit.place < to)
            .map(|hit| (hit.place, hit.before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folded_text_is_as_long_as_the_text() {
        for text in ["Grüße ÄÖÜ", "ΣΑΣ", "İstanbul", "\u{212a}elvin", "ẞ", "HTTP"] {
            let mut folded = text.to_owned();
            fold_case(&mut folded);
            assert_eq!(folded.len(), text.len(), "{text}");
        }
        assert_eq!(Needle::new("ÄÖ").unwrap().places("grüße äö"), vec![8..12]);
    }

    #[test]
    fn matches_are_numbered_in_order() {
        let mut hits = Hits::default();
        hits.add(4, 2);
        hits.add(9, 1);
        assert_eq!(hits.place(0), Some((4, 0)));
        assert_eq!(hits.place(1), Some((4, 1)));
        assert_eq!(hits.place(2), Some((9, 0)));
        assert_eq!(hits.place(3), None);
        assert_eq!(hits.first_from(5), Some(2));
        assert_eq!(hits.first_from(10), None);
    }
}

//! A text that is looked for, in any case, and the quick way through bytes to where it may stand.
//!
//! `memchr::memmem` knows no case. Two of the text's rarest letters are therefore looked for at once, both cases of each, 64 bytes at a time, in a
//! loop that the compiler turns into vector instructions; only where both stand at their distance the rest is compared.

use std::borrow::Cow;

/// Bytes that are looked at together.
const BLOCK: usize = 64;

/// A text without its case: letter by letter in lower case, and both of Greek's small sigmas as one.
pub(super) fn fold(text: &str) -> String {
    text.chars()
        .flat_map(char::to_lowercase)
        .map(|letter| if letter == 'ς' { 'σ' } else { letter })
        .collect()
}

/// A text that is looked for in cells.
#[derive(Clone, Debug)]
pub(super) struct Needle {
    folded: String,
    finder: Option<Finder>,
}

impl Needle {
    pub(super) fn new(text: &str) -> Self {
        let folded = fold(text);
        let finder = folded.is_ascii().then(|| Finder::new(folded.as_bytes())).flatten();
        Self { folded, finder }
    }

    /// The text without its case.
    pub(super) fn folded(&self) -> &str {
        &self.folded
    }

    /// Whether a cell has it. Letters of ASCII are found as letters of ASCII only.
    pub(super) fn is_in(&self, cell: &[u8]) -> bool {
        if let Some(finder) = &self.finder {
            return finder.find(cell, 0).is_some();
        }
        if self.folded.is_empty() {
            return true;
        }
        // What is not ASCII cannot stand in what is.
        !cell.is_ascii() && fold(&lossy(cell)).contains(&self.folded)
    }
}

/// A cell as text.
pub(super) fn lossy(cell: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(cell)
}

/// One of the two letters looked for first.
#[derive(Clone, Copy, Debug)]
struct Probe {
    /// Its place in the text.
    at: usize,
    /// The bits in which its two cases differ.
    case: u8,
    /// It, with those bits set.
    letter: u8,
}

impl Probe {
    const fn new(text: &[u8], at: usize) -> Self {
        let letter = text[at];
        let case = if letter.is_ascii_lowercase() { 0x20 } else { 0 };
        Self { at, case, letter }
    }
}

/// Finds an ASCII text in bytes, in any case.
#[derive(Clone, Debug)]
pub(super) struct Finder {
    text: Vec<u8>,
    first: Probe,
    second: Probe,
}

impl Finder {
    /// For a text in lower case; `None` where it is empty.
    pub(super) fn new(text: &[u8]) -> Option<Self> {
        let rarest = |not: Option<u8>| {
            (0..text.len())
                .filter(|&at| Some(text[at]) != not)
                .min_by_key(|&at| commonness(text[at]))
        };
        let first = rarest(None)?;
        let second = rarest(Some(text[first])).unwrap_or(if first == 0 { text.len() - 1 } else { 0 });
        Some(Self {
            first: Probe::new(text, first),
            second: Probe::new(text, second),
            text: text.to_vec(),
        })
    }

    /// Where it stands first, from a place on.
    pub(super) fn find(&self, bytes: &[u8], from: usize) -> Option<usize> {
        let ends = bytes.len().checked_sub(self.text.len())? + 1;
        let mut at = from;
        while at + BLOCK <= ends {
            let block = |probe: Probe| bytes.get(at + probe.at..)?.first_chunk::<BLOCK>();
            let (Some(first), Some(second)) = (block(self.first), block(self.second)) else {
                break;
            };
            if both_in(first, self.first, second, self.second)
                && let Some(place) = (at..at + BLOCK).find(|&place| self.is_at(bytes, place))
            {
                return Some(place);
            }
            at += BLOCK;
        }
        (at..ends).find(|&place| self.is_at(bytes, place))
    }

    fn is_at(&self, bytes: &[u8], at: usize) -> bool {
        let is = |probe: Probe| bytes[at + probe.at] | probe.case == probe.letter;
        is(self.first) && is(self.second) && bytes[at..at + self.text.len()].eq_ignore_ascii_case(&self.text)
    }
}

/// Whether both letters stand at their distance somewhere here. No branch and no early end: so it becomes vector instructions.
fn both_in(first: &[u8; BLOCK], one: Probe, second: &[u8; BLOCK], two: Probe) -> bool {
    let mut any = 0_u8;
    for place in 0..BLOCK {
        any |= u8::from(first[place] | one.case == one.letter) & u8::from(second[place] | two.case == two.letter);
    }
    any != 0
}

/// How often a byte stands in exports, roughly: JSON's signs and English letters.
fn commonness(byte: u8) -> u8 {
    const ORDER: &[u8] = b"\" ,:0123456789etaoinsrhldcumfpgwybv-_./kx{}";
    ORDER
        .iter()
        .position(|&common| common == byte)
        .map_or(0, |place| (ORDER.len() - place) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn case_does_not_matter() {
        for (text, cell) in [
            ("ÜBER", "Grüß über"),
            ("σας", "ΣΑΣ"),
            ("Error 4", "some ERROR 42"),
            ("\u{212a}", "k"),
            ("", ""),
        ] {
            assert!(Needle::new(text).is_in(cell.as_bytes()), "{text}");
        }
        assert!(!Needle::new("ü").is_in(b"u"));
        assert!(!Needle::new("@").is_in(b"`"));
    }

    proptest! {
        #[test]
        fn bytes_are_found_where_they_first_stand(text in "[a-cA-C\",]{1,4}", cell in "[a-cA-C\",]{0,300}", from in 0_usize..200) {
            let text = text.to_ascii_lowercase();
            let folded = cell.to_ascii_lowercase();
            let from = from.min(cell.len());
            let expected = folded[from..].find(&text).map(|place| place + from);
            prop_assert_eq!(Finder::new(text.as_bytes()).unwrap().find(cell.as_bytes(), from), expected);
        }

        #[test]
        fn a_cell_has_what_its_folded_text_has(text in "[aäÄσΣςİ]{1,3}", cell in "[aAäÄσΣςİi\u{307}]{0,40}") {
            let folded = fold(&text);
            let expected = fold(&cell).contains(&folded);
            prop_assume!(!folded.is_ascii());
            prop_assert_eq!(Needle::new(&text).is_in(cell.as_bytes()), expected);
        }
    }
}

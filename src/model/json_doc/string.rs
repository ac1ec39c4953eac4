//! JSON strings: what they say, and how they are shown.
//!
//! A string is shown as valid JSON with only those escapes that are needed, whatever its author escaped: `\u00e9` is shown as `é`, a line break as `\n`.
//! Half of a surrogate pair, which no text can hold, is shown as it was written.

/// Where a string ends whose content begins at `start`: the place of its closing quote. The text was checked before.
pub(super) fn end_of(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(found) = memchr::memchr2(b'"', b'\\', &bytes[at.min(bytes.len())..]) {
        at += found;
        if bytes[at] == b'"' {
            return at;
        }
        at += 2;
    }
    bytes.len()
}

/// What one step through a string's content gives.
enum Unit<'a> {
    /// Characters as they are.
    Run(&'a [u8]),
    /// An escaped character.
    Char(char),
    /// Half of a surrogate pair, as written.
    Half(&'a [u8]),
}

/// Walks through the content of a string that was checked before.
struct Units<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Units<'a> {
    type Item = Unit<'a>;

    fn next(&mut self) -> Option<Unit<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let run = memchr::memchr(b'\\', self.rest).unwrap_or(self.rest.len());
        if run > 0 {
            let (head, tail) = self.rest.split_at(run);
            self.rest = tail;
            return Some(Unit::Run(head));
        }
        let (escape, width) = match self.rest.get(1) {
            Some(b'u') => return Some(self.unicode()),
            Some(b'n') => ('\n', 2),
            Some(b't') => ('\t', 2),
            Some(b'r') => ('\r', 2),
            Some(b'b') => ('\u{8}', 2),
            Some(b'f') => ('\u{c}', 2),
            Some(other) => (char::from(*other), 2),
            None => ('\\', 1),
        };
        self.rest = &self.rest[width..];
        Some(Unit::Char(escape))
    }
}

impl<'a> Units<'a> {
    fn unicode(&mut self) -> Unit<'a> {
        let (first, tail) = self.rest.split_at(self.rest.len().min(6));
        let high = hex(first);
        let low = tail.get(..6).filter(|next| next.starts_with(b"\\u")).map(hex);
        self.rest = tail;
        if let Some(letter) = char::from_u32(high) {
            return Unit::Char(letter);
        }
        match (high, low) {
            (0xD800..=0xDBFF, Some(low @ 0xDC00..=0xDFFF)) => {
                self.rest = &tail[6..];
                let code = 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                char::from_u32(code).map_or(Unit::Half(first), Unit::Char)
            }
            _ => Unit::Half(first),
        }
    }
}

/// The number that `\uXXXX` writes.
fn hex(escape: &[u8]) -> u32 {
    escape
        .iter()
        .skip(2)
        .fold(0, |number, digit| number * 16 + char::from(*digit).to_digit(16).unwrap_or(0))
}

/// What a string says. Half of a surrogate pair becomes U+FFFD.
pub(super) fn decode(content: &[u8]) -> String {
    let mut text = String::with_capacity(content.len());
    for unit in (Units { rest: content }) {
        match unit {
            Unit::Run(run) => text.push_str(&String::from_utf8_lossy(run)),
            Unit::Char(letter) => text.push(letter),
            Unit::Half(_) => text.push(char::REPLACEMENT_CHARACTER),
        }
    }
    text
}

/// Appends a string's content as it is shown, at most `limit` bytes of it and a little; says whether that was all.
pub(super) fn show(content: &[u8], limit: usize, out: &mut String) -> bool {
    let full = out.len().saturating_add(limit);
    let mut units = Units { rest: content };
    while out.len() <= full {
        match units.next() {
            None => return true,
            Some(Unit::Run(run)) => {
                let room = full - out.len() + 1;
                let cut = run.len() > room;
                out.push_str(&String::from_utf8_lossy(
                    &run[..if cut { char_start(run, room) } else { run.len() }],
                ));
                if cut {
                    return false;
                }
            }
            Some(Unit::Char(letter)) => escape(letter.encode_utf8(&mut [0; 4]), out),
            Some(Unit::Half(written)) => out.push_str(&String::from_utf8_lossy(written)),
        }
    }
    units.rest.is_empty()
}

/// The last place at or before `at` where a character begins.
pub(super) fn char_start(bytes: &[u8], at: usize) -> usize {
    let mut at = at.min(bytes.len());
    while at > 0 && at < bytes.len() && bytes[at] & 0xC0 == 0x80 {
        at -= 1;
    }
    at
}

/// Appends text with the escapes that JSON needs.
pub(super) fn escape(text: &str, out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\0'..='\u{1f}' => {
                let code = letter as usize;
                out.push_str("\\u00");
                out.push(char::from(DIGITS[code >> 4]));
                out.push(char::from(DIGITS[code & 15]));
            }
            _ => out.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(content: &str) -> String {
        let mut out = String::new();
        assert!(show(content.as_bytes(), usize::MAX / 2, &mut out));
        out
    }

    #[test]
    fn only_the_escapes_that_are_needed_are_shown() {
        assert_eq!(shown(r"caf\u00e9 \/ \ud83d\ude00"), "café / 😀");
        assert_eq!(shown(r#"a\"b\\c\n\u0000"#), r#"a\"b\\c\n\u0000"#);
        assert_eq!(shown(r"half \ud83d end"), r"half \ud83d end");
        assert_eq!(decode(br"half \ud83d\u0041"), "half \u{fffd}A");
    }

    #[test]
    fn a_long_string_is_shown_in_part() {
        let mut out = String::new();
        assert!(!show("é".repeat(1_000).as_bytes(), 99, &mut out));
        assert_eq!(out, "é".repeat(50));
    }

    #[test]
    fn a_string_ends_at_its_own_quote() {
        assert_eq!(end_of(br#""a\\\"b" rest"#, 1), 7);
    }
}

//! How a text is written where it stands: its escapes may not hide what a pattern looks for.
//!
//! A pattern reads the text with its escapes resolved; what it found is replaced where it is written. To read another way of writing: a word in
//! [`Written`], and its arms in [`Written::marks`] and [`Written::unit`].

use std::borrow::Cow;
use std::ops::Range;

use super::json;

/// Longer than every entity of XML that is resolved, with its `&` and `;`.
const LONGEST_ENTITY: usize = 12;

/// A way of writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// As it is.
    Plain,
    /// In a string of JSON (RFC 8259, 7).
    Json,
    /// In a URL: `%40`.
    Percent,
    /// In a form, or a URL's query: `%40`, and `+` for a space.
    Form,
    /// In XML: `&amp;`, `&#64;`.
    Xml,
}

/// The shortest piece of a text that is written together, and what it says.
struct Unit {
    says: [u8; 4],
    len: usize,
    /// Bytes that it is written in.
    written: usize,
}

impl Unit {
    const fn byte(byte: u8, written: usize) -> Self {
        Self {
            says: [byte, 0, 0, 0],
            len: 1,
            written,
        }
    }

    fn letter(letter: char, written: usize) -> Self {
        let mut says = [0; 4];
        let len = letter.encode_utf8(&mut says).len();
        Self { says, len, written }
    }
}

impl Written {
    /// The bytes that an escape begins with; the first one twice where there is one alone.
    const fn marks(self) -> Option<(u8, u8)> {
        match self {
            Self::Plain => None,
            Self::Json => Some((b'\\', b'\\')),
            Self::Percent => Some((b'%', b'%')),
            Self::Form => Some((b'%', b'+')),
            Self::Xml => Some((b'&', b'&')),
        }
    }

    /// Where the first escape may be.
    fn first_mark(self, raw: &[u8]) -> Option<usize> {
        let (one, other) = self.marks()?;
        memchr::memchr2(one, other, raw)
    }

    /// What a text says; borrowed where it has no escapes.
    pub(super) fn read(self, raw: &[u8]) -> Cow<'_, [u8]> {
        let Some(first) = self.first_mark(raw) else {
            return Cow::Borrowed(raw);
        };
        let mut says = Vec::with_capacity(raw.len());
        says.extend_from_slice(&raw[..first]);
        let mut at = first;
        while at < raw.len() {
            let unit = self.unit(&raw[at..]);
            says.extend_from_slice(&unit.says[..unit.len]);
            at += unit.written;
        }
        Cow::Owned(says)
    }

    /// Where these ranges of what a text says, in order, are written.
    pub(super) fn places(self, raw: &[u8], found: &[Range<usize>]) -> Vec<Range<usize>> {
        let (mut at, mut read) = (0, 0);
        let mut place_of = |wanted: usize| {
            while read < wanted && at < raw.len() {
                let unit = self.unit(&raw[at..]);
                read += unit.len;
                at += unit.written;
            }
            at
        };
        found.iter().map(|range| place_of(range.start)..place_of(range.end)).collect()
    }

    /// The unit that the bytes begin with.
    fn unit(self, rest: &[u8]) -> Unit {
        let plain = Unit::byte(rest[0], 1);
        match (self, rest[0]) {
            (Self::Json, b'\\') => {
                let (letter, len) = json::escape(&rest[1..]);
                Unit::letter(letter, 1 + len)
            }
            (Self::Percent | Self::Form, b'%') => hex_byte(rest).map_or(plain, |byte| Unit::byte(byte, 3)),
            (Self::Form, b'+') => Unit::byte(b' ', 1),
            (Self::Xml, b'&') => entity(rest).unwrap_or(plain),
            _ => plain,
        }
    }
}

fn hex_byte(rest: &[u8]) -> Option<u8> {
    let digit = |at: usize| rest.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    Some((digit(1)? * 16 + digit(2)?) as u8)
}

fn entity(rest: &[u8]) -> Option<Unit> {
    let near = &rest[..rest.len().min(LONGEST_ENTITY)];
    let end = memchr::memchr(b';', near)?;
    let name = std::str::from_utf8(&near[1..end]).ok()?;
    let letter = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)?
        }
    };
    Some(Unit::letter(letter, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a text says, and where a word of that is written.
    fn found<'a>(written: Written, raw: &'a str, word: &str) -> &'a str {
        let says = written.read(raw.as_bytes()).into_owned();
        let at = memchr::memmem::find(&says, word.as_bytes()).expect("it says so");
        let place = at..at + word.len();
        let places = written.places(raw.as_bytes(), std::slice::from_ref(&place));
        &raw[places[0].clone()]
    }

    #[test]
    fn a_word_is_found_where_it_is_written() {
        assert_eq!(found(Written::Plain, "to a@b.de", "a@b.de"), "a@b.de");
        assert_eq!(found(Written::Json, r"to\t\u0061\u0040b.de\n", "a@b.de"), r"\u0061\u0040b.de");
        assert_eq!(found(Written::Json, r"x\ud83d\ude00y", "😀"), r"\ud83d\ude00");
        assert_eq!(found(Written::Percent, "/a%40b.de/c", "a@b.de"), "a%40b.de");
        assert_eq!(found(Written::Percent, "/%C3%BCber", "über"), "%C3%BCber");
        assert_eq!(found(Written::Form, "n=Ada+L%6Fve", "Ada Love"), "Ada+L%6Fve");
        assert_eq!(found(Written::Xml, "<a>x &#97;&#x40;b.de</a>", "a@b.de"), "&#97;&#x40;b.de");
    }

    #[test]
    fn what_is_no_escape_says_itself() {
        for (written, raw) in [
            (Written::Percent, "100% %zz %4"),
            (Written::Xml, "a & b &unknown; &; &#xffffffff; &"),
            (Written::Plain, "\\u0040 %40 &#64; +"),
        ] {
            assert_eq!(&*written.read(raw.as_bytes()), raw.as_bytes(), "{raw}");
        }
        assert_eq!(&*Written::Json.read(b"a\\"), "a\u{fffd}".as_bytes());
    }
}

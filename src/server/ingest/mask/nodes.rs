//! The texts of XML and HTML, each by itself: what lies between tags, and the values of attributes.
//!
//! A pattern that is greedy (`\S+@\S+`) so ends with the text that it is in, and does not swallow tags.

use std::ops::Range;

/// Where texts stand, in order: those between tags without the white space around them, those of attributes without their quotes.
pub(super) fn texts(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut texts = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        at = if bytes[at] == b'<' {
            tag(bytes, at + 1, &mut texts)
        } else {
            let end = memchr::memchr(b'<', &bytes[at..]).map_or(bytes.len(), |found| at + found);
            push(bytes, at..end, &mut texts);
            end
        };
    }
    texts
}

/// Reads a tag from behind its `<`; gives where it ends.
fn tag(bytes: &[u8], mut at: usize, texts: &mut Vec<Range<usize>>) -> usize {
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr3(b'>', b'"', b'\'', rest)) {
        at += found;
        if bytes[at] == b'>' {
            return at + 1;
        }
        // A quote that is never closed, or is none: the rest is read as text.
        let Some(end) = memchr::memchr2(bytes[at], b'<', &bytes[at + 1..]).map(|found| at + 1 + found) else {
            return at + 1;
        };
        if bytes[end] == b'<' {
            return end;
        }
        push(bytes, at + 1..end, texts);
        at = end + 1;
    }
    bytes.len()
}

fn push(bytes: &[u8], range: Range<usize>, texts: &mut Vec<Range<usize>>) {
    let text = &bytes[range.clone()];
    let start = range.start + (text.len() - text.trim_ascii_start().len());
    let len = text.trim_ascii().len();
    if len > 0 {
        texts.push(start..start + len);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<&str> {
        texts(text.as_bytes()).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn texts_are_found_between_and_within_tags() {
        assert_eq!(
            of("<?xml version=\"1.0\"?><a b='c > d' e=\"\">\n x <i/>y</a>"),
            ["1.0", "c > d", "x", "y"]
        );
        assert_eq!(of("plain"), ["plain"]);
        for broken in ["<", "<a", "<a b=\"c", "<a b=\"c<d>e", "a<b\">c", "\"", "<<>>"] {
            of(broken);
        }
        assert_eq!(of("<a b=\"c<d>e"), ["e"]);
    }
}

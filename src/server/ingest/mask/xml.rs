//! XML, read as a row of tags and of what lies between them: no tree, so that what is broken or cut off is masked all the same.
//!
//! The text of an element whose local name is a secret's, with everything inside it, and the values of such attributes.

use memchr::memmem;

use super::names::NameKind;
use super::{MASK, MaskRules, json, looks_like_json};

/// What begins so says nothing that an element's text would: each with its end.
const ASIDES: &[(&[u8], &[u8])] = &[(b"<!--", b"-->"), (b"<?", b"?>")];
const CDATA: &[u8] = b"<![CDATA[";
const CDATA_END: &[u8] = b"]]>";
/// A byte order mark, which may come before everything.
const MARK: &[u8] = b"\xEF\xBB\xBF";

/// Whether the first byte that is neither white space nor a byte order mark begins a tag.
pub(super) fn looks_like_xml(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(MARK).unwrap_or(bytes);
    bytes.trim_ascii_start().starts_with(b"<")
}

/// The XML with its secrets masked; none where there were none.
pub(super) fn mask(rules: &MaskRules, bytes: &[u8]) -> Option<Vec<u8>> {
    let mut masker = Masker {
        rules,
        bytes,
        out: Vec::new(),
        copied: 0,
        secret: None,
        card: None,
    };
    let mut at = 0;
    while at < bytes.len() {
        at = masker.step(at);
    }
    if masker.copied == 0 {
        return None;
    }
    masker.out.extend_from_slice(&bytes[masker.copied..]);
    Some(masker.out)
}

/// An element that everything inside is masked for.
struct Open<'a> {
    name: &'a [u8],
    /// Elements of its name that are open, itself among them. Its end is the end tag that leaves none.
    same: usize,
    /// Elements of any name that are open, itself among them. Where its own end is missing, it ends with the element around it.
    depth: usize,
}

struct Masker<'a> {
    rules: &'a MaskRules,
    bytes: &'a [u8],
    out: Vec<u8>,
    /// So many of `bytes` are in `out` already, as they were or masked.
    copied: usize,
    secret: Option<Open<'a>>,
    card: Option<Open<'a>>,
}

impl<'a> Masker<'a> {
    /// Reads the tag or the text that begins at `at`; gives where to go on, which is always further.
    fn step(&mut self, at: usize) -> usize {
        let bytes = self.bytes;
        if !begins_tag(bytes, at) {
            let end = next_tag(bytes, at + 1);
            self.text(at, end);
            return end;
        }
        let rest = &bytes[at..];
        if rest.starts_with(CDATA) {
            return self.section(at);
        }
        if let Some((start, end)) = ASIDES.iter().find(|(start, _)| rest.starts_with(start)) {
            return find(bytes, at + start.len(), end).map_or(bytes.len(), |found| found + end.len());
        }
        match rest.get(1) {
            Some(b'/') => self.end_tag(at),
            // A declaration.
            Some(b'!') => tag_end(bytes, at + 1),
            _ => self.start_tag(at),
        }
    }

    /// `<![CDATA[…]]>`: its frame stays.
    fn section(&mut self, at: usize) -> usize {
        let from = at + CDATA.len();
        let to = find(self.bytes, from, CDATA_END).unwrap_or(self.bytes.len());
        self.text(from, to);
        (to + CDATA_END.len()).min(self.bytes.len())
    }

    /// Text of an element: white space around it stays.
    fn text(&mut self, from: usize, to: usize) {
        let text = &self.bytes[from..to];
        let from = from + (text.len() - text.trim_ascii_start().len());
        let text = text.trim_ascii();
        let to = from + text.len();
        let is_card = self.card.is_some() && json::is_card_number(text);
        if is_card || (self.secret.is_some() && !text.is_empty()) {
            self.replace(from, to, MASK.as_bytes());
        } else if looks_like_json(text)
            && let Some(masked) = json::mask(self.rules, text).bytes
        {
            self.replace(from, to, &masked);
        }
    }

    fn start_tag(&mut self, at: usize) -> usize {
        let name = name_at(self.bytes, at + 1);
        let kind = self.rules.names.kind(local(name));
        let (end, is_closed) = self.attributes(at + 1 + name.len());
        if !is_closed {
            enter(&mut self.secret, name, kind == NameKind::Secret);
            enter(&mut self.card, name, kind == NameKind::Card);
        }
        end
    }

    fn end_tag(&mut self, at: usize) -> usize {
        let name = name_at(self.bytes, at + 2);
        leave(&mut self.secret, name);
        leave(&mut self.card, name);
        tag_end(self.bytes, at + 2)
    }

    /// Masks the values of a tag's attributes; gives where the tag ends, and whether it is an element by itself (`<a/>`).
    fn attributes(&mut self, mut at: usize) -> (usize, bool) {
        let mut name: &'a [u8] = b"";
        let bytes = self.bytes;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'>' => return (at + 1, bytes[at - 1] == b'/'),
                b'<' if begins_tag(bytes, at) => return (at, false),
                b'=' => at = self.value(name, skip_space(bytes, at + 1)),
                byte if is_name(*byte) => {
                    name = name_at(bytes, at);
                    at += name.len();
                }
                _ => at += 1,
            }
        }
        (bytes.len(), false)
    }

    /// An attribute's value, with quotes or without; gives where it ends.
    fn value(&mut self, name: &[u8], at: usize) -> usize {
        let (from, to, end) = value_at(self.bytes, at);
        let is_secret = match self.rules.names.kind(local(name)) {
            NameKind::Secret => from < to,
            NameKind::Card => json::is_card_number(&self.bytes[from..to]),
            NameKind::Plain => false,
        };
        if is_secret {
            self.replace(from, to, MASK.as_bytes());
        }
        end
    }

    fn replace(&mut self, from: usize, to: usize, with: &[u8]) {
        if &self.bytes[from..to] != with {
            self.out.extend_from_slice(&self.bytes[self.copied..from]);
            self.out.extend_from_slice(with);
            self.copied = to;
        }
    }
}

/// An element begins, which may be one that everything inside is masked for.
fn enter<'a>(open: &mut Option<Open<'a>>, name: &'a [u8], is_such: bool) {
    match open {
        Some(open) => {
            open.depth += 1;
            open.same += usize::from(open.name == name);
        }
        None if is_such => {
            *open = Some(Open { name, same: 1, depth: 1 });
        }
        None => {}
    }
}

fn leave(open: &mut Option<Open<'_>>, name: &[u8]) {
    let Some(inner) = open else { return };
    inner.depth -= 1;
    inner.same -= usize::from(inner.name == name);
    if inner.depth == 0 || inner.same == 0 {
        *open = None;
    }
}

/// Where the value that begins at `at` has its content, from and to, and where what follows it begins.
fn value_at(bytes: &[u8], at: usize) -> (usize, usize, usize) {
    let rest = &bytes[at..];
    if let Some(quote @ (b'"' | b'\'')) = rest.first().copied() {
        // No value has a `<` (XML 1.0, 3.1): one whose quote is missing ends there.
        let to = memchr::memchr2(quote, b'<', &rest[1..]).map_or(bytes.len(), |found| at + 1 + found);
        let is_quoted = bytes.get(to) == Some(&quote);
        return (at + 1, to, to + usize::from(is_quoted));
    }
    let is_end = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'<');
    let len = rest.iter().position(is_end).unwrap_or(rest.len());
    // The stroke of `<a b=c/>` is the tag's.
    let is_last = rest.get(len) == Some(&b'>') && rest[..len].ends_with(b"/");
    let to = at + len - usize::from(is_last);
    (at, to, to)
}

/// Whether a tag, a section, a comment or a declaration begins here, rather than text with a stray `<`.
fn begins_tag(bytes: &[u8], at: usize) -> bool {
    bytes[at] == b'<'
        && bytes
            .get(at + 1)
            .is_some_and(|byte| is_name(*byte) || matches!(byte, b'/' | b'!' | b'?'))
}

/// Where the next tag begins.
fn next_tag(bytes: &[u8], from: usize) -> usize {
    memchr::memchr_iter(b'<', &bytes[from..])
        .map(|found| from + found)
        .find(|at| begins_tag(bytes, *at))
        .unwrap_or(bytes.len())
}

/// Past the `>` of a tag, or where the next one begins before that.
fn tag_end(bytes: &[u8], from: usize) -> usize {
    memchr::memchr2_iter(b'>', b'<', &bytes[from..])
        .map(|found| from + found)
        .find(|at| bytes[*at] == b'>' || begins_tag(bytes, *at))
        .map_or(bytes.len(), |at| at + usize::from(bytes[at] == b'>'))
}

fn find(bytes: &[u8], from: usize, what: &[u8]) -> Option<usize> {
    memmem::find(bytes.get(from..)?, what).map(|found| from + found)
}

fn is_name(byte: u8) -> bool {
    !byte.is_ascii() || byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'_' | b'-' | b'.')
}

fn name_at(bytes: &[u8], from: usize) -> &[u8] {
    let rest = &bytes[from..];
    let len = rest.iter().position(|byte| !is_name(*byte)).unwrap_or(rest.len());
    &rest[..len]
}

/// A name without its prefix: `wsse:Password` as `Password`.
fn local(name: &[u8]) -> &[u8] {
    memchr::memrchr(b':', name).map_or(name, |colon| &name[colon + 1..])
}

fn skip_space(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    at + (rest.len() - rest.trim_ascii_start().len())
}

//! JSON, read as a row of strings and brackets rather than as a tree: a string before a colon is a key, and what follows is its value.
//! So it also does for several values in a row, for a body that was cut off, and for text with JSON in it.
//!
//! A name may also stand beside its value, as HAR has headers: `{"name":"password","value":"…"}`, in either order ([`pairs`](super::pairs)).

use std::borrow::Cow;
use std::ops::Range;

use super::names::NameKind;
use super::pairs::{self, Pairs, Role};
use super::{MaskRules, MaskedBody, looks_like_json};

/// What stands in JSON where a secret was.
pub const JSON_MASK: &str = "\"masked\"";

/// JSON in a string in JSON is followed so far down.
const TEXT_LEVELS: u8 = 3;

/// Masks the values of secret keys at every depth.
pub(super) fn mask(rules: &MaskRules, bytes: &[u8]) -> MaskedBody {
    mask_text(rules, bytes, TEXT_LEVELS)
}

fn mask_text(rules: &MaskRules, bytes: &[u8], text_levels: u8) -> MaskedBody {
    let mut masker = Masker {
        rules,
        bytes,
        out: Vec::new(),
        copied: 0,
        depth: 0,
        levels: 0,
        card_depth: None,
        text_levels,
        pairs: Pairs::default(),
    };
    let mut at = 0;
    while at < bytes.len() {
        at = masker.step(at);
    }
    masker.finish()
}

struct Masker<'a> {
    rules: &'a MaskRules,
    bytes: &'a [u8],
    out: Vec<u8>,
    /// So many of `bytes` are in `out` already, as they were or masked.
    copied: usize,
    depth: usize,
    levels: usize,
    /// The depth at which the outermost card began.
    card_depth: Option<usize>,
    text_levels: u8,
    pairs: Pairs,
}

impl Masker<'_> {
    /// Reads what begins at `at`; gives where to go on.
    fn step(&mut self, at: usize) -> usize {
        match self.bytes[at] {
            b'"' => self.string(at),
            b'{' | b'[' => {
                self.depth += 1;
                self.levels = self.levels.max(self.depth);
                at + 1
            }
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                self.card_depth = self.card_depth.filter(|card| self.depth > *card);
                self.pairs.close(self.depth, self.written(at + 1));
                at + 1
            }
            b'0'..=b'9' if self.card_depth.is_some() => self.maybe_card(at),
            _ => at + 1,
        }
    }

    fn string(&mut self, at: usize) -> usize {
        let end = line_string_end(self.bytes, at + 1);
        let after = skip_space(self.bytes, end + 1);
        if self.bytes.get(end) == Some(&b'"') && self.bytes.get(after) == Some(&b':') {
            let value_at = skip_space(self.bytes, after + 1);
            let key = unescaped(&self.bytes[at + 1..end]);
            return match self.rules.names.kind(&key) {
                NameKind::Plain if self.depth > 0 => self.maybe_pair(pairs::role(&key), value_at),
                kind => self.value_of_key(kind, value_at),
            };
        }
        if self.card_depth.is_some() {
            return self.maybe_card(at);
        }
        self.text(at, end)
    }

    fn value_of_key(&mut self, kind: NameKind, value_at: usize) -> usize {
        let first = self.bytes.get(value_at).copied();
        match kind {
            NameKind::Secret => {
                let end = value_end(self.bytes, value_at);
                if says_something(&self.bytes[value_at.min(end)..end]) {
                    self.replace(value_at, end, JSON_MASK.as_bytes());
                }
                end
            }
            NameKind::Card if matches!(first, Some(b'{' | b'[')) => {
                self.card_depth = self.card_depth.or(Some(self.depth));
                value_at
            }
            NameKind::Card if matches!(first, Some(b'"' | b'0'..=b'9')) => self.maybe_card(value_at),
            NameKind::Card | NameKind::Plain => value_at,
        }
    }

    /// The value of a key that may be a half of a pair.
    fn maybe_pair(&mut self, role: Option<Role>, value_at: usize) -> usize {
        match role {
            None => value_at,
            Some(Role::Name) => {
                if self.bytes.get(value_at) == Some(&b'"') {
                    let name = unescaped(&self.bytes[value_at + 1..string_end(self.bytes, value_at + 1)]);
                    self.pairs.name(self.depth, self.rules.kind_of_pair(&name));
                }
                value_at
            }
            Some(Role::Value) => match self.pairs.kind(self.depth) {
                NameKind::Plain => self.value_before_name(value_at),
                kind => self.value_of_key(kind, value_at),
            },
        }
    }

    /// A value whose name may come yet: it is written as any other, and where it is written is kept in mind.
    fn value_before_name(&mut self, at: usize) -> usize {
        let from = self.written(at);
        if matches!(self.bytes.get(at), Some(b'{' | b'[')) {
            // Its end shows when it is read: to look for it here would read what is nested once a level.
            self.pairs.open_value(self.depth, from);
            return at;
        }
        let end = value_end(self.bytes, at);
        let value = &self.bytes[at.min(end)..end];
        if !says_something(value) {
            return at;
        }
        let is_card = is_card_number(&unescaped(unquoted(value)));
        let next = match value.first() {
            Some(b'"' | b'0'..=b'9') if self.card_depth.is_some() => self.maybe_card(at),
            Some(b'"') => self.text(at, line_string_end(self.bytes, at + 1)),
            _ => end,
        };
        let next = next.min(self.bytes.len());
        self.pairs.value(self.depth, from..self.written(next), is_card);
        next
    }

    /// Where in `out` the byte at `at` will be, now that all before it is settled.
    fn written(&self, at: usize) -> usize {
        self.out.len() + at.saturating_sub(self.copied)
    }

    /// A string or number where a card's number may stand.
    fn maybe_card(&mut self, at: usize) -> usize {
        let end = value_end(self.bytes, at);
        if is_card_number(&unescaped(unquoted(&self.bytes[at..end]))) {
            self.replace(at, end, JSON_MASK.as_bytes());
            return end;
        }
        if self.bytes[at] == b'"' {
            self.text(at, line_string_end(self.bytes, at + 1))
        } else {
            end
        }
    }

    /// A string that is no key: it may hold JSON itself, which then has escaped quotes.
    fn text(&mut self, at: usize, end: usize) -> usize {
        let content = &self.bytes[(at + 1).min(end)..end];
        if self.text_levels > 0 && looks_like_json(content) && memchr::memchr(b'\\', content).is_some() {
            let text = unescaped(content);
            if let Some(masked) = mask_text(self.rules, &text, self.text_levels - 1).bytes {
                let masked = serde_json::Value::String(String::from_utf8_lossy(&masked).into_owned()).to_string();
                // Without its quotes: those of the text stay where they are.
                self.replace(at + 1, end, &masked.as_bytes()[1..masked.len() - 1]);
            }
        }
        end + 1
    }

    fn replace(&mut self, from: usize, to: usize, with: &[u8]) {
        if &self.bytes[from..to] != with {
            self.out.extend_from_slice(&self.bytes[self.copied..from]);
            self.out.extend_from_slice(with);
            self.copied = to;
        }
    }

    /// What was written, and the values in it that turned out to be secrets masked.
    fn finish(mut self) -> MaskedBody {
        let levels = self.levels;
        let found = self.pairs.into_secrets();
        if self.copied == 0 && found.is_empty() {
            return MaskedBody { bytes: None, levels };
        }
        self.out.extend_from_slice(&self.bytes[self.copied..]);
        let bytes = if found.is_empty() {
            self.out
        } else {
            without(&self.out, &found)
        };
        MaskedBody {
            bytes: Some(bytes),
            levels,
        }
    }
}

/// The bytes with the mask in the place of each of these ranges, which are in order and do not overlap.
fn without(bytes: &[u8], secrets: &[Range<usize>]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut copied = 0;
    for secret in secrets {
        out.extend_from_slice(&bytes[copied..secret.start]);
        out.extend_from_slice(JSON_MASK.as_bytes());
        copied = secret.end;
    }
    out.extend_from_slice(&bytes[copied..]);
    out
}

/// Whether there is anything to hide in a value.
pub(super) fn says_something(value: &[u8]) -> bool {
    !matches!(value, b"" | b"null" | b"\"\"") && value != JSON_MASK.as_bytes()
}

/// A string's content; any other value as it is.
fn unquoted(value: &[u8]) -> &[u8] {
    value
        .strip_prefix(b"\"")
        .and_then(|value| value.strip_suffix(b"\""))
        .unwrap_or(value)
}

/// Where the string that begins before `at` has its closing quote; the end of the line or of the text where it has none.
pub(super) fn line_string_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr3(b'"', b'\\', b'\n', rest)) {
        at += found;
        if bytes[at] != b'\\' {
            return at;
        }
        at += 2;
    }
    bytes.len()
}

/// The same, over line ends too: a secret is masked to its end.
fn string_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += found;
        if bytes[at] == b'"' {
            return at;
        }
        at += 2;
    }
    bytes.len()
}

pub(super) fn skip_space(bytes: &[u8], at: usize) -> usize {
    bytes
        .get(at..)
        .and_then(|rest| rest.iter().position(|byte| !byte.is_ascii_whitespace()))
        .map_or(bytes.len(), |found| at + found)
}

/// Where the value that begins at `at` ends: past its last byte.
pub(super) fn value_end(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at) {
        None => bytes.len(),
        Some(b'"') => (string_end(bytes, at + 1) + 1).min(bytes.len()),
        Some(b'{' | b'[') => nest_end(bytes, at),
        Some(_) => {
            let is_end = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b'}' | b']' | b'"');
            bytes[at..].iter().position(is_end).map_or(bytes.len(), |found| at + found)
        }
    }
}

fn nest_end(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0_usize;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => at = string_end(bytes, at + 1),
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 1 => return at + 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

/// A string's content with its escapes resolved (RFC 8259, 7). What no escape may say becomes U+FFFD: this is for comparing names.
pub(super) fn unescaped(content: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr::memchr(b'\\', content) else {
        return Cow::Borrowed(content);
    };
    let mut out = content[..first].to_vec();
    let mut at = first;
    while at < content.len() {
        if content[at] != b'\\' {
            out.push(content[at]);
            at += 1;
            continue;
        }
        let (letter, len) = escape(&content[at + 1..]);
        out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
        at += 1 + len;
    }
    Cow::Owned(out)
}

/// The character that an escape stands for, and its length without the backslash.
pub(super) fn escape(rest: &[u8]) -> (char, usize) {
    let letter = match rest.first() {
        Some(b'n') => '\n',
        Some(b't') => '\t',
        Some(b'r') => '\r',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'u') => return unicode_escape(rest),
        Some(byte) if byte.is_ascii() => char::from(*byte),
        _ => return (char::REPLACEMENT_CHARACTER, 0),
    };
    (letter, 1)
}

fn unicode_escape(rest: &[u8]) -> (char, usize) {
    let Some(high) = hex4(rest.get(1..5)) else {
        return (char::REPLACEMENT_CHARACTER, 1);
    };
    let is_pair = (0xD800..0xDC00).contains(&high) && rest.get(5..7) == Some(b"\\u");
    if is_pair
        && let Some(low) = hex4(rest.get(7..11))
        && (0xDC00..0xE000).contains(&low)
    {
        let code = 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00);
        return (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 11);
    }
    (char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER), 5)
}

fn hex4(digits: Option<&[u8]>) -> Option<u32> {
    digits?
        .iter()
        .try_fold(0, |sum, digit| Some(sum * 16 + char::from(*digit).to_digit(16)?))
}

/// Whether a text is a payment card's number: 13 to 19 digits, spaces or hyphens between, the last one right (ISO/IEC 7812-1, annex B).
pub(super) fn is_card_number(text: &[u8]) -> bool {
    let mut sum = 0_u32;
    let mut count = 0_u32;
    for byte in text.iter().rev() {
        match byte {
            b'0'..=b'9' => {
                let digit = u32::from(byte - b'0');
                let doubled = if count % 2 == 1 { digit * 2 } else { digit };
                sum += if doubled > 9 { doubled - 9 } else { doubled };
                count += 1;
            }
            b' ' | b'-' => {}
            _ => return false,
        }
    }
    (13..=19).contains(&count) && sum.is_multiple_of(10)
}

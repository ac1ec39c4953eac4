//! What a project masks beside names: JSON paths, and patterns in text. (Its header and key names join the built-in ones.)
//!
//! It acts on what the built-in masking has left, in the same formats. To read another format: its arm in [`Own::body`], by the shortest texts first, each as it is
//! written, and then as a whole, so that a pattern finds what stands in one value as well as what goes over several.

use memchr::memchr3;
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use serde::de::IgnoredAny;

use super::json::unescaped;
use super::multipart::{self, Piece};
use super::paths::{Paths, Taken};
use super::patterns::Patterns;
use super::walk::{self, Way};
use super::written::Written;
use super::{Format, looks_like_json, nodes};

/// JSON in a string in JSON is followed so far down.
const TEXT_LEVELS: u8 = 3;

/// A project's paths and patterns; at least one of them.
#[derive(Debug)]
pub(super) struct Own {
    pub(super) paths: Paths,
    patterns: Option<Patterns>,
}

impl Own {
    /// None where there is neither.
    pub(super) fn new(paths: Paths, patterns: Option<Patterns>) -> Option<Self> {
        (!paths.is_empty() || patterns.is_some()).then_some(Self { paths, patterns })
    }

    /// Whether a pattern matches in a text without escapes.
    pub(super) fn is_in(&self, text: &[u8]) -> bool {
        self.patterns.as_ref().is_some_and(|patterns| patterns.is_in(text))
    }

    /// A body of this format; `root` is where its JSON stands in the paths.
    pub(super) fn body(&self, format: Format, content_type: &str, bytes: &[u8], root: &[Taken]) -> Option<Vec<u8>> {
        match format {
            Format::Nothing => None,
            Format::Json => self.json(bytes, root),
            Format::Form => self.form(bytes),
            Format::Multipart => self.multipart(content_type, bytes, root),
            Format::Xml | Format::XmlOrLines | Format::Html => self.marked_up(bytes),
            Format::Text => self.text(bytes, root),
            Format::Binary => std::str::from_utf8(bytes).ok().and_then(|_| self.text(bytes, root)),
        }
    }

    /// A text by itself, as a part of a sentence.
    pub(super) fn plain(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        self.patterns.as_ref()?.text(bytes, &[Written::Plain])
    }

    /// A header's value, or a URL.
    pub(super) fn line(&self, line: &str) -> Option<String> {
        let patterns = self.patterns.as_ref()?;
        let masked = if line.contains('%') {
            patterns.text(line.as_bytes(), &[Written::Percent, Written::Plain])
        } else {
            patterns.text(line.as_bytes(), &[Written::Plain])
        };
        // A match begins and ends with a letter, so the rest is text.
        masked.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// A URL: its arguments one by one, then all of it.
    pub(super) fn url(&self, url: &str) -> Option<String> {
        let patterns = self.patterns.as_ref()?;
        let mut masked: Option<String> = None;
        if let Some(query) = url.find(['?', '#']) {
            let values = values(&url.as_bytes()[query..], |byte| matches!(byte, b'?' | b'#' | b'&'));
            let arguments = replaced(&url.as_bytes()[query..], values, |value| {
                patterns.text(value, &[Written::Form, Written::Plain])
            });
            masked = arguments.map(|arguments| format!("{}{}", &url[..query], String::from_utf8_lossy(&arguments)));
        }
        self.line(masked.as_deref().unwrap_or(url)).or(masked)
    }

    /// The content of a string in JSON.
    pub(super) fn string(&self, content: &[u8], text_levels: u8) -> Option<Vec<u8>> {
        let patterns = self.patterns.as_ref()?;
        let inner = if text_levels > 0 && looks_like_json(content) && memchr::memchr(b'\\', content).is_some() {
            self.json_in_text(&unescaped(content), text_levels - 1)
                .map(|masked| as_content(&masked))
        } else {
            None
        };
        patterns.text(inner.as_deref().unwrap_or(content), &[Written::Json]).or(inner)
    }

    /// JSON that is a text of something else.
    fn json_in_text(&self, text: &[u8], text_levels: u8) -> Option<Vec<u8>> {
        let way = Way {
            root: Vec::new(),
            is_json: true,
            text_levels,
        };
        if is_json(text) { walk::mask(self, text, &way) } else { None }
    }

    fn json(&self, bytes: &[u8], root: &[Taken]) -> Option<Vec<u8>> {
        if self.paths.is_empty() && self.is_quiet(bytes) {
            return None;
        }
        self.walk(bytes, root, true)
    }

    /// Whether no pattern can match in any text of this JSON.
    fn is_quiet(&self, json: &[u8]) -> bool {
        memchr::memchr(b'\\', json).is_none() && self.patterns.as_ref().is_none_or(|patterns| patterns.is_nowhere_in(json))
    }

    fn walk(&self, bytes: &[u8], root: &[Taken], is_json: bool) -> Option<Vec<u8>> {
        let way = Way {
            root: root.to_vec(),
            is_json,
            text_levels: TEXT_LEVELS,
        };
        walk::mask(self, bytes, &way)
    }

    /// Text: as JSON as far as there is some in it, and as it is where it is not JSON altogether.
    fn text(&self, bytes: &[u8], root: &[Taken]) -> Option<Vec<u8>> {
        if looks_like_json(bytes) && is_json(bytes) {
            return self.json(bytes, root);
        }
        let walked = if memchr3(b'{', b'[', b'"', bytes).is_some() {
            self.walk(bytes, root, false)
        } else {
            None
        };
        self.plain(walked.as_deref().unwrap_or(bytes)).or(walked)
    }

    fn form(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let patterns = self.patterns.as_ref()?;
        let ways = [Written::Form, Written::Plain];
        let by_value = replaced(bytes, values(bytes, |byte| byte == b'&'), |value| {
            let says = Written::Form.read(value);
            let inner = if looks_like_json(&says) {
                self.json_in_text(&says, TEXT_LEVELS)
            } else {
                None
            };
            let inner = inner.map(|json| percent_encode(&json, NON_ALPHANUMERIC).to_string().into_bytes());
            patterns.text(inner.as_deref().unwrap_or(value), &ways).or(inner)
        });
        patterns.text(by_value.as_deref().unwrap_or(bytes), &ways).or(by_value)
    }

    fn multipart(&self, content_type: &str, bytes: &[u8], root: &[Taken]) -> Option<Vec<u8>> {
        if !multipart::has_parts(content_type, bytes) {
            return std::str::from_utf8(bytes).ok().and_then(|_| self.text(bytes, root));
        }
        multipart::each(content_type, bytes, |piece| match piece {
            Piece::Head(head) => self.plain(head),
            Piece::Content { content, .. } => std::str::from_utf8(content).ok().and_then(|_| self.text(content, root)),
        })
    }

    fn marked_up(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let patterns = self.patterns.as_ref()?;
        let ways = [Written::Xml, Written::Plain];
        let by_text = replaced(bytes, nodes::texts(bytes), |text| patterns.text(text, &ways));
        patterns.text(by_text.as_deref().unwrap_or(bytes), &ways).or(by_text)
    }
}

/// Whether it is JSON, or several values of it in a row.
pub(super) fn is_json(bytes: &[u8]) -> bool {
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<IgnoredAny>();
    values.all(|value| value.is_ok())
}

/// A text as the content of a string in JSON.
fn as_content(text: &[u8]) -> Vec<u8> {
    let quoted = serde_json::Value::String(String::from_utf8_lossy(text).into_owned()).to_string();
    quoted.as_bytes()[1..quoted.len() - 1].to_vec()
}

/// Where the values of `name=value` stand, between these bytes.
fn values(bytes: &[u8], is_between: impl Fn(u8) -> bool) -> Vec<std::ops::Range<usize>> {
    let mut at = 0;
    let mut values = Vec::new();
    for pair in bytes.split(|byte| is_between(*byte)) {
        if let Some(equals) = memchr::memchr(b'=', pair).filter(|equals| equals + 1 < pair.len()) {
            values.push(at + equals + 1..at + pair.len());
        }
        at += pair.len() + 1;
    }
    values
}

/// The bytes with each of these ranges, in order, as it is masked; none where none is.
fn replaced(bytes: &[u8], ranges: Vec<std::ops::Range<usize>>, mask: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut copied = 0;
    for range in ranges {
        if let Some(masked) = mask(&bytes[range.clone()]) {
            out.extend_from_slice(&bytes[copied..range.start]);
            out.extend_from_slice(&masked);
            copied = range.end;
        }
    }
    if copied == 0 {
        return None;
    }
    out.extend_from_slice(&bytes[copied..]);
    Some(out)
}

//! A walk through JSON for a project's own rules: a value that a path ends at goes whole, in texts and numbers goes what a pattern matches.
//!
//! As in [`json`](super::json) nothing is built and nothing recurses, so that it does for several values in a row and for a body that was cut off, too.
//! Of a text only what matches goes, whatever escapes it is written with; a number in which a pattern matches goes whole. Keys stay.

use super::json::{JSON_MASK, line_string_end, says_something, skip_space, unescaped, value_end};
use super::own::Own;
use super::paths::Taken;

/// How JSON is walked through.
#[derive(Clone, Debug)]
pub(super) struct Way {
    /// Where the paths stand at its root.
    pub(super) root: Vec<Taken>,
    /// Whether it is known to be JSON: only then a figure is surely a number.
    pub(super) is_json: bool,
    /// JSON in a string is followed so far down.
    pub(super) text_levels: u8,
}

/// The JSON masked; none where there was nothing to mask.
pub(super) fn mask(own: &Own, bytes: &[u8], way: &Way) -> Option<Vec<u8>> {
    let mut walk = Walk {
        own,
        bytes,
        way,
        out: Vec::new(),
        copied: 0,
        open: Vec::new(),
    };
    let mut at = 0;
    while at < bytes.len() {
        at = walk.step(at);
    }
    if walk.copied == 0 {
        return None;
    }
    walk.out.extend_from_slice(&bytes[walk.copied..]);
    Some(walk.out)
}

/// An open bracket.
struct Open {
    is_list: bool,
    /// The place of the item that comes.
    place: usize,
    paths: Vec<Taken>,
}

struct Walk<'a> {
    own: &'a Own,
    bytes: &'a [u8],
    way: &'a Way,
    out: Vec<u8>,
    /// So many of `bytes` are in `out` already, as they were or masked.
    copied: usize,
    open: Vec<Open>,
}

impl Walk<'_> {
    /// Reads what begins at `at`; gives where to go on, which is always further.
    fn step(&mut self, at: usize) -> usize {
        match self.bytes[at] {
            b'"' => {
                let end = line_string_end(self.bytes, at + 1);
                let colon = skip_space(self.bytes, end + 1);
                if self.bytes.get(end) == Some(&b'"') && self.bytes.get(colon) == Some(&b':') {
                    let paths = self.paths_of_member(at + 1, end);
                    self.value(skip_space(self.bytes, colon + 1), paths)
                } else {
                    let paths = self.paths_of_item();
                    self.value(at, paths)
                }
            }
            b'{' | b'[' => {
                let paths = self.paths_of_item();
                self.value(at, paths)
            }
            b'}' | b']' => {
                self.open.pop();
                at + 1
            }
            b',' => {
                if let Some(open) = self.open.last_mut() {
                    open.place += 1;
                }
                at + 1
            }
            b'-' | b'0'..=b'9' if self.way.is_json => {
                let paths = self.paths_of_item();
                self.value(at, paths)
            }
            byte if !byte.is_ascii_whitespace() && self.is_in_list_on_a_path() => {
                let paths = self.paths_of_item();
                self.value(at, paths).max(at + 1)
            }
            _ => at + 1,
        }
    }

    fn is_in_list_on_a_path(&self) -> bool {
        self.open.last().is_some_and(|open| open.is_list && !open.paths.is_empty())
    }

    fn paths_of_member(&self, from: usize, to: usize) -> Vec<Taken> {
        match self.open.last() {
            Some(open) if !open.is_list && !open.paths.is_empty() => {
                self.own.paths.member(&open.paths, &unescaped(&self.bytes[from..to]))
            }
            _ => Vec::new(),
        }
    }

    fn paths_of_item(&self) -> Vec<Taken> {
        match self.open.last() {
            None => self.way.root.clone(),
            Some(open) if open.is_list && !open.paths.is_empty() => self.own.paths.item(&open.paths, open.place),
            Some(_) => Vec::new(),
        }
    }

    /// Reads a value; gives where to go on. That is where it begins where there is none.
    fn value(&mut self, at: usize, paths: Vec<Taken>) -> usize {
        if self.own.paths.end(&paths) {
            let end = value_end(self.bytes, at).max(at);
            if says_something(self.bytes.get(at..end).unwrap_or_default()) {
                self.replace(at, end, JSON_MASK.as_bytes());
            }
            return end;
        }
        match self.bytes.get(at) {
            Some(bracket @ (b'{' | b'[')) => {
                self.open.push(Open {
                    is_list: *bracket == b'[',
                    place: 0,
                    paths,
                });
                at + 1
            }
            Some(b'"') => self.text(at),
            Some(b'-' | b'0'..=b'9') if self.way.is_json => self.number(at),
            _ => at,
        }
    }

    fn text(&mut self, at: usize) -> usize {
        let end = line_string_end(self.bytes, at + 1);
        let content = &self.bytes[(at + 1).min(end)..end];
        if let Some(masked) = self.own.string(content, self.way.text_levels) {
            self.replace(at + 1, end, &masked);
        }
        end + 1
    }

    fn number(&mut self, at: usize) -> usize {
        let end = value_end(self.bytes, at);
        if self.own.is_in(&self.bytes[at..end]) {
            self.replace(at, end, JSON_MASK.as_bytes());
        }
        end
    }

    fn replace(&mut self, from: usize, to: usize, with: &[u8]) {
        self.out.extend_from_slice(&self.bytes[self.copied..from]);
        self.out.extend_from_slice(with);
        self.copied = to;
    }
}

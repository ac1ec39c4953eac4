//! The flat index of a JSON text: one node a value, in document order.

use std::fmt::Write as _;
use std::ops::Range;

use super::NONE;
use super::string;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `{…}`.
    Object,
    /// `[…]`.
    Array,
    /// `"…"`, with nothing escaped in it.
    PlainString,
    /// `"…"`, with escapes.
    EscapedString,
    /// A number, kept as it was written.
    Number,
    /// `true` or `false`.
    Boolean,
    /// `null`.
    Null,
}

impl Kind {
    /// Whether it is `"…"`.
    pub const fn is_string(self) -> bool {
        matches!(self, Self::PlainString | Self::EscapedString)
    }

    /// Whether it may hold others.
    pub const fn is_container(self) -> bool {
        matches!(self, Self::Object | Self::Array)
    }
}

/// One value. 28 bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    /// Where its text begins, in bytes.
    pub(super) start: u32,
    /// Where its text ends.
    pub(super) end: u32,
    /// Where its key's opening quote is; [`NONE`] in arrays and at the root.
    pub(super) key: u32,
    /// The node after its subtree.
    pub(super) next: u32,
    /// What holds it; [`NONE`] for the root.
    pub(super) parent: u32,
    /// Its line in the wholly unfolded pretty text, from 0.
    pub(super) line: u32,
    /// How deep it lies; the root is at 0.
    pub(super) depth: u16,
    /// What it is.
    pub(super) kind: Kind,
}

/// Nodes are kept in pieces of this many, so that growing never copies what is there (a vector that doubles would need three times the memory for a moment).
const PIECE: usize = 1 << 15;

/// The index of one JSON text. Offsets are 32 bits wide: a text has less than 4 GB.
#[derive(Clone, Debug, Default)]
pub struct JsonIndex {
    pieces: Vec<Vec<Node>>,
    len: usize,
    /// Lines of the wholly unfolded pretty text.
    pub(super) lines: u32,
}

impl JsonIndex {
    /// How many values there are.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no value at all.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many lines the pretty text has when nothing is folded.
    pub const fn lines(&self) -> u32 {
        self.lines
    }

    pub(super) fn push(&mut self, node: Node) {
        if self.len.is_multiple_of(PIECE) {
            self.pieces.push(Vec::with_capacity(PIECE));
        }
        if let Some(piece) = self.pieces.last_mut() {
            piece.push(node);
            self.len += 1;
        }
    }

    pub(super) fn node(&self, at: u32) -> &Node {
        &self.pieces[at as usize / PIECE][at as usize % PIECE]
    }

    pub(super) fn node_mut(&mut self, at: u32) -> &mut Node {
        &mut self.pieces[at as usize / PIECE][at as usize % PIECE]
    }

    /// The depth at which the text goes on at `at`: a node's own, or 0 past the last one.
    pub(super) fn depth_at(&self, at: u32) -> u16 {
        if (at as usize) < self.len { self.node(at).depth } else { 0 }
    }

    /// What a value is.
    pub fn kind(&self, at: u32) -> Kind {
        self.node(at).kind
    }

    /// Whether a node is a container that holds something, which is what can be folded.
    pub(super) fn is_foldable(&self, at: u32) -> bool {
        self.node(at).next > at + 1
    }

    /// How many lines close right after the subtree of `at`, beside its own closing line.
    pub(super) fn closers_after(&self, at: u32) -> u32 {
        let node = self.node(at);
        u32::from(node.depth - self.depth_at(node.next).min(node.depth))
    }

    /// Whether another value of the same container follows, and so a comma.
    pub(super) fn has_sibling(&self, at: u32) -> bool {
        let node = self.node(at);
        node.parent != NONE && (node.next as usize) < self.len && self.node(node.next).parent == node.parent
    }

    /// How many values a container holds.
    pub(super) fn children(&self, at: u32) -> u32 {
        let end = self.node(at).next;
        let (mut child, mut count) = (at + 1, 0);
        while child < end {
            child = self.node(child).next;
            count += 1;
        }
        count
    }

    /// The values that a container holds, in their order.
    pub fn items(&self, at: u32) -> impl Iterator<Item = u32> + '_ {
        let end = self.node(at).next;
        let first = Some(at + 1).filter(|child| *child < end);
        std::iter::successors(first, move |child| Some(self.node(*child).next).filter(|next| *next < end))
    }

    /// The first value behind a value and all that it holds.
    pub fn behind(&self, at: u32) -> u32 {
        self.node(at).next
    }

    /// A member's name, its escapes read; `None` in arrays and at the root.
    pub fn key(&self, bytes: &[u8], at: u32) -> Option<String> {
        self.key_range(bytes, at).map(|range| string::decode(&bytes[range]))
    }

    /// Where a value's text stands.
    pub fn value_range(&self, at: u32) -> Range<usize> {
        let node = self.node(at);
        node.start as usize..node.end as usize
    }

    /// Where a value's key stands, without its quotes.
    pub(super) fn key_range(&self, bytes: &[u8], at: u32) -> Option<Range<usize>> {
        let key = self.node(at).key;
        (key != NONE).then(|| {
            let start = key as usize + 1;
            start..string::end_of(bytes, start)
        })
    }

    /// The path of a value as `JSONPath` (RFC 9535) has it: `$.a[3]["odd key"]`.
    pub fn path(&self, bytes: &[u8], at: u32) -> String {
        let mut way = Vec::new();
        let mut node = at;
        while node != NONE {
            way.push(node);
            node = self.node(node).parent;
        }
        let mut path = "$".to_owned();
        for node in way.into_iter().rev().skip(1) {
            match self.key_range(bytes, node) {
                Some(range) => write_member(&mut path, &string::decode(&bytes[range])),
                // Writing to a String cannot fail.
                None => drop(write!(path, "[{}]", self.place_in_parent(node))),
            }
        }
        path
    }

    fn place_in_parent(&self, at: u32) -> u32 {
        let (mut sibling, mut place) = (self.node(at).parent + 1, 0);
        while sibling < at {
            sibling = self.node(sibling).next;
            place += 1;
        }
        place
    }

    /// A value as it is copied: a string's content, anything else as it was written.
    pub fn value_text(&self, bytes: &[u8], at: u32) -> String {
        let range = self.value_range(at);
        if self.kind(at).is_string() {
            string::decode(&bytes[range.start + 1..range.end - 1])
        } else {
            String::from_utf8_lossy(&bytes[range]).into_owned()
        }
    }
}

/// Writes `.name` where the shorthand allows the name (RFC 9535, 2.5.1.1), else `["name"]`.
fn write_member(path: &mut String, name: &str) {
    let is_first = |c: char| c.is_ascii_alphabetic() || c == '_' || !c.is_ascii();
    let short = name.starts_with(is_first) && name.chars().all(|c| is_first(c) || c.is_ascii_digit());
    if short {
        path.push('.');
        path.push_str(name);
    } else {
        path.push_str("[\"");
        string::escape(name, path);
        path.push_str("\"]");
    }
}

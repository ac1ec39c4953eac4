//! Two JSON documents by structure: members by name wherever they stand, lists along a longest common subsequence, numbers as they were written.
//!
//! A document is the viewer's flat index (`model/json_doc`), so a text of any depth is read without recursion. Equal values are known by their digests.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};

use super::align::{Part, align};
use super::{MOST_ROWS, Rows, words};
use crate::model::compare::{Row, Side, Standing};
use crate::model::json_doc::{Ink, JsonIndex, Kind, Parser, Step};

/// Deeper values are compared as texts: the two are walked along together, a level a call.
const DEEPEST: u16 = 200;
/// Values of a part that is the same, past which it is not shown whole.
const MOST_SAME: u32 = 200;

/// What a value says, wherever its members stand and however its strings are escaped.
type Digest = [u8; 16];

/// A JSON text that was read.
#[derive(Debug)]
pub struct Document<'a> {
    bytes: &'a [u8],
    index: JsonIndex,
    digests: Vec<Digest>,
}

impl<'a> Document<'a> {
    /// Reads a text; `None` where it is no JSON.
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut parser = Parser::default();
        while parser.step(bytes, usize::MAX, u32::MAX).ok()? == Step::More {}
        let index = parser.finish();
        let digests = digests(bytes, &index);
        Some(Self { bytes, index, digests })
    }

    fn digest(&self, at: u32) -> Digest {
        self.digests[at as usize]
    }

    /// A member's name as JSON.
    fn name(&self, at: u32) -> Option<String> {
        self.index.key(self.bytes, at).map(|name| quoted(&name))
    }

    /// The members of an object: each by its name, and which of that name it is.
    fn members(&self, at: u32) -> Vec<((String, usize), u32)> {
        let mut met: HashMap<String, usize> = HashMap::new();
        let members = self.index.items(at).map(|member| {
            let name = self.index.key(self.bytes, member).unwrap_or_default();
            let count = met.entry(name.clone()).or_default();
            *count += 1;
            ((name, *count), member)
        });
        members.collect()
    }

    /// A value as it is shown on one row: a container's is its whole text.
    fn text(&self, at: u32) -> String {
        if self.index.kind(at).is_string() {
            quoted(&self.index.value_text(self.bytes, at))
        } else {
            self.index.value_text(self.bytes, at)
        }
    }

    fn ink(&self, at: u32) -> Ink {
        match self.index.kind(at) {
            Kind::Object | Kind::Array => Ink::Punctuation,
            Kind::PlainString | Kind::EscapedString => Ink::Text,
            Kind::Number => Ink::Number,
            Kind::Boolean => Ink::Boolean,
            Kind::Null => Ink::Null,
        }
    }

    /// The row on which a value stands alone.
    fn side(&self, at: u32) -> Side {
        words::plain(self.name(at), &self.text(at), Some(self.ink(at)))
    }

    /// The row on which a container begins.
    fn opening(&self, at: u32) -> Side {
        bracket(self.name(at), brackets(self.index.kind(at)).0)
    }

    const fn closing(kind: Kind) -> &'static str {
        brackets(kind).1
    }
}

const fn brackets(kind: Kind) -> (&'static str, &'static str) {
    if matches!(kind, Kind::Array) { ("[", "]") } else { ("{", "}") }
}

fn bracket(name: Option<String>, text: &str) -> Side {
    Side::plain(name, text.to_owned(), Some(Ink::Punctuation))
}

/// A string as JSON has it, with only those escapes that are needed.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// What each value says. What a value holds stands behind it, so from the end on all that is needed is there.
fn digests(bytes: &[u8], index: &JsonIndex) -> Vec<Digest> {
    let mut digests = vec![[0; 16]; index.len()];
    for at in (0..index.len() as u32).rev() {
        let mut hash = Sha256::new();
        match index.kind(at) {
            Kind::Object => {
                hash.update(b"{");
                let members = index.items(at).map(|member| {
                    let name = index.key(bytes, member).unwrap_or_default();
                    (name, digests[member as usize])
                });
                let mut members: Vec<(String, Digest)> = members.collect();
                // Of several with one name the order counts.
                members.sort_by(|one, other| one.0.cmp(&other.0));
                for (name, digest) in members {
                    hash.update(name.len().to_be_bytes());
                    hash.update(name);
                    hash.update(digest);
                }
            }
            Kind::Array => {
                hash.update(b"[");
                index.items(at).for_each(|item| hash.update(digests[item as usize]));
            }
            kind => {
                hash.update(if kind.is_string() { b"\"" } else { b"." });
                hash.update(index.value_text(bytes, at));
            }
        }
        digests[at as usize].copy_from_slice(&hash.finalize()[..16]);
    }
    digests
}

/// Writes the rows.
pub(super) fn compare(first: &Document<'_>, second: &Document<'_>, out: &mut Rows) {
    Walk { first, second, out }.values(0, 0, 0);
}

struct Walk<'a, 'b> {
    first: &'a Document<'b>,
    second: &'a Document<'b>,
    out: &'a mut Rows,
}

impl Walk<'_, '_> {
    fn values(&mut self, one: u32, other: u32, depth: u16) {
        let (first, second) = (self.first, self.second);
        let kinds = (first.index.kind(one), second.index.kind(other));
        if first.digest(one) == second.digest(other) {
            return self.same(one, other, depth);
        }
        match kinds {
            (Kind::Object, Kind::Object) | (Kind::Array, Kind::Array) if depth < DEEPEST => {
                self.out.push(Row::same(depth, first.opening(one), second.opening(other)));
                if kinds.0 == Kind::Object {
                    self.objects(one, other, depth + 1);
                } else {
                    self.arrays(one, other, depth + 1);
                }
                let closing = bracket(None, Document::closing(kinds.0));
                self.out.push(Row::same(depth, closing.clone(), closing));
            }
            (one_kind, other_kind)
                if one_kind.is_container() != other_kind.is_container() || (depth < DEEPEST && one_kind.is_container()) =>
            {
                self.only(Standing::First, one, depth);
                self.only(Standing::Second, other, depth);
            }
            _ => self.changed(one, other, depth),
        }
    }

    /// Two values on one row.
    fn changed(&mut self, one: u32, other: u32, depth: u16) {
        let (first, second) = (self.first, self.second);
        let (one, other) = words::differing(
            (first.name(one), second.name(other)),
            (&first.text(one), &second.text(other)),
            (Some(first.ink(one)), Some(second.ink(other))),
        );
        self.out.push(Row {
            standing: Standing::Changed,
            depth,
            first: Some(one),
            second: Some(other),
        });
    }

    /// Members by name, in the first one's order; those that only the second has come behind the one that is before them there.
    fn objects(&mut self, one: u32, other: u32, depth: u16) {
        let (ones, others) = (self.first.members(one), self.second.members(other));
        let of_first: HashMap<&(String, usize), u32> = ones.iter().map(|(name, member)| (name, *member)).collect();
        let of_second: HashMap<&(String, usize), u32> = others.iter().map(|(name, member)| (name, *member)).collect();
        let mut behind: HashMap<Option<u32>, Vec<u32>> = HashMap::new();
        let mut before = None;
        for (name, member) in &others {
            match of_first.get(name) {
                Some(known) => before = Some(*known),
                None => behind.entry(before).or_default().push(*member),
            }
        }
        let mut new = |walk: &mut Self, place: Option<u32>| {
            for member in behind.remove(&place).unwrap_or_default() {
                walk.only(Standing::Second, member, depth);
            }
        };
        new(self, None);
        for (name, member) in &ones {
            match of_second.get(name) {
                Some(beside) => self.values(*member, *beside, depth),
                None => self.only(Standing::First, *member, depth),
            }
            new(self, Some(*member));
        }
    }

    fn arrays(&mut self, one: u32, other: u32, depth: u16) {
        let ones: Vec<u32> = self.first.index.items(one).collect();
        let others: Vec<u32> = self.second.index.items(other).collect();
        let first: Vec<Digest> = ones.iter().map(|item| self.first.digest(*item)).collect();
        let second: Vec<Digest> = others.iter().map(|item| self.second.digest(*item)).collect();
        for part in align(&first, &second) {
            match part {
                Part::Same { first, second, count } => {
                    for place in 0..count {
                        self.same(ones[first + place], others[second + place], depth);
                    }
                }
                Part::Other { first, second } => {
                    self.others(
                        &ones[first.0..first.0 + first.1],
                        &others[second.0..second.0 + second.1],
                        depth,
                    );
                }
            }
        }
    }

    /// Items in each other's place: what is of one kind stands beside each other, as far as there are as many.
    fn others(&mut self, ones: &[u32], others: &[u32], depth: u16) {
        let beside = ones.len().min(others.len());
        for (one, other) in ones.iter().zip(others) {
            self.values(*one, *other, depth);
        }
        for item in &ones[beside..] {
            self.only(Standing::First, *item, depth);
        }
        for item in &others[beside..] {
            self.only(Standing::Second, *item, depth);
        }
    }

    /// A value that both have, as the first writes it.
    fn same(&mut self, one: u32, other: u32, depth: u16) {
        let values = self.first.index.behind(one) - one;
        if values > MOST_SAME {
            let names = (self.first.name(one), self.second.name(other));
            let kind = self.first.index.kind(one);
            let opening = |name| bracket(name, brackets(kind).0);
            self.out.push(Row::same(depth, opening(names.0), opening(names.1)));
            let words = format!(
                "… {} values, the same in both",
                crate::model::format::count(u64::from(values - 1))
            );
            let note = Side::plain(None, words, Some(Ink::Note));
            self.out.push(Row::same(depth + 1, note.clone(), note));
            let closing = bracket(None, Document::closing(kind));
            return self.out.push(Row::same(depth, closing.clone(), closing));
        }
        each_row(self.first, one, depth, self.out, |depth, side| {
            Row::same(depth, side.clone(), side)
        });
    }

    /// A value that one of them has.
    fn only(&mut self, standing: Standing, at: u32, depth: u16) {
        let document = if standing == Standing::Second {
            self.second
        } else {
            self.first
        };
        each_row(document, at, depth, self.out, |depth, side| Row::only(standing, depth, side));
    }
}

/// A value and all that it holds, a row each.
fn each_row(document: &Document<'_>, root: u32, depth: u16, out: &mut Rows, row: impl Fn(u16, Side) -> Row) {
    let index = &document.index;
    // What is open: where it ends, and what it is.
    let mut open: Vec<(u32, Kind)> = Vec::new();
    let level = |open: &[(u32, Kind)]| depth.saturating_add(open.len() as u16);
    let close = |open: &mut Vec<(u32, Kind)>, out: &mut Rows| {
        if let Some((_, kind)) = open.pop() {
            out.push(row(level(open), bracket(None, Document::closing(kind))));
        }
    };
    for at in root..index.behind(root) {
        if out.rows.len() >= MOST_ROWS {
            out.more = true;
            return;
        }
        while open.last().is_some_and(|(end, _)| at >= *end) {
            close(&mut open, out);
        }
        if index.items(at).next().is_some() {
            out.push(row(level(&open), document.opening(at)));
            open.push((index.behind(at), index.kind(at)));
        } else {
            out.push(row(level(&open), document.side(at)));
        }
    }
    while !open.is_empty() {
        close(&mut open, out);
    }
}

#[cfg(test)]
mod tests;

//! Pairs: a secret's name beside its value, `{"name":"password","value":"…"}`, as HAR has headers, cookies and arguments.
//!
//! The value may come first. The masker reads in one pass, so it writes such a value as it is and keeps in mind where it wrote it; a name that comes later
//! tells what it was, and the end of the pass puts the mask there. To read pairs of other names: [`role`].

use std::ops::Range;

use super::names::NameKind;
use crate::server::ingest::draft::MAX_LEVELS;

/// What a key says about its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It is the pair's name.
    Name,
    /// It is the pair's value.
    Value,
}

/// The role of a key, in any case; most have none.
pub(super) fn role(key: &[u8]) -> Option<Role> {
    let is = |word: &str| key.eq_ignore_ascii_case(word.as_bytes());
    if is("value") {
        Some(Role::Value)
    } else if is("name") || is("key") || is("field") || is("param") {
        Some(Role::Name)
    } else {
        None
    }
}

/// Objects that may be pairs, from the outside in, and the values that turned out to be secrets.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    open: Vec<Object>,
    secrets: Vec<Range<usize>>,
}

/// An object of which a half of a pair is known.
#[derive(Debug)]
struct Object {
    depth: usize,
    /// What its name says.
    kind: NameKind,
    /// Where its values are written, and whether each is a card's number.
    values: Vec<(Range<usize>, bool)>,
    /// Where a value begins that is being read.
    begun: Option<usize>,
}

impl Pairs {
    /// The object at this depth, none where too many are open: what is nested deeper than any JSON may be is no pair.
    fn object(&mut self, depth: usize) -> Option<&mut Object> {
        if self.open.last().is_none_or(|object| object.depth < depth) {
            if self.open.len() == MAX_LEVELS {
                return None;
            }
            self.open.push(Object {
                depth,
                kind: NameKind::Plain,
                values: Vec::new(),
                begun: None,
            });
        }
        self.open.last_mut()
    }

    /// Notes what an object's name says.
    pub(super) fn name(&mut self, depth: usize, kind: NameKind) {
        // Most names are no secrets, and of those nothing has to be known.
        if kind != NameKind::Plain
            && let Some(object) = self.object(depth)
            && object.kind != NameKind::Secret
        {
            object.kind = kind;
        }
    }

    /// What the name of the object at this depth says, as far as it is known.
    pub(super) fn kind(&self, depth: usize) -> NameKind {
        self.open
            .last()
            .filter(|object| object.depth == depth)
            .map_or(NameKind::Plain, |object| object.kind)
    }

    /// Notes where an object's value is written.
    pub(super) fn value(&mut self, depth: usize, written: Range<usize>, is_card: bool) {
        if let Some(object) = self.object(depth) {
            object.values.push((written, is_card));
        }
    }

    /// Notes where an object's value begins that ends with a bracket.
    pub(super) fn open_value(&mut self, depth: usize, from: usize) {
        if let Some(object) = self.object(depth) {
            object.begun = Some(from);
        }
    }

    /// A bracket was closed: `depth` brackets are open still, and what comes next is written at `end`.
    pub(super) fn close(&mut self, depth: usize, end: usize) {
        while let Some(object) = self.open.pop_if(|object| object.depth > depth) {
            let is_secret = |is_card: bool| object.kind == NameKind::Secret || (object.kind == NameKind::Card && is_card);
            let values = object.values.into_iter();
            self.secrets
                .extend(values.filter(|(_, is_card)| is_secret(*is_card)).map(|(written, _)| written));
        }
        if let Some(object) = self.open.last_mut().filter(|object| object.depth == depth)
            && let Some(from) = object.begun.take()
        {
            object.values.push((from..end, false));
        }
    }

    /// Where secrets are written, in order; of those inside one another the outermost.
    pub(super) fn into_secrets(mut self) -> Vec<Range<usize>> {
        // What was cut off is masked as far as it goes.
        self.close(0, 0);
        self.secrets
            .sort_unstable_by_key(|secret| (secret.start, std::cmp::Reverse(secret.end)));
        let mut end = 0;
        self.secrets.retain(|secret| {
            let is_outermost = secret.start >= end;
            end = end.max(secret.end);
            is_outermost
        });
        self.secrets
    }
}

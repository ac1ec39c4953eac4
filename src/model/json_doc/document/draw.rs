//! Makes a row of a value: what its line says, the long ones in part, and what was looked for marked in it.

use std::ops::Range;

use super::{Document, Json};
use crate::model::format;
use crate::model::json_doc::folding::Spot;
use crate::model::json_doc::index::Kind;
use crate::model::json_doc::row::{FOLD_AT, Ink, Piece, Row, marked};
use crate::model::json_doc::string;

/// Up to here a string's letters are counted; beyond, its size is told.
const COUNT_LETTERS_UP_TO: usize = 1 << 20;
/// Letters shown before a match that lies beyond the fold.
const BEFORE_MATCH: usize = 60;

impl<B: AsRef<[u8]>> Document<B> {
    /// What a node's own line says: its key, and its value where that is no container. At most about `limit` bytes of either.
    pub(super) fn says(&self, json: &Json, node: u32, limit: usize) -> Says {
        let mut says = Says {
            text: String::new(),
            key: None,
            value: 0..0,
            whole: true,
        };
        if let Some(range) = json.index.key_range(self.bytes(), node) {
            says.text.push('"');
            string::show(&self.bytes()[range], limit, &mut says.text);
            says.text.push('"');
            says.key = Some(0..says.text.len());
            says.text.push_str(": ");
        }
        let kind = json.index.kind(node);
        let start = says.text.len();
        let range = json.index.value_range(node);
        if kind.is_string() {
            says.text.push('"');
            says.whole = string::show(&self.bytes()[range.start + 1..range.end - 1], limit, &mut says.text);
            says.text.push('"');
        } else if !kind.is_container() {
            let end = range.end.min(range.start.saturating_add(limit));
            says.whole = end == range.end;
            says.text.push_str(&String::from_utf8_lossy(&self.bytes()[range.start..end]));
        }
        says.value = start..says.text.len();
        says
    }

    pub(super) fn opening_row(&self, json: &Json, node: u32) -> Row {
        let entry = json.index.node(node);
        let hit = self.search.as_ref().filter(|search| search.hits.has(node));
        let says = self.says(json, node, if hit.is_some() { usize::MAX } else { FOLD_AT * 4 + 4 });
        let found = hit.map_or_else(Vec::new, |search| search.needle.places(&says.text));
        let current = hit.and_then(|search| {
            let (place, nth) = search.hits.place(search.current?)?;
            (place == node).then_some(nth as usize)
        });
        let mut pieces = Vec::new();
        if let Some(key) = says.key.clone() {
            let cut = letters_end(&says.text, key.clone(), FOLD_AT + 2);
            marked(&says.text, key.start..cut, Ink::Key, &found, current, &mut pieces);
            if cut < key.end {
                pieces.push(Piece::new(Ink::Note, "…"));
            }
            marked(
                &says.text,
                key.end..says.value.start,
                Ink::Punctuation,
                &found,
                current,
                &mut pieces,
            );
        }
        let folded = json.folding.is_folded(node);
        if entry.kind.is_container() {
            container_pieces(json, node, folded, &mut pieces);
        } else {
            self.value_pieces(json, node, &says, &found, current, &mut pieces);
        }
        if (folded || !json.index.is_foldable(node)) && json.index.has_sibling(node) {
            pieces.push(Piece::new(Ink::Punctuation, ","));
        }
        Row {
            line: entry.line + 1,
            node,
            depth: entry.depth,
            open: json.index.is_foldable(node).then_some(!folded),
            pieces,
        }
    }

    fn value_pieces(
        &self,
        json: &Json,
        node: u32,
        says: &Says,
        found: &[Range<usize>],
        current: Option<usize>,
        pieces: &mut Vec<Piece>,
    ) {
        let ink = match json.index.kind(node) {
            Kind::Number => Ink::Number,
            Kind::Boolean => Ink::Boolean,
            Kind::Null => Ink::Null,
            _ => Ink::Text,
        };
        if self.masked && ink == Ink::Text && &says.text[says.value.clone()] == "\"masked\"" {
            let inside = says.value.start + 1..says.value.end - 1;
            marked(&says.text, inside, Ink::Masked, found, current, pieces);
            return;
        }
        let value = says.value.clone();
        let end = letters_end(&says.text, value.clone(), FOLD_AT + 2);
        if end == value.end && says.whole {
            marked(&says.text, value, ink, found, current, pieces);
            return;
        }
        let window = window_around(says, end, found, current);
        if window.start > value.start {
            pieces.push(Piece::new(Ink::Note, "… "));
        }
        marked(&says.text, window, ink, found, current, pieces);
        pieces.push(Piece::new(Ink::Note, self.length_note(json, node)));
    }

    fn length_note(&self, json: &Json, node: u32) -> String {
        let range = json.index.value_range(node);
        if json.index.kind(node).is_string() && range.len() <= COUNT_LETTERS_UP_TO {
            let letters = string::decode(&self.bytes()[range.start + 1..range.end - 1]).chars().count();
            return format!("… {} characters", format::count(letters as u64));
        }
        format!("… {}", format::size(range.len() as i64))
    }
}

/// What a line says, and where its parts are.
pub(super) struct Says {
    pub(super) text: String,
    key: Option<Range<usize>>,
    value: Range<usize>,
    /// Whether the value is all there.
    whole: bool,
}

/// Where the first `count` letters of a part end.
fn letters_end(text: &str, part: Range<usize>, count: usize) -> usize {
    text[part.clone()]
        .char_indices()
        .nth(count)
        .map_or(part.end, |(at, _)| part.start + at)
}

/// The part of a long value that is shown: its head, or what stands around the match that the person is at (or else the first one).
fn window_around(says: &Says, head_end: usize, found: &[Range<usize>], current: Option<usize>) -> Range<usize> {
    let inside = |range: &&Range<usize>| range.start >= says.value.start;
    let wanted = current
        .and_then(|at| found.get(at))
        .filter(inside)
        .or_else(|| found.iter().find(inside));
    match wanted {
        Some(range) if range.end > head_end => {
            let before = says.text[says.value.start..range.start]
                .char_indices()
                .rev()
                .nth(BEFORE_MATCH);
            let start = before.map_or(says.value.start, |(at, _)| says.value.start + at);
            start..letters_end(&says.text, start..says.value.end, FOLD_AT).max(range.end)
        }
        _ => says.value.start..head_end,
    }
}

fn container_pieces(json: &Json, node: u32, folded: bool, pieces: &mut Vec<Piece>) {
    let is_object = json.index.kind(node) == Kind::Object;
    if !json.index.is_foldable(node) {
        pieces.push(Piece::new(Ink::Punctuation, if is_object { "{}" } else { "[]" }));
    } else if folded {
        let count = json.index.children(node);
        let noun = match (is_object, count) {
            (true, 1) => "member",
            (true, _) => "members",
            (false, 1) => "item",
            (false, _) => "items",
        };
        pieces.push(Piece::new(Ink::Punctuation, if is_object { "{" } else { "[" }));
        pieces.push(Piece::new(
            Ink::Note,
            format!(" … {} {noun} ", format::count(u64::from(count))),
        ));
        pieces.push(Piece::new(Ink::Punctuation, if is_object { "}" } else { "]" }));
    } else {
        pieces.push(Piece::new(Ink::Punctuation, if is_object { "{" } else { "[" }));
    }
}

/// The closing line of a container: the `closing`-th above the spot's node.
pub(super) fn closing_row(json: &Json, spot: Spot) -> Row {
    let mut container = spot.node;
    for _ in 0..spot.closing {
        container = json.index.node(container).parent;
    }
    let entry = json.index.node(container);
    let lines_after = if (entry.next as usize) < json.index.len() {
        json.index.node(entry.next).line
    } else {
        json.index.lines
    };
    let closed_later = u32::from(entry.depth - json.index.depth_at(entry.next).min(entry.depth));
    let mut text = if entry.kind == Kind::Object { "}" } else { "]" }.to_owned();
    if json.index.has_sibling(container) {
        text.push(',');
    }
    Row {
        line: lines_after - closed_later,
        node: container,
        depth: entry.depth,
        open: None,
        pieces: vec![Piece::new(Ink::Punctuation, text)],
    }
}

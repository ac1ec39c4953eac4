//! A body as rows: JSON, pretty or raw, or plain text. Reads, folds, finds and copies; everything long in slices.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::find::{Hits, Needle};
use super::folding::{Folding, Spot};
use super::index::{JsonIndex, Kind};
use super::message::Form;
use super::parse::{JsonProblem, Parser, Step};
use super::plain::PlainText;
use super::row::{FOLD_AT, Ink, Piece, Row, marked};
use super::string;
use crate::model::format;

/// Up to here a string's letters are counted; beyond, its size is told.
const COUNT_LETTERS_UP_TO: usize = 1 << 20;
/// Letters shown before a match that lies beyond the fold.
const BEFORE_MATCH: usize = 60;
/// Rows a slice of the search looks at, at most.
const FIND_NODES: u32 = 40_000;

/// What is still to be done before rows can be shown.
#[derive(Debug)]
enum Work {
    Parse(Box<Parser>),
    Cut,
    Nothing,
}

/// A JSON text that was read.
#[derive(Debug)]
struct Json {
    index: JsonIndex,
    folding: Folding,
}

/// A search, as far as it got.
#[derive(Debug)]
struct Search {
    needle: Needle,
    hits: Hits,
    /// A node, or a place in bytes in plain text; `None` where all was looked at.
    next: Option<usize>,
    current: Option<u32>,
}

/// Where a match stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundPlace {
    /// Which match, from 0.
    pub number: u32,
    /// Its row.
    pub row: u32,
}

/// A body and how it is shown.
#[derive(Debug)]
pub struct Document<B> {
    bytes: B,
    masked: bool,
    form: Form,
    work: Work,
    json: Option<Json>,
    plain: Option<PlainText>,
    problem: Option<JsonProblem>,
    search: Option<Search>,
}

impl<B: AsRef<[u8]>> Document<B> {
    /// A body that is not read yet. `masked`: secrets in it were replaced by the word `masked`.
    pub fn new(bytes: B, form: Form, masked: bool) -> Self {
        let work = if form == Form::Pretty {
            Work::Parse(Box::default())
        } else {
            Work::Cut
        };
        Self {
            bytes,
            masked,
            form,
            work,
            json: None,
            plain: None,
            problem: None,
            search: None,
        }
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.as_ref()
    }

    /// Why it is not shown as JSON, where it was asked for.
    pub const fn problem(&self) -> Option<&JsonProblem> {
        self.problem.as_ref()
    }

    /// How it is shown: text that is no JSON stays raw.
    pub const fn form(&self) -> Form {
        if self.problem.is_some() { Form::Raw } else { self.form }
    }

    /// How many bytes were read towards showing it.
    pub fn read_so_far(&self) -> usize {
        match &self.work {
            Work::Parse(parser) => parser.read(),
            Work::Cut => self.plain.as_ref().map_or(0, PlainText::read),
            Work::Nothing => self.bytes().len(),
        }
    }

    /// Reads on for about `budget` bytes, or until more than `max_rows` rows are known.
    pub fn read(&mut self, budget: usize, max_rows: u32) -> Step {
        let bytes = self.bytes.as_ref();
        match &mut self.work {
            Work::Nothing => return Step::Done,
            Work::Cut => {
                if self.plain.get_or_insert_default().step(bytes, budget, max_rows) == Step::More {
                    return Step::More;
                }
                self.work = Work::Nothing;
            }
            Work::Parse(parser) => match parser.step(bytes, budget, max_rows) {
                Ok(Step::More) => return Step::More,
                Ok(Step::Done) => self.take_index(),
                Err(problem) => {
                    self.problem = Some(problem);
                    self.work = Work::Cut;
                    return Step::More;
                }
            },
        }
        Step::Done
    }

    fn take_index(&mut self) {
        if let Work::Parse(parser) = std::mem::replace(&mut self.work, Work::Nothing) {
            let index = parser.finish();
            self.json = Some(Json {
                folding: Folding::open(&index),
                index,
            });
        }
    }

    /// Shows it pretty or raw; what was not read yet for that is read by [`Document::read`].
    pub fn set_form(&mut self, form: Form) {
        self.form = form;
        self.search = None;
        self.work = match form {
            Form::Raw if self.plain.is_none() => Work::Cut,
            Form::Pretty if self.json.is_none() && self.problem.is_none() => Work::Parse(Box::default()),
            _ => Work::Nothing,
        };
    }

    /// The JSON text that is shown, `None` where plain text is.
    fn shown(&self) -> Option<&Json> {
        if self.form() == Form::Pretty {
            self.json.as_ref()
        } else {
            None
        }
    }

    fn shown_mut(&mut self) -> Option<&mut Json> {
        if self.form() == Form::Pretty {
            self.json.as_mut()
        } else {
            None
        }
    }

    /// How many rows are seen.
    pub fn total(&self) -> u32 {
        match self.shown() {
            Some(json) => json.folding.total(),
            None => self.plain.as_ref().map_or(0, PlainText::rows),
        }
    }

    /// The rows from `from` on.
    pub fn rows(&self, from: u32, count: u32) -> Vec<Row> {
        let Some(json) = self.shown() else {
            let search = self
                .search
                .as_ref()
                .map(|search| (&search.needle, &search.hits, search.current));
            return self
                .plain
                .as_ref()
                .map_or_else(Vec::new, |plain| plain.make_rows(self.bytes(), from, count, search));
        };
        if from >= json.folding.total() {
            return Vec::new();
        }
        let mut spot = Some(json.folding.spot(from));
        let mut rows = Vec::new();
        while let Some(at) = spot.filter(|_| rows.len() < count as usize) {
            rows.push(if at.closing == 0 {
                self.opening_row(json, at.node)
            } else {
                closing_row(json, at)
            });
            spot = json.folding.next(&json.index, at);
        }
        rows
    }

    /// Folds or unfolds a value.
    pub fn toggle(&mut self, node: u32) {
        if let Some(json) = self.shown_mut()
            && (node as usize) < json.index.len()
        {
            json.folding.toggle(&json.index, node);
        }
    }

    /// Folds everything at `level` and deeper and unfolds the rest; `None` unfolds all.
    pub fn level(&mut self, level: Option<u16>) {
        if let Some(json) = self.shown_mut() {
            json.folding.level(&json.index, level);
        }
    }

    /// The value of a row: a string's content, anything else as it was written, a line of plain text. `None` where it is longer than `max` bytes.
    pub fn value(&self, node: u32, max: usize) -> Option<String> {
        match self.shown() {
            Some(json) if (node as usize) < json.index.len() => {
                (json.index.value_range(node).len() <= max).then(|| json.index.value_text(self.bytes(), node))
            }
            Some(_) => Some(String::new()),
            None => self.plain.as_ref().map(|plain| plain.text(self.bytes(), node)),
        }
    }

    /// The `JSONPath` of a row's value; `None` in plain text.
    pub fn path(&self, node: u32) -> Option<String> {
        self.shown()
            .filter(|json| (node as usize) < json.index.len())
            .map(|json| json.index.path(self.bytes(), node))
    }

    /// The size of a row's value in bytes.
    pub fn value_size(&self, node: u32) -> usize {
        self.shown()
            .filter(|json| (node as usize) < json.index.len())
            .map_or(0, |json| json.index.value_range(node).len())
    }

    /// Begins to look for a text in what the rows say (keys and values, strings beyond their fold too); an empty one ends the search.
    pub fn find(&mut self, text: &str) {
        self.search = Needle::new(text).map(|needle| Search {
            needle,
            hits: Hits::default(),
            next: Some(0),
            current: None,
        });
    }

    /// Looks on for about `budget` bytes; [`Step::Done`] where all was looked at.
    pub fn find_on(&mut self, budget: usize) -> Step {
        let Some(mut search) = self.search.take() else {
            return Step::Done;
        };
        match (self.shown(), &self.plain) {
            (Some(json), _) => self.find_in_json(json, &mut search, budget),
            (None, Some(plain)) => {
                let stop = search.next.unwrap_or_default().saturating_add(budget);
                while let Some(from) = search.next.filter(|from| *from < stop) {
                    search.next = plain.find(self.bytes(), from, &search.needle, &mut search.hits);
                }
            }
            (None, None) => search.next = None,
        }
        let done = search.next.is_none();
        self.search = Some(search);
        if done { Step::Done } else { Step::More }
    }

    fn find_in_json(&self, json: &Json, search: &mut Search, budget: usize) {
        let Some(first) = search.next else { return };
        let (mut node, mut looked) = (first as u32, 0);
        let end = (json.index.len() as u32).min(node + FIND_NODES);
        while node < end && looked < budget {
            let mut said = self.says(json, node, usize::MAX).text;
            looked += said.len();
            super::fold_case(&mut said);
            if !search.hits.add(node, search.needle.count(&said)) {
                search.next = None;
                return;
            }
            node += 1;
        }
        search.next = ((node as usize) < json.index.len()).then_some(node as usize);
    }

    /// How many matches are known, and whether there are more than are counted.
    pub fn found(&self) -> (u32, bool) {
        self.search
            .as_ref()
            .map_or((0, false), |search| (search.hits.total(), search.hits.is_full()))
    }

    /// Goes to the first match at or after a row, or else to the first of all, unfolding what hides it.
    pub fn go_from(&mut self, row: u32) -> Option<FoundPlace> {
        let place = self.place_of(row);
        let number = self.search.as_ref()?.hits.first_from(place).unwrap_or(0);
        self.go_to(number)
    }

    /// Whether a match at or after a row is known.
    pub fn has_match_from(&self, row: u32) -> bool {
        let place = self.place_of(row);
        self.search
            .as_ref()
            .is_some_and(|search| search.hits.first_from(place).is_some())
    }

    /// What the search knows a row by: its node, or its place in bytes.
    fn place_of(&self, row: u32) -> u32 {
        match self.shown() {
            Some(json) if row < json.folding.total() => json.folding.spot(row).node,
            Some(_) => 0,
            None => self.plain.as_ref().map_or(0, |plain| plain.offset_of(self.bytes(), row)),
        }
    }

    /// Goes to the next match, or to the one before, around the end.
    pub fn go_on(&mut self, forward: bool) -> Option<FoundPlace> {
        let search = self.search.as_ref()?;
        let total = search.hits.total();
        if total == 0 {
            return None;
        }
        let number = match (search.current, forward) {
            (None, true) => 0,
            (None, false) => total - 1,
            (Some(at), true) => (at + 1) % total,
            (Some(at), false) => (at + total - 1) % total,
        };
        self.go_to(number)
    }

    fn go_to(&mut self, number: u32) -> Option<FoundPlace> {
        let (place, _) = self.search.as_ref()?.hits.place(number)?;
        let row = if let Some(json) = self.shown_mut() {
            json.folding.reveal(&json.index, place);
            json.folding.row_of(place)
        } else {
            self.plain.as_ref()?.row_at(self.bytes.as_ref(), place)
        };
        if let Some(search) = &mut self.search {
            search.current = Some(number);
        }
        Some(FoundPlace { number, row })
    }

    /// What a node's own line says: its key, and its value where that is no container. At most about `limit` bytes of either.
    fn says(&self, json: &Json, node: u32, limit: usize) -> Says {
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

    fn opening_row(&self, json: &Json, node: u32) -> Row {
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
struct Says {
    text: String,
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
fn closing_row(json: &Json, spot: Spot) -> Row {
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

/// The first rows of a body, for a page that must be readable before any script runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// At most as many as were asked for.
    pub rows: Vec<Row>,
    /// How many there are in all; `None` where the body was too long to count.
    pub total: Option<u32>,
    /// How it is shown.
    pub form: Form,
    /// Why it is not shown as JSON, where it was asked for.
    pub problem: Option<String>,
}

/// Bodies up to this size are read whole for a preview, so that it can say how many rows there are.
const PREVIEW_WHOLE: usize = 1 << 20;

/// The first `limit` rows of a body.
pub fn preview(bytes: &[u8], form: Form, masked: bool, limit: u32) -> Preview {
    let mut document = Document::new(bytes, form, masked);
    let max_rows = if bytes.len() <= PREVIEW_WHOLE { u32::MAX } else { limit };
    let mut whole = true;
    while document.read(usize::MAX, max_rows) == Step::More {
        if document.has_rows(limit) {
            whole = false;
            break;
        }
    }
    if !whole {
        document.take_index();
    }
    Preview {
        rows: document.rows(0, limit),
        total: whole.then(|| document.total()),
        form: document.form(),
        problem: document.problem.as_ref().map(ToString::to_string),
    }
}

impl<B: AsRef<[u8]>> Document<B> {
    /// Whether more than `limit` rows are known while reading.
    fn has_rows(&self, limit: u32) -> bool {
        match &self.work {
            Work::Parse(parser) => parser.lines() > limit,
            Work::Cut => self.plain.as_ref().is_some_and(|plain| plain.rows() > limit),
            Work::Nothing => true,
        }
    }
}

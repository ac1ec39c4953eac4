//! A body as rows: JSON, pretty or raw, or plain text. Reads, folds, finds and copies; everything long in slices.

mod draw;
mod preview;

use serde::{Deserialize, Serialize};

use super::find::{Hits, Needle};
use super::folding::Folding;
use super::index::JsonIndex;
use super::message::Form;
use super::parse::{JsonProblem, Parser, Step};
use super::plain::PlainText;
use super::row::Row;

pub use preview::{Preview, preview};

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
                draw::closing_row(json, at)
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
}

//! Whether a log at hand is one that a selection means: what `conditions` and a search say to the database, for whoever reads logs one by one.

use std::cell::OnceCell;

use memchr::memmem::Finder;

use super::fold::{fold, fold_into};
use super::rows::column_text;
use crate::model::log::{Log, LogFacts, LogText};
use crate::model::selection::{CodeRange, LogSelection, OneOf};

/// Stands between texts that are searched as one: no needle has it, since no text of UTF-8 does.
const BETWEEN: u8 = 0xFF;

/// Whether the selection means this log. One whose text was not read has none.
pub fn is_meant(selection: &LogSelection, log: &Log) -> bool {
    means(selection, &Needles::of(selection), &Seen::of(log))
}

/// A selection that is held against many logs.
#[derive(Debug)]
pub struct Meaning {
    selection: LogSelection,
    needles: Needles,
}

impl Meaning {
    /// What this selection means.
    pub fn of(selection: LogSelection) -> Self {
        Self {
            needles: Needles::of(&selection),
            selection,
        }
    }

    /// The selection.
    pub const fn selection(&self) -> &LogSelection {
        &self.selection
    }

    /// Whether it means this log. One whose text was not read has none.
    pub fn means(&self, seen: &Seen<'_>) -> bool {
        means(&self.selection, &self.needles, seen)
    }
}

/// What a selection looks for in texts, folded once.
#[derive(Debug)]
struct Needles {
    path: Option<Finder<'static>>,
    request_body: Option<Finder<'static>>,
    response_body: Option<Finder<'static>>,
    anywhere: Option<Finder<'static>>,
}

impl Needles {
    fn of(selection: &LogSelection) -> Self {
        let text = &selection.text;
        let needle = |words: &Option<String>| words.as_ref().map(|words| Finder::new(&fold(words.as_bytes())).into_owned());
        Self {
            path: needle(&selection.path),
            request_body: needle(&text.request_body),
            response_body: needle(&text.response_body),
            anywhere: needle(&text.anywhere),
        }
    }
}

/// A log that is held against many selections: what it says is folded once, at first need.
pub struct Seen<'log> {
    log: &'log Log,
    path: OnceCell<Vec<u8>>,
    request_body: OnceCell<Vec<u8>>,
    response_body: OnceCell<Vec<u8>>,
    others: OnceCell<Vec<u8>>,
}

impl<'log> Seen<'log> {
    /// This log.
    pub const fn of(log: &'log Log) -> Self {
        Self {
            log,
            path: OnceCell::new(),
            request_body: OnceCell::new(),
            response_body: OnceCell::new(),
            others: OnceCell::new(),
        }
    }

    fn path(&self) -> &[u8] {
        self.path.get_or_init(|| fold(self.log.facts.path.as_bytes()))
    }

    fn request_body(&self, text: &LogText) -> &[u8] {
        self.request_body.get_or_init(|| fold(&text.request.body))
    }

    fn response_body(&self, text: &LogText) -> &[u8] {
        self.response_body.get_or_init(|| fold(&text.response.body))
    }

    /// All that a search finds beside the bodies.
    fn others(&self, text: &LogText) -> &[u8] {
        self.others.get_or_init(|| others(&self.log.facts, text))
    }
}

fn means(selection: &LogSelection, needles: &Needles, seen: &Seen<'_>) -> bool {
    let facts = &seen.log.facts;
    let range = selection.range;
    range.from <= facts.created_at
        && facts.created_at < range.to
        && selection.origins.contains(&facts.origin)
        && (selection.statuses.is_empty() || selection.statuses.contains(&facts.status))
        && codes(selection, facts.status_code)
        && lists(selection, facts)
        && selection
            .slower_than_us
            .is_none_or(|slower| facts.duration_us.is_some_and(|took| took > slower))
        && needles.path.as_ref().is_none_or(|path| has(seen.path(), path))
        && (selection.text.is_empty() || seen.log.text.as_ref().is_some_and(|text| says(needles, seen, text)))
}

fn codes(selection: &LogSelection, code: Option<u16>) -> bool {
    let is_in = |range: &CodeRange| match (range, code) {
        (None, code) => code.is_none(),
        (Some((from, to)), Some(code)) => (*from..=*to).contains(&code),
        (Some(_), None) => false,
    };
    (selection.codes.is_empty() || selection.codes.iter().any(is_in)) && !selection.codes_left_out.iter().any(is_in)
}

fn lists(selection: &LogSelection, facts: &LogFacts) -> bool {
    let is = |field: Option<&String>, value: &str| field.is_some_and(|field| *field == column_text(value));
    let is_client = facts.client_app_id.is_some();
    let named = |client: bool, value: &str| is_client == client && is(facts.app_name.as_ref(), value);
    among(&selection.ids, |value| is(Some(&facts.id), value))
        && among(&selection.request_ids, |value| is(facts.request_id.as_ref(), value))
        && among(&selection.methods, |value| is(Some(&facts.method), value))
        && among(&selection.endpoints, |value| is(Some(&facts.endpoint), value))
        && among(&selection.channels, |value| is(facts.channel.as_ref(), value))
        && among(&selection.ips, |value| is(facts.ip.as_ref(), value))
        && among(&selection.users, |value| {
            is(facts.user_email.as_ref(), value) || is(facts.user_id.as_ref(), value)
        })
        && among(&selection.apps, |value| {
            is(facts.app_id.as_ref(), value) || named(false, value)
        })
        && among(&selection.client_apps, |value| {
            is(facts.client_app_id.as_ref(), value) || named(true, value)
        })
        && among(&selection.resources, |value| {
            facts.resource.as_ref().is_some_and(|about| match value.split_once(':') {
                Some((kind, id)) => is(Some(&about.kind), kind) && is(Some(&about.id), id),
                None => is(Some(&about.kind), value),
            })
        })
}

fn among(values: &OneOf, has: impl Fn(&str) -> bool) -> bool {
    (values.wanted.is_empty() || values.wanted.iter().any(|value| has(value))) && !values.left_out.iter().any(|value| has(value))
}

fn has(folded: &[u8], needle: &Finder<'_>) -> bool {
    needle.find(folded).is_some()
}

fn says(needles: &Needles, seen: &Seen<'_>, text: &LogText) -> bool {
    let is_in_request = |needle: &Finder<'_>| has(seen.request_body(text), needle);
    let is_in_response = |needle: &Finder<'_>| has(seen.response_body(text), needle);
    let is_anywhere = |needle: &Finder<'_>| has(seen.others(text), needle) || is_in_request(needle) || is_in_response(needle);
    needles.request_body.as_ref().is_none_or(is_in_request)
        && needles.response_body.as_ref().is_none_or(is_in_response)
        && needles.anywhere.as_ref().is_none_or(is_anywhere)
}

/// The fields are those of a block's entry.
fn others(facts: &LogFacts, text: &LogText) -> Vec<u8> {
    let resource = facts.resource.as_ref().map(|about| format!("{}:{}", about.kind, about.id));
    let maybe = [
        &facts.request_id,
        &facts.user_email,
        &facts.user_id,
        &facts.app_id,
        &facts.client_app_id,
        &facts.ip,
        &resource,
        &facts.async_action_id,
        &text.user_agent,
        &text.request.content_type,
        &text.response.content_type,
    ];
    let said = [&facts.id, &text.url, &text.request.headers, &text.response.headers];
    let (mut all, mut folded) = (Vec::new(), Vec::new());
    for text in maybe.into_iter().flatten().chain(said) {
        fold_into(text.as_bytes(), &mut folded);
        all.extend_from_slice(&folded);
        all.push(BETWEEN);
    }
    all
}

//! Whether a log at hand is one that a selection means: what `conditions` and a search say to the database, for whoever reads logs one by one.

use super::fold::fold;
use super::rows::column_text;
use crate::model::log::{Log, LogFacts, LogText};
use crate::model::selection::{CodeRange, LogSelection, OneOf, TextNeedles};

/// Whether the selection means this log. One whose text was not read has none.
pub fn is_meant(selection: &LogSelection, log: &Log) -> bool {
    let facts = &log.facts;
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
        && selection
            .path
            .as_ref()
            .is_none_or(|path| has(&facts.path, &fold(path.as_bytes())))
        && (selection.text.is_empty() || log.text.as_ref().is_some_and(|text| says(&selection.text, facts, text)))
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

fn has(text: impl AsRef<[u8]>, folded: &[u8]) -> bool {
    memchr::memmem::find(&fold(text.as_ref()), folded).is_some()
}

fn says(needles: &TextNeedles, facts: &LogFacts, text: &LogText) -> bool {
    let is_in = |needle: &Option<String>, field: &[u8]| needle.as_ref().is_none_or(|needle| has(field, &fold(needle.as_bytes())));
    is_in(&needles.request_body, &text.request.body)
        && is_in(&needles.response_body, &text.response.body)
        && needles
            .anywhere
            .as_ref()
            .is_none_or(|needle| is_anywhere(&fold(needle.as_bytes()), facts, text))
}

/// The fields are those of a block's entry.
fn is_anywhere(folded: &[u8], facts: &LogFacts, text: &LogText) -> bool {
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
    let texts = maybe.into_iter().flatten().chain(said);
    texts.into_iter().any(|text| has(text, folded)) || has(&text.request.body, folded) || has(&text.response.body, folded)
}

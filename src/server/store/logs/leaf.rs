//! A log's leaf on its project's chain: of its facts as the database has them, and of what it says. Where its text lies is not part of it: blocks are merged.

use std::borrow::Cow;

use super::rows::{FactsRow, column_text};
use crate::model::log::{LogFacts, Note};
use crate::server::store::chain::canon::{Canon, Digest, sha256};

/// Bytes of facts, about.
const ABOUT: usize = 512;

/// The digest of what a log says: of its entry in a block.
pub(super) fn text_digest(entry: &[u8]) -> Digest {
    sha256(&[entry])
}

/// The leaf of a log that is to be written.
pub(super) fn of_facts(facts: &LogFacts, text: &Digest) -> Digest {
    let field = |text: &Option<String>| text.as_deref().map(|text| column_text(text).into_owned()).map(Cow::Owned);
    let resource = facts.resource.as_ref();
    leaf(
        [
            Some(facts.origin.number().into()),
            Some(facts.created_at),
            Some(facts.status.number().into()),
            facts.status_code.map(|code| (code as i16).into()),
            Some(Note::to_bits(&facts.notes).into()),
            facts.duration_us,
            Some(facts.request_bytes),
            Some(facts.response_bytes),
        ],
        [
            Some(column_text(&facts.id)),
            Some(column_text(&facts.method)),
            Some(column_text(&facts.endpoint)),
            Some(column_text(&facts.path)),
            field(&facts.request_id),
            field(&facts.channel),
            field(&facts.user_email),
            field(&facts.user_id),
            field(&facts.app_id),
            field(&facts.app_name),
            field(&facts.client_app_id),
            field(&facts.ip),
            resource.map(|resource| column_text(&resource.kind)),
            resource.map(|resource| column_text(&resource.id)),
            field(&facts.async_action_id),
        ],
        text,
    )
}

/// The leaf of a log as it was read. The numbers are those of the database, whether or not they mean anything.
pub(super) fn of_row(row: &FactsRow, text: &Digest) -> Digest {
    fn field(text: Option<&String>) -> Option<Cow<'_, str>> {
        text.map(|text| Cow::Borrowed(text.as_str()))
    }
    leaf(
        [
            Some(row.origin.into()),
            Some(row.created_at),
            Some(row.status.into()),
            row.status_code.map(i64::from),
            Some(row.notes.into()),
            row.duration_us,
            Some(row.request_bytes),
            Some(row.response_bytes),
        ],
        [
            Some(Cow::Borrowed(&row.id)),
            Some(Cow::Borrowed(&row.method)),
            Some(Cow::Borrowed(&row.endpoint)),
            Some(Cow::Borrowed(&row.path)),
            field(row.request_id.as_ref()),
            field(row.channel.as_ref()),
            field(row.user_email.as_ref()),
            field(row.user_id.as_ref()),
            field(row.app_id.as_ref()),
            field(row.app_name.as_ref()),
            field(row.client_app_id.as_ref()),
            field(row.ip.as_ref()),
            field(row.resource_type.as_ref()),
            field(row.resource_id.as_ref()),
            field(row.async_action_id.as_ref()),
        ],
        text,
    )
}

fn leaf(mut numbers: [Option<i64>; 8], texts: [Option<Cow<'_, str>>; 15], text: &Digest) -> Digest {
    // That the text has expired is noted later, and on the chain by itself.
    numbers[4] = numbers[4].map(|notes| notes & !i64::from(Note::to_bits(&[Note::Expired])));
    let mut canon = Canon::with_capacity(ABOUT);
    for number in numbers {
        canon.number(number);
    }
    for text in &texts {
        canon.text(text.as_deref());
    }
    canon.leaf(text)
}

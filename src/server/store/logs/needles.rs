//! What a search looks for, and looking for it in opened blocks.

use std::sync::Arc;

use memchr::memmem::Finder;

use super::block::{self, Entry, Field};
use super::blocks::Closed;
use super::fold::{fold, fold_into};
use super::signature::{Trigram, needle_trigrams};
use crate::model::selection::TextNeedles;
use crate::server::store::StoreError;

/// The texts that a log must have, all of them.
#[derive(Clone, Debug)]
pub(super) struct Needles {
    finders: Arc<Finders>,
    trigrams: Vec<Trigram>,
}

#[derive(Debug)]
struct Finders {
    anywhere: Option<Finder<'static>>,
    request_body: Option<Finder<'static>>,
    response_body: Option<Finder<'static>>,
}

impl Needles {
    /// Folds what is looked for, as the texts are folded.
    pub(super) fn of(text: &TextNeedles) -> Self {
        let mut trigrams = Vec::new();
        let mut finder = |needle: &Option<String>| {
            needle.as_ref().map(|needle| {
                let folded = fold(needle.as_bytes());
                needle_trigrams(&folded, &mut trigrams);
                Finder::new(&folded).into_owned()
            })
        };
        let finders = Finders {
            anywhere: finder(&text.anywhere),
            request_body: finder(&text.request_body),
            response_body: finder(&text.response_body),
        };
        Self {
            finders: Arc::new(finders),
            trigrams,
        }
    }

    /// All trigrams that a log's text must have.
    pub(super) fn trigrams(&self) -> &[Trigram] {
        &self.trigrams
    }

    /// Opens blocks, on two threads where there are several, and gives the keys of the logs that have the text.
    pub(super) async fn find(&self, mut closed: Vec<Closed>) -> Result<Vec<(i64, String)>, StoreError> {
        let other = closed.split_off(closed.len() / 2);
        let half = |blocks: Vec<Closed>| {
            let finders = Arc::clone(&self.finders);
            async move {
                if blocks.is_empty() {
                    return Ok(Vec::new());
                }
                let found = tokio::task::spawn_blocking(move || finders.find(&blocks)).await;
                found.map_err(|problem| StoreError::Database(sqlx::Error::Io(std::io::Error::other(problem))))?
            }
        };
        let (first, second) = tokio::join!(half(closed), half(other));
        let mut found = first?;
        found.extend(second?);
        Ok(found)
    }
}

impl Finders {
    fn find(&self, closed: &[Closed]) -> Result<Vec<(i64, String)>, StoreError> {
        let mut found = Vec::new();
        let (mut folded, mut lines) = (Vec::new(), Vec::new());
        for (id, bytes, sha256, compressed) in closed {
            let content = block::open(*id, compressed, *bytes, sha256)?;
            for entry in block::entries(&content)? {
                if self.are_in(&entry, &mut folded, &mut lines) {
                    found.push((entry.created_at, entry.id()?.to_owned()));
                }
            }
        }
        Ok(found)
    }

    fn are_in(&self, entry: &Entry<'_>, folded: &mut Vec<u8>, lines: &mut Vec<u8>) -> bool {
        let mut has = |finder: &Option<Finder<'_>>, field: &[u8]| {
            finder.as_ref().is_none_or(|finder| {
                finder.needle().len() <= field.len().saturating_mul(3) && {
                    fold_into(field, folded);
                    finder.find(folded).is_some()
                }
            })
        };
        has(&self.request_body, entry.field(Field::RequestBody))
            && has(&self.response_body, entry.field(Field::ResponseBody))
            && (self.anywhere.is_none() || entry.texts(lines).iter().any(|text| has(&self.anywhere, text)))
    }
}

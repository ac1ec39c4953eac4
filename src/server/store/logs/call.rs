//! A call on its way to the writer: its facts, and its texts as entries or as blocks that are sealed already.

use std::collections::BTreeMap;

use super::block::{self, Loose, SealedBlock};
use super::leaf;
use super::write::{Idempotency, LogCall};
use crate::model::log::{LogFacts, LogText, NewLog, Origin, Status};
use crate::server::store::StoreError;
use crate::server::store::chain::canon::Digest;
use crate::server::store::projects::ProjectKey;

/// A call, ready for the writer.
#[derive(Debug)]
pub(super) struct PreparedCall {
    pub(super) project: ProjectKey,
    pub(super) received_at: i64,
    pub(super) idempotency: Option<Idempotency>,
    pub(super) logs: Vec<PreparedLog>,
    pub(super) text: PreparedText,
}

/// One log of it.
#[derive(Debug)]
pub(super) struct PreparedLog {
    pub(super) facts: LogFacts,
    pub(super) client_id: bool,
    /// Whether the event `log.failure` tells of it.
    pub(super) is_told: bool,
    /// What stands for it on the project's chain.
    pub(super) leaf: Digest,
}

/// What its logs say.
#[derive(Debug)]
pub(super) enum PreparedText {
    /// One entry a log, to be put into blocks together with other calls' logs.
    Loose(Vec<Vec<u8>>),
    /// Blocks, whose members are places among the call's logs.
    Sealed(Vec<SealedBlock<usize>>),
}

impl PreparedCall {
    /// A call of few logs.
    pub(super) fn of_few(call: LogCall) -> Self {
        Self::with(call, PreparedText::Loose)
    }

    /// A call that fills blocks of its own: takes a while, so it has a thread to itself.
    pub(super) fn of_many(call: LogCall) -> Result<Self, StoreError> {
        let mut prepared = Self::with(call, PreparedText::Loose);
        if let PreparedText::Loose(entries) = std::mem::replace(&mut prepared.text, PreparedText::Sealed(Vec::new())) {
            let mut loose: BTreeMap<Origin, Vec<Loose<usize>>> = BTreeMap::new();
            for (member, (entry, log)) in entries.into_iter().zip(&prepared.logs).enumerate() {
                loose.entry(log.facts.origin).or_default().push(Loose {
                    created_at: log.facts.created_at,
                    id: log.facts.id.clone(),
                    entry,
                    member,
                });
            }
            let mut sealed = Vec::new();
            for (origin, logs) in loose {
                sealed.extend(block::seal(Some(origin), logs)?);
            }
            prepared.text = PreparedText::Sealed(sealed);
        }
        Ok(prepared)
    }

    fn with(call: LogCall, text: impl FnOnce(Vec<Vec<u8>>) -> PreparedText) -> Self {
        let prepare = |NewLog { facts, client_id, text }: NewLog| {
            let entry = block::encode(&facts, &text);
            let is_told = is_told(&facts, &text);
            let leaf = leaf::of_facts(&facts, &leaf::text_digest(&entry));
            (
                entry,
                PreparedLog {
                    facts,
                    client_id,
                    is_told,
                    leaf,
                },
            )
        };
        let (entries, logs): (Vec<_>, Vec<_>) = call.logs.into_iter().map(prepare).unzip();
        Self {
            project: call.project,
            received_at: call.received_at,
            idempotency: call.idempotency,
            logs,
            text: text(entries),
        }
    }

    /// How many logs it has.
    pub(super) const fn len(&self) -> usize {
        self.logs.len()
    }
}

/// A failure of an application's own traffic. What this service does, and what its webhooks ask for, is left out: telling of it would make more of it.
fn is_told(facts: &LogFacts, text: &LogText) -> bool {
    let is_webhook = || {
        let headers: Vec<(String, serde::de::IgnoredAny)> = serde_json::from_str::<serde_json::Map<_, _>>(&text.request.headers)
            .map(|headers| headers.into_iter().map(|(name, _)| (name, serde::de::IgnoredAny)).collect())
            .unwrap_or_default();
        headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("webhook-id"))
    };
    facts.status == Status::Failure && facts.origin == Origin::Application && !is_webhook()
}

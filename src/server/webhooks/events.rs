//! Accepting an event that an application posts.

use sha2::{Digest, Sha256};

use super::envelope::{self, MAX_DATA};
use super::writer::AcceptError;
use crate::model::endpoint::{Source, is_kind, kinds};
use crate::model::id::{IdKind, is_client_id};
use crate::server::state::Server;
use crate::server::store::projects::ProjectKey;
use crate::server::store::webhooks::events::{Accepted, NewEvent};

/// Bytes of an entity's and a request's id.
const MAX_ID: usize = 255;

/// An event as it was posted.
#[derive(Clone, Debug, Default)]
pub struct Posted {
    /// Its type.
    pub kind: String,
    /// JSON.
    pub data: String,
    /// The sender's own id.
    pub id: Option<String>,
    /// What it is about.
    pub entity_id: Option<String>,
    /// The id of the request that it came of.
    pub group_id: Option<String>,
    /// Whose endpoints it is for.
    pub source: Option<Source>,
    /// Where it came from.
    pub channel: Option<String>,
    /// The person who caused it.
    pub user_id: Option<String>,
    /// The key that posted it: name, id.
    pub key: Option<(String, String)>,
}

/// Why an event was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// Something is not as it must be: what, and why.
    #[error("{field}: {reason}")]
    Invalid {
        /// Which field.
        field: &'static str,
        /// What would be right.
        reason: String,
    },
    /// The data is too large.
    #[error("data: at most {MAX_DATA} bytes")]
    TooLarge,
    /// Another event came under this id.
    #[error("another event was posted under the id {0}")]
    Conflict(String),
    /// It could not be stored.
    #[error(transparent)]
    Accept(#[from] AcceptError),
}

/// Accepts an event; gives its id and its sendouts' ids, after the commit.
pub async fn accept(server: &Server, project: ProjectKey, posted: Posted) -> Result<(String, Vec<String>), EventError> {
    check(&posted)?;
    let now_ms = server.clock.now_ms();
    let fingerprint = fingerprint(&posted).to_vec();
    let data = posted.data;
    let (key_name, app_id) = posted.key.unzip();
    let event = NewEvent {
        project,
        repeatable: posted.id.is_some(),
        id: posted.id.unwrap_or_else(|| server.random.id(IdKind::Event, now_ms)),
        kind: posted.kind,
        entity_id: posted.entity_id,
        group_id: posted.group_id,
        source: posted.source,
        channel: posted.channel,
        user_id: posted.user_id,
        key_name,
        app_id,
        data: envelope::seal(&server.key, &data, &server.random),
        fingerprint,
        only: None,
        except: None,
    };
    let id = event.id.clone();
    match server.webhooks.writer.accept(event, data).await? {
        Accepted::New(sendouts) => {
            metrics::counter!("webhook_events_accepted_total").increment(1);
            Ok((id, sendouts.into_iter().map(|sendout| sendout.id).collect()))
        }
        Accepted::Repeat(sendouts) => Ok((id, sendouts)),
        Accepted::Conflict => Err(EventError::Conflict(id)),
    }
}

fn check(posted: &Posted) -> Result<(), EventError> {
    let invalid = |field, reason: String| Err(EventError::Invalid { field, reason });
    if !is_kind(&posted.kind) {
        return invalid("type", "1 to 128 of A-Z a-z 0-9 _ . -, as voucher.created".to_owned());
    }
    if kinds::RESERVED.contains(&posted.kind.as_str()) {
        let reserved = kinds::RESERVED.join(", ");
        return invalid(
            "type",
            format!(
                "{} is sent by this service alone, as are all of {reserved}: choose another, as voucher.created",
                posted.kind
            ),
        );
    }
    if posted.id.as_deref().is_some_and(|id| !is_client_id(id)) {
        return invalid("id", "1 to 64 of A-Z a-z 0-9 _ -".to_owned());
    }
    for (field, value) in [
        ("entity_id", &posted.entity_id),
        ("group_id", &posted.group_id),
        ("user_id", &posted.user_id),
    ] {
        let is_bad = |id: &String| id.is_empty() || id.len() > MAX_ID || id.chars().any(char::is_control);
        if value.as_ref().is_some_and(is_bad) {
            return invalid(field, format!("1 to {MAX_ID} bytes, without control characters"));
        }
    }
    if posted.data.len() > MAX_DATA {
        return Err(EventError::TooLarge);
    }
    Ok(())
}

/// What a repeat must have in common with the first: all that its sender says.
fn fingerprint(posted: &Posted) -> [u8; 32] {
    let mut hash = Sha256::new();
    let source = posted.source.map(Source::as_str).unwrap_or_default();
    let maybe = |value: &Option<String>| value.clone().unwrap_or_default();
    for part in [
        &posted.kind,
        &maybe(&posted.entity_id),
        &maybe(&posted.group_id),
        source,
        &posted.data,
    ] {
        // With its length before it, no part runs into another.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

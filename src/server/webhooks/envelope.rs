//! What is sent: the reference's envelope around an event's data.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::model::endpoint::Source;
use crate::server::clock::Random;
use crate::server::secrets::{InstanceKey, purposes};
use crate::server::store::webhooks::due::Due;
use crate::server::store::webhooks::events::NewEvent;
use crate::server::store::webhooks::sendouts::StoredEvent;

/// What an event's data is sealed for.
const PURPOSE: &str = purposes::EVENT_DATA;
/// Data from so many bytes on is compressed, where that makes it smaller.
const COMPRESSED_FROM: usize = 1_024;
/// Data of an event at most, in bytes.
pub(super) const MAX_DATA: usize = 1 << 20;

/// An event, its data open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Event {
    /// The event.
    pub(super) id: String,
    /// When it was accepted, in milliseconds since 1970.
    pub(super) created_at: i64,
    /// Its type.
    pub(super) kind: String,
    /// What it is about.
    pub(super) entity_id: Option<String>,
    /// The id of its request.
    pub(super) group_id: Option<String>,
    /// Where it came from.
    pub(super) channel: Option<String>,
    /// The person who caused it.
    pub(super) user_id: Option<String>,
    /// The key that posted it.
    pub(super) key_name: Option<String>,
    /// The key's id.
    pub(super) app_id: Option<String>,
    /// JSON.
    pub(super) data: String,
}

impl Event {
    /// An event as it was accepted at `created_at`; `data` is what was sealed into it.
    pub(super) fn of_new(new: &NewEvent, data: &str, created_at: i64) -> Self {
        Self {
            id: new.id.clone(),
            created_at,
            kind: new.kind.clone(),
            entity_id: new.entity_id.clone(),
            group_id: new.group_id.clone(),
            channel: new.channel.clone(),
            user_id: new.user_id.clone(),
            key_name: new.key_name.clone(),
            app_id: new.app_id.clone(),
            data: data.to_owned(),
        }
    }

    /// The event of a sendout that is due; none where its data does not open.
    pub(super) fn of_due(key: &InstanceKey, due: &Due) -> Option<Self> {
        Some(Self {
            id: due.event_id.clone(),
            created_at: due.event_created_at,
            kind: due.kind.clone(),
            entity_id: due.entity_id.clone(),
            group_id: due.group_id.clone(),
            channel: due.channel.clone(),
            user_id: due.user_id.clone(),
            key_name: due.key_name.clone(),
            app_id: due.app_id.clone(),
            data: open(key, &due.data)?,
        })
    }

    /// A stored event; none where its data does not open.
    pub(super) fn of_stored(key: &InstanceKey, stored: &StoredEvent) -> Option<Self> {
        Some(Self {
            id: stored.id.clone(),
            created_at: stored.created_at,
            kind: stored.kind.clone(),
            entity_id: stored.entity_id.clone(),
            group_id: stored.group_id.clone(),
            channel: stored.channel.clone(),
            user_id: stored.user_id.clone(),
            key_name: stored.key_name.clone(),
            app_id: stored.app_id.clone(),
            data: open(key, &stored.data)?,
        })
    }
}

/// Where an envelope goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Destination<'a> {
    /// The project's public id.
    pub(super) project_id: &'a str,
    /// The endpoint.
    pub(super) endpoint_id: &'a str,
    /// Its address.
    pub(super) target_url: &'a str,
    /// What it belongs to.
    pub(super) source: Source,
}

#[derive(Serialize)]
struct Envelope<'a> {
    id: &'a str,
    project_id: &'a str,
    created_at: String,
    #[serde(rename = "type")]
    kind: &'a str,
    data: &'a RawValue,
    source: SourceJson<'a>,
    event: EventJson<'a>,
}

#[derive(Serialize)]
struct SourceJson<'a> {
    id: &'a str,
    object: &'static str,
    target_url: &'a str,
}

#[derive(Serialize)]
struct EventJson<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    created_at: String,
    entity_id: Option<&'a str>,
    group_id: Option<&'a str>,
    event_source: EventSource<'a>,
}

#[derive(Serialize)]
struct EventSource<'a> {
    channel: Option<&'a str>,
    user: Option<User<'a>>,
    api_key: Option<ApiKey<'a>>,
}

#[derive(Serialize)]
struct User<'a> {
    id: &'a str,
}

#[derive(Serialize)]
struct ApiKey<'a> {
    name: &'a str,
    app_id: Option<&'a str>,
}

/// The body of a sendout. The same at each attempt, so that receivers see the same bytes.
pub(super) fn body(sendout_id: &str, created_at: i64, event: &Event, to: Destination<'_>) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&Envelope {
        id: sendout_id,
        project_id: to.project_id,
        created_at: time(created_at),
        kind: &event.kind,
        data: serde_json::from_str(&event.data)?,
        source: SourceJson {
            id: to.endpoint_id,
            object: to.source.object(),
            target_url: to.target_url,
        },
        event: EventJson {
            id: &event.id,
            kind: &event.kind,
            created_at: time(event.created_at),
            entity_id: event.entity_id.as_deref(),
            group_id: event.group_id.as_deref(),
            event_source: EventSource {
                channel: event.channel.as_deref(),
                user: event.user_id.as_deref().map(|id| User { id }),
                api_key: event.key_name.as_deref().map(|name| ApiKey {
                    name,
                    app_id: event.app_id.as_deref(),
                }),
            },
        },
    })
}

/// RFC 3339 with milliseconds, in UTC.
pub(super) fn time(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |time| format!("{time:.3}"))
}

/// Seals an event's data: a byte that says whether it is compressed, then the data.
pub(super) fn seal(key: &InstanceKey, data: &str, random: &Random) -> Vec<u8> {
    let packed = (data.len() >= COMPRESSED_FROM)
        .then(|| zstd::bulk::compress(data.as_bytes(), 1).ok())
        .flatten()
        .filter(|packed| packed.len() < data.len());
    let (is_packed, bytes) = match &packed {
        Some(packed) => (1, packed.as_slice()),
        None => (0, data.as_bytes()),
    };
    let mut plain = Vec::with_capacity(bytes.len() + 1);
    plain.push(is_packed);
    plain.extend_from_slice(bytes);
    key.seal(PURPOSE, &plain, random)
}

/// An event's data as it was sealed; none where it was changed, or sealed by another key.
pub(super) fn open(key: &InstanceKey, sealed: &[u8]) -> Option<String> {
    let plain = key.open(PURPOSE, sealed)?;
    let (is_packed, bytes) = plain.split_first()?;
    let bytes = if *is_packed == 1 {
        zstd::bulk::decompress(bytes, 2 * MAX_DATA).ok()?
    } else {
        bytes.to_vec()
    };
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(data: &str) -> Event {
        Event {
            id: "evt_1".to_owned(),
            created_at: 1_795_348_800_000,
            kind: "voucher.created".to_owned(),
            entity_id: Some("v_1".to_owned()),
            group_id: Some("req_1".to_owned()),
            channel: Some("API".to_owned()),
            user_id: None,
            key_name: Some("shop".to_owned()),
            app_id: Some("app_1".to_owned()),
            data: data.to_owned(),
        }
    }

    #[test]
    fn the_envelope_is_the_references() {
        let to = Destination {
            project_id: "prj_1",
            endpoint_id: "wh_1",
            target_url: "https://example.com/hook",
            source: Source::Project,
        };
        let body = body("so_1", 1_795_348_800_000, &event(r#"{"b":1,"a":[2.50]}"#), to).unwrap();
        insta::assert_snapshot!(
            String::from_utf8(body).unwrap(),
            @r#"{"id":"so_1","project_id":"prj_1","created_at":"2026-11-22T12:00:00.000Z","type":"voucher.created","data":{"b":1,"a":[2.50]},"source":{"id":"wh_1","object":"webhook","target_url":"https://example.com/hook"},"event":{"id":"evt_1","type":"voucher.created","created_at":"2026-11-22T12:00:00.000Z","entity_id":"v_1","group_id":"req_1","event_source":{"channel":"API","user":null,"api_key":{"name":"shop","app_id":"app_1"}}}}"#
        );
    }

    #[test]
    fn data_opens_as_it_was_sealed() {
        let (key, random) = (InstanceKey::new([7; 32]), Random::seeded(1));
        for data in ["{}".to_owned(), format!("{{\"a\":\"{}\"}}", "x".repeat(5_000))] {
            let sealed = seal(&key, &data, &random);
            assert!(sealed.len() < data.len() + 64 && !sealed.windows(4).any(|bytes| bytes == b"xxxx"));
            assert_eq!(open(&key, &sealed), Some(data));
            assert_eq!(open(&InstanceKey::new([8; 32]), &sealed), None);
        }
    }
}

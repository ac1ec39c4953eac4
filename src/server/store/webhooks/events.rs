//! Events, and the sendouts that they become: one for each endpoint that wants them, in the same transaction.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use sqlx::{query_as, query_scalar};

use super::endpoints::patterns;
use crate::model::endpoint::{Source, wants};
use crate::server::store::StoreError;
use crate::server::store::db::{WriteTx, on_tx};
use crate::server::store::insert::Insert;
use crate::server::store::projects::ProjectKey;

/// An event to be stored. Its data is sealed already.
#[derive(Clone, Debug, Default)]
pub struct NewEvent {
    /// Whose.
    pub project: ProjectKey,
    /// `evt_…`, or the sender's own.
    pub id: String,
    /// Whether the sender chose the id, so that it may have come before.
    pub repeatable: bool,
    /// As `voucher.created`.
    pub kind: String,
    /// What it is about: first attempts of one entity begin in order.
    pub entity_id: Option<String>,
    /// The id of the request that it came of.
    pub group_id: Option<String>,
    /// Whose endpoints it is for; both where `None`.
    pub source: Option<Source>,
    /// Where it came from.
    pub channel: Option<String>,
    /// The person who caused it.
    pub user_id: Option<String>,
    /// The key that posted it.
    pub key_name: Option<String>,
    /// The key's id.
    pub app_id: Option<String>,
    /// Sealed.
    pub data: Vec<u8>,
    /// SHA-256 of what a repeat must have in common with it.
    pub fingerprint: Vec<u8>,
    /// For this endpoint alone, whatever it wants, and sent once: a test.
    pub only: Option<String>,
    /// Not for this endpoint.
    pub except: Option<String>,
}

/// A sendout that was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSendout {
    /// `so_…`.
    pub id: String,
    /// The endpoint.
    pub endpoint_id: String,
    /// Whether it waits for the endpoint to be switched on.
    pub paused: bool,
}

/// What became of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// It was stored.
    New(Vec<NewSendout>),
    /// It had come before: its sendouts of then.
    Repeat(Vec<String>),
    /// Another one had come under its id.
    Conflict,
}

#[derive(Debug, sqlx::FromRow)]
struct Wanting {
    id: String,
    target_url: String,
    events: String,
    active: i16,
    source: i16,
}

/// An endpoint that events may be for.
struct Taker {
    row: Wanting,
    patterns: Vec<String>,
}

impl Taker {
    fn takes(&self, event: &NewEvent) -> bool {
        if let Some(only) = &event.only {
            return *only == self.row.id;
        }
        event.except.as_ref() != Some(&self.row.id)
            && event.source.is_none_or(|source| source.number() == self.row.source)
            && wants(&self.patterns, &event.kind)
    }
}

async fn takers(tx: &mut WriteTx, project: ProjectKey) -> Result<Vec<Taker>, StoreError> {
    const TAKERS: &str = "SELECT id, target_url, events, active, source FROM endpoints WHERE project_id = $1 AND deleted_at IS NULL ORDER BY created_at, id";
    let rows: Vec<Wanting> = on_tx!(tx, connection => query_as(TAKERS).bind(project).fetch_all(connection).await?);
    let taker = |row: Wanting| {
        let patterns = patterns(&row.events)?;
        Ok(Taker { row, patterns })
    };
    rows.into_iter().map(taker).collect()
}

const EVENTS: Insert = Insert {
    head: "INSERT INTO events (project_id, id, created_at, type, entity_id, group_id, source, channel, user_id, key_name, app_id, data, fingerprint) VALUES",
    tail: "ON CONFLICT (project_id, id) DO NOTHING",
    columns: 13,
};

const SENDOUTS: Insert = Insert {
    head: "INSERT INTO sendouts (project_id, created_at, id, updated_at, event_id, endpoint_id, type, status, paused, attempts, tries, due_at, by_hand,
        request_id, entity_id, source, target_url) VALUES",
    tail: "",
    columns: 17,
};

/// Stores events with their sendouts, all at `now_ms`. `ids` gives as many sendouts' ids as it is asked for, in rising order.
pub(in crate::server::store) async fn accept_in(
    tx: &mut WriteTx,
    events: &[NewEvent],
    now_ms: i64,
    ids: &mut (dyn FnMut(usize) -> Vec<String> + Send),
) -> Result<Vec<Accepted>, StoreError> {
    let mut accepted: Vec<Option<Accepted>> = vec![None; events.len()];
    let mut fresh = Vec::with_capacity(events.len());
    for (place, event) in events.iter().enumerate() {
        if event.repeatable {
            // One statement each: rare beside those with our own ids, and it says at once whether it was the first.
            if insert_events(tx, &[event], now_ms).await? == 0 {
                accepted[place] = Some(known(tx, event).await?);
                continue;
            }
        } else {
            fresh.push(event);
        }
        accepted[place] = Some(Accepted::New(Vec::new()));
    }
    insert_events(tx, &fresh, now_ms).await?;
    let rows = assign(tx, events, &mut accepted, ids).await?;
    insert_sendouts(tx, &rows, now_ms).await?;
    Ok(accepted.into_iter().flatten().collect())
}

/// A sendout with its event and its endpoint's address.
struct Assigned<'a> {
    event: &'a NewEvent,
    sendout: NewSendout,
    target_url: String,
    source: i16,
}

async fn assign<'a>(
    tx: &mut WriteTx,
    events: &'a [NewEvent],
    accepted: &mut [Option<Accepted>],
    ids: &mut (dyn FnMut(usize) -> Vec<String> + Send),
) -> Result<Vec<Assigned<'a>>, StoreError> {
    let mut known: HashMap<ProjectKey, Vec<Taker>> = HashMap::new();
    let mut rows = Vec::new();
    let mut places = Vec::new();
    for (place, event) in events.iter().enumerate() {
        if !matches!(accepted[place], Some(Accepted::New(_))) {
            continue;
        }
        let takers = match known.entry(event.project) {
            Entry::Occupied(read) => read.into_mut(),
            Entry::Vacant(place) => place.insert(takers(tx, event.project).await?),
        };
        for taker in takers.iter().filter(|taker| taker.takes(event)) {
            places.push(place);
            rows.push(Assigned {
                event,
                sendout: NewSendout {
                    id: String::new(),
                    endpoint_id: taker.row.id.clone(),
                    paused: taker.row.active == 0 && event.only.is_none(),
                },
                target_url: taker.row.target_url.clone(),
                source: taker.row.source,
            });
        }
    }
    for ((row, id), place) in rows.iter_mut().zip(ids(places.len())).zip(places) {
        row.sendout.id = id;
        if let Some(Accepted::New(sendouts)) = &mut accepted[place] {
            sendouts.push(row.sendout.clone());
        }
    }
    Ok(rows)
}

async fn insert_events(tx: &mut WriteTx, events: &[&NewEvent], now_ms: i64) -> Result<u64, StoreError> {
    let sqlite = tx.is_sqlite();
    let mut inserted = 0;
    for chunk in EVENTS.chunks(events) {
        inserted += on_tx!(tx, connection => {
            let mut insert = sqlx::query(EVENTS.sql(chunk.len(), sqlite));
            for event in chunk {
                insert = insert
                    .bind(event.project)
                    .bind(&event.id)
                    .bind(now_ms)
                    .bind(&event.kind)
                    .bind(&event.entity_id)
                    .bind(&event.group_id)
                    .bind(event.source.map(Source::number))
                    .bind(&event.channel)
                    .bind(&event.user_id)
                    .bind(&event.key_name)
                    .bind(&event.app_id)
                    .bind(&event.data)
                    .bind(&event.fingerprint);
            }
            insert.execute(connection).await?.rows_affected()
        });
    }
    Ok(inserted)
}

async fn insert_sendouts(tx: &mut WriteTx, rows: &[Assigned<'_>], now_ms: i64) -> Result<(), StoreError> {
    let sqlite = tx.is_sqlite();
    for chunk in SENDOUTS.chunks(rows) {
        on_tx!(tx, connection => {
            let mut insert = sqlx::query(SENDOUTS.sql(chunk.len(), sqlite));
            for row in chunk {
                insert = insert
                    .bind(row.event.project)
                    .bind(now_ms)
                    .bind(&row.sendout.id)
                    .bind(now_ms)
                    .bind(&row.event.id)
                    .bind(&row.sendout.endpoint_id)
                    .bind(&row.event.kind)
                    .bind(0_i16)
                    .bind(i16::from(row.sendout.paused))
                    .bind(0_i32)
                    .bind(0_i32)
                    .bind((!row.sendout.paused).then_some(now_ms))
                    .bind(i16::from(row.event.only.is_some()))
                    .bind(&row.event.group_id)
                    .bind(&row.event.entity_id)
                    .bind(row.source)
                    .bind(&row.target_url);
            }
            insert.execute(connection).await?.rows_affected()
        });
    }
    Ok(())
}

/// What became of the event that came under this id before.
async fn known(tx: &mut WriteTx, event: &NewEvent) -> Result<Accepted, StoreError> {
    const FIRST: &str = "SELECT fingerprint FROM events WHERE project_id = $1 AND id = $2";
    const THEN: &str = "SELECT id FROM sendouts WHERE project_id = $1 AND event_id = $2 ORDER BY created_at, id";
    let first: Vec<u8> =
        on_tx!(tx, connection => query_scalar(FIRST).bind(event.project).bind(&event.id).fetch_one(connection).await?);
    if first != event.fingerprint {
        return Ok(Accepted::Conflict);
    }
    let ids: Vec<String> =
        on_tx!(tx, connection => query_scalar(THEN).bind(event.project).bind(&event.id).fetch_all(connection).await?);
    Ok(Accepted::Repeat(ids))
}

/// Stores an event of this service's own in the transaction of what it tells, where an endpoint wants it; true where one does.
pub(in crate::server::store) async fn tell_in(
    tx: &mut WriteTx,
    event: &NewEvent,
    now_ms: i64,
    ids: &mut (dyn FnMut(usize) -> Vec<String> + Send),
) -> Result<bool, StoreError> {
    let takers = takers(tx, event.project).await?;
    if !takers.iter().any(|taker| taker.takes(event)) {
        return Ok(false);
    }
    accept_in(tx, std::slice::from_ref(event), now_ms, ids).await?;
    Ok(true)
}

/// Events of this service's own, on their way into the transaction of what they tell.
pub struct OwnEvents {
    /// The events.
    pub events: Vec<NewEvent>,
    /// Gives sendouts' ids, in rising order.
    pub ids: Box<dyn FnMut(usize) -> Vec<String> + Send>,
}

impl std::fmt::Debug for OwnEvents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OwnEvents")
            .field("events", &self.events)
            .finish_non_exhaustive()
    }
}

impl OwnEvents {
    /// Stores those that an endpoint wants; whether there was any.
    pub(in crate::server::store) async fn tell_in(mut self, tx: &mut WriteTx, now_ms: i64) -> Result<bool, StoreError> {
        let mut any = false;
        for event in &self.events {
            any |= tell_in(tx, event, now_ms, &mut self.ids).await?;
        }
        Ok(any)
    }
}

//! Rows of sendouts and attempts as the database has them.

use crate::model::endpoint::Source;
use crate::model::sendout::{AttemptFacts, SendoutFacts, SendoutStatus, Timings};

/// The facts' columns.
#[derive(Debug, sqlx::FromRow)]
pub(in crate::server::store) struct SendoutRow {
    id: String,
    event_id: String,
    #[sqlx(rename = "type")]
    kind: String,
    status: i16,
    paused: i16,
    endpoint_id: String,
    target_url: String,
    attempts: i32,
    due_at: Option<i64>,
    by_hand: i16,
    last_code: Option<i16>,
    last_error: Option<String>,
    duration_ms: Option<i64>,
    request_id: Option<String>,
    source: i16,
    created_at: i64,
    executed_at: Option<i64>,
}

/// The columns that [`SendoutRow`] reads.
pub(in crate::server::store) const SENDOUT: &str = "id, event_id, type, status, paused, endpoint_id, target_url, attempts, due_at, by_hand, last_code, last_error, duration_ms, request_id, source, created_at, executed_at";

impl From<SendoutRow> for SendoutFacts {
    fn from(row: SendoutRow) -> Self {
        Self {
            id: row.id,
            event_id: row.event_id,
            kind: row.kind,
            status: SendoutStatus::of_number(row.status),
            paused: row.paused != 0,
            endpoint_id: row.endpoint_id,
            target_url: row.target_url,
            attempts: row.attempts.max(0) as u32,
            next_at: row.due_at,
            next_by_hand: row.by_hand != 0,
            last_code: row.last_code.map(|code| code as u16),
            last_error: row.last_error,
            duration_ms: row.duration_ms,
            request_id: row.request_id,
            source: Source::of_number(row.source),
            created_at: row.created_at,
            executed_at: row.executed_at,
        }
    }
}

/// An attempt, what it said still sealed.
#[derive(Debug, sqlx::FromRow)]
pub(in crate::server::store) struct AttemptRow {
    number: i32,
    at: i64,
    by_hand: i16,
    code: Option<i16>,
    error: Option<String>,
    resolve_us: Option<i64>,
    connect_us: Option<i64>,
    first_byte_us: Option<i64>,
    total_us: i64,
    address: Option<String>,
    content: Vec<u8>,
}

/// The columns that [`AttemptRow`] reads.
pub(in crate::server::store) const ATTEMPT: &str =
    "number, at, by_hand, code, error, resolve_us, connect_us, first_byte_us, total_us, address, content";

impl AttemptRow {
    /// The facts, and the sealed content.
    pub(super) fn split(self) -> (AttemptFacts, Vec<u8>) {
        let facts = AttemptFacts {
            number: self.number.max(0) as u32,
            at: self.at,
            by_hand: self.by_hand != 0,
            code: self.code.map(|code| code as u16),
            error: self.error,
            timings: Timings {
                resolve_us: self.resolve_us,
                connect_us: self.connect_us,
                first_byte_us: self.first_byte_us,
                total_us: self.total_us,
            },
            address: self.address,
            request_headers: None,
            response_headers: None,
            response_body: None,
            response_bytes: 0,
            truncated: false,
        };
        (facts, self.content)
    }
}

//! Rows of sendouts and attempts as the database has them.

use crate::model::endpoint::{EndpointState, Source};
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
    duration_us: Option<i64>,
    request_id: Option<String>,
    source: i16,
    created_at: i64,
    executed_at: Option<i64>,
    endpoint_state: Option<i32>,
}

/// The columns that [`SendoutRow`] reads.
pub(in crate::server::store) const SENDOUT: &str = "id, event_id, type, status, paused, endpoint_id, target_url, attempts, due_at, by_hand, last_code, last_error, request_id, source, created_at, executed_at";

/// What else it reads, told by other tables: how long the latest attempt took, to the microsecond, and where its endpoint stands.
pub(in crate::server::store) const BESIDE: &str =
    "COALESCE((SELECT a.total_us FROM attempts a WHERE a.project_id = sendouts.project_id
    AND a.sendout_id = sendouts.id AND a.number = sendouts.attempts), duration_ms * 1000) AS duration_us,
    (SELECT CASE WHEN e.deleted_at IS NOT NULL THEN 2 WHEN e.active = 1 THEN 0 ELSE 1 END FROM endpoints e
    WHERE e.project_id = sendouts.project_id AND e.id = sendouts.endpoint_id) AS endpoint_state";

impl From<SendoutRow> for SendoutFacts {
    fn from(row: SendoutRow) -> Self {
        Self {
            id: row.id,
            event_id: row.event_id,
            kind: row.kind,
            status: SendoutStatus::of_number(row.status),
            paused: row.paused != 0,
            endpoint_id: row.endpoint_id,
            endpoint: row.endpoint_state.map_or(EndpointState::Deleted, EndpointState::of_number),
            target_url: row.target_url,
            attempts: row.attempts.max(0) as u32,
            next_at: row.due_at,
            next_by_hand: row.by_hand != 0,
            last_code: row.last_code.map(|code| code as u16),
            last_error: row.last_error,
            duration_us: row.duration_us,
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
            masked: false,
        };
        (facts, self.content)
    }
}

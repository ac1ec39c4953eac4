//! What came of attempts: the attempt's own row, where its sendout stands from then on, and whether its endpoint is switched off.
//!
//! An outcome names how many attempts there were before; where there are more by now, another process sent it too, and the attempt is noted after those.

use std::collections::BTreeMap;

use sqlx::{query, query_scalar};

use super::endpoints::pause_in;
use crate::model::sendout::{SendoutStatus, Timings};
use crate::server::store::StoreError;
use crate::server::store::chain::canon::Digest;
use crate::server::store::chain::stored::AttemptRow;
use crate::server::store::db::{WriteTx, on_tx};
use crate::server::store::insert::Insert;
use crate::server::store::projects::ProjectKey;

/// What came of one attempt.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Whose.
    pub project: ProjectKey,
    /// The endpoint.
    pub endpoint_id: String,
    /// The sendout's time.
    pub created_at: i64,
    /// The sendout.
    pub sendout_id: String,
    /// Attempts before this one.
    pub before: u32,
    /// Whether it was asked for by hand.
    pub by_hand: bool,
    /// Where the sendout stands, if the schedule made the attempt.
    pub status: SendoutStatus,
    /// When the schedule sends it again.
    pub next_at: Option<i64>,
    /// When it began.
    pub at: i64,
    /// When the sendout's first attempt began.
    pub first_attempt_at: i64,
    /// Where it was sent.
    pub target_url: String,
    /// The answer's code.
    pub code: Option<u16>,
    /// Why it failed.
    pub error: Option<String>,
    /// Where the time went.
    pub timings: Timings,
    /// The address that was connected to.
    pub address: Option<String>,
    /// Sealed.
    pub content: Vec<u8>,
    /// The SHA-256 of what is sealed.
    pub content_sha256: Digest,
    /// Why the endpoint is to be switched off, whatever else succeeded; as 410 asks for.
    pub gone: Option<String>,
}

impl Outcome {
    /// Its row, as far as that is not sealed.
    fn row(&self) -> AttemptRow {
        AttemptRow {
            sendout_id: self.sendout_id.clone(),
            number: self.before as i32 + 1,
            at: self.at,
            by_hand: self.by_hand.into(),
            code: self.code.map(|code| code as i16),
            error: self.error.clone(),
            resolve_us: self.timings.resolve_us,
            connect_us: self.timings.connect_us,
            first_byte_us: self.timings.first_byte_us,
            total_us: self.timings.total_us,
            address: self.address.clone(),
        }
    }

    const fn is_success(&self) -> bool {
        matches!(self.status, SendoutStatus::Succeeded)
    }
}

/// An endpoint that was switched off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwitchedOff {
    /// Whose.
    pub project: ProjectKey,
    /// The endpoint.
    pub endpoint_id: String,
    /// Its address.
    pub target_url: String,
    /// Why, in words.
    pub reason: String,
}

const ATTEMPTS: Insert = Insert {
    head: "INSERT INTO attempts (project_id, sendout_id, number, at, by_hand, code, error, resolve_us, connect_us, first_byte_us, total_us, address,
        content) VALUES",
    tail: "",
    columns: 13,
};

/// Where the sendout stands after an attempt. One that was asked for by hand while the attempt was on its way (it is due later than that began) follows if
/// the attempt failed; once the endpoint has taken it, nothing more is due.
///
/// Values: project, its time, id, attempts before, by hand, success, status, next, code, error, duration, at, target.
const SENDOUTS: Insert = Insert {
    head: "UPDATE sendouts AS s SET attempts = s.attempts + 1, tries = s.tries + 1 - v.column5,
        status = CASE WHEN v.column5 = 0 OR v.column6 = 1 THEN v.column7 WHEN s.status > 0 THEN s.status
            WHEN s.paused = 1 OR s.scheduled_at IS NOT NULL THEN 1 ELSE 3 END,
        due_at = CASE WHEN v.column6 = 1 THEN NULL
            WHEN v.column5 = 1 AND s.by_hand = 1 AND s.due_at > v.column12 THEN s.due_at
            WHEN v.column5 = 1 THEN (CASE WHEN s.paused = 1 THEN NULL ELSE s.scheduled_at END)
            WHEN s.by_hand = 1 THEN s.due_at WHEN s.paused = 1 THEN NULL ELSE v.column8 END,
        scheduled_at = CASE WHEN v.column6 = 1 THEN NULL
            WHEN v.column5 = 1 AND s.by_hand = 1 AND s.due_at > v.column12 THEN s.scheduled_at
            WHEN v.column5 = 0 AND s.by_hand = 1 THEN v.column8 ELSE NULL END,
        by_hand = CASE WHEN v.column6 = 1 THEN 0 WHEN v.column5 = 1 AND COALESCE(s.due_at, 0) <= v.column12 THEN 0 ELSE s.by_hand END,
        paused = CASE WHEN v.column6 = 1 OR v.column7 = 3 THEN 0 ELSE s.paused END,
        last_code = v.column9, last_error = v.column10, duration_ms = v.column11, executed_at = v.column12, updated_at = v.column14,
        first_attempt_at = COALESCE(s.first_attempt_at, v.column12), target_url = v.column13
        FROM (VALUES",
    tail: ") AS v WHERE s.project_id = v.column1 AND s.created_at = v.column2 AND s.id = v.column3 AND s.attempts = v.column4",
    columns: 14,
};

/// Values: project, id, when.
const SUCCESSES: Insert = Insert {
    head: "UPDATE endpoints AS e SET last_success_at = v.column3 FROM (VALUES",
    tail: ") AS v WHERE e.project_id = v.column1 AND e.id = v.column2 AND COALESCE(e.last_success_at, 0) < v.column3",
    columns: 3,
};

/// Notes outcomes; gives the endpoints that are switched off by them.
pub(super) async fn settle_in(tx: &mut WriteTx, outcomes: &[Outcome], now_ms: i64) -> Result<Vec<SwitchedOff>, StoreError> {
    for chunk in SENDOUTS.chunks(outcomes) {
        if move_on(tx, chunk, now_ms).await? == chunk.len() as u64 {
            insert_attempts(tx, chunk).await?;
        } else {
            for outcome in chunk {
                settle_late(tx, outcome, now_ms).await?;
            }
        }
    }
    note_successes(tx, outcomes).await?;
    let mut off = Vec::new();
    for outcome in outcomes {
        if let Some(reason) = reason_to_switch_off(outcome)
            && switch_off(tx, outcome, &reason, now_ms).await?
        {
            off.push(SwitchedOff {
                project: outcome.project,
                endpoint_id: outcome.endpoint_id.clone(),
                target_url: outcome.target_url.clone(),
                reason,
            });
        }
    }
    Ok(off)
}

async fn move_on(tx: &mut WriteTx, outcomes: &[Outcome], now_ms: i64) -> Result<u64, StoreError> {
    let sqlite = tx.is_sqlite();
    Ok(on_tx!(tx, connection => {
        let mut update = query(SENDOUTS.sql(outcomes.len(), sqlite));
        for outcome in outcomes {
            update = update
                .bind(outcome.project)
                .bind(outcome.created_at)
                .bind(&outcome.sendout_id)
                .bind(outcome.before as i32)
                .bind(i16::from(outcome.by_hand))
                .bind(i16::from(outcome.is_success()))
                .bind(outcome.status.number())
                .bind(outcome.next_at)
                .bind(outcome.code.map(|code| code as i16))
                .bind(&outcome.error)
                .bind(outcome.timings.total_us / 1_000)
                .bind(outcome.at)
                .bind(&outcome.target_url)
                .bind(now_ms);
        }
        update.execute(connection).await?.rows_affected()
    }))
}

async fn insert_attempts(tx: &mut WriteTx, outcomes: &[Outcome]) -> Result<(), StoreError> {
    let sqlite = tx.is_sqlite();
    for chunk in ATTEMPTS.chunks(outcomes) {
        on_tx!(tx, connection => {
            let mut insert = query(ATTEMPTS.sql(chunk.len(), sqlite));
            for outcome in chunk {
                insert = insert
                    .bind(outcome.project)
                    .bind(&outcome.sendout_id)
                    .bind(outcome.before as i32 + 1)
                    .bind(outcome.at)
                    .bind(i16::from(outcome.by_hand))
                    .bind(outcome.code.map(|code| code as i16))
                    .bind(&outcome.error)
                    .bind(outcome.timings.resolve_us)
                    .bind(outcome.timings.connect_us)
                    .bind(outcome.timings.first_byte_us)
                    .bind(outcome.timings.total_us)
                    .bind(&outcome.address)
                    .bind(&outcome.content);
            }
            insert.execute(connection).await?.rows_affected()
        });
    }
    for outcome in outcomes {
        tx.note(outcome.project, outcome.at)
            .facts([outcome.row().fact(&outcome.content_sha256)]);
    }
    Ok(())
}

/// An outcome among some of which not all could be noted as they are: one that was moved on already has its attempt noted, one that was not is
/// noted after the attempts of the other process.
async fn settle_late(tx: &mut WriteTx, outcome: &Outcome, now_ms: i64) -> Result<(), StoreError> {
    const NOW: &str = "SELECT attempts FROM sendouts WHERE project_id = $1 AND created_at = $2 AND id = $3";
    const NOTED: &str = "SELECT COALESCE(MAX(number), 0) FROM attempts WHERE project_id = $1 AND sendout_id = $2";
    let now: Option<i32> = on_tx!(tx, connection => query_scalar(NOW).bind(outcome.project).bind(outcome.created_at).bind(&outcome.sendout_id)
        .fetch_optional(connection).await?);
    let Some(now) = now else { return Ok(()) };
    let noted: i32 = on_tx!(tx, connection => query_scalar(NOTED).bind(outcome.project).bind(&outcome.sendout_id).fetch_one(connection).await?);
    let mut outcome = outcome.clone();
    if noted == now {
        outcome.before = now.max(0) as u32;
        // The other process decides about the schedule; a success counts whoever had it.
        outcome.by_hand = true;
        move_on(tx, std::slice::from_ref(&outcome), now_ms).await?;
    }
    insert_attempts(tx, std::slice::from_ref(&outcome)).await
}

/// Endpoints' latest successes, by when the attempt began: one statement a batch.
async fn note_successes(tx: &mut WriteTx, outcomes: &[Outcome]) -> Result<(), StoreError> {
    let mut latest: BTreeMap<(ProjectKey, &str), i64> = BTreeMap::new();
    for outcome in outcomes.iter().filter(|outcome| outcome.is_success()) {
        let at = latest.entry((outcome.project, &outcome.endpoint_id)).or_insert(outcome.at);
        *at = outcome.at.max(*at);
    }
    let latest: Vec<_> = latest.into_iter().collect();
    let sqlite = tx.is_sqlite();
    for chunk in SUCCESSES.chunks(&latest) {
        on_tx!(tx, connection => {
            let mut update = query(SUCCESSES.sql(chunk.len(), sqlite));
            for ((project, endpoint), at) in chunk {
                update = update.bind(project).bind(endpoint).bind(at);
            }
            update.execute(connection).await?.rows_affected()
        });
    }
    Ok(())
}

fn reason_to_switch_off(outcome: &Outcome) -> Option<String> {
    if let Some(gone) = &outcome.gone {
        return Some(gone.clone());
    }
    if outcome.by_hand || outcome.status != SendoutStatus::Failed {
        return None;
    }
    let why = outcome.error.as_deref().unwrap_or("no reason was given");
    Some(format!(
        "Sendout {} used up its retries, and nothing was taken since its first attempt. The last attempt: {why}",
        outcome.sendout_id
    ))
}

/// Switches an endpoint off, unless something to it has succeeded since the sendout's first attempt; false where that is so, or it is off.
async fn switch_off(tx: &mut WriteTx, outcome: &Outcome, reason: &str, now_ms: i64) -> Result<bool, StoreError> {
    const OFF: &str = "UPDATE endpoints SET active = 0, disabled_at = $3, disabled_reason = $4,
        updated_at = CASE WHEN updated_at >= $3 THEN updated_at + 1 ELSE $3 END
        WHERE project_id = $1 AND id = $2 AND active = 1 AND deleted_at IS NULL AND ($5 = 1 OR COALESCE(last_success_at, 0) < $6)";
    let switched = on_tx!(tx, connection => query(OFF)
        .bind(outcome.project)
        .bind(&outcome.endpoint_id)
        .bind(now_ms)
        .bind(reason)
        .bind(i16::from(outcome.gone.is_some()))
        .bind(outcome.first_attempt_at)
        .execute(connection)
        .await?
        .rows_affected());
    if switched > 0 {
        pause_in(tx, outcome.project, &outcome.endpoint_id, now_ms).await?;
    }
    Ok(switched > 0)
}

//! Signing the heads of chains: once an hour where a chain has moved, and when somebody asks for one.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::head::{self, SignedHead};
use crate::server::clock::LEAP_MS;
use crate::server::state::Server;
use crate::server::store::StoreError;
use crate::server::store::chain::read::{self, SignedRow, Unsigned};
use crate::server::store::chain::signed;
use crate::server::store::projects::Project;
use crate::server::webhooks::own;

/// How often it is looked at whose chain has moved.
const LOOK: Duration = Duration::from_mins(1);
/// How long after a head the next one is signed, in milliseconds.
const HOUR_MS: i64 = 60 * 60_000;
/// How old a head may be that is given to whoever asks for one, in milliseconds.
const FRESH_MS: i64 = 60_000;

/// Signs heads until told to stop. Several servers may do so at the same time: one head of an entry is kept.
pub async fn schedule(server: Server, stop: CancellationToken) {
    loop {
        if let Err(error) = round(&server).await {
            tracing::warn!(%error, "the heads of chains could not be signed");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Signs the heads of the chains that have moved, the last one of which is an hour old, and tells of them; how many that were.
pub async fn round(server: &Server) -> Result<usize, StoreError> {
    let now_ms = server.clock.now_ms();
    let mut count = 0;
    for unsigned in signed::unsigned(&server.db, now_ms - HOUR_MS, now_ms + LEAP_MS).await? {
        let row = sign(server, &unsigned, now_ms);
        let told = own::chain_head(server, unsigned.project, &SignedHead::of(&unsigned.project_id, &row));
        if signed::keep(&server.db, unsigned.project, &row, Some(told), now_ms).await? {
            count += 1;
        }
    }
    if count > 0 {
        server.webhooks.ring();
    }
    Ok(count)
}

fn sign(server: &Server, unsigned: &Unsigned, now_ms: i64) -> SignedRow {
    head::sign(
        &server.chain_key,
        &unsigned.project_id,
        unsigned.number,
        &unsigned.digest,
        now_ms,
    )
}

/// A head of a project's chain that is no older than a minute; none where nothing is on the chain yet.
pub async fn fresh(server: &Server, project: &Project) -> Result<Option<SignedHead>, StoreError> {
    let now_ms = server.clock.now_ms();
    let Some(now) = read::head(&server.db, project.key).await? else {
        return Ok(None);
    };
    let latest = read::latest_signed(&server.db, project.key, 1).await?.into_iter().next();
    if let Some(latest) = latest.filter(|latest| latest.number >= now.number || now_ms.saturating_sub(latest.at) < FRESH_MS) {
        return Ok(Some(SignedHead::of(&project.id, &latest)));
    }
    let row = head::sign(&server.chain_key, &project.id, now.number, &now.digest, now_ms);
    if signed::keep(&server.db, project.key, &row, None, now_ms).await? {
        return Ok(Some(SignedHead::of(&project.id, &row)));
    }
    let kept = read::signed(&server.db, project.key, row.number - 1, 1).await?;
    Ok(kept.first().map(|row| SignedHead::of(&project.id, row)))
}

/// The head that was signed of this entry; none where none was.
pub async fn of_entry(server: &Server, project: &Project, number: i64) -> Result<Option<SignedHead>, StoreError> {
    let rows = read::signed(&server.db, project.key, number.saturating_sub(1), 1).await?;
    let row = rows.first().filter(|row| row.number == number);
    Ok(row.map(|row| SignedHead::of(&project.id, row)))
}

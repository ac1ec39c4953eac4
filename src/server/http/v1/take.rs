//! The way of every call that brings logs: whose they are, what to mask, the one writer, and what is counted of it.

use std::time::Instant;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use sha2::{Digest, Sha256};

use super::idempotency;
use crate::model::log::{NewLog, Origin};
use crate::server::access::KeyAccess;
use crate::server::error::ApiError;
use crate::server::http::limits::ReadBody;
use crate::server::ingest::endpoint::CallNames;
use crate::server::ingest::entry::{EntryContext, MAX_CALL, Sender};
use crate::server::retention;
use crate::server::state::Server;
use crate::server::store::StoreError;
use crate::server::store::logs::write::{Idempotency, LogCall, Written};

/// Seconds after which masking rules that could not be read are worth another try.
const RULES_RETRY_S: u64 = 5;

/// A call that brings logs.
pub(super) struct Call<'a> {
    pub(super) key: &'a KeyAccess,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: Body,
    /// Method and path: the same body elsewhere is another call.
    pub(super) name: &'static str,
}

impl Call<'_> {
    /// Reads the logs of a call and stores them, all or none: what was written, and what the reader says besides. Answered after the commit.
    pub(super) async fn take<T: Send + 'static>(
        self,
        server: &Server,
        read: impl FnOnce(ReadBody, &EntryContext<'_>) -> Result<(Vec<NewLog>, T), ApiError> + Send + 'static,
    ) -> Result<(Written, T), ApiError> {
        let Self {
            key,
            headers,
            body,
            name,
        } = self;
        let idempotency_key = idempotency::key_of(headers)?;
        let endpoints = server.endpoints(key.project.key).await?;
        let retention_ms = retention::kept(server, key.project.key).await?.logs_ms();
        let body = server.limits.read(headers, body, MAX_CALL).await?;
        // Only now: a large body may have taken minutes, and rules that were changed meanwhile act on it.
        let mask = server.mask(key.project.key).await.map_err(|error| unmasked(&error))?;
        let received_at = server.clock.now_ms();
        let started = Instant::now();
        let sender = sender(key);
        let random = server.random.clone();
        // Reading and masking 128 MB takes longer than other requests should wait for this thread.
        let read = move || {
            let names = CallNames::of(&endpoints);
            let context = EntryContext {
                now_ms: received_at,
                retention_ms,
                mask: &mask,
                endpoints: &names,
                random: &random,
                origin: Origin::Application,
                sender: Some(sender),
            };
            let idempotency = idempotency_key.map(|key| Idempotency {
                key,
                fingerprint: fingerprint(name, &body.bytes),
            });
            let (logs, said) = read(body, &context)?;
            Ok::<_, ApiError>((logs, said, idempotency, names))
        };
        let (logs, said, idempotency, names) = tokio::task::spawn_blocking(read).await.map_err(|error| {
            tracing::error!(%error, "reading a call broke");
            ApiError::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "Something broke on the server while reading the call",
            )
        })??;
        let call = LogCall {
            project: key.project.key,
            logs,
            idempotency,
            received_at,
        };
        let written = server.writer.write(call).await?;
        // A repeat brings nothing new.
        if written.accepted > 0 {
            names.keep();
        }
        metrics::histogram!("ingest_commit_seconds").record(started.elapsed());
        metrics::gauge!("ingest_queue_bytes").set(server.writer.waiting_bytes() as f64);
        Ok((written, said))
    }
}

/// Counts what became of a call.
pub(super) fn counted<T>(taken: Result<(Written, T), ApiError>) -> Result<(Written, T), ApiError> {
    match &taken {
        Ok((written, _)) => {
            metrics::counter!("ingest_logs_accepted_total").increment(written.accepted);
            metrics::counter!("ingest_logs_duplicate_total").increment(written.duplicates);
        }
        Err(error) => {
            metrics::counter!("ingest_calls_refused_total", "status" => error.status().as_u16().to_string()).increment(1);
        }
    }
    taken
}

fn sender(key: &KeyAccess) -> Sender {
    Sender {
        app_id: key.app_id.clone(),
        name: key.name.clone(),
        client: key.client,
    }
}

/// Nothing is stored unmasked: a call that comes when nobody knows what to mask is to come again.
fn unmasked(error: &StoreError) -> ApiError {
    tracing::error!(%error, "a project's masking rules could not be read");
    ApiError::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "What this project masks cannot be read right now, so nothing was stored; send the call again",
    )
    .retry_after(RULES_RETRY_S)
}

fn fingerprint(name: &str, body: &[u8]) -> [u8; 32] {
    Sha256::new()
        .chain_update(name)
        .chain_update("\n")
        .chain_update(body)
        .finalize()
        .into()
}

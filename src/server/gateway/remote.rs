//! A server elsewhere as a destination: records go to its `POST /v1/logs`, by a key.

use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde::Deserialize;

use super::send::{Away, Destination, Stored};
use super::spool::record::{File, Record};
use crate::server::config::Secret;
use crate::server::config::gateway::Upstream;

/// How long a call may take.
const PATIENCE: Duration = Duration::from_mins(1);
/// Entries of one call.
const MAX_ENTRIES: usize = 1_000;

/// A server elsewhere, and a project's key for it.
pub(super) struct Remote {
    client: Client,
    to: Upstream,
    key: Secret,
}

/// What a server answers to a call.
#[derive(Deserialize)]
struct Taken {
    accepted: u64,
    duplicates: u64,
}

/// Why a call was not taken.
enum Refusal {
    /// It may be, later.
    Away(Away),
    /// Never, as it is.
    Bad(String),
}

impl Remote {
    pub(super) fn new(to: Upstream, key: Secret) -> Result<Self, reqwest::Error> {
        Ok(Self {
            client: client().timeout(PATIENCE).build()?,
            to,
            key,
        })
    }

    async fn call(&self, request: RequestBuilder) -> Result<Response, Refusal> {
        let answer = request.bearer_auth(self.key.tell()).send().await;
        let answer = answer.map_err(|error| Refusal::Away(Away::because(format!("{} cannot be reached: {error}", self.to))))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let retry_after = seconds(&answer);
        let told: String = answer.text().await.unwrap_or_default().chars().take(500).collect();
        let why = format!("{} answered {status}: {told}", self.to);
        let is_bad = matches!(
            status,
            StatusCode::BAD_REQUEST | StatusCode::CONFLICT | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY
        );
        Err(if is_bad {
            Refusal::Bad(why)
        } else {
            Refusal::Away(Away { why, retry_after })
        })
    }

    async fn send(&self, records: &[Record]) -> Result<Stored, Refusal> {
        let entries: Vec<&str> = records.iter().map(|record| record.entry.as_str()).collect();
        let request = self
            .client
            .post(format!("{}/v1/logs", self.to))
            .header(CONTENT_TYPE, "application/json")
            .body(format!("[{}]", entries.join(",")));
        let taken: Taken = self
            .call(request)
            .await?
            .json()
            .await
            .map_err(|error| Refusal::Away(Away::because(format!("{} answered something else: {error}", self.to))))?;
        Ok(Stored {
            new: taken.accepted,
            known: taken.duplicates,
            refused: 0,
        })
    }

    /// Sends records; where one of them is refused, the others one by one.
    async fn send_all(&self, records: &[Record]) -> Result<Stored, Away> {
        match self.send(records).await {
            Ok(stored) => return Ok(stored),
            Err(Refusal::Away(away)) => return Err(away),
            Err(Refusal::Bad(why)) if records.len() == 1 => {
                tracing::error!(why, "a recorded request is no log that may be stored");
                return Ok(Stored {
                    refused: 1,
                    ..Stored::default()
                });
            }
            Err(Refusal::Bad(_)) => {}
        }
        let mut stored = Stored::default();
        let (one, other) = records.split_at(records.len() / 2);
        for half in [one, other] {
            stored += Box::pin(self.send_all(half)).await?;
        }
        Ok(stored)
    }

    async fn keep(&self, record: &Record, file: &File) -> Result<(), Away> {
        #[derive(Deserialize)]
        struct Named {
            id: String,
        }
        let Named { id } = serde_json::from_str(&record.entry).map_err(Away::because)?;
        let name = utf8_percent_encode(&file.name, NON_ALPHANUMERIC);
        let request = self
            .client
            .put(format!("{}/v1/logs/{id}/import-file?name={name}", self.to))
            .body(file.bytes.clone());
        match self.call(request).await {
            Ok(_) => Ok(()),
            Err(Refusal::Away(away)) => Err(away),
            Err(Refusal::Bad(why)) => {
                tracing::error!(why, id, "an upload was refused: its log is there without it");
                Ok(())
            }
        }
    }
}

impl Destination for Remote {
    async fn store(&self, records: &[Record]) -> Result<Stored, Away> {
        let mut stored = Stored::default();
        for some in records.chunks(MAX_ENTRIES) {
            stored += self.send_all(some).await?;
        }
        for record in records {
            if let Some(file) = &record.file {
                self.keep(record, file).await?;
            }
        }
        Ok(stored)
    }
}

fn seconds(answer: &Response) -> Option<Duration> {
    let seconds: u64 = answer.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds.clamp(1, 60)))
}

/// A client for another `audit-log`: no proxy between, no redirects, TLS as the system trusts it.
pub(super) fn client() -> reqwest::ClientBuilder {
    // An error says that there is a provider already: the same one.
    let _chosen = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .tcp_nodelay(true)
        .connect_timeout(Duration::from_secs(5))
}

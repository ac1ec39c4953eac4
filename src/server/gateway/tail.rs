//! Another gateway's spool as a source: fetched over the network, acknowledged there once it is stored here. Nothing of it is kept in between.

use std::time::Duration;

use reqwest::{Client, Response, StatusCode};

use super::lend::{SPOOL_DAMAGED, SPOOL_ID, SPOOL_NEXT};
use super::remote::client;
use super::send::{Source, SourceError};
use super::spool::{Chunk, Position, record};
use crate::server::config::Secret;
use crate::server::config::gateway::Upstream;

/// An answer may take so long: the other side waits ten seconds for something to tell.
const PATIENCE: Duration = Duration::from_mins(1);

/// Fetches a spool.
pub(super) struct Tail {
    client: Client,
    at: Upstream,
    key: Secret,
    /// The spool's own name, once it is known.
    id: String,
}

impl Tail {
    pub(super) fn new(at: Upstream, key: Secret) -> Result<Self, reqwest::Error> {
        Ok(Self {
            client: client().timeout(PATIENCE).build()?,
            at,
            key,
            id: String::new(),
        })
    }

    fn failed(&self, error: impl std::fmt::Display) -> SourceError {
        SourceError(format!("the spool at {}: {error}", self.at))
    }

    async fn checked(&self, answer: Result<Response, reqwest::Error>) -> Result<Response, SourceError> {
        let answer = answer.map_err(|error| self.failed(error))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status();
        let told: String = answer.text().await.unwrap_or_default().chars().take(200).collect();
        Err(self.failed(format!("{status}: {}", told.trim())))
    }
}

impl Source for Tail {
    fn id(&self) -> &str {
        &self.id
    }

    async fn next(&mut self) -> Result<Option<Chunk>, SourceError> {
        loop {
            let asked = self.client.get(format!("{}/spool", self.at)).bearer_auth(self.key.tell());
            let answer = self.checked(asked.send().await).await?;
            let told = |name: &str| {
                answer
                    .headers()
                    .get(name)
                    .and_then(|value| value.to_str().ok())
                    .map(str::to_owned)
            };
            let missing = || self.failed("it does not say where it goes on: is it a spool?");
            let next: Position = told(SPOOL_NEXT).and_then(|text| text.parse().ok()).ok_or_else(missing)?;
            let damaged = told(SPOOL_DAMAGED).and_then(|text| text.parse().ok()).ok_or_else(missing)?;
            let id = told(SPOOL_ID).filter(|id| id.len() == 16).ok_or_else(missing)?;
            if answer.status() == StatusCode::NO_CONTENT {
                continue;
            }
            let bytes = answer.bytes().await.map_err(|error| self.failed(error))?;
            let records = record::decode(&bytes).ok_or_else(|| self.failed("what it sent is no row of records"))?;
            self.id = id;
            return Ok(Some(Chunk { records, next, damaged }));
        }
    }

    async fn acknowledge(&mut self, position: Position) -> Result<(), SourceError> {
        let told = self
            .client
            .post(format!("{}/spool/stored?up_to={position}", self.at))
            .bearer_auth(self.key.tell());
        self.checked(told.send().await).await?;
        Ok(())
    }
}

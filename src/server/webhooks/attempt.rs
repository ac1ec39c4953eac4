//! One attempt: the envelope signed and sent, and what came of it, as an outcome to be stored.

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER, USER_AGENT};
use serde::{Deserialize, Serialize};
use url::Url;

use super::client::{Answer, Client};
use super::envelope::{self, Destination, Event};
use super::schedule::{Schedule, retry_after_ms};
use super::sign;
use crate::model::endpoint::Source;
use crate::model::sendout::{AttemptFacts, SendoutStatus};
use crate::server::clock::{Clock, Random};
use crate::server::secrets::{InstanceKey, purposes};
use crate::server::store::chain::canon::sha256;
use crate::server::store::projects::ProjectKey;
use crate::server::store::webhooks::outcomes::Outcome;

/// What an attempt's content is sealed for.
const PURPOSE: &str = purposes::ATTEMPT;
const AGENT: &str = concat!("audit-log/", env!("CARGO_PKG_VERSION"));
const GONE: u16 = 410;

/// An endpoint as its lane sends to it.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) project: ProjectKey,
    pub(super) project_id: String,
    pub(super) endpoint_id: String,
    pub(super) url: Option<Url>,
    pub(super) target_url: String,
    pub(super) source: Source,
    pub(super) active: bool,
    pub(super) deleted: bool,
    pub(super) rate_limit: Option<u32>,
    pub(super) secret: Vec<u8>,
    /// With the time that it is valid until.
    pub(super) old_secret: Option<(Vec<u8>, i64)>,
    pub(super) headers: Vec<(String, String)>,
}

/// A sendout that is to be sent.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) id: String,
    pub(super) created_at: i64,
    pub(super) attempts: u32,
    pub(super) tries: u32,
    pub(super) by_hand: bool,
    pub(super) first_attempt_at: Option<i64>,
    pub(super) event: std::sync::Arc<Event>,
}

/// What an attempt said, as it is sealed.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Content {
    request_headers: Vec<(String, String)>,
    response_headers: Vec<(String, String)>,
    response_body: String,
    response_bytes: i64,
    truncated: bool,
}

/// What attempts are made with.
#[derive(Clone, Debug)]
pub(super) struct Maker {
    pub(super) client: Client,
    pub(super) clock: Clock,
    pub(super) random: Random,
    pub(super) schedule: Schedule,
    pub(super) key: std::sync::Arc<InstanceKey>,
}

impl Maker {
    /// Makes an attempt.
    pub(super) async fn attempt(&self, target: &Target, item: &Item) -> Outcome {
        let at = self.clock.now_ms();
        let to = Destination {
            project_id: &target.project_id,
            endpoint_id: &target.endpoint_id,
            target_url: &target.target_url,
            source: target.source,
        };
        let (headers, answer) = match (&target.url, envelope::body(&item.id, item.created_at, &item.event, to)) {
            (Some(url), Ok(body)) => {
                let headers = headers(target, &item.id, at / 1_000, &body);
                (pairs(&headers), self.client.post(url, headers, body).await)
            }
            (None, _) => (Vec::new(), broken("the endpoint's address is no URL".to_owned())),
            (_, Err(problem)) => (Vec::new(), broken(format!("the event's data is no JSON: {problem}"))),
        };
        self.outcome(target, item, at, headers, answer)
    }

    fn outcome(&self, target: &Target, item: &Item, at: i64, request_headers: Vec<(String, String)>, answer: Answer) -> Outcome {
        let (status, next_at) = self.verdict(item, &answer);
        let gone = (answer.code == Some(GONE)).then(|| format!("It answered 410 Gone to sendout {}", item.id));
        let content = Content {
            request_headers,
            response_headers: pairs(&answer.headers),
            response_body: String::from_utf8_lossy(&answer.body).into_owned(),
            response_bytes: answer.body.len() as i64,
            truncated: answer.truncated,
        };
        // Texts and numbers alone: there is nothing in it that JSON cannot say.
        let content = serde_json::to_vec(&content).unwrap_or_default();
        Outcome {
            project: target.project,
            endpoint_id: target.endpoint_id.clone(),
            created_at: item.created_at,
            sendout_id: item.id.clone(),
            before: item.attempts,
            by_hand: item.by_hand,
            status,
            next_at,
            at,
            first_attempt_at: item.first_attempt_at.unwrap_or(at),
            target_url: target.target_url.clone(),
            code: answer.code,
            error: answer.error,
            timings: answer.timings,
            address: answer.address,
            content: self.key.seal(PURPOSE, &content, &self.random),
            content_sha256: sha256(&[&content]),
            gone,
        }
    }

    fn verdict(&self, item: &Item, answer: &Answer) -> (SendoutStatus, Option<i64>) {
        if answer.is_success() {
            return (SendoutStatus::Succeeded, None);
        }
        if answer.code == Some(GONE) {
            return (SendoutStatus::Failed, None);
        }
        let now_ms = self.clock.now_ms();
        let asked = answer.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let asked = asked.and_then(|value| retry_after_ms(value, now_ms));
        match self.schedule.next(item.tries + 1, now_ms, asked, &self.random) {
            Some(next) => (SendoutStatus::Retrying, Some(next)),
            None => (SendoutStatus::Failed, None),
        }
    }
}

fn broken(error: String) -> Answer {
    Answer {
        error: Some(error),
        ..Answer::default()
    }
}

fn headers(target: &Target, id: &str, timestamp_s: i64, body: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(target.headers.len() + 5);
    for (name, value) in &target.headers {
        if let Some((name, value)) = super::client::header(name, value) {
            headers.append(name, value);
        }
    }
    let mut keys = vec![target.secret.clone()];
    if let Some((old, until)) = &target.old_secret
        && timestamp_s * 1_000 < *until
    {
        keys.push(old.clone());
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    let mut put = |name: &'static str, value: String| {
        // Ids, digits and base64: always a header's text.
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    };
    put("webhook-id", id.to_owned());
    put("webhook-timestamp", timestamp_s.to_string());
    put("webhook-signature", sign::signature(&keys, id, timestamp_s, body));
    headers
}

fn pairs(headers: &HeaderMap) -> Vec<(String, String)> {
    let pair = |(name, value): (&reqwest::header::HeaderName, &HeaderValue)| {
        (
            name.as_str().to_owned(),
            String::from_utf8_lossy(value.as_bytes()).into_owned(),
        )
    };
    headers.iter().map(pair).collect()
}

/// Fills in what an attempt said; left empty where it does not open.
pub(super) fn open(key: &InstanceKey, facts: &mut AttemptFacts, sealed: &[u8]) {
    let Some(content) = key.open(PURPOSE, sealed) else { return };
    let Ok(content) = serde_json::from_slice::<Content>(&content) else {
        return;
    };
    facts.request_headers = Some(content.request_headers);
    facts.response_headers = Some(content.response_headers);
    facts.response_body = Some(content.response_body);
    facts.response_bytes = content.response_bytes;
    facts.truncated = content.truncated;
}

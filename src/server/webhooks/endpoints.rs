//! Endpoints, as calls and pages make and change them: checked, their secrets and headers sealed.

use serde_json::json;
use url::Url;

use super::sign;
use crate::model::endpoint::{EndpointFacts, Source, is_pattern, kinds};
use crate::model::id::IdKind;
use crate::server::secrets::purposes;
use crate::server::state::Server;
use crate::server::store::projects::ProjectKey;
use crate::server::store::webhooks::endpoints::{self as store, Endpoint, EndpointChange, NewEndpoint};
use crate::server::store::webhooks::events::{Accepted, NewEvent};
use crate::server::store::{Changed, StoreError};

/// What secrets are sealed for.
pub(super) const SECRET_PURPOSE: &str = purposes::WEBHOOK_SECRET;
/// What an endpoint's own headers are sealed for.
pub(super) const HEADERS_PURPOSE: &str = purposes::WEBHOOK_HEADERS;
/// How long the secret before the latest is signed with, too, in milliseconds.
pub const OLD_SECRET_MS: i64 = 24 * 60 * 60 * 1_000;
const MAX_URL: usize = 2_048;
const MAX_DESCRIPTION: usize = 1_000;
const MAX_PATTERNS: usize = 100;
const MAX_HEADERS: usize = 50;
const MAX_HEADER: usize = 4_096;
const MAX_RATE: u32 = 100_000;
/// Endpoints a project.
const MAX_ENDPOINTS: usize = 200;
/// Headers that are ours, or the connection's.
const TAKEN: [&str; 12] = [
    "host",
    "content-length",
    "content-type",
    "transfer-encoding",
    "connection",
    "te",
    "trailer",
    "upgrade",
    "user-agent",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
];

/// What somebody wants an endpoint to be; `None` stays as it is, or is as by default.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// Where events are sent.
    pub target_url: Option<String>,
    /// The types that it wants.
    pub events: Option<Vec<String>>,
    /// Whether events are sent to it.
    pub active: Option<bool>,
    /// What it belongs to.
    pub source: Option<Source>,
    /// Headers of its own.
    pub headers: Option<Vec<(String, String)>>,
    /// A person's words.
    pub description: Option<String>,
    /// Requests a second; `Some(None)` for as many as it takes.
    pub rate_limit: Option<Option<u32>>,
    /// Whether what waited while it was off is sent now.
    pub send_paused: bool,
}

/// Why an endpoint was not made or changed.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// Something is not as it must be: what, and why.
    #[error("{field}: {reason}")]
    Invalid {
        /// Which field.
        field: &'static str,
        /// What would be right.
        reason: String,
    },
    /// There is no such endpoint.
    #[error("there is no such endpoint")]
    NotFound,
    /// An event could not be accepted.
    #[error(transparent)]
    Accept(#[from] super::AcceptError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn invalid(field: &'static str, reason: impl Into<String>) -> EndpointError {
    EndpointError::Invalid {
        field,
        reason: reason.into(),
    }
}

/// Makes an endpoint; gives it with its secret, which is shown this once.
pub async fn create(server: &Server, project: ProjectKey, wish: Wish) -> Result<(EndpointFacts, String), EndpointError> {
    check(server, &wish)?;
    let target_url = wish.target_url.ok_or_else(|| invalid("target_url", "is missing"))?;
    if store::list(&server.db, project).await?.len() >= MAX_ENDPOINTS {
        return Err(invalid(
            "target_url",
            format!("a project has at most {MAX_ENDPOINTS} endpoints"),
        ));
    }
    let now_ms = server.clock.now_ms();
    let secret = sign::new_secret(&server.random);
    let new = NewEndpoint {
        id: server.random.id(IdKind::Endpoint, now_ms),
        target_url,
        description: wish.description.unwrap_or_default(),
        events: wish.events.unwrap_or_else(|| vec!["*".to_owned()]),
        active: wish.active.unwrap_or(true),
        source: wish.source.unwrap_or_default(),
        secret: seal(server, SECRET_PURPOSE, secret.as_bytes()),
        headers: wish.headers.and_then(|headers| sealed_headers(server, &headers)),
        rate_limit: wish.rate_limit.flatten(),
    };
    store::add(&server.db, project, &new, now_ms).await?;
    let facts = one(server, project, &new.id, true).await?;
    Ok((facts, secret))
}

/// The project's endpoints, oldest first; their headers only for those who may read bodies.
pub async fn list(server: &Server, project: ProjectKey, with_headers: bool) -> Result<Vec<EndpointFacts>, EndpointError> {
    let endpoints = store::list(&server.db, project).await?;
    Ok(endpoints
        .into_iter()
        .map(|endpoint| facts(server, endpoint, with_headers))
        .collect())
}

/// One endpoint.
pub async fn one(server: &Server, project: ProjectKey, id: &str, with_headers: bool) -> Result<EndpointFacts, EndpointError> {
    let endpoint = found(server, project, id).await?;
    Ok(facts(server, endpoint, with_headers))
}

async fn found(server: &Server, project: ProjectKey, id: &str) -> Result<Endpoint, EndpointError> {
    let endpoint = store::find(&server.db, project, id).await?;
    endpoint.filter(|endpoint| !endpoint.deleted).ok_or(EndpointError::NotFound)
}

fn facts(server: &Server, endpoint: Endpoint, with_headers: bool) -> EndpointFacts {
    let sealed = endpoint.headers.filter(|_| with_headers);
    let open = sealed.and_then(|sealed| server.key.open(HEADERS_PURPOSE, &sealed));
    EndpointFacts {
        headers: open.and_then(|json| serde_json::from_slice(&json).ok()),
        ..endpoint.facts
    }
}

fn both(server: &Server, changed: Changed<Endpoint>) -> Changed<EndpointFacts> {
    Changed {
        before: facts(server, changed.before, true),
        after: facts(server, changed.after, true),
    }
}

/// Changes an endpoint; gives it before and after.
pub async fn update(server: &Server, project: ProjectKey, id: &str, wish: Wish) -> Result<Changed<EndpointFacts>, EndpointError> {
    check(server, &wish)?;
    let change = EndpointChange {
        target_url: wish.target_url,
        description: wish.description,
        events: wish.events,
        active: wish.active,
        source: wish.source,
        headers: wish.headers.map(|headers| sealed_headers(server, &headers)),
        rate_limit: wish.rate_limit,
        send_paused: wish.send_paused,
    };
    let changed = store::change(&server.db, project, id, &change, server.clock.now_ms()).await?;
    let changed = changed.ok_or(EndpointError::NotFound)?;
    server.webhooks.lanes.changed(project, id);
    if wish.send_paused {
        server.webhooks.due(project, id);
    }
    Ok(both(server, changed))
}

/// Deletes an endpoint: nothing more is sent to it, and what was sent stays. Gives it as it was.
pub async fn delete(server: &Server, project: ProjectKey, id: &str) -> Result<EndpointFacts, EndpointError> {
    let deleted = store::delete(&server.db, project, id, server.clock.now_ms()).await?;
    let before = deleted.ok_or(EndpointError::NotFound)?;
    server.webhooks.lanes.changed(project, id);
    Ok(facts(server, before, true))
}

/// Gives an endpoint a new secret, shown this once; requests carry signatures under both for a day. Gives the endpoint before and after, and the secret.
pub async fn rotate(server: &Server, project: ProjectKey, id: &str) -> Result<(Changed<EndpointFacts>, String), EndpointError> {
    let now_ms = server.clock.now_ms();
    let secret = sign::new_secret(&server.random);
    let sealed = seal(server, SECRET_PURPOSE, secret.as_bytes());
    let rotated = store::rotate(&server.db, project, id, &sealed, now_ms + OLD_SECRET_MS, now_ms).await?;
    let rotated = rotated.ok_or(EndpointError::NotFound)?;
    server.webhooks.lanes.changed(project, id);
    Ok((both(server, rotated), secret))
}

/// Sends a test event to an endpoint, once, by the very same path; gives the sendout's id. `request` is the id of the request that asks.
pub async fn test(server: &Server, project: ProjectKey, id: &str, request: Option<&str>) -> Result<String, EndpointError> {
    let endpoint = found(server, project, id).await?;
    let now_ms = server.clock.now_ms();
    let data =
        json!({ "object": "test", "message": "This is a test event", "webhook_id": id, "target_url": endpoint.facts.target_url });
    let event = NewEvent {
        group_id: request.map(str::to_owned),
        only: Some(id.to_owned()),
        ..super::writer::own_event(&server.key, &server.random, (project, kinds::TEST), &data, now_ms)
    };
    match server.webhooks.writer.accept(event, data.to_string()).await? {
        Accepted::New(mut sendouts) => sendouts.pop().map(|sendout| sendout.id).ok_or(EndpointError::NotFound),
        Accepted::Repeat(_) | Accepted::Conflict => Err(EndpointError::NotFound),
    }
}

fn seal(server: &Server, purpose: &str, plain: &[u8]) -> Vec<u8> {
    server.key.seal(purpose, plain, &server.random)
}

/// Sealed; none where there are none.
fn sealed_headers(server: &Server, headers: &[(String, String)]) -> Option<Vec<u8>> {
    (!headers.is_empty()).then(|| seal(server, HEADERS_PURPOSE, json!(headers).to_string().as_bytes()))
}

fn check(server: &Server, wish: &Wish) -> Result<(), EndpointError> {
    if let Some(url) = &wish.target_url {
        check_url(server, url)?;
    }
    if let Some(events) = &wish.events {
        if events.is_empty() || events.len() > MAX_PATTERNS {
            return Err(invalid("events", format!("1 to {MAX_PATTERNS} types")));
        }
        if let Some(bad) = events.iter().find(|pattern| !is_pattern(pattern)) {
            return Err(invalid(
                "events",
                format!("{bad:?} is neither a type (voucher.created), nor a beginning (voucher.*), nor *"),
            ));
        }
    }
    if wish.description.as_ref().is_some_and(|words| words.len() > MAX_DESCRIPTION) {
        return Err(invalid("description", format!("at most {MAX_DESCRIPTION} bytes")));
    }
    if let Some(Some(rate)) = wish.rate_limit
        && !(1..=MAX_RATE).contains(&rate)
    {
        return Err(invalid("rate_limit", format!("1 to {MAX_RATE} requests a second, or null")));
    }
    if wish.send_paused && wish.active == Some(false) {
        return Err(invalid("send_paused", "only where the endpoint is switched on"));
    }
    check_headers(wish.headers.as_deref().unwrap_or_default())
}

fn check_url(server: &Server, text: &str) -> Result<(), EndpointError> {
    let url = Url::parse(text).map_err(|error| invalid("target_url", format!("is no URL: {error}")))?;
    if text.len() > MAX_URL || !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(invalid(
            "target_url",
            format!("an http:// or https:// address of at most {MAX_URL} bytes"),
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid(
            "target_url",
            "a password does not belong into an address: use a header",
        ));
    }
    let guard = super::guard::Guard::new(server.config.webhook_allow.clone());
    let address = match url.host() {
        Some(url::Host::Ipv4(address)) => std::net::IpAddr::V4(address),
        Some(url::Host::Ipv6(address)) => std::net::IpAddr::V6(address),
        // A name may lead elsewhere by the time that something is sent: it is checked then.
        _ => return Ok(()),
    };
    guard
        .check(address)
        .map_err(|refused| invalid("target_url", refused.to_string()))
}

fn check_headers(headers: &[(String, String)]) -> Result<(), EndpointError> {
    if headers.len() > MAX_HEADERS {
        return Err(invalid("headers", format!("at most {MAX_HEADERS}")));
    }
    for (name, value) in headers {
        if name.len() + value.len() > MAX_HEADER || super::client::header(name, value).is_none() {
            return Err(invalid("headers", format!("{name:?} is no header that can be sent")));
        }
        if TAKEN.contains(&name.to_ascii_lowercase().as_str()) {
            return Err(invalid("headers", format!("{name} is set by this service")));
        }
    }
    Ok(())
}

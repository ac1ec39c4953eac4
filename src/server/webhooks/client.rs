//! One request to one endpoint: ten seconds in all, no redirects, no proxy, and of the answer's body only the beginning.

use std::cell::RefCell;
use std::error::Error as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use url::{Host, Url};

use super::guard::{Guard, Refused};
use super::resolve::{GuardedResolver, Lookup, ResolveError, STEPS, Steps, TimedLayer};
use crate::model::sendout::Timings;

/// How long an attempt may take in all.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of an answer's body that are read and kept.
pub(super) const MAX_ANSWER: usize = 16 << 10;
/// How long a connection that nobody uses is kept.
const IDLE: Duration = Duration::from_secs(30);
/// Connections that are kept an endpoint.
const KEPT: usize = 16;

/// Sends.
#[derive(Clone, Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    guard: Arc<Guard>,
}

/// What came of a request.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    /// The answer's code; none where no answer came.
    pub(super) code: Option<u16>,
    /// Why it is no success, in words.
    pub(super) error: Option<String>,
    /// Where the time went.
    pub(super) timings: Timings,
    /// The address that was connected to.
    pub(super) address: Option<String>,
    /// The answer's headers.
    pub(super) headers: HeaderMap,
    /// The beginning of its body.
    pub(super) body: Vec<u8>,
    /// Whether the body goes on.
    pub(super) truncated: bool,
}

impl Answer {
    /// Whether the endpoint took it.
    pub(super) fn is_success(&self) -> bool {
        self.code.is_some_and(|code| (200..300).contains(&code))
    }
}

impl Client {
    /// A client that asks `lookup` for addresses and `guard` about them.
    pub(super) fn new(guard: Guard, lookup: Lookup) -> reqwest::Result<Self> {
        // An error says that there is a provider already: the same one.
        let _chosen = rustls::crypto::ring::default_provider().install_default();
        let guard = Arc::new(guard);
        let http = reqwest::Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .tcp_nodelay(true)
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(KEPT)
            .dns_resolver(GuardedResolver {
                lookup,
                guard: Arc::clone(&guard),
            })
            .connector_layer(TimedLayer)
            .build()?;
        Ok(Self { http, guard })
    }

    /// Refuses a URL whose host is an address that nothing is sent to; names are checked once they are resolved.
    pub(super) fn check(&self, url: &Url) -> Result<(), Refused> {
        match url.host() {
            Some(Host::Ipv4(address)) => self.guard.check(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => self.guard.check(IpAddr::V6(address)),
            Some(Host::Domain(_)) | None => Ok(()),
        }
    }

    /// Posts a body.
    pub(super) async fn post(&self, url: &Url, headers: HeaderMap, body: Vec<u8>) -> Answer {
        let started = Instant::now();
        if let Err(refused) = self.check(url) {
            return Answer {
                error: Some(refused.to_string()),
                timings: timings(Steps::default(), None, started),
                ..Answer::default()
            };
        }
        STEPS
            .scope(RefCell::default(), async {
                let mut answer = self.exchange(url, headers, body, started).await;
                let steps = STEPS.with(|steps| *steps.borrow());
                answer.timings = timings(steps, answer.timings.first_byte_us, started);
                answer
            })
            .await
    }

    async fn exchange(&self, url: &Url, headers: HeaderMap, body: Vec<u8>, started: Instant) -> Answer {
        let until = tokio::time::Instant::from_std(started + PATIENCE);
        let sending = self.http.post(url.clone()).headers(headers).body(body).send();
        let response = match tokio::time::timeout_at(until, sending).await {
            Err(_) => return failed(format!("no answer within {} s", PATIENCE.as_secs())),
            Ok(Err(error)) => return failed(words(&error)),
            Ok(Ok(response)) => response,
        };
        let mut answer = Answer {
            code: Some(response.status().as_u16()),
            address: response.remote_addr().map(|address| address.to_string()),
            headers: response.headers().clone(),
            ..Answer::default()
        };
        answer.timings.first_byte_us = Some(started.elapsed().as_micros() as i64);
        if !answer.is_success() {
            answer.error = Some(said(response.status()));
        }
        // Its code counts whatever becomes of its body.
        answer.truncated = tokio::time::timeout_at(until, read(response, &mut answer.body))
            .await
            .unwrap_or(true);
        answer
    }
}

/// Reads a body's beginning; true where it goes on, or broke off.
async fn read(mut response: reqwest::Response, body: &mut Vec<u8>) -> bool {
    loop {
        match response.chunk().await {
            Ok(None) => return false,
            Err(_) => return true,
            Ok(Some(chunk)) => {
                let room = MAX_ANSWER - body.len();
                body.extend_from_slice(&chunk[..chunk.len().min(room)]);
                if chunk.len() > room {
                    return true;
                }
            }
        }
    }
}

fn failed(error: String) -> Answer {
    Answer {
        error: Some(error),
        ..Answer::default()
    }
}

fn said(status: reqwest::StatusCode) -> String {
    let reason = status.canonical_reason().unwrap_or_default();
    if status.is_redirection() {
        return format!("answered {} {reason}: redirects are not followed", status.as_u16());
    }
    format!("answered {} {reason}", status.as_u16()).trim_end().to_owned()
}

fn timings(steps: Steps, first_byte_us: Option<i64>, started: Instant) -> Timings {
    Timings {
        resolve_us: steps.resolve_us,
        connect_us: steps.connector_us.map(|us| (us - steps.resolve_us.unwrap_or(0)).max(0)),
        first_byte_us,
        total_us: started.elapsed().as_micros() as i64,
    }
}

/// Why a request failed, in words that a person can act on: the innermost reason that says something.
fn words(error: &reqwest::Error) -> String {
    let mut chain: Vec<&(dyn std::error::Error + 'static)> = Vec::new();
    let mut next = error.source();
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<ResolveError>() {
            return error.to_string();
        }
        chain.push(error);
        next = error.source();
    }
    if let Some(error) = error.source().and_then(tls) {
        return format!("the connection could not be made safe (TLS): {}", unsafe_because(error));
    }
    let io = chain.iter().find_map(|error| error.downcast_ref::<std::io::Error>());
    let innermost = chain.last().map_or_else(|| error.to_string(), ToString::to_string);
    match io.map(std::io::Error::kind) {
        Some(std::io::ErrorKind::HostUnreachable | std::io::ErrorKind::NetworkUnreachable) => {
            "no connection: there is no route to the host".to_owned()
        }
        Some(std::io::ErrorKind::TimedOut) => "no connection: nothing answered in time".to_owned(),
        Some(std::io::ErrorKind::ConnectionRefused) => "the connection was refused: nothing listens there".to_owned(),
        Some(std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::BrokenPipe | std::io::ErrorKind::UnexpectedEof) => {
            "the connection was closed before an answer came".to_owned()
        }
        _ if error.is_connect() => format!("no connection: {innermost}"),
        _ if innermost.contains("message completed") => "the connection was closed before an answer came".to_owned(),
        _ => innermost,
    }
}

/// What TLS said where it failed: its error may lie inside others, and inside what an I/O error carries, which is no source of it.
fn tls<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    let carried = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    let itself = error.downcast_ref::<rustls::Error>();
    itself.or_else(|| tls(carried?)).or_else(|| tls(error.source()?))
}

/// The reasons that a certificate's owner can do something about, in words; the others as the library has them.
fn unsafe_because(error: &rustls::Error) -> String {
    use rustls::CertificateError as Bad;
    if matches!(error, rustls::Error::InvalidMessage(_)) {
        return "the answer was not TLS: is this an http address?".to_owned();
    }
    let rustls::Error::InvalidCertificate(bad) = error else {
        return error.to_string();
    };
    let words = match bad {
        Bad::UnknownIssuer => "nobody whom this machine trusts vouches for its certificate",
        Bad::Expired | Bad::ExpiredContext { .. } => "its certificate has expired",
        Bad::NotValidYet | Bad::NotValidYetContext { .. } => "its certificate is not valid yet",
        Bad::NotValidForName | Bad::NotValidForNameContext { .. } => "its certificate is for another name",
        Bad::Revoked => "its certificate was revoked",
        _ => return error.to_string(),
    };
    words.to_owned()
}

/// A header of an endpoint's own; none where it could not be sent.
pub(super) fn header(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    Some((
        HeaderName::from_bytes(name.as_bytes()).ok()?,
        HeaderValue::from_str(value).ok()?,
    ))
}

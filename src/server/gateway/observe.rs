//! Where exchanges go when they have ended: into memory, within a bound. Nobody waits here; what does not fit is counted.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use ipnet::IpNet;
use metrics::Counter;
use recorder::{Exchange, Sink};

use super::gap::{Gaps, Reason};
use super::headers;
use super::proxy::OfConnection;
use super::upload;
use super::waiting::{NoPlace, Waiting};
use crate::server::access::client_ip_behind;
use crate::server::clock::Clock;

/// What an exchange weighs beside its headers and bodies.
const OVERHEAD: usize = 1_024;

/// The recording of a request, in its extensions.
pub(super) type Recording = recorder::Recording<Subject>;

/// What is known of an exchange besides what went by.
#[derive(Debug, Default)]
pub(super) struct Subject {
    /// Who asked.
    pub(super) ip: Option<IpAddr>,
    /// The request itself, where it may outlive its answer.
    pub(super) handshake: Option<Box<Handshake>>,
}

/// A request that asks for another protocol.
#[derive(Debug)]
pub(super) struct Handshake {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) started: Instant,
}

/// What the observer is made of.
pub(super) struct ObserverParts {
    pub(super) is_recording: bool,
    pub(super) upload_bytes: usize,
    pub(super) memory_bytes: usize,
    pub(super) trusted_proxies: Vec<IpNet>,
    pub(super) clock: Clock,
    pub(super) gaps: Arc<Gaps>,
}

/// Takes exchanges. Cheap to clone.
#[derive(Clone)]
pub(super) struct Observer(Arc<Inner>);

struct Inner {
    parts: ObserverParts,
    waiting: Arc<Waiting>,
    begun: Arc<AtomicU64>,
}

/// An exchange that has ended.
pub(super) struct Ended {
    pub(super) exchange: Exchange<Subject>,
    /// Milliseconds since 1970 at which it ended.
    pub(super) ended_at: i64,
    /// Bytes that it takes, about, without its bodies.
    pub(super) weight: usize,
}

impl Observer {
    /// An observer, what it puts exchanges into, and how many it has seen begin.
    pub(super) fn new(parts: ObserverParts) -> (Self, Arc<Waiting>, Arc<AtomicU64>) {
        let waiting = Arc::new(Waiting::within(parts.memory_bytes));
        let begun = Arc::<AtomicU64>::default();
        let inner = Inner {
            parts,
            waiting: Arc::clone(&waiting),
            begun: Arc::clone(&begun),
        };
        (Self(Arc::new(inner)), waiting, begun)
    }
}

impl Sink for Observer {
    type Context = Subject;

    fn begin(&self, request: &Parts) -> Option<Subject> {
        let parts = &self.0.parts;
        if !parts.is_recording {
            return None;
        }
        self.0.begun.fetch_add(1, Ordering::Relaxed);
        let of_connection = request.extensions.get::<OfConnection>();
        let handshake = headers::upgrade(&request.headers).map(|_| {
            Box::new(Handshake {
                method: request.method.clone(),
                uri: request.uri.clone(),
                headers: request.headers.clone(),
                started: Instant::now(),
            })
        });
        Some(Subject {
            ip: of_connection.map(|of| client_ip_behind(&parts.trusted_proxies, of.peer.address, &request.headers)),
            handshake,
        })
    }

    fn keeping(&self, request: &Parts) -> Option<usize> {
        let kind = request.headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
        let bound = self.0.parts.upload_bytes;
        (bound > 0 && upload::may_be(kind)).then_some(bound)
    }

    fn record(&self, exchange: Exchange<Subject>) {
        let inner = &*self.0;
        let now_ms = inner.parts.clock.now_ms();
        let ended = Ended {
            weight: OVERHEAD + weight(&exchange.request_headers) + weight(&exchange.response_headers),
            exchange,
            ended_at: now_ms,
        };
        let reason = match inner.waiting.put(ended) {
            Ok(()) => return,
            Err(NoPlace::Full) => Reason::Memory,
            // The gateway has stopped before its last connection.
            Err(NoPlace::Over) => Reason::Stopped,
        };
        inner.parts.gaps.turn_away(now_ms, reason);
    }
}

fn weight(headers: &HeaderMap) -> usize {
    headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 64)
        .sum()
}

/// Requests by how they ended, counted without a look-up each.
pub(super) struct Counters {
    by_class: [Counter; 6],
}

impl Counters {
    /// Call it once metrics are taken: counters that were made before count nothing.
    pub(super) fn new() -> Self {
        let class = |class: &'static str| metrics::counter!("gateway_requests_total", "status" => class);
        Self {
            by_class: [
                class("none"),
                class("1xx"),
                class("2xx"),
                class("3xx"),
                class("4xx"),
                class("5xx"),
            ],
        }
    }

    pub(super) fn answered(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100);
        if let Some(counter) = self.by_class.get(class) {
            counter.increment(1);
        }
    }

    pub(super) fn gone(&self) {
        self.by_class[0].increment(1);
    }
}

#[cfg(test)]
mod tests {
    use recorder::{Captured, Ending, Held};

    use super::*;

    fn exchange(header: usize) -> Exchange<Subject> {
        let mut headers = HeaderMap::new();
        headers.insert("x-long", "x".repeat(header).parse().unwrap());
        Exchange {
            method: Method::GET,
            uri: Uri::from_static("/"),
            request_headers: headers,
            request: Captured::default(),
            status: Some(StatusCode::OK),
            response_headers: HeaderMap::new(),
            response: Captured::default(),
            duration: std::time::Duration::ZERO,
            ending: Ending::Whole,
            context: Subject::default(),
            held: Held::default(),
        }
    }

    #[test]
    fn what_memory_has_no_room_for_is_counted_and_nobody_waits() {
        let gaps = Arc::<Gaps>::default();
        let (observer, waiting, _) = Observer::new(ObserverParts {
            is_recording: true,
            upload_bytes: 0,
            memory_bytes: 10_000,
            trusted_proxies: Vec::new(),
            clock: Clock::System,
            gaps: Arc::clone(&gaps),
        });
        observer.record(exchange(5_000));
        observer.record(exchange(5_000));
        observer.record(exchange(10));
        assert_eq!(gaps.current().map(|gap| gap.missing), Some([(Reason::Memory, 1)].into()));
        assert_eq!(gaps.turned_away(), 1);
        let mut taken = Vec::new();
        waiting.take_all(&mut taken);
        assert_eq!(taken.len(), 2);
        observer.record(exchange(5_000));
        assert_eq!(gaps.turned_away(), 2, "what was taken has its place until it is done");
        waiting.done(taken.drain(..).map(|ended| ended.weight).sum());
        observer.record(exchange(5_000));
        waiting.take_all(&mut taken);
        assert_eq!(taken.len(), 1);
        waiting.close();
        observer.record(exchange(10));
        let missing = [(Reason::Memory, 2), (Reason::Stopped, 1)].into();
        assert_eq!(gaps.current().map(|gap| gap.missing), Some(missing), "nobody takes any more");
    }
}

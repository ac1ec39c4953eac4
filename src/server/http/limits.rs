//! What is allowed at once and within a minute: bytes of bodies in flight, calls of a key, and how slowly a body may come.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use governor::middleware::{NoOpMiddleware, StateInformationMiddleware};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};
use tokio::time::Instant;

use crate::server::clock::Clock;
use crate::server::error::ApiError;

/// Bytes of large bodies that may be held at once by the whole process: two calls of the largest size.
const IN_FLIGHT: usize = 256 << 20;
/// The budget is given out in pieces of so many bytes.
const PIECE: usize = 64 << 10;
/// Recordings that may wait for the writer; past it requests wait before they are handled.
const RECORDINGS: usize = 1_024;
/// A body may take so long, and a second more for every [`SLOWEST`] bytes of it.
const PATIENCE: Duration = Duration::from_mins(1);
/// Bytes a second of the slowest sender that is waited for.
const SLOWEST: u64 = 16 << 10;
/// Seconds after which a server that holds too much is worth another try.
const BUSY_RETRY_S: u64 = 1;

/// Pages a minute of one link, whoever asks, and of those to one address.
const LINK: u32 = 600;
const VISITOR: u32 = 60;
/// Visitors that are remembered; past it those whose allowance is whole again are forgotten.
const VISITORS: usize = 10_000;

/// The limits of the process.
#[derive(Debug)]
pub struct Limits {
    bodies: Arc<Semaphore>,
    /// One permit a recording that is on its way.
    pub(crate) recordings: Arc<Semaphore>,
    per_minute: u32,
    clock: Clock,
    /// By calls a minute; in each, by key: only keys that exist come here, so it stays as small as their number.
    allowances: Mutex<HashMap<NonZeroU32, Arc<Allowances>>>,
    /// By link: only those that were signed come here.
    links: Allowances,
    /// By link and address.
    visitors: Allowances,
}

/// The allowances of all keys that have so many calls a minute: a bucket each, which fills up evenly (the generic cell rate algorithm).
type Allowances = RateLimiter<String, HashMapStateStore<String>, Steady, StateInformationMiddleware>;

/// The time of allowances: a machine's clock that is set must neither give nor take any.
#[derive(Clone, Debug)]
struct Steady(Clock);

impl governor::clock::Clock for Steady {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.steady()
    }
}

/// A body that was read, and the place in the budget that it holds until it is dropped.
#[derive(Debug)]
pub(crate) struct ReadBody {
    pub(crate) bytes: Bytes,
    held: OwnedSemaphorePermit,
}

impl Limits {
    /// Limits with so many calls a minute for each key.
    pub fn new(per_minute: u32, clock: Clock) -> Self {
        Self {
            bodies: Arc::new(Semaphore::new(IN_FLIGHT / PIECE)),
            recordings: Arc::new(Semaphore::new(RECORDINGS)),
            per_minute,
            links: evenly(LINK, &clock),
            visitors: evenly(VISITOR, &clock),
            clock,
            allowances: Mutex::default(),
        }
    }

    /// Takes one page from the allowance of a link, and of whoever holds it at an address: nothing, or the seconds until there is another.
    pub(crate) fn visit(&self, link: &str, address: IpAddr) -> Result<(), u64> {
        if self.visitors.len() >= VISITORS {
            self.visitors.retain_recent();
        }
        // Where so many come at once, what the link itself has is all that holds them back.
        if self.visitors.len() < VISITORS {
            self.taken(&self.visitors, format!("{link} {address}"))?;
        }
        self.taken(&self.links, link.to_owned()).map(|_| ())
    }

    /// Takes one from an allowance: how many are left, or the seconds until there is one.
    fn taken(&self, allowances: &Allowances, key: String) -> Result<u32, u64> {
        match allowances.check_key(&key) {
            Ok(state) => Ok(state.remaining_burst_capacity()),
            Err(until) => {
                let wait = until.wait_time_from(self.clock.steady());
                Err(wait.as_millis().div_ceil(1_000).max(1) as u64)
            }
        }
    }

    /// Calls a minute that a key has which was given none of its own.
    pub(crate) const fn per_minute(&self) -> u32 {
        self.per_minute
    }

    /// Takes one call from a key's allowance of so many a minute: how many are left, or the seconds until there is one.
    pub(crate) fn take(&self, key: &str, per_minute: u32) -> Result<u32, u64> {
        // None of no calls is ever kept.
        let most = NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN);
        let allowances = {
            let mut all = self.allowances.lock().unwrap_or_else(PoisonError::into_inner);
            let new = || Arc::new(evenly(per_minute, &self.clock));
            Arc::clone(all.entry(most).or_insert_with(new))
        };
        self.taken(&allowances, key.to_owned())
    }

    /// Reads a body of at most `most` bytes into memory, if the process may hold that much more just now.
    pub(crate) async fn read(&self, headers: &HeaderMap, mut body: Body, most: usize) -> Result<ReadBody, ApiError> {
        let declared = declared_length(headers).unwrap_or(0);
        if declared > most as u64 {
            return Err(too_large(declared, most));
        }
        let mut held = self.hold(declared as usize)?;
        let mut bytes = Vec::with_capacity(declared as usize);
        let started = Instant::now();
        while let Some(frame) = body.frame().await {
            let chunk = frame.map_err(|error| broken(&error))?.into_data().unwrap_or_default();
            let length = bytes.len() + chunk.len();
            if length > most {
                return Err(too_large(length as u64, most));
            }
            if length > held.num_permits() * PIECE {
                held.merge(self.hold((length - held.num_permits() * PIECE).max(1 << 20))?);
            }
            if started.elapsed() > PATIENCE + Duration::from_secs(length as u64 / SLOWEST) {
                return Err(ApiError::new(
                    StatusCode::REQUEST_TIMEOUT,
                    "the body comes too slowly to be waited for",
                ));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(ReadBody {
            bytes: bytes.into(),
            held,
        })
    }

    /// Lets a body take so many bytes more of the budget: what is made of it is larger than it was.
    pub(crate) fn hold_more(&self, body: &mut ReadBody, bytes: usize) -> Result<(), ApiError> {
        body.held.merge(self.hold(bytes)?);
        Ok(())
    }

    fn hold(&self, bytes: usize) -> Result<OwnedSemaphorePermit, ApiError> {
        let pieces = bytes.div_ceil(PIECE) as u32;
        self.bodies
            .clone()
            .try_acquire_many_owned(pieces)
            .map_err(|error| match error {
                TryAcquireError::NoPermits | TryAcquireError::Closed => ApiError::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    "more bodies are being read than this server holds at once",
                )
                .retry_after(BUSY_RETRY_S),
            })
    }
}

/// Allowances of so many a minute; none of none is ever kept.
fn evenly(per_minute: u32, clock: &Clock) -> Allowances {
    let quota = Quota::per_minute(NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN));
    let state = HashMapStateStore::default();
    let limiter: RateLimiter<_, _, _, NoOpMiddleware<Duration>> = RateLimiter::new(quota, state, Steady(clock.clone()));
    limiter.with_middleware()
}

/// The length that the headers tell.
pub(crate) fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

pub(crate) fn too_large(length: u64, most: usize) -> ApiError {
    let details = format!("the body is {length} bytes long or more; at most {most} are taken");
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, details)
}

/// A body that ended early: too slow (the layer that waits says so), or the connection broke.
fn broken(error: &axum::Error) -> ApiError {
    let said = error.to_string();
    if said.contains("timeout") || said.contains("timed out") {
        return ApiError::new(StatusCode::REQUEST_TIMEOUT, "no more of the body came for too long");
    }
    ApiError::unreadable("the body broke off before its end")
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    #[test]
    fn an_allowance_fills_up_evenly() {
        let now = Arc::new(AtomicI64::new(0));
        let limits = Limits::new(60, Clock::Held(Arc::clone(&now)));
        for left in (0..60).rev() {
            assert_eq!(limits.take("a", 60), Ok(left));
        }
        assert_eq!(limits.take("a", 60), Err(1));
        assert_eq!(limits.take("b", 60), Ok(59), "each key has its own");
        assert_eq!(limits.take("c", 2), Ok(1), "and so many calls as it was given");
        now.store(1_000, Ordering::SeqCst);
        assert_eq!(limits.take("a", 60), Ok(0));
        now.store(120_000, Ordering::SeqCst);
        assert_eq!(limits.take("a", 60), Ok(59), "it never holds more than a minute's");
        for _ in 0..2 {
            let _ = limits.take("c", 2);
        }
        assert_eq!(limits.take("c", 2), Err(30));
    }

    #[test]
    fn a_link_is_opened_so_often_by_one_address_and_so_often_by_all() {
        let now = Arc::new(AtomicI64::new(0));
        let limits = Limits::new(60, Clock::Held(Arc::clone(&now)));
        let visit = |link: &str, nth: u8| limits.visit(link, IpAddr::from([198, 51, 100, nth]));
        for _ in 0..VISITOR {
            assert_eq!(visit("emb_1", 1), Ok(()));
        }
        assert_eq!(visit("emb_1", 1), Err(1));
        assert_eq!(visit("emb_1", 2), Ok(()), "another address has its own");
        assert_eq!(visit("emb_2", 1), Ok(()), "and so has another link");
        let more = (0..=255).cycle().take(700).filter(|nth| visit("emb_1", *nth).is_ok()).count();
        assert!(more < 600, "whoever has many addresses comes to an end, too: {more}");
        now.store(60_000, Ordering::SeqCst);
        assert_eq!(visit("emb_1", 1), Ok(()));
        limits.visitors.retain_recent();
        assert_eq!(limits.visitors.len(), 1, "who has not come for a minute is forgotten");
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_refused_before_it_is_read() {
        let limits = Limits::new(1, Clock::System);
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_LENGTH, "101".parse().unwrap());
        let endless = Body::from_stream(futures::stream::pending::<Result<Bytes, std::io::Error>>());
        assert_eq!(
            limits.read(&headers, endless, 100).await.unwrap_err().status(),
            StatusCode::PAYLOAD_TOO_LARGE
        );
        let body = limits.read(&HeaderMap::new(), Body::from(vec![0; 101]), 100).await;
        assert_eq!(body.unwrap_err().status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(
            limits
                .read(&HeaderMap::new(), Body::from(vec![0; 100]), 100)
                .await
                .unwrap()
                .bytes
                .len(),
            100
        );
    }

    #[tokio::test]
    async fn bodies_in_flight_have_a_budget() {
        let limits = Limits::new(1, Clock::System);
        let held = limits
            .read(&HeaderMap::new(), Body::from(vec![0; 1_000]), IN_FLIGHT)
            .await
            .unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_LENGTH, IN_FLIGHT.to_string().parse().unwrap());
        let refused = limits.read(&headers, Body::empty(), IN_FLIGHT).await.unwrap_err();
        assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
        drop(held);
        assert!(limits.read(&headers, Body::empty(), IN_FLIGHT).await.is_ok());
    }
}

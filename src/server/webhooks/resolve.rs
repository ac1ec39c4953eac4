//! Names are resolved here, and addresses that are refused are left out: what is connected to is exactly what was checked.

use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tower::{Layer, Service};

use super::guard::{Guard, Refused};

/// What looks names up; a test gives its own.
pub type Lookup = Arc<dyn Fn(String) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> + Send + Sync>;

/// The machine's own look-up.
pub(super) fn system() -> Lookup {
    Arc::new(|name| {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    })
}

/// Why a name led nowhere.
#[derive(Debug, thiserror::Error)]
pub(super) enum ResolveError {
    /// It has no address.
    #[error("the name {name} could not be found{}", why(error))]
    Unknown {
        /// Which.
        name: String,
        /// Why.
        error: io::Error,
    },
    /// It has none that may be sent to.
    #[error("the name {name} leads to an address that is refused: {refused}")]
    Refused {
        /// Which.
        name: String,
        /// The first address, and why.
        refused: Refused,
    },
}

/// How long an attempt's steps took, in microseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Steps {
    /// Resolving the name.
    pub(super) resolve_us: Option<i64>,
    /// Resolving and connecting.
    pub(super) connector_us: Option<i64>,
}

tokio::task_local! {
    /// Of the attempt that this task makes.
    pub(super) static STEPS: RefCell<Steps>;
}

fn note(change: impl FnOnce(&mut Steps)) {
    // A connection that is made for nobody in particular has no attempt to tell.
    let _nobody = STEPS.try_with(|steps| change(&mut steps.borrow_mut()));
}

fn micros(since: Instant) -> i64 {
    since.elapsed().as_micros() as i64
}

/// Looks names up and leaves out what is refused.
pub(super) struct GuardedResolver {
    /// What looks them up.
    pub(super) lookup: Lookup,
    /// What decides.
    pub(super) guard: Arc<Guard>,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_owned();
        let (looking, guard) = ((self.lookup)(name.clone()), Arc::clone(&self.guard));
        Box::pin(async move {
            let started = Instant::now();
            let found = looking.await;
            note(|steps| steps.resolve_us = Some(micros(started)));
            let found = found.map_err(|error| ResolveError::Unknown {
                name: name.clone(),
                error,
            })?;
            Ok(allowed(&guard, name, &found)?)
        })
    }
}

/// What else there is to say of a name that was not found; what the system says in its own words says no more.
fn why(error: &io::Error) -> String {
    let words = error.to_string();
    if words.contains("lookup") {
        String::new()
    } else {
        format!(": {words}")
    }
}

fn allowed(guard: &Guard, name: String, found: &[IpAddr]) -> Result<Addrs, ResolveError> {
    let (good, mut bad): (Vec<_>, Vec<_>) = found
        .iter()
        .map(|address| guard.check(*address).map(|()| *address))
        .partition(Result::is_ok);
    let good: Vec<SocketAddr> = good
        .into_iter()
        .flatten()
        .map(|address| SocketAddr::new(address, 0))
        .collect();
    if !good.is_empty() {
        return Ok(Box::new(good.into_iter()));
    }
    Err(match bad.drain(..).find_map(Result::err) {
        Some(refused) => ResolveError::Refused { name, refused },
        None => ResolveError::Unknown {
            name,
            error: io::Error::other("it has no address"),
        },
    })
}

/// Notes how long connecting takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimedLayer;

/// A connector whose time is noted.
#[derive(Clone, Debug)]
pub(super) struct Timed<S>(S);

impl<S> Layer<S> for TimedLayer {
    type Service = Timed<S>;

    fn layer(&self, inner: S) -> Timed<S> {
        Timed(inner)
    }
}

impl<S, R> Service<R> for Timed<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let started = Instant::now();
        let connecting = self.0.call(request);
        Box::pin(async move {
            let connected = connecting.await;
            if connected.is_ok() {
                note(|steps| steps.connector_us = Some(micros(started)));
            }
            connected
        })
    }
}

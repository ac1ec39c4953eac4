//! The recording gateway: a reverse proxy before an API, which passes every request on unchanged and records it as a log. The upstream and its clients never wait for the recording.
//!
//! Through the door (`listen`) comes a request to the recorder's layer (`observe`), which watches it go through `proxy` to the upstream (`upstream`, `headers`, `outgoing`, `breaking`, `interim`, `tunnel`) and
//! back. When it has ended, it waits in memory (`waiting`) for a thread (`scribe`) which makes an entry of it (`entry`, `plain`, `upload`) and appends it to the spool on disk (`spool`). From there `send` has it stored: in
//! the `database`, by a server elsewhere (`remote`), or by whoever fetches it (`lend`, and `tail` over there). What is missing is counted and told (`gap`, `tally`).

mod breaking;
mod calm;
mod database;
mod entry;
mod gap;
mod headers;
mod interim;
mod lend;
mod listen;
mod local;
mod observe;
mod outgoing;
mod plain;
mod pressure;
mod proxy;
mod remote;
mod scribe;
mod send;
mod spool;
mod tail;
mod tally;
mod tunnel;
mod upload;
mod upstream;
mod waiting;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use futures::future::BoxFuture;
use ipnet::IpNet;
use recorder::{Budget, RecorderLayer};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Layer as _;

use super::clock::{Clock, Random};
use super::config::Secret;
use super::config::gateway::{GatewayOptions, Upstream};
use super::http;
use super::secrets::InstanceKey;
use super::state::Server;
use calm::Calm;
use database::Database;
use entry::Reading;
use gap::Gaps;
use listen::Front;
use local::LocalSpool;
use observe::{Counters, Observer, ObserverParts};
use proxy::{Passing, Proxy};
use remote::Remote;
use scribe::{Scribe, ScribeParts};
use spool::{Spool, SpoolError};
use tail::Tail;
use tunnel::Tunnels;
use upstream::Api;

pub use gap::{METHOD as GAP_METHOD, PATH as GAP_PATH};

/// When it stops, what is in the spool is sent for so long; what is left stays there for the next one.
const LAST_SEND: Duration = Duration::from_secs(1);
/// A gateway that is ending gives its spool up within this time.
const HANDOVER: Duration = Duration::from_secs(2);

/// Why there is no gateway.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// Its spool.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// The way to the upstream.
    #[error(transparent)]
    Upstream(#[from] upstream::ApiError),
    /// TLS at its own door.
    #[error(transparent)]
    Tls(#[from] listen::TlsError),
    /// The way to a server elsewhere.
    #[error("another server cannot be spoken to: {0}")]
    Client(#[from] reqwest::Error),
    /// An address cannot be listened at, or a file not be made.
    #[error("{what}: {error}")]
    Io {
        /// What was wanted.
        what: String,
        /// Why it is not.
        error: std::io::Error,
    },
    /// Options that do not go together.
    #[error("{0}")]
    Options(&'static str),
}

/// Where what was recorded is stored.
pub struct Store(Goes);

enum Goes {
    Database(Arc<Database>),
    Remote(Upstream, Secret),
}

impl Store {
    /// A project in the database of a server that runs in this process.
    pub fn of(server: &Server, project: String) -> Self {
        Self(Goes::Database(Arc::new(Database::of(server, project))))
    }

    /// A project in a database that is opened once it is there: nothing waits for it, and storing into it makes way for what passes.
    pub fn opening(
        open: impl Fn() -> BoxFuture<'static, Result<Server, String>> + Send + Sync + 'static,
        project: String,
    ) -> std::io::Result<Self> {
        let database = Database::opening(Box::new(open), project, Calm::start()?);
        Ok(Self(Goes::Database(Arc::new(database))))
    }

    /// Whether the project is there; in words why that cannot be known. Of a server elsewhere nobody asks.
    pub async fn has_project(&self) -> Result<bool, String> {
        match &self.0 {
            Goes::Database(database) => database.has_project().await.map_err(|away| away.to_string()),
            Goes::Remote(..) => Ok(true),
        }
    }

    /// A server elsewhere, by a key of one of its projects.
    pub const fn elsewhere(to: Upstream, key: Secret) -> Self {
        Self(Goes::Remote(to, key))
    }
}

/// What a gateway needs besides its options.
pub struct Surroundings {
    /// Proxies before it that are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Seals the spool.
    pub key: Arc<InstanceKey>,
    /// The time.
    pub clock: Clock,
    /// Randomness.
    pub random: Random,
}

/// A gateway that runs.
pub struct Gateway {
    door: Option<Door>,
    senders: Vec<JoinHandle<()>>,
    /// Nothing more will be recorded.
    over: CancellationToken,
    /// Senders end, whatever there is.
    halt: CancellationToken,
    opened: Option<Arc<Database>>,
}

/// What passes requests on, and records them.
struct Door {
    address: SocketAddr,
    listening: JoinHandle<()>,
    stop: CancellationToken,
    cut: CancellationToken,
    connections: TaskTracker,
    scribe: Scribe,
}

/// Starts a gateway: it answers, or fetches another one's spool, from now on.
pub async fn start(options: &GatewayOptions, around: Surroundings, store: Store) -> Result<Gateway, GatewayError> {
    http::metrics::start();
    let (over, halt) = (CancellationToken::new(), CancellationToken::new());
    let mut gateway = Gateway {
        door: None,
        senders: Vec::new(),
        over: over.clone(),
        halt: halt.clone(),
        opened: match &store.0 {
            Goes::Database(database) => Some(Arc::clone(database)),
            Goes::Remote(..) => None,
        },
    };
    if let Some(upstream) = &options.gateway_upstream {
        let spool = Arc::new(own_spool(options, &around).await?);
        gateway.door = Some(open(options, upstream, &around, &spool).await?);
        match (options.gateway_spool_listen, &options.gateway_spool_key) {
            (Some(address), Some(key)) => lend(address, spool, key.clone(), halt.clone()).await?,
            _ => gateway.send(&store, &around.clock, LocalSpool::new(spool, over.clone()))?,
        }
    }
    if let Some(at) = &options.gateway_tail {
        let key = options.gateway_spool_key.clone().ok_or(GatewayError::Options(
            "another gateway's spool is fetched by its key: --gateway-spool-key",
        ))?;
        gateway.send(&store, &around.clock, Tail::new(at.clone(), key)?)?;
    }
    Ok(gateway)
}

/// Opens the spool; whoever had it before may be ending just now.
async fn own_spool(options: &GatewayOptions, around: &Surroundings) -> Result<Spool, SpoolError> {
    let until = Instant::now() + HANDOVER;
    loop {
        let (key, random) = (Arc::clone(&around.key), around.random.clone());
        match Spool::open(&options.gateway_spool, options.gateway_spool_bytes, key, random) {
            Err(SpoolError::Taken(_)) if Instant::now() < until => tokio::time::sleep(Duration::from_millis(50)).await,
            opened => return opened,
        }
    }
}

/// Listens, and lets the spool be fetched until `halt`.
async fn lend(address: SocketAddr, spool: Arc<Spool>, key: Secret, halt: CancellationToken) -> Result<(), GatewayError> {
    let listener = bind(address).await?;
    tokio::spawn(http::serve::serve(listener, lend::routes(spool, key), halt));
    Ok(())
}

async fn bind(address: SocketAddr) -> Result<TcpListener, GatewayError> {
    TcpListener::bind(address).await.map_err(|error| GatewayError::Io {
        what: format!("{address} cannot be served"),
        error,
    })
}

async fn open(
    options: &GatewayOptions,
    upstream: &Upstream,
    around: &Surroundings,
    spool: &Arc<Spool>,
) -> Result<Door, GatewayError> {
    let tls = match (&options.gateway_tls_cert, &options.gateway_tls_key) {
        (Some(certificates), Some(key)) => Some(listen::tls(certificates, key)?),
        _ => None,
    };
    let listener = bind(options.gateway_listen).await?;
    let address = listener.local_addr().map_err(|error| GatewayError::Io {
        what: "the listening address".to_owned(),
        error,
    })?;
    let gaps = Arc::<Gaps>::default();
    let (observer, waiting, begun) = Observer::new(ObserverParts {
        is_recording: options.gateway_record,
        upload_bytes: options.upload_bytes(),
        memory_bytes: options.memory_bytes(),
        trusted_proxies: around.trusted_proxies.clone(),
        clock: around.clock.clone(),
        gaps: Arc::clone(&gaps),
    });
    let scribe = ScribeParts {
        spool: Arc::clone(spool),
        gaps,
        reading: Reading {
            body_bytes: options.body_bytes(),
            user_header: options.gateway_user_header.clone(),
            app_header: options.gateway_app_header.clone(),
        },
        clock: around.clock.clone(),
        random: around.random.clone(),
        begun,
    };
    let scribe = Scribe::start(scribe, waiting).map_err(|error| GatewayError::Io {
        what: format!("the spool {}", options.gateway_spool.display()),
        error,
    })?;
    let (stop, cut, connections) = (CancellationToken::new(), CancellationToken::new(), TaskTracker::new());
    let proxy = Proxy(Arc::new(Passing {
        api: Api::new(upstream.clone(), Duration::from_secs(options.gateway_connect_seconds.into()))?,
        host: options.gateway_upstream_host.clone(),
        tells_asker: options.gateway_forwarded,
        trusted_proxies: around.trusted_proxies.clone(),
        tunnels: Tunnels {
            observer: observer.clone(),
            open: connections.clone(),
            stop: cut.clone(),
        },
        counters: Counters::new(),
        is_away: AtomicBool::new(false),
    }));
    let front = Front {
        service: RecorderLayer::new(observer)
            .keeping(options.body_bytes())
            .within(Budget::of(options.memory_bytes()))
            .layer(proxy),
        tls,
        cut: cut.clone(),
        connections: connections.clone(),
    };
    Ok(Door {
        address,
        listening: tokio::spawn(listen::listen(listener, front, stop.clone())),
        stop,
        cut,
        connections,
        scribe,
    })
}

impl Gateway {
    /// Where it answers; none where it only fetches.
    pub fn address(&self) -> Option<SocketAddr> {
        self.door.as_ref().map(|door| door.address)
    }

    fn send(&mut self, store: &Store, clock: &Clock, source: impl send::Source) -> Result<(), GatewayError> {
        let (clock, halt) = (clock.clone(), self.halt.clone());
        self.senders.push(match &store.0 {
            Goes::Database(database) => database.spawn(send::run(source, Arc::clone(database), clock, halt)),
            Goes::Remote(to, key) => tokio::spawn(send::run(source, Remote::new(to.clone(), key.clone())?, clock, halt)),
        });
        Ok(())
    }

    /// Takes no more requests, lets those in flight end within `patience`, puts everything on disk, and sends what can be sent in a second more.
    pub async fn stop(self, patience: Duration) {
        if let Some(door) = self.door {
            door.close(patience).await;
        }
        self.over.cancel();
        let until = Instant::now() + LAST_SEND;
        for mut sender in self.senders {
            if timeout_at(until, &mut sender).await.is_err() {
                // What it was just storing comes again, which is harmless.
                self.halt.cancel();
                if let Err(error) = sender.await {
                    tracing::error!(%error, "a gateway's sender broke");
                }
            }
        }
        self.halt.cancel();
    }

    /// What it stores into, for whoever closes that after it.
    pub fn opened(&self) -> Option<Opened> {
        self.opened.clone().map(Opened)
    }
}

/// A database that was opened to store into.
pub struct Opened(Arc<Database>);

impl Opened {
    /// Writes what waits, and closes it.
    pub async fn close(self) {
        if let Some(server) = self.0.opened() {
            server.stop().await;
            server.db.close().await;
        }
    }
}

impl Door {
    async fn close(self, patience: Duration) {
        self.stop.cancel();
        let until = Instant::now() + patience;
        if timeout_at(until, self.listening).await.is_err() {
            tracing::warn!("some requests did not finish in {} s and are cut off", patience.as_secs());
        }
        // Tunnels have no end of their own.
        self.cut.cancel();
        self.connections.close();
        if timeout_at(Instant::now() + LAST_SEND, self.connections.wait()).await.is_err() {
            tracing::warn!("some connections did not end");
        }
        self.scribe.stop().await;
    }
}

//! `audit-log serve`: everything up, and down again in order.

use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{CliError, print};
use crate::server::clock::{Clock, Random};
use crate::server::config::Config;
use crate::server::secrets::{InstanceKey, KEY_VARIABLE};
use crate::server::state::Server;
use crate::server::store::logs::upkeep;
use crate::server::store::{Db, projects};
use crate::server::{alerts, http, jobs, store, telemetry, webhooks};

pub(super) async fn serve(mut config: Config) -> Result<(), CliError> {
    telemetry::start(config.log_format, &config.log_level)?;
    let random = Random::system();
    let key = InstanceKey::load(std::env::var(KEY_VARIABLE).ok().as_deref(), &config.data, &random)?;
    let db = Db::open(&config.data.database.database_url).await?;
    db.migrate().await?;
    let address = config.listen;
    let listener = TcpListener::bind(address)
        .await
        .map_err(CliError::io(format!("{address} cannot be served")))?;
    config.listen = listener.local_addr().map_err(CliError::io("the listening address"))?;
    projects::begin_chains(&db, Clock::System.now_ms()).await?;
    let server = Server::new(db, config, key, Clock::System, random)?;
    // Whoever reads the address may stop the server from then on.
    let signals = StopSignals::listen().map_err(CliError::io("listening for signals"))?;
    print(&format!("audit-log serves {}", server.config.public_url()))?;
    if server.config.demo {
        super::demo::start(&server).await?;
    }
    let upkeep = upkeep::start(server.db.clone(), server.writer.clone(), server.clock.clone());
    if server.is_alone() {
        store::jobs::take_over(&server.db).await?;
    }
    let workers = jobs::start(&server, server.config.jobs.into());
    let sender = webhooks::start(&server).await?;
    let alerts = alerts::start(&server);
    let gateway = super::gateway::beside(&server).await?;
    let stopping = CancellationToken::new();
    // Who works in the background stops while requests in flight are answered, so that one patience is enough for both.
    let behind = async {
        stopping.cancelled().await;
        let gateway = async {
            if let Some(gateway) = gateway {
                gateway.stop(Duration::from_secs(server.config.stop_seconds.into())).await;
            }
        };
        tokio::join!(workers.stop(), sender.stop(), alerts.stop(), gateway);
    };
    let (outcome, ()) = tokio::join!(answer(&server, listener, signals, &stopping), behind);
    server.stop().await;
    upkeep.abort();
    server.db.close().await;
    outcome
}

/// Answers until told to stop; then takes no new connection, says so by `stop`, and gives what runs its time to finish.
async fn answer(
    server: &Server,
    listener: TcpListener,
    mut signals: StopSignals,
    stop: &CancellationToken,
) -> Result<(), CliError> {
    // However this ends, nothing else is to go on.
    let _ended = stop.clone().drop_guard();
    if let Some(address) = server.config.metrics_listen {
        let metrics = TcpListener::bind(address)
            .await
            .map_err(CliError::io(format!("{address} cannot be served")))?;
        tokio::spawn(http::serve::serve(metrics, http::metrics::open_routes(), stop.clone()));
    }
    let mut serving = std::pin::pin!(http::serve::serve(listener, http::router(server.clone()), stop.clone()));
    tokio::select! {
        () = &mut serving => return Ok(()),
        () = signals.next() => {}
    }
    tracing::info!("stopping: what runs is finished first");
    stop.cancel();
    // Who follows a list would for ever: they come back to whoever serves next, and go on where they were.
    server.live.stop();
    let patience = Duration::from_secs(server.config.stop_seconds.into());
    tokio::select! {
        () = &mut serving => Ok(()),
        () = tokio::time::sleep(patience) => {
            tracing::warn!("some requests did not finish in {} s and are cut off", patience.as_secs());
            Ok(())
        }
        // Told twice: whoever stops it does not want to wait.
        () = signals.next() => Ok(()),
    }
}

/// Ctrl-C and SIGTERM, listened for from the moment this is made: a signal that comes earlier ends the process as the system does.
pub(super) struct StopSignals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl StopSignals {
    #[cfg(unix)]
    pub(super) fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    #[cfg(not(unix))]
    pub(super) fn listen() -> std::io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        #[cfg(not(unix))]
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "Ctrl-C cannot be heard: stopping");
        }
    }
}

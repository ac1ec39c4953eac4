//! `audit-log worker`: workers alone, beside servers on the same PostgreSQL.

use super::serve::StopSignals;
use super::{CliError, print};
use crate::server::clock::{Clock, Random};
use crate::server::config::Config;
use crate::server::secrets::{InstanceKey, KEY_VARIABLE};
use crate::server::state::Server;
use crate::server::store::Db;
use crate::server::{alerts, jobs, telemetry, webhooks};

/// Works until told to stop; what runs then is given back, for others to begin anew.
pub(super) async fn work(config: Config) -> Result<(), CliError> {
    telemetry::start(config.log_format, &config.log_level)?;
    let random = Random::system();
    let key = InstanceKey::load(std::env::var(KEY_VARIABLE).ok().as_deref(), &config.data, &random)?;
    let db = Db::open(&config.data.database.database_url).await?;
    db.migrate().await?;
    let server = Server::new(db, config, key, Clock::System, random)?;
    if server.is_alone() {
        return Err(CliError::Refused(
            "beside a SQLite file there is one process, and audit-log serve works itself; workers of their own need PostgreSQL"
                .to_owned(),
        ));
    }
    let mut signals = StopSignals::listen().map_err(CliError::io("listening for signals"))?;
    let workers = jobs::start(&server, server.config.jobs.into());
    let sender = webhooks::start(&server).await?;
    let alerts = alerts::start(&server);
    print("audit-log works")?;
    signals.next().await;
    tokio::join!(workers.stop(), sender.stop(), alerts.stop());
    server.stop().await;
    server.db.close().await;
    Ok(())
}

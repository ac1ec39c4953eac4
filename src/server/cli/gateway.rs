//! `audit-log gateway`: a recording gateway in a process of its own. It stores into the database itself, or sends to a server elsewhere; it answers while neither can be reached.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use futures::FutureExt as _;
use ipnet::IpNet;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::serve::StopSignals;
use super::{CliError, print};
use crate::server::clock::{Clock, Random};
use crate::server::config::gateway::{GatewayOptions, Upstream, parse_upstream};
use crate::server::config::{Config, DataOptions, LOG_LEVEL, LogFormat, Secret, parse_network, parse_secret};
use crate::server::gateway::{self, Gateway, Store, Surroundings};
use crate::server::secrets::{InstanceKey, KEY_VARIABLE};
use crate::server::state::Server;
use crate::server::store::Db;
use crate::server::{http, telemetry};

/// A database that is there answers within this time when the gateway starts.
const FIRST_LOOK: Duration = Duration::from_secs(5);

#[derive(Debug, Args)]
pub(super) struct GatewayCommand {
    #[command(flatten)]
    gateway: Bare,
    /// A server elsewhere that stores what was recorded, in the place of a database: `https://audit.example.com`
    #[arg(long, env = "AUDIT_LOG_GATEWAY_TO", value_name = "URL", requires = "key", value_parser = parse_upstream)]
    to: Option<Upstream>,
    /// The token of a key there, with the scope `logs:write`
    #[arg(long, env = "AUDIT_LOG_GATEWAY_KEY", value_name = "APP_TOKEN", hide_env_values = true, value_parser = parse_secret)]
    key: Option<Secret>,
    #[command(flatten)]
    data: DataOptions,
    /// Proxies before the gateway whose `X-Forwarded-For` is believed, as addresses or networks
    #[arg(long, env = "AUDIT_LOG_TRUSTED_PROXIES", value_name = "CIDR,…", value_delimiter = ',', value_parser = parse_network)]
    trusted_proxies: Vec<IpNet>,
    /// How many days logs are kept where the project's owners chose nothing else; older ones are not stored. 0 keeps them for ever
    #[arg(long, env = "AUDIT_LOG_RETENTION_DAYS", value_name = "DAYS", default_value_t = Config::default().retention_days)]
    retention_days: u32,
    /// More names whose values are masked, beside the built-in ones, which `audit-log config` lists; `!NAME` takes one of those out
    #[arg(long, env = "AUDIT_LOG_MASK_KEYS", value_name = "NAME,…", value_delimiter = ',')]
    mask_keys: Vec<String>,
    /// An address that answers `/metrics` to anybody who reaches it
    #[arg(long, env = "AUDIT_LOG_METRICS_LISTEN", value_name = "ADDRESS")]
    metrics_listen: Option<SocketAddr>,
    /// How many seconds requests in flight have to finish when the gateway is told to stop
    #[arg(long, env = "AUDIT_LOG_STOP_SECONDS", value_name = "SECONDS", default_value_t = Config::default().stop_seconds)]
    stop_seconds: u32,
    /// How the gateway's own log lines look
    #[arg(long, env = "AUDIT_LOG_LOG_FORMAT", value_name = "FORMAT", default_value_t = LogFormat::Human, value_enum)]
    log_format: LogFormat,
    /// Which of its own log lines the gateway prints: a level (`error`, `warn`, `info`, `debug`, `trace`), or levels by module
    #[arg(long, env = "AUDIT_LOG_LOG_LEVEL", value_name = "LEVEL", default_value = LOG_LEVEL)]
    log_level: String,
}

/// The gateway's options by their bare names: `--upstream`, which is `--gateway-upstream` of `audit-log serve`.
#[derive(Debug)]
struct Bare(GatewayOptions);

impl FromArgMatches for Bare {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        GatewayOptions::from_arg_matches(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0.update_from_arg_matches(matches)
    }
}

impl Args for Bare {
    fn augment_args(command: Command) -> Command {
        let own = GatewayOptions::augment_args(Command::new("gateway"));
        command.args(own.get_arguments().cloned().map(bare))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn bare(argument: Arg) -> Arg {
    let name = argument
        .get_long()
        .and_then(|name| name.strip_prefix("gateway-"))
        .map(str::to_owned);
    match name {
        // A command line is made once a process, and its names live as long.
        Some(name) => argument.long(&*Box::leak(name.into_boxed_str())),
        None => argument,
    }
}

/// Passes on and records until told to stop.
pub(super) async fn gateway(command: GatewayCommand) -> Result<(), CliError> {
    telemetry::start(command.log_format, &command.log_level)?;
    let options = command.gateway.0.clone();
    if !options.is_wanted() {
        return refused("--upstream says which API the gateway stands before, or --tail whose spool it fetches");
    }
    let random = Random::system();
    let key = InstanceKey::load(std::env::var(KEY_VARIABLE).ok().as_deref(), &command.data, &random)?;
    let store = store(&command)?;
    // A gateway whose spool is fetched by another one stores nothing.
    if options.gateway_spool_listen.is_none() || options.gateway_tail.is_some() {
        first_look(&store, options.gateway_project.as_deref()).await?;
    }
    let around = Surroundings {
        trusted_proxies: command.trusted_proxies.clone(),
        key: Arc::new(key),
        clock: Clock::System,
        random,
    };
    let mut signals = StopSignals::listen().map_err(CliError::io("listening for signals"))?;
    let stop = CancellationToken::new();
    let _ended = stop.clone().drop_guard();
    if let Some(address) = command.metrics_listen {
        let metrics = TcpListener::bind(address)
            .await
            .map_err(CliError::io(format!("{address} cannot be served")))?;
        tokio::spawn(http::serve::serve(metrics, http::metrics::open_routes(), stop));
    }
    let gateway = gateway::start(&options, around, store).await?;
    announce(&gateway, &options)?;
    signals.next().await;
    tracing::info!("stopping: what runs is finished first");
    let opened = gateway.opened();
    tokio::select! {
        () = gateway.stop(Duration::from_secs(command.stop_seconds.into())) => {}
        // Told twice: whoever stops it does not want to wait.
        () = signals.next() => {}
    }
    if let Some(opened) = opened {
        opened.close().await;
    }
    Ok(())
}

/// The gateway beside a server in its process, where one is wanted.
pub(super) async fn beside(server: &Server) -> Result<Option<Gateway>, CliError> {
    let options = &server.config.gateway;
    if !options.is_wanted() {
        return Ok(None);
    }
    let Some(project) = options.gateway_project.clone() else {
        return refused("--gateway-project says which project gets what the gateway recorded");
    };
    let store = Store::of(server, project.clone());
    first_look(&store, Some(&project)).await?;
    let around = Surroundings {
        trusted_proxies: server.config.trusted_proxies.clone(),
        key: Arc::clone(&server.key),
        clock: server.clock.clone(),
        random: server.random.clone(),
    };
    let gateway = gateway::start(options, around, store).await?;
    announce(&gateway, options)?;
    Ok(Some(gateway))
}

fn refused<T>(why: &str) -> Result<T, CliError> {
    Err(CliError::Refused(why.to_owned()))
}

fn announce(gateway: &Gateway, options: &GatewayOptions) -> Result<(), CliError> {
    match (gateway.address(), &options.gateway_upstream, &options.gateway_tail) {
        (Some(address), Some(upstream), _) => print(&format!("audit-log gateway {address} passes on to {upstream}")),
        (_, _, Some(tail)) => print(&format!("audit-log gateway fetches the spool at {tail}")),
        _ => Ok(()),
    }
}

/// A project that is not there is a mistake; a database that is not there is no reason not to serve.
async fn first_look(store: &Store, project: Option<&str>) -> Result<(), CliError> {
    match tokio::time::timeout(FIRST_LOOK, store.has_project()).await {
        Ok(Ok(true)) => {}
        Ok(Ok(false)) => return Err(CliError::NoProject(project.unwrap_or_default().to_owned())),
        Ok(Err(why)) => tracing::warn!(why, "the database cannot be reached: what is recorded waits in the spool"),
        Err(_) => tracing::warn!("the database does not answer: what is recorded waits in the spool"),
    }
    Ok(())
}

fn store(command: &GatewayCommand) -> Result<Store, CliError> {
    if let (Some(to), Some(key)) = (&command.to, &command.key) {
        return Ok(Store::elsewhere(to.clone(), key.clone()));
    }
    let options = &command.gateway.0;
    let is_lent = options.gateway_spool_listen.is_some() && options.gateway_tail.is_none();
    let project = match &options.gateway_project {
        Some(project) => project.clone(),
        None if is_lent => String::new(),
        None => return refused("--project says which project gets what was recorded"),
    };
    if let Some(file) = command.data.sqlite_path().filter(|file| !is_lent && !file.is_file()) {
        let why = format!(
            "there is no database {}: a server, or `audit-log project add`, makes it",
            file.display()
        );
        return Err(CliError::Refused(why));
    }
    let config = Config {
        data: command.data.clone(),
        mask_keys: command.mask_keys.clone(),
        retention_days: command.retention_days,
        ..Config::default()
    };
    Store::opening(move || opened(config.clone()).boxed(), project).map_err(CliError::io("starting threads"))
}

/// The database, with the writer and all else that storing takes.
async fn opened(config: Config) -> Result<Server, String> {
    let opened = async {
        let random = Random::system();
        let key = InstanceKey::load(std::env::var(KEY_VARIABLE).ok().as_deref(), &config.data, &random)?;
        let db = Db::open_existing(&config.data.database.database_url).await?;
        if let Err(error) = db.migrate().await {
            db.close().await;
            return Err(error.into());
        }
        Ok::<_, CliError>(Server::new(db, config, key, Clock::System, random)?)
    };
    opened.await.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<GatewayCommand, clap::Error> {
        let command = GatewayCommand::augment_args(Command::new("gateway")).mut_args(|argument| argument.env(None));
        let matches = command.try_get_matches_from(std::iter::once(&"gateway").chain(arguments))?;
        GatewayCommand::from_arg_matches(&matches)
    }

    #[test]
    fn options_have_their_bare_names() {
        let read = parse(&[
            "--upstream",
            "https://api.internal",
            "--project",
            "prj_1",
            "--listen",
            "0.0.0.0:80",
        ])
        .unwrap();
        let expected = GatewayOptions {
            gateway_upstream: Some(parse_upstream("https://api.internal").unwrap()),
            gateway_project: Some("prj_1".to_owned()),
            gateway_listen: "0.0.0.0:80".parse().unwrap(),
            ..GatewayOptions::default()
        };
        assert_eq!(read.gateway.0, expected);
        assert!(parse(&["--gateway-upstream", "https://api.internal"]).is_err());
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for arguments in [
            &["--upstream", "api.internal"][..],
            &["--upstream", "https://api.internal/v1"],
            &["--to", "https://audit.example.com"],
            &["--tls-cert", "a.pem"],
            &["--spool-bytes", "10"],
            &["--spool-listen", "127.0.0.1:1"],
            &["--tail", "http://10.0.0.7:1"],
            &["--tail", "http://10.0.0.7:1", "--spool-key", "short"],
            &["--user-header", "not a name"],
            &["--body-kb", "0"],
        ] {
            assert!(parse(arguments).is_err(), "{arguments:?}");
        }
    }

    #[test]
    fn no_secret_is_printed() {
        let read = parse(&[
            "--to",
            "https://audit.example.com",
            "--key",
            "hunter2-hunter2-hunter2",
            "--spool-key",
            "hunter2-hunter2-hunter2",
        ])
        .unwrap();
        assert!(!format!("{read:?}").contains("hunter2"), "{read:?}");
    }
}

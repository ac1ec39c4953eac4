//! What is configured, from the command line and the environment.
//!
//! To add an option: a field of [`Config`] with its doc comment (that is what `--help` prints), its line in [`Config::default`],
//! and its paragraph in `config.default.env`; a test holds the three together. An option that does nothing yet is left out.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use ipnet::IpNet;

use crate::model::retention::HALF_YEAR;
use crate::server::ingest::mask;

pub mod gateway;

use gateway::GatewayOptions;

/// The commented default configuration, where the names that are masked anyway are still to come.
const DEFAULT_CONFIG: &str = include_str!("config.default.env");
/// Where they come.
const BUILT_IN: &str = "{built-in}\n";
/// So wide are the lines that list them.
const LINE: usize = 120;

const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 3000);
const DATABASE_URL: &str = "sqlite://data/audit-log.db";
const FILES_URL: &str = "file:data/files";
/// What the libraries below say at `info` is of no use to an operator.
pub(crate) const LOG_LEVEL: &str = "info,sqlx=warn";
/// 1, 2, 4, 8, 16, 32 minutes, 1 h 04, doubling to a day: twelve retries.
const WEBHOOK_SCHEDULE: [u32; 12] = [60, 120, 240, 480, 960, 1_920, 3_840, 7_680, 15_360, 30_720, 61_440, 86_400];
const MB: usize = 1024 * 1024;

/// The commented default configuration, as `audit-log config` prints it.
pub fn default_config() -> String {
    let mut names = String::new();
    for (what, list) in mask::BUILT_IN {
        let mut line = format!("# {what}:");
        for (place, name) in list.iter().enumerate() {
            let comma = if place + 1 < list.len() { "," } else { "" };
            if line.len() + name.len() + 2 > LINE {
                names.push_str(&line);
                names.push('\n');
                "#  ".clone_into(&mut line);
            }
            line.extend([" ", name, comma]);
        }
        names.push_str(&line);
        names.push('\n');
    }
    DEFAULT_CONFIG.replace(BUILT_IN, &names)
}

/// A secret that was configured; nothing prints it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// It.
    pub fn tell(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// Which database. Every command that touches it has this.
#[derive(Clone, PartialEq, Eq, clap::Args)]
pub struct DatabaseOption {
    /// The database: `sqlite://PATH` (made where it is not there) or `postgres://USER@HOST/NAME`
    #[arg(long, env = "DATABASE_URL", value_name = "URL", default_value = DATABASE_URL, hide_env_values = true)]
    pub database_url: String,
}

impl std::fmt::Debug for DatabaseOption {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A URL may hold a password.
        let (scheme, _) = self.database_url.split_once(':').unwrap_or_default();
        f.debug_struct("DatabaseOption")
            .field("scheme", &scheme)
            .finish_non_exhaustive()
    }
}

impl Default for DatabaseOption {
    fn default() -> Self {
        Self {
            database_url: DATABASE_URL.to_owned(),
        }
    }
}

/// Where the data lies, and the key to what is sealed in it.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct DataOptions {
    /// Which database.
    #[command(flatten)]
    pub database: DatabaseOption,
    /// Where files are kept: a folder, `file:PATH`, or `s3://BUCKET/FOLDER`, with its access as AWS's own tools read it (`AWS_ACCESS_KEY_ID`,
    /// `AWS_SECRET_ACCESS_KEY`, `AWS_REGION`, `AWS_ENDPOINT_URL`). Beside PostgreSQL the instance key is made there; beside SQLite it lies next to the database file
    #[arg(long, env = "AUDIT_LOG_FILES_URL", value_name = "URL", default_value = FILES_URL, value_parser = parse_files_url)]
    pub files_url: String,
    /// The file with the instance key: 32 bytes in base64 or hexadecimal; made where it is not there. Without it, and without the variable
    /// `AUDIT_LOG_SECRET_KEY`, it is `secret.key` in the data folder
    #[arg(long, env = "AUDIT_LOG_SECRET_KEY_FILE", value_name = "FILE")]
    pub secret_key_file: Option<PathBuf>,
    /// The file with a key of its own for signing the heads of projects' chains, as the instance key's; made where it is not there. Without it the key is derived
    /// from the instance key
    #[arg(long, env = "AUDIT_LOG_CHAIN_KEY_FILE", value_name = "FILE")]
    pub chain_key_file: Option<PathBuf>,
}

impl Default for DataOptions {
    fn default() -> Self {
        Self {
            database: DatabaseOption::default(),
            files_url: FILES_URL.to_owned(),
            secret_key_file: None,
            chain_key_file: None,
        }
    }
}

impl DataOptions {
    /// The folder of the data: the SQLite file's, else the folder for files. Words of what is wrong, where there is none.
    pub fn folder(&self) -> Result<PathBuf, String> {
        if let Some(path) = self.sqlite_path() {
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            return Ok(parent.unwrap_or_else(|| Path::new(".")).to_owned());
        }
        files_path(&self.files_url).map(Path::to_owned).map_err(|_| {
            "neither the database nor the files are in a folder of this machine: give the key by --secret-key-file or AUDIT_LOG_SECRET_KEY"
                .to_owned()
        })
    }

    /// The SQLite file; none on PostgreSQL.
    pub fn sqlite_path(&self) -> Option<&Path> {
        let rest = self.database.database_url.strip_prefix("sqlite:")?;
        let rest = rest.strip_prefix("//").unwrap_or(rest);
        Some(Path::new(rest.split_once('?').map_or(rest, |(path, _)| path)))
    }
}

/// How the server's own log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Human,
    /// One JSON object a line, for machines.
    Json,
}

impl std::fmt::Display for LogFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Human => "human",
            Self::Json => "json",
        })
    }
}

/// The server's configuration.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct Config {
    /// Where the data lies.
    #[command(flatten)]
    pub data: DataOptions,
    /// The address to serve
    #[arg(long, env = "AUDIT_LOG_LISTEN", value_name = "ADDRESS", default_value_t = LISTEN)]
    pub listen: SocketAddr,
    /// The address people type, such as `https://audit.example.com`: cookies are marked Secure where it is https, and forms are accepted
    /// from it. Without it, `http://` and the listening address
    #[arg(long, env = "AUDIT_LOG_PUBLIC_URL", value_name = "URL", value_parser = parse_public_url)]
    pub public_url: Option<String>,
    /// Proxies whose `X-Forwarded-For` is believed, as addresses or networks
    #[arg(long, env = "AUDIT_LOG_TRUSTED_PROXIES", value_name = "CIDR,…", value_delimiter = ',', value_parser = parse_network)]
    pub trusted_proxies: Vec<IpNet>,
    /// On an empty database, make a project with 30 days of recorded traffic, and a person who can sign in from this machine alone
    #[arg(long, env = "AUDIT_LOG_DEMO")]
    pub demo: bool,
    /// How many days logs are kept in projects whose owners chose nothing else; older ones are deleted, and refused. 0 keeps them for ever
    #[arg(long, env = "AUDIT_LOG_RETENTION_DAYS", value_name = "DAYS", default_value_t = Config::default().retention_days)]
    pub retention_days: u32,
    /// More names whose values are masked before anything is stored, beside the built-in ones, which `audit-log config` lists; `!NAME` takes one of those out
    #[arg(long, env = "AUDIT_LOG_MASK_KEYS", value_name = "NAME,…", value_delimiter = ',')]
    pub mask_keys: Vec<String>,
    /// An OpenID Connect provider that people may sign in by: the address of its issuer. It must know this service's public address with
    /// `/sign-in/oidc/callback` as where to lead back to
    #[arg(long, env = "AUDIT_LOG_OIDC_ISSUER", value_name = "URL", requires = "oidc_client_id", value_parser = parse_issuer)]
    pub oidc_issuer: Option<String>,
    /// What this service is called at the provider
    #[arg(long, env = "AUDIT_LOG_OIDC_CLIENT_ID", value_name = "ID", requires = "oidc_issuer")]
    pub oidc_client_id: Option<String>,
    /// This service's secret at the provider, where it has one
    #[arg(
        long,
        env = "AUDIT_LOG_OIDC_CLIENT_SECRET",
        value_name = "SECRET",
        hide_env_values = true,
        requires = "oidc_issuer",
        value_parser = parse_secret
    )]
    pub oidc_client_secret: Option<Secret>,
    /// What the provider is called on the sign-in page
    #[arg(long, env = "AUDIT_LOG_OIDC_NAME", value_name = "NAME", default_value_t = Config::default().oidc_name)]
    pub oidc_name: String,
    /// How many days a sign-in lasts without being used
    #[arg(long, env = "AUDIT_LOG_SESSION_DAYS", value_name = "DAYS", default_value_t = Config::default().session_days,
          value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub session_days: u32,
    /// How many megabytes of logs may wait to be written; past it calls are answered 429
    #[arg(long, env = "AUDIT_LOG_QUEUE_MB", value_name = "MB", default_value_t = Config::default().queue_mb,
          value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub queue_mb: u32,
    /// How many calls a minute each key may make; past it they are answered 429
    #[arg(long, env = "AUDIT_LOG_RATE_LIMIT", value_name = "CALLS", default_value_t = Config::default().rate_limit,
          value_parser = clap::value_parser!(u32).range(1..))]
    pub rate_limit: u32,
    /// How many milliseconds a page searches a text before it shows what it has, says how far it got, and offers to go on
    #[arg(long, env = "AUDIT_LOG_SEARCH_MS", value_name = "MS", default_value_t = Config::default().search_ms,
          value_parser = clap::value_parser!(u32).range(1..=60_000))]
    pub search_ms: u32,
    /// How many jobs (exports, imports) run at once in this process
    #[arg(long, env = "AUDIT_LOG_JOBS", value_name = "JOBS", default_value_t = Config::default().jobs,
          value_parser = clap::value_parser!(u16).range(1..=64))]
    pub jobs: u16,
    /// Ranges that webhooks may be sent to although they are private or this machine's own: refused otherwise, so that nobody reaches inside by
    /// naming an endpoint
    #[arg(long, env = "AUDIT_LOG_WEBHOOK_ALLOW", value_name = "CIDR,…", value_delimiter = ',', value_parser = parse_network)]
    pub webhook_allow: Vec<IpNet>,
    /// How many seconds to wait before each retry of a webhook sendout; one retry for each
    #[arg(long, env = "AUDIT_LOG_WEBHOOK_SCHEDULE", value_name = "SECONDS,…", value_delimiter = ',',
          default_values_t = Config::default().webhook_schedule)]
    pub webhook_schedule: Vec<u32>,
    /// The mail server that alerts are told by: `smtps://USER:PASSWORD@HOST`, or `smtp://HOST:PORT`, where `?tls=required` begins TLS on the open connection.
    /// Without it no mail is sent
    #[arg(long, env = "AUDIT_LOG_SMTP_URL", value_name = "URL", hide_env_values = true, requires = "smtp_from", value_parser = parse_secret)]
    pub smtp_url: Option<Secret>,
    /// Who mails come from: `audit-log@example.com`, or `Audit log <audit-log@example.com>`
    #[arg(long, env = "AUDIT_LOG_SMTP_FROM", value_name = "ADDRESS", requires = "smtp_url")]
    pub smtp_from: Option<String>,
    /// Compress pages and JSON that leave this machine; `false` where a proxy does it
    #[arg(long, env = "AUDIT_LOG_COMPRESS", value_name = "BOOL", default_value_t = Config::default().compress, action = clap::ArgAction::Set)]
    pub compress: bool,
    /// A second address that answers `/metrics` alone, to anybody who reaches it. Without it, `/metrics` answers this machine
    #[arg(long, env = "AUDIT_LOG_METRICS_LISTEN", value_name = "ADDRESS")]
    pub metrics_listen: Option<SocketAddr>,
    /// How many seconds requests and webhooks in flight have to finish when the server is told to stop
    #[arg(long, env = "AUDIT_LOG_STOP_SECONDS", value_name = "SECONDS", default_value_t = Config::default().stop_seconds)]
    pub stop_seconds: u32,
    /// The recording gateway, where there is one.
    #[command(flatten)]
    pub gateway: GatewayOptions,
    /// How the server's own log lines look
    #[arg(long, env = "AUDIT_LOG_LOG_FORMAT", value_name = "FORMAT", default_value_t = LogFormat::Human, value_enum)]
    pub log_format: LogFormat,
    /// Which of its own log lines the server prints: a level (`error`, `warn`, `info`, `debug`, `trace`), or levels by module
    #[arg(long, env = "AUDIT_LOG_LOG_LEVEL", value_name = "LEVEL", default_value = LOG_LEVEL)]
    pub log_level: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: DataOptions::default(),
            listen: LISTEN,
            public_url: None,
            trusted_proxies: Vec::new(),
            demo: false,
            retention_days: HALF_YEAR,
            mask_keys: Vec::new(),
            oidc_issuer: None,
            oidc_client_id: None,
            oidc_client_secret: None,
            oidc_name: "single sign-on".to_owned(),
            session_days: 30,
            queue_mb: 64,
            rate_limit: 600_000,
            search_ms: 200,
            jobs: 2,
            webhook_allow: Vec::new(),
            webhook_schedule: WEBHOOK_SCHEDULE.to_vec(),
            smtp_url: None,
            smtp_from: None,
            compress: true,
            metrics_listen: None,
            stop_seconds: 8,
            gateway: GatewayOptions::default(),
            log_format: LogFormat::Human,
            log_level: LOG_LEVEL.to_owned(),
        }
    }
}

impl Config {
    /// The address people type, without a slash at its end.
    pub fn public_url(&self) -> String {
        self.public_url.clone().unwrap_or_else(|| format!("http://{}", self.listen))
    }

    /// Whether people come by https, so that cookies are theirs alone.
    pub fn is_https(&self) -> bool {
        self.public_url.as_deref().is_some_and(|url| url.starts_with("https://"))
    }

    /// How long a sign-in lasts without being used, in milliseconds.
    pub const fn session_ms(&self) -> i64 {
        self.session_days as i64 * 86_400_000
    }

    /// How many bytes of logs may wait to be written.
    pub const fn queue_bytes(&self) -> usize {
        self.queue_mb as usize * MB
    }
}

/// The folder that `file:PATH` names; else words of what would be right.
pub(super) fn files_path(url: &str) -> Result<&Path, String> {
    let path = url.strip_prefix("file:").map(|path| path.strip_prefix("//").unwrap_or(path));
    path.filter(|path| !path.is_empty())
        .map(Path::new)
        .ok_or_else(|| "files are kept in a folder (file:PATH) or in S3 (s3://BUCKET/FOLDER)".to_owned())
}

fn parse_files_url(text: &str) -> Result<String, String> {
    if text
        .strip_prefix("s3://")
        .is_none_or(|place| place.trim_matches('/').is_empty())
    {
        files_path(text)?;
    }
    Ok(text.to_owned())
}

/// Reads an address or a network: `10.0.0.1`, `10.0.0.0/8`.
pub(crate) fn parse_network(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| format!("{text:?} is neither an IP address nor a network such as 10.0.0.0/8"))
}

#[allow(clippy::unnecessary_wraps, reason = "a parser of options may refuse")]
pub(crate) fn parse_secret(text: &str) -> Result<Secret, String> {
    Ok(Secret::from(text.to_owned()))
}

/// Reads a provider's address: https, or http on this machine for a trial.
fn parse_issuer(text: &str) -> Result<String, String> {
    let url = url::Url::parse(text).map_err(|error| format!("{text:?} is not a URL: {error}"))?;
    let is_here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if url.scheme() == "https" || (url.scheme() == "http" && is_here) {
        // As it was given: the provider says its own name to the letter.
        return Ok(text.to_owned());
    }
    Err("an identity provider is reached by https://".to_owned())
}

/// Reads the public address: http or https, a host, no path.
fn parse_public_url(text: &str) -> Result<String, String> {
    let url = url::Url::parse(text).map_err(|error| format!("{text:?} is not a URL: {error}"))?;
    let origin = url.origin();
    if !matches!(url.scheme(), "http" | "https") || !origin.is_tuple() {
        return Err("only http:// and https:// addresses can be served".to_owned());
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err("the product lives at the root of its address: leave the path out".to_owned());
    }
    Ok(origin.ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Args, Command, FromArgMatches};

    fn command() -> Command {
        Config::augment_args(Command::new("serve"))
    }

    fn parse(arguments: &[&str]) -> Result<Config, clap::Error> {
        // The environment of whoever runs the tests must not reach in.
        let command = command().mut_args(|argument| argument.env(None));
        let matches = command.try_get_matches_from(std::iter::once(&"serve").chain(arguments))?;
        Config::from_arg_matches(&matches)
    }

    #[test]
    fn without_options_the_defaults_stand() {
        assert_eq!(parse(&[]).unwrap(), Config::default());
    }

    #[test]
    fn the_default_configuration_names_every_option_with_its_default() {
        let printed = default_config();
        for argument in command().get_arguments() {
            let variable = argument
                .get_env()
                .unwrap_or_else(|| panic!("{argument} has no variable"))
                .to_str()
                .unwrap();
            let default = argument
                .get_default_values()
                .iter()
                .map(|value| value.to_str().unwrap())
                .collect::<Vec<_>>()
                .join(",");
            let default = if matches!(argument.get_action(), clap::ArgAction::SetTrue) {
                "false"
            } else {
                &default
            };
            let line = format!("#{variable}={default}");
            assert!(
                printed.lines().any(|found| found == line),
                "config.default.env lacks the line {line:?}"
            );
        }
    }

    #[test]
    fn the_default_configuration_names_nothing_else() {
        let variables: Vec<String> = command()
            .get_arguments()
            .filter_map(|argument| Some(argument.get_env()?.to_str()?.to_owned()))
            .collect();
        for line in default_config()
            .lines()
            .filter(|line| !line.starts_with("# ") && !line.is_empty() && *line != "#")
        {
            let name = line
                .strip_prefix('#')
                .and_then(|rest| rest.split_once('='))
                .map(|(name, _)| name)
                .unwrap();
            assert!(
                name == "AUDIT_LOG_SECRET_KEY" || variables.iter().any(|known| known == name),
                "{line:?} is no option"
            );
        }
    }

    #[test]
    fn the_default_configuration_lists_what_is_masked() {
        let printed = default_config();
        let lists: Vec<&str> = printed
            .split("The built-in ones:")
            .nth(1)
            .unwrap()
            .split("#AUDIT_LOG_MASK_KEYS")
            .collect();
        let words: Vec<&str> = lists[0]
            .split(|sign: char| sign.is_whitespace() || matches!(sign, ',' | ':' | '#'))
            .collect();
        for name in mask::BUILT_IN.iter().flat_map(|(_, names)| *names) {
            assert!(words.contains(name), "{name}: {printed}");
        }
        assert!(words.contains(&"set-cookie") && words.contains(&"clientsecret") && words.contains(&"cvv"));
        assert!(
            printed
                .lines()
                .all(|line| line.len() <= 160 && (line.is_empty() || line.starts_with('#'))),
            "{printed}"
        );
    }

    #[test]
    fn bad_values_are_refused() {
        for arguments in [
            ["--listen", "nowhere"],
            ["--public-url", "audit.example.com"],
            ["--public-url", "ftp://audit.example.com"],
            ["--public-url", "https://audit.example.com/sub"],
            ["--trusted-proxies", "10.0.0.0/64"],
            ["--session-days", "0"],
            ["--queue-mb", "0"],
            ["--files-url", "s3://"],
            ["--files-url", "file:"],
            ["--retention-days", "-1"],
            ["--log-format", "xml"],
            ["--oidc-issuer", "http://id.example.com"],
        ] {
            assert!(parse(&arguments).is_err(), "{arguments:?}");
        }
    }

    #[test]
    fn no_secret_is_printed() {
        let config = parse(&[
            "--database-url",
            "postgres://ada:hunter2@db/audit",
            "--oidc-issuer",
            "https://id.example.com",
            "--oidc-client-id",
            "audit-log",
            "--oidc-client-secret",
            "hunter2",
            "--smtp-url",
            "smtps://ada:hunter2@mail.example.com",
            "--smtp-from",
            "audit-log@example.com",
        ])
        .unwrap();
        assert_eq!(config.oidc_client_secret.as_ref().map(Secret::tell), Some("hunter2"));
        assert!(!format!("{config:?}").contains("hunter2"), "{config:?}");
    }

    #[test]
    fn lists_and_addresses_are_read() {
        let config = parse(&[
            "--trusted-proxies",
            "10.0.0.0/8,::1",
            "--public-url",
            "HTTPS://Audit.Example.com/",
        ])
        .unwrap();
        assert_eq!(config.trusted_proxies.len(), 2);
        assert_eq!(config.public_url(), "https://audit.example.com");
        assert!(config.is_https());
    }

    #[test]
    fn the_data_folder_is_beside_the_database_or_where_the_files_are() {
        let folder = |database: &str, files: &str| {
            DataOptions {
                database: DatabaseOption {
                    database_url: database.into(),
                },
                files_url: files.into(),
                ..DataOptions::default()
            }
            .folder()
        };
        assert_eq!(folder(DATABASE_URL, FILES_URL).unwrap(), Path::new("data"));
        assert_eq!(
            folder("sqlite:///var/lib/a.db?mode=rwc", FILES_URL).unwrap(),
            Path::new("/var/lib")
        );
        assert_eq!(folder("sqlite:a.db", FILES_URL).unwrap(), Path::new("."));
        assert_eq!(folder("postgres://localhost/a", FILES_URL).unwrap(), Path::new("data/files"));
        assert!(folder("postgres://localhost/a", "s3://bucket").is_err());
    }
}

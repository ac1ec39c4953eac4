//! The command line. To add a command: a variant of [`Command`] with its doc comment (that is what `--help` prints), and what it does in a file here.

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use super::access::issue::KeyIssueError;
use super::access::passwords::PasswordError;
use super::config::{Config, default_config};
use super::demo::DemoError;
use super::files::FileError;
use super::ingest::import::ImportError;
use super::secrets::KeyError;
use super::store::StoreError;
use super::store::copy::CopyError;
use super::telemetry::TelemetryError;

mod backup;
mod copy;
mod demo;
mod gateway;
mod import;
mod people;
mod progress;
mod secret;
mod serve;
mod trail;
mod verify;
mod worker;

/// The full history of an API product: logs, background tasks, exports and webhook sendouts
#[derive(Debug, Parser)]
#[command(name = "audit-log", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves the web page, the API and the workers; brings the database up to date first
    Serve(Box<Config>),
    /// Workers alone, beside servers on the same PostgreSQL
    Worker(Box<Config>),
    /// A reverse proxy before an API that passes every request on unchanged and records it
    Gateway(Box<gateway::GatewayCommand>),
    /// Projects: everything belongs to one
    #[command(subcommand)]
    Project(people::ProjectCommand),
    /// People who can sign in
    #[command(subcommand)]
    User(people::UserCommand),
    /// Keys with which applications sign their calls
    #[command(subcommand)]
    Key(people::KeyCommand),
    /// The instance key, which seals what must not lie open
    #[command(subcommand)]
    Secret(secret::SecretCommand),
    /// Imports a file of logs into a project
    Import(import::Import),
    /// Writes everything as it stands now into FILE and FILE.files, while servers run. The instance key is not among it
    Backup(backup::Backup),
    /// Copies a SQLite database into an empty PostgreSQL, and compares what arrived. Stop what serves it first
    Copy(copy::Copy),
    /// Prints what this service recorded about itself: who did what in a project, deleted or not, oldest first, as NDJSON
    Trail(trail::Trail),
    /// Reads everything again and compares it with the chain; fails where something is not as it was written, and names it
    Verify(verify::Verify),
    /// Prints the OpenAPI document
    Openapi,
    /// Prints the default configuration, with comments
    Config,
}

/// Why a command failed, in words for whoever typed it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    KeyIssue(#[from] KeyIssueError),
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    #[error(transparent)]
    Demo(#[from] DemoError),
    #[error(transparent)]
    Import(#[from] ImportError),
    #[error(transparent)]
    Backup(#[from] super::backup::BackupError),
    #[error(transparent)]
    Copy(#[from] CopyError),
    #[error(transparent)]
    Sender(#[from] super::webhooks::SenderError),
    #[error(transparent)]
    Gateway(#[from] super::gateway::GatewayError),
    #[error(transparent)]
    Files(#[from] FileError),
    #[error(transparent)]
    Start(#[from] super::state::StartError),
    #[error(transparent)]
    Reseal(#[from] super::reseal::ResealError),
    #[error("{what}: {error}")]
    Io { what: String, error: std::io::Error },
    #[error("there is no project {0}")]
    NoProject(String),
    /// What was asked cannot be, though it was asked properly.
    #[error("{0}")]
    Refused(String),
}

impl CliError {
    fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        move |error| Self::Io {
            what: what.into(),
            error,
        }
    }
}

/// Runs the command that was typed. 0 where it worked, 1 where it did not, 2 where it cannot be understood.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let done = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(CliError::io("the runtime could not be started"))
        .and_then(|runtime| runtime.block_on(execute(cli.command)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("audit-log: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn execute(command: Command) -> Result<(), CliError> {
    match command {
        Command::Serve(config) => serve::serve(*config).await,
        Command::Worker(config) => worker::work(*config).await,
        Command::Gateway(command) => gateway::gateway(*command).await,
        Command::Project(command) => people::project(command).await,
        Command::User(command) => people::user(command).await,
        Command::Key(command) => people::key(command).await,
        Command::Secret(command) => secret::secret(command).await,
        Command::Import(command) => import::import(command).await,
        Command::Backup(command) => backup::backup(command).await,
        Command::Copy(command) => copy::copy(command).await,
        Command::Trail(command) => trail::trail(command).await,
        Command::Verify(command) => verify::verify(command).await,
        Command::Openapi => {
            let document = super::http::openapi::printed()
                .map_err(|error| CliError::Refused(format!("the document cannot be written: {error}")))?;
            print(&document)
        }
        Command::Config => print(default_config().trim_end()),
    }
}

/// Prints a line to standard output; a reader that has gone is an error like others, not a panic.
fn print(line: &str) -> Result<(), CliError> {
    writeln!(std::io::stdout(), "{line}").map_err(CliError::io("standard output"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}

//! The database as a destination: records are read, checked and masked as calls of `POST /v1/logs` are, and go through the same writer.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;

use super::calm::Calm;
use super::send::{Away, Destination, Stored};
use super::spool::record::{File, Record};
use crate::model::log::{ImportFile, NewLog, Origin};
use crate::server::ingest::draft::Fault;
use crate::server::ingest::endpoint::CallNames;
use crate::server::ingest::entry::{EntryContext, MAX_ENTRIES};
use crate::server::ingest::json::{self, Trust};
use crate::server::retention;
use crate::server::secrets::purposes;
use crate::server::state::Server;
use crate::server::store::chain::canon::sha256;
use crate::server::store::logs::one::{self, Put};
use crate::server::store::logs::write::{LogCall, WriteError};
use crate::server::store::projects::{self, ProjectKey};

/// How the database is opened, where nobody has opened it yet.
pub(super) type Opening = Box<dyn Fn() -> BoxFuture<'static, Result<Server, String>> + Send + Sync>;

/// A project in a database, which may be away.
pub(super) struct Database {
    open: Opening,
    /// Where what it does runs; where its server runs already, with that.
    calm: Option<Calm>,
    opened: OnceCell<Server>,
    project: String,
    key: OnceCell<ProjectKey>,
}

impl Database {
    /// One that is opened and written on threads that make way.
    pub(super) fn opening(open: Opening, project: String, calm: Calm) -> Self {
        Self::new(open, project, Some(calm))
    }

    fn new(open: Opening, project: String, calm: Option<Calm>) -> Self {
        Self {
            open,
            calm,
            opened: OnceCell::new(),
            project,
            key: OnceCell::new(),
        }
    }

    /// The database of a server that runs.
    pub(super) fn of(server: &Server, project: String) -> Self {
        let server = server.clone();
        let open: Opening = Box::new(move || {
            let server = server.clone();
            Box::pin(async move { Ok(server) })
        });
        Self::new(open, project, None)
    }

    /// Runs something where its server runs.
    pub(super) fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        match &self.calm {
            Some(calm) => calm.spawn(future),
            None => tokio::spawn(future),
        }
    }

    async fn server(&self) -> Result<&Server, Away> {
        // What it starts runs where it is opened.
        let open = async || self.spawn((self.open)()).await.map_err(|error| error.to_string())?;
        self.opened.get_or_try_init(open).await.map_err(Away::because)
    }

    async fn find(&self, server: &Server) -> Result<Option<ProjectKey>, Away> {
        let project = projects::find(&server.db, &self.project).await.map_err(Away::because)?;
        Ok(project.map(|project| project.key))
    }

    /// Whether the project is there, where the database is.
    pub(super) async fn has_project(&self) -> Result<bool, Away> {
        Ok(self.find(self.server().await?).await?.is_some())
    }

    /// The database and the project, once both are there.
    async fn ready(&self) -> Result<(&Server, ProjectKey), Away> {
        let server = self.server().await?;
        let find = async || {
            let found = self.find(server).await?;
            found.ok_or_else(|| Away::because(format!("there is no project {}", self.project)))
        };
        Ok((server, *self.key.get_or_try_init(find).await?))
    }

    /// What was opened here, for whoever closes it.
    pub(super) fn opened(&self) -> Option<&Server> {
        self.opened.get()
    }
}

/// Records that were read: what may be stored, and what came with it.
struct Read {
    logs: Vec<NewLog>,
    files: Vec<(String, File)>,
    names: CallNames,
    refused: u64,
}

impl Destination for Arc<Database> {
    fn makes_way(&self) -> bool {
        self.calm.is_some()
    }

    async fn store(&self, records: &[Record]) -> Result<Stored, Away> {
        let (server, project) = self.ready().await?;
        let mut stored = Stored::default();
        for some in records.chunks(MAX_ENTRIES) {
            stored += store(server, project, some.to_vec()).await?;
        }
        Ok(stored)
    }
}

async fn store(server: &Server, project: ProjectKey, records: Vec<Record>) -> Result<Stored, Away> {
    let Read {
        logs,
        files,
        names,
        refused,
    } = read(server, project, records).await?;
    let call = LogCall {
        project,
        logs,
        idempotency: None,
        received_at: server.clock.now_ms(),
    };
    let written = server.writer.write(call).await.map_err(|error| Away {
        why: error.to_string(),
        retry_after: match &error {
            WriteError::Full { retry_after_s } => Some(Duration::from_secs(*retry_after_s)),
            _ => None,
        },
    })?;
    if written.accepted > 0 {
        names.keep();
    }
    for (id, file) in files {
        keep(server, project, &id, file).await?;
    }
    Ok(Stored {
        new: written.accepted,
        known: written.duplicates,
        refused,
    })
}

async fn read(server: &Server, project: ProjectKey, records: Vec<Record>) -> Result<Read, Away> {
    let endpoints = server.endpoints(project).await.map_err(Away::because)?;
    let mask = server.mask(project).await.map_err(Away::because)?;
    let retention_ms = retention::kept(server, project).await.map_err(Away::because)?.logs_ms();
    let server = server.clone();
    let reading = tokio::task::spawn_blocking(move || {
        let mut read = Read {
            logs: Vec::with_capacity(records.len()),
            files: Vec::new(),
            names: CallNames::of(&endpoints),
            refused: 0,
        };
        for Record { entry, file } in records {
            let context = EntryContext {
                now_ms: server.clock.now_ms(),
                retention_ms,
                mask: &mask,
                endpoints: &read.names,
                random: &server.random,
                origin: Origin::Application,
                sender: None,
            };
            match log(&entry, &context) {
                Ok(log) => {
                    read.files.extend(file.map(|file| (log.facts.id.clone(), file)));
                    read.logs.push(log);
                }
                Err(fault) => {
                    tracing::error!(%fault, "a recorded request is no log that may be stored");
                    read.refused += 1;
                }
            }
        }
        read
    });
    reading.await.map_err(Away::because)
}

fn log(entry: &str, context: &EntryContext<'_>) -> Result<NewLog, Fault> {
    json::read(entry, Trust::Call)?.check(context)
}

/// Keeps an upload beside its log, sealed. One that is there already is this one, stored before.
async fn keep(server: &Server, project: ProjectKey, id: &str, file: File) -> Result<(), Away> {
    let facts = ImportFile {
        name: file.name,
        bytes: file.bytes.len() as i64,
    };
    let sealing = server.clone();
    let sealed = tokio::task::spawn_blocking(move || {
        let sealed = sealing.key.seal(purposes::IMPORT_FILE, &file.bytes, &sealing.random);
        (sealed, sha256(&[&file.bytes]))
    });
    let (sealed, digest) = sealed.await.map_err(Away::because)?;
    let put = one::put_import_file(&server.db, project, id, &facts, (&sealed, &digest), server.clock.now_ms());
    match put.await.map_err(Away::because)? {
        Put::Kept | Put::Taken => {}
        // A purge was quicker.
        Put::NoLog => tracing::warn!(id, "an upload's log is gone already"),
    }
    Ok(())
}

//! What every request can reach.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::task::TaskTracker;

use super::access::{Door, oidc};
use super::chain::key::ChainKey;
use super::clock::{Clock, Random};
use super::config::Config;
use super::files::{FileError, Files};
use super::http::limits::Limits;
use super::ingest::endpoint::EndpointNames;
use super::ingest::mask::MaskRules;
use super::jobs::Bell;
use super::live::Live;
use super::mail::{MailError, Mailer};
use super::masking::Masking;
use super::retention::Retention;
use super::secrets::{InstanceKey, KeyError};
use super::store::logs::write::{LogWriter, WriterOptions};
use super::store::projects::{self, ProjectKey};
use super::store::{Db, StoreError};
use super::webhooks::Webhooks;

/// The running server: its parts, shared. One count to clone, since every layer of every request does.
#[derive(Clone, Debug)]
pub struct Server(Arc<Parts>);

impl Deref for Server {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// The running server's parts.
#[derive(Debug)]
pub struct Parts {
    /// The database.
    pub db: Db,
    /// The door to the one writer of logs.
    pub writer: LogWriter,
    /// What was configured.
    pub config: Arc<Config>,
    /// The time.
    pub clock: Clock,
    /// Randomness.
    pub random: Random,
    /// Where files are.
    pub files: Files,
    /// Rings for the workers of this process.
    pub bell: Bell,
    /// What is masked before anything is stored, project by project.
    pub masking: Masking,
    /// Signs and seals.
    pub key: Arc<InstanceKey>,
    /// Signs the heads of chains.
    pub chain_key: ChainKey,
    /// Who came in lately.
    pub door: Arc<Door>,
    /// What is known of the identity provider.
    pub oidc: oidc::Provider,
    /// What is allowed at once and within a minute.
    pub limits: Arc<Limits>,
    /// The door to the webhooks' writer and lanes.
    pub webhooks: Webhooks,
    /// How long logs are kept, and what the database holds, as they were lately.
    pub retention: Retention,
    /// Who follows lists as they are written.
    pub live: Live,
    /// Sends mails, where a mail server is configured.
    pub mail: Option<Mailer>,
    /// Recordings of this service's own requests that are on their way to the writer.
    pub recordings: TaskTracker,
    endpoints: Mutex<HashMap<ProjectKey, KnownNames>>,
}

/// The endpoint names of a project, and what they were made of.
#[derive(Debug)]
struct KnownNames {
    names: Arc<EndpointNames>,
    templates: Vec<String>,
    /// When the templates were read last.
    read_at: i64,
}

/// How long a project's route templates are believed, in milliseconds: another server may change them.
const TEMPLATES_MS: i64 = 3_000;

/// Why a server could not be made.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Where files are kept.
    #[error(transparent)]
    Files(#[from] FileError),
    /// The key that signs chains.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The mail server, as it is configured.
    #[error(transparent)]
    Mail(#[from] MailError),
}

impl Server {
    /// A server on a migrated database. Starts the writer and the watch over the database, so it must be called inside the runtime.
    pub fn new(db: Db, config: Config, key: InstanceKey, clock: Clock, random: Random) -> Result<Self, StartError> {
        let mail = Mailer::of(&config)?;
        let chain_key = ChainKey::load(&config.data, &key, &random)?;
        db.watch();
        let key = Arc::new(key);
        let files = Files::open(&config.data.files_url, Arc::clone(&key), random.clone())?;
        let writer = LogWriter::start(
            db.clone(),
            WriterOptions {
                queue_bytes: config.queue_bytes(),
            },
        );
        let webhooks = Webhooks::start(db.clone(), clock.clone(), random.clone(), Arc::clone(&key));
        let live = Live::start(db.clone());
        Ok(Self(Arc::new(Parts {
            db,
            webhooks,
            writer,
            files,
            bell: Bell::default(),
            live,
            mail,
            masking: Masking::new(&config.mask_keys),
            limits: Arc::new(Limits::new(config.rate_limit, clock.clone())),
            recordings: TaskTracker::new(),
            config: Arc::new(config),
            clock,
            random,
            key,
            chain_key,
            door: Arc::default(),
            oidc: oidc::Provider::default(),
            retention: Retention::default(),
            endpoints: Mutex::default(),
        })))
    }

    /// The endpoint names of a project, read from the database at first use, and again once its route templates have changed.
    pub async fn endpoints(&self, project: ProjectKey) -> Result<Arc<EndpointNames>, StoreError> {
        let now_ms = self.clock.now_ms();
        let is_fresh = |known: &KnownNames| (0..TEMPLATES_MS).contains(&now_ms.saturating_sub(known.read_at));
        if let Some(known) = self.known_endpoints().get(&project)
            && is_fresh(known)
        {
            return Ok(known.names.clone());
        }
        let templates = projects::endpoint_templates(&self.db, project).await?;
        if let Some(known) = self.known_endpoints().get_mut(&project)
            && known.templates == templates
        {
            known.read_at = now_ms;
            return Ok(known.names.clone());
        }
        let in_use = projects::endpoint_names_in_use(&self.db, project).await?;
        let read = KnownNames {
            names: Arc::new(EndpointNames::new(&templates, in_use)),
            templates,
            read_at: now_ms,
        };
        // Of two that read at the same time the first one stays, so that both note new names in the same place.
        let mut all = self.known_endpoints();
        let known = all.entry(project).or_insert_with(|| KnownNames {
            names: Arc::clone(&read.names),
            templates: read.templates.clone(),
            read_at: now_ms,
        });
        if known.templates != read.templates {
            *known = read;
        }
        Ok(known.names.clone())
    }

    /// Reads a project's endpoint names anew at their next use: call it after changing its route templates.
    pub fn forget_endpoints(&self, project: ProjectKey) {
        self.known_endpoints().remove(&project);
    }

    /// What a project masks. Where that cannot be read, nothing may be stored.
    pub async fn mask(&self, project: ProjectKey) -> Result<Arc<MaskRules>, StoreError> {
        self.masking.of(&self.db, project, self.clock.now_ms()).await
    }

    /// Whether no other process serves or works on this database: a file has one server.
    pub fn is_alone(&self) -> bool {
        matches!(self.db, Db::Sqlite { .. })
    }

    /// Waits for the recordings of requests that have been answered, then for the writer. Call it when nothing is served any more.
    pub async fn stop(&self) {
        self.live.stop();
        self.recordings.close();
        self.recordings.wait().await;
        self.webhooks.stop().await;
        self.writer.stop().await;
    }

    fn known_endpoints(&self) -> MutexGuard<'_, HashMap<ProjectKey, KnownNames>> {
        // A panic elsewhere leaves the map as good as it was.
        self.endpoints.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

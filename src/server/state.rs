//! What every request can reach.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::access::Door;
use super::clock::{Clock, Random};
use super::config::Config;
use super::ingest::endpoint::EndpointNames;
use super::ingest::mask::MaskRules;
use super::secrets::InstanceKey;
use super::store::logs::write::{LogWriter, WriterOptions};
use super::store::projects::ProjectKey;
use super::store::{Db, StoreError};

/// The running server's parts. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Server {
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
    /// What is masked before anything is stored.
    pub mask: Arc<MaskRules>,
    /// Signs and seals.
    pub key: Arc<InstanceKey>,
    /// Who came in lately.
    pub door: Arc<Door>,
    endpoints: Arc<Mutex<HashMap<ProjectKey, Arc<EndpointNames>>>>,
}

impl Server {
    /// A server on a migrated database. Starts the writer, so it must be called inside the runtime.
    pub fn new(db: Db, config: Config, key: InstanceKey, clock: Clock, random: Random) -> Self {
        let writer = LogWriter::start(
            db.clone(),
            WriterOptions {
                queue_bytes: config.queue_bytes(),
            },
        );
        Self {
            db,
            writer,
            mask: Arc::new(MaskRules::with(&config.mask_keys, &config.mask_keys)),
            config: Arc::new(config),
            clock,
            random,
            key: Arc::new(key),
            door: Arc::default(),
            endpoints: Arc::default(),
        }
    }

    /// The endpoint names of a project, read from the database at first use.
    pub async fn endpoints(&self, project: ProjectKey) -> Result<Arc<EndpointNames>, StoreError> {
        let _ = (project, &self.endpoints);
        todo!()
    }
}

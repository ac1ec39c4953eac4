//! What every request can reach.

use std::sync::Arc;

use super::clock::{Clock, Random};
use super::config::Config;
use super::ingest::endpoint::EndpointNames;
use super::ingest::mask::MaskRules;
use super::secrets::InstanceKey;
use super::store::Db;
use super::store::logs::write::LogWriter;
use super::store::projects::ProjectKey;

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
    endpoints: Arc<std::sync::Mutex<std::collections::HashMap<ProjectKey, Arc<EndpointNames>>>>,
}

impl Server {
    /// The endpoint names of a project, read from the database at first use.
    pub async fn endpoints(&self, project: ProjectKey) -> Result<Arc<EndpointNames>, super::store::StoreError> {
        let _ = (project, &self.endpoints);
        todo!()
    }
}

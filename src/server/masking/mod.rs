//! What each project masks: its own rules on top of the instance's, read from the database and kept ready for seconds.
//!
//! Rules act on what comes in, whoever brings it ([`Masking::of`] is asked for every call, every batch of an import, every recording), and on what is shown of
//! webhooks and tasks. Where they cannot be read, nothing may be stored: the error goes to whoever asked.

mod snippets;
pub mod try_out;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::log::BodyKind;
use crate::model::masking::{MaskRule, RuleFault, check};
use crate::server::access::brief::Brief;
use crate::server::ingest::mask::MaskRules;
use crate::server::state::Server;
use crate::server::store::masking as store;
use crate::server::store::projects::ProjectKey;
use crate::server::store::tasks::Task;
use crate::server::store::{Changed, Db, StoreError};

/// How long a project's rules are believed, in milliseconds: a server that did not make a change itself follows within that time.
pub const REMEMBERED_MS: i64 = 3_000;
/// Projects whose rules are remembered.
const REMEMBERED: usize = 1_000;
/// Projects whose rules stay ready, though they are read again: megabytes each, where patterns are large.
const READY: usize = 100;

/// Rules as they came from the database, and what they do.
type Ready = (Vec<MaskRule>, Arc<MaskRules>);

/// What each project masks.
#[derive(Debug)]
pub struct Masking {
    /// Names that were configured, of headers and of keys.
    configured: Arc<[String]>,
    built_in: Arc<MaskRules>,
    lately: Brief<ProjectKey, Arc<MaskRules>>,
    ready: Mutex<HashMap<ProjectKey, Ready>>,
}

/// Why rules were not kept.
#[derive(Debug, thiserror::Error)]
pub enum MaskingError {
    /// One of them is wrong.
    #[error(transparent)]
    Fault(#[from] RuleFault),
    /// They are no longer those that whoever changes them has seen.
    #[error("somebody else has changed the rules meanwhile: read them again, and make your change there")]
    Changed,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Masking {
    /// With these names beside the built-in ones, in every project.
    pub fn new(configured: &[String]) -> Self {
        Self {
            configured: configured.into(),
            built_in: Arc::new(MaskRules::with(configured, configured)),
            lately: Brief::new(REMEMBERED_MS, REMEMBERED),
            ready: Mutex::default(),
        }
    }

    /// The names that were configured beside the built-in ones.
    pub fn configured(&self) -> &[String] {
        &self.configured
    }

    /// What a project with these rules masks. Patterns are made ready on a thread that others do not wait for: large ones take a tenth of a second.
    pub async fn with(&self, rules: &[MaskRule]) -> Result<Arc<MaskRules>, MaskingError> {
        let (configured, rules) = (self.configured.clone(), rules.to_vec());
        let made = tokio::task::spawn_blocking(move || MaskRules::of_project(&configured, &rules)).await;
        Ok(Arc::new(made.map_err(broken)??))
    }

    /// What a project masks.
    pub async fn of(&self, db: &Db, project: ProjectKey, now_ms: i64) -> Result<Arc<MaskRules>, StoreError> {
        if let Some(known) = self.lately.get(&project, now_ms) {
            return Ok(known);
        }
        let rules = store::rules(db, project).await?;
        let ready = self.make_ready(project, rules).await?;
        self.lately.put(project, ready.clone(), now_ms);
        Ok(ready)
    }

    /// Where rules are still the same, so is what they do.
    async fn make_ready(&self, project: ProjectKey, rules: Vec<MaskRule>) -> Result<Arc<MaskRules>, StoreError> {
        if rules.is_empty() {
            self.known().remove(&project);
            return Ok(self.built_in.clone());
        }
        let known = self.known().get(&project).filter(|(of, _)| *of == rules).cloned();
        if let Some((_, ready)) = known {
            return Ok(ready);
        }
        let ready = self.with(&rules).await.map_err(|error| match error {
            MaskingError::Store(error) => error,
            other => StoreError::Corrupt(format!("the masking rules of project {project}: {other}")),
        })?;
        let mut known = self.known();
        if known.len() >= READY {
            known.clear();
        }
        known.insert(project, (rules, ready.clone()));
        Ok(ready)
    }

    fn known(&self) -> MutexGuard<'_, HashMap<ProjectKey, Ready>> {
        // A panic elsewhere leaves the map as good as it was.
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads a project's rules anew at their next use: call it after changing them.
    fn forget(&self, project: ProjectKey) {
        self.lately.forget_if(|known| *known == project);
    }
}

fn broken(error: tokio::task::JoinError) -> StoreError {
    StoreError::Database(sqlx::Error::Io(std::io::Error::other(error)))
}

/// Masks what came of a task, for it to be shown: what an application reported, and what an import says of records, may quote what was sent.
pub fn task(rules: &MaskRules, task: &mut Task) {
    if !task.may_quote() {
        return;
    }
    let result = task.result.as_deref().unwrap_or_default();
    let masked = rules.body(BodyKind::Json, None, result.as_bytes()).bytes;
    if let Some(masked) = masked.and_then(|bytes| String::from_utf8(bytes).ok()) {
        task.result = Some(masked);
    }
}

/// A project's own rules, in their order.
pub async fn rules(server: &Server, project: ProjectKey) -> Result<Vec<MaskRule>, StoreError> {
    store::rules(&server.db, project).await
}

/// Gives a project other rules, which act at once on this server; gives those before, and these as they are kept.
/// Where `known` is given, they must still be those.
pub async fn replace(
    server: &Server,
    project: ProjectKey,
    known: Option<&[MaskRule]>,
    rules: &[MaskRule],
) -> Result<Changed<Vec<MaskRule>>, MaskingError> {
    let kept = check(rules)?;
    server.masking.with(&kept).await?;
    let before = store::replace(&server.db, project, known, &kept, server.clock.now_ms()).await?;
    let before = before.ok_or(MaskingError::Changed)?;
    server.masking.forget(project);
    Ok(Changed { before, after: kept })
}

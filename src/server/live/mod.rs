//! Live lists: who follows a project, and what they are told of it as it is written.
//!
//! One task looks every quarter of a second how far the chains of followed projects reach, and tells each project; nothing is asked while nobody follows.
//! A project's own task then reads what came, once for all who follow it, and tells each what their filters mean. Since a chain has no gap and is the
//! database's own, that holds whichever server wrote, and who comes back says by a number where to go on.
//!
//! To let something else be followed: another variant of [`Wish`], and what its followers are told in `project.rs`.

mod found;
mod project;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use super::store::logs::arrived::{self, Mark};
use super::store::projects::ProjectKey;
use super::store::{Db, StoreError};
use crate::model::selection::LogSelection;
pub use found::Found;
use project::{Follower, Project};

/// How often it is looked whether something was written.
const LOOK: Duration = Duration::from_millis(250);
/// After a failure of the database it is looked again after so long.
const PAUSE: Duration = Duration::from_secs(1);
/// Who may follow at a time in one process: each costs a connection and some kilobytes.
const MOST: usize = 2_000;
/// What may wait for one follower: whoever is slower misses something, and is told so.
const WAITING: usize = 16;

/// What somebody follows.
#[derive(Clone, Debug)]
pub enum Wish {
    /// Logs that a selection means.
    Logs(Box<LogSelection>),
    /// Tasks, exports and sendouts: that any of them was made or has changed.
    Records,
}

/// What a follower is told.
#[derive(Debug)]
pub enum News {
    /// Logs came.
    Found(Found),
    /// Tasks, exports or attempts were written.
    Moved(Mark),
    /// Something came that is not told one by one: the list is to be read anew, and followed from here.
    Missed(Mark),
    /// Nothing came that is meant, up to here.
    Nothing(Mark),
}

/// Too many follow already.
#[derive(Debug, thiserror::Error)]
#[error("{MOST} people follow lists on this server, and no more can")]
pub struct Full;

/// Who follows what, in this process.
#[derive(Clone, Debug)]
pub struct Live(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    db: Db,
    projects: Mutex<HashMap<ProjectKey, Arc<Project>>>,
    followers: Arc<AtomicUsize>,
    /// Somebody follows again after nobody did.
    begun: Notify,
    stopped: CancellationToken,
}

/// Ends with it: whoever holds it follows.
#[derive(Debug)]
pub struct Following {
    news: mpsc::Receiver<News>,
    followers: Arc<AtomicUsize>,
    stopped: CancellationToken,
}

impl Following {
    /// What comes next; none once the server stops.
    pub async fn next(&mut self) -> Option<News> {
        tokio::select! {
            biased;
            () = self.stopped.cancelled() => None,
            news = self.news.recv() => news,
        }
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.followers.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Live {
    /// Nobody follows yet. Starts the task that looks, so it must be called inside the runtime.
    pub fn start(db: Db) -> Self {
        let live = Self(Arc::new(Parts {
            db,
            projects: Mutex::default(),
            followers: Arc::default(),
            begun: Notify::new(),
            stopped: CancellationToken::new(),
        }));
        tokio::spawn(live.clone().look());
        live
    }

    /// Follows a project from a mark on.
    pub fn follow(&self, project: ProjectKey, wish: Wish, from: Mark) -> Result<Following, Full> {
        let followers = Arc::clone(&self.0.followers);
        if followers.fetch_add(1, Ordering::AcqRel) >= MOST {
            followers.fetch_sub(1, Ordering::AcqRel);
            return Err(Full);
        }
        let (tell, news) = mpsc::channel(WAITING);
        let follower = Follower::new(wish, from, tell);
        let mut projects = self.projects();
        let one = projects.entry(project).or_insert_with(|| {
            let one = Arc::new(Project::new(project));
            tokio::spawn(Arc::clone(&one).run(self.0.db.clone(), self.0.stopped.clone()));
            one
        });
        one.join(follower);
        drop(projects);
        self.0.begun.notify_one();
        Ok(Following {
            news,
            followers,
            stopped: self.0.stopped.clone(),
        })
    }

    /// How many follow.
    pub fn followers(&self) -> usize {
        self.0.followers.load(Ordering::Acquire)
    }

    /// Lets everybody go.
    pub fn stop(&self) {
        self.0.stopped.cancel();
    }

    /// Looks for as long as somebody follows, and tells each project how far it has been written.
    async fn look(self) {
        loop {
            let pause = match self.look_once().await {
                Ok(true) => LOOK,
                Ok(false) => {
                    tokio::select! {
                        () = self.0.stopped.cancelled() => return,
                        () = self.0.begun.notified() => continue,
                    }
                }
                Err(problem) => {
                    tracing::warn!(%problem, "who follows a list hears nothing: how far projects have been written cannot be read");
                    PAUSE
                }
            };
            tokio::select! {
                () = self.0.stopped.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Whether anybody follows.
    async fn look_once(&self) -> Result<bool, StoreError> {
        let followed: Vec<Arc<Project>> = {
            let mut projects = self.projects();
            projects.retain(|_, project| !project.close_if_left());
            projects.values().cloned().collect()
        };
        let keys: Vec<ProjectKey> = followed.iter().map(|project| project.key()).collect();
        if keys.is_empty() {
            return Ok(false);
        }
        let marks: HashMap<ProjectKey, Mark> = arrived::marks(&self.0.db, &keys).await?.into_iter().collect();
        for project in followed {
            project.reaches(marks.get(&project.key()).copied().unwrap_or_default());
        }
        Ok(true)
    }

    fn projects(&self) -> MutexGuard<'_, HashMap<ProjectKey, Arc<Project>>> {
        // A panic elsewhere leaves the map as good as it was.
        self.0.projects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

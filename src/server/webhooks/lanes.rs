//! The lanes of this process: one for each endpoint that it sends to, so that a dead one slows nobody.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, mpsc};

use super::attempt::Item;
use crate::server::store::projects::ProjectKey;

/// Which endpoint.
pub(super) type LaneKey = (ProjectKey, String);

/// What a lane is told.
#[derive(Debug)]
pub(super) enum Told {
    /// A sendout that was accepted just now.
    Hand(Item),
    /// Something may be due that it does not hold.
    Look,
    /// Something is due that it does not hold.
    Due,
    /// The endpoint was changed.
    Changed,
    /// A request has ended.
    Answered,
    /// What came of a sendout is stored; the schedule's next time, where there is one.
    Settled {
        /// Which.
        id: String,
        /// When it is due again.
        next_at: Option<i64>,
        /// Whether it could not be stored: it is still due.
        again: bool,
    },
}

/// The door to the lanes. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Lanes {
    doors: Arc<Mutex<HashMap<LaneKey, mpsc::UnboundedSender<Told>>>>,
    bell: Arc<Notify>,
}

impl Lanes {
    fn doors(&self) -> MutexGuard<'_, HashMap<LaneKey, mpsc::UnboundedSender<Told>>> {
        // A panic elsewhere leaves the map as good as it was.
        self.doors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells a lane something; false where this process has no such lane.
    pub(super) fn tell(&self, key: &LaneKey, told: Told) -> bool {
        self.doors().get(key).is_some_and(|door| door.send(told).is_ok())
    }

    /// Hands a sendout on. Without a lane for it here, whoever looks after lanes is woken.
    pub(super) fn hand(&self, project: ProjectKey, endpoint: &str, item: Item) {
        if !self.tell(&(project, endpoint.to_owned()), Told::Hand(item)) {
            self.ring();
        }
    }

    /// An endpoint was changed.
    pub(super) fn changed(&self, project: ProjectKey, endpoint: &str) {
        self.tell(&(project, endpoint.to_owned()), Told::Changed);
    }

    /// Something has become due to an endpoint otherwise than by being accepted.
    pub(super) fn due(&self, project: ProjectKey, endpoint: &str) {
        if !self.tell(&(project, endpoint.to_owned()), Told::Due) {
            self.ring();
        }
    }

    /// Something is due to every endpoint, for all that is known.
    pub(super) fn all_due(&self) {
        for door in self.doors().values() {
            // A lane that has ended looks for itself when it begins again.
            let _ended = door.send(Told::Due);
        }
    }

    /// Something may be due somewhere.
    pub(super) fn ring(&self) {
        self.bell.notify_one();
    }

    /// Waits until something may be due.
    pub(super) async fn rung(&self) {
        self.bell.notified().await;
    }

    /// Opens a lane's door; none where it is open already.
    pub(super) fn open(&self, key: &LaneKey) -> Option<(mpsc::UnboundedSender<Told>, mpsc::UnboundedReceiver<Told>)> {
        let mut doors = self.doors();
        if doors.get(key).is_some_and(|door| !door.is_closed()) {
            return None;
        }
        let (door, told) = mpsc::unbounded_channel();
        doors.insert(key.clone(), door.clone());
        Some((door, told))
    }

    /// Closes the doors of lanes that are not among these.
    pub(super) fn keep(&self, held: &[LaneKey]) -> Vec<LaneKey> {
        let mut doors = self.doors();
        let gone: Vec<LaneKey> = doors.keys().filter(|key| !held.contains(key)).cloned().collect();
        for key in &gone {
            doors.remove(key);
        }
        gone
    }

    /// Whether this process has such a lane.
    pub(super) fn has(&self, key: &LaneKey) -> bool {
        self.doors().contains_key(key)
    }

    /// Closes every door.
    pub(super) fn close(&self) {
        self.doors().clear();
    }
}

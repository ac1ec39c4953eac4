//! Webhooks: events are accepted with a sendout for each endpoint that wants them, in one transaction, and each is sent until the endpoint takes it.
//!
//! `writer` stores events and outcomes; `lanes` and `lane` send, one lane an endpoint; `sender` looks after the lanes of a process; `attempt`, `envelope`,
//! `sign`, `client`, `resolve` and `guard` make one request; `endpoints`, `events`, `sendouts` and `timeline` are what calls and pages ask for.

mod attempt;
mod bucket;
mod client;
pub mod endpoints;
mod envelope;
pub mod events;
mod guard;
mod lane;
mod lanes;
pub mod own;
mod resolve;
mod schedule;
mod sender;
pub mod sendouts;
mod sign;
mod target;
pub mod timeline;
mod writer;

pub use resolve::Lookup;
pub use sender::{Sender, SenderError, start, start_with};
pub use writer::AcceptError;

use std::sync::Arc;

use crate::server::clock::{Clock, Random};
use crate::server::secrets::InstanceKey;
use crate::server::store::Db;
use crate::server::store::projects::ProjectKey;

use lanes::Lanes;
use writer::{Writer, WriterParts};

/// The door to the webhooks' writer and lanes. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Webhooks {
    writer: Writer,
    lanes: Lanes,
}

impl Webhooks {
    /// Starts the writer; nothing is sent before [`start`].
    pub fn start(db: Db, clock: Clock, random: Random, key: Arc<InstanceKey>) -> Self {
        let lanes = Lanes::default();
        let parts = WriterParts {
            db,
            clock,
            random,
            key,
            lanes: lanes.clone(),
        };
        Self {
            writer: Writer::start(parts),
            lanes,
        }
    }

    /// Something may be due somewhere: events were stored with what they tell.
    pub fn ring(&self) {
        self.lanes.ring();
    }

    /// Sendouts to an endpoint have become due otherwise than by an event.
    pub fn due(&self, project: ProjectKey, endpoint: &str) {
        self.lanes.due(project, endpoint);
    }

    /// Writes what waits, then ends.
    pub async fn stop(&self) {
        self.writer.stop().await;
    }
}

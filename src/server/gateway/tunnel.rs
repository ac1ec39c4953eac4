//! What follows a change of protocol (WebSocket): bytes both ways, until either side ends. The handshake is recorded when it is over, with how much passed and how long it took.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::{HeaderMap, StatusCode};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use recorder::{Captured, Ending, Exchange, Held, Sink as _};
use tokio::io::copy_bidirectional;
use tokio_util::io::{InspectReader, InspectWriter};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::observe::{Handshake, Observer, Recording, Subject};

/// Everything that is open.
#[derive(Clone)]
pub(super) struct Tunnels {
    pub(super) observer: Observer,
    pub(super) open: TaskTracker,
    /// Ends them.
    pub(super) stop: CancellationToken,
}

/// Bytes that went by.
#[derive(Default)]
struct Passed {
    up: AtomicU64,
    down: AtomicU64,
}

impl Tunnels {
    /// Passes bytes on between both sides as soon as they have changed their protocol.
    pub(super) fn open(&self, near: OnUpgrade, far: OnUpgrade, recording: Option<&Recording>, answered: &HeaderMap) {
        let begun = recording.and_then(|recording| {
            // It is over when the tunnel is, not when its empty answer has gone out.
            recording.skip();
            let mut subject = Subject::default();
            recording.context(|known| subject = std::mem::take(known));
            Some((subject.handshake.take()?, subject))
        });
        let (stop, observer, answered) = (self.stop.clone(), self.observer.clone(), answered.clone());
        self.open.spawn(async move {
            let passed = Arc::<Passed>::default();
            let ending = tokio::select! {
                is_whole = pass(near, far, Arc::clone(&passed)) => if is_whole { Ending::Whole } else { Ending::Dropped },
                () = stop.cancelled() => Ending::Dropped,
            };
            if let Some((handshake, subject)) = begun {
                observer.record(exchange(*handshake, subject, answered, &passed, ending));
            }
        });
    }
}

/// Whether both sides ended as they should.
async fn pass(near: OnUpgrade, far: OnUpgrade, passed: Arc<Passed>) -> bool {
    let (near, far) = match tokio::try_join!(near, far) {
        Ok(both) => both,
        Err(error) => {
            tracing::debug!(%error, "a protocol was not changed after all");
            return false;
        }
    };
    let down = Arc::clone(&passed);
    let near = InspectReader::new(TokioIo::new(near), |bytes| {
        passed.up.fetch_add(bytes.len() as u64, Ordering::Relaxed);
    });
    let mut near = InspectWriter::new(near, move |bytes| {
        down.down.fetch_add(bytes.len() as u64, Ordering::Relaxed);
    });
    let ended = copy_bidirectional(&mut near, &mut TokioIo::new(far)).await;
    if let Err(error) = &ended {
        tracing::debug!(%error, "a tunnel broke");
    }
    ended.is_ok()
}

fn exchange(handshake: Handshake, subject: Subject, answered: HeaderMap, passed: &Passed, ending: Ending) -> Exchange<Subject> {
    let captured = |length: &AtomicU64| {
        let length = length.load(Ordering::Relaxed);
        Captured {
            length,
            ended: true,
            left_out: length > 0,
            ..Captured::default()
        }
    };
    Exchange {
        method: handshake.method,
        uri: handshake.uri,
        request_headers: handshake.headers,
        request: captured(&passed.up),
        status: Some(StatusCode::SWITCHING_PROTOCOLS),
        response_headers: answered,
        response: captured(&passed.down),
        duration: handshake.started.elapsed(),
        ending,
        context: subject,
        held: Held::default(),
    }
}

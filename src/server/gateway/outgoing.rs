//! A request's body on its way to the upstream. Where the client asked first whether it may send it, it waits for the upstream to say so.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::http::{Request, StatusCode};
use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use recorder::Watched;
use tokio::sync::Notify;

use super::interim::Interim;

/// An upstream that knows nothing of `Expect: 100-continue` says nothing: after so long the body is sent all the same (RFC 9110, 10.1.1).
const PATIENCE: Duration = Duration::from_secs(1);

/// A request's body. It is not asked for a byte before it may be sent: that is what tells the client to go on.
pub(super) struct Outgoing {
    inner: Watched<Incoming>,
    gate: Option<BoxFuture<'static, ()>>,
    broke: Broke,
}

/// Whether the client broke off its own request.
#[derive(Clone, Default)]
pub(super) struct Broke(Arc<AtomicBool>);

impl Broke {
    pub(super) fn is_so(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl Outgoing {
    pub(super) fn new(inner: Watched<Incoming>) -> (Self, Broke) {
        let broke = Broke::default();
        let body = Self {
            inner,
            gate: None,
            broke: broke.clone(),
        };
        (body, broke)
    }
}

/// Has a client told what the upstream says before it answers, and holds a body back, where it is to be, until the upstream has answered 100, or anything.
pub(super) fn tell_before(request: &mut Request<Outgoing>, interim: Option<Interim>, holds_back: bool) {
    if interim.is_none() && !holds_back {
        return;
    }
    let said = holds_back.then(|| Arc::new(Notify::new()));
    let told = said.clone();
    hyper::ext::on_informational(request, move |answer| match (answer.status(), &told, &interim) {
        (StatusCode::CONTINUE, Some(told), _) => told.notify_one(),
        (status, _, Some(interim)) => interim.say(status, answer.headers()),
        _ => {}
    });
    let Some(said) = said else { return };
    let gate = async move {
        // Nothing is to be done about an upstream that keeps silent.
        let _in_time = tokio::time::timeout(PATIENCE, said.notified()).await;
    };
    request.body_mut().gate = Some(gate.boxed());
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        if let Some(gate) = self.gate.as_mut() {
            ready!(gate.poll_unpin(cx));
            self.gate = None;
        }
        let polled = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        if matches!(polled, Some(Err(_))) {
            self.broke.0.store(true, Ordering::Release);
        }
        Poll::Ready(polled)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

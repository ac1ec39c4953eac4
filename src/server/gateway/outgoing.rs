//! A request's body on its way to the upstream. Where the client asked first whether it may send it, it waits for the upstream to say so.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::http::Request;
use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use recorder::Watched;
use tokio::sync::Notify;

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

/// Holds a request's body back until the upstream has answered 100, or anything.
pub(super) fn hold_back(request: &mut Request<Outgoing>) {
    let said = Arc::new(Notify::new());
    let told = Arc::clone(&said);
    hyper::ext::on_informational(request, move |answer| {
        if answer.status() == axum::http::StatusCode::CONTINUE {
            told.notify_one();
        }
    });
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

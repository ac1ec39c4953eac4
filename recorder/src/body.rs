//! A body that is watched while it passes.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::budget::{Budget, Share};
use crate::exchange::{Captured, Ending};

/// The bytes of a body, shared between the body that sees them pass and the exchange that they belong to.
#[derive(Clone, Debug)]
pub(crate) struct Seen(Arc<Mutex<(Captured, Share)>>);

impl Seen {
    /// Keeps what the budget has room for; everything where there is none.
    pub(crate) fn within(budget: Option<Budget>) -> Self {
        Self(Arc::new(Mutex::new((Captured::default(), Share::of(budget)))))
    }

    fn with<T>(&self, change: impl FnOnce(&mut Captured, &mut Share) -> T) -> T {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (seen, share) = &mut *kept;
        change(seen, share)
    }

    fn note(&self, chunk: &[u8], bound: usize) {
        self.with(|seen, share| {
            let room = bound.saturating_sub(seen.bytes.len());
            // Once something was left out, what comes after it would stand in its place.
            let wanted = if seen.truncated { 0 } else { chunk.len().min(room) };
            let kept = if share.grow(wanted) { wanted } else { 0 };
            seen.bytes.extend_from_slice(&chunk[..kept]);
            seen.length += chunk.len() as u64;
            seen.truncated |= chunk.len() > kept;
        });
    }

    fn ended(&self) {
        self.with(|seen, _| seen.ended = true);
    }

    /// What was seen until now, without its bytes where they are not wanted, and what it takes of the budget.
    pub(crate) fn take(&self, left_out: bool) -> (Captured, Share) {
        // Of a body that goes on after its exchange has ended nothing more is kept.
        let ended = Captured {
            truncated: true,
            ..Captured::default()
        };
        let (mut seen, share) = self.with(|seen, share| (std::mem::replace(seen, ended), std::mem::take(share)));
        if left_out && seen.length > 0 {
            seen = Captured {
                bytes: Vec::new(),
                truncated: false,
                left_out: true,
                ..seen
            };
        }
        (seen, share)
    }
}

/// What is done once when a body has ended, however it did.
pub(crate) type AtEnd = Box<dyn FnOnce(Ending) + Send>;

pin_project! {
    /// A body that passes through unchanged and is watched while it does.
    pub struct Watched<B>
    where
        B: Body,
    {
        #[pin]
        inner: B,
        watch: Option<Watch>,
    }

    impl<B> PinnedDrop for Watched<B>
    where
        B: Body,
    {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            // A body whose end is known is often not asked once more: its length was told beforehand, or it was empty.
            let whole = this.inner.is_end_stream() || this.inner.size_hint().exact() == Some(0);
            if let Some(watch) = this.watch.take() {
                watch.finish(if whole { Ending::Whole } else { Ending::Dropped });
            }
        }
    }
}

struct Watch {
    seen: Seen,
    bound: usize,
    at_end: Option<AtEnd>,
}

impl Watch {
    fn finish(self, ending: Ending) {
        if ending == Ending::Whole {
            self.seen.ended();
        }
        if let Some(at_end) = self.at_end {
            at_end(ending);
        }
    }
}

impl<B: Body> Watched<B> {
    pub(crate) fn new(inner: B, seen: Seen, bound: usize, at_end: Option<AtEnd>) -> Self {
        Self {
            inner,
            watch: Some(Watch { seen, bound, at_end }),
        }
    }

    /// Passes through without being watched.
    pub(crate) const fn unwatched(inner: B) -> Self {
        Self { inner, watch: None }
    }
}

impl<B> Body for Watched<B>
where
    B: Body<Data = Bytes>,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.project();
        let polled = ready!(this.inner.poll_frame(cx));
        match &polled {
            Some(Ok(frame)) => {
                if let (Some(chunk), Some(watch)) = (frame.data_ref(), this.watch.as_ref()) {
                    watch.seen.note(chunk.chunk(), watch.bound);
                }
            }
            Some(Err(_)) => {
                if let Some(watch) = this.watch.take() {
                    watch.finish(Ending::Failed);
                }
            }
            None => {
                if let Some(watch) = this.watch.take() {
                    watch.finish(Ending::Whole);
                }
            }
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

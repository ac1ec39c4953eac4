//! The layer, the service it makes, and the answer that is on its way.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::body::{AtEnd, Seen, Watched};
use crate::budget::{Budget, Held};
use crate::exchange::{Ending, Exchange, Sink};
use crate::own;
use crate::recording::Recording;

/// What is kept of each body where nobody said otherwise: 64 KiB.
const DEFAULT_BOUND: usize = 64 * 1024;

/// Records every exchange of the services below it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct RecorderLayer<K> {
    sink: K,
    bound: usize,
    budget: Option<Budget>,
}

impl<K: Sink> RecorderLayer<K> {
    /// Records into this sink.
    pub const fn new(sink: K) -> Self {
        Self {
            sink,
            bound: DEFAULT_BOUND,
            budget: None,
        }
    }

    /// Keeps at most so many bytes of each body; what is longer is `truncated`.
    #[must_use]
    pub const fn keeping(mut self, bytes: usize) -> Self {
        self.bound = bytes;
        self
    }

    /// Keeps no more of all bodies together, at once, than this budget allows; what does not fit is `truncated`.
    #[must_use]
    pub fn within(mut self, budget: Budget) -> Self {
        self.budget = Some(budget);
        self
    }
}

impl<K: Clone, S> Layer<S> for RecorderLayer<K> {
    type Service = Recorder<K, S>;

    fn layer(&self, inner: S) -> Self::Service {
        Recorder {
            sink: self.sink.clone(),
            bound: self.bound,
            budget: self.budget.clone(),
            inner,
        }
    }
}

/// A service whose exchanges are recorded.
#[derive(Clone, Debug)]
pub struct Recorder<K, S> {
    sink: K,
    bound: usize,
    budget: Option<Budget>,
    inner: S,
}

impl<K, S, A, B> Service<Request<A>> for Recorder<K, S>
where
    K: Sink,
    S: Service<Request<Watched<A>>, Response = Response<B>>,
    A: Body<Data = Bytes>,
    B: Body<Data = Bytes>,
{
    type Response = Response<Watched<B>>;
    type Error = S::Error;
    type Future = Answer<K, S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        let Some(context) = self.sink.begin(&parts) else {
            let request = Request::from_parts(parts, Watched::unwatched(body));
            return Answer {
                inner: self.inner.call(request),
                begun: None,
                bound: self.bound,
                budget: None,
            };
        };
        let bound = self.sink.keeping(&parts).unwrap_or(self.bound);
        let recording = Recording::new(context);
        parts.extensions.insert(recording.clone());
        let begun = Begun {
            sink: self.sink.clone(),
            started: Instant::now(),
            method: parts.method.clone(),
            uri: own::uri(&parts.uri),
            headers: own::headers(&parts.headers),
            request: Seen::within(self.budget.clone()),
            recording,
            open: true,
        };
        let body = Watched::new(body, begun.request.clone(), bound, None);
        Answer {
            inner: self.inner.call(Request::from_parts(parts, body)),
            begun: Some(begun),
            bound: self.bound,
            budget: self.budget.clone(),
        }
    }
}

/// An exchange whose answer has not come yet. Dropped while it is open, it says that whoever asked went away.
struct Begun<K: Sink> {
    sink: K,
    started: Instant,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    request: Seen,
    recording: Recording<K::Context>,
    open: bool,
}

impl<K: Sink> Begun<K> {
    fn end(&mut self, answer: Option<(StatusCode, HeaderMap, Seen)>, ending: Ending) {
        self.open = false;
        let mut said = self.recording.said();
        let (skipped, without_request, without_response) = (said.skipped, said.without_request, said.without_response);
        let context = said.context.take();
        drop(said);
        let (Some(context), false) = (context, skipped) else { return };
        let (status, response_headers, response) = answer.map_or_else(
            || (None, HeaderMap::new(), Seen::within(None)),
            |(status, headers, seen)| (Some(status), headers, seen),
        );
        let (request, of_request) = self.request.take(without_request);
        let (response, of_response) = response.take(without_response);
        self.sink.record(Exchange {
            method: std::mem::take(&mut self.method),
            uri: std::mem::take(&mut self.uri),
            request_headers: std::mem::take(&mut self.headers),
            request,
            status,
            response_headers,
            response,
            duration: self.started.elapsed(),
            ending,
            context,
            held: Held::new(of_request, of_response),
        });
    }
}

impl<K: Sink> Drop for Begun<K> {
    fn drop(&mut self) {
        if self.open {
            self.end(None, Ending::Dropped);
        }
    }
}

pin_project! {
    /// The answer of a service whose exchanges are recorded.
    pub struct Answer<K, F>
    where
        K: Sink,
    {
        #[pin]
        inner: F,
        begun: Option<Begun<K>>,
        bound: usize,
        budget: Option<Budget>,
    }
}

impl<K, F, B, E> Future for Answer<K, F>
where
    K: Sink,
    F: Future<Output = Result<Response<B>, E>>,
    B: Body<Data = Bytes>,
{
    type Output = Result<Response<Watched<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answered = ready!(this.inner.poll(cx));
        let begun = this.begun.take();
        Poll::Ready(match (answered, begun) {
            (Ok(response), None) => Ok(response.map(Watched::unwatched)),
            (Ok(response), Some(mut begun)) => {
                let (parts, body) = response.into_parts();
                let seen = Seen::within(this.budget.take());
                let (status, headers, answer) = (parts.status, own::headers(&parts.headers), seen.clone());
                let at_end: AtEnd = Box::new(move |ending| begun.end(Some((status, headers, answer)), ending));
                Ok(Response::from_parts(
                    parts,
                    Watched::new(body, seen, *this.bound, Some(at_end)),
                ))
            }
            (Err(error), begun) => {
                if let Some(mut begun) = begun {
                    begun.end(None, Ending::Failed);
                }
                Err(error)
            }
        })
    }
}

//! One request and its answer, as they went by, and who wants to know.

use std::time::Duration;

use http::request::Parts;
use http::{HeaderMap, Method, StatusCode, Uri};

use crate::budget::Held;

/// Where exchanges go.
pub trait Sink: Clone + Send + Sync + 'static {
    /// What is known of an exchange besides what went by: whose it is, who did it. Handlers add to it.
    type Context: Send + 'static;

    /// What is known before anybody has handled the request; none where it should not be recorded. Nothing is captured then.
    fn begin(&self, request: &Parts) -> Option<Self::Context>;

    /// How many bytes of the request's body are kept, where that is not what the layer keeps: of a file that is wanted whole, say.
    fn keeping(&self, request: &Parts) -> Option<usize> {
        let _ = request;
        None
    }

    /// Takes an exchange that has ended. Called from wherever the answer's body was dropped: it must not block.
    fn record(&self, exchange: Exchange<Self::Context>);
}

/// How an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The answer went out to its last byte.
    Whole,
    /// Whoever asked went away before the answer had ended, or before it had begun (there is no status then).
    Dropped,
    /// The service, or the answer's body, failed.
    Failed,
}

/// What was seen of a body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captured {
    /// Its first bytes, at most as many as the layer keeps and has room for. Empty where a handler said that it should not be captured.
    pub bytes: Vec<u8>,
    /// How many bytes went by.
    pub length: u64,
    /// More went by than was kept.
    pub truncated: bool,
    /// It ended, rather than being left half way.
    pub ended: bool,
    /// A handler said that it should not be captured.
    pub left_out: bool,
}

/// One request and its answer.
#[derive(Clone, Debug)]
pub struct Exchange<C> {
    /// The request's method.
    pub method: Method,
    /// The request's URI, as the service saw it.
    pub uri: Uri,
    /// The request's headers.
    pub request_headers: HeaderMap,
    /// The request's body, as far as the handler read it.
    pub request: Captured,
    /// The answer's status; none where no answer came.
    pub status: Option<StatusCode>,
    /// The answer's headers.
    pub response_headers: HeaderMap,
    /// The answer's body.
    pub response: Captured,
    /// From the request's head to the end of the answer's body.
    pub duration: Duration,
    /// How it ended.
    pub ending: Ending,
    /// What the sink and the handlers said about it.
    pub context: C,
    /// What its bodies take of the layer's budget, until it is dropped.
    pub held: Held,
}

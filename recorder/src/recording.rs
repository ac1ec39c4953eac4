//! The handle that handlers have on the recording of their own request.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What handlers said about an exchange so far.
#[derive(Debug)]
pub(crate) struct Said<C> {
    pub(crate) context: Option<C>,
    pub(crate) skipped: bool,
    pub(crate) without_request: bool,
    pub(crate) without_response: bool,
}

/// The recording of a request, in the request's extensions. Cheap to clone; every clone speaks of the same exchange.
#[derive(Debug)]
pub struct Recording<C>(pub(crate) Arc<Mutex<Said<C>>>);

impl<C> Clone for Recording<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<C> Recording<C> {
    pub(crate) fn new(context: C) -> Self {
        Self(Arc::new(Mutex::new(Said {
            context: Some(context),
            skipped: false,
            without_request: false,
            without_response: false,
        })))
    }

    /// Adds to what is known of the exchange. Does nothing once the exchange has ended.
    pub fn context(&self, change: impl FnOnce(&mut C)) {
        if let Some(context) = self.said().context.as_mut() {
            change(context);
        }
    }

    /// Leaves the exchange out altogether.
    pub fn skip(&self) {
        self.said().skipped = true;
    }

    /// Leaves the answer's body out: it is records or a file, kept elsewhere already.
    pub fn not_captured(&self) {
        self.said().without_response = true;
    }

    /// Leaves the request's body out.
    pub fn request_not_captured(&self) {
        self.said().without_request = true;
    }

    /// A panic in a handler's closure leaves nothing half said that matters here.
    pub(crate) fn said(&self) -> MutexGuard<'_, Said<C>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

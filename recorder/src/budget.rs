//! How much may be kept of bodies at once, over all exchanges together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that may be kept at once. Cheap to clone; every clone speaks of the same bytes.
#[derive(Clone, Debug)]
pub struct Budget(Arc<AtomicUsize>);

impl Budget {
    /// So many bytes.
    pub fn of(bytes: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(bytes)))
    }

    /// Bytes that are free.
    pub fn free(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }

    /// Takes so many bytes, or none where there are fewer.
    fn take(&self, bytes: usize) -> bool {
        let taken = self
            .0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |free| free.checked_sub(bytes));
        taken.is_ok()
    }
}

/// What one body takes of a budget, given back when it is dropped. Without a budget everything fits.
#[derive(Debug, Default)]
pub(crate) struct Share {
    budget: Option<Budget>,
    bytes: usize,
}

impl Share {
    pub(crate) const fn of(budget: Option<Budget>) -> Self {
        Self { budget, bytes: 0 }
    }

    /// Whether so many bytes more may be kept; they are taken then.
    pub(crate) fn grow(&mut self, bytes: usize) -> bool {
        let Some(budget) = &self.budget else { return true };
        let fits = budget.take(bytes);
        if fits {
            self.bytes += bytes;
        }
        fits
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if let Some(budget) = &self.budget {
            budget.0.fetch_add(self.bytes, Ordering::AcqRel);
        }
    }
}

/// What an exchange takes of its layer's [`Budget`] until the last clone of it is dropped.
#[derive(Clone, Debug, Default)]
pub struct Held(#[allow(dead_code, reason = "it is there to be dropped")] Option<Arc<[Share; 2]>>);

impl Held {
    pub(crate) fn new(request: Share, response: Share) -> Self {
        Self(Some(Arc::new([request, response])))
    }
}

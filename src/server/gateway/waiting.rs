//! Exchanges that have ended and wait in memory for the scribe, within a bound. Whoever passes requests on puts them here and goes on; the scribe takes all that there are at once, so that
//! the same memory, which the processors still have at hand, is used again and again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, Thread};
use std::time::Duration;

use super::observe::Ended;

/// Exchanges that wait at most, whatever they weigh.
const MAX_WAITING: usize = 1 << 16;

/// The exchanges, between those who put them in and the one who takes them.
pub(super) struct Waiting {
    bound: usize,
    state: Mutex<State>,
    scribe: OnceLock<Thread>,
    /// Whether the scribe wants to be woken: that costs more than the exchange itself.
    is_asleep: AtomicBool,
}

#[derive(Default)]
struct State {
    ended: Vec<Ended>,
    /// Bytes of those, and of those that were taken and are not done yet.
    weight: usize,
    is_over: bool,
}

/// Why an exchange was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoPlace {
    /// There is no room for it.
    Full,
    /// Nobody takes any more.
    Over,
}

impl Waiting {
    /// Room for so many bytes.
    pub(super) fn within(bound: usize) -> Self {
        Self {
            bound,
            state: Mutex::default(),
            scribe: OnceLock::new(),
            is_asleep: AtomicBool::new(false),
        }
    }

    /// Puts one in; nobody waits here.
    pub(super) fn put(&self, ended: Ended) -> Result<(), NoPlace> {
        let mut state = self.state();
        if state.is_over {
            return Err(NoPlace::Over);
        }
        if state.weight + ended.weight > self.bound || state.ended.len() >= MAX_WAITING {
            return Err(NoPlace::Full);
        }
        state.weight += ended.weight;
        state.ended.push(ended);
        drop(state);
        if self.is_asleep.load(Ordering::Acquire) && self.is_asleep.swap(false, Ordering::AcqRel) {
            self.scribe.get().map(Thread::unpark);
        }
        Ok(())
    }

    /// Takes all that wait, in their order, into an empty list. Their place is theirs until [`Self::done`] gives it up.
    pub(super) fn take_all(&self, into: &mut Vec<Ended>) {
        std::mem::swap(&mut self.state().ended, into);
    }

    /// Gives up the place of what was taken.
    pub(super) fn done(&self, weight: usize) {
        let mut state = self.state();
        state.weight = state.weight.saturating_sub(weight);
    }

    /// Nothing is taken from now on.
    pub(super) fn close(&self) {
        self.state().is_over = true;
    }

    /// Waits until there is one, or for so long. Only the scribe's thread may.
    pub(super) fn wait(&self, patience: Duration) {
        self.scribe.get_or_init(thread::current);
        self.is_asleep.store(true, Ordering::SeqCst);
        // Whoever came before that has woken nobody.
        if self.state().ended.is_empty() {
            thread::park_timeout(patience);
        }
        self.is_asleep.store(false, Ordering::Release);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves it as good as it was.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

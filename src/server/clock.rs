//! Time and randomness, passed in wherever they are needed, so that tests can hold them.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha12Rng;

use crate::model::id::{self, IdKind};

/// Clocks of machines that work together differ by less than this, in milliseconds. What the database has from later than that was written by a clock that was
/// ahead, and has been set back since.
pub const LEAP_MS: i64 = 60_000;

/// Where the time comes from.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// A clock that a test sets.
    Held(Arc<AtomicI64>),
    /// The machine's clock and so many milliseconds: for a test that lets days pass while the rest runs on.
    Shifted(Arc<AtomicI64>),
}

impl Clock {
    /// Milliseconds since 1970, UTC.
    #[allow(clippy::disallowed_methods, reason = "the one place that asks the machine for the time")]
    pub fn now_ms(&self) -> i64 {
        match self {
            Self::System => jiff::Timestamp::now().as_millisecond(),
            Self::Held(now) => now.load(Ordering::SeqCst),
            Self::Shifted(by) => Self::System.now_ms() + by.load(Ordering::SeqCst),
        }
    }

    /// Time that has passed since some moment before: it goes on evenly where somebody sets the machine's clock.
    pub fn steady(&self) -> Duration {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        let held = |ms: &AtomicI64| Duration::from_millis(ms.load(Ordering::SeqCst).max(0).unsigned_abs());
        match self {
            Self::System => START.elapsed(),
            Self::Held(now) => held(now),
            Self::Shifted(by) => START.elapsed() + held(by),
        }
    }
}

/// Where randomness comes from: a cipher's stream, seeded by the machine or by a test.
#[derive(Clone, Debug)]
pub struct Random(Arc<Mutex<ChaCha12Rng>>);

impl Random {
    /// Seeded by the operating system.
    pub fn system() -> Self {
        Self(Arc::new(Mutex::new(ChaCha12Rng::from_os_rng())))
    }

    /// The same numbers for the same seed.
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(ChaCha12Rng::seed_from_u64(seed))))
    }

    /// Fills a buffer.
    pub fn fill(&self, buffer: &mut [u8]) {
        // A panic elsewhere leaves the stream as good as it was.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(buffer);
    }

    /// So many random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut buffer = [0; N];
        self.fill(&mut buffer);
        buffer
    }

    /// A new id that carries `time_ms`.
    pub fn id(&self, kind: IdKind, time_ms: i64) -> String {
        id::encode(kind, time_ms, self.bytes())
    }
}

//! Whether the machine has a processor to spare, as a thread feels it: it could have run, and had to wait.

use std::time::Duration;

/// How long a thread that had to wait leaves the processors to others, as a multiple of how long it was at work: it then takes a fifth of the time.
const REST: u32 = 4;
/// The longest rest.
const LONGEST_REST: Duration = Duration::from_secs(2);

/// What a thread has had of the processors since it began, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Had {
    ran: u64,
    waited: u64,
}

impl Had {
    /// This thread's; none where the system does not tell.
    pub(super) fn here() -> Option<Self> {
        Self::read(&std::fs::read_to_string("/proc/thread-self/schedstat").ok()?)
    }

    /// Linux tells of time run and time waited, in this order (Documentation/scheduler/sched-stats.rst of its source).
    fn read(text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        let mut next = || words.next()?.parse().ok();
        Some(Self {
            ran: next()?,
            waited: next()?,
        })
    }

    /// How long to rest after work that took so long since then: not at all, where the thread ran for more of it than it waited.
    pub(super) fn rest_since(self, before: Self, worked: Duration) -> Duration {
        let since = |now: u64, before: u64| now.saturating_sub(before);
        if since(self.waited, before.waited) <= since(self.ran, before.ran) {
            return Duration::ZERO;
        }
        (worked * REST).min(LONGEST_REST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_linux_tells_is_read() {
        assert_eq!(
            Had::read("845381 316036 4\n"),
            Some(Had {
                ran: 845_381,
                waited: 316_036
            })
        );
        assert_eq!(Had::read("845381"), None);
        assert_eq!(Had::read("x 1 2"), None);
        let before = Had::here().expect("Linux tells it, unless it was built without");
        let begun = std::time::Instant::now();
        while Had::here().unwrap().ran <= before.ran {
            assert!(begun.elapsed() < Duration::from_secs(10), "this thread has run since");
        }
    }

    #[test]
    fn whoever_waited_for_longer_than_it_ran_rests() {
        let before = Had { ran: 100, waited: 50 };
        let after = |ran: u64, waited: u64| Had {
            ran: 100 + ran,
            waited: 50 + waited,
        };
        let work = Duration::from_millis(30);
        assert_eq!(after(10, 10).rest_since(before, work), Duration::ZERO);
        assert_eq!(after(10, 11).rest_since(before, work), Duration::from_millis(120));
        assert_eq!(after(1, 2).rest_since(before, Duration::from_mins(5)), LONGEST_REST);
    }
}

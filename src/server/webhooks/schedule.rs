//! When a sendout that did not get through is sent again.

use crate::server::clock::Random;

/// The longest that a `Retry-After` is honoured, in milliseconds.
const MAX_RETRY_AFTER_MS: i64 = 24 * 60 * 60 * 1_000;
/// A wait is longer than its step by up to one part in so many, so that what failed together does not come back together.
const JITTER: i64 = 10;

/// The waits before each retry, in seconds; one retry a wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Schedule(Vec<u32>);

impl Schedule {
    /// A schedule of these waits.
    pub(super) const fn new(waits_s: Vec<u32>) -> Self {
        Self(waits_s)
    }

    /// When the next try is, after `tries` of the schedule's own that failed, the last at `now_ms`; none once the retries are used up.
    pub(super) fn next(&self, tries: u32, now_ms: i64, retry_after_ms: Option<i64>, random: &Random) -> Option<i64> {
        let wait_s = self.0.get(tries.checked_sub(1)? as usize)?;
        let wait_ms = i64::from(*wait_s) * 1_000;
        let share = i64::from(u32::from_be_bytes(random.bytes()));
        let jitter = (wait_ms / JITTER) * share / i64::from(u32::MAX);
        let asked = retry_after_ms.unwrap_or(0).clamp(0, MAX_RETRY_AFTER_MS);
        Some(now_ms + asked.max(wait_ms + jitter))
    }
}

/// Milliseconds that a `Retry-After` asks for: seconds, or an HTTP date.
pub(super) fn retry_after_ms(value: &str, now_ms: i64) -> Option<i64> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u32>() {
        return Some(i64::from(seconds) * 1_000);
    }
    let date = jiff::fmt::rfc2822::parse(value).ok()?;
    Some((date.timestamp().as_millisecond() - now_ms).max(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::config::Config;

    #[test]
    fn twelve_retries_double_from_a_minute_to_a_day() {
        let schedule = Schedule::new(Config::default().webhook_schedule);
        let random = Random::seeded(1);
        let mut minutes = 1;
        for tries in 1..=12 {
            let step = minutes.min(24 * 60) * 60_000;
            let wait = schedule.next(tries, 0, None, &random).unwrap();
            assert!((step..=step + step / JITTER).contains(&wait), "{tries}: {wait}");
            minutes *= 2;
        }
        assert_eq!(schedule.next(13, 0, None, &random), None);
    }

    #[test]
    fn retry_after_is_waited_for_up_to_a_day() {
        let schedule = Schedule::new(vec![60]);
        let random = Random::seeded(1);
        assert_eq!(schedule.next(1, 0, Some(600_000), &random), Some(600_000));
        assert_eq!(schedule.next(1, 0, Some(i64::MAX), &random), Some(MAX_RETRY_AFTER_MS));
        assert!(
            schedule.next(1, 0, Some(1), &random).unwrap() >= 60_000,
            "never sooner than the schedule"
        );
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(retry_after_ms("120", 0), Some(120_000));
        assert_eq!(retry_after_ms("Thu, 01 Jan 1970 00:00:10 GMT", 4_000), Some(6_000));
        assert_eq!(retry_after_ms("Thu, 01 Jan 1970 00:00:10 GMT", 20_000), Some(0));
        assert_eq!(retry_after_ms("soon", 0), None);
    }
}

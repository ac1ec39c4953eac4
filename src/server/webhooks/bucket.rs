//! A rate limit: tokens that come back evenly, a tenth of a second's worth at most kept.

use std::time::Duration;

use tokio::time::Instant;

/// Tokens.
#[derive(Debug, Default)]
pub(super) struct Bucket {
    per_second: Option<u32>,
    tokens: f64,
    at: Option<Instant>,
}

impl Bucket {
    /// Sets the limit; none for as many as there are.
    pub(super) fn limit(&mut self, per_second: Option<u32>, now: Instant) {
        if self.per_second != per_second {
            *self = Self {
                per_second,
                tokens: 1.0,
                at: Some(now),
            };
        }
    }

    fn fill(&mut self, now: Instant) -> f64 {
        let rate = f64::from(self.per_second.unwrap_or(1).max(1));
        if let Some(at) = self.at.replace(now) {
            let came = now.saturating_duration_since(at).as_secs_f64() * rate;
            self.tokens = (self.tokens + came).min((rate / 10.0).max(1.0));
        }
        rate
    }

    /// Takes a token; false where there is none.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        if self.per_second.is_none() {
            return true;
        }
        self.fill(now);
        if self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        true
    }

    /// How long until there is a token.
    pub(super) fn wait(&mut self, now: Instant) -> Duration {
        if self.per_second.is_none() {
            return Duration::ZERO;
        }
        let rate = self.fill(now);
        Duration::from_secs_f64(((1.0 - self.tokens) / rate).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_the_limit_a_second() {
        let start = Instant::now();
        let mut bucket = Bucket::default();
        bucket.limit(Some(20), start);
        let taken = (0..2_000)
            .filter(|ms| bucket.take(start + Duration::from_millis(*ms)))
            .count();
        assert!((40..=42).contains(&taken), "{taken}");
        assert!(bucket.wait(start + Duration::from_secs(2)) <= Duration::from_millis(50));
    }

    #[test]
    fn without_a_limit_nothing_waits() {
        let mut bucket = Bucket::default();
        assert!((0..1_000).all(|_| bucket.take(Instant::now())));
    }
}

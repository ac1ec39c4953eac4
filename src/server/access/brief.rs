//! Remembers a little, for seconds: who came in lately, what a project masks; so that not every call asks the database.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// What is known for at most `keep_ms`, and of at most `capacity` things.
#[derive(Debug)]
pub(in crate::server) struct Brief<K, V> {
    keep_ms: i64,
    capacity: usize,
    known: Mutex<HashMap<K, (i64, V)>>,
}

impl<K: Eq + Hash, V: Clone> Brief<K, V> {
    pub(in crate::server) fn new(keep_ms: i64, capacity: usize) -> Self {
        Self {
            keep_ms,
            capacity,
            known: Mutex::new(HashMap::new()),
        }
    }

    pub(in crate::server) fn get(&self, key: &K, now_ms: i64) -> Option<V> {
        let known = self.lock();
        let (since, value) = known.get(key)?;
        self.is_fresh(*since, now_ms).then(|| value.clone())
    }

    /// Remembers what was read from the database at `now_ms` (the time before it was asked, so that a change since is never hidden for longer).
    pub(in crate::server) fn put(&self, key: K, value: V, now_ms: i64) {
        let mut known = self.lock();
        if known.len() >= self.capacity {
            known.retain(|_, (since, _)| self.is_fresh(*since, now_ms));
            if known.len() >= self.capacity {
                known.clear();
            }
        }
        known.insert(key, (now_ms, value));
    }

    pub(in crate::server) fn forget_if(&self, mut gone: impl FnMut(&K) -> bool) {
        self.lock().retain(|key, _| !gone(key));
    }

    /// A clock that was set back must not keep anything alive.
    fn is_fresh(&self, since: i64, now_ms: i64) -> bool {
        (0..self.keep_ms).contains(&now_ms.saturating_sub(since))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<K, (i64, V)>> {
        // Whoever panicked left the map whole: every change is one call.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_forgotten_in_time() {
        let brief = Brief::new(3_000, 10);
        brief.put(1, "a", 10_000);
        assert_eq!(brief.get(&1, 12_999), Some("a"));
        assert_eq!(brief.get(&1, 13_000), None);
        assert_eq!(brief.get(&1, 9_999), None, "the clock went back");
        assert_eq!(brief.get(&2, 10_000), None);
    }

    #[test]
    fn it_never_grows_past_its_bound() {
        let brief = Brief::new(3_000, 10);
        for key in 0..100 {
            brief.put(key, (), 0);
        }
        assert!(brief.lock().len() <= 10);
        assert_eq!(brief.get(&99, 0), Some(()));
    }

    #[test]
    fn some_can_be_forgotten_at_once() {
        let brief = Brief::new(3_000, 10);
        brief.put(1, (), 0);
        brief.put(2, (), 0);
        brief.forget_if(|key| *key == 1);
        assert_eq!(brief.get(&1, 0), None);
        assert_eq!(brief.get(&2, 0), Some(()));
    }
}

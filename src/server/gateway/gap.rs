//! What was not recorded: how many exchanges, between which times, and why. It is told as a log of its own, once there is room for one.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::spool::record::Record;
use crate::model::zone::rfc3339_milli;

/// The method that such a log has.
pub const METHOD: &str = "GAP";
/// The path that it has.
pub const PATH: &str = "/gateway/not-recorded";

/// Why something was not recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Reason {
    /// More had ended than memory held.
    #[serde(rename = "memory full")]
    Memory,
    /// The spool was full.
    #[serde(rename = "spool full")]
    Spool,
    /// The spool could not be written.
    #[serde(rename = "spool not writable")]
    Disk,
    /// The spool could not be read again.
    #[serde(rename = "spool damaged")]
    Damaged,
    /// The gateway ended before it was on disk: killed, or the machine was. Counted to some hundredths of a second before that: there may be more.
    #[serde(rename = "gateway killed")]
    Killed,
    /// It ended after the gateway had been told to stop.
    #[serde(rename = "gateway stopped")]
    Stopped,
    /// The store did not take it.
    #[serde(rename = "refused by the store")]
    Refused,
}

impl Reason {
    /// The word that metrics have.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Spool => "spool",
            Self::Disk => "disk",
            Self::Damaged => "damaged",
            Self::Killed => "killed",
            Self::Stopped => "stopped",
            Self::Refused => "refused",
        }
    }
}

/// One gap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Gap {
    /// Of the first that is missing, in milliseconds since 1970.
    pub(super) from: i64,
    /// Of the last.
    pub(super) to: i64,
    /// How many, by the reason.
    pub(super) missing: BTreeMap<Reason, u64>,
}

impl Gap {
    pub(super) fn of(now_ms: i64, reason: Reason, missing: u64) -> Self {
        Self {
            from: now_ms,
            to: now_ms,
            missing: BTreeMap::from([(reason, missing)]),
        }
    }

    fn add(&mut self, now_ms: i64, reason: Reason, missing: u64) {
        (self.from, self.to) = (self.from.min(now_ms), self.to.max(now_ms));
        *self.missing.entry(reason).or_default() += missing;
    }

    /// How many are missing in all.
    pub(super) fn count(&self) -> u64 {
        self.missing.values().sum()
    }

    /// The log that tells of it, under this id.
    pub(super) fn record(&self, id: &str) -> Record {
        let entry = json!({
            "id": id,
            "created_at": self.from,
            "method": METHOD,
            "url": PATH,
            "status_code": null,
            "channel": "GATEWAY",
            "request_duration": self.to - self.from,
            "resource": { "type": "gap", "id": id },
            "notes": ["not captured"],
            "response": {
                "content_type": "application/json",
                "body": {
                    "not_recorded": self.count(),
                    "from": rfc3339_milli(self.from),
                    "to": rfc3339_milli(self.to),
                    "reasons": self.missing,
                },
            },
        });
        Record {
            entry: entry.to_string(),
            file: None,
        }
    }
}

/// The gap that has not been told yet.
#[derive(Default)]
pub(super) struct Gaps {
    open: Mutex<Option<Gap>>,
    /// Exchanges that were missing before they came to the scribe.
    turned_away: AtomicU64,
}

impl Gaps {
    /// Notes that something is missing.
    pub(super) fn add(&self, now_ms: i64, reason: Reason, missing: u64) {
        metrics::counter!("gateway_records_dropped_total", "reason" => reason.label()).increment(missing);
        match &mut *self.open() {
            Some(gap) => gap.add(now_ms, reason, missing),
            none => *none = Some(Gap::of(now_ms, reason, missing)),
        }
    }

    /// Notes that an exchange is missing, which the scribe never saw.
    pub(super) fn turn_away(&self, now_ms: i64, reason: Reason) {
        self.add(now_ms, reason, 1);
        self.turned_away.fetch_add(1, Ordering::Release);
    }

    /// How many those were.
    pub(super) fn turned_away(&self) -> u64 {
        self.turned_away.load(Ordering::Acquire)
    }

    /// Goes on with a gap that was kept when the gateway ended; it was counted then.
    pub(super) fn restore(&self, gap: Gap) {
        *self.open() = Some(gap);
    }

    /// The gap as it is.
    pub(super) fn current(&self) -> Option<Gap> {
        self.open().clone()
    }

    /// It was told; what came on top meanwhile stays.
    pub(super) fn told(&self, told: &Gap) {
        let mut open = self.open();
        let Some(gap) = &mut *open else { return };
        for (reason, missing) in &told.missing {
            if let Some(left) = gap.missing.get_mut(reason) {
                *left = left.saturating_sub(*missing);
            }
        }
        gap.missing.retain(|_, left| *left > 0);
        if gap.missing.is_empty() {
            *open = None;
        } else {
            gap.from = told.to.max(gap.from);
        }
    }

    fn open(&self) -> MutexGuard<'_, Option<Gap>> {
        // A panic elsewhere leaves the gap as good as it was.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_grows_until_it_is_told() {
        let gaps = Gaps::default();
        assert!(gaps.current().is_none());
        gaps.add(2_000, Reason::Spool, 3);
        gaps.add(1_000, Reason::Memory, 1);
        let gap = gaps.current().unwrap();
        assert_eq!((gap.from, gap.to, gap.count()), (1_000, 2_000, 4));
        gaps.add(5_000, Reason::Spool, 2);
        gaps.told(&gap);
        let rest = gaps.current().unwrap();
        assert_eq!((rest.from, rest.to, rest.count()), (2_000, 5_000, 2));
        gaps.told(&rest);
        assert!(gaps.current().is_none());
    }

    #[test]
    fn a_gap_is_kept_as_it_is() {
        let mut gap = Gap::of(7, Reason::Killed, 1);
        gap.add(9, Reason::Spool, 2);
        let text = serde_json::to_string(&gap).unwrap();
        assert!(text.contains("spool full"), "{text}");
        assert_eq!(serde_json::from_str::<Gap>(&text).unwrap(), gap);
    }

    #[test]
    fn its_log_says_how_many_between_when() {
        let log: serde_json::Value = serde_json::from_str(&Gap::of(0, Reason::Spool, 12).record("gap_1").entry).unwrap();
        assert_eq!(log["response"]["body"]["not_recorded"], 12);
        assert_eq!(log["response"]["body"]["reasons"]["spool full"], 12);
        assert_eq!(log["response"]["body"]["from"], "1970-01-01T00:00:00.000Z");
    }
}

//! How long a project's logs are kept: what somebody chose, what is in force, where it cuts, and what a purge deleted.

use serde::{Deserialize, Serialize};

use super::format;
use super::log::Origin;

/// Milliseconds of a day: days are counted from the moment of the purge, not by a calendar.
pub const DAY_MS: i64 = 86_400_000;
/// Six months.
pub const HALF_YEAR: u32 = 183;
/// Twelve months.
pub const YEAR: u32 = 365;
/// Days that the log of the log is kept at least, whatever a project chose: a year, leap years too, so that nobody in a project can be rid of what they did
/// in it before the year is over.
pub const OWN_DAYS: u32 = 366;
/// The most days that a project can choose.
pub const MOST_DAYS: u32 = 3_650;
/// Days that an export's file is kept after it was made.
pub const FILE_DAYS: u32 = 90;

/// What somebody chose for a project.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// Days that logs are kept, 1 to [`MOST_DAYS`]; `None` for what the instance says.
    pub logs_days: Option<u32>,
    /// Days that what logs say is kept, no more than the logs' own; `None` for as long as the logs.
    pub bodies_days: Option<u32>,
}

/// What holds for a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Days that logs are kept; `None` for ever.
    pub logs_days: Option<u32>,
    /// Days that what they say is kept; `None` for as long as the logs.
    pub bodies_days: Option<u32>,
}

/// Where a retention cuts, in milliseconds since 1970: what is older goes, what is of this very millisecond stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Logs before this go.
    pub logs: i64,
    /// What logs before this say goes; never before `logs`.
    pub bodies: i64,
}

/// Where it cuts for each origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cuts {
    /// Logs that applications sent.
    pub application: Cut,
    /// What this service recorded of itself.
    pub own: Cut,
}

impl Choice {
    /// Why it cannot be chosen, in words. `instance_days` are the instance's own, 0 for ever.
    pub fn check(self, instance_days: u32) -> Result<(), String> {
        let is_possible = |days: u32| (1..=MOST_DAYS).contains(&days);
        if self.logs_days.is_some_and(|days| !is_possible(days)) {
            return Err(format!(
                "logs_days: logs are kept 1 to {} days",
                format::count(MOST_DAYS.into())
            ));
        }
        let Some(bodies) = self.bodies_days else { return Ok(()) };
        if !is_possible(bodies) {
            return Err(format!(
                "bodies_days: bodies are kept 1 to {} days",
                format::count(MOST_DAYS.into())
            ));
        }
        match Kept::of(
            Self {
                bodies_days: None,
                ..self
            },
            instance_days,
        )
        .logs_days
        {
            Some(logs) if bodies > logs => Err(format!(
                "bodies_days: bodies cannot be kept for longer than their logs, {}",
                days(logs)
            )),
            _ => Ok(()),
        }
    }
}

impl Kept {
    /// What holds where this was chosen. `instance_days` are the instance's own, 0 for ever.
    pub fn of(choice: Choice, instance_days: u32) -> Self {
        let logs_days = choice.logs_days.or(Some(instance_days).filter(|days| *days > 0));
        // An instance that keeps logs for less than it did takes bodies along.
        let bodies_days = choice
            .bodies_days
            .filter(|bodies| logs_days.is_none_or(|logs| *bodies < logs));
        Self { logs_days, bodies_days }
    }

    /// How long logs are kept, in milliseconds; `i64::MAX` for ever.
    pub fn logs_ms(self) -> i64 {
        self.logs_days.map_or(i64::MAX, |days| i64::from(days) * DAY_MS)
    }

    /// How many days the log of the log is kept, and what it says: as long as the other logs, and [`OWN_DAYS`] at least; `None` for ever.
    pub fn own_days(self) -> Option<u32> {
        self.logs_days.map(|days| days.max(OWN_DAYS))
    }

    /// Where it cuts at a moment.
    pub fn cuts(self, now_ms: i64) -> Cuts {
        let before = |days: Option<u32>| days.map_or(i64::MIN, |days| now_ms.saturating_sub(i64::from(days) * DAY_MS));
        let (logs, own) = (before(self.logs_days), before(self.own_days()));
        Cuts {
            application: Cut {
                logs,
                bodies: before(self.bodies_days).max(logs),
            },
            own: Cut { logs: own, bodies: own },
        }
    }

    /// Where it cuts in a project that was deleted: of what applications sent nothing is left.
    pub fn cuts_once_deleted(self, now_ms: i64) -> Cuts {
        Cuts {
            application: Cut {
                logs: i64::MAX,
                bodies: i64::MAX,
            },
            ..self.cuts(now_ms)
        }
    }

    /// Whether something that this one keeps goes with another.
    pub fn is_cut_by(self, other: Self) -> bool {
        let (this, other) = (self.cuts(0), other.cuts(0));
        Origin::ALL
            .into_iter()
            .any(|origin| this.of(origin).logs < other.of(origin).logs || this.of(origin).bodies < other.of(origin).bodies)
    }
}

impl Cuts {
    /// Of an origin.
    pub const fn of(&self, origin: Origin) -> Cut {
        match origin {
            Origin::Application => self.application,
            Origin::Own => self.own,
        }
    }

    /// What is before this and of an origin says nothing any more; of `None`, which stands for both, what is before this says nothing whatever its origin.
    pub fn bodies_of(&self, origin: Option<Origin>) -> i64 {
        origin.map_or_else(
            || self.application.bodies.min(self.own.bodies),
            |origin| self.of(origin).bodies,
        )
    }

    /// Of what is not before this, and is of an origin, nothing goes; `None` stands for both.
    pub fn end_of(&self, origin: Option<Origin>) -> i64 {
        origin.map_or_else(
            || self.application.bodies.max(self.own.bodies),
            |origin| self.of(origin).bodies,
        )
    }
}

/// `1 day`, `183 days`.
pub fn days(days: u32) -> String {
    format!("{} {}", format::count(days.into()), if days == 1 { "day" } else { "days" })
}

/// What a purge deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Purged {
    /// Logs.
    pub logs: u64,
    /// Logs that stay, without what they said.
    pub bodies: u64,
    /// Blocks of what logs said.
    pub blocks: u64,
    /// Originals of imports, and lists of records that were not taken.
    pub originals: u64,
    /// Files of exports.
    pub export_files: u64,
    /// Months whose partitions were dropped.
    pub partitions: u64,
    /// Bytes that were freed, about.
    pub bytes_about: u64,
    /// When the oldest log that it touched was made (RFC 3339).
    pub from: Option<String>,
    /// When the newest one was.
    pub to: Option<String>,
}

impl Purged {
    /// Adds what was deleted after this.
    pub fn add(&mut self, more: &Self) {
        self.logs += more.logs;
        self.bodies += more.bodies;
        self.blocks += more.blocks;
        self.originals += more.originals;
        self.export_files += more.export_files;
        self.partitions += more.partitions;
        self.bytes_about = self.bytes_about.saturating_add(more.bytes_about);
        // Written alike, times rise as their texts do; no time is less than any.
        if more.from.is_some() && (self.from.is_none() || more.from < self.from) {
            self.from.clone_from(&more.from);
        }
        if more.to > self.to {
            self.to.clone_from(&more.to);
        }
    }

    /// Whether it deleted nothing.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// As "12,034 logs and 2 export files were deleted, about 3.1 MB".
    pub fn words(&self) -> String {
        let some = |number: u64, one: &str, many: &str| {
            (number > 0).then(|| format!("{} {}", format::count(number), if number == 1 { one } else { many }))
        };
        let parts: Vec<String> = [
            some(self.logs, "log", "logs"),
            some(self.bodies, "log's bodies", "logs' bodies"),
            some(self.export_files, "export file", "export files"),
            some(self.originals, "original of an import", "originals of imports"),
        ]
        .into_iter()
        .flatten()
        .collect();
        let Some((last, first)) = parts.split_last() else {
            return "Nothing was to be deleted".to_owned();
        };
        let what = if first.is_empty() {
            last.clone()
        } else {
            format!("{} and {last}", first.join(", "))
        };
        let freed = format::size(i64::try_from(self.bytes_about).unwrap_or(i64::MAX));
        let was = if parts.len() == 1 && what.starts_with("1 ") {
            "was"
        } else {
            "were"
        };
        format!("{what} {was} deleted, about {freed}")
    }
}

/// What a purge's task tells, while it runs and when it is over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurgeResult {
    /// In words.
    pub message: String,
    /// Logs that were deleted, as other tasks count what they did.
    pub done_count: u64,
    /// The numbers.
    #[serde(flatten)]
    pub purged: Purged,
}

impl From<Purged> for PurgeResult {
    fn from(purged: Purged) -> Self {
        Self {
            message: purged.words(),
            done_count: purged.logs,
            purged,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_168_800_000;

    fn choice(logs_days: Option<u32>, bodies_days: Option<u32>) -> Choice {
        Choice { logs_days, bodies_days }
    }

    #[test]
    fn what_was_chosen_holds_and_else_what_the_instance_says() {
        assert_eq!(Kept::of(choice(None, None), 183).logs_days, Some(183));
        assert_eq!(
            Kept::of(choice(None, None), 0),
            Kept {
                logs_days: None,
                bodies_days: None
            }
        );
        assert_eq!(
            Kept::of(choice(Some(7), Some(3)), 183),
            Kept {
                logs_days: Some(7),
                bodies_days: Some(3)
            }
        );
        assert_eq!(
            Kept::of(choice(None, Some(200)), 183).bodies_days,
            None,
            "no longer than the logs"
        );
        assert_eq!(Kept::of(choice(None, Some(200)), 0).bodies_days, Some(200));
    }

    #[test]
    fn what_cannot_be_chosen_says_why() {
        for (days, bodies, instance) in [
            (Some(0), None, 183),
            (Some(3_651), None, 183),
            (None, Some(0), 183),
            (Some(30), Some(31), 183),
            (None, Some(184), 183),
        ] {
            assert!(choice(days, bodies).check(instance).is_err(), "{days:?} {bodies:?}");
        }
        for (days, bodies, instance) in [
            (Some(1), None, 183),
            (Some(3_650), Some(3_650), 183),
            (None, Some(3_650), 0),
            (None, None, 0),
        ] {
            assert_eq!(choice(days, bodies).check(instance), Ok(()), "{days:?} {bodies:?}");
        }
    }

    #[test]
    fn it_cuts_at_the_millisecond() {
        let cut = Kept::of(choice(Some(2), Some(1)), 183).cuts(NOW).of(Origin::Application);
        assert_eq!(
            cut,
            Cut {
                logs: NOW - 2 * DAY_MS,
                bodies: NOW - DAY_MS
            }
        );
        let ever = Kept::of(choice(None, None), 0);
        assert_eq!(ever.cuts(NOW).end_of(None), i64::MIN);
        assert_eq!(ever.logs_ms(), i64::MAX);
    }

    #[test]
    fn the_log_of_the_log_is_kept_for_a_year_at_least() {
        let own = |logs, bodies, instance| Kept::of(choice(logs, bodies), instance).cuts(NOW).own;
        let of_days = |days: i64| Cut {
            logs: NOW - days * DAY_MS,
            bodies: NOW - days * DAY_MS,
        };
        assert_eq!(own(Some(1), None, 183), of_days(366));
        assert_eq!(
            own(Some(400), Some(3), 183),
            of_days(400),
            "what it says goes with it, not before"
        );
        assert_eq!(own(None, None, 183), of_days(366));
        assert_eq!(own(None, None, 0).logs, i64::MIN, "for ever");
        let deleted = Kept::of(choice(Some(7), None), 183).cuts_once_deleted(NOW);
        assert_eq!((deleted.application.logs, deleted.own), (i64::MAX, of_days(366)));
        assert_eq!(
            (deleted.end_of(None), deleted.bodies_of(None)),
            (i64::MAX, NOW - 366 * DAY_MS)
        );
    }

    #[test]
    fn fewer_days_cut_something_and_more_do_not() {
        let kept = |logs, bodies| Kept::of(choice(logs, bodies), 0);
        assert!(kept(Some(30), None).is_cut_by(kept(Some(29), None)));
        assert!(kept(None, None).is_cut_by(kept(Some(3_650), None)));
        assert!(kept(Some(30), None).is_cut_by(kept(Some(30), Some(7))));
        assert!(kept(Some(30), Some(7)).is_cut_by(kept(Some(60), Some(6))));
        assert!(!kept(Some(30), Some(7)).is_cut_by(kept(Some(60), Some(7))));
        assert!(!kept(Some(30), Some(7)).is_cut_by(kept(Some(30), None)));
    }

    #[test]
    fn numbers_add_up_and_say_what_they_are() {
        let mut sum = Purged::default();
        assert_eq!(sum.words(), "Nothing was to be deleted");
        assert!(sum.is_nothing());
        let time = |text: &str| Some(text.to_owned());
        sum.add(&Purged {
            logs: 1,
            from: time("2026-01-02"),
            to: time("2026-01-03"),
            ..Purged::default()
        });
        assert_eq!(sum.words(), "1 log was deleted, about 0 B");
        sum.add(&Purged {
            logs: 1_999,
            bodies: 3,
            export_files: 1,
            bytes_about: 3_100_000,
            from: time("2026-01-01"),
            to: None,
            ..Purged::default()
        });
        assert_eq!(
            sum.words(),
            "2,000 logs, 3 logs' bodies and 1 export file were deleted, about 3.1 MB"
        );
        assert_eq!((sum.from.clone(), sum.to.clone()), (time("2026-01-01"), time("2026-01-03")));
        let result = PurgeResult::from(sum);
        let back: PurgeResult = serde_json::from_str(&serde_json::to_string(&result).unwrap()).unwrap();
        assert_eq!(back, result);
    }
}

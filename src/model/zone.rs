//! Times in a zone, without a time zone database: the server looks the offsets up and sends those that a page needs.

use serde::{Deserialize, Serialize};

const DAY_MS: i64 = 86_400_000;
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// A zone's offsets over the times that a page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    /// `UTC`, or an IANA name.
    pub name: String,
    /// From when (milliseconds since 1970) which offset holds (seconds east of Greenwich), in time order.
    pub offsets: Vec<(i64, i32)>,
}

/// What a calendar and a clock on the wall say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Civil {
    pub year: i64,
    pub month: usize,
    pub day: i64,
    pub hour: i64,
    pub minute: i64,
    pub second: i64,
    pub milli: i64,
}

impl Civil {
    /// The date and time of so many milliseconds since 1970, as if in UTC.
    ///
    /// Days to date as in Howard Hinnant's `civil_from_days` (<https://howardhinnant.github.io/date_algorithms.html>).
    pub const fn of(ms: i64) -> Self {
        let days = ms.div_euclid(DAY_MS);
        let rest = ms.rem_euclid(DAY_MS);
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let month = if shifted_month < 10 {
            shifted_month + 3
        } else {
            shifted_month - 9
        };
        Self {
            year: year_of_era + era * 400 + if month <= 2 { 1 } else { 0 },
            month: month as usize,
            day: day_of_year - (153 * shifted_month + 2) / 5 + 1,
            hour: rest / 3_600_000,
            minute: rest / 60_000 % 60,
            second: rest / 1_000 % 60,
            milli: rest % 1_000,
        }
    }

    /// `2026-11-22`.
    pub fn date(&self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }

    /// `14:03:22.114`.
    pub fn clock(&self) -> String {
        format!("{:02}:{:02}:{:02}.{:03}", self.hour, self.minute, self.second, self.milli)
    }

    /// `14:03`, with seconds where there are any.
    pub fn minutes(&self) -> String {
        if self.second == 0 {
            format!("{:02}:{:02}", self.hour, self.minute)
        } else {
            format!("{:02}:{:02}:{:02}", self.hour, self.minute, self.second)
        }
    }

    /// `22 Nov`, with the year where it is not `year`.
    pub fn day_in(&self, year: i64) -> String {
        let month = MONTHS[(self.month - 1) % 12];
        if self.year == year {
            format!("{} {month}", self.day)
        } else {
            format!("{} {month} {}", self.day, self.year)
        }
    }

    const fn same_day(&self, other: &Self) -> bool {
        self.year == other.year && self.month == other.month && self.day == other.day
    }
}

/// `2026-11-22T14:03:22.114Z`, as links and the API write times; without milliseconds where there are none.
pub fn rfc3339(ms: i64) -> String {
    let civil = Civil::of(ms);
    let clock = civil.clock();
    let clock = if civil.milli == 0 { &clock[..8] } else { &clock };
    format!("{}T{clock}Z", civil.date())
}

impl Zone {
    /// UTC.
    pub fn utc() -> Self {
        Self {
            name: "UTC".to_owned(),
            offsets: Vec::new(),
        }
    }

    /// Seconds east of Greenwich at a time.
    pub fn offset_at(&self, ms: i64) -> i32 {
        let past = self.offsets.iter().rev().find(|(since, _)| *since <= ms);
        past.or_else(|| self.offsets.first()).map_or(0, |(_, offset)| *offset)
    }

    /// What a clock in the zone shows at a time.
    pub fn civil(&self, ms: i64) -> Civil {
        Civil::of(ms + i64::from(self.offset_at(ms)) * 1_000)
    }

    /// `14:03:22.114` today; with the date where it is not today.
    pub fn short(&self, ms: i64, now_ms: i64) -> String {
        let (time, now) = (self.civil(ms), self.civil(now_ms));
        if time.same_day(&now) {
            time.clock()
        } else {
            format!("{} {}", time.day_in(now.year), time.clock())
        }
    }

    /// `14:03` today, `22 Nov 14:03` on another day: where an axis or a range begins.
    pub fn coarse(&self, ms: i64, now_ms: i64) -> String {
        let (time, now) = (self.civil(ms), self.civil(now_ms));
        if time.same_day(&now) {
            time.minutes()
        } else {
            format!("{} {}", time.day_in(now.year), time.minutes())
        }
    }

    /// `14:00 – 15:00`, with the days where they are not today, the second one where it is another.
    pub fn range(&self, from: i64, to: i64, now_ms: i64) -> String {
        let (start, end) = (self.civil(from), self.civil(to));
        let last = if start.same_day(&end) {
            end.minutes()
        } else {
            self.coarse(to, now_ms)
        };
        format!("{} – {last}", self.coarse(from, now_ms))
    }

    /// `2026-11-22 14:03:22.114 UTC`: all there is to say, for a title.
    pub fn full(&self, ms: i64) -> String {
        let civil = self.civil(ms);
        format!("{} {} {}", civil.date(), civil.clock(), self.label_at(ms))
    }

    /// `2026-11-22T14:03:22`, as a `datetime-local` control has it.
    pub fn control(&self, ms: i64) -> String {
        let civil = self.civil(ms);
        format!("{}T{}", civil.date(), &civil.clock()[..8])
    }

    /// `UTC`, or `+01:00 Europe/Berlin`.
    pub fn label_at(&self, ms: i64) -> String {
        let offset = self.offset_at(ms);
        if self.name == "UTC" {
            return self.name.clone();
        }
        let sign = if offset < 0 { '-' } else { '+' };
        let minutes = offset.abs() / 60;
        format!("{sign}{:02}:{:02} {}", minutes / 60, minutes % 60, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_795_348_800_000; // 2026-11-22T12:00:00Z

    fn berlin() -> Zone {
        Zone {
            name: "Europe/Berlin".to_owned(),
            offsets: vec![(0, 7_200), (1_792_890_000_000, 3_600)],
        }
    }

    #[test]
    fn dates_are_the_calendars() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(-1), "1969-12-31T23:59:59.999Z");
        assert_eq!(rfc3339(951_782_400_000), "2000-02-29T00:00:00Z");
        assert_eq!(rfc3339(NOON + 1), "2026-11-22T12:00:00.001Z");
    }

    #[test]
    fn a_time_of_today_has_no_date() {
        let zone = Zone::utc();
        assert_eq!(zone.short(NOON, NOON), "12:00:00.000");
        assert_eq!(zone.short(NOON - DAY_MS, NOON), "21 Nov 12:00:00.000");
        assert_eq!(zone.short(NOON - 365 * DAY_MS, NOON), "22 Nov 2025 12:00:00.000");
    }

    #[test]
    fn a_zone_moves_the_clock_by_the_offset_of_that_time() {
        let zone = berlin();
        assert_eq!(zone.full(NOON), "2026-11-22 13:00:00.000 +01:00 Europe/Berlin");
        assert_eq!(zone.civil(1_792_890_000_000 - 1).hour, 2);
        assert_eq!(zone.civil(1_792_890_000_000).hour, 2);
    }

    #[test]
    fn a_range_says_a_day_once() {
        let zone = Zone::utc();
        assert_eq!(zone.range(NOON, NOON + 3_600_000, NOON), "12:00 – 13:00");
        assert_eq!(
            zone.range(NOON - DAY_MS, NOON - DAY_MS + 60_000, NOON),
            "21 Nov 12:00 – 12:01"
        );
        assert_eq!(zone.range(NOON - DAY_MS, NOON, NOON), "21 Nov 12:00 – 12:00");
    }
}

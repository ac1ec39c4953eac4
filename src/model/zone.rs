//! Times in a zone, without a time zone database: the server looks the offsets up and sends those that a page needs.

use serde::{Deserialize, Serialize};

use super::format::put_digits;

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

    /// The milliseconds since 1970 at which a clock in UTC shows this; `days_from_civil` of the same page.
    const fn ms(&self) -> i64 {
        let year = if self.month <= 2 { self.year - 1 } else { self.year };
        let month = if self.month > 2 { self.month - 3 } else { self.month + 9 } as i64;
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let day_of_year = (153 * month + 2) / 5 + self.day - 1;
        let days = era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468;
        days * DAY_MS + self.hour * 3_600_000 + self.minute * 60_000 + self.second * 1_000 + self.milli
    }

    /// Reads `2026-11-22T14:03` or `2026-11-22T14:03:22`, with or without milliseconds, as `datetime-local` controls write it.
    fn read(text: &str) -> Option<Self> {
        let number = |from: usize, to: usize| {
            let digits = text.get(from..to)?;
            digits
                .bytes()
                .all(|byte| byte.is_ascii_digit())
                .then(|| digits.parse().ok())?
        };
        let separators = [(4, '-'), (7, '-'), (10, 'T'), (13, ':'), (16, ':'), (19, '.')];
        let there = separators.into_iter().take_while(|(at, _)| *at < text.len());
        if !matches!(text.len(), 16 | 19 | 23) || !there.into_iter().all(|(at, sign)| text[at..].starts_with(sign)) {
            return None;
        }
        Some(Self {
            year: number(0, 4)?,
            month: usize::try_from(number(5, 7)?).ok()?,
            day: number(8, 10)?,
            hour: number(11, 13)?,
            minute: number(14, 16)?,
            second: if text.len() > 16 { number(17, 19)? } else { 0 },
            milli: if text.len() > 19 { number(20, 23)? } else { 0 },
        })
    }

    /// `2026-11-22`.
    pub fn date(&self) -> String {
        let mut out = String::with_capacity(10);
        self.put_date(&mut out);
        out
    }

    /// `14:03:22.114`.
    pub fn clock(&self) -> String {
        let mut out = String::with_capacity(12);
        self.put_clock(&mut out);
        out
    }

    fn put_date(&self, out: &mut String) {
        put(out, self.year, 4);
        out.push('-');
        put(out, self.month as i64, 2);
        out.push('-');
        put(out, self.day, 2);
    }

    fn put_clock(&self, out: &mut String) {
        self.put_seconds(out);
        out.push('.');
        put(out, self.milli, 3);
    }

    fn put_seconds(&self, out: &mut String) {
        put(out, self.hour, 2);
        out.push(':');
        put(out, self.minute, 2);
        out.push(':');
        put(out, self.second, 2);
    }

    /// `14:03`, with seconds where there are any.
    fn put_minutes(&self, out: &mut String) {
        if self.second != 0 {
            return self.put_seconds(out);
        }
        put(out, self.hour, 2);
        out.push(':');
        put(out, self.minute, 2);
    }

    /// `22 Nov`, with the year where it is not `year`.
    fn put_day(&self, year: i64, out: &mut String) {
        put(out, self.day, 1);
        out.push(' ');
        out.push_str(MONTHS[(self.month - 1) % 12]);
        if self.year != year {
            out.push(' ');
            put(out, self.year, 1);
        }
    }

    const fn same_day(&self, other: &Self) -> bool {
        self.year == other.year && self.month == other.month && self.day == other.day
    }
}

/// [`put_digits`] of a number that may be negative.
fn put(out: &mut String, number: i64, width: usize) {
    if number < 0 {
        out.push('-');
    }
    put_digits(out, number.unsigned_abs(), width);
}

/// `2026-11-22T14:03:22.114Z`, as links and the API write times; without milliseconds where there are none.
pub fn rfc3339(ms: i64) -> String {
    let civil = Civil::of(ms);
    let mut out = String::with_capacity(24);
    civil.put_date(&mut out);
    out.push('T');
    if civil.milli == 0 {
        civil.put_seconds(&mut out);
    } else {
        civil.put_clock(&mut out);
    }
    out.push('Z');
    out
}

/// `2026-11-22T14:03:22.000Z`: always with milliseconds, so that two times compare as their texts do.
pub fn rfc3339_milli(ms: i64) -> String {
    let civil = Civil::of(ms);
    let mut out = String::with_capacity(24);
    civil.put_date(&mut out);
    out.push('T');
    civil.put_clock(&mut out);
    out.push('Z');
    out
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
        self.dated(ms, now_ms, Civil::put_clock)
    }

    /// `14:03` today, `22 Nov 14:03` on another day: where an axis or a range begins.
    pub fn coarse(&self, ms: i64, now_ms: i64) -> String {
        self.dated(ms, now_ms, Civil::put_minutes)
    }

    fn dated(&self, ms: i64, now_ms: i64, put_time: impl Fn(&Civil, &mut String)) -> String {
        let (time, now) = (self.civil(ms), self.civil(now_ms));
        let mut out = String::with_capacity(24);
        if !time.same_day(&now) {
            time.put_day(now.year, &mut out);
            out.push(' ');
        }
        put_time(&time, &mut out);
        out
    }

    /// `14:00 – 15:00`, with the day where it is not today; with both days where they differ. To the millisecond where the seconds would show no range.
    pub fn range(&self, from: i64, to: i64, now_ms: i64) -> String {
        let (start, end, now) = (self.civil(from), self.civil(to), self.civil(now_ms));
        let is_one_day = start.same_day(&end);
        let is_one_second = (start.hour, start.minute, start.second) == (end.hour, end.minute, end.second);
        let is_short = from != to && is_one_day && is_one_second;
        let put_time = if is_short { Civil::put_clock } else { Civil::put_minutes };
        let has_dates = !is_one_day || !start.same_day(&now);
        let mut out = String::with_capacity(48);
        for (place, time) in [&start, &end].into_iter().enumerate() {
            if place > 0 {
                out.push_str(" – ");
            }
            if has_dates && (place == 0 || !is_one_day) {
                time.put_day(now.year, &mut out);
                out.push(' ');
            }
            put_time(time, &mut out);
        }
        out
    }

    /// `2026-11-22 14:03:22.114 UTC`: all there is to say, for a title.
    pub fn full(&self, ms: i64) -> String {
        let civil = self.civil(ms);
        let mut out = String::with_capacity(32);
        civil.put_date(&mut out);
        out.push(' ');
        civil.put_clock(&mut out);
        out.push(' ');
        out.push_str(&self.label_at(ms));
        out
    }

    /// `2026-11-22T14:03:22`, as a `datetime-local` control has it.
    pub fn control(&self, ms: i64) -> String {
        let civil = self.civil(ms);
        let mut out = String::with_capacity(19);
        civil.put_date(&mut out);
        out.push('T');
        civil.put_seconds(&mut out);
        out
    }

    /// `UTC`, or `+01:00 Europe/Berlin`.
    pub fn label_at(&self, ms: i64) -> String {
        if self.name == "UTC" {
            return self.name.clone();
        }
        format!("{} {}", written(self.offset_at(ms)), self.name)
    }

    /// The label of both ends of a range; the name alone where the clocks change in between.
    pub fn label_over(&self, from: i64, to: i64) -> String {
        if self.offset_at(from) == self.offset_at(to) {
            self.label_at(to)
        } else {
            self.name.clone()
        }
    }

    /// The offset of a time on the zone's clocks. Where they show it twice, the first one's; where they leave it out, that of before: as the server
    /// reads a time without an offset.
    fn offset_on_the_clock(&self, clock_ms: i64) -> i32 {
        let is_meant = |offset: i32| self.offset_at(clock_ms - i64::from(offset) * 1_000) == offset;
        let offsets = self.offsets.iter().map(|(_, offset)| *offset);
        let before = || {
            let past = self.offsets.iter().zip(self.offsets.iter().skip(1));
            let last = past
                .rev()
                .find(|((_, offset), (change, _))| change + i64::from(*offset) * 1_000 <= clock_ms);
            last.map_or(0, |((_, offset), _)| *offset)
        };
        offsets.filter(|offset| is_meant(*offset)).max().unwrap_or_else(before)
    }

    /// A time that was typed in with the offset that holds there, so that it means the same everywhere; none where it is no time of a
    /// `datetime-local` control.
    pub fn with_offset(&self, typed: &str) -> Option<String> {
        let clock = Civil::read(typed)?;
        let offset = self.offset_on_the_clock(clock.ms());
        let seconds = if typed.len() == 16 { ":00" } else { "" };
        let offset = if offset == 0 { "Z".to_owned() } else { written(offset) };
        Some(format!("{typed}{seconds}{offset}"))
    }

    /// The offsets as an attribute of a control: `1774746000000:7200,1792890000000:3600`.
    pub fn to_attribute(&self) -> String {
        let marks = self.offsets.iter().map(|(since, offset)| format!("{since}:{offset}"));
        marks.collect::<Vec<_>>().join(",")
    }

    /// The zone behind such an attribute, without its name.
    pub fn of_attribute(text: &str) -> Option<Self> {
        let mark = |mark: &str| {
            let (since, offset) = mark.split_once(':')?;
            Some((since.parse().ok()?, offset.parse().ok()?))
        };
        let marks = text.split(',').filter(|mark| !mark.is_empty());
        Some(Self {
            name: String::new(),
            offsets: marks.map(mark).collect::<Option<_>>()?,
        })
    }
}

/// `+01:00`.
fn written(offset: i32) -> String {
    let sign = if offset < 0 { '-' } else { '+' };
    let minutes = offset.abs() / 60;
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
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
        assert_eq!(rfc3339_milli(NOON), "2026-11-22T12:00:00.000Z");
        assert!(rfc3339_milli(NOON) < rfc3339_milli(NOON + 52));
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
    fn each_end_of_a_range_has_the_offset_that_holds_there() {
        // 2026-03-29T01:00:00Z the clocks go forward, 2026-10-25T01:00:00Z back.
        let zone = Zone {
            name: "Europe/Berlin".to_owned(),
            offsets: vec![(0, 3_600), (1_774_746_000_000, 7_200), (1_792_890_000_000, 3_600)],
        };
        let sent = Zone::of_attribute(&zone.to_attribute()).unwrap();
        for (typed, meant) in [
            ("2026-10-24T12:00", "2026-10-24T12:00:00+02:00"),
            ("2026-10-26T12:00:30", "2026-10-26T12:00:30+01:00"),
            ("2026-01-01T00:00:00.250", "2026-01-01T00:00:00.250+01:00"),
            // Twice on the clock: the first of them. Left out: as if the clocks had not changed yet.
            ("2026-10-25T02:30", "2026-10-25T02:30:00+02:00"),
            ("2026-03-29T02:30", "2026-03-29T02:30:00+01:00"),
            ("2026-03-29T01:59", "2026-03-29T01:59:00+01:00"),
            ("2026-03-29T03:00", "2026-03-29T03:00:00+02:00"),
        ] {
            assert_eq!(sent.with_offset(typed).as_deref(), Some(meant));
        }
        assert_eq!(
            Zone::utc().with_offset("2026-10-24T12:00").as_deref(),
            Some("2026-10-24T12:00:00Z")
        );
        for typed in [
            "",
            "-24h",
            "2026-10-24",
            "2026-10-24T12:00Z",
            "2026-10-24 12:00",
            "2026-10-24T12:0x",
            "2026-10-24T1é:00",
        ] {
            assert_eq!(zone.with_offset(typed), None, "{typed}");
        }
        assert_eq!(zone.label_over(1_792_800_000_000, 1_793_000_000_000), "Europe/Berlin");
        assert_eq!(zone.label_over(1_792_800_000_000, 1_792_800_000_001), "+02:00 Europe/Berlin");
    }

    #[test]
    fn a_clock_is_read_as_it_is_written() {
        for ms in [0, NOON, NOON + 250, 951_782_400_000, -1, 4_107_542_399_999] {
            let civil = Civil::of(ms);
            assert_eq!(civil.ms(), ms);
            assert_eq!(Civil::read(&format!("{}T{}", civil.date(), civil.clock())), Some(civil));
        }
    }

    #[test]
    fn a_range_says_a_day_once() {
        let zone = Zone::utc();
        assert_eq!(zone.range(NOON, NOON + 3_600_000, NOON), "12:00 – 13:00");
        assert_eq!(
            zone.range(NOON - DAY_MS, NOON - DAY_MS + 60_000, NOON),
            "21 Nov 12:00 – 12:01"
        );
        assert_eq!(zone.range(NOON + 250, NOON + 750, NOON), "12:00:00.250 – 12:00:00.750");
    }

    #[test]
    fn a_range_over_two_days_says_both() {
        let zone = Zone::utc();
        for (from, to, words) in [
            (NOON - DAY_MS, NOON, "21 Nov 12:00 – 22 Nov 12:00"),
            (NOON - DAY_MS, NOON - 1_000, "21 Nov 12:00 – 22 Nov 11:59:59"),
            (NOON, NOON + DAY_MS, "22 Nov 12:00 – 23 Nov 12:00"),
            (NOON - 365 * DAY_MS, NOON - DAY_MS, "22 Nov 2025 12:00 – 21 Nov 12:00"),
        ] {
            assert_eq!(zone.range(from, to, NOON), words);
        }
    }
}

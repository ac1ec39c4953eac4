//! Times as URLs have them: RFC 3339, a time before now (`-24h`), or a time on the clock of a zone, as `<input type=datetime-local>` sends it.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::model::query::QueryProblem;

/// A time before now may reach back so many milliseconds: 100 years.
const MAX_BACK_MS: i64 = 100 * 366 * 86_400_000;

/// Letters of what was given that an error repeats.
const SHOWN: usize = 40;

/// The milliseconds since 1970 that `text` means.
pub(crate) fn read(argument: &str, text: &str, now_ms: i64, zone: &TimeZone) -> Result<i64, QueryProblem> {
    relative(text, now_ms)
        .or_else(|| instant(text))
        .or_else(|| on_the_clock(text, zone))
        .ok_or_else(|| {
            let given: String = text.chars().take(SHOWN).collect();
            let reason = format!(
                "“{given}” is no time; write one such as 2026-01-31T10:00:00Z or 2026-01-31T10:00, or one before now such as -15m, -24h or -7d"
            );
            QueryProblem::new(argument, &reason)
        })
}

/// `-15m`: seconds, minutes, hours, days of 24 hours, weeks. `now` is now.
fn relative(text: &str, now_ms: i64) -> Option<i64> {
    if text == "now" {
        return Some(now_ms);
    }
    let rest = text.strip_prefix('-')?;
    let unit_ms = match rest.chars().next_back()? {
        's' => 1_000,
        'm' => 60_000,
        'h' => 3_600_000,
        'd' => 86_400_000,
        'w' => 7 * 86_400_000,
        _ => return None,
    };
    let digits = &rest[..rest.len() - 1];
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let back_ms = digits
        .parse::<i64>()
        .ok()?
        .checked_mul(unit_ms)
        .filter(|back| *back <= MAX_BACK_MS)?;
    now_ms.checked_sub(back_ms)
}

fn instant(text: &str) -> Option<i64> {
    let parsed = text.parse::<Timestamp>().or_else(|error| {
        // A `+` that was not escaped comes as a space: 2026-01-31T10:00:00+01:00.
        match text.rsplit_once(' ') {
            Some((time, offset)) if time.len() > 10 => format!("{time}+{offset}").parse(),
            _ => Err(error),
        }
    });
    parsed.ok().map(Timestamp::as_millisecond)
}

/// A time that the clocks of a zone show; where they are put forward past it, or back over it again, as jiff's "compatible" (RFC 5545) has it.
fn on_the_clock(text: &str, zone: &TimeZone) -> Option<i64> {
    let time = text.parse::<DateTime>().ok()?;
    let zoned = time.to_zoned(zone.clone()).ok()?;
    Some(zoned.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-22T12:00:00Z.
    const NOW: i64 = 1_795_348_800_000;

    fn at(text: &str, zone: &str) -> Option<i64> {
        read("from", text, NOW, &TimeZone::get(zone).unwrap()).ok()
    }

    #[test]
    fn what_is_no_time_is_repeated() {
        let problem = read("from", "tomorrow", NOW, &TimeZone::UTC).unwrap_err();
        assert!(
            problem.to_string().contains("from: “tomorrow” is no time; write one such as"),
            "{problem}"
        );
    }

    #[test]
    fn times_mean_what_they_say() {
        for (text, zone, before_now_ms) in [
            ("-24h", "UTC", 86_400_000),
            ("-15m", "UTC", 900_000),
            ("-7d", "UTC", 7 * 86_400_000),
            ("-90s", "UTC", 90_000),
            ("-2w", "UTC", 14 * 86_400_000),
            ("now", "UTC", 0),
            ("2026-11-22T12:00:00Z", "Europe/Berlin", 0),
            ("2026-11-22T11:59:59.250Z", "UTC", 750),
            ("2026-11-22T13:00:00+01:00", "UTC", 0),
            ("2026-11-22T13:00:00 01:00", "UTC", 0),
            ("2026-11-22T13:00", "Europe/Berlin", 0),
            ("2026-11-22T13:00:30", "Europe/Berlin", -30_000),
            ("2026-11-22", "UTC", 43_200_000),
        ] {
            assert_eq!(at(text, zone), Some(NOW - before_now_ms), "{text}");
        }
    }

    #[test]
    fn an_hour_that_the_clocks_leave_out_is_the_one_after() {
        // On 2026-03-29 Berlin's clocks go from 02:00 to 03:00.
        assert_eq!(
            at("2026-03-29T02:30", "Europe/Berlin"),
            at("2026-03-29T03:30", "Europe/Berlin")
        );
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "yesterday",
            "-",
            "-h",
            "-1y",
            "--1h",
            "-1.5h",
            "-99999999999999999d",
            "2026-13-01T00:00:00Z",
            "2026-02-30T10:00",
            "5",
            "-é",
        ] {
            assert_eq!(at(text, "UTC"), None, "{text}");
        }
    }
}

//! Comparisons of times: with a time, or with so many days before or after now. Both come to spans of time, fixed when they are read.
//!
//! A day that is so many days ago is a day of the calendar in UTC, as exports write times; "more than", "less than" count 24 hours each.

use jiff::Timestamp;

use super::compare::Op;
use crate::model::selection::TimeRange;

/// The fields that are times.
pub(super) const TIMES: [&str; 4] = ["created_at", "updated_at", "executed_at", "next_at"];
/// A day, in milliseconds.
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// Days that may be counted from now: 100 years.
const MOST_DAYS: i64 = 36_525;

/// Milliseconds since 1970 of an ISO 8601 time or date (UTC).
pub fn read_time(text: &str) -> Option<i64> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time.as_millisecond());
    }
    let date: jiff::civil::DateTime = text
        .parse::<jiff::civil::Date>()
        .map(jiff::civil::DateTime::from)
        .or_else(|_| text.parse())
        .ok()?;
    let zoned = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(zoned.timestamp().as_millisecond())
}

/// Whether an operator compares times alone.
pub(super) const fn is_of_times(op: Op) -> bool {
    matches!(
        op,
        Op::IsDaysAgo | Op::IsDaysInFuture | Op::MoreThanAgo | Op::LessThanAgo | Op::MoreThanFuture | Op::LessThanFuture
    )
}

/// The spans that a comparison of a time means, one of which is enough; none where it is not of that kind. Says what makes no sense.
pub(super) fn spans(op: Op, values: &[String], now_ms: i64) -> Result<Option<Vec<TimeRange>>, String> {
    if !is_of_times(op)
        && !matches!(
            op,
            Op::MoreThan | Op::LessThan | Op::MoreThanEqual | Op::LessThanEqual | Op::After | Op::Before
        )
    {
        return Ok(None);
    }
    let spans: Result<Vec<TimeRange>, String> = values.iter().map(|value| span(op, value, now_ms)).collect();
    Ok(Some(merged(spans?)))
}

fn span(op: Op, value: &str, now_ms: i64) -> Result<TimeRange, String> {
    let days = value.parse::<i64>().ok().filter(|days| (0..=MOST_DAYS).contains(days));
    let at = read_time(value);
    let today = now_ms - now_ms.rem_euclid(DAY_MS);
    let (from, to) = match (op, days, at) {
        (Op::IsDaysAgo, Some(days), _) => (today - days * DAY_MS, today - (days - 1) * DAY_MS),
        (Op::IsDaysInFuture, Some(days), _) => (today + days * DAY_MS, today + (days + 1) * DAY_MS),
        // Of a time, a bare number is of days before now, as in the reference's own lists.
        (Op::MoreThanAgo | Op::MoreThan, Some(days), _) => (i64::MIN, now_ms - days * DAY_MS),
        (Op::MoreThanEqual, Some(days), _) => (i64::MIN, now_ms - days * DAY_MS + 1),
        (Op::LessThanAgo | Op::LessThan, Some(days), _) => (now_ms - days * DAY_MS + 1, now_ms + 1),
        (Op::LessThanEqual, Some(days), _) => (now_ms - days * DAY_MS, now_ms + 1),
        (Op::MoreThanFuture, Some(days), _) => (now_ms + days * DAY_MS + 1, i64::MAX),
        (Op::LessThanFuture, Some(days), _) => (now_ms, now_ms + days * DAY_MS),
        (Op::After | Op::MoreThan, _, Some(at)) => (at + 1, i64::MAX),
        (Op::MoreThanEqual, _, Some(at)) => (at, i64::MAX),
        (Op::Before | Op::LessThan, _, Some(at)) => (i64::MIN, at),
        (Op::LessThanEqual, _, Some(at)) => (i64::MIN, at + 1),
        (Op::After | Op::Before, ..) => return Err("takes a time, as 2026-01-31T00:00:00Z".to_owned()),
        (Op::MoreThan | Op::LessThan | Op::MoreThanEqual | Op::LessThanEqual, ..) => {
            return Err(format!(
                "takes a time, as 2026-01-31T00:00:00Z, or a whole number of days before now, at most {MOST_DAYS}"
            ));
        }
        _ => return Err(format!("takes a whole number of days, at most {MOST_DAYS}")),
    };
    Ok(TimeRange { from, to })
}

/// The same spans, those that meet as one.
fn merged(mut spans: Vec<TimeRange>) -> Vec<TimeRange> {
    spans.sort_unstable_by_key(|span| span.from);
    let mut merged: Vec<TimeRange> = Vec::with_capacity(spans.len());
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.from <= last.to => last.to = last.to.max(span.to),
            _ => merged.push(span),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 2026-11-22T15:30:00Z.
    const NOW: i64 = 1_795_361_400_000;
    const HOUR_MS: i64 = 60 * 60 * 1_000;

    fn holds(op: Op, values: &[&str], at: i64) -> bool {
        let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
        let spans = spans(op, &values, NOW).unwrap().unwrap();
        spans.iter().any(|span| span.from <= at && at < span.to)
    }

    #[test]
    fn a_day_is_one_of_the_calendar() {
        let at = |text: &str| read_time(text).unwrap();
        for (op, days, first, last) in [
            (Op::IsDaysAgo, "0", "2026-11-22T00:00:00Z", "2026-11-22T23:59:59.999Z"),
            (Op::IsDaysAgo, "1", "2026-11-21T00:00:00Z", "2026-11-21T23:59:59.999Z"),
            (Op::IsDaysAgo, "30", "2026-10-23T00:00:00Z", "2026-10-23T23:59:59.999Z"),
            (Op::IsDaysInFuture, "1", "2026-11-23T00:00:00Z", "2026-11-23T23:59:59.999Z"),
        ] {
            assert!(holds(op, &[days], at(first)) && holds(op, &[days], at(last)), "{op:?} {days}");
            assert!(
                !holds(op, &[days], at(first) - 1) && !holds(op, &[days], at(last) + 1),
                "{op:?} {days}"
            );
        }
        assert!(holds(Op::IsDaysAgo, &["1", "3"], at("2026-11-19T12:00:00Z")));
        assert!(!holds(Op::IsDaysAgo, &["1", "3"], at("2026-11-20T12:00:00Z")));
    }

    #[test]
    fn more_and_less_are_of_hours_and_the_edge_is_neither() {
        let edge = NOW - 2 * DAY_MS;
        for op in [Op::MoreThanAgo, Op::MoreThan] {
            assert!(holds(op, &["2"], edge - 1) && !holds(op, &["2"], edge));
        }
        for op in [Op::LessThanAgo, Op::LessThan] {
            assert!(holds(op, &["2"], edge + 1) && !holds(op, &["2"], edge) && holds(op, &["2"], NOW));
            assert!(!holds(op, &["2"], NOW + HOUR_MS), "what is to come is not ago");
        }
        assert!(holds(Op::MoreThanEqual, &["2"], edge) && holds(Op::LessThanEqual, &["2"], edge));
        let edge = NOW + 2 * DAY_MS;
        assert!(holds(Op::MoreThanFuture, &["2"], edge + 1) && !holds(Op::MoreThanFuture, &["2"], edge));
        assert!(holds(Op::LessThanFuture, &["2"], edge - 1) && !holds(Op::LessThanFuture, &["2"], edge));
        assert!(!holds(Op::LessThanFuture, &["2"], NOW - 1), "what is past is not to come");
    }

    #[test]
    fn what_is_no_time_and_no_number_of_days_is_refused() {
        for (op, value) in [
            (Op::IsDaysAgo, "-1"),
            (Op::IsDaysAgo, "1.5"),
            (Op::IsDaysAgo, "2026-01-01"),
            (Op::MoreThanAgo, "9999999999999999999"),
            (Op::MoreThanFuture, "40000"),
            (Op::MoreThan, "soon"),
            (Op::After, "yesterday"),
        ] {
            assert!(spans(op, &[value.to_owned()], NOW).is_err(), "{op:?} {value}");
        }
        assert_eq!(spans(Op::Contains, &["x".to_owned()], NOW), Ok(None));
    }

    proptest! {
        #[test]
        fn more_less_and_the_edge_part_the_past(days in 0..MOST_DAYS, back in 0..40_000 * DAY_MS) {
            let (at, days_text) = (NOW - back, days.to_string());
            let words = [days_text.as_str()];
            let kinds = [holds(Op::MoreThanAgo, &words, at), holds(Op::LessThanAgo, &words, at), back == days * DAY_MS];
            prop_assert_eq!(kinds.iter().filter(|holds| **holds).count(), 1, "{:?}", kinds);
            prop_assert_eq!(holds(Op::IsDaysAgo, &words, at), at.div_euclid(DAY_MS) == NOW.div_euclid(DAY_MS) - days);
        }

        #[test]
        fn spans_that_meet_are_one(edges in prop::collection::vec((0_i64..50, 0_i64..20), 1..8), at in 0_i64..80) {
            let spans: Vec<TimeRange> = edges.iter().map(|(from, length)| TimeRange { from: *from, to: from + length }).collect();
            let within = |spans: &[TimeRange]| spans.iter().any(|span| span.from <= at && at < span.to);
            let merged = merged(spans.clone());
            prop_assert_eq!(within(&spans), within(&merged));
            prop_assert!(merged.windows(2).all(|two| two[0].to < two[1].from), "{:?}", merged);
        }
    }
}

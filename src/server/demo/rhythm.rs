//! When requests come: by day more than by night, on working days more than on Sundays, at noon and in the evening the most.

use jiff::tz::TimeZone;
use jiff::{Timestamp, civil::Weekday};

use super::dice::Dice;

const HOUR_MS: i64 = 60 * 60 * 1_000;

/// Requests in each hour of a working day, from midnight; their sum is about 900.
const HOURS: [i64; 24] = [
    9, 6, 4, 4, 5, 9, 18, 30, 44, 54, 58, 62, 68, 60, 54, 52, 54, 60, 66, 62, 48, 34, 22, 14,
];

/// The times of a day's requests within `[from, until)`, a whole number of hours apart.
pub(super) fn moments(from: i64, until: i64, dice: &mut Dice) -> Vec<i64> {
    let mut moments = Vec::new();
    let mut hour_from = from;
    while hour_from < until {
        let hour_until = (hour_from + HOUR_MS).min(until);
        let expected = expected(hour_from);
        let count = expected + dice.range(-expected / 5, expected / 5);
        moments.extend((0..count).map(|_| dice.range(hour_from, hour_until - 1)));
        hour_from = hour_until;
    }
    moments.sort_unstable();
    moments
}

fn expected(at: i64) -> i64 {
    let Ok(time) = Timestamp::from_millisecond(at) else { return 0 };
    let time = time.to_zoned(TimeZone::UTC);
    let of_day = HOURS[usize::try_from(time.hour()).unwrap_or(0) % HOURS.len()];
    match time.weekday() {
        Weekday::Saturday => of_day * 120 / 100,
        Weekday::Sunday => of_day * 60 / 100,
        _ => of_day,
    }
}

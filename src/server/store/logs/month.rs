//! Months of time, UTC: what PostgreSQL's partitions span, and what a block never crosses.

use jiff::{Timestamp, ToSpan, Zoned, tz::TimeZone};

/// A month.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::server::store) struct Month {
    /// As `2026_11`.
    pub(in crate::server::store) name: String,
    /// Its first millisecond since 1970.
    pub(in crate::server::store) start: i64,
    /// The first millisecond of the next one.
    pub(in crate::server::store) end: i64,
}

/// The month of a time in milliseconds since 1970. What lies outside of the years that a calendar knows is one long month.
pub(in crate::server::store) fn of(time_ms: i64) -> Month {
    let start = Timestamp::from_millisecond(time_ms)
        .map(|time| time.to_zoned(TimeZone::UTC))
        .and_then(|time| time.first_of_month()?.start_of_day());
    let next = |start: &Zoned| start.checked_add(1.month());
    match start.and_then(|start| Ok((next(&start)?, start))) {
        Ok((end, start)) => Month {
            name: format!("{:04}_{:02}", start.year(), start.month()),
            start: start.timestamp().as_millisecond(),
            end: end.timestamp().as_millisecond(),
        },
        Err(_) => Month {
            name: if time_ms < 0 { "before" } else { "after" }.to_owned(),
            start: i64::MIN,
            end: i64::MAX,
        },
    }
}

/// The month of this name; none where no month is called so.
pub(in crate::server::store) fn of_name(name: &str) -> Option<Month> {
    let (year, number) = name.split_once('_')?;
    let day = jiff::civil::Date::new(year.parse().ok()?, number.parse().ok()?, 1).ok()?;
    let start = day.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond();
    Some(of(start)).filter(|month| month.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_begins_at_its_first_millisecond() {
        let december = of(1_796_083_200_000 + 40 * 86_400_000);
        assert_eq!(of(december.start), december);
        assert_eq!(of(december.end - 1), december);
        assert_eq!(of(december.end).start, december.end);
        assert_eq!(of(0).name, "1970_01");
        assert_eq!(of(-1).name, "1969_12");
        assert_eq!(of_name(&december.name), Some(december));
        for name in ["2026_13", "2026_1", "before", "", "2026_12_01"] {
            assert_eq!(of_name(name), None, "{name}");
        }
    }
}

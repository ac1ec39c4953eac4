//! How a range is cut into what is counted together (see `tallies`): whole weeks where there are any, then days, hours, quarters of an hour and minutes, and
//! rows one by one at the ragged ends of minutes. A new unit: here, with its table in `tallies`, and wherever the others' tables are named (purges above all).

use super::tallies::{DAY, HOUR, MINUTE, QUARTER, WEEK};
use crate::model::selection::TimeRange;

/// One bar for everything.
pub(super) const ONE_BAR: i64 = i64::MAX;

/// What is counted together, the finest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unit {
    /// Nothing: rows one by one.
    Row,
    /// A minute, by status alone.
    Minute,
    /// A quarter of an hour, by status alone.
    Quarter,
    /// An hour, by each value of some fields.
    Hour,
    /// A day (UTC), by each value of some fields.
    Day,
    /// Seven days from a Thursday on, as 1970 began with one; by each value of some fields.
    Week,
}

impl Unit {
    /// The coarsest whose whole units make up bars of so many milliseconds that begin at multiples of it; the one bar of everything is made up of any.
    pub(super) fn of_bars(step: i64) -> Self {
        let fits = |unit: &Self| step == ONE_BAR || step % unit.milliseconds() == 0;
        let coarse = [Self::Week, Self::Day, Self::Hour, Self::Quarter].into_iter().find(fits);
        coarse.unwrap_or(Self::Minute)
    }

    pub(super) const fn milliseconds(self) -> i64 {
        match self {
            Self::Row => 1,
            Self::Minute => MINUTE,
            Self::Quarter => QUARTER,
            Self::Hour => HOUR,
            Self::Day => DAY,
            Self::Week => WEEK,
        }
    }

    /// Whether it is counted by the values of fields, statuses among them; else by status alone.
    pub(super) fn is_by_value(self) -> bool {
        self >= Self::Hour
    }

    /// How many logs some of its rows stand for.
    pub(super) const fn amount(self) -> &'static str {
        match self {
            Self::Row => "COUNT(*)",
            _ => "CAST(SUM(count) AS BIGINT)",
        }
    }

    const fn finer(self) -> Option<Self> {
        match self {
            Self::Row => None,
            Self::Minute => Some(Self::Row),
            Self::Quarter => Some(Self::Minute),
            Self::Hour => Some(Self::Quarter),
            Self::Day => Some(Self::Hour),
            Self::Week => Some(Self::Day),
        }
    }

    /// The table, and its column that says when.
    pub(super) const fn place(self) -> (&'static str, &'static str) {
        match self {
            Self::Row => ("logs", "created_at"),
            Self::Minute => ("log_minutes", "minute"),
            Self::Quarter => ("log_quarters", "quarter"),
            Self::Hour => ("log_value_hours", "hour"),
            Self::Day => ("log_value_days", "day"),
            Self::Week => ("log_value_weeks", "week"),
        }
    }
}

/// A part of a range that is read in one unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) unit: Unit,
    pub(super) range: TimeRange,
}

impl Stretch {
    /// Which of the unit's own numbers it has: the first one, and the one after the last.
    pub(super) const fn bounds(&self) -> [i64; 2] {
        let unit = self.unit.milliseconds();
        [self.range.from.div_euclid(unit), self.range.to.div_euclid(unit)]
    }

    /// How many bars of so many milliseconds it reaches into, where they are shorter than an hour.
    pub(super) fn bars(&self, step: i64) -> Option<i64> {
        let last = self.range.to.checked_sub(1)?.div_euclid(step);
        (step < HOUR).then(|| last - self.range.from.div_euclid(step) + 1)
    }
}

/// A range in as few parts as it takes, in time order; none coarser than `coarsest`.
pub(super) fn cut(range: TimeRange, coarsest: Unit) -> Vec<Stretch> {
    let TimeRange { from, to } = range;
    if from >= to {
        return Vec::new();
    }
    let Some(finer) = coarsest.finer() else {
        return vec![Stretch { unit: coarsest, range }];
    };
    let unit = coarsest.milliseconds();
    let (first, last) = (ceil(from, unit), to.div_euclid(unit));
    // Of the very last unit there is there may be no whole one left.
    if first >= last {
        return cut(range, finer);
    }
    let whole = TimeRange {
        from: first * unit,
        to: last * unit,
    };
    let mut parts = cut(TimeRange { from, to: whole.from }, finer);
    parts.push(Stretch {
        unit: coarsest,
        range: whole,
    });
    parts.extend(cut(TimeRange { from: whole.to, to }, finer));
    parts
}

/// A time or the next one after it at which a unit begins, in units.
pub(super) const fn ceil(value: i64, unit: i64) -> i64 {
    value.div_euclid(unit) + if value.rem_euclid(unit) == 0 { 0 } else { 1 }
}

/// A range rounded out to whole hours, as far as there are any.
pub(super) fn whole_hours(range: TimeRange) -> TimeRange {
    let last = range.to.div_euclid(HOUR) * HOUR;
    let more = if range.to > last { HOUR } else { 0 };
    TimeRange {
        from: range.from.div_euclid(HOUR) * HOUR,
        to: last.checked_add(more).unwrap_or(last),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In quarters of an hour.
    fn range(from: i64, to: i64) -> TimeRange {
        TimeRange {
            from: from * HOUR / 4,
            to: to * HOUR / 4,
        }
    }

    fn parts(from: i64, to: i64, coarsest: Unit) -> Vec<(Unit, TimeRange)> {
        cut(range(from, to), coarsest)
            .iter()
            .map(|part| (part.unit, part.range))
            .collect()
    }

    #[test]
    fn a_range_is_cut_where_whole_units_end() {
        use Unit::{Day, Hour, Minute, Quarter, Row, Week};
        assert_eq!(parts(0, 96, Day), [(Day, range(0, 96))]);
        assert_eq!(
            parts(-3, 101, Day),
            [
                (Quarter, range(-3, 0)),
                (Day, range(0, 96)),
                (Hour, range(96, 100)),
                (Quarter, range(100, 101))
            ]
        );
        assert_eq!(parts(-96, 14 * 96, Week), [(Day, range(-96, 0)), (Week, range(0, 14 * 96))]);
        assert_eq!(parts(4, 12, Hour), [(Hour, range(4, 12))]);
        assert_eq!(parts(4, 400, Minute), [(Minute, range(4, 400))]);
        assert_eq!(parts(5, 7, Day), [(Quarter, range(5, 7))]);
        assert_eq!(parts(5, 5, Day), []);
        let ragged = TimeRange {
            from: MINUTE - 1,
            to: 3 * MINUTE + 1,
        };
        let cut = cut(ragged, Day);
        let units: Vec<Unit> = cut.iter().map(|part| part.unit).collect();
        assert_eq!(units, [Row, Minute, Row]);
        assert_eq!(cut[1].bounds(), [1, 3]);
    }

    #[test]
    fn bars_are_made_up_of_the_coarsest_unit_that_fits() {
        for (minutes, unit) in [
            (1, Unit::Minute),
            (10, Unit::Minute),
            (15, Unit::Quarter),
            (30, Unit::Quarter),
            (180, Unit::Hour),
            (2_880, Unit::Day),
            (10_080, Unit::Week),
        ] {
            assert_eq!(Unit::of_bars(minutes * MINUTE), unit, "{minutes}");
        }
        assert_eq!(Unit::of_bars(ONE_BAR), Unit::Week);
    }

    #[test]
    fn parts_follow_each_other_without_a_gap() {
        for (from, to) in [(-200, 9_999), (0, 1), (7, 10_000), (95, 97), (1, 193)] {
            let range = TimeRange {
                from: from * 777_777,
                to: to * 777_777,
            };
            let parts = cut(range, Unit::Week);
            assert_eq!(parts.first().unwrap().range.from, range.from);
            assert_eq!(parts.last().unwrap().range.to, range.to);
            assert!(parts.windows(2).all(|two| two[0].range.to == two[1].range.from), "{parts:?}");
        }
    }

    #[test]
    fn a_range_without_an_end_is_cut_too() {
        let ever = TimeRange { from: 1, to: i64::MAX };
        assert_eq!(cut(ever, Unit::Week).last().unwrap().range.to, i64::MAX);
        assert!(cut(whole_hours(ever), Unit::Week).iter().all(|part| part.unit.is_by_value()));
        let last = TimeRange {
            from: i64::MAX - 1,
            to: i64::MAX,
        };
        assert_eq!(
            cut(last, Unit::Week),
            [Stretch {
                unit: Unit::Row,
                range: last
            }]
        );
    }
}

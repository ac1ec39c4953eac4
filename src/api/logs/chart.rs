//! The histogram of a page: how long a step is, and which steps have bars.

use super::Chart;
use crate::model::selection::TimeRange;
use crate::server::store::logs::counts::Histogram;

const MINUTE_MS: i64 = 60_000;
/// Steps that people count in, in minutes: up to a week.
const STEPS: [i64; 14] = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1_440, 2_880, 10_080];
/// So many bars still have a width on a small screen.
const MOST_BARS: i64 = 100;

/// The step of a range's histogram, in milliseconds: the shortest that needs no more than a hundred bars.
pub(super) fn step_of(range: TimeRange) -> i64 {
    let length = (range.to - range.from).max(0);
    let fits = |step: &i64| length / step <= MOST_BARS;
    let longest = STEPS[STEPS.len() - 1] * MINUTE_MS;
    STEPS.iter().map(|minutes| minutes * MINUTE_MS).find(fits).unwrap_or_else(|| {
        // Years: whole weeks, as many as it takes.
        longest * (length / (longest * MOST_BARS) + 1)
    })
}

/// The histogram as the page draws it.
pub(super) fn chart_of(range: TimeRange, step: i64, histogram: &Histogram, before_text: bool) -> Chart {
    let first = range.from.div_euclid(step) * step;
    let steps = ((range.to - first).max(1) + step - 1) / step;
    let bars = histogram.bars.iter().filter(|bar| bar.from >= first && bar.from < range.to);
    Chart {
        first,
        step,
        steps: steps as u32,
        bars: bars
            .map(|bar| (((bar.from - first) / step) as u32, bar.success, bar.failure))
            .collect(),
        whole: histogram.whole,
        before_text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::store::logs::counts::Bar;

    const HOUR_MS: i64 = 60 * MINUTE_MS;

    #[test]
    fn the_presets_have_between_fifteen_and_a_hundred_bars() {
        for (hours, step_minutes) in [(1, 1), (24, 15), (168, 120), (720, 720)] {
            let range = TimeRange {
                from: 0,
                to: hours * HOUR_MS,
            };
            assert_eq!(step_of(range), step_minutes * MINUTE_MS, "{hours} h");
        }
        assert_eq!(
            step_of(TimeRange {
                from: 0,
                to: 15 * MINUTE_MS
            }),
            MINUTE_MS
        );
        let years = TimeRange {
            from: 0,
            to: 24 * 365 * 50 * HOUR_MS,
        };
        assert!(years.to / step_of(years) <= MOST_BARS);
    }

    #[test]
    fn bars_stand_where_their_time_is() {
        let range = TimeRange {
            from: 90_000,
            to: 300_000,
        };
        let histogram = Histogram {
            bars: vec![
                Bar {
                    from: 60_000,
                    success: 1,
                    failure: 0,
                },
                Bar {
                    from: 240_000,
                    success: 0,
                    failure: 2,
                },
            ],
            whole: true,
        };
        let chart = chart_of(range, MINUTE_MS, &histogram, false);
        assert_eq!((chart.first, chart.steps), (60_000, 4));
        assert_eq!(chart.bars, [(0, 1, 0), (3, 0, 2)]);
    }
}

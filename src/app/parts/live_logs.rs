//! The Logs tab, followed: what came waits in order, and is put into the page when nobody reads it.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::time::Duration;

use leptos::prelude::*;

use super::live::{Followed, Waiting, somebody_reads};
use super::records::live::every;
use crate::api::logs::{Came, LogsPage};
use crate::model::page::Total;
use crate::model::query::{LogQuery, Order};

/// What may wait: a page that is further behind is read anew.
const MOST: usize = 64;
/// A page that has become longer than this is read anew: twice the longest that can be asked for.
const LONGEST: usize = 200;
/// How often it is looked whether somebody still reads.
const LOOK: Duration = Duration::from_millis(300);
/// A page is not read anew more often than once in so many looks.
const PATIENCE: u8 = 3;

/// A Logs tab that is followed.
#[derive(Clone, Copy, Debug)]
pub struct LiveLogs {
    /// Whether it is.
    pub followed: Followed,
    /// What came, the oldest first, as far as no page has shown it.
    came: RwSignal<Vec<Came>>,
    /// Where the list is followed from: what the page that is shown has seen.
    from: StoredValue<Option<i64>>,
    /// Looks until the page may be read anew.
    patience: StoredValue<u8>,
}

impl LiveLogs {
    /// Of the page's project and query.
    pub fn of(project: Memo<String>, query: Memo<LogQuery>) -> Self {
        let came = RwSignal::new(Vec::new());
        let from = StoredValue::new(None);
        // The list is the same one whatever page of it is shown.
        let asked = Memo::new(move |_| {
            let query = query.get();
            can_be_followed(&query).then(|| format!("/live/{}/logs?{}", project.get(), query.to_query_string()))
        });
        let address = move || {
            let mut address = asked.get()?;
            if !address.ends_with('?') {
                address.push('&');
            }
            Some(format!("{address}since={}", from.get_value()?))
        };
        let told = move |name: &'static str, data: &str| {
            if name == "nothing" {
                if let Ok(mark) = data.parse() {
                    from.try_set_value(Some(mark));
                }
            } else if let Ok(news) = serde_json::from_str::<Came>(data) {
                from.try_set_value(Some(news.mark));
                came.try_update(|came| put(came, news));
            }
        };
        Self {
            followed: Followed::start(RwSignal::new(false), &["came", "nothing"], address, told),
            came,
            from,
            patience: StoredValue::new(0),
        }
    }

    /// Shows in a page what comes while it is shown; gives what waits, and shows that when it is called. `again` reads the page anew.
    pub fn show_in(self, page: RwSignal<LogsPage>, again: Callback<()>) -> (Signal<Waiting>, Callback<()>) {
        let seen = page.with_untracked(|page| page.mark);
        if let Some(seen) = seen {
            // A stream that is open is further on.
            self.from
                .update_value(|from| *from = Some(from.map_or(seen, |from| from.max(seen))));
            self.came.update_untracked(|came| came.retain(|news| news.mark > seen));
        }
        let waiting = Memo::new(move |_| {
            self.came.with(|came| match (seen, self.followed.on.get()) {
                (Some(_), true) => Waiting {
                    count: came.iter().map(|news| news.count).sum(),
                    more: came.iter().any(|news| news.missed),
                },
                _ => Waiting::default(),
            })
        });
        let show = Callback::new(move |()| {
            let news = self.came.try_update(std::mem::take).unwrap_or_default();
            if !news.is_empty() && page.try_update(|page| merge(page, &news)) == Some(false) {
                self.patience.set_value(PATIENCE);
                again.run(());
            }
        });
        let look = move || {
            let patience = self.patience.get_value();
            self.patience.set_value(patience.saturating_sub(1));
            if patience == 0 && !somebody_reads() {
                show.run(());
            }
        };
        Effect::new(move |_| {
            if !waiting.get().is_nothing() && self.patience.get_value() == 0 && !somebody_reads() {
                show.run(());
            }
        });
        every(LOOK, Memo::new(move |_| !waiting.get().is_nothing()), look);
        (waiting.into(), show)
    }
}

/// Whether what is new comes first on the page of a query, as the server sees it.
fn can_be_followed(query: &LogQuery) -> bool {
    query.to.is_none() && query.order == Order::NewestFirst && query.after.is_none() && query.before.is_none()
}

/// Puts news behind those that wait. Too many are as good as none: the page is read anew then.
fn put(came: &mut Vec<Came>, news: Came) {
    if came.len() < MOST {
        came.push(news);
        return;
    }
    let mark = news.mark;
    let count = came.iter().map(|news| news.count).sum::<u64>() + news.count;
    came.clear();
    came.push(Came {
        mark,
        count,
        missed: true,
        ..Came::default()
    });
}

/// Puts what came into a page; false where the page must be read anew instead.
fn merge(page: &mut LogsPage, news: &[Came]) -> bool {
    let Some(mark) = page.mark else { return false };
    let is_told = |news: &&Came| news.mark > mark;
    let in_hand: usize = news.iter().filter(is_told).map(|news| news.rows.len()).sum();
    let count: u64 = news.iter().filter(is_told).map(|news| news.count).sum();
    let is_whole = count == in_hand as u64 && !news.iter().any(|news| news.missed);
    // No row is cut off at the end, since the page after this one goes on after its last. So that it does not become much longer than was asked for, it is read anew.
    let fits = in_hand <= page.rows.len() && page.rows.len() <= LONGEST;
    if !is_whole || !fits || page.empty.is_some() || page.searched.is_some() {
        return false;
    }
    let shown: HashSet<&str> = page.rows.iter().map(|row| row.id.as_str()).collect();
    // On a page that has one after it, what is older than its last row belongs to that one.
    let last = page
        .rows
        .last()
        .filter(|_| page.older.is_some())
        .map(|row| (row.at, row.id.clone()));
    let rows = news.iter().filter(is_told).flat_map(|news| &news.rows);
    let new: Vec<_> = rows
        .filter(|row| !shown.contains(row.id.as_str()))
        .filter(|row| last.as_ref().is_none_or(|last| (row.at, &row.id) > (last.0, &last.1)))
        .cloned()
        .collect();
    page.rows.extend(new);
    page.rows.sort_by(|a, b| Reverse((a.at, &a.id)).cmp(&Reverse((b.at, &b.id))));
    page.rows.dedup_by(|a, b| a.id == b.id);
    for news in news.iter().filter(is_told) {
        page.total = more(page.total, news.count);
        page.failed = more(page.failed, news.failed);
        page.mark = Some(news.mark);
        for minute in &news.minutes {
            draw(page, *minute);
        }
    }
    true
}

fn more(total: Total, by: u64) -> Total {
    match total {
        Total::Exact(count) => Total::Exact(count + by),
        Total::AtLeast(count) => Total::AtLeast(count + by),
        Total::Unknown => Total::Unknown,
    }
}

/// Adds a minute to the chart's bar that it falls into; one that is past the chart's end has none yet.
fn draw(page: &mut LogsPage, (minute, good, bad): (i64, u64, u64)) {
    let chart = &mut page.chart;
    if chart.before_text || chart.step <= 0 || minute < chart.first {
        return;
    }
    let place = (minute - chart.first) / chart.step;
    let Some(place) = u32::try_from(place).ok().filter(|place| *place < chart.steps) else {
        return;
    };
    match chart.bars.binary_search_by_key(&place, |bar| bar.0) {
        Ok(found) => {
            chart.bars[found].1 += good;
            chart.bars[found].2 += bad;
        }
        Err(next) => chart.bars.insert(next, (place, good, bad)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::logs::{Chart, Emptiness, Row, Turn};
    use crate::model::zone::Zone;

    fn row(at: i64) -> Row {
        Row {
            id: format!("log_{at}"),
            at,
            failed: false,
            cells: Vec::new(),
        }
    }

    fn page(times: &[i64]) -> LogsPage {
        LogsPage {
            rows: times.iter().map(|at| row(*at)).collect(),
            total: Total::Exact(times.len() as u64),
            failed: Total::Exact(0),
            chart: Chart {
                first: 0,
                step: 60_000,
                steps: 10,
                bars: vec![(1, 2, 0)],
                whole: true,
                before_text: false,
            },
            newer: None,
            older: None,
            searched: None,
            range: (0, 600_000),
            now: 600_000,
            zone: Zone::utc(),
            unknown_local: false,
            bodies_hidden: false,
            users_hidden: false,
            empty: None,
            mark: Some(5),
        }
    }

    fn came(mark: i64, times: &[i64]) -> Came {
        Came {
            mark,
            rows: times.iter().map(|at| row(*at)).collect(),
            count: times.len() as u64,
            failed: 1,
            minutes: vec![(60_000, 1, 1), (9_000_000, 4, 0)],
            missed: false,
        }
    }

    fn times(page: &LogsPage) -> Vec<i64> {
        page.rows.iter().map(|row| row.at).collect()
    }

    #[test]
    fn what_came_stands_in_order_once() {
        let mut page = page(&[300, 200, 100]);
        assert!(merge(&mut page, &[came(6, &[400, 150]), came(7, &[400])]));
        assert_eq!(times(&page), [400, 300, 200, 150, 100]);
        assert_eq!(
            (page.total, page.failed, page.mark),
            (Total::Exact(6), Total::Exact(2), Some(7))
        );
        assert_eq!(page.chart.bars, [(1, 4, 2)], "what is past the chart's end has no bar");
    }

    #[test]
    fn what_the_page_has_seen_is_not_counted_again() {
        let mut page = page(&[300, 200]);
        assert!(merge(&mut page, &[came(5, &[300]), came(6, &[400])]));
        assert_eq!(times(&page), [400, 300, 200]);
        assert_eq!(page.total, Total::Exact(3));
    }

    #[test]
    fn what_belongs_to_the_next_page_is_left_to_it() {
        let mut page = page(&[300, 200]);
        page.older = Some(Turn {
            after: true,
            cursor: "c".to_owned(),
        });
        assert!(merge(&mut page, &[came(6, &[250, 150])]));
        assert_eq!(times(&page), [300, 250, 200]);
        assert_eq!(page.total, Total::Exact(4));
    }

    #[test]
    fn a_page_is_read_anew_where_not_all_is_in_hand() {
        let mut missed = came(6, &[400]);
        missed.missed = true;
        assert!(!merge(&mut page(&[300, 200]), &[missed]));
        let mut more = came(6, &[400]);
        more.count = 2_000;
        assert!(!merge(&mut page(&[300, 200]), &[more]));
        let mut empty = page(&[]);
        empty.empty = Some(Emptiness::Never);
        assert!(!merge(&mut empty, &[came(6, &[400])]));
    }

    #[test]
    fn who_is_far_behind_reads_the_page_anew() {
        let mut waiting = Vec::new();
        for mark in 0..=MOST as i64 {
            put(&mut waiting, came(mark, &[mark]));
        }
        assert_eq!(waiting.len(), 1);
        assert_eq!((waiting[0].count, waiting[0].missed), (MOST as u64 + 1, true));
    }

    #[test]
    fn only_a_first_page_without_an_end_is_followed() {
        for (query, can) in [
            ("", true),
            ("status=FAILURE&from=-1h", true),
            ("to=-1h", false),
            ("order=created_at", false),
            ("after=abc", false),
        ] {
            assert_eq!(can_be_followed(&LogQuery::parse(query).unwrap()), can, "{query}");
        }
    }
}

//! Rows that are new while somebody reads wait; those that are shown change where they stand.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use leptos::prelude::*;

use super::Record;
use super::live::every;
use crate::api::tasks::Listed;
use crate::app::parts::live::{Waiting, somebody_reads};

/// How often it is looked whether somebody still reads.
const LOOK: Duration = Duration::from_millis(300);

/// What is shown of a list that is kept fresh, what waits, and what shows that.
pub(super) fn hold_back<R: Record>(
    page: Listed<R>,
    fresh: RwSignal<Listed<R>>,
) -> (RwSignal<Listed<R>>, Signal<Waiting>, Callback<()>) {
    let shown = RwSignal::new(page);
    let waiting = RwSignal::new(Waiting::default());
    let show = Callback::new(move |()| {
        if let Some(page) = fresh.try_get_untracked() {
            shown.try_set(page);
            waiting.try_set(Waiting::default());
        }
    });
    Effect::new(move |_| {
        let page = fresh.get();
        let new = shown.with_untracked(|shown| count_new(shown, &page));
        if new > 0 && somebody_reads() {
            shown.update(|shown| change(shown, page));
            waiting.set(Waiting { count: new, more: false });
        } else if shown.with_untracked(|shown| *shown != page) {
            show.run(());
        }
    });
    let looking = Memo::new(move |_| !waiting.get().is_nothing());
    every(LOOK, looking, move || {
        if !somebody_reads() {
            show.run(());
        }
    });
    (shown, waiting.into(), show)
}

/// How many records of a list are not shown.
fn count_new<R: Record>(shown: &Listed<R>, fresh: &Listed<R>) -> u64 {
    let known: HashSet<&str> = shown.rows.iter().map(R::id).collect();
    fresh.rows.iter().filter(|row| !known.contains(row.id())).count() as u64
}

/// Takes over how the shown records stand by now; what is no longer in the list goes.
fn change<R: Record>(shown: &mut Listed<R>, fresh: Listed<R>) {
    let goes_on = fresh.older.is_some() || fresh.newer.is_some();
    let mut known: HashMap<String, R> = fresh.rows.into_iter().map(|row| (row.id().to_owned(), row)).collect();
    let is_known: Vec<bool> = shown.rows.iter().map(|row| known.contains_key(row.id())).collect();
    let mut stays = stay(&is_known, goes_on).into_iter();
    shown.rows.retain_mut(|old| {
        if let Some(row) = known.remove(old.id()) {
            *old = row;
        }
        stays.next().unwrap_or_default()
    });
    shown.now = fresh.now;
}

/// Which rows stay, by whether the list still has them on its page: those it has, and those after the last of these, which new ones have pushed onto the next page,
/// where there is one.
fn stay(is_known: &[bool], goes_on: bool) -> Vec<bool> {
    let pushed_from = is_known.iter().rposition(|known| *known).map_or(0, |last| last + 1);
    let places = is_known.iter().enumerate();
    places
        .map(|(place, known)| *known || (goes_on && place >= pushed_from))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_deleted_goes_and_what_was_pushed_out_stays() {
        assert_eq!(stay(&[true, false, true, false], true), [true, false, true, true]);
        assert_eq!(stay(&[true, false, true, false], false), [true, false, true, false]);
        assert_eq!(
            stay(&[false, false], true),
            [true, true],
            "so many are new that all were pushed out"
        );
        assert_eq!(stay(&[false, false], false), [false, false]);
    }
}

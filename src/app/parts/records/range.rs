//! The time range of a tab: presets as links, and two controls of one's own in the form. Nothing named means all of it.
//!
//! To add a preset: a row in [`PRESETS`].

use leptos::prelude::*;

use super::filters::AroundSignal;
use super::{Around, to_query};
use crate::app::parts::range_panel::{Custom, button, is_relative, kept, panel};
use crate::model::tab::{Tab, TabQuery};
use crate::model::zone::rfc3339;

/// The presets: the argument `from`, and its words.
const PRESETS: [(Option<&str>, &str); 5] = [
    (None, "All time"),
    (Some("-1h"), "Last hour"),
    (Some("-24h"), "Last 24 hours"),
    (Some("-7d"), "Last 7 days"),
    (Some("-30d"), "Last 30 days"),
];

/// The button that says the range, and what it opens.
#[component]
pub fn RangePicker(
    /// What surrounds the rows: it knows what the range means in the zone.
    around: AroundSignal,
    /// The page's query.
    query: Memo<TabQuery>,
) -> impl IntoView {
    let preset = Memo::new(move |_| query.with(preset_of));
    let presets = PRESETS.map(|(from, words)| {
        let href = move || to_query(&query.with(|query| query.within(argument(query.tab, from).map(str::to_owned), None)));
        view! { <li><a href=href aria-current=move || (preset.get() == Some(words)).then_some("true")>{words}</a></li> }
    });
    let relative = move || query.with(|query| kept(query.from.as_deref(), query.to.as_deref()));
    let words = move || {
        around.get().map(|around| match (preset.get(), around) {
            (Some(words), _) => words.to_owned(),
            (None, Some(around)) => range_words(&around),
            (None, None) => "Custom".to_owned(),
        })
    };
    let controls = move || {
        around.get().map(|around| {
            let custom = around.map(|around| query.with(|query| custom(&around, query)));
            custom.unwrap_or_default().view()
        })
    };
    view! {
        {move || words().map(button)}
        {panel(presets, (relative, controls))}
    }
}

fn custom(around: &Around, query: &TabQuery) -> Custom {
    let absolute = !is_relative(query.from.as_deref(), query.to.as_deref());
    // Without a beginning there is nothing that would move on with the clock.
    let link = around.range.0.map(|from| {
        let to = around.range.1.unwrap_or(around.now);
        to_query(&query.within(Some(rfc3339(from)), Some(rfc3339(to))))
    });
    Custom {
        link,
        ..Custom::over(&around.zone, around.range, around.now, absolute, query.tz.as_deref())
    }
}

/// How a preset stands in a tab's link: what the tab shows by itself is not named.
fn argument(tab: Tab, from: Option<&'static str>) -> Option<&'static str> {
    match (from, tab.default_from()) {
        (None, Some(_)) => Some(Tab::EVERYTHING),
        (from, default) if from == default => None,
        (from, _) => from,
    }
}

/// The range in words: both ends, or the one that was named.
fn range_words(around: &Around) -> String {
    let (zone, now) = (&around.zone, around.now);
    match around.range {
        (Some(from), Some(to)) => zone.range(from, to, now),
        (Some(from), None) => format!("Since {}", zone.coarse(from, now)),
        (None, Some(to)) => format!("Until {}", zone.coarse(to, now)),
        (None, None) => "All time".to_owned(),
    }
}

/// The words of the preset that a query's range is.
pub fn preset_of(query: &TabQuery) -> Option<&'static str> {
    if query.to.is_some() {
        return None;
    }
    let from = query
        .from
        .as_deref()
        .or(query.tab.default_from())
        .filter(|from| *from != Tab::EVERYTHING);
    PRESETS.iter().find(|(preset, _)| *preset == from).map(|(_, words)| *words)
}

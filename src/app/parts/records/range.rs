//! The time range of a tab: presets as links, and two controls of one's own in the form. Nothing named means all of it.
//!
//! To add a preset: a row in [`PRESETS`].

use leptos::prelude::*;

use super::filters::AroundSignal;
use super::{Around, to_query};
use crate::app::parts::range::zone_without_scripts;
use crate::model::tab::{Tab, TabQuery};

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
    // A relative range stays one when the form is sent; controls of its own that are filled in come later and win.
    let relative = move || {
        query.with(|query| {
            let is_relative = is_relative(query);
            let input = |name: &'static str, value: &Option<String>| {
                let value = value.clone().filter(|_| is_relative);
                value.map(|value| view! { <input type="hidden" name=name value=value/> })
            };
            (input("from", &query.from), input("to", &query.to))
        })
    };
    let button = move || {
        around.get().map(|around| {
            let words = match (preset.get(), around) {
                (Some(words), _) => words.to_owned(),
                (None, Some(around)) => range_words(&around),
                (None, None) => "Custom".to_owned(),
            };
            let spoken = format!("Time range: {words}");
            view! { <button type="button" class="button range-button" popovertarget="range" aria-label=spoken>{words}</button> }
        })
    };
    let controls = move || {
        around.get().map(|around| {
            let absolute = query.with(|query| !is_relative(query));
            let facts = around.map(|around| {
                let control = |time: Option<i64>| {
                    time.filter(|_| absolute)
                        .map(|time| around.zone.control(time))
                        .unwrap_or_default()
                };
                let to = around.range.1.unwrap_or(around.now);
                let ends = (control(around.range.0), control(around.range.1));
                let label = around.zone.label_over(around.range.0.unwrap_or(to), to);
                let without_scripts = query.with(|query| zone_without_scripts(&around.zone, query.tz.as_deref()));
                (ends, around.zone.to_attribute(), label, without_scripts)
            });
            let ((from, to), offsets, zone, without_scripts) = facts.unwrap_or_default();
            view! {
                <p class="menu-title">"From, up to, in "{zone}</p>
                <noscript inner_html=without_scripts></noscript>
                <label for="f-from">"From"</label>
                <input id="f-from" type="datetime-local" name="from" step="any" value=from data-offsets=offsets.clone()/>
                <label for="f-to">"To"</label>
                <input id="f-to" type="datetime-local" name="to" step="any" value=to data-offsets=offsets/>
                <div class="actions"><button type="submit" class="button">"Use this range"</button></div>
            }
        })
    };
    view! {
        {button}
        <div id="range" class="panel range" popover role="group" aria-label="Presets and a range of your own">
            <ul class="presets">{presets}</ul>
            <div class="custom">
                {relative}
                {controls}
            </div>
        </div>
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
fn preset_of(query: &TabQuery) -> Option<&'static str> {
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

fn is_relative(query: &TabQuery) -> bool {
    let relative = |time: &Option<String>| time.as_deref().is_none_or(|time| time.starts_with('-'));
    relative(&query.from) && relative(&query.to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_named_is_all_time() {
        let words = |query: &str| TabQuery::parse(Tab::Tasks, query).ok().and_then(|query| preset_of(&query));
        assert_eq!(words(""), Some("All time"));
        assert_eq!(words("from=-7d"), Some("Last 7 days"));
        assert_eq!(words("from=-7d&to=-1d"), None);
    }
}

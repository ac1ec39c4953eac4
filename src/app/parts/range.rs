//! The time range of the logs: its presets, and what it is when none is named.

use leptos::prelude::*;

use super::filter_bar::PageResource;
use super::links::to_query;
use super::range_panel::{Custom, button, is_relative, kept, panel};
use crate::model::query::{DEFAULT_FROM, LogQuery};
use crate::model::zone::rfc3339;

/// The presets: the argument `from`, and its words.
const PRESETS: [(&str, &str); 5] = [
    ("-15m", "Last 15 minutes"),
    ("-1h", "Last hour"),
    ("-24h", "Last 24 hours"),
    ("-7d", "Last 7 days"),
    ("-30d", "Last 30 days"),
];

/// The words for the range in force: a preset's, or its two ends.
pub fn range_words(page: PageResource, query: Memo<LogQuery>) -> impl Fn() -> Option<String> + Copy + Send + Sync + 'static {
    let preset = Memo::new(move |_| query.with(preset_of));
    move || {
        page.with(|page| {
            page.as_ref().map(|page| match (preset.get(), page) {
                (Some(words), _) => words.to_owned(),
                (None, Ok(page)) => page.zone.range(page.range.0, page.range.1, page.now),
                (None, Err(_)) => "Custom".to_owned(),
            })
        })
    }
}

/// The button that says the range, and what it opens.
#[component]
pub fn RangePicker(
    /// What the page shows: it knows what the range means in the zone.
    page: PageResource,
    /// The page's query.
    query: Memo<LogQuery>,
) -> impl IntoView {
    let preset = Memo::new(move |_| query.with(preset_of));
    let presets = PRESETS.map(|(from, words)| {
        let href = move || {
            let from = (from != DEFAULT_FROM).then(|| from.to_owned());
            to_query(&query.with(|query| query.within(from, None)))
        };
        view! { <li><a href=href aria-current=move || (preset.get() == Some(words)).then_some("true")>{words}</a></li> }
    });
    let relative = move || query.with(|query| kept(query.from.as_deref(), query.to.as_deref()));
    let words = range_words(page, query);
    let controls = move || {
        page.with(|page| {
            page.as_ref().map(|page| {
                let custom = page.as_ref().ok().map(|page| {
                    let ends = (Some(page.range.0), Some(page.range.1));
                    query.with(|query| Custom {
                        link: Some(to_query(&query.within(ends.0.map(rfc3339), ends.1.map(rfc3339)))),
                        ..Custom::over(
                            &page.zone,
                            ends,
                            page.now,
                            !is_relative(query.from.as_deref(), query.to.as_deref()),
                            query.tz.as_deref(),
                        )
                    })
                });
                custom.unwrap_or_default().view()
            })
        })
    };
    view! {
        {move || words().map(button)}
        {panel(presets, (relative, controls))}
    }
}

/// The words of the preset that a query's range is, or of a relative range that is none.
fn preset_of(query: &LogQuery) -> Option<&'static str> {
    if query.to.is_some() {
        return None;
    }
    let from = query.from.as_deref().unwrap_or(DEFAULT_FROM);
    PRESETS.iter().find(|(preset, _)| *preset == from).map(|(_, words)| *words)
}

//! The time range: presets as links, and two controls of one's own in the form.

use leptos::prelude::*;

use super::filter_bar::PageResource;
use super::links::to_query;
use crate::model::query::{DEFAULT_FROM, LogQuery};
use crate::model::zone::{Zone, rfc3339};

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
    let words = range_words(page, query);
    view! {
        {move || words().map(|words| {
            let spoken = format!("Time range: {words}");
            view! {
                <button type="button" class="button range-button" popovertarget="range" aria-label=spoken>{words}</button>
            }
        })}
        <div id="range" class="panel range" popover role="group" aria-label="Presets and a range of your own">
            <ul class="presets">{presets}</ul>
            <div class="custom">
                {relative}
                {move || page.with(|page| page.as_ref().map(|page| {
                    let absolute = query.with(|query| !is_relative(query));
                    let facts = page.as_ref().ok().map(|page| {
                        let controls = if absolute {
                            (page.zone.control(page.range.0), page.zone.control(page.range.1))
                        } else {
                            (String::new(), String::new())
                        };
                        let link = query.with(|query| {
                            to_query(&query.within(Some(rfc3339(page.range.0)), Some(rfc3339(page.range.1))))
                        });
                        let without_scripts = query.with(|query| zone_without_scripts(&page.zone, query.tz.as_deref()));
                        let label = page.zone.label_over(page.range.0, page.range.1);
                        (controls, page.zone.to_attribute(), label, link, without_scripts)
                    });
                    let ((from, to), offsets, zone, link, without_scripts) = facts.unwrap_or_default();
                    view! {
                        <p class="menu-title">"From, up to, in "{zone}</p>
                        <noscript inner_html=without_scripts></noscript>
                        <label for="f-from">"From"</label>
                        <input id="f-from" type="datetime-local" name="from" step="any" value=from data-offsets=offsets.clone()/>
                        <label for="f-to">"To"</label>
                        <input id="f-to" type="datetime-local" name="to" step="any" value=to data-offsets=offsets/>
                        <div class="actions">
                            <button type="submit" class="button">"Use this range"</button>
                            <button type="button" class="button needs-scripts" data-copy-link=link>"Copy absolute link"</button>
                        </div>
                    }
                }))}
            </div>
        </div>
    }
}

/// The zone that a form's times are meant in, where no script gives them their offset and the address does not name it: a link to the answer then
/// means the same to everybody. Markup for a `<noscript>`.
pub fn zone_without_scripts(zone: &Zone, asked: Option<&str>) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'-' | b'+');
    if asked.is_some() || !zone.name.bytes().all(is_plain) {
        return String::new();
    }
    format!("<input type=\"hidden\" name=\"tz\" value=\"{}\">", zone.name)
}

/// The words of the preset that a query's range is, or of a relative range that is none.
fn preset_of(query: &LogQuery) -> Option<&'static str> {
    if query.to.is_some() {
        return None;
    }
    let from = query.from.as_deref().unwrap_or(DEFAULT_FROM);
    PRESETS.iter().find(|(preset, _)| *preset == from).map(|(_, words)| *words)
}

fn is_relative(query: &LogQuery) -> bool {
    let relative = |time: &Option<String>| time.as_deref().is_none_or(|time| time.starts_with('-'));
    relative(&query.from) && relative(&query.to)
}

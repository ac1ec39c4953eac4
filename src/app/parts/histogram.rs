//! Requests over the range: bars of successes with failures on top, as SVG made on the server. Each bar is a link into its time;
//! in the browser a drag zooms, and the bar under the pointer says what it is. Its title says the same
//! to a screen reader, and a table that opens holds all figures.

use leptos::prelude::*;

use super::links::to_query;
use super::markup::{Escaped, Markup};
use crate::api::logs::LogsPage;
use crate::model::format;
use crate::model::query::LogQuery;
use crate::model::zone::rfc3339;

/// How high the bars may be.
const HEIGHT: u64 = 72;
/// A bar that is there can be seen: 1.5, in tenths.
const LEAST: u64 = 15;

/// The histogram of a page.
#[component]
pub fn Histogram(
    /// What it shows.
    page: Signal<LogsPage>,
    /// The page's query.
    query: Memo<LogQuery>,
) -> impl IntoView {
    let (opened, set_opened) = signal(false);
    let drawing = move || page.with(|page| query.with(|query| drawing(page, query)));
    let labels = move || {
        page.with(|page| {
            let (from, to) = page.range;
            let label = |ms: i64| page.zone.coarse(ms / 60_000 * 60_000, page.now);
            [label(from), label(from + (to - from) / 2), label(to)].map(|text| view! { <span>{text}</span> })
        })
    };
    let step = move || page.with(|page| page.chart.step);
    let from = move || page.with(|page| page.chart.first);
    let to = move || page.with(|page| page.chart.first + page.chart.step * i64::from(page.chart.steps));
    view! {
        <figure class="chart" aria-label="Requests over time" data-chart data-from=from data-to=to data-step=step>
            <div class="bars" inner_html=drawing></div>
            <div class="axis" aria-hidden="true">{labels}</div>
            <p class="chart-says" aria-hidden="true" data-says></p>
            <details class="chart-figures" on:toggle=move |_| set_opened.set(true)>
                <summary>"The bars as figures"</summary>
                <div inner_html=move || if opened.get() { page.with(table) } else { String::new() }></div>
            </details>
        </figure>
    }
}

/// `14:00 – 14:15: 300 requests, 12 failed`.
fn says(page: &LogsPage, bar: (u32, u64, u64)) -> String {
    let (place, success, failure) = bar;
    let from = page.chart.first + i64::from(place) * page.chart.step;
    let range = page.zone.range(from, from + page.chart.step, page.now);
    let all = success + failure;
    let requests = if all == 1 { " request, " } else { " requests, " };
    let (all, failed) = (format::count(all), format::count(failure));
    [&range, ": ", &all, requests, &failed, " failed"].concat()
}

/// The bars as SVG: a link for each, and one path for all bars of a kind. Written as text: a hundred links need no listeners of their own.
fn drawing(page: &LogsPage, query: &LogQuery) -> String {
    let chart = &page.chart;
    let most = chart
        .bars
        .iter()
        .map(|(_, success, failure)| success + failure)
        .max()
        .unwrap_or(0)
        .max(1);
    // In tenths: whole numbers are written several times as fast as fractions are.
    let scaled = |count: u64| {
        if count == 0 {
            0
        } else {
            (count.saturating_mul(HEIGHT * 10) / most).max(LEAST)
        }
    };
    // Written once: only the times differ from bar to bar.
    let link = to_query(&query.within(Some("F".to_owned()), Some("T".to_owned())));
    let (before, after) = link.split_once("from=F&to=T").unwrap_or_default();
    let (before, after) = (Escaped(before).to_string(), Escaped(after).to_string());
    let bars = chart.bars.len();
    let mut out = Markup::with_capacity(512 + 300 * bars);
    let (mut good, mut bad) = (Markup::with_capacity(40 * bars), Markup::with_capacity(40 * bars));
    let high = HEIGHT.to_string();
    out.raw(r#"<svg viewBox="0 0 "#)
        .number(chart.steps.into())
        .raw(" ")
        .raw(&high);
    out.raw(r#"" preserveAspectRatio="none" width="100%" height=""#)
        .raw(&high)
        .raw("\">");
    for bar in &chart.bars {
        let (place, success, failure) = *bar;
        let from = chart.first + i64::from(place) * chart.step;
        out.raw(r#"<a href=""#).raw(&before).raw("from=").raw(&rfc3339(from));
        out.raw("&amp;to=").raw(&rfc3339(from + chart.step)).raw(&after);
        out.raw(r#"" tabindex="-1"><title>"#)
            .text(&says(page, *bar))
            .raw(r#"</title><path d="M"#);
        out.number(place.into()).raw(" 0h1v").raw(&high).raw(r#"h-1z"/></a>"#);

        let failed = scaled(failure);
        let succeeded = scaled(success).min(HEIGHT * 10 - failed);
        column(&mut good, place, HEIGHT * 10, succeeded);
        if failure > 0 {
            column(&mut bad, place, HEIGHT * 10 - succeeded, failed);
        }
    }
    out.raw(r#"<path class="good" d=""#).raw(&good.done());
    out.raw(r#""/><path class="bad" d=""#).raw(&bad.done());
    out.raw(r#""/><rect class="brush" width="0" height=""#)
        .raw(&high)
        .raw(r#""/></svg>"#);
    out.done()
}

/// A bar's column, from its foot up, both lengths in tenths.
fn column(path: &mut Markup, place: u32, foot: u64, high: u64) {
    path.raw("M").number(place.into()).raw(".08 ");
    tenths(path, foot).raw("v-");
    tenths(path, high).raw("h.84v");
    tenths(path, high).raw("z");
}

/// A length in tenths, as a decimal number.
fn tenths(path: &mut Markup, length: u64) -> &mut Markup {
    path.number(length / 10);
    if length.is_multiple_of(10) {
        return path;
    }
    path.raw(".").number(length % 10)
}

/// The same figures for those who do not see bars. Not a `<table>`: the page's one table is the list.
fn table(page: &LogsPage) -> String {
    let row = |role: &str, cells: [&str; 3]| {
        let cells = cells.map(|text| format!(r#"<span role="{role}">{text}</span>"#));
        format!(r#"<div role="row">{}</div>"#, cells.concat())
    };
    let mut table = String::from(r#"<div role="table" aria-label="Requests over time">"#);
    table.push_str(&row("columnheader", ["Time", "Requests", "Failed"]));
    for (place, success, failure) in &page.chart.bars {
        let from = page.chart.first + i64::from(*place) * page.chart.step;
        let range = page.zone.range(from, from + page.chart.step, page.now);
        table.push_str(&row(
            "cell",
            [&range, &format::count(success + failure), &format::count(*failure)],
        ));
    }
    table.push_str("</div>");
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::logs::Chart;
    use crate::model::page::Total;
    use crate::model::zone::Zone;

    fn page() -> LogsPage {
        LogsPage {
            bodies_hidden: false,
            users_hidden: false,
            rows: Vec::new(),
            total: Total::Exact(3),
            failed: Total::Exact(1),
            chart: Chart {
                first: 0,
                step: 60_000,
                steps: 4,
                bars: vec![(1, 2, 1)],
                whole: true,
                before_text: false,
            },
            newer: None,
            older: None,
            searched: None,
            range: (0, 240_000),
            now: 240_000,
            zone: Zone::utc(),
            unknown_local: false,
            empty: None,
            mark: None,
        }
    }

    #[test]
    fn a_bar_links_into_its_time_and_says_both_counts() {
        let drawing = drawing(&page(), &LogQuery::parse("status=FAILURE&q=\"><b>").unwrap_or_default());
        assert!(
            drawing.contains("from=1970-01-01T00:01:00Z&amp;to=1970-01-01T00:02:00Z"),
            "{drawing}"
        );
        assert!(drawing.contains("00:01 – 00:02: 3 requests, 1 failed"), "{drawing}");
        assert!(!drawing.contains("<b>"), "{drawing}");
    }

    #[test]
    fn one_request_is_one() {
        assert_eq!(says(&page(), (2, 1, 0)), "00:02 – 00:03: 1 request, 0 failed");
    }

    #[test]
    fn failures_stand_on_top_and_all_fits() {
        let drawing = drawing(&page(), &LogQuery::default());
        assert!(drawing.contains(r#"class="good" d="M1.08 72v-48h.84v48z""#), "{drawing}");
        assert!(drawing.contains(r#"class="bad" d="M1.08 24v-24h.84v24z""#), "{drawing}");
    }
}

//! How many requests there are, and how many failed.

use leptos::prelude::*;

use crate::api::logs::LogsPage;
use crate::model::format;
use crate::model::page::Total;

/// `18,204 requests · 312 failed`.
#[component]
pub fn Totals(
    /// All of them.
    total: Total,
    /// Those that failed.
    failed: Total,
    /// Whether the bars hold all of them.
    whole: bool,
) -> impl IntoView {
    let words = match total {
        Total::Exact(1) => "1 request".to_owned(),
        Total::Unknown => "Bars show the logs that the text is searched for in".to_owned(),
        total => format!("{} requests", number(total)),
    };
    let failed = match failed {
        Total::Exact(0) | Total::Unknown => None,
        failed => Some(view! { " · "<span class="bad-words">{number(failed)}" failed"</span> }),
    };
    let cut =
        (!whole && total != Total::Unknown).then(|| view! { <span class="quiet">" · bars show those that were counted"</span> });
    view! { <p class="totals">{words}{failed}{cut}</p> }
}

/// `18,204`, or `10,000+` where counting stopped.
pub fn number(total: Total) -> String {
    match total {
        Total::Exact(count) => format::count(count),
        Total::AtLeast(count) => format!("{}+", format::count(count)),
        Total::Unknown => "?".to_owned(),
    }
}

/// `50 of 10,000+`, for the pager.
pub fn shown_of(page: &LogsPage) -> String {
    let shown = page.rows.len();
    match page.total {
        Total::Unknown => format!("{shown} shown"),
        total => format!("{shown} of {}", number(total)),
    }
}

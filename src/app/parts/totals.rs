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
) -> impl IntoView {
    let words = match total {
        Total::Exact(1) => "1 request".to_owned(),
        Total::Unknown => String::new(),
        total => format!("{} requests", number(total)),
    };
    let failed = match failed {
        Total::Exact(0) | Total::Unknown => None,
        failed => Some(view! { " · "<span class="bad-words">{number(failed)}" failed"</span> }),
    };
    view! { <p class="totals">{words}{failed}</p> }
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

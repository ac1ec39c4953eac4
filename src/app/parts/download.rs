//! A button that downloads a file. A form, so that it is a button to everybody and needs no script.

use leptos::prelude::*;

use crate::model::format;

/// The button, and beside it what the file is called and how large it is.
#[component]
pub fn Download(
    /// What the button says.
    words: &'static str,
    /// Where the file is.
    href: String,
    /// What it is called.
    name: String,
    /// How large it is.
    bytes: i64,
) -> impl IntoView {
    let about = format!("{name}, {}", format::size(bytes));
    view! {
        <form class="download" method="get" action=href>
            <button type="submit" class="button">{words}</button>
            <span class="quiet">{about}</span>
        </form>
    }
}

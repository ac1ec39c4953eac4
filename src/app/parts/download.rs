//! A button that downloads a file. A form, so that it is a button to everybody and needs no script.

use leptos::prelude::*;

use super::markup::Escaped;
use crate::model::format;

/// The button alone, where what it downloads is told already.
#[component]
pub fn Download(
    /// What the button says.
    #[prop(default = "Download")]
    words: &'static str,
    /// Where the file is.
    href: String,
    /// Whether it is what people came for.
    #[prop(optional)]
    primary: bool,
) -> impl IntoView {
    view! {
        <form class="download" method="get" action=href>
            <button type="submit" class="button" class:primary=primary>{words}</button>
        </form>
    }
}

/// The button, and beside it what the file is called and how large it is.
#[component]
pub fn DownloadNamed(
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
        <span class="download">
            <Download words href/>
            <span class="quiet">{about}</span>
        </span>
    }
}

/// The button as a table's cell has it, with the file's name as its description.
pub fn cell(href: &str, name: &str) -> String {
    format!(
        r#"<form class="download" method="get" action="{}"><button type="submit" class="button quiet-button" title="{}">Download</button></form>"#,
        Escaped(href),
        Escaped(name),
    )
}

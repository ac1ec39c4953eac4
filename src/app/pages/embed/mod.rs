//! An embedded view's pages, for people without an account, in a frame of somebody else's page or alone: plain HTML as the server made it. Nothing in them runs, no cookie is asked for.
//!
//! Addresses within them are arguments alone (`?log=…`, `?after=…`), so that the link's token stands in none of them.

pub mod list;
pub mod log;
mod side;

use leptos::prelude::*;

use crate::app::parts::markup::Escaped;
use crate::model::zone::{Zone, rfc3339};

/// What every page has in its head beside the styles.
const HEAD: &str = concat!(
    r#"<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">"#,
    r#"<meta name="color-scheme" content="light dark"><link rel="icon" type="image/svg+xml" href="/assets/favicon.svg">"#,
);

/// What stands around what is shown.
#[derive(Clone, Debug)]
pub struct Around {
    /// The links to the styles.
    pub styles: String,
    /// What the project is called.
    pub project: String,
    /// What the view is called.
    pub view: String,
    /// The zone that the times are shown in.
    pub zone: Zone,
    /// The server's time.
    pub now: i64,
}

/// The document.
fn document(styles: &str, title: &str, content: AnyView) -> String {
    let head = format!("{HEAD}{styles}<title>{} · audit-log</title>", Escaped(title));
    let page = view! {
        <!DOCTYPE html>
        <html lang="en">
            <head inner_html=head></head>
            <body class="embedded">{content}</body>
        </html>
    };
    // Where a script would take the page over: there is none. What a log says is escaped, and has no such sign in it.
    page.into_any().to_html().replace("<!>", "")
}

/// Since when nothing on the page changes, with its zone.
fn as_of(around: &Around) -> AnyView {
    let full = around.zone.full(around.now);
    view! { "As of "<time datetime=rfc3339(around.now)>{full}</time> }.into_any()
}

/// A page that says why there is nothing to show. `back` leads to the list, where there is one.
pub fn told(styles: &str, title: &'static str, words: &'static str, back: bool) -> String {
    let back = back.then(|| view! { <p><a class="button" href="?">"Back to the list"</a></p> });
    let content = view! {
        <main id="content" class="alone">
            <h1>{title}</h1>
            <p>{words}</p>
            {back}
        </main>
    };
    document(styles, title, content.into_any())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_page_runs_or_leaves_it() {
        let page = told(
            "<link rel=\"stylesheet\" href=\"/a.css\">",
            "This link is not valid or has ended",
            "Ask for another.",
            true,
        );
        assert!(page.starts_with("<!DOCTYPE html>"), "{page}");
        assert!(page.contains("href=\"/a.css\"") && page.contains("href=\"?\""), "{page}");
        assert!(page.contains("<h1>This link is not valid or has ended</h1>"), "{page}");
        assert!(!page.contains("<script") && !page.contains(" on"), "{page}");
    }
}

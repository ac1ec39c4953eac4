//! What people see: the document, the pages, and the parts they are made of. Rendered on the server, then woken in the browser.
//!
//! A page is one file in `pages/` and one line in [`routes`]. What it shows comes from `api/`; all state that a link should carry
//! lives in the URL. Links are plain `<a href>`, filters plain forms: every page reads, filters and turns pages without scripts,
//! and [`browser`] makes the same elements quicker where there are some. No element has a `style` attribute: the
//! Content-Security-Policy forbids it.

#[cfg(feature = "hydrate")]
mod browser;
pub mod pages;
pub mod parts;
mod routes;

use leptos::prelude::*;
use leptos_meta::provide_meta_context;

pub use routes::App;

/// The whole document around [`App`]; `head` is what the browser half's build wants in the `<head>`, nonces filled in.
pub fn shell(head: String) -> impl IntoView {
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head inner_html=head></head>
            <body>
                <App/>
            </body>
        </html>
    }
}

/// What every page may use: titles in the head.
fn provide_contexts() {
    provide_meta_context();
}

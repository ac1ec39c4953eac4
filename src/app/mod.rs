//! What people see: the document, the pages, and the parts they are made of. Rendered on the server, then woken in the browser.
//!
//! A page is one file in `pages/` and one line in [`routes`]. What it shows comes from `api/`; all state that a link should carry
//! lives in the URL. Links are plain `<a href>`, filters plain forms: every page reads, filters and turns pages without scripts,
//! and [`browser`] makes the same elements quicker where there are some. No element has a `style` attribute: the
//! Content-Security-Policy forbids it.

#[cfg(feature = "hydrate")]
mod browser;
mod lazy;
pub mod pages;
pub mod parts;
mod routes;

use leptos::prelude::*;
use leptos_meta::provide_meta_context;

pub use lazy::group;
pub use routes::App;

/// Wakes the page that the server rendered, once the code of its kind of page is here.
#[cfg(feature = "hydrate")]
pub fn wake() {
    if browser::is_left() {
        return;
    }
    browser::typed::remember();
    wasm_bindgen_futures::spawn_local(async {
        leptos::mount::hydrate_from_async(body(), App).await.forget();
        browser::start();
    });
}

#[cfg(feature = "hydrate")]
fn body() -> web_sys::HtmlElement {
    document()
        .body()
        .unwrap_or_else(|| unreachable!("a module's script runs when the document has been read"))
}

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

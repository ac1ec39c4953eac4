//! `data-copy="text"` copies the text; `data-copy-link="?query"` the absolute address of that link. A live region says it.

use leptos::task::spawn_local;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Document, MouseEvent};

use super::{around, listen};

pub(super) fn start(document: &Document) {
    listen::<MouseEvent>(document, "click", |event| {
        let Some(button) = around(event, "[data-copy], [data-copy-link]") else {
            return;
        };
        let Some(text) = button
            .get_attribute("data-copy")
            .or_else(|| absolute(&button.get_attribute("data-copy-link")?))
        else {
            return;
        };
        event.prevent_default();
        spawn_local(async move {
            let copied = match web_sys::window() {
                Some(window) => JsFuture::from(window.navigator().clipboard().write_text(&text)).await.is_ok(),
                None => false,
            };
            say(if copied {
                "Copied"
            } else {
                "The browser did not allow copying"
            });
        });
    });
}

fn absolute(link: &str) -> Option<String> {
    let location = web_sys::window()?.location();
    Some(format!("{}{}{link}", location.origin().ok()?, location.pathname().ok()?))
}

/// Says something once, to eyes and ears.
fn say(text: &str) {
    let Some(region) = super::document().and_then(|document| document.get_element_by_id("announce")) else {
        return;
    };
    region.set_text_content(None);
    region.set_text_content(Some(text));
    let again = region.clone();
    leptos::prelude::set_timeout(move || again.set_text_content(None), std::time::Duration::from_secs(2));
}

//! `data-copy="text"` copies the text; `data-copy-of="id"` what that element says; `data-copy-link="?query"` the absolute address of that link. A live region says it.

use leptos::task::spawn_local;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Document, MouseEvent};

use super::{around, listen};

pub(super) fn start(document: &Document) {
    listen::<MouseEvent>(document, "click", |event| {
        let Some(button) = around(event, "[data-copy], [data-copy-of], [data-copy-link]") else {
            return;
        };
        let Some(text) = button
            .get_attribute("data-copy")
            .or_else(|| said_by(&button.get_attribute("data-copy-of")?))
            .or_else(|| absolute(&button.get_attribute("data-copy-link")?))
        else {
            return;
        };
        event.prevent_default();
        copy(text, "Copied");
    });
}

/// Copies a text and says so.
pub(in crate::app) fn copy(text: String, said: &'static str) {
    spawn_local(async move {
        let copied = match web_sys::window() {
            // A page that came over plain HTTP has no clipboard.
            Some(window) if window.is_secure_context() => {
                JsFuture::from(window.navigator().clipboard().write_text(&text)).await.is_ok()
            }
            _ => false,
        };
        say(if copied { said } else { "The browser did not allow copying" });
    });
}

fn said_by(id: &str) -> Option<String> {
    super::document()?.get_element_by_id(id)?.text_content()
}

fn absolute(link: &str) -> Option<String> {
    let location = web_sys::window()?.location();
    Some(format!("{}{}{link}", location.origin().ok()?, location.pathname().ok()?))
}

/// Says something once, to eyes and ears.
pub(in crate::app) fn say(text: &str) {
    let Some(region) = super::document().and_then(|document| document.get_element_by_id("announce")) else {
        return;
    };
    region.set_text_content(None);
    region.set_text_content(Some(text));
    let again = region.clone();
    leptos::prelude::set_timeout(move || again.set_text_content(None), std::time::Duration::from_secs(2));
}

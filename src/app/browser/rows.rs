//! A click on a row of `table.logs` or `table.records` opens its link; on its links and buttons, and while text is chosen, it does what it always does.

use wasm_bindgen::JsCast;
use web_sys::{Document, HtmlElement, MouseEvent};

use super::{Go, around, listen};

pub(super) fn start(document: &Document, go: &Go) {
    let go = go.clone();
    listen::<MouseEvent>(document, "click", move |event| {
        let plain = event.button() == 0 && !event.ctrl_key() && !event.meta_key() && !event.shift_key() && !event.alt_key();
        if !plain || event.default_prevented() || around(event, "a, button, input, select, label").is_some() || text_is_chosen() {
            return;
        }
        let Some(row) = around(event, "table:is(.logs, .records) tbody tr") else {
            return;
        };
        if let Some(link) = row
            .query_selector("a[href]")
            .ok()
            .flatten()
            .and_then(|link| link.get_attribute("href"))
        {
            go(&link);
        }
    });
}

fn text_is_chosen() -> bool {
    let selection = web_sys::window().and_then(|window| window.get_selection().ok().flatten());
    selection.is_some_and(|selection| !selection.is_collapsed())
}

/// Moves the focus to the next or the previous row's link.
pub(super) fn step(document: &Document, by: i32) {
    let Ok(links) = document.query_selector_all("table:is(.logs, .records) tbody td.c-id > a") else {
        return;
    };
    let focused = document.active_element();
    let row = focused.and_then(|element| element.closest("tr").ok().flatten());
    let here = row
        .and_then(|row| row.query_selector("td.c-id > a").ok().flatten())
        .and_then(|link| (0..links.length()).find(|place| links.item(*place).is_some_and(|node| node.is_same_node(Some(&link)))));
    let last = links.length().saturating_sub(1);
    let next = match here {
        None => 0,
        Some(here) if by < 0 => here.saturating_sub(1),
        Some(here) => (here + 1).min(last),
    };
    if let Some(link) = links.item(next).and_then(|node| node.dyn_into::<HtmlElement>().ok()) {
        // A link that is in the page takes the focus.
        let _ = link.focus();
    }
}

//! `/` to the text filter, `j` and `k` through the rows, `?` for help. Enter and Escape are the browser's own.

use wasm_bindgen::JsCast;
use web_sys::{Document, HtmlElement, HtmlInputElement, KeyboardEvent};

use super::{around, differences, listen, rows};

pub(super) fn start(document: &Document) {
    let page = document.clone();
    listen::<KeyboardEvent>(document, "keydown", move |event| {
        let typing = around(event, "input, textarea, select, [contenteditable]").is_some();
        if typing || event.ctrl_key() || event.meta_key() || event.alt_key() || event.default_prevented() {
            return;
        }
        match event.key().as_str() {
            "/" => find(&page),
            "j" => step(&page, 1),
            "k" => step(&page, -1),
            "?" => help(&page),
            _ => return,
        }
        event.prevent_default();
    });
}

/// Through what differs on a page that compares, through the rows on any other.
fn step(page: &Document, by: i32) {
    if !differences::step(page, by) {
        rows::step(page, by);
    }
}

/// To the text filter, out of the sheet that it may lie in.
fn find(page: &Document) {
    // On a tab of records it is the first filter that is typed; on a log's page the first box that looks through a body.
    let field = page
        .get_element_by_id("f-q")
        .or_else(|| page.query_selector("#filters .field > input").ok()?)
        .or_else(|| page.query_selector(".json-find input").ok()?);
    let Some(field) = field.and_then(|field| field.dyn_into::<HtmlInputElement>().ok()) else {
        return;
    };
    if field.offset_parent().is_none()
        && let Some(sheet) = page
            .get_element_by_id("filters")
            .and_then(|sheet| sheet.dyn_into::<HtmlElement>().ok())
    {
        // It opens unless it is open.
        let _ = sheet.show_popover();
    }
    // An input in the page takes the focus.
    let _ = field.focus();
    field.select();
}

fn help(page: &Document) {
    if let Some(help) = page
        .get_element_by_id("help")
        .and_then(|help| help.dyn_into::<HtmlElement>().ok())
    {
        // A popover in the page opens or closes.
        let _ = help.toggle_popover();
    }
}

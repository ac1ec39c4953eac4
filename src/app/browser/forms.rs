//! `<form method="get" data-go>` goes to its address without a reload; a control with `data-apply` sends its form when it changes.
//! `data-tab` on the form names the tab of records whose arguments it has; without it they are those of the Logs tab.

use js_sys::{Array, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Document, Event, FormData, HtmlElement, HtmlFormElement};

use super::{Go, around, listen};
use crate::app::parts::links::to_query;
use crate::app::parts::records::{self, tab_of};
use crate::model::query::{LogQuery, escape};
use crate::model::tab::TabQuery;
use crate::model::zone::Zone;

pub(super) fn start(document: &Document, go: &Go) {
    let go = go.clone();
    listen::<Event>(document, "submit", move |event| {
        let Some(form) = around(event, "form[data-go]").and_then(|form| form.dyn_into::<HtmlFormElement>().ok()) else {
            return;
        };
        if event.default_prevented() {
            return;
        }
        event.prevent_default();
        close_popovers();
        if form.has_attribute("data-turn") {
            to_top();
        }
        go(&address(&form, event));
    });
    listen::<Event>(document, "click", |event| {
        if around(event, "[popover] a[href]").is_some() {
            close_popovers();
        }
    });
    listen::<Event>(document, "change", |event| {
        let Some(control) = around(event, "[data-apply]") else {
            return;
        };
        // A sheet or a dialog is sent by its own button.
        if control.closest(":popover-open").ok().flatten().is_some() {
            return;
        }
        let form = Reflect::get(&control, &JsValue::from_str("form"))
            .ok()
            .and_then(|form| form.dyn_into::<HtmlFormElement>().ok());
        if let Some(form) = form {
            // A form that does not validate says so itself.
            let _ = form.request_submit();
        }
    });
}

/// Where the form leads: what is empty is left out, so that equal filters are equal links.
fn address(form: &HtmlFormElement, event: &Event) -> String {
    let mut query = String::new();
    let mut add = |name: &str, value: &str| {
        if !query.is_empty() {
            query.push('&');
        }
        query.push_str(name);
        query.push('=');
        query.push_str(&escape(value));
    };
    if let Ok(entries) = FormData::new_with_form(form).map(|data| js_sys::try_iter(&data)) {
        for entry in entries.into_iter().flatten().flatten().flatten() {
            let pair = Array::from(&entry);
            if let (Some(name), Some(value)) = (pair.get(0).as_string(), pair.get(1).as_string()) {
                let value = zoned(form, &name, value);
                if !value.is_empty() {
                    add(&name, &value);
                }
            }
        }
    }
    if let Ok(button) = Reflect::get(event, &JsValue::from_str("submitter")) {
        let read = |name: &str| {
            Reflect::get(&button, &JsValue::from_str(name))
                .ok()
                .and_then(|value| value.as_string())
        };
        if let (Some(name), Some(value)) = (read("name").filter(|name| !name.is_empty()), read("value")) {
            add(&name, &value);
        }
    }
    // What makes no sense goes as it is: the server says what is wrong with it.
    let written = match form.get_attribute("data-tab").and_then(|word| tab_of(&word)) {
        Some(tab) => TabQuery::parse(tab, &query).map(|query| records::to_query(&query)),
        None => LogQuery::parse(&query).map(|query| to_query(&query)),
    };
    written.unwrap_or_else(|_| format!("?{query}"))
}

/// A time that was typed in gets the offset of the zone it is meant in, so that the link means the same everywhere.
fn zoned(form: &HtmlFormElement, name: &str, value: String) -> String {
    let control = form
        .query_selector(&format!("input[type=datetime-local][name={name}]"))
        .ok()
        .flatten();
    control
        .and_then(|control| control.get_attribute("data-offsets"))
        .and_then(|offsets| Zone::of_attribute(&offsets))
        .and_then(|zone| zone.with_offset(&value))
        .unwrap_or(value)
}

fn close_popovers() {
    let open = super::document().and_then(|document| document.query_selector_all(":popover-open").ok());
    let Some(open) = open else { return };
    for place in 0..open.length() {
        if let Some(popover) = open.item(place).and_then(|node| node.dyn_into::<HtmlElement>().ok()) {
            // It may have closed together with the one around it.
            let _ = popover.hide_popover();
        }
    }
}

/// A new page of rows begins at its top.
fn to_top() {
    let rows = super::document().and_then(|document| document.query_selector(".rows").ok().flatten());
    if let Some(rows) = rows {
        rows.set_scroll_top(0);
    }
    // Where the rows have no window of their own, the page itself scrolls.
    if let Some(window) = web_sys::window() {
        window.scroll_to_with_x_and_y(0.0, 0.0);
    }
}

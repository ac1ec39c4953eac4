//! The focus in a list whose rows are drawn anew: it stays at the row, on its link or on the button of its menu. Whoever pressed elsewhere keeps that.

use std::cell::RefCell;

use js_sys::{Function, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Document, Element, Event};

use super::{around, listen};

const ROWS: &str = "table.records tbody tr";

thread_local! {
    /// What has the focus in a row: a selector that finds it again.
    static HELD: RefCell<Option<String>> = const { RefCell::new(None) };
}

pub(super) fn start(document: &Document) {
    listen::<Event>(document, "focusin", |event| {
        HELD.set(around(event, ROWS).and_then(|_| selector(&around(event, "a, button")?)));
    });
    // The focus goes nowhere where one presses on nothing that takes it: then it is not held either.
    listen::<Event>(document, "pointerdown", |_| HELD.set(None));
}

/// Ids are letters, digits, `_` and `-`; what an address holds besides is escaped, and no quote is left in it.
fn selector(element: &Element) -> Option<String> {
    let by = |name: &str| {
        let value = element.get_attribute(name).filter(|value| !value.contains(['"', '\\']))?;
        Some(format!("{ROWS} [{name}=\"{value}\"]"))
    };
    by("popovertarget").or_else(|| by("href"))
}

/// Rows may have been drawn anew: gives the focus back where they took it away.
pub(super) fn keep() {
    let Some(document) = super::document() else { return };
    let is_lost = document.active_element().is_none_or(|element| element.tag_name() == "BODY");
    let Some(selector) = HELD.with_borrow(Clone::clone).filter(|_| is_lost) else {
        return;
    };
    let Ok(Some(element)) = document.query_selector(&selector) else {
        return;
    };
    let options = Object::new();
    // A plain object takes a property, and an element the focus; the list stays where it was scrolled to.
    let _ = Reflect::set(&options, &JsValue::from_str("preventScroll"), &JsValue::TRUE);
    if let Some(focus) = Reflect::get(&element, &JsValue::from_str("focus"))
        .ok()
        .and_then(|focus| focus.dyn_into::<Function>().ok())
    {
        let _ = focus.call1(&element, &options);
    }
}

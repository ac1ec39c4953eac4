//! What was typed before the page woke: it stays as its reader left it. Waking gives each control the value that the page began
//! with; what the reader had put there by then is put back, and told to the page as if it were typed now.
//!
//! A control with `data-apply` sends its form when it changes: it is left alone, since a browser fills in controls by itself, too.

use std::cell::RefCell;

use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, Event, EventInit};

use super::listen_in;

const CONTROLS: &str = ":is(form:not([method]), form[data-go]) :is(input:not([type=file]), textarea, select):not([data-apply])";

/// A control, and what its reader made of it.
struct Typed {
    control: Element,
    property: &'static str,
    value: JsValue,
}

thread_local! {
    /// In the order in which it is put back; none once the page is awake.
    static TYPED: RefCell<Option<Vec<Typed>>> = const { RefCell::new(None) };
}

/// Looks at what was typed until now, and listens for more until [`put_back`].
pub(in crate::app) fn remember() {
    let Some(document) = super::document() else { return };
    let controls = document.query_selector_all(CONTROLS).ok();
    let controls = controls
        .iter()
        .flat_map(|list| (0..list.length()).filter_map(|index| list.item(index)));
    let controls = controls.filter_map(|node| node.dyn_into::<Element>().ok());
    TYPED.set(Some(controls.filter_map(changed).collect()));
    listen_in::<Event>(&document, "input", true, |event| {
        let control = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let Some(control) = control.filter(|control| control.matches(CONTROLS).unwrap_or(false)) else {
            return;
        };
        TYPED.with_borrow_mut(|typed| {
            if let Some(typed) = typed {
                typed.retain(|known| known.control != control);
                typed.push(as_it_is(control));
            }
        });
    });
}

/// Puts back what was typed, once the page's own listeners are in place.
pub(super) fn put_back() {
    for Typed {
        control,
        property,
        value,
    } in TYPED.take().into_iter().flatten()
    {
        if get(&control, property) != value {
            // Every control has these properties, and takes what it gave.
            let _ = Reflect::set(&control, &JsValue::from_str(property), &value);
        }
        tell(&control, "input");
        if property == "checked" || control.tag_name() == "SELECT" {
            tell(&control, "change");
        }
    }
}

fn tell(control: &Element, name: &str) {
    let how = EventInit::new();
    how.set_bubbles(true);
    if let Ok(event) = Event::new_with_event_init_dict(name, &how) {
        // It fails for an event that is on its way already: this one is new.
        let _ = control.dispatch_event(&event);
    }
}

fn as_it_is(control: Element) -> Typed {
    let property = match kind(&control).as_str() {
        "checkbox" | "radio" => "checked",
        _ => "value",
    };
    let value = get(&control, property);
    Typed {
        control,
        property,
        value,
    }
}

/// The control as it is, where that is not how the server sent it.
fn changed(control: Element) -> Option<Typed> {
    let sent = match kind(&control).as_str() {
        "checkbox" => get(&control, "defaultChecked"),
        // Of a group, the one that was chosen says it for all.
        "radio" if get(&control, "checked").is_truthy() => get(&control, "defaultChecked"),
        "radio" => JsValue::FALSE,
        "select-one" => get(&sent_option(&control)?, "value"),
        _ => get(&control, "defaultValue"),
    };
    let typed = as_it_is(control);
    (typed.value != sent).then_some(typed)
}

fn sent_option(select: &Element) -> Option<Element> {
    let chosen = select.query_selector("option[selected]").ok().flatten();
    chosen.or_else(|| select.query_selector("option").ok().flatten())
}

fn kind(control: &Element) -> String {
    get(control, "type").as_string().unwrap_or_default()
}

fn get(control: &Element, property: &str) -> JsValue {
    Reflect::get(control, &JsValue::from_str(property)).unwrap_or(JsValue::UNDEFINED)
}

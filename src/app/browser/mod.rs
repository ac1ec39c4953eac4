//! What scripts add to plain elements, by a handful of listeners on the document: copying, forms and rows without a reload, keys,
//! zooming in a chart, the browser's time zone. Markup asks for it by `data-` attributes, so that it works without, too.
//!
//! To add one: a file with a `start`, called below, and the attribute's name in its doc.

mod chart;
pub(in crate::app) mod copy;
mod forms;
mod keys;
mod rows;
mod zone;

use std::cell::Cell;
use std::rc::Rc;

use leptos_router::NavigateOptions;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Document, Element, Event, EventTarget};

/// Goes to an address without a reload.
pub(super) type Go = Rc<dyn Fn(&str)>;

thread_local! {
    static STARTED: Cell<bool> = const { Cell::new(false) };
}

/// Starts listening; once a page load.
pub(super) fn start(navigate: impl Fn(&str, NavigateOptions) + 'static) {
    if STARTED.replace(true) {
        return;
    }
    let go: Go = Rc::new(move |address| {
        navigate(
            address,
            NavigateOptions {
                scroll: false,
                ..NavigateOptions::default()
            },
        );
    });
    let Some(document) = document() else { return };
    copy::start(&document);
    forms::start(&document, &go);
    rows::start(&document, &go);
    chart::start(&document, &go);
    keys::start(&document);
    zone::start();
    if let Some(root) = document.document_element() {
        // Shows what needs scripts, and tells tests that the page is awake.
        let _ = root.set_attribute("data-awake", "");
    }
}

fn document() -> Option<Document> {
    web_sys::window()?.document()
}

/// Listens for as long as the page lives.
fn listen<E: JsCast + 'static>(target: &EventTarget, name: &str, mut heard: impl FnMut(&E) + 'static) {
    let listener = Closure::<dyn FnMut(Event)>::new(move |event: Event| {
        if let Some(event) = event.dyn_ref::<E>() {
            heard(event);
        }
    });
    // The document takes every listener.
    let _ = target.add_event_listener_with_callback(name, listener.as_ref().unchecked_ref());
    listener.forget();
}

/// The nearest element around an event's target that a selector names.
fn around(event: &Event, selector: &str) -> Option<Element> {
    event.target()?.dyn_into::<Element>().ok()?.closest(selector).ok()?
}

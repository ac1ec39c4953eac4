//! What scripts add to plain elements, by a handful of listeners on the document: copying, forms and rows without a reload, keys,
//! zooming in a chart, the browser's time zone. Markup asks for it by `data-` attributes, so that it works without, too.
//!
//! To add one: a file with a `start`, called below, and the attribute's name in its doc.

mod chart;
pub(in crate::app) mod copy;
mod differences;
mod forms;
mod held;
mod keys;
pub(in crate::app) mod place;
mod rows;
pub(in crate::app) mod stream;
pub(in crate::app) mod typed;
mod zone;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use leptos_router::NavigateOptions;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Document, Element, Event, EventTarget};

/// Goes to an address without a reload.
pub(super) type Go = Rc<dyn Fn(&str)>;

thread_local! {
    static GO: RefCell<Option<Go>> = const { RefCell::new(None) };
    static STARTED: Cell<bool> = const { Cell::new(false) };
}

/// Keeps the router's way of going to an address, for [`start`].
pub(super) fn goes_by(navigate: impl Fn(&str, NavigateOptions) + 'static) {
    let go: Go = Rc::new(move |address| {
        navigate(
            address,
            NavigateOptions {
                scroll: false,
                ..NavigateOptions::default()
            },
        );
    });
    GO.set(Some(go));
}

/// Whether the page has been woken.
pub(super) fn is_awake() -> bool {
    STARTED.get()
}

/// Whether somebody went back before the page woke: it is about to be loaded anew, under another address.
pub(super) fn is_left() -> bool {
    document()
        .and_then(|document| document.document_element())
        .is_some_and(|root| root.has_attribute("data-left"))
}

/// Starts listening, once the page's own listeners are in place; once a page load.
pub(super) fn start() {
    let Some(go) = GO.take() else { return };
    if STARTED.replace(true) {
        return;
    }
    let Some(document) = document() else { return };
    copy::start(&document);
    forms::start(&document, &go);
    place::start(&document);
    held::start(&document);
    rows::start(&document, &go);
    chart::start(&document, &go);
    differences::start(&document);
    keys::start(&document);
    zone::start();
    typed::put_back();
    if let Some(root) = document.document_element() {
        // Shows what needs scripts, and tells tests that the page is awake.
        let _ = root.set_attribute("data-awake", "");
    }
}

/// Keeps clicks from the router, which waits for code that will not come: links are followed as they are without scripts.
pub(super) fn leave_to_browser() {
    let Some(document) = document() else { return };
    let listener = Closure::<dyn FnMut(Event)>::new(|event: Event| event.stop_propagation());
    // The document takes every listener. In the first phase: before whoever listens further in or out.
    let _ = document.add_event_listener_with_callback_and_bool("click", listener.as_ref().unchecked_ref(), true);
    listener.forget();
}

fn document() -> Option<Document> {
    web_sys::window()?.document()
}

/// Listens for as long as the page lives.
fn listen<E: JsCast + 'static>(target: &EventTarget, name: &str, heard: impl FnMut(&E) + 'static) {
    listen_in(target, name, false, heard);
}

/// [`listen`]; `early` hears of an event before what is inside the target does, and of those that do not rise to it.
fn listen_in<E: JsCast + 'static>(target: &EventTarget, name: &str, early: bool, mut heard: impl FnMut(&E) + 'static) {
    let listener = Closure::<dyn FnMut(Event)>::new(move |event: Event| {
        if let Some(event) = event.dyn_ref::<E>() {
            heard(event);
        }
    });
    // The document takes every listener.
    let _ = target.add_event_listener_with_callback_and_bool(name, listener.as_ref().unchecked_ref(), early);
    listener.forget();
}

/// The nearest element around an event's target that a selector names.
fn around(event: &Event, selector: &str) -> Option<Element> {
    event.target()?.dyn_into::<Element>().ok()?.closest(selector).ok()?
}

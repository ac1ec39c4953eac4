//! Server-sent events: what a server tells for as long as somebody listens, and what is seen of the page meanwhile.

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Event, EventSource, MessageEvent, VisibilityState};

use super::document;

/// What a stream tells.
pub(in crate::app) enum Told {
    /// It is open.
    Open,
    /// An event: its name and its data.
    Event(&'static str, String),
    /// The connection was lost; the browser tries again by itself.
    Lost,
    /// The server does not want it, or ended it: nothing more will come.
    Over,
}

/// An open stream; closed where it is dropped.
pub(in crate::app) struct Stream {
    source: EventSource,
    _listeners: Vec<Closure<dyn FnMut(Event)>>,
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.source.close();
    }
}

impl Stream {
    /// Opens an address, and hears of events of these names.
    pub(in crate::app) fn open(address: &str, names: &[&'static str], hear: impl Fn(Told) + Clone + 'static) -> Option<Self> {
        let source = EventSource::new(address).ok()?;
        let mut listeners = Vec::new();
        for name in names.iter().copied() {
            let hear = hear.clone();
            listeners.push((
                name,
                Closure::<dyn FnMut(Event)>::new(move |event: Event| {
                    let data = event.dyn_ref::<MessageEvent>().and_then(|event| event.data().as_string());
                    hear(Told::Event(name, data.unwrap_or_default()));
                }),
            ));
        }
        let (opened, closing) = (hear.clone(), source.clone());
        listeners.push(("open", Closure::new(move |_| opened(Told::Open))));
        let ended = hear.clone();
        listeners.push((
            "bye",
            Closure::new(move |_| {
                closing.close();
                ended(Told::Over);
            }),
        ));
        let state = source.clone();
        listeners.push((
            "error",
            Closure::new(move |_| {
                let is_over = state.ready_state() == EventSource::CLOSED;
                hear(if is_over { Told::Over } else { Told::Lost });
            }),
        ));
        let mut kept = Vec::new();
        for (name, listener) in listeners {
            // A source takes every listener.
            let _ = source.add_event_listener_with_callback(name, listener.as_ref().unchecked_ref());
            kept.push(listener);
        }
        Some(Self {
            source,
            _listeners: kept,
        })
    }
}

/// Tells whenever the page comes into sight or goes out of it, until it is dropped.
pub(in crate::app) struct Sight(Closure<dyn FnMut(Event)>);

impl Sight {
    pub(in crate::app) fn watch(seen: impl Fn(bool) + 'static) -> Option<Self> {
        let document = document()?;
        let listener = Closure::<dyn FnMut(Event)>::new(move |_| seen(is_in_sight()));
        // The document takes every listener.
        let _ = document.add_event_listener_with_callback("visibilitychange", listener.as_ref().unchecked_ref());
        Some(Self(listener))
    }
}

impl Drop for Sight {
    fn drop(&mut self) {
        if let Some(document) = document() {
            // One that is not there is not missed.
            let _ = document.remove_event_listener_with_callback("visibilitychange", self.0.as_ref().unchecked_ref());
        }
    }
}

/// Whether the page is in sight.
pub(in crate::app) fn is_in_sight() -> bool {
    document().is_none_or(|document| document.visibility_state() == VisibilityState::Visible)
}

/// Whether somebody reads the rows, so that they must not move: has scrolled, points at one, has the focus in one, or has chosen text.
pub(in crate::app) fn somebody_reads() -> bool {
    let (Some(window), Some(document)) = (web_sys::window(), document()) else {
        return false;
    };
    let is_there = |selector: &str| document.query_selector(selector).ok().flatten().is_some();
    let rows = document.query_selector(".logs-page .rows").ok().flatten();
    let scrolled = rows.is_some_and(|rows| rows.scroll_top() > 4) || window.scroll_y().is_ok_and(|far| far > 4.0);
    let chosen = window
        .get_selection()
        .ok()
        .flatten()
        .is_some_and(|chosen| !chosen.is_collapsed());
    scrolled
        || chosen
        || is_there(".logs-page .rows tbody tr:hover")
        || is_there(".logs-page .rows tbody :focus-visible")
        || is_there("dialog[open], :popover-open")
}

/// Leads back to the first row.
pub(in crate::app) fn to_top() {
    if let Some(rows) = document().and_then(|document| document.query_selector(".logs-page .rows").ok().flatten()) {
        rows.set_scroll_top(0);
    }
    if let Some(window) = web_sys::window() {
        window.scroll_to_with_x_and_y(0.0, 0.0);
    }
}

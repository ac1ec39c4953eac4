//! The place in a list, by its address: how far it was scrolled and which row was opened. Whoever comes back to the address, by the browser's own way or by
//! a link with `data-back`, finds it as it was left, and `j` and `k` go on from the row. Other ways to the same address begin at the top.

use std::cell::RefCell;

use js_sys::{Array, Function, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Document, Element, Event, HtmlElement, MouseEvent, Storage, Window};

use super::{around, listen, listen_in};
use crate::app::parts::records::tab_of;
use crate::model::query::LogQuery;
use crate::model::tab::TabQuery;

const ROWS: &str = "table:is(.logs, .records) tbody tr";

/// Where somebody stood.
#[derive(Clone, Debug, Default, PartialEq)]
struct Place {
    /// How far the rows were scrolled, and how far the page was where it has no window for them.
    rows: i32,
    page: f64,
    /// The link of the row that was opened or had the focus; empty for none.
    link: String,
}

thread_local! {
    /// The list that somebody is on the way back to, and where they stood there.
    static COMING: RefCell<Option<(String, Place)>> = const { RefCell::new(None) };
    /// The list whose rows are shown.
    static SHOWN: RefCell<Option<String>> = const { RefCell::new(None) };
}

pub(super) fn start(document: &Document) {
    let Some(window) = web_sys::window() else { return };
    // Scrolling does not rise from the rows to the document.
    listen_in::<Event>(document, "scroll", true, |_| keep(None));
    listen::<MouseEvent>(document, "click", |event| {
        if let Some(row) = around(event, ROWS) {
            keep(Some(&row));
        }
        if let Some(link) = around(event, "a[data-back]").and_then(|link| link.get_attribute("href")) {
            expect(&link);
        }
    });
    listen::<Event>(&window, "popstate", |_| {
        if let Some(here) = address() {
            expect(&here);
        }
    });
    if was_here(&window)
        && let Some(here) = address()
    {
        expect(&here);
        rows_came();
    }
}

/// The rows of the page's address are here: those of a list that somebody is on the way back to are shown as they were left, others from their top, and
/// what a refresh brought where it is. In the next frame: they may be about to be drawn.
pub(in crate::app) fn rows_came() {
    leptos::prelude::request_animation_frame(|| {
        let Some(here) = address().map(|address| key(&address)) else {
            return;
        };
        let are_others = SHOWN.replace(Some(here.clone())).is_some_and(|shown| shown != here);
        match COMING.take().filter(|(list, _)| *list == here) {
            Some((_, place)) => go_to(&place),
            None if are_others => go_to(&Place::default()),
            None => super::held::keep(),
        }
    });
}

fn go_to(place: &Place) {
    let (Some(window), Some(document)) = (web_sys::window(), super::document()) else {
        return;
    };
    // The focus comes first: it may scroll.
    if !place.link.is_empty()
        && let Some(link) = find_link(&document, &place.link)
    {
        // A link that is in the page takes the focus.
        let _ = link.focus();
    }
    if let Ok(Some(rows)) = document.query_selector(".rows") {
        rows.set_scroll_top(place.rows);
    }
    window.scroll_to_with_x_and_y(0.0, place.page);
}

fn find_link(document: &Document, href: &str) -> Option<HtmlElement> {
    let links = document.query_selector_all(&format!("{ROWS} td.c-id > a")).ok()?;
    (0..links.length())
        .filter_map(|place| links.item(place)?.dyn_into::<HtmlElement>().ok())
        .find(|link| link.get_attribute("href").as_deref() == Some(href))
}

/// Remembers where somebody stands in the list, and the row that they open.
fn keep(opened: Option<&Element>) {
    let (Some(window), Some(document), Some(address)) = (web_sys::window(), super::document(), address()) else {
        return;
    };
    let Ok(Some(rows)) = document.query_selector(".rows") else {
        return;
    };
    let focused = document
        .active_element()
        .and_then(|element| element.closest(ROWS).ok().flatten());
    let link = opened
        .or(focused.as_ref())
        .and_then(|row| row.query_selector("td.c-id > a").ok().flatten())
        .and_then(|link| link.get_attribute("href"))
        .unwrap_or_default();
    let text = format!("{} {} {link}", rows.scroll_top(), window.scroll_y().unwrap_or_default());
    if let Some(storage) = storage(&window) {
        // Where nothing can be kept, lists begin at their top.
        let _ = storage.set_item(&key(&address), &text);
    }
}

fn expect(address: &str) {
    let key = key(address);
    let kept = web_sys::window()
        .and_then(|window| storage(&window))
        .and_then(|storage| storage.get_item(&key).ok().flatten());
    COMING.set(kept.and_then(|text| Some((key, read(&text)?))));
}

fn read(text: &str) -> Option<Place> {
    let mut parts = text.splitn(3, ' ');
    Some(Place {
        rows: parts.next()?.parse().ok()?,
        page: parts.next()?.parse().ok()?,
        link: parts.next().unwrap_or_default().to_owned(),
    })
}

/// Equal queries are one place, however they were written.
fn key(address: &str) -> String {
    let (path, search) = address.split_once('?').unwrap_or((address, ""));
    let list = path.rsplit('/').next().unwrap_or_default();
    let alike = match tab_of(list) {
        Some(tab) => TabQuery::parse(tab, search).map(|query| query.to_query_string()),
        None => LogQuery::parse(search).map(|query| query.to_query_string()),
    };
    let search = alike.unwrap_or_else(|_| search.to_owned());
    format!("place {path}?{search}")
}

/// The page's path and query.
fn address() -> Option<String> {
    let location = web_sys::window()?.location();
    Some(format!("{}{}", location.pathname().ok()?, location.search().ok()?))
}

fn storage(window: &Window) -> Option<Storage> {
    window.session_storage().ok().flatten()
}

/// Whether the document was loaded by going back, forward or by loading it again: then it is a place that somebody has been at.
fn was_here(window: &Window) -> bool {
    let read = |from: &JsValue, name: &str| Reflect::get(from, &JsValue::from_str(name)).ok();
    let kind = || {
        let performance = read(window, "performance")?;
        let ask: Function = read(&performance, "getEntriesByType")?.dyn_into().ok()?;
        let entries: Array = ask
            .call1(&performance, &JsValue::from_str("navigation"))
            .ok()?
            .dyn_into()
            .ok()?;
        read(&entries.get(0), "type")?.as_string()
    };
    matches!(kind().as_deref(), Some("back_forward" | "reload"))
}

//! Tells the server the browser's time zone, and remembers the zone that a link or the menu chose, in two cookies.

use js_sys::{Array, Intl, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::MouseEvent;

use super::{around, listen};
use crate::model::query::{escape, pairs};

const YEAR_S: u32 = 31_536_000;

pub(super) fn start() {
    let known = cookie("tz");
    let zone = browser_zone();
    if let Some(zone) = &zone {
        set_cookie("tz", zone);
    }
    let asked = asked_zone();
    if let Some(asked) = &asked {
        set_cookie("zone", asked);
    }
    // The page was made before the server knew: once more, now that it does.
    let wants_local = asked.or_else(|| cookie("zone")).as_deref() == Some("local");
    if wants_local && zone.is_some() && known.is_none() && cookie("tz").is_some() {
        if let Some(window) = web_sys::window() {
            // Only a page that is going away refuses.
            let _ = window.location().reload();
        }
        return;
    }
    if let Some(document) = super::document() {
        listen::<MouseEvent>(&document, "click", |event| {
            let href = around(event, "#zones a").and_then(|link| link.get_attribute("href"));
            if let Some(zone) = href.and_then(|href| zone_in(href.trim_start_matches('?'))) {
                set_cookie("zone", &zone);
            }
        });
    }
}

fn browser_zone() -> Option<String> {
    let options = Intl::DateTimeFormat::new(&Array::new(), &Object::new()).resolved_options();
    Reflect::get(&options, &JsValue::from_str("timeZone")).ok()?.as_string()
}

fn asked_zone() -> Option<String> {
    zone_in(web_sys::window()?.location().search().ok()?.trim_start_matches('?'))
}

fn zone_in(query: &str) -> Option<String> {
    pairs(query)
        .find(|(name, value)| name == "tz" && !value.is_empty())
        .map(|(_, value)| value)
}

fn cookies() -> Option<web_sys::HtmlDocument> {
    super::document()?.dyn_into().ok()
}

fn cookie(name: &str) -> Option<String> {
    let all = cookies()?.cookie().ok()?;
    all.split(';').find_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name).then(|| value.to_owned())
    })
}

fn set_cookie(name: &str, value: &str) {
    if let Some(document) = cookies() {
        // A browser without cookies shows UTC.
        let _ = document.set_cookie(&format!("{name}={}; path=/; max-age={YEAR_S}; samesite=lax", escape(value)));
    }
}

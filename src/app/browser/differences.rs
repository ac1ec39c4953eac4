//! From difference to difference, on a page of two things beside each other: `j` and `k`, and buttons with `data-step="1"` or `"-1"`. Where one stands is said in
//! `#compare-at`.

use wasm_bindgen::JsCast;
use web_sys::{Document, Element, HtmlElement, MouseEvent};

use super::{around, listen};

/// What the way leads through.
const STOPS: &str = "[data-difference]";
/// The one that somebody stands at.
const HERE: &str = "here";

pub(super) fn start(document: &Document) {
    let page = document.clone();
    listen::<MouseEvent>(document, "click", move |event| {
        let button = around(event, "[data-step]").and_then(|button| button.get_attribute("data-step"));
        if let Some(by) = button.and_then(|by| by.parse().ok()) {
            step(&page, by);
        }
    });
}

/// Goes to the next difference or the one before; false where the page has none.
pub(super) fn step(page: &Document, by: i32) -> bool {
    let Ok(stops) = page.query_selector_all(STOPS) else {
        return false;
    };
    let count = stops.length();
    let stop = |place: u32| stops.item(place).and_then(|node| node.dyn_into::<HtmlElement>().ok());
    let is_here = |place: &u32| stop(*place).is_some_and(|element| element.class_list().contains(HERE));
    let here = (0..count).find(is_here);
    let last = count.saturating_sub(1);
    let next = match here {
        None if by < 0 => last,
        None => 0,
        Some(here) if by < 0 => here.saturating_sub(1),
        Some(here) => (here + 1).min(last),
    };
    let Some(element) = stop(next) else { return false };
    if let Some(left) = here.and_then(stop) {
        // Taking a class away fails for names with blanks alone.
        let _ = left.class_list().remove_1(HERE);
    }
    let _ = element.class_list().add_1(HERE);
    // What has the focus is brought into sight, and a reader of screens reads on from there.
    let _ = element.focus();
    say(page.get_element_by_id("compare-at"), next + 1, count);
    true
}

fn say(region: Option<Element>, at: u32, of: u32) {
    if let Some(region) = region {
        region.set_text_content(Some(&format!("{at} of {of}")));
    }
}

//! The way to a match: its row first, and once that is drawn the match itself.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use super::Talk;

impl Talk {
    /// By how much the rows above the anchor are taller than rows of one height: so much higher they begin, and the anchor is where it is looked for.
    pub(super) fn above_anchor(self, window: &HtmlElement, height: f64) -> f64 {
        let first = self.shown.first.get_untracked();
        let anchor = self.state().and_then(|state| state.borrow().anchor);
        let Some(above) = anchor
            .filter(|_| self.shown.wrap.get_untracked())
            .and_then(|anchor| anchor.checked_sub(first))
        else {
            return 0.0;
        };
        // Rows stand in the page one after the other.
        let Ok(Some(row)) = window.query_selector(&format!("[data-row=\"{}\"]", first + above)) else {
            return 0.0;
        };
        let stands = row.get_bounding_client_rect().top() - window.get_bounding_client_rect().top();
        stands - f64::from(above) * height
    }

    /// Stands at the row of a match, and has the match itself brought into view once it is drawn.
    pub(super) fn seek(self, row: u32) {
        let Some(state) = self.state() else { return };
        {
            let mut state = state.borrow_mut();
            state.sought = Some(row);
            state.anchor = Some(row);
        }
        self.shown.current.set(Some(row));
        if self.shown.live.get_untracked() && !self.flows() {
            let top = state.borrow().top;
            self.set_top(self.scale().bring(row, top));
        }
    }

    fn found_unless_asked(self) {
        let Some(state) = self.state() else { return };
        let mut state = state.borrow_mut();
        if !state.asked {
            state.sought = None;
        }
    }

    /// The person scrolls: a match that is still on its way does not pull them back.
    pub(super) fn leave_match(self) {
        if let Some(state) = self.state() {
            state.borrow_mut().sought = None;
        }
    }

    /// Brings the match into view, down a long line and along it, too. The browser does so through all that scrolls around it.
    pub(super) fn bring_match(self, row: u32) {
        let (Some(state), Some(element)) = (self.state(), self.scroll.get_untracked()) else {
            return;
        };
        let Ok(Some(found)) = element.query_selector(&format!("[data-row=\"{row}\"] mark.here")) else {
            return;
        };
        // As the current row it has room for what can be done with it.
        self.show_current(Some(row));
        self.place();
        let before = element.scroll_top();
        let nearest = js_sys::Object::new();
        for name in ["block", "inline"] {
            // An object of one's own takes every property.
            let _ = js_sys::Reflect::set(&nearest, &name.into(), &"nearest".into());
        }
        found.scroll_into_view_with_scroll_into_view_options(nearest.unchecked_ref());
        if element.scroll_top() == before {
            self.found_unless_asked();
        } else {
            // What came into view with it may have to be asked for first, and the match stand elsewhere then.
            state.borrow_mut().sought = Some(row);
            self.next_frame(move || self.next_frame(move || self.found_unless_asked()));
        }
    }
}

//! Where the rows stand: which are in view, which are asked for, and where they are drawn.

use leptos::prelude::*;
use web_sys::{Element, HtmlElement, WheelEvent};

use super::{ROW_HEIGHT, Talk};
use crate::app::parts::scale::Scale;
use crate::model::browse::message::Ask;

impl Talk {
    pub(super) fn scale(self) -> Scale {
        let (row, head) = self.state().map_or((ROW_HEIGHT, ROW_HEIGHT), |state| {
            let state = state.borrow();
            (state.row, state.head)
        });
        let height = self
            .places
            .scroll
            .get_untracked()
            .map_or(0, |element| element.client_height());
        Scale {
            rows: self.shown.count.get_untracked(),
            row,
            view: (f64::from(height) - head).max(row),
            after: 0.0,
        }
    }

    /// The first row in view, and how many are.
    pub(super) fn seen(self) -> (u32, u32) {
        let top = self.state().map_or(0.0, |state| state.borrow().top);
        self.scale().seen(top)
    }

    /// Asks for the rows around the view.
    pub(super) fn ask_rows(self) {
        let Some(state) = self.state() else { return };
        if !state.borrow().ready || std::mem::replace(&mut state.borrow_mut().asked, true) {
            return;
        }
        let (first, count) = self.seen();
        self.ask(&Ask::Rows {
            from: first.saturating_sub(count / 2),
            count: count * 2,
        });
    }

    /// Asks for rows where some in view are not here.
    pub(super) fn fill(self) {
        let (first, count) = self.seen();
        let here = self.shown.first.get_untracked();
        let until = here + self.shown.lines.with_untracked(Vec::len) as u32;
        let wanted = (first + count).min(self.shown.count.get_untracked());
        if (first < here || wanted > until) && wanted > first {
            self.ask_rows();
        }
    }

    /// Puts the rows that are here where they belong. The table's frame is as high as the view and stays in it; its rows move.
    pub(super) fn place(self) {
        let places = self.places;
        let (Some(scroll), Some(space), Some(window), Some(body)) = (
            places.scroll.get_untracked(),
            places.space.get_untracked(),
            places.window.get_untracked(),
            places.body.get_untracked(),
        ) else {
            return;
        };
        self.measure(&body);
        let Some(state) = self.state() else { return };
        let scale = self.scale();
        let (top, head) = { (state.borrow().top, state.borrow().head) };
        style(&space, "height", &format!("{}px", head + scale.height()));
        style(&window, "height", &format!("{}px", scroll.client_height()));
        let offset = f64::from(self.shown.first.get_untracked()) * scale.row - top;
        style(&body, "transform", &format!("translateY({offset}px)"));
    }

    /// Takes the heights of a row and of the heading, once there is a row.
    fn measure(self, body: &Element) {
        let Some(state) = self.state() else { return };
        if state.borrow().measured {
            return;
        }
        let height = |element: Option<Element>| element.map_or(0.0, |element| element.get_bounding_client_rect().height());
        let row = height(body.first_element_child());
        let head = height(body.previous_element_sibling());
        if row > 1.0 && head > 1.0 {
            let mut state = state.borrow_mut();
            (state.row, state.head, state.measured) = (row, head, true);
        }
    }

    pub(in super::super) fn scrolled(self) {
        let (Some(state), Some(element)) = (self.state(), self.places.scroll.get_untracked()) else {
            return;
        };
        let scrolled = f64::from(element.scroll_top());
        let before = state.borrow().scrolled;
        if (scrolled - before).abs() > 1.0 {
            let top = self.scale().top_of(scrolled);
            let mut state = state.borrow_mut();
            (state.scrolled, state.top) = (scrolled, top);
        }
        self.place();
        self.fill();
    }

    /// Scrolls so that so much of the rows lies above the view.
    pub(super) fn set_top(self, top: f64) {
        let (Some(state), Some(element)) = (self.state(), self.places.scroll.get_untracked()) else {
            return;
        };
        let scale = self.scale();
        let top = top.clamp(0.0, scale.farthest());
        let scrolled = scale.scrolled_to(top).round();
        {
            let mut state = state.borrow_mut();
            (state.top, state.scrolled) = (top, scrolled);
        }
        // First the height, without which the browser would not scroll so far.
        self.place();
        element.set_scroll_top(scrolled as i32);
        self.fill();
    }

    /// A wheel turns through rows, not through the scaled way.
    pub(in super::super) fn turned(self, event: &WheelEvent) {
        if !self.is_alive() {
            return;
        }
        let scale = self.scale();
        if !scale.is_scaled() || event.delta_y() == 0.0 || event.ctrl_key() || event.shift_key() {
            return;
        }
        event.prevent_default();
        let unit = match event.delta_mode() {
            WheelEvent::DOM_DELTA_LINE => scale.row,
            WheelEvent::DOM_DELTA_PAGE => scale.view,
            _ => 1.0,
        };
        let top = self.state().map_or(0.0, |state| state.borrow().top);
        self.set_top(top + event.delta_y() * unit);
    }

    /// Makes a cell the current one and brings it into view.
    pub(super) fn stand_at(self, place: u32, column: u32) {
        self.shown.current.set(Some((place, column)));
        let top = self.state().map_or(0.0, |state| state.borrow().top);
        let wanted = self.scale().bring(place, top);
        if (wanted - top).abs() > 0.5 {
            self.set_top(wanted);
        }
    }

    /// Marks the current cell and brings its column into view. Not part of the rows' markup: a click would else replace what is being selected.
    pub(super) fn show_current(self, current: Option<(u32, u32)>) {
        let (Some(body), Some(scroll)) = (self.places.body.get_untracked(), self.places.scroll.get_untracked()) else {
            return;
        };
        if let Ok(Some(old)) = body.query_selector("td[data-here]") {
            // It was there a moment ago.
            let _ = old.remove_attribute("data-here");
        }
        let Some((place, column)) = current else { return };
        let Ok(Some(new)) = body.query_selector(&format!("[data-place=\"{place}\"] [data-column=\"{column}\"]")) else {
            return;
        };
        // The name is a valid one.
        let _ = new.set_attribute("data-here", "");
        let number = new
            .parent_element()
            .and_then(|row| row.first_element_child())
            .map_or(0.0, |number| number.get_bounding_client_rect().width());
        let (view, cell) = (scroll.get_bounding_client_rect(), new.get_bounding_client_rect());
        let by = if cell.left() < view.left() + number {
            cell.left() - view.left() - number
        } else {
            // A column wider than the view shows its beginning.
            (cell.right() - view.right()).min(cell.left() - view.left() - number).max(0.0)
        };
        if by.abs() > 0.5 {
            scroll.set_scroll_left(scroll.scroll_left() + by.round() as i32);
        }
    }
}

fn style(element: &HtmlElement, name: &str, value: &str) {
    // A property's name and value that CSS does not know are passed over by the browser.
    let _ = element.style().set_property(name, value);
}

//! What a person does to the rows: keys, clicks, and taking a file away.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent, MouseEvent};

use super::Talk;
use crate::model::browse::message::{Aim, Ask};

impl Talk {
    pub(in super::super) fn pressed(self, event: &KeyboardEvent) {
        let on_control = event
            .target()
            .and_then(|target| target.dyn_into::<Element>().ok())
            .is_some_and(|target| target.closest("button, input, select").ok().flatten().is_some());
        if !self.is_alive() || on_control || event.alt_key() || event.ctrl_key() || event.meta_key() {
            return;
        }
        let (rows, columns) = (
            self.shown.count.get_untracked(),
            self.shown.columns.with_untracked(Vec::len) as u32,
        );
        if rows == 0 || columns == 0 {
            return;
        }
        let page = self.scale().seen(0.0).1.saturating_sub(3).max(1);
        let at = self.shown.current.get_untracked();
        let (place, column) = at.unwrap_or_else(|| (self.seen().0, 0));
        let down = if at.is_some() { place + 1 } else { place };
        let (place, column) = match event.key().as_str() {
            "ArrowDown" => (down, column),
            "ArrowUp" => (place.saturating_sub(1), column),
            "ArrowRight" => (place, column + u32::from(at.is_some())),
            "ArrowLeft" => (place, column.saturating_sub(1)),
            "PageDown" => (place + page, column),
            "PageUp" => (place.saturating_sub(page), column),
            "Home" => (0, column),
            "End" => (rows - 1, column),
            "Enter" => {
                event.prevent_default();
                return self.whole(Aim::Open);
            }
            "c" => {
                event.prevent_default();
                return self.whole(Aim::Copy);
            }
            _ => return,
        };
        event.prevent_default();
        let (place, column) = (place.min(rows - 1), column.min(columns - 1));
        self.stand_at(place, column);
        self.speak(place, column);
    }

    fn speak(self, place: u32, column: u32) {
        let first = self.shown.first.get_untracked();
        let text = self.shown.lines.with_untracked(|lines| {
            let line = lines.get(place.checked_sub(first)? as usize)?;
            line.cells.get(column as usize).map(|cell| cell.text.clone())
        });
        let name = self
            .shown
            .columns
            .with_untracked(|columns| columns.get(column as usize).cloned());
        if let (Some(text), Some(name)) = (text, name) {
            let text = if text.is_empty() { "empty".to_owned() } else { text };
            self.shown.spoken.set(format!("{name}: {text}"));
        }
    }

    pub(in super::super) fn clicked(self, event: &MouseEvent) {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let (Some(target), true) = (target, self.is_alive()) else {
            return;
        };
        let number =
            |selector: &str, name: &str| -> Option<u32> { target.closest(selector).ok()??.get_attribute(name)?.parse().ok() };
        if let (Some(place), Some(column)) = (number("[data-place]", "data-place"), number("[data-column]", "data-column")) {
            self.shown.current.set(Some((place, column)));
        }
    }

    /// Asks for the current cell's whole text.
    pub(in super::super) fn whole(self, aim: Aim) {
        if !self.is_alive() {
            return;
        }
        let Some((place, column)) = self.shown.current.get_untracked() else {
            return;
        };
        let first = self.shown.first.get_untracked();
        let row = self
            .shown
            .lines
            .with_untracked(|lines| lines.get(place.checked_sub(first)? as usize).map(|line| line.row));
        if let Some(row) = row {
            self.ask(&Ask::Cell { row, column, aim });
        }
    }

    /// The file is written: it is taken as any download is.
    pub(super) fn saved(self, url: &str) {
        let Some(name) = self.state().map(|state| state.borrow().source.saved_as.clone()) else {
            return;
        };
        self.shown.working.set(None);
        let link = document()
            .create_element("a")
            .ok()
            .and_then(|link| link.dyn_into::<HtmlElement>().ok());
        if let Some(link) = link {
            let is_set = link.set_attribute("href", url).is_ok() && link.set_attribute("download", &name).is_ok();
            if is_set {
                link.click();
            }
        }
    }
}

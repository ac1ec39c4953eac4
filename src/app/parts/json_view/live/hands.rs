//! What a person does to the rows: keys and clicks.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent, MouseEvent};

use super::Talk;
use crate::app::browser::copy;
use crate::model::json_doc::Row;
use crate::model::json_doc::message::{Ask, Part};

impl Talk {
    pub(in super::super) fn pressed(self, event: &KeyboardEvent) {
        if !self.is_alive() || event.alt_key() || ((event.ctrl_key() || event.meta_key()) && event.key() != "f") {
            return;
        }
        if event.ctrl_key() || event.meta_key() {
            if let Some(input) = self.find_box() {
                event.prevent_default();
                let _ = input.focus();
            }
            return;
        }
        self.leave_match();
        let total = self.shown.total.get_untracked().unwrap_or(0);
        let page = self.scale().seen(0.0).1.saturating_sub(3).max(1);
        let at = self.shown.current.get_untracked();
        let here = at.unwrap_or_else(|| self.seen().0);
        let to = match event.key().as_str() {
            "ArrowDown" => at.map_or(here, |at| at + 1),
            "ArrowUp" => here.saturating_sub(1),
            "PageDown" => here + page,
            "PageUp" => here.saturating_sub(page),
            "Home" => 0,
            "End" => total.saturating_sub(1),
            "ArrowLeft" => return self.fold(event, here, true),
            "ArrowRight" => return self.fold(event, here, false),
            "c" => return self.copy_current(event, Part::Value),
            "p" => return self.copy_current(event, Part::Path),
            _ => return,
        };
        event.prevent_default();
        let to = to.min(total.saturating_sub(1));
        self.start();
        self.stand_at(to);
        self.speak(to);
    }

    fn row(self, at: u32) -> Option<Row> {
        let first = self.shown.first.get_untracked();
        self.shown
            .rows
            .with_untracked(|rows| rows.get(at.checked_sub(first)? as usize).cloned())
    }

    fn speak(self, at: u32) {
        if let Some(row) = self.row(at) {
            let state = match row.open {
                Some(true) => ", expanded",
                Some(false) => ", collapsed",
                None => "",
            };
            self.shown.spoken.set(format!("{}{state}", row.text()));
        }
    }

    /// Folds the current row where it is open, or unfolds it where it is not.
    fn fold(self, event: &KeyboardEvent, at: u32, wants_open: bool) {
        let Some(row) = self.row(at) else { return };
        event.prevent_default();
        if row.open == Some(wants_open) {
            self.shown.current.set(Some(at));
            self.ask(Ask::Toggle(row.node));
            self.shown
                .spoken
                .set(if wants_open { "collapsed" } else { "expanded" }.to_owned());
        }
    }

    fn copy_current(self, event: &KeyboardEvent, part: Part) {
        let row = self.shown.current.get_untracked().and_then(|at| self.row(at));
        if let Some(row) = row {
            event.prevent_default();
            self.ask(Ask::Copy { node: row.node, part });
        }
    }

    fn find_box(self) -> Option<HtmlElement> {
        let whole = self.scroll.get_untracked()?.parent_element()?;
        whole.query_selector("input[type=search]").ok()??.dyn_into().ok()
    }

    pub(in super::super) fn clicked(self, event: &MouseEvent) {
        let Some(target) = event.target().and_then(|target| target.dyn_into::<Element>().ok()) else {
            return;
        };
        if !self.is_alive() {
            return;
        }
        let number =
            |selector: &str, name: &str| -> Option<u32> { target.closest(selector).ok()??.get_attribute(name)?.parse().ok() };
        self.leave_match();
        self.shown.current.set(number("[data-row]", "data-row"));
        let (Ok(Some(button)), Some(node)) = (target.closest("[data-act]"), number("[data-node]", "data-node")) else {
            return;
        };
        match button.get_attribute("data-act").as_deref() {
            Some("fold") => self.ask(Ask::Toggle(node)),
            Some("value") => self.ask(Ask::Copy { node, part: Part::Value }),
            Some("path") => self.ask(Ask::Copy { node, part: Part::Path }),
            _ => {}
        }
    }
}

/// What was asked for to copy has come.
pub(super) fn copied(part: Part, text: Result<String, String>) {
    match text {
        Ok(text) => copy::copy(text, if part == Part::Value { "Value copied" } else { "Path copied" }),
        Err(reason) => copy::say(&reason),
    }
}

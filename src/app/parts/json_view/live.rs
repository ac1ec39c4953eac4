//! The viewer in the browser: the talk with the worker, and which rows are in view.

mod hands;
mod seek;

use std::cell::RefCell;
use std::rc::Rc;

use leptos::html::Div;
use leptos::prelude::*;
use leptos::reactive::owner::LocalStorage;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use web_sys::{HtmlElement, MessageEvent, WheelEvent, Worker};

use super::Source;
use super::row::{Found, Shown};
use crate::app::parts::scale::Scale;
use crate::model::format;
use crate::model::json_doc::message::{Ask, Form, Tell};

/// The worker's script; its name carries no hash, so the version keeps an old one from being taken.
const WORKER: &str = concat!("/assets/browse-worker_loader.js?v=", env!("CARGO_PKG_VERSION"));
/// Up to so many rows all of them are in the page, and it scrolls as any text does.
const FLOW: u32 = 400;
/// A row's height in CSS pixels, where none is there to be measured.
const ROW_HEIGHT: f64 = 20.0;

/// The talk with the worker.
#[derive(Clone, Copy)]
pub(super) struct Talk {
    shown: Shown,
    scroll: NodeRef<Div>,
    space: NodeRef<Div>,
    window: NodeRef<Div>,
    state: StoredValue<Rc<RefCell<State>>, LocalStorage>,
}

struct State {
    source: Source,
    worker: Option<Worker>,
    ready: bool,
    waiting: Vec<Ask>,
    epoch: u32,
    /// Rows were asked for and have not come.
    asked: bool,
    /// What is looked for.
    text: String,
    /// How much of the rows lies above the view, and where the element then is.
    top: f64,
    scrolled: f64,
    row: f64,
    measured: bool,
    /// The row with the match that is to be brought into view once it is drawn.
    sought: Option<u32>,
    /// The row that stands where a row of one height would, where rows wrap.
    anchor: Option<u32>,
}

impl Talk {
    pub(super) fn new(shown: Shown, source: Source, scroll: NodeRef<Div>, space: NodeRef<Div>, window: NodeRef<Div>) -> Self {
        let at_once = !shown.is_whole() || source.sought.is_some();
        let state = State {
            source,
            worker: None,
            ready: false,
            waiting: Vec::new(),
            epoch: 0,
            asked: false,
            text: String::new(),
            top: 0.0,
            scrolled: 0.0,
            row: ROW_HEIGHT,
            measured: false,
            sought: None,
            anchor: None,
        };
        let talk = Self {
            shown,
            scroll,
            space,
            window,
            state: StoredValue::new_local(Rc::new(RefCell::new(state))),
        };
        // Effects run after hydration, when the rows of the server have been taken over.
        Effect::new(move |_| {
            if at_once {
                talk.start();
            }
        });
        Effect::new(move |_| {
            shown.rows.track();
            talk.place();
        });
        Effect::new(move |_| {
            shown.rows.track();
            shown.live.track();
            let current = shown.current.get();
            // Once the rows are drawn, and before they are seen.
            talk.next_frame(move || talk.show_current(current));
        });
        on_cleanup(move || talk.end());
        talk
    }

    fn state(&self) -> Option<Rc<RefCell<State>>> {
        self.state.try_get_value()
    }

    /// Whether the viewer is on the page still: a frame, an answer of the worker or an event may come when somebody has gone on to another page,
    /// and its signals are no more.
    fn is_alive(&self) -> bool {
        self.state().is_some()
    }

    /// Does something before the next frame is drawn, if the viewer is there still.
    fn next_frame(self, act: impl FnOnce() + 'static) {
        request_animation_frame(move || {
            if self.is_alive() {
                act();
            }
        });
    }

    /// Starts the worker, once.
    pub(super) fn start(self) {
        let Some(state) = self.state() else { return };
        if state.borrow().worker.is_some() {
            return;
        }
        let Ok(worker) = Worker::new(WORKER) else {
            self.shown.failed.set(Some(
                "This browser cannot start the viewer's worker. Download the body instead.".to_owned(),
            ));
            return;
        };
        let hears = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            let told = event
                .data()
                .as_string()
                .and_then(|text| serde_json::from_str::<Tell>(&text).ok());
            if let Some(tell) = told {
                self.hear(tell);
            }
        });
        worker.set_onmessage(Some(hears.as_ref().unchecked_ref()));
        hears.forget();
        let fails = Closure::<dyn FnMut(web_sys::Event)>::new(move |_: web_sys::Event| {
            if !self.is_alive() {
                return;
            }
            self.shown
                .failed
                .set(Some("The viewer's worker could not be loaded.".to_owned()));
            self.shown.busy.set(None);
        });
        worker.set_onerror(Some(fails.as_ref().unchecked_ref()));
        fails.forget();
        state.borrow_mut().worker = Some(worker);
    }

    /// Starts over after a failure.
    pub(super) fn again(self) {
        self.end();
        self.shown.failed.set(None);
        self.start();
    }

    fn end(self) {
        if let Some(state) = self.state() {
            let mut state = state.borrow_mut();
            if let Some(worker) = state.worker.take() {
                worker.terminate();
            }
            state.ready = false;
            state.asked = false;
        }
    }

    /// Asks the worker, or keeps the question until it listens.
    pub(super) fn ask(self, ask: Ask) {
        self.start();
        let Some(state) = self.state() else { return };
        let mut state = state.borrow_mut();
        if state.ready {
            post(state.worker.as_ref(), &ask);
        } else {
            state.waiting.push(ask);
        }
    }

    pub(super) fn find(self, text: String) {
        let Some(state) = self.state() else { return };
        if text.is_empty() {
            self.shown.found.set(None);
        }
        state.borrow_mut().text.clone_from(&text);
        let from = self.shown.current.get_untracked().unwrap_or_else(|| self.seen().0);
        self.ask(Ask::Find { text, from });
    }

    fn hear(self, tell: Tell) {
        if !self.is_alive() {
            return;
        }
        let shown = self.shown;
        match tell {
            Tell::Ready => self.listens(),
            Tell::Loading { done, total } => {
                let done = format::size(done as i64);
                let total = total.map_or_else(String::new, |total| format!(" of {}", format::size(total as i64)));
                shown.busy.set(Some(format!("Loading: {done}{total}")));
            }
            Tell::Reading { done, total } => {
                shown.busy.set(Some(format!("Reading: {} %", done * 100 / total.max(1))));
            }
            Tell::Shown {
                epoch,
                total,
                form,
                problem,
            } => {
                self.take_shown(epoch, total, form, problem);
            }
            Tell::Rows { epoch, from, rows } => self.take_rows(epoch, from, rows),
            Tell::Found { total, more, done, at } => {
                let number = at
                    .map(|(number, _)| number)
                    .or_else(|| shown.found.get_untracked().and_then(|found| found.at));
                shown.found.set(Some(Found {
                    total,
                    more,
                    done,
                    at: if total == 0 { None } else { number },
                }));
                if let Some((_, row)) = at {
                    self.seek(row);
                }
            }
            Tell::Copied { part, text } => hands::copied(part, text),
            Tell::Failed(reason) => {
                shown.busy.set(None);
                shown.failed.set(Some(reason));
            }
        }
    }

    /// The worker listens: it is given the body first. What was asked meanwhile waits until that is read.
    fn listens(self) {
        let Some(state) = self.state() else { return };
        let mut state = state.borrow_mut();
        let source = state.source.clone();
        let Source { url, form, masked, .. } = source;
        let ask = match source.text {
            Some(text) => Ask::Take { text, form, masked },
            None => Ask::Load { url, form, masked },
        };
        post(state.worker.as_ref(), &ask);
        if let Some(text) = state.source.sought.take().filter(|text| !text.is_empty()) {
            state.text.clone_from(&text);
            state.waiting.push(Ask::Find { text, from: 0 });
        }
    }

    /// The body is read: what has waited is asked.
    fn is_ready(self) {
        let Some(state) = self.state() else { return };
        if !std::mem::replace(&mut state.borrow_mut().ready, true) {
            let waiting = std::mem::take(&mut state.borrow_mut().waiting);
            for ask in waiting {
                self.ask(ask);
            }
        }
    }

    fn take_shown(self, epoch: u32, total: u32, form: Form, problem: Option<String>) {
        let shown = self.shown;
        let Some(state) = self.state() else { return };
        shown.busy.set(None);
        shown.problem.set(problem);
        shown.total.set(Some(total));
        let top = {
            let mut state = state.borrow_mut();
            state.epoch = epoch;
            // Rows on their way are those of before.
            state.asked = false;
            state.top
        };
        let turned = shown.form.get_untracked() != form;
        if turned {
            shown.form.set(form);
            shown.current.set(None);
            shown.found.set(None);
        }
        self.is_ready();
        self.ask_rows();
        if shown.live.get_untracked() && !self.flows() {
            // The scroll bar's way may stand for more or fewer rows now.
            self.set_top(if turned { 0.0 } else { top });
        }
        let text = state.borrow().text.clone();
        if turned && !text.is_empty() {
            self.ask(Ask::Find { text, from: 0 });
        }
    }

    fn take_rows(self, epoch: u32, from: u32, rows: Vec<crate::model::json_doc::Row>) {
        let Some(state) = self.state() else { return };
        state.borrow_mut().asked = false;
        if state.borrow().epoch == epoch {
            let shown = self.shown;
            // The rows' own change draws them; what they are drawn with changes before, unnoticed.
            let was_live = shown.live.get_untracked();
            shown.first.update_untracked(|first| *first = from);
            shown.live.update_untracked(|live| *live = true);
            shown.rows.set(rows);
            if !was_live {
                shown.live.notify();
            }
            self.fill();
            let sought = state.borrow().sought;
            if let Some(row) = sought {
                self.next_frame(move || self.bring_match(row));
            }
        } else {
            self.ask_rows();
        }
    }

    fn scale(self) -> Scale {
        let rows = self.shown.total.get_untracked().unwrap_or(0);
        let view = self
            .scroll
            .get_untracked()
            .map_or(0.0, |element| f64::from(element.client_height()));
        let row = self.state().map_or(ROW_HEIGHT, |state| state.borrow().row);
        let after = if self.shown.wrap.get_untracked() {
            (view - row).max(0.0)
        } else {
            0.0
        };
        Scale { rows, row, view, after }
    }

    /// The first row in view, and how many are.
    fn seen(self) -> (u32, u32) {
        let top = self.state().map_or(0.0, |state| state.borrow().top);
        self.scale().seen(top)
    }

    /// Whether all rows are in the page.
    fn flows(self) -> bool {
        self.shown.total.get_untracked().is_some_and(|total| total <= FLOW)
    }

    /// Asks for the rows around the view.
    fn ask_rows(self) {
        let Some(state) = self.state() else { return };
        if state.borrow().asked {
            return;
        }
        state.borrow_mut().asked = true;
        let (first, count) = self.seen();
        let (from, count) = if self.flows() {
            (0, FLOW)
        } else {
            (first.saturating_sub(count / 2), count * 2)
        };
        self.ask(Ask::Rows { from, count });
    }

    /// Asks for rows where some in view are not here.
    fn fill(self) {
        if !self.shown.live.get_untracked() || self.flows() {
            return;
        }
        let (first, count) = self.seen();
        let here = self.shown.first.get_untracked();
        let until = here + self.shown.rows.with_untracked(Vec::len) as u32;
        let total = self.shown.total.get_untracked().unwrap_or(0);
        if first < here || (first + count).min(total) > until {
            self.ask_rows();
        }
    }

    /// Puts the rows that are here where they belong.
    fn place(self) {
        let (Some(space), Some(window)) = (self.space.get_untracked(), self.window.get_untracked()) else {
            return;
        };
        let (space, window): (&HtmlElement, &HtmlElement) = (&space, &window);
        let virtually = self.shown.live.get_untracked() && !self.flows();
        if !virtually {
            style(space, "height", "");
            style(window, "position", "");
            style(window, "transform", "");
            return;
        }
        self.measure(window);
        let Some(state) = self.state() else { return };
        let scale = self.scale();
        let (top, scrolled) = { (state.borrow().top, state.borrow().scrolled) };
        style(space, "height", &format!("{}px", scale.height()));
        style(window, "position", "absolute");
        let first = f64::from(self.shown.first.get_untracked()) * scale.row;
        // Unscaled, rows stand where they belong and the browser scrolls them; scaled, they are put beside what is scrolled.
        let offset = if scale.is_scaled() { scrolled - (top - first) } else { first };
        let offset = (offset - self.above_anchor(window, scale.row)).max(0.0);
        style(window, "transform", &format!("translateY({offset}px)"));
    }

    /// Marks the current row. Not part of the rows' markup: a click would else replace what is being selected.
    fn show_current(self, row: Option<u32>) {
        let Some(window) = self.window.get_untracked() else { return };
        if let Ok(Some(old)) = window.query_selector(".json-row.current") {
            old.set_class_name("json-row");
        }
        let new = row.and_then(|row| window.query_selector(&format!("[data-row=\"{row}\"]")).ok()?);
        if let Some(new) = new {
            new.set_class_name("json-row current");
        }
    }

    /// Takes the height of a row from the first one, where rows are of one height.
    fn measure(self, window: &HtmlElement) {
        let measured = self.state().is_none_or(|state| state.borrow().measured);
        if measured || self.shown.wrap.get_untracked() {
            return;
        }
        let height = window
            .first_element_child()
            .map_or(0.0, |row| row.get_bounding_client_rect().height());
        if height > 1.0
            && let Some(state) = self.state()
        {
            let mut state = state.borrow_mut();
            state.row = height;
            // Asking again would have the browser lay the page out each time.
            state.measured = true;
        }
    }

    pub(super) fn scrolled(self) {
        let (Some(state), Some(element)) = (self.state(), self.scroll.get_untracked()) else {
            return;
        };
        let scrolled = f64::from(element.scroll_top());
        let moved = (scrolled - state.borrow().scrolled).abs() > 1.0;
        if moved {
            let scale = self.scale();
            let mut state = state.borrow_mut();
            state.scrolled = scrolled;
            state.top = scale.top_of(scrolled);
        }
        if self.shown.live.get_untracked() {
            if self.scale().is_scaled() {
                self.place();
            }
            self.fill();
        }
    }

    /// Scrolls so that so much of the rows lies above the view.
    fn set_top(self, top: f64) {
        let (Some(state), Some(element)) = (self.state(), self.scroll.get_untracked()) else {
            return;
        };
        let scale = self.scale();
        let top = top.clamp(0.0, scale.farthest());
        let scrolled = scale.scrolled_to(top);
        {
            let mut state = state.borrow_mut();
            state.top = top;
            state.scrolled = scrolled.round();
        }
        // First the height, without which the browser would not scroll so far.
        self.place();
        element.set_scroll_top(scrolled.round() as i32);
        self.place();
        self.fill();
    }

    /// A wheel turns through rows, not through the scaled way.
    pub(super) fn turned(self, event: &WheelEvent) {
        if !self.is_alive() {
            return;
        }
        self.leave_match();
        let scale = self.scale();
        if !self.shown.live.get_untracked() || self.flows() || !scale.is_scaled() || event.delta_y() == 0.0 || event.ctrl_key() {
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

    /// Makes a row the current one and brings it into view.
    fn stand_at(self, row: u32) {
        self.shown.current.set(Some(row));
        if self.flows() || !self.shown.live.get_untracked() {
            // Once the row is drawn as the current one.
            self.next_frame(move || self.bring_into_flow(row));
            return;
        }
        let top = self.state().map_or(0.0, |state| state.borrow().top);
        let scale = self.scale();
        let wanted = scale.bring(row, top);
        if (wanted - top).abs() > 0.5 {
            self.set_top(wanted);
        }
    }

    /// Brings a row into view where all of them are in the page, whatever their heights.
    fn bring_into_flow(self, row: u32) {
        let Some(element) = self.scroll.get_untracked() else { return };
        let Ok(Some(row)) = element.query_selector(&format!("[data-row=\"{row}\"]")) else {
            return;
        };
        let (view, row) = (element.get_bounding_client_rect(), row.get_bounding_client_rect());
        let margin = row.height();
        let by = if row.top() - margin < view.top() {
            row.top() - margin - view.top()
        } else {
            (row.bottom() + margin - view.bottom()).max(0.0)
        };
        element.set_scroll_top(element.scroll_top() + by.round() as i32);
    }

    /// Rows wrap now, or no longer.
    pub(super) fn wrapped(self) {
        self.start();
        self.next_frame(move || self.place());
    }
}

fn post(worker: Option<&Worker>, ask: &Ask) {
    if let (Some(worker), Ok(text)) = (worker, serde_json::to_string(ask)) {
        // Posting a string can only fail where the worker is gone, and its error was told.
        let _ = worker.post_message(&JsValue::from_str(&text));
    }
}

fn style(element: &HtmlElement, name: &str, value: &str) {
    // A property's name and value that CSS does not know are passed over by the browser.
    let _ = element.style().set_property(name, value);
}

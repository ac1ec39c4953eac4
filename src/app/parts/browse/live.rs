//! Browse data in the browser: the talk with the worker, and which rows are in view.

mod hands;
mod scroll;

use std::cell::RefCell;
use std::rc::Rc;

use leptos::html::{Div, Tbody};
use leptos::prelude::*;
use leptos::reactive::owner::LocalStorage;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use web_sys::{MessageEvent, Worker};

use super::Source;
use super::shown::{Shown, Whole};
use crate::app::browser::copy;
use crate::model::browse::message::{Aim, Ask, Line, Tell, View, Work};

/// The worker's script; its name carries no hash, so the version keeps an old one from being taken.
const WORKER: &str = concat!("/assets/browse-worker_loader.js?v=", env!("CARGO_PKG_VERSION"));
/// A row's and the heading's height in CSS pixels, until they are there to be measured.
const ROW_HEIGHT: f64 = 32.0;

/// The elements that the rows stand in.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Places {
    pub(super) scroll: NodeRef<Div>,
    pub(super) space: NodeRef<Div>,
    pub(super) window: NodeRef<Div>,
    pub(super) body: NodeRef<Tbody>,
}

/// The talk with the worker.
#[derive(Clone, Copy)]
pub(super) struct Talk {
    shown: Shown,
    places: Places,
    state: StoredValue<Rc<RefCell<State>>, LocalStorage>,
}

struct State {
    source: Source,
    worker: Option<Worker>,
    /// The worker listens.
    ready: bool,
    epoch: u32,
    /// Rows were asked for and have not come.
    asked: bool,
    /// How much of the rows lies above the view, and how far the element is then scrolled.
    top: f64,
    scrolled: f64,
    row: f64,
    head: f64,
    measured: bool,
}

impl Talk {
    pub(super) fn new(shown: Shown, source: Source, places: Places) -> Self {
        let state = State {
            source,
            worker: None,
            ready: false,
            epoch: 0,
            asked: false,
            top: 0.0,
            scrolled: 0.0,
            row: ROW_HEIGHT,
            head: ROW_HEIGHT,
            measured: false,
        };
        let talk = Self {
            shown,
            places,
            state: StoredValue::new_local(Rc::new(RefCell::new(state))),
        };
        // Effects run after hydration.
        Effect::new(move |_| talk.start());
        Effect::new(move |_| {
            shown.lines.track();
            shown.count.track();
            talk.place();
        });
        Effect::new(move |_| {
            shown.lines.track();
            let current = shown.current.get();
            talk.next_frame(move || talk.show_current(current));
        });
        let resized = window_event_listener(leptos::ev::resize, move |_| {
            if talk.is_alive() {
                talk.place();
                talk.fill();
            }
        });
        on_cleanup(move || {
            resized.remove();
            talk.end();
        });
        talk
    }

    fn state(&self) -> Option<Rc<RefCell<State>>> {
        self.state.try_get_value()
    }

    /// Whether the table is on the page still: an answer or a frame may come when somebody has gone on, and its signals are no more.
    fn is_alive(&self) -> bool {
        self.state().is_some()
    }

    /// Does something before the next frame is drawn, if the table is there still.
    fn next_frame(self, act: impl FnOnce() + 'static) {
        request_animation_frame(move || {
            if self.is_alive() {
                act();
            }
        });
    }

    fn start(self) {
        let Some(state) = self.state() else { return };
        let Ok(worker) = Worker::new(WORKER) else {
            return self.fails("This browser cannot start a worker. Download the file instead.".to_owned());
        };
        let hears = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            let told = event
                .data()
                .as_string()
                .and_then(|text| serde_json::from_str::<Tell>(&text).ok());
            if let Some(tell) = told
                && self.is_alive()
            {
                self.hear(tell);
            }
        });
        worker.set_onmessage(Some(hears.as_ref().unchecked_ref()));
        hears.forget();
        let fails = Closure::<dyn FnMut(web_sys::Event)>::new(move |_: web_sys::Event| {
            if self.is_alive() {
                self.fails("The worker that reads the file stopped: it may have run out of memory.".to_owned());
            }
        });
        worker.set_onerror(Some(fails.as_ref().unchecked_ref()));
        fails.forget();
        state.borrow_mut().worker = Some(worker);
    }

    fn fails(self, reason: String) {
        self.shown.working.set(None);
        self.shown.failed.set(Some(reason));
    }

    /// Starts over after a failure.
    pub(super) fn again(self) {
        self.end();
        let shown = self.shown;
        shown.failed.set(None);
        shown.problem.set(None);
        shown.working.set(None);
        shown.loading.set(None);
        shown.loaded.set(false);
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

    /// Asks the worker, if it listens.
    fn ask(self, ask: &Ask) {
        let Some(state) = self.state() else { return };
        let state = state.borrow();
        if let (true, Some(worker), Ok(text)) = (state.ready, &state.worker, serde_json::to_string(ask)) {
            // Posting a string can only fail where the worker is gone, and its error was told.
            let _ = worker.post_message(&JsValue::from_str(&text));
        }
    }

    /// Shows other rows.
    pub(super) fn show(self, change: impl FnOnce(&mut View)) {
        if !self.is_alive() {
            return;
        }
        self.shown.view.update(change);
        self.shown.working.set(None);
        self.ask(&Ask::View(self.shown.view.get_untracked()));
    }

    /// Has the rows that are shown written as a file.
    pub(super) fn save(self) {
        self.ask(&Ask::Save);
    }

    fn hear(self, tell: Tell) {
        let shown = self.shown;
        match tell {
            Tell::Ready => self.listens(),
            Tell::Columns(columns) => {
                if !columns.is_empty() && shown.columns.with_untracked(|known| *known != columns) {
                    shown.columns.set(columns);
                }
            }
            Tell::Loading { done, total } => shown.loading.set(Some((done, total))),
            Tell::Loaded(problem) => {
                shown.loaded.set(true);
                shown.problem.set(problem);
                shown.spoken.set("The file is loaded.".to_owned());
            }
            Tell::Shown { epoch, all, shown, done } => self.take_shown(epoch, all, shown, done),
            Tell::Rows { epoch, from, rows } => self.take_rows(epoch, from, rows),
            Tell::Working(work, percent) => self.take_working(work, percent),
            Tell::Cell { row, column, aim, text } => self.take_cell(row, column, aim, text),
            Tell::Saved(url) => self.saved(&url),
            Tell::Unsaved(reason) => copy::say(&reason),
            Tell::Failed(reason) => self.fails(reason),
        }
    }

    /// The worker listens: it is told what to open, and what is to be shown of it.
    fn listens(self) {
        let Some(state) = self.state() else { return };
        let Source { url, opened, .. } = {
            let mut state = state.borrow_mut();
            state.ready = true;
            state.source.clone()
        };
        self.ask(&Ask::Open { url, opened });
        let view = self.shown.view.get_untracked();
        if view != View::default() {
            // After the opening, which begins in the worker's next moment.
            self.ask(&Ask::View(view));
        }
    }

    fn take_shown(self, epoch: u32, all: u32, count: u32, done: bool) {
        let Some(state) = self.state() else { return };
        let shown = self.shown;
        let is_other = std::mem::replace(&mut state.borrow_mut().epoch, epoch) != epoch;
        shown.all.set(all);
        shown.looked.set(done);
        let was_empty = shown.count.get_untracked() == 0;
        shown.count.set(count);
        if is_other {
            // Rows on their way are those of before.
            state.borrow_mut().asked = false;
            shown.current.set(None);
            self.set_top(0.0);
            self.ask_rows();
        } else if was_empty && count > 0 {
            self.ask_rows();
        } else {
            self.fill();
        }
        if done && shown.loaded.get_untracked() {
            let words = untrack(|| shown.count_words());
            shown.spoken.set(words);
        }
    }

    fn take_rows(self, epoch: u32, from: u32, lines: Vec<Line>) {
        let Some(state) = self.state() else { return };
        state.borrow_mut().asked = false;
        if state.borrow().epoch != epoch {
            return self.ask_rows();
        }
        // The lines' own change draws them; where they stand changes before, unnoticed.
        self.shown.first.update_untracked(|first| *first = from);
        self.shown.lines.set(lines);
        self.fill();
    }

    fn take_working(self, work: Work, percent: u8) {
        self.shown.working.set((percent < 100).then_some((work, percent)));
    }

    fn take_cell(self, row: u32, column: u32, aim: Aim, text: String) {
        if aim == Aim::Copy {
            return copy::copy(text, "Cell copied");
        }
        let name = self
            .shown
            .columns
            .with_untracked(|columns| columns.get(column as usize).cloned());
        self.shown.whole.set(Some(Whole {
            name: name.unwrap_or_default(),
            row,
            text,
        }));
    }
}

/// Copies a text.
pub(super) fn copy(text: String) {
    copy::copy(text, "Cell copied");
}

//! The JSON viewer's worker: a body is fetched, or given as text, then read slice by slice.

use std::cell::RefCell;
use std::rc::Rc;

use audit_log::model::json_doc::message::{Ask, Form, Session, Tell};
use wasm_bindgen_futures::spawn_local;

use crate::host::{Fetched, breathe, tell};

/// Bytes between two tellings of how far loading got.
const TELL_EVERY: usize = 1 << 20;
/// Reserved at once at most, whatever the answer claims to hold.
const RESERVE_AT_MOST: usize = 256 << 20;

pub(crate) type Shared = Rc<RefCell<State>>;

/// The talk, and whether a loop is at work on it.
#[derive(Default)]
pub(crate) struct State {
    session: Session,
    working: bool,
}

pub(crate) fn hear(state: &Shared, ask: Ask) {
    match ask {
        Ask::Load { url, form, masked } => {
            let state = Rc::clone(state);
            spawn_local(async move {
                match load(&url).await {
                    Ok(bytes) => begin(&state, bytes, form, masked),
                    Err(reason) => tell(&Tell::Failed(reason)),
                }
            });
        }
        Ask::Take { text, form, masked } => begin(state, text.into_bytes(), form, masked),
        ask => {
            let told = state.borrow_mut().session.answer(ask);
            told.iter().for_each(tell);
            go_on(state);
        }
    }
}

fn begin(state: &Shared, bytes: Vec<u8>, form: Form, masked: bool) {
    state.borrow_mut().session.loaded(bytes, form, masked);
    go_on(state);
}

/// Works slice by slice until nothing is left, hearing what the page asks in between.
fn go_on(state: &Shared) {
    if state.borrow().working || !state.borrow().session.is_busy() {
        return;
    }
    state.borrow_mut().working = true;
    let state = Rc::clone(state);
    spawn_local(async move {
        while state.borrow().session.is_busy() {
            let told = state.borrow_mut().session.work();
            told.iter().for_each(tell);
            breathe().await;
        }
        state.borrow_mut().working = false;
    });
}

/// Fetches a body, telling how far it got; or says why it did not come.
async fn load(url: &str) -> Result<Vec<u8>, String> {
    let mut fetched = Fetched::from(url, "the body").await?;
    let total = fetched.total;
    let mut bytes = Vec::with_capacity(total.map_or(0, |total| usize::try_from(total).unwrap_or(0).min(RESERVE_AT_MOST)));
    let mut told = 0;
    while let Some(chunk) = fetched.next().await? {
        let at = bytes.len();
        bytes.resize(at + chunk.length() as usize, 0);
        chunk.copy_to(&mut bytes[at..]);
        if bytes.len() - told >= TELL_EVERY {
            told = bytes.len();
            tell(&Tell::Loading {
                done: told as u64,
                total,
            });
        }
    }
    Ok(bytes)
}

//! Browse data's worker: rows are told of while the file still comes, and searched, sorted and saved slice by slice.

use std::cell::RefCell;
use std::rc::Rc;

use audit_log::model::browse::Session;
use audit_log::model::browse::message::{Ask, Opened, Tell};
use js_sys::{Array, Uint8Array};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Blob, Url};

use crate::host::{Fetched, breathe, tell};

/// Bytes taken in before the page is heard again: a breath can cost four milliseconds.
const BREATHE_EVERY: usize = 8 << 20;

pub(crate) type Shared = Rc<RefCell<State>>;

/// The talk, and whether a loop is at work on it.
#[derive(Default)]
pub(crate) struct State {
    session: Option<Session>,
    working: bool,
    /// The pieces of a file that is written. They are the browser's, which may keep them on its disk.
    pieces: Array,
    /// Where the file written last can be had.
    saved: Option<String>,
}

impl State {
    fn is_busy(&self) -> bool {
        self.session.as_ref().is_some_and(Session::is_busy)
    }
}

pub(crate) fn hear(state: &Shared, ask: Ask) {
    if let Ask::Open { url, opened } = ask {
        let state = Rc::clone(state);
        spawn_local(async move {
            if let Err(reason) = open(&state, &url, opened).await {
                tell(&Tell::Failed(reason));
            }
        });
        return;
    }
    {
        let mut state = state.borrow_mut();
        if ask == Ask::Save {
            state.pieces = Array::new();
        }
        let told = state.session.as_mut().map(|session| session.answer(ask));
        told.iter().flatten().for_each(tell);
    }
    go_on(state);
}

/// Fetches a file and reads it as it comes. An error here means that there is nothing to show; one later leaves the rows that came.
async fn open(state: &Shared, url: &str, opened: Opened) -> Result<(), String> {
    state.borrow_mut().session = Some(Session::new(&opened));
    let mut fetched = Fetched::from(url, "the file").await?;
    let mut since = 0;
    let reason = loop {
        let chunk = match fetched.next().await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => break None,
            Err(reason) => break Some(reason),
        };
        since += chunk.length() as usize;
        if let Err(reason) = take(state, &chunk) {
            break Some(reason);
        }
        go_on(state);
        if since >= BREATHE_EVERY {
            since = 0;
            breathe().await;
        }
    };
    if let Some(session) = &mut state.borrow_mut().session {
        session.end(reason).iter().for_each(tell);
    }
    go_on(state);
    Ok(())
}

fn take(state: &Shared, chunk: &Uint8Array) -> Result<(), String> {
    let mut state = state.borrow_mut();
    let Some(session) = &mut state.session else { return Ok(()) };
    let room = session.room(chunk.length() as usize).map_err(|problem| problem.to_string())?;
    chunk.copy_to(room);
    let told = session.take().map_err(|problem| problem.to_string())?;
    told.iter().for_each(tell);
    Ok(())
}

/// Works slice by slice until nothing is left, hearing what the page asks in between.
fn go_on(state: &Shared) {
    if state.borrow().working || !state.borrow().is_busy() {
        return;
    }
    state.borrow_mut().working = true;
    let state = Rc::clone(state);
    spawn_local(async move {
        while state.borrow().is_busy() {
            work(&mut state.borrow_mut());
            breathe().await;
        }
        state.borrow_mut().working = false;
    });
}

fn work(state: &mut State) {
    let Some(session) = &mut state.session else { return };
    let done = session.work();
    done.told.iter().for_each(tell);
    let Some(piece) = done.piece else { return };
    let is_last = !session.is_saving();
    let bytes = Array::of1(&Uint8Array::from(piece.as_slice()));
    if let Ok(piece) = Blob::new_with_u8_array_sequence(&bytes) {
        state.pieces.push(&piece);
    }
    if is_last {
        save(state);
    }
}

/// Makes the pieces one file and says where it can be had.
fn save(state: &mut State) {
    let pieces = std::mem::take(&mut state.pieces);
    if let Some(url) = state.saved.take() {
        // An address that is no more needs no giving back.
        let _ = Url::revoke_object_url(&url);
    }
    let whole = Blob::new_with_blob_sequence(&pieces).and_then(|file| Url::create_object_url_with_blob(&file));
    match whole {
        Ok(url) => {
            tell(&Tell::Saved(url.clone()));
            state.saved = Some(url);
        }
        Err(_) => tell(&Tell::Unsaved(
            "The browser has no room for the file. Filter further, or download the whole export.".to_owned(),
        )),
    }
}

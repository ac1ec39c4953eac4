//! The worker of a log's page: loads a body, reads it, and answers for it, so that the page's own thread never holds a large one.
//!
//! What it does lies in [`audit_log::model::json_doc::message`]; here is only what needs a browser: fetching, posting, and breathing between slices.

use std::cell::RefCell;
use std::rc::Rc;

use audit_log::model::json_doc::message::{Ask, Form, Session, Tell};
use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{DedicatedWorkerGlobalScope, MessageEvent, ReadableStreamDefaultReader, Response};

/// Bytes between two tellings of how far loading got.
const TELL_EVERY: usize = 1 << 20;
/// Reserved at once at most, whatever the answer claims to hold.
const RESERVE_AT_MOST: usize = 256 << 20;

type Shared = Rc<RefCell<State>>;

/// The talk, and whether a loop is at work on it.
#[derive(Default)]
struct State {
    session: Session,
    working: bool,
}

fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

fn tell(message: &Tell) {
    if let Ok(text) = serde_json::to_string(message) {
        // Posting a string can only fail where the page is gone, and then nobody misses it.
        let _ = scope().post_message(&JsValue::from_str(&text));
    }
}

fn main() {
    let state = Shared::default();
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        let asked = event.data().as_string().map(|text| serde_json::from_str::<Ask>(&text));
        match asked {
            Some(Ok(ask)) => hear(&state, ask),
            _ => tell(&Tell::Failed(
                "The page asked for something that this version does not know. Reload the page.".to_owned(),
            )),
        }
    });
    scope().set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    on_message.forget();
    tell(&Tell::Ready);
}

fn hear(state: &Shared, ask: Ask) {
    if let Ask::Load { url, form, masked } = ask {
        let state = Rc::clone(state);
        spawn_local(async move {
            match load(&url).await {
                Ok(bytes) => begin(&state, bytes, form, masked),
                Err(reason) => tell(&Tell::Failed(reason)),
            }
        });
        return;
    }
    let told = state.borrow_mut().session.answer(ask);
    told.iter().for_each(tell);
    go_on(state);
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

/// Lets waiting messages in.
async fn breathe() {
    let waited = js_sys::Promise::new(&mut |resolve, _| {
        // Without a timer (which every browser has) the promise would never end: resolve at once.
        if scope().set_timeout_with_callback(&resolve).is_err() {
            let _ = resolve.call0(&JsValue::NULL);
        }
    });
    let _ = JsFuture::from(waited).await;
}

/// Fetches a body, telling how far it got; or says why it did not come.
async fn load(url: &str) -> Result<Vec<u8>, String> {
    let lost = |_| "The server did not answer. Check the connection, then try again.".to_owned();
    let answer: Response = JsFuture::from(scope().fetch_with_str(url))
        .await
        .map_err(lost)?
        .unchecked_into();
    if !answer.ok() {
        return Err(format!(
            "The server refused to give the body: {} {}",
            answer.status(),
            answer.status_text()
        ));
    }
    let total = answer
        .headers()
        .get("content-length")
        .ok()
        .flatten()
        .and_then(|length| length.parse::<u64>().ok());
    let mut bytes = Vec::with_capacity(total.map_or(0, |total| usize::try_from(total).unwrap_or(0).min(RESERVE_AT_MOST)));
    let Some(stream) = answer.body() else { return Ok(bytes) };
    let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    let mut told = 0;
    loop {
        let chunk = JsFuture::from(reader.read()).await.map_err(lost)?;
        if Reflect::get(&chunk, &"done".into()).is_ok_and(|done| done.is_truthy()) {
            return Ok(bytes);
        }
        let chunk: Uint8Array = Reflect::get(&chunk, &"value".into()).map_err(lost)?.unchecked_into();
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
}

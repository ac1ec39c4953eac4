//! What every talk of the worker needs of the browser: posting, breathing, fetching.

use js_sys::{Reflect, Uint8Array};
use serde::Serialize;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{DedicatedWorkerGlobalScope, ReadableStreamDefaultReader, Response};

const LOST: &str = "The server did not answer. Check the connection, then try again.";

pub(crate) fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// Tells the page something.
pub(crate) fn tell(message: &impl Serialize) {
    if let Ok(text) = serde_json::to_string(message) {
        // Posting a string can only fail where the page is gone, and then nobody misses it.
        let _ = scope().post_message(&JsValue::from_str(&text));
    }
}

/// Lets waiting messages in.
pub(crate) async fn breathe() {
    let waited = js_sys::Promise::new(&mut |resolve, _| {
        // Without a timer (which every browser has) the promise would never end: resolve at once.
        if scope().set_timeout_with_callback(&resolve).is_err() {
            let _ = resolve.call0(&JsValue::NULL);
        }
    });
    let _ = JsFuture::from(waited).await;
}

/// Something that is being fetched.
pub(crate) struct Fetched {
    /// What the server says it is long, on the wire.
    pub(crate) total: Option<u64>,
    reader: Option<ReadableStreamDefaultReader>,
}

impl Fetched {
    /// Asks for it; `what` it is, as "the body".
    pub(crate) async fn from(url: &str, what: &str) -> Result<Self, String> {
        let answer: Response = JsFuture::from(scope().fetch_with_str(url))
            .await
            .map_err(|_| LOST.to_owned())?
            .unchecked_into();
        if !answer.ok() {
            return Err(format!(
                "The server refused to give {what}: {} {}",
                answer.status(),
                answer.status_text()
            ));
        }
        let length = answer.headers().get("content-length").ok().flatten();
        Ok(Self {
            total: length.and_then(|length| length.parse().ok()),
            reader: answer.body().map(|stream| stream.get_reader().unchecked_into()),
        })
    }

    /// The next bytes; `None` after the last.
    pub(crate) async fn next(&mut self) -> Result<Option<Uint8Array>, String> {
        let Some(reader) = &self.reader else { return Ok(None) };
        let lost = |_| LOST.to_owned();
        let chunk = JsFuture::from(reader.read()).await.map_err(lost)?;
        if Reflect::get(&chunk, &"done".into()).is_ok_and(|done| done.is_truthy()) {
            return Ok(None);
        }
        Ok(Some(Reflect::get(&chunk, &"value".into()).map_err(lost)?.unchecked_into()))
    }
}

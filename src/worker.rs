//! The worker of a log's page and of Browse data: loads what is large, reads it, and answers for it, so that the page's own thread never holds it.
//!
//! What it does lies in [`audit_log::model::json_doc::message`] and [`audit_log::model::browse::message`]; here is only what needs a browser:
//! fetching, posting, and breathing between slices. The first message says which of the two a worker serves from then on.

#[path = "worker/browse.rs"]
mod browse;
#[path = "worker/host.rs"]
mod host;
#[path = "worker/json.rs"]
mod json;

use std::cell::RefCell;

use audit_log::model::{browse::message as of_browse, json_doc::message as of_json};
use wasm_bindgen::prelude::*;
use web_sys::MessageEvent;

/// Whom the worker serves.
#[derive(Default)]
enum Role {
    /// Nobody has asked yet.
    #[default]
    Unknown,
    /// The JSON viewer.
    Json(json::Shared),
    /// Browse data.
    Browse(browse::Shared),
}

fn main() {
    let role = RefCell::new(Role::default());
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        let known = event.data().as_string().and_then(|text| hear(&mut role.borrow_mut(), &text));
        if known.is_none() {
            host::tell(&of_json::Tell::Failed(
                "The page asked for something that this version does not know. Reload the page.".to_owned(),
            ));
        }
    });
    host::scope().set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    on_message.forget();
    host::tell(&of_json::Tell::Ready);
}

/// Hears a message; `None` where it means nothing.
fn hear(role: &mut Role, text: &str) -> Option<()> {
    if let Role::Unknown = role {
        // Only Browse data opens; whatever else comes first is the viewer's.
        *role = match serde_json::from_str::<of_browse::Ask>(text) {
            Ok(of_browse::Ask::Open { .. }) => Role::Browse(browse::Shared::default()),
            _ => Role::Json(json::Shared::default()),
        };
    }
    match role {
        Role::Browse(state) => browse::hear(state, serde_json::from_str(text).ok()?),
        Role::Json(state) => json::hear(state, serde_json::from_str(text).ok()?),
        Role::Unknown => return None,
    }
    Some(())
}

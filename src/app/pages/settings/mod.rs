//! The settings of a project, one file a page.

pub mod chain;
pub mod chain_heads;
pub mod endpoint;
pub mod endpoint_form;
pub mod invitations;
pub mod key;
pub mod key_form;
pub mod keys;
pub mod mask_row;
pub mod mask_tried;
pub mod masking;
pub mod member;
pub mod members;
pub mod project;
pub mod retention;
pub mod retention_form;
pub mod retention_purges;
pub mod retention_storage;
pub mod sight;
pub mod webhooks;

use leptos::html::ElementType;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use leptos::web_sys::HtmlElement;

/// Gives an element the focus, where it is still there.
fn focus<E>(element: NodeRef<E>)
where
    E: ElementType,
    E::Output: JsCast + Clone + AsRef<HtmlElement> + 'static,
{
    let found: Option<E::Output> = element.try_get_untracked().flatten();
    if let Some(found) = found {
        let element: &HtmlElement = found.as_ref();
        // It refuses only what is not in the document.
        let _ = element.focus();
    }
}

//! A dialog over the page: opened, closed, and given the focus; and the focus of what is left when something goes. What a dialog says and does is its part's own.
//!
//! To make one: a [`Modal`], and a `<dialog class="dialog" node_ref=modal.node()>` named by its heading.

use leptos::html::{Dialog, ElementType};
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use leptos::web_sys::HtmlElement;

/// A dialog on the page. The page may be gone by the time that something is asked of it: then nothing is done.
#[derive(Clone, Copy, Debug, Default)]
pub struct Modal(NodeRef<Dialog>);

impl Modal {
    /// A dialog that is not on the page yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Where its element goes.
    pub const fn node(self) -> NodeRef<Dialog> {
        self.0
    }

    /// Opens it, once what it says stands in it, so that its first control takes the focus.
    pub fn open(self) {
        request_animation_frame(move || {
            if let Some(dialog) = self.0.try_get_untracked().flatten() {
                // It refuses only while it is open.
                let _ = dialog.show_modal();
            }
        });
    }

    /// Closes it; the focus goes back to where it was.
    pub fn close(self) {
        if let Some(dialog) = self.0.try_get_untracked().flatten() {
            dialog.close();
        }
    }

    /// Opens it when something is so, and closes it when it no longer is.
    pub fn open_when(self, is_so: impl Fn() -> bool + 'static) {
        Effect::new(move |_| {
            let wanted = is_so();
            let Some(dialog) = self.0.get() else { return };
            if wanted && !dialog.open() {
                // A dialog in the page that is closed can be opened.
                let _ = dialog.show_modal();
            } else if !wanted && dialog.open() {
                dialog.close();
            }
        });
    }
}

/// Gives an element the focus, where it is still there.
pub fn focus<E>(element: NodeRef<E>)
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

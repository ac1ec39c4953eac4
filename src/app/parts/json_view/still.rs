//! The viewer on the server, where nobody scrolls: the same door as `live`, with nothing behind it.

use leptos::html::Div;
use leptos::prelude::*;

use super::Source;
use super::row::Shown;
use crate::model::json_doc::message::Ask;

/// The talk with the worker, which is the browser's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Talk;

impl Talk {
    pub(super) fn new(_: Shown, _: Source, _: NodeRef<Div>, _: NodeRef<Div>, _: NodeRef<Div>) -> Self {
        Self
    }

    pub(super) fn start(self) {}

    pub(super) fn again(self) {}

    pub(super) fn ask(self, _: Ask) {}

    pub(super) fn find(self, _: String) {}

    pub(super) fn scrolled(self) {}

    pub(super) fn turned(self, _: &leptos::ev::WheelEvent) {}

    pub(super) fn pressed(self, _: &leptos::ev::KeyboardEvent) {}

    pub(super) fn clicked(self, _: &leptos::ev::MouseEvent) {}

    pub(super) fn wrapped(self) {}
}

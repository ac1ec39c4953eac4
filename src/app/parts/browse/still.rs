//! Browse data on the server, where no file is opened: the same door as `live`, with nothing behind it.

use leptos::html::{Div, Tbody};
use leptos::prelude::*;

use super::Source;
use super::shown::Shown;
use crate::model::browse::message::{Aim, View};

/// The talk with the worker, which is the browser's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Talk;

/// The elements that the rows stand in.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Places {
    pub(super) scroll: NodeRef<Div>,
    pub(super) space: NodeRef<Div>,
    pub(super) window: NodeRef<Div>,
    pub(super) body: NodeRef<Tbody>,
}

impl Talk {
    pub(super) fn new(_: Shown, _: Source, _: Places) -> Self {
        Self
    }

    pub(super) fn again(self) {}

    pub(super) fn show(self, _: impl FnOnce(&mut View)) {}

    pub(super) fn save(self) {}

    pub(super) fn whole(self, _: Aim) {}

    pub(super) fn scrolled(self) {}

    pub(super) fn turned(self, _: &leptos::ev::WheelEvent) {}

    pub(super) fn pressed(self, _: &leptos::ev::KeyboardEvent) {}

    pub(super) fn clicked(self, _: &leptos::ev::MouseEvent) {}
}

/// Copies a text.
pub(super) fn copy(_: String) {}

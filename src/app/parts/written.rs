//! Views that the server writes as text by itself, and that the browser takes over as the views they are.
//!
//! For what a page has by the dozen, each under a key: to the browser these are views, which come, go and stay one by one; the server writes
//! them once, and would make an owner, a closure and several boxes for each.
//!
//! The text must have the very nodes that the view would be written as, or the browser cannot take it over: a test beside each use compares the two.

use leptos::attr::Attribute;
use leptos::attr::any_attribute::AnyAttribute;
use leptos::prelude::*;
use leptos::tachys::hydration::Cursor;
use leptos::tachys::ssr::StreamBuilder;
use leptos::tachys::view::{Position, PositionState};

/// A view with its text; from [`written`].
pub struct Written<T, V> {
    text: T,
    view: V,
}

/// `view`, which the server writes as `text`. See the module.
pub fn written<T, V>(text: T, view: V) -> Written<T, V>
where
    T: FnOnce() -> String + Send + 'static,
    V: IntoView,
{
    Written { text, view }
}

impl<T, V: Render> Render for Written<T, V> {
    type State = V::State;

    fn build(self) -> Self::State {
        self.view.build()
    }

    fn rebuild(self, state: &mut Self::State) {
        self.view.rebuild(state);
    }
}

impl<T, V> AddAnyAttr for Written<T, V>
where
    T: FnOnce() -> String + Send + 'static,
    V: RenderHtml,
{
    type Output<New: Attribute> = Self;

    /// The text takes no attributes, so the view takes none either.
    fn add_any_attr<New: Attribute>(self, _attribute: New) -> Self::Output<New> {
        self
    }
}

impl<T, V> RenderHtml for Written<T, V>
where
    T: FnOnce() -> String + Send + 'static,
    V: RenderHtml,
{
    type AsyncOutput = Self;
    type Owned = Written<T, V::Owned>;

    const MIN_LENGTH: usize = V::MIN_LENGTH;
    const EXISTS: bool = V::EXISTS;

    fn dry_resolve(&mut self) {}

    async fn resolve(self) -> Self::AsyncOutput {
        self
    }

    fn html_len(&self) -> usize {
        self.view.html_len()
    }

    fn to_html_with_buf(
        self,
        buffer: &mut String,
        position: &mut Position,
        _escape: bool,
        _mark_branches: bool,
        _extra: Vec<AnyAttribute>,
    ) {
        buffer.push_str(&(self.text)());
        *position = Position::NextChild;
    }

    fn to_html_async_with_buf<const OUT_OF_ORDER: bool>(
        self,
        buffer: &mut StreamBuilder,
        position: &mut Position,
        _escape: bool,
        _mark_branches: bool,
        _extra: Vec<AnyAttribute>,
    ) where
        Self: Sized,
    {
        buffer.push_sync(&(self.text)());
        *position = Position::NextChild;
    }

    fn hydrate<const FROM_SERVER: bool>(self, cursor: &Cursor, position: &PositionState) -> Self::State {
        self.view.hydrate::<FROM_SERVER>(cursor, position)
    }

    async fn hydrate_async(self, cursor: &Cursor, position: &PositionState) -> Self::State {
        self.view.hydrate_async(cursor, position).await
    }

    fn into_owned(self) -> Self::Owned {
        Written {
            text: self.text,
            view: self.view.into_owned(),
        }
    }
}

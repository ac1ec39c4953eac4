//! What is made from something a page asks for, made once.
//!
//! Before a [`Transition`] or [`Suspense`] renders on the server, Leptos walks over what is inside to find the resources that it reads, and walks again
//! when they have come, to find more of them. Each walk calls every closure, and so makes the whole page and asks the database whatever that page asks.
//! [`awaited`] tells a walk what is read and makes nothing; it is made as it is written. In the browser it is the closure alone.
//!
//! What is inside must not begin to read another resource, nor hold a [`Suspend`], without a boundary of its own: no walk finds the one, and the other would be
//! written before it has come, as nothing.

use leptos::attr::Attribute;
use leptos::attr::any_attribute::AnyAttribute;
use leptos::prelude::*;
use leptos::tachys::hydration::Cursor;
use leptos::tachys::reactive_graph::ReactiveFunction;
use leptos::tachys::ssr::StreamBuilder;
use leptos::tachys::view::{Position, PositionState};

/// A view behind a closure, and what the closure reads.
pub struct Awaited<R, F> {
    reads: R,
    view: F,
}

/// `view`, made once everything that `reads` touches has come. See the module.
pub fn awaited<R, F, V>(reads: R, view: F) -> Awaited<R, F>
where
    R: Fn() + Send + 'static,
    F: FnMut() -> V + Send + 'static,
{
    Awaited { reads, view }
}

/// [`awaited`] of one resource: made from its answer, and nothing until there is one.
pub fn answered<T, V>(resource: Resource<T>, mut view: impl FnMut(T) -> V + Send + 'static) -> impl IntoView
where
    T: Clone + Send + Sync + 'static,
    V: IntoView + 'static,
{
    awaited(move || touch(resource), move || resource.get().map(&mut view))
}

/// Whether a page waits for an answer to its next address, and what tells so to a [`Transition`]. It is told in the browser alone: on the server nobody
/// looks, and a reader who leaves early would take away what is set.
pub fn waiting() -> (ReadSignal<bool>, SignalSetter<bool>) {
    let (pending, set_pending) = signal(false);
    let tell = if cfg!(feature = "hydrate") {
        set_pending.into()
    } else {
        SignalSetter::default()
    };
    (pending, tell)
}

/// A [`Transition`] that tells when it waits, in the browser alone. On the server an effect would look at what is awaited on a thread of its own, in the
/// moment in which another one notes that something has come: the signal refuses both at once, and the page would be lost.
#[component]
pub fn Turning<C>(
    /// What is told, from [`waiting`].
    set_pending: SignalSetter<bool>,
    /// What is inside.
    children: TypedChildren<C>,
) -> impl IntoView
where
    C: IntoView + Send + 'static,
{
    let props = TransitionProps::builder();
    #[cfg(feature = "hydrate")]
    let props = props.set_pending(set_pending);
    #[cfg(not(feature = "hydrate"))]
    let _ = set_pending;
    Transition(props.children(children).build())
}

/// Reads a resource for the sake of being seen to read it. A walk may come after the reader has left, and the resource with them.
pub fn touch<T: Send + Sync + 'static>(resource: Resource<T>) {
    let _ = resource.try_with(|_| ());
}

impl<R, F, V> Render for Awaited<R, F>
where
    R: Fn() + Send + 'static,
    F: ReactiveFunction<Output = V>,
    V: Render + 'static,
    V::State: 'static,
{
    type State = <F as Render>::State;

    fn build(self) -> Self::State {
        self.view.build()
    }

    fn rebuild(self, state: &mut Self::State) {
        self.view.rebuild(state);
    }
}

impl<R, F, V> AddAnyAttr for Awaited<R, F>
where
    R: Fn() + Send + 'static,
    F: ReactiveFunction<Output = V>,
    V: RenderHtml + 'static,
    V::State: 'static,
{
    type Output<New: Attribute> = <F as AddAnyAttr>::Output<New>;

    fn add_any_attr<New: Attribute>(self, attribute: New) -> Self::Output<New>
    where
        Self::Output<New>: RenderHtml,
    {
        self.view.add_any_attr(attribute)
    }
}

impl<R, F, V> RenderHtml for Awaited<R, F>
where
    R: Fn() + Send + 'static,
    F: ReactiveFunction<Output = V>,
    V: RenderHtml + 'static,
    V::State: 'static,
{
    type AsyncOutput = Self;
    type Owned = Self;

    const MIN_LENGTH: usize = 0;

    fn dry_resolve(&mut self) {
        (self.reads)();
    }

    /// What it reads has come, and what is in it waits for nothing: it can be written as it is. Made ready first, each element of the page would be a
    /// future of its own, a fifth of the time that a page takes.
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
        escape: bool,
        mark_branches: bool,
        extra: Vec<AnyAttribute>,
    ) {
        self.view.to_html_with_buf(buffer, position, escape, mark_branches, extra);
    }

    fn to_html_async_with_buf<const OUT_OF_ORDER: bool>(
        self,
        buffer: &mut StreamBuilder,
        position: &mut Position,
        escape: bool,
        mark_branches: bool,
        extra: Vec<AnyAttribute>,
    ) where
        Self: Sized,
    {
        self.view
            .to_html_async_with_buf::<OUT_OF_ORDER>(buffer, position, escape, mark_branches, extra);
    }

    fn hydrate<const FROM_SERVER: bool>(self, cursor: &Cursor, position: &PositionState) -> Self::State {
        self.view.hydrate::<FROM_SERVER>(cursor, position)
    }

    async fn hydrate_async(self, cursor: &Cursor, position: &PositionState) -> Self::State {
        self.view.hydrate_async(cursor, position).await
    }

    fn into_owned(self) -> Self::Owned {
        self
    }
}

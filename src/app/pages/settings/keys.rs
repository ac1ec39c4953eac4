//! The settings page of API keys: who among applications is let in, and with what.

use leptos::html::H2;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::key::Key;
use super::key_form::KeyForm;
use crate::api::keys::{FreshKey, KeysPage, keys_page};
use crate::app::parts::awaited::answered;
use crate::app::parts::links::{project_id, search};
use crate::app::parts::records::live::say;
use crate::app::parts::states::Problem;
use crate::app::parts::title::Title;
use crate::model::key::{KeyFacts, KeyStanding};

/// What the parts of the page share.
#[derive(Clone, Copy, Debug)]
pub struct Board {
    project: StoredValue<String>,
    page: RwSignal<KeysPage>,
    /// A key or token that was just made.
    pub(super) fresh: RwSignal<Option<FreshKey>>,
    /// Reads the keys again.
    pub(super) again: Callback<()>,
    /// The heading of the list, where the focus goes when what had it is gone.
    pub(super) heading: NodeRef<H2>,
}

impl Board {
    pub(super) fn project(self) -> String {
        self.project.try_get_value().unwrap_or_default()
    }

    /// A key as it is now; as it was where it is no longer among them.
    pub(super) fn facts(self, first: KeyFacts) -> Memo<KeyFacts> {
        Memo::new(move |before: Option<&KeyFacts>| {
            let now = self
                .page
                .with(|page| page.keys.iter().find(|known| known.app_id == first.app_id).cloned());
            now.or_else(|| before.cloned()).unwrap_or_else(|| first.clone())
        })
    }

    pub(super) fn now(self) -> i64 {
        self.page.with_untracked(|page| page.now)
    }

    /// Calls a minute of a key that has none of its own.
    pub(super) fn calls_a_minute(self) -> u32 {
        self.page.with_untracked(|page| page.calls_a_minute)
    }

    /// A time, whole.
    pub(super) fn full(self, at: i64) -> String {
        self.page.with_untracked(|page| page.zone.full(at))
    }

    /// The token that was just made, of this key.
    pub(super) fn fresh_of(self, app_id: &str) -> Option<FreshKey> {
        self.fresh
            .with(|fresh| fresh.as_ref().filter(|fresh| fresh.app_id == app_id).cloned())
    }

    /// Shows a token, once.
    pub(super) fn tell(self, fresh: FreshKey) {
        self.fresh.try_set(Some(fresh));
        self.again.try_run(());
        say("A new token is shown: copy it now");
    }
}

/// The page.
#[component]
pub fn Keys() -> impl IntoView {
    let (project, search) = (project_id(), search());
    let (refresh, set_refresh) = signal(0_u32);
    let page = Resource::new(
        move || (project.get(), search.get(), refresh.get()),
        |(project, search, _)| keys_page(project, search),
    );
    let again = Callback::new(move |()| set_refresh.update(|count| *count = count.wrapping_add(1)));
    view! {
        <Title text="API keys · audit-log"/>
        <main id="content" class="form-page settings">
            <h1>"API keys"</h1>
            <Transition>
                {answered(page, move |page| match page {
                    Ok(page) => view! { <Whole page project=project.get_untracked() search=search.get_untracked()/> }.into_any(),
                    Err(error) => view! { <Problem error again clear="?"/> }.into_any(),
                })}
            </Transition>
        </main>
    }
}

#[component]
fn Whole(page: KeysPage, project: String, search: String) -> impl IntoView {
    let page = RwSignal::new(page);
    let of_project = project.clone();
    let again = Callback::new(move |()| {
        let (project, search) = (project.clone(), search.clone());
        spawn_local(async move {
            // What cannot be read now leaves what is shown as it is.
            if let Ok(read) = keys_page(project, search).await {
                page.try_set(read);
            }
        });
    });
    let heading = NodeRef::<H2>::new();
    let board = Board {
        project: StoredValue::new(of_project.clone()),
        page,
        fresh: RwSignal::new(None),
        again,
        heading,
    };
    let made = Callback::new(move |fresh: Option<FreshKey>| {
        if let Some(fresh) = fresh {
            board.tell(fresh);
        }
    });
    let of = move |is_over: bool| {
        page.with(|page| {
            let stands = |key: &&KeyFacts| (key.standing(page.now) != KeyStanding::Active) == is_over;
            page.keys.iter().filter(stands).cloned().collect::<Vec<_>>()
        })
    };
    let (none, any_over) = (move || of(false).is_empty(), move || !of(true).is_empty());
    view! {
        <p class="quiet">"A key lets an application in. A server-side key signs calls from your servers; a client-side key is held by browsers and only sends."</p>
        <h2 tabindex="-1" node_ref=heading>"Keys in use"</h2>
        {move || none().then(|| view! { <p>"No key is in use. Once there is one, an application can send logs, events and tasks with it."</p> })}
        <For each=move || of(false) key=|key| key.app_id.clone() let:key>
            <Key key board/>
        </For>
        <h2 id="add-title">"Add a key"</h2>
        <KeyForm project=of_project now=board.now() calls=board.calls_a_minute() done=made/>
        {move || any_over().then(|| view! { <h2>"Revoked and expired"</h2> })}
        <For each=move || of(true) key=|key| key.app_id.clone() let:key>
            <Key key board/>
        </For>
    }
}

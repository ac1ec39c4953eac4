//! The settings page of embedded views: what people without an account see, by which links, and until when.

use leptos::html::H2;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::embed::Embedded;
use super::embed_form::EmbedForm;
use crate::api::embeds::{EmbedsPage, embeds_page};
use crate::api::error::ApiError;
use crate::app::parts::awaited::answered;
use crate::app::parts::links::{project_id, search};
use crate::app::parts::records::live::say;
use crate::app::parts::states::Problem;
use crate::app::parts::title::Title;
use crate::model::embed::{EmbedFacts, EmbedStanding};
use crate::model::query::pairs;

/// What the parts of the page share.
#[derive(Clone, Copy, Debug)]
pub struct Board {
    project: StoredValue<String>,
    pub(super) page: RwSignal<EmbedsPage>,
    again: Callback<()>,
    /// The heading of the list, where the focus goes when what had it is gone.
    pub(super) heading: NodeRef<H2>,
}

impl Board {
    pub(super) fn project(self) -> String {
        self.project.try_get_value().unwrap_or_default()
    }

    /// An embedded view as it is now; as it was where it is no longer among them.
    pub(super) fn facts(self, first: EmbedFacts) -> Memo<EmbedFacts> {
        Memo::new(move |before: Option<&EmbedFacts>| {
            let now = self
                .page
                .with(|page| page.embeds.iter().find(|known| known.id == first.id).cloned());
            now.or_else(|| before.cloned()).unwrap_or_else(|| first.clone())
        })
    }

    pub(super) fn now(self) -> i64 {
        self.page.with_untracked(|page| page.now)
    }

    /// A time, whole.
    pub(super) fn full(self, at: i64) -> String {
        self.page.with_untracked(|page| page.zone.full(at))
    }

    /// What came of a change: it is said and the page is read again, or the reason is shown.
    pub(super) fn changed(self, answer: Result<(), ApiError>, words: &'static str, failed: RwSignal<Option<String>>) -> bool {
        // The page may be gone by now.
        match answer {
            Ok(()) => {
                failed.try_set(None);
                self.again.try_run(());
                say(words);
                true
            }
            Err(error) => {
                failed.try_set(Some(error.to_string()));
                false
            }
        }
    }
}

/// The page.
#[component]
pub fn Embedding() -> impl IntoView {
    let (project, search) = (project_id(), search());
    let (refresh, set_refresh) = signal(0_u32);
    let page = Resource::new(
        move || (project.get(), search.get(), refresh.get()),
        |(project, search, _)| embeds_page(project, search),
    );
    let again = Callback::new(move |()| set_refresh.update(|count| *count = count.wrapping_add(1)));
    view! {
        <Title text="Embedding · audit-log"/>
        <main id="content" class="form-page settings">
            <h1>"Embedding"</h1>
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
fn Whole(page: EmbedsPage, project: String, search: String) -> impl IntoView {
    // The view that somebody came from.
    let chosen = pairs(&search).find(|(name, _)| name == "view").map(|(_, view)| view);
    let page = RwSignal::new(page);
    let of_project = project.clone();
    let again = Callback::new(move |()| {
        let (project, search) = (project.clone(), search.clone());
        spawn_local(async move {
            // What cannot be read now leaves what is shown as it is.
            if let Ok(read) = embeds_page(project, search).await {
                page.try_set(read);
            }
        });
    });
    let board = Board {
        project: StoredValue::new(of_project),
        page,
        again,
        heading: NodeRef::new(),
    };
    let of = move |is_over: bool| {
        page.with(|page| {
            let stands = |embed: &&EmbedFacts| (embed.standing(page.now) != EmbedStanding::Open) == is_over;
            page.embeds.iter().filter(stands).cloned().collect::<Vec<_>>()
        })
    };
    let (none, any_over) = (move || of(false).is_empty(), move || !of(true).is_empty());
    let may_make = page.with_untracked(|page| page.may_make);
    view! {
        <p class="quiet">
            "An embedded view shows what a shared view of the Logs tab selects to whoever holds its link, without an account: read only, until a day that you choose, or until you revoke it. "
            "Whoever changes the view changes what is shown."
        </p>
        <h2 tabindex="-1" node_ref=board.heading>"Shown now"</h2>
        {move || none().then(|| view! { <p>"No view is shown to people outside."</p> })}
        <For each=move || of(false) key=|embed| embed.id.clone() let:embed>
            <Embedded embed board/>
        </For>
        {may_make.then(|| view! { <EmbedForm board chosen/> })}
        {(!may_make).then(|| view! { <p class="quiet">"Your role in this project may not embed views; a member or an owner can."</p> })}
        {move || any_over().then(|| view! { <h2>"Revoked and expired"</h2> })}
        <For each=move || of(true) key=|embed| embed.id.clone() let:embed>
            <Embedded embed board/>
        </For>
    }
}

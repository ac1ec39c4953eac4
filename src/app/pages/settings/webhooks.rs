//! The settings page of webhooks: the endpoints that events are sent to.

use leptos::html::H2;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::endpoint::Endpoint;
use super::endpoint_form::EndpointForm;
use crate::api::webhooks::{EndpointsPage, FreshSecret, endpoints_page};
use crate::app::parts::awaited::answered;
use crate::app::parts::links::{project_id, search};
use crate::app::parts::records::live::say;
use crate::app::parts::states::Problem;
use crate::app::parts::title::Title;
use crate::model::endpoint::EndpointFacts;

/// What the parts of the page share.
#[derive(Clone, Copy, Debug)]
pub struct Board {
    project: StoredValue<String>,
    page: RwSignal<EndpointsPage>,
    /// A secret that was just made.
    pub(super) secret: RwSignal<Option<FreshSecret>>,
    /// Reads the endpoints again.
    pub(super) again: Callback<()>,
    /// The heading of the list, where the focus goes when what had it is deleted.
    pub(super) heading: NodeRef<H2>,
}

impl Board {
    pub(super) fn project(self) -> String {
        self.project.try_get_value().unwrap_or_default()
    }

    /// An endpoint as it is now; as it was where it is no longer among them.
    pub(super) fn facts(self, first: EndpointFacts) -> Memo<EndpointFacts> {
        Memo::new(move |before: Option<&EndpointFacts>| {
            let now = self
                .page
                .with(|page| page.endpoints.iter().find(|known| known.id == first.id).cloned());
            now.or_else(|| before.cloned()).unwrap_or_else(|| first.clone())
        })
    }

    /// Whether endpoints may be settled, and tested.
    pub(super) fn rights(self) -> (bool, bool) {
        self.page.with_untracked(|page| (page.can_settle, page.can_test))
    }

    pub(super) fn now(self) -> i64 {
        self.page.with_untracked(|page| page.now)
    }

    /// A time, whole.
    pub(super) fn full(self, at: i64) -> String {
        self.page.with_untracked(|page| page.zone.full(at))
    }

    /// The secret that was just made, of this endpoint.
    pub(super) fn secret_of(self, id: &str) -> Option<String> {
        self.secret.with(|fresh| {
            fresh
                .as_ref()
                .filter(|fresh| fresh.id == id)
                .map(|fresh| fresh.secret.clone())
        })
    }

    /// Shows a secret, once.
    pub(super) fn tell(self, secret: FreshSecret) {
        self.secret.try_set(Some(secret));
        self.again.try_run(());
        say("A new secret is shown: copy it now");
    }
}

/// The page.
#[component]
pub fn Webhooks() -> impl IntoView {
    let (project, search) = (project_id(), search());
    let (refresh, set_refresh) = signal(0_u32);
    let page = Resource::new(
        move || (project.get(), search.get(), refresh.get()),
        |(project, search, _)| endpoints_page(project, search),
    );
    let again = Callback::new(move |()| set_refresh.update(|count| *count = count.wrapping_add(1)));
    view! {
        <Title text="Webhooks · audit-log"/>
        <main id="content" class="form-page settings">
            <h1>"Webhooks"</h1>
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
fn Whole(page: EndpointsPage, project: String, search: String) -> impl IntoView {
    let (can_settle, can_test) = (page.can_settle, page.can_test);
    let page = RwSignal::new(page);
    let of_project = project.clone();
    let again = Callback::new(move |()| {
        let (project, search) = (project.clone(), search.clone());
        spawn_local(async move {
            // What cannot be read now leaves what is shown as it is.
            if let Ok(read) = endpoints_page(project, search).await {
                page.try_set(read);
            }
        });
    });
    let heading = NodeRef::<H2>::new();
    let board = Board {
        project: StoredValue::new(of_project.clone()),
        page,
        secret: RwSignal::new(None),
        again,
        heading,
    };
    let made = Callback::new(move |secret: Option<FreshSecret>| {
        if let Some(secret) = secret {
            board.tell(secret);
        }
    });
    let none = move || page.with(|page| page.endpoints.is_empty());
    let refused = match (can_settle, can_test) {
        (true, _) => None,
        (false, true) => {
            Some("You may look at endpoints and send test events. An owner of the project can add, change and delete them.")
        }
        (false, false) => Some(
            "You may look at endpoints, not change or test them. An owner of the project can change them; a member can send test events.",
        ),
    };
    view! {
        <p class="quiet">"An endpoint is an address that events are sent to: signed, and again on a schedule until it answers 2xx."</p>
        {refused.map(|words| view! { <p class="notice">{words}</p> })}
        <h2 tabindex="-1" node_ref=heading>"Endpoints"</h2>
        {move || none().then(|| view! {
            <p>"There is no endpoint yet. Once there is one, each event it wants is sent to it, and each attempt is kept under Webhook sendouts."</p>
        })}
        <For each=move || page.with(|page| page.endpoints.clone()) key=|endpoint| endpoint.id.clone() let:endpoint>
            <Endpoint endpoint board/>
        </For>
        {can_settle.then(|| view! {
            <h2 id="add-title">"Add an endpoint"</h2>
            <EndpointForm project=of_project done=made/>
        })}
    }
}

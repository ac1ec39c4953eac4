//! The settings page of alerts: which there are, how each stands, and the form that makes one.

use leptos::html::H2;
use leptos::prelude::*;

use super::alert_form::AlertForm;
use super::alert_state::{stands, what_it_watches};
use super::focus;
use crate::api::alerts::{AlertsPage, alerts_page};
use crate::app::parts::awaited::answered;
use crate::app::parts::links::{project_id, search};
use crate::app::parts::records::live::{keep_fresh, say};
use crate::app::parts::states::Problem;
use crate::app::parts::title::Title;
use crate::model::alert::AlertFacts;
use crate::model::query::{escape, pairs};

/// The page.
#[component]
pub fn Alerts() -> impl IntoView {
    let (project, search) = (project_id(), search());
    let (refresh, set_refresh) = signal(0_u32);
    let page = Resource::new(
        move || (project.get(), search.get(), refresh.get()),
        |(project, search, _)| alerts_page(project, search),
    );
    let again = Callback::new(move |()| set_refresh.update(|count| *count = count.wrapping_add(1)));
    view! {
        <Title text="Alerts · audit-log"/>
        <main id="content" class="form-page settings alerts">
            <h1>"Alerts"</h1>
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
fn Whole(page: AlertsPage, project: String, search: String) -> impl IntoView {
    let around = page.around.clone();
    let page = RwSignal::new(page);
    let (of_project, of_search) = (project.clone(), search.clone());
    let is_any_on = |page: &AlertsPage| page.alerts.iter().any(|alert| alert.active);
    let again = keep_fresh(page, is_any_on, move || alerts_page(of_project.clone(), of_search.clone()));
    let heading = NodeRef::<H2>::new();
    let made = Callback::new(move |()| {
        again.try_run(());
        focus(heading);
        say("The alert is made: it counts from now on");
    });
    let chosen = pairs(&search).find(|(name, _)| name == "view").map(|(_, view)| view);
    let logs = format!("/projects/{project}/logs");
    let none = move || page.with(|page| page.alerts.is_empty());
    let form = match (around.may_work, around.views.is_empty()) {
        (false, _) => None,
        (true, true) => Some(
            view! {
                <p>
                    "An alert watches a view. Save one on the "<a href=logs.clone()>"Logs tab"</a>", for everyone in the project: set the filters, then "
                    <b>"Views"</b>", "<b>"Save view…"</b>"."
                </p>
            }
            .into_any(),
        ),
        (true, false) => {
            let project = project.clone();
            Some(view! { <AlertForm project around=around.clone() chosen done=made/> }.into_any())
        }
    };
    view! {
        <p class="quiet">
            "An alert watches a shared view of the Logs tab: how many logs it finds within a window, or which share of them failed. When that passes what you set, "
            "and when it is back to normal, the alert tells webhook endpoints, and people by mail."
        </p>
        {(!around.may_work).then(|| view! {
            <p class="notice">"You may look at alerts, not change them. A member or an owner of the project can."</p>
        })}
        <h2 tabindex="-1" node_ref=heading>"Alerts of this project"</h2>
        {move || none().then(|| view! {
            <p>"There is no alert yet. Once there is one, what comes is counted for it as it comes: whatever came before is not."</p>
        })}
        <For each=move || page.with(|page| page.alerts.clone()) key=|alert| alert.id.clone() let:alert>
            <Line alert page project=project.clone()/>
        </For>
        {form.map(|form| view! { <h2 id="add-title">"Add an alert"</h2>{form} })}
    }
}

/// An alert among the others.
#[component]
fn Line(alert: AlertFacts, page: RwSignal<AlertsPage>, project: String) -> impl IntoView {
    let id = alert.id.clone();
    let title = format!("{id}-title");
    let href = format!("/projects/{project}/settings/alerts/{}", escape(&id));
    // As it is now; as it was where it is no longer among them.
    let facts = Memo::new(move |before: Option<&AlertFacts>| {
        let now = page.with(|page| page.alerts.iter().find(|known| known.id == alert.id).cloned());
        now.or_else(|| before.cloned()).unwrap_or_else(|| alert.clone())
    });
    let zone = move || page.with_untracked(|page| page.around.zone.clone());
    view! {
        <article class="endpoint" aria-labelledby=title.clone()>
            <h3 id=title.clone()><a href=href>{move || facts.with(|facts| facts.name.clone())}</a></h3>
            {move || facts.with(|facts| stands(facts, &zone()))}
            <dl class="record-list">{move || facts.with(|facts| what_it_watches(facts, &project, &zone()))}</dl>
        </article>
    }
}

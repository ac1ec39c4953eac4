//! A task's page: where it stands, what was asked for, what came of it, and what was not taken.
//!
//! To add a fact: a line in `head`; a part: a function in `parts`, called in [`Whole`].

mod head;
mod parts;

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use self::head::Head;
use self::parts::{failed_rows, json, parameters, tries};
use crate::api::error::ApiError;
use crate::api::tasks::{TaskPage, task_page};
use crate::app::parts::awaited::answered;
use crate::app::parts::links::{project_id, search};
use crate::app::parts::records::facts::{self, Gone};
use crate::app::parts::records::live::keep_fresh;
use crate::app::parts::states::Problem;
use crate::app::parts::timeline::Timeline;
use crate::model::query::escape;
use crate::model::timeline::Thing;

/// Where the page stands: what its links are made of.
#[derive(Clone, Debug)]
pub(super) struct Place {
    project: String,
    id: String,
    /// The list's query, with its `?`.
    list: String,
}

impl Place {
    fn in_project(&self, rest: &str) -> String {
        format!("/projects/{}/{rest}", self.project)
    }

    fn list(&self) -> String {
        self.in_project(&format!("tasks{}", self.list))
    }

    fn part(&self, name: &str) -> String {
        self.in_project(&format!("tasks/{}/{name}", escape(&self.id)))
    }
}

/// A task's page.
#[component]
pub fn Task() -> impl IntoView {
    let project = project_id();
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|map| map.get("id")).unwrap_or_default());
    let search = search();
    let (refresh, set_refresh) = signal(0_u32);
    let page = Resource::new(
        move || (project.get(), id.get(), search.get(), refresh.get()),
        |(project, id, search, _)| task_page(project, id, search),
    );
    let again = Callback::new(move |()| set_refresh.update(|count| *count = count.wrapping_add(1)));
    let (pending, set_pending) = signal(false);
    let place = move || Place {
        project: project.get_untracked(),
        id: id.get_untracked(),
        list: facts::list_query(&search.read_untracked()),
    };
    view! {
        <main id="content" class="log-page record-page" class:pending=pending aria-busy=move || pending.get().then_some("true")>
            <Transition set_pending>
                {answered(page, move |page| match page {
                    Ok(page) => view! { <Whole page place=place()/> }.into_any(),
                    Err(ApiError::NotFound) => {
                        view! { <Title text="No such task · audit-log"/><Gone one="task" list=place().list()/> }.into_any()
                    }
                    Err(error) => view! { <Title text="Task · audit-log"/><Problem error again clear="?"/> }.into_any(),
                })}
            </Transition>
        </main>
    }
}

#[component]
fn Whole(page: TaskPage, place: Place) -> impl IntoView {
    let title = format!("{} · audit-log", page.facts.kind);
    let zone = page.zone.clone();
    let page = RwSignal::new(page);
    let asked = place.clone();
    let now = keep_fresh(
        page,
        |page| !page.facts.status.is_over(),
        move || {
            task_page(
                asked.project.clone(),
                asked.id.clone(),
                asked.list.trim_start_matches('?').to_owned(),
            )
        },
    );
    let asked = Memo::new(move |_| page.with(|page| (page.parameters.clone(), page.sent_again.clone())));
    let result = Memo::new(move |_| page.with(|page| page.result.clone()));
    let failed = Memo::new(move |_| page.with(|page| (page.failed.clone(), page.failed_count)));
    let failures = Memo::new(move |_| page.with(|page| page.failures.clone()));
    let over = Memo::new(move |_| page.with(|page| page.facts.status.is_over()));
    let (project, id) = (place.project.clone(), place.id.clone());
    let version = Signal::derive(move || page.with(|page| page.facts.status.as_str().to_owned()));
    let of_result = place.part("result");
    let (at, around) = (place.clone(), zone.clone());
    let of_parameters = move |json, again: Option<&_>| parameters(json, again, &around, &at);
    let hidden = Memo::new(move |_| page.with(|page| (page.parameters_hidden, page.result_hidden)));
    let not_asked = move || match (asked.with(|(json, _)| json.is_none()), hidden.get().0) {
        (true, true) => Some("Parameters: not allowed. Your role may not read bodies; an owner of the project can change that."),
        (true, false) => Some("Nothing is known of what was asked for."),
        (false, _) => None,
    };
    let nothing = move || match (result.with(Option::is_none), hidden.get().1, over.get()) {
        (true, true, _) => Some("Result: not allowed. Your role may not read bodies; an owner of the project can change that."),
        (true, false, true) => Some("Nothing is known of what came of it."),
        (true, false, false) => Some("What comes of it will be here once it is over."),
        (false, ..) => None,
    };
    view! {
        <Title text=title/>
        <Head page place now/>
        {move || failures.with(|failures| tries(failures, &zone))}
        {move || failed.with(|(rows, count)| failed_rows(rows, *count))}
        <div class="panes">
            <section class="pane" aria-labelledby="parameters-title">
                <header class="pane-head"><h2 id="parameters-title">"Parameters"</h2></header>
                {move || asked.with(|(json, again)| of_parameters(json.clone(), again.as_ref()))}
                {move || not_asked().map(|words| view! { <p class="absent">{words}</p> })}
            </section>
            <section class="pane" aria-labelledby="result-title">
                <header class="pane-head"><h2 id="result-title">"Result"</h2></header>
                {move || json(result.get(), of_result.clone(), "Result")}
                {move || nothing().map(|words| view! { <p class="absent">{words}</p> })}
            </section>
        </div>
        <Timeline project thing=Thing::AsyncAction id version/>
    }
}

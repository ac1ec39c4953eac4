//! A task's page: where it stands, what was asked for, what came of it, and what was not taken.
//!
//! To add a fact: a line in `head`; a part: a function in `parts`, called in [`Whole`].

mod head;
mod parts;

use leptos::prelude::*;

use self::head::Head;
use self::parts::{failed_rows, json, parameters, tries};
use crate::api::tasks::{TaskPage, task_page};
use crate::app::parts::record_page::{Kind, Place, record_page};
use crate::app::parts::records::live::keep_fresh;
use crate::app::parts::timeline::Timeline;
use crate::app::parts::title::Title;
use crate::model::timeline::Thing;

const KIND: Kind = Kind {
    one: "task",
    title: "Task",
    segment: "tasks",
    class: "log-page record-page",
};

/// A task's page.
#[component]
pub fn Task() -> impl IntoView {
    record_page(KIND, task_page, |page, place| view! { <Whole page place/> }.into_any())
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
            let (project, id, query) = asked.arguments();
            task_page(project, id, query)
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
    let reported = page.with_untracked(|page| !page.facts.own);
    let not_asked = move || match (asked.with(|(json, _)| json.is_none()), hidden.get().0) {
        (true, true) => Some("Parameters: not allowed. Your role may not read bodies; an owner of the project can change that."),
        (true, false) if reported => Some("The application told no parameters."),
        (true, false) => Some("It has no parameters."),
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

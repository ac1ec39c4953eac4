//! A log's page: its facts in a line, then what was sent and what came back, side by side.

pub(super) mod facts;
mod pane;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use self::facts::Facts;
use self::pane::{Pane, Which};
use crate::api::error::ApiError;
use crate::api::log::{LogPage, log_page};
use crate::app::parts::awaited::{Turning, answered, waiting};
use crate::app::parts::links::{project_id, search};
use crate::app::parts::states::Problem;
use crate::app::parts::timeline::Timeline;
use crate::app::parts::title::Title;
use crate::model::query::{LogQuery, escape};
use crate::model::timeline::Thing;

/// Where a log's page stands: what its links are made of.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The project.
    project: String,
    /// The log.
    id: String,
    /// The query of the list's page that it was opened from, with a `?` where it is not empty.
    list: String,
}

impl Place {
    /// The list that the log was opened from.
    fn list(&self) -> String {
        format!("/projects/{}/logs{}", self.project, self.list)
    }

    /// The list of those logs that one filter chooses.
    fn filtered(&self, argument: &str, value: &str) -> String {
        format!("/projects/{}/logs?{argument}={}", self.project, escape(value))
    }

    /// The task that the log's request began.
    fn task(&self, id: &str) -> String {
        format!("/projects/{}/tasks/{}", self.project, escape(id))
    }

    /// Another log of the same list.
    fn log(&self, id: &str) -> String {
        format!("/projects/{}/logs/{}{}", self.project, escape(id), self.list)
    }

    /// The page of this log beside another one, without its arguments.
    fn compare(&self) -> String {
        format!("/projects/{}/logs/compare", self.project)
    }

    /// Something that belongs to the log: a body, the original of an import.
    fn file(&self, name: &str) -> String {
        format!("/projects/{}/logs/{}/{name}", self.project, escape(&self.id))
    }
}

/// A log's page.
#[component]
pub fn Log() -> impl IntoView {
    let project = project_id();
    let params = use_params_map();
    // The address of two logs is also that of a log whose id is its last word.
    let id = Memo::new(move |_| params.with(|map| map.get("id")).unwrap_or_else(|| "compare".to_owned()));
    let search = search();
    // Which panel a pane shows is in the address too, and asks for nothing new.
    let opened_from = Memo::new(move |_| LogQuery::parse(&search.read()).unwrap_or_default());
    let list = Memo::new(move |_| {
        let whole = LogQuery {
            after: None,
            before: None,
            ..opened_from.get()
        };
        whole.to_query_string()
    });
    let (refresh, set_refresh) = signal(0_u32);
    let page = Resource::new(
        move || (project.get(), id.get(), list.get(), refresh.get()),
        |(project, id, list, _)| log_page(project, id, list),
    );
    let again = Callback::new(move |()| set_refresh.update(|count| *count = count.wrapping_add(1)));
    let (pending, set_pending) = waiting();
    let place = move || {
        let list = opened_from.with_untracked(LogQuery::to_query_string);
        Place {
            project: project.get_untracked(),
            id: id.get_untracked(),
            list: if list.is_empty() { list } else { format!("?{list}") },
        }
    };
    view! {
        <main id="content" class="log-page" class:pending=pending aria-busy=move || pending.get().then_some("true")>
            <Turning set_pending>
                {answered(page, move |page| match page {
                    Ok(page) => view! { <Whole page place=place()/> }.into_any(),
                    Err(ApiError::NotFound) => view! { <Gone place=place()/> }.into_any(),
                    Err(error) => view! { <Title text="Log · audit-log"/><Problem error again clear="?"/> }.into_any(),
                })}
            </Turning>
        </main>
    }
}

#[component]
fn Whole(page: LogPage, place: Place) -> impl IntoView {
    let title = format!("{} {} · audit-log", page.facts.method, page.facts.path);
    let (request, response) = (page.request.clone(), page.response.clone());
    let (arguments, sought, notes) = (page.arguments.clone(), page.sought.clone(), page.facts.notes.clone());
    let (project, id) = (place.project.clone(), place.id.clone());
    view! {
        <Title text=title/>
        <Facts page place=place.clone()/>
        <div class="panes">
            <Pane which=Which::Request side=request arguments notes=notes.clone() place=place.clone() sought=sought.clone()/>
            <Pane which=Which::Response side=response arguments=Vec::new() notes place sought/>
        </div>
        <Timeline project thing=Thing::ApiLog id version=Signal::stored(String::new())/>
    }
}

/// There is no such log, or no longer.
#[component]
fn Gone(place: Place) -> impl IntoView {
    view! {
        <Title text="No such log · audit-log"/>
        <div class="state problem" role="alert">
            <h1>"There is no such log"</h1>
            <p>"Its id may be mistyped, it may have passed the project's retention, or it belongs to another project."</p>
            <p><a class="button" href=place.list() data-back>"Back to the list"</a></p>
        </div>
    }
}

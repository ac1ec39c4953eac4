//! What the pages of single records have in common: the record is asked for by the page's address and waited for, and it is said where there is none.
//!
//! To make a page of another kind: a [`Kind`], what asks for it, and what shows it, given to [`record_page`].

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::awaited::{Turning, answered, waiting};
use super::links::{project_id, search};
use super::records::facts::{self, Gone};
use super::states::Problem;
use crate::api::error::ApiError;
use crate::app::parts::title::Title;
use crate::model::query::escape;

/// What the pages of one kind of records are called, and where they are.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// What one is called, as "task".
    pub one: &'static str,
    /// The page's title while there is nothing that names the record, as "Task".
    pub title: &'static str,
    /// The segment of its list in the address, as "tasks".
    pub segment: &'static str,
    /// The class of the page.
    pub class: &'static str,
}

/// Where a record's page stands: what its links are made of.
#[derive(Clone, Debug)]
pub struct Place {
    /// The project's id.
    pub project: String,
    /// The record's id.
    pub id: String,
    /// The list's query, with its `?`.
    pub query: String,
    segment: &'static str,
}

impl Place {
    /// Another page of the project.
    pub fn in_project(&self, rest: &str) -> String {
        format!("/projects/{}/{rest}", self.project)
    }

    /// The list that the record was opened from.
    pub fn list(&self) -> String {
        self.in_project(&format!("{}{}", self.segment, self.query))
    }

    /// The record's own page.
    pub fn own(&self) -> String {
        self.in_project(&format!("{}/{}", self.segment, escape(&self.id)))
    }

    /// What belongs to the record: a file, a page of its own.
    pub fn part(&self, name: &str) -> String {
        format!("{}/{name}", self.own())
    }

    /// What the record is asked for with: project, id, and the list's query without its `?`.
    pub fn arguments(&self) -> (String, String, String) {
        let query = self.query.trim_start_matches('?').to_owned();
        (self.project.clone(), self.id.clone(), query)
    }
}

/// The page: `ask` gets the project, the id and the page's query; `whole` shows what came.
pub fn record_page<T, F>(
    kind: Kind,
    ask: impl Fn(String, String, String) -> F + Send + Sync + 'static,
    whole: impl Fn(T, Place) -> AnyView + Send + 'static,
) -> impl IntoView
where
    T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
    F: Future<Output = Result<T, ApiError>> + Send + 'static,
{
    let project = project_id();
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|map| map.get("id")).unwrap_or_default());
    let search = search();
    let (refresh, set_refresh) = signal(0_u32);
    let page = Resource::new(
        move || (project.get(), id.get(), search.get(), refresh.get()),
        move |(project, id, search, _)| ask(project, id, search),
    );
    let again = Callback::new(move |()| set_refresh.update(|count| *count = count.wrapping_add(1)));
    let (pending, set_pending) = waiting();
    let place = move || Place {
        project: project.get_untracked(),
        id: id.get_untracked(),
        query: facts::list_query(&search.read_untracked()),
        segment: kind.segment,
    };
    let shown = move |page| match page {
        Ok(page) => whole(page, place()),
        Err(ApiError::NotFound) => {
            let title = format!("No such {} · audit-log", kind.one);
            view! { <Title text=title/><Gone one=kind.one list=place().list()/> }.into_any()
        }
        Err(error) => {
            let title = format!("{} · audit-log", kind.title);
            view! { <Title text=title/><Problem error again clear="?"/> }.into_any()
        }
    };
    view! {
        <main id="content" class=kind.class class:pending=pending aria-busy=move || pending.get().then_some("true")>
            <Turning set_pending>{answered(page, shown)}</Turning>
        </main>
    }
}

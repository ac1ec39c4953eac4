//! What stands around every page of a project: brand, project, tabs, zone, help, account.

use leptos::prelude::*;
use leptos_router::components::Outlet;
use leptos_router::hooks::use_location;

use super::at_once::at_once;
use super::awaited::answered;
use super::brand::Brand;
use super::help::Help;
use super::links::{project_id, search, with_argument};
use super::markup::Markup;
use super::notices::{Board, Notices};
use crate::api::error::ApiError;
use crate::api::frame::{FrameFacts, frame};
use crate::model::query::pairs;

/// What the frame knows, for the pages inside it.
pub type FrameResource = Resource<Result<FrameFacts, ApiError>>;

/// The tabs: name, and the segment of their address.
const TABS: [(&str, &str); 4] = [
    ("Logs", "logs"),
    ("Background tasks", "tasks"),
    ("Exports", "exports"),
    ("Webhook sendouts", "sendouts"),
];

/// The settings of a project: name, and the segment of their address.
const SETTINGS: [(&str, &str); 9] = [
    ("Project", "project"),
    ("Members", "members"),
    ("API keys", "keys"),
    ("Masking", "masking"),
    ("Retention", "retention"),
    ("Chain", "chain"),
    ("Webhooks", "webhooks"),
    ("Alerts", "alerts"),
    ("Embedding", "embedding"),
];

/// The frame, with the page inside it.
#[component]
pub fn Frame() -> impl IntoView {
    let facts: FrameResource = Resource::new(|| (), |()| frame());
    provide_context(facts);
    let board = Board::provide();
    view! {
        <a class="skip" href="#content" rel="external">"Skip to the content"</a>
        <header class="frame"><Transition>{answered(facts, |facts| at_once(head(facts)))}</Transition></header>
        {at_once(view! { <Notices board facts/> })}
        <Outlet/>
        {at_once(view! { <Help/> })}
        <div id="announce" class="toast" role="status"></div>
    }
}

/// What is in the header.
fn head(facts: Result<FrameFacts, ApiError>) -> impl IntoView {
    view! {
        <Brand/>
        <ProjectMenu facts=facts.clone()/>
        <Tabs facts=facts.clone()/>
        <div class="frame-end">
            <ZoneMenu facts=facts.clone()/>
            <button type="button" class="icon" popovertarget="help" aria-label="Keys and help">"?"</button>
            <AccountMenu facts/>
        </div>
    }
}

/// The zone that the address asks for, else the last choice; none where nobody chose.
fn chosen_zone(facts: Option<&FrameFacts>) -> Memo<Option<String>> {
    let search = search();
    let last = facts.and_then(|facts| facts.last_zone.clone());
    Memo::new(move |_| {
        let asked = search.with(|search| pairs(search).find(|(name, _)| name == "tz").map(|(_, value)| value));
        asked.filter(|zone| !zone.is_empty()).or_else(|| last.clone())
    })
}

/// Links that keep the zone: the choice stands in the address of every tab, so that what is shared there is read as it was seen.
#[component]
fn Tabs(facts: Result<FrameFacts, ApiError>) -> impl IntoView {
    let project = project_id();
    let path = use_location().pathname;
    let zone = chosen_zone(facts.as_ref().ok());
    let tabs = TABS.map(|(name, segment)| {
        let href = move || {
            let query = zone.get().map(|zone| with_argument("", "tz", Some(&zone)));
            format!("/projects/{}/{segment}{}", project.get(), query.unwrap_or_default())
        };
        let here = move || {
            let tab = path.with(|path| path.split('/').nth(3) == Some(segment));
            tab.then_some("page")
        };
        view! { <a href=href aria-current=here>{name}</a> }
    });
    view! { <nav class="tabs" aria-label="Project">{tabs}</nav> }
}

#[component]
fn ProjectMenu(facts: Result<FrameFacts, ApiError>) -> impl IntoView {
    let here = project_id();
    let operates = facts.as_ref().is_ok_and(|facts| facts.operator);
    let projects = facts.map(|facts| facts.projects).unwrap_or_default();
    let names = projects.clone();
    let name = move || {
        let here = here.get();
        names
            .iter()
            .find(|project| project.id == here)
            .map_or_else(|| "Project".to_owned(), |project| project.name.clone())
    };
    let settings = move || here.with(|here| settings_of(here));
    let items = projects.into_iter().map(|project| {
        let href = format!("/projects/{}/logs", project.id);
        let id = project.id;
        view! {
            <li><a href=href rel="external" aria-current=move || (here.get() == id).then_some("true")>{project.name}</a></li>
        }
    });
    view! {
        <button type="button" class="opener" popovertarget="projects"><span class="cut">{name}</span></button>
        <div id="projects" class="menu" popover>
            <p class="menu-title">"Projects"</p>
            <ul>
                {items.collect_view()}
                {operates.then(|| view! { <li><a href="/account#new-project" rel="external">"New project…"</a></li> })}
            </ul>
            <p class="menu-title">"Settings of this project"</p>
            <ul inner_html=settings></ul>
        </div>
    }
}

/// The settings of a project as links.
fn settings_of(project: &str) -> String {
    let mut out = Markup::with_capacity(1_024);
    for (words, page) in SETTINGS {
        out.raw("<li><a href=\"/projects/").text(project).raw("/settings/").raw(page);
        out.raw("\" rel=\"external\">").text(words).raw("</a></li>");
    }
    out.done()
}

/// The zones that everyone is offered; any IANA name can stand in the address.
#[component]
fn ZoneMenu(facts: Result<FrameFacts, ApiError>) -> impl IntoView {
    let project = project_id();
    let search = search();
    let facts = facts.ok();
    let zone = chosen_zone(facts.as_ref());
    let local = facts.as_ref().and_then(|facts| facts.local_zone.clone());
    let projects = facts.map(|facts| facts.projects).unwrap_or_default();
    let chosen = Memo::new(move |_| zone.get().unwrap_or_else(|| "utc".to_owned()));
    let label = move || match chosen.get().as_str() {
        "utc" => "UTC".to_owned(),
        "local" => "Local".to_owned(),
        "project" => "Project".to_owned(),
        name => name.rsplit('/').next().unwrap_or(name).replace('_', " "),
    };
    let of_project = move || {
        let here = project.get();
        projects
            .iter()
            .find(|project| project.id == here)
            .map(|project| project.time_zone.clone())
            .unwrap_or_default()
    };
    let item = move |value: &'static str, name: &'static str, detail: Signal<String>| {
        let href = move || search.with(|search| with_argument(search, "tz", Some(value)));
        let here = move || (chosen.get() == value).then_some("true");
        view! { <li><a href=href aria-current=here>{name}<span class="quiet">{detail}</span></a></li> }
    };
    let local = local.unwrap_or_else(|| "of this browser".to_owned());
    view! {
        <button type="button" class="opener" popovertarget="zones">
            <span class="visually-hidden">"Time zone: "</span><span>{label}</span>
        </button>
        <div id="zones" class="menu end" popover>
            <p class="menu-title">"Times are shown in"</p>
            <ul>
                {item("utc", "UTC", Signal::stored(String::new()))}
                {item("local", "Local", Signal::stored(local))}
                {item("project", "Project", Signal::derive(of_project))}
            </ul>
        </div>
    }
}

#[component]
fn AccountMenu(facts: Result<FrameFacts, ApiError>) -> impl IntoView {
    match facts {
        Ok(facts) => {
            let name = facts.email.split('@').next().unwrap_or(&facts.email).to_owned();
            view! {
                <button type="button" class="opener" popovertarget="account">
                    <span class="visually-hidden">"Account: "</span><span class="cut">{name}</span>
                </button>
                <div id="account" class="menu end" popover>
                    <p class="menu-title">{facts.email}</p>
                    <ul>
                        <li><a href="/account" rel="external">"Account"</a></li>
                        <li>
                            <form method="post" action="/sign-out"><button type="submit">"Sign out"</button></form>
                        </li>
                    </ul>
                </div>
            }
            .into_any()
        }
        Err(_) => view! { <a class="opener" href="/sign-in" rel="external">"Sign in"</a> }.into_any(),
    }
}

//! The section *Timeline* of a record's page: log, task, export, event, sendouts and attempts of one request, in order, each with its link.
//!
//! To add a kind of thing: where it leads, in [`href`]. What is told is read in `server/webhooks/timeline.rs`.

use leptos::prelude::*;

use super::awaited::answered;
use super::links::search;
use crate::api::timeline::{TimelinePage, timeline};
use crate::model::export::Exported;
use crate::model::query::escape;
use crate::model::tab::Tab;
use crate::model::timeline::{Happened, Thing, Went};
use crate::model::zone::rfc3339;

/// The section's place in its page.
pub const PLACE: &str = "#timeline";

/// The section.
#[component]
pub fn Timeline(
    /// The project.
    project: String,
    /// What the page is about.
    thing: Thing,
    /// Which.
    id: String,
    /// Another one once anything about it has changed: the story is then read again.
    #[prop(into)]
    version: Signal<String>,
) -> impl IntoView {
    let search = search();
    let (of, which) = (project.clone(), id.clone());
    let story = Resource::new(
        move || (of.clone(), which.clone(), search.get(), version.get()),
        move |(project, id, search, _)| timeline(project, thing, id, search),
    );
    let shown = answered(story, move |story| match story {
        Ok(page) => told(&page, &project, (thing, &id)).into_any(),
        Err(error) => view! { <p class="notice bad">"The timeline could not be read: "{error.to_string()}</p> }.into_any(),
    });
    view! {
        <section class="record-part timeline" id="timeline" aria-labelledby="timeline-title">
            <h2 id="timeline-title">"Timeline"</h2>
            <Transition>{shown}</Transition>
        </section>
    }
}

fn told(page: &TimelinePage, project: &str, here: (Thing, &str)) -> impl IntoView + use<> {
    let alone = page.all.iter().all(|happened| (happened.thing, happened.id.as_str()) == here);
    let words = match (&page.request_id, alone) {
        (None, true) => Some("It has no request id, so that nothing else can be told to belong to it.".to_owned()),
        (None, false) => Some("It has no request id: this is what belongs to it by itself.".to_owned()),
        (Some(id), true) => Some(format!("Nothing else has its request id, {id}.")),
        (Some(_), false) => None,
    };
    let rows = page
        .all
        .iter()
        .map(|happened| row(happened, page, project, here))
        .collect_view();
    let cut = page.cut.then(|| {
        view! { <p class="quiet">"There is more with this request id: the first 200 of each kind are shown."</p> }
    });
    view! {
        {words.map(|words| view! { <p class="quiet">{words}</p> })}
        <table class="plain">
            <thead>
                <tr><th scope="col">"Time"</th><th scope="col">"What"</th><th scope="col">"Which"</th><th scope="col">"Status"</th></tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
        {cut}
    }
}

fn row(happened: &Happened, page: &TimelinePage, project: &str, here: (Thing, &str)) -> impl IntoView + use<> {
    let at = happened.at;
    let is_here = (happened.thing, happened.id.as_str()) == here;
    let words = match happened.thing {
        Thing::Attempt => format!("Attempt {}", happened.number.unwrap_or_default()),
        Thing::Export => Exported::label(&happened.what).to_owned(),
        _ => happened.what.clone(),
    };
    let which = match href(happened, page, project) {
        // Where one is already, a link would lead nowhere.
        Some(href) if !is_here => view! { <a class="mono" href=href>{words}</a> }.into_any(),
        _ => view! { <span class="mono">{words}</span> }.into_any(),
    };
    let look = match happened.went {
        Went::Well => "stand well",
        Went::Badly => "stand badly",
        Went::On => "stand running",
        Went::Waits => "stand waiting",
    };
    view! {
        <tr aria-current=is_here.then_some("true")>
            <td><time datetime=rfc3339(at) title=page.zone.full(at)>{page.zone.short(at, page.now)}</time></td>
            <td>{happened.thing.label()}</td>
            <td>{which}{is_here.then(|| view! { <span class="quiet">" this page"</span> })}</td>
            <td><span class=look>{status_words(happened)}</span></td>
        </tr>
    }
}

/// `IN_PROGRESS` as people read it; what an attempt says is said already.
fn status_words(happened: &Happened) -> String {
    if happened.thing == Thing::Attempt {
        return happened.status.clone();
    }
    let lower = happened.status.to_lowercase().replace('_', " ");
    let mut letters = lower.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

/// Where a thing leads; `None` where it has no page.
fn href(happened: &Happened, page: &TimelinePage, project: &str) -> Option<String> {
    let id = escape(&happened.id);
    let path = match happened.thing {
        Thing::ApiLog => format!("logs/{id}"),
        Thing::AsyncAction => format!("tasks/{id}"),
        Thing::Export => format!("exports/{id}"),
        Thing::WebhookSendout => format!("sendouts/{id}"),
        Thing::Attempt => format!("sendouts/{id}#attempt-{}", happened.number?),
        // An event has no page of its own: its sendouts are its story.
        Thing::Event => {
            let request = page.request_id.as_deref()?;
            let is_its = |other: &Happened| other.thing == Thing::WebhookSendout && other.what == happened.what;
            page.all.iter().find(|other| is_its(other))?;
            let (kind, request) = (escape(&happened.what), escape(request));
            format!("sendouts?from={}&type={kind}&request_id={request}", escape(Tab::EVERYTHING))
        }
    };
    Some(format!("/projects/{project}/{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::zone::Zone;

    fn happened(thing: Thing, id: &str, number: Option<u32>) -> Happened {
        Happened {
            at: 0,
            thing,
            id: id.to_owned(),
            what: "order.paid".to_owned(),
            status: "IN_PROGRESS".to_owned(),
            went: Went::On,
            number,
        }
    }

    #[test]
    fn each_thing_leads_where_it_is_told_whole() {
        let event = happened(Thing::Event, "ev_1", None);
        let mut page = TimelinePage {
            request_id: Some("req/1".to_owned()),
            all: vec![event.clone()],
            cut: false,
            zone: Zone::utc(),
            now: 0,
        };
        assert_eq!(href(&event, &page, "prj_1"), None, "an event that nobody wants leads nowhere");
        page.all.push(happened(Thing::WebhookSendout, "so_1", None));
        let list = href(&event, &page, "prj_1").unwrap();
        assert!(
            list.starts_with("/projects/prj_1/sendouts?from=1970") && list.contains("request_id=req%2F1"),
            "{list}"
        );
        let attempt = happened(Thing::Attempt, "so_1", Some(2));
        assert_eq!(
            href(&attempt, &page, "prj_1").unwrap(),
            "/projects/prj_1/sendouts/so_1#attempt-2"
        );
        assert_eq!(status_words(&event), "In progress");
    }
}

//! An export's page: where it stands, what is in its file, and what can be done with it.
//!
//! To add a fact: a line in [`list_facts`]; a button: one in [`Actions`].

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::use_navigate;

use crate::api::exports::{ExportPage, delete_export, export_page};
use crate::app::parts::download::Download;
use crate::app::parts::record_page::{Kind, Place, record_page};
use crate::app::parts::records::ask::AskFirst;
use crate::app::parts::records::cells;
use crate::app::parts::records::facts::{self, fact};
use crate::app::parts::records::live::{keep_fresh, say};
use crate::app::parts::timeline::Timeline;
use crate::app::parts::title::Title;
use crate::model::export::{ExportStatus, Exported};
use crate::model::format;
use crate::model::timeline::Thing;

const KIND: Kind = Kind {
    one: "export",
    title: "Export",
    segment: "exports",
    class: "log-page record-page",
};

/// An export's page.
#[component]
pub fn Export() -> impl IntoView {
    record_page(KIND, export_page, |page, place| view! { <Whole page place/> }.into_any())
}

fn name_of(page: &ExportPage) -> String {
    page.facts
        .file_name
        .clone()
        .unwrap_or_else(|| format!("Export of {}", Exported::label(&page.facts.exported_object)))
}

#[component]
fn Whole(page: ExportPage, place: Place) -> impl IntoView {
    let title = format!("{} · audit-log", name_of(&page));
    let page = RwSignal::new(page);
    let asked = place.clone();
    keep_fresh(
        page,
        |page| !page.facts.status.is_over(),
        move || {
            let (project, id, query) = asked.arguments();
            export_page(project, id, query)
        },
    );
    let progress = Memo::new(move |_| page.with(|page| page.facts.progress));
    // Progress is shown by itself, so that the buttons beside it keep the focus.
    let still = Memo::new(move |_| {
        page.with(|page| {
            let mut page = page.clone();
            page.facts.progress = 0;
            page.now = 0;
            page
        })
    });
    let status = Memo::new(move |_| page.with(|page| page.facts.status));
    let stands = move || cells::export_status(status.get(), progress.get());
    let spoken = move || format!("Status: {}", status.get().label());
    let list = place.list();
    let (project, id) = (place.project.clone(), place.id.clone());
    let version = Signal::derive(move || status.get().as_str().to_owned());
    let (of_facts, of_actions) = (place.clone(), place);
    view! {
        <Title text=title/>
        <header class="log-head">
            <div class="log-ways">
                <a href=list class="button quiet-button way-back" data-back>"Exports"</a>
                {move || still.with(|page| view! { <Actions page=page.clone() place=of_actions.clone()/> })}
            </div>
            <h1 class="log-line">{move || still.with(name_of)}</h1>
            <dl class="log-facts">
                {fact("Status", view! { <span inner_html=stands></span> })}
                {move || still.with(|page| list_facts(page, &of_facts))}
            </dl>
            <p class="visually-hidden" aria-live="polite">{spoken}</p>
            {move || still.with(|page| page.facts.error.clone()).map(|why| view! { <p class="notice bad record-failed">"No file came of it: "{why}</p> })}
        </header>
        {move || still.with(contents)}
        <Timeline project thing=Thing::Export id version/>
    }
}

fn list_facts(page: &ExportPage, place: &Place) -> impl IntoView + use<> {
    let facts = page.facts.clone();
    let task = |id: &str| place.in_project(&format!("tasks/{id}"));
    let checksum = facts.sha256.map(|sum| facts::id("SHA-256", sum));
    view! {
        {facts::words("Resource", Some(Exported::label(&facts.exported_object).to_owned()))}
        {facts::words("Format", facts.format.map(|format| format.label().to_owned()))}
        {facts::words("Rows", facts.rows.map(|rows| format::count(rows.max(0) as u64)))}
        {facts::words("Size", facts.bytes.map(format::size))}
        {facts::words("Channel", Some(facts.channel))}
        {facts::by(facts.by.or(facts.user_id), page.users_hidden)}
        {facts::time("Created", facts.created_at, &page.zone)}
        {facts.finished_at.map(|at| facts::time("Finished", at, &page.zone))}
        {facts.expired_at.map(|at| facts::time("File expired", at, &page.zone))}
        {facts::link("Task", facts.task_id, task)}
        {facts::id("Export ID", facts.id)}
        {checksum}
    }
}

/// What is in the file: filters, order and columns.
fn contents(page: &ExportPage) -> impl IntoView + use<> {
    let filters = page.filters.iter().map(|(label, value)| {
        view! { <div><dt>{label.clone()}</dt><dd>{value.clone()}</dd></div> }
    });
    let filters = filters.collect_view();
    let (order, list) = (page.order.clone(), page.list.clone());
    let ordered = (!order.is_empty()).then(|| view! { <div><dt>"Order"</dt><dd>{order}</dd></div> });
    let fields = page
        .fields
        .iter()
        .map(|field| view! { <li class="mono">{field.clone()}</li> })
        .collect_view();
    let has_fields = !page.fields.is_empty();
    let notes = page
        .notes
        .iter()
        .map(|note| view! { <p class="record-part quiet">{note.clone()}</p> })
        .collect_view();
    view! {
        <section class="record-part" aria-labelledby="chosen-title">
            <h2 id="chosen-title">"What it holds"</h2>
            <dl class="record-list">{filters}{ordered}</dl>
            {list.map(|href| view! { <p><a href=href>"The list that it was made from"</a></p> })}
        </section>
        {has_fields.then(|| view! {
            <section class="record-part" aria-labelledby="fields-title">
                <h2 id="fields-title">"Fields"</h2>
                <ol class="record-fields">{fields}</ol>
                {notes}
            </section>
        })}
    }
}

/// Opens the file in place. A form, so that it is a button to everybody and needs no script; where there are some, without a reload.
fn browse_button(href: String) -> impl IntoView {
    let (navigate, to) = (use_navigate(), href.clone());
    let go = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        navigate(&to, leptos_router::NavigateOptions::default());
    };
    view! { <form class="download" method="get" action=href on:submit=go><button type="submit" class="button">"Browse data"</button></form> }
}

/// Download, Browse data and Delete.
#[component]
fn Actions(page: ExportPage, place: Place) -> impl IntoView {
    let failed = RwSignal::new(None::<String>);
    let navigate = use_navigate();
    let browse = place.part("browse");
    let running = !page.facts.status.is_over();
    let delete = Callback::new(move |()| {
        let (place, navigate) = (place.clone(), navigate.clone());
        spawn_local(async move {
            match delete_export(place.project.clone(), place.id.clone()).await {
                Ok(()) => {
                    say("The export is deleted");
                    navigate(&place.list(), leptos_router::NavigateOptions::default());
                }
                // The page may be gone by now.
                Err(error) => {
                    failed.try_set(Some(error.to_string()));
                }
            }
        });
    });
    let browse = match page.not_browsed {
        None if page.facts.status == ExportStatus::Done => browse_button(browse).into_any(),
        None => ().into_any(),
        Some(why) => view! {
            <button type="button" class="button" disabled aria-describedby="not-browsed">"Browse data"</button>
            <span id="not-browsed" class="quiet">{why}</span>
        }
        .into_any(),
    };
    let text = if running {
        "It is stopped, and what is written of its file is removed."
    } else {
        "Its file goes with it, for everyone. Links to it lead nowhere from then on."
    };
    view! {
        <span class="log-actions">
            {page.download.map(|href| view! { <Download href primary=true/> })}
            {page.not_downloaded.map(|_| view! {
                <button type="button" class="button" disabled aria-describedby="not-browsed">"Download"</button>
            })}
            {browse}
            {page.can_delete.then(|| view! {
                <AskFirst
                    id="delete-export" button="Delete" title="Delete this export?" confirm="Delete it" keep="Keep it" run=delete text
                />
            })}
        </span>
        {move || failed.get().map(|reason| view! { <p class="notice bad record-failed" role="alert">{reason}</p> })}
    }
}

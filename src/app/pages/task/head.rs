//! The head of a task's page: the way back, the buttons, where it stands, and the facts.
//!
//! To add a fact: a line in [`Head`]; a button: one in [`Actions`], whose outcome goes through [`told`].
#![allow(unreachable_pub, reason = "a component's macro writes its props as pub")]

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::error::ApiError;
use crate::api::tasks::{TaskFile, TaskPage, cancel_task, retry_task};
use crate::app::parts::download::DownloadNamed;
use crate::app::parts::record_page::Place;
use crate::app::parts::records::ask::AskFirst;
use crate::app::parts::records::cells;
use crate::app::parts::records::facts::{self, fact};
use crate::app::parts::records::live::say;
use crate::app::parts::timeline;
use crate::model::task::{TaskFacts, kinds};

/// The way back, the buttons, where it stands, and the facts.
#[component]
pub fn Head(page: RwSignal<TaskPage>, place: Place, now: Callback<()>) -> impl IntoView {
    let facts = Memo::new(move |_| page.with(|page| page.facts.clone()));
    // What changes with every step is shown by itself, so that the links beside it keep the focus.
    let still = Memo::new(move |_| {
        page.with(|page| {
            let facts = TaskFacts {
                progress: 0,
                updated_at: 0,
                processing_ms: None,
                ..page.facts.clone()
            };
            (facts, page.users_hidden, page.zone.clone())
        })
    });
    let status = move || facts.with(|facts| cells::task_status(facts.status));
    let spoken = Memo::new(move |_| facts.with(|facts| format!("Status: {}", facts.status.label())));
    let operation = move || {
        let words = facts.with(|facts| cells::operation_status(facts.operation_status));
        (!words.is_empty()).then(|| fact("Processing status", view! { <span inner_html=words></span> }))
    };
    let progress = move || facts.with(|facts| cells::progress(facts.progress));
    let took = move || {
        let words = facts.with(|facts| cells::duration(facts.processing_ms));
        match (words.is_empty(), facts.with(|facts| facts.started_at.is_some())) {
            (false, _) => words,
            (true, true) => "just begun".to_owned(),
            (true, false) => "not begun".to_owned(),
        }
    };
    let zone = page.with_untracked(|page| page.zone.clone());
    let updated = move || facts.with(|facts| zone.full(facts.updated_at));
    let (of_facts, list, kind) = (place.clone(), place.list(), facts.with_untracked(|facts| facts.kind.clone()));
    let list_facts = move || {
        let (facts, hidden, zone) = still.get();
        // All that has it, whatever that is: there may be no log among it.
        let request = |_: &str| timeline::PLACE.to_owned();
        let log = |id: &str| of_facts.in_project(&format!("logs/{id}"));
        let export = |id: &str| of_facts.in_project(&format!("exports/{id}"));
        view! {
            {facts::time("Created", facts.created_at, &zone)}
            {facts::by(facts.by, hidden)}
            {facts::link("Request ID", facts.request_id, request)}
            {facts::link("Log", facts.log_id, log)}
            {facts::link("Export", facts.export_id, export)}
            {facts::id("Task ID", facts.id)}
        }
    };
    view! {
        <header class="log-head">
            <div class="log-ways">
                <a href=list class="button quiet-button way-back" data-back>"Background tasks"</a>
                <Actions page place now/>
            </div>
            <h1 class="log-line"><span class="mono">{kind}</span></h1>
            <dl class="log-facts">
                {fact("Status", view! { <span inner_html=status></span> })}
                {operation}
                {fact("Progress", view! { <span inner_html=progress></span> })}
                {fact("Processing time", view! { <span>{took}</span> })}
                {fact("Updated", view! { <span>{updated}</span> })}
                {list_facts}
            </dl>
            <p class="visually-hidden" aria-live="polite">{spoken}</p>
        </header>
    }
}

/// Files to download, Cancel and Retry.
#[component]
fn Actions(page: RwSignal<TaskPage>, place: Place, now: Callback<()>) -> impl IntoView {
    let failed = RwSignal::new(None::<String>);
    let busy = RwSignal::new(false);
    let can_cancel = Memo::new(move |_| page.with(|page| page.can_cancel));
    let can_retry = Memo::new(move |_| page.with(|page| page.can_retry));
    let import_file = Memo::new(move |_| page.with(|page| page.import_file.clone()));
    let rejected = Memo::new(move |_| page.with(|page| page.rejected.clone()));
    let expired = Memo::new(move |_| page.with(|page| page.files_expired));
    let stopped = if page.with_untracked(|page| page.facts.kind == kinds::PURGE) {
        "What is deleted so far stays deleted. The next purge goes on with the rest."
    } else {
        "What is done so far stays as it is; the rest is not done. You can have it tried again later."
    };
    let retried = place.clone();
    let cancel = Callback::new(move |()| {
        let Place { project, id, .. } = place.clone();
        busy.set(true);
        spawn_local(async move {
            let answer = cancel_task(project, id).await;
            told(answer, "The task is stopped", failed, busy, now);
        });
    });
    let retry = move |_| {
        let Place { project, id, .. } = retried.clone();
        busy.set(true);
        spawn_local(async move {
            let answer = retry_task(project, id).await;
            told(answer, "The task is tried again", failed, busy, now);
        });
    };
    view! {
        <span class="log-actions">
            {move || import_file.get().map(|about| file("Download import file", about))}
            {move || rejected.get().map(|about| file("Download rejected rows", about))}
            {move || expired.get().then(|| view! { <span class="quiet">"Its files have expired: they were kept for as long as what logs say."</span> })}
            {move || can_retry.get().then(|| {
                let retry = retry.clone();
                view! { <button type="button" class="button needs-scripts" disabled=busy on:click=retry>"Retry"</button> }
            })}
            {move || can_cancel.get().then(|| view! {
                <AskFirst
                    id="cancel-task" button="Cancel" title="Stop this task?" confirm="Stop it" keep="Let it run" run=cancel text=stopped
                />
            })}
        </span>
        {move || failed.get().map(|reason| view! { <p class="notice bad record-failed" role="alert">{reason}</p> })}
    }
}

/// Says what came of a press, and asks anew. The page may be gone by then.
fn told(
    answer: Result<(), ApiError>,
    words: &'static str,
    failed: RwSignal<Option<String>>,
    busy: RwSignal<bool>,
    now: Callback<()>,
) {
    busy.try_set(false);
    failed.try_set(answer.as_ref().err().map(ToString::to_string));
    if answer.is_ok() {
        say(words);
    }
    now.try_run(());
}

fn file(words: &'static str, about: TaskFile) -> impl IntoView {
    view! { <DownloadNamed words href=about.href name=about.name bytes=about.bytes/> }
}

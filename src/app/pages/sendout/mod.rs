//! A sendout's page: where it stands, what was sent, and every attempt.
//!
//! To add a fact: a line in [`Head`]; a part of an attempt: a line in [`attempt`].
#![allow(unreachable_pub, reason = "a component's macro writes its props as pub")]

mod compare;

use leptos::prelude::*;
use leptos::task::spawn_local;

use self::compare::Compare;
use crate::api::sendouts::{SendoutPage, retry_sendout, sendout_page};
use crate::app::parts::json_view::JsonView;
use crate::app::parts::record_page::{Kind, Place, record_page};
use crate::app::parts::records::facts::{self, fact};
use crate::app::parts::records::live::{keep_fresh, say};
use crate::app::parts::records::{RowContext, cells};
use crate::app::parts::timeline::{self, Timeline};
use crate::app::parts::title::Title;
use crate::model::endpoint::EndpointState;
use crate::model::format;
use crate::model::sendout::{AttemptFacts, SendoutFacts, SendoutStatus};
use crate::model::timeline::Thing;
use crate::model::zone::{Zone, rfc3339};

/// What is shown is not all that was said.
const MASKED: &str = "Masked here as this project masks its logs; it was sent and received whole.";

const KIND: Kind = Kind {
    one: "sendout",
    title: "Sendout",
    segment: "sendouts",
    class: "log-page record-page",
};

/// A sendout's page.
#[component]
pub fn Sendout() -> impl IntoView {
    record_page(KIND, sendout_page, |page, place| view! { <Whole page place/> }.into_any())
}

#[component]
fn Whole(page: SendoutPage, place: Place) -> impl IntoView {
    let title = format!("{} · audit-log", page.facts.kind);
    let zone = page.zone.clone();
    let (data, masked) = (page.data.clone(), page.data_masked);
    let hidden = page.bodies_hidden;
    let url = place.part("data");
    let page = RwSignal::new(page);
    let asked = place.clone();
    let now = keep_fresh(
        page,
        |page| page.facts.is_due(),
        move || {
            let (project, id, query) = asked.arguments();
            sendout_page(project, id, query)
        },
    );
    let attempts = Memo::new(move |_| page.with(|page| page.attempts.clone()));
    let error = Memo::new(move |_| page.with(|page| page.facts.last_error.clone()));
    let shown = move || {
        let shown = attempts.with(|attempts| attempts.iter().rev().map(|each| attempt(each, &zone, hidden)).collect_view());
        let none = attempts.with(Vec::is_empty);
        view! { {shown}{none.then(|| view! { <p class="absent">"It has not been sent yet."</p> })} }
    };
    let settings = place.in_project("settings/webhooks");
    let (project, id, beside) = (place.project.clone(), place.id.clone(), place.clone());
    let version = Signal::derive(move || page.with(|page| format!("{}{}", page.facts.status.as_str(), page.facts.attempts)));
    let nothing = if hidden {
        "What is sent is not shown: your role in this project does not read bodies (read:bodies). An owner can change that."
    } else {
        "What is sent is not known any more."
    };
    let has_data = data.is_some();
    view! {
        <Title text=title/>
        <Head page place now/>
        <Endpoint page settings/>
        {move || error.get().map(|error| view! {
            <section class="record-part" id="error" aria-labelledby="error-title">
                <h2 id="error-title">"Why the latest attempt failed"</h2>
                <p class="notice bad">{error}</p>
            </section>
        })}
        <div class="panes">
            <section class="pane" id="data" aria-labelledby="data-title">
                <header class="pane-head"><h2 id="data-title">"Data"</h2></header>
                {data.map(|preview| view! {
                    <div class="pane-body"><JsonView preview url masked bytes=0 label="Data" sought=None/></div>
                })}
                {masked.then(|| view! { <p class="absent">{MASKED}</p> })}
                {(!has_data).then(|| view! { <p class="absent">{nothing}</p> })}
            </section>
            <section class="pane" aria-labelledby="attempts-title">
                <header class="pane-head"><h2 id="attempts-title">"Attempts"</h2></header>
                {shown}
            </section>
        </div>
        <Compare attempts place=beside/>
        <Timeline project thing=Thing::WebhookSendout id version/>
    }
}

#[component]
fn Head(page: RwSignal<SendoutPage>, place: Place, now: Callback<()>) -> impl IntoView {
    let (list, kind) = (place.list(), page.with_untracked(|page| page.facts.kind.clone()));
    let of_facts = place.clone();
    let facts_of = Memo::new(move |_| page.with(|page| (page.facts.clone(), page.zone.clone(), page.now)));
    let spoken = Memo::new(move |_| facts_of.with(|(facts, ..)| format!("Status: {}", facts.status.label())));
    let list_facts = move || {
        let (facts, zone, now) = facts_of.get();
        let context = RowContext {
            zone: zone.clone(),
            now,
            path: String::new(),
            arguments: String::new(),
            may_work: false,
        };
        // All that has it, whatever that is: there may be no log among it.
        let request = |_: &str| timeline::PLACE.to_owned();
        let endpoint = |id: &str| of_facts.in_project(&format!("sendouts?webhook={id}"));
        view! {
            {fact("Status", view! { <span inner_html=cells::sendout_status(&facts, &context)></span> })}
            {facts::words("Endpoint", Some(facts.target_url))}
            {facts::link("Endpoint ID", Some(facts.endpoint_id), endpoint)}
            {facts::words("Attempts", Some(facts.attempts.to_string()))}
            {facts::words("Code", facts.last_code.map(|code| code.to_string()))}
            {facts::time("Created", facts.created_at, &zone)}
            {facts.executed_at.map(|at| facts::time("Executed", at, &zone))}
            {facts::link("Request ID", facts.request_id, request)}
            {facts::id("Event ID", facts.event_id)}
            {facts::id("Sendout ID", facts.id)}
        }
    };
    view! {
        <header class="log-head">
            <div class="log-ways">
                <a href=list class="button quiet-button way-back" data-back>"Webhook sendouts"</a>
                <Retry page place now/>
            </div>
            <h1 class="log-line"><span class="mono">{kind}</span></h1>
            <dl class="log-facts">{list_facts}</dl>
            <p class="visually-hidden" aria-live="polite">{spoken}</p>
        </header>
    }
}

/// What its endpoint has become, where that keeps it from being sent.
#[component]
fn Endpoint(page: RwSignal<SendoutPage>, settings: String) -> impl IntoView {
    let words = Memo::new(move |_| page.with(|page| endpoint_words(&page.facts, page.off_because.as_deref())));
    move || {
        words.get().map(|(words, has_settings)| {
            let href = settings.clone();
            view! {
                <p class="notice record-part">
                    {words}
                    {has_settings.then(|| view! { " "<a href=href>"Webhooks in the settings"</a> })}
                </p>
            }
        })
    }
}

/// In words, and whether the settings have more to say.
fn endpoint_words(facts: &SendoutFacts, off_because: Option<&str>) -> Option<(String, bool)> {
    match facts.endpoint {
        EndpointState::Deleted if facts.status == SendoutStatus::Succeeded => {
            Some(("Its endpoint was deleted since: it cannot be sent again.".to_owned(), false))
        }
        EndpointState::Deleted => Some((
            "Its endpoint was deleted, so it is not sent any more, neither by itself nor by hand.".to_owned(),
            false,
        )),
        EndpointState::Off => {
            let mut words = match off_because {
                Some(why) => format!("Its endpoint was switched off by this service: {why}."),
                None => "Its endpoint is switched off.".to_owned(),
            };
            if facts.paused {
                words.push_str(" The sendout waits until the endpoint is on again; Retry sends it all the same.");
            }
            Some((words, true))
        }
        EndpointState::On => facts.waits_because().map(|_| {
            let words = "It was kept while its endpoint was off, which is on again. Retry sends it; the endpoint's settings send all that were kept.";
            (words.to_owned(), true)
        }),
    }
}

/// Sends it once more; says so where that happens by itself, too.
#[component]
fn Retry(page: RwSignal<SendoutPage>, place: Place, now: Callback<()>) -> impl IntoView {
    let failed = RwSignal::new(None::<String>);
    let busy = RwSignal::new(false);
    let can_retry = Memo::new(move |_| page.with(|page| page.can_retry));
    let due = Memo::new(move |_| {
        page.with(|page| {
            let at = page.facts.next_at?;
            let time = page.zone.short(at, page.now);
            Some(if page.facts.next_by_hand {
                format!("A retry by hand is due at {time}.")
            } else {
                format!("It is sent again by itself at {time}; Retry sends it now besides.")
            })
        })
    });
    let retry = move |_| {
        let Place { project, id, .. } = place.clone();
        busy.set(true);
        spawn_local(async move {
            let answer = retry_sendout(project, id).await;
            // The page may be gone by now.
            busy.try_set(false);
            failed.try_set(answer.as_ref().err().map(ToString::to_string));
            if answer.is_ok() {
                say("The sendout is sent again");
            }
            now.try_run(());
        });
    };
    view! {
        <span class="log-actions" id="retry">
            {move || due.get().map(|words| view! { <span class="quiet">{words}</span> })}
            {move || can_retry.get().then(|| {
                let retry = retry.clone();
                view! { <button type="button" class="button needs-scripts" disabled=busy on:click=retry>"Retry"</button> }
            })}
        </span>
        {move || failed.get().map(|reason| view! { <p class="notice bad record-failed" role="alert">{reason}</p> })}
    }
}

/// One attempt, with all that was said.
fn attempt(attempt: &AttemptFacts, zone: &Zone, hidden: bool) -> AnyView {
    let took = |name: &'static str, micros: Option<i64>| facts::words(name, micros.map(format::duration));
    let outcome = match (attempt.code, &attempt.error) {
        (Some(code), None) => code.to_string(),
        (Some(code), Some(error)) => format!("{code}: {error}"),
        (None, error) => error.clone().unwrap_or_else(|| "no answer".to_owned()),
    };
    let by = if attempt.by_hand { "by hand" } else { "by the schedule" };
    let timings = &attempt.timings;
    let note = attempt.truncated.then(|| {
        view! { <p class="quiet">"The answer had more; what is kept of it ends here."</p> }
    });
    let masked = attempt.masked.then(|| view! { <p class="quiet">{MASKED}</p> });
    view! {
        <details class="record-part" id=format!("attempt-{}", attempt.number) open=attempt.error.is_some()>
            <summary>
                <span>"Attempt "{attempt.number}", "{by}", "</span>
                <time datetime=rfc3339(attempt.at)>{zone.full(attempt.at)}</time>
                <span>" · "{outcome}</span>
            </summary>
            <dl class="log-facts">
                {took("In all", Some(timings.total_us))}
                {took("Resolve", timings.resolve_us)}
                {took("Connect", timings.connect_us)}
                {took("First byte", timings.first_byte_us)}
                {facts::words("Address", attempt.address.clone())}
                {facts::words("Answer", Some(format::size(attempt.response_bytes)))}
            </dl>
            {hidden.then(|| view! { <p class="quiet">"What was said is not shown: your role does not read bodies."</p> })}
            {headers("Request headers", attempt.request_headers.as_deref())}
            {headers("Answer headers", attempt.response_headers.as_deref())}
            {attempt.response_body.clone().filter(|body| !body.is_empty()).map(|body| view! {
                <h3>"Answer"</h3>
                <pre class="command" tabindex="0"><code>{body}</code></pre>
            })}
            {note}
            {masked}
        </details>
    }
    .into_any()
}

fn headers(title: &'static str, headers: Option<&[(String, String)]>) -> Option<AnyView> {
    let headers = headers.filter(|headers| !headers.is_empty())?;
    let rows = headers.iter().map(
        |(name, value)| view! { <tr><th scope="row" class="mono">{name.clone()}</th><td class="mono">{value.clone()}</td></tr> },
    );
    let rows = rows.collect_view();
    Some(
        view! {
            <h3>{title}</h3>
            <div class="record-scroll" tabindex="0" role="group" aria-label=title>
                <table class="plain"><tbody>{rows}</tbody></table>
            </div>
        }
        .into_any(),
    )
}

//! One log of an embedded view: its facts, and where the link names them its headers and bodies.

use leptos::prelude::*;

use super::side::side;
use super::{Around, as_of, document};
use crate::api::log::{LogPage, Pair};
use crate::app::pages::log::facts::{key, note_words, who};
use crate::app::parts::records::facts::{fact, time, words};
use crate::model::format;
use crate::model::log::{LogFacts, Note, Origin, Status};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct EmbedLog {
    /// What stands around it.
    pub around: Around,
    /// The log, without what the link does not show.
    pub log: LogPage,
    /// Whether the link shows headers and bodies.
    pub bodies: bool,
    /// The arguments of the list that it was opened from, with a `?`.
    pub list: String,
}

/// The page.
pub fn page(page: EmbedLog) -> String {
    let EmbedLog {
        around,
        log,
        bodies,
        list,
    } = page;
    let title = format!("{} {} · {}", log.facts.method, log.facts.path, around.view);
    let (word, look) = if log.facts.status == Status::Failure {
        ("Failure", "state failure")
    } else {
        ("Success", "state success")
    };
    let code = log
        .facts
        .status_code
        .map_or_else(|| "no answer".to_owned(), |code| code.to_string());
    let content = view! {
        <main id="content" class="embed embed-log">
            <header class="log-head">
                <div class="log-ways">
                    <a href=list class="button quiet-button way-back">{around.view.clone()}</a>
                    <span class="quiet embed-time">{as_of(&around)}</span>
                </div>
                <h1 class="log-line">
                    <span class=look>{word}</span>" "<span class="code">{code}</span>" "<span class="method">{log.facts.method.clone()}</span>" "
                    <span class="log-url">{log.url.clone()}</span>
                </h1>
                {facts(&around, &log)}
                {notes(&log.facts.notes)}
            </header>
            {bodies.then(|| sides(log))}
        </main>
    };
    document(&around.styles, &title, content.into_any())
}

fn sides(log: LogPage) -> AnyView {
    let none: Vec<Pair> = Vec::new();
    view! {
        <div class="embed-sides">
            {side("Request", "Request body", log.request, log.arguments)}
            {side("Response", "Response body", log.response, none)}
        </div>
    }
    .into_any()
}

fn facts(around: &Around, log: &LogPage) -> AnyView {
    let facts: &LogFacts = &log.facts;
    let mono =
        |name: &'static str, value: Option<String>| value.map(|value| fact(name, view! { <span class="mono">{value}</span> }));
    let resource = facts.resource.as_ref().map(|about| format!("{}:{}", about.kind, about.id));
    let list = [
        Some(time("Time", facts.created_at, &around.zone)),
        words("Took", facts.duration_us.map(format::duration)),
        words("Who", who(facts)),
        words("Key", key(facts)),
        words("Channel", facts.channel.clone()),
        mono("Endpoint", Some(facts.endpoint.clone())),
        mono("Request ID", facts.request_id.clone()),
        mono("Resource", resource),
        mono("Task", facts.async_action_id.clone()),
        mono("IP", facts.ip.clone()),
        words("User agent", log.user_agent.clone()),
        words(
            "Origin",
            (facts.origin == Origin::Own).then(|| "this service itself".to_owned()),
        ),
        mono("Log ID", Some(facts.id.clone())),
    ];
    let list = list.into_iter().flatten().collect_view();
    view! { <dl class="log-facts">{list}</dl> }.into_any()
}

/// What is not whole, in words.
fn notes(notes: &[Note]) -> Option<AnyView> {
    let lines = notes.iter().map(|note| {
        let rest = match note {
            Note::NotAllowed => "this link does not show headers and bodies",
            note => note_words(*note),
        };
        view! { <li><strong>{note.as_str()}</strong>": "{rest}</li> }
    });
    let lines = lines.collect_view();
    (!notes.is_empty()).then(|| view! { <ul class="log-notes" aria-label="Notes">{lines}</ul> }.into_any())
}

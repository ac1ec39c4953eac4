//! The head of a log's page: where it stands in the list, the request in a line, who, when, how long, and what is not whole.
#![allow(unreachable_pub, reason = "a component's macro writes its props as pub")]

use leptos::prelude::*;

use super::Place;
use crate::api::compare::With;
use crate::api::log::LogPage;
use crate::app::parts::download::DownloadNamed;
use crate::app::parts::filter_bar::hidden;
use crate::model::format;
use crate::model::log::{LogFacts, Note, Origin, Status};
use crate::model::query::escape;
use crate::model::zone::rfc3339;

/// The head.
#[component]
pub fn Facts(page: LogPage, place: Place) -> impl IntoView {
    let notes = notes(&page.facts.notes);
    let import = page.import_file.clone().map(|file| {
        view! { <DownloadNamed words="Download import file" href=place.file("import-file") name=file.name bytes=file.bytes/> }
    });
    let failed = page.facts.status == Status::Failure;
    let (word, look) = if failed {
        ("Failure", "state failure")
    } else {
        ("Success", "state success")
    };
    let code = page
        .facts
        .status_code
        .map_or_else(|| "no answer".to_owned(), |code| code.to_string());
    let method = page.facts.method.clone();
    let url = page.url.clone();
    let curl = page.curl.clone().map(|command| view! { <Curl command/> });
    view! {
        <header class="log-head">
            <div class="log-ways">
                <a href=place.list() class="button quiet-button way-back" data-back>"Logs"</a>
                <Neighbours previous=page.previous.clone() next=page.next.clone() place=place.clone()/>
                <span class="log-actions">{import}{curl}<CompareWith failed place=place.clone()/></span>
            </div>
            <h1 class="log-line">
                <span class=look>{word}</span>" "<span class="code">{code}</span>" "<span class="method">{method}</span>" "
                <span class="log-url">{url}</span>
            </h1>
            <FactList page place/>
            {notes}
        </header>
    }
}

/// The way to the logs before and after this one in the list.
#[component]
fn Neighbours(previous: Option<String>, next: Option<String>, place: Place) -> impl IntoView {
    if previous.is_none() && next.is_none() {
        return ().into_any();
    }
    // At an end of the list the way that leads nowhere stays in sight, so that the other does not move under the pointer.
    let way = |to: Option<String>, words: &'static str, look: &'static str, rel: &'static str| {
        let class = format!("button quiet-button {look}");
        to.map_or_else(
            || view! { <span class=format!("{class} none") role="link" aria-disabled="true">{words}</span> }.into_any(),
            |id| view! { <a class=class.clone() rel=rel href=place.log(&id)>{words}</a> }.into_any(),
        )
    };
    let previous = way(previous, "Previous", "way-back", "prev");
    let next = way(next, "Next", "way-on", "next");
    view! { <nav class="log-neighbours" aria-label="Logs of the same list">{previous}{next}</nav> }.into_any()
}

/// Name and value of each fact that is known.
#[component]
fn FactList(page: LogPage, place: Place) -> impl IntoView {
    let facts = &page.facts;
    let at = facts.created_at;
    let zone = page.zone.clone();
    let utc = format!("{} UTC", crate::model::zone::Zone::utc().full(at).trim_end_matches(" UTC"));
    let time = view! { <time datetime=rfc3339(at) title=utc>{zone.full(at)}</time> }.into_any();
    let who = if page.users_hidden {
        Some("not allowed".to_owned())
    } else {
        who(facts)
    };
    let key = if page.users_hidden { None } else { key(facts) };
    let resource = facts.resource.as_ref().map(|about| {
        let words = format!("{}:{}", about.kind, about.id);
        let href = place.filtered("resource", &words);
        view! { <a class="mono" href=href>{words}</a> }.into_any()
    });
    let request_id = facts.request_id.clone().map(|id| {
        let href = place.filtered("request_id", &id);
        view! { <a class="mono" href=href>{id.clone()}</a><Copy text=id what="request ID"/> }.into_any()
    });
    let task = facts.async_action_id.clone().map(|id| {
        let href = place.task(&id);
        view! { <a class="mono" href=href>{id}</a> }.into_any()
    });
    let id = facts.id.clone();
    let id = view! { <span class="mono">{id.clone()}</span><Copy text=id what="log ID"/> }.into_any();
    let text = |value: Option<String>| value.map(|value| view! { <span>{value}</span> }.into_any());
    let mono = |value: Option<String>| value.map(|value| view! { <span class="mono">{value}</span> }.into_any());
    let origin = (facts.origin == Origin::Own).then(|| "this service itself".to_owned());
    let list = [
        ("Time", Some(time)),
        ("Took", text(facts.duration_us.map(format::duration))),
        ("Who", text(who)),
        ("Key", text(key)),
        ("Channel", text(facts.channel.clone())),
        ("Endpoint", mono(Some(facts.endpoint.clone()))),
        ("Request ID", request_id),
        ("Resource", resource),
        ("Task", task),
        ("IP", mono(facts.ip.clone())),
        ("User agent", text(page.user_agent.clone())),
        ("Origin", text(origin)),
        ("Log ID", Some(id)),
    ];
    let list = list.into_iter().filter_map(|(name, value)| {
        let value = value?;
        Some(view! { <div><dt>{name}</dt><dd>{value}</dd></div> })
    });
    let list = list.collect_view();
    view! { <dl class="log-facts">{list}</dl> }
}

/// Whoever did it, in words.
pub(in crate::app::pages) fn who(facts: &LogFacts) -> Option<String> {
    match (&facts.user_email, &facts.user_id) {
        (Some(email), Some(id)) => Some(format!("{email} ({id})")),
        (email, id) => email.clone().or_else(|| id.clone()),
    }
}

/// The key that signed it, in words.
pub(in crate::app::pages) fn key(facts: &LogFacts) -> Option<String> {
    let client = facts.client_app_id.as_ref();
    let words = match (&facts.app_name, client.or(facts.app_id.as_ref())) {
        (Some(name), Some(id)) => Some(format!("{name} ({id})")),
        (name, id) => name.as_ref().or(id).cloned(),
    };
    words.map(|words| {
        if client.is_some() {
            format!("{words} (client-side)")
        } else {
            words
        }
    })
}

#[component]
fn Copy(text: String, what: &'static str) -> impl IntoView {
    view! { <button type="button" class="copy" data-copy=text aria-label=format!("Copy {what}")></button> }
}

/// What is not whole, in words.
fn notes(notes: &[Note]) -> Option<impl IntoView + use<>> {
    let lines = notes.iter().map(|note| {
        let (word, rest) = (note.as_str(), note_words(*note));
        view! { <li><strong>{word}</strong>": "{rest}</li> }
    });
    let lines = lines.collect_view();
    (!notes.is_empty()).then(|| view! { <ul class="log-notes" aria-label="Notes">{lines}</ul> })
}

/// What a note means.
pub(in crate::app::pages) const fn note_words(note: Note) -> &'static str {
    match note {
        Note::Truncated => "a body was longer than what is kept, and ends early",
        Note::Masked => "secrets were replaced before the log was stored",
        Note::Expired => "the bodies went before their log did",
        Note::NotCaptured => "a body is records or a file, and was left out on purpose",
        Note::NotAllowed => "your role may not read bodies and headers; an owner of the project can change that",
    }
}

/// The ways to the same log beside another one: of its endpoint, or any by its id.
#[component]
fn CompareWith(failed: bool, place: Place) -> impl IntoView {
    let list = place.list.replacen('?', "&", 1);
    // The other outcome comes first: why it failed this time is what is asked most.
    let mut offered = With::ALL;
    if !failed {
        offered.swap(0, 1);
    }
    let items = offered.map(|with| {
        let href = format!("{}?b={}&with={}{list}", place.compare(), escape(&place.id), with.as_str());
        view! { <li><a href=href>{with.label()}</a></li> }
    });
    let kept = hidden(place.list.trim_start_matches('?'));
    view! {
        <button type="button" class="button" popovertarget="compare-with">"Compare with…"</button>
        <div id="compare-with" class="menu end compare-with" popover>
            <p class="menu-title">"Of the same endpoint"</p>
            <ul>{items}</ul>
            <form method="get" action=place.compare()>
                <label class="menu-title" for="compare-id">"Any other, by its log ID"</label>
                <input type="hidden" name="b" value=place.id.clone()/>
                {kept}
                <span class="compare-other">
                    <input id="compare-id" type="text" name="a" required class="mono" autocomplete="off" spellcheck="false"/>
                    <button type="submit" class="button">"Compare"</button>
                </span>
            </form>
        </div>
    }
}

/// The same request as a command.
#[component]
fn Curl(command: String) -> impl IntoView {
    view! {
        <button type="button" class="button" popovertarget="curl">"Copy as cURL"</button>
        <div id="curl" class="dialog curl" popover role="dialog" aria-labelledby="curl-title">
            <h2 id="curl-title">"This request as a command"</h2>
            <p class="quiet">"Secrets are left out: set the variables that stand for them first."</p>
            <pre class="command" tabindex="0"><code id="curl-command">{command}</code></pre>
            <span class="actions">
                <button type="button" class="button primary needs-scripts" data-copy-of="curl-command">"Copy"</button>
                <button type="button" class="button" popovertarget="curl" popovertargetaction="hide">"Close"</button>
            </span>
        </div>
    }
}

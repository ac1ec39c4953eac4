//! The settings page of the chain: what it is good for, where it ends, the heads that were signed, and how it is verified.

use leptos::prelude::*;

use super::chain_heads::{Checkpoints, Heads};
use crate::api::chain::{ChainPage, Head, chain_page};
use crate::app::parts::awaited::answered;
use crate::app::parts::links::{project_id, search};
use crate::app::parts::records::facts::{self, Copy, fact};
use crate::app::parts::states::Problem;
use crate::app::parts::title::Title;
use crate::model::format;
use crate::model::zone::Zone;

/// The page.
#[component]
pub fn Chain() -> impl IntoView {
    let (project, search) = (project_id(), search());
    let (refresh, set_refresh) = signal(0_u32);
    let page = Resource::new(
        move || (project.get(), search.get(), refresh.get()),
        |(project, search, _)| chain_page(project, search),
    );
    let again = Callback::new(move |()| set_refresh.update(|count| *count = count.wrapping_add(1)));
    view! {
        <Title text="Chain · audit-log"/>
        <main id="content" class="form-page settings chain">
            <h1>"Chain"</h1>
            <Transition>
                {answered(page, move |page| match page {
                    Ok(page) => view! { <Whole page project=project.get_untracked()/> }.into_any(),
                    Err(error) => view! { <Problem error again clear="?"/> }.into_any(),
                })}
            </Transition>
        </main>
    }
}

#[component]
fn Whole(page: ChainPage, project: String) -> impl IntoView {
    let has_begun = page.entries > 0;
    let latest = page.heads.first().cloned();
    let command = format!("audit-log verify --project {project} --anchor FILE");
    let webhooks = format!("/projects/{project}/settings/webhooks");
    let events = view! {
        <p>
            "Once an hour, while the chain moves, a head goes out as the event "<code>"chain.head"</code>" to the "
            <a href=webhooks>"webhook endpoints"</a>" that want it."
        </p>
    };
    view! {
        <p class="quiet">
            "Every log is on this project's chain, and so is each change of a task, an export, an attempt or a rule: what is altered, added or taken out behind the service's back no longer fits it. "
            "Keep a signed head outside this server, and nobody, not even whoever runs it, can make the chain anew up to there without it being seen."
        </p>
        {end(&page)}
        {has_begun.then(|| view! { <Latest head=latest zone=page.zone.clone() project=project.clone()/> })}
        {events}
        {has_begun.then(|| view! {
            <h2>"Verify it"</h2>
            <p>"Where the server runs, with the file of a head that was saved: it reads everything again, and says what is not as it was written."</p>
            <pre class="command" tabindex="0"><code id="verify-command">{command}</code></pre>
            <div class="actions">
                <button type="button" class="button needs-scripts" data-copy-of="verify-command">"Copy the command"</button>
            </div>
        })}
        <Heads heads=page.heads.clone() zone=page.zone.clone() now=page.now project/>
        {page.behind.map(|behind| view! { <Checkpoints behind zone=page.zone.clone()/> })}
    }
}

/// How long the chain is, and when it moved last.
fn end(page: &ChainPage) -> AnyView {
    if page.entries == 0 {
        return view! {
            <p class="notice">
                "Nothing is on the chain yet. It begins with the first thing that is stored in this project; its head is signed within a minute, "
                "and from then on once an hour while the chain moves."
            </p>
        }
        .into_any();
    }
    let latest = page.latest_at.map_or_else(
        || facts::words("Latest entry", Some("went behind a checkpoint".to_owned())),
        |at| Some(facts::time("Latest entry", at, &page.zone)),
    );
    view! {
        <dl class="record-list">
            {facts::words("Entries", Some(format::count(page.entries)))}
            {latest}
        </dl>
    }
    .into_any()
}

/// The head that was signed last, and the one of now as a file.
#[component]
fn Latest(head: Option<Head>, zone: Zone, project: String) -> impl IntoView {
    let href = format!("/projects/{project}/chain/heads/latest");
    let told = match &head {
        Some(_) => "The file is signed when you ask for it: where the chain has moved since, it names a later entry.",
        None => "No head was signed yet: the first one is within a minute. The file is signed when you ask for it.",
    };
    let facts = head.map(|head| {
        view! {
            <dl class="record-list">
                {facts::words("Entry", Some(format::count(head.number)))}
                {bytes("Digest", head.digest)}
                {facts::time("Signed", head.at, &zone)}
                {bytes("Public key", head.key)}
            </dl>
        }
    });
    view! {
        <h2>"Latest signed head"</h2>
        {facts}
        <div class="actions"><a class="button primary" href=href rel="external">"Download signed head"</a></div>
        <p class="quiet">{told}</p>
    }
}

/// Bytes as hexadecimal, with their button.
fn bytes(name: &'static str, text: String) -> AnyView {
    let value = view! {
        <span class="chain-bytes"><span class="mono">{text.clone()}</span><Copy text what=name/></span>
    };
    fact(name, value)
}

//! One endpoint among the settings: its facts, and what can be done with it.

use leptos::html::{Button, H3};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::endpoint_form::EndpointForm;
use super::focus;
use super::webhooks::Board;
use crate::api::error::ApiError;
use crate::api::webhooks::{EndpointWish, delete_endpoint, rotate_secret, test_endpoint, update_endpoint};
use crate::app::parts::records::ask::AskFirst;
use crate::app::parts::records::facts::{self, fact};
use crate::app::parts::records::live::say;
use crate::model::endpoint::EndpointFacts;
use crate::model::format;
use crate::model::query::escape;

/// An endpoint. It stays the same part of the page however it changes, so that whoever stands in it is not thrown off.
#[component]
pub fn Endpoint(
    /// It.
    endpoint: EndpointFacts,
    /// What the page shares.
    board: Board,
) -> impl IntoView {
    let editing = RwSignal::new(false);
    let (title, edit) = (NodeRef::<H3>::new(), NodeRef::<Button>::new());
    let id = endpoint.id.clone();
    let title_id = format!("{id}-title");
    let facts = board.facts(endpoint);
    let project = board.project();
    // The form goes, and with it what had the focus: it returns to the button that opened the form.
    let close = move || {
        editing.try_set(false);
        focus(edit);
    };
    let done = Callback::new(move |_| {
        close();
        board.again.run(());
        say("The endpoint is changed");
    });
    let keep = Callback::new(move |()| close());
    let form = move || {
        let (of, project) = (facts.get_untracked(), project.clone());
        editing
            .get()
            .then(|| view! { <EndpointForm project of=Some(of) done keep=Some(keep)/> })
    };
    let of_secret = id;
    let secret = move || board.secret_of(&of_secret).map(|secret| fresh(secret, board, title));
    view! {
        <article class="endpoint" aria-labelledby=title_id.clone()>
            <h3 id=title_id.clone() class="mono" tabindex="-1" node_ref=title>{move || facts.with(|facts| facts.target_url.clone())}</h3>
            {move || facts.with(|facts| stands(facts, board))}
            {secret}
            <dl class="record-list">{move || facts.with(|facts| list_facts(facts, board))}</dl>
            <Actions facts board editing title edit/>
            {form}
        </article>
    }
}

/// The secret, this once.
fn fresh(secret: String, board: Board, title: NodeRef<H3>) -> impl IntoView {
    let kept = move |_| {
        board.secret.set(None);
        focus(title);
    };
    view! {
        <div class="notice fresh-secret" role="status">
            <p><label for="fresh-secret">"Signing secret"</label>": shown this once. Copy it now and keep it safe; afterwards it can only be rotated."</p>
            <input id="fresh-secret" class="mono" type="text" readonly value=secret.clone()/>
            <div class="actions">
                <button type="button" class="button primary" data-copy=secret>"Copy"</button>
                <button type="button" class="button" on:click=kept>"I have kept it"</button>
            </div>
        </div>
    }
}

fn stands(endpoint: &EndpointFacts, board: Board) -> impl IntoView + use<> {
    let at = endpoint.disabled_at.map(|at| board.full(at));
    let (look, word) = match (endpoint.active, &endpoint.disabled_reason) {
        (true, _) => ("stand well", "On".to_owned()),
        (false, None) => ("stand waiting", "Off".to_owned()),
        (false, Some(why)) => (
            "stand badly",
            format!("Switched off{}: {why}", at.map(|at| format!(" {at}")).unwrap_or_default()),
        ),
    };
    view! { <p><span class=look>{word}</span></p> }
}

fn list_facts(endpoint: &EndpointFacts, board: Board) -> impl IntoView + use<> {
    let headers = match (&endpoint.headers, endpoint.has_headers) {
        (_, false) => None,
        (None, true) => Some("not allowed".to_owned()),
        (Some(headers), true) => Some(
            headers
                .iter()
                .map(|(name, value)| format!("{name}: {value}"))
                .collect::<Vec<_>>()
                .join("\n"),
        ),
    };
    let waits = (endpoint.paused > 0).then(|| format!("{}, kept while it was off", sendouts(endpoint.paused)));
    let old = endpoint.old_secret_until.filter(|until| *until > board.now());
    let list = format!("/projects/{}/sendouts?webhook={}", board.project(), escape(&endpoint.id));
    view! {
        {facts::words("Description", Some(endpoint.description.clone()).filter(|words| !words.is_empty()))}
        {fact("Event types", view! { <span class="mono">{endpoint.events.join(", ")}</span> })}
        {facts::words("Source", Some(endpoint.source.label().to_owned()))}
        {facts::words("Rate limit", endpoint.rate_limit.map(|rate| format!("{} a second", format::count(rate.into()))))}
        {headers.map(|text| fact("Own headers", view! { <span class="mono own-headers">{text}</span> }))}
        {facts::words("Waiting", waits)}
        {facts::words("Old secret", old.map(|until| format!("signs too until {}", board.full(until))))}
        {facts::id("Endpoint ID", endpoint.id.clone())}
        {fact("Sendouts", view! { <a href=list>"What was sent to it"</a> })}
    }
}

fn sendouts(count: u64) -> String {
    format!("{} {}", format::count(count), if count == 1 { "sendout" } else { "sendouts" })
}

/// Test, change, switch, rotate, delete.
#[component]
fn Actions(
    facts: Memo<EndpointFacts>,
    board: Board,
    editing: RwSignal<bool>,
    title: NodeRef<H3>,
    edit: NodeRef<Button>,
) -> impl IntoView {
    let failed = RwSignal::new(None::<String>);
    let (tested, busy) = (RwSignal::new(None::<String>), RwSignal::new(false));
    let (can_settle, can_test) = board.rights();
    let id = StoredValue::new(facts.with_untracked(|facts| facts.id.clone()));
    let tell = move |error: ApiError| {
        failed.try_set(Some(error.to_string()));
    };
    let test = move |_| {
        // A button that is disabled loses the focus: this one says so, and does nothing.
        if busy.get_untracked() {
            return;
        }
        failed.set(None);
        busy.set(true);
        spawn_local(async move {
            let answer = test_endpoint(board.project(), id.get_value()).await;
            busy.try_set(false);
            match answer {
                Ok(sendout) => {
                    tested.try_set(Some(sendout));
                }
                Err(error) => tell(error),
            }
        });
    };
    let change = move |wish: EndpointWish, said: &'static str| {
        failed.set(None);
        spawn_local(async move {
            match update_endpoint(board.project(), id.get_value(), wish).await {
                Ok(()) => {
                    board.again.try_run(());
                    say(said);
                }
                Err(error) => tell(error),
            }
        });
    };
    let rotate = Callback::new(move |()| {
        failed.set(None);
        spawn_local(async move {
            match rotate_secret(board.project(), id.get_value()).await {
                Ok(secret) => board.tell(secret),
                Err(error) => tell(error),
            }
        });
    });
    let delete = Callback::new(move |()| {
        failed.set(None);
        spawn_local(async move {
            match delete_endpoint(board.project(), id.get_value()).await {
                Ok(()) => {
                    focus(board.heading);
                    board.again.try_run(());
                    say("The endpoint is deleted");
                }
                Err(error) => tell(error),
            }
        });
    });
    let active = Memo::new(move |_| facts.with(|facts| facts.active));
    let paused = Memo::new(move |_| facts.with(|facts| facts.paused));
    let send_kept = RwSignal::new(false);
    let switch = move |_| {
        let is_active = active.get_untracked();
        let wish = EndpointWish {
            active: Some(!is_active),
            send_paused: !is_active && send_kept.get_untracked(),
            ..EndpointWish::default()
        };
        change(
            wish,
            if is_active {
                "The endpoint is off"
            } else {
                "The endpoint is on"
            },
        );
    };
    let send_now = move |_| {
        let wish = EndpointWish {
            send_paused: true,
            ..EndpointWish::default()
        };
        // The button goes once nothing is kept any more.
        focus(title);
        change(wish, "What was kept is sent now");
    };
    let kept = move || {
        (can_settle && !active.get() && paused.get() > 0).then(|| {
            view! {
                <label class="tick needs-scripts">
                    <input type="checkbox" prop:checked=send_kept on:change=move |event| send_kept.set(event_target_checked(&event))/>
                    {format!("When switched on, send what was kept while it was off: {}", sendouts(paused.get()))}
                </label>
            }
        })
    };
    let can_send_kept = Memo::new(move |_| active.get() && paused.get() > 0);
    let told = move || {
        tested.get().map(|sendout| {
            let href = format!("/projects/{}/sendouts/{}", board.project(), escape(&sendout));
            view! { "The test event is on its way: "<a class="mono" href=href>{sendout}</a> }
        })
    };
    let is = id.get_value();
    view! {
        {kept}
        <div class="actions">
            {can_test.then(|| view! {
                <button type="button" class="button needs-scripts" aria-disabled=move || busy.get().then_some("true") on:click=test>"Send test event"</button>
            })}
            {can_settle.then(|| view! {
                <button
                    type="button" class="button needs-scripts" node_ref=edit aria-expanded=move || editing.get().to_string()
                    on:click=move |_| editing.update(|is| *is = !*is)
                >"Edit"</button>
                <button type="button" class="button needs-scripts" on:click=switch>{move || if active.get() { "Switch off" } else { "Switch on" }}</button>
                {move || can_send_kept.get().then(|| view! {
                    <button type="button" class="button needs-scripts" on:click=send_now>"Send what was kept"</button>
                })}
                <AskFirst
                    id=format!("{is}-rotate") button="Rotate secret" title="Rotate the secret?" confirm="Rotate it" keep="Keep it" run=rotate
                    text="A new secret is made and shown once. Events are signed with the old one, too, for 24 hours: change the receiver within that time."
                />
                <AskFirst
                    id=format!("{is}-delete") button="Delete" title="Delete this endpoint?" confirm="Delete it" keep="Keep it" run=delete
                    text="Nothing more is sent to it, and what waits for it is given up. What was sent stays in the list of sendouts."
                />
            })}
        </div>
        <p role="status" class="endpoint-told">{told}</p>
        {move || failed.get().map(|reason| view! { <p class="notice bad" role="alert">{reason}</p> })}
    }
}

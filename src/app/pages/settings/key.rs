//! One key among the settings: its facts, and what can be done with it.

use leptos::html::{Button, H3};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::focus;
use super::key_form::KeyForm;
use super::keys::Board;
use crate::api::error::ApiError;
use crate::api::keys::{FreshKey, revoke_key, rotate_key};
use crate::app::parts::dialog::Modal;
use crate::app::parts::records::ask::AskFirst;
use crate::app::parts::records::facts::{self, fact};
use crate::app::parts::records::live::say;
use crate::model::format;
use crate::model::key::{KeyFacts, KeyStanding};
use crate::model::rights::Scope;

/// How long a token may be taken beside its successor: hours, and their words.
const OVERLAPS: [(u32, &str); 4] = [(0, "not at all"), (1, "1 hour"), (24, "24 hours"), (168, "7 days")];
/// The one that is chosen unless somebody chooses.
const OVERLAP: u32 = 24;

/// A key. It stays the same part of the page however it changes, so that whoever stands in it is not thrown off.
#[component]
pub fn Key(
    /// It.
    key: KeyFacts,
    /// What the page shares.
    board: Board,
) -> impl IntoView {
    let editing = RwSignal::new(false);
    let (title, edit) = (NodeRef::<H3>::new(), NodeRef::<Button>::new());
    let id = key.app_id.clone();
    let title_id = format!("key-{id}");
    let is_revoked = key.revoked_at.is_some();
    let facts = board.facts(key);
    let project = board.project();
    // The form goes, and with it what had the focus: it returns to the button that opened the form.
    let close = move || {
        editing.try_set(false);
        focus(edit);
    };
    let done = Callback::new(move |_| {
        close();
        board.again.run(());
        say("The key is changed");
    });
    let keep = Callback::new(move |()| close());
    let form = move || {
        let (of, project) = (facts.get_untracked(), project.clone());
        editing
            .get()
            .then(|| view! { <KeyForm project now=board.now() calls=board.calls_a_minute() of=Some(of) done keep=Some(keep)/> })
    };
    let fresh = move || board.fresh_of(&id).map(|fresh| shown_once(fresh, facts, board, title));
    view! {
        <article class="endpoint" aria-labelledby=title_id.clone()>
            <h3 id=title_id.clone() tabindex="-1" node_ref=title>{move || facts.with(|facts| facts.name.clone())}</h3>
            {move || facts.with(|facts| stands(facts, board))}
            {fresh}
            <dl class="record-list">{move || facts.with(|facts| list_facts(facts, board))}</dl>
            {(!is_revoked).then(|| view! { <Actions facts board editing title edit/> })}
            {form}
        </article>
    }
}

/// The names of the headers that carry a key's id and its token.
const fn headers(is_client: bool) -> (&'static str, &'static str) {
    if is_client {
        ("X-Client-Application-Id", "X-Client-Token")
    } else {
        ("X-App-Id", "X-App-Token")
    }
}

/// The id and the token, this once.
fn shown_once(fresh: FreshKey, facts: Memo<KeyFacts>, board: Board, title: NodeRef<H3>) -> impl IntoView {
    let (id_header, token_header) = headers(facts.with_untracked(|facts| facts.origins.is_some()));
    let kept = move |_| {
        board.fresh.set(None);
        focus(title);
    };
    view! {
        <div class="notice fresh-secret" role="status">
            <p><label for="fresh-token">"Token"</label>": shown this once. Copy it now and keep it safe; afterwards it can only be rotated."</p>
            <input id="fresh-token" class="mono" type="text" readonly value=fresh.app_token.clone()/>
            <p class="quiet">"A call carries it as "<code>{token_header}</code>", beside "<code>{id_header}</code>": "<code>{fresh.app_id}</code></p>
            <div class="actions">
                <button type="button" class="button primary" data-copy=fresh.app_token>"Copy"</button>
                <button type="button" class="button" on:click=kept>"I have kept it"</button>
            </div>
        </div>
    }
}

fn stands(key: &KeyFacts, board: Board) -> impl IntoView + use<> {
    let at = |time: Option<i64>| time.map(|time| format!(" {}", board.full(time))).unwrap_or_default();
    let (look, words) = match key.standing(board.now()) {
        KeyStanding::Active => ("stand well", "Active".to_owned()),
        KeyStanding::Expired => ("stand waiting", format!("Expired{}", at(key.expires_at))),
        KeyStanding::Revoked => ("stand badly", format!("Revoked{}", at(key.revoked_at))),
    };
    view! { <p><span class=look>{words}</span></p> }
}

fn list_facts(key: &KeyFacts, board: Board) -> impl IntoView + use<> {
    let kind = if key.origins.is_some() { "Client-side" } else { "Server-side" };
    let scopes: Vec<&str> = key.scopes.iter().copied().map(Scope::as_str).collect();
    let origins = key.origins.as_ref().map(|origins| origins.join("\n"));
    let calls = match key.calls_a_minute {
        Some(calls) => format!("{} a minute", format::count(calls.into())),
        None => format!("{} a minute, as every key", format::count(board.calls_a_minute().into())),
    };
    let is_active = key.standing(board.now()) == KeyStanding::Active;
    let end = key.expires_at.map_or_else(|| "Never".to_owned(), |end| board.full(end));
    let old = key.old_token_until.filter(|until| is_active && *until > board.now());
    view! {
        {facts::words("Kind", Some(kind.to_owned()))}
        {fact("Scopes", view! { <span class="mono">{scopes.join(", ")}</span> })}
        {origins.map(|text| fact("Origins", view! { <span class="mono own-headers">{text}</span> }))}
        {facts::words("Calls", Some(calls))}
        {facts::words("Last used", Some(key.last_used_at.map_or_else(|| "Never".to_owned(), |at| board.full(at))))}
        {facts::words("Created", Some(board.full(key.created_at)))}
        {is_active.then(|| facts::words("Expires", Some(end)))}
        {facts::words("Old token", old.map(|until| format!("is taken, too, until {}", board.full(until))))}
        {facts::id("App ID", key.app_id.clone())}
    }
}

/// Change, rotate, revoke.
#[component]
fn Actions(
    facts: Memo<KeyFacts>,
    board: Board,
    editing: RwSignal<bool>,
    title: NodeRef<H3>,
    edit: NodeRef<Button>,
) -> impl IntoView {
    let failed = RwSignal::new(None::<String>);
    let id = StoredValue::new(facts.with_untracked(|facts| facts.app_id.clone()));
    let tell = move |error: ApiError| {
        failed.try_set(Some(error.to_string()));
    };
    let rotate = Callback::new(move |hours: u32| {
        failed.set(None);
        spawn_local(async move {
            match rotate_key(board.project(), id.get_value(), hours).await {
                Ok(fresh) => board.tell(fresh),
                Err(error) => tell(error),
            }
        });
    });
    let revoke = Callback::new(move |()| {
        failed.set(None);
        spawn_local(async move {
            match revoke_key(board.project(), id.get_value()).await {
                Ok(()) => {
                    focus(board.heading);
                    board.again.try_run(());
                    say("The key is revoked");
                }
                Err(error) => tell(error),
            }
        });
    });
    let can_rotate = move || facts.with(|facts| facts.standing(board.now()) == KeyStanding::Active);
    let is = id.get_value();
    view! {
        <div class="actions">
            <button
                type="button" class="button needs-scripts" node_ref=edit aria-expanded=move || editing.get().to_string()
                on:click=move |_| editing.update(|is| *is = !*is)
            >"Edit"</button>
            {move || can_rotate().then(|| view! { <Rotate facts board title run=rotate/> })}
            <AskFirst
                id=format!("{is}-revoke") button="Revoke" title="Revoke this key?" confirm="Revoke it" keep="Keep it" run=revoke
                text="From now on no call with it is taken, and it cannot be taken back. What it did stays in the logs under its name."
            />
        </div>
        {move || failed.get().map(|reason| view! { <p class="notice bad" role="alert">{reason}</p> })}
    }
}

/// Asks how long the token that is there is taken beside the new one.
#[component]
fn Rotate(facts: Memo<KeyFacts>, board: Board, title: NodeRef<H3>, run: Callback<u32>) -> impl IntoView {
    let modal = Modal::new();
    let overlap = RwSignal::new(OVERLAP);
    let id = facts.with_untracked(|facts| facts.app_id.clone());
    let (dialog, heading, field) = (format!("{id}-rotate"), format!("{id}-rotate-title"), format!("{id}-overlap"));
    let choices =
        OVERLAPS.map(|(hours, words)| view! { <option value=hours.to_string() selected=hours == OVERLAP>{words}</option> });
    let choose = move |event| overlap.set(event_target_value(&event).parse().unwrap_or(OVERLAP));
    let confirmed = move |_| {
        modal.close();
        focus(title);
        run.run(overlap.get_untracked());
    };
    let ends = move || {
        let old = facts.with(|facts| facts.old_token_until.filter(|until| *until > board.now()));
        old.map(|_| view! { <p class="notice">"The token from before the last rotation is still taken. It ends now."</p> })
    };
    view! {
        <button type="button" class="button needs-scripts" aria-haspopup="dialog" on:click=move |_| modal.open()>"Rotate token"</button>
        <dialog id=dialog class="dialog" node_ref=modal.node() aria-labelledby=heading.clone()>
            <h2 id=heading.clone()>"Rotate the token?"</h2>
            <p>"A new token is made and shown once. Give it to the application while both are taken."</p>
            {ends}
            <p>
                <label for=field.clone()>"The old token stays valid"</label>" "
                <select id=field.clone() on:change=choose>{choices}</select>
            </p>
            <div class="actions">
                <button type="button" class="button danger" on:click=confirmed>"Rotate it"</button>
                <button type="button" class="button" on:click=move |_| modal.close()>"Keep it"</button>
            </div>
        </dialog>
    }
}

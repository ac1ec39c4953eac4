//! What can be done with an alert: edit, mute, test, switch, delete.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::use_navigate;

use super::alert::Board;
use crate::api::alerts::{delete_alert, mute_alert, switch_alert, test_alert};
use crate::api::error::ApiError;
use crate::app::parts::records::ask::AskFirst;
use crate::app::parts::records::live::say;
use crate::model::alert::Mute;

/// The buttons, and what came of them.
#[component]
pub fn Actions(
    /// What the page shares.
    board: Board,
) -> impl IntoView {
    let (failed, tested) = (RwSignal::new(None::<String>), RwSignal::new(None::<bool>));
    let active = Memo::new(move |_| board.alert.with(|alert| alert.active));
    let switch = move |_| {
        let (on, (id, known)) = (!active.get_untracked(), board.known());
        let words = if on {
            "The alert is on: it counts from now on"
        } else {
            "The alert is off"
        };
        spawn_local(async move { came(board, failed, switch_alert(board.project(), id, known, on).await, words) });
    };
    view! {
        <div class="actions">
            <button
                type="button" class="button needs-scripts" node_ref=board.edit aria-expanded=move || board.editing.get().to_string()
                on:click=move |_| board.editing.update(|is| *is = !*is)
            >"Edit"</button>
            {move || active.get().then(|| test_button(board, failed, tested))}
            <button type="button" class="button needs-scripts" on:click=switch>{move || if active.get() { "Switch off" } else { "Switch on" }}</button>
            {delete_button(board, failed)}
        </div>
        {move || active.get().then(|| mute_form(board, failed))}
        <p role="status" class="endpoint-told">{move || tested.get().map(|heard| told(board, heard))}</p>
        {move || failed.get().map(|reason| view! { <p class="notice bad" role="alert">{reason}</p> })}
    }
}

/// What came of a change: it is said and the page is read again, or the reason is shown.
fn came(board: Board, failed: RwSignal<Option<String>>, answer: Result<(), ApiError>, words: &str) {
    match answer {
        Ok(()) => {
            failed.try_set(None);
            board.again.try_run(());
            say(words);
        }
        // The page may be gone by now.
        Err(error) => {
            failed.try_set(Some(error.to_string()));
        }
    }
}

fn test_button(board: Board, failed: RwSignal<Option<String>>, tested: RwSignal<Option<bool>>) -> impl IntoView {
    let busy = RwSignal::new(false);
    let test = move |_| {
        // A button that is disabled loses the focus: this one says so, and does nothing.
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        failed.set(None);
        let (id, _) = board.known();
        spawn_local(async move {
            let answer = test_alert(board.project(), id).await;
            busy.try_set(false);
            match answer {
                Ok(heard) => {
                    tested.try_set(Some(heard));
                    board.again.try_run(());
                }
                Err(error) => {
                    failed.try_set(Some(error.to_string()));
                }
            }
        });
    };
    view! { <button type="button" class="button needs-scripts" aria-disabled=move || busy.get().then_some("true") on:click=test>"Test"</button> }
}

/// Where to look for what a test sent.
fn told(board: Board, heard: bool) -> impl IntoView {
    let project = board.project();
    let has_mail = board.page.with_untracked(|page| page.around.has_mail);
    let addresses = board.alert.with_untracked(|alert| alert.recipients.len());
    let event = if heard {
        let href = format!("/projects/{project}/sendouts?type=alert.fired");
        view! { "The test is on its way to the endpoints that want it: "<a href=href>"see the sendouts"</a>". " }.into_any()
    } else {
        let href = format!("/projects/{project}/settings/webhooks");
        view! { "No webhook endpoint wants "<code>"alert.fired"</code>": "<a href=href>"add one"</a>". " }.into_any()
    };
    let mail = match (addresses, has_mail) {
        (0, _) => "Nobody is told by mail.",
        (_, true) => "What becomes of the mails stands in the history.",
        (_, false) => "No mail is sent: none is configured on this server.",
    };
    view! { {event}{mail} }
}

fn mute_form(board: Board, failed: RwSignal<Option<String>>) -> impl IntoView {
    let chosen = RwSignal::new(Mute::Hour);
    let is_muted = Memo::new(move |_| board.alert.with(|alert| alert.muted_until.is_some()));
    let mute = move |mute: Mute| {
        let (id, known) = board.known();
        let words = if mute == Mute::Off {
            "The alert is heard again"
        } else {
            "The alert is muted"
        };
        spawn_local(async move { came(board, failed, mute_alert(board.project(), id, known, mute).await, words) });
    };
    let options = Mute::CHOICES.map(|(_, words)| view! { <option value=words>{words}</option> });
    let choose = move |event| {
        let word = event_target_value(&event);
        let choice = Mute::CHOICES.into_iter().find(|(_, words)| *words == word);
        chosen.set(choice.map_or(Mute::Hour, |(mute, _)| mute));
    };
    let button = move || {
        let (words, next) = if is_muted.get() {
            ("Unmute", Mute::Off)
        } else {
            ("Mute", chosen.get())
        };
        view! { <button type="button" class="button" on:click=move |_| mute(next)>{words}</button> }
    };
    view! {
        <div class="actions alert-mute needs-scripts">
            <label for="alert-mute">"Send nothing"</label>
            <select id="alert-mute" disabled=move || is_muted.get() on:change=choose>{options}</select>
            {button}
        </div>
    }
}

fn delete_button(board: Board, failed: RwSignal<Option<String>>) -> impl IntoView {
    let navigate = use_navigate();
    let list = format!("/projects/{}/settings/alerts", board.project());
    let go = Callback::new(move |()| navigate(&list, leptos_router::NavigateOptions::default()));
    let delete = Callback::new(move |()| {
        let (id, known) = board.known();
        spawn_local(async move {
            match delete_alert(board.project(), id, known).await {
                Ok(()) => {
                    go.try_run(());
                    say("The alert is deleted");
                }
                Err(error) => {
                    failed.try_set(Some(error.to_string()));
                }
            }
        });
    });
    view! {
        <AskFirst
            id="alert-delete" button="Delete" title="Delete this alert?" confirm="Delete it" keep="Keep it" run=delete
            text="What it counted goes, with its history and the mails that still wait. The view and the logs stay."
        />
    }
}

//! Purges: what the next one deletes and when, Purge now, and what the last ones did.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::focus;
use super::retention::{Board, kept_for, what_goes};
use crate::api::retention::{PastPurge, RetentionPage, WillGo, purge_now};
use crate::app::parts::records::ask::AskFirst;
use crate::app::parts::records::cells;
use crate::app::parts::records::facts;
use crate::app::parts::records::live::say;
use crate::model::zone::rfc3339;

/// What the next purge deletes, and when; and Purge now.
#[component]
pub fn NextPurge(
    /// What the page shares.
    board: Board,
) -> impl IntoView {
    let failed = RwSignal::new(None::<String>);
    let run = Callback::new(move |()| {
        failed.set(None);
        spawn_local(async move {
            match purge_now(board.project()).await {
                Ok(begun) => {
                    focus(board.heading);
                    board.again.try_run(());
                    say(if begun.is_some() {
                        "The purge has begun"
                    } else {
                        "There is nothing to delete"
                    });
                }
                // The page may be gone by now.
                Err(error) => {
                    failed.try_set(Some(error.to_string()));
                }
            }
        });
    });
    // Other parts of the page change while somebody is about to press the button.
    let due = Memo::new(move |_| board.page.with(|page| (page.now_due, page.running.clone())));
    let now = move || due.with(|(due, running)| action(due, running.as_deref(), board, run));
    view! {
        <h2 tabindex="-1" node_ref=board.heading>"Next purge"</h2>
        <dl class="record-list">{move || board.page.with(list_facts)}</dl>
        {now}
        {move || failed.get().map(|reason| view! { <p class="notice bad" role="alert">{reason}</p> })}
    }
}

fn list_facts(page: &RetentionPage) -> impl IntoView + use<> {
    let kept = page.kept;
    let bodies = kept
        .bodies_days
        .map_or_else(|| "as long as the logs".to_owned(), |days| kept_for(Some(days)));
    let before = |at: Option<i64>| at.map(|at| page.zone.full(at));
    let separate = page.next.bodies_before.filter(|at| Some(*at) != page.next.logs_before);
    view! {
        {facts::words("Logs are kept", Some(kept_for(kept.logs_days)))}
        {facts::words("What they say", Some(bodies))}
        {facts::time("When", page.next_at, &page.zone)}
        {facts::words("Will delete", Some(what_goes(&page.next)))}
        {facts::words("Logs before", before(page.next.logs_before))}
        {facts::words("Bodies before", before(separate))}
    }
}

/// Purge now, or where the one that is on its way is seen.
fn action(due: &WillGo, running: Option<&str>, board: Board, run: Callback<()>) -> AnyView {
    if let Some(task) = running {
        let href = board.task(task);
        return view! { <p class="notice" role="status">"A purge is on its way: "<a href=href>"see how far it is"</a></p> }
            .into_any();
    }
    if due.is_nothing() {
        return view! { <p class="quiet">"There is nothing that could be deleted now."</p> }.into_any();
    }
    let mut text = format!("{} will be deleted now and cannot be brought back.", what_goes(due));
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    view! {
        <div class="actions">
            <AskFirst id="purge-now" button="Purge now" title="Delete it now?" confirm="Delete it" keep="Wait for the night" run text/>
        </div>
    }
    .into_any()
}

/// What the last purges did.
#[component]
pub fn PastPurges(
    /// What the page shares.
    board: Board,
) -> impl IntoView {
    let past = Memo::new(move |_| board.page.with(|page| page.past.clone()));
    let row = move |purge: &PastPurge| {
        let href = board.task(&purge.id);
        let (time, full) = (rfc3339(purge.created_at), board.full(purge.created_at));
        view! {
            <tr>
                <td><a href=href><time datetime=time>{full}</time></a></td>
                <td inner_html=cells::task_status(purge.status)></td>
                <td>{purge.message.clone()}</td>
            </tr>
        }
    };
    let table = move || {
        past.with(|past| {
            let rows = past.iter().map(row).collect_view();
            (!past.is_empty()).then(|| {
                view! {
                    <div class="record-scroll" tabindex="0" role="group" aria-label="Last purges">
                        <table class="plain">
                            <thead><tr><th scope="col">"Time"</th><th scope="col">"Status"</th><th scope="col">"What came of it"</th></tr></thead>
                            <tbody>{rows}</tbody>
                        </table>
                    </div>
                }
            })
        })
    };
    let none = move || {
        past.with(Vec::is_empty).then(
            || view! { <p>"Nothing has been deleted yet. Each purge that deletes something is a task, and a row here."</p> },
        )
    };
    view! {
        <h2>"Last purges"</h2>
        {none}
        {table}
    }
}

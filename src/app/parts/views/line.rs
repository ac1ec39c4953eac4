//! The line that says which view is open, whether the page still shows it, and what can be done with it.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::{Board, Saving, Standing};
use crate::api::error::ApiError;
use crate::api::views::{change_view, delete_view};
use crate::app::parts::awaited::answered;
use crate::app::parts::dialog::focus;
use crate::app::parts::records::ask::AskFirst;
use crate::app::parts::records::live::say;
use crate::model::query::escape;
use crate::model::view::{ViewChange, ViewFacts, ViewQuery, ViewTab};

/// The line; nothing where the address names no view, or the views could not be read.
pub fn line(board: Board) -> impl IntoView {
    view! {
        <Transition>
            {answered(board.views, move |views| {
                let may_share = views.as_ref().is_ok_and(|page| page.may_share);
                let views = views.map(|page| page.views);
                let named = Memo::new(move |_| board.page.with(|page| page.view().map(str::to_owned)));
                move || {
                    let (id, views) = (named.get()?, views.as_ref().ok()?);
                    Some(match views.iter().find(|view| view.id == id) {
                        Some(view) => open(board, view.clone(), may_share).into_any(),
                        None => gone(board).into_any(),
                    })
                }
            })}
        </Transition>
    }
}

/// The view is not there: whether it was deleted or is somebody's own, nobody else is told.
fn gone(board: Board) -> impl IntoView {
    let says_nothing = move || board.page.with(|page| ViewQuery::all(board.tab).is_shown_by(page));
    let rest = move || {
        if says_nothing() {
            "Below is what the tab shows by itself."
        } else {
            "Below is what the rest of the address says."
        }
    };
    let without = move || {
        board
            .page
            .with(|page| format!("?{}", page.clone().within(None).to_query_string()))
    };
    view! {
        <div class="view-line">
            <p role="status">"The view of this link is not there: it was deleted, or it is somebody's own. "{rest}</p>
            <a href=without>"Leave the view"</a>
        </div>
    }
}

fn open(board: Board, facts: ViewFacts, may_share: bool) -> impl IntoView {
    let view = StoredValue::new(facts.clone());
    let is_changed = Memo::new(move |_| view.with_value(|view| board.standing(view)) == Standing::Changed);
    let back = move || view.with_value(|view| board.link(view));
    let failed = RwSignal::new(None::<String>);
    let can_change = facts.can_change;
    let changed = move || {
        is_changed.get().then(|| {
            view! {
                <span class="badge">"changed"</span>
                {can_change.then(|| view! {
                    <button type="button" class="button needs-scripts" on:click=move |_| save_changes(board, view, failed)>"Save changes"</button>
                    {shown_outside(&view.with_value(|view| view.embedded.clone()))}
                })}
                <a href=back>"Discard changes"</a>
            }
        })
    };
    // Whoever may share views may let an alert watch one.
    let alert = (may_share && facts.shared && board.tab == ViewTab::Logs).then(|| {
        let href = format!(
            "/projects/{}/settings/alerts?view={}#add-title",
            board.project.get_untracked(),
            escape(&facts.id)
        );
        view! { <a class="button quiet-button" href=href rel="external">"Alert…"</a> }
    });
    let (name, whose, left_out) = (facts.name.clone(), whose(&facts), left_out(&facts.left_out));
    view! {
        <div class="view-line" role="group" aria-label="The view that is open">
            <span class="quiet">"View"</span>
            <strong class="view-name" title=name.clone()>{name.clone()}</strong>
            <span class="quiet">{whose}</span>
            {changed}
            {left_out.map(|words| view! { <span class="view-lost">{words}</span> })}
            <span class="actions">
                <button type="button" class="button quiet-button needs-scripts" data-copy-link=format!("?view={}", escape(&facts.id))>"Copy link"</button>
                {alert}
                {may_share.then(|| embed_link(board, &facts))}
                {can_change.then(|| actions(board, facts, failed))}
            </span>
            {move || failed.get().map(|reason| view! { <p class="notice bad" role="alert">{reason}</p> })}
        </div>
    }
}

/// The way to show it to people outside: of a shared view of logs.
fn embed_link(board: Board, view: &ViewFacts) -> Option<impl IntoView + use<>> {
    let id = escape(&view.id);
    let href = move || format!("/projects/{}/settings/embedding?view={id}", board.project.get());
    (view.shared && board.tab == ViewTab::Logs)
        .then(|| view! { <a class="button quiet-button" href=href rel="external">"Embed"</a> })
}

/// Who else reads what is about to be saved.
fn shown_outside(embedded: &[String]) -> Option<impl IntoView + use<>> {
    let names = embedded.iter().map(|name| format!("“{name}”")).collect::<Vec<_>>().join(", ");
    (!embedded.is_empty())
        .then(|| view! { <span class="view-lost">{format!("Saving changes what {names} shows to people outside.")}</span> })
}

/// Who has it, and who made it.
fn whose(view: &ViewFacts) -> String {
    match (view.shared, view.mine, &view.by) {
        (false, ..) => "only for me".to_owned(),
        (true, true, _) => "shared by me".to_owned(),
        (true, false, Some(by)) => format!("shared by {by}"),
        (true, false, None) => "shared".to_owned(),
    }
}

fn left_out(arguments: &[String]) -> Option<String> {
    (!arguments.is_empty()).then(|| {
        format!(
            "Saved by another version, and left out by this one: {}.",
            arguments.join(", ")
        )
    })
}

fn save_changes(board: Board, view: StoredValue<ViewFacts>, failed: RwSignal<Option<String>>) {
    failed.set(None);
    let facts = view.get_value();
    // A view that names no zone goes on without one.
    let has_zone = ViewQuery::of_page(board.tab, &facts.query).is_ok_and(|says| says.zone().is_some());
    let page = board.page.get_untracked().kept();
    let query = if has_zone { page } else { page.in_zone(None) };
    let change = ViewChange {
        query: Some(query.to_query_string()),
        ..ViewChange::default()
    };
    let project = board.project.get_untracked();
    spawn_local(async move {
        match change_view(project, facts.id, facts.changed_at, change).await {
            Ok(()) => {
                focus(board.button);
                board.again();
                say("The view is saved");
            }
            Err(error) => tell(failed, &error),
        }
    });
}

/// Rename and Delete.
fn actions(board: Board, facts: ViewFacts, failed: RwSignal<Option<String>>) -> impl IntoView {
    let renamed = facts.clone();
    let rename = move |_| board.saving.set(Some(Saving::Renamed(renamed.clone())));
    let text = if facts.shared {
        "It goes for everyone in the project, and links to it lead to no view any more. No log goes with it."
    } else {
        "Links to it lead to no view any more. No log goes with it."
    };
    let delete = Callback::new(move |()| {
        failed.set(None);
        let (project, id, known) = (board.project.get_untracked(), facts.id.clone(), facts.changed_at);
        spawn_local(async move {
            match delete_view(project, id, known).await {
                Ok(()) => {
                    let rest = board.page.try_get_untracked().map(|page| page.within(None).to_query_string());
                    if let Some(rest) = rest {
                        board.go.try_run(format!("?{rest}"));
                    }
                    board.again();
                    focus(board.button);
                    say("The view is deleted");
                }
                Err(error) => tell(failed, &error),
            }
        });
    });
    view! {
        <button type="button" class="button quiet-button needs-scripts" aria-haspopup="dialog" on:click=rename>"Rename…"</button>
        <AskFirst id="delete-view" button="Delete" title="Delete this view?" confirm="Delete it" keep="Keep it" run=delete text/>
    }
}

/// The page may be gone by now.
fn tell(failed: RwSignal<Option<String>>, error: &ApiError) {
    failed.try_set(Some(error.to_string()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_says_whose_it_is() {
        let said = |shared, mine, by: Option<&str>| {
            whose(&ViewFacts {
                id: "view_1".to_owned(),
                name: String::new(),
                shared,
                query: String::new(),
                left_out: Vec::new(),
                embedded: Vec::new(),
                by: by.map(str::to_owned),
                mine,
                can_change: false,
                changed_at: 0,
            })
        };
        assert_eq!(said(false, true, Some("ada")), "only for me");
        assert_eq!(said(true, true, Some("ada")), "shared by me");
        assert_eq!(said(true, false, Some("ada")), "shared by ada");
        assert_eq!(said(true, false, None), "shared", "who it was is not for everybody to see");
        assert_eq!(left_out(&[]), None);
        assert!(left_out(&["a".to_owned(), "b".to_owned()]).unwrap().ends_with("a, b."));
    }
}

//! Tells a person what their exports have come to, wherever in the project they are: a card an export, until it is dismissed or followed.
//!
//! To tell of something else: its kind in the server's `Notices`, and its words in [`words`].

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::use_location;

use super::frame::FrameResource;
use super::links::project_id;
use super::records::live::every;
use crate::api::exports::{Notice, dismiss_notices, notices};
use crate::api::frame::FrameFacts;
use crate::model::export::ExportStatus;
use crate::model::format;
use crate::model::query::escape;

/// How often it is asked again while an export is on its way.
const EVERY: Duration = Duration::from_secs(3);

/// What there is to tell, for the frame and for whoever begins an export.
#[derive(Clone, Copy, Debug)]
pub struct Board {
    over: RwSignal<Vec<Notice>>,
    /// Exports that were begun here and are not over yet.
    begun: RwSignal<Vec<String>>,
    running: RwSignal<u32>,
    asked: StoredValue<bool>,
    /// Dismissed here: an answer that was on its way then does not bring them back.
    dismissed: StoredValue<Vec<String>>,
    /// Something was begun while an answer was on its way, which may not know of it.
    once_more: StoredValue<bool>,
}

impl Board {
    /// Puts a board up for the pages inside the frame.
    pub fn provide() -> Self {
        let board = Self {
            over: RwSignal::new(Vec::new()),
            begun: RwSignal::new(Vec::new()),
            running: RwSignal::new(0),
            asked: StoredValue::new(false),
            dismissed: StoredValue::new(Vec::new()),
            once_more: StoredValue::new(false),
        };
        provide_context(board);
        board
    }

    /// An export was begun: says so, and asks at once.
    pub fn begin(self, project: String, id: String) {
        self.begun.update(|begun| begun.push(id));
        // Asked again even where the first answer does not come.
        self.running.update(|running| *running = (*running).max(1));
        self.once_more.set_value(self.asked.get_value());
        self.ask(project);
    }

    fn ask(self, project: String) {
        if self.asked.try_get_value() != Some(false) {
            return;
        }
        self.asked.set_value(true);
        spawn_local(async move {
            let answer = notices(project.clone()).await;
            self.asked.try_set_value(false);
            // What cannot be told now is told later.
            if let Ok(mut answer) = answer {
                let dismissed = self.dismissed.try_get_value().unwrap_or_default();
                answer.over.retain(|notice| !dismissed.contains(&notice.id));
                // What is neither running nor to be told of has been seen elsewhere.
                let waiting = |id: &String| answer.running > 0 && !answer.over.iter().any(|notice| notice.id == *id);
                self.begun.try_update(|begun| begun.retain(waiting));
                self.running.try_set(answer.running);
                self.over.try_set(answer.over);
            }
            if self.once_more.try_get_value() == Some(true) {
                self.once_more.set_value(false);
                self.ask(project);
            }
        });
    }

    fn dismiss(self, project: String, id: String) {
        self.over.update(|over| over.retain(|notice| notice.id != id));
        self.dismissed.update_value(|dismissed| dismissed.push(id.clone()));
        spawn_local(async move {
            // One that is not taken note of comes back with the next page.
            let _ = dismiss_notices(project, vec![id]).await;
        });
    }
}

/// The cards.
#[component]
pub fn Notices(
    /// What there is to tell.
    board: Board,
    /// What the frame knows: of a project that is not among the person's nothing is asked, it would only be refused.
    facts: FrameResource,
) -> impl IntoView {
    let project = project_id();
    // Effects are the browser's alone: the server's pages come without.
    Effect::new(move |_| {
        let project = project.get();
        let is_theirs = |facts: &FrameFacts| facts.projects.iter().any(|known| known.id == project);
        if !facts.with(|facts| matches!(facts, Some(Ok(facts)) if is_theirs(facts))) {
            return;
        }
        if document().hidden() {
            // Asked once the page is in sight.
            board.running.set(1);
        } else {
            board.ask(project);
        }
    });
    let wanted = Memo::new(move |_| board.running.get() > 0);
    every(EVERY, wanted, move || {
        if let Some(project) = project.try_get_untracked() {
            board.ask(project);
        }
    });
    let begun = move |id: String| {
        let dismissed = id.clone();
        let dismiss = move || board.begun.update(|begun| begun.retain(|other| *other != dismissed));
        card(project, id, "Export begun".to_owned(), "", Callback::new(move |()| dismiss()))
    };
    let over = move |notice: Notice| {
        let look = if notice.status == ExportStatus::Done {
            "well"
        } else {
            "badly"
        };
        let (id, text) = (notice.id.clone(), words(&notice));
        let dismiss = move |()| board.dismiss(project.get_untracked(), notice.id.clone());
        card(project, id, text, look, Callback::new(dismiss))
    };
    // Whoever looks at an export sees what becomes of it.
    let path = use_location().pathname;
    let is_seen = move |id: &str| path.with(|path| path.split('/').any(|part| part == id));
    // An answer may tell of an export before whoever began it knows its id: one card an export.
    let is_over = move |id: &str| board.over.with(|over| over.iter().any(|notice| notice.id == id));
    let begun_elsewhere = move || {
        let begun = board.begun.get().into_iter();
        begun.filter(|id| !is_seen(id) && !is_over(id)).collect::<Vec<_>>()
    };
    let over_elsewhere = move || {
        board
            .over
            .get()
            .into_iter()
            .filter(|notice| !is_seen(&notice.id))
            .collect::<Vec<_>>()
    };
    view! {
        <div class="notices">
            <For each=begun_elsewhere key=Clone::clone children=begun/>
            <For each=over_elsewhere key=|notice| notice.id.clone() children=over/>
        </div>
    }
}

fn card(project: Memo<String>, id: String, text: String, look: &'static str, dismiss: Callback<()>) -> impl IntoView {
    let href = format!("/projects/{}/exports/{}", project.get_untracked(), escape(&id));
    let follow = if look == "badly" { "See why" } else { "Open the export" };
    view! {
        <div class="notice-card" role="status">
            <p class=format!("stand {look}")>{text}</p>
            <a href=href on:click=move |_| dismiss.run(())>{follow}</a>
            <button type="button" class="button quiet-button" on:click=move |_| dismiss.run(())>"Dismiss"</button>
        </div>
    }
}

fn words(notice: &Notice) -> String {
    match (notice.status, notice.rows) {
        (ExportStatus::Done, Some(1)) => format!("Export ready: {}, 1 row", notice.name),
        (ExportStatus::Done, Some(rows)) => {
            format!("Export ready: {}, {} rows", notice.name, format::count(rows.max(0) as u64))
        }
        (ExportStatus::Done, None) => format!("Export ready: {}", notice.name),
        _ => format!("Export failed: {}", notice.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_came_of_it() {
        let notice = |status, rows| {
            words(&Notice {
                id: "exp_1".to_owned(),
                name: "logs.csv".to_owned(),
                status,
                rows,
            })
        };
        assert_eq!(notice(ExportStatus::Done, Some(1_234)), "Export ready: logs.csv, 1,234 rows");
        assert_eq!(notice(ExportStatus::Error, None), "Export failed: logs.csv");
    }
}

//! The dialog *Retry all that match*: how many sendouts there are, at what pace they are sent again, then the task that does it.
//!
//! To add a setting: a signal in [`Dialogue`], its control in [`settings`], and its argument in `retry_all`.

use leptos::html::A;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::dialog::Modal;
use super::frame::FrameResource;
use super::links::{project_id, search};
use super::records::meant;
use crate::api::error::ApiError;
use crate::api::sendouts::{RetrySet, retry_all, retry_count};
use crate::model::format::{count, duration};
use crate::model::query::escape;
use crate::model::rights::Role;
use crate::model::sendout::{MAX_PACE, PACE};
use crate::model::tab::{Tab, TabQuery};

/// What is sent again where no filter is set.
pub const ALL: &str = "every sendout of the range";

/// What the dialog and its parts share.
#[derive(Clone, Copy)]
struct Dialogue {
    /// The list's query when the dialog was opened: what is counted is what is sent again.
    query: StoredValue<String>,
    /// What was counted when the dialog was opened; `None` until it is.
    counted: RwSignal<Option<Result<RetrySet, ApiError>>>,
    pace: RwSignal<String>,
    failed: RwSignal<Option<String>>,
    busy: RwSignal<bool>,
    /// The task, and how many it sends again at what pace.
    begun: RwSignal<Option<(String, u64, u32)>>,
}

impl Dialogue {
    fn new() -> Self {
        Self {
            query: StoredValue::new(String::new()),
            counted: RwSignal::new(None),
            pace: RwSignal::new(PACE.to_string()),
            failed: RwSignal::new(None),
            busy: RwSignal::new(false),
            begun: RwSignal::new(None),
        }
    }

    /// Counts anew; what was begun before is another story.
    fn count(self, project: String, query: String) {
        self.query.set_value(query.clone());
        self.counted.set(None);
        self.failed.set(None);
        self.begun.set(None);
        spawn_local(async move {
            let answer = retry_count(project, query).await;
            self.counted.try_set(Some(answer));
        });
    }

    /// The pace as a number, where it is one.
    fn pace(self) -> Option<u32> {
        let pace = self.pace.get().trim().parse().ok()?;
        (1..=MAX_PACE).contains(&pace).then_some(pace)
    }

    /// What there is to send again; `None` where nothing is.
    fn set(self) -> Option<RetrySet> {
        self.counted.get()?.ok().filter(|set| set.count > 0)
    }

    fn begin(self, project: String, now: Callback<()>) {
        let Some(set) = untrack(move || self.set()) else { return };
        let Some(pace) = untrack(move || self.pace()) else {
            let words = format!("Pace: a whole number from 1 to {}.", count(MAX_PACE.into()));
            return self.failed.set(Some(words));
        };
        self.failed.set(None);
        self.busy.set(true);
        let query = self.query.get_value();
        spawn_local(async move {
            let answer = retry_all(project, query, set.pin, pace).await;
            // The page may be gone by now.
            self.busy.try_set(false);
            match answer {
                Ok(task) => {
                    self.begun.try_set(Some((task, set.count, pace)));
                    now.try_run(());
                }
                Err(error) => {
                    self.failed.try_set(Some(error.to_string()));
                }
            }
        });
    }
}

/// The button, and the dialog that it opens; nothing for those who may not send again.
#[component]
pub fn RetryAll(
    /// Asks for the list again.
    now: Callback<()>,
) -> impl IntoView {
    let project = project_id();
    let facts = use_context::<FrameResource>();
    let may = move || {
        let facts = facts?.get()?.ok()?;
        let here = facts.projects.into_iter().find(|known| known.id == project.get())?;
        (here.role != Role::Auditor).then_some(())
    };
    view! { <Transition>{move || may().map(|()| view! { <RetryDialog project now/> })}</Transition> }
}

#[component]
fn RetryDialog(project: Memo<String>, now: Callback<()>) -> impl IntoView {
    let search = search();
    let modal = Modal::new();
    let dialogue = Dialogue::new();
    let open = move |_| {
        dialogue.count(project.get_untracked(), search.get_untracked());
        modal.open();
    };
    let begin = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        dialogue.begin(project.get_untracked(), now);
    };
    let begun = move || {
        dialogue
            .begun
            .get()
            .map(|(task, all, pace)| begun(&project.get_untracked(), &task, all, pace))
    };
    let is_begun = Memo::new(move |_| dialogue.begun.with(Option::is_some));
    let can_begin = Memo::new(move |_| !is_begun.get() && dialogue.set().is_some());
    let words = move || match dialogue.set().map_or(0, |set| set.count) {
        1 => "Retry 1 sendout".to_owned(),
        all => format!("Retry {} sendouts", count(all)),
    };
    let asked = move || (!is_begun.get()).then(|| settings(&search.get(), dialogue));
    view! {
        <button type="button" class="button quiet-button needs-scripts" aria-haspopup="dialog" on:click=open>"Retry all that match"</button>
        <dialog class="dialog retry-dialog" node_ref=modal.node() aria-labelledby="retry-all-title">
            <h2 id="retry-all-title">"Retry all that match"</h2>
            <form on:submit=begin>
                {asked}
                {begun}
                {move || dialogue.failed.get().map(|reason| view! { <p class="notice bad" role="alert">{reason}</p> })}
                <div class="actions">
                    {move || can_begin.get().then(|| view! {
                        <button type="submit" class="button primary" disabled=dialogue.busy>{words}</button>
                    })}
                    <button type="button" class="button" on:click=move |_| modal.close()>"Close"</button>
                </div>
            </form>
        </dialog>
    }
}

/// Which sendouts, how many, and how fast.
fn settings(search: &str, dialogue: Dialogue) -> impl IntoView + use<> {
    let query = TabQuery::parse(Tab::Sendouts, search).unwrap_or_else(|_| TabQuery::all(Tab::Sendouts));
    let range = move || match dialogue.counted.get() {
        Some(Ok(set)) => meant::range(&set.zone, set.from, set.to, set.pin),
        _ => String::new(),
    };
    let number = move || match dialogue.counted.get() {
        None => "counting".to_owned(),
        Some(Ok(set)) => format!("{}, as of {}", count(set.count), set.zone.short(set.pin, set.pin)),
        Some(Err(error)) => format!("could not be counted: {error}"),
    };
    view! {
        <dl class="record-list">
            <div><dt>"Time range"</dt><dd>{range}</dd></div>
            {meant::filters(&query, ALL)}
            <div><dt>"Sendouts"</dt><dd aria-live="polite">{number}</dd></div>
        </dl>
        {move || dialogue.counted.get().and_then(Result::ok).map(|set| advice(&set))}
        {pace(dialogue)}
    }
}

/// What is in the set that one may not expect, and what is not in it.
fn advice(set: &RetrySet) -> AnyView {
    let left_out = match set.deleted {
        0 => None,
        1 => Some("1 that matches is left out: its endpoint was deleted.".to_owned()),
        deleted => Some(format!(
            "{} that match are left out: their endpoint was deleted.",
            count(deleted)
        )),
    };
    if set.count == 0 {
        let words = left_out.unwrap_or_else(|| "None matches, or those that do are on their way.".to_owned());
        return view! { <p>"There is nothing to send again. "{words}</p> }.into_any();
    }
    let off = match set.off {
        0 => None,
        1 => Some("1 of them is for an endpoint that is off: it is sent there all the same.".to_owned()),
        off => Some(format!(
            "{} of them are for an endpoint that is off: they are sent there all the same.",
            count(off)
        )),
    };
    let at = set.zone.short(set.pin, set.pin);
    let taken = (set.succeeded > 0).then(|| {
        let words = match (set.succeeded, set.count) {
            (succeeded, all) if succeeded == all => "All of them have succeeded".to_owned(),
            (1, _) => "1 of them has succeeded".to_owned(),
            (succeeded, _) => format!("{} of them have succeeded", count(succeeded)),
        };
        let advice = ": their endpoints get them once more. To leave those out, set the filter Status first.";
        view! { <p class="notice">{words}{advice}</p> }
    });
    view! {
        {taken}
        {off.map(|words| view! { <p class="notice">{words}</p> })}
        {left_out.map(|words| view! { <p>{words}</p> })}
        <p class="quiet">"What comes or changes after "{at}" is not among them, nor is what is on its way already."</p>
    }
    .into_any()
}

fn pace(dialogue: Dialogue) -> impl IntoView {
    let takes = move || {
        let (set, pace) = (dialogue.set()?, dialogue.pace()?);
        let micros = set.count.saturating_mul(1_000_000) / u64::from(pace);
        let micros = i64::try_from(micros).unwrap_or(i64::MAX);
        // A share of a second is no news.
        Some(match micros {
            ..1_000_000 => "Less than a second.".to_owned(),
            1_000_000..59_500_000 => format!("About {} s at this pace.", (micros + 500_000) / 1_000_000),
            _ => format!("About {} at this pace.", duration(micros.max(60_000_000))),
        })
    };
    view! {
        <div class="retry-pace">
            <label for="retry-pace">"Sendouts per second"</label>
            <input
                id="retry-pace" type="number" inputmode="numeric" min="1" max=MAX_PACE required autocomplete="off" aria-describedby="retry-takes"
                prop:value=dialogue.pace on:input=move |event| dialogue.pace.set(event_target_value(&event))
            />
            <span id="retry-takes" class="quiet">{takes}</span>
        </div>
    }
}

/// That it was begun, and where it can be followed and stopped.
fn begun(project: &str, task: &str, all: u64, pace: u32) -> impl IntoView + use<> {
    let link = NodeRef::<A>::new();
    // The button that was pressed is gone: what is next takes the focus.
    Effect::new(move |_| {
        if let Some(link) = link.get() {
            // It refuses only what is not in the document.
            let _ = link.focus();
        }
    });
    let href = format!("/projects/{project}/tasks/{}", escape(task));
    let sendouts = if all == 1 { "sendout is" } else { "sendouts are" };
    let words = format!(
        "{} {sendouts} sent again in the background, {} a second at most. ",
        count(all),
        count(pace.into())
    );
    view! {
        <p role="status">{words}"How far it got, and a way to stop it, are on the task's page."</p>
        <p><a class="button primary" href=href node_ref=link>"Follow the task"</a></p>
    }
}

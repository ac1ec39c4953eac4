//! The form of a retention: how long logs are kept, and what they say. A change that would delete what is there now is asked about first.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::retention::{Board, kept_for, what_goes};
use crate::api::retention::{WillGo, preview_retention, set_retention};
use crate::app::parts::dialog::Modal;
use crate::app::parts::records::live::say;
use crate::model::format;
use crate::model::retention::{Choice, HALF_YEAR, Kept, MOST_DAYS, YEAR};

/// Values of the choices that are no number of days.
const INSTANCE: &str = "instance";
const OTHER: &str = "other";
const AS_LOGS: &str = "logs";

/// What stands in the form.
#[derive(Clone, Copy)]
struct Fields {
    /// [`INSTANCE`], [`OTHER`], or days.
    logs: RwSignal<String>,
    logs_days: RwSignal<String>,
    /// [`AS_LOGS`], or [`OTHER`].
    bodies: RwSignal<String>,
    bodies_days: RwSignal<String>,
}

impl Fields {
    fn new(choice: Choice) -> Self {
        let text = |days: Option<u32>| days.map(|days| days.to_string()).unwrap_or_default();
        let logs = match choice.logs_days {
            None => INSTANCE.to_owned(),
            Some(days @ (HALF_YEAR | YEAR)) => days.to_string(),
            Some(_) => OTHER.to_owned(),
        };
        let bodies = if choice.bodies_days.is_some() { OTHER } else { AS_LOGS };
        Self {
            logs: RwSignal::new(logs),
            logs_days: RwSignal::new(text(choice.logs_days)),
            bodies: RwSignal::new(bodies.to_owned()),
            bodies_days: RwSignal::new(text(choice.bodies_days)),
        }
    }

    fn wish(self, instance_days: u32) -> Result<Choice, String> {
        let logs_days = match self.logs.get_untracked().as_str() {
            INSTANCE => None,
            OTHER => Some(number("Days of logs", &self.logs_days.get_untracked())?),
            chosen => Some(number("Days of logs", chosen)?),
        };
        let bodies_days = match self.bodies.get_untracked().as_str() {
            AS_LOGS => None,
            _ => Some(number("Days of bodies", &self.bodies_days.get_untracked())?),
        };
        let logs = Kept::of(
            Choice {
                logs_days,
                bodies_days: None,
            },
            instance_days,
        )
        .logs_days;
        if let (Some(bodies), Some(logs)) = (bodies_days, logs)
            && bodies > logs
        {
            return Err(format!(
                "Days of bodies: no more than the logs are kept, {}.",
                kept_for(Some(logs))
            ));
        }
        Ok(Choice { logs_days, bodies_days })
    }
}

fn number(what: &str, text: &str) -> Result<u32, String> {
    let days = text.trim().parse().ok().filter(|days| (1..=MOST_DAYS).contains(days));
    days.ok_or_else(|| format!("{what}: a whole number from 1 to {}.", format::count(MOST_DAYS.into())))
}

/// A change that is asked about.
#[derive(Clone, Copy, PartialEq)]
struct Asked {
    choice: Choice,
    will: WillGo,
}

/// The form.
#[component]
pub fn RetentionForm(
    /// What was chosen when the page was read.
    choice: Choice,
    /// Days that the instance keeps logs where nothing is chosen; 0 for ever.
    instance_days: u32,
    /// What the page shares.
    board: Board,
) -> impl IntoView {
    let fields = Fields::new(choice);
    let (failed, busy) = (RwSignal::new(None::<String>), RwSignal::new(false));
    let (modal, asked) = (Modal::new(), RwSignal::new(None::<Asked>));
    let save = Callback::new(move |choice: Choice| {
        busy.set(true);
        spawn_local(async move {
            let answer = set_retention(board.project(), choice).await;
            busy.try_set(false);
            match answer {
                Ok(task) => {
                    board.again.try_run(());
                    say(if task.is_some() {
                        "Saved. What is older is being deleted"
                    } else {
                        "Saved"
                    });
                }
                // The page may be gone by now.
                Err(error) => {
                    failed.try_set(Some(error.to_string()));
                }
            }
        });
    });
    let send = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        // A button that is disabled loses the focus: this one says so, and does nothing.
        if busy.get_untracked() {
            return;
        }
        let choice = match fields.wish(instance_days) {
            Ok(choice) => choice,
            Err(reason) => return failed.set(Some(reason)),
        };
        failed.set(None);
        busy.set(true);
        spawn_local(async move {
            let will = preview_retention(board.project(), choice.logs_days, choice.bodies_days).await;
            busy.try_set(false);
            match will {
                // What goes with the next purge anyway is not this change's.
                Ok(will) if board.page.try_with_untracked(|page| is_more(&will, &page.now_due)) == Some(true) => {
                    asked.try_set(Some(Asked { choice, will }));
                    modal.open();
                }
                Ok(_) => {
                    save.try_run(choice);
                }
                Err(error) => {
                    failed.try_set(Some(error.to_string()));
                }
            }
        });
    };
    let confirmed = move |_| {
        modal.close();
        if let Some(asked) = asked.get_untracked() {
            save.run(asked.choice);
        }
    };
    let instance = format!(
        "As this instance keeps them: {}",
        kept_for(Some(instance_days).filter(|days| *days > 0))
    );
    let lost = move || asked.get().map(|asked| lost(&asked.will, board));
    view! {
        <form class="settings-form" on:submit=send>
            <label for="logs-kept">"Logs are kept"</label>
            <select id="logs-kept" on:change=move |event| fields.logs.set(event_target_value(&event))>
                {option(fields.logs, INSTANCE.to_owned(), instance)}
                {option(fields.logs, HALF_YEAR.to_string(), kept_for(Some(HALF_YEAR)))}
                {option(fields.logs, YEAR.to_string(), kept_for(Some(YEAR)))}
                {option(fields.logs, OTHER.to_owned(), "Another number of days".to_owned())}
            </select>
            {days(fields.logs, fields.logs_days, "logs-days", "Days of logs")}
            <label for="bodies-kept">"What they say is kept"</label>
            <select id="bodies-kept" on:change=move |event| fields.bodies.set(event_target_value(&event))>
                {option(fields.bodies, AS_LOGS.to_owned(), "As long as the logs".to_owned())}
                {option(fields.bodies, OTHER.to_owned(), "For fewer days".to_owned())}
            </select>
            {days(fields.bodies, fields.bodies_days, "bodies-days", "Days of bodies")}
            <p class="quiet">
                "URLs with their arguments, headers and bodies, and the originals of imports. A log whose bodies are gone says so, "
                "stays in the list with its facts, and is no longer found by text."
            </p>
            {move || failed.get().map(|reason| view! { <p class="notice bad" role="alert">{reason}</p> })}
            <div class="actions">
                <button type="submit" class="button primary needs-scripts" aria-disabled=move || busy.get().then_some("true")>"Save"</button>
            </div>
        </form>
        <dialog id="retention-ask" class="dialog" node_ref=modal.node() aria-labelledby="retention-ask-title" aria-describedby="retention-ask-text">
            <h2 id="retention-ask-title">"Delete what is older?"</h2>
            <div id="retention-ask-text">{lost}</div>
            <div class="actions">
                <button type="button" class="button danger" on:click=confirmed>"Save and delete"</button>
                <button type="button" class="button" autofocus on:click=move |_| modal.close()>"Keep them"</button>
            </div>
        </dialog>
    }
}

/// Whether a change deletes more than is due anyway.
const fn is_more(will: &WillGo, due: &WillGo) -> bool {
    will.logs > due.logs || will.bodies > due.bodies || will.originals > due.originals
}

/// What a change would delete now.
fn lost(will: &WillGo, board: Board) -> impl IntoView + use<> {
    let logs = will.logs_before.filter(|_| will.logs > 0).map(|before| {
        let number = match will.logs {
            1 => "1 log".to_owned(),
            many => format!("{} logs", format::count(many)),
        };
        format!(
            "{number} older than {} will be deleted and cannot be brought back.",
            board.full(before)
        )
    });
    let bodies = will.bodies_before.filter(|_| will.bodies > 0).map(|before| {
        format!(
            "The bodies of about {} {}{} older than {} will be deleted and cannot be brought back; the logs stay.",
            format::count(will.bodies),
            if will.logs > 0 { "more " } else { "" },
            if will.bodies == 1 { "log" } else { "logs" },
            board.full(before)
        )
    });
    let rest = WillGo {
        logs: 0,
        bodies: 0,
        ..*will
    };
    let rest = (!rest.is_nothing()).then(|| format!("So will {}.", what_goes(&rest)));
    [logs, bodies, rest]
        .into_iter()
        .flatten()
        .map(|words| view! { <p>{words}</p> })
        .collect_view()
}

fn option(chosen: RwSignal<String>, value: String, words: String) -> impl IntoView {
    let is_chosen = {
        let value = value.clone();
        move || chosen.with(|chosen| *chosen == value)
    };
    view! { <option value=value prop:selected=is_chosen.clone() selected=is_chosen>{words}</option> }
}

/// A number of days, where none of the others is chosen.
fn days(choice: RwSignal<String>, days: RwSignal<String>, id: &'static str, words: &'static str) -> impl IntoView {
    let is_other = Memo::new(move |_| choice.with(|choice| choice == OTHER));
    move || {
        is_other.get().then(|| {
            view! {
                <label for=id>{words}</label>
                <input
                    id=id class="settings-rate" type="text" inputmode="numeric" autocomplete="off"
                    prop:value=days on:input=move |event| days.set(event_target_value(&event))
                />
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_it_is_meant() {
        let owner = Owner::new();
        owner.set();
        let of = |logs_days, bodies_days| Choice { logs_days, bodies_days };
        for choice in [
            of(None, None),
            of(Some(183), None),
            of(Some(365), Some(30)),
            of(Some(7), Some(7)),
        ] {
            assert_eq!(Fields::new(choice).wish(183), Ok(choice));
        }
        let fields = Fields::new(of(Some(7), Some(8)));
        assert!(fields.wish(183).is_err_and(|reason| reason.contains("7 days")));
        fields.bodies_days.set("many".to_owned());
        assert!(fields.wish(183).is_err_and(|reason| reason.starts_with("Days of bodies")));
        fields.logs_days.set("3651".to_owned());
        assert!(fields.wish(183).is_err_and(|reason| reason.contains("3,650")));
    }

    #[test]
    fn what_is_due_anyway_is_not_asked_about() {
        let will = |logs, bodies| WillGo {
            logs,
            bodies,
            ..WillGo::default()
        };
        assert!(is_more(&will(2, 0), &will(1, 0)));
        assert!(is_more(&will(1, 1), &will(1, 0)));
        assert!(!is_more(&will(1, 0), &will(1, 5)));
    }
}

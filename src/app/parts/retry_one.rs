//! The item Retry of a row's menu in the list of sendouts: sends one once more at once, and says what came of it. Where the schedule is about to send it
//! anyway, it asks first.
//!
//! The row is markup alone: a button with `data-retry="its id"`, and `data-due="when"` where an attempt is due by itself.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::dialog::Modal;
use super::links::project_id;
use super::markup::Escaped;
use super::records::RowContext;
use crate::api::sendouts::retry_sendout;
use crate::model::format::short_id;
use crate::model::sendout::SendoutFacts;

/// The item of a row's menu, for those who may; nothing where there is nowhere to send it, or it is on its way for the first time.
pub fn item(sendout: &SendoutFacts, context: &RowContext, page: &str) -> String {
    if !context.may_work || !sendout.can_retry() {
        return String::new();
    }
    let due = sendout.next_at.filter(|_| !sendout.next_by_hand);
    let due = due.map_or_else(String::new, |at| {
        format!(
            r#" data-due="{}" aria-haspopup="dialog""#,
            Escaped(&context.zone.short(at, context.now))
        )
    });
    format!(
        r#"<li class="needs-scripts"><button type="button" data-retry="{}"{due}>Retry</button></li><li class="without-scripts"><a href="{}#retry">Retry</a></li>"#,
        Escaped(&sendout.id),
        Escaped(page),
    )
}

/// What the parts share.
#[derive(Clone, Copy)]
struct Dialogue {
    project: Memo<String>,
    modal: Modal,
    /// The sendout that is asked about, and when it is due.
    asked: RwSignal<Option<(String, String)>>,
    said: RwSignal<Result<String, String>>,
    now: Callback<()>,
}

impl Dialogue {
    #[cfg_attr(not(feature = "hydrate"), allow(dead_code, reason = "only a browser presses"))]
    fn pressed(self, id: String, due: Option<String>) {
        let Some(due) = due else {
            return self.send(id);
        };
        self.asked.set(Some((id, due)));
        self.modal.open();
    }

    fn send(self, id: String) {
        let name = short_id(&id);
        let project = self.project.get_untracked();
        self.said.set(Ok(format!("{name} is being sent")));
        spawn_local(async move {
            let answer = retry_sendout(project, id).await;
            // The page may be gone by now.
            self.said.try_set(match answer {
                Ok(()) => Ok(format!("{name} is sent again")),
                Err(error) => Err(format!("{name} was not sent again: {error}")),
            });
            self.now.try_run(());
        });
    }
}

/// Listens to the rows, says what came of a press, and asks where that is due.
#[component]
pub fn RetryOne(
    /// Asks for the list again.
    now: Callback<()>,
) -> impl IntoView {
    let dialogue = Dialogue {
        project: project_id(),
        modal: Modal::new(),
        asked: RwSignal::new(None),
        said: RwSignal::new(Ok(String::new())),
        now,
    };
    listen(dialogue);
    let confirmed = move |_| {
        dialogue.modal.close();
        if let Some((id, _)) = dialogue.asked.get_untracked() {
            dialogue.send(id);
        }
    };
    let due = move || dialogue.asked.get().map(|(_, due)| due).unwrap_or_default();
    let said = move || dialogue.said.get().ok();
    let failed = move || {
        dialogue
            .said
            .get()
            .err()
            .map(|reason| view! { <span class="bad" role="alert">{reason}</span> })
    };
    view! {
        <span class="row-said quiet"><span role="status">{said}</span>{failed}</span>
        <dialog
            id="retry-one" class="dialog" node_ref=dialogue.modal.node() aria-labelledby="retry-one-title" aria-describedby="retry-one-text"
        >
            <h2 id="retry-one-title">"Send it now, too?"</h2>
            <p id="retry-one-text">
                "It is sent again by itself at "{due}". Sent now as well, its endpoint may get it twice; once it is taken, the schedule sends it no more."
            </p>
            <div class="actions">
                <button type="button" class="button primary" on:click=confirmed>"Send it now"</button>
                <button type="button" class="button" autofocus on:click=move |_| dialogue.modal.close()>"Leave it"</button>
            </div>
        </dialog>
    }
}

#[cfg(feature = "hydrate")]
fn listen(dialogue: Dialogue) {
    use wasm_bindgen::JsCast;
    use web_sys::{Element, HtmlElement};

    let handle = window_event_listener(leptos::ev::click, move |event| {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let button = target.and_then(|target| target.closest("[data-retry]").ok().flatten());
        let Some((button, id)) = button.and_then(|button| Some((button.clone(), button.get_attribute("data-retry")?))) else {
            return;
        };
        let menu = button.closest("[popover]").ok().flatten();
        if let Some(menu) = menu.and_then(|menu| menu.dyn_into::<HtmlElement>().ok()) {
            // It was open: the button was pressed. The focus goes back to what opened it.
            let _ = menu.hide_popover();
        }
        dialogue.pressed(id, button.get_attribute("data-due"));
    });
    on_cleanup(move || handle.remove());
}

/// Nobody presses anything on the server.
#[cfg(not(feature = "hydrate"))]
fn listen(_dialogue: Dialogue) {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::endpoint::{EndpointState, Source};
    use crate::model::sendout::SendoutStatus;
    use crate::model::zone::Zone;

    fn facts(status: SendoutStatus, endpoint: EndpointState) -> SendoutFacts {
        SendoutFacts {
            id: "so_1".to_owned(),
            event_id: "evt_1".to_owned(),
            kind: "voucher.created".to_owned(),
            status,
            paused: false,
            endpoint_id: "wh_1".to_owned(),
            endpoint,
            target_url: "https://example.com".to_owned(),
            attempts: 1,
            next_at: None,
            next_by_hand: false,
            last_code: None,
            last_error: None,
            duration_us: Some(900),
            request_id: None,
            source: Source::Project,
            created_at: 0,
            executed_at: None,
        }
    }

    #[test]
    fn retry_is_offered_to_those_who_may_where_it_can_be_done() {
        let context = |may_work| RowContext {
            zone: Zone::utc(),
            now: 0,
            path: String::new(),
            arguments: String::new(),
            may_work,
        };
        let failed = facts(SendoutStatus::Failed, EndpointState::On);
        assert!(item(&failed, &context(true), "p").contains(r#"data-retry="so_1""#));
        assert!(!item(&failed, &context(true), "p").contains("data-due"));
        assert_eq!(item(&failed, &context(false), "p"), "");
        assert_eq!(
            item(&facts(SendoutStatus::Failed, EndpointState::Deleted), &context(true), "p"),
            ""
        );
        assert_eq!(
            item(&facts(SendoutStatus::Pending, EndpointState::On), &context(true), "p"),
            ""
        );
        let due = SendoutFacts {
            next_at: Some(60_000),
            ..facts(SendoutStatus::Retrying, EndpointState::On)
        };
        assert!(item(&due, &context(true), "p").contains("data-due"));
    }

    #[test]
    fn what_was_kept_while_an_endpoint_was_off_is_said_so_once_it_is_on() {
        let kept = |endpoint| {
            let kept = SendoutFacts {
                paused: true,
                ..facts(SendoutStatus::Pending, endpoint)
            };
            kept.waits_because()
        };
        assert_eq!(kept(EndpointState::Off), Some("paused: its endpoint is off"));
        assert_eq!(kept(EndpointState::On), Some("kept while its endpoint was off"));
        assert_eq!(kept(EndpointState::Deleted), None);
    }
}

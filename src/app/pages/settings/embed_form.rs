//! The form that embeds a view.
//!
//! To add a field: a signal in [`Fields`], its control in [`EmbedForm`], and its place in [`Fields::wish`].

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::embedding::Board;
use crate::api::embeds::create_embed;
use crate::model::embed::{DEFAULT_DAYS, EmbedWish, MAX_NAME};

/// For how many days a link can hold, and their words.
const ENDS: [(u16, &str); 6] = [
    (1, "In a day"),
    (7, "In 7 days"),
    (30, "In 30 days"),
    (90, "In 90 days"),
    (180, "In 180 days"),
    (365, "In a year"),
];

/// What stands in the form.
#[derive(Clone, Copy)]
struct Fields {
    name: RwSignal<String>,
    view: RwSignal<String>,
    bodies: RwSignal<bool>,
    users: RwSignal<bool>,
    origins: RwSignal<String>,
    days: RwSignal<u16>,
}

impl Fields {
    fn new(view: String) -> Self {
        Self {
            name: RwSignal::new(String::new()),
            view: RwSignal::new(view),
            bodies: RwSignal::new(false),
            users: RwSignal::new(false),
            origins: RwSignal::new(String::new()),
            days: RwSignal::new(DEFAULT_DAYS),
        }
    }

    /// After one was made, nothing of what it shows is left for the next.
    fn clear(self) {
        for text in [self.name, self.origins] {
            text.try_set(String::new());
        }
        for right in [self.bodies, self.users] {
            right.try_set(false);
        }
    }

    fn wish(self) -> EmbedWish {
        EmbedWish {
            name: self.name.get_untracked(),
            view: self.view.get_untracked(),
            bodies: self.bodies.get_untracked(),
            users: self.users.get_untracked(),
            origins: lines(&self.origins.get_untracked()),
            days: self.days.get_untracked(),
        }
    }
}

fn lines(text: &str) -> Vec<String> {
    let words = text.split([',', '\n', ' ']).map(str::trim);
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// The form; where no view can be embedded, what would help.
#[component]
pub fn EmbedForm(
    /// What the page shares.
    board: Board,
    /// The view that somebody came from.
    #[prop(optional_no_strip)]
    chosen: Option<String>,
) -> impl IntoView {
    let views = board.page.with_untracked(|page| page.views.clone());
    let Some((first, _)) = views.first().cloned() else {
        let logs = format!("/projects/{}/logs", board.project());
        return view! {
            <h2 id="embed-title">"Embed a view"</h2>
            <p>
                "There is no view to embed yet. Save one on the "<a href=logs>"Logs tab"</a>", for everyone in the project: set the filters, the time range and the columns, then "
                <b>"Views"</b>", "<b>"Save view…"</b>"."
            </p>
        }
        .into_any();
    };
    let chosen = chosen
        .filter(|id| views.iter().any(|(known, _)| known == id))
        .unwrap_or(first);
    let fields = Fields::new(chosen);
    let (failed, busy) = (RwSignal::new(None::<String>), RwSignal::new(false));
    let send = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        // A button that is disabled loses the focus: this one says so, and does nothing.
        if busy.get_untracked() {
            return;
        }
        failed.set(None);
        busy.set(true);
        spawn_local(async move {
            let answer = create_embed(board.project(), fields.wish()).await;
            busy.try_set(false);
            if board.changed(answer.map(|_| ()), "The view is embedded: its link is in the list", failed) {
                fields.clear();
            }
        });
    };
    let ends = ENDS.map(|(days, words)| {
        view! { <option value=days.to_string() selected=days == DEFAULT_DAYS prop:selected=move || fields.days.get() == days>{words}</option> }
    });
    let choices = views.into_iter().map(|(id, name)| {
        let known = id.clone();
        view! { <option value=id.clone() selected=fields.view.get_untracked() == id prop:selected=move || fields.view.get() == known>{name}</option> }
    });
    view! {
        <h2 id="embed-title">"Embed a view"</h2>
        <form class="settings-form" on:submit=send aria-labelledby="embed-title">
            <label for="embed-name">"Name"</label>
            <input
                id="embed-name" type="text" required maxlength=MAX_NAME.to_string() autocomplete="off" placeholder="Board for Acme"
                prop:value=fields.name on:input=move |event| fields.name.set(event_target_value(&event))
            />
            <p class="quiet">"For you and your project: who holds the link reads the names of the project and of the view."</p>
            <label for="embed-view">"View"</label>
            <select id="embed-view" on:change=move |event| fields.view.set(event_target_value(&event))>{choices.collect_view()}</select>
            {rights(board, fields)}
            <label for="embed-origins">"Pages that may frame it"</label>
            <textarea
                id="embed-origins" class="mono" rows="2" spellcheck="false" autocomplete="off" placeholder="https://shop.example.com"
                prop:value=move || fields.origins.get() on:input=move |event| fields.origins.set(event_target_value(&event))
            ></textarea>
            <p class="quiet">"One a line, with https:// and without a path. With none it is opened by its link alone, and no page frames it."</p>
            <label for="embed-end">"Ends"</label>
            <select id="embed-end" on:change=move |event| fields.days.set(event_target_value(&event).parse().unwrap_or(DEFAULT_DAYS))>{ends}</select>
            {move || failed.get().map(|reason| view! { <p class="notice bad" role="alert">{reason}</p> })}
            <div class="actions">
                <button type="submit" class="button primary needs-scripts" aria-disabled=move || busy.get().then_some("true")>"Embed view"</button>
            </div>
        </form>
    }
    .into_any()
}

/// What its link shows beside the facts: never more than whoever makes it sees.
fn rights(board: Board, fields: Fields) -> impl IntoView {
    let (may_bodies, may_users) = board.page.with_untracked(|page| (page.may_bodies, page.may_users));
    let tick = |right: RwSignal<bool>, may: bool, words: &'static str, what: &'static str| {
        view! {
            <label class="tick">
                <input type="checkbox" disabled=!may prop:checked=move || right.get() on:change=move |event| right.set(event_target_checked(&event))/>
                <span>{words}" "<span class="quiet">{what}</span></span>
            </label>
        }
    };
    let closed = (!may_bodies || !may_users).then(|| {
        view! { <p class="quiet">"What is closed here your role in this project may not see itself; an owner can open it."</p> }
    });
    view! {
        <fieldset class="scopes">
            <legend>"Shows, beside the facts"</legend>
            {tick(fields.bodies, may_bodies, "Headers and bodies", "of a log that is opened, with the whole URL and the user agent")}
            {tick(fields.users, may_users, "Who did it", "users, keys by name, and the IP address of a log that is opened")}
        </fieldset>
        <p class="quiet">"Facts are the view's columns, and of a log that is opened its method, path, status, times, request ID, resource and task."</p>
        {closed}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_come_one_a_line_or_otherwise_apart() {
        assert_eq!(
            lines(" https://a.example,\nhttps://b.example \n"),
            ["https://a.example", "https://b.example"]
        );
        assert!(lines(" \n").is_empty());
    }

    #[test]
    fn the_usual_end_is_among_those_on_offer() {
        assert!(ENDS.iter().any(|(days, _)| *days == DEFAULT_DAYS));
        let bounds = crate::model::embed::DAYS;
        assert!(ENDS.iter().all(|(days, _)| (bounds.0..=bounds.1).contains(days)));
    }
}

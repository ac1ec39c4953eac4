//! The form of a key: to add one, and to change one.
//!
//! To add a field: a signal in [`Fields`], its control in [`KeyForm`], and its place in [`Fields::wish`].

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::keys::{FreshKey, change_key, create_key};
use crate::model::format;
use crate::model::key::{KeyFacts, KeyWish};
use crate::model::rights::Scope;

const DAY_MS: i64 = 86_400_000;
/// When a key can be made to end: days from now, and their words.
const ENDS: [(i64, &str); 5] = [
    (0, "Never"),
    (7, "In 7 days"),
    (30, "In 30 days"),
    (90, "In 90 days"),
    (365, "In a year"),
];
/// Leaves a key's end as it is.
const AS_IT_IS: i64 = -1;
/// What a client-side key may do.
const CLIENT: [Scope; 2] = [Scope::LogsWrite, Scope::EventsWrite];

/// What stands in the form.
#[derive(Clone, Copy)]
struct Fields {
    name: RwSignal<String>,
    is_client: RwSignal<bool>,
    scopes: RwSignal<Vec<Scope>>,
    origins: RwSignal<String>,
    calls: RwSignal<String>,
    /// Days from now, 0 for never, or [`AS_IT_IS`].
    end: RwSignal<i64>,
}

impl Fields {
    fn new(of: Option<&KeyFacts>) -> Self {
        let origins = of.and_then(|facts| facts.origins.as_ref());
        let calls = of.and_then(|facts| facts.calls_a_minute);
        Self {
            name: RwSignal::new(of.map(|facts| facts.name.clone()).unwrap_or_default()),
            is_client: RwSignal::new(origins.is_some()),
            scopes: RwSignal::new(of.map(|facts| facts.scopes.clone()).unwrap_or_default()),
            origins: RwSignal::new(origins.map(|origins| origins.join("\n")).unwrap_or_default()),
            calls: RwSignal::new(calls.map(|calls| calls.to_string()).unwrap_or_default()),
            end: RwSignal::new(if of.is_some() { AS_IT_IS } else { 0 }),
        }
    }

    fn clear(self) {
        for field in [self.name, self.origins, self.calls] {
            field.try_set(String::new());
        }
        self.scopes.try_set(Vec::new());
        self.end.try_set(0);
    }

    fn wish(self, of: Option<&KeyFacts>, now: i64) -> Result<KeyWish, String> {
        let name = self.name.get_untracked().trim().to_owned();
        if name.is_empty() {
            return Err("Name: say what the key is called.".to_owned());
        }
        let is_client = self.is_client.get_untracked();
        let mut scopes = self.scopes.get_untracked();
        scopes.retain(|scope| !is_client || CLIENT.contains(scope));
        if scopes.is_empty() {
            return Err("Scopes: choose at least one.".to_owned());
        }
        let origins = is_client.then(|| lines(&self.origins.get_untracked()));
        if origins.as_ref().is_some_and(Vec::is_empty) {
            return Err("Origins: name at least one, such as https://shop.example.com.".to_owned());
        }
        let expires_at = match self.end.get_untracked() {
            AS_IT_IS => of.and_then(|facts| facts.expires_at),
            0 => None,
            days => Some(now + days * DAY_MS),
        };
        Ok(KeyWish {
            name,
            scopes,
            origins,
            calls_a_minute: calls(&self.calls.get_untracked())?,
            expires_at,
        })
    }
}

fn lines(text: &str) -> Vec<String> {
    text.split([',', '\n', ' '])
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Calls a minute, or none of its own.
fn calls(text: &str) -> Result<Option<u32>, String> {
    match text.trim() {
        "" => Ok(None),
        text => match text.parse() {
            Ok(calls) if calls > 0 => Ok(Some(calls)),
            _ => Err("Calls a minute: a whole number from 1, or nothing for what every key has.".to_owned()),
        },
    }
}

/// What a scope lets a key do.
const fn words(scope: Scope) -> &'static str {
    match scope {
        Scope::Read => "lists and details",
        Scope::ReadBodies => "bodies, headers, text search, originals",
        Scope::LogsWrite => "sends logs",
        Scope::TasksWrite => "reports tasks",
        Scope::ExportsWrite => "makes, downloads and deletes exports",
        Scope::WebhooksWrite => "endpoints and retries",
        Scope::EventsWrite => "posts events",
    }
}

/// The form; it adds a key where there is none to change.
#[component]
pub fn KeyForm(
    /// The project.
    project: String,
    /// The server's time when the page was read.
    now: i64,
    /// Calls a minute of a key that has none of its own.
    calls: u32,
    /// The key to change.
    #[prop(optional_no_strip)]
    of: Option<KeyFacts>,
    /// It was made or changed: the token, where there is a new one.
    done: Callback<Option<FreshKey>>,
    /// Leaves it as it is.
    #[prop(optional_no_strip)]
    keep: Option<Callback<()>>,
) -> impl IntoView {
    let fields = Fields::new(of.as_ref());
    let (failed, busy) = (RwSignal::new(None::<String>), RwSignal::new(false));
    let is_new = of.is_none();
    let prefix = of.as_ref().map_or_else(|| "new".to_owned(), |facts| facts.app_id.clone());
    let at = move |field: &str| format!("{prefix}-{field}");
    let known = of.clone();
    let send = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        // A button that is disabled loses the focus: this one says so, and does nothing.
        if busy.get_untracked() {
            return;
        }
        let wish = match fields.wish(known.as_ref(), now) {
            Ok(wish) => wish,
            Err(reason) => return failed.set(Some(reason)),
        };
        failed.set(None);
        busy.set(true);
        let (project, id) = (project.clone(), known.as_ref().map(|facts| facts.app_id.clone()));
        spawn_local(async move {
            let answer = match id {
                Some(id) => change_key(project, id, wish).await.map(|()| None),
                None => create_key(project, wish).await.map(Some),
            };
            busy.try_set(false);
            match answer {
                Ok(fresh) => {
                    if fresh.is_some() {
                        fields.clear();
                    }
                    done.try_run(fresh);
                }
                // The page may be gone by now.
                Err(error) => {
                    failed.try_set(Some(error.to_string()));
                }
            }
        });
    };
    let kind = is_new.then(|| kinds(fields, at("kind")));
    let scopes = move || {
        let offered: &[Scope] = if fields.is_client.get() { &CLIENT } else { &Scope::ALL };
        offered.iter().map(|scope| tick(*scope, fields)).collect_view()
    };
    let at_origins = at.clone();
    let origins = move || {
        fields.is_client.get().then(|| {
            let text = move || fields.origins.get();
            let id = at_origins("origins");
            view! {
                <label for=id.clone()>"Origins"</label>
                <textarea
                    id=id class="mono" rows="2" spellcheck="false" autocomplete="off" placeholder="https://shop.example.com"
                    prop:value=text on:input=move |event| fields.origins.set(event_target_value(&event))
                ></textarea>
                <p class="quiet">"One a line. The key is taken from pages of these alone."</p>
            }
        })
    };
    let ends = ends(of.as_ref(), fields);
    let text = format!("{} as every key", format::count(calls.into()));
    view! {
        <form class="settings-form" on:submit=send>
            <label for=at("name")>"Name"</label>
            <input
                id=at("name") type="text" required maxlength="100" autocomplete="off"
                prop:value=fields.name on:input=move |event| fields.name.set(event_target_value(&event))
            />
            {kind}
            <fieldset class="scopes"><legend>"Scopes"</legend>{scopes}</fieldset>
            {origins}
            <label for=at("end")>"Expires"</label>
            <select id=at("end") on:change=move |event| fields.end.set(event_target_value(&event).parse().unwrap_or(0))>{ends}</select>
            <label for=at("calls")>"Calls a minute"</label>
            <input
                id=at("calls") class="settings-rate" type="text" inputmode="numeric" placeholder=text autocomplete="off"
                prop:value=fields.calls on:input=move |event| fields.calls.set(event_target_value(&event))
            />
            {move || failed.get().map(|reason| view! { <p class="notice bad" role="alert">{reason}</p> })}
            <div class="actions">
                <button type="submit" class="button primary needs-scripts" aria-disabled=move || busy.get().then_some("true")>
                    {if is_new { "Add key" } else { "Save" }}
                </button>
                {keep.map(|keep| view! { <button type="button" class="button" on:click=move |_| keep.run(())>"Cancel"</button> })}
            </div>
        </form>
    }
}

fn kinds(fields: Fields, id: String) -> impl IntoView {
    let choose = move |event| fields.is_client.set(event_target_value(&event) == "client");
    view! {
        <label for=id.clone()>"Kind"</label>
        <select id=id on:change=choose>
            <option value="server">"Server-side: held by your servers"</option>
            <option value="client">"Client-side: held by browsers, only sends"</option>
        </select>
    }
}

fn tick(scope: Scope, fields: Fields) -> impl IntoView {
    let is_chosen = move || fields.scopes.with(|scopes| scopes.contains(&scope));
    let turn = move |event| {
        let is_on = event_target_checked(&event);
        fields.scopes.update(|scopes| {
            scopes.retain(|known| *known != scope);
            if is_on {
                scopes.push(scope);
            }
        });
    };
    view! {
        <label class="tick">
            <input type="checkbox" prop:checked=is_chosen on:change=turn/>
            <span><span class="mono">{scope.as_str()}</span>" "<span class="quiet">{words(scope)}</span></span>
        </label>
    }
}

fn ends(of: Option<&KeyFacts>, fields: Fields) -> impl IntoView + use<> {
    let kept = of.map(|_| view! { <option value=AS_IT_IS.to_string() selected=true>"As it is"</option> });
    let is_chosen = move |days: i64| fields.end.get() == days;
    let choices =
        ENDS.map(|(days, words)| view! { <option value=days.to_string() prop:selected=move || is_chosen(days)>{words}</option> });
    (kept, choices)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_it_is_meant() {
        assert_eq!(
            lines(" https://a.example,\nhttps://b.example "),
            ["https://a.example", "https://b.example"]
        );
        assert_eq!(calls(" "), Ok(None));
        assert_eq!(calls("600"), Ok(Some(600)));
        for bad in ["0", "-1", "1.5", "many"] {
            assert!(calls(bad).is_err(), "{bad}");
        }
    }
}

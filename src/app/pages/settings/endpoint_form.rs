//! The form of an endpoint: to add one, and to change one.
//!
//! To add a field: a signal in [`Fields`], its control in [`EndpointForm`], and its place in [`Fields::wish`].

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::webhooks::{EndpointWish, FreshSecret, create_endpoint, update_endpoint};
use crate::model::endpoint::{EndpointFacts, Source};

/// What stands in the form.
#[derive(Clone, Copy)]
struct Fields {
    target_url: RwSignal<String>,
    events: RwSignal<String>,
    source: RwSignal<Source>,
    /// `None` for whoever may not see them.
    headers: RwSignal<Option<String>>,
    description: RwSignal<String>,
    rate_limit: RwSignal<String>,
}

impl Fields {
    fn new(of: Option<&EndpointFacts>) -> Self {
        let text = |read: fn(&EndpointFacts) -> String| RwSignal::new(of.map(read).unwrap_or_default());
        let headers = match of {
            Some(facts) if facts.has_headers => facts.headers.as_deref().map(lines),
            _ => Some(String::new()),
        };
        Self {
            target_url: text(|facts| facts.target_url.clone()),
            events: text(|facts| facts.events.join(", ")),
            source: RwSignal::new(of.map(|facts| facts.source).unwrap_or_default()),
            headers: RwSignal::new(headers),
            description: text(|facts| facts.description.clone()),
            rate_limit: text(|facts| facts.rate_limit.map(|rate| rate.to_string()).unwrap_or_default()),
        }
    }

    fn clear(self) {
        for field in [self.target_url, self.events, self.description, self.rate_limit] {
            field.try_set(String::new());
        }
        self.headers.try_set(Some(String::new()));
    }

    fn wish(self) -> Result<EndpointWish, String> {
        let target_url = self.target_url.get_untracked().trim().to_owned();
        if target_url.is_empty() {
            return Err("Target URL: say where events are to be sent.".to_owned());
        }
        let headers = self.headers.get_untracked();
        Ok(EndpointWish {
            target_url: Some(target_url),
            events: Some(types(&self.events.get_untracked())?),
            source: Some(self.source.get_untracked()),
            headers: headers.map(|text| pairs(&text)).transpose()?,
            description: Some(self.description.get_untracked().trim().to_owned()),
            rate_limit: Some(rate(&self.rate_limit.get_untracked())?),
            ..EndpointWish::default()
        })
    }
}

fn lines(headers: &[(String, String)]) -> String {
    let lines: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    lines.join("\n")
}

/// `voucher.created, customer.*` as its parts.
fn types(text: &str) -> Result<Vec<String>, String> {
    let types: Vec<String> = text
        .split([',', '\n'])
        .map(str::trim)
        .filter(|kind| !kind.is_empty())
        .map(str::to_owned)
        .collect();
    if types.is_empty() {
        return Err("Event types: name at least one, or * for all.".to_owned());
    }
    Ok(types)
}

/// Lines `Name: value` as pairs.
fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    let filled = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    filled
        .map(|(at, line)| match line.split_once(':') {
            Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.trim().to_owned())),
            // The line itself may hold a secret: its number says enough.
            _ => Err(format!("Own headers: line {} is not \"Name: value\".", at + 1)),
        })
        .collect()
}

/// Requests a second, 0 for as many as it takes.
fn rate(text: &str) -> Result<u32, String> {
    match text.trim() {
        "" => Ok(0),
        text => match text.parse() {
            Ok(rate) if rate > 0 => Ok(rate),
            _ => Err("Rate limit: a whole number of requests a second from 1, or nothing for no limit.".to_owned()),
        },
    }
}

/// The form; it adds an endpoint where there is none to change.
#[component]
pub fn EndpointForm(
    /// The project.
    project: String,
    /// The endpoint to change.
    #[prop(optional_no_strip)]
    of: Option<EndpointFacts>,
    /// It was made or changed: the secret, where there is a new one.
    done: Callback<Option<FreshSecret>>,
    /// Leaves it as it is.
    #[prop(optional_no_strip)]
    keep: Option<Callback<()>>,
) -> impl IntoView {
    let fields = Fields::new(of.as_ref());
    let (failed, busy) = (RwSignal::new(None::<String>), RwSignal::new(false));
    let id = of.as_ref().map(|facts| facts.id.clone());
    let prefix = id.clone().unwrap_or_else(|| "new".to_owned());
    let at = move |field: &str| format!("{prefix}-{field}");
    let words = if id.is_some() { "Save" } else { "Add endpoint" };
    let send = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        // A button that is disabled loses the focus: this one says so, and does nothing.
        if busy.get_untracked() {
            return;
        }
        let wish = match fields.wish() {
            Ok(wish) => wish,
            Err(reason) => return failed.set(Some(reason)),
        };
        failed.set(None);
        busy.set(true);
        let (project, id) = (project.clone(), id.clone());
        spawn_local(async move {
            let answer = match id {
                Some(id) => update_endpoint(project, id, wish).await.map(|()| None),
                None => create_endpoint(project, wish).await.map(Some),
            };
            busy.try_set(false);
            match answer {
                Ok(secret) => {
                    if secret.is_some() {
                        fields.clear();
                    }
                    done.try_run(secret);
                }
                // The page may be gone by now.
                Err(error) => {
                    failed.try_set(Some(error.to_string()));
                }
            }
        });
    };
    let chosen = fields.source.get_untracked();
    let sources =
        Source::ALL.map(|source| view! { <option value=source.as_str() selected=source == chosen>{source.label()}</option> });
    let choose = move |event| {
        fields
            .source
            .set(Source::parse(&event_target_value(&event)).unwrap_or_default());
    };
    let headers = if fields.headers.with_untracked(Option::is_some) {
        let text = move || fields.headers.get().unwrap_or_default();
        view! {
            <textarea
                id=at("headers") class="mono" rows="3" spellcheck="false" autocomplete="off" aria-describedby=at("headers-why")
                prop:value=text on:input=move |event| fields.headers.set(Some(event_target_value(&event)))
            ></textarea>
            <p id=at("headers-why") class="quiet">"One a line: "<code>"Name: value"</code>". Kept encrypted, and sent with every event."</p>
        }
        .into_any()
    } else {
        view! { <p id=at("headers")>"It has headers of its own, which your role may not see. They stay as they are."</p> }
            .into_any()
    };
    view! {
        <form class="settings-form" on:submit=send>
            <label for=at("url")>"Target URL"</label>
            <input
                id=at("url") type="url" required maxlength="2048" placeholder="https://example.com/hooks" autocomplete="off"
                prop:value=fields.target_url on:input=move |event| fields.target_url.set(event_target_value(&event))
            />
            <label for=at("events")>"Event types"</label>
            <input
                id=at("events") class="mono" type="text" required placeholder="voucher.created, customer.*" autocomplete="off" spellcheck="false"
                aria-describedby=at("events-why")
                prop:value=fields.events on:input=move |event| fields.events.set(event_target_value(&event))
            />
            <p id=at("events-why") class="quiet">
                "Separated by commas: exact, all that begin so ("<code>"voucher.*"</code>"), or everything ("<code>"*"</code>")."
            </p>
            <label for=at("source")>"Source"</label>
            <select id=at("source") on:change=choose>{sources}</select>
            <label for=at("headers")>"Own headers"</label>
            {headers}
            <label for=at("description")>"Description"</label>
            <input
                id=at("description") type="text" maxlength="1000" autocomplete="off"
                prop:value=fields.description on:input=move |event| fields.description.set(event_target_value(&event))
            />
            <label for=at("rate")>"Rate limit per second"</label>
            <input
                id=at("rate") class="settings-rate" type="text" inputmode="numeric" placeholder="none" autocomplete="off"
                prop:value=fields.rate_limit on:input=move |event| fields.rate_limit.set(event_target_value(&event))
            />
            {move || failed.get().map(|reason| view! { <p class="notice bad" role="alert">{reason}</p> })}
            <div class="actions">
                <button type="submit" class="button primary needs-scripts" aria-disabled=move || busy.get().then_some("true")>{words}</button>
                {keep.map(|keep| view! { <button type="button" class="button" on:click=move |_| keep.run(())>"Cancel"</button> })}
            </div>
        </form>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_it_is_meant() {
        assert_eq!(types(" voucher.*, a.b ,").unwrap(), ["voucher.*", "a.b"]);
        assert!(types(" , ").is_err());
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(pairs("A: b:c\n\n X:\n").unwrap(), [header("A", "b:c"), header("X", "")]);
        assert!(pairs("A: b\nhunter2").unwrap_err().contains("line 2"));
        assert_eq!(rate(" ").unwrap(), 0);
        assert_eq!(rate("25").unwrap(), 25);
        for bad in ["0", "-1", "1.5", "many"] {
            assert!(rate(bad).is_err(), "{bad}");
        }
    }
}

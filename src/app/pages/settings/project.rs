//! The settings page of a project itself: its name, its time zone, its route templates, and its deletion.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::projects::{ProjectPage, change_project, delete_project, project_page};
use crate::app::parts::awaited::answered;
use crate::app::parts::dialog::Modal;
use crate::app::parts::links::project_id;
use crate::app::parts::records::live::say;
use crate::app::parts::states::Problem;
use crate::app::parts::title::Title;
use crate::model::format;
use crate::model::project::{Holdings, ProjectWish};
use crate::model::retention::{OWN_DAYS, days};

/// The page.
#[component]
pub fn Project() -> impl IntoView {
    let project = project_id();
    let (refresh, set_refresh) = signal(0_u32);
    let page = Resource::new(move || (project.get(), refresh.get()), |(project, _)| project_page(project));
    let again = Callback::new(move |()| set_refresh.update(|count| *count = count.wrapping_add(1)));
    view! {
        <Title text="Project · audit-log"/>
        <main id="content" class="form-page settings">
            <h1>"Project"</h1>
            <Transition>
                {answered(page, move |page| match page {
                    Ok(page) => view! { <Whole page/> }.into_any(),
                    Err(error) => view! { <Problem error again clear="?"/> }.into_any(),
                })}
            </Transition>
        </main>
    }
}

#[component]
fn Whole(page: ProjectPage) -> impl IntoView {
    let name = page.project.name.clone();
    view! {
        <p class="quiet">"Id "<span class="mono">{page.id.clone()}</span>": what commands and calls name it by."</p>
        <Form id=page.id.clone() project=page.project/>
        <h2>"Delete the project"</h2>
        <p>"It is gone for everybody at once, and nobody can bring it back: "{held(page.holdings)}", with every event and sendout."</p>
        <p class="quiet">{stays()}</p>
        <Delete id=page.id name/>
    }
}

/// What is not deleted.
fn stays() -> String {
    format!(
        "The record of what people did in it stays for a year ({}), or longer where its logs are kept longer: whoever runs this server can read it, nobody else.",
        days(OWN_DAYS)
    )
}

fn held(holdings: Holdings) -> String {
    let some = |count: i64, one: &str, more: &str| {
        let count = count.max(0) as u64;
        format!("{} {}", format::count(count), if count == 1 { one } else { more })
    };
    [
        some(holdings.logs, "log", "logs"),
        some(holdings.tasks, "background task", "background tasks"),
        some(holdings.exports, "export", "exports"),
        some(holdings.endpoints, "webhook endpoint", "webhook endpoints"),
        some(holdings.keys, "API key", "API keys"),
        some(holdings.members, "member", "members"),
    ]
    .join(", ")
}

#[component]
fn Form(id: String, project: ProjectWish) -> impl IntoView {
    let name = RwSignal::new(project.name);
    let zone = RwSignal::new(project.time_zone);
    let templates = RwSignal::new(project.templates.join("\n"));
    let (failed, busy) = (RwSignal::new(None::<String>), RwSignal::new(false));
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        let wish = ProjectWish {
            name: name.get_untracked(),
            time_zone: zone.get_untracked(),
            templates: lines(&templates.get_untracked()),
        };
        failed.set(None);
        busy.set(true);
        let id = id.clone();
        spawn_local(async move {
            let answer = change_project(id, wish).await;
            busy.try_set(false);
            match answer {
                Ok(()) => say("The project is saved"),
                // The page may be gone by now.
                Err(error) => {
                    failed.try_set(Some(error.to_string()));
                }
            }
        });
    };
    view! {
        <form class="settings-form" on:submit=send>
            <label for="name">"Name"</label>
            <input
                id="name" type="text" required maxlength="100" autocomplete="off"
                prop:value=name value=name.get_untracked() on:input=move |event| name.set(event_target_value(&event))
            />
            <label for="zone">"Time zone"</label>
            <input
                id="zone" type="text" required autocomplete="off" spellcheck="false" aria-describedby="zone-words"
                prop:value=zone value=zone.get_untracked() on:input=move |event| zone.set(event_target_value(&event))
            />
            <p class="quiet" id="zone-words">"An IANA name, such as Europe/Berlin: what its people mean by \"Project\" among the zones."</p>
            <label for="templates">"Route templates"</label>
            <textarea
                id="templates" class="mono" rows="6" spellcheck="false" autocomplete="off" placeholder="/v1/vouchers/{code}/redemption"
                aria-describedby="templates-words" prop:value=templates on:input=move |event| templates.set(event_target_value(&event))
            >{templates.get_untracked()}</textarea>
            <p class="quiet" id="templates-words">
                "Name the endpoints of logs that come from now on: one a line, a method before it or none. The first that fits is taken; where none does, segments that look like values become "
                <code>"{id}"</code>"."
            </p>
            {move || failed.get().map(|reason| view! { <p class="notice bad" role="alert">{reason}</p> })}
            <div class="actions">
                <button type="submit" class="button primary needs-scripts" aria-disabled=move || busy.get().then_some("true")>"Save"</button>
            </div>
        </form>
    }
}

fn lines(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(str::to_owned).collect()
}

/// Asks for the name before it deletes.
#[component]
fn Delete(id: String, name: String) -> impl IntoView {
    let modal = Modal::new();
    let typed = RwSignal::new(String::new());
    let (failed, busy) = (RwSignal::new(None::<String>), RwSignal::new(false));
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        failed.set(None);
        busy.set(true);
        let id = id.clone();
        spawn_local(async move {
            match delete_project(id, typed.get_untracked()).await {
                // Nothing on this page is there any more.
                Ok(()) => {
                    let _ = window().location().assign("/");
                }
                Err(error) => {
                    busy.try_set(false);
                    failed.try_set(Some(error.to_string()));
                }
            }
        });
    };
    view! {
        <div class="actions">
            <button type="button" class="button danger needs-scripts" aria-haspopup="dialog" on:click=move |_| modal.open()>"Delete the project"</button>
        </div>
        <dialog id="delete-project" class="dialog" node_ref=modal.node() aria-labelledby="delete-project-title">
            <form on:submit=send>
                <h2 id="delete-project-title">"Delete this project?"</h2>
                <p><label for="delete-name">"Type its name, "<strong>{name}</strong>", to delete it with all that it holds"</label></p>
                <p class="quiet">{stays()}</p>
                <p>
                    <input
                        id="delete-name" type="text" required autocomplete="off" spellcheck="false"
                        prop:value=typed on:input=move |event| typed.set(event_target_value(&event))
                    />
                </p>
                {move || failed.get().map(|reason| view! { <p class="notice bad" role="alert">{reason}</p> })}
                <div class="actions">
                    <button type="submit" class="button danger" aria-disabled=move || busy.get().then_some("true")>"Delete it"</button>
                    <button type="button" class="button" on:click=move |_| modal.close()>"Keep it"</button>
                </div>
            </form>
        </dialog>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_is_counted_in_words() {
        let holdings = Holdings {
            logs: 12_345,
            tasks: 1,
            exports: 0,
            endpoints: 2,
            keys: 1,
            members: 3,
        };
        assert_eq!(
            held(holdings),
            "12,345 logs, 1 background task, 0 exports, 2 webhook endpoints, 1 API key, 3 members"
        );
        assert_eq!(lines(" /a \n\n GET /b\n"), ["/a", "GET /b"]);
    }
}

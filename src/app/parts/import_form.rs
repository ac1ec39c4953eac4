//! Bringing logs in from a file: a plain form that leads to the import's task. Works without scripts.

use leptos::prelude::*;

use super::frame::FrameResource;
use super::links::project_id;
use crate::model::rights::Role;

/// The button, and the form that it opens; nothing for those who may not import.
#[component]
pub fn ImportForm() -> impl IntoView {
    let project = project_id();
    let facts = use_context::<FrameResource>();
    let may = move || {
        let facts = facts?.get()?.ok()?;
        let here = facts.projects.into_iter().find(|known| known.id == project.get())?;
        (here.role != Role::Auditor).then_some(())
    };
    let action = move || format!("/projects/{}/tasks/import", project.get());
    view! {
        <Transition>
            {move || may().map(|()| view! {
                <button type="button" class="button quiet-button" popovertarget="import">"Import"</button>
                <div id="import" class="panel end import" popover role="group" aria-label="Import logs">
                    <form method="post" action=action enctype="multipart/form-data">
                        <p class="menu-title">"Import logs from a file"</p>
                        <label for="import-file">"File"</label>
                        <input id="import-file" type="file" name="file" required accept=".csv,.ndjson,.jsonl,.json,.har"/>
                        <p class="quiet">
                            "CSV with an export's header, NDJSON, or HAR 1.2; at most 2 GB. What is wrong with a record is told, and the others are taken."
                        </p>
                        <label class="tick">
                            <input type="checkbox" name="csv_formulas" value="guarded" aria-describedby="import-guard"/>
                            "Formulas are guarded"
                        </label>
                        <p id="import-guard" class="quiet">
                            "For a CSV that was exported with Guard formulas: the ' in front of such cells is taken away."
                        </p>
                        <div class="actions"><button type="submit" class="button primary">"Import"</button></div>
                    </form>
                </div>
            })}
        </Transition>
    }
}

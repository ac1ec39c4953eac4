//! The second step of signing in: a plain form, which needs no scripts (`server/http/second.rs`).

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::app::parts::brand::Brand;
use crate::app::parts::title::Title;

/// The page that asks for the code.
#[component]
pub fn Code() -> impl IntoView {
    let arguments = use_query_map();
    let next = move || arguments.with(|map| map.get("next")).unwrap_or_default();
    let is_wrong = move || arguments.with(|map| map.get("error")).is_some();
    view! {
        <Title text="Code · audit-log"/>
        <main id="content" class="sign-in">
            <Brand/>
            <h1>"Code"</h1>
            {move || is_wrong().then(|| view! {
                <p class="notice bad" role="alert" id="problem">"The code is wrong, or was used already. Wait for the next one, and try again."</p>
            })}
            <form method="post" action="/sign-in/code" class="column">
                <input type="hidden" name="next" value=next/>
                <label for="code">"Code of your authenticator"</label>
                <input
                    id="code" type="text" name="code" required autofocus autocomplete="one-time-code" spellcheck="false" maxlength="40"
                    aria-describedby=move || if is_wrong() { "problem code-words" } else { "code-words" }
                />
                <p class="quiet" id="code-words">"Six digits, or one of your recovery codes."</p>
                <button type="submit" class="button primary">"Sign in"</button>
            </form>
            <p class="quiet">"Lost both? Whoever runs this server turns the second factor off with "<code>"audit-log user reset"</code>"."</p>
        </main>
    }
}

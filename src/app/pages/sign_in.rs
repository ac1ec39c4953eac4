//! Signing in: a plain form, which needs no scripts.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::api::frame::sign_in_facts;
use crate::app::parts::brand::Brand;
use crate::app::parts::title::Title;
use crate::model::query::escape;

/// The page that asks who you are.
#[component]
pub fn SignIn() -> impl IntoView {
    let facts = Resource::new_blocking(|| (), |()| sign_in_facts());
    let arguments = use_query_map();
    let next = move || arguments.with(|map| map.get("next")).unwrap_or_default();
    let email = move || arguments.with(|map| map.get("email")).unwrap_or_default();
    let by_provider = move || format!("/sign-in/oidc?next={}", escape(&next()));
    let everywhere = move || arguments.with(|map| map.get("done")).is_some_and(|word| word == "everywhere");
    let problem = move || arguments.with(|map| map.get("error")).map(|code| problem_text(&code));
    view! {
        <Title text="Sign in · audit-log"/>
        <main id="content" class="sign-in">
            <Brand/>
            <h1>"Sign in"</h1>
            {move || everywhere().then(|| view! { <p class="notice" role="status">"You are signed out everywhere."</p> })}
            {move || problem().map(|text| view! { <p class="notice bad" role="alert" id="problem">{text}</p> })}
            <form method="post" action="/sign-in" class="column">
                <input type="hidden" name="next" value=next/>
                <label for="email">"E-mail"</label>
                <input
                    id="email" type="email" name="email" value=email required autocomplete="username" autofocus
                    aria-describedby=move || problem().map(|_| "problem")
                />
                <label for="password">"Password"</label>
                <input id="password" type="password" name="password" required autocomplete="current-password"/>
                <button type="submit" class="button primary">"Sign in"</button>
            </form>
            <Suspense>
                {move || Suspend::new(async move {
                    let facts = facts.await.ok();
                    let (demo, oidc) = facts.map(|facts| (facts.demo, facts.oidc)).unwrap_or_default();
                    view! {
                        {oidc.map(|name| view! {
                            // A link: the policy lets no form lead to another site.
                            <p class="column demo"><a class="button" href=by_provider rel="external">{format!("Sign in with {name}")}</a></p>
                        })}
                        {demo.then(|| view! {
                            <form method="post" action="/sign-in/demo" class="column demo">
                                <input type="hidden" name="next" value=next/>
                                <p>"This server shows a demo project with recorded traffic of an imaginary loyalty API."</p>
                                <button type="submit" class="button">"Look at the demo"</button>
                            </form>
                        })}
                    }
                })}
            </Suspense>
            <p class="quiet">
                "No account? An owner of a project invites you by a link, or whoever runs this server adds you with "
                <code>"audit-log user add"</code>"."
            </p>
        </main>
    }
}

/// What went wrong, from the code that the sign-in form was answered with.
fn problem_text(code: &str) -> &'static str {
    match code {
        "wrong" => "The e-mail address or the password is wrong. Try again.",
        "late" => "The code came too late. Sign in once more.",
        "slow" => "Too many attempts. Wait a minute, then try again.",
        "oidc-off" => "No identity provider is configured here. Sign in with your password.",
        "oidc-lost" => "That sign-in was not begun here, or took too long. Try again.",
        "oidc-email" => "Your identity provider does not vouch for your e-mail address. Whoever runs it can have it verified.",
        "oidc-refused" => "Your identity provider did not let you in. Try again, or ask whoever runs it.",
        "oidc-failed" => {
            "Your identity provider did not answer as it should. Try again in a moment, or sign in with your password."
        }
        "demo" => "The demo's sign-in works on this machine alone.",
        _ => "You could not be signed in. Try again in a moment.",
    }
}

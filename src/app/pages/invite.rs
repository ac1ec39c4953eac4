//! An invitation, as whoever opens its link sees it: a plain form, which needs no scripts (`server/http/invite.rs`).

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::api::account::{Invitation, Joining, invitation};
use crate::app::pages::account::role_words;
use crate::app::parts::brand::Brand;
use crate::app::parts::states::Problem;
use crate::app::parts::title::Title;
use crate::model::zone::rfc3339;

/// The page of an invitation.
#[component]
pub fn Invite() -> impl IntoView {
    let arguments = use_query_map();
    let token = Memo::new(move |_| arguments.with(|map| map.get("token")).unwrap_or_default());
    let found = Resource::new_blocking(move || token.get(), invitation);
    let problem = move || arguments.with(|map| map.get("problem")).and_then(|word| problem_words(&word));
    view! {
        <Title text="Invitation · audit-log"/>
        <main id="content" class="sign-in">
            <Brand/>
            <h1>"Invitation"</h1>
            {move || problem().map(|words| view! { <p class="notice bad" role="alert">{words}</p> })}
            <Suspense>
                {move || Suspend::new(async move {
                    match found.await {
                        Ok(Some(invitation)) => offer(invitation, token.get_untracked()).into_any(),
                        Ok(None) => gone().into_any(),
                        Err(error) => {
                            let again = Callback::new(move |()| found.refetch());
                            view! { <Problem error again clear="/sign-in".to_owned()/> }.into_any()
                        }
                    }
                })}
            </Suspense>
        </main>
    }
}

/// What went wrong; that the link leads nowhere the page says itself.
fn problem_words(word: &str) -> Option<&'static str> {
    match word {
        "gone" => None,
        "unfit" => Some("A password has at least 8 characters, and at most 1,024 bytes."),
        "other" => Some("This invitation is for somebody else: sign out first, then open the link again."),
        _ => Some("That could not be done. Try again in a moment."),
    }
}

fn gone() -> impl IntoView {
    view! {
        <p>"This link leads nowhere any more: the invitation was used or taken back, or its time has passed."</p>
        <p>"Whoever invited you can make another. If you have joined already, sign in."</p>
        <p class="actions"><a class="button" href="/sign-in" rel="external">"Sign in"</a></p>
    }
}

fn offer(invitation: Invitation, token: String) -> impl IntoView {
    let until = invitation.zone.full(invitation.expires_at);
    view! {
        <p>
            <strong>{invitation.invited_by}</strong>" invites "<strong>{invitation.email.clone()}</strong>" into the project "
            <strong>{invitation.project}</strong>"."
        </p>
        <p class="quiet">{role_words(invitation.role)}". The link leads in once, until "<time datetime=rfc3339(invitation.expires_at)>{until}</time>"."</p>
        {form(invitation.joining, invitation.email, token)}
    }
}

fn form(joining: Joining, email: String, token: String) -> AnyView {
    let words = if joining == Joining::Known {
        "Sign in to join"
    } else {
        "Join the project"
    };
    let inner = match joining {
        Joining::SomebodyElse(other) => {
            return view! {
                <p class="notice">"You are signed in as "<strong>{other}</strong>". Sign out, then open the link again."</p>
                <form method="post" action="/sign-out" class="column"><button type="submit" class="button">"Sign out"</button></form>
            }
            .into_any();
        }
        Joining::SignedIn => ().into_any(),
        Joining::Known => view! { <p class="quiet">"You have an account: you sign in first, and then join."</p> }.into_any(),
        Joining::New => view! {
            <label for="name">"Your name"</label>
            <input id="name" type="text" name="name" maxlength="100" autofocus autocomplete="name"/>
            <label for="password">"Choose a password"</label>
            <input
                id="password" type="password" name="password" required minlength="8" autocomplete="new-password"
                aria-describedby="password-words"
            />
            <p class="quiet" id="password-words">"At least 8 characters."</p>
        }
        .into_any(),
    };
    view! {
        <form method="post" action="/invite" class="column">
            <input type="hidden" name="token" value=token/>
            <input type="hidden" name="username" value=email autocomplete="username"/>
            {inner}
            <button type="submit" class="button primary">{words}</button>
        </form>
    }
    .into_any()
}

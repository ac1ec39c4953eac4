//! Who is signed in, where, and what is theirs. What is changed here goes by plain forms, which need no scripts (`server/http/account.rs`).

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::api::account::{AccountPage, Second, account_page};
use crate::api::error::ApiError;
use crate::api::frame::ProjectFacts;
use crate::app::parts::brand::Brand;
use crate::app::parts::states::Problem;
use crate::app::parts::title::Title;
use crate::model::account::{SessionFacts, device};
use crate::model::rights::Role;
use crate::model::zone::{Zone, rfc3339};

/// The page of one's own account.
#[component]
pub fn Account() -> impl IntoView {
    let page = Resource::new(|| (), |()| account_page());
    view! {
        <Title text="Account · audit-log"/>
        <header class="frame"><Brand/></header>
        <main id="content" class="form-page settings">
            <h1>"Account"</h1>
            <Said/>
            <Suspense>
                {move || Suspend::new(async move {
                    match page.await {
                        Ok(page) => account(page).into_any(),
                        Err(error) => problem(error, move || page.refetch()).into_any(),
                    }
                })}
            </Suspense>
        </main>
    }
}

/// What came of a form.
#[component]
fn Said() -> impl IntoView {
    let arguments = use_query_map();
    let word = move |name: &str| arguments.with(|map| map.get(name));
    let done = move || word("done").and_then(|word| done_words(&word));
    let problem = move || word("problem").map(|word| problem_words(&word));
    view! {
        {move || done().map(|words| view! { <p class="notice" role="status">{words}</p> })}
        {move || problem().map(|words| view! { <p class="notice bad" role="alert">{words}</p> })}
    }
}

fn done_words(word: &str) -> Option<&'static str> {
    match word {
        "password" => Some("Your password is changed. Everywhere else you are signed out."),
        "session" => Some("That sign-in has ended."),
        "second" => Some("The second factor is on: from now on you are asked for a code when you sign in."),
        "off" => Some("The second factor is off."),
        _ => None,
    }
}

fn problem_words(word: &str) -> &'static str {
    match word {
        "wrong" => "The current password is wrong. Nothing was changed.",
        "slow" => "Too many wrong passwords. Wait a quarter of an hour, then try again.",
        "short" => "The new password is too short: it has at least 8 characters. Nothing was changed.",
        "long" => "The new password is too long: it has at most 1,024 bytes. Nothing was changed.",
        "demo" => "The demo's password stays as it is: everybody on this machine signs in with it.",
        "session" => "That sign-in had ended already.",
        "code" => "The code is wrong, or was used already. Wait for the next one, and try again.",
        "not-begun" => "There was nothing to confirm any more. Set it up anew.",
        "name" => "A project needs a name, of at most 100 characters. Nothing was made.",
        "zone" => "There is no such time zone: write an IANA name, such as Europe/Berlin. No project was made.",
        "operator" => "Only whoever runs this server makes projects.",
        _ => "That could not be done. Try again in a moment.",
    }
}

fn account(page: AccountPage) -> impl IntoView {
    let zone = page.zone;
    let sessions = page
        .sessions
        .into_iter()
        .map(|session| view_session(session, &zone))
        .collect_view();
    view! {
        <p>"You are signed in as "<strong>{page.email.clone()}</strong>"."{page.operator.then_some(" You run this server.")}</p>
        <h2>"Your projects"</h2>
        {projects(page.projects)}
        {page.operator.then(new_project)}
        {(!page.has_password).then(|| view! { <h2>"Password"</h2><p>"You have none: you sign in by your identity provider."</p> })}
        {(page.has_password && !page.is_demo).then(|| view! { {password(page.email)}{second_factor(page.second)} })}
        <h2>"Where you are signed in"</h2>
        <ul class="sessions">{sessions}</ul>
        <form method="post" action="/account/sign-out-everywhere">
            <p class="quiet">"Ends all of them, this one too. Change your password as well if somebody else may know it."</p>
            <div class="actions"><button type="submit" class="button danger">"Sign out everywhere"</button></div>
        </form>
    }
}

fn projects(projects: Vec<ProjectFacts>) -> AnyView {
    if projects.is_empty() {
        return view! {
            <p class="quiet">"You belong to no project yet. An owner of one invites you by a link, or whoever runs this server adds you."</p>
        }
        .into_any();
    }
    let rows = projects.into_iter().map(|project| {
        let href = format!("/projects/{}/logs", project.id);
        view! {
            <tr>
                <th scope="row"><a href=href>{project.name}</a></th>
                <td>{role_words(project.role)}</td>
            </tr>
        }
    });
    view! {
        <table class="plain">
            <thead><tr><th scope="col">"Project"</th><th scope="col">"Your role"</th></tr></thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    }
    .into_any()
}

fn new_project() -> impl IntoView {
    view! {
        <h2 id="new-project">"New project"</h2>
        <form method="post" action="/account/projects" class="settings-form">
            <label for="project-name">"Name"</label>
            <input id="project-name" type="text" name="name" required maxlength="100" autocomplete="off"/>
            <label for="project-zone">"Time zone"</label>
            <input
                id="project-zone" type="text" name="time_zone" required value="UTC" autocomplete="off" spellcheck="false"
                aria-describedby="project-zone-words"
            />
            <p class="quiet" id="project-zone-words">"An IANA name, such as Europe/Berlin: what its people mean by \"Project\" among the zones. You will own it."</p>
            <div class="actions"><button type="submit" class="button">"Make the project"</button></div>
        </form>
    }
}

fn password(email: String) -> impl IntoView {
    view! {
        <h2>"Password"</h2>
        <form method="post" action="/account/password" class="settings-form">
            // So that a password manager knows whose it is.
            <input type="hidden" name="username" value=email autocomplete="username"/>
            <label for="current-password">"Current password"</label>
            <input id="current-password" type="password" name="current_password" required autocomplete="current-password"/>
            <label for="new-password">"New password"</label>
            <input
                id="new-password" type="password" name="new_password" required minlength="8" autocomplete="new-password"
                aria-describedby="new-password-words"
            />
            <p class="quiet" id="new-password-words">"At least 8 characters. Everywhere else you will be signed out."</p>
            <div class="actions"><button type="submit" class="button">"Change password"</button></div>
        </form>
    }
}

fn second_factor(second: Second) -> impl IntoView {
    let inner = match second {
        Second::Off => view! {
            <p class="quiet">"Whoever learns your password then still lacks the code that your authenticator shows."</p>
            <form method="post" action="/account/second-factor/begin" class="settings-form">
                <label for="begin-password">"Current password"</label>
                <input id="begin-password" type="password" name="current_password" required autocomplete="current-password"/>
                <div class="actions"><button type="submit" class="button">"Set up a second factor"</button></div>
            </form>
        }
        .into_any(),
        Second::Begun {
            secret,
            picture,
            recovery,
        } => confirm(secret, picture, recovery).into_any(),
        Second::On { left } => view! {
            <p><span class="stand well">"On"</span>{format!(" {left} recovery {} left.", if left == 1 { "code" } else { "codes" })}</p>
            <form method="post" action="/account/second-factor/off" class="settings-form">
                <label for="off-password">"Current password"</label>
                <input id="off-password" type="password" name="current_password" required autocomplete="current-password"/>
                <label for="off-code">"Code of your authenticator, or a recovery code"</label>
                <input id="off-code" type="text" name="code" required maxlength="40" autocomplete="one-time-code" spellcheck="false"/>
                <div class="actions"><button type="submit" class="button danger">"Turn it off"</button></div>
            </form>
        }
        .into_any(),
    };
    view! { <h2 id="second-factor">"Second factor"</h2>{inner} }
}

/// What the authenticator reads, the recovery codes, and the question whether both are kept.
fn confirm(secret: String, picture: String, recovery: Vec<String>) -> impl IntoView {
    let codes = recovery.join("\n");
    view! {
        <p>"1. Read this picture with an authenticator, or type the secret in:"</p>
        <div class="second-picture" role="img" aria-label="The secret as a QR code" inner_html=picture></div>
        <p class="mono second-secret">{secret}</p>
        <p>"2. Keep these recovery codes where you find them without your authenticator. Each lets you in once:"</p>
        <pre class="mono second-codes" tabindex="0" aria-label="Recovery codes">{codes.clone()}</pre>
        <div class="actions"><button type="button" class="button needs-scripts" data-copy=codes>"Copy the codes"</button></div>
        <p>"3. Type the code that the authenticator shows now:"</p>
        <form method="post" action="/account/second-factor/confirm" class="settings-form">
            <label for="confirm-code">"Code"</label>
            <input
                id="confirm-code" type="text" name="code" required inputmode="numeric" maxlength="10" autocomplete="one-time-code"
                spellcheck="false"
            />
            <div class="actions"><button type="submit" class="button primary">"Turn it on"</button></div>
        </form>
        <form method="post" action="/account/second-factor/leave"><button type="submit" class="button">"Leave it off"</button></form>
    }
}

fn view_session(session: SessionFacts, zone: &Zone) -> impl IntoView + use<> {
    let time = |at: i64| view! { <time datetime=rfc3339(at)>{zone.full(at)}</time> };
    let device = device(&session.user_agent);
    let name = format!("End the sign-in of {device} from {}", session.ip);
    view! {
        <li>
            <div>
                <p><strong title=session.user_agent>{device}</strong>" "<span class="mono">{session.ip}</span></p>
                <p class="quiet">"Signed in "{time(session.created_at)}". Last used "{time(session.last_seen_at)}", to the hour."</p>
            </div>
            {if session.is_this {
                view! {
                    <form method="post" action="/sign-out">
                        <span class="stand well">"This one"</span>" "
                        <button type="submit" class="button">"Sign out"</button>
                    </form>
                }
                .into_any()
            } else {
                view! {
                    <form method="post" action="/account/end-session">
                        <input type="hidden" name="session" value=session.id/>
                        <button type="submit" class="button" aria-label=name>"End"</button>
                    </form>
                }
                .into_any()
            }}
        </li>
    }
}

/// What a role may do, in a line.
pub const fn role_words(role: Role) -> &'static str {
    match role {
        Role::Auditor => "Auditor: reads, and makes exports",
        Role::Member => "Member: reads and works",
        Role::Owner => "Owner: works, and settles who else may",
    }
}

fn problem(error: ApiError, again: impl Fn() + Send + Sync + 'static) -> impl IntoView {
    view! { <Problem error again=Callback::new(move |()| again()) clear="/account".to_owned()/> }
}

//! Who is signed in, and what is theirs.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::api::error::ApiError;
use crate::api::frame::{FrameFacts, frame};
use crate::app::parts::brand::Brand;
use crate::app::parts::states::Problem;
use crate::model::rights::Role;

/// The page of one's own account.
#[component]
pub fn Account() -> impl IntoView {
    let facts = Resource::new(|| (), |()| frame());
    view! {
        <Title text="Account · audit-log"/>
        <header class="frame"><Brand/></header>
        <main id="content" class="form-page">
            <h1>"Account"</h1>
            <Suspense>
                {move || Suspend::new(async move {
                    match facts.await {
                        Ok(facts) => account(facts).into_any(),
                        Err(error) => problem(error, move || facts.refetch()).into_any(),
                    }
                })}
            </Suspense>
        </main>
    }
}

fn account(facts: FrameFacts) -> impl IntoView {
    let none = facts.projects.is_empty();
    let rows = facts.projects.into_iter().map(|project| {
        let href = format!("/projects/{}/logs", project.id);
        view! {
            <tr>
                <th scope="row"><a href=href>{project.name}</a></th>
                <td>{role_words(project.role)}</td>
                <td class="mono quiet">{project.id}</td>
            </tr>
        }
    });
    view! {
        <p>"You are signed in as "<strong>{facts.email}</strong>"."</p>
        <h2>"Your projects"</h2>
        {if none {
            view! { <p class="quiet">"You belong to no project yet. An owner of one can add you."</p> }.into_any()
        } else {
            view! {
                <table class="plain">
                    <thead>
                        <tr><th scope="col">"Project"</th><th scope="col">"Your role"</th><th scope="col">"Id"</th></tr>
                    </thead>
                    <tbody>{rows.collect_view()}</tbody>
                </table>
            }
            .into_any()
        }}
        <form method="post" action="/sign-out"><button type="submit" class="button">"Sign out"</button></form>
    }
}

const fn role_words(role: Role) -> &'static str {
    match role {
        Role::Auditor => "Auditor: reads, and makes exports",
        Role::Member => "Member: reads and works",
        Role::Owner => "Owner: works, and settles who else may",
    }
}

fn problem(error: ApiError, again: impl Fn() + Send + Sync + 'static) -> impl IntoView {
    view! { <Problem error again=Callback::new(move |()| again()) clear="/account".to_owned()/> }
}

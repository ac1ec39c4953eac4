//! What a page shows when it has nothing to show: why, and what to do next.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::awaited::{awaited, touch};
use crate::api::error::ApiError;
use crate::model::query::escape;

/// Why the page could not be read, and the way on: signing in, mending the address, or trying again.
#[component]
pub fn Problem(
    /// What the server said.
    error: ApiError,
    /// Asks again.
    again: Callback<()>,
    /// The same page without what may be wrong in its address.
    #[prop(into)]
    clear: String,
) -> impl IntoView {
    let location = use_location();
    let here = move || {
        let path = location.pathname.get();
        let search = location.search.get();
        escape(&if search.is_empty() {
            path
        } else {
            format!("{path}?{}", search.trim_start_matches('?'))
        })
    };
    let (title, text) = words(&error);
    let way_on = match error {
        ApiError::SignedOut => view! {
            <a class="button primary" href=move || format!("/sign-in?next={}", here()) rel="external">"Sign in"</a>
        }
        .into_any(),
        ApiError::BadArgument(_) => view! { <a class="button" href=clear>"Clear the address"</a> }.into_any(),
        ApiError::NotFound => view! { <a class="button" href="/" rel="external">"Go to your logs"</a> }.into_any(),
        ApiError::NotAllowed(_) => view! { <a class="button" href=clear>"Without these filters"</a> }.into_any(),
        // Without scripts the address itself is the retry.
        ApiError::Unavailable(_) | ApiError::Refused(_) | ApiError::BadField { .. } => view! {
            <a class="button" href="" rel="external" on:click=move |event| {
                event.prevent_default();
                again.run(());
            }>"Try again"</a>
        }
        .into_any(),
    };
    view! {
        <div class="state problem" role="alert">
            <h2>{title}</h2>
            <p>{text}</p>
            <p>{way_on}</p>
        </div>
    }
}

/// What stands above a page's rows, its filters: left out where there is no such page, which has nothing to filter either. It stands inside the
/// transition that waits for the rows; behind a memo, so that a form somebody types into is not made anew by each answer.
#[component]
pub fn UnlessMissing<T: Send + Sync + 'static>(
    /// What the page's rows come as.
    page: Resource<Result<T, ApiError>>,
    /// What is left out.
    children: ChildrenFn,
) -> impl IntoView {
    let missing = Memo::new(move |_| {
        page.try_with(|page| matches!(page, Some(Err(ApiError::NotFound))))
            .unwrap_or(false)
    });
    awaited(move || touch(page), move || (!missing.get()).then(|| children()))
}

fn words(error: &ApiError) -> (&'static str, String) {
    match error {
        ApiError::SignedOut => (
            "You are signed out",
            "Your session has ended. Sign in, and you come back to this page.".to_owned(),
        ),
        ApiError::NotFound => (
            "There is no such page",
            "The address may be mistyped, or it names a project that you do not belong to. One of its owners can add you."
                .to_owned(),
        ),
        ApiError::NotAllowed(what) => (
            "You may not see this",
            format!("{what} An owner of the project can change what your role may see."),
        ),
        ApiError::BadArgument(problem) => (
            "The address makes no sense",
            format!("The argument {}: {}.", problem.argument, problem.reason.trim_end_matches('.')),
        ),
        ApiError::Refused(what) => ("That cannot be done now", what.clone()),
        ApiError::BadField { reason, .. } => ("Something that was filled in is wrong", reason.clone()),
        ApiError::Unavailable(what) => (
            "The page could not be read",
            format!("{what} Your filters are kept; any rows below are from before."),
        ),
    }
}

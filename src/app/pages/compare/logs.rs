//! Two logs beside each other: `?a=log_…&b=log_…`, or one of them and what the other is to it (`?b=log_…&with=success`).

use leptos::either::Either;
use leptos::prelude::*;

use crate::api::compare::{Comparison, compare_logs};
use crate::api::error::ApiError;
use crate::app::pages::log::Log;
use crate::app::parts::awaited::{Turning, answered, waiting};
use crate::app::parts::compare::{SHOW, comparison};
use crate::app::parts::links::{project_id, search};
use crate::app::parts::states::Problem;
use crate::app::parts::title::Title;
use crate::model::query::{LogQuery, escape, pairs};

/// The page. A log whose own id is "compare" has this address, too: without anything to compare it is that log's page.
#[component]
pub fn CompareLogs() -> impl IntoView {
    let search = search();
    let compares = Memo::new(move |_| search.with(|search| pairs(search).any(|(name, _)| matches!(name.as_str(), "a" | "b"))));
    move || {
        if compares.get() {
            Either::Left(view! { <Beside search/> })
        } else {
            Either::Right(view! { <Log/> })
        }
    }
}

#[component]
fn Beside(search: Memo<String>) -> impl IntoView {
    let project = project_id();
    // What is shown of it asks for nothing new.
    let asked = Memo::new(move |_| search.with(|search| without_show(search)));
    let (refresh, set_refresh) = signal(0_u32);
    let page = Resource::new(
        move || (project.get(), asked.get(), refresh.get()),
        |(project, asked, _)| compare_logs(project, asked),
    );
    let again = Callback::new(move |()| set_refresh.update(|count| *count = count.wrapping_add(1)));
    let (pending, set_pending) = waiting();
    let list = move || search.with_untracked(|search| LogQuery::parse(search).unwrap_or_default().to_query_string());
    view! {
        <Title text="Compare two logs · audit-log"/>
        <main id="content" class="log-page compare-page" class:pending=pending aria-busy=move || pending.get().then_some("true")>
            <Turning set_pending>
                {answered(page, move |page| match page {
                    Ok(page) => whole(page, &project.get_untracked(), &list(), search).into_any(),
                    Err(error @ ApiError::NotFound) => {
                        let back = format!("/projects/{}/logs?{}", project.get_untracked(), list());
                        view! { <Gone error back/> }.into_any()
                    }
                    Err(error) => view! { <Problem error again clear="?"/> }.into_any(),
                })}
            </Turning>
        </main>
    }
}

fn without_show(search: &str) -> String {
    let kept = pairs(search).filter(|(name, _)| name != SHOW.0);
    let kept = kept.map(|(name, value)| format!("{}={}", escape(&name), escape(&value)));
    kept.collect::<Vec<_>>().join("&")
}

fn whole(page: Comparison, project: &str, list: &str, search: Memo<String>) -> impl IntoView + use<> {
    let and = if list.is_empty() { String::new() } else { format!("?{list}") };
    let log = |id: &str| format!("/projects/{project}/logs/{}{and}", escape(id));
    let links = [log(&page.first.id), log(&page.second.id)];
    let more = if list.is_empty() { String::new() } else { format!("&{list}") };
    let swapped = format!("?a={}&b={}{more}", escape(&page.second.id), escape(&page.first.id));
    let back = format!("/projects/{project}/logs{and}");
    view! {
        <header class="log-head">
            <div class="log-ways">
                <a href=back class="button quiet-button way-back" data-back>"Logs"</a>
                <span class="log-actions"><a class="button" href=swapped>"Swap sides"</a></span>
            </div>
            <h1 class="log-line">"Two logs beside each other"</h1>
        </header>
        {comparison(page, links, search)}
    }
}

/// One of the two is not there.
#[component]
fn Gone(error: ApiError, back: String) -> impl IntoView {
    view! {
        <div class="state problem" role="alert">
            <h1>"One of the two logs is not there"</h1>
            <p>{error.to_string()}". Its id may be mistyped, or it may have passed the project's retention."</p>
            <p><a class="button" href=back data-back>"Back to the list"</a></p>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_no_part_of_what_is_asked() {
        assert_eq!(without_show("a=x&show=all&b=y%26z"), "a=x&b=y%26z");
        assert_eq!(without_show("show=all"), "");
    }
}

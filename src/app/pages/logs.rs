//! The Logs tab.

use leptos::prelude::*;

use crate::api::error::ApiError;
use crate::api::logs::{Emptiness, LogsPage, logs_page};
use crate::app::parts::at_once::at_once;
use crate::app::parts::awaited::{Turning, answered, waiting};
use crate::app::parts::chips::Chips;
use crate::app::parts::columns::Columns;
use crate::app::parts::export_dialog::ExportDialog;
use crate::app::parts::filter_bar::{FilterBar, PageResource, offered, terms_words};
use crate::app::parts::frame::FrameResource;
use crate::app::parts::histogram::Histogram;
use crate::app::parts::links::{log_query, project_id, search, to_query};
use crate::app::parts::live::{New, Switch};
use crate::app::parts::live_logs::LiveLogs;
use crate::app::parts::pager::Pager;
use crate::app::parts::searching::{going_on, searched};
use crate::app::parts::states::{Problem, UnlessMissing};
use crate::app::parts::table::LogTable;
use crate::app::parts::title::Title;
use crate::app::parts::totals::Totals;
use crate::app::parts::views::Board;
use crate::app::parts::views::line::line;
use crate::app::parts::views::save::dialog;
use crate::model::query::LogQuery;
use crate::model::view::ViewTab;
use crate::model::zone::rfc3339;

/// The list of logs with its filters.
#[component]
pub fn Logs() -> impl IntoView {
    let project = project_id();
    let search = search();
    let parsed = log_query();
    let query = Memo::new(move |_| parsed.get().unwrap_or_default());
    let (refresh, set_refresh) = signal(0_u32);
    let page: PageResource = Resource::new(
        move || (project.get(), search.get(), refresh.get()),
        |(project, search, _)| logs_page(project, search),
    );
    let on_offer = offered(project, query);
    let (pending, set_pending) = waiting();
    let again = Callback::new(move |()| set_refresh.update(|count| *count = count.wrapping_add(1)));
    let last = StoredValue::new(None::<LogsPage>);
    let live = LiveLogs::of(project, query);
    let exporting = RwSignal::new(false);
    let going = going_on(query);
    let views = Board::put_up(ViewTab::Logs, project, search);
    view! {
        <Title text="Logs · audit-log"/>
        <main id="content" class="logs-page" class:pending=pending aria-busy=move || pending.get().then_some("true")>
            <h1 class="visually-hidden">"Logs"</h1>
            <Turning set_pending>
                <UnlessMissing page>
                    <FilterBar page on_offer views/>
                    {at_once(view! { <Chips query/> })}
                    {line(views)}
                </UnlessMissing>
                {answered(page, move |page| match page {
                    Ok(page) => {
                        // Only the browser can lose its server and still show what it had.
                        if cfg!(feature = "hydrate") {
                            last.set_value(Some(page.clone()));
                        }
                        view! { <Results page query project again live exporting going/> }.into_any()
                    }
                    Err(error) => {
                        let kept = if matches!(error, ApiError::Unavailable(_)) { last.get_value() } else { None };
                        view! {
                            <Failed error query again/>
                            {kept.map(|page| view! { <Results page query project again live exporting going/> })}
                        }
                        .into_any()
                    }
                })}
            </Turning>
            {at_once(view! { <ExportDialog open=exporting query project last/> })}
            {at_once(dialog(views))}
        </main>
    }
}

#[component]
fn Failed(error: ApiError, query: Memo<LogQuery>, again: Callback<()>) -> impl IntoView {
    let clear = query.with_untracked(|query| to_query(&query.cleared()));
    view! { <Problem error again clear/> }
}

#[component]
fn Results(
    page: LogsPage,
    query: Memo<LogQuery>,
    project: Memo<String>,
    again: Callback<()>,
    live: LiveLogs,
    exporting: RwSignal<bool>,
    going: RwSignal<bool>,
) -> impl IntoView {
    let empty = page.empty.clone();
    let searched = searched(&page, query, going);
    let unknown_local = page.unknown_local;
    let can_be_followed = page.mark.is_some();
    let page = RwSignal::new(page);
    let (waiting, show) = live.show_in(page, again);
    let page: Signal<LogsPage> = page.into();
    let totals = move || {
        let (total, failed, whole) = page.with(|page| (page.total, page.failed, page.chart.whole));
        view! { <Totals total failed whole/> }
    };
    let head = view! {
        <div class="summary">
            {totals}
            {unknown_local.then(|| view! { <p class="quiet">"This browser has not told its time zone yet: times are in UTC."</p> })}
            <span class="actions">
                <Columns query/>
                <button type="button" class="button quiet-button needs-scripts" on:click=move |_| again.run(())>"Refresh"</button>
                {can_be_followed.then(|| view! { <Switch followed=live.followed waiting/> })}
                <button
                    type="button" class="button quiet-button needs-scripts" aria-haspopup="dialog"
                    on:click=move |_| exporting.set(true)
                >
                    "Export"
                </button>
            </span>
        </div>
        <Histogram page query/>
        <New waiting show/>
    };
    view! {
        {at_once(head)}
        {match empty {
            Some(emptiness) if searched.is_none() => view! { <Empty emptiness page query project/> }.into_any(),
            _ => at_once(view! {
                <div class="rows" tabindex="0" role="region" aria-label="Logs">
                    <LogTable page query project/>
                </div>
            })
            .into_any(),
        }}
        {at_once(view! {
            {searched}
            <Pager page query/>
        })}
    }
}

/// Why there are no rows, and what to do.
#[component]
fn Empty(emptiness: Emptiness, page: Signal<LogsPage>, query: Memo<LogQuery>, project: Memo<String>) -> impl IntoView {
    let query = query.get_untracked();
    match emptiness {
        Emptiness::Never if query.active() == 0 => view! { <FirstTime project/> }.into_any(),
        Emptiness::Elsewhere(latest) if query.active() == 0 => {
            let (words, link) = page.with_untracked(|page| {
                let around = query.within(Some(rfc3339(latest - 3_600_000)), Some(rfc3339(latest + 60_000)));
                (page.zone.short(latest, page.now), to_query(&around))
            });
            view! {
                <div class="state">
                    <h2>"No logs in this range"</h2>
                    <p>"The latest log is of "{words}". "<a href=link>"Show the hour before it"</a></p>
                </div>
            }
            .into_any()
        }
        _ => view! { <NothingMatches query/> }.into_any(),
    }
}

#[component]
fn NothingMatches(query: LogQuery) -> impl IntoView {
    let filters = query.filters.iter().map(|(filter, _)| {
        let words = format!("{}: {}", filter.label(), terms_words(*filter, &query.value(*filter)));
        let link = to_query(&query.with(*filter, ""));
        view! { <li>{words}" "<a href=link>"Without it"</a></li> }
    });
    let filters = filters.collect_view();
    let clear = to_query(&query.cleared());
    let month = to_query(&query.within(Some("-30d".to_owned()), None));
    view! {
        <div class="state">
            <h2>"No log in this range matches"</h2>
            <ul>{filters}</ul>
            <p><a class="button" href=clear>"Clear all filters"</a>" "<a class="button" href=month>"Search the last 30 days"</a></p>
        </div>
    }
}

/// What will be here, and the command that brings it.
#[component]
fn FirstTime(project: Memo<String>) -> impl IntoView {
    let facts = use_context::<FrameResource>();
    let command = move || {
        let address = facts
            .and_then(|facts| facts.get())
            .and_then(Result::ok)
            .map(|facts| facts.address);
        first_command(&address.unwrap_or_default())
    };
    view! {
        <div class="state first">
            <h2>"No logs yet"</h2>
            <p>"Every request to your API will be a row here, with what was asked and what was answered. Make a key:"</p>
            <pre class="command"><code>{move || key_command(&project.get())}</code></pre>
            <p>"Then send the first one in:"</p>
            <Suspense>
                <pre class="command"><code>{command}</code></pre>
                <button type="button" class="button needs-scripts" data-copy=command>"Copy"</button>
            </Suspense>
        </div>
    }
}

fn key_command(project: &str) -> String {
    format!("audit-log key add --project {project} --name my-api --scopes logs:write")
}

fn first_command(address: &str) -> String {
    format!(
        "curl {address}/v1/logs -H \"X-App-Id: $APP_ID\" -H \"X-App-Token: $APP_TOKEN\" \\\n  \
         -H \"Content-Type: application/json\" \\\n  \
         -d '{{\"method\":\"GET\",\"url\":\"https://api.example.com/v1/customers\",\"status_code\":200}}'"
    )
}

//! A tab's page: filters, chips, rows, pages, and why there are none.
//!
//! To add a tab: `list::<ItsRecord>()` as the view of its page.

use std::time::Duration;

use leptos::prelude::*;

use super::chips::{Chips, set};
use super::filters::FilterBar;
use super::held::hold_back;
use super::live::{LIVE, every, keep_fresh};
use super::pager::pager;
use super::range::preset_of;
use super::table::table;
use super::{Around, Record, terms_words, to_query};
use crate::api::error::ApiError;
use crate::api::tasks::Listed;
use crate::app::parts::awaited::{Turning, answered, waiting};
use crate::app::parts::links::{project_id, search};
use crate::app::parts::live::{Followed, New, Pulse, Switch};
use crate::app::parts::states::{Problem, UnlessMissing};
use crate::app::parts::title::Title;
use crate::app::parts::views::Board;
use crate::app::parts::views::line::line;
use crate::app::parts::views::save::dialog;
use crate::model::query::Order;
use crate::model::tab::{Tab, TabQuery};
use crate::model::view::ViewTab;

/// The page.
pub fn list<R: Record>() -> impl IntoView {
    let project = project_id();
    let search = search();
    let query = Memo::new(move |_| TabQuery::parse(R::TAB, &search.read()).unwrap_or_else(|_| TabQuery::all(R::TAB)));
    let (refresh, set_refresh) = signal(0_u32);
    let page = Resource::new(
        move || (project.get(), search.get(), refresh.get()),
        |(project, search, _)| R::ask(project, search),
    );
    let around = Signal::derive(move || page.get().map(|page| page.ok().map(|page| Around::of(&page))));
    let (pending, set_pending) = waiting();
    let again = Callback::new(move |()| set_refresh.update(|count| *count = count.wrapping_add(1)));
    let last = StoredValue::new(None::<Listed<R>>);
    // What is new comes first on such a page, and on no other.
    let is_head = Memo::new(move |_| query.with(|query| query.order == Order::NewestFirst && query.is_first_page()));
    let moved = RwSignal::new(0_u32);
    // A project that is not there, or not theirs, is not followed.
    let is_there = RwSignal::new(false);
    let address = move || (is_head.get() && is_there.get()).then(|| format!("/live/{}/records", project.get()));
    let told = move |_: &'static str, _: &str| {
        moved.try_update(|moved| *moved = moved.wrapping_add(1));
    };
    let live = Live {
        followed: Followed::start(RwSignal::new(true), &["hello", "moved"], address, told),
        moved,
        is_head,
    };
    let views = Board::put_up(ViewTab::of_records(R::TAB), project, search);
    let shown = answered(page, move |page| match page {
        Ok(page) => {
            // Only the browser can lose its server and still show what it had.
            if cfg!(feature = "hydrate") {
                last.set_value(Some(page.clone()));
                if !is_there.get_untracked() {
                    is_there.set(true);
                }
            }
            results(page, query, project, search, live)
        }
        Err(error) => {
            let lost = matches!(error, ApiError::Unavailable(_));
            let kept = if lost { last.get_value() } else { None };
            let clear = query.with_untracked(|query| to_query(&query.cleared()));
            view! {
                <Problem error again clear/>
                {kept.map(|page| results(page, query, project, search, live))}
            }
            .into_any()
        }
    });
    let label = R::TAB.label();
    view! {
        <Title text=format!("{label} · audit-log")/>
        <main id="content" class="logs-page" class:pending=pending aria-busy=move || pending.get().then_some("true")>
            <h1 class="visually-hidden">{label}</h1>
            <Turning set_pending>
                <UnlessMissing page>
                    <FilterBar tab=R::TAB query around views/>
                    <Chips query around/>
                    {line(views)}
                </UnlessMissing>
                {shown}
            </Turning>
            {dialog(views)}
        </main>
    }
}

/// How often it is looked whether something has moved, after which the list is asked for anew.
const LOOK: Duration = Duration::from_millis(500);

/// A list that is followed.
#[derive(Clone, Copy)]
struct Live {
    followed: Followed,
    /// How often something has moved.
    moved: RwSignal<u32>,
    /// Whether the page shows what is new.
    is_head: Memo<bool>,
}

fn results<R: Record>(
    page: Listed<R>,
    query: Memo<TabQuery>,
    project: Memo<String>,
    search: Memo<String>,
    live: Live,
) -> AnyView {
    let unknown_local = page.unknown_local;
    let fresh = RwSignal::new(page.clone());
    let (of, asked) = (project.get_untracked(), search.get_untracked());
    let now = keep_fresh(
        fresh,
        |page| page.rows.iter().any(|row| !row.is_over()),
        move || R::ask(of.clone(), asked.clone()),
    );
    let (page, waiting, show) = hold_back(page, fresh);
    let running = Memo::new(move |_| page.with(|page| page.rows.iter().filter(|row| !row.is_over()).count()));
    follow(live, now, running);
    let switch = move || live.is_head.get().then(|| view! { <Switch followed=live.followed waiting/> });
    let running = move || match running.get() {
        0 => "Nothing on this page is running".to_owned(),
        1 => format!("1 {} is running", R::ONE),
        count => format!("{count} {}s are running", R::ONE),
    };
    let is_empty = Memo::new(move |_| page.with(|page| page.rows.is_empty()));
    let any = Memo::new(move |_| page.with(|page| page.any));
    let rows = move || {
        if !is_empty.get() {
            let label = R::TAB.label();
            view! { <div class="rows" tabindex="0" role="region" aria-label=label>{table(page, query, project)}</div> }.into_any()
        } else if any.get() {
            view! { <NothingMatches query=query.get_untracked() one=R::ONE/> }.into_any()
        } else {
            R::first()
        }
    };
    view! {
        <div class="summary">
            <p class="totals">{running}</p>
            {unknown_local.then(|| view! { <p class="quiet">"This browser has not told its time zone yet: times are in UTC."</p> })}
            <span class="actions">
                {R::action(now, any)}
                <button type="button" class="button quiet-button needs-scripts" on:click=move |_| now.run(())>"Refresh"</button>
                {switch}
            </span>
        </div>
        <New waiting show/>
        {rows}
        {pager(page, query)}
    }
    .into_any()
}

/// Asks for the list when something has moved; where that cannot be heard, every few seconds. While something runs, it is asked more often anyway.
fn follow(live: Live, now: Callback<()>, running: Memo<usize>) {
    let heard = StoredValue::new(live.moved.get_untracked());
    let has_moved = Memo::new(move |_| live.followed.on.get() && live.moved.get() != heard.get_value());
    // The frame in which it is asked may come when the page has gone.
    let ask = move || {
        let moved = live.moved.try_get_untracked();
        if let (Some(moved), Some(before)) = (moved, heard.try_get_value())
            && moved != before
        {
            heard.try_set_value(moved);
            now.try_run(());
        }
    };
    Effect::new(move |_| {
        live.moved.track();
        if live.followed.on.get_untracked() {
            request_animation_frame(ask);
        }
    });
    every(LOOK, has_moved, ask);
    let deaf = move || live.followed.pulse.get() != Pulse::Open;
    let wanted = Memo::new(move |_| live.followed.on.get() && live.is_head.get() && running.get() == 0 && deaf());
    every(LIVE, wanted, move || {
        now.try_run(());
    });
}

#[component]
fn NothingMatches(query: TabQuery, one: &'static str) -> impl IntoView {
    let filters = set(&query).map(|filter| {
        let words = format!("{}: {}", filter.label, terms_words(filter, &query.value(filter.argument)));
        let link = to_query(&query.with(filter.argument, ""));
        view! { <li>{words}" "<a href=link>"Without it"</a></li> }
    });
    let filters = filters.collect_view();
    let from = query.from.as_deref().or(query.tab.default_from());
    let is_ranged = query.to.is_some() || from.is_some_and(|from| from != Tab::EVERYTHING);
    let everything = query.tab.default_from().map(|_| Tab::EVERYTHING.to_owned());
    let range = is_ranged.then(|| {
        let words = preset_of(&query).unwrap_or("the chosen one");
        let link = to_query(&query.within(everything.clone(), None));
        view! { <li>{format!("Time range: {words}")}" "<a href=link>"Without it"</a></li> }
    });
    let whole = is_ranged.then(|| {
        let link = to_query(&query.within(everything.clone(), None));
        view! { <a class="button" href=link>"Search all time"</a> }
    });
    let clear = to_query(&query.cleared().within(None, None));
    view! {
        <div class="state">
            <h2>{format!("No {one} matches")}</h2>
            <ul>{filters}{range}</ul>
            <p><a class="button" href=clear>"Clear all filters"</a>" "{whole}</p>
        </div>
    }
}

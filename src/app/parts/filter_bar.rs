//! Every filter as a labelled control inside one plain form. Without scripts Apply sends it; with them a choice applies itself.
//!
//! The form is a popover: on a wide screen the style sheet shows it as a bar, on a narrow one it opens as a sheet.

use leptos::prelude::*;

use super::at_once::at_once;
use super::awaited::answered;
use super::links::{log_query, project_id, search};
use super::range::{RangePicker, range_words};
use super::views::Board;
use super::views::menu::menu;
use crate::api::error::ApiError;
use crate::api::logs::{Choices, InUse, LogsPage, Values, choices, values};
use crate::model::filter::{LogFilter, parse_terms};
use crate::model::format;
use crate::model::query::{LogQuery, Order};

/// What the page shows, as the parts around the table read it.
pub type PageResource = Resource<Result<LogsPage, ApiError>>;
/// The choices of the short lists.
pub type Offer = Resource<Result<Choices, ApiError>>;

/// Before a number that is of whole hours around the range.
const ABOUT: &str = "about ";
/// The filters behind the button *Filter*: asked for less often than those in the bar.
const MORE: [LogFilter; 12] = [
    LogFilter::Path,
    LogFilter::RequestId,
    LogFilter::LogId,
    LogFilter::RequestBody,
    LogFilter::ResponseBody,
    LogFilter::Resource,
    LogFilter::User,
    LogFilter::AppId,
    LogFilter::ClientAppId,
    LogFilter::Ip,
    LogFilter::Slower,
    LogFilter::Origin,
];

/// The form.
#[component]
pub fn FilterBar(
    /// What the page shows.
    page: PageResource,
    /// The choices, see [`offered`].
    on_offer: Offer,
    /// The tab's saved views.
    views: Board,
) -> impl IntoView {
    let parsed = log_query();
    let query = Memo::new(move |_| parsed.get().unwrap_or_default());
    let active = move || query.with(LogQuery::active);
    view! {
        <div class="filter-bar">
            {menu(views)}
            {at_once(view! {
                <button type="button" class="button open-sheet" popovertarget="filters">
                    "Filters"{move || number(active())}" "<span class="open-range">{range_words(page, query)}</span>
                </button>
            })}
            <form id="filters" class="filters" method="get" popover role="search" aria-label="Filters" data-go>
                {at_once(first(page, query))}
                <ShortLists query on_offer/>
                {at_once(last(query))}
            </form>
            {at_once(view! {
                <form id="cleared" method="get" data-go hidden>
                    {move || hidden(&query.with(LogQuery::cleared).to_query_string())}
                </form>
            })}
        </div>
    }
}

/// What the form begins with: the text and the time.
fn first(page: PageResource, query: Memo<LogQuery>) -> impl IntoView {
    let text = move || query.with(|query| query.value(LogFilter::Anywhere));
    view! {
        <div class="sheet-head">
            <strong>"Filters"</strong>
            <button type="button" class="icon" popovertarget="filters" popovertargetaction="hide" aria-label="Close filters">"×"</button>
        </div>
        <div class="field find">
            <label for="f-q">{LogFilter::Anywhere.label()}</label>
            <input
                id="f-q" type="search" name="q" autocomplete="off" spellcheck="false" placeholder="id, URL, header, body text"
                value=text prop:value=text
            />
            <kbd aria-hidden="true">"/"</kbd>
        </div>
        <RangePicker page query/>
    }
}

/// What it ends with: the long lists, the filters asked for less often, and what sends it.
fn last(query: Memo<LogQuery>) -> impl IntoView {
    let within_more = move || query.with(|query| MORE.iter().filter(|filter| !query.terms(**filter).is_empty()).count());
    view! {
        <LongList filter=LogFilter::Endpoint query/>
        <LongList filter=LogFilter::Code query/>
        <button type="button" class="button quiet-button" popovertarget="more">
            "+ Filter"{move || number(within_more())}
        </button>
        <div id="more" class="panel" popover role="group" aria-label="More filters">
            {MORE.map(|filter| view! { <TextField filter query/> })}
        </div>
        <Kept query/>
        <span class="actions">
            <button type="submit" class="button primary">"Apply"</button>
            <button type="submit" class="button" form="cleared">"Clear"</button>
        </span>
    }
}

fn number(count: usize) -> Option<impl IntoView> {
    (count > 0).then(|| view! { <span class="badge">{count}</span> })
}

/// What the form does not show, and must not lose.
#[component]
fn Kept(query: Memo<LogQuery>) -> impl IntoView {
    move || {
        let query = query.get();
        let kept = LogQuery {
            order: query.order,
            tz: query.tz,
            columns: query.columns,
            view: query.view,
            ..LogQuery::default()
        };
        hidden(&kept.to_query_string())
    }
}

/// A query string's arguments as hidden controls.
pub fn hidden(query: &str) -> impl IntoView + use<> {
    crate::model::query::pairs(query)
        .map(|(name, value)| view! { <input type="hidden" name=name value=value/> })
        .collect_view()
}

/// The choices of the short lists. Asked for together with the page, before there is a form to put them into.
pub fn offered(project: Memo<String>, query: Memo<LogQuery>) -> Offer {
    // What is on offer depends on the range and the origin alone: the controls stay as they are while filters change.
    let offer = Memo::new(move |_| {
        query.with(|query| {
            let mut asked = LogQuery {
                from: query.from.clone(),
                to: query.to.clone(),
                tz: query.tz.clone(),
                ..LogQuery::default()
            };
            asked.set(LogFilter::Origin, &query.value(LogFilter::Origin));
            asked.to_query_string()
        })
    });
    Resource::new(
        move || (project.get(), offer.get()),
        |(project, offer)| choices(project, offer),
    )
}

/// The filters that are short lists, with the number of logs behind each choice.
#[component]
fn ShortLists(query: Memo<LogQuery>, on_offer: Offer) -> impl IntoView {
    view! {
        <Transition>
            {answered(on_offer, move |choices| {
                // Without the counts the choices are still there; what failed, the list itself says.
                let Choices { status, method, channel, about } = choices.unwrap_or_default();
                let status = ["SUCCESS", "FAILURE"].map(|word| (word.to_owned(), count_of(&status, word))).to_vec();
                let known = !method.is_empty();
                let (sure, others) = (known.then_some(""), known.then_some(if about { ABOUT } else { "" }));
                at_once(view! {
                    <Choice filter=LogFilter::Status values=status counted=sure query/>
                    <Choice filter=LogFilter::Method values=method counted=others query/>
                    <Choice filter=LogFilter::Channel values=channel counted=others query/>
                })
            })}
        </Transition>
    }
}

/// Whether nothing but the range and the origin narrows what a filter's values are counted in. The numbers are of all logs of the range: beside
/// another filter they would be of other logs than the page's.
fn is_alone(query: &LogQuery, filter: LogFilter) -> bool {
    query
        .filters
        .iter()
        .all(|(other, _)| *other == filter || *other == LogFilter::Origin)
}

fn count_of(values: &Values, word: &str) -> u64 {
    values
        .iter()
        .find(|(value, _)| value.eq_ignore_ascii_case(word))
        .map_or(0, |(_, count)| *count)
}

/// One choice from what is in use: each value, what it is together with the present one, and what leaves it out.
#[component]
fn Choice(
    filter: LogFilter,
    values: Values,
    /// What stands before each number; none where the numbers are not known.
    counted: Option<&'static str>,
    query: Memo<LogQuery>,
) -> impl IntoView {
    let now = query.with_untracked(|query| query.value(filter));
    let is_alone = Memo::new(move |_| query.with(|query| is_alone(query, filter)));
    let mut options: Vec<(String, String, Option<String>)> = values
        .iter()
        .map(|(value, count)| {
            let number = counted.map(|about| format!(" ({about}{})", format::count(*count)));
            (value.clone(), value_words(filter, value), number)
        })
        .collect();
    if filter != LogFilter::Status {
        options.extend(
            values
                .iter()
                .map(|(value, _)| (format!("!{value}"), format!("not {}", value_words(filter, value)), None)),
        );
    }
    let others = options.clone();
    let id = format!("f-{}", filter.argument());
    let value = move || query.with(|query| query.value(filter));
    // A value of the address that is not on offer (several of them, or one out of use) is shown all the same.
    let foreign = move || {
        let value = value();
        (!value.is_empty() && !others.iter().any(|(other, ..)| *other == value)).then(|| {
            let words = terms_words(filter, &value);
            view! { <option value=value selected>{words}</option> }
        })
    };
    view! {
        <div class="field" class:set=move || !value().is_empty()>
            <label for=id.clone()>{filter.label()}</label>
            <select id=id name=filter.argument() prop:value=value data-apply>
                <option value="">"Any"</option>
                {foreign}
                {options.into_iter().map(|(value, words, number)| {
                    let selected = value == now;
                    let words = move || match &number {
                        Some(number) if is_alone.get() => format!("{words}{number}"),
                        _ => words.clone(),
                    };
                    view! { <option value=value selected=selected>{words}</option> }
                }).collect_view()}
            </select>
        </div>
    }
}

/// A value from a long list: free text, with what is in use offered once it is wanted.
#[component]
fn LongList(filter: LogFilter, query: Memo<LogQuery>) -> impl IntoView {
    let (project, search) = (project_id(), search());
    let options = RwSignal::new(InUse::default());
    let load = move |_| {
        let (project, search) = (project.get_untracked(), search.get_untracked());
        leptos::task::spawn_local(async move {
            // What is offered only saves typing: where it cannot be read, the field works without.
            if let Ok(values) = values(project, search, filter.argument().to_owned()).await {
                options.try_set(values);
            }
        });
    };
    let id = format!("f-{}", filter.argument());
    let list = format!("{id}-list");
    let value = move || query.with(|query| query.value(filter));
    let offered = move || {
        let about = if options.with(|options| options.about) { ABOUT } else { "" };
        let counted = query.with(|query| is_alone(query, filter));
        options
            .get()
            .values
            .into_iter()
            .map(|(value, count)| {
                let number = counted.then(|| format!("{about}{}", format::count(count)));
                view! { <option value=value>{number}</option> }
            })
            .collect_view()
    };
    view! {
        <div class=format!("field f-{}", filter.argument()) class:set=move || !value().is_empty()>
            <label for=id.clone()>{filter.label()}</label>
            <input
                id=id type="text" name=filter.argument() list=list.clone() autocomplete="off" spellcheck="false" class="mono"
                placeholder=placeholder(filter) value=value prop:value=value on:focus=load
            />
            <datalist id=list>{offered}</datalist>
        </div>
    }
}

/// A value that is typed in; the origin alone is a choice.
#[component]
fn TextField(filter: LogFilter, query: Memo<LogQuery>) -> impl IntoView {
    let id = format!("f-{}", filter.argument());
    let value = move || query.with(|query| query.value(filter));
    let control = match filter {
        LogFilter::Origin => {
            let now = query.with_untracked(|query| query.value(filter));
            let options = [
                ("", "The application"),
                ("self", "This service itself"),
                ("application,self", "Both"),
            ];
            view! {
                <select id=id.clone() name="origin" prop:value=value>
                    {options.map(|(value, words)| view! { <option value=value selected=value == now>{words}</option> })}
                </select>
            }
            .into_any()
        }
        LogFilter::Slower => view! {
            <input
                id=id.clone() type="number" name="slower" min="0" step="any" inputmode="decimal" placeholder="ms"
                value=value prop:value=value
            />
        }
        .into_any(),
        _ => view! {
            <input
                id=id.clone() type="text" name=filter.argument() autocomplete="off" spellcheck="false" class="mono"
                placeholder=placeholder(filter) value=value prop:value=value
            />
        }
        .into_any(),
    };
    view! {
        <div class="field" class:set=move || !value().is_empty()>
            <label for=id>{filter.label()}</label>
            {control}
        </div>
    }
}

const fn placeholder(filter: LogFilter) -> &'static str {
    match filter {
        LogFilter::Code => "404, 4xx",
        LogFilter::Endpoint => "any",
        LogFilter::Path => "/v1/vou",
        LogFilter::Resource => "voucher:v_123",
        LogFilter::User => "e-mail or id",
        LogFilter::AppId | LogFilter::ClientAppId => "name or id",
        LogFilter::RequestBody | LogFilter::ResponseBody => "any text in it",
        _ => "",
    }
}

/// The words that people read for a value.
pub fn value_words(filter: LogFilter, value: &str) -> String {
    match (filter, value) {
        (LogFilter::Status, "SUCCESS") => "Success".to_owned(),
        (LogFilter::Status, "FAILURE") => "Failure".to_owned(),
        (LogFilter::Origin, "self") => "this service".to_owned(),
        (LogFilter::Slower, ms) => format!("{ms} ms"),
        _ => value.to_owned(),
    }
}

/// The words for several values, wanted or left out.
pub fn terms_words(filter: LogFilter, value: &str) -> String {
    if filter.is_literal() {
        return value_words(filter, value);
    }
    let words = parse_terms(value).into_iter().map(|term| {
        let words = value_words(filter, &term.value);
        if term.without { format!("not {words}") } else { words }
    });
    words.collect::<Vec<_>>().join(", ")
}

/// The words of the order, for the heading of the time.
pub const fn order_words(order: Order) -> &'static str {
    match order {
        Order::NewestFirst => "descending",
        Order::OldestFirst => "ascending",
    }
}

//! The dialog *Export logs*: which logs, which fields, in what order and form; then it is made in the background.
//!
//! To add a setting: a signal in [`Choice`], its control in [`Settings`], and its place in what [`Choice::asked`] gives.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::dialog::Modal;
use super::filter_bar::terms_words;
use super::notices::Board;
use super::totals::number;
use crate::api::error::ApiError;
use crate::api::exports::{NewExport, create_export, estimate_export};
use crate::api::logs::LogsPage;
use crate::model::export::{Exported, Format, is_withheld};
use crate::model::page::Total;
use crate::model::query::{LogQuery, Order};

/// What is chosen; kept while the page is.
#[derive(Clone, Copy)]
struct Choice {
    fields: RwSignal<Vec<bool>>,
    oldest_first: RwSignal<bool>,
    format: RwSignal<Format>,
    guarded: RwSignal<bool>,
}

impl Choice {
    fn new() -> Self {
        let fields = Exported::ApiLog.fields().len();
        let defaults = Exported::ApiLog.defaults();
        Self {
            fields: RwSignal::new((0..fields).map(|place| place < defaults).collect()),
            oldest_first: RwSignal::new(false),
            format: RwSignal::new(Format::Csv),
            guarded: RwSignal::new(true),
        }
    }

    /// What would be empty in the file is not chosen.
    fn leave_out(self, (bodies, users): (bool, bool)) {
        self.fields.update(|chosen| {
            for (field, chosen) in Exported::ApiLog.fields().iter().zip(chosen) {
                *chosen &= !is_withheld(field, bodies, users);
            }
        });
    }

    fn asked(self, query: &LogQuery) -> NewExport {
        let chosen = self.fields.get_untracked();
        let fields = Exported::ApiLog.fields().iter().zip(chosen);
        let format = self.format.get_untracked();
        NewExport {
            query: query.to_query_string(),
            fields: fields
                .filter(|(_, chosen)| *chosen)
                .map(|(field, _)| (*field).to_owned())
                .collect(),
            oldest_first: self.oldest_first.get_untracked(),
            format,
            guarded: format == Format::Csv && self.guarded.get_untracked(),
        }
    }
}

/// The query as an export reads it: the whole of the list, not one page.
fn whole(query: &LogQuery) -> LogQuery {
    LogQuery {
        after: None,
        before: None,
        columns: Vec::new(),
        limit: crate::model::query::DEFAULT_LIMIT,
        view: None,
        ..query.clone()
    }
}

/// The dialog, which opens once `open` says so, and says when it is closed.
#[component]
pub fn ExportDialog(
    /// Whether it is open.
    open: RwSignal<bool>,
    /// The page's query.
    query: Memo<LogQuery>,
    /// The project's id.
    project: Memo<String>,
    /// The page that was shown last: it knows what the range means in the zone.
    last: StoredValue<Option<LogsPage>>,
) -> impl IntoView {
    let modal = Modal::new();
    let choice = Choice::new();
    let estimate = RwSignal::new(None::<Result<Total, ApiError>>);
    let failed = RwSignal::new(None::<String>);
    let busy = RwSignal::new(false);
    let board = use_context::<Board>();
    Effect::new(move |_| {
        if !open.get() {
            return;
        }
        failed.set(None);
        estimate.set(None);
        let (of, asked) = (project.get_untracked(), whole(&query.get_untracked()).to_query_string());
        spawn_local(async move {
            let answer = estimate_export(of, asked).await;
            estimate.try_set(Some(answer));
        });
        modal.open();
    });
    let create = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let of = project.get_untracked();
        let new = choice.asked(&whole(&query.get_untracked()));
        if new.fields.is_empty() {
            failed.set(Some(
                "Choose at least one field: a file without columns says nothing.".to_owned(),
            ));
            return;
        }
        busy.set(true);
        spawn_local(async move {
            let answer = create_export(of.clone(), new).await;
            busy.try_set(false);
            match answer {
                Ok(id) => {
                    modal.close();
                    if let Some(board) = board {
                        board.begin(of, id);
                    }
                }
                Err(error) => {
                    failed.try_set(Some(error.to_string()));
                }
            }
        });
    };
    let settings = move || open.get().then(|| settings(&query.get_untracked(), last, choice, estimate));
    view! {
        <dialog
            class="dialog export-dialog" node_ref=modal.node() aria-labelledby="export-title" on:close=move |_| open.set(false)
        >
            <h2 id="export-title">"Export logs"</h2>
            <form on:submit=create>
                {settings}
                {move || failed.get().map(|reason| view! { <p class="notice bad" role="alert">{reason}</p> })}
                <div class="actions">
                    <button type="submit" class="button primary" disabled=busy>"Create export"</button>
                    <button type="button" class="button" on:click=move |_| modal.close()>"Close"</button>
                </div>
            </form>
        </dialog>
    }
}

fn settings(
    query: &LogQuery,
    last: StoredValue<Option<LogsPage>>,
    choice: Choice,
    estimate: RwSignal<Option<Result<Total, ApiError>>>,
) -> impl IntoView + use<> {
    choice.oldest_first.set(query.order == Order::OldestFirst);
    let range = last.with_value(|page| {
        page.as_ref().map(|page| {
            format!(
                "{} {}",
                page.zone.range(page.range.0, page.range.1, page.now),
                page.zone.label_at(page.range.1)
            )
        })
    });
    let hidden = last.with_value(|page| {
        page.as_ref()
            .map_or((false, false), |page| (page.bodies_hidden, page.users_hidden))
    });
    choice.leave_out(hidden);
    let filters = query.filters.iter().map(|(filter, _)| {
        let words = terms_words(*filter, &query.value(*filter));
        view! { <div><dt>{filter.label()}</dt><dd>{words}</dd></div> }
    });
    let filters = filters.collect_view();
    let none = (query.active() == 0).then(|| view! { <div><dt>"Filters"</dt><dd>"none: every log of the range"</dd></div> });
    let rows = move || match estimate.get() {
        None => "counting".to_owned(),
        Some(Ok(Total::Unknown)) => "not counted: the text is looked for while the file is made".to_owned(),
        Some(Ok(total)) => number(total),
        Some(Err(error)) => format!("could not be counted: {error}"),
    };
    view! {
        <dl class="record-list">
            {range.map(|range| view! { <div><dt>"Time range"</dt><dd>{range}</dd></div> })}
            {filters}
            {none}
            <div><dt>"Rows, about"</dt><dd aria-live="polite">{rows}</dd></div>
        </dl>
        <Settings choice hidden/>
    }
}

/// Why some fields are not on offer.
const fn why_withheld(hidden: (bool, bool)) -> Option<&'static str> {
    match hidden {
        (false, false) => None,
        (true, false) => Some(
            "Your role may not read bodies: the fields for that are not on offer, and url is the path alone. An owner of the project can change that.",
        ),
        (false, true) => Some(
            "Your role may not see who did it: the fields for that are not on offer. An owner of the project can change that.",
        ),
        (true, true) => Some(
            "Your role may not read bodies nor see who did it: the fields for that are not on offer, and url is the path alone. An owner of the project \
             can change that.",
        ),
    }
}

/// Fields, order, format.
#[component]
fn Settings(
    choice: Choice,
    // Whether bodies, and who did it, are not for whoever looks.
    hidden: (bool, bool),
) -> impl IntoView {
    let boxes = Exported::ApiLog.fields().iter().enumerate().map(|(place, field)| {
        let is_chosen = move || choice.fields.with(|fields| fields.get(place).copied().unwrap_or_default());
        let turn = move |event| {
            let chosen = event_target_checked(&event);
            choice.fields.update(|fields| {
                if let Some(field) = fields.get_mut(place) {
                    *field = chosen;
                }
            });
        };
        view! {
            <label class="tick"><input type="checkbox" prop:checked=is_chosen disabled=is_withheld(field, hidden.0, hidden.1) on:change=turn/><span class="mono">{*field}</span></label>
        }
    });
    let boxes = boxes.collect_view();
    let order = move |event| choice.oldest_first.set(event_target_value(&event) == "oldest");
    let ordered = move || if choice.oldest_first.get() { "oldest" } else { "newest" };
    let format = move |event| {
        choice
            .format
            .set(Format::parse(&event_target_value(&event)).unwrap_or_default());
    };
    let formatted = move || choice.format.get().as_str();
    // A list's value is set before its options are there: what is chosen at first, they say themselves.
    let (oldest, first) = (choice.oldest_first.get_untracked(), choice.format.get_untracked());
    let formats = Format::ALL.map(|format| {
        view! { <option value=format.as_str() selected=format == first>{format.label()}</option> }
    });
    let is_csv = move || choice.format.get() == Format::Csv;
    view! {
        <fieldset class="export-fields">
            <legend>"Fields"</legend><div class="ticks">{boxes}</div>
            {why_withheld(hidden).map(|why| view! { <p class="quiet">{why}</p> })}
        </fieldset>
        <div class="export-form">
            <label for="export-order">"Order"</label>
            <select id="export-order" prop:value=ordered on:change=order>
                <option value="newest" selected=!oldest>"Newest first"</option>
                <option value="oldest" selected=oldest>"Oldest first"</option>
            </select>
            <label for="export-format">"Format"</label>
            <select id="export-format" prop:value=formatted on:change=format>{formats}</select>
        </div>
        <div hidden=move || !is_csv()>
            <label class="tick">
                <input
                    type="checkbox" prop:checked=choice.guarded aria-describedby="guard-why"
                    on:change=move |event| choice.guarded.set(event_target_checked(&event))
                />
                "Guard formulas"
            </label>
            <p id="guard-why" class="quiet">"Cells that a spreadsheet would run as formulas get a ' in front."</p>
        </div>
    }
}

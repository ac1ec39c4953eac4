//! The table of logs: one row a log, its id a link in the first column.

use leptos::prelude::*;

use super::filter_bar::order_words;
use super::links::to_query;
use crate::api::logs::{LogsPage, Row};
use crate::model::column::Column;
use crate::model::format::short_id;
use crate::model::query::{LogQuery, Order, escape};
use crate::model::zone::{Zone, rfc3339};

/// The table.
#[component]
pub fn LogTable(
    /// What it shows.
    page: Signal<LogsPage>,
    /// The page's query.
    query: Memo<LogQuery>,
    /// The project's id.
    project: Memo<String>,
) -> impl IntoView {
    let columns = Memo::new(move |_| query.with(|query| Column::chosen(&query.columns)));
    let rows = move || page.with(|page| page.rows.clone());
    // A row is the same one as long as its log, its columns and its zone are: then what a refresh brings slides in around it.
    let look = Memo::new(move |_| {
        let columns = columns.with(|columns| columns.iter().map(|column| column.name()).collect::<String>());
        format!(
            "{columns}{}{}",
            page.with(|page| page.zone.name.clone()),
            query.with(log_arguments)
        )
    });
    let row = move |row: Row| {
        let context = RowContext {
            columns: columns.get_untracked(),
            zone: page.with_untracked(|page| page.zone.clone()),
            now: page.with_untracked(|page| page.now),
            path: format!("/projects/{}/logs/", project.get_untracked()),
            arguments: query.with_untracked(log_arguments),
        };
        row_view(row, &context)
    };
    view! {
        <table class="logs">
            <thead>
                <tr>
                    <th scope="col" class="c-id">"Log ID"</th>
                    {move || columns.get().into_iter().map(|column| heading(column, query)).collect_view()}
                </tr>
            </thead>
            <tbody>
                <For each=rows key=move |row| format!("{}{}", row.id, look.get()) children=row/>
            </tbody>
        </table>
    }
}

/// The arguments that a log's page takes over: the filters, for its previous and next.
fn log_arguments(query: &LogQuery) -> String {
    let mut query = LogQuery {
        after: None,
        before: None,
        limit: crate::model::query::DEFAULT_LIMIT,
        ..query.clone()
    };
    query.columns.clear();
    let text = query.to_query_string();
    if text.is_empty() { text } else { format!("?{text}") }
}

fn heading(column: Column, query: Memo<LogQuery>) -> AnyView {
    let class = cell_class(column);
    if column != Column::Time {
        return view! { <th scope="col" class=class>{column.label()}</th> }.into_any();
    }
    let order = move || query.with(|query| query.order);
    let href = move || {
        let other = if order() == Order::NewestFirst {
            Order::OldestFirst
        } else {
            Order::NewestFirst
        };
        to_query(&LogQuery {
            order: other,
            after: None,
            before: None,
            ..query.get()
        })
    };
    let arrow = move || if order() == Order::NewestFirst { "↓" } else { "↑" };
    view! {
        <th scope="col" class=class aria-sort=move || order_words(order())>
            <a href=href title="Turn the order around">"Time "<span aria-hidden="true">{arrow}</span></a>
        </th>
    }
    .into_any()
}

const fn cell_class(column: Column) -> &'static str {
    match column {
        Column::Time => "c-time",
        Column::Status => "c-status",
        Column::Method => "c-method mono",
        Column::Endpoint => "c-endpoint mono",
        Column::Path => "c-path mono",
        Column::Channel => "c-channel",
        Column::User => "c-user",
        Column::Took => "c-took figure",
        Column::RequestSize | Column::ResponseSize => "c-size figure",
        Column::RequestId | Column::Task => "c-id-like mono",
        Column::Ip | Column::Resource => "c-text mono",
        Column::ServerKey | Column::ClientKey | Column::Origin | Column::Notes => "c-text",
    }
}

struct RowContext {
    columns: Vec<Column>,
    zone: Zone,
    now: i64,
    path: String,
    arguments: String,
}

fn row_view(row: Row, context: &RowContext) -> impl IntoView + use<> {
    let href = format!("{}{}{}", context.path, escape(&row.id), context.arguments);
    let short = short_id(&row.id);
    let cells = context
        .columns
        .iter()
        .zip(row.cells)
        .map(|(column, text)| cell(*column, text, row.at, row.failed, context))
        .collect_view();
    view! {
        <tr class=row.failed.then_some("failed")>
            <td class="c-id mono">
                <a href=href title=row.id.clone()>{short}</a>
                <button type="button" class="copy" data-copy=row.id aria-label="Copy log ID"></button>
            </td>
            {cells}
        </tr>
    }
}

fn cell(column: Column, text: String, at: i64, failed: bool, context: &RowContext) -> AnyView {
    let class = cell_class(column);
    match column {
        Column::Time => view! {
            <td class=class>
                <time datetime=rfc3339(at) title=context.zone.full(at)>{context.zone.short(at, context.now)}</time>
            </td>
        }
        .into_any(),
        Column::Status => {
            let (word, look) = if failed {
                ("Failure", "state failure")
            } else {
                ("Success", "state success")
            };
            let code = if text.is_empty() { "no answer".to_owned() } else { text };
            view! { <td class=class><span class=look>{word}</span>" "<span class="code">{code}</span></td> }.into_any()
        }
        Column::RequestId | Column::Task if !text.is_empty() => {
            let short = short_id(&text);
            view! { <td class=class title=text>{short}</td> }.into_any()
        }
        Column::Endpoint | Column::Path | Column::User | Column::Channel | Column::Resource => {
            let text = Some(text).filter(|text| !text.is_empty());
            let title = text.clone();
            view! { <td class=class title=title>{text}</td> }.into_any()
        }
        // Without text the cell is truly empty, which a card leaves out.
        _ => view! { <td class=class>{Some(text).filter(|text| !text.is_empty())}</td> }.into_any(),
    }
}

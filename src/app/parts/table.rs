//! The table of logs: one row a log, its id a link in the first column.

use leptos::prelude::*;

use super::filter_bar::order_words;
use super::links::to_query;
use super::markup::{Escaped, put};
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
            can_copy: true,
        };
        row_view(row, &context)
    };
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| {
        page.track();
        crate::app::browser::place::rows_came();
    });
    view! {
        <table class="logs" class:chosen=move || query.with(|query| !query.columns.is_empty())>
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

/// The arguments that a log's page takes over: the filters for its previous and next, the rest for the way back to this very page.
fn log_arguments(query: &LogQuery) -> String {
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

pub(super) const fn cell_class(column: Column) -> &'static str {
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

pub(super) struct RowContext {
    pub(super) columns: Vec<Column>,
    pub(super) zone: Zone,
    pub(super) now: i64,
    /// What stands before a log's id in the address of its page.
    pub(super) path: String,
    /// What stands after it.
    pub(super) arguments: String,
    /// Whether scripts can copy the id.
    pub(super) can_copy: bool,
}

/// A row: an element with its cells as text. Fifty rows of views are two thousand nodes to make on the server and to take over in the browser, and
/// none of them changes by itself.
fn row_view(row: Row, context: &RowContext) -> impl IntoView + use<> {
    let class = row.failed.then_some("failed");
    view! { <tr class=class inner_html=cells(&row, context)></tr> }
}

/// The cells of a row as markup. Whatever a log says goes through [`Escaped`].
pub(super) fn cells(row: &Row, context: &RowContext) -> String {
    let mut out = String::with_capacity(1_200);
    let id = Escaped(&row.id);
    put(
        &mut out,
        format_args!(
            r#"<td class="c-id mono"><a href="{}{}{}" title="{id}">{}</a>"#,
            Escaped(&context.path),
            Escaped(&escape(&row.id)),
            Escaped(&context.arguments),
            Escaped(&short_id(&row.id)),
        ),
    );
    if context.can_copy {
        put(
            &mut out,
            format_args!(r#"<button type="button" class="copy" data-copy="{id}" aria-label="Copy log ID"></button>"#),
        );
    }
    out.push_str("</td>");
    for (column, text) in context.columns.iter().zip(&row.cells) {
        cell(*column, text, row, context, &mut out);
    }
    out
}

fn cell(column: Column, text: &str, row: &Row, context: &RowContext, out: &mut String) {
    let class = cell_class(column);
    let shown = Escaped(text);
    match column {
        Column::Time => put(
            out,
            format_args!(
                r#"<td class="{class}"><time datetime="{}" title="{}">{}</time></td>"#,
                rfc3339(row.at),
                Escaped(&context.zone.full(row.at)),
                Escaped(&context.zone.short(row.at, context.now)),
            ),
        ),
        Column::Status => {
            let (word, look) = if row.failed {
                ("Failure", "failure")
            } else {
                ("Success", "success")
            };
            let code = if text.is_empty() { Escaped("no answer") } else { shown };
            put(
                out,
                format_args!(
                    r#"<td class="{class}"><span class="state {look}">{word}</span> <span class="code">{code}</span></td>"#
                ),
            );
        }
        // A cell that says nothing is truly empty, which a card leaves out.
        _ if text.is_empty() => put(out, format_args!(r#"<td class="{class}"></td>"#)),
        Column::RequestId | Column::Task => put(
            out,
            format_args!(r#"<td class="{class}" title="{shown}">{}</td>"#, Escaped(&short_id(text))),
        ),
        Column::Endpoint | Column::Path | Column::User | Column::Channel | Column::Resource => {
            put(out, format_args!(r#"<td class="{class}" title="{shown}">{shown}</td>"#));
        }
        _ => put(out, format_args!(r#"<td class="{class}">{shown}</td>"#)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_log_says_is_text() {
        let evil = r#"<img src=x onerror="alert('&')">"#.to_owned();
        let columns = Column::ALL.to_vec();
        let row = Row {
            id: evil.clone(),
            at: 0,
            failed: true,
            cells: vec![evil; columns.len()],
        };
        let context = RowContext {
            columns,
            zone: Zone::utc(),
            now: 0,
            path: "/projects/prj/logs/".to_owned(),
            arguments: "?q=\"><b>".to_owned(),
            can_copy: true,
        };
        let cells = cells(&row, &context);
        assert!(!cells.contains("<img") && !cells.contains("<b>"), "{cells}");
        assert!(!cells.contains(r#"onerror=""#), "{cells}");
        assert!(
            cells.contains("&lt;img src=x onerror=&quot;alert(&#39;&amp;&#39;)&quot;&gt;"),
            "{cells}"
        );
    }
}

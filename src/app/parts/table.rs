//! The table of logs: one row a log, its id a link in the first column.

use leptos::prelude::*;

use super::filter_bar::order_words;
use super::links::to_query;
use super::markup::{Escaped, Markup};
use super::written::written;
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
    let context = move || RowContext {
        columns: columns.get_untracked(),
        zone: page.with_untracked(|page| page.zone.clone()),
        now: page.with_untracked(|page| page.now),
        address: address(
            &format!("/projects/{}/logs/", project.get_untracked()),
            &query.with_untracked(log_arguments),
        ),
        can_copy: true,
    };
    let row = move |row: Row| row_view(row, &context());
    let text = move || {
        let context = context();
        page.with_untracked(|page| rows_text(&page.rows, &context))
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
                {written(text, view! { <For each=rows key=move |row| format!("{}{}", row.id, look.get()) children=row/> })}
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
    /// What stands before and after a log's id in the address of its page, from [`address`].
    pub(super) address: (String, String),
    /// Whether scripts can copy the id.
    pub(super) can_copy: bool,
}

/// Both ends of the address of a log's page as markup: escaped once for all rows.
pub(super) fn address(before: &str, after: &str) -> (String, String) {
    (Escaped(before).to_string(), Escaped(after).to_string())
}

/// A row: an element with its cells as text. Fifty rows of views are two thousand nodes to make on the server and to take over in the browser, and
/// none of them changes by itself.
fn row_view(row: Row, context: &RowContext) -> impl IntoView + use<> {
    let class = row.failed.then_some("failed");
    view! { <tr class=class inner_html=cells(&row, context)></tr> }
}

/// What [`row_view`] and [`For`] would write of these rows.
fn rows_text(rows: &[Row], context: &RowContext) -> String {
    let mut out = Markup::with_capacity(1_200 * rows.len() + 8);
    for row in rows {
        out.raw(if row.failed { r#"<tr class="failed">"# } else { "<tr>" });
        put_cells(row, context, &mut out);
        out.raw("</tr>");
    }
    out.raw("<!>");
    out.done()
}

/// The cells of a row as markup.
pub(super) fn cells(row: &Row, context: &RowContext) -> String {
    let mut out = Markup::with_capacity(1_200);
    put_cells(row, context, &mut out);
    out.done()
}

/// Writes the cells of a row. Whatever a log says goes through [`Markup::text`].
fn put_cells(row: &Row, context: &RowContext, out: &mut Markup) {
    let (before, after) = &context.address;
    out.raw(r#"<td class="c-id mono"><a href=""#)
        .raw(before)
        .text(&escape(&row.id))
        .raw(after);
    out.raw(r#"" title=""#)
        .text(&row.id)
        .raw("\">")
        .text(&short_id(&row.id))
        .raw("</a>");
    if context.can_copy {
        out.raw(r#"<button type="button" class="copy" data-copy=""#).text(&row.id);
        out.raw(r#"" aria-label="Copy log ID"></button>"#);
    }
    out.raw("</td>");
    for (column, text) in context.columns.iter().zip(&row.cells) {
        cell(*column, text, row, context, out);
    }
}

fn cell(column: Column, text: &str, row: &Row, context: &RowContext, out: &mut Markup) {
    out.raw(r#"<td class=""#).raw(cell_class(column));
    match column {
        Column::Time => {
            out.raw(r#""><time datetime=""#).raw(&rfc3339(row.at));
            out.raw(r#"" title=""#).text(&context.zone.full(row.at));
            out.raw("\">")
                .text(&context.zone.short(row.at, context.now))
                .raw("</time></td>");
        }
        Column::Status => {
            out.raw(if row.failed {
                r#""><span class="state failure">Failure</span> <span class="code">"#
            } else {
                r#""><span class="state success">Success</span> <span class="code">"#
            });
            let code = if text.is_empty() { "no answer" } else { text };
            out.text(code).raw("</span></td>");
        }
        // A cell that says nothing is truly empty, which a card leaves out.
        _ if text.is_empty() => {
            out.raw("\"></td>");
        }
        Column::RequestId | Column::Task => {
            out.raw(r#"" title=""#)
                .text(text)
                .raw("\">")
                .text(&short_id(text))
                .raw("</td>");
        }
        Column::Endpoint | Column::Path | Column::User | Column::Channel | Column::Resource => {
            out.raw(r#"" title=""#).text(text).raw("\">").text(text).raw("</td>");
        }
        _ => {
            out.raw("\">").text(text).raw("</td>");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_writes_rows_as_their_views_would_be() {
        let row = |id: &str, failed: bool| Row {
            id: id.to_owned(),
            at: 1,
            failed,
            cells: vec![String::new(), "/v1/<x>".to_owned()],
        };
        for rows in [vec![], vec![row("a&b", true), row("log_01JD0000000000000000007Q2K", false)]] {
            let context = std::sync::Arc::new(RowContext {
                columns: vec![Column::Time, Column::Path],
                zone: Zone::utc(),
                now: 0,
                address: address("/projects/prj/logs/", "?q=1&r=2"),
                can_copy: true,
            });
            let text = rows_text(&rows, &context);
            let views = Owner::new().with(|| {
                let row = move |row: Row| row_view(row, &context);
                view! { <For each=move || rows.clone() key=|row| row.id.clone() children=row/> }.to_html()
            });
            // A class that is not there is written as an empty one.
            assert_eq!(text, views.replace(r#" class="""#, ""));
        }
    }

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
            address: address("/projects/prj/logs/", "?q=\"><b>"),
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

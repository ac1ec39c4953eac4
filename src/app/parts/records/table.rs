//! The table of a tab: one row a record, its id a link in the first column.
//!
//! To add a column: its head in the record's `HEADS`, and its text in the same place of its `cells`.

use leptos::prelude::*;

use super::{Head, Record, RowContext, arguments, segment, to_query};
use crate::api::tasks::Listed;
use crate::app::parts::filter_bar::order_words;
use crate::app::parts::markup::{Escaped, put};
use crate::model::format::short_id;
use crate::model::query::{Order, escape};
use crate::model::tab::TabQuery;

/// The table.
pub fn table<R: Record>(page: RwSignal<Listed<R>>, query: Memo<TabQuery>, project: Memo<String>) -> impl IntoView {
    let rows = move || page.with(|page| page.rows.clone());
    // A row is the same one as long as its record and its zone are: then what comes anew slides in around it.
    let look = Memo::new(move |_| format!("{}{}", page.with(|page| page.zone.name.clone()), query.with(arguments)));
    let key = move |row: &R| {
        // One that runs stays the same row while its cells change, so that who stands on its link is not thrown off.
        let version = if row.is_over() { row.version() } else { "runs".to_owned() };
        format!("{} {version} {}", row.id(), look.get())
    };
    let row = move |row: R| {
        let (zone, now, may_work) = page.with_untracked(|page| (page.zone.clone(), page.now, page.may_work));
        let context = RowContext {
            zone,
            now,
            path: format!("/projects/{}/{}", project.get_untracked(), segment(R::TAB)),
            arguments: query.with_untracked(arguments),
            may_work,
        };
        if row.is_over() {
            view! { <tr inner_html=whole(&row, &context)></tr> }.into_any()
        } else {
            running(&row, page, context)
        }
    };
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| {
        page.track();
        crate::app::browser::place::rows_came();
    });
    let heads = R::HEADS.iter().map(|head| heading(*head, query)).collect_view();
    view! {
        <table class="records">
            <thead>
                <tr>
                    <th scope="col" class="c-id">{R::ID}</th>
                    {heads}
                </tr>
            </thead>
            <tbody>
                <For each=rows key=key children=row/>
            </tbody>
        </table>
    }
}

/// A row that changes by itself: a text a cell, so that the others stay as they are.
fn running<R: Record>(row: &R, page: RwSignal<Listed<R>>, context: RowContext) -> AnyView {
    let id = row.id().to_owned();
    let first = id_cell::<R>(&id, &context);
    let cells = Memo::new(move |before: Option<&Vec<String>>| {
        let now = page.with(|page| page.rows.iter().find(|row| row.id() == id).map(|row| row.cells(&context)));
        now.or_else(|| before.cloned()).unwrap_or_default()
    });
    let rest = R::HEADS.iter().enumerate().map(|(place, head)| {
        let text = move || cells.with(|cells| cells.get(place).cloned().unwrap_or_default());
        view! { <td class=head.class data-label=head.label inner_html=text></td> }
    });
    let rest = rest.collect_view();
    view! { <tr><td class="c-id mono" inner_html=first></td>{rest}</tr> }.into_any()
}

/// A row that is over, as one text: fifty rows of views are two thousand nodes to make and to take over.
fn whole<R: Record>(row: &R, context: &RowContext) -> String {
    let mut out = String::with_capacity(1_200);
    put(
        &mut out,
        format_args!(r#"<td class="c-id mono">{}</td>"#, id_cell::<R>(row.id(), context)),
    );
    for (head, cell) in R::HEADS.iter().zip(row.cells(context)) {
        put(
            &mut out,
            format_args!(
                r#"<td class="{}" data-label="{}">{cell}</td>"#,
                head.class,
                Escaped(head.label)
            ),
        );
    }
    out
}

fn id_cell<R: Record>(id: &str, context: &RowContext) -> String {
    format!(
        r#"<a href="{}/{}{}" title="{id}">{}</a><button type="button" class="copy" data-copy="{id}" aria-label="Copy {}"></button>"#,
        Escaped(&context.path),
        Escaped(&escape(id)),
        Escaped(&context.arguments),
        Escaped(&short_id(id)),
        Escaped(R::ID),
        id = Escaped(id),
    )
}

fn heading(head: Head, query: Memo<TabQuery>) -> AnyView {
    if !head.turns {
        return view! { <th scope="col" class=head.class>{head.label}</th> }.into_any();
    }
    let order = move || query.with(|query| query.order);
    let href = move || {
        let other = match order() {
            Order::NewestFirst => Order::OldestFirst,
            Order::OldestFirst => Order::NewestFirst,
        };
        to_query(&TabQuery {
            order: other,
            ..query.with(TabQuery::first_page)
        })
    };
    let arrow = move || match order() {
        Order::NewestFirst => "↓",
        Order::OldestFirst => "↑",
    };
    view! {
        <th scope="col" class=head.class aria-sort=move || order_words(order())>
            <a href=href title="Turn the order around">{head.label}" "<span aria-hidden="true">{arrow}</span></a>
        </th>
    }
    .into_any()
}

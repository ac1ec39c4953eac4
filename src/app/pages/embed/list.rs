//! The list of an embedded view: its view's columns, as the Logs tab shows them.

use leptos::prelude::*;

use super::{Around, as_of, document};
use crate::api::logs::{Row, Turn};
use crate::app::parts::still_table::StillTable;
use crate::model::column::Column;
use crate::model::format;
use crate::model::query::{Order, escape};

/// What the list shows.
#[derive(Clone, Debug)]
pub struct EmbedList {
    /// What stands around it.
    pub around: Around,
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows, in these columns.
    pub rows: Vec<Row>,
    /// Which end of time comes first.
    pub order: Order,
    /// Where Newer leads.
    pub newer: Option<Turn>,
    /// Where Older leads.
    pub older: Option<Turn>,
    /// How far back the search came before its time was over, and where it goes on.
    pub searched: Option<(i64, Turn)>,
    /// The range, from included, to not.
    pub range: (i64, i64),
    /// The place of this page, as a log's way back names it.
    pub here: Option<Turn>,
}

/// The page.
pub fn page(list: EmbedList) -> String {
    let around = &list.around;
    let title = format!("{} · {}", around.view, around.project);
    let range = around.zone.range(list.range.0, list.range.1, around.now);
    let searched = searched(&list);
    let rows = if !list.rows.is_empty() {
        rows(&list)
    } else if searched.is_none() {
        empty()
    } else {
        ().into_any()
    };
    let content = view! {
        <main id="content" class="embed">
            <header class="embed-head">
                <h1><span class="quiet">{around.project.clone()}" / "</span>{around.view.clone()}</h1>
                <p class="quiet">{range}" · "{as_of(around)}</p>
            </header>
            {rows}
            {searched}
            {pager(&list)}
        </main>
    };
    document(&around.styles, &title, content.into_any())
}

/// An address of this page with one argument.
fn address(turn: &Turn) -> String {
    format!("?{}={}", turn.argument(), escape(&turn.cursor))
}

fn rows(list: &EmbedList) -> AnyView {
    let around = &list.around;
    let here = list
        .here
        .as_ref()
        .map(|turn| format!("&{}={}", turn.argument(), escape(&turn.cursor)));
    let table = StillTable {
        columns: &list.columns,
        rows: &list.rows,
        order: list.order,
        zone: &around.zone,
        now: around.now,
        address: ("?log=", here.as_deref().unwrap_or_default()),
    };
    let markup = table.markup(&format!("Logs of {}", around.view));
    view! { <div class="rows" tabindex="0" role="region" aria-label="Logs" inner_html=markup></div> }.into_any()
}

fn empty() -> AnyView {
    view! {
        <div class="state">
            <h2>"No log in this range matches"</h2>
            <p>"What this view shows will be here, as soon as there is any."</p>
        </div>
    }
    .into_any()
}

/// How far a search got whose time ran out.
fn searched(list: &EmbedList) -> Option<AnyView> {
    let (time, turn) = list.searched.as_ref()?;
    let words = if turn.after == (list.order == Order::NewestFirst) {
        "Searched back to "
    } else {
        "Searched up to "
    };
    let time = list.around.zone.coarse(*time, list.around.now);
    let href = address(turn);
    Some(view! { <p class="searched" role="status">{words}{time}". "<a href=href>"Go on"</a></p> }.into_any())
}

fn pager(list: &EmbedList) -> AnyView {
    let way = |turn: Option<&Turn>, words: &'static str, look: &'static str, rel: &'static str| {
        let class = format!("button {look}");
        turn.map_or_else(
            || view! { <span class=format!("{class} none") role="link" aria-disabled="true">{words}</span> }.into_any(),
            |turn| view! { <a class=class.clone() rel=rel href=address(turn)>{words}</a> }.into_any(),
        )
    };
    let shown = format::count(list.rows.len() as u64);
    let newer = way(list.newer.as_ref(), "Newer", "newer", "prev");
    let older = way(list.older.as_ref(), "Older", "older", "next");
    view! {
        <div class="pager">
            <span class="shown">{shown}" shown"</span>
            <nav aria-label="Pages">{newer}{older}</nav>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::zone::Zone;

    fn list(rows: Vec<Row>) -> EmbedList {
        EmbedList {
            around: Around {
                styles: String::new(),
                project: "Acme <b>".to_owned(),
                view: "Failed \"orders\"".to_owned(),
                zone: Zone::utc(),
                now: 86_400_000,
            },
            columns: vec![Column::Time, Column::Path],
            rows,
            order: Order::NewestFirst,
            newer: None,
            older: Some(Turn {
                after: true,
                cursor: "abc".to_owned(),
            }),
            searched: None,
            range: (0, 86_400_000),
            here: None,
        }
    }

    #[test]
    fn what_a_project_a_view_and_a_log_are_called_is_text() {
        let row = Row {
            id: "<script>".to_owned(),
            at: 0,
            failed: false,
            cells: vec![String::new(), "<img src=x onerror=alert(1)>".to_owned()],
        };
        let page = page(list(vec![row]));
        assert!(page.contains("Acme &lt;b&gt;"), "{page}");
        assert!(
            !page.contains("<b>") && !page.contains("<img") && !page.contains("<script"),
            "{page}"
        );
        assert!(
            page.contains("href=\"?after=abc\"") && page.contains("aria-disabled=\"true\""),
            "{page}"
        );
    }

    #[test]
    fn nothing_to_show_is_said_and_so_is_how_far_a_search_got() {
        let mut none = list(Vec::new());
        assert!(page(none.clone()).contains("No log in this range matches"));
        none.searched = Some((
            0,
            Turn {
                after: true,
                cursor: "on".to_owned(),
            },
        ));
        let page = page(none);
        assert!(!page.contains("No log in this range"), "{page}");
        assert!(
            page.contains("Searched back to") && page.contains("href=\"?after=on\""),
            "{page}"
        );
    }
}

//! The table of logs on a page that stays as the server made it: no script wakes it.

use super::filter_bar::order_words;
use super::markup::{Escaped, put};
use super::table::{RowContext, address, cell_class, cells};
use crate::api::logs::Row;
use crate::model::column::Column;
use crate::model::query::Order;
use crate::model::zone::Zone;

/// The table.
#[derive(Clone, Copy, Debug)]
pub struct StillTable<'a> {
    /// The columns.
    pub columns: &'a [Column],
    /// The rows, in these columns.
    pub rows: &'a [Row],
    /// The list's order.
    pub order: Order,
    /// The zone that the times are shown in.
    pub zone: &'a Zone,
    /// The server's time.
    pub now: i64,
    /// What stands before a log's id in the address of its page, and what after it.
    pub address: (&'a str, &'a str),
}

impl StillTable<'_> {
    /// The table as markup, named by these words.
    pub fn markup(&self, label: &str) -> String {
        let context = RowContext {
            columns: self.columns.to_vec(),
            zone: self.zone.clone(),
            now: self.now,
            address: address(self.address.0, self.address.1),
            can_copy: false,
        };
        let mut out = String::with_capacity(2_048 + 1_200 * self.rows.len());
        put(
            &mut out,
            format_args!(
                r#"<table class="logs chosen"><caption class="visually-hidden">{}</caption><thead><tr><th scope="col" class="c-id">Log ID</th>"#,
                Escaped(label)
            ),
        );
        for column in self.columns {
            let sorted = if *column == Column::Time {
                format!(r#" aria-sort="{}""#, order_words(self.order))
            } else {
                String::new()
            };
            let (class, words) = (cell_class(*column), column.label());
            put(
                &mut out,
                format_args!(r#"<th scope="col" class="{class}"{sorted}>{words}</th>"#),
            );
        }
        out.push_str("</tr></thead><tbody>");
        for row in self.rows {
            let class = if row.failed { r#" class="failed""# } else { "" };
            put(&mut out, format_args!("<tr{class}>{}</tr>", cells(row, &context)));
        }
        out.push_str("</tbody></table>");
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_nothing_wakes_has_no_button_in_its_rows() {
        let row = Row {
            id: "a<b".to_owned(),
            at: 0,
            failed: true,
            cells: vec![String::new(), "/v1/<x>".to_owned()],
        };
        let table = StillTable {
            columns: &[Column::Time, Column::Path],
            rows: &[row],
            order: Order::OldestFirst,
            zone: &Zone::utc(),
            now: 0,
            address: ("?log=", "&after=c"),
        };
        let markup = table.markup("Logs of \"x\"");
        assert!(
            markup.contains(r#"<a href="?log=a%3Cb&amp;after=c" title="a&lt;b">"#),
            "{markup}"
        );
        assert!(
            markup.contains(r#"aria-sort="ascending""#) && markup.contains("/v1/&lt;x&gt;"),
            "{markup}"
        );
        assert!(!markup.contains("<button") && !markup.contains("<x>"), "{markup}");
        assert!(markup.contains(r#"<tr class="failed">"#), "{markup}");
    }
}

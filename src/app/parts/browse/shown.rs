//! What is shown of a file now, and the markup of the rows in view.

use leptos::prelude::*;

use crate::app::parts::markup::{Escaped, put};
use crate::model::browse::message::{Line, View, Work};
use crate::model::format;
use crate::model::json_doc::fold_case;

/// A cell that was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Whole {
    /// Its column.
    pub(super) name: String,
    /// The row's number in the file, from 0.
    pub(super) row: u32,
    pub(super) text: String,
}

/// What is shown now.
#[derive(Clone, Copy, Debug)]
#[allow(dead_code, reason = "the browser's half sets what the server's only reads")]
pub(super) struct Shown {
    pub(super) columns: RwSignal<Vec<String>>,
    /// All rows that have come.
    pub(super) all: RwSignal<u32>,
    /// Those that satisfy the view.
    pub(super) count: RwSignal<u32>,
    /// Whether all that have come were looked at.
    pub(super) looked: RwSignal<bool>,
    /// Bytes that have come, and in all.
    pub(super) loading: RwSignal<Option<(u64, Option<u64>)>>,
    /// Whether all has come that will.
    pub(super) loaded: RwSignal<bool>,
    /// What takes its time, and how far it is in percent.
    pub(super) working: RwSignal<Option<(Work, u8)>>,
    /// What is wrong with the file, whose rows are shown.
    pub(super) problem: RwSignal<Option<String>>,
    /// Why nothing can be shown.
    pub(super) failed: RwSignal<Option<String>>,
    pub(super) lines: RwSignal<Vec<Line>>,
    /// The place of the first of `lines`.
    pub(super) first: RwSignal<u32>,
    pub(super) view: RwSignal<View>,
    /// The place and the column where the person is.
    pub(super) current: RwSignal<Option<(u32, u32)>>,
    pub(super) whole: RwSignal<Option<Whole>>,
    /// The column whose filter is being set.
    pub(super) filtering: RwSignal<Option<u32>>,
    /// Said to screen readers.
    pub(super) spoken: RwSignal<String>,
}

impl Shown {
    pub(super) fn new(columns: Vec<String>) -> Self {
        Self {
            columns: RwSignal::new(columns),
            all: RwSignal::new(0),
            count: RwSignal::new(0),
            looked: RwSignal::new(false),
            loading: RwSignal::new(None),
            loaded: RwSignal::new(false),
            working: RwSignal::new(None),
            problem: RwSignal::new(None),
            failed: RwSignal::new(None),
            lines: RwSignal::new(Vec::new()),
            first: RwSignal::new(0),
            view: RwSignal::new(View::default()),
            current: RwSignal::new(None),
            whole: RwSignal::new(None),
            filtering: RwSignal::new(None),
            spoken: RwSignal::new(String::new()),
        }
    }

    /// How many rows are shown, in words.
    pub(super) fn count_words(&self) -> String {
        let (all, count) = (self.all.get(), self.count.get());
        let so_far = if self.loaded.get() && self.looked.get() {
            ""
        } else {
            " so far"
        };
        let narrowed = self.view.with(|view| !view.text.is_empty() || !view.filters.is_empty());
        let noun = if all == 1 { "row" } else { "rows" };
        let all = format::count(all.into());
        if narrowed {
            format!("{} of {all} {noun}{so_far}", format::count(count.into()))
        } else {
            format!("{all} {noun}{so_far}")
        }
    }
}

/// How wide a column is: what is known to be short, ids and times, texts that may be long.
pub(super) fn width(name: &str) -> &'static str {
    match name {
        "id" | "log_id" | "export_id" | "async_action_id" | "request_id" | "app_id" | "client_app_id" | "user_id" => "browse-id",
        "created_at" | "updated_at" | "user_email" | "user" | "endpoint" | "file_name" => "browse-middle",
        "status" | "method" | "channel" | "status_code" | "progress" | "format" | "rows" | "bytes" => "browse-short",
        name if name.ends_with("_body") || name.ends_with("_headers") || name == "url" || name == "result" => "browse-long",
        _ => "browse-plain",
    }
}

/// The rows as markup: a text and not a view, since scrolling replaces hundreds of cells many times a second. What a cell says goes through
/// [`Escaped`].
pub(super) fn markup(lines: &[Line], first: u32, columns: &[String], sought: &str) -> String {
    let mut out = String::with_capacity(lines.len() * columns.len() * 60);
    let mut folded = sought.to_owned();
    fold_case(&mut folded);
    for (line, place) in lines.iter().zip(first..) {
        // The heading is the first row to a screen reader.
        put(
            &mut out,
            format_args!(
                "<tr data-place=\"{place}\" aria-rowindex=\"{}\"><th scope=\"row\" class=\"browse-number\">{}</th>",
                place + 2,
                format::count(u64::from(line.row) + 1)
            ),
        );
        for ((cell, name), column) in line.cells.iter().zip(columns).zip(0..) {
            put(
                &mut out,
                format_args!("<td class=\"{}\" data-column=\"{column}\">", width(name)),
            );
            write_marked(&cell.text, &folded, &mut out);
            if cell.cut {
                out.push('…');
            }
            out.push_str("</td>");
        }
        out.push_str("</tr>");
    }
    out
}

/// A text in which what is sought is marked.
fn write_marked(text: &str, sought: &str, out: &mut String) {
    let mut rest = 0;
    if !sought.is_empty() {
        // Folded, a text is as long as before: places in the one are places in the other.
        let mut folded = text.to_owned();
        fold_case(&mut folded);
        for (at, _) in folded.match_indices(sought) {
            let end = at + sought.len();
            put(
                out,
                format_args!("{}<mark>{}</mark>", Escaped(&text[rest..at]), Escaped(&text[at..end])),
            );
            rest = end;
        }
    }
    put(out, format_args!("{}", Escaped(&text[rest..])));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::browse::message::Cut;

    #[test]
    fn what_a_cell_says_is_never_markup_and_what_is_sought_is_marked() {
        let cell = Cut {
            text: "<b>\"Ärger\" & more".to_owned(),
            cut: true,
        };
        let line = Line {
            row: 6,
            cells: vec![cell],
        };
        let columns = vec!["url".to_owned()];
        assert_eq!(
            markup(&[line], 3, &columns, "äRG"),
            "<tr data-place=\"3\" aria-rowindex=\"5\"><th scope=\"row\" class=\"browse-number\">7</th>\
             <td class=\"browse-long\" data-column=\"0\">&lt;b&gt;&quot;<mark>Ärg</mark>er&quot; &amp; more…</td></tr>"
        );
    }
}

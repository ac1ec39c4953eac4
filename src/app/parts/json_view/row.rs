//! One row's markup, and the state that rows are drawn from.

use leptos::prelude::*;

use crate::app::parts::markup::{Escaped, put};
use crate::model::json_doc::message::Form;
use crate::model::json_doc::{Ink, Mark, Piece, Preview, Row};

/// Deeper rows are not indented further: they say their depth.
const MAX_INDENT: u16 = 40;

/// How far a search got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Matches known.
    pub(super) total: u32,
    /// There are more than are counted.
    pub(super) more: bool,
    /// All was looked at.
    pub(super) done: bool,
    /// The match that the person is at, from 0.
    pub(super) at: Option<u32>,
}

/// What is shown now. The server's first rows at the start, the worker's afterwards.
#[derive(Clone, Copy, Debug)]
#[allow(dead_code, reason = "the browser's half sets what the server's only reads")]
pub(super) struct Shown {
    pub(super) rows: RwSignal<Vec<Row>>,
    /// The number of the first of `rows`.
    pub(super) first: RwSignal<u32>,
    /// How many rows there are; `None` where nobody has counted yet.
    pub(super) total: RwSignal<Option<u32>>,
    pub(super) form: RwSignal<Form>,
    pub(super) problem: RwSignal<Option<String>>,
    pub(super) found: RwSignal<Option<Found>>,
    /// What is being done, where it takes long.
    pub(super) busy: RwSignal<Option<String>>,
    /// Why the body could not be loaded.
    pub(super) failed: RwSignal<Option<String>>,
    /// The row that the person is at.
    pub(super) current: RwSignal<Option<u32>>,
    /// Whether the worker answers.
    pub(super) live: RwSignal<bool>,
    pub(super) wrap: RwSignal<bool>,
    /// Said to screen readers.
    pub(super) spoken: RwSignal<String>,
}

impl Shown {
    pub(super) fn new(preview: Preview) -> Self {
        Self {
            rows: RwSignal::new(preview.rows),
            first: RwSignal::new(0),
            total: RwSignal::new(preview.total),
            form: RwSignal::new(preview.form),
            problem: RwSignal::new(preview.problem),
            found: RwSignal::new(None),
            busy: RwSignal::new(None),
            failed: RwSignal::new(None),
            current: RwSignal::new(None),
            live: RwSignal::new(false),
            wrap: RwSignal::new(false),
            spoken: RwSignal::new(String::new()),
        }
    }

    /// Whether all rows there are are in the page.
    #[cfg(feature = "hydrate")]
    pub(super) fn is_whole(&self) -> bool {
        let rows = self.rows.with_untracked(Vec::len) as u32;
        self.total.get_untracked() == Some(rows)
    }
}

/// The rows that are in the page, as markup.
///
/// One text and not a view: sixty rows are a thousand elements, and scrolling replaces them many times a second. The browser reads such a text
/// within a millisecond or two, where building views took most of a frame. Whatever a body says goes through [`Escaped`].
pub(super) fn markup(rows: &[Row], first: u32, live: bool, form: Form) -> String {
    let mut out = String::with_capacity(rows.len() * 400);
    for (row, at) in rows.iter().zip(first..) {
        write_row(row, at, live, form, &mut out);
    }
    out
}

fn write_row(row: &Row, at: u32, live: bool, form: Form, out: &mut String) {
    let node = row.node;
    put(
        out,
        format_args!("<div class=\"json-row\" data-row=\"{at}\"><span class=\"json-line\" aria-hidden=\"true\" data-line=\""),
    );
    if row.line > 0 {
        put(out, format_args!("{}", row.line));
    }
    out.push_str("\"></span><span class=\"json-side\">");
    if let Some(open) = row.open {
        let verb = if open { "Collapse" } else { "Expand" };
        put(
            out,
            format_args!(
                "<button type=\"button\" class=\"json-fold needs-scripts\" tabindex=\"-1\" aria-label=\"{verb} line {}\" \
                 aria-expanded=\"{open}\" data-act=\"fold\" data-node=\"{node}\"></button>",
                row.line
            ),
        );
    }
    out.push_str("</span><span class=\"json-text\">");
    for _ in 0..row.depth.min(MAX_INDENT) {
        out.push_str("  ");
    }
    if row.depth > MAX_INDENT {
        put(out, format_args!("<span class=\"json-o\">level {} </span>", row.depth));
    }
    row.pieces.iter().for_each(|piece| write_piece(piece, out));
    out.push_str("</span>");
    if live {
        write_actions(node, form, out);
    }
    out.push_str("</div>");
}

fn write_actions(node: u32, form: Form, out: &mut String) {
    out.push_str("<span class=\"json-acts\">");
    let parts: &[(&str, &str)] = match form {
        Form::Pretty => &[("value", "Copy value"), ("path", "Copy path")],
        Form::Raw => &[("value", "Copy line")],
    };
    for (part, words) in parts {
        put(
            out,
            format_args!("<button type=\"button\" tabindex=\"-1\" data-act=\"{part}\" data-node=\"{node}\">{words}</button>"),
        );
    }
    out.push_str("</span>");
}

/// The class of what is written so.
pub(in crate::app::parts) const fn class_of(ink: Ink) -> &'static str {
    match ink {
        Ink::Punctuation => "json-p",
        Ink::Key => "json-k",
        Ink::Text => "json-s",
        Ink::Number => "json-n",
        Ink::Boolean => "json-b",
        Ink::Null => "json-z",
        Ink::Masked => "json-m",
        Ink::Note => "json-o",
        Ink::Line => "json-l",
    }
}

fn write_piece(piece: &Piece, out: &mut String) {
    let class = class_of(piece.ink);
    let (tag, here) = match piece.mark {
        Mark::None => ("span", ""),
        Mark::Found => ("mark", ""),
        Mark::Current => ("mark", " here"),
    };
    let text = Escaped(&piece.text);
    put(out, format_args!("<{tag} class=\"{class}{here}\">{text}</{tag}>"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::json_doc::preview;

    #[test]
    fn what_a_body_says_is_never_markup() {
        let body = br#"{"<script>alert(1)</script>":"\"><img src=x onerror='alert(1)'>&amp;"}"#;
        for form in [Form::Pretty, Form::Raw] {
            let rows = preview(body, form, false, 9).rows;
            let text = markup(&rows, 0, true, form);
            let tags: Vec<&str> = text
                .split('<')
                .skip(1)
                .map(|tag| tag.split([' ', '>']).next().unwrap_or_default())
                .collect();
            assert!(
                tags.iter()
                    .all(|tag| ["div", "span", "button", "/div", "/span", "/button"].contains(tag)),
                "{tags:?}"
            );
            assert!(
                text.contains("&lt;img src=x onerror=&#39;alert(1)&#39;&gt;&amp;amp;"),
                "{text}"
            );
        }
    }
}

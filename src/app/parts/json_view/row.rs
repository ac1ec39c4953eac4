//! One row's markup, and the state that rows are drawn from.

use leptos::prelude::*;

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

/// The rows that are in the page.
pub(super) fn rows(shown: Shown) -> impl IntoView {
    move || {
        let (first, current, live) = (shown.first.get(), shown.current.get(), shown.live.get());
        let pretty = shown.form.get() == Form::Pretty;
        shown.rows.with(|rows| {
            let rows = rows.iter().zip(first..);
            rows.map(|(row, at)| row_view(row, at, current == Some(at), live, pretty))
                .collect_view()
        })
    }
}

fn row_view(row: &Row, at: u32, current: bool, live: bool, pretty: bool) -> impl IntoView + use<> {
    let node = row.node;
    let line = if row.line == 0 { String::new() } else { row.line.to_string() };
    let fold = row.open.map(|open| {
        let label = format!("{} line {}", if open { "Collapse" } else { "Expand" }, row.line);
        view! {
            <button
                type="button" class="json-fold needs-scripts" tabindex="-1" aria-label=label aria-expanded=open.to_string()
                data-act="fold" data-node=node
            ></button>
        }
    });
    // An empty text would be rendered as a space.
    let indent = (row.depth > 0).then(|| "  ".repeat(usize::from(row.depth.min(MAX_INDENT))));
    let deeper = (row.depth > MAX_INDENT).then(|| view! { <span class="json-o">{format!("level {} ", row.depth)}</span> });
    let pieces = row.pieces.iter().map(piece_view).collect_view();
    let actions = live.then(|| {
        view! {
            <span class="json-acts">
                <button type="button" tabindex="-1" data-act="value" data-node=node>"Copy value"</button>
                {pretty.then(|| view! { <button type="button" tabindex="-1" data-act="path" data-node=node>"Copy path"</button> })}
            </span>
        }
    });
    view! {
        <div class="json-row" class:current=current data-row=at>
            <span class="json-line" data-line=line aria-hidden="true"></span>
            <span class="json-side">{fold}</span>
            <span class="json-text">{indent}{deeper}{pieces}</span>
            {actions}
        </div>
    }
}

fn piece_view(piece: &Piece) -> AnyView {
    let class = match piece.ink {
        Ink::Punctuation => "json-p",
        Ink::Key => "json-k",
        Ink::Text => "json-s",
        Ink::Number => "json-n",
        Ink::Boolean => "json-b",
        Ink::Null => "json-z",
        Ink::Masked => "json-m",
        Ink::Note => "json-o",
        Ink::Line => "json-l",
    };
    let text = piece.text.clone();
    match piece.mark {
        Mark::None => view! { <span class=class>{text}</span> }.into_any(),
        Mark::Found => view! { <mark class=class>{text}</mark> }.into_any(),
        Mark::Current => view! { <mark class=format!("{class} here")>{text}</mark> }.into_any(),
    }
}

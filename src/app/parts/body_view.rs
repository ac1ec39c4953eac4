//! A body for what it is: JSON or text as rows, a form or CSV as a table, bytes by their first ones; or why there is none.
//!
//! To add a shape: a variant of [`Body`], what makes it in `api/log/body.rs`, and an arm in [`BodyView`].

use leptos::prelude::*;

use super::json_view::JsonView;
use crate::api::log::{Absence, Body, Pair, Side};
use crate::model::format;
use crate::model::log::Note;

/// A body.
#[component]
pub fn BodyView(
    /// The side of the log that it belongs to.
    side: Side,
    /// What its log's notes are.
    notes: Vec<Note>,
    /// Where the whole of it is.
    url: String,
    /// What it is, as "Request body".
    label: &'static str,
    /// What to look for at once.
    sought: Option<String>,
) -> impl IntoView {
    let masked = notes.contains(&Note::Masked);
    match side.body {
        Body::Absent(why) => view! { <p class="absent">{absent_words(why, label)}</p> }.into_any(),
        Body::Rows(preview) => view! { <JsonView preview url masked bytes=side.kept label sought/> }.into_any(),
        Body::Form(fields) => view! {
            <What what="A form" bytes=side.kept/>
            <Pairs pairs=fields label/>
        }
        .into_any(),
        Body::Table { rows, more } => {
            let what = if more {
                "The first 200 rows of a CSV file"
            } else {
                "A CSV file"
            };
            view! {
                <What what bytes=side.kept/>
                <Table rows label/>
            }
            .into_any()
        }
        Body::Binary { what, lines } => view! {
            <What what bytes=side.kept/>
            <Bytes lines whole=side.kept label/>
        }
        .into_any(),
    }
}

fn absent_words(why: Absence, label: &'static str) -> String {
    match why {
        Absence::Empty => format!("{label}: none."),
        Absence::NotCaptured => format!("{label}: not captured. Files and records themselves are not kept in the log."),
        Absence::Expired => format!("{label}: expired. Bodies are kept for a shorter time than their logs."),
        Absence::NotAllowed => {
            format!("{label}: not allowed. Your role may not read bodies; an owner of the project can change that.")
        }
    }
}

/// What a body is, above it.
#[component]
fn What(#[prop(into)] what: String, bytes: i64) -> impl IntoView {
    view! { <p class="body-line quiet">{what}", "{format::size(bytes)}</p> }
}

/// Names and values, as headers, arguments and forms have them.
#[component]
pub fn Pairs(
    /// They.
    pairs: Vec<Pair>,
    /// What they are, for screen readers.
    #[prop(into)]
    label: String,
) -> impl IntoView {
    let rows = pairs.into_iter().map(|pair| {
        let value = masked_words(pair.value, pair.masked);
        view! { <tr><th scope="row">{pair.name}</th><td>{value}</td></tr> }
    });
    let rows = rows.collect_view();
    view! {
        <div class="pairs" tabindex="0" role="group" aria-label=label>
            <table>
                <caption class="visually-hidden">{label.clone()}</caption>
                <thead class="visually-hidden"><tr><th scope="col">"Name"</th><th scope="col">"Value"</th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}

/// A value in which the word for a secret stands out from what was said.
fn masked_words(value: String, masked: bool) -> AnyView {
    if !masked {
        return value.into_any();
    }
    let mut parts = Vec::new();
    for (number, part) in value.split("masked").enumerate() {
        if number > 0 {
            parts.push(view! { <span class="json-m">"masked"</span> }.into_any());
        }
        parts.push(part.to_owned().into_any());
    }
    parts.into_any()
}

/// Rows of cells, the first one naming the columns.
#[component]
pub fn Table(
    /// They.
    rows: Vec<Vec<String>>,
    /// What they are, for screen readers.
    label: &'static str,
) -> impl IntoView {
    let mut rows = rows.into_iter();
    let head = rows.next().unwrap_or_default();
    let columns = head.len();
    let head = head
        .into_iter()
        .map(|name| view! { <th scope="col">{name}</th> })
        .collect_view();
    let rows = rows.map(|cells| {
        let short = columns.saturating_sub(cells.len());
        let cells = cells.into_iter().chain(std::iter::repeat_n(String::new(), short));
        let cells = cells.map(|cell| view! { <td>{cell}</td> }).collect_view();
        view! { <tr>{cells}</tr> }
    });
    let rows = rows.collect_view();
    view! {
        <div class="sheet" tabindex="0" role="group" aria-label=label>
            <table>
                <thead><tr>{head}</tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}

/// Bytes in hexadecimal, 16 a line.
#[component]
pub fn Bytes(
    /// Each in hexadecimal, and as letters.
    lines: Vec<(String, String)>,
    /// How many bytes there are.
    whole: i64,
    /// What they are, for screen readers.
    label: &'static str,
) -> impl IntoView {
    let shown = (lines.len() * 16) as i64;
    let more = (whole > shown).then(|| format!("The first {} are shown.", format::size(shown)));
    let text: String = lines
        .into_iter()
        .enumerate()
        .map(|(number, (hex, letters))| format!("{:04x}  {hex:<47}  {letters}\n", number * 16))
        .collect();
    view! {
        <pre class="bytes" tabindex="0" role="group" aria-label=label>{text}</pre>
        <p class="quiet">{more}</p>
    }
}

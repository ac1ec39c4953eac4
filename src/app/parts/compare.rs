//! Two things beside each other: what they are, how many places differ, and each section's rows with what differs marked.
//!
//! Rows are markup, see [`markup`](super::markup): whatever they say goes through [`Escaped`]. What is the same and far from any difference lies in a
//! `<details>`, so that it folds without scripts; `j` and `k` go from difference to difference (`browser/differences.rs`).

use leptos::prelude::*;

use super::json_view::row::class_of;
use super::links::with_argument;
use super::markup::{Escaped, put};
use crate::api::compare::{Compared, Comparison};
use crate::model::compare::{Look, Row, Run, Section, Side, Standing, runs};
use crate::model::format;
use crate::model::json_doc::Ink;
use crate::model::query::pairs;
use crate::model::zone::{Zone, rfc3339};

/// The page's argument that shows what is the same as well, and its value.
pub const SHOW: (&str, &str) = ("show", "all");
/// Deeper rows are not indented further.
const MAX_INDENT: usize = 24;

/// The comparison under its heading. `links` are the pages of the two; `search` is the page's query string.
pub fn comparison(comparison: Comparison, links: [String; 2], search: Memo<String>) -> impl IntoView {
    let all =
        Memo::new(move |_| search.with(|search| pairs(search).any(|(name, value)| (name.as_str(), value.as_str()) == SHOW)));
    let count = comparison.differences();
    let [first, second] = links;
    let heads = view! {
        <div class="compare-heads">
            {head("First", &comparison.first, first, &comparison.zone)}
            {head("Second", &comparison.second, second, &comparison.zone)}
        </div>
    };
    let notes = comparison
        .notes
        .iter()
        .map(|note| view! { <li>{note.clone()}</li> })
        .collect_view();
    let has_notes = !comparison.notes.is_empty();
    let none = (count == 0)
        .then(|| view! { <p class="compare-none">"Nothing differs but what they are called and when they were."</p> });
    let sections = comparison.sections.into_iter().enumerate();
    let sections = sections.map(|(place, one)| section(place, one, all)).collect_view();
    view! {
        {heads}
        {has_notes.then(|| view! { <ul class="log-notes compare-notes" aria-label="Notes">{notes}</ul> })}
        {bar(count, all, search)}
        {none}
        {sections}
    }
}

fn head(which: &'static str, compared: &Compared, href: String, zone: &Zone) -> impl IntoView + use<> {
    let look = if compared.failed { "state failure" } else { "state success" };
    let word = if compared.failed { "Failure" } else { "Success" };
    view! {
        <div class="compare-head">
            <p><span class="quiet">{which}</span>" "<a class="mono" href=href>{compared.id.clone()}</a></p>
            <p><span class=look>{word}</span>" "<span class="mono">{compared.title.clone()}</span></p>
            <p class="quiet"><time datetime=rfc3339(compared.at)>{zone.full(compared.at)}</time></p>
        </div>
    }
}

fn words(count: usize, none: &str) -> String {
    match count {
        0 => none.to_owned(),
        1 => "1 difference".to_owned(),
        count => format!("{} differences", format::count(count as u64)),
    }
}

/// How many places differ, the way through them, and whether what is the same is shown.
fn bar(count: usize, all: Memo<bool>, search: Memo<String>) -> impl IntoView {
    let words = words(count, "No differences");
    let tab = move |words: &'static str, value: Option<&'static str>| {
        let href = move || search.with(|search| with_argument(search, SHOW.0, value));
        let current = move || (all.get() == value.is_some()).then_some("true");
        view! { <a href=href aria-current=current data-noscroll="" prop:replace=true>{words}</a> }
    };
    view! {
        <div class="compare-bar">
            <span class="totals">{words}</span>
            <span id="compare-at" class="quiet figure" role="status"></span>
            {(count > 0).then(|| view! {
                <span class="actions needs-scripts">
                    <button type="button" class="button quiet-button" data-step="-1" title="k">"Previous"<span class="compare-wide">" difference"</span></button>
                    <button type="button" class="button quiet-button" data-step="1" title="j">"Next"<span class="compare-wide">" difference"</span></button>
                </span>
            })}
            <nav class="pane-tabs" aria-label="What is shown">
                {tab("Only differences", None)}
                {tab("Everything", Some(SHOW.1))}
            </nav>
        </div>
    }
}

fn section(place: usize, section: Section, all: Memo<bool>) -> impl IntoView {
    let id = format!("section-{place}");
    let count = section.differences();
    let words = words(count, "the same");
    let class = match section.look {
        Look::Pairs => "compare-rows pairs-rows",
        Look::Json => "compare-rows json-rows-beside",
        Look::Lines => "compare-rows line-rows",
    };
    let notes = section
        .notes
        .iter()
        .map(|note| view! { <p class="quiet compare-note">{note.clone()}</p> })
        .collect_view();
    let (title, is_empty) = (section.title.clone(), section.rows.is_empty());
    let unseen = section.differs_unseen;
    let rows = move || markup(&section, all.get());
    view! {
        <section class="compare-section" aria-labelledby=id.clone()>
            <h2 id=id.clone()>{title}" "<span class="quiet">{words}</span></h2>
            {if unseen { view! { <div data-difference tabindex="-1">{notes}</div> }.into_any() } else { notes.into_any() }}
            {(!is_empty).then(|| view! { <div class=class inner_html=rows></div> })}
        </section>
    }
}

fn markup(section: &Section, all: bool) -> String {
    let mut out = String::new();
    let mut before = Standing::Same;
    for run in runs(&section.rows) {
        let (rows, is_folded) = match run {
            Run::Shown(rows) => (rows, false),
            Run::Folded(rows) => (rows, true),
        };
        if is_folded {
            let (open, count) = (if all { " open" } else { "" }, rows.len());
            put(
                &mut out,
                format_args!("<details class=\"compare-fold\"{open}><summary>{count} rows that are the same</summary>"),
            );
        }
        for row in rows {
            // Rows that differ one after another are one place to stop at.
            let is_stop = row.standing.differs() && !before.differs();
            before = row.standing;
            write_row(&mut out, row, section.look, is_stop);
        }
        if is_folded {
            out.push_str("</details>");
        }
    }
    out
}

fn write_row(out: &mut String, row: &Row, look: Look, is_stop: bool) {
    let class = match row.standing {
        Standing::Same => "same",
        Standing::Changed => "changed",
        Standing::First => "first",
        Standing::Second => "second",
    };
    let stop = if is_stop { " data-difference tabindex=\"-1\"" } else { "" };
    put(out, format_args!("<div class=\"compare-row {class}\"{stop}>"));
    put(
        out,
        format_args!(
            "<span class=\"compare-sign\" aria-hidden=\"true\">{}</span>",
            row.standing.sign()
        ),
    );
    if row.standing.differs() {
        put(
            out,
            format_args!("<span class=\"visually-hidden\">{}</span>", row.standing.words()),
        );
    }
    if look == Look::Pairs {
        let name = [&row.first, &row.second]
            .into_iter()
            .flatten()
            .find_map(|side| side.name.as_deref());
        put(
            out,
            format_args!("<span class=\"compare-name\">{}</span>", Escaped(name.unwrap_or_default())),
        );
    }
    cell(out, "one", row.first.as_ref(), row, look);
    // Whoever hears the page hears what is the same once.
    cell(out, "other", row.second.as_ref(), row, look);
    out.push_str("</div>");
}

fn cell(out: &mut String, class: &str, side: Option<&Side>, row: &Row, look: Look) {
    let hidden = if class == "other" && !row.standing.differs() {
        " aria-hidden=\"true\""
    } else {
        ""
    };
    put(out, format_args!("<span class=\"compare-cell {class}\"{hidden}>"));
    if let Some(side) = side {
        for _ in 0..usize::from(row.depth).min(MAX_INDENT) {
            out.push_str("  ");
        }
        if look != Look::Pairs
            && let Some(name) = &side.name
        {
            put(out, format_args!("<span class=\"json-k\">{}</span>: ", Escaped(name)));
        }
        // A line of plain text looks as everything else here.
        let ink = side.ink.filter(|ink| *ink != Ink::Line).map_or("", class_of);
        put(out, format_args!("<span class=\"{ink}\">{}", Escaped(&side.lead)));
        if !side.differing.is_empty() {
            put(out, format_args!("<mark>{}</mark>", Escaped(&side.differing)));
        }
        put(out, format_args!("{}</span>", Escaped(&side.trail)));
    }
    out.push_str("</span>");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(look: Look, rows: Vec<Row>) -> Section {
        Section {
            title: "Body".to_owned(),
            look,
            rows,
            notes: Vec::new(),
            differs_unseen: false,
        }
    }

    #[test]
    fn what_is_said_is_never_markup() {
        let side = |name: &str, value: &str| Side {
            name: Some(name.to_owned()),
            lead: value.to_owned(),
            differing: value.to_owned(),
            trail: value.to_owned(),
            ink: None,
        };
        let row = Row::only(Standing::First, 0, side("<b>", "<script>\"&'"));
        for look in [Look::Pairs, Look::Json, Look::Lines] {
            let markup = markup(&section(look, vec![row.clone()]), false);
            assert!(!markup.contains("<b>") && !markup.contains("<script"), "{markup}");
            assert!(
                markup.contains("&lt;script&gt;") && markup.contains("only in the first"),
                "{markup}"
            );
        }
    }

    #[test]
    fn places_to_stop_at_are_as_many_as_differences_and_the_rest_is_folded() {
        let side = || Side::plain(None, "x".to_owned(), None);
        let same = || Row::same(0, side(), side());
        let mut rows: Vec<Row> = (0..10).map(|_| same()).collect();
        rows.push(Row::only(Standing::First, 0, side()));
        rows.push(Row::only(Standing::Second, 0, side()));
        rows.extend((0..2).map(|_| same()));
        rows.push(Row::only(Standing::Second, 0, side()));
        let section = section(Look::Lines, rows);
        let shown = markup(&section, false);
        assert_eq!(shown.matches("data-difference").count(), section.differences());
        assert!(shown.contains("<details class=\"compare-fold\"><summary>7 rows"), "{shown}");
        assert!(markup(&section, true).contains("<details class=\"compare-fold\" open>"));
    }
}

//! One side of a log as it is read without scripts: its headers and the URL's arguments folded away, its body open.

use leptos::prelude::*;

use crate::api::log::{Absence, Body, Pair, Side};
use crate::app::parts::body_view::{Bytes, Pairs, Table};
use crate::app::parts::json_view::still_rows;
use crate::model::format;
use crate::model::json_doc::Preview;

/// A side.
pub(super) fn side(title: &'static str, label: &'static str, side: Side, arguments: Vec<Pair>) -> AnyView {
    let id = format!("{}-title", title.to_lowercase());
    let what = match (side.content_type.clone(), side.bytes) {
        (Some(kind), bytes) if bytes > 0 => format!("{kind}, {}", format::size(bytes)),
        (Some(kind), _) => kind,
        (None, bytes) if bytes > 0 => format::size(bytes),
        (None, _) => String::new(),
    };
    let headers = side.headers.clone().unwrap_or_default();
    view! {
        <section class="embed-side" aria-labelledby=id.clone()>
            <h2 id=id.clone()>{title}" "<span class="quiet embed-what">{what}</span></h2>
            {folded("Headers", format!("{title} headers"), headers)}
            {folded("Query", format!("{title} query"), arguments)}
            {body(side, label)}
        </section>
    }
    .into_any()
}

/// Names and values behind a line that opens them; nothing where there are none.
fn folded(words: &'static str, label: String, pairs: Vec<Pair>) -> Option<AnyView> {
    let count = format::count(pairs.len() as u64);
    (!pairs.is_empty()).then(|| {
        view! {
            <details class="embed-part">
                <summary>{words}" "<span class="figure">{count}</span></summary>
                <Pairs pairs label/>
            </details>
        }
        .into_any()
    })
}

fn body(side: Side, label: &'static str) -> AnyView {
    match side.body {
        Body::Absent(why) => view! { <p class="absent">{absent(why, label)}</p> }.into_any(),
        Body::Rows(preview) => rows(&preview, label, side.kept),
        Body::Form(fields) => view! { <Pairs pairs=fields label/> }.into_any(),
        Body::Table { rows, more } => view! {
            {more.then(|| view! { <p class="body-line quiet">"The first 200 rows."</p> })}
            <Table rows label/>
        }
        .into_any(),
        Body::Binary { what, lines } => view! {
            <p class="body-line quiet">{what}</p>
            <Bytes lines whole=side.kept label/>
        }
        .into_any(),
    }
}

fn absent(why: Absence, label: &'static str) -> String {
    match why {
        Absence::Empty => format!("{label}: none."),
        Absence::NotCaptured => format!("{label}: not captured. Files and records themselves are not kept in the log."),
        Absence::Expired => format!("{label}: expired. Bodies are kept for a shorter time than their logs."),
        Absence::NotAllowed => format!("{label}: not shown by this link."),
    }
}

/// JSON or text as rows, and what of it is not here.
fn rows(preview: &Preview, label: &'static str, whole: i64) -> AnyView {
    let here = preview.rows.len() as u64;
    let is_whole = preview.total.map(u64::from) == Some(here);
    let cut = (!is_whole).then(|| {
        let words = format!(
            "The first {} lines of {} are shown.",
            format::count(here),
            format::size(whole)
        );
        view! { <p class="json-more">{words}</p> }
    });
    let problem = preview.problem.clone().map(|problem| {
        view! { <p class="json-note">"Shown as text, because it is not valid JSON: "{problem}"."</p> }
    });
    let markup = still_rows(preview);
    view! {
        {problem}
        <div class="json">
            <div class="json-scroll" tabindex="0" role="group" aria-label=label>
                <div class="json-space"><div class="json-rows" inner_html=markup></div></div>
            </div>
        </div>
        {cut}
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::json_doc::message::Form;
    use crate::model::json_doc::preview;

    fn of(body: &[u8], rows: u32) -> Side {
        Side {
            headers: Some(vec![Pair {
                name: "x-<b>".to_owned(),
                value: "Bearer masked".to_owned(),
                masked: true,
            }]),
            body: Body::Rows(preview(body, Form::Pretty, true, rows)),
            content_type: Some("application/json".to_owned()),
            bytes: body.len() as i64,
            kept: body.len() as i64,
        }
    }

    #[test]
    fn a_body_is_text_and_says_where_it_was_cut() {
        let page = side(
            "Request",
            "Request body",
            of(br#"{"a":"<script>alert(1)</script>"}"#, 100),
            Vec::new(),
        )
        .to_html();
        assert!(page.contains("&lt;script&gt;") && !page.contains("<script"), "{page}");
        assert!(page.contains("x-&lt;b&gt;") && !page.contains("are shown"), "{page}");
        let long = format!("[{}1]", "1,".repeat(500));
        let page = side("Response", "Response body", of(long.as_bytes(), 100), Vec::new()).to_html();
        assert!(page.contains("The first 100 lines of "), "{page}");
    }
}

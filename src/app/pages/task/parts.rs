//! What stands below a task's facts: its JSON, the records that were not taken, and the tries that failed.
//!
//! To add a part: a function here that gives a section with a heading, called in the page's `Whole`.

use leptos::prelude::*;

use crate::api::tasks::{Failure, SentAgain};
use crate::app::parts::json_view::JsonView;
use crate::app::parts::record_page::Place;
use crate::app::parts::records::{meant, to_query};
use crate::app::parts::retry_dialog::ALL;
use crate::model::format;
use crate::model::json_doc::Preview;
use crate::model::task::FailedRow;
use crate::model::zone::{Zone, rfc3339};

/// What was asked for: in words where there are some, and its JSON behind them.
pub(super) fn parameters(json: Option<Preview>, again: Option<&SentAgain>, zone: &Zone, place: &Place) -> Option<AnyView> {
    let json = self::json(json, place.part("parameters"), "Parameters")?;
    let Some(again) = again else { return Some(json.into_any()) };
    let words = sent_again(again, zone, place);
    Some(view! { {words}<details class="record-part"><summary>"As JSON"</summary>{json}</details> }.into_any())
}

/// What a retry in bulk sends again, as its dialog said it.
fn sent_again(again: &SentAgain, zone: &Zone, place: &Place) -> impl IntoView + use<> {
    let number = format!("{}, as of {}", format::count(again.total), zone.short(again.pin, again.pin));
    let pace = format!("{} a second at most", format::count(again.per_second.into()));
    let list = place.in_project(&format!("sendouts{}", to_query(&again.query)));
    view! {
        <dl class="record-part record-list">
            <div><dt>"Time range"</dt><dd>{meant::range(zone, again.from, again.to, again.pin)}</dd></div>
            {meant::filters(&again.query, ALL)}
            <div><dt>"Sendouts"</dt><dd>{number}</dd></div>
            <div><dt>"Pace"</dt><dd>{pace}</dd></div>
        </dl>
        <p class="record-part"><a href=list>"The list that it was begun from"</a></p>
    }
}

/// What was asked for, or what came of it.
pub(super) fn json(preview: Option<Preview>, url: String, label: &'static str) -> Option<impl IntoView> {
    preview.map(|preview| view! { <div class="pane-body"><JsonView preview url masked=false bytes=0 label sought=None/></div> })
}

/// The records that were not taken.
pub(super) fn failed_rows(rows: &[FailedRow], count: u64) -> Option<impl IntoView + use<>> {
    let shown = rows.len() as u64;
    let words = if count > shown {
        format!(
            "{} rows were not taken; these are the first {}",
            format::count(count),
            format::count(shown)
        )
    } else if count == 1 {
        "1 row was not taken".to_owned()
    } else {
        format!("{} rows were not taken", format::count(count))
    };
    // A reported task may name its rows by a code, as the reference does.
    let named = rows.iter().any(|row| row.source_id.is_some()) || rows.iter().all(|row| row.code.is_none());
    let name = if named { "Source ID" } else { "Code" };
    let rows = rows.iter().map(|row| {
        let source = row.source_id.clone().or_else(|| row.code.clone());
        view! { <tr><td class="figure">{format::count(row.row)}</td><td class="mono">{source}</td><td>{row.reason.clone()}</td></tr> }
    });
    let rows = rows.collect_view();
    (count > 0).then(|| {
        view! {
            <section class="record-part" aria-labelledby="failed-title">
                <h2 id="failed-title">{words}</h2>
                <div class="record-scroll" tabindex="0" role="group" aria-label="Rows that were not taken">
                    <table class="plain">
                        <thead><tr><th scope="col">"Row"</th><th scope="col">{name}</th><th scope="col">"Reason"</th></tr></thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
            </section>
        }
    })
}

/// Tries that failed.
pub(super) fn tries(failures: &[Failure], zone: &Zone) -> Option<impl IntoView + use<>> {
    let rows = failures.iter().map(|failure| {
        view! {
            <tr>
                <td class="figure">{failure.attempt}</td>
                <td><time datetime=rfc3339(failure.at)>{zone.full(failure.at)}</time></td>
                <td>{failure.reason.clone()}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    (!failures.is_empty()).then(|| {
        view! {
            <section class="record-part" aria-labelledby="tries-title">
                <h2 id="tries-title">"Tries that failed"</h2>
                <table class="plain">
                    <thead><tr><th scope="col">"Try"</th><th scope="col">"Time"</th><th scope="col">"Reason"</th></tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </section>
        }
    })
}

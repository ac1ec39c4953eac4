//! What differs between two attempts, on a sendout's page: the last two, or those that the address names (`?compare=1,2`).
//!
//! To compare something else: see `model/attempt_diff.rs`; what is told there needs nothing here.
#![allow(unreachable_pub, reason = "a component's macro writes its props as pub")]

use leptos::prelude::*;

use crate::app::parts::filter_bar::hidden;
use crate::model::attempt_diff::{Changed, Part, bodies, chosen, headers, outcome};
use crate::model::sendout::AttemptFacts;

/// The section; nothing where there is nothing to compare yet.
#[component]
pub fn Compare(
    /// Each attempt, the oldest first.
    attempts: Memo<Vec<AttemptFacts>>,
    /// The page's query.
    search: Memo<String>,
    /// The list's query, which choosing keeps.
    list: String,
    /// Whether what was said is left out.
    bodies_hidden: bool,
) -> impl IntoView {
    move || {
        let attempts = attempts.get();
        let (one, other) = search.with(|search| chosen(search, &attempts))?;
        let (first, second) = (attempts.get(one)?, attempts.get(other)?);
        (attempts.len() > 1).then(|| {
            view! {
                <section class="record-part compare" id="compare" aria-labelledby="compare-title">
                    <h2 id="compare-title">"Difference between two attempts"</h2>
                    <form method="get" action="#compare">
                        {hidden(list.trim_start_matches('?'))}
                        {choice("compare-one", "Compare attempt", &attempts, first)}
                        {choice("compare-other", "with attempt", &attempts, second)}
                        <button type="submit" class="button">"Compare"</button>
                    </form>
                    {bodies_hidden.then(|| view! {
                        <p class="quiet">"Headers and answers are not compared: your role does not read bodies (read:bodies). An owner can change that."</p>
                    })}
                    {differences(first, second)}
                </section>
            }
        })
    }
}

fn choice(id: &'static str, label: &'static str, attempts: &[AttemptFacts], now: &AttemptFacts) -> impl IntoView + use<> {
    let now = now.number;
    let options = attempts.iter().map(|attempt| {
        let number = attempt.number;
        view! { <option value=number selected=number == now>{number}</option> }
    });
    let options = options.collect_view();
    view! {
        <label for=id>{label}</label>
        <select id=id name="compare">{options}</select>
    }
}

fn differences(first: &AttemptFacts, second: &AttemptFacts) -> impl IntoView + use<> {
    let (asked, told) = (
        headers(
            first.request_headers.as_deref().unwrap_or_default(),
            second.request_headers.as_deref().unwrap_or_default(),
        ),
        headers(
            first.response_headers.as_deref().unwrap_or_default(),
            second.response_headers.as_deref().unwrap_or_default(),
        ),
    );
    let groups = [
        ("How it went", outcome(first, second)),
        ("Request headers", asked),
        ("Answer headers", told),
    ];
    let text = |attempt: &AttemptFacts| attempt.response_body.clone().unwrap_or_default();
    let parts = bodies(&text(first), &text(second));
    let nothing = groups.iter().all(|(_, changed)| changed.is_empty()) && parts.is_empty();
    let numbers = (first.number, second.number);
    let tables = groups.map(|(title, changed)| table(title, &changed, numbers)).collect_view();
    view! {
        {nothing.then(|| view! { <p>"Nothing differs but when they began."</p> })}
        {tables}
        {(!parts.is_empty()).then(|| body(&parts, numbers))}
    }
}

fn table(title: &'static str, changed: &[Changed], numbers: (u32, u32)) -> Option<impl IntoView + use<>> {
    let value = |value: &Option<String>| match value {
        Some(value) => view! { <td class="mono">{value.clone()}</td> }.into_any(),
        None => view! { <td class="quiet">"none"</td> }.into_any(),
    };
    let rows = changed.iter().map(|changed| {
        view! { <tr><th scope="row">{changed.name.clone()}</th>{value(&changed.first)}{value(&changed.second)}</tr> }
    });
    let rows = rows.collect_view();
    (!changed.is_empty()).then(|| {
        view! {
            <table class="plain">
                <thead>
                    <tr>
                        <th scope="col">{title}</th>
                        <th scope="col">{format!("Attempt {}", numbers.0)}</th>
                        <th scope="col">{format!("Attempt {}", numbers.1)}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        }
    })
}

fn body(parts: &[Part], numbers: (u32, u32)) -> impl IntoView + use<> {
    let lines = parts.iter().map(|part| match part {
        Part::Same(1) => view! { <span class="same">"  1 line is the same\n"</span> }.into_any(),
        Part::Same(count) => view! { <span class="same">{format!("  {count} lines are the same\n")}</span> }.into_any(),
        Part::First(line) => view! { <del>{format!("- {line}\n")}</del> }.into_any(),
        Part::Second(line) => view! { <ins>{format!("+ {line}\n")}</ins> }.into_any(),
    });
    let lines = lines.collect_view();
    view! {
        <h3>"Answer"</h3>
        <p class="quiet">{format!("Lines with - are of attempt {}, with + of attempt {}.", numbers.0, numbers.1)}</p>
        <pre class="command" tabindex="0"><code>{lines}</code></pre>
    }
}

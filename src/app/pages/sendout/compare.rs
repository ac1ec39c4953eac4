//! The way from a sendout's page to two of its attempts beside each other.
#![allow(unreachable_pub, reason = "a component's macro writes its props as pub")]

use leptos::prelude::*;

use crate::app::parts::filter_bar::hidden;
use crate::app::parts::record_page::Place;
use crate::model::sendout::AttemptFacts;

/// A plain form that chooses the two; nothing where there is nothing to compare yet.
#[component]
pub fn Compare(
    /// Each attempt, the oldest first.
    attempts: Memo<Vec<AttemptFacts>>,
    /// Where the page stands.
    place: Place,
) -> impl IntoView {
    let numbers = Memo::new(move |_| attempts.with(|attempts| attempts.iter().map(|attempt| attempt.number).collect::<Vec<_>>()));
    move || {
        let numbers = numbers.get();
        let [.., one, other] = numbers.as_slice() else { return None };
        Some(view! {
            <section class="record-part compare" id="compare" aria-labelledby="compare-title">
                <h2 id="compare-title">"Two attempts beside each other"</h2>
                <form method="get" action=place.part("compare")>
                    {hidden(place.query.trim_start_matches('?'))}
                    {choice("a", "Compare attempt", &numbers, *one)}
                    {choice("b", "with attempt", &numbers, *other)}
                    <button type="submit" class="button">"Compare"</button>
                </form>
            </section>
        })
    }
}

fn choice(name: &'static str, label: &'static str, numbers: &[u32], chosen: u32) -> impl IntoView + use<> {
    let id = format!("compare-{name}");
    let options = numbers.iter().map(|number| {
        let number = *number;
        view! { <option value=number selected=number == chosen>{number}</option> }
    });
    let options = options.collect_view();
    view! {
        <label for=id.clone()>{label}</label>
        <select id=id name=name>{options}</select>
    }
}

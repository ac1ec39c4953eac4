//! The product's mark and name.

use leptos::prelude::*;

const INSIDE: &str = "\
    <svg class=\"mark\" viewBox=\"0 0 16 16\" width=\"16\" height=\"16\" aria-hidden=\"true\">\
    <rect x=\"1\" y=\"1\" width=\"14\" height=\"14\" rx=\"3\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.5\"/>\
    <rect x=\"4\" y=\"4.25\" width=\"8\" height=\"1.5\" fill=\"currentColor\"/>\
    <rect x=\"4\" y=\"7.25\" width=\"8\" height=\"1.5\" fill=\"currentColor\"/>\
    <rect class=\"mark-red\" x=\"4\" y=\"10.25\" width=\"5\" height=\"1.5\" fill=\"currentColor\"/>\
    </svg><span>audit-log</span>";

/// The mark and the name, a link to one's logs.
#[component]
pub fn Brand() -> impl IntoView {
    view! {
        <a class="brand" href="/" rel="external" inner_html=INSIDE></a>
    }
}

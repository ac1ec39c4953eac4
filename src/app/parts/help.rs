//! The keys that do something.

use leptos::prelude::*;

use super::markup::Markup;

const KEYS: [(&str, &str); 9] = [
    ("/", "Find anywhere, or in the body"),
    ("j", "Next row, or difference"),
    ("k", "Previous row, or difference"),
    ("Enter", "Open the row"),
    ("← →", "Collapse or expand a value of a body"),
    ("c", "Copy the value"),
    ("p", "Copy its path"),
    ("?", "This help"),
    ("Esc", "Close what is open"),
];

/// The dialog that lists them; the button in the frame and `?` open it.
#[component]
pub fn Help() -> impl IntoView {
    let mut rows = Markup::with_capacity(1_024);
    for (key, what) in KEYS {
        rows.raw("<dt><kbd>").text(key).raw("</kbd></dt><dd>").text(what).raw("</dd>");
    }
    view! {
        <div id="help" class="dialog" popover role="dialog" aria-labelledby="help-title">
            <h2 id="help-title">"Keys"</h2>
            <dl class="keys" inner_html=rows.done()></dl>
            <p class="quiet">
                "Several values of a filter are separated by commas; "<code>"!"</code>" before a value leaves it out. "
                "Everything you choose is in the address: a link shows another person the same rows."
            </p>
            <button type="button" class="button" popovertarget="help" popovertargetaction="hide">"Close"</button>
        </div>
    }
}

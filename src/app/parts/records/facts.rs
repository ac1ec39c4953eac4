//! The facts of a record's page: names and values in a line that wraps, and links to what belongs to it.
//!
//! To add a fact: a [`fact`] in its page's list.

use leptos::prelude::*;

use crate::app::parts::markup::put;
use crate::model::query::{escape, pairs};
use crate::model::zone::{Zone, rfc3339};

/// A name and a value.
pub fn fact(name: &'static str, value: impl IntoView + 'static) -> AnyView {
    view! { <div><dt>{name}</dt><dd>{value}</dd></div> }.into_any()
}

/// A name and a text, where there is one.
pub fn words(name: &'static str, value: Option<String>) -> Option<AnyView> {
    value.map(|value| fact(name, view! { <span>{value}</span> }))
}

/// An id with its button to copy it.
pub fn id(name: &'static str, value: String) -> AnyView {
    fact(
        name,
        view! { <span class="mono">{value.clone()}</span><Copy text=value what=name/> },
    )
}

/// An id that leads somewhere, with its button to copy it.
pub fn link(name: &'static str, value: Option<String>, href: impl Fn(&str) -> String) -> Option<AnyView> {
    value.map(|value| {
        let href = href(&escape(&value));
        fact(
            name,
            view! { <a class="mono" href=href>{value.clone()}</a><Copy text=value what=name/> },
        )
    })
}

/// A time, whole.
pub fn time(name: &'static str, at: i64, zone: &Zone) -> AnyView {
    let utc = format!("{} UTC", Zone::utc().full(at).trim_end_matches(" UTC"));
    fact(name, view! { <time datetime=rfc3339(at) title=utc>{zone.full(at)}</time> })
}

/// Who asked.
pub fn by(value: Option<String>, hidden: bool) -> Option<AnyView> {
    let value = if hidden { Some("not allowed".to_owned()) } else { value };
    words("By", value)
}

/// The button that copies a value.
#[component]
pub fn Copy(
    /// The value.
    text: String,
    /// What it is.
    what: &'static str,
) -> impl IntoView {
    view! { <button type="button" class="copy" data-copy=text aria-label=format!("Copy {what}")></button> }
}

/// What a page of two attempts is asked, beside the list's query.
const OF_THE_PAGE: [&str; 3] = ["a", "b", "show"];

/// The list's query that a record's page was opened with, with its `?`, without what the page itself was asked.
pub fn list_query(search: &str) -> String {
    let mut out = String::new();
    for (name, value) in pairs(search).filter(|(name, _)| !OF_THE_PAGE.contains(&name.as_str())) {
        out.push(if out.is_empty() { '?' } else { '&' });
        put(&mut out, format_args!("{}={}", escape(&name), escape(&value)));
    }
    out
}

/// There is no such record, or no longer.
#[component]
pub fn Gone(
    /// What there is none of, as "task".
    one: &'static str,
    /// The list.
    list: String,
) -> impl IntoView {
    // Tasks are kept for ever.
    let why = if one == "task" {
        "Its id may be mistyped, or it belongs to another project."
    } else {
        "Its id may be mistyped, it may have been deleted or passed the project's retention, or it belongs to another project."
    };
    view! {
        <div class="state problem" role="alert">
            <h1>"There is no such "{one}</h1>
            <p>{why}</p>
            <p><a class="button" href=list data-back>"Back to the list"</a></p>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_keeps_the_filters() {
        assert_eq!(
            list_query("status=DONE,ERROR&after=x&a=1&b=2&show=all&tz=utc"),
            "?status=DONE%2CERROR&after=x&tz=utc"
        );
        assert_eq!(list_query(""), "");
    }
}

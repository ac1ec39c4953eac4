//! Links that change one argument of the page's address and keep the rest.

use leptos::prelude::*;
use leptos_router::hooks::{use_location, use_params_map};

use crate::model::query::{LogQuery, QueryProblem, escape, pairs};

/// The project in the page's address.
pub fn project_id() -> Memo<String> {
    let params = use_params_map();
    Memo::new(move |_| params.with(|map| map.get("prj")).unwrap_or_default())
}

/// The page's query string, without its `?`.
pub fn search() -> Memo<String> {
    let location = use_location();
    Memo::new(move |_| location.search.with(|text| text.trim_start_matches('?').to_owned()))
}

/// The query in the page's address, or what is wrong with it.
pub fn log_query() -> Memo<Result<LogQuery, QueryProblem>> {
    let search = search();
    Memo::new(move |_| LogQuery::parse(&search.read()))
}

/// A link to the same page with another query.
pub fn to_query(query: &LogQuery) -> String {
    format!("?{}", query.to_query_string())
}

/// The query string with one argument set otherwise, or left out, the others as they are.
pub fn with_argument(search: &str, name: &str, value: Option<&str>) -> String {
    let mut out = String::from("?");
    let kept = pairs(search).filter(|(other, _)| other != name);
    for (name, value) in kept.chain(value.map(|value| (name.to_owned(), value.to_owned()))) {
        if out.len() > 1 {
            out.push('&');
        }
        out.push_str(&escape(&name));
        out.push('=');
        out.push_str(&escape(&value));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_argument_changes_and_the_others_stay() {
        assert_eq!(
            with_argument("status=FAILURE&tz=utc", "tz", Some("Europe/Berlin")),
            "?status=FAILURE&tz=Europe%2FBerlin"
        );
        assert_eq!(with_argument("tz=utc", "tz", None), "?");
        assert_eq!(with_argument("", "tz", Some("utc")), "?tz=utc");
    }
}

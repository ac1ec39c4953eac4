//! One side of a log: its body, its headers, and for the request the URL's arguments. Which panel is shown is in the address.
#![allow(unreachable_pub, reason = "a component's macro writes its props as pub")]

use leptos::prelude::*;

use super::Place;
use crate::api::log::{Pair, Side};
use crate::app::parts::body_view::{BodyView, Pairs};
use crate::app::parts::links::{search, with_argument};
use crate::model::format;
use crate::model::log::Note;
use crate::model::query::pairs;

/// Which side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// What was sent.
    Request,
    /// What came back.
    Response,
}

impl Which {
    const fn title(self) -> &'static str {
        match self {
            Self::Request => "Request",
            Self::Response => "Response",
        }
    }

    const fn body(self) -> &'static str {
        match self {
            Self::Request => "Request body",
            Self::Response => "Response body",
        }
    }

    /// Its argument in the address, and the name of its file.
    const fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response => "response",
        }
    }
}

/// Which panel of a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Panel {
    Body,
    Headers,
    Query,
}

impl Panel {
    const fn argument(self) -> Option<&'static str> {
        match self {
            Self::Body => None,
            Self::Headers => Some("headers"),
            Self::Query => Some("query"),
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::Body => "Body",
            Self::Headers => "Headers",
            Self::Query => "Query",
        }
    }
}

/// A side.
#[component]
pub fn Pane(
    which: Which,
    side: Side,
    arguments: Vec<Pair>,
    notes: Vec<Note>,
    place: Place,
    sought: Option<String>,
) -> impl IntoView {
    let search = search();
    let has_query = !arguments.is_empty();
    let chosen = Memo::new(move |_| {
        let search = search.read();
        match pairs(&search)
            .find(|(name, _)| name == which.name())
            .map(|(_, value)| value)
            .as_deref()
        {
            Some("headers") => Panel::Headers,
            Some("query") if has_query => Panel::Query,
            _ => Panel::Body,
        }
    });
    let headers = side.headers.clone();
    let tab = move |panel: Panel, size: String| {
        let href = move || with_argument(&search.read(), which.name(), panel.argument());
        let current = move || (chosen.get() == panel).then_some("true");
        view! {
            <a href=href aria-current=current data-noscroll="" prop:replace=true>{panel.label()}" "<span class="figure">{size}</span></a>
        }
    };
    let query_tab = has_query.then(|| tab(Panel::Query, format::count(arguments.len() as u64)));
    let header_count = headers
        .as_ref()
        .map(|headers| format::count(headers.len() as u64))
        .unwrap_or_default();
    let title_id = format!("{}-title", which.name());
    let size = if side.bytes > 0 {
        format::size(side.bytes)
    } else {
        String::new()
    };
    let kind = side.content_type.clone();
    let download = (side.kept > 0).then(|| {
        let href = place.file(which.name());
        let label = format!("Download the {}", which.body().to_lowercase());
        view! { <a class="button quiet-button pane-download" href=href download="" rel="external" aria-label=label>"Download"</a> }
    });
    let query_panel = has_query.then(|| {
        view! { <div hidden=move || chosen.get() != Panel::Query><Pairs pairs=arguments label="Arguments of the URL"/></div> }
    });
    view! {
        <section class="pane" aria-labelledby=title_id>
            <header class="pane-head">
                <h2 id=title_id.clone()>{which.title()}</h2>
                <nav class="pane-tabs" aria-label=which.title()>
                    {tab(Panel::Body, size)}
                    {tab(Panel::Headers, header_count)}
                    {query_tab}
                </nav>
                <span class="pane-kind quiet mono">{kind}</span>
                {download}
            </header>
            <div class="pane-body" hidden=move || chosen.get() != Panel::Body>
                <BodyView side notes url=place.file(which.name()) label=which.body() sought/>
            </div>
            <div hidden=move || chosen.get() != Panel::Headers><Headers headers which/></div>
            {query_panel}
        </section>
    }
}

#[component]
fn Headers(headers: Option<Vec<Pair>>, which: Which) -> impl IntoView {
    let label = format!("{} headers", which.title());
    match headers {
        Some(headers) if headers.is_empty() => view! { <p class="absent">{label}": none."</p> }.into_any(),
        Some(headers) => view! { <Pairs pairs=headers label/> }.into_any(),
        None => view! { <p class="absent">{label}": not here. The notes above say why."</p> }.into_any(),
    }
}

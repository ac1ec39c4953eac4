//! Browse data: an export's file opened in place, with the facts that say what it is.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use crate::api::error::ApiError;
use crate::api::exports::{ExportPage, export_page};
use crate::app::parts::awaited::answered;
use crate::app::parts::browse::{Source, Table};
use crate::app::parts::links::{project_id, search};
use crate::app::parts::states::Problem;
use crate::model::browse::MAX_BYTES;
use crate::model::browse::message::Opened;
use crate::model::export::{ExportStatus, Format};
use crate::model::format;
use crate::model::query::escape;

/// An export's file, opened in place.
#[component]
pub fn Browse() -> impl IntoView {
    let project = project_id();
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|map| map.get("id")).unwrap_or_default());
    let search = search();
    let (refresh, set_refresh) = signal(0_u32);
    let page = Resource::new(
        move || (project.get(), id.get(), search.get(), refresh.get()),
        |(project, id, search, _)| export_page(project, id, search),
    );
    let again = Callback::new(move |()| set_refresh.update(|count| *count = count.wrapping_add(1)));
    let exports = move || format!("/projects/{}/exports", project.get_untracked());
    let back = move || format!("{}/{}", exports(), escape(&id.get_untracked()));
    view! {
        <main id="content" class="browse-page">
            <Transition>
                {answered(page, move |page| match page {
                    Ok(page) => view! { <Whole page back=back()/> }.into_any(),
                    Err(ApiError::NotFound) => view! { <Gone list=exports()/> }.into_any(),
                    Err(error) => view! { <Title text="Browse data · audit-log"/><Problem error again clear="?"/> }.into_any(),
                })}
            </Transition>
        </main>
    }
}

#[component]
fn Whole(page: ExportPage, back: String) -> impl IntoView {
    let facts = &page.facts;
    let name = facts.file_name.clone().unwrap_or_else(|| facts.id.clone());
    let rows = facts.rows.map(|rows| format!("{} rows", format::count(rows.max(0) as u64)));
    let size = facts.bytes.map(format::size);
    let about: Vec<String> = [rows, size, facts.format.map(|format| format.label().to_owned())]
        .into_iter()
        .flatten()
        .collect();
    let download = page
        .download
        .clone()
        .map(|href| view! { <a class="button" href=href download="" rel="external">"Download"</a> });
    let filters = page
        .filters
        .iter()
        .map(|(label, value)| view! { <div><dt>{label.clone()}</dt><dd>{value.clone()}</dd></div> })
        .collect_view();
    let filters = (!page.filters.is_empty())
        .then(|| view! { <dl class="browse-filters" aria-label="Filters of the export">{filters}</dl> });
    let table = match source(&page) {
        Ok(source) => view! { <Table source/> }.into_any(),
        Err(reason) => view! { <Refused reason download=page.download.clone() back=back.clone()/> }.into_any(),
    };
    view! {
        <Title text=format!("{name} · audit-log")/>
        <header class="browse-head">
            <div class="browse-ways">
                <a class="button quiet-button way-back" href=back>"Export"</a>
                {download}
            </div>
            <h1 class="browse-name">{name}" "<span class="quiet">{about.join(" · ")}</span></h1>
            {filters}
        </header>
        {table}
    }
}

/// What is opened, or why it cannot be.
fn source(page: &ExportPage) -> Result<Source, String> {
    let facts = &page.facts;
    if let Some(reason) = &page.not_browsed {
        return Err(reason.clone());
    }
    if facts.status != ExportStatus::Done {
        return Err("The file is not made yet. The export's page says how far it is.".to_owned());
    }
    let (Some(url), Some(format)) = (page.download.clone(), facts.format) else {
        return Err("There is no file that could be opened here.".to_owned());
    };
    let bytes = facts.bytes.and_then(|bytes| u64::try_from(bytes).ok());
    if bytes.is_some_and(|bytes| bytes > MAX_BYTES as u64) {
        return Err(crate::model::browse::Problem::TooLarge.to_string());
    }
    let name = facts.file_name.clone().unwrap_or_else(|| facts.id.clone());
    let stem = name
        .strip_suffix(format.as_str())
        .and_then(|stem| stem.strip_suffix('.'))
        .unwrap_or(&name);
    Ok(Source {
        url,
        saved_as: format!("{stem}-found.csv"),
        opened: Opened {
            format,
            fields: page.fields.clone(),
            // An application's own file is as it wrote it, and its size what it said.
            guarded: page.guarded && format == Format::Csv,
            bytes: bytes.filter(|_| !facts.reported),
        },
    })
}

/// Why the file is not opened, and what can be done instead.
#[component]
fn Refused(reason: String, download: Option<String>, back: String) -> impl IntoView {
    let download =
        download.map(|href| view! { <a class="button primary" href=href download="" rel="external">"Download the file"</a> });
    view! {
        <div class="state" role="status">
            <h2>"This file cannot be browsed"</h2>
            <p>{reason}</p>
            <p>{download}<a class="button" href=back>"Back to the export"</a></p>
        </div>
    }
}

/// There is no such export, or no longer.
#[component]
fn Gone(list: String) -> impl IntoView {
    view! {
        <Title text="No such export · audit-log"/>
        <div class="state problem" role="alert">
            <h1>"There is no such export"</h1>
            <p>"Its id may be mistyped, it may have been deleted, or it belongs to another project."</p>
            <p><a class="button" href=list>"Back to the exports"</a></p>
        </div>
    }
}

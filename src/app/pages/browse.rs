//! Browse data: an export's file opened in place, with the facts that say what it is.

use leptos::prelude::*;

use crate::api::exports::{ExportPage, export_page};
use crate::app::parts::browse::{Source, Table};
use crate::app::parts::download::Download;
use crate::app::parts::record_page::{Kind, Place, record_page};
use crate::app::parts::title::Title;
use crate::model::browse::MAX_BYTES;
use crate::model::browse::message::Opened;
use crate::model::export::{ExportStatus, Format};
use crate::model::format;

const KIND: Kind = Kind {
    one: "export",
    title: "Browse data",
    segment: "exports",
    class: "browse-page",
};

/// An export's file, opened in place.
#[component]
pub fn Browse() -> impl IntoView {
    record_page(KIND, export_page, |page, place| view! { <Whole page place/> }.into_any())
}

#[component]
fn Whole(page: ExportPage, place: Place) -> impl IntoView {
    let back = place.own();
    let facts = &page.facts;
    let name = facts.file_name.clone().unwrap_or_else(|| facts.id.clone());
    let rows = facts.rows.map(|rows| format!("{} rows", format::count(rows.max(0) as u64)));
    let size = facts.bytes.map(format::size);
    let about: Vec<String> = [rows, size, facts.format.map(|format| format.label().to_owned())]
        .into_iter()
        .flatten()
        .collect();
    let download = page.download.clone().map(|href| view! { <Download href/> });
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
    let download = download.map(|href| view! { <Download words="Download the file" href primary=true/> });
    view! {
        <div class="state" role="status">
            <h2>"This file cannot be browsed"</h2>
            <p>{reason}</p>
            <div class="actions">{download}<a class="button" href=back>"Back to the export"</a></div>
        </div>
    }
}

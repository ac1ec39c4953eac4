//! The tab Exports.
//!
//! To add a column: its head in `HEADS`, and its text in the same place of `cells`. A sibling tab: see `parts/records`.

use leptos::prelude::*;

use crate::api::error::ApiError;
use crate::api::exports::exports_page;
use crate::api::tasks::Listed;
use crate::app::parts::download;
use crate::app::parts::links::project_id;
use crate::app::parts::markup::Escaped;
use crate::app::parts::records::{Head, Record, RowContext, cells, head, list};
use crate::model::export::{EXPIRED, ExportFacts, ExportStatus, Exported};
use crate::model::format;
use crate::model::query::escape;
use crate::model::tab::Tab;

/// The list of exports with its filters.
#[component]
pub fn Exports() -> impl IntoView {
    list::list::<ExportFacts>()
}

impl Record for ExportFacts {
    const TAB: Tab = Tab::Exports;
    const ONE: &'static str = "export";
    const ID: &'static str = "Export ID";
    const HEADS: &'static [Head] = &[
        head("c-resource", "Resource"),
        head("c-stand c-stand-wide", "Status"),
        head("c-format", "Format"),
        head("c-rows figure", "Rows"),
        head("c-size figure", "Size"),
        head("c-channel", "Channel"),
        head("c-user", "User"),
        Head {
            turns: true,
            ..head("c-time", "Created")
        },
        head("c-get", "File"),
    ];

    fn ask(project: String, query: String) -> impl Future<Output = Result<Listed<Self>, ApiError>> + Send + 'static {
        exports_page(project, query)
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn is_over(&self) -> bool {
        self.status.is_over()
    }

    fn version(&self) -> String {
        format!(
            "{} {:?} {:?} {:?} {:?}",
            self.status.as_str(),
            self.finished_at,
            self.rows,
            self.bytes,
            self.expired_at
        )
    }

    fn cells(&self, context: &RowContext) -> Vec<String> {
        vec![
            cells::text(Some(Exported::label(&self.exported_object))),
            cells::export_status(self.status, self.progress),
            self.format.map(|format| format.label().to_owned()).unwrap_or_default(),
            self.rows.map(|rows| format::count(rows.max(0) as u64)).unwrap_or_default(),
            self.bytes.map(format::size).unwrap_or_default(),
            cells::text(Some(&self.channel)),
            cells::text(self.by.as_deref().or(self.user_id.as_deref())),
            cells::time(self.created_at, context),
            file(self, context),
        ]
    }

    fn first() -> AnyView {
        let project = project_id();
        let logs = move || format!("/projects/{}/logs", project.get());
        view! {
            <div class="state first">
                <h2>"No exports yet"</h2>
                <p>
                    "Files made from your logs are rows here: to download, and to browse in place. "
                    "Filter the logs that you want, then press Export."
                </p>
                <p><a class="button" href=logs>"Go to the logs"</a></p>
            </div>
        }
        .into_any()
    }
}

/// The button that downloads the file, once there is one, and until it has expired. A reported export has one only where its application sent it.
fn file(export: &ExportFacts, context: &RowContext) -> String {
    if export.status != ExportStatus::Done || (export.reported && export.bytes.is_none()) {
        return String::new();
    }
    if export.expired_at.is_some() {
        return format!(r#"<span class="quiet" title="{}">expired</span>"#, Escaped(EXPIRED));
    }
    let href = format!("{}/{}/file", context.path, escape(&export.id));
    download::cell(&href, export.file_name.as_deref().unwrap_or(&export.id))
}

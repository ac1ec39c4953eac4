//! The tab Background tasks.
//!
//! To add a column: its head in `HEADS`, and its text in the same place of `cells`. A sibling tab: see `parts/records`.

use leptos::prelude::*;

use crate::api::error::ApiError;
use crate::api::tasks::{Listed, tasks_page};
use crate::app::parts::import_form::ImportForm;
use crate::app::parts::records::{Head, Record, RowContext, cells, head, list};
use crate::model::tab::Tab;
use crate::model::task::TaskFacts;

/// The list of tasks with its filters.
#[component]
pub fn Tasks() -> impl IntoView {
    list::list::<TaskFacts>()
}

impl Record for TaskFacts {
    const TAB: Tab = Tab::Tasks;
    const ONE: &'static str = "task";
    const ID: &'static str = "Task ID";
    const HEADS: &'static [Head] = &[
        head("c-kind mono", "Type"),
        head("c-stand", "Status"),
        head("c-operation", "Processing status"),
        head("c-progress", "Progress"),
        head("c-took figure", "Processing time"),
        Head {
            turns: true,
            ..head("c-time", "Created")
        },
        head("c-time c-updated", "Updated"),
        head("c-user", "By"),
    ];

    fn ask(project: String, query: String) -> impl Future<Output = Result<Listed<Self>, ApiError>> + Send + 'static {
        tasks_page(project, query)
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn is_over(&self) -> bool {
        self.status.is_over()
    }

    fn version(&self) -> String {
        let how = self.operation_status.map_or("", |status| status.as_str());
        format!("{}{how}{}{}", self.status.as_str(), self.progress, self.updated_at)
    }

    fn cells(&self, context: &RowContext) -> Vec<String> {
        vec![
            cells::text(Some(&self.kind)),
            cells::task_status(self.status),
            cells::operation_status(self.operation_status),
            cells::progress(self.progress),
            cells::duration(self.processing_ms),
            cells::time(self.created_at, context),
            cells::time(self.updated_at, context),
            cells::text(self.by.as_deref()),
        ]
    }

    fn action(_now: Callback<()>, _any: Memo<bool>) -> AnyView {
        view! { <ImportForm/> }.into_any()
    }

    fn first() -> AnyView {
        view! {
            <div class="state first">
                <h2>"No background tasks yet"</h2>
                <p>
                    "Long work is a row here, with how far it got and what came of it: exports, imports, and whatever your own application reports. "
                    "Begin an export in the tab Logs, or bring logs in from a file:"
                </p>
                <pre class="command" tabindex="0"><code id="first-import">{IMPORT}</code></pre>
                <button type="button" class="button needs-scripts" data-copy-of="first-import">"Copy"</button>
            </div>
        }
        .into_any()
    }
}

const IMPORT: &str =
    "curl \"$AUDIT_LOG/v1/logs/import\" -H \"X-App-Id: $APP_ID\" -H \"X-App-Token: $APP_TOKEN\" -F file=@logs.csv";

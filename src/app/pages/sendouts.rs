//! The tab Webhook sendouts.
//!
//! To add a column: its head in `HEADS`, and its text in the same place of `cells`. A sibling tab: see `parts/records`.

use leptos::prelude::*;

use crate::api::error::ApiError;
use crate::api::sendouts::sendouts_page;
use crate::api::tasks::Listed;
use crate::app::parts::links::project_id;
use crate::app::parts::markup::Escaped;
use crate::app::parts::records::{Head, Record, RowContext, cells, head, list};
use crate::app::parts::retry_dialog::RetryAll;
use crate::app::parts::retry_one::{self, RetryOne};
use crate::model::query::escape;
use crate::model::sendout::SendoutFacts;
use crate::model::tab::Tab;

/// The list of sendouts with its filters.
#[component]
pub fn Sendouts() -> impl IntoView {
    list::list::<SendoutFacts>()
}

impl Record for SendoutFacts {
    const TAB: Tab = Tab::Sendouts;
    const ONE: &'static str = "sendout";
    const ID: &'static str = "Sendout ID";
    const HEADS: &'static [Head] = &[
        head("c-stand c-stand-wide", "Status"),
        head("c-kind mono", "Event type"),
        head("c-target mono", "Endpoint"),
        head("c-attempts figure", "Attempts"),
        head("c-code figure", "Code"),
        head("c-took c-took-short figure", "Duration"),
        head("c-request mono", "Request ID"),
        Head {
            turns: true,
            ..head("c-time", "Created")
        },
        head("c-time c-updated", "Executed"),
        head("c-get c-menu", "Actions"),
    ];

    fn ask(project: String, query: String) -> impl Future<Output = Result<Listed<Self>, ApiError>> + Send + 'static {
        sendouts_page(project, query)
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn is_over(&self) -> bool {
        !self.is_due()
    }

    fn version(&self) -> String {
        let next = self.next_at;
        format!("{}{:?}{}{next:?}", self.status.as_str(), self.waits_because(), self.attempts)
    }

    fn cells(&self, context: &RowContext) -> Vec<String> {
        vec![
            cells::sendout_status(self, context),
            format!(r#"<span title="{0}">{0}</span>"#, Escaped(&self.kind)),
            format!(
                r#"<span title="{}">{}</span>"#,
                Escaped(&self.target_url),
                Escaped(shown_url(&self.target_url))
            ),
            self.attempts.to_string(),
            self.last_code.map(|code| code.to_string()).unwrap_or_default(),
            cells::took(self.duration_us),
            cells::text(self.request_id.as_deref()),
            cells::time(self.created_at, context),
            self.executed_at.map(|at| cells::time(at, context)).unwrap_or_default(),
            menu(self, context),
        ]
    }

    fn action(now: Callback<()>, any: Memo<bool>) -> AnyView {
        view! { <RetryOne now/>{move || any.get().then(|| view! { <RetryAll now/> })} }.into_any()
    }

    fn first() -> AnyView {
        let project = project_id();
        let settings = move || format!("/projects/{}/settings/webhooks", project.get());
        view! {
            <div class="state first">
                <h2>"No webhook sendouts yet"</h2>
                <p>
                    "Each delivery of an event to one of your endpoints is a row here, with every attempt: what was sent, what came back. "
                    "Make an endpoint, then post an event:"
                </p>
                <p><a class="button" href=settings>"Webhooks in the settings"</a></p>
                <pre class="command" tabindex="0"><code id="first-event">{EVENT}</code></pre>
                <button type="button" class="button needs-scripts" data-copy-of="first-event">"Copy"</button>
            </div>
        }
        .into_any()
    }
}

const EVENT: &str = "curl \"$AUDIT_LOG/v1/webhooks\" -H \"X-App-Id: $APP_ID\" -H \"X-App-Token: $APP_TOKEN\" -H \"Content-Type: application/json\" \\
  -d '{\"target_url\":\"https://example.com/hook\",\"events\":[\"*\"]}'
curl \"$AUDIT_LOG/v1/events\" -H \"X-App-Id: $APP_ID\" -H \"X-App-Token: $APP_TOKEN\" -H \"Content-Type: application/json\" \\
  -d '{\"type\":\"voucher.created\",\"data\":{\"code\":\"SUMMER-24\"}}'";

/// An address as a narrow column shows it: what nearly all of them begin with says nothing.
fn shown_url(url: &str) -> &str {
    url.strip_prefix("https://").unwrap_or(url)
}

/// The row's menu: where to look on the sendout's page, and Retry.
fn menu(sendout: &SendoutFacts, context: &RowContext) -> String {
    let page = format!("{}/{}{}", context.path, escape(&sendout.id), context.arguments);
    let menu = format!("menu-{}", sendout.id);
    let error = if sendout.last_error.is_some() {
        format!(r#"<li><a href="{}#error">See error</a></li>"#, Escaped(&page))
    } else {
        String::new()
    };
    format!(
        r#"<button type="button" class="icon" popovertarget="{menu}" aria-label="Actions">⋮</button><div id="{menu}" class="menu end" popover><ul><li><a href="{page}#data">See data</a></li>{error}{retry}</ul></div>"#,
        menu = Escaped(&menu),
        page = Escaped(&page),
        retry = retry_one::item(sendout, context, &page),
    )
}

//! Beginning an export, for a call and for a page alike: the plan is fixed to this moment, and stored with its task and its job in one transaction.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::model::export::{ExportStatus, Exported, Format};
use crate::model::id::IdKind;
use crate::model::query::Order;
use crate::model::task::kinds;
use crate::server::exporting::plan::Plan;
use crate::server::http::recording::{self, Asked, Recording};
use crate::server::jobs::export;
use crate::server::state::Server;
use crate::server::store::exports::{NewExport, Work};
use crate::server::store::logs::sequence;
use crate::server::store::projects::ProjectKey;
use crate::server::store::tasks::NewTask;
use crate::server::store::{StoreError, exports};

/// What downloads are signed for.
const PURPOSE: &str = "export-download";
/// How long a link to a file holds, in milliseconds.
pub const LINK_MS: i64 = 24 * 60 * 60 * 1_000;
/// How long a file can be browsed, in milliseconds.
pub const BROWSED_MS: i64 = 90 * 24 * 60 * 60 * 1_000;

/// Who asks for an export.
#[derive(Clone, Debug, Default)]
pub struct Asker {
    /// The person.
    pub user_id: Option<String>,
    /// The person's e-mail address, or the key's name.
    pub by: Option<String>,
    /// Where: WEBSITE, API, or the client's own name.
    pub channel: String,
}

/// What a page shows of what was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Shown {
    /// Labels and values of the filters, the range among them.
    pub filters: Vec<(String, String)>,
    /// The list that it was made from: a query string of its tab.
    pub list: Option<String>,
    /// What is not whole in the file, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What is not whole in the file of the export that has this; for its page and its answer alike.
pub fn notes(shown: &str) -> Vec<String> {
    serde_json::from_str::<Shown>(shown)
        .map(|shown| shown.notes)
        .unwrap_or_default()
}

/// Begins an export; gives its id.
pub async fn begin(
    server: &Server,
    project: ProjectKey,
    mut plan: Plan,
    (parameters, shown): (&Value, &Shown),
    asker: Asker,
    recording: Option<&Recording>,
) -> Result<String, StoreError> {
    let now_ms = server.clock.now_ms();
    plan.fix(sequence::watermark(&server.db).await?, now_ms);
    let id = server.random.id(IdKind::Export, now_ms);
    let (task_id, log_id) = (server.random.id(IdKind::Task, now_ms), server.random.id(IdKind::Log, now_ms));
    let Asked { request_id, .. } = recording::asked(recording);
    let task = NewTask {
        id: task_id.clone(),
        kind: kinds::EXPORT.to_owned(),
        own: true,
        request_id,
        user_id: asker.user_id.clone(),
        by: asker.by.clone(),
        log_id: recording.is_some().then(|| log_id.clone()),
        export_id: Some(id.clone()),
        parameters: Some(json!({ "exported_object": plan.exported, "parameters": parameters, "plan": plan }).to_string()),
        ..NewTask::default()
    };
    let new = NewExport {
        id: id.clone(),
        channel: asker.channel,
        exported_object: plan.exported.as_str().to_owned(),
        format: Some(plan.format),
        parameters: parameters.to_string(),
        shown: json!(shown).to_string(),
        user_id: asker.user_id,
        by: asker.by,
        file_name: file_name(plan.exported, plan.format, now_ms),
        status: ExportStatus::Scheduled,
        holds: plan.holds(),
    };
    let work = Work {
        task,
        kind: export::NAME,
        payload: json!(export::Payload {
            export_id: id.clone(),
            plan,
        })
        .to_string(),
    };
    exports::add(&server.db, project, &new, Some(&work), None, now_ms).await?;
    recording::began(recording, &task_id, &log_id);
    recording::about(recording, "export", &id);
    server.bell.ring();
    Ok(id)
}

/// The parameters of a plan, as a call would give them.
pub fn parameters_of(plan: &Plan, filters: Value) -> Value {
    json!({
        "order": if plan.order == Order::NewestFirst { "-created_at" } else { "created_at" },
        "fields": plan.fields,
        "filters": filters,
        "format": plan.format,
        "csv_formulas": if plan.guarded { "guarded" } else { "raw" },
    })
}

/// `logs-2026-11-22-1405.csv`: what it holds and when it was asked for, in UTC.
fn file_name(exported: Exported, format: Format, now_ms: i64) -> String {
    let time = Timestamp::from_millisecond(now_ms)
        .unwrap_or_default()
        .to_zoned(TimeZone::UTC);
    let what = match exported {
        Exported::ApiLog => "logs",
        Exported::AsyncAction => "tasks",
        Exported::Export => "exports",
        Exported::WebhookSendout => "sendouts",
    };
    format!("{what}-{}.{}", time.strftime("%Y-%m-%d-%H%M%S"), format.as_str())
}

/// A token that lets whoever has it download an export's file until then.
pub fn token(server: &Server, id: &str, until_ms: i64) -> String {
    let signature = server.key.sign(PURPOSE, format!("{id} {until_ms}").as_bytes());
    format!("{until_ms}.{}", data_encoding::BASE64URL_NOPAD.encode(&signature))
}

/// Whether a token is good for an export now.
pub fn is_good_token(server: &Server, id: &str, token: &str) -> bool {
    let Some((until, signature)) = token.split_once('.') else {
        return false;
    };
    let Ok(until_ms) = until.parse::<i64>() else { return false };
    let signature = data_encoding::BASE64URL_NOPAD
        .decode(signature.as_bytes())
        .unwrap_or_default();
    let is_signed = server
        .key
        .is_signed(PURPOSE, format!("{id} {until_ms}").as_bytes(), &signature);
    is_signed && server.clock.now_ms() < until_ms
}

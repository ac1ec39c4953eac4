//! The shapes of what is written by hand (a log, a list) or read by hand (a log that is sent), for the OpenAPI document alone.
//!
//! What is a struct of its own where it is answered or read has its schema there, by `ToSchema`: prefer that. Tests of the API hold these to what is
//! answered.

#![allow(dead_code, reason = "the document is made of their fields")]

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::model::log::{ImportFile, Note, Origin, Resource, Status};
use crate::model::rights::{Role, Scope};
use crate::model::timeline::Thing;
use crate::model::view::ViewTab;

/// The one shape of everything that went wrong.
#[derive(ToSchema)]
pub(super) struct Problem {
    /// The status, once more.
    #[schema(minimum = 400, maximum = 599)]
    code: u16,
    /// A word for programs, as `not_found`.
    key: String,
    /// The same for people.
    message: String,
    /// What was wrong with this call, and what would be right.
    details: String,
    /// What this service's own log has it under.
    request_id: String,
    /// What was not found.
    resource_id: Option<String>,
    /// And of which kind.
    resource_type: Option<String>,
}

/// A page of a list; the next one is had by `after=` the value of `more_starting_after`.
#[derive(ToSchema)]
pub(in crate::server::http) struct List<T> {
    #[schema(pattern = "^list$")]
    object: String,
    /// The field that has the entries.
    #[schema(pattern = "^data$")]
    data_ref: String,
    data: Vec<T>,
    has_more: bool,
    #[schema(required)]
    more_starting_after: Option<String>,
}

/// A page of logs.
#[derive(ToSchema)]
pub(in crate::server::http) struct LogList {
    #[schema(pattern = "^list$")]
    object: String,
    #[schema(pattern = "^data$")]
    data_ref: String,
    data: Vec<LogShown>,
    has_more: bool,
    #[schema(required)]
    more_starting_after: Option<String>,
    /// Where a search ran out of time: everything newer (older, where the order is `created_at`) was looked through.
    #[schema(required, format = DateTime)]
    searched_to: Option<String>,
}

/// A request that was logged.
#[derive(ToSchema)]
#[schema(as = Log)]
pub(in crate::server::http) struct LogShown {
    id: String,
    #[schema(pattern = "^api_log$")]
    object: String,
    #[schema(format = DateTime)]
    created_at: String,
    status: Status,
    #[schema(required)]
    status_code: Option<u16>,
    #[schema(required)]
    request_id: Option<String>,
    #[schema(required)]
    channel: Option<String>,
    method: String,
    /// As `POST_v1_vouchers_{id}_redemption`.
    endpoint: String,
    /// The path alone, where the key may not read bodies.
    url: String,
    #[schema(required)]
    user_email: Option<String>,
    #[schema(required)]
    user_id: Option<String>,
    #[schema(required)]
    app_id: Option<String>,
    #[schema(required)]
    app_name: Option<String>,
    #[schema(required)]
    client_app_id: Option<String>,
    /// In milliseconds.
    #[schema(required)]
    request_duration: Option<f64>,
    #[schema(required)]
    ip: Option<String>,
    #[schema(required)]
    user_agent: Option<String>,
    origin: Origin,
    request: Message,
    response: Message,
    #[schema(required)]
    resource: Option<Resource>,
    #[schema(required)]
    async_action_id: Option<String>,
    #[schema(required)]
    import_file: Option<ImportFile>,
    /// What is not whole, and why.
    notes: Vec<Note>,
}

/// One side of a log.
#[derive(ToSchema)]
struct Message {
    /// A text, or a list of them, by the header's name; `null` where the key may not read bodies.
    #[schema(required)]
    headers: Option<Map<String, Value>>,
    /// JSON, text, or `{"encoding": "base64", "data": "…"}`; `null` where there is none, or it is not shown (the notes say why).
    body: Value,
    /// The body's size as it came.
    bytes: i64,
    #[schema(required)]
    content_type: Option<String>,
}

/// One log, or several: at most 10,000.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub(in crate::server::http) enum LogsToSend {
    One(Box<LogToSend>),
    Several(Vec<LogToSend>),
}

/// A log that is sent in. What is not listed here is passed over.
#[derive(Deserialize, ToSchema)]
pub(in crate::server::http) struct LogToSend {
    /// The client's own, one a project: it makes a repeat harmless.
    #[schema(pattern = "^[A-Za-z0-9_-]{1,64}$")]
    id: Option<String>,
    created_at: Option<When>,
    status: Option<Status>,
    /// `null` where no answer came.
    #[schema(required, minimum = 100, maximum = 999, example = 200)]
    status_code: Option<u16>,
    #[schema(pattern = "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,32}$", example = "POST")]
    method: String,
    #[schema(min_length = 1, max_length = 32768, example = "/v1/vouchers/CODE-1/redemption")]
    url: String,
    #[schema(max_length = 512)]
    endpoint: Option<String>,
    #[schema(max_length = 512)]
    request_id: Option<String>,
    #[schema(max_length = 512)]
    channel: Option<String>,
    #[schema(max_length = 512)]
    user_email: Option<String>,
    #[schema(max_length = 512)]
    user_id: Option<String>,
    #[schema(max_length = 512)]
    app_id: Option<String>,
    #[schema(max_length = 512)]
    app_name: Option<String>,
    #[schema(max_length = 512)]
    client_app_id: Option<String>,
    #[schema(max_length = 512)]
    ip: Option<String>,
    #[schema(max_length = 4096)]
    user_agent: Option<String>,
    #[schema(max_length = 512)]
    async_action_id: Option<String>,
    /// In milliseconds.
    #[schema(minimum = 0)]
    request_duration: Option<f64>,
    resource: Option<Resource>,
    notes: Option<Vec<Note>>,
    request: Option<MessageToSend>,
    response: Option<MessageToSend>,
}

/// One side of a log that is sent in.
#[derive(Deserialize, ToSchema)]
struct MessageToSend {
    /// A text, or a list of them, by the header's name.
    headers: Option<Map<String, Value>>,
    /// JSON, text, or `{"encoding": "base64", "data": "…"}`.
    #[schema(required = false)]
    body: Value,
    /// The body's size, where it is not all here.
    #[schema(minimum = 0)]
    bytes: Option<i64>,
    #[schema(max_length = 4096)]
    content_type: Option<String>,
}

/// When: at most an hour ahead, and not older than logs are kept.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
enum When {
    /// RFC 3339.
    #[schema(format = DateTime)]
    Text(String),
    /// Milliseconds since 1970.
    Millis(i64),
}

/// OTLP's `ExportTraceServiceRequest` (<https://opentelemetry.io/docs/specs/otlp/>).
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::server::http) struct SpansToSend {
    /// Each with `scopeSpans`, and those with `spans`.
    resource_spans: Option<Vec<Map<String, Value>>>,
}

/// OTLP's `ExportTraceServiceResponse`.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::server::http) struct SpansTaken {
    /// Only where something could not be stored.
    partial_success: Option<SpansRejected>,
}

/// Spans of HTTP servers that could not be stored.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SpansRejected {
    /// How many, as protobuf's JSON writes numbers of 64 bits.
    #[schema(pattern = "^[0-9]+$")]
    rejected_spans: String,
    /// Which of them, and why, of the first few.
    error_message: String,
}

/// OTLP's `ExportLogsServiceResponse`.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::server::http) struct RecordsTaken {
    /// Only where something could not be stored.
    partial_success: Option<RecordsRejected>,
}

/// Log records of HTTP requests that could not be stored.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RecordsRejected {
    /// How many, as protobuf's JSON writes numbers of 64 bits.
    #[schema(pattern = "^[0-9]+$")]
    rejected_log_records: String,
    /// Which of them, and why, of the first few.
    error_message: String,
}

/// OTLP's `ExportLogsServiceRequest`.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::server::http) struct RecordsToSend {
    /// Each with `scopeLogs`, and those with `logRecords`.
    resource_logs: Option<Vec<Map<String, Value>>>,
}

/// The task that does what was asked for.
#[derive(ToSchema)]
pub(in crate::server::http) struct TaskBegun {
    async_action_id: String,
}

/// A form with a file.
#[derive(ToSchema)]
pub(in crate::server::http) struct ImportForm {
    /// NDJSON, CSV or HAR 1.2; at most 2 GB.
    #[schema(format = Binary)]
    file: String,
    /// Whether cells of a CSV were guarded against formulas: `raw` or `guarded`.
    #[schema(pattern = "^(raw|guarded)$")]
    csv_formulas: Option<String>,
}

/// Something that happened.
#[derive(ToSchema)]
pub(in crate::server::http) struct Happened {
    #[schema(format = DateTime)]
    at: String,
    object: Thing,
    id: String,
    what: String,
    status: String,
}

/// An event that was taken.
#[derive(ToSchema)]
pub(in crate::server::http) struct EventTaken {
    id: String,
    #[schema(pattern = "^event$")]
    object: String,
    /// The ids of what is sent because of it.
    sendouts: Vec<String>,
}

/// What is to be sent again: the filters of the tab, and how.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::server::http) struct RetryMany {
    from: Option<String>,
    to: Option<String>,
    status: Option<Words>,
    #[serde(rename = "type")]
    kind: Option<Words>,
    webhook: Option<Words>,
    source: Option<Words>,
    request_id: Option<Words>,
    id: Option<Words>,
    code: Option<Words>,
    /// Only count.
    dry_run: Option<bool>,
    #[schema(minimum = 1, maximum = 10_000)]
    per_second: Option<u32>,
}

/// One value, or several.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
enum Words {
    One(String),
    Several(Vec<String>),
}

/// How many sendouts a retry would send again.
#[derive(ToSchema)]
pub(in crate::server::http) struct RetryCount {
    count: i64,
    of_these_endpoint_off: i64,
    left_out_endpoint_deleted: i64,
}

/// A shared view: what a tab shows, under a name.
#[derive(ToSchema)]
pub(in crate::server::http) struct ViewShown {
    id: String,
    #[schema(pattern = "^view$")]
    object: String,
    tab: ViewTab,
    name: String,
    /// The tab's filters, range, order and columns as its address has them: without columns and a zone of a browser's own, the arguments of the list's call.
    query: String,
    /// An e-mail address.
    created_by: String,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
}

/// A test that is sent.
#[derive(ToSchema)]
pub(in crate::server::http) struct TestSent {
    sendout_id: String,
}

/// Whether this server lives, or is ready.
#[derive(ToSchema)]
pub(in crate::server::http) struct Health {
    #[schema(pattern = "^(live|ready)$")]
    status: String,
}

/// A project.
#[derive(ToSchema)]
pub(in crate::server::http) struct ProjectShown {
    id: String,
    #[schema(pattern = "^project$")]
    object: String,
    name: String,
    time_zone: String,
    #[schema(format = DateTime)]
    created_at: String,
    endpoint_templates: Vec<String>,
    /// What each role may see.
    role_rights: std::collections::BTreeMap<String, SightShown>,
}

/// What a role may see.
#[derive(ToSchema)]
struct SightShown {
    read_bodies: bool,
    read_users: bool,
}

/// A key; its token is in the answers to create and rotate alone.
#[derive(ToSchema, Serialize)]
pub(in crate::server::http) struct KeyShown {
    id: String,
    #[schema(pattern = "^key$")]
    object: String,
    app_id: String,
    name: String,
    scopes: Vec<Scope>,
    /// Whether it is a client-side key.
    client: bool,
    origins: Vec<String>,
    #[schema(required)]
    calls_a_minute: Option<u32>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(required, format = DateTime)]
    expires_at: Option<String>,
    #[schema(required, format = DateTime)]
    last_used_at: Option<String>,
    #[schema(required, format = DateTime)]
    revoked_at: Option<String>,
    #[schema(required, format = DateTime)]
    old_token_until: Option<String>,
}

/// A key with its token, which is shown this once.
#[derive(Serialize, ToSchema)]
pub(in crate::server::http) struct KeyIssued {
    #[serde(flatten)]
    key: KeyShown,
    app_token: String,
}

/// Somebody who was made a member, or was invited.
#[derive(ToSchema, Serialize)]
#[serde(untagged)]
pub(in crate::server::http) enum MemberAdded {
    Member(MemberShown),
    Invitation(InvitationMade),
}

/// A person of a project.
#[derive(ToSchema, Serialize)]
pub(in crate::server::http) struct MemberShown {
    id: String,
    #[schema(pattern = "^member$")]
    object: String,
    email: String,
    name: String,
    role: Role,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(required, format = DateTime)]
    last_seen_at: Option<String>,
}

/// Somebody who was invited and has not come yet.
#[derive(ToSchema, Serialize)]
pub(in crate::server::http) struct InvitationShown {
    id: String,
    #[schema(pattern = "^invitation$")]
    object: String,
    email: String,
    role: Role,
    invited_by: String,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    expires_at: String,
}

/// An invitation with its link, which is shown this once.
#[derive(ToSchema, Serialize)]
pub(in crate::server::http) struct InvitationMade {
    #[serde(flatten)]
    invitation: InvitationShown,
    link: String,
}

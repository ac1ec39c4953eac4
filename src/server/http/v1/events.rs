//! `POST /v1/events`: an event, sent on to every endpoint that wants it. Answered after the commit.

use crate::server::http::openapi::{BadEvent, EventTaken};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::fields::{is_list, plain};
use crate::model::endpoint::Source;
use crate::model::rights::Scope;
use crate::server::access::KeyAccess;
use crate::server::error::ApiError;
use crate::server::http::recording::{self, Recording};
use crate::server::state::Server;
use crate::server::webhooks::AcceptError;
use crate::server::webhooks::events::{self, EventError, Posted};

/// Bytes of a body: the largest data and what stands around it.
const MAX_BODY: usize = 2 << 20;

#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = EventToSend)]
#[serde(deny_unknown_fields)]
struct New {
    #[schema(example = "voucher.created")]
    #[serde(rename = "type")]
    kind: String,
    #[schema(value_type = serde_json::Value, example = json!({ "id": "v_1" }))]
    data: Box<RawValue>,
    #[schema(max_length = 64)]
    id: Option<String>,
    entity_id: Option<String>,
    group_id: Option<String>,
    #[schema(value_type = Option<Source>)]
    source: Option<String>,
    user_id: Option<String>,
}

/// The handler.
#[utoipa::path(
    post,
    path = "/v1/events",
    operation_id = "postEvent",
    tag = "Events",
    summary = "Sends an event to every endpoint that wants it",
    description = "Needs the scope `events:write`. The types of this service's own events are refused (422): `export.done`, `export.failed`, `task.failed`, `webhook.disabled`, `chain.head`, `log.failure`, `alert.fired`, `alert.resolved` and `webhook.test`.",
    request_body = New,
    responses(
        (status = 201, description = "Stored, with its sendouts", body = EventTaken),
        BadEvent,
    ),
)]
pub(super) async fn post(
    State(server): State<Server>,
    Extension(key): Extension<KeyAccess>,
    recording: Option<Extension<Recording>>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    key.require(Scope::EventsWrite)?;
    let body = server.limits.read(&headers, body, MAX_BODY).await?;
    let new = read(&body.bytes)?;
    let source = match new.source.as_deref() {
        None => None,
        Some(word) => Some(Source::parse(word).ok_or_else(|| invalid("source: project or distribution"))?),
    };
    let asked = recording::asked(recording.as_ref().map(|Extension(recording)| recording));
    let posted = Posted {
        kind: new.kind,
        data: new.data.get().to_owned(),
        id: new.id,
        entity_id: new.entity_id,
        group_id: new.group_id,
        source,
        channel: Some(asked.channel.unwrap_or_else(|| "API".to_owned())),
        user_id: new.user_id,
        key: Some((key.name.clone(), key.app_id.clone())),
    };
    let (id, sendouts) = events::accept(&server, key.project.key, posted).await?;
    Ok((
        StatusCode::CREATED,
        Json(json!({ "id": id, "object": "event", "sendouts": sendouts })),
    ))
}

/// What is no JSON is 400; JSON that is no event is 422.
fn read(body: &[u8]) -> Result<New, ApiError> {
    if is_list(body) && serde_json::from_slice::<IgnoredAny>(body).is_ok() {
        return Err(invalid("the body must be a JSON object"));
    }
    serde_json::from_slice(body).map_err(|problem| match problem.classify() {
        serde_json::error::Category::Data => invalid(plain(&problem.to_string())),
        _ => ApiError::unreadable(format!("the body is no JSON: {problem}")),
    })
}

fn invalid(details: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, details)
}

impl From<AcceptError> for ApiError {
    fn from(error: AcceptError) -> Self {
        let said = error.to_string();
        match error {
            AcceptError::Full { retry_after_s } => Self::new(StatusCode::TOO_MANY_REQUESTS, said).retry_after(retry_after_s),
            AcceptError::Stopping => Self::new(StatusCode::SERVICE_UNAVAILABLE, said).retry_after(2),
            AcceptError::Store(error) => error.into(),
        }
    }
}

impl From<EventError> for ApiError {
    fn from(error: EventError) -> Self {
        let said = error.to_string();
        match error {
            EventError::Invalid { .. } => invalid(said),
            EventError::TooLarge => Self::new(StatusCode::PAYLOAD_TOO_LARGE, said),
            EventError::Conflict(_) => Self::new(StatusCode::CONFLICT, said).keyed("event_id_reused"),
            EventError::Accept(error) => error.into(),
        }
    }
}

//! What OTLP answers, in the encoding of the request (<https://opentelemetry.io/docs/specs/otlp/#otlphttp-response>).

use axum::Json;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use prost::Message;
use serde_json::json;

use crate::server::error::ApiError;
use crate::server::http::v1::send_logs::essence;
use crate::server::ingest::otlp::{Encoding, Rejected, Signal};

const PROTOBUF: HeaderValue = HeaderValue::from_static("application/x-protobuf");

/// `ExportTraceServiceResponse` and `ExportLogsServiceResponse`: the same bytes.
#[derive(Clone, PartialEq, Message)]
struct Exported {
    #[prost(message, optional, tag = "1")]
    partial_success: Option<PartialSuccess>,
}

#[derive(Clone, PartialEq, Message)]
struct PartialSuccess {
    #[prost(int64, tag = "1")]
    rejected: i64,
    #[prost(string, tag = "2")]
    error_message: String,
}

/// `google.rpc.Status`, without the code: OTLP makes no use of it.
#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(string, tag = "2")]
    message: String,
}

/// How a request is written, by its headers; 415 where OTLP knows no such thing.
pub(super) fn encoding(headers: &HeaderMap) -> Result<Encoding, ApiError> {
    match essence(headers).as_str() {
        "application/x-protobuf" => Ok(Encoding::Protobuf),
        "application/json" => Ok(Encoding::Json),
        _ => Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Content-Type must be application/x-protobuf or application/json, as OTLP has them",
        )),
    }
}

/// What was sent is stored, but for what was rejected. Where that is nothing, OTLP wants no word of it.
pub(super) fn success(encoding: Encoding, signal: Signal, rejected: &Rejected) -> Response {
    let partial_success = (rejected.count > 0).then(|| PartialSuccess {
        rejected: rejected.count as i64,
        error_message: rejected.message(signal),
    });
    match encoding {
        Encoding::Protobuf => {
            let exported = Exported { partial_success };
            ([(header::CONTENT_TYPE, PROTOBUF)], exported.encode_to_vec()).into_response()
        }
        Encoding::Json => match partial_success {
            None => Json(json!({})).into_response(),
            Some(partial) => {
                let name = match signal {
                    Signal::Traces => "rejectedSpans",
                    Signal::Logs => "rejectedLogRecords",
                };
                // Numbers of 64 bits are texts in protobuf's JSON.
                let said = json!({ name: partial.rejected.to_string(), "errorMessage": partial.error_message });
                Json(json!({ "partialSuccess": said })).into_response()
            }
        },
    }
}

/// Whether whoever sent a request reads protobuf alone.
pub(in crate::server::http) fn reads_protobuf(request: &Request) -> bool {
    request.uri().path().starts_with("/v1/otlp/") && matches!(encoding(request.headers()), Ok(Encoding::Protobuf))
}

/// An error for them; the answer's status and its other headers stay.
pub(in crate::server::http) fn refusal(answer: Response, error: &ApiError, request_id: &str) -> Response {
    let status = Status {
        message: format!("{error} (request {request_id})"),
    };
    let (mut parts, _) = answer.into_parts();
    parts.headers.insert(header::CONTENT_TYPE, PROTOBUF);
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(status.encode_to_vec()))
}

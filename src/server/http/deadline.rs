//! How long a request may take until its answer begins: a minute, and as long as its body takes from the slowest sender that is waited for.
//! What an answer then says may take longer: a file is as long as it is.

use std::time::Duration;

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::server::error::ApiError;

/// Without a body.
const PATIENCE: Duration = Duration::from_mins(1);
/// Bytes a second of the slowest sender, as in `limits.rs`.
const SLOWEST: u64 = 16 << 10;
/// Bytes of a body whose length is not said: of the largest file that is taken.
const LARGEST: u64 = 2 << 30;
/// Seconds after which another try is worth it.
const RETRY_S: u64 = 5;

/// Gives a request up that takes too long; what it had begun in the database is undone there.
pub(crate) async fn limit(request: Request, next: Next) -> Response {
    let is_read = request.method().is_safe();
    let patience = patience(is_read, request.headers());
    if let Ok(answer) = tokio::time::timeout(patience, next.run(request)).await {
        return answer;
    }
    tracing::error!(seconds = patience.as_secs(), "a request took too long and was given up");
    if !is_read {
        // What waits for its turn may still be stored.
        return ApiError::outcome_unknown().into_response();
    }
    let details = format!("the answer was not ready within {} s", patience.as_secs());
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, details)
        .retry_after(RETRY_S)
        .into_response()
}

fn patience(is_read: bool, headers: &HeaderMap) -> Duration {
    if is_read {
        return PATIENCE;
    }
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    let chunked = headers.contains_key(header::TRANSFER_ENCODING);
    let length = match declared.and_then(|length| length.parse::<u64>().ok()) {
        Some(length) => length.min(LARGEST),
        None if chunked => LARGEST,
        None => 0,
    };
    PATIENCE + Duration::from_secs(length / SLOWEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_has_the_time_that_it_takes() {
        let headers = |pairs: &[(&'static str, &str)]| {
            let pairs = pairs
                .iter()
                .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
            pairs.collect::<HeaderMap>()
        };
        assert_eq!(patience(true, &headers(&[("content-length", "999999999")])), PATIENCE);
        assert_eq!(patience(false, &headers(&[])), PATIENCE);
        assert_eq!(patience(false, &headers(&[("content-length", "1638400")])).as_secs(), 160);
        assert_eq!(
            patience(false, &headers(&[("transfer-encoding", "chunked")])).as_secs(),
            60 + 131_072
        );
        assert_eq!(patience(false, &headers(&[("content-length", "nonsense")])), PATIENCE);
    }
}

//! A stored file as an answer: whole, or the range that was asked for (RFC 9110, 14), streamed part by part.

use std::ops::Range;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::raw_body::{SANDBOX, attachment};
use crate::server::error::ApiError;
use crate::server::files::Reader;

/// A file, for people and programs alike.
pub(super) struct Stored<'a> {
    pub(super) reader: Reader,
    pub(super) name: &'a str,
    pub(super) media_type: &'a str,
    /// What changes where the content does.
    pub(super) etag: Option<&'a str>,
}

impl Stored<'_> {
    /// The answer to a request with these headers.
    pub(super) fn answer(self, headers: &HeaderMap) -> Response {
        let whole = self.reader.bytes();
        let etag = self.etag.and_then(|etag| HeaderValue::from_str(&format!("\"{etag}\"")).ok());
        // A range of what the client had before is of no use where the file is another one now.
        let is_same = headers.get(header::IF_RANGE).is_none_or(|had| etag.as_ref() == Some(had));
        let asked = headers
            .get(header::RANGE)
            .filter(|_| is_same)
            .and_then(|range| range.to_str().ok());
        let (status, range) = match asked.map(|asked| range_of(asked, whole)) {
            None | Some(Asked::Whole) => (StatusCode::OK, 0..whole),
            Some(Asked::Part(range)) => (StatusCode::PARTIAL_CONTENT, range),
            Some(Asked::Beyond) => {
                let size = HeaderValue::from_str(&format!("bytes */{whole}")).unwrap_or(HeaderValue::from_static("bytes */*"));
                let details = format!("the file has {whole} bytes: a range begins before its end");
                let refused = ApiError::new(StatusCode::RANGE_NOT_SATISFIABLE, details);
                return ([(header::CONTENT_RANGE, size)], refused).into_response();
            }
        };
        let mut answer = Response::new(Body::from_stream(self.reader.stream(range.clone())));
        *answer.status_mut() = status;
        let out = answer.headers_mut();
        out.insert(header::CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
        out.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        out.insert(header::CONTENT_DISPOSITION, attachment(self.name));
        out.insert(header::CONTENT_SECURITY_POLICY, SANDBOX);
        let media_type = HeaderValue::from_str(self.media_type).unwrap_or(HeaderValue::from_static("application/octet-stream"));
        out.insert(header::CONTENT_TYPE, media_type);
        if let Some(etag) = etag {
            out.insert(header::ETAG, etag);
        }
        if status == StatusCode::PARTIAL_CONTENT
            && let Ok(said) = HeaderValue::from_str(&format!("bytes {}-{}/{whole}", range.start, range.end - 1))
        {
            out.insert(header::CONTENT_RANGE, said);
        }
        answer
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Whole,
    Part(Range<u64>),
    Beyond,
}

/// One range; of several, or of another unit, nobody is obliged to give parts: the whole is given.
fn range_of(asked: &str, whole: u64) -> Asked {
    let Some(spec) = asked.strip_prefix("bytes=").filter(|spec| !spec.contains(',')) else {
        return Asked::Whole;
    };
    let Some((from, to)) = spec.trim().split_once('-') else {
        return Asked::Whole;
    };
    let range = match (from.parse::<u64>(), to.parse::<u64>()) {
        (Ok(from), Ok(to)) if from <= to => from..to.saturating_add(1).min(whole),
        (Ok(from), Err(_)) if to.is_empty() => from..whole,
        (Err(_), Ok(last)) if from.is_empty() => whole.saturating_sub(last)..whole,
        _ => return Asked::Whole,
    };
    if range.is_empty() { Asked::Beyond } else { Asked::Part(range) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_as_the_standard_has_them() {
        for (asked, expected) in [
            ("bytes=0-0", Asked::Part(0..1)),
            ("bytes=5-", Asked::Part(5..10)),
            ("bytes=-3", Asked::Part(7..10)),
            ("bytes=-30", Asked::Part(0..10)),
            ("bytes=2-99", Asked::Part(2..10)),
            ("bytes=10-", Asked::Beyond),
            ("bytes=-0", Asked::Beyond),
            ("bytes=3-2", Asked::Whole),
            ("bytes=0-1,3-4", Asked::Whole),
            ("lines=1-2", Asked::Whole),
            ("bytes=x", Asked::Whole),
        ] {
            assert_eq!(range_of(asked, 10), expected, "{asked}");
        }
    }
}

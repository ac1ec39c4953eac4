//! What of a body nobody reads: who sends it is heard out, within bounds, after the answer.
//!
//! A call is refused before its body was read where its key is unknown, its allowance is used up, or the server holds too much. Were the connection closed then, whoever still
//! writes would see it break, and the answer with its `Retry-After` would be lost (RFC 9112, 9.6). Those who asked before they send (`Expect: 100-continue`) send nothing.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{Version, header};
use axum::middleware::Next;
use axum::response::Response;
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};
use tokio::runtime::Handle;

/// For so long they are heard, and for so many bytes; past it the connection is closed.
const LONGEST: Duration = Duration::from_secs(20);
const MOST: usize = 64 << 20;

/// Hears out whoever sends a body that is left unread.
pub(crate) async fn hear_out(request: Request, next: Next) -> Response {
    let asks_first = request.headers().contains_key(header::EXPECT);
    // A stream of HTTP/2 ends without its connection.
    if asks_first || request.version() > Version::HTTP_11 || request.body().is_end_stream() {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let body = Body::new(HeardOut { body: Some(body) });
    next.run(Request::from_parts(parts, body)).await
}

/// A body whose rest is read when it is dropped.
struct HeardOut {
    /// None once it has ended, well or badly.
    body: Option<Body>,
}

impl HttpBody for HeardOut {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let frame = ready!(Pin::new(body).poll_frame(context));
        if !matches!(frame, Some(Ok(_))) {
            self.body = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for HeardOut {
    fn drop(&mut self) {
        let Some(body) = self.body.take().filter(|body| !body.is_end_stream()) else {
            return;
        };
        // Outside of the runtime nothing is left to hear.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(tokio::time::timeout(LONGEST, read_away(body)));
        }
    }
}

async fn read_away(mut body: Body) {
    let mut read = 0;
    while let Some(Ok(frame)) = body.frame().await {
        read += frame.data_ref().map_or(0, Bytes::len);
        if read > MOST {
            return;
        }
    }
}

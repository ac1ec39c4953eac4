//! An answer's body on its way to the client. Where it breaks off, what came before goes out first: a server of hyper's gives up what it has not written yet when a body fails, which under
//! load was the answer's head, too.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper::body::{Body, Frame, SizeHint};

/// A body whose error waits for a turn, in which what it gave before is written.
pub(super) struct Breaking<B: Body> {
    inner: B,
    error: Option<B::Error>,
}

impl<B: Body> Breaking<B> {
    pub(super) const fn new(inner: B) -> Self {
        Self { inner, error: None }
    }
}

impl<B> Body for Breaking<B>
where
    B: Body<Error: Unpin> + Unpin,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        if let Some(error) = self.error.take() {
            return Poll::Ready(Some(Err(error)));
        }
        match ready!(Pin::new(&mut self.inner).poll_frame(cx)) {
            Some(Err(error)) => {
                self.error = Some(error);
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            other => Poll::Ready(other),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.error.is_none() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::io;

    use axum::http::Response;
    use bytes::Bytes;
    use futures::stream;
    use http_body_util::StreamBody;
    use hyper::service::service_fn;
    use hyper_util::rt::TokioIo;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn what_came_before_the_break_goes_out() {
        let (mut near, far) = tokio::io::duplex(1 << 16);
        let service = service_fn(|_| async {
            let frames = [
                Ok(Frame::data(Bytes::from_static(b"some of it"))),
                Err(io::Error::other("it broke")),
            ];
            let body = Breaking::new(StreamBody::new(stream::iter(frames)));
            Ok::<_, Infallible>(Response::builder().header("content-length", 100).body(body).unwrap())
        });
        let serving = tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(far), service));
        near.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        let mut came = String::new();
        near.read_to_string(&mut came).await.unwrap();
        assert!(
            came.starts_with("HTTP/1.1 200 OK\r\n") && came.ends_with("\r\n\r\nsome of it"),
            "{came:?}"
        );
        assert!(serving.await.unwrap().is_err());
    }
}

//! Interim answers (RFC 9110, 15.2) on their way to a client of HTTP/1.1, such as 103 with what to load meanwhile. hyper tells of those that the upstream gives and has no way to give one: so they
//! are written between what it writes, while the exchange that they belong to has no answer yet. 100 and 101 are hyper's own affair, and HTTP/2 has none of this.

use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use axum::http::{HeaderMap, StatusCode};
use futures::future::poll_fn;
use futures::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::headers;

/// Bytes that may wait for a client which does not read; what an upstream says beyond them is left out.
const MOST: usize = 64 << 10;

/// What a connection's client is to be told before its answer. Every clone speaks of the same connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Interim(Arc<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    said: Mutex<Vec<u8>>,
    /// Whether anything was said: looked at where nothing should be locked for each request.
    is_any: AtomicBool,
    /// The task of the connection, which writes it.
    connection: AtomicWaker,
}

impl Interim {
    /// Has a client told this answer. Those that are hyper's own affair are passed over.
    pub(super) fn say(&self, status: StatusCode, headers: &HeaderMap) {
        if !status.is_informational() || matches!(status, StatusCode::CONTINUE | StatusCode::SWITCHING_PROTOCOLS) {
            return;
        }
        let answer = written(status, headers::of_answer(headers.clone(), None));
        let mut said = self.said();
        if said.len() + answer.len() > MOST {
            return;
        }
        said.extend_from_slice(&answer);
        self.0.is_any.store(true, Ordering::Release);
        drop(said);
        self.0.connection.wake();
    }

    /// Waits for an exchange's answer, and then until all that was said before it has gone out. To be polled on the connection's own task.
    pub(super) async fn before<T>(&self, answer: impl Future<Output = T>) -> T {
        let mut answer = pin!(answer);
        let answered = poll_fn(|cx| {
            self.0.connection.register(cx.waker());
            answer.as_mut().poll(cx)
        })
        .await;
        poll_fn(|cx| {
            self.0.connection.register(cx.waker());
            if self.0.is_any.load(Ordering::Acquire) {
                Poll::Pending
            } else {
                Poll::Ready(())
            }
        })
        .await;
        answered
    }

    fn said(&self) -> MutexGuard<'_, Vec<u8>> {
        // Bytes are there whole or not at all.
        self.0.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An answer as HTTP/1.1 writes it.
fn written(status: StatusCode, headers: HeaderMap) -> Vec<u8> {
    let reason = status.canonical_reason().unwrap_or_default();
    let mut text = format!("HTTP/1.1 {} {reason}\r\n", status.as_u16()).into_bytes();
    for (name, value) in &headers {
        text.extend_from_slice(name.as_str().as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(value.as_bytes());
        text.extend_from_slice(b"\r\n");
    }
    text.extend_from_slice(b"\r\n");
    text
}

/// A connection on which interim answers are written when hyper has written all of its own.
pub(super) struct Between<S> {
    stream: S,
    interim: Interim,
    /// Whether one is written in part: nothing may come between its bytes.
    is_begun: bool,
}

impl<S: AsyncWrite + Unpin> Between<S> {
    pub(super) const fn new(stream: S, interim: Interim) -> Self {
        Self {
            stream,
            interim,
            is_begun: false,
        }
    }

    fn poll_said(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.interim.0.is_any.load(Ordering::Acquire) {
            return Poll::Ready(Ok(()));
        }
        let mut said = self.interim.said();
        while !said.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &said))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            said.drain(..written);
            self.is_begun = !said.is_empty();
        }
        self.interim.0.is_any.store(false, Ordering::Release);
        drop(said);
        self.interim.0.connection.wake();
        Poll::Ready(Ok(()))
    }

    fn poll_begun(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_begun {
            self.poll_said(cx)
        } else {
            Poll::Ready(Ok(()))
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Between<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Between<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_begun(cx))?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        ready!(self.poll_begun(cx))?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// hyper calls it when it has written all that it had.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_said(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_begun(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    fn hints() -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.append("link", HeaderValue::from_static("</a.css>; rel=preload"));
        headers.append("link", HeaderValue::from_static("</b.js>"));
        headers.append("connection", HeaderValue::from_static("close"));
        headers
    }

    const HINTS: &str = "HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\nlink: </b.js>\r\n\r\n";

    #[tokio::test]
    async fn what_was_said_goes_out_with_the_next_flush_and_the_answer_waits_for_it() {
        let interim = Interim::default();
        let (near, mut far) = tokio::io::duplex(1 << 16);
        let mut connection = Between::new(near, interim.clone());
        connection.write_all(b"before ").await.unwrap();
        interim.say(StatusCode::EARLY_HINTS, &hints());
        interim.say(StatusCode::CONTINUE, &hints());
        let answer = tokio::spawn({
            let interim = interim.clone();
            async move { interim.before(async { 200 }).await }
        });
        tokio::task::yield_now().await;
        assert!(!answer.is_finished(), "the answer goes out after it");
        connection.flush().await.unwrap();
        assert_eq!(answer.await.unwrap(), 200);
        connection.write_all(b" after").await.unwrap();
        drop(connection);
        let mut came = String::new();
        far.read_to_string(&mut came).await.unwrap();
        assert_eq!(came, format!("before {HINTS} after"));
    }

    #[tokio::test]
    async fn nothing_comes_between_the_bytes_of_one() {
        let interim = Interim::default();
        let (near, mut far) = tokio::io::duplex(8);
        let mut connection = Between::new(near, interim.clone());
        interim.say(StatusCode::EARLY_HINTS, &hints());
        let first = poll_fn(|cx| Poll::Ready(Pin::new(&mut connection).poll_flush(cx).is_pending())).await;
        assert!(first, "there is room for a part of it");
        let writing = tokio::spawn(async move { connection.write_all(b" after").await });
        let mut came = String::new();
        far.read_to_string(&mut came).await.unwrap();
        writing.await.unwrap().unwrap();
        assert_eq!(came, format!("{HINTS} after"));
    }

    #[test]
    fn what_nobody_reads_does_not_grow() {
        let interim = Interim::default();
        for _ in 0..10_000 {
            interim.say(StatusCode::PROCESSING, &hints());
        }
        assert!(interim.said().len() <= MOST);
    }
}

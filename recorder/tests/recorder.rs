//! What the recorder sees, through an axum application.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::routing::{get, post};
use axum::{Extension, Router};
use futures::StreamExt as _;
use http::request::Parts;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use recorder::{Budget, Ending, Exchange, RecorderLayer, Recording, Sink};
use tower::ServiceExt as _;

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<Exchange<String>>>>);

impl Sink for Kept {
    type Context = String;

    fn begin(&self, request: &Parts) -> Option<String> {
        (request.uri.path() != "/health").then(|| "nobody".to_owned())
    }

    fn record(&self, exchange: Exchange<String>) {
        self.0.lock().unwrap().push(exchange);
    }
}

impl Kept {
    fn only(&self) -> Exchange<String> {
        let kept = self.0.lock().unwrap();
        assert_eq!(kept.len(), 1, "{kept:?}");
        kept[0].clone()
    }

    fn is_empty(&self) -> bool {
        self.0.lock().unwrap().is_empty()
    }

    fn on(&self, app: Router) -> Router {
        app.layer(RecorderLayer::new(self.clone()).keeping(8))
    }
}

async fn echo(body: Bytes) -> Bytes {
    body
}

#[tokio::test]
async fn both_bodies_are_seen_as_they_pass() {
    let kept = Kept::default();
    let app = kept.on(Router::new().route("/echo", post(echo)));
    let request = Request::post("/echo?a=1")
        .header("x-tag", "t")
        .body(Body::from("hello"))
        .unwrap();
    let response = app.oneshot(request).await.unwrap();
    assert!(kept.is_empty(), "an exchange ends with its answer's body");
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "hello");
    let seen = kept.only();
    assert_eq!((seen.method.as_str(), seen.uri.to_string().as_str()), ("POST", "/echo?a=1"));
    assert_eq!(
        (seen.request.bytes.as_slice(), seen.response.bytes.as_slice()),
        (&b"hello"[..], &b"hello"[..])
    );
    assert!(seen.request.ended && seen.response.ended && !seen.response.truncated);
    assert_eq!((seen.status, seen.ending), (Some(StatusCode::OK), Ending::Whole));
    assert_eq!(seen.request_headers["x-tag"], "t");
    assert_eq!(seen.response_headers["content-type"], "application/octet-stream");
    assert_eq!(seen.context, "nobody");
}

#[tokio::test]
async fn a_body_over_the_bound_is_truncated_and_passes_whole() {
    let kept = Kept::default();
    let app = kept.on(Router::new().route("/echo", post(echo)));
    let response = app
        .oneshot(Request::post("/echo").body(Body::from("0123456789")).unwrap())
        .await
        .unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "0123456789");
    let seen = kept.only();
    for body in [&seen.request, &seen.response] {
        assert_eq!(
            (body.bytes.as_slice(), body.length, body.truncated),
            (&b"01234567"[..], 10, true)
        );
    }
}

#[tokio::test]
async fn a_body_of_exactly_the_bound_is_whole() {
    let kept = Kept::default();
    let app = kept.on(Router::new().route("/echo", post(echo)));
    let response = app
        .oneshot(Request::post("/echo").body(Body::from("01234567")).unwrap())
        .await
        .unwrap();
    response.into_body().collect().await.unwrap();
    assert!(!kept.only().request.truncated);
}

fn endless() -> Body {
    Body::from_stream(
        futures::stream::once(async { Ok::<_, Infallible>(Bytes::from_static(b"first")) }).chain(futures::stream::pending()),
    )
}

#[tokio::test]
async fn a_chunk_is_not_held_back() {
    let kept = Kept::default();
    let app = kept.on(Router::new().route("/stream", get(|| async { endless() })));
    let mut body = app
        .oneshot(Request::get("/stream").body(Body::empty()).unwrap())
        .await
        .unwrap()
        .into_body();
    let frame = tokio::time::timeout(Duration::from_secs(5), body.frame())
        .await
        .expect("the first chunk comes at once");
    assert_eq!(frame.unwrap().unwrap().into_data().unwrap(), "first");
    assert!(kept.is_empty());
}

#[tokio::test]
async fn whoever_goes_away_mid_answer_is_noted() {
    let kept = Kept::default();
    let app = kept.on(Router::new().route("/stream", get(|| async { endless() })));
    let mut body = app
        .oneshot(Request::get("/stream").body(Body::empty()).unwrap())
        .await
        .unwrap()
        .into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);
    let seen = kept.only();
    assert_eq!((seen.ending, seen.status), (Ending::Dropped, Some(StatusCode::OK)));
    assert_eq!((seen.response.bytes.as_slice(), seen.response.ended), (&b"first"[..], false));
}

#[tokio::test]
async fn whoever_goes_away_before_the_answer_is_noted_without_a_status() {
    let kept = Kept::default();
    let app = kept.on(Router::new().route("/slow", get(|| async { std::future::pending::<()>().await })));
    let call = app.oneshot(Request::get("/slow").body(Body::empty()).unwrap());
    assert!(tokio::time::timeout(Duration::from_millis(20), call).await.is_err());
    let seen = kept.only();
    assert_eq!((seen.ending, seen.status), (Ending::Dropped, None));
    assert!(seen.duration >= Duration::from_millis(15));
}

#[tokio::test]
async fn an_answer_that_breaks_is_noted() {
    let kept = Kept::default();
    let broken = || {
        Body::from_stream(futures::stream::iter([
            Ok(Bytes::from_static(b"a")),
            Err(std::io::Error::other("torn")),
        ]))
    };
    let app = kept.on(Router::new().route("/", get(move || async move { broken() })));
    let response = app.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
    assert!(response.into_body().collect().await.is_err());
    assert_eq!(kept.only().ending, Ending::Failed);
}

#[tokio::test]
async fn handlers_say_who_and_what_is_left_out() {
    async fn handler(Extension(recording): Extension<Recording<String>>, body: Bytes) -> Bytes {
        recording.context(|who| *who = "ada".to_owned());
        recording.not_captured();
        recording.request_not_captured();
        body
    }
    let kept = Kept::default();
    let app = kept.on(Router::new().route("/", post(handler)));
    let response = app
        .oneshot(Request::post("/").body(Body::from("secret")).unwrap())
        .await
        .unwrap();
    response.into_body().collect().await.unwrap();
    let seen = kept.only();
    assert_eq!(seen.context, "ada");
    for body in [&seen.request, &seen.response] {
        assert_eq!((body.bytes.len(), body.length, body.left_out), (0, 6, true));
    }
}

#[tokio::test]
async fn what_is_skipped_or_not_begun_leaves_nothing() {
    async fn skipping(Extension(recording): Extension<Recording<String>>) {
        recording.skip();
    }
    let kept = Kept::default();
    let app = kept.on(Router::new()
        .route("/skipped", get(skipping))
        .route("/health", get(|| async { "ok" })));
    for path in ["/skipped", "/health"] {
        let response = app
            .clone()
            .oneshot(Request::get(path).body(Body::empty()).unwrap())
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        response.into_body().collect().await.unwrap();
    }
    assert!(kept.is_empty());
}

#[tokio::test]
async fn an_empty_answer_that_nobody_reads_is_whole() {
    let kept = Kept::default();
    let app = kept.on(Router::new().route("/", get(|| async { StatusCode::NO_CONTENT })));
    drop(app.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap());
    assert_eq!(kept.only().ending, Ending::Whole);
}

#[tokio::test]
async fn all_bodies_together_stay_within_the_budget() {
    let (kept, budget) = (Kept::default(), Budget::of(12));
    let app = Router::new()
        .route("/echo", post(echo))
        .layer(RecorderLayer::new(kept.clone()).keeping(8).within(budget.clone()));
    let request = || Request::post("/echo").body(Body::from("01234567")).unwrap();
    let response = app.clone().oneshot(request()).await.unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "01234567");
    let first = kept.only();
    assert_eq!((first.request.bytes.len(), first.request.truncated), (8, false));
    assert_eq!(
        (first.response.bytes.len(), first.response.truncated),
        (0, true),
        "4 bytes were free"
    );
    assert_eq!(budget.free(), 4, "as long as somebody has the exchange");
    drop((first, kept.0.lock().unwrap().pop()));
    assert_eq!(budget.free(), 12);
}

/// Wants more of what is sent in than of what is answered.
#[derive(Clone, Default)]
struct Uploads(Kept);

impl Sink for Uploads {
    type Context = String;

    fn begin(&self, request: &Parts) -> Option<String> {
        self.0.begin(request)
    }

    fn keeping(&self, request: &Parts) -> Option<usize> {
        request.headers.contains_key("x-file").then_some(10)
    }

    fn record(&self, exchange: Exchange<String>) {
        self.0.record(exchange);
    }
}

#[tokio::test]
async fn a_sink_may_keep_more_of_a_request() {
    let uploads = Uploads::default();
    let app = Router::new()
        .route("/echo", post(echo))
        .layer(RecorderLayer::new(uploads.clone()).keeping(4));
    for (file, kept) in [(true, 10), (false, 4)] {
        let request = Request::post("/echo");
        let request = if file { request.header("x-file", "1") } else { request };
        let response = app
            .clone()
            .oneshot(request.body(Body::from("0123456789")).unwrap())
            .await
            .unwrap();
        response.into_body().collect().await.unwrap();
        let seen = uploads.0.0.lock().unwrap().pop().unwrap();
        assert_eq!((seen.request.bytes.len(), seen.response.bytes.len()), (kept, 4));
    }
}

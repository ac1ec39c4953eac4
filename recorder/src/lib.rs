//! Records requests and their answers: a tower layer for any axum application.
//!
//! The layer watches both bodies as they pass. It keeps at most so many bytes of each, it never holds a chunk back, and
//! it changes nothing. When the answer's body has ended (or was dropped half way, or no answer came at all) the whole
//! [`Exchange`] goes to a [`Sink`].
//!
//! What the layer cannot know is said by others: [`Sink::begin`] says what a request is before anybody has handled it
//! (or that it is none of the sink's business), and a handler adds to that through the [`Recording`] in the request's extensions.
//!
//! ```
//! use std::sync::{Arc, Mutex};
//!
//! use axum::{Extension, Router, routing::get};
//! use http::request::Parts;
//! use recorder::{Exchange, RecorderLayer, Recording, Sink};
//!
//! #[derive(Clone, Default)]
//! struct Kept(Arc<Mutex<Vec<String>>>);
//!
//! impl Sink for Kept {
//!     type Context = Option<String>; // who did it
//!
//!     fn begin(&self, request: &Parts) -> Option<Self::Context> {
//!         (request.uri.path() != "/health").then_some(None)
//!     }
//!
//!     fn record(&self, exchange: Exchange<Self::Context>) {
//!         let who = exchange.context.unwrap_or_default();
//!         self.0.lock().unwrap().push(format!("{who}: {} {}", exchange.method, exchange.uri));
//!     }
//! }
//!
//! async fn hello(Extension(recording): Extension<Recording<Option<String>>>) -> &'static str {
//!     recording.context(|who| *who = Some("ada".to_owned()));
//!     "hello"
//! }
//!
//! let kept = Kept::default();
//! let app: Router = Router::new().route("/", get(hello)).layer(RecorderLayer::new(kept));
//! ```
//!
//! To record something more of an exchange: a field of [`Exchange`], filled in `layer.rs`, and a test in `tests/`.

mod body;
mod budget;
mod exchange;
mod layer;
mod own;
mod recording;

pub use body::Watched;
pub use budget::{Budget, Held};
pub use exchange::{Captured, Ending, Exchange, Sink};
pub use layer::{Answer, Recorder, RecorderLayer};
pub use recording::Recording;

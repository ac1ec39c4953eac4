//! What a server function says when it cannot do what a page asked.

use leptos::server_fn::codec::JsonEncoding;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use serde::{Deserialize, Serialize};

use crate::model::query::QueryProblem;

/// Why a page did not get what it asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum ApiError {
    /// Nobody is signed in, or no longer.
    #[error("You are signed out")]
    SignedOut,
    /// Signed in, but may not; what is missing, and who can help.
    #[error("{0}")]
    NotAllowed(String),
    /// There is no such thing for whoever asks.
    #[error("There is no such page, or it is not yours to see")]
    NotFound,
    /// An argument of the URL makes no sense.
    #[error("{0}")]
    BadArgument(QueryProblem),
    /// What was filled in is wrong: in which field, and what would be right.
    #[error("{reason}")]
    BadField {
        /// The field, as its form calls it.
        field: String,
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// It makes sense, but cannot be done as things are; what is so, and what would help.
    #[error("{0}")]
    Refused(String),
    /// The server, or what it needs, cannot be reached now.
    #[error("{0}")]
    Unavailable(String),
}

impl FromServerFnError for ApiError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Request(_) => Self::Unavailable("The server cannot be reached.".to_owned()),
            // On the server it is the arguments that cannot be read, in the browser the answer.
            #[cfg(feature = "ssr")]
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) | ServerFnErrorErr::Deserialization(_) => {
                Self::BadArgument(QueryProblem::new(
                    "arguments",
                    "cannot be read: the page that sent them may be of another version; reload it",
                ))
                .told()
            }
            #[cfg(not(feature = "ssr"))]
            ServerFnErrorErr::Deserialization(_) => Self::unreadable(),
            ServerFnErrorErr::Response(_) => Self::unreadable(),
            other => Self::Unavailable(format!("The server could not answer: {other}.")),
        }
    }
}

impl ApiError {
    fn unreadable() -> Self {
        Self::Unavailable("The server's answer could not be read. It may be of another version: reload the page.".to_owned())
    }
}

#[cfg(feature = "ssr")]
mod on_server {
    use std::sync::PoisonError;

    use axum::http::header::RETRY_AFTER;
    use axum::http::{HeaderValue, StatusCode};
    use leptos::prelude::use_context;
    use leptos_axum::ResponseOptions;

    use super::ApiError;
    use crate::model::format::sentence;
    use crate::model::query::QueryProblem;
    use crate::server::access::AccessError;
    use crate::server::selection::SelectionError;
    use crate::server::store::StoreError;

    /// Seconds after which a page that could not be read is worth another try.
    const RETRY_S: HeaderValue = HeaderValue::from_static("5");

    impl ApiError {
        const fn http_status(&self) -> StatusCode {
            match self {
                Self::SignedOut => StatusCode::UNAUTHORIZED,
                Self::NotAllowed(_) => StatusCode::FORBIDDEN,
                Self::NotFound => StatusCode::NOT_FOUND,
                Self::BadArgument(_) => StatusCode::BAD_REQUEST,
                Self::BadField { .. } => StatusCode::UNPROCESSABLE_ENTITY,
                Self::Refused(_) => StatusCode::CONFLICT,
                Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            }
        }

        /// What was refused, in the words of an error of the server's: as a sentence.
        pub(crate) fn refused(reason: &impl std::fmt::Display) -> Self {
            Self::Refused(sentence(&reason.to_string()))
        }

        /// Gives the answer, page or call, the status that the error has in HTTP.
        pub(crate) fn told(self) -> Self {
            if let Some(answer) = use_context::<ResponseOptions>() {
                if is_led_on(&answer) {
                    return self;
                }
                answer.set_status(self.http_status());
                if let Self::Unavailable(_) = &self {
                    answer.insert_header(RETRY_AFTER, RETRY_S);
                }
            }
            self
        }
    }

    /// Whether a page's reader is sent to another address: what is to be refused, is refused there.
    fn is_led_on(answer: &ResponseOptions) -> bool {
        let parts = answer.0.read().unwrap_or_else(PoisonError::into_inner);
        parts.status.is_some_and(|status| status.is_redirection())
    }

    impl From<AccessError> for ApiError {
        fn from(error: AccessError) -> Self {
            match error {
                AccessError::Unauthorized(_) => Self::SignedOut,
                AccessError::Forbidden(what) => Self::NotAllowed(what),
                AccessError::NotFound => Self::NotFound,
                AccessError::Store(error) => error.into(),
            }
        }
    }

    impl From<StoreError> for ApiError {
        fn from(error: StoreError) -> Self {
            tracing::error!(%error, "a page could not be read");
            if let StoreError::Doubtful(_) = error {
                let words = "The database broke off at the last moment. Reload the page to see whether it was done.";
                return Self::Unavailable(words.to_owned());
            }
            Self::Unavailable("The database did not answer. Nothing was changed.".to_owned())
        }
    }

    impl From<SelectionError> for ApiError {
        fn from(error: SelectionError) -> Self {
            match error {
                SelectionError::Problem(problem) => problem.into(),
                SelectionError::NotAllowed(problem) => Self::NotAllowed(problem.to_string()),
            }
        }
    }

    impl From<QueryProblem> for ApiError {
        fn from(problem: QueryProblem) -> Self {
            Self::BadArgument(problem)
        }
    }
}

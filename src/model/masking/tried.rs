//! What rules would change, tried out on logs that are there: each change before and after.

use serde::{Deserialize, Serialize};

/// Where in a log something changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Who did it: their e-mail address.
    UserEmail,
    /// Who did it: their id.
    UserId,
    /// The client's address.
    Ip,
    /// The URL.
    Url,
    /// A header of the request.
    RequestHeaders,
    /// The request's body.
    RequestBody,
    /// A header of the answer.
    ResponseHeaders,
    /// The answer's body.
    ResponseBody,
}

impl Part {
    /// The words that people read.
    pub const fn label(self) -> &'static str {
        match self {
            Self::UserEmail => "User e-mail",
            Self::UserId => "User id",
            Self::Ip => "IP address",
            Self::Url => "URL",
            Self::RequestHeaders => "Request headers",
            Self::RequestBody => "Request body",
            Self::ResponseHeaders => "Response headers",
            Self::ResponseBody => "Response body",
        }
    }
}

/// A piece of a text around what changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snippet {
    /// What stands before it; begins with `…` where more does.
    pub lead: String,
    /// What changes; ends with `…` where it is longer than what is shown.
    pub changed: String,
    /// What stands behind it; ends with `…` where more does.
    pub trail: String,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Where.
    pub part: Part,
    /// As it is stored.
    pub before: Snippet,
    /// As it would have been stored.
    pub after: Snippet,
}

/// A log that would be another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriedLog {
    /// Its id.
    pub id: String,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// In capitals.
    pub method: String,
    /// The URL's path.
    pub path: String,
    /// The first changes.
    pub changes: Vec<Change>,
    /// Whether there are more.
    pub more: bool,
}

/// What came of trying out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    /// Logs that were looked at.
    pub looked_at: u32,
    /// Logs whose bodies are too large to be tried on, or are no longer kept.
    pub left_out: u32,
    /// Those of the ones looked at that would be others, the newest first.
    pub logs: Vec<TriedLog>,
}

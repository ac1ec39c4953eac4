//! One story: what belongs to a request, in order.

use serde::{Deserialize, Serialize};

/// What kind of thing happened, in the order that one causes another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Thing {
    /// A request that was logged.
    ApiLog,
    /// A background task.
    AsyncAction,
    /// An export.
    Export,
    /// An event.
    Event,
    /// An event on its way to one endpoint.
    WebhookSendout,
    /// One attempt of that.
    Attempt,
}

impl Thing {
    /// The word that people read.
    pub const fn label(self) -> &'static str {
        match self {
            Self::ApiLog => "Log",
            Self::AsyncAction => "Task",
            Self::Export => "Export",
            Self::Event => "Event",
            Self::WebhookSendout => "Sendout",
            Self::Attempt => "Attempt",
        }
    }
}

/// How a thing went, whatever word it has for that itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Went {
    /// It is over, and all is well.
    Well,
    /// It is over, and it failed.
    Badly,
    /// It is going on.
    On,
    /// It waits, or nothing is to be said.
    Waits,
}

/// One thing that happened. Nothing in it is for some alone: whoever sees the project's lists may see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happened {
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// What.
    pub thing: Thing,
    /// Which; of an attempt, its sendout's.
    pub id: String,
    /// A type, an endpoint of the API, or which attempt.
    pub what: String,
    /// How it stands, in the API's words.
    pub status: String,
    /// The same, for eyes.
    pub went: Went,
    /// An attempt's number.
    pub number: Option<u32>,
}

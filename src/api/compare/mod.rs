//! Two logs, or two attempts of a sendout, beside each other: one call brings what both are and all that differs, as far as whoever asks may see it.

#![allow(missing_docs, reason = "the server functions' own types are written by a macro")]

#[cfg(feature = "ssr")]
mod attempts;
#[cfg(feature = "ssr")]
mod logs;

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use crate::model::compare::Section;
use crate::model::zone::Zone;

/// One of the two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compared {
    /// A log's id, or an attempt's number.
    pub id: String,
    /// What it was, in a line.
    pub title: String,
    /// Whether it failed.
    pub failed: bool,
    /// When, in milliseconds since 1970.
    pub at: i64,
}

/// All that a comparison shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// The one that stands first.
    pub first: Compared,
    /// The other.
    pub second: Compared,
    /// Facts, headers, bodies.
    pub sections: Vec<Section>,
    /// What is not compared, and why; in sentences.
    pub notes: Vec<String>,
    /// The zone that the times are shown in.
    pub zone: Zone,
    /// The server's time.
    pub now: i64,
}

impl Comparison {
    /// How many places differ.
    pub fn differences(&self) -> usize {
        self.sections.iter().map(Section::differences).sum()
    }
}

/// Two logs that the page's query string names: `a` and `b`, or one of them and what the other is to it (`with`).
#[server(name = CompareLogs, input = GetUrl, endpoint = "compare_logs")]
pub async fn compare_logs(project: String, query: String) -> Result<Comparison, ApiError> {
    logs::compare(&project, &query).await.map_err(ApiError::told)
}

/// Two attempts of a sendout, by their numbers `a` and `b` in the page's query string; the last two where it names none.
#[server(name = CompareAttempts, input = GetUrl, endpoint = "compare_attempts")]
pub async fn compare_attempts(project: String, id: String, query: String) -> Result<Comparison, ApiError> {
    attempts::compare(&project, &id, &query).await.map_err(ApiError::told)
}

/// What another log is to the one at hand: one of the same endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum With {
    /// The latest success before it.
    Success,
    /// The latest failure before it.
    Failure,
    /// The one before it.
    Before,
    /// The one after it.
    After,
}

impl With {
    /// All of them, in the order that people are offered them.
    pub const ALL: [Self; 4] = [Self::Success, Self::Failure, Self::Before, Self::After];

    /// The word in the address.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Before => "before",
            Self::After => "after",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|with| with.as_str() == word)
    }

    /// What people read.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Success => "The last success before it",
            Self::Failure => "The last failure before it",
            Self::Before => "The one before it",
            Self::After => "The one after it",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_the_address_reads_back() {
        for with in With::ALL {
            assert_eq!(With::parse(with.as_str()), Some(with));
        }
        assert_eq!(With::parse("SUCCESS"), None);
    }
}

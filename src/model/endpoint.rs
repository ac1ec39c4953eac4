//! A webhook endpoint: where events are sent, and which.

use serde::{Deserialize, Serialize};

/// What an endpoint belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema), schema(as = WebhookSource))]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The project.
    #[default]
    Project,
    /// A distribution.
    Distribution,
}

impl Source {
    /// All of them; a source's place is its number in the database.
    pub const ALL: [Self; 2] = [Self::Project, Self::Distribution];

    /// The word that the API and the URL use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Distribution => "distribution",
        }
    }

    /// The word that people read.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Project => "Project",
            Self::Distribution => "Distribution",
        }
    }

    /// What the envelope calls it, as the reference does.
    pub const fn object(self) -> &'static str {
        match self {
            Self::Project => "webhook",
            Self::Distribution => "distribution",
        }
    }

    /// Reads the API's word, in any case.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|source| source.as_str().eq_ignore_ascii_case(word))
    }

    /// The number that the database keeps.
    pub const fn number(self) -> i16 {
        self as i16
    }

    /// The source that a number of the database stands for.
    pub const fn of_number(number: i16) -> Self {
        match number {
            0 => Self::Project,
            _ => Self::Distribution,
        }
    }
}

/// Whether anything is sent to an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EndpointState {
    /// It is.
    On,
    /// It was switched off: what is for it waits.
    Off,
    /// It was deleted: nothing is sent there any more.
    Deleted,
}

impl EndpointState {
    /// The state that a number of the database stands for.
    pub const fn of_number(number: i32) -> Self {
        match number {
            0 => Self::On,
            1 => Self::Off,
            _ => Self::Deleted,
        }
    }
}

/// The types of this service's own events.
pub mod kinds {
    /// An export's file can be had.
    pub const EXPORT_DONE: &str = "export.done";
    /// No file came of an export.
    pub const EXPORT_FAILED: &str = "export.failed";
    /// A task of this service failed.
    pub const TASK_FAILED: &str = "task.failed";
    /// An endpoint was switched off.
    pub const WEBHOOK_DISABLED: &str = "webhook.disabled";
    /// Requests to an endpoint of the API failed.
    pub const LOG_FAILURE: &str = "log.failure";
    /// The head of the project's chain was signed.
    pub const CHAIN_HEAD: &str = "chain.head";
    /// What an alert watches for has come.
    pub const ALERT_FIRED: &str = "alert.fired";
    /// It is over.
    pub const ALERT_RESOLVED: &str = "alert.resolved";
    /// What *Send test event* sends.
    pub const TEST: &str = "webhook.test";
    /// Those that an endpoint can choose.
    pub const ALL: [&str; 8] = [
        EXPORT_DONE,
        EXPORT_FAILED,
        TASK_FAILED,
        WEBHOOK_DISABLED,
        LOG_FAILURE,
        CHAIN_HEAD,
        ALERT_FIRED,
        ALERT_RESOLVED,
    ];
    /// Those that no application may post: whoever receives one can rely on this service having sent it.
    pub const RESERVED: [&str; 9] = [
        EXPORT_DONE,
        EXPORT_FAILED,
        TASK_FAILED,
        WEBHOOK_DISABLED,
        LOG_FAILURE,
        CHAIN_HEAD,
        ALERT_FIRED,
        ALERT_RESOLVED,
        TEST,
    ];
}

/// What is known of an endpoint; no secret is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointFacts {
    /// `wh_…`.
    pub id: String,
    /// Where events are sent.
    pub target_url: String,
    /// The types that it wants: exact (`voucher.created`), by prefix (`voucher.*`), or all (`*`).
    pub events: Vec<String>,
    /// Whether events are sent to it.
    pub active: bool,
    /// Why this service switched it off, in words.
    pub disabled_reason: Option<String>,
    /// When this service switched it off, in milliseconds since 1970.
    pub disabled_at: Option<i64>,
    /// What it belongs to.
    pub source: Source,
    /// A person's words.
    pub description: String,
    /// Requests a second at most.
    pub rate_limit: Option<u32>,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Milliseconds since 1970.
    pub updated_at: i64,
    /// Whether headers of its own are sent along.
    pub has_headers: bool,
    /// Those headers, in order; `None` for whoever may not see them, and where they were not asked for.
    pub headers: Option<Vec<(String, String)>>,
    /// Until when the secret before the latest one is signed with, too.
    pub old_secret_until: Option<i64>,
    /// Sendouts that wait for it to be switched on.
    pub paused: u64,
}

/// Whether a type is meant by one of an endpoint's patterns.
pub fn wants(patterns: &[String], kind: &str) -> bool {
    patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(prefix) => kind.starts_with(prefix),
        None => pattern == kind,
    })
}

/// Whether a text may be an event's type: 1 to 128 of `A-Z a-z 0-9 _ . -`.
pub fn is_kind(kind: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    (1..=128).contains(&kind.len()) && kind.bytes().all(is_letter)
}

/// Whether a text may be a pattern: a type, a type's beginning up to a dot and `*`, or `*` alone.
pub fn is_pattern(pattern: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some("") => true,
        Some(prefix) => prefix.ends_with('.') && is_kind(prefix),
        None => is_kind(pattern),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_wanted_exactly_by_prefix_or_all() {
        let patterns = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert!(wants(&patterns(&["a.b", "voucher.*"]), "voucher.created"));
        assert!(wants(&patterns(&["*"]), "x"));
        assert!(!wants(&patterns(&["voucher.*"]), "vouchers.created"));
        assert!(!wants(&patterns(&["voucher"]), "voucher.created"));
        assert!(!wants(&[], "x"));
    }

    #[test]
    fn patterns_are_types_or_their_beginnings() {
        for good in ["*", "voucher.*", "customer.rewarded.loyalty_points"] {
            assert!(is_pattern(good), "{good}");
        }
        for bad in ["", "a*", "*.a", "a b", "a.*.b", "é"] {
            assert!(!is_pattern(bad), "{bad}");
        }
    }

    #[test]
    fn a_source_survives_the_database_and_the_api() {
        for source in Source::ALL {
            assert_eq!(Source::of_number(source.number()), source);
            assert_eq!(Source::parse(source.as_str()), Some(source));
        }
    }
}

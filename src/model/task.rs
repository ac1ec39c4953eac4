//! A background task: long work, of this service or of an application that reports it, with how far it got and what came of it.

use serde::{Deserialize, Serialize};

use super::rights::Rights;

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TaskStatus {
    /// Waits for its turn.
    Enqueued,
    /// Runs.
    InProgress,
    /// Ran to its end; how that went is the processing status's to say.
    Done,
    /// Did not get to its end.
    Failed,
}

impl TaskStatus {
    /// All of them; a status's place is its number in the database.
    pub const ALL: [Self; 4] = [Self::Enqueued, Self::InProgress, Self::Done, Self::Failed];

    /// The word that the API and the URL use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enqueued => "ENQUEUED",
            Self::InProgress => "IN_PROGRESS",
            Self::Done => "DONE",
            Self::Failed => "FAILED",
        }
    }

    /// The word that people read.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Enqueued => "Enqueued",
            Self::InProgress => "In progress",
            Self::Done => "Done",
            Self::Failed => "Failed",
        }
    }

    /// Reads the API's word, in any case.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str().eq_ignore_ascii_case(word))
    }

    /// The number that the database keeps.
    pub const fn number(self) -> i16 {
        self as i16
    }

    /// The status that a number of the database stands for.
    pub const fn of_number(number: i16) -> Self {
        match number {
            0 => Self::Enqueued,
            1 => Self::InProgress,
            2 => Self::Done,
            _ => Self::Failed,
        }
    }

    /// Whether nothing more will happen.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Failed)
    }
}

/// How what a task did went: its processing status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OperationStatus {
    /// All of it.
    Success,
    /// Some of it, or all, could not be done.
    Failed,
    /// Nobody can say.
    Unknown,
}

impl OperationStatus {
    /// All of them; a status's place is its number in the database.
    pub const ALL: [Self; 3] = [Self::Success, Self::Failed, Self::Unknown];

    /// The word that the API and the URL use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "SUCCESS",
            Self::Failed => "FAILED",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// The word that people read.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Success => "Success",
            Self::Failed => "Failed",
            Self::Unknown => "Unknown",
        }
    }

    /// Reads the API's word, in any case.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str().eq_ignore_ascii_case(word))
    }

    /// The number that the database keeps.
    pub const fn number(self) -> i16 {
        self as i16
    }

    /// The status that a number of the database stands for.
    pub const fn of_number(number: i16) -> Self {
        match number {
            0 => Self::Success,
            1 => Self::Failed,
            _ => Self::Unknown,
        }
    }
}

/// The types of this service's own tasks.
pub mod kinds {
    /// Making an export's file.
    pub const EXPORT: &str = "EXPORT.CREATE";
    /// Reading an import's file.
    pub const IMPORT: &str = "LOGS.IMPORT";
    /// Sending webhook sendouts again.
    pub const RETRY: &str = "SENDOUTS.RETRY";
    /// Deleting what has passed the project's retention.
    pub const PURGE: &str = "RETENTION.PURGE";
}

/// A task, without what it was asked and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskFacts {
    /// `aa_…`, or an application's own id.
    pub id: String,
    /// As `VOUCHERS.IMPORT_CSV`: any word that an application reports.
    pub kind: String,
    /// Where it stands.
    pub status: TaskStatus,
    /// How it went; `None` until that is known.
    pub operation_status: Option<OperationStatus>,
    /// Milliseconds since 1970; rises strictly within a project, so that paging by time loses none.
    pub created_at: i64,
    /// Milliseconds since 1970.
    pub updated_at: i64,
    /// When work on it began, in milliseconds since 1970.
    pub started_at: Option<i64>,
    /// How long it was worked on, in milliseconds; `None` until work on it began.
    pub processing_ms: Option<i64>,
    /// In percent.
    pub progress: u8,
    /// The id of the request that asked for it.
    pub request_id: Option<String>,
    /// Who asked: an e-mail address, or a key's name.
    pub by: Option<String>,
    /// The log of the request that asked for it.
    pub log_id: Option<String>,
    /// The export that it makes.
    pub export_id: Option<String>,
    /// Whether this service does the work, so that it can be cancelled and tried again here.
    pub own: bool,
}

/// The reason of a cancelled task, as endpoints are told it: not who did it.
pub const CANCELLED: &str = "Cancelled";
/// What the reason of a cancelled task begins with; who did it follows.
pub const CANCELLED_BY: &str = "Cancelled by ";

/// Why work failed, as far as whoever has these rights may read it: who cancelled it is somebody's name, and what is said of a file that was sent in
/// (`quotes`) may quote it.
pub fn shown_reason(reason: &str, quotes: bool, rights: Rights) -> &str {
    if reason.starts_with(CANCELLED_BY) {
        if rights.read_users {
            reason
        } else {
            "Cancelled (by whom: not allowed)"
        }
    } else if quotes && !rights.read_bodies {
        "not allowed: it may quote what was sent"
    } else {
        reason
    }
}

/// A record that an import did not take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedRow {
    /// Its number in the file, the first record being 1; a CSV's header does not count.
    pub row: u64,
    /// The name that its source gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_id: Option<String>,
    /// The code that it is about, as the reference names a voucher's row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Why, and what would be right.
    pub reason: String,
}

/// What came of an import, in the reference's words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportResult {
    /// As "12 logs were imported".
    pub message: String,
    /// The first 1,000 records that were not taken; the rejected file has all of them.
    pub failed: Vec<FailedRow>,
    /// Records that are stored now, those that were there before among them: a try that begins again counts the same.
    pub done_count: u64,
    /// How many of them were there already.
    #[serde(default)]
    pub duplicates: u64,
    /// Records that were not.
    pub failed_count: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_says_no_more_than_may_be_read() {
        let rights = |bodies, users| Rights::of_role(crate::model::rights::Role::Auditor, bodies, users);
        let cancelled = "Cancelled by ada@example.com";
        assert_eq!(shown_reason(cancelled, true, rights(false, true)), cancelled);
        assert!(!shown_reason(cancelled, false, rights(true, false)).contains("ada"));
        assert_eq!(
            shown_reason("line 3: \"secret\"", true, rights(true, false)),
            "line 3: \"secret\""
        );
        assert!(!shown_reason("line 3: \"secret\"", true, rights(false, true)).contains("secret"));
        assert_eq!(
            shown_reason("The disk is full", false, rights(false, false)),
            "The disk is full"
        );
    }

    #[test]
    fn a_status_survives_the_database_and_the_api() {
        for status in TaskStatus::ALL {
            assert_eq!(TaskStatus::of_number(status.number()), status);
            assert_eq!(TaskStatus::parse(&status.as_str().to_lowercase()), Some(status));
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
        for status in OperationStatus::ALL {
            assert_eq!(OperationStatus::of_number(status.number()), status);
            assert_eq!(OperationStatus::parse(status.as_str()), Some(status));
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
        assert_eq!(TaskStatus::parse("NONE"), None);
    }
}

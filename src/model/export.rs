//! An export: records that a selection means, as a file that is made in the background.

use serde::{Deserialize, Serialize};

use super::rights::Rights;

/// Where an export stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ExportStatus {
    /// Waits for its turn.
    Scheduled,
    /// Its file is being made.
    InProgress,
    /// Its file can be had.
    Done,
    /// No file came of it.
    Error,
}

impl ExportStatus {
    /// All of them; a status's place is its number in the database.
    pub const ALL: [Self; 4] = [Self::Scheduled, Self::InProgress, Self::Done, Self::Error];

    /// The word that the API and the URL use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "SCHEDULED",
            Self::InProgress => "IN_PROGRESS",
            Self::Done => "DONE",
            Self::Error => "ERROR",
        }
    }

    /// The word that people read.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Scheduled => "Scheduled",
            Self::InProgress => "In progress",
            Self::Done => "Done",
            Self::Error => "Error",
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
            0 => Self::Scheduled,
            1 => Self::InProgress,
            2 => Self::Done,
            _ => Self::Error,
        }
    }

    /// Whether nothing more will happen.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Error)
    }
}

/// What this service itself exports. Applications report exports of anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exported {
    /// Logs.
    ApiLog,
    /// Tasks.
    AsyncAction,
    /// Exports.
    Export,
    /// Webhook sendouts.
    WebhookSendout,
}

impl Exported {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::ApiLog, Self::AsyncAction, Self::Export, Self::WebhookSendout];

    /// The word that the API uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ApiLog => "api_log",
            Self::AsyncAction => "async_action",
            Self::Export => "export",
            Self::WebhookSendout => "webhook_sendout",
        }
    }

    /// The words that people read.
    pub fn label(word: &str) -> &str {
        match word {
            "api_log" => "Logs",
            "async_action" => "Background tasks",
            "export" => "Exports",
            "webhook_sendout" => "Webhook sendouts",
            other => other,
        }
    }

    /// Reads the API's word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|exported| exported.as_str() == word)
    }

    /// The fields on offer, in the order of the file's columns; those before [`Exported::defaults`] are there unless fields are named.
    pub const fn fields(self) -> &'static [&'static str] {
        match self {
            Self::ApiLog => &[
                "id",
                "created_at",
                "status",
                "request_id",
                "channel",
                "method",
                "endpoint",
                "url",
                "user_email",
                "app_id",
                "client_app_id",
                "request_duration",
                "request_body",
                "response_body",
                "status_code",
                "user_id",
                "ip",
                "user_agent",
                "request_headers",
                "response_headers",
                "resource",
                "async_action_id",
                "origin",
            ],
            Self::AsyncAction => &[
                "id",
                "type",
                "status",
                "operation_status",
                "created_at",
                "updated_at",
                "request_id",
                "processing_time",
                "progress",
                "user",
                "log_id",
                "export_id",
                "result",
            ],
            Self::Export => &[
                "id",
                "created_at",
                "status",
                "channel",
                "exported_object",
                "format",
                "rows",
                "bytes",
                "sha256",
                "file_name",
                "user",
                "user_id",
                "parameters",
            ],
            Self::WebhookSendout => &[
                "id",
                "created_at",
                "status",
                "type",
                "webhook_id",
                "target_url",
                "attempts",
                "response_code",
                "error",
                "duration",
                "request_id",
                "source",
                "event_id",
                "executed_at",
                "next_at",
                "paused",
                "data",
            ],
        }
    }

    /// How many of the fields are there unless fields are named.
    pub const fn defaults(self) -> usize {
        match self {
            Self::ApiLog | Self::WebhookSendout => 14,
            Self::AsyncAction => 12,
            Self::Export => 11,
        }
    }
}

/// Fields of a log that say what was asked and answered.
pub const SAID: &[&str] = &[
    "url",
    "user_agent",
    "request_body",
    "response_body",
    "request_headers",
    "response_headers",
];
/// Fields of a log that say who did it.
pub const WHO: &[&str] = &["user", "user_email", "user_id", "app_id", "client_app_id"];

/// Whether a field of a log is empty for those who may not read bodies, or not see who did it. Of a URL they have the path.
pub fn is_withheld(field: &str, bodies_hidden: bool, users_hidden: bool) -> bool {
    (bodies_hidden && field != "url" && SAID.contains(&field)) || (users_hidden && WHO.contains(&field))
}

/// How a file is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// RFC 4180, UTF-8.
    #[default]
    Csv,
    /// A JSON object a line.
    Ndjson,
    /// Apache Parquet.
    Parquet,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Csv, Self::Ndjson, Self::Parquet];

    /// The word that the API uses, and the end of a file's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Parquet => "parquet",
        }
    }

    /// The words that people read.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Csv => "CSV",
            Self::Ndjson => "NDJSON",
            Self::Parquet => "Parquet",
        }
    }

    /// Reads the API's word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_str().eq_ignore_ascii_case(word))
    }

    /// Its media type. The reference answers CSV as plain text.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/plain; charset=utf-8",
            Self::Ndjson => "application/x-ndjson",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }
}

/// Whether a cell of a CSV is guarded against formulas, by an apostrophe before it: spreadsheets run what begins with these signs (OWASP,
/// "CSV Injection"). Apostrophes that were there before count as nothing, so that taking one away gives every text back.
pub fn is_guarded(text: &[u8]) -> bool {
    let sign = text.iter().find(|byte| **byte != b'\'');
    sign.is_some_and(|sign| b"=+-@\t\r".contains(sign))
}

/// A guarded cell's own text.
pub fn without_guard(text: &[u8]) -> &[u8] {
    match text {
        [b'\'', rest @ ..] if is_guarded(rest) => rest,
        _ => text,
    }
}

/// An export, as lists show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportFacts {
    /// `exp_…`.
    pub id: String,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Milliseconds since 1970, where it is over.
    pub finished_at: Option<i64>,
    /// Where it stands.
    pub status: ExportStatus,
    /// In percent.
    pub progress: u8,
    /// Where it was asked for: `WEBSITE`, `API`, or a client's own name.
    pub channel: String,
    /// What it holds: a word of [`Exported`], or anything an application reports.
    pub exported_object: String,
    /// How its file is written; of a reported one, by its name.
    pub format: Option<Format>,
    /// The file's name.
    pub file_name: Option<String>,
    /// Records in the file; `None` until that is known.
    pub rows: Option<i64>,
    /// Bytes of the plain file.
    pub bytes: Option<i64>,
    /// SHA-256 of the plain file, in hexadecimal.
    pub sha256: Option<String>,
    /// The person who asked.
    pub user_id: Option<String>,
    /// The person's e-mail address, or the key's name.
    pub by: Option<String>,
    /// The task that makes it.
    pub task_id: Option<String>,
    /// Whether an application made it itself.
    pub reported: bool,
    /// Why no file came of it.
    pub error: Option<String>,
    /// What in the file not everyone may read.
    pub holds: Held,
    /// When its file had been kept for long enough, and went.
    pub expired_at: Option<i64>,
}

/// Why there is no file any more, of an export whose file has expired.
pub const EXPIRED: &str = "Its file was kept for 90 days, and is gone. Make the export again to have what is still kept.";

/// What in an export's file not everyone may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// What logs say: bodies, headers, whole URLs, results of tasks.
    pub bodies: bool,
    /// Who did it: people, and keys by name.
    pub users: bool,
}

impl Held {
    /// Nobody here knows what is in it, as in a file that an application made itself.
    pub const UNKNOWN: Self = Self {
        bodies: true,
        users: true,
    };

    /// The number that the database keeps.
    pub const fn number(self) -> i16 {
        self.bodies as i16 | (self.users as i16) << 1
    }

    /// What a number of the database stands for.
    pub const fn of_number(number: i16) -> Self {
        Self {
            bodies: number & 1 != 0,
            users: number & 2 != 0,
        }
    }

    /// Why whoever has these rights may not have the file; `None` where they may.
    pub const fn refusal(self, rights: Rights) -> Option<&'static str> {
        if self.bodies && !rights.read_bodies {
            Some("This file holds what requests and answers say (read:bodies), which you may not see here.")
        } else if self.users && !rights.read_users {
            Some("This file says who did it (read:users), which you may not see here.")
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_survives_the_database_and_the_api() {
        for status in ExportStatus::ALL {
            assert_eq!(ExportStatus::of_number(status.number()), status);
            assert_eq!(ExportStatus::parse(status.as_str()), Some(status));
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
    }

    #[test]
    fn a_guard_can_always_be_taken_away() {
        for (text, guarded) in [
            ("=1", "'=1"),
            ("'=1", "''=1"),
            ("a=1", "a=1"),
            ("'a", "'a"),
            ("", ""),
            ("''", "''"),
            ("\t", "'\t"),
        ] {
            let made = if is_guarded(text.as_bytes()) {
                format!("'{text}")
            } else {
                text.to_owned()
            };
            assert_eq!(made, guarded);
            assert_eq!(without_guard(guarded.as_bytes()), text.as_bytes());
        }
    }

    #[test]
    fn the_default_fields_of_logs_are_the_references() {
        let (fields, defaults) = (Exported::ApiLog.fields(), Exported::ApiLog.defaults());
        assert_eq!(
            fields[..defaults].join(" "),
            "id created_at status request_id channel method endpoint url user_email app_id client_app_id request_duration request_body response_body"
        );
    }
}

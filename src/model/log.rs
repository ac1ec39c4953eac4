//! A log: one API request and its answer.

use serde::{Deserialize, Serialize};

/// How a request ended: `SUCCESS` below 400, else `FAILURE`, unless the sender said otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema), schema(as = LogStatus))]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// Answered below 400.
    Success,
    /// Answered 400 or above, or not at all.
    Failure,
}

impl Status {
    /// The word that the API and the URL use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "SUCCESS",
            Self::Failure => "FAILURE",
        }
    }

    /// The word that people read.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Success => "Success",
            Self::Failure => "Failure",
        }
    }

    /// Reads the API's word, in any case.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Success, Self::Failure]
            .into_iter()
            .find(|status| status.as_str().eq_ignore_ascii_case(word))
    }

    /// What the status code says; no answer at all is a failure.
    pub const fn of_code(code: Option<u16>) -> Self {
        match code {
            Some(code) if code < 400 => Self::Success,
            _ => Self::Failure,
        }
    }

    /// The number that the database keeps.
    pub const fn number(self) -> i16 {
        match self {
            Self::Success => 0,
            Self::Failure => 1,
        }
    }

    /// The status that a number of the database stands for.
    pub const fn of_number(number: i16) -> Self {
        if number == 0 { Self::Success } else { Self::Failure }
    }
}

/// Whose traffic it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// A log that an application sent in.
    Application,
    /// A request to this service itself.
    #[serde(rename = "self")]
    Own,
}

impl Origin {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Application, Self::Own];

    /// The word that the API and the URL use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Application => "application",
            Self::Own => "self",
        }
    }

    /// Reads the API's word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|origin| origin.as_str() == word)
    }

    /// The number that the database keeps.
    pub const fn number(self) -> i16 {
        match self {
            Self::Application => 0,
            Self::Own => 1,
        }
    }

    /// The origin that a number of the database stands for.
    pub const fn of_number(number: i16) -> Self {
        if number == 0 { Self::Application } else { Self::Own }
    }
}

/// Why something of a log is not whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Note {
    /// The body was longer than what is kept.
    Truncated,
    /// A secret was replaced before anything was stored.
    Masked,
    /// The body went before its log did.
    Expired,
    /// The body is records or a file, and was left out on purpose.
    #[serde(rename = "not captured")]
    NotCaptured,
    /// Whoever asks may not see it.
    #[serde(rename = "not allowed")]
    NotAllowed,
}

impl Note {
    /// All notes; a note's place is its bit in the database.
    pub const ALL: [Self; 5] = [
        Self::Truncated,
        Self::Masked,
        Self::Expired,
        Self::NotCaptured,
        Self::NotAllowed,
    ];

    /// The words that the API uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::Masked => "masked",
            Self::Expired => "expired",
            Self::NotCaptured => "not captured",
            Self::NotAllowed => "not allowed",
        }
    }

    /// Reads the API's words.
    pub fn parse(words: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|note| note.as_str() == words)
    }

    /// Notes as the bits that the database keeps.
    pub fn to_bits(notes: &[Self]) -> i16 {
        Self::ALL
            .iter()
            .enumerate()
            .filter(|(_, note)| notes.contains(note))
            .map(|(place, _)| 1 << place)
            .sum()
    }

    /// The notes that the database's bits stand for.
    pub fn of_bits(bits: i16) -> Vec<Self> {
        Self::ALL
            .iter()
            .enumerate()
            .filter(|(place, _)| bits & (1 << place) != 0)
            .map(|(_, note)| *note)
            .collect()
    }
}

/// What a log is about: `voucher:v_123`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Resource {
    /// Its type, as `voucher`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its id.
    pub id: String,
}

/// The facts of a log: the narrow row that lists read. No headers, no bodies, no query string.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogFacts {
    /// `log_…`, or what the client called it.
    pub id: String,
    /// When the request came, in milliseconds since 1970 (UTC).
    pub created_at: i64,
    /// How it ended.
    pub status: Status,
    /// 100 to 999, or none where no answer came.
    pub status_code: Option<u16>,
    /// Ties the log to its task, export, event and sendouts.
    pub request_id: Option<String>,
    /// WEBSITE, API, or a client's own name.
    pub channel: Option<String>,
    /// In capitals.
    pub method: String,
    /// The method and the path's template, as `POST_v1_vouchers_{id}_redemption`.
    pub endpoint: String,
    /// The URL's path, at most 2,048 bytes of it; the whole URL lies with the bodies.
    pub path: String,
    /// Who did it.
    pub user_email: Option<String>,
    /// Who did it.
    pub user_id: Option<String>,
    /// The server-side key's id.
    pub app_id: Option<String>,
    /// The server-side key's name.
    pub app_name: Option<String>,
    /// The client-side key's id or name.
    pub client_app_id: Option<String>,
    /// Microseconds from the request to its answer.
    pub duration_us: Option<i64>,
    /// Where the request came from.
    pub ip: Option<String>,
    /// Whose traffic it is.
    pub origin: Origin,
    /// What it is about.
    pub resource: Option<Resource>,
    /// The task that it started.
    pub async_action_id: Option<String>,
    /// The request body's size in bytes, as it came.
    pub request_bytes: i64,
    /// The answer body's size in bytes, as it came.
    pub response_bytes: i64,
    /// What is not whole, and why.
    pub notes: Vec<Note>,
}

/// How a body was sent in, so that it goes out the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BodyKind {
    /// There was none (or it is no longer there: the notes say why).
    None,
    /// A JSON value; the bytes are the JSON text as it came, after masking.
    Json,
    /// Text, UTF-8.
    Text,
    /// Bytes that are not text; sent and given as base64.
    Binary,
}

impl BodyKind {
    /// The byte that a block keeps.
    pub const fn number(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Json => 1,
            Self::Text => 2,
            Self::Binary => 3,
        }
    }

    /// The kind that a block's byte stands for.
    pub const fn of_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::None),
            1 => Some(Self::Json),
            2 => Some(Self::Text),
            3 => Some(Self::Binary),
            _ => None,
        }
    }
}

/// One side of a log: what was sent, or what came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Header names and values in the order they came, as one JSON object's text (`{}` where there were none).
    /// A header that came more than once has an array of strings.
    pub headers: String,
    /// What `body` is.
    pub kind: BodyKind,
    /// The body as it came, after masking; empty where `kind` is `None`.
    pub body: Vec<u8>,
    /// The content type, where it is known.
    pub content_type: Option<String>,
}

impl Default for Message {
    fn default() -> Self {
        Self {
            headers: "{}".to_owned(),
            kind: BodyKind::None,
            body: Vec::new(),
            content_type: None,
        }
    }
}

/// What a log says: what text search reads, and a log's page shows. Lies in a block, apart from the facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogText {
    /// The whole URL, after masking.
    pub url: String,
    /// The user agent, where it is known.
    pub user_agent: Option<String>,
    /// What was sent.
    pub request: Message,
    /// What came back.
    pub response: Message,
}

/// A log before it is stored: checked, masked, with its endpoint. Nothing about it can be refused any more,
/// except that its id is already taken.
#[derive(Clone, Debug, PartialEq)]
pub struct NewLog {
    /// The facts; `facts.id` is set.
    pub facts: LogFacts,
    /// Whether the id is the client's own (a repeat is then a duplicate) or ours (made from `created_at`).
    pub client_id: bool,
    /// What it says.
    pub text: LogText,
}

/// The name and size of the file that a log's import came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct ImportFile {
    /// As the person called it.
    pub name: String,
    /// Its size.
    pub bytes: i64,
}

/// A whole log.
#[derive(Clone, Debug, PartialEq)]
pub struct Log {
    /// The facts.
    pub facts: LogFacts,
    /// What it says; none where whoever asks may not see it, or where it has expired (the notes say which).
    pub text: Option<LogText>,
    /// The file of its import.
    pub import_file: Option<ImportFile>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_survive_their_bits() {
        let notes = vec![Note::Masked, Note::NotCaptured];
        assert_eq!(Note::of_bits(Note::to_bits(&notes)), notes);
    }

    #[test]
    fn no_answer_is_a_failure() {
        assert_eq!(Status::of_code(None), Status::Failure);
        assert_eq!(Status::of_code(Some(399)), Status::Success);
        assert_eq!(Status::of_code(Some(400)), Status::Failure);
    }
}

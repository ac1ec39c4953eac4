//! A webhook sendout: one event on its way to one endpoint, and each attempt of it.

use serde::{Deserialize, Serialize};

use super::endpoint::{EndpointState, Source};

/// Sendouts a second that a retry in bulk makes due where nobody says otherwise.
pub const PACE: u32 = 100;
/// And at most.
pub const MAX_PACE: u32 = 10_000;

/// Where a sendout stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SendoutStatus {
    /// Was not sent yet.
    Pending,
    /// Did not get through yet; sent again by the schedule.
    Retrying,
    /// The endpoint took it.
    Succeeded,
    /// The schedule ended without the endpoint taking it.
    Failed,
}

impl SendoutStatus {
    /// All of them; a status's place is its number in the database.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Retrying, Self::Succeeded, Self::Failed];

    /// The word that the API and the URL use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Retrying => "RETRYING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
        }
    }

    /// The word that people read.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Retrying => "Retrying",
            Self::Succeeded => "Succeeded",
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
            0 => Self::Pending,
            1 => Self::Retrying,
            2 => Self::Succeeded,
            _ => Self::Failed,
        }
    }

    /// Whether the schedule sends it no more.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }
}

/// A sendout, without what is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendoutFacts {
    /// `so_…`; also the header `webhook-id` of each attempt.
    pub id: String,
    /// The event.
    pub event_id: String,
    /// The event's type.
    pub kind: String,
    /// Where it stands.
    pub status: SendoutStatus,
    /// Whether it waits for its endpoint to be switched on.
    pub paused: bool,
    /// The endpoint.
    pub endpoint_id: String,
    /// Whether anything is sent there now.
    pub endpoint: EndpointState,
    /// Where it was sent last, or is to be sent.
    pub target_url: String,
    /// How often it was sent.
    pub attempts: u32,
    /// When it is sent next, in milliseconds since 1970; `None` where it is not.
    pub next_at: Option<i64>,
    /// Whether that next attempt was asked for by hand.
    pub next_by_hand: bool,
    /// The code of the latest answer; `None` where there was none.
    pub last_code: Option<u16>,
    /// Why the latest attempt failed, in words.
    pub last_error: Option<String>,
    /// How long the latest attempt took, in microseconds.
    pub duration_us: Option<i64>,
    /// The id of the request that the event came of.
    pub request_id: Option<String>,
    /// What its endpoint belongs to.
    pub source: Source,
    /// When the event was accepted, in milliseconds since 1970.
    pub created_at: i64,
    /// When the latest attempt began, in milliseconds since 1970.
    pub executed_at: Option<i64>,
}

impl SendoutFacts {
    /// Whether it is yet to be sent: for the first time, by the schedule, or by hand, whatever came of it before.
    pub const fn is_due(&self) -> bool {
        self.next_at.is_some()
    }

    /// Whether somebody who may can have it sent again now: there is still somewhere to send it, and it does not wait for its first attempt anyway.
    pub fn can_retry(&self) -> bool {
        self.endpoint != EndpointState::Deleted && (self.status != SendoutStatus::Pending || self.paused)
    }

    /// Why it waits although it was neither taken nor given up, in words; `None` where it does not.
    pub fn waits_because(&self) -> Option<&'static str> {
        match (self.paused, self.endpoint) {
            (false, _) | (true, EndpointState::Deleted) => None,
            (true, EndpointState::Off) => Some("paused: its endpoint is off"),
            (true, EndpointState::On) => Some("kept while its endpoint was off"),
        }
    }
}

/// Where the time of an attempt went, in microseconds; `None` where it did not come to that, or a connection was there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Timings {
    /// Finding the address of the host's name.
    pub resolve_us: Option<i64>,
    /// Connecting, TLS included.
    pub connect_us: Option<i64>,
    /// From the beginning to the answer's first byte.
    pub first_byte_us: Option<i64>,
    /// All of it.
    pub total_us: i64,
}

/// One attempt. Headers and body are `None` for whoever may not read bodies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptFacts {
    /// From 1.
    pub number: u32,
    /// When it began, in milliseconds since 1970.
    pub at: i64,
    /// Whether somebody asked for it by hand.
    pub by_hand: bool,
    /// The answer's code; `None` where there was none.
    pub code: Option<u16>,
    /// Why it failed, in words.
    pub error: Option<String>,
    /// Where the time went.
    pub timings: Timings,
    /// The address that was connected to.
    pub address: Option<String>,
    /// The request's headers, in order.
    pub request_headers: Option<Vec<(String, String)>>,
    /// The answer's headers, in order.
    pub response_headers: Option<Vec<(String, String)>>,
    /// The beginning of the answer's body, as text.
    pub response_body: Option<String>,
    /// Bytes of the answer's body that were read.
    pub response_bytes: i64,
    /// Whether the body goes on after what was kept.
    pub truncated: bool,
    /// Whether something in headers or body is masked that was said as it is.
    pub masked: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_survives_the_database_and_the_api() {
        for status in SendoutStatus::ALL {
            assert_eq!(SendoutStatus::of_number(status.number()), status);
            assert_eq!(SendoutStatus::parse(&status.as_str().to_lowercase()), Some(status));
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
        assert_eq!(SendoutStatus::parse("NONE"), None);
    }
}

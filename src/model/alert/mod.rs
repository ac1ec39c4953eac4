//! Alerts: on a shared view of the Logs tab, a count of logs or a share of failures within a window, told when it is met and when it no longer is.
//!
//! To add something that an alert does: an [`AlertEvent`], with its words there.

pub mod condition;

use serde::{Deserialize, Serialize};

pub use condition::{AlertKind, Condition, Figures};

use super::member::read_email;
use super::query::LogQuery;
use super::zone::rfc3339;

/// Alerts of a project, at most.
pub const MOST: usize = 50;
/// Addresses that an alert may tell by mail.
pub const MAX_RECIPIENTS: usize = 10;
/// How much of an alert's history is kept.
pub const KEPT: usize = 1_000;
/// How much of it a page shows.
pub const SHOWN: usize = 100;
const HOUR_MS: i64 = 3_600_000;

/// What an alert did, or what happened to it; its place is its number in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AlertEvent {
    /// What it watches for has come.
    Fired,
    /// It is over.
    Resolved,
    /// It was muted when it fired, is no longer, and fires still.
    StillFiring,
    /// Somebody tested it.
    Tested,
    /// Its counts began, or began anew.
    Began,
    /// Logs came that could not be counted.
    Missed,
}

impl AlertEvent {
    const ALL: [Self; 6] = [
        Self::Fired,
        Self::Resolved,
        Self::StillFiring,
        Self::Tested,
        Self::Began,
        Self::Missed,
    ];

    /// What people read.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Fired => "Fired",
            Self::Resolved => "Back to normal",
            Self::StillFiring => "Still firing",
            Self::Tested => "Tested",
            Self::Began => "Counting began",
            Self::Missed => "Some logs were not counted",
        }
    }

    /// Whether figures belong to it.
    pub const fn has_figures(self) -> bool {
        !matches!(self, Self::Began | Self::Missed)
    }

    /// The number that the database keeps.
    pub const fn number(self) -> i16 {
        self as i16
    }

    /// The event that a number of the database stands for.
    pub fn of_number(number: i16) -> Self {
        let place = usize::try_from(number).unwrap_or_default();
        Self::ALL.get(place).copied().unwrap_or(Self::Missed)
    }
}

/// How long an alert is to be quiet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mute {
    /// Not any more.
    Off,
    /// An hour.
    Hour,
    /// Eight of them.
    EightHours,
    /// A day.
    Day,
    /// Until somebody unmutes it.
    UntilUnmuted,
}

impl Mute {
    /// Those that can be chosen, with their words.
    pub const CHOICES: [(Self, &str); 4] = [
        (Self::Hour, "For 1 hour"),
        (Self::EightHours, "For 8 hours"),
        (Self::Day, "For 1 day"),
        (Self::UntilUnmuted, "Until unmuted"),
    ];
    /// The end of what has none.
    pub const FOR_EVER: i64 = i64::MAX;

    /// Until when, in milliseconds since 1970; none where it is not muted.
    pub const fn until(self, now_ms: i64) -> Option<i64> {
        let hours = match self {
            Self::Off => return None,
            Self::Hour => 1,
            Self::EightHours => 8,
            Self::Day => 24,
            Self::UntilUnmuted => return Some(Self::FOR_EVER),
        };
        Some(now_ms.saturating_add(hours * HOUR_MS))
    }
}

/// An alert, as whoever looks sees it. Times are milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertFacts {
    /// `alert_…`.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The view that it watches: its id and its name; none where it is gone.
    pub view: Option<(String, String)>,
    /// Filters of the view that mean nothing to this version: it is not evaluated while there are any.
    pub left_out: Vec<String>,
    /// When it fires.
    pub condition: Condition,
    /// Who is told by mail.
    pub recipients: Vec<String>,
    /// Whether it counts and tells.
    pub active: bool,
    /// Until when nothing is sent, where it is muted.
    pub muted_until: Option<i64>,
    /// Whether it fires.
    pub firing: bool,
    /// Since when it fires, or does not.
    pub since: i64,
    /// Logs that were made before are not counted.
    pub counts_since: i64,
    /// Until when it waits for one whole window to be counted; none where it need not.
    pub waits_until: Option<i64>,
    /// What was counted within the window that ends now; none for whoever may not ask what the view asks.
    pub figures: Option<Figures>,
    /// When somebody changed it last: whoever changes it says which state they saw.
    pub changed_at: i64,
}

/// What became of the mails that tell of something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailsFacts {
    /// They wait, for their first attempt or another.
    pub waiting: u32,
    /// A mail server took them.
    pub sent: u32,
    /// No attempt went well.
    pub given_up: u32,
    /// What was said to the last attempt that failed.
    pub error: Option<String>,
}

/// A line of an alert's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryLine {
    /// Its own id.
    pub id: String,
    /// When.
    pub at: i64,
    /// What.
    pub what: AlertEvent,
    /// The condition of then.
    pub condition: Condition,
    /// What was counted; none where nothing was, and for whoever may not ask what the view asks.
    pub figures: Option<Figures>,
    /// The Logs tab of that window, from its `?` on; none where no window belongs to it.
    pub logs: Option<String>,
    /// Whether it was muted.
    pub muted: bool,
    /// The mails that tell of it.
    pub mails: MailsFacts,
}

/// What somebody wants an alert to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertWish {
    /// What it is to be called.
    pub name: String,
    /// The view to watch.
    pub view: String,
    /// When it is to fire.
    pub condition: Condition,
    /// Who is to be told by mail.
    pub recipients: Vec<String>,
}

/// What an alert watches of a view: its filters, and nothing of how it shows them.
pub fn watched(query: &LogQuery) -> LogQuery {
    LogQuery {
        filters: query.filters.clone(),
        ..LogQuery::default()
    }
}

/// The Logs tab with these filters and this window, from its `?` on.
pub fn logs_link(filters: &LogQuery, view: &str, (from, to): (i64, i64)) -> String {
    let query = LogQuery {
        from: Some(rfc3339(from)),
        to: Some(rfc3339(to)),
        view: Some(view.to_owned()),
        ..watched(filters)
    };
    format!("?{}", query.to_query_string())
}

/// Addresses as they are kept: each once. The reason in words where one is none, or they are too many.
pub fn recipients(all: &[String]) -> Result<Vec<String>, String> {
    let mut kept: Vec<String> = Vec::new();
    for text in all.iter().filter(|text| !text.trim().is_empty()) {
        let email = read_email(text).filter(|email| is_mailbox(email));
        let email = email.ok_or_else(|| format!("{} is no e-mail address.", text.trim()))?;
        if !kept.contains(&email) {
            kept.push(email);
        }
    }
    if kept.len() > MAX_RECIPIENTS {
        return Err(format!("An alert tells at most {MAX_RECIPIENTS} addresses."));
    }
    Ok(kept)
}

/// Whether it can stand in a mail's head as it is: no list, no name, no comment.
fn is_mailbox(email: &str) -> bool {
    let is_odd = |sign: char| matches!(sign, '<' | '>' | '(' | ')' | ',' | ';' | ':' | '"' | '\\' | '[' | ']');
    !email.contains(is_odd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_survive_the_database() {
        for event in AlertEvent::ALL {
            assert_eq!(AlertEvent::of_number(event.number()), event);
        }
        for kind in AlertKind::ALL {
            assert_eq!(
                (AlertKind::of_number(kind.number()), AlertKind::parse(kind.as_str())),
                (kind, Some(kind))
            );
        }
    }

    #[test]
    fn a_mute_ends_when_it_says() {
        assert_eq!(Mute::Off.until(5), None);
        assert_eq!(Mute::Hour.until(5), Some(3_600_005));
        assert_eq!(Mute::EightHours.until(0), Some(8 * HOUR_MS));
        assert_eq!(Mute::Day.until(i64::MAX), Some(i64::MAX));
        assert_eq!(Mute::UntilUnmuted.until(5), Some(Mute::FOR_EVER));
    }

    #[test]
    fn only_filters_are_watched_and_the_link_has_its_window() {
        let view = LogQuery::parse("from=-7d&status=FAILURE&columns=path&order=created_at&tz=utc&limit=25").unwrap();
        assert_eq!(watched(&view).to_query_string(), "status=FAILURE");
        let link = logs_link(&view, "view_1", (1_795_348_800_000, 1_795_348_860_500));
        assert_eq!(
            link,
            "?view=view_1&from=2026-11-22T12:00:00Z&to=2026-11-22T12:01:00.500Z&status=FAILURE&order=-created_at"
        );
    }

    #[test]
    fn addresses_are_kept_once_and_lists_are_none() {
        let list = |texts: &[&str]| recipients(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        assert_eq!(
            list(&[" Ada@example.com", "", "ada@EXAMPLE.com"]),
            Ok(vec!["ada@example.com".to_owned()])
        );
        for wrong in [
            "ada",
            "a@b@c",
            "a@b.c,d@e.f",
            "Ada <a@b.c>",
            "a@b.c\r\nBcc: d@e.f",
            "\"a\"@b.c",
        ] {
            assert!(list(&[wrong]).is_err(), "{wrong:?}");
        }
        let many: Vec<String> = (0..11).map(|nth| format!("a{nth}@example.com")).collect();
        assert!(recipients(&many).is_err());
        assert_eq!(recipients(&many[1..]).unwrap().len(), 10);
    }
}

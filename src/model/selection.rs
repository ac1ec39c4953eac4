//! Which logs are meant: a query with its times, zones and cursors given their meaning. What the store reads.

use serde::{Deserialize, Serialize};

use super::log::{Origin, Status};

/// A range of time, from included, to not, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeRange {
    /// Included.
    pub from: i64,
    /// Not included.
    pub to: i64,
}

/// Values that a field must have, or must not have. Both empty: any.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OneOf {
    /// One of these; empty for any.
    pub wanted: Vec<String>,
    /// None of these.
    pub left_out: Vec<String>,
}

impl OneOf {
    /// Whether it leaves every value through.
    pub const fn is_any(&self) -> bool {
        self.wanted.is_empty() && self.left_out.is_empty()
    }
}

/// A range of status codes: `404` is 404 to 404, `4xx` is 400 to 499. `None` in a list of codes stands for "no answer".
pub type CodeRange = Option<(u16, u16)>;

/// Reads `404`, `4xx`, `400-499`, `none`; no range where it is none of these.
pub fn code_range(text: &str) -> Option<CodeRange> {
    let number = |text: &str| {
        text.parse::<u16>()
            .ok()
            .filter(|code| text.len() == 3 && (100..=999).contains(code))
    };
    if text.eq_ignore_ascii_case("none") {
        return Some(None);
    }
    if let Some(class) = text.to_ascii_lowercase().strip_suffix("xx") {
        let class = class
            .parse::<u16>()
            .ok()
            .filter(|digit| class.len() == 1 && (1..=9).contains(digit))?;
        return Some(Some((class * 100, class * 100 + 99)));
    }
    if let Some((first, last)) = text.split_once('-') {
        let (first, last) = (number(first)?, number(last)?);
        return (first <= last).then_some(Some((first, last)));
    }
    number(text).map(|code| Some((code, code)))
}

/// Text that must stand somewhere, literally, in any case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextNeedles {
    /// In ids, URL, headers, or either body.
    pub anywhere: Option<String>,
    /// In the request body.
    pub request_body: Option<String>,
    /// In the response body.
    pub response_body: Option<String>,
}

impl TextNeedles {
    /// Whether there is nothing to look for.
    pub const fn is_empty(&self) -> bool {
        self.anywhere.is_none() && self.request_body.is_none() && self.response_body.is_none()
    }
}

/// Which logs of one project are meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogSelection {
    /// When they were made.
    pub range: TimeRange,
    /// Whose traffic; at least one.
    pub origins: Vec<Origin>,
    /// Empty for any.
    pub statuses: Vec<Status>,
    /// Wanted codes; empty for any.
    pub codes: Vec<CodeRange>,
    /// Codes left out.
    pub codes_left_out: Vec<CodeRange>,
    /// In capitals.
    pub methods: OneOf,
    /// Endpoint names.
    pub endpoints: OneOf,
    /// Channels.
    pub channels: OneOf,
    /// A user's e-mail address or id: either may match.
    pub users: OneOf,
    /// A server-side key's id or name: either may match.
    pub apps: OneOf,
    /// A client-side key's id or name.
    pub client_apps: OneOf,
    /// Request ids.
    pub request_ids: OneOf,
    /// Log ids.
    pub ids: OneOf,
    /// `type:id`, or a type alone.
    pub resources: OneOf,
    /// IP addresses.
    pub ips: OneOf,
    /// A literal part of the path, in any case.
    pub path: Option<String>,
    /// Took longer than this, in microseconds.
    pub slower_than_us: Option<i64>,
    /// What it must say.
    pub text: TextNeedles,
    /// Stored by then: logs with a higher number of the writer's came later. What is read in many steps is so read as it stood at the first.
    pub up_to_seq: Option<i64>,
}

impl LogSelection {
    /// Every log of an application in a range.
    pub fn all(range: TimeRange) -> Self {
        Self {
            range,
            origins: vec![Origin::Application],
            statuses: Vec::new(),
            codes: Vec::new(),
            codes_left_out: Vec::new(),
            methods: OneOf::default(),
            endpoints: OneOf::default(),
            channels: OneOf::default(),
            users: OneOf::default(),
            apps: OneOf::default(),
            client_apps: OneOf::default(),
            request_ids: OneOf::default(),
            ids: OneOf::default(),
            resources: OneOf::default(),
            ips: OneOf::default(),
            path: None,
            slower_than_us: None,
            text: TextNeedles::default(),
            up_to_seq: None,
        }
    }

    /// Whether only time, origin and status choose: the minute counts then know the exact total.
    pub fn is_counted(&self) -> bool {
        *self
            == Self {
                origins: self.origins.clone(),
                statuses: self.statuses.clone(),
                ..Self::all(self.range)
            }
    }
}

//! The filters of the Logs tab: their labels, their arguments in the URL, and the terms a person gave them.
//!
//! A filter is a labelled control and one argument. To add one: a variant, its row in [`LogFilter::ALL`], `argument`, `label`,
//! and what it selects in `server/selection.rs`.

use serde::{Deserialize, Serialize};

/// A filter of the Logs tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each variant is named in label()")]
pub enum LogFilter {
    Anywhere,
    Status,
    Code,
    Method,
    Endpoint,
    Path,
    Channel,
    User,
    AppId,
    ClientAppId,
    RequestId,
    LogId,
    Resource,
    RequestBody,
    ResponseBody,
    Slower,
    Ip,
    Origin,
}

impl LogFilter {
    /// Every filter, in the order that people see them.
    pub const ALL: [Self; 18] = [
        Self::Anywhere,
        Self::Status,
        Self::Code,
        Self::Method,
        Self::Endpoint,
        Self::Path,
        Self::Channel,
        Self::User,
        Self::AppId,
        Self::ClientAppId,
        Self::RequestId,
        Self::LogId,
        Self::Resource,
        Self::RequestBody,
        Self::ResponseBody,
        Self::Slower,
        Self::Ip,
        Self::Origin,
    ];

    /// Its argument in the URL.
    pub const fn argument(self) -> &'static str {
        match self {
            Self::Anywhere => "q",
            Self::Status => "status",
            Self::Code => "code",
            Self::Method => "method",
            Self::Endpoint => "endpoint",
            Self::Path => "path",
            Self::Channel => "channel",
            Self::User => "user",
            Self::AppId => "app_id",
            Self::ClientAppId => "client_app_id",
            Self::RequestId => "request_id",
            Self::LogId => "id",
            Self::Resource => "resource",
            Self::RequestBody => "request_body",
            Self::ResponseBody => "response_body",
            Self::Slower => "slower",
            Self::Ip => "ip",
            Self::Origin => "origin",
        }
    }

    /// Its label on the page.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Anywhere => "Find anywhere",
            Self::Status => "Status",
            Self::Code => "Status code",
            Self::Method => "Method",
            Self::Endpoint => "Endpoint",
            Self::Path => "Path contains",
            Self::Channel => "Channel",
            Self::User => "User",
            Self::AppId => "Server-side API key",
            Self::ClientAppId => "Client-side API key",
            Self::RequestId => "Request ID",
            Self::LogId => "Log ID",
            Self::Resource => "Resource",
            Self::RequestBody => "Request body contains",
            Self::ResponseBody => "Response body contains",
            Self::Slower => "Slower than",
            Self::Ip => "IP",
            Self::Origin => "Origin",
        }
    }

    /// The filter that an argument of the URL names.
    pub fn of_argument(argument: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|filter| filter.argument() == argument)
    }

    /// Whether its value is one literal text (commas and `!` are then part of it), rather than a list of values.
    pub const fn is_literal(self) -> bool {
        matches!(
            self,
            Self::Anywhere | Self::Path | Self::RequestBody | Self::ResponseBody | Self::Slower
        )
    }

    /// Whether it reads what a log says, which only those who may read bodies can ask for.
    pub const fn reads_text(self) -> bool {
        matches!(self, Self::Anywhere | Self::RequestBody | Self::ResponseBody)
    }

    /// Whether it asks who did it, which only those who may read users can ask for.
    pub const fn reads_users(self) -> bool {
        matches!(self, Self::User | Self::AppId | Self::ClientAppId)
    }
}

/// One value of a filter, wanted or left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Term {
    /// `!` stood before it: logs with this value are left out.
    pub without: bool,
    /// The value.
    pub value: String,
}

/// Reads `API,!WEBSITE` as its terms. Empty values are passed over.
pub fn parse_terms(text: &str) -> Vec<Term> {
    text.split(',')
        .filter_map(|part| {
            let part = part.trim();
            let (without, value) = part.strip_prefix('!').map_or((false, part), |rest| (true, rest.trim()));
            (!value.is_empty()).then(|| Term {
                without,
                value: value.to_owned(),
            })
        })
        .collect()
}

/// Writes terms as the URL has them.
pub fn write_terms(terms: &[Term]) -> String {
    let mut text = String::new();
    for term in terms {
        if !text.is_empty() {
            text.push(',');
        }
        if term.without {
            text.push('!');
        }
        text.push_str(&term.value);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_written_as_they_were_read() {
        let terms = parse_terms("API, !WEBSITE,,");
        assert_eq!(terms.len(), 2);
        assert!(terms[1].without);
        assert_eq!(write_terms(&terms), "API,!WEBSITE");
    }

    #[test]
    fn every_argument_names_its_filter() {
        for filter in LogFilter::ALL {
            assert_eq!(LogFilter::of_argument(filter.argument()), Some(filter));
        }
    }
}

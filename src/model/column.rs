//! The columns of the Logs tab. The log's id always comes first and is no choice.
//!
//! To add a column: a variant, its row in [`Column::ALL`], its `name` and `label`, and what it says of a log in `api/logs/read.rs`.

use serde::{Deserialize, Serialize};

/// A column that a person can choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each variant is named in label()")]
pub enum Column {
    Time,
    Status,
    Method,
    Endpoint,
    Path,
    Channel,
    User,
    Took,
    ServerKey,
    ClientKey,
    RequestId,
    Resource,
    Ip,
    RequestSize,
    ResponseSize,
    Task,
    Origin,
    Notes,
}

impl Column {
    /// Every column, in the order that the dialog offers them and the table shows them.
    pub const ALL: [Self; 18] = [
        Self::Time,
        Self::Status,
        Self::Method,
        Self::Endpoint,
        Self::Path,
        Self::Channel,
        Self::User,
        Self::ServerKey,
        Self::ClientKey,
        Self::RequestId,
        Self::Resource,
        Self::Ip,
        Self::Task,
        Self::Origin,
        Self::Notes,
        Self::RequestSize,
        Self::ResponseSize,
        Self::Took,
    ];

    /// What the table shows where the URL names no columns.
    pub const DEFAULT: [Self; 7] = [
        Self::Time,
        Self::Status,
        Self::Method,
        Self::Endpoint,
        Self::Channel,
        Self::User,
        Self::Took,
    ];

    /// Its name in the URL.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Status => "status",
            Self::Method => "method",
            Self::Endpoint => "endpoint",
            Self::Path => "path",
            Self::Channel => "channel",
            Self::User => "user",
            Self::Took => "took",
            Self::ServerKey => "app",
            Self::ClientKey => "client_app",
            Self::RequestId => "request_id",
            Self::Resource => "resource",
            Self::Ip => "ip",
            Self::RequestSize => "request_size",
            Self::ResponseSize => "response_size",
            Self::Task => "task",
            Self::Origin => "origin",
            Self::Notes => "notes",
        }
    }

    /// Its heading.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Time => "Time",
            Self::Status => "Status",
            Self::Method => "Method",
            Self::Endpoint => "Endpoint",
            Self::Path => "Path",
            Self::Channel => "Channel",
            Self::User => "User",
            Self::Took => "Took",
            Self::ServerKey => "Server-side key",
            Self::ClientKey => "Client-side key",
            Self::RequestId => "Request ID",
            Self::Resource => "Resource",
            Self::Ip => "IP",
            Self::RequestSize => "Request size",
            Self::ResponseSize => "Response size",
            Self::Task => "Task",
            Self::Origin => "Origin",
            Self::Notes => "Notes",
        }
    }

    /// Whether its figures stand under each other, at the right.
    pub const fn is_figure(self) -> bool {
        matches!(self, Self::Took | Self::RequestSize | Self::ResponseSize)
    }

    /// Whether it says who did it, which only those who may read users are told.
    pub const fn reads_users(self) -> bool {
        matches!(self, Self::User | Self::ServerKey | Self::ClientKey)
    }

    /// The column of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| column.name() == name)
    }

    /// The columns that a URL's names mean, in the table's own order; names that are none are passed over, no names mean the default.
    pub fn chosen(names: &[String]) -> Vec<Self> {
        let chosen: Vec<Self> = Self::ALL
            .into_iter()
            .filter(|column| names.iter().any(|name| name == column.name()))
            .collect();
        if chosen.is_empty() { Self::DEFAULT.to_vec() } else { chosen }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_choose_columns_in_the_tables_order() {
        let names = ["took", "nonsense", "time"].map(str::to_owned);
        assert_eq!(Column::chosen(&names), [Column::Time, Column::Took]);
        assert_eq!(Column::chosen(&["nonsense".to_owned()]), Column::DEFAULT);
    }

    #[test]
    fn every_name_reads_back() {
        for column in Column::ALL {
            assert_eq!(Column::parse(column.name()), Some(column));
        }
    }
}

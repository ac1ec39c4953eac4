//! Who may do what: the roles of people, the scopes of keys, and the rights that both come to.

use serde::{Deserialize, Serialize};

/// What a person is in a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads, and makes exports; changes nothing. A role of its own, not the lowest rank.
    Auditor,
    /// Reads and works.
    Member,
    /// Works, and settles who else may.
    Owner,
}

impl Role {
    /// The word that commands, forms and the database use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auditor => "auditor",
            Self::Member => "member",
            Self::Owner => "owner",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Auditor, Self::Member, Self::Owner]
            .into_iter()
            .find(|role| role.as_str() == word)
    }
}

/// What a key may do. Every scope is accepted from the first day, also those that nothing asks for yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum Scope {
    /// Lists and details without what was said in them.
    #[serde(rename = "read")]
    Read,
    /// Bodies, headers, text search, originals.
    #[serde(rename = "read:bodies")]
    ReadBodies,
    /// Sending logs in.
    #[serde(rename = "logs:write")]
    LogsWrite,
    /// Reporting tasks.
    #[serde(rename = "tasks:write")]
    TasksWrite,
    /// Making exports.
    #[serde(rename = "exports:write")]
    ExportsWrite,
    /// Endpoints and retries.
    #[serde(rename = "webhooks:write")]
    WebhooksWrite,
    /// Posting events.
    #[serde(rename = "events:write")]
    EventsWrite,
}

impl Scope {
    /// All scopes, in the order the documentation names them.
    pub const ALL: [Self; 7] = [
        Self::Read,
        Self::ReadBodies,
        Self::LogsWrite,
        Self::TasksWrite,
        Self::ExportsWrite,
        Self::WebhooksWrite,
        Self::EventsWrite,
    ];

    /// The word that commands and the database use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::ReadBodies => "read:bodies",
            Self::LogsWrite => "logs:write",
            Self::TasksWrite => "tasks:write",
            Self::ExportsWrite => "exports:write",
            Self::WebhooksWrite => "webhooks:write",
            Self::EventsWrite => "events:write",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == word)
    }
}

/// What whoever asks may see of a project's logs; computed once, at the door, from a role or from scopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rights {
    /// Bodies, headers, text search, originals, sendout data.
    pub read_bodies: bool,
    /// Who did it: users, and keys by name.
    pub read_users: bool,
    /// Delete exports, retry, cancel, test, import.
    pub work: bool,
    /// Members, keys, endpoints, masking, retention, the project.
    pub settle: bool,
}

impl Rights {
    /// What a role may do, given whether the project lets that role read bodies and users.
    pub const fn of_role(role: Role, read_bodies: bool, read_users: bool) -> Self {
        Self {
            read_bodies,
            read_users,
            work: matches!(role, Role::Member | Role::Owner),
            settle: matches!(role, Role::Owner),
        }
    }

    /// What a key with these scopes may see. A key's writing is checked by its scope at each call.
    pub fn of_scopes(scopes: &[Scope]) -> Self {
        Self {
            read_bodies: scopes.contains(&Scope::ReadBodies),
            read_users: true,
            work: false,
            settle: false,
        }
    }
}

//! The keys of a project's applications, as people see and settle them. Of a token nothing is here: it is shown once, when it is made.

use serde::{Deserialize, Serialize};

use super::rights::Scope;

/// A key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyFacts {
    /// Its public id (`X-App-Id`).
    pub app_id: String,
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// The origins that a client-side key is taken from; `None` for a server-side key.
    pub origins: Option<Vec<String>>,
    /// Calls a minute of its own; `None` for the instance's.
    pub calls_a_minute: Option<u32>,
    /// Milliseconds since 1970, as all times here.
    pub created_at: i64,
    /// From when on it is taken no more.
    pub expires_at: Option<i64>,
    /// When it was used last, to the minute.
    pub last_used_at: Option<i64>,
    /// When it was revoked.
    pub revoked_at: Option<i64>,
    /// Until when the token that it had before is taken, too.
    pub old_token_until: Option<i64>,
}

/// Whether a key is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStanding {
    /// It is.
    Active,
    /// Its time has passed.
    Expired,
    /// Somebody ended it.
    Revoked,
}

impl KeyFacts {
    /// How it stands at a time.
    pub fn standing(&self, now_ms: i64) -> KeyStanding {
        if self.revoked_at.is_some() {
            KeyStanding::Revoked
        } else if self.expires_at.is_some_and(|end| end <= now_ms) {
            KeyStanding::Expired
        } else {
            KeyStanding::Active
        }
    }
}

/// What somebody wants a key to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyWish {
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// The origins of a client-side key; `None` for a server-side key.
    pub origins: Option<Vec<String>>,
    /// Calls a minute of its own; `None` for the instance's.
    pub calls_a_minute: Option<u32>,
    /// From when on it is taken no more; `None` for never.
    pub expires_at: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_ends_to_the_millisecond() {
        let key = KeyFacts {
            app_id: String::new(),
            name: String::new(),
            scopes: Vec::new(),
            origins: None,
            calls_a_minute: None,
            created_at: 0,
            expires_at: Some(10),
            last_used_at: None,
            revoked_at: None,
            old_token_until: None,
        };
        assert_eq!(key.standing(9), KeyStanding::Active);
        assert_eq!(key.standing(10), KeyStanding::Expired);
        let revoked = KeyFacts {
            revoked_at: Some(3),
            ..key
        };
        assert_eq!(revoked.standing(20), KeyStanding::Revoked);
    }
}

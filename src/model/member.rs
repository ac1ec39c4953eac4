//! Who belongs to a project, who is invited, and what a project takes from a role.

use serde::{Deserialize, Serialize};

use super::rights::Role;

/// A person in a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberFacts {
    /// `usr_…`.
    pub id: String,
    /// How they sign in.
    pub email: String,
    /// What people call them; empty where nobody said.
    pub name: String,
    /// What they are in the project.
    pub role: Role,
    /// When they came, in milliseconds since 1970, as all times here.
    pub joined_at: i64,
    /// When they used a session last that has not ended, to the hour.
    pub last_seen_at: Option<i64>,
}

/// Somebody who may come in by a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationFacts {
    /// `inv_…`.
    pub id: String,
    /// Whom it is for: nobody else can take it.
    pub email: String,
    /// What they will be.
    pub role: Role,
    /// Who invited them: an e-mail address, or a key's name.
    pub invited_by: String,
    /// When.
    pub created_at: i64,
    /// From when on the link leads nowhere.
    pub expires_at: i64,
}

impl InvitationFacts {
    /// Whether its link still leads in.
    pub const fn is_open(&self, now_ms: i64) -> bool {
        now_ms < self.expires_at
    }
}

/// What a project lets a role see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleRights {
    /// Whose.
    pub role: Role,
    /// `read:bodies`: bodies, headers, text search, originals, sendout data.
    pub read_bodies: bool,
    /// `read:users`: who did it.
    pub read_users: bool,
}

/// The form in which an e-mail address is kept and compared: trimmed, in lower case; none where it is no address.
///
/// It is not checked further: whether there is a mailbox only a mail tells.
pub fn read_email(text: &str) -> Option<String> {
    let email = text.trim().to_lowercase();
    let (name, host) = email.split_once('@')?;
    let is_plain = email.len() <= 254 && !email.chars().any(|letter| letter.is_whitespace() || letter.is_control());
    (is_plain && !name.is_empty() && !host.is_empty() && !host.contains('@')).then_some(email)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_is_told_from_one() {
        assert_eq!(read_email(" Ada@Example.COM "), Some("ada@example.com".to_owned()));
        for wrong in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "a@b@example.com",
            "a da@example.com",
            "a\n@example.com",
        ] {
            assert_eq!(read_email(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn an_invitation_ends_to_the_millisecond() {
        let invitation = InvitationFacts {
            id: String::new(),
            email: String::new(),
            role: Role::Member,
            invited_by: String::new(),
            created_at: 0,
            expires_at: 10,
        };
        assert!(invitation.is_open(9));
        assert!(!invitation.is_open(10));
    }
}

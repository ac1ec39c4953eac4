//! Ids: a prefix that names the thing, then a UUID version 7 in Crockford's base 32, 26 characters.
//!
//! The text sorts as the time does, so a list ordered by (time, id) is also ordered by the id's own time.

/// What an id names; the prefix is part of the id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdKind {
    /// An API request and its answer.
    Log,
    /// A background task, called async action by the API.
    Task,
    /// An export.
    Export,
    /// An event that was posted.
    Event,
    /// One delivery of one event to one endpoint.
    Sendout,
    /// A webhook endpoint.
    Endpoint,
    /// A project.
    Project,
    /// An API key.
    Key,
    /// A person.
    User,
    /// One request to this service.
    Request,
    /// An invitation into a project.
    Invitation,
    /// A saved view.
    View,
    /// An alert.
    Alert,
    /// A line of an alert's history.
    AlertEntry,
    /// A mail that tells of it.
    AlertMail,
    /// An embedded view.
    Embed,
}

impl IdKind {
    /// The characters that every id of this kind begins with.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Log => "log_",
            Self::Task => "aa_",
            Self::Export => "exp_",
            Self::Event => "evt_",
            Self::Sendout => "so_",
            Self::Endpoint => "wh_",
            Self::Project => "prj_",
            Self::Key => "key_",
            Self::User => "usr_",
            Self::Request => "req_",
            Self::Invitation => "inv_",
            Self::View => "view_",
            Self::Alert => "alert_",
            Self::AlertEntry => "alh_",
            Self::AlertMail => "alm_",
            Self::Embed => "emb_",
        }
    }
}

/// Crockford's base 32 alphabet (<https://www.crockford.com/base32.html>): no I, L, O, U; in rising byte order.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const TEXT_LEN: usize = 26;
/// 48 bits of milliseconds, as RFC 9562 lays a version 7 UUID out.
const MAX_TIME: i64 = (1 << 48) - 1;

/// Writes a time-ordered id.
///
/// `time_ms` is clamped to the 48 bits that a version 7 UUID has; `random` fills the 74 bits that are left (RFC 9562, 5.7).
pub fn encode(kind: IdKind, time_ms: i64, random: [u8; 10]) -> String {
    let time = u128::from(time_ms.clamp(0, MAX_TIME).unsigned_abs());
    let mut tail = 0_u128;
    for byte in random {
        tail = (tail << 8) | u128::from(byte);
    }
    let rand_a = (tail >> 62) & 0x0FFF;
    let rand_b = tail & ((1 << 62) - 1);
    let uuid = (time << 80) | (0x7 << 76) | (rand_a << 64) | (0b10 << 62) | rand_b;

    let mut text = String::with_capacity(kind.prefix().len() + TEXT_LEN);
    text.push_str(kind.prefix());
    for place in (0..TEXT_LEN).rev() {
        let digit = (uuid >> (place * 5)) & 31;
        text.push(char::from(ALPHABET[digit as usize]));
    }
    text
}

/// The time that one of our own ids carries, in milliseconds since 1970, or `None` for an id that is not ours.
pub fn time_of(kind: IdKind, id: &str) -> Option<i64> {
    let digits = id.strip_prefix(kind.prefix())?.as_bytes();
    if digits.len() != TEXT_LEN {
        return None;
    }
    let mut uuid = 0_u128;
    for (place, byte) in digits.iter().enumerate() {
        let digit = ALPHABET.iter().position(|letter| letter == byte)?;
        if place == 0 && digit > 7 {
            return None;
        }
        uuid = (uuid << 5) | digit as u128;
    }
    let is_version_7 = (uuid >> 76) & 0xF == 7 && (uuid >> 62) & 0b11 == 0b10;
    is_version_7.then_some((uuid >> 80) as i64)
}

/// Whether a client may name a log so: 1 to 64 of `A-Z a-z 0-9 _ -`.
pub fn is_client_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_gives_its_time_back() {
        let id = encode(IdKind::Log, 1_795_000_000_123, [7; 10]);
        assert_eq!(id.len(), 30);
        assert_eq!(time_of(IdKind::Log, &id), Some(1_795_000_000_123));
        assert_eq!(time_of(IdKind::Task, &id), None);
    }

    #[test]
    fn ids_sort_as_their_times_do() {
        let earlier = encode(IdKind::Log, 1_000, [255; 10]);
        let later = encode(IdKind::Log, 1_001, [0; 10]);
        assert!(earlier < later);
    }

    #[test]
    fn what_a_client_sends_is_not_taken_for_ours() {
        for id in [
            "log_",
            "log_ABC",
            "log_ZZZZZZZZZZZZZZZZZZZZZZZZZZ",
            "order-1",
            "log_01jd0000000000000000000000",
        ] {
            assert_eq!(time_of(IdKind::Log, id), None, "{id}");
        }
    }

    #[test]
    fn a_client_id_has_its_letters_and_its_length() {
        assert!(is_client_id("a"));
        assert!(is_client_id(&"x".repeat(64)));
        for id in ["", "a b", "é", "a/b", &"x".repeat(65)] {
            assert!(!is_client_id(id), "{id}");
        }
    }
}

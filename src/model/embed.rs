//! Embedded views: a shared view of the Logs tab as people without an account see it, by a signed, dated link.

use serde::{Deserialize, Serialize};

use super::rights::Rights;

/// Characters of an embedded view's name, at most.
pub const MAX_NAME: usize = 80;
/// Embedded views of a project, at most, those that have ended among them.
pub const MOST: usize = 50;
/// Origins that may frame one, at most: each stands in a header of every page.
pub const MOST_ORIGINS: usize = 10;
/// For how many days a link may hold, at least and at most.
pub const DAYS: (u16, u16) = (1, 365);
/// The days that are chosen unless somebody chooses.
pub const DEFAULT_DAYS: u16 = 30;

/// What somebody wants to embed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmbedWish {
    /// What people of the project call it.
    pub name: String,
    /// The shared view, `view_…`.
    pub view: String,
    /// Whether a log can be opened with its headers and bodies.
    pub bodies: bool,
    /// Whether it shows who did it.
    pub users: bool,
    /// Whose pages may frame it; empty for nobody's.
    pub origins: Vec<String>,
    /// For how many days its link holds.
    pub days: u16,
}

/// An embedded view, as whoever looks sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmbedFacts {
    /// `emb_…`.
    pub id: String,
    /// What people of the project call it.
    pub name: String,
    /// The view, `view_…`.
    pub view: String,
    /// What that is called; `None` where it is gone.
    pub view_name: Option<String>,
    /// Whether a log can be opened with its headers and bodies.
    pub bodies: bool,
    /// Whether it shows who did it.
    pub users: bool,
    /// Whose pages may frame it; empty for nobody's.
    pub origins: Vec<String>,
    /// Milliseconds since 1970, as all times here.
    pub created_at: i64,
    /// From when on its link leads nowhere.
    pub expires_at: i64,
    /// When somebody ended it.
    pub revoked_at: Option<i64>,
    /// How many pages it has shown.
    pub opened: i64,
    /// When the last of them.
    pub opened_at: Option<i64>,
    /// Who made it, where whoever looks may see that.
    pub by: Option<String>,
    /// What became of whoever made it, where that matters.
    pub maker: Maker,
    /// Why its link shows nothing although it has not ended.
    pub closed: Option<String>,
    /// The link, for whoever may work and sees no less than it shows.
    pub link: Option<String>,
    /// Whether whoever looks may end it, and take it away once it has ended.
    pub can_end: bool,
}

/// What whoever made an embedded view may do by now: it is the project's, and goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Maker {
    /// They could make it today.
    Could,
    /// They belong to the project, and could not make it any more.
    MayLess,
    /// They have left the project.
    Left,
}

/// Whether an embedded view is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmbedStanding {
    /// It is.
    Open,
    /// Its time has passed.
    Expired,
    /// Somebody ended it.
    Revoked,
}

impl EmbedStanding {
    /// How something stands at a time that ends by itself at one time, and was ended at another.
    pub const fn at(now_ms: i64, expires_at: i64, revoked_at: Option<i64>) -> Self {
        if revoked_at.is_some() {
            Self::Revoked
        } else if expires_at <= now_ms {
            Self::Expired
        } else {
            Self::Open
        }
    }
}

impl EmbedFacts {
    /// How it stands at a time.
    pub const fn standing(&self, now_ms: i64) -> EmbedStanding {
        EmbedStanding::at(now_ms, self.expires_at, self.revoked_at)
    }
}

/// What a link that shows this much may see: nothing else, whoever made it.
pub const fn rights(bodies: bool, users: bool) -> Rights {
    Rights {
        read_bodies: bodies,
        read_users: users,
        work: false,
        settle: false,
    }
}

/// Whether somebody sees at least as much as a link that shows this much.
pub const fn covers(rights: Rights, bodies: bool, users: bool) -> bool {
    (rights.read_bodies || !bodies) && (rights.read_users || !users)
}

/// A name as it is kept: blanks around it and doubled ones within do not count. The reason in words where it is none.
pub fn name(text: &str) -> Result<String, &'static str> {
    let name = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.is_empty() {
        return Err("An embedded view needs a name.");
    }
    if name.chars().count() > MAX_NAME {
        return Err("A name has at most 80 characters.");
    }
    if name.chars().any(char::is_control) {
        return Err("A name has no control characters.");
    }
    Ok(name)
}

/// An origin whose pages may frame something, as a policy names it: `https://` and a host of letters, digits, dots and hyphens, with a port where it is not the usual one;
/// on one's own machine also `http://localhost`. Anything else (a path, a wildcard, an address in brackets) is none.
pub fn origin(text: &str) -> Option<String> {
    let text = text.trim().to_ascii_lowercase();
    let (scheme, rest) = text.split_once("://")?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (host, port) = match rest.split_once(':') {
        Some((host, port)) => (host, Some(read_port(port)?)),
        None => (rest, None),
    };
    let usual = match scheme {
        "https" if is_host(host) => 443,
        "http" if matches!(host, "localhost" | "127.0.0.1") => 80,
        _ => return None,
    };
    let port = port.filter(|port| *port != usual);
    Some(port.map_or_else(|| format!("{scheme}://{host}"), |port| format!("{scheme}://{host}:{port}")))
}

fn read_port(text: &str) -> Option<u16> {
    let is_number = (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|port| is_number && *port > 0)
}

fn is_host(host: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.len() <= 253 && host.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_exact_and_nothing_else_gets_into_a_policy() {
        for (text, kept) in [
            ("https://shop.example.com", "https://shop.example.com"),
            (" HTTPS://Shop.Example.com:443/ ", "https://shop.example.com"),
            ("https://shop.example.com:8443", "https://shop.example.com:8443"),
            ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
            ("http://localhost:8080", "http://localhost:8080"),
            ("http://127.0.0.1", "http://127.0.0.1"),
        ] {
            assert_eq!(origin(text).as_deref(), Some(kept), "{text}");
            assert_eq!(origin(kept).as_deref(), Some(kept), "{text}");
        }
        for text in [
            "",
            "shop.example.com",
            "https://",
            "https://*",
            "https://*.example.com",
            "https://a.example/path",
            "https://a.example?x",
            "https://a.example https://b.example",
            "https://a.example;script-src *",
            "https://a.example,https://b.example",
            "https://u@a.example",
            "https://a.example:",
            "https://a.example:0",
            "https://a.example:99999",
            "https://a.example:80:80",
            "https://-a.example",
            "https://a..example",
            "https://[::1]",
            "https://ü.example",
            "http://shop.example.com",
            "http://localhost.example.com",
            "'self'",
            "null",
            "data:",
        ] {
            assert_eq!(origin(text), None, "{text}");
        }
    }

    #[test]
    fn a_link_ends_to_the_millisecond_and_once_it_is_revoked() {
        assert_eq!(EmbedStanding::at(9, 10, None), EmbedStanding::Open);
        assert_eq!(EmbedStanding::at(10, 10, None), EmbedStanding::Expired);
        assert_eq!(EmbedStanding::at(0, 10, Some(0)), EmbedStanding::Revoked);
        assert_eq!(EmbedStanding::at(20, 10, Some(5)), EmbedStanding::Revoked);
    }

    #[test]
    fn who_sees_less_than_a_link_is_not_covered() {
        for (bodies, users, asked_bodies, asked_users, is) in [
            (true, true, true, true, true),
            (true, false, true, false, true),
            (false, true, true, false, false),
            (true, false, false, true, false),
            (false, false, false, false, true),
        ] {
            assert_eq!(covers(rights(bodies, users), asked_bodies, asked_users), is);
        }
        assert!(!rights(true, true).work && !rights(true, true).settle);
    }

    #[test]
    fn a_name_is_one_line_of_letters() {
        assert_eq!(name("  Board \t for Acme\n"), Ok("Board for Acme".to_owned()));
        for wrong in ["", " \n ", &"x".repeat(MAX_NAME + 1), "a\u{0}b", "a\u{1b}[1m"] {
            assert!(name(wrong).is_err(), "{wrong:?}");
        }
    }
}

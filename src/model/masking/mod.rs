//! What a project masks beside the built-in names: its own rules, as people write and read them.
//!
//! To add a kind of rule: its word in [`RuleKind`] and in the database's CHECK, what it has to be in [`check_one`], and what it does in `server/ingest/mask`.

pub mod path;
pub mod tried;

use serde::{Deserialize, Serialize};

/// Rules of a project.
pub const MAX_RULES: usize = 100;
/// Letters of a rule's text.
pub const MAX_TEXT: usize = 500;
/// Letters of a name.
pub const MAX_NAME: usize = 60;
/// Bytes of a key's name: what lies further from a name's end is not compared.
const KEY_BYTES: usize = 63;
/// Letters of a note.
pub const MAX_NOTE: usize = 200;

/// By what a rule finds what it masks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RuleKind {
    /// A header's name, in any case: the header's value.
    Header,
    /// A name that a key, a form's field, a URL's argument or a header has, or ends in as whole words: the value.
    Key,
    /// A JSON path: the value there.
    Path,
    /// A regular expression: what it matches in texts, headers and URLs.
    Pattern,
    /// Who did it, of applications' logs: the one of [`RuleKind::choices`] that the text names.
    User,
    /// The client's address, of applications' logs: in the way of [`RuleKind::choices`] that the text names.
    Ip,
}

/// A [`RuleKind::User`] rule's text: e-mail addresses.
pub const USER_EMAIL: &str = "email";
/// A [`RuleKind::User`] rule's text: ids.
pub const USER_ID: &str = "id";
/// A [`RuleKind::Ip`] rule's text: all but the network.
pub const IP_NETWORK: &str = "network";
/// A [`RuleKind::Ip`] rule's text: the whole address.
pub const IP_WHOLE: &str = "whole";
/// Headers that say how somebody signs in: no rule keeps them.
pub const SIGN_IN_HEADERS: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "set-cookie"];

impl RuleKind {
    /// All of them, in the order that they are offered in.
    pub const ALL: [Self; 6] = [Self::Header, Self::Key, Self::Path, Self::Pattern, Self::User, Self::Ip];

    /// The word that the API and the database use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Key => "key",
            Self::Path => "path",
            Self::Pattern => "pattern",
            Self::User => "user",
            Self::Ip => "ip",
        }
    }

    /// The words that people read.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Header => "Header",
            Self::Key => "Key name",
            Self::Path => "JSON path",
            Self::Pattern => "Pattern in text",
            Self::User => "User",
            Self::Ip => "Client IP",
        }
    }

    /// The texts that a rule of this kind can have, and the words that people read for them; none where the text is free.
    pub const fn choices(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::User => &[(USER_EMAIL, "E-mail addresses"), (USER_ID, "Ids")],
            Self::Ip => &[(IP_NETWORK, "All but the network"), (IP_WHOLE, "The whole address")],
            Self::Header | Self::Key | Self::Path | Self::Pattern => &[],
        }
    }

    /// Reads the API's word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaskRule {
    /// By what it finds what it masks.
    pub kind: RuleKind,
    /// The name (after `!` one that is kept although it is built in), the path, the pattern, or the choice.
    pub text: String,
    /// Why it is there; empty where nobody said.
    #[serde(default)]
    pub note: String,
}

/// What is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("rule {}{}: {reason}", rule + 1, place.map(|place| format!(", character {place}")).unwrap_or_default())]
pub struct RuleFault {
    /// Which, from 0.
    pub rule: usize,
    /// The character of its text, from 1, where one is to blame.
    pub place: Option<usize>,
    /// What is wrong, and what would be right.
    pub reason: String,
}

/// Rules as they can be kept, or the first thing that is wrong. Whether a pattern can be read is for the server to say.
pub fn check(rules: &[MaskRule]) -> Result<Vec<MaskRule>, RuleFault> {
    let fault = |rule: usize, reason: String| RuleFault {
        rule,
        place: None,
        reason,
    };
    let mut kept: Vec<MaskRule> = Vec::with_capacity(rules.len());
    for (place, rule) in rules.iter().enumerate() {
        if place == MAX_RULES {
            return Err(fault(place, format!("a project has at most {MAX_RULES} rules")));
        }
        let rule = check_one(place, rule)?;
        let clash = (1..).zip(&kept).find_map(|(nth, other)| clash(nth, other, &rule));
        if let Some(reason) = clash {
            return Err(fault(place, reason));
        }
        kept.push(rule);
    }
    Ok(kept)
}

fn check_one(rule: usize, wish: &MaskRule) -> Result<MaskRule, RuleFault> {
    let fault = |place: Option<usize>, reason: String| Err(RuleFault { rule, place, reason });
    // White space at the ends of a pattern may be meant.
    let text = if wish.kind == RuleKind::Pattern {
        wish.text.as_str()
    } else {
        wish.text.trim()
    };
    let most = if matches!(wish.kind, RuleKind::Header | RuleKind::Key) {
        MAX_NAME
    } else {
        MAX_TEXT
    };
    if text.is_empty() {
        return fault(None, format!("say which {}", thing(wish.kind)));
    }
    if text.chars().count() > most {
        return fault(Some(most + 1), format!("it is longer than {most} characters"));
    }
    if let Some(place) = text.chars().position(char::is_control) {
        let reason = r"it has a control character in it; a pattern writes one as \n, \t or \x00";
        return fault(Some(place + 1), reason.to_owned());
    }
    let wrong = match wish.kind {
        RuleKind::Header => header_fault(text),
        RuleKind::Key => key_fault(text),
        RuleKind::Path => path::read(text).err().map(|fault| (Some(fault.place), fault.reason)),
        RuleKind::Pattern => None,
        RuleKind::User | RuleKind::Ip => choice_fault(wish.kind, text),
    };
    if let Some((place, reason)) = wrong {
        return fault(place, reason);
    }
    let note = wish.note.trim();
    if note.chars().count() > MAX_NOTE || note.contains(char::is_control) {
        return fault(None, format!("its note is one line of at most {MAX_NOTE} characters"));
    }
    Ok(MaskRule {
        kind: wish.kind,
        text: text.to_owned(),
        note: note.to_owned(),
    })
}

const fn thing(kind: RuleKind) -> &'static str {
    match kind {
        RuleKind::Header => "header, as X-Customer-Email",
        RuleKind::Key => "key, as email",
        RuleKind::Path => "path, as $.customer.address.line1",
        RuleKind::Pattern => r"pattern, as [0-9]{3}-[0-9]{2}-[0-9]{4}",
        RuleKind::User => "part of a user: email or id",
        RuleKind::Ip => "part of an address: network, which is what is left of it, or whole",
    }
}

fn choice_fault(kind: RuleKind, text: &str) -> Option<(Option<usize>, String)> {
    let is_choice = kind.choices().iter().any(|(word, _)| *word == text);
    (!is_choice).then(|| (None, format!("say which {}", thing(kind))))
}

/// A header's name is a token (RFC 9110, 5.6.2), after `!` that of one that is kept.
fn header_fault(text: &str) -> Option<(Option<usize>, String)> {
    let name = text.strip_prefix('!').unwrap_or(text);
    if name.len() < text.len() && SIGN_IN_HEADERS.iter().any(|known| name.eq_ignore_ascii_case(known)) {
        let reason = "how somebody signs in is always masked: Authorization, Proxy-Authorization, Cookie and Set-Cookie";
        return Some((None, reason.to_owned()));
    }
    let is_fine = |letter: char| letter.is_ascii_alphanumeric() || "#$%&'*+-.^_`|~".contains(letter);
    let place = if name.is_empty() {
        Some(0)
    } else {
        name.chars().position(|letter| !is_fine(letter))
    }?;
    let reason = "a header's name has only letters, digits and hyphens, as X-Customer-Email; ! in front keeps a built-in one";
    Some((Some(text.len() - name.len() + place + 1), reason.to_owned()))
}

/// Names are compared by their letters: one without any would never be found. After `!` it is one that is kept.
fn key_fault(text: &str) -> Option<(Option<usize>, String)> {
    let name = text.strip_prefix('!').unwrap_or(text);
    if name.starts_with('!') {
        return Some((Some(2), "one ! in front of a name is enough".to_owned()));
    }
    if name.len() > KEY_BYTES {
        return Some((
            None,
            format!("it is longer than {KEY_BYTES} bytes, which is how far names are compared"),
        ));
    }
    let has_letter = name.chars().any(char::is_alphabetic);
    (!has_letter).then(|| {
        (
            None,
            "a key's name has at least one letter: names are compared by their letters".to_owned(),
        )
    })
}

/// Why a rule cannot stand beside one before it, the `nth`.
fn clash(nth: usize, before: &MaskRule, rule: &MaskRule) -> Option<String> {
    if before.kind != rule.kind {
        return None;
    }
    let is_name = matches!(rule.kind, RuleKind::Header | RuleKind::Key);
    let (one, other) = (before.text.as_str(), rule.text.as_str());
    if one == other || (is_name && one.eq_ignore_ascii_case(other)) {
        return Some(format!("it says the same as rule {nth}"));
    }
    if is_name
        && one
            .trim_start_matches('!')
            .eq_ignore_ascii_case(other.trim_start_matches('!'))
    {
        return Some(format!("it says the opposite of rule {nth}"));
    }
    (rule.kind == RuleKind::Ip).then(|| format!("rule {nth} says already how addresses are masked"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(kind: RuleKind, text: &str) -> MaskRule {
        MaskRule {
            kind,
            text: text.to_owned(),
            note: " why ".to_owned(),
        }
    }

    #[test]
    fn rules_are_kept_as_they_are_meant() {
        let kept = check(&[
            rule(RuleKind::Header, " X-Mail "),
            rule(RuleKind::Pattern, " a "),
            rule(RuleKind::Key, "e-mail"),
        ]);
        let kept: Vec<(String, String)> = kept.expect("fine").into_iter().map(|rule| (rule.text, rule.note)).collect();
        let why = || "why".to_owned();
        assert_eq!(
            kept,
            [
                ("X-Mail".to_owned(), why()),
                (" a ".to_owned(), why()),
                ("e-mail".to_owned(), why())
            ]
        );
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let fault = |kind, text: &str| {
            let fault = check(&[rule(RuleKind::Key, "fine"), rule(kind, text)]).expect_err("it is wrong");
            assert_eq!(fault.rule, 1);
            (fault.place, fault.reason)
        };
        assert_eq!(fault(RuleKind::Header, "X Mail").0, Some(2));
        assert_eq!(fault(RuleKind::Header, "!X Mail").0, Some(3));
        assert_eq!(fault(RuleKind::Header, "!").0, Some(2));
        assert!(fault(RuleKind::Header, "!Cookie").1.contains("always masked"));
        assert_eq!(fault(RuleKind::Key, "!!token").0, Some(2));
        assert!(fault(RuleKind::Key, "!").1.contains("at least one letter"));
        assert!(fault(RuleKind::Key, "!Fine").1.contains("the opposite of rule 1"));
        assert!(fault(RuleKind::User, "name").1.contains("email or id"));
        assert!(fault(RuleKind::Ip, "/24").1.contains("network"));
        assert_eq!(fault(RuleKind::Key, "123").0, None);
        assert_eq!(fault(RuleKind::Key, &"x".repeat(61)).0, Some(61));
        assert_eq!(fault(RuleKind::Path, "$.a..b").0, Some(5));
        assert!(fault(RuleKind::Key, &"é".repeat(40)).1.contains("63 bytes"));
        assert_eq!(fault(RuleKind::Pattern, "a\0").0, Some(2));
        assert!(fault(RuleKind::Pattern, "").1.contains("say which pattern"));
        assert!(fault(RuleKind::Key, " FINE ").1.contains("the same as rule 1"));
        let many: Vec<MaskRule> = (0..=MAX_RULES)
            .map(|nth| rule(RuleKind::Path, &format!("$.a{nth}")))
            .collect();
        let fault = check(&many).expect_err("too many");
        assert_eq!(fault.to_string(), "rule 101: a project has at most 100 rules");
        let at = RuleFault {
            rule: 1,
            place: Some(4),
            reason: "no".to_owned(),
        };
        assert_eq!(at.to_string(), "rule 2, character 4: no");
    }

    #[test]
    fn names_may_be_kept_and_people_masked() {
        let rules = [
            rule(RuleKind::Header, "!X-Api-Key"),
            rule(RuleKind::Key, "!token"),
            rule(RuleKind::Header, "!token"),
            rule(RuleKind::User, USER_EMAIL),
            rule(RuleKind::User, USER_ID),
            rule(RuleKind::Ip, IP_NETWORK),
        ];
        assert_eq!(check(&rules).expect("fine").len(), 6);
        let both = [rule(RuleKind::Ip, IP_NETWORK), rule(RuleKind::Ip, IP_WHOLE)];
        assert!(check(&both).expect_err("one way").reason.contains("rule 1 says already"));
    }

    #[test]
    fn kinds_survive_their_words() {
        for kind in RuleKind::ALL {
            assert_eq!(RuleKind::parse(kind.as_str()), Some(kind));
            assert_eq!(serde_json::to_value(kind).expect("a word"), kind.as_str());
        }
    }
}

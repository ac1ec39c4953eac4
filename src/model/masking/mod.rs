//! What a project masks beside the built-in names: its own rules, as people write and read them.
//!
//! To add a kind of rule: its word in [`RuleKind`], what it has to be in [`check_one`], and what it does in `server/ingest/mask`.

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
}

impl RuleKind {
    /// All of them, in the order that they are offered in.
    pub const ALL: [Self; 4] = [Self::Header, Self::Key, Self::Path, Self::Pattern];

    /// The word that the API and the database use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Key => "key",
            Self::Path => "path",
            Self::Pattern => "pattern",
        }
    }

    /// The words that people read.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Header => "Header",
            Self::Key => "Key name",
            Self::Path => "JSON path",
            Self::Pattern => "Pattern in text",
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
    /// The name, the path or the pattern.
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
        if let Some(same) = kept.iter().position(|other| is_same(other, &rule)) {
            return Err(fault(place, format!("it says the same as rule {}", same + 1)));
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
    }
}

/// A header's name is a token (RFC 9110, 5.6.2).
fn header_fault(name: &str) -> Option<(Option<usize>, String)> {
    let is_fine = |letter: char| letter.is_ascii_alphanumeric() || "#$%&'*+-.^_`|~".contains(letter);
    let place = name.chars().position(|letter| !is_fine(letter))?;
    let reason = "a header's name has only letters, digits and hyphens, as X-Customer-Email";
    Some((Some(place + 1), reason.to_owned()))
}

/// Names are compared by their letters: one without any would never be found.
fn key_fault(name: &str) -> Option<(Option<usize>, String)> {
    if name.starts_with('!') {
        let reason = "a rule adds a name; to take a built-in one out is for whoever runs the instance (AUDIT_LOG_MASK_KEYS)";
        return Some((Some(1), reason.to_owned()));
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

fn is_same(one: &MaskRule, other: &MaskRule) -> bool {
    one.kind == other.kind
        && match one.kind {
            RuleKind::Header | RuleKind::Key => one.text.eq_ignore_ascii_case(&other.text),
            RuleKind::Path | RuleKind::Pattern => one.text == other.text,
        }
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
        assert_eq!(fault(RuleKind::Header, "!X").0, Some(1));
        assert_eq!(fault(RuleKind::Key, "!token").0, Some(1));
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
    fn kinds_survive_their_words() {
        for kind in RuleKind::ALL {
            assert_eq!(RuleKind::parse(kind.as_str()), Some(kind));
            assert_eq!(serde_json::to_value(kind).expect("a word"), kind.as_str());
        }
    }
}

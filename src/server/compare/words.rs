//! Two values that differ, each with what of it is not in the other marked; what is long is cut around that.

use crate::model::compare::Side;
use crate::model::json_doc::Ink;

/// Letters that are shown of what is the same before and behind, and of what differs.
const AROUND: usize = 120;
const MOST: usize = 600;
/// Letters of a value that nothing is marked in.
const MOST_PLAIN: usize = 300;
/// Bytes that are looked at: past them all differs.
const LOOKED_AT: usize = 1 << 16;

/// A value that nothing is marked in.
pub(super) fn plain(name: Option<String>, value: &str, ink: Option<Ink>) -> Side {
    Side::plain(name, head(value, MOST_PLAIN), ink)
}

/// Both sides of a row whose values differ.
pub(super) fn differing(
    names: (Option<String>, Option<String>),
    values: (&str, &str),
    inks: (Option<Ink>, Option<Ink>),
) -> (Side, Side) {
    let (first, second) = values;
    let start = shared_start(first, second);
    let end = shared_end(&first[start..], &second[start..]);
    let side = |name, value: &str, ink| Side {
        name,
        lead: tail(&value[..start], AROUND),
        differing: head(&value[start..value.len() - end], MOST),
        trail: head(&value[value.len() - end..], AROUND),
        ink,
    };
    (side(names.0, first, inks.0), side(names.1, second, inks.1))
}

/// Bytes that both begin with, whole letters. Values that begin alike by chance (`12` and `19`) are marked whole: numbers and words are read as one.
fn shared_start(first: &str, second: &str) -> usize {
    let letters = first[..first.floor_char_boundary(LOOKED_AT)]
        .char_indices()
        .zip(second.chars());
    let (mut start, mut word) = (0, 0);
    for ((at, one), other) in letters {
        if one != other {
            break;
        }
        start = at + one.len_utf8();
        if !one.is_alphanumeric() {
            word = start;
        }
    }
    let goes_on = |text: &str| text[start..].chars().next().is_some_and(char::is_alphanumeric);
    if goes_on(first) || goes_on(second) { word } else { start }
}

fn shared_end(first: &str, second: &str) -> usize {
    let letters = first.chars().rev().zip(second.chars().rev());
    let (mut end, mut word) = (0, 0);
    for (one, other) in letters {
        if one != other || end > LOOKED_AT {
            break;
        }
        end += one.len_utf8();
        if !one.is_alphanumeric() {
            word = end;
        }
    }
    let goes_on = |text: &str| {
        text[..text.len() - end]
            .chars()
            .next_back()
            .is_some_and(char::is_alphanumeric)
    };
    if goes_on(first) || goes_on(second) { word } else { end }
}

fn head(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((cut, _)) => format!("{}… ({} more)", &text[..cut], text[cut..].chars().count()),
        None => text.to_owned(),
    }
}

fn tail(text: &str, most: usize) -> String {
    match text.char_indices().rev().nth(most) {
        Some((cut, letter)) => format!("…{}", &text[cut + letter.len_utf8()..]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn marked(first: &str, second: &str) -> (String, String) {
        let (one, other) = differing((None, None), (first, second), (None, None));
        let written = |side: &Side| format!("{}<{}>{}", side.lead, side.differing, side.trail);
        (written(&one), written(&other))
    }

    #[test]
    fn what_is_not_in_the_other_is_marked_by_whole_words() {
        for (first, second, one, other) in [
            ("12", "19", "<12>", "<19>"),
            ("to ada, please", "to grace, please", "to <ada>, please", "to <grace>, please"),
            ("a", "a b", "a<>", "a< b>"),
            ("", "x", "<>", "<x>"),
            (
                "2026-01-31T10:00:00Z",
                "2026-01-31T11:00:00Z",
                "2026-01-<31T10>:00:00Z",
                "2026-01-<31T11>:00:00Z",
            ),
            ("é/ü", "é/ö", "é/<ü>", "é/<ö>"),
            ("aa", "aaa", "<aa>", "<aaa>"),
        ] {
            assert_eq!(marked(first, second), (one.to_owned(), other.to_owned()));
        }
    }

    #[test]
    fn what_is_long_is_cut_around_what_differs() {
        let text = |word: &str| format!("{} {word} {}", "a".repeat(500), "b".repeat(500));
        let (one, _) = marked(&text("x"), &text("y"));
        assert!(
            one.starts_with("…aaa") && one.contains("<x>") && one.ends_with("bbb… (381 more)"),
            "{one}"
        );
        assert_eq!(
            plain(None, &"a".repeat(310), None).lead,
            format!("{}… (10 more)", "a".repeat(300))
        );
    }

    proptest! {
        #[test]
        fn the_pieces_are_the_value(first in "[ab é]{0,60}", second in "[ab é]{0,60}") {
            let (one, other) = differing((None, None), (&first, &second), (None, None));
            for (side, value) in [(&one, &first), (&other, &second)] {
                prop_assert_eq!(&format!("{}{}{}", side.lead, side.differing, side.trail), value);
            }
            prop_assert_eq!((&one.lead, &one.trail), (&other.lead, &other.trail));
            prop_assert_eq!(one.differing.is_empty() && other.differing.is_empty(), first == second);
        }
    }
}

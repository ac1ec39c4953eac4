//! What differs between a text and the same text masked: each change with a little of what stands around it.
//!
//! Masking replaces pieces and leaves the rest, so the two are walked along together: where they part, the masked one has a mask, and behind it they meet again.

use memchr::memmem;

use crate::model::masking::tried::Snippet;
use crate::server::ingest::mask::MASK;

/// Letters around a change.
const AROUND: usize = 40;
/// Letters of a change.
const MOST: usize = 120;
/// So many bytes behind a mask are the same in both, where they meet again.
const MEETING: usize = 16;

/// At most so many changes, before and after; and whether there are more.
pub(super) fn changes(before: &str, after: &str, most: usize) -> (Vec<(Snippet, Snippet)>, bool) {
    let mut changes = Vec::new();
    let (mut from, mut to) = (0, 0);
    while before[from..] != after[to..] {
        if changes.len() == most {
            return (changes, true);
        }
        let change = next(before, after, from, to);
        changes.push((
            snippet(before, change.before.start, change.before.end),
            snippet(after, change.after.start, change.after.end),
        ));
        (from, to) = (change.before.end, change.after.end);
    }
    (changes, false)
}

struct Change {
    before: std::ops::Range<usize>,
    after: std::ops::Range<usize>,
}

/// The first change behind these places.
fn next(before: &str, after: &str, from: usize, to: usize) -> Change {
    let same = before[from..]
        .char_indices()
        .zip(after[to..].chars())
        .find(|((_, one), other)| one != other)
        .map_or_else(|| before.len().min(from + after.len() - to) - from, |((at, _), _)| at);
    let rest = Change {
        before: from + same..before.len(),
        after: to + same..after.len(),
    };
    // A mask may begin before the place where the two part: "mail" and "masked".
    let earliest = (to + same).saturating_sub(MASK.len()).max(to);
    let earliest = (earliest..=to + same)
        .find(|at| after.is_char_boundary(*at))
        .unwrap_or(to + same);
    let Some(mask) = memmem::find(&after.as_bytes()[earliest..], MASK.as_bytes()).map(|found| earliest + found) else {
        return rest;
    };
    if mask > to + same + 1 {
        return rest;
    }
    let start = mask.min(to + same);
    let shared = to + same - start;
    // In JSON a mask that stands for a number or more brings its quotes along.
    let has_quote = start < mask && after[mask + MASK.len()..].starts_with('"');
    let end = mask + MASK.len() + usize::from(has_quote);
    let behind = &after[end..];
    let begin = from + same - shared;
    let meets = if behind.len() <= MEETING {
        before[begin..].ends_with(behind).then(|| before.len() - behind.len())
    } else {
        let mut probe = MEETING;
        while !behind.is_char_boundary(probe) {
            probe += 1;
        }
        memmem::find(&before.as_bytes()[begin..], &behind.as_bytes()[..probe]).map(|found| begin + found)
    };
    match meets {
        Some(meets) => Change {
            before: begin..meets,
            after: start..end,
        },
        None => rest,
    }
}

fn snippet(text: &str, start: usize, end: usize) -> Snippet {
    let before = &text[..start];
    let lead_from = before.char_indices().rev().nth(AROUND - 1).map_or(0, |(at, _)| at);
    let changed = &text[start..end];
    let cut = changed.char_indices().nth(MOST).map(|(at, _)| at);
    let behind = &text[end..];
    let trail_to = behind.char_indices().nth(AROUND).map_or(behind.len(), |(at, _)| at);
    let dots = |is: bool| if is { "…" } else { "" };
    Snippet {
        lead: format!("{}{}", dots(lead_from > 0), &before[lead_from..]),
        changed: format!("{}{}", &changed[..cut.unwrap_or(changed.len())], dots(cut.is_some())),
        trail: format!("{}{}", &behind[..trail_to], dots(trail_to < behind.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(before: &str, after: &str) -> Vec<(String, String)> {
        let (changes, more) = changes(before, after, 10);
        assert!(!more);
        let whole = |snippet: &Snippet| format!("{}<{}>{}", snippet.lead, snippet.changed, snippet.trail);
        changes.iter().map(|(before, after)| (whole(before), whole(after))).collect()
    }

    #[test]
    fn each_change_is_shown_with_what_stands_around_it() {
        for (before, after, expected) in [
            ("same", "same", vec![]),
            (
                "to ada@b.de, please",
                "to masked, please",
                vec![("to <ada@b.de>, please", "to <masked>, please")],
            ),
            ("mail", "masked", vec![("<mail>", "<masked>")]),
            ("mail x", "masked x", vec![("<mail> x", "<masked> x")]),
            (
                r#"{"a":123}"#,
                r#"{"a":"masked"}"#,
                vec![(r#"{"a":<123>}"#, r#"{"a":<"masked">}"#)],
            ),
            (
                r#"{"a":"123"}"#,
                r#"{"a":"masked"}"#,
                vec![(r#"{"a":"<123>"}"#, r#"{"a":"<masked>"}"#)],
            ),
            (
                "a1 and then something long b2",
                "masked and then something long masked",
                vec![
                    ("<a1> and then something long b2", "<masked> and then something long masked"),
                    ("a1 and then something long <b2>", "masked and then something long <masked>"),
                ],
            ),
            ("é1é", "émaskedé", vec![("é<1>é", "é<masked>é")]),
            ("x", "", vec![("<x>", "<>")]),
        ] {
            let expected: Vec<(String, String)> = expected
                .iter()
                .map(|(one, other)| ((*one).to_owned(), (*other).to_owned()))
                .collect();
            assert_eq!(shown(before, after), expected, "{before}");
        }
    }

    #[test]
    fn what_is_long_is_cut_and_said_to_be() {
        let before = format!("{}{}{}", "a".repeat(50), "b".repeat(200), "c".repeat(50));
        let after = format!("{}masked{}", "a".repeat(50), "c".repeat(50));
        let shown = shown(&before, &after);
        assert_eq!(shown.len(), 1);
        assert_eq!(
            shown[0].0,
            format!("…{}<{}…>{}…", "a".repeat(40), "b".repeat(120), "c".repeat(40))
        );
        let many = (
            format!("{}.", "1 and so on and so on, ".repeat(9)),
            format!("{}.", "masked and so on and so on, ".repeat(9)),
        );
        let (first, more) = changes(&many.0, &many.1, 3);
        assert_eq!((first.len(), more), (3, true));
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_masked_ends(before in "[ab1é \"]{0,40}", pieces in proptest::collection::vec((0_usize..40, 1_usize..5), 0..5)) {
            let letters: Vec<char> = before.chars().collect();
            let mut after = String::new();
            let mut at = 0;
            for (place, length) in pieces {
                if place >= at && place + length <= letters.len() {
                    after.extend(&letters[at..place]);
                    after.push_str(MASK);
                    at = place + length;
                }
            }
            after.extend(&letters[at..]);
            let (found, more) = changes(&before, &after, 50);
            proptest::prop_assert!(!more);
            proptest::prop_assert_eq!(found.is_empty(), before == after);
        }
    }
}

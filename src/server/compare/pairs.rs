//! Names and values beside each other: facts, headers, the arguments of a URL.

use super::words;
use crate::model::compare::{Look, Row, Section, Standing};

/// What two have under a name; `None` where one does not have it.
pub type Fact = (String, Option<String>, Option<String>);

/// A section of them; names that neither has are left out.
pub fn section(title: &str, facts: Vec<Fact>) -> Section {
    Section {
        title: title.to_owned(),
        look: Look::Pairs,
        rows: facts.into_iter().filter_map(row).collect(),
        notes: Vec::new(),
        differs_unseen: false,
    }
}

fn row((name, first, second): Fact) -> Option<Row> {
    let side = |value: &str| words::plain(Some(name.clone()), value, None);
    Some(match (first, second) {
        (None, None) => return None,
        (Some(first), None) => Row::only(Standing::First, 0, side(&first)),
        (None, Some(second)) => Row::only(Standing::Second, 0, side(&second)),
        (Some(first), Some(second)) if first == second => Row::same(0, side(&first), side(&second)),
        (Some(first), Some(second)) => {
            let names = (Some(name.clone()), Some(name));
            let (one, other) = words::differing(names, (&first, &second), (None, None));
            Row {
                standing: Standing::Changed,
                depth: 0,
                first: Some(one),
                second: Some(other),
            }
        }
    })
}

/// Two lists by name, in the order of the first, then of the second. A name that comes several times is told as often, each beside the one of its place;
/// `any_case` where case is no difference, as in headers.
pub fn by_name(first: &[(String, String)], second: &[(String, String)], any_case: bool) -> Vec<Fact> {
    let fold = |name: &str| {
        if any_case {
            name.to_ascii_lowercase()
        } else {
            name.to_owned()
        }
    };
    let mut facts: Vec<(String, Fact)> = Vec::new();
    for (name, value) in first {
        facts.push((fold(name), (name.clone(), Some(value.clone()), None)));
    }
    for (name, value) in second {
        let folded = fold(name);
        let free = facts
            .iter_mut()
            .find(|(known, (_, _, second))| *known == folded && second.is_none());
        if let Some((_, (_, _, second))) = free {
            *second = Some(value.clone());
            continue;
        }
        // Beside the others of its name, where there are some.
        let place = facts.iter().rposition(|(known, _)| *known == folded);
        let fact = (name.clone(), None, Some(value.clone()));
        facts.insert(place.map_or(facts.len(), |at| at + 1), (folded, fact));
    }
    facts.into_iter().map(|(_, fact)| fact).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        owned.collect()
    }

    fn told(facts: &[Fact]) -> Vec<(&str, Option<&str>, Option<&str>)> {
        let told = facts
            .iter()
            .map(|(name, first, second)| (name.as_str(), first.as_deref(), second.as_deref()));
        told.collect()
    }

    #[test]
    fn headers_are_one_by_name_in_any_case_and_repeats_stand_beside_each_other() {
        let first = list(&[
            ("A", "1"),
            ("Gone", "x"),
            ("Set-Cookie", "a"),
            ("Set-Cookie", "b"),
            ("Z", "1"),
        ]);
        let second = list(&[
            ("z", "1"),
            ("a", "1"),
            ("set-cookie", "a"),
            ("set-cookie", "c"),
            ("Set-Cookie", "d"),
            ("New", ""),
        ]);
        assert_eq!(
            told(&by_name(&first, &second, true)),
            [
                ("A", Some("1"), Some("1")),
                ("Gone", Some("x"), None),
                ("Set-Cookie", Some("a"), Some("a")),
                ("Set-Cookie", Some("b"), Some("c")),
                ("Set-Cookie", None, Some("d")),
                ("Z", Some("1"), Some("1")),
                ("New", None, Some("")),
            ]
        );
        assert_eq!(
            by_name(&list(&[("a", "1")]), &list(&[("A", "1")]), false).len(),
            2,
            "arguments have their case"
        );
    }

    #[test]
    fn a_row_says_how_its_sides_stand() {
        let some = |text: &str| Some(text.to_owned());
        let section = section(
            "Facts",
            vec![
                ("Same".to_owned(), some("a"), some("a")),
                ("Changed".to_owned(), some("a"), some("b")),
                ("Gone".to_owned(), some("a"), None),
                ("New".to_owned(), None, some("")),
                ("Neither".to_owned(), None, None),
            ],
        );
        let standings: Vec<Standing> = section.rows.iter().map(|row| row.standing).collect();
        assert_eq!(
            standings,
            [Standing::Same, Standing::Changed, Standing::First, Standing::Second]
        );
        assert_eq!(section.differences(), 1, "one after another they are one place");
    }
}

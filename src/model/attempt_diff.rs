//! What differs between two attempts of a sendout: outcome, timings, headers, and the answer's body line by line.
//!
//! To compare something else: a line in [`outcome`].

use super::format::{duration, size};
use super::sendout::AttemptFacts;

/// Steps of the search for equal lines at most; past it, a body is told as wholly another.
const MOST_STEPS: usize = 4_000_000;

/// A name whose value differs; `None` where an attempt does not have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// What.
    pub name: String,
    /// In the first attempt.
    pub first: Option<String>,
    /// In the second.
    pub second: Option<String>,
}

/// A part of two texts beside each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// So many lines that both have.
    Same(usize),
    /// A line that only the first has.
    First(String),
    /// A line that only the second has.
    Second(String),
}

/// What differs of how two attempts went: address, code, error, sizes and timings.
pub fn outcome(first: &AttemptFacts, second: &AttemptFacts) -> Vec<Changed> {
    let by = |attempt: &AttemptFacts| Some(if attempt.by_hand { "by hand" } else { "by the schedule" }.to_owned());
    let code = |attempt: &AttemptFacts| attempt.code.map(|code| code.to_string());
    let took = |pick: fn(&AttemptFacts) -> Option<i64>| (pick(first).map(duration), pick(second).map(duration));
    let both = |pick: &dyn Fn(&AttemptFacts) -> Option<String>| (pick(first), pick(second));
    let told = [
        ("Sent", both(&by)),
        ("Code", both(&code)),
        ("Error", both(&|attempt| attempt.error.clone())),
        ("Address", both(&|attempt| attempt.address.clone())),
        ("Answer's size", both(&|attempt| Some(size(attempt.response_bytes)))),
        ("In all", took(|attempt| Some(attempt.timings.total_us))),
        ("Resolve", took(|attempt| attempt.timings.resolve_us)),
        ("Connect", took(|attempt| attempt.timings.connect_us)),
        ("First byte", took(|attempt| attempt.timings.first_byte_us)),
    ];
    let changed = told.into_iter().filter(|(_, (first, second))| first != second);
    changed
        .map(|(name, (first, second))| Changed {
            name: name.to_owned(),
            first,
            second,
        })
        .collect()
}

/// What differs between two lists of headers, in the order of the first, then of the second. A header that came several times is told in one.
pub fn headers(first: &[(String, String)], second: &[(String, String)]) -> Vec<Changed> {
    let value = |headers: &[(String, String)], name: &str| {
        let values = headers.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        let values: Vec<&str> = values.map(|(_, value)| value.as_str()).collect();
        (!values.is_empty()).then(|| values.join(", "))
    };
    let mut out: Vec<Changed> = Vec::new();
    for (name, _) in first.iter().chain(second) {
        let (before, after) = (value(first, name), value(second, name));
        if before != after && !out.iter().any(|changed| changed.name.eq_ignore_ascii_case(name)) {
            out.push(Changed {
                name: name.clone(),
                first: before,
                second: after,
            });
        }
    }
    out
}

/// What differs between two bodies, line by line; empty where nothing does. JSON is compared as it is laid out, so that spaces are no difference.
pub fn bodies(first: &str, second: &str) -> Vec<Part> {
    let laid_out = |text: &str| {
        let json: Option<serde_json::Value> = serde_json::from_str(text).ok();
        json.and_then(|json| serde_json::to_string_pretty(&json).ok())
    };
    let (first, second) = match (laid_out(first), laid_out(second)) {
        (Some(first), Some(second)) => (first, second),
        _ => (first.to_owned(), second.to_owned()),
    };
    if first == second {
        return Vec::new();
    }
    lines(&first.lines().collect::<Vec<_>>(), &second.lines().collect::<Vec<_>>())
}

fn lines(first: &[&str], second: &[&str]) -> Vec<Part> {
    let head = first.iter().zip(second).take_while(|(one, other)| one == other).count();
    let (first, second) = (&first[head..], &second[head..]);
    let tail = first
        .iter()
        .rev()
        .zip(second.iter().rev())
        .take_while(|(one, other)| one == other)
        .count();
    let (first, second) = (&first[..first.len() - tail], &second[..second.len() - tail]);
    let mut out = Vec::new();
    same(&mut out, head);
    if first.len().saturating_mul(second.len()) <= MOST_STEPS {
        walk(first, second, &mut out);
    } else {
        out.extend(first.iter().map(|line| Part::First((*line).to_owned())));
        out.extend(second.iter().map(|line| Part::Second((*line).to_owned())));
    }
    same(&mut out, tail);
    out
}

fn same(out: &mut Vec<Part>, count: usize) {
    match out.last_mut() {
        _ if count == 0 => {}
        Some(Part::Same(before)) => *before += count,
        _ => out.push(Part::Same(count)),
    }
}

/// Along the longest common subsequence.
fn walk(first: &[&str], second: &[&str], out: &mut Vec<Part>) {
    let width = second.len() + 1;
    // How many lines are common from here to the end.
    let mut common = vec![0_u32; (first.len() + 1) * width];
    for (at, line) in first.iter().enumerate().rev() {
        for (beside, other) in second.iter().enumerate().rev() {
            common[at * width + beside] = if line == other {
                common[(at + 1) * width + beside + 1] + 1
            } else {
                common[(at + 1) * width + beside].max(common[at * width + beside + 1])
            };
        }
    }
    let (mut at, mut beside) = (0, 0);
    while at < first.len() || beside < second.len() {
        let (line, other) = (first.get(at), second.get(beside));
        match (line, other) {
            (Some(line), Some(other)) if line == other => {
                same(out, 1);
                (at, beside) = (at + 1, beside + 1);
            }
            (Some(line), _) if beside == second.len() || common[(at + 1) * width + beside] >= common[at * width + beside + 1] => {
                out.push(Part::First((*line).to_owned()));
                at += 1;
            }
            (_, Some(other)) => {
                out.push(Part::Second((*other).to_owned()));
                beside += 1;
            }
            (_, None) => break,
        }
    }
}

/// The two attempts that an address names, `compare=1,2` or an argument each; the last two where it names none that are there.
pub fn chosen(query: &str, attempts: &[AttemptFacts]) -> Option<(usize, usize)> {
    let named = super::query::pairs(query).filter(|(name, _)| name == "compare");
    let named: Vec<usize> = named
        .flat_map(|(_, value)| value.split(',').map(str::to_owned).collect::<Vec<_>>())
        .filter_map(|number| {
            let number: u32 = number.trim().parse().ok()?;
            attempts.iter().position(|attempt| attempt.number == number)
        })
        .collect();
    match (named.as_slice(), attempts.len()) {
        ([one, other, ..], _) => Some((*one, *other)),
        (_, 2..) => Some((attempts.len() - 2, attempts.len() - 1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::sendout::Timings;

    fn attempt(number: u32, code: Option<u16>, total_us: i64) -> AttemptFacts {
        AttemptFacts {
            number,
            at: 0,
            by_hand: false,
            code,
            error: code.is_none().then(|| "no answer within 10 s".to_owned()),
            timings: Timings {
                total_us,
                ..Timings::default()
            },
            address: None,
            request_headers: None,
            response_headers: None,
            response_body: None,
            response_bytes: 0,
            truncated: false,
            masked: false,
        }
    }

    fn changed(name: &str, first: Option<&str>, second: Option<&str>) -> Changed {
        Changed {
            name: name.to_owned(),
            first: first.map(str::to_owned),
            second: second.map(str::to_owned),
        }
    }

    #[test]
    fn only_what_differs_of_an_outcome_is_told() {
        let (first, second) = (attempt(1, None, 10_000_000), attempt(2, Some(200), 41_000));
        assert_eq!(
            outcome(&first, &second),
            [
                changed("Code", None, Some("200")),
                changed("Error", Some("no answer within 10 s"), None),
                changed("In all", Some("10.0 s"), Some("41 ms")),
            ]
        );
        assert_eq!(outcome(&first, &first), []);
    }

    #[test]
    fn headers_are_one_by_name_in_any_case() {
        let list = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect()
        };
        let first = list(&[("A", "1"), ("Gone", "x"), ("Set-Cookie", "a"), ("Set-Cookie", "b")]);
        let second = list(&[("a", "1"), ("set-cookie", "a"), ("New", "")]);
        assert_eq!(
            headers(&first, &second),
            [
                changed("Gone", Some("x"), None),
                changed("Set-Cookie", Some("a, b"), Some("a")),
                changed("New", None, Some("")),
            ]
        );
    }

    #[test]
    fn bodies_are_told_line_by_line_with_what_is_the_same_counted() {
        let part = |first: &str, second: &str| bodies(first, second);
        assert_eq!(
            part("a\nb\nc\nd", "a\nx\nc\nd\ne"),
            [
                Part::Same(1),
                Part::First("b".to_owned()),
                Part::Second("x".to_owned()),
                Part::Same(2),
                Part::Second("e".to_owned()),
            ]
        );
        assert_eq!(part("", "a"), [Part::Second("a".to_owned())]);
        assert_eq!(part("a", ""), [Part::First("a".to_owned())]);
        assert_eq!(
            part("{\"a\":1, \"b\":2}", "{ \"a\": 1,\"b\": 2 }"),
            [],
            "spaces of JSON are no difference"
        );
        assert!(part("{\"a\":1}", "{\"a\":2}").contains(&Part::Second("  \"a\": 2".to_owned())));
    }

    #[test]
    fn whatever_is_compared_both_texts_can_be_read_from_it() {
        let texts = ["", "a", "a\nb\na\nb", "b\na\nb\nc", "c\nc\na", "x\na\ny\nb\nz"];
        for first in texts {
            for second in texts {
                let (one, other): (Vec<&str>, Vec<&str>) = (first.lines().collect(), second.lines().collect());
                let (mut at, mut beside) = (0, 0);
                for part in lines(&one, &other) {
                    match part {
                        Part::Same(count) => {
                            assert_eq!(one[at..at + count], other[beside..beside + count]);
                            (at, beside) = (at + count, beside + count);
                        }
                        Part::First(line) => {
                            assert_eq!(line, one[at]);
                            at += 1;
                        }
                        Part::Second(line) => {
                            assert_eq!(line, other[beside]);
                            beside += 1;
                        }
                    }
                }
                assert_eq!((at, beside), (one.len(), other.len()), "{first:?} {second:?}");
            }
        }
    }

    #[test]
    fn bodies_too_long_to_be_searched_are_told_whole() {
        let text = |start: u32| {
            (start..start + 3_000)
                .map(|line| line.to_string())
                .collect::<Vec<_>>()
                .join("\n")
        };
        let parts = bodies(&text(0), &text(10_000));
        assert_eq!(parts.len(), 6_000);
    }

    #[test]
    fn the_last_two_are_compared_unless_others_are_named() {
        let three: Vec<AttemptFacts> = (1..=3).map(|number| attempt(number, Some(200), 1)).collect();
        assert_eq!(chosen("", &three), Some((1, 2)));
        assert_eq!(chosen("compare=1,3&tz=utc", &three), Some((0, 2)));
        assert_eq!(chosen("compare=3&compare=1", &three), Some((2, 0)));
        assert_eq!(chosen("compare=1,9", &three), Some((1, 2)));
        assert_eq!(chosen("compare=1,1", &three[..1]), Some((0, 0)));
        assert_eq!(chosen("", &three[..1]), None);
    }
}

//! One comparison of one field, as the reference has them: its operator, what it is compared with, and whether a cell holds it.
//!
//! To add an operator: a variant, its word in [`OPS`], and its arm in [`Test::holds`]; one that compares times is settled in `days.rs`.

use std::cmp::Ordering;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::cells::{Cell, text_of};
use super::days::read_time;
use crate::model::selection::{TimeRange, code_range};

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Op {
    In,
    NotIn,
    Is,
    IsNot,
    HasValue,
    IsUnknown,
    Contains,
    NotContain,
    StartsWith,
    EndsWith,
    MoreThan,
    LessThan,
    MoreThanEqual,
    LessThanEqual,
    After,
    Before,
    IsDaysAgo,
    IsDaysInFuture,
    MoreThanAgo,
    LessThanAgo,
    MoreThanFuture,
    LessThanFuture,
    Count,
    CountLess,
    CountMore,
    /// A time within one of the test's spans: what every comparison of times comes to, so that "a day ago" means the same however late it is read.
    Within,
}

/// The reference's words.
pub(super) const OPS: [(&str, Op); 25] = [
    ("$in", Op::In),
    ("$not_in", Op::NotIn),
    ("$is", Op::Is),
    ("$is_not", Op::IsNot),
    ("$has_value", Op::HasValue),
    ("$is_unknown", Op::IsUnknown),
    ("$contains", Op::Contains),
    ("$not_contain", Op::NotContain),
    ("$starts_with", Op::StartsWith),
    ("$ends_with", Op::EndsWith),
    ("$more_than", Op::MoreThan),
    ("$less_than", Op::LessThan),
    ("$more_than_equal", Op::MoreThanEqual),
    ("$less_than_equal", Op::LessThanEqual),
    ("$after", Op::After),
    ("$before", Op::Before),
    ("$is_days_ago", Op::IsDaysAgo),
    ("$is_days_in_future", Op::IsDaysInFuture),
    ("$more_than_ago", Op::MoreThanAgo),
    ("$less_than_ago", Op::LessThanAgo),
    ("$more_than_future", Op::MoreThanFuture),
    ("$less_than_future", Op::LessThanFuture),
    ("$count", Op::Count),
    ("$count_less", Op::CountLess),
    ("$count_more", Op::CountMore),
];

/// One comparison of one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Test {
    pub(super) field: String,
    pub(super) op: Op,
    pub(super) values: Vec<String>,
    /// Where [`Op::Within`] looks; no two of them touch.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) spans: Vec<TimeRange>,
}

impl Test {
    /// Whether a cell holds it.
    pub(super) fn holds(&self, cell: &Cell<'_>) -> bool {
        let text = text_of(cell).map(|text| String::from_utf8_lossy(&text).into_owned());
        let any = |test: &dyn Fn(&str, &str) -> bool| {
            text.as_deref()
                .is_some_and(|text| self.values.iter().any(|value| test(text, value)))
        };
        let compare = |test: &dyn Fn(Ordering) -> bool| any(&|text, value| by_number(text, value).is_some_and(test));
        let counted = |test: &dyn Fn(Ordering) -> bool| {
            let count = count_of(cell);
            let bounds = self.values.iter().filter_map(|value| value.parse::<usize>().ok());
            bounds.map(|bound| count.cmp(&bound)).any(test)
        };
        match self.op {
            Op::In | Op::Is => self.is_among(text.as_deref()),
            // A record without the field does not have the value.
            Op::NotIn | Op::IsNot => !self.is_among(text.as_deref()),
            Op::HasValue => text.is_some_and(|text| !text.is_empty()),
            Op::IsUnknown => text.is_none_or(|text| text.is_empty()),
            Op::Contains => any(&|text, value| text.to_lowercase().contains(&value.to_lowercase())),
            Op::NotContain => !any(&|text, value| text.to_lowercase().contains(&value.to_lowercase())),
            Op::StartsWith => any(&|text, value| text.starts_with(value)),
            Op::EndsWith => any(&|text, value| text.ends_with(value)),
            Op::MoreThan => compare(&Ordering::is_gt),
            Op::LessThan => compare(&Ordering::is_lt),
            Op::MoreThanEqual => compare(&Ordering::is_ge),
            Op::LessThanEqual => compare(&Ordering::is_le),
            Op::After => any(&|text, value| read_time(text) > read_time(value)),
            Op::Before => any(&|text, value| read_time(text) < read_time(value)),
            Op::Count => counted(&Ordering::is_eq),
            Op::CountLess => counted(&Ordering::is_lt),
            Op::CountMore => counted(&Ordering::is_gt),
            // The relative ones are spans by now.
            Op::Within
            | Op::IsDaysAgo
            | Op::IsDaysInFuture
            | Op::MoreThanAgo
            | Op::LessThanAgo
            | Op::MoreThanFuture
            | Op::LessThanFuture => {
                let at = text.as_deref().and_then(read_time);
                at.is_some_and(|at| self.spans.iter().any(|span| span.from <= at && at < span.to))
            }
        }
    }

    /// Whether it is a denial: of a field that stands in two places, both must then hold it.
    pub(super) const fn denies(&self) -> bool {
        matches!(self.op, Op::NotIn | Op::IsNot | Op::NotContain | Op::IsUnknown)
    }

    fn is_among(&self, text: Option<&str>) -> bool {
        let is = |value: &String| match (self.field.as_str(), text) {
            // Codes, classes and ranges of them, or that there was none: as lists filter.
            ("code" | "status_code" | "response_code", text) => is_code(value, text),
            (_, None) => false,
            ("status" | "operation_status" | "source" | "method", Some(text)) => text.eq_ignore_ascii_case(value),
            (_, Some(text)) => value == text,
        };
        self.values.iter().any(is)
    }
}

fn is_code(value: &str, text: Option<&str>) -> bool {
    match (code_range(value), text.and_then(|text| text.parse::<u16>().ok())) {
        (Some(None), code) => code.is_none(),
        (Some(Some((from, to))), Some(code)) => (from..=to).contains(&code),
        _ => false,
    }
}

/// As numbers where both are, else as texts.
fn by_number(text: &str, value: &str) -> Option<Ordering> {
    match (text.parse::<f64>(), value.parse::<f64>()) {
        (Ok(text), Ok(value)) => text.partial_cmp(&value),
        _ => Some(text.cmp(value)),
    }
}

/// How many things a field holds: the elements of a list; else one, or none where there is nothing.
fn count_of(cell: &Cell<'_>) -> usize {
    let single = usize::from(text_of(cell).is_some_and(|text| !text.is_empty() && *text != *b"null"));
    match cell {
        Cell::Json(json) => serde_json::from_slice::<Vec<IgnoredAny>>(json).map_or(single, |list| list.len()),
        _ => single,
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn test(field: &str, op: Op, value: &str) -> Test {
        Test {
            field: field.to_owned(),
            op,
            values: vec![value.to_owned()],
            spans: Vec::new(),
        }
    }

    #[test]
    fn things_are_counted() {
        let json = |text: &'static str| Cell::Json(Cow::Borrowed(text.as_bytes()));
        for (cell, count) in [
            (Cell::None, 0),
            (json("null"), 0),
            (json("[]"), 0),
            (json("[1, [2, 3], {\"a\": 4}]"), 3),
            (json("{\"a\": 1, \"b\": 2}"), 1),
            (Cell::Text(Cow::Borrowed("")), 0),
            (Cell::Text(Cow::Borrowed("a, b")), 1),
            (Cell::Number(7), 1),
        ] {
            for (op, holds) in [(Op::Count, count == 3), (Op::CountLess, count < 3), (Op::CountMore, false)] {
                assert_eq!(test("a", op, "3").holds(&cell), holds, "{op:?} {cell:?}");
            }
            assert_eq!(test("a", Op::CountMore, "0").holds(&cell), count > 0, "{cell:?}");
        }
    }

    #[test]
    fn codes_are_compared_as_lists_filter_them() {
        let code = |value: &str, cell: Cell<'_>| test("code", Op::In, value).holds(&cell);
        assert!(code("4xx", Cell::Number(404)) && code("400-404", Cell::Number(404)) && code("404", Cell::Number(404)));
        assert!(!code("5xx", Cell::Number(404)) && !code("none", Cell::Number(404)) && !code("4xx", Cell::None));
        assert!(code("none", Cell::None));
    }

    #[test]
    fn words_of_a_status_are_known_in_any_case() {
        let cell = Cell::Text(Cow::Borrowed("DONE"));
        assert!(test("status", Op::Is, "done").holds(&cell) && !test("type", Op::Is, "done").holds(&cell));
    }
}

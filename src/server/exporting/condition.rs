//! The reference's filters: `{"junction": "and", FIELD: {"conditions": {OP: [values]}}}`.
//!
//! What a list's own filter can say becomes part of the selection, and is found by index; the rest is looked at record by record.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::cells::{Cell, text_of};

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
}

const OPS: [(&str, Op); 16] = [
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
];

/// One comparison of one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Test {
    pub(super) field: String,
    pub(super) op: Op,
    pub(super) values: Vec<String>,
}

/// Comparisons of which all must hold, or one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    pub(super) one_is_enough: bool,
    pub(super) tests: Vec<Test>,
}

impl Condition {
    /// Whether a test reads one of these fields.
    pub(super) fn reads(&self, fields: &[&str]) -> bool {
        self.tests.iter().any(|test| fields.contains(&test.field.as_str()))
    }

    /// Reads the reference's filters; says what makes no sense.
    pub(super) fn read(filters: &Value) -> Result<Self, String> {
        let Value::Object(filters) = filters else {
            return Err("filters must be an object: {\"junction\": \"and\", FIELD: {\"conditions\": {…}}}".to_owned());
        };
        let mut condition = Self::default();
        for (field, filter) in filters {
            if field == "junction" {
                condition.one_is_enough = match filter.as_str().map(str::to_ascii_lowercase).as_deref() {
                    Some("and") => false,
                    Some("or") => true,
                    _ => return Err("junction must be and, or or".to_owned()),
                };
                continue;
            }
            let Some(Value::Object(conditions)) = filter.get("conditions") else {
                return Err(format!("{field} must be {{\"conditions\": {{\"$in\": […]}}}}"));
            };
            for (op, values) in conditions {
                condition.tests.push(test(field, op, values)?);
            }
        }
        Ok(condition)
    }

    /// Whether a record holds it; `cell` gives what a field says.
    pub(super) fn holds<'a>(&self, cell: impl Fn(&str) -> Cell<'a>) -> bool {
        let mut results = self.tests.iter().map(|test| test.holds(&cell(&test.field)));
        if self.one_is_enough && !self.tests.is_empty() {
            results.any(|holds| holds)
        } else {
            results.all(|holds| holds)
        }
    }
}

fn test(field: &str, op: &str, values: &Value) -> Result<Test, String> {
    let Some((_, known)) = OPS.iter().find(|(word, _)| *word == op) else {
        let words: Vec<&str> = OPS.iter().map(|(word, _)| *word).collect();
        return Err(format!("{field}: {op} is not known; known are {}", words.join(", ")));
    };
    let values = match values {
        Value::Array(values) => values.iter().map(value).collect::<Option<Vec<_>>>(),
        single => value(single).map(|value| vec![value]),
    };
    let values = values.ok_or_else(|| format!("{field}: {op} takes a list of texts or numbers"))?;
    let needs_values = !matches!(known, Op::HasValue | Op::IsUnknown);
    if needs_values && values.is_empty() {
        return Err(format!("{field}: {op} needs a value"));
    }
    if matches!(known, Op::After | Op::Before) && values.iter().any(|value| read_time(value).is_none()) {
        return Err(format!("{field}: {op} takes a time, as 2026-01-31T00:00:00Z"));
    }
    Ok(Test {
        field: field.to_owned(),
        op: *known,
        values,
    })
}

fn value(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// Milliseconds since 1970 of an ISO 8601 time or date (UTC).
pub fn read_time(text: &str) -> Option<i64> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time.as_millisecond());
    }
    let date: jiff::civil::DateTime = text
        .parse::<jiff::civil::Date>()
        .map(jiff::civil::DateTime::from)
        .or_else(|_| text.parse())
        .ok()?;
    let zoned = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(zoned.timestamp().as_millisecond())
}

impl Test {
    fn holds(&self, cell: &Cell<'_>) -> bool {
        let text = text_of(cell).map(|text| String::from_utf8_lossy(&text).into_owned());
        let is_among = |text: &str| self.values.iter().any(|value| value == text);
        let any = |test: &dyn Fn(&str, &str) -> bool| {
            text.as_deref()
                .is_some_and(|text| self.values.iter().any(|value| test(text, value)))
        };
        let compare = |test: &dyn Fn(std::cmp::Ordering) -> bool| {
            any(&|text, value| match (text.parse::<f64>(), value.parse::<f64>()) {
                (Ok(text), Ok(value)) => text.partial_cmp(&value).is_some_and(test),
                _ => test(text.cmp(value)),
            })
        };
        match self.op {
            Op::In | Op::Is => text.as_deref().is_some_and(is_among),
            // A record without the field does not have the value.
            Op::NotIn | Op::IsNot => !text.as_deref().is_some_and(is_among),
            Op::HasValue => text.is_some_and(|text| !text.is_empty()),
            Op::IsUnknown => text.is_none_or(|text| text.is_empty()),
            Op::Contains => any(&|text, value| text.to_lowercase().contains(&value.to_lowercase())),
            Op::NotContain => !any(&|text, value| text.to_lowercase().contains(&value.to_lowercase())),
            Op::StartsWith => any(&|text, value| text.starts_with(value)),
            Op::EndsWith => any(&|text, value| text.ends_with(value)),
            Op::MoreThan => compare(&std::cmp::Ordering::is_gt),
            Op::LessThan => compare(&std::cmp::Ordering::is_lt),
            Op::MoreThanEqual => compare(&std::cmp::Ordering::is_ge),
            Op::LessThanEqual => compare(&std::cmp::Ordering::is_le),
            Op::After => any(&|text, value| read_time(text) > read_time(value)),
            Op::Before => any(&|text, value| read_time(text) < read_time(value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use serde_json::json;

    use super::*;

    fn holds(filters: Value, fields: &[(&str, &str)]) -> bool {
        Condition::read(&filters).unwrap().holds(|field| {
            fields
                .iter()
                .find(|(name, _)| *name == field)
                .map_or(Cell::None, |(_, text)| Cell::Text(Cow::Owned((*text).to_owned())))
        })
    }

    #[test]
    fn every_comparison_means_what_it_says() {
        let record = [("channel", "API"), ("code", "404"), ("at", "2026-01-02T00:00:00.000Z")];
        for (op, value, expected) in [
            ("$in", json!(["API", "X"]), true),
            ("$not_in", json!(["API"]), false),
            ("$is_not", json!(["WEBSITE"]), true),
            ("$contains", json!(["ap"]), true),
            ("$not_contain", json!(["ap"]), false),
            ("$starts_with", json!("AP"), true),
            ("$ends_with", json!(["X"]), false),
            ("$has_value", json!([]), true),
            ("$is_unknown", json!([true]), false),
        ] {
            assert_eq!(
                holds(json!({"channel": {"conditions": {op: value}}}), &record),
                expected,
                "{op}"
            );
        }
        let code = |op: &str, value| holds(json!({"code": {"conditions": {op: [value]}}}), &record);
        assert!(code("$more_than", 99) && code("$less_than", 1000) && code("$more_than_equal", 404) && !code("$less_than", 404));
        let at = |op: &str, value| holds(json!({"at": {"conditions": {op: [value]}}}), &record);
        assert!(at("$after", "2026-01-01") && !at("$after", "2026-01-02") && at("$before", "2026-01-02T00:00:00.001Z"));
        assert!(holds(json!({"missing": {"conditions": {"$is_unknown": []}}}), &record));
    }

    #[test]
    fn junctions_of_any_case() {
        let two = |junction: &str| {
            holds(
                json!({"junction": junction, "a": {"conditions": {"$is": ["1"]}}, "b": {"conditions": {"$is": ["2"]}}}),
                &[("a", "1"), ("b", "3")],
            )
        };
        assert!(two("OR") && two("or") && !two("AND"));
        assert!(holds(json!({"junction": "or"}), &[]), "nothing is asked");
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        for filters in [
            json!([]),
            json!({"junction": "xor"}),
            json!({"a": 1}),
            json!({"a": {"conditions": {"$like": ["x"]}}}),
            json!({"a": {"conditions": {"$in": []}}}),
            json!({"a": {"conditions": {"$in": [null]}}}),
            json!({"a": {"conditions": {"$after": ["yesterday"]}}}),
        ] {
            assert!(Condition::read(&filters).is_err(), "{filters}");
        }
    }
}

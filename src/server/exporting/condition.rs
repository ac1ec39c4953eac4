//! The reference's filters: `{"junction": "and", FIELD: {"conditions": {OP: [values]}}}`.
//!
//! What a list's own filter can say becomes part of the selection, and is found by index; the rest is looked at record by record.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::cells::{Cell, time_text};
use super::compare::{OPS, Op, Test};
use super::days::{TIMES, is_of_times, read_time, spans};
use crate::model::selection::{LogSelection, OneOf};

/// Logs that a filter of the Logs tab means, or all but those.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pick {
    pub(super) selection: LogSelection,
    pub(super) without: bool,
}

/// Comparisons of which all must hold, or one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    pub(super) one_is_enough: bool,
    pub(super) tests: Vec<Test>,
    /// The same, in the words of the Logs tab.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) picks: Vec<Pick>,
}

impl Condition {
    /// Whether a test reads one of these fields.
    pub(super) fn reads(&self, fields: &[&str]) -> bool {
        self.tests.iter().any(|test| fields.contains(&test.field.as_str()))
    }

    /// Whether it looks for a text in what logs say.
    pub(super) fn searches(&self) -> bool {
        self.picks.iter().any(|pick| !pick.selection.text.is_empty())
    }

    /// Whether it asks who did something, in the words of the Logs tab.
    pub(super) fn asks_who(&self) -> bool {
        self.picks.iter().any(|pick| asks_who(&pick.selection))
    }

    /// Reads the reference's filters; says what makes no sense. Days are counted from `now_ms`.
    pub(super) fn read(filters: &Value, now_ms: i64) -> Result<Self, String> {
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
                condition.tests.push(test(field, op, values, now_ms)?);
            }
        }
        Ok(condition)
    }

    /// Whether a record holds it; `cell` gives what a field says, `is_meant` whether a selection of logs means it.
    pub(super) fn holds<'a>(&self, cell: impl Fn(&str) -> Cell<'a>, is_meant: impl Fn(&LogSelection) -> bool) -> bool {
        let tests = self.tests.iter().map(|test| holds(test, &cell));
        let picks = self.picks.iter().map(|pick| is_meant(&pick.selection) != pick.without);
        let mut results = tests.chain(picks);
        if self.one_is_enough && !(self.tests.is_empty() && self.picks.is_empty()) {
            results.any(|holds| holds)
        } else {
            results.all(|holds| holds)
        }
    }
}

/// Whether a selection asks who did something.
pub(super) fn asks_who(selection: &LogSelection) -> bool {
    let whose = [&selection.users, &selection.apps, &selection.client_apps];
    !whose.into_iter().all(OneOf::is_any)
}

/// A person is known by an address or by an id: either may be meant.
fn holds<'a>(test: &Test, cell: &impl Fn(&str) -> Cell<'a>) -> bool {
    let first = test.holds(&cell(&test.field));
    if test.field != "user" || first != test.denies() {
        return first;
    }
    test.holds(&cell("user_id"))
}

fn test(field: &str, op: &str, values: &Value, now_ms: i64) -> Result<Test, String> {
    let Some((_, known)) = OPS.iter().find(|(word, _)| *word == op) else {
        let words: Vec<&str> = OPS.iter().map(|(word, _)| *word).collect();
        return Err(format!("{field}: {op} is not known; known are {}", words.join(", ")));
    };
    let values = match values {
        Value::Array(values) => values.iter().map(value).collect::<Option<Vec<_>>>(),
        single => value(single).map(|value| vec![value]),
    };
    let mut values = values.ok_or_else(|| format!("{field}: {op} takes a list of texts or numbers"))?;
    let needs_values = !matches!(known, Op::HasValue | Op::IsUnknown);
    if needs_values && values.is_empty() {
        return Err(format!("{field}: {op} needs a value"));
    }
    check(*known, &values).map_err(|problem| format!("{field}: {op} {problem}"))?;
    let is_time = TIMES.contains(&field);
    if is_of_times(*known) && !is_time {
        return Err(format!("{field}: {op} compares times, and this is none"));
    }
    let told = |problem| format!("{field}: {op} {problem}");
    let spans = if is_time {
        spans(*known, &values, now_ms).map_err(told)?
    } else {
        None
    };
    if is_time && matches!(known, Op::In | Op::Is | Op::NotIn | Op::IsNot) {
        // The same time may be written in many ways; records have one.
        for value in &mut values {
            *value = read_time(value).map_or_else(|| std::mem::take(value), time_text);
        }
    }
    Ok(Test {
        field: field.to_owned(),
        op: if spans.is_some() { Op::Within } else { *known },
        values,
        spans: spans.unwrap_or_default(),
    })
}

/// What is compared with must be of the operator's kind.
fn check(op: Op, values: &[String]) -> Result<(), &'static str> {
    match op {
        Op::After | Op::Before if values.iter().any(|value| read_time(value).is_none()) => {
            Err("takes a time, as 2026-01-31T00:00:00Z")
        }
        Op::Count | Op::CountLess | Op::CountMore if values.iter().any(|value| value.parse::<usize>().is_err()) => {
            Err("takes a whole number")
        }
        _ => Ok(()),
    }
}

fn value(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use serde_json::json;

    use super::*;

    /// 2026-01-05T12:00:00Z.
    const NOW: i64 = 1_767_614_400_000;

    fn holds(filters: Value, fields: &[(&str, &str)]) -> bool {
        let cell = |field: &str| {
            fields
                .iter()
                .find(|(name, _)| *name == field)
                .map_or(Cell::None, |(_, text)| Cell::Text(Cow::Owned((*text).to_owned())))
        };
        Condition::read(&filters, NOW).unwrap().holds(cell, |_| false)
    }

    #[test]
    fn every_comparison_means_what_it_says() {
        let record = [
            ("channel", "API"),
            ("code", "404"),
            ("created_at", "2026-01-02T00:00:00.000Z"),
        ];
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
            ("$count", json!([1]), true),
            ("$count_less", json!(["1"]), false),
            ("$count_more", json!([0]), true),
        ] {
            assert_eq!(
                holds(json!({"channel": {"conditions": {op: value}}}), &record),
                expected,
                "{op}"
            );
        }
        let code = |op: &str, value| holds(json!({"code": {"conditions": {op: [value]}}}), &record);
        assert!(code("$more_than", 99) && code("$less_than", 1000) && code("$more_than_equal", 404) && !code("$less_than", 404));
        assert!(holds(json!({"missing": {"conditions": {"$is_unknown": []}}}), &record));
    }

    #[test]
    fn times_are_compared_with_times_and_with_days() {
        let record = [("created_at", "2026-01-02T00:00:00.000Z")];
        let at = |op: &str, value: Value| holds(json!({"created_at": {"conditions": {op: [value]}}}), &record);
        assert!(at("$after", json!("2026-01-01")) && !at("$after", json!("2026-01-02")));
        assert!(at("$before", json!("2026-01-02T00:00:00.001Z")));
        assert!(
            at("$is", json!("2026-01-02T01:00:00+01:00")),
            "another way to write the same time"
        );
        for (op, days, expected) in [
            ("$is_days_ago", 3, true),
            ("$is_days_ago", 2, false),
            ("$is_days_in_future", 3, false),
            ("$more_than_ago", 3, true),
            ("$more_than_ago", 4, false),
            ("$less_than_ago", 4, true),
            ("$less_than_ago", 3, false),
            ("$more_than", 3, true),
            ("$less_than", 3, false),
            ("$more_than_future", 0, false),
            ("$less_than_future", 9, false),
        ] {
            assert_eq!(at(op, json!(days)), expected, "{op} {days}");
            assert_eq!(at(op, json!(days.to_string())), expected, "{op} {days} as a text");
        }
        assert!(
            !holds(json!({"updated_at": {"conditions": {"$more_than_ago": [0]}}}), &record),
            "a time that is not there"
        );
    }

    #[test]
    fn a_person_is_found_by_address_and_by_id() {
        let record = [("user", "ada@example.com"), ("user_id", "usr_1")];
        let user = |op: &str, value: &str| holds(json!({"user": {"conditions": {op: [value]}}}), &record);
        assert!(user("$in", "usr_1") && user("$in", "ada@example.com") && !user("$in", "usr_2"));
        assert!(!user("$not_in", "usr_1") && !user("$not_in", "ada@example.com") && user("$not_in", "usr_2"));
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
            json!({"a": {"conditions": {"$is_days_ago": [1]}}}),
            json!({"a": {"conditions": {"$count": ["many"]}}}),
            json!({"created_at": {"conditions": {"$is_days_ago": [-1]}}}),
            json!({"created_at": {"conditions": {"$more_than": ["soon"]}}}),
        ] {
            assert!(Condition::read(&filters, NOW).is_err(), "{filters}");
        }
    }
}

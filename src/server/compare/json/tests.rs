//! What is told of two documents is both of them, and no more differs than does.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn rows_of(first: &str, second: &str) -> Vec<Row> {
    let (first, second) = (
        Document::read(first.as_bytes()).unwrap(),
        Document::read(second.as_bytes()).unwrap(),
    );
    let mut out = Rows::default();
    compare(&first, &second, &mut out);
    assert!(!out.more);
    out.rows
}

/// The rows as people read them: sign, depth, what the first says, what the second says where it is another.
fn written(first: &str, second: &str) -> Vec<String> {
    let side = |side: &Option<Side>| side.as_ref().map(line).unwrap_or_default();
    let written = rows_of(first, second).into_iter().map(|row| {
        let (one, other) = (side(&row.first), side(&row.second));
        let sign = row.standing.sign();
        let words = match row.standing {
            Standing::Same | Standing::First => one,
            Standing::Second => other,
            Standing::Changed => format!("{one} | {other}"),
        };
        format!("{sign}{}{words}", "  ".repeat(row.depth.into()))
    });
    written.collect()
}

fn line(side: &Side) -> String {
    let name = side.name.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
    format!("{name}{}{}{}", side.lead, side.differing, side.trail)
}

/// The document that the rows of one side are: commas stand wherever something follows.
fn put_together(rows: &[Row], pick: fn(&Row) -> Option<&Side>) -> Value {
    let lines: Vec<String> = rows.iter().filter_map(pick).map(line).collect();
    let mut text = String::new();
    for (place, line) in lines.iter().enumerate() {
        text.push_str(line);
        let opens = line.ends_with(['{', '[']) && !line.ends_with('"');
        let closes = lines.get(place + 1).is_none_or(|next| matches!(next.as_str(), "}" | "]"));
        if !opens && !closes {
            text.push(',');
        }
    }
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// A document with its members the other way round, and spaces.
fn turned(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members = members
                .iter()
                .rev()
                .map(|(name, value)| format!(" {} :\n{}", Value::from(name.as_str()), turned(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => format!("[ {} ]", items.iter().map(turned).collect::<Vec<_>>().join(" , ")),
        other => other.to_string(),
    }
}

#[test]
fn members_are_compared_by_name_and_lists_by_what_is_common() {
    assert_eq!(
        written(
            r#"{"id":"v_1","amount":100,"tags":["a","b","c"],"gone":null,"same":{"x":1}}"#,
            r#"{"same":{"x":1},"amount":250,"new":true,"tags":["a","x","c","d"],"id":"v_1"}"#
        ),
        [
            " {",
            r#"   "id": "v_1""#,
            r#"≠  "amount": 100 | "amount": 250"#,
            r#"+  "new": true"#,
            r#"   "tags": ["#,
            r#"     "a""#,
            r#"≠    "b" | "x""#,
            r#"     "c""#,
            r#"+    "d""#,
            "   ]",
            r#"−  "gone": null"#,
            r#"   "same": {"#,
            r#"     "x": 1"#,
            "   }",
            " }",
        ]
    );
}

#[test]
fn an_item_that_changed_within_is_compared_within() {
    let told = written(
        r#"[{"id":1,"n":"a"},{"id":2,"n":"b"}]"#,
        r#"[{"id":0,"n":"z"},{"id":1,"n":"a"},{"id":2,"n":"c"}]"#,
    );
    assert!(told.contains(&r#"≠    "n": "b" | "n": "c""#.to_owned()), "{told:#?}");
    assert_eq!(
        told.iter().filter(|row| row.starts_with('+')).count(),
        4,
        "the new item, whole: {told:#?}"
    );
}

#[test]
fn what_is_no_difference_and_what_is_one() {
    let differs = |first: &str, second: &str| rows_of(first, second).iter().any(|row| row.standing.differs());
    for (first, second) in [
        (r#"{"a":1,"b":2}"#, "{ \"b\" : 2,\n\"a\":1 }"),
        (r#""\u00e9\/""#, "\"é/\""),
        ("[]", "[ ]"),
        (r#"{"a":1,"a":2}"#, r#"{"a":1,"a":2}"#),
    ] {
        assert!(!differs(first, second), "{first} {second}");
    }
    for (first, second) in [
        ("1", "1.0"),
        ("10", "1e1"),
        ("\"1\"", "1"),
        ("null", "\"null\""),
        ("[]", "{}"),
        ("[1,2]", "[2,1]"),
        (r#"{"a":1,"a":2}"#, r#"{"a":2,"a":1}"#),
        (r#"{"a":{}}"#, r#"{"a":[1]}"#),
        ("{}", r#"{"":0}"#),
    ] {
        assert!(differs(first, second), "{first} {second}");
    }
}

#[test]
fn deep_and_long_documents_end() {
    let deep = |inner: &str| format!("{}{inner}{}", "[".repeat(5_000), "]".repeat(5_000));
    let rows = rows_of(&deep("1"), &deep("2"));
    assert_eq!(rows.iter().filter(|row| row.standing.differs()).count(), 1);
    assert!(rows.len() <= 2 * usize::from(DEEPEST) + 1, "{}", rows.len());
    let long = |last: u32| format!("[[{}0],{last}]", "1,".repeat(400));
    let rows = rows_of(&long(1), &long(2));
    assert_eq!(rows.len(), 6, "what is the same and long is told in a row: {rows:?}");
    let many = |from: u32| format!("[{}0]", (from..from + 5_000).map(|n| format!("{n},")).collect::<String>());
    let (first, second) = (many(0), many(10_000));
    let (first, second) = (
        Document::read(first.as_bytes()).unwrap(),
        Document::read(second.as_bytes()).unwrap(),
    );
    let mut out = Rows::default();
    compare(&first, &second, &mut out);
    assert!(out.more && out.rows.len() == MOST_ROWS);
    assert!(Document::read(b"[1,]").is_none() && Document::read(b"").is_none() && Document::read(b"1 2").is_none());
}

fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3_i64..3).prop_map(Value::from),
        "[ab\"\\\\é{]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("[abcd]{0,1}", inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_is_compared_both_documents_can_be_read_from_it(first in document(), second in document()) {
        let rows = rows_of(&first.to_string(), &turned(&second));
        prop_assert_eq!(&put_together(&rows, |row| row.first.as_ref()), &first);
        // Rows that are the same are shown in the first one's words.
        prop_assert_eq!(&put_together(&rows, |row| row.second.as_ref()), &second);
        prop_assert_eq!(rows.iter().all(|row| !row.standing.differs()), first == second);
    }

    #[test]
    fn the_same_document_however_it_is_written_differs_nowhere(document in document()) {
        let rows = rows_of(&document.to_string(), &turned(&document));
        prop_assert!(rows.iter().all(|row| !row.standing.differs()), "{:?}", rows);
    }
}

#[test]
fn masked_values_are_shown_as_they_are() {
    let told = written(
        &json!({"token": "masked"}).to_string(),
        &json!({"token": "masked", "b": 1}).to_string(),
    );
    assert!(told.contains(&r#"   "token": "masked""#.to_owned()), "{told:?}");
}

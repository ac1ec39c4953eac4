//! Masking as a whole: the properties that no example can prove.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

fn text(kind: BodyKind, content_type: Option<&str>, body: &str) -> String {
    let masked = MaskRules::default().body(kind, content_type, body.as_bytes()).bytes;
    masked.map_or_else(|| body.to_owned(), |bytes| String::from_utf8(bytes).unwrap())
}

fn json(body: &str) -> String {
    text(BodyKind::Json, None, body)
}

#[test]
fn values_of_every_type_go_whole() {
    for value in [
        "\"a\"",
        "\"a\\\"b\"",
        "1",
        "-1.5e3",
        "true",
        "{\"a\":{\"b\":\"}\"}}",
        "[[\"]\"],{}]",
        "{}",
    ] {
        assert_eq!(
            json(&format!("{{\"a\":1, \"password\" : {value} ,\"b\":[2]}}")),
            "{\"a\":1, \"password\" : \"masked\" ,\"b\":[2]}",
            "{value}"
        );
    }
    for value in ["null", "\"\""] {
        let body = format!("{{\"password\":{value}}}");
        assert_eq!(json(&body), body, "there is nothing to hide");
    }
}

#[test]
fn an_escaped_key_hides_nothing() {
    assert_eq!(
        json(r#"{"pass\u0077ord":"a","\u0074oken":1}"#),
        r#"{"pass\u0077ord":"masked","\u0074oken":"masked"}"#
    );
    assert_eq!(json(r#"{"a\"password":"a"}"#), r#"{"a\"password":"masked"}"#);
}

#[test]
fn keys_are_told_from_values() {
    let body = r#"{"a":"password","b":["token","secret"],"password_policy":"x","next_page_token":"abc"}"#;
    assert_eq!(json(body), body);
}

#[test]
fn json_in_a_string_is_masked_too() {
    assert_eq!(
        json(r#"{"payload":"{\"token\":\"a\",\"b\":\"\u00e9\"}"}"#),
        r#"{"payload":"{\"token\":\"masked\",\"b\":\"é\"}"}"#
    );
    let inner = serde_json::json!({ "x": serde_json::json!({ "pwd": "deep" }).to_string() }).to_string();
    let outer = serde_json::json!([inner]).to_string();
    assert!(!json(&outer).contains("deep"));
    let untouched = r#"["{\"b\":\"\u00e9\"}"]"#;
    assert_eq!(json(untouched), untouched);
}

#[test]
fn card_numbers_go_where_cards_are() {
    assert_eq!(json(r#"{"card":"4111 1111 1111 1111"}"#), r#"{"card":"masked"}"#);
    assert_eq!(
        json(r#"{"card":{"number":4111111111111111,"type":"visa","x":["4111-1111-1111-1111"]},"number":"4111111111111111"}"#),
        r#"{"card":{"number":"masked","type":"visa","x":["masked"]},"number":"4111111111111111"}"#
    );
    let no_card = r#"{"card":"4111111111111112","cc":"a@b.example","account":{"id":1234}}"#;
    assert_eq!(json(no_card), no_card);
}

#[test]
fn text_is_masked_for_what_it_is() {
    assert_eq!(text(BodyKind::Text, None, r#"{"token":"a"}"#), r#"{"token":"masked"}"#);
    assert_eq!(
        text(BodyKind::Text, None, "{\"token\":\"a\"}\n{\"token\":\"b\"}\n"),
        "{\"token\":\"masked\"}\n{\"token\":\"masked\"}\n"
    );
    assert_eq!(
        text(BodyKind::Text, Some("text/plain"), "it's 5\" wide\n{\"token\": \"a\"} and"),
        "it's 5\" wide\n{\"token\": \"masked\"} and"
    );
    assert_eq!(text(BodyKind::Text, None, "user=a&password=b"), "user=a&password=masked");
    assert_eq!(
        text(
            BodyKind::Text,
            Some("application/x-www-form-urlencoded; charset=utf-8"),
            "password=b"
        ),
        "password=masked"
    );
    assert_eq!(
        text(BodyKind::Binary, Some("application/json"), r#"{"token":"a"}"#),
        r#"{"token":"masked"}"#
    );
    assert_eq!(
        text(BodyKind::Text, None, "Hello, the token is over there."),
        "Hello, the token is over there."
    );
}

#[test]
fn a_body_that_was_cut_off_keeps_no_secret() {
    let whole = r#"{"a":"b","password":{"x":["abc","def"]},"c":"{\"token\":\"ghi\"}"}"#;
    for end in 0..whole.len() {
        let masked = text(BodyKind::Text, None, &whole[..end]);
        for secret in ["ab", "de", "gh"] {
            assert!(!masked.contains(secret), "{masked}");
        }
    }
}

#[test]
fn a_hundred_thousand_levels_are_counted() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let masked = MaskRules::default().body(BodyKind::Json, None, deep.as_bytes());
    assert_eq!(
        masked,
        MaskedBody {
            bytes: None,
            levels: 100_000
        }
    );
    let deep = format!("{}\"password\":\"x\"{}", "{\"a\":".repeat(50_000) + "{", "}".repeat(50_001));
    assert!(json(&deep).contains("\"password\":\"masked\""));
}

/// A tree to write as JSON twice: as it is, and as it has to be after masking.
#[derive(Clone, Debug)]
enum Tree {
    Scalar(String),
    Array(Vec<Tree>),
    Object(Vec<(String, Tree)>),
    Pair(Box<Pair>),
}

/// A name beside its value: what stands before, between and after them, and whether the value comes first.
#[derive(Clone, Debug)]
struct Pair {
    keys: (&'static str, &'static str),
    name: &'static str,
    value: Tree,
    others: [Vec<(String, Tree)>; 3],
    value_first: bool,
}

impl Pair {
    /// The members in their order, without and with the name's secret masked.
    fn members(&self, masked: bool) -> Vec<(String, Tree)> {
        let is_empty = matches!(&self.value, Tree::Scalar(text) if text == "\"\"");
        let is_masked = masked && !is_empty && SECRET_KEYS.contains(&self.name);
        let value = if is_masked {
            Tree::Scalar(JSON_MASK.to_owned())
        } else {
            self.value.clone()
        };
        let name = (self.keys.0.to_owned(), Tree::Scalar(format!("\"{}\"", self.name)));
        let mut halves = vec![name, (self.keys.1.to_owned(), value)];
        if self.value_first {
            halves.reverse();
        }
        let [before, between, after] = self.others.clone();
        let mut halves = halves.into_iter();
        before
            .into_iter()
            .chain(halves.next())
            .chain(between)
            .chain(halves)
            .chain(after)
            .collect()
    }
}

const SECRET_KEYS: &[&str] = &["password", "user_password", "accessToken", "pass\\u0077ord", "API-KEY", "cvc"];
const PLAIN_KEYS: &[&str] = &[
    "id",
    "next_page_token",
    "a\\\"b",
    "",
    "schlüssel",
    "tokens_used",
    "\\ud800",
    "nul\\u0000",
];

fn tree() -> impl Strategy<Value = Tree> {
    let string = "[ -~é]{0,12}".prop_map(|text| serde_json::Value::String(text).to_string());
    let number = any::<f64>()
        .prop_filter("JSON has no such number", |number| number.is_finite())
        .prop_map(|number| number.to_string());
    let word = prop::sample::select(vec![
        "true",
        "false",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "1E+2",
        "{}",
        "[]",
        "\"]}\\\\\"",
    ])
    .prop_map(str::to_owned);
    prop_oneof![string, number, word]
        .prop_map(Tree::Scalar)
        .prop_recursive(6, 64, 6, |inner| {
            let key = prop_oneof![prop::sample::select(SECRET_KEYS), prop::sample::select(PLAIN_KEYS)].prop_map(str::to_owned);
            let others = prop::collection::vec((key.clone(), inner.clone()), 0..2);
            let keys = (
                prop::sample::select(vec!["name", "Key", "FIELD", "param", "n\\u0061me"]),
                prop::sample::select(vec!["value", "Value", "v\\u0061lue"]),
            );
            let name = prop_oneof![prop::sample::select(SECRET_KEYS), prop::sample::select(PLAIN_KEYS)];
            let pair = (keys, name, inner.clone(), prop::array::uniform3(others), any::<bool>()).prop_map(
                |(keys, name, value, others, value_first)| {
                    Tree::Pair(Box::new(Pair {
                        keys,
                        name,
                        value,
                        others,
                        value_first,
                    }))
                },
            );
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Tree::Array),
                prop::collection::vec((key, inner), 0..6).prop_map(Tree::Object),
                pair
            ]
        })
}

/// Writes a tree, with white space that depends on the place; `masked` says whether secrets are written as they are.
fn write(tree: &Tree, masked: bool, spaces: &[&str], place: &mut usize, out: &mut String) {
    let mut space = |out: &mut String| {
        *place += 1;
        out.push_str(spaces[*place % spaces.len()]);
    };
    match tree {
        Tree::Scalar(text) => out.push_str(text),
        Tree::Pair(pair) => write(&Tree::Object(pair.members(masked)), masked, spaces, place, out),
        Tree::Array(items) => {
            out.push('[');
            for (nth, item) in items.iter().enumerate() {
                if nth > 0 {
                    out.push(',');
                }
                space(out);
                write(item, masked, spaces, &mut nth.clone(), out);
            }
            out.push(']');
        }
        Tree::Object(fields) => {
            out.push('{');
            for (nth, (key, value)) in fields.iter().enumerate() {
                if nth > 0 {
                    out.push(',');
                }
                space(out);
                out.push('"');
                out.push_str(key);
                out.push('"');
                space(out);
                out.push(':');
                space(out);
                let is_empty = matches!(value, Tree::Scalar(text) if text == "\"\"");
                if masked && SECRET_KEYS.contains(&key.as_str()) && !is_empty {
                    out.push_str(JSON_MASK);
                } else {
                    write(value, masked, spaces, &mut nth.clone(), out);
                }
            }
            out.push('}');
        }
    }
}

fn written(tree: &Tree, masked: bool, spaces: &[&str]) -> String {
    let mut out = String::new();
    write(tree, masked, spaces, &mut 0, &mut out);
    out
}

proptest! {
    #[test]
    fn secrets_go_and_every_other_byte_stays(tree in tree(), spaces in prop::sample::select(vec![vec![""], vec![" ", "", "\n\t"]])) {
        let body = written(&tree, false, &spaces);
        let expected = written(&tree, true, &spaces);
        prop_assert_eq!(json(&body), expected.clone());
        prop_assert_eq!(json(&expected), expected);
    }

    #[test]
    fn any_text_at_all_is_read_and_masking_twice_is_masking_once(body in "[\\PC\"{}\\[\\]:,\\\\ =&?#@/]{0,60}|(\"(password|token|card|a|name|value)\"|[:{}\\[\\],\"0-9\\\\ u]){0,24}") {
        for kind in [BodyKind::Text, BodyKind::Json, BodyKind::Binary] {
            for content_type in [None, Some("application/x-www-form-urlencoded"), Some("multipart/form-data; boundary=x"), Some("text/plain")] {
                let once = text(kind, content_type, &body);
                prop_assert_eq!(text(kind, content_type, &once), once.clone());
            }
        }
        let rules = MaskRules::default();
        let url = rules.url(&body).unwrap_or_else(|| body.clone());
        prop_assert_eq!(rules.url(&url), None);
        for name in ["authorization", "cookie", "set-cookie", "referer", "x-api-key"] {
            let value = rules.header(name, &body).unwrap_or_else(|| body.clone());
            prop_assert_eq!(rules.header(name, &value), None);
        }
    }

    #[test]
    fn any_bytes_at_all_are_read(body in prop::collection::vec(any::<u8>(), 0..200)) {
        for content_type in [None, Some("application/json"), Some("application/x-www-form-urlencoded"), Some("multipart/mixed")] {
            MaskRules::default().body(BodyKind::Binary, content_type, &body);
        }
    }
}

//! A project's own rules as a whole: examples of each format, and the properties that no example can prove.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use regex_automata::meta::Regex;
use serde_json::{Value, json};

use super::*;
use crate::server::corpus::{harmed, kept};

fn rule(kind: RuleKind, text: &str) -> MaskRule {
    MaskRule {
        kind,
        text: text.to_owned(),
        note: String::new(),
    }
}

fn rules(of: &[(RuleKind, &str)]) -> MaskRules {
    let rules: Vec<MaskRule> = of.iter().map(|(kind, text)| rule(*kind, text)).collect();
    MaskRules::of_project(&[], &rules).unwrap()
}

fn body(rules: &MaskRules, kind: BodyKind, content_type: Option<&str>, body: &str) -> String {
    let masked = rules.body(kind, content_type, body.as_bytes()).bytes;
    let once = masked.map_or_else(|| body.to_owned(), |bytes| String::from_utf8(bytes).unwrap());
    let twice = rules.body(kind, content_type, once.as_bytes()).bytes;
    assert_eq!(twice, None, "masking twice changes nothing: {body} {once}");
    once
}

fn json_by(of: &[(RuleKind, &str)], text: &str) -> String {
    body(&rules(of), BodyKind::Json, None, text)
}

const MAIL: (RuleKind, &str) = (RuleKind::Pattern, r"[\w.+-]+@[\w-]+(\.[\w-]+)+");

#[test]
fn names_of_headers_and_keys_join_the_built_in_ones() {
    let own = rules(&[(RuleKind::Header, "X-Mail"), (RuleKind::Key, "address")]);
    assert_eq!(own.header("x-mail", "a").as_deref(), Some("masked"));
    assert_eq!(own.header("x-home-address", "a").as_deref(), Some("masked"));
    assert_eq!(own.header("Authorization", "Bearer a").as_deref(), Some("Bearer masked"));
    assert_eq!(own.url("/?address=a&mail=b").as_deref(), Some("/?address=masked&mail=b"));
    let text = r#"{"mail":"a","homeAddress":{"line1":"b"},"name":"X-Mail","value":"c","password":"d"}"#;
    assert_eq!(
        body(&own, BodyKind::Json, None, text),
        r#"{"mail":"a","homeAddress":"masked","name":"X-Mail","value":"masked","password":"masked"}"#
    );
}

#[test]
fn a_project_keeps_built_in_names_but_none_of_the_instance_s() {
    let kept = [
        rule(RuleKind::Key, "!token"),
        rule(RuleKind::Header, "!X-Api-Key"),
        rule(RuleKind::Header, "!x-amz-credential"),
    ];
    let own = MaskRules::of_project(&[], &kept).unwrap();
    assert_eq!(
        (
            own.header("X-Api-Key", "a"),
            own.header("x-amz-credential", "a"),
            own.header("X-Token", "a")
        ),
        (None, None, None)
    );
    assert_eq!(own.header("X-Secret", "a").as_deref(), Some("masked"));
    // A header that is kept is one: keys of its name are masked as ever.
    let text = r#"{"token":"a","refreshToken":"b","x-api-key":"c","name":"token","value":"d","tokens":"e"}"#;
    assert_eq!(
        body(&own, BodyKind::Json, None, text),
        r#"{"token":"a","refreshToken":"b","x-api-key":"masked","name":"token","value":"d","tokens":"masked"}"#
    );
    let configured = ["token".to_owned(), "X-Amz-Credential".to_owned(), "api_key".to_owned()];
    let own = MaskRules::of_project(&configured, &kept).unwrap();
    for name in ["X-Token", "X-Api-Key", "x-amz-credential"] {
        assert_eq!(own.header(name, "a").as_deref(), Some("masked"), "{name}");
    }
    assert_eq!(body(&own, BodyKind::Json, None, r#"{"token":"a"}"#), r#"{"token":"masked"}"#);
}

#[test]
fn a_path_masks_one_value_whatever_it_is() {
    let text = r#"{"customer": {"address":{"line1" : "a","line2":"b"}, "id":1}, "items":[{"note":"c","x":[1,2]}, {"note":null},{"note":""} ,{"note":{"a":["]"]}}], "line1":"d"}"#;
    let masked = json_by(
        &[
            (RuleKind::Path, "$.customer.address.line1"),
            (RuleKind::Path, "$.items[*].note"),
            (RuleKind::Path, "$['items'][0].x[1]"),
        ],
        text,
    );
    assert_eq!(
        masked,
        r#"{"customer": {"address":{"line1" : "masked","line2":"b"}, "id":1}, "items":[{"note":"masked","x":[1,"masked"]}, {"note":null},{"note":""} ,{"note":"masked"}], "line1":"d"}"#
    );
    assert_eq!(json_by(&[(RuleKind::Path, "$[0]")], "[ true ,true]"), "[ \"masked\" ,true]");
    assert_eq!(
        json_by(&[(RuleKind::Path, "$.a")], r#"{"\u0061":1,"b":{"a":2}}"#),
        r#"{"\u0061":"masked","b":{"a":2}}"#
    );
    assert_eq!(
        json_by(&[(RuleKind::Path, "$.*.a")], r#"{"x":{"a":1},"y":[{"a":2}]}"#),
        r#"{"x":{"a":"masked"},"y":[{"a":2}]}"#
    );
}

#[test]
fn a_path_is_followed_in_every_value_of_a_text_and_in_one_that_was_cut_off() {
    let own = rules(&[(RuleKind::Path, "$.a.b")]);
    assert_eq!(
        body(&own, BodyKind::Text, None, "{\"a\":{\"b\":1}}\n{\"a\":{\"b\":[2]}}\n"),
        "{\"a\":{\"b\":\"masked\"}}\n{\"a\":{\"b\":\"masked\"}}\n"
    );
    let whole = r#"{"x":[1,{"y":"z"}],"a":{"b":{"secret thing":["abc"]}}}"#;
    for end in 0..whole.len() {
        let masked = body(&own, BodyKind::Text, Some("application/json"), &whole[..end]);
        assert!(!masked.contains("secret") && !masked.contains("abc"), "{masked}");
    }
}

#[test]
fn of_a_text_goes_what_a_pattern_matches() {
    assert_eq!(
        json_by(
            &[MAIL],
            r#"{"ada@example.com":"to ada@example.com, \"grace\u0040example.org\"","n":[true,null,12]}"#
        ),
        r#"{"ada@example.com":"to masked, \"masked\"","n":[true,null,12]}"#,
        "keys stay"
    );
    assert_eq!(
        json_by(&[(RuleKind::Pattern, r"^\d{4}$")], r#"["1234","a 1234",1234,12345,-1.5e3]"#),
        r#"["masked","a 1234","masked",12345,-1.5e3]"#,
        "a number goes whole"
    );
    assert_eq!(json_by(&[(RuleKind::Pattern, "4111")], "4111111111111111"), "\"masked\"");
    let inner = json!({ "mail": "ada\u{40}example.com", "n": 4111 })
        .to_string()
        .replace('@', "\\u0040");
    let outer = json!({ "payload": inner }).to_string();
    let masked = json_by(&[MAIL, (RuleKind::Pattern, "4111")], &outer);
    let read: Value = serde_json::from_str(&masked).unwrap();
    let read: Value = serde_json::from_str(read["payload"].as_str().unwrap()).unwrap();
    assert_eq!(read, json!({ "mail": "masked", "n": "masked" }), "JSON in a text, too");
}

#[test]
fn text_is_read_for_what_it_is() {
    let own = rules(&[MAIL]);
    let of = |content_type: Option<&str>, text: &str| body(&own, BodyKind::Text, content_type, text);
    assert_eq!(
        of(None, "from ada@example.com\nto grace@example.org"),
        "from masked\nto masked"
    );
    assert_eq!(
        of(None, "[info] ada@example.com said \"hi\" 12"),
        "[info] masked said \"hi\" 12"
    );
    assert_eq!(
        of(Some("application/json"), r#"{"a":"ada\u0040example.com","b":"gra"#),
        r#"{"a":"masked","b":"gra"#
    );
    assert_eq!(of(None, "mail=ada%40example.com&x=a+b"), "mail=masked&x=a+b");
    assert_eq!(
        of(
            Some("application/x-www-form-urlencoded"),
            "p=%7B%22m%22%3A%22ada%40example.com%22%7D"
        ),
        "p=%7B%22m%22%3A%22masked%22%7D"
    );
    assert_eq!(
        of(
            Some("application/xml"),
            "<a m=\"ada&#64;example.com\">x ada@example.com<b/></a>"
        ),
        "<a m=\"masked\">x masked<b/></a>"
    );
    let greedy = rules(&[(RuleKind::Pattern, r"\S+@\S+")]);
    assert_eq!(
        body(&greedy, BodyKind::Text, Some("text/xml"), "<a>a@b</a><a>c</a>"),
        "<a>masked</a><a>c</a>"
    );
    assert_eq!(
        body(&greedy, BodyKind::Text, Some("text/html"), "<p class=\"x\">a@b</p>"),
        "<p class=\"x\">masked</p>"
    );
    let form = "--x\r\nContent-Disposition: form-data; name=\"m\"; filename=\"a@b.txt\"\r\n\r\nto a@b\r\n--x--\r\n";
    assert_eq!(
        body(
            &rules(&[(RuleKind::Pattern, r"\w+@\w+")]),
            BodyKind::Text,
            Some("multipart/form-data; boundary=x"),
            form
        ),
        form.replace("a@b", "masked")
    );
    let of_bytes = |bytes: &[u8]| own.body(BodyKind::Binary, None, bytes).bytes;
    assert_eq!(of_bytes(b"to ada@example.com").as_deref(), Some(&b"to masked"[..]));
    assert_eq!(of_bytes(b"\xff ada@example.com"), None, "what is no text stays");
}

#[test]
fn urls_and_headers_are_texts_too() {
    let own = rules(&[MAIL, (RuleKind::Pattern, r"^\d{4}$")]);
    assert_eq!(
        own.url("/v1/customers/ada%40example.com/x?m=grace@example.org&pin=1234&n=12345#a=1")
            .as_deref(),
        Some("/v1/customers/masked/x?m=masked&pin=masked&n=12345#a=1")
    );
    assert_eq!(own.url("/v1/x?a=b"), None);
    assert_eq!(own.header("X-From", "Ada <ada@example.com>").as_deref(), Some("Ada <masked>"));
    assert_eq!(own.header("X-From", "ada%40example.com").as_deref(), Some("masked"));
    assert_eq!(
        own.header("Authorization", "Bearer ada@example.com").as_deref(),
        Some("Bearer masked")
    );
    assert_eq!(
        own.text("row 3: ada@example.com has no code").as_deref(),
        Some("row 3: masked has no code")
    );
}

#[test]
fn paths_of_an_events_data_begin_at_it_or_around_it() {
    let own = rules(&[(RuleKind::Path, "$.data.a"), (RuleKind::Path, "$.b")]);
    let masked = own.json_member("data", br#"{"a":1,"b":2,"data":{"a":3}}"#).bytes.unwrap();
    assert_eq!(
        String::from_utf8(masked).unwrap(),
        r#"{"a":"masked","b":"masked","data":{"a":"masked"}}"#
    );
    let none = rules(&[]).json_member("data", br#"{"token":1}"#).bytes.unwrap();
    assert_eq!(none, br#"{"token":"masked"}"#);
}

#[test]
fn a_fault_names_the_rule() {
    let fault = |of: &[(RuleKind, &str)]| {
        let rules: Vec<MaskRule> = of.iter().map(|(kind, text)| rule(*kind, text)).collect();
        MaskRules::of_project(&[], &rules).unwrap_err()
    };
    let of_pattern = fault(&[(RuleKind::Key, "a"), MAIL, (RuleKind::Path, "$.a"), (RuleKind::Pattern, "a(")]);
    assert_eq!((of_pattern.rule, of_pattern.place), (3, Some(2)));
    let of_path = fault(&[MAIL, (RuleKind::Path, "a")]);
    assert_eq!((of_path.rule, of_path.place), (1, Some(1)));
}

/// Patterns that meet what masking makes, each other, edges and escapes.
const PATTERNS: &[&str] = &[
    r"\d+", r"\d", "[a-c]@", r"\w+@\w+", "^a", "e$", "(?m)^b", "a", "ask", "masked", "masked.", ".masked", "d1", "kedm",
    "(?i)PASS", ".*x|y", "\"", ":", "[{}]", ",", r"\\", " +", "=", "&", r"\bab\b", "é", "%", "<", "name", "S",
];
const PATHS: &[&str] = &["$.a", "$.b.a", "$[*].a", "$[1]", "$.*", "$.a[0]", "$['a b']"];

fn some_rules() -> impl Strategy<Value = Vec<MaskRule>> {
    let pattern = prop::sample::select(PATTERNS).prop_map(|text| rule(RuleKind::Pattern, text));
    let path = prop::sample::select(PATHS).prop_map(|text| rule(RuleKind::Path, text));
    let name = prop::sample::select(&["a", "mail", "pin", "b1"][..]).prop_map(|text| rule(RuleKind::Key, text));
    let header = prop::sample::select(&["x-a", "referer", "b"][..]).prop_map(|text| rule(RuleKind::Header, text));
    let any = prop_oneof![4 => pattern, 2 => path, 1 => name, 1 => header];
    prop::collection::vec(any, 1..5).prop_map(|mut rules| {
        let mut seen = HashSet::new();
        rules.retain(|rule| seen.insert((rule.kind, rule.text.clone())));
        rules
    })
}

fn any_json() -> impl Strategy<Value = Value> {
    let text = "([abce@1 xy\"\\\\:{}é]|masked|pass|SPIN|name){0,6}";
    let leaf = prop_oneof![
        text.prop_map(Value::from),
        (-2_000_i64..2_000).prop_map(Value::from),
        Just(Value::Null),
        Just(Value::Bool(true)),
        text.prop_map(|text| json!({ "a": text, "1": 1 }).to_string().into()),
    ];
    let key = prop::sample::select(vec!["a", "b", "a b", "mail", "password", "name", "value", "1@c", "card"]);
    leaf.prop_recursive(5, 32, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..5).prop_map(|fields| fields
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect::<Value>()),
        ]
    })
}

/// Fails where a pattern matches outside of masks.
fn nothing_remains(patterns: &[Regex], text: &str) -> Result<(), TestCaseError> {
    let masks: Vec<_> = text.match_indices(MASK).map(|(at, _)| at..at + MASK.len()).collect();
    for pattern in patterns {
        for found in pattern.find_iter(text) {
            let is_hidden = masks
                .iter()
                .any(|mask| mask.start <= found.start() && found.end() <= mask.end);
            prop_assert!(is_hidden, "{:?} remains in {text:?}", &text[found.range()]);
        }
    }
    Ok(())
}

/// The same of every text and number of a JSON value.
fn nothing_remains_in(patterns: &[Regex], value: &Value) -> Result<(), TestCaseError> {
    match value {
        Value::String(text) => nothing_remains(patterns, text),
        Value::Number(number) => nothing_remains(patterns, &number.to_string()),
        Value::Array(items) => items.iter().try_for_each(|item| nothing_remains_in(patterns, item)),
        Value::Object(fields) => fields.values().try_for_each(|field| nothing_remains_in(patterns, field)),
        Value::Null | Value::Bool(_) => Ok(()),
    }
}

fn regexes(rules: &[MaskRule]) -> Vec<Regex> {
    let patterns = rules.iter().filter(|rule| rule.kind == RuleKind::Pattern);
    patterns.map(|rule| Regex::new(&rule.text).unwrap()).collect()
}

/// What stands at a path, as many as there are.
fn at_path<'v>(value: &'v Value, steps: &[masking::path::Step], found: &mut Vec<&'v Value>) {
    use masking::path::Step;
    let Some((step, rest)) = steps.split_first() else {
        return found.push(value);
    };
    match (step, value) {
        (Step::Name(name), Value::Object(fields)) => fields.get(name).into_iter().for_each(|field| at_path(field, rest, found)),
        (Step::Place(place), Value::Array(items)) => items
            .get(*place as usize)
            .into_iter()
            .for_each(|item| at_path(item, rest, found)),
        (Step::Every, Value::Array(items)) => items.iter().for_each(|item| at_path(item, rest, found)),
        (Step::Every, Value::Object(fields)) => fields.values().for_each(|field| at_path(field, rest, found)),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn json_stays_json_nothing_remains_and_twice_is_once(rules in some_rules(), value in any_json(), is_pretty in any::<bool>()) {
        let own = MaskRules::of_project(&[], &rules).unwrap();
        let text = if is_pretty { serde_json::to_string_pretty(&value).unwrap() } else { value.to_string() };
        let once = own.body(BodyKind::Json, None, text.as_bytes()).bytes.unwrap_or_else(|| text.clone().into_bytes());
        prop_assert_eq!(own.body(BodyKind::Json, None, &once).bytes, None);
        let read: Value = serde_json::from_slice(&once).map_err(|error| TestCaseError::fail(format!("{error}: {}", String::from_utf8_lossy(&once))))?;
        nothing_remains_in(&regexes(&rules), &read)?;
        for rule in rules.iter().filter(|rule| rule.kind == RuleKind::Path) {
            let mut found = Vec::new();
            at_path(&read, &masking::path::read(&rule.text).unwrap(), &mut found);
            for value in found {
                prop_assert!(*value == json!(MASK) || value.is_null() || *value == json!(""), "{} left {value}", rule.text);
            }
        }
    }

    #[test]
    fn any_text_at_all_is_masked_once_and_for_all(
        rules in some_rules(),
        text in "[\\PC\"{}\\[\\]:,\\\\ =&?#@/]{0,40}|(\"(password|token|a|name|value|SPIN)\"|masked|a@b|ab|[:{}\\[\\],\"0-9\\\\ u%&;<>=xyé\n]){0,20}",
    ) {
        let own = MaskRules::of_project(&[], &rules).unwrap();
        let patterns = regexes(&rules);
        for kind in [BodyKind::Text, BodyKind::Json, BodyKind::Binary] {
            for content_type in [None, Some("application/x-www-form-urlencoded"), Some("multipart/form-data; boundary=x"), Some("text/plain"), Some("text/xml"), Some("text/html")] {
                let once = own.body(kind, content_type, text.as_bytes()).bytes.unwrap_or_else(|| text.clone().into_bytes());
                prop_assert_eq!(own.body(kind, content_type, &once).bytes, None, "{:?} {:?} {}", kind, content_type, String::from_utf8_lossy(&once));
            }
        }
        let plain = own.body(BodyKind::Text, Some("text/plain"), text.as_bytes()).bytes.unwrap_or_else(|| text.clone().into_bytes());
        let plain = String::from_utf8(plain).unwrap();
        if !(looks_like_json(plain.as_bytes()) && super::own::is_json(plain.as_bytes())) {
            nothing_remains(&patterns, &plain)?;
        }
        let url = own.url(&text).unwrap_or_else(|| text.clone());
        prop_assert_eq!(own.url(&url), None);
        nothing_remains(&patterns, &url)?;
        for name in ["authorization", "cookie", "referer", "x-a", "x-api-key", "accept"] {
            let value = own.header(name, &text).unwrap_or_else(|| text.clone());
            prop_assert_eq!(own.header(name, &value), None);
            nothing_remains(&patterns, &value)?;
        }
    }

    #[test]
    fn without_rules_nothing_is_different(
        value in any_json(),
        text in "[\\PC\"{}\\[\\]:,\\\\ =&?#@/]{0,40}",
    ) {
        let (own, plain) = (MaskRules::of_project(&[], &[]).unwrap(), MaskRules::default());
        prop_assert!(own.own.is_none());
        for body in [value.to_string(), text.clone()] {
            for kind in [BodyKind::Text, BodyKind::Json, BodyKind::Binary] {
                prop_assert_eq!(own.body(kind, None, body.as_bytes()), plain.body(kind, None, body.as_bytes()));
            }
        }
        prop_assert_eq!(own.url(&text), plain.url(&text));
        prop_assert_eq!(own.header("cookie", &text), plain.header("cookie", &text));
    }
}

/// What holds of any text that is given as a rule: it is refused with a place within it, or masks, and masking twice is masking once.
fn is_rule_or_refused(text: &str) -> Result<bool, TestCaseError> {
    let mut taken = false;
    for kind in RuleKind::ALL {
        let rule = MaskRule {
            kind,
            text: text.to_owned(),
            note: String::new(),
        };
        match MaskRules::of_project(&[], &[rule]) {
            Err(fault) => {
                prop_assert!(!fault.reason.trim().is_empty());
                prop_assert_eq!(fault.rule, 0);
                prop_assert!(
                    fault.place.is_none_or(|place| place <= text.chars().count() + 1),
                    "{:?} {:?}",
                    fault,
                    text
                );
            }
            Ok(own) => {
                taken = true;
                let body = br#"{"customer": {"e.mail": [{"x": [1, "078-05-1120"]}]}, "campaign code": "abab ABC aaa"}"#;
                let once = own.body(BodyKind::Json, None, body).bytes.unwrap_or_else(|| body.to_vec());
                prop_assert!(
                    serde_json::from_slice::<Value>(&once).is_ok(),
                    "{}",
                    String::from_utf8_lossy(&once)
                );
                prop_assert_eq!(own.body(BodyKind::Json, None, &once).bytes, None);
            }
        }
    }
    Ok(taken)
}

#[test]
fn every_kept_text_is_a_rule_or_refused() {
    let is_rule = |(name, text): (String, Vec<u8>)| {
        is_rule_or_refused(&String::from_utf8(text).unwrap()).unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    let taken = kept("rules").into_iter().map(is_rule).filter(|taken| *taken).count();
    assert!(taken > 5, "{taken}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_harmed_rule_masks_or_is_refused(text in harmed("rules")) {
        is_rule_or_refused(&String::from_utf8_lossy(&text))?;
    }
}

/// What masking costs, with rules and without, and at the worst. Run it with `--ignored --nocapture`, in a release build.
#[test]
#[ignore = "measures"]
fn what_it_costs() {
    use std::time::Instant;
    let body = json!({
        "id": "v_0123456789abcdef", "code": "SUMMER-24", "customer": {"id": "cust_1", "email": "ada@example.com", "name": "Ada Lovelace", "address": {"line1": "12 High Street", "city": "London"}},
        "items": (0..6).map(|nth| json!({"sku": format!("sku-{nth}"), "quantity": nth, "note": "wrapped as a present, please"})).collect::<Vec<_>>(),
        "metadata": {"channel": "web", "campaign": "spring sale"},
    })
    .to_string();
    let time = |what: &str, own: &MaskRules, kind: BodyKind, body: &[u8], times: u32| {
        let begun = Instant::now();
        for _ in 0..times {
            std::hint::black_box(own.body(kind, None, std::hint::black_box(body)));
        }
        let each = begun.elapsed() / times;
        let speed = body.len() as f64 / each.as_secs_f64() / 1e6;
        println!("{what}: {each:?} each, {speed:.0} MB/s, {} bytes", body.len());
    };
    let numbers = (RuleKind::Pattern, r"\b\d{3}-\d{2}-\d{4}\b");
    let anchored = (RuleKind::Pattern, r"^\d{3}-\d{2}-\d{4}$");
    let line = (RuleKind::Path, "$.customer.address.line1");
    for (what, of) in [
        ("no rules", &[][..]),
        ("a key", &[(RuleKind::Key, "campaign")]),
        ("a path", &[line]),
        ("a pattern that matches nothing", &[numbers]),
        ("one that asks for a text's ends", &[anchored]),
        ("a pattern that matches", &[MAIL]),
        ("two patterns and a path", &[MAIL, numbers, line]),
    ] {
        time(what, &rules(of), BodyKind::Json, body.as_bytes(), 20_000);
    }
    let hundred: Vec<(RuleKind, String)> = (0..100)
        .map(|nth| (RuleKind::Pattern, format!("secret-{nth}-[0-9]+")))
        .collect();
    let hundred: Vec<(RuleKind, &str)> = hundred.iter().map(|(kind, text)| (*kind, text.as_str())).collect();
    time(
        "a hundred patterns",
        &rules(&hundred),
        BodyKind::Json,
        body.as_bytes(),
        20_000,
    );
    let capitals = "A".repeat(1 << 20);
    let mut dice = 1_u32;
    let mixed: String = (0..1 << 20)
        .map(|_| {
            dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if dice >> 31 == 0 { 'a' } else { 'b' }
        })
        .collect();
    for (what, pattern, text) in [
        ("matches whose end is far", ".*[^A-Z]|[A-Z]", capitals.as_str()),
        ("one match", r"\w+", capitals.as_str()),
        ("a hundred states at once", "(?i)[a-z]{1,100}@|A", capitals.as_str()),
        ("too many", "(?:a?A?){1,140}@|A", capitals.as_str()),
        ("states without end", "[ab]*a[ab]{290}c", mixed.as_str()),
        ("states without end, and a match", "[ab]*a[ab]{290}c|abba", mixed.as_str()),
    ] {
        time(
            what,
            &rules(&[(RuleKind::Pattern, pattern)]),
            BodyKind::Text,
            text.as_bytes(),
            1,
        );
    }
}

//! Names beside their values.
#![allow(clippy::unwrap_used)]

use super::*;

fn json(body: &str) -> String {
    let rules = MaskRules::with(["X-Session"], ["shoe size"]);
    let mask = |body: &str| {
        let masked = rules.body(BodyKind::Json, None, body.as_bytes()).bytes;
        masked.map_or_else(|| body.to_owned(), |bytes| String::from_utf8(bytes).unwrap())
    };
    let once = mask(body);
    assert_eq!(mask(&once), once, "masking twice changes nothing");
    once
}

#[test]
fn a_value_is_masked_where_the_name_beside_it_is_a_secrets() {
    for (name, value) in [
        ("name", "value"),
        ("key", "value"),
        ("field", "value"),
        ("param", "value"),
        ("NAME", "Value"),
        ("Key", "VALUE"),
    ] {
        for secret in [
            "password",
            "accessToken",
            "API-KEY",
            "Authorization",
            "Set-Cookie",
            "x-session",
            "shoe_size",
        ] {
            for said in ["\"abc\"", "17", "[\"abc\",{}]", "{\"a\":\"}\"}", "false"] {
                assert_eq!(
                    json(&format!("[{{\"{name}\":\"{secret}\", \"{value}\" : {said} ,\"x\":1}}]")),
                    format!("[{{\"{name}\":\"{secret}\", \"{value}\" : \"masked\" ,\"x\":1}}]")
                );
                assert_eq!(
                    json(&format!("{{ \"{value}\" : {said} ,\"x\":[{{}}],\"{name}\":\"{secret}\"}}")),
                    format!("{{ \"{value}\" : \"masked\" ,\"x\":[{{}}],\"{name}\":\"{secret}\"}}")
                );
            }
        }
    }
}

#[test]
fn headers_and_arguments_of_a_har_are_pairs() {
    let body = r#"{"headers":[{"name":"Accept","value":"*/*"},{"name":"Cookie","value":"sid=1"},{"value":"Bearer abc","name":"authorization"}],"queryString":[{"name":"api_key","value":"abc"}]}"#;
    assert_eq!(
        json(body),
        r#"{"headers":[{"name":"Accept","value":"*/*"},{"name":"Cookie","value":"masked"},{"value":"masked","name":"authorization"}],"queryString":[{"name":"api_key","value":"masked"}]}"#
    );
}

#[test]
fn other_pairs_stay() {
    for body in [
        r#"{"name":"colour","value":"red"}"#,
        r#"{"value":"red","name":"colour"}"#,
        r#"[{"value":"red"},{"name":"password"}]"#,
        r#"[{"name":"password"},{"value":"red"}]"#,
        r#"{"name":"password","x":{"value":"red"}}"#,
        r#"{"x":{"value":"red"},"name":"password"}"#,
        r#"{"name":{"first":"password"},"value":"red"}"#,
        r#"{"name":"password","value":null}"#,
        r#"{"value":"","name":"password"}"#,
        r#"{"name":"page_token","value":"red"}"#,
        r#"{"value":"4111111111111112","name":"card"}"#,
    ] {
        assert_eq!(json(body), body);
    }
}

#[test]
fn what_is_inside_is_masked_with_what_is_around_it() {
    assert_eq!(
        json(r#"{"value":{"pin":1,"value":"b","name":"token"},"pin":2,"name":"password"}"#),
        r#"{"value":"masked","pin":"masked","name":"password"}"#
    );
    assert_eq!(
        json(r#"{"value":[{"pin":1},{"value":"b","name":"token"}],"pin":2,"name":"a"}"#),
        r#"{"value":[{"pin":"masked"},{"value":"masked","name":"token"}],"pin":"masked","name":"a"}"#
    );
    assert_eq!(
        json(r#"{"text":"{\"value\":\"abc\",\"name\":\"password\"}"}"#),
        r#"{"text":"{\"value\":\"masked\",\"name\":\"password\"}"}"#
    );
    assert_eq!(
        json(r#"{"value":"{\"pin\":12345678}","a":1,"name":"password"}"#),
        r#"{"value":"masked","a":1,"name":"password"}"#
    );
}

#[test]
fn a_card_beside_its_name_is_looked_at_as_one() {
    for body in [
        r#"{"name":"card","value":"4111 1111 1111 1111"}"#,
        r#"{"value":4111111111111111,"name":"card"}"#,
    ] {
        assert!(!json(body).contains("4111"), "{}", json(body));
    }
}

#[test]
fn deep_and_hostile_pairs_cost_no_more_than_their_length() {
    let deep = format!(
        "{}1{}",
        "{\"value\":".repeat(50_000),
        ",\"name\":\"password\"}".repeat(50_000)
    );
    let masked = MaskRules::default()
        .body(BodyKind::Text, None, deep.as_bytes())
        .bytes
        .unwrap();
    assert!(masked.starts_with(br#"{"value":"masked","name":"password"}"#));
    let wide = format!("[{}1]", "{\"value\":\"abc\",\"name\":\"pin\"},".repeat(100_000));
    let masked = MaskRules::default()
        .body(BodyKind::Json, None, wide.as_bytes())
        .bytes
        .unwrap();
    assert_eq!(memchr::memmem::find_iter(&masked, b"abc").count(), 0);
}

//! The engine against plain ways of doing the same, on any JSON.

use proptest::prelude::*;
use serde_json::Value;

use super::message::{Ask, Form, Session, Tell};
use super::*;

fn read(bytes: &[u8], form: Form) -> Document<&[u8]> {
    let mut document = Document::new(bytes, form, false);
    while document.read(16, u32::MAX) == Step::More {}
    document
}

fn json(text: &str) -> Document<&[u8]> {
    let document = read(text.as_bytes(), Form::Pretty);
    assert_eq!(document.problem(), None, "{text}");
    document
}

fn texts(document: &Document<&[u8]>) -> Vec<String> {
    document
        .rows(0, u32::MAX)
        .iter()
        .map(|row| format!("{}{}", "  ".repeat(row.depth.into()), row.text()))
        .collect()
}

fn problem(text: &[u8]) -> String {
    read(text, Form::Pretty).problem().expect("a problem").to_string()
}

fn nested(depth: usize) -> String {
    format!("{}1{}", "[".repeat(depth), "]".repeat(depth))
}

#[test]
fn a_document_is_shown_a_value_a_line() {
    let document = json(r#"{"a":[1,{"b":null}],"c":{},"d":"x","a":-0.10e+2}"#);
    let wanted =
        "{\n  \"a\": [\n    1,\n    {\n      \"b\": null\n    }\n  ],\n  \"c\": {},\n  \"d\": \"x\",\n  \"a\": -0.10e+2\n}";
    assert_eq!(texts(&document).join("\n"), wanted);
    let lines: Vec<u32> = document.rows(0, 99).iter().map(|row| row.line).collect();
    assert_eq!(lines, (1..=11).collect::<Vec<_>>());
}

#[test]
fn folding_hides_and_counts() {
    let mut document = json(r#"{"a":[1,{"b":null}],"c":[[2]]}"#);
    document.toggle(1);
    assert_eq!(
        texts(&document),
        ["{", "  \"a\": [],", "  \"c\": [", "    [", "      2", "    ]", "  ]", "}"]
    );
    assert_eq!(document.rows(1, 1)[0].pieces[3].text, " … 2 items ");
    assert_eq!(document.rows(2, 1)[0].line, 8, "lines are those of the whole text");
    document.level(Some(0));
    assert_eq!(document.total(), 1);
    document.toggle(0);
    assert_eq!(document.total(), 4);
    document.level(None);
    assert_eq!(document.total(), 13);
}

#[test]
fn a_match_is_shown_wherever_it_hides() {
    let mut document = json(r#"{"a":{"b":{"Needle":1}},"c":"a needle, a NEEDLE"}"#);
    document.level(Some(0));
    document.find("needle");
    while document.find_on(1) == Step::More {}
    assert_eq!(document.found(), (3, false));
    let place = document.go_on(true).unwrap();
    assert_eq!((place.number, place.row), (0, 3));
    assert_eq!(document.rows(3, 1)[0].pieces[1].mark, Mark::Current);
    assert_eq!(document.go_on(false).unwrap().number, 2);
}

#[test]
fn a_match_beyond_the_fold_is_shown_with_what_stands_around_it() {
    let text = format!("[\"{}needle{}\"]", "x".repeat(5_000), "y".repeat(5_000));
    let mut document = json(&text);
    let plain = &document.rows(1, 1)[0];
    assert_eq!(plain.pieces.last().unwrap().text, "… 10,006 characters");
    assert_eq!(plain.text().len(), FOLD_AT + 2);
    document.find("NEEDLE");
    while document.find_on(1) == Step::More {}
    document.go_from(0);
    let row = &document.rows(1, 1)[0];
    assert_eq!(
        row.pieces[2],
        Piece {
            ink: Ink::Text,
            mark: Mark::Current,
            text: "needle".to_owned()
        }
    );
}

#[test]
fn paths_and_values_are_copied_as_they_are_meant() {
    let text = r#"{"a":[0,1,2,{"odd key":"line\nbreak \"q\"","n":12345678901234567890.50}],"":1,"é1":2,"1a":3}"#;
    let document = json(text);
    assert_eq!(document.path(6).unwrap(), "$.a[3][\"odd key\"]");
    assert_eq!(document.value(6, 99).unwrap(), "line\nbreak \"q\"");
    assert_eq!(document.value(7, 99).unwrap(), "12345678901234567890.50");
    assert_eq!(document.path(0).unwrap(), "$");
    assert_eq!(document.path(8).unwrap(), "$[\"\"]");
    assert_eq!(document.path(9).unwrap(), "$.é1");
    assert_eq!(document.path(10).unwrap(), "$[\"1a\"]");
    assert_eq!(document.value(0, 10), None);
}

#[test]
fn a_masked_value_says_so() {
    let text = br#"{"token":"masked","note":"masked?"}"#;
    let mut document = Document::new(text.as_slice(), Form::Pretty, true);
    while document.read(99, u32::MAX) == Step::More {}
    let rows = document.rows(1, 2);
    assert_eq!(
        rows[0].pieces[2],
        Piece {
            ink: Ink::Masked,
            mark: Mark::None,
            text: "masked".to_owned()
        }
    );
    assert_eq!(rows[1].pieces[2].ink, Ink::Text);
}

#[test]
fn what_is_no_json_says_where_and_is_shown_as_text() {
    assert_eq!(
        problem(b"{\"a\":1,\n  \"b\" 2}"),
        "line 2, column 7: expected : after the key"
    );
    assert_eq!(problem(b"[1,]"), "line 1, column 4: expected a value");
    assert_eq!(problem(b"[1}"), "line 1, column 3: expected , or ]");
    assert_eq!(problem(b"{\"a\":1,}"), "line 1, column 8: expected a key in double quotes");
    assert_eq!(problem(b""), "line 1, column 1: the text ends too early");
    assert_eq!(problem(b"[1"), "line 1, column 3: the text ends too early");
    assert_eq!(problem(b"1 2"), "line 1, column 3: expected nothing more after the value");
    assert_eq!(problem(b"[01]"), "line 1, column 3: expected , or ]");
    assert_eq!(problem(b"-"), "line 1, column 2: expected a digit");
    assert_eq!(
        problem("[\"é\u{1}\"]".as_bytes()),
        "line 1, column 4: a control character must be escaped"
    );
    assert_eq!(problem(b"\"\\x\""), "line 1, column 2: no such escape");
    assert_eq!(problem(b"[\"\xff\"]"), "line 1, column 3: not UTF-8");
    let document = read(b"one\r\ntwo\n", Form::Pretty);
    assert_eq!(texts(&document), ["one", "two"]);
    assert_eq!(document.form(), Form::Raw);
}

#[test]
fn ten_thousand_levels_and_more_are_read_folded_and_found() {
    let text = nested(60_000);
    let mut document = json(&text);
    assert_eq!(document.total(), 120_001);
    assert_eq!(document.rows(120_000, 5)[0].line, 120_001);
    document.level(Some(0));
    document.find("1");
    while document.find_on(9) == Step::More {}
    assert_eq!(document.go_on(true).unwrap().row, 60_000);
    assert!(problem(nested(70_000).as_bytes()).ends_with("nested too deep"));
}

#[test]
fn the_first_rows_of_a_long_body_are_its_first_rows() {
    let text = format!("[{}1]", "{\"a\":[1,2]},".repeat(200_000));
    let first = preview(text.as_bytes(), Form::Pretty, false, 50);
    assert_eq!(first.total, None);
    assert_eq!(first.rows, json(&text).rows(0, 50));
    let short = preview(b"[1,2]", Form::Pretty, false, 50);
    assert_eq!((short.total, short.rows.len()), (Some(4), 4));
    let broken = preview(b"[1,", Form::Pretty, false, 50);
    assert_eq!((broken.form, broken.total), (Form::Raw, Some(1)));
}

#[test]
fn long_lines_go_on_and_matches_cross_them() {
    let text = format!("{}needle{}\nsecond NEEDLE\n", "é".repeat(149), "x".repeat(400));
    let mut document = read(text.as_bytes(), Form::Raw);
    assert_eq!(
        document.rows(0, 9).iter().map(|row| row.line).collect::<Vec<_>>(),
        [1, 0, 0, 2]
    );
    document.find("needle");
    while document.find_on(1) == Step::More {}
    assert_eq!(document.found(), (2, false));
    assert_eq!(document.go_from(1).unwrap(), FoundPlace { number: 1, row: 3 });
    assert_eq!(document.go_on(true).unwrap(), FoundPlace { number: 0, row: 0 });
    let marks = |row| {
        document.rows(row, 1)[0]
            .pieces
            .iter()
            .filter(|piece| piece.mark == Mark::Current)
            .map(|piece| piece.text.clone())
            .collect::<String>()
    };
    assert_eq!(marks(0) + &marks(1), "needle");
}

#[test]
fn a_session_reads_answers_and_searches() {
    let mut session = Session::default();
    session.loaded(br#"{"a":[1,2,3],"b":"two"}"#.to_vec(), Form::Pretty, false);
    let mut told = Vec::new();
    while session.is_busy() {
        told.extend(session.work());
    }
    assert!(
        matches!(
            told.last(),
            Some(Tell::Shown {
                epoch: 1,
                total: 8,
                form: Form::Pretty,
                problem: None
            })
        ),
        "{told:?}"
    );
    assert!(matches!(
        session.answer(Ask::Toggle(1)).as_slice(),
        [Tell::Shown { epoch: 2, total: 4, .. }]
    ));
    session.answer(Ask::Find {
        text: "2".to_owned(),
        from: 0,
    });
    let told: Vec<Tell> = std::iter::from_fn(|| session.is_busy().then(|| session.work()))
        .flatten()
        .collect();
    assert!(
        matches!(
            told.last(),
            Some(Tell::Found {
                total: 1,
                done: true,
                at: Some((0, 3)),
                ..
            })
        ),
        "{told:?}"
    );
    let Tell::Copied { text, .. } = &session.answer(Ask::Copy {
        node: 3,
        part: message::Part::Path,
    })[0] else {
        panic!()
    };
    assert_eq!(text.as_deref(), Ok("$.a[1]"));
    session.answer(Ask::Form(Form::Raw));
    let told = session.work();
    assert!(
        matches!(
            told.last(),
            Some(Tell::Shown {
                total: 1,
                form: Form::Raw,
                ..
            })
        ),
        "{told:?}"
    );
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(Value::from),
        "[abAB\\\\\"\n\u{0}é😀 ]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec(("[abAB\"é]{0,3}", inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// The rows that a wholly unfolded text has, left out where a folded container hides them.
fn seen_by_hand(document: &Document<&[u8]>, folded: &[u32]) -> Vec<u32> {
    let all = document.rows(0, u32::MAX);
    let mut seen = Vec::new();
    let mut hidden_until = None;
    for row in &all {
        if let Some(node) = hidden_until {
            if row.node == node {
                hidden_until = None;
            }
            continue;
        }
        seen.push(row.line);
        if row.open == Some(true) && folded.contains(&row.node) {
            hidden_until = Some(row.node);
        }
    }
    seen
}

proptest! {
    #[test]
    fn the_pretty_text_is_the_same_value(value in any_json(), spaced in any::<bool>()) {
        let text = if spaced { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        let document = json(&text);
        let pretty = texts(&document).join("\n");
        prop_assert_eq!(serde_json::from_str::<Value>(&pretty).unwrap(), serde_json::from_str::<Value>(&text).unwrap());
        prop_assert_eq!(pretty, serde_json::to_string_pretty(&value).unwrap());
    }

    #[test]
    fn rows_are_those_that_folding_leaves(value in any_json(), toggles in prop::collection::vec(any::<prop::sample::Index>(), 0..12)) {
        let text = value.to_string();
        let (whole, mut document) = (json(&text), json(&text));
        let mut folded: Vec<u32> = Vec::new();
        for toggle in toggles {
            let rows = document.rows(0, u32::MAX);
            let row = &rows[toggle.index(rows.len())];
            if let Some(open) = row.open {
                document.toggle(row.node);
                if open { folded.push(row.node) } else { folded.retain(|node| *node != row.node) }
            }
            let rows = document.rows(0, u32::MAX);
            prop_assert_eq!(rows.len() as u32, document.total());
            prop_assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), seen_by_hand(&whole, &folded));
            for (at, row) in rows.iter().enumerate() {
                prop_assert_eq!(&document.rows(at as u32, 1)[0], row);
            }
        }
    }

    #[test]
    fn finding_equals_a_scan_of_what_is_shown(value in any_json(), needle in "[abé\"1\\\\]{1,2}", level in 0_u16..4) {
        let text = value.to_string();
        let mut document = json(&text);
        let mut folded = needle.clone();
        fold_case(&mut folded);
        // Brackets and commas are not searched.
        let scan: usize = document.rows(0, u32::MAX).iter().map(|row| {
            let mut said: String = row.pieces.iter().filter(|piece| !["{", "[", "{}", "[]", ",", "}", "]", "},", "],"].contains(&piece.text.as_str()) || piece.ink != Ink::Punctuation).map(|piece| piece.text.as_str()).collect();
            fold_case(&mut said);
            said.matches(&folded).count()
        }).sum();
        document.level(Some(level));
        document.find(&needle);
        while document.find_on(8) == Step::More {}
        prop_assert_eq!(document.found().0 as usize, scan);
        for number in 0..scan {
            let place = document.go_on(true).unwrap();
            prop_assert_eq!(place.number as usize, number);
            let row = &document.rows(place.row, 1)[0];
            prop_assert!(row.pieces.iter().any(|piece| piece.mark == Mark::Current), "{:?}", row);
        }
    }

    #[test]
    fn what_is_json_is_what_serde_json_takes(text in "[\\[\\]{}\",:0-9a-e.\\\\ -]{0,12}") {
        let ours = read(text.as_bytes(), Form::Pretty).problem().is_none();
        prop_assert_eq!(ours, serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok(), "{}", text);
    }

    #[test]
    fn plain_text_is_all_there_and_found(text in "([ab\u{e9}\u{1F600}\n]{0,40}|b{290,320}){0,8}", needle in "[abé\n]{1,3}") {
        let mut document = read(text.as_bytes(), Form::Raw);
        let rows = document.rows(0, u32::MAX);
        let mut again = String::new();
        for (at, row) in rows.iter().enumerate() {
            if row.line > 1 { again.push('\n'); }
            again.push_str(&row.text());
            prop_assert_eq!(&document.rows(at as u32, 1)[0], row);
        }
        prop_assert_eq!(again, text.strip_suffix('\n').unwrap_or(&text));
        document.find(&needle);
        while document.find_on(1) == Step::More {}
        prop_assert_eq!(document.found().0 as usize, text.matches(&needle).count());
    }
}

/// Run by hand: `cargo test --release --lib json_doc -- --ignored --nocapture`.
#[test]
#[ignore = "measures"]
fn fifty_megabytes() {
    let text = format!(
        "[{}0]",
        r#"{"id":"v_123456","amount":1200,"tags":["a","b"],"note":null},"#.repeat(50_000_000 / 61)
    );
    let start = std::time::Instant::now();
    let mut document = Document::new(text.as_bytes(), Form::Pretty, false);
    while document.read(1 << 20, u32::MAX) == Step::More {}
    eprintln!(
        "{} bytes, {} rows: read in {:?}",
        text.len(),
        document.total(),
        start.elapsed()
    );
    let start = std::time::Instant::now();
    document.level(Some(1));
    eprintln!("folded in {:?}", start.elapsed());
    let start = std::time::Instant::now();
    document.find("V_123456");
    while document.find_on(1 << 20) == Step::More {}
    eprintln!("{} found in {:?}", document.found().0, start.elapsed());
    let start = std::time::Instant::now();
    document.go_from(document.total() - 2);
    document.rows(400_000, 60);
    eprintln!("gone to in {:?}", start.elapsed());
}

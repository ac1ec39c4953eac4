use proptest::prelude::*;

use super::*;
use crate::model::page::Key;
use crate::model::query::Order;
use crate::server::corpus::{harmed, kept};

const NOW: i64 = 1_795_348_800_000;
const KEY: InstanceKey = InstanceKey::new([7; 32]);
const ALL: Rights = Rights {
    read_bodies: true,
    read_users: true,
    work: true,
    settle: true,
};

fn resolved(query: &str, rights: Rights) -> Result<(LogSelection, Place), SelectionError> {
    let context = QueryContext {
        now_ms: NOW,
        zone: &jiff::tz::TimeZone::UTC,
        rights,
        key: &KEY,
        project_id: "prj_1",
        default_origin: Origin::Application,
    };
    resolve(&LogQuery::parse(query)?, &context)
}

fn selection(query: &str) -> LogSelection {
    resolved(query, ALL).unwrap().0
}

fn problem_of(query: &str) -> String {
    match resolved(query, ALL).unwrap_err() {
        SelectionError::Problem(problem) => problem.argument,
        SelectionError::NotAllowed(problem) => panic!("not allowed: {problem}"),
    }
}

#[test]
fn without_arguments_it_is_the_last_day_and_what_lies_ahead() {
    let selection = selection("");
    assert_eq!(
        selection.range,
        TimeRange {
            from: NOW - 86_400_000,
            to: NOW + AHEAD_MS
        }
    );
    assert_eq!(selection, LogSelection::all(selection.range));
}

#[test]
fn an_end_in_the_past_has_its_day_before_it() {
    let range = selection("to=-48h").range;
    assert_eq!((range.from, range.to), (NOW - 3 * 86_400_000, NOW - 2 * 86_400_000));
}

#[test]
fn the_ends_must_be_in_order() {
    for query in ["from=-1h&to=-2h", "from=now&to=now", "from=2999-01-01T00:00:00Z"] {
        assert_eq!(problem_of(query), "from", "{query}");
    }
    assert_eq!(problem_of("to=soon"), "to");
}

#[test]
fn codes_have_classes_ranges_and_none() {
    let selection = selection("code=404,5xx,!503,none,!200-204");
    assert_eq!(selection.codes, [Some((404, 404)), Some((500, 599)), None]);
    assert_eq!(selection.codes_left_out, [Some((503, 503)), Some((200, 204))]);
    for code in ["99", "1000", "0xx", "44xx", "xx", "abc", "500-400", "4x", "+44", "é"] {
        assert_eq!(
            problem_of(&format!("code={}", crate::model::query::escape(code))),
            "code",
            "{code}"
        );
    }
}

#[test]
fn what_is_left_out_leaves_the_others() {
    assert_eq!(selection("status=!SUCCESS").statuses, [Status::Failure]);
    assert_eq!(
        selection("status=success,failure").statuses,
        [Status::Success, Status::Failure]
    );
    assert_eq!(
        selection("origin=self,application").origins,
        [Origin::Application, Origin::Own]
    );
    assert_eq!(problem_of("status=SUCCESS,!SUCCESS"), "status");
    assert_eq!(problem_of("status=MAYBE"), "status");
    assert_eq!(problem_of("origin=moon"), "origin");
}

#[test]
fn values_texts_and_durations() {
    let selection = selection("method=get,!post&path=/V1,x&slower=250.5&q=a,!b&request_body=%20x");
    assert_eq!(
        (selection.methods.wanted, selection.methods.left_out),
        (vec!["GET".to_owned()], vec!["POST".to_owned()])
    );
    assert_eq!(selection.path.as_deref(), Some("/V1,x"));
    assert_eq!(selection.slower_than_us, Some(250_500));
    assert_eq!(selection.text.anywhere.as_deref(), Some("a,!b"));
    assert_eq!(selection.text.request_body.as_deref(), Some(" x"));
    for bad in ["slower=fast", "slower=-1", "slower=NaN", "slower=inf"] {
        assert_eq!(problem_of(bad), "slower");
    }
}

#[test]
fn there_is_a_bound_to_everything() {
    assert_eq!(problem_of(&format!("id={}", vec!["a"; 101].join(","))), "id");
    assert_eq!(problem_of(&format!("q={}", "a".repeat(5_000))), "q");
    assert_eq!(problem_of("channel=a%00b"), "channel");
}

#[test]
fn what_one_may_not_see_one_cannot_search() {
    for (query, argument) in [
        ("q=a", "q"),
        ("request_body=a", "request_body"),
        ("user=a", "user"),
        ("app_id=!a", "app_id"),
    ] {
        let refused = resolved(
            query,
            Rights {
                read_bodies: false,
                read_users: false,
                ..ALL
            },
        )
        .unwrap_err();
        assert!(
            matches!(refused, SelectionError::NotAllowed(problem) if problem.argument == argument),
            "{query}"
        );
    }
    assert!(
        resolved(
            "path=a&status=FAILURE",
            Rights {
                read_bodies: false,
                read_users: false,
                ..ALL
            }
        )
        .is_ok()
    );
}

#[test]
fn cursors_lead_to_their_place() {
    let key = Key {
        created_at: NOW,
        id: "log_1".to_owned(),
    };
    let text = cursor(&KEY, "prj_1", &key);
    assert_eq!(resolved(&format!("after={text}"), ALL).unwrap().1, Place::After(key.clone()));
    assert_eq!(
        resolved(&format!("before={text}&order=created_at"), ALL).unwrap().1,
        Place::Before(key.clone())
    );
    assert_eq!(LogQuery::parse("order=created_at").unwrap().order, Order::OldestFirst);
    let others = cursor(&KEY, "prj_2", &key);
    assert_eq!(problem_of(&format!("after={others}")), "after");
    assert_eq!(problem_of(&format!("before={text}A")), "before");
}

/// What holds of any query that is read: a link says what it was read from, and what is meant is within bounds.
fn holds(query: &str) -> Result<(), TestCaseError> {
    let Ok(parsed) = LogQuery::parse(query) else { return Ok(()) };
    let link = parsed.to_query_string();
    prop_assert_eq!(LogQuery::parse(&link).unwrap(), parsed.clone(), "{}", link);
    match resolved(query, ALL) {
        Ok((selection, _)) => {
            prop_assert!(selection.range.from < selection.range.to);
            prop_assert!(!selection.origins.is_empty());
            prop_assert!(selection.slower_than_us.is_none_or(|slower| slower >= 0));
        }
        Err(error) => prop_assert!(!error.to_string().trim().is_empty()),
    }
    let nothing = Rights {
        read_bodies: false,
        read_users: false,
        ..ALL
    };
    if let Ok((selection, _)) = resolved(query, nothing) {
        prop_assert!(selection.text.is_empty() && selection.users.is_any() && selection.apps.is_any());
    }
    Ok(())
}

#[test]
fn every_kept_query_is_read_or_refused() {
    for (name, query) in kept("query") {
        let query = String::from_utf8(query).unwrap();
        holds(&query).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_harmed_query_is_read_or_refused(query in harmed("query")) {
        holds(&String::from_utf8_lossy(&query))?;
    }

    #[test]
    fn a_cursor_in_a_harmed_link_is_ours_or_refused(query in harmed("query"), created_at in 0..NOW, id in "[a-z0-9_]{1,20}") {
        let place = Key { created_at, id };
        let link = format!("{}&after={}", String::from_utf8_lossy(&query), cursor(&KEY, "prj_1", &place));
        if let Ok((_, found)) = resolved(&link, ALL) {
            prop_assert_eq!(found, Place::After(place));
        }
    }
}

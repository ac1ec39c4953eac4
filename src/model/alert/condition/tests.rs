use proptest::prelude::*;

use super::*;

fn of(kind: AlertKind, threshold: u32) -> Condition {
    Condition {
        kind,
        threshold,
        least_logs: 10,
        window_minutes: 5,
    }
}

fn figures(logs: u64, failed: u64) -> Figures {
    Figures { logs, failed }
}

#[test]
fn a_count_fires_at_its_threshold_and_fewer_below_it() {
    let at_least = of(AlertKind::AtLeast, 3);
    assert!(!at_least.is_met(figures(2, 2)));
    assert!(at_least.is_met(figures(3, 0)));
    let fewer = of(AlertKind::FewerThan, 3);
    assert!(fewer.is_met(figures(0, 0)) && fewer.is_met(figures(2, 0)));
    assert!(!fewer.is_met(figures(3, 3)));
}

#[test]
fn a_share_needs_its_logs_and_is_exact() {
    let share = of(AlertKind::FailureShare, 75);
    assert!(!share.is_met(figures(1, 1)), "one of one is no alarm");
    assert!(!share.is_met(figures(9, 9)));
    assert!(share.is_met(figures(10, 1)));
    assert!(share.is_met(figures(40, 3)), "7.5 % is at least 7.5 %");
    assert!(!share.is_met(figures(41, 3)));
    assert!(!of(AlertKind::FailureShare, 1).is_met(figures(1_001, 1)), "less than 0.1 %");
    assert!(!share.is_met(figures(u64::MAX, 0)));
}

#[test]
fn what_makes_no_sense_is_named() {
    for (condition, field) in [
        (of(AlertKind::AtLeast, 0), Some("threshold")),
        (of(AlertKind::FewerThan, MAX_LOGS + 1), Some("threshold")),
        (of(AlertKind::FailureShare, 1_001), Some("threshold")),
        (of(AlertKind::FailureShare, 0), Some("threshold")),
        (
            Condition {
                least_logs: 0,
                ..of(AlertKind::FailureShare, 1)
            },
            Some("least_logs"),
        ),
        (
            Condition {
                least_logs: 0,
                ..of(AlertKind::AtLeast, 1)
            },
            None,
        ),
        (
            Condition {
                window_minutes: 0,
                ..of(AlertKind::AtLeast, 1)
            },
            Some("window"),
        ),
        (
            Condition {
                window_minutes: 1_441,
                ..of(AlertKind::AtLeast, 1)
            },
            Some("window"),
        ),
        (
            Condition {
                window_minutes: 1_440,
                ..of(AlertKind::AtLeast, 1)
            },
            None,
        ),
    ] {
        assert_eq!(condition.check().err().map(|(field, _)| field), field, "{condition:?}");
    }
}

#[test]
fn it_is_said_in_words() {
    assert_eq!(of(AlertKind::AtLeast, 1_000).words(), "At least 1,000 logs within 5 minutes");
    let hour = Condition {
        window_minutes: 60,
        ..of(AlertKind::FewerThan, 1)
    };
    assert_eq!(hour.words(), "Fewer than 1 log within 1 hour");
    assert_eq!(
        of(AlertKind::FailureShare, 5).words(),
        "At least 0.5 % failures within 5 minutes, of 10 logs or more"
    );
    assert_eq!(
        of(AlertKind::FailureShare, 50).figures(figures(40, 3)),
        "3 of 40 logs failed: 7.5 %"
    );
    assert_eq!(of(AlertKind::FailureShare, 50).figures(figures(0, 0)), "0 of 0 logs failed");
    assert_eq!(of(AlertKind::AtLeast, 100).figures(figures(12, 3)), "12 of 100 logs");
    assert_eq!(
        (window_words(90), window_words(1), window_words(1_440)),
        ("90 minutes".to_owned(), "1 minute".to_owned(), "24 hours".to_owned())
    );
}

#[test]
fn a_percentage_is_read_to_the_tenth() {
    for (text, tenths) in [
        ("5", Some(50)),
        (" 0.5 % ", Some(5)),
        ("100", Some(1_000)),
        ("0", Some(0)),
        ("1.25", None),
        ("", None),
        (".", None),
        ("-1", None),
        ("1e3", None),
        ("99999999999", None),
    ] {
        assert_eq!(read_percent(text), tenths, "{text:?}");
    }
}

proptest! {
    #[test]
    fn a_percentage_reads_as_it_was_written(tenths in 0_u32..=1_000) {
        prop_assert_eq!(read_percent(&percent_number(tenths)), Some(tenths));
    }

    #[test]
    fn a_window_is_never_shorter_than_asked_for_and_longer_by_a_step_at_most(minutes in 1_u32..=MAX_WINDOW, now in 0_i64..4_000_000_000_000) {
        let condition = Condition { window_minutes: minutes, ..of(AlertKind::AtLeast, 1) };
        let from = condition.window_from(now);
        prop_assert_eq!(from, condition.step_of(from));
        prop_assert!(now - from >= condition.window_ms() && now - from < condition.window_ms() + condition.step_ms());
    }
}

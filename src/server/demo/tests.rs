//! The traffic itself, without a database: how much, when, and that its secrets are gone.
#![allow(clippy::unwrap_used)]

use std::collections::HashSet;
use std::sync::Arc;

use super::*;
use crate::model::log::{Note, Status};
use crate::server::clock::Random;
use crate::server::ingest::endpoint::{CallNames, EndpointNames};
use crate::server::ingest::mask::MaskRules;

/// 2026-11-22T12:00:00Z.
const NOW: i64 = 1_795_348_800_000;

fn recorded() -> (Vec<Call>, Vec<NewLog>) {
    let end = NOW - END_BEFORE_NOW_MS;
    let calls: Vec<Call> = (0..DAYS).flat_map(|day| day_of_calls(end, day)).collect();
    let context = EntryContext {
        now_ms: NOW,
        retention_ms: (DAYS + 1) * DAY_MS,
        mask: &MaskRules::default(),
        endpoints: &CallNames::of(&Arc::new(EndpointNames::new(&cast::templates(), []))),
        random: &Random::seeded(1),
        origin: Origin::Application,
        sender: None,
    };
    let read = |call: &Call| {
        read_call(Payload::Json, call.to_entry().to_string().as_bytes(), &context)
            .unwrap()
            .remove(0)
    };
    let logs = calls.iter().map(read).collect();
    (calls, logs)
}

#[test]
fn a_month_of_traffic_tells_its_stories_and_keeps_no_secret() {
    let (calls, logs) = recorded();
    assert!((20_000..40_000).contains(&logs.len()), "{}", logs.len());
    let ids: HashSet<&String> = logs.iter().map(|log| &log.facts.id).collect();
    assert_eq!(ids.len(), logs.len(), "every log has an id of its own");
    assert!(ids.contains(&last_log_id()));
    let newest = logs.iter().map(|log| log.facts.created_at).max().unwrap();
    let oldest = logs.iter().map(|log| log.facts.created_at).min().unwrap();
    assert_eq!(newest, NOW - END_BEFORE_NOW_MS);
    assert!((NOW - DAYS * DAY_MS - END_BEFORE_NOW_MS..NOW - 29 * DAY_MS).contains(&oldest));
    let count = |code: Option<u16>| logs.iter().filter(|log| log.facts.status_code == code).count();
    assert_eq!(count(None), 9);
    for code in [400, 401, 404, 409, 429, 500] {
        assert!(count(Some(code)) > 50, "{code}: {}", count(Some(code)));
    }
    let failures = logs.iter().filter(|log| log.facts.status == Status::Failure).count();
    assert!(failures * 100 / logs.len() < 15, "most requests go well");
    let sizes: Vec<i64> = logs
        .iter()
        .map(|log| log.facts.request_bytes + log.facts.response_bytes)
        .collect();
    assert!(
        sizes.iter().any(|size| *size > 150_000) && sizes.iter().all(|size| *size < 260_000),
        "{:?}",
        sizes.iter().max()
    );
    let channels: HashSet<_> = logs.iter().map(|log| log.facts.channel.clone()).collect();
    assert!(channels.len() >= 6);
    let endpoints: HashSet<_> = logs.iter().map(|log| log.facts.endpoint.clone()).collect();
    assert!((20..60).contains(&endpoints.len()), "{endpoints:?}");
    assert_eq!(calls.iter().filter(|call| call.import_file.is_some()).count(), 1);
    let masked = logs.iter().filter(|log| log.facts.notes.contains(&Note::Masked)).count();
    assert!(masked > logs.len() / 2);
    for secret in [
        "client_secret=0",
        "Bearer 0",
        "4111 1111",
        "5555 5555",
        "relay-2026",
        "\"cvc\":\"123\"",
    ] {
        assert!(
            logs.iter()
                .all(|log| !String::from_utf8_lossy(&log.text.request.body).contains(secret)),
            "{secret}"
        );
        assert!(
            logs.iter()
                .all(|log| !log.text.url.contains(secret) && !log.text.request.headers.contains(secret)),
            "{secret}"
        );
    }
}

#[test]
fn what_is_written_last_is_the_last_of_the_oldest_day() {
    let end = NOW - END_BEFORE_NOW_MS;
    assert_eq!(
        day_of_calls(end, DAYS - 1).last().map(|call| call.id.clone()),
        Some(last_log_id())
    );
}

#[test]
fn the_same_day_is_the_same_each_time() {
    let day = |_| {
        day_of_calls(NOW, 3)
            .iter()
            .map(|call| call.to_entry().to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(day(1), day(2));
}

#[test]
fn nights_and_sundays_are_quieter() {
    let calls: Vec<Call> = (0..28).flat_map(|day| day_of_calls(NOW, day)).collect();
    let at = |call: &Call| {
        jiff::Timestamp::from_millisecond(call.at)
            .unwrap()
            .to_zoned(jiff::tz::TimeZone::UTC)
    };
    let in_hour = |hour: i8| calls.iter().filter(|call| at(call).hour() == hour).count();
    assert!(
        in_hour(3) * 5 < in_hour(12),
        "{} at night, {} at noon",
        in_hour(3),
        in_hour(12)
    );
    let on = |weekday| calls.iter().filter(|call| at(call).weekday() == weekday).count();
    assert!(on(jiff::civil::Weekday::Sunday) < on(jiff::civil::Weekday::Tuesday));
}

//! In which time zone a page shows its times: the URL's word, else the person's last choice, else UTC.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::query::QueryProblem;
use crate::model::zone::Zone;

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;
/// Milliseconds of a year, and of as many years as people look back.
const YEAR_MS: i64 = 366 * DAY_MS;
const YEARS_MS: i64 = 10 * YEAR_MS;

/// A zone as a page asked for it.
#[derive(Debug)]
pub(crate) struct ChosenZone {
    /// Its rules.
    pub(crate) zone: TimeZone,
    /// `UTC`, or its IANA name.
    pub(crate) name: String,
    /// The browser's own zone was asked for, but is not known yet: UTC stands in for it.
    pub(crate) unknown_local: bool,
}

/// What a choice can lean on.
#[derive(Debug)]
pub(crate) struct ZoneHints<'a> {
    /// The argument `tz`.
    pub(crate) asked: Option<&'a str>,
    /// The last choice, from its cookie.
    pub(crate) last: Option<&'a str>,
    /// The browser's zone, from its cookie.
    pub(crate) local: Option<&'a str>,
    /// The project's.
    pub(crate) project: &'a str,
}

/// The zone that a page shows its times in. A last choice that makes no sense is passed over; an argument that makes none is told.
pub(crate) fn choose(hints: &ZoneHints<'_>) -> Result<ChosenZone, QueryProblem> {
    if let Some(asked) = hints.asked {
        return named(asked, hints).ok_or_else(|| {
            QueryProblem::new(
                "tz",
                format!("{asked} is no time zone: utc, local, project, or a name such as Europe/Berlin"),
            )
        });
    }
    Ok(hints.last.and_then(|last| named(last, hints)).unwrap_or_else(utc))
}

/// Whether a word can stand for a zone.
pub(crate) fn is_choice(word: &str) -> bool {
    matches!(word, "project" | "local") || by_name(word).is_some() || word == "utc"
}

fn utc() -> ChosenZone {
    ChosenZone {
        zone: TimeZone::UTC,
        name: "UTC".to_owned(),
        unknown_local: false,
    }
}

fn named(word: &str, hints: &ZoneHints<'_>) -> Option<ChosenZone> {
    match word {
        "utc" | "UTC" => Some(utc()),
        "project" => by_name(hints.project),
        "local" => Some(hints.local.and_then(by_name).unwrap_or_else(|| ChosenZone {
            unknown_local: true,
            ..utc()
        })),
        name => by_name(name),
    }
}

fn by_name(name: &str) -> Option<ChosenZone> {
    if matches!(name, "UTC" | "Etc/UTC") {
        return Some(utc());
    }
    let zone = TimeZone::get(name).ok()?;
    Some(ChosenZone {
        zone,
        name: name.to_owned(),
        unknown_local: false,
    })
}

impl ChosenZone {
    /// The offsets of a page on which a range is typed in: of the times that it shows, and of every time that somebody may mean.
    pub(crate) fn for_choosing(&self, from_ms: i64, to_ms: i64, now_ms: i64) -> Zone {
        self.between(from_ms.min(now_ms - YEARS_MS), to_ms.max(now_ms + YEAR_MS))
    }

    /// The offsets from before a time to after now, for a page that shows times in between.
    pub(crate) fn zone_around(&self, earliest_ms: i64, now_ms: i64) -> Zone {
        self.between(earliest_ms.min(now_ms), now_ms.saturating_add(DAY_MS))
    }

    /// The offsets from one time to another, for a page that has no zone rules of its own.
    pub(crate) fn between(&self, from_ms: i64, to_ms: i64) -> Zone {
        if self.name == "UTC" {
            return Zone::utc();
        }
        let start = Timestamp::from_millisecond(from_ms).unwrap_or(Timestamp::MIN);
        let first = (from_ms, self.zone.to_offset(start).seconds());
        let changes = self
            .zone
            .following(start)
            .map(|change| (change.timestamp().as_millisecond(), change.offset().seconds()));
        // Two changes a year at most in any zone's own time: this bound only guards against an absurd range.
        let changes = changes.take_while(|(at, _)| *at < to_ms).take(200);
        Zone {
            name: self.name.clone(),
            offsets: std::iter::once(first).chain(changes).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const HINTS: ZoneHints<'static> = ZoneHints {
        asked: None,
        last: Some("local"),
        local: Some("Europe/Berlin"),
        project: "America/New_York",
    };

    #[test]
    fn the_url_wins_over_the_last_choice() {
        let chosen = |asked| choose(&ZoneHints { asked, ..HINTS }).unwrap().name;
        assert_eq!(chosen(None), "Europe/Berlin");
        assert_eq!(chosen(Some("utc")), "UTC");
        assert_eq!(chosen(Some("project")), "America/New_York");
        assert_eq!(chosen(Some("Asia/Tokyo")), "Asia/Tokyo");
    }

    #[test]
    fn an_unknown_zone_is_named_in_the_url_and_passed_over_in_a_cookie() {
        assert_eq!(
            choose(&ZoneHints {
                asked: Some("Mars/Base"),
                ..HINTS
            })
            .unwrap_err()
            .argument,
            "tz"
        );
        assert_eq!(
            choose(&ZoneHints {
                last: Some("Mars/Base"),
                ..HINTS
            })
            .unwrap()
            .name,
            "UTC"
        );
        assert!(choose(&ZoneHints { local: None, ..HINTS }).unwrap().unknown_local);
    }

    #[test]
    fn a_change_of_the_clock_lies_between() {
        let berlin = by_name("Europe/Berlin").unwrap();
        // 2026-10-25T01:00:00Z: summer time ends.
        let zone = berlin.between(1_792_800_000_000, 1_793_000_000_000);
        assert_eq!(zone.offsets, [(1_792_800_000_000, 7_200), (1_792_890_000_000, 3_600)]);
    }

    #[test]
    fn what_is_typed_in_has_the_offset_of_its_own_time() {
        let berlin = by_name("Europe/Berlin").unwrap();
        // A page in November whose rows are an hour old.
        let now = 1_795_348_800_000;
        let zone = berlin.for_choosing(now - 3_600_000, now, now);
        for typed in [
            "2026-10-24T12:00",
            "2026-10-25T02:30",
            "2026-03-29T02:30",
            "2019-07-01T00:00",
            "2027-07-01T00:00",
        ] {
            let by_server: jiff::civil::DateTime = typed.parse().unwrap();
            let by_server = by_server.to_zoned(berlin.zone.clone()).unwrap().timestamp();
            assert_eq!(
                zone.with_offset(typed).unwrap().parse::<Timestamp>().unwrap(),
                by_server,
                "{typed}"
            );
        }
    }
}

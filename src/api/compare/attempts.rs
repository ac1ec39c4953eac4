//! Two attempts of a sendout.

use super::{Compared, Comparison};
use crate::api::error::ApiError;
use crate::api::records::zone_of;
use crate::api::visit::Visit;
use crate::model::compare::Section;
use crate::model::format::{duration, size};
use crate::model::id::is_client_id;
use crate::model::log::BodyKind;
use crate::model::query::{QueryProblem, pairs};
use crate::model::sendout::AttemptFacts;
use crate::server::compare::{Body, body, pairs as by_pairs};
use crate::server::webhooks::sendouts;

type Headers = Vec<(String, String)>;

/// The comparison.
pub(super) async fn compare(project: &str, id: &str, query: &str) -> Result<Comparison, ApiError> {
    let visit = Visit::to(project).await?;
    let (server, member) = (&visit.server, &visit.member);
    if !is_client_id(id) {
        return Err(ApiError::NotFound);
    }
    let sendout = sendouts::one(server, member.project.key, id, member.rights).await?;
    let (_, attempts) = sendout.ok_or(ApiError::NotFound)?;
    let (first, second) = chosen(query, &attempts)?;
    let zone = pairs(query).find(|(name, value)| name == "tz" && !value.is_empty());
    let zone = zone_of(&visit, zone.as_ref().map(|(_, zone)| zone.as_str()))?;
    let now = server.clock.now_ms();
    let mut notes = Vec::new();
    let mut sections = vec![outcome(first, second)];
    if member.rights.read_bodies {
        sections.extend(said(first, second));
        if first.masked || second.masked {
            notes.push("Masked values stay masked: where both are, whether they were the same is not known.".to_owned());
        }
    } else {
        let words = "Headers and answers are not compared: your role may not read them (read:bodies). An owner of the project can change that.";
        notes.push(words.to_owned());
    }
    sections.retain(|section| !section.rows.is_empty() || !section.notes.is_empty());
    Ok(Comparison {
        first: head(first),
        second: head(second),
        sections,
        notes,
        zone: zone.between(first.at.min(second.at).min(now), now),
        now,
    })
}

/// The attempts that the address names; the last two where it names none.
fn chosen<'a>(query: &str, attempts: &'a [AttemptFacts]) -> Result<(&'a AttemptFacts, &'a AttemptFacts), ApiError> {
    let named = |name: &str, last: usize| {
        let value = pairs(query).find(|(other, value)| other == name && !value.is_empty());
        let wrong = || ApiError::from(QueryProblem::new(name, "the number of an attempt of this sendout"));
        if let Some((_, number)) = value {
            let number: u32 = number.trim().parse().map_err(|_| wrong())?;
            return attempts.iter().find(|attempt| attempt.number == number).ok_or_else(wrong);
        }
        let place = attempts.len().checked_sub(last);
        let none = || ApiError::Refused("There is nothing to compare yet: it was sent less than twice.".to_owned());
        place.and_then(|place| attempts.get(place)).ok_or_else(none)
    };
    Ok((named("a", 2)?, named("b", 1)?))
}

fn head(attempt: &AttemptFacts) -> Compared {
    let code = attempt.code.map_or_else(|| "no answer".to_owned(), |code| code.to_string());
    Compared {
        id: attempt.number.to_string(),
        title: format!("Attempt {}: {code}", attempt.number),
        failed: attempt.error.is_some(),
        at: attempt.at,
    }
}

/// How the two went.
fn outcome(first: &AttemptFacts, second: &AttemptFacts) -> Section {
    let fact = |name: &str, of: &dyn Fn(&AttemptFacts) -> Option<String>| (name.to_owned(), of(first), of(second));
    let sent = |attempt: &AttemptFacts| if attempt.by_hand { "by hand" } else { "by the schedule" }.to_owned();
    let all = vec![
        fact("Sent", &|attempt| Some(sent(attempt))),
        fact("Code", &|attempt| attempt.code.map(|code| code.to_string())),
        fact("Error", &|attempt| attempt.error.clone()),
        fact("Address", &|attempt| attempt.address.clone()),
        fact("Answer's size", &|attempt| Some(size(attempt.response_bytes))),
        fact("In all", &|attempt| Some(duration(attempt.timings.total_us))),
        fact("Resolve", &|attempt| attempt.timings.resolve_us.map(duration)),
        fact("Connect", &|attempt| attempt.timings.connect_us.map(duration)),
        fact("First byte", &|attempt| attempt.timings.first_byte_us.map(duration)),
    ];
    by_pairs::section("How it went", all)
}

/// What was said in both.
fn said(first: &AttemptFacts, second: &AttemptFacts) -> [Section; 3] {
    let headers = |title: &str, of: fn(&AttemptFacts) -> Option<&Headers>| {
        let list = |attempt| of(attempt).map(Vec::as_slice).unwrap_or_default();
        by_pairs::section(title, by_pairs::by_name(list(first), list(second), true))
    };
    let answer = |attempt: &'_ AttemptFacts| attempt.response_body.clone().unwrap_or_default();
    let (one, other) = (answer(first), answer(second));
    let of = |text: &'_ str| if text.is_empty() { BodyKind::None } else { BodyKind::Text };
    let (kind, other_kind) = (of(&one), of(&other));
    [
        headers("Request headers", |attempt| attempt.request_headers.as_ref()),
        headers("Answer headers", |attempt| attempt.response_headers.as_ref()),
        body(
            "Answer",
            Body {
                kind,
                bytes: one.as_bytes(),
            },
            Body {
                kind: other_kind,
                bytes: other.as_bytes(),
            },
            first.truncated || second.truncated,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::compare::Standing;
    use crate::model::sendout::Timings;

    fn attempt(number: u32, code: Option<u16>, total_us: i64) -> AttemptFacts {
        AttemptFacts {
            number,
            at: 0,
            by_hand: false,
            code,
            error: code.is_none().then(|| "no answer within 10 s".to_owned()),
            timings: Timings {
                total_us,
                ..Timings::default()
            },
            address: None,
            request_headers: None,
            response_headers: None,
            response_body: Some("{\"a\":1}".to_owned()),
            response_bytes: 0,
            truncated: false,
            masked: false,
        }
    }

    #[test]
    fn what_differs_of_an_outcome_is_marked() {
        let section = outcome(&attempt(1, None, 10_000_000), &attempt(2, Some(200), 41_000));
        let told: Vec<(&str, Standing)> = section
            .rows
            .iter()
            .map(|row| {
                let side = row.first.as_ref().or(row.second.as_ref());
                (side.and_then(|side| side.name.as_deref()).unwrap_or_default(), row.standing)
            })
            .collect();
        assert_eq!(
            told,
            [
                ("Sent", Standing::Same),
                ("Code", Standing::Second),
                ("Error", Standing::First),
                ("Answer's size", Standing::Same),
                ("In all", Standing::Changed),
            ]
        );
    }

    #[test]
    fn the_last_two_are_compared_unless_others_are_named() {
        let three: Vec<AttemptFacts> = (1..=3).map(|number| attempt(number, Some(200), 1)).collect();
        let numbers =
            |query: &str, attempts: &[AttemptFacts]| chosen(query, attempts).map(|(first, second)| (first.number, second.number));
        assert_eq!(numbers("", &three), Ok((2, 3)));
        assert_eq!(numbers("a=1&tz=utc&b=3", &three), Ok((1, 3)));
        assert_eq!(numbers("a=1", &three), Ok((1, 3)));
        assert_eq!(numbers("a=2&b=2", &three), Ok((2, 2)));
        for wrong in ["a=9", "b=x", "a=-1", "b=0"] {
            assert!(matches!(numbers(wrong, &three), Err(ApiError::BadArgument(_))), "{wrong}");
        }
        assert!(matches!(numbers("", &three[..1]), Err(ApiError::Refused(_))));
        assert!(matches!(numbers("", &[]), Err(ApiError::Refused(_))));
    }
}

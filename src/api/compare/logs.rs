//! Two logs: finds them, and compares what of them whoever asks may see.

use std::time::Duration;

use super::{Compared, Comparison, With};
use crate::api::error::ApiError;
use crate::api::log::{self, LogPage, Pair};
use crate::api::records::zone_of;
use crate::api::visit::{Visit, lead_to};
use crate::model::compare::Section;
use crate::model::format;
use crate::model::id::is_client_id;
use crate::model::log::{BodyKind, Log, LogText, Message, Note, Status};
use crate::model::page::{Key, Place};
use crate::model::query::{LogQuery, Order, QueryProblem, escape, pairs};
use crate::model::rights::Rights;
use crate::model::selection::{LogSelection, OneOf, TimeRange};
use crate::server::compare::{Body, body, pairs as by_pairs};
use crate::server::selection::{QueryContext, resolve};
use crate::server::store::logs::{list, one};

/// How far back, and on, another log of the same endpoint is looked for: 30 days, in milliseconds.
const REACH_MS: i64 = 30 * 86_400_000;
/// How long that may take.
const BUDGET: Duration = Duration::from_secs(1);
/// What the page's own arguments are called; the rest of its query is the list's.
const OWN: [&str; 3] = ["a", "b", "with"];

/// What the address asks for.
struct Asked {
    first: Option<String>,
    second: Option<String>,
    with: Option<With>,
}

impl Asked {
    fn read(query: &str) -> Result<Self, QueryProblem> {
        let value = |name: &str| {
            pairs(query)
                .find(|(other, value)| other == name && !value.is_empty())
                .map(|(_, value)| value)
        };
        let with = value("with").map(|word| {
            let wrong = || QueryProblem::new("with", "success, failure, before or after");
            With::parse(&word).ok_or_else(wrong)
        });
        Ok(Self {
            first: value("a").map(|id| id.trim().to_owned()),
            second: value("b").map(|id| id.trim().to_owned()),
            with: with.transpose()?,
        })
    }
}

/// The comparison.
pub(super) async fn compare(project: &str, query: &str) -> Result<Comparison, ApiError> {
    let visit = Visit::to(project).await?;
    let asked = Asked::read(query)?;
    let (first, second) = match (asked.first, asked.second, asked.with) {
        (Some(first), Some(second), None) => (found(&visit, &first).await?, found(&visit, &second).await?),
        (Some(one), None, Some(with)) | (None, Some(one), Some(with)) => led(&visit, &one, with, query).await?,
        _ => return Err(QueryProblem::new("a", "name two logs, a and b, or one of them and what it is compared with").into()),
    };
    visit.is_about_both("api_log", [&first.facts.id, &second.facts.id]);
    // What makes no sense in the list's query costs the zone, not the comparison.
    let zone = LogQuery::parse(query).ok().and_then(|query| query.tz);
    let zone = zone_of(&visit, zone.as_deref()).or_else(|_| zone_of(&visit, None))?;
    let now = visit.server.clock.now_ms();
    let (early, late) = (first.facts.created_at, second.facts.created_at);
    let (heads, rights) = ((head(&first), head(&second)), visit.member.rights);
    // Two large bodies take longer than others should wait for this thread.
    let compared = tokio::task::spawn_blocking(move || sections(rights, &first, &second)).await;
    let (sections, notes) = compared.map_err(|error| {
        tracing::error!(%error, "comparing two logs broke");
        ApiError::Unavailable("Something broke on the server while comparing the two logs.".to_owned())
    })?;
    Ok(Comparison {
        first: heads.0,
        second: heads.1,
        sections,
        notes,
        zone: zone.between(early.min(late).min(now), early.max(late).max(now)),
        now,
    })
}

async fn found(visit: &Visit, id: &str) -> Result<Log, ApiError> {
    if !is_client_id(id) {
        return Err(ApiError::NotFound);
    }
    let log = one::find(&visit.server.db, visit.member.project.key, id).await?;
    log.ok_or(ApiError::NotFound)
}

/// The log that is meant by what it is to this one; the reader is sent to the address that names both, the earlier one first.
async fn led(visit: &Visit, id: &str, with: With, query: &str) -> Result<(Log, Log), ApiError> {
    let log = found(visit, id).await?;
    let other = beside(visit, &log, with)
        .await?
        .ok_or_else(|| ApiError::Refused(none_words(with)))?;
    let other = found(visit, &other).await?;
    let (first, second) = if with == With::After { (log, other) } else { (other, log) };
    let list = pairs(query).filter(|(name, _)| !OWN.contains(&name.as_str()));
    let list: String = list
        .map(|(name, value)| format!("&{}={}", escape(&name), escape(&value)))
        .collect();
    lead_to(&format!(
        "/projects/{}/logs/compare?a={}&b={}{list}",
        escape(&visit.member.project.id),
        escape(&first.facts.id),
        escape(&second.facts.id)
    ));
    Ok((first, second))
}

fn none_words(with: With) -> String {
    let what = match with {
        With::Success => "no success of the same endpoint in the 30 days before it",
        With::Failure => "no failure of the same endpoint in the 30 days before it",
        With::Before => "no other log of the same endpoint in the 30 days before it",
        With::After => "no other log of the same endpoint in the 30 days after it",
    };
    format!("There is {what}: nothing to compare this log with. Name another log on its page.")
}

/// The nearest log of the same endpoint and origin.
async fn beside(visit: &Visit, log: &Log, with: With) -> Result<Option<String>, ApiError> {
    let context = QueryContext {
        now_ms: visit.server.clock.now_ms(),
        zone: &jiff::tz::TimeZone::UTC,
        rights: visit.member.rights,
        key: &visit.server.key,
        project_id: &visit.member.project.id,
        default_origin: log.facts.origin,
    };
    let (everything, _) = resolve(&LogQuery::default(), &context)?;
    let at = log.facts.created_at;
    let selection = LogSelection {
        range: TimeRange {
            from: at.saturating_sub(REACH_MS),
            to: at.saturating_add(REACH_MS),
        },
        endpoints: OneOf {
            wanted: vec![log.facts.endpoint.clone()],
            left_out: Vec::new(),
        },
        statuses: match with {
            With::Success => vec![Status::Success],
            With::Failure => vec![Status::Failure],
            With::Before | With::After => Vec::new(),
        },
        ..everything
    };
    let request = list::ListRequest {
        project: visit.member.project.key,
        selection: &selection,
        order: if with == With::After {
            Order::OldestFirst
        } else {
            Order::NewestFirst
        },
        place: Place::After(Key {
            created_at: at,
            id: log.facts.id.clone(),
        }),
        limit: 1,
        budget: BUDGET,
    };
    let page = list::page(&visit.server.db, request).await?;
    Ok(page.rows.into_iter().next().map(|facts| facts.id))
}

fn head(log: &Log) -> Compared {
    let code = log
        .facts
        .status_code
        .map_or_else(|| "no answer".to_owned(), |code| code.to_string());
    Compared {
        id: log.facts.id.clone(),
        title: format!("{} {} {code}", log.facts.method, log.facts.path),
        failed: log.facts.status == Status::Failure,
        at: log.facts.created_at,
    }
}

fn sections(rights: Rights, first: &Log, second: &Log) -> (Vec<Section>, Vec<String>) {
    let (one, other) = (log::shown(first.clone(), rights), log::shown(second.clone(), rights));
    let mut sections = vec![facts(&one, &other)];
    let mut notes = Vec::new();
    if !rights.read_bodies {
        let words = "Headers and bodies are not compared: your role may not read them (read:bodies). An owner of the project can change that.";
        notes.push(words.to_owned());
        return (sections, notes);
    }
    if [&one, &other].iter().any(|page| page.facts.notes.contains(&Note::Masked)) {
        let words = "Masked values stay masked: where both are, whether they were the same is not known.";
        notes.push(words.to_owned());
    }
    for (log, which) in [(first, "first"), (second, "second")] {
        if log.text.is_none() {
            notes.push(format!("The bodies and headers of the {which} went before their log did."));
        }
    }
    sections.push(pairs_of("Query", &one.arguments, &other.arguments, false));
    sections.push(headers("Request headers", one.request.headers, other.request.headers));
    sections.push(bodies("Request body", first, second, |text| &text.request));
    sections.push(headers("Response headers", one.response.headers, other.response.headers));
    sections.push(bodies("Response body", first, second, |text| &text.response));
    sections.retain(|section| !section.rows.is_empty() || !section.notes.is_empty());
    (sections, notes)
}

/// What is known of both, without what differs between any two: when, and the ids.
fn facts(one: &LogPage, other: &LogPage) -> Section {
    let fact = |name: &str, of: &dyn Fn(&LogPage) -> Option<String>| (name.to_owned(), of(one), of(other));
    let all = vec![
        fact("Status", &|page| Some(page.facts.status.label().to_owned())),
        fact("Code", &|page| page.facts.status_code.map(|code| code.to_string())),
        fact("Method", &|page| Some(page.facts.method.clone())),
        fact("URL", &|page| page.url.split(['?', '#']).next().map(str::to_owned)),
        fact("Endpoint", &|page| Some(page.facts.endpoint.clone())),
        fact("Took", &|page| page.facts.duration_us.map(format::duration)),
        fact("User", &|page| {
            page.facts.user_email.clone().or_else(|| page.facts.user_id.clone())
        }),
        fact("Key", &|page| {
            page.facts.app_name.clone().or_else(|| page.facts.app_id.clone())
        }),
        fact("Client-side key", &|page| page.facts.client_app_id.clone()),
        fact("Channel", &|page| page.facts.channel.clone()),
        fact("IP", &|page| page.facts.ip.clone()),
        fact("User agent", &|page| page.user_agent.clone()),
        fact("Resource", &|page| {
            page.facts
                .resource
                .as_ref()
                .map(|about| format!("{}:{}", about.kind, about.id))
        }),
        fact("Request size", &|page| Some(format::size(page.facts.request_bytes))),
        fact("Response size", &|page| Some(format::size(page.facts.response_bytes))),
        fact("Notes", &|page| notes_of(page)),
    ];
    by_pairs::section("Facts", all)
}

fn notes_of(page: &LogPage) -> Option<String> {
    let notes: Vec<&str> = page.facts.notes.iter().map(|note| note.as_str()).collect();
    (!notes.is_empty()).then(|| notes.join(", "))
}

fn headers(title: &str, one: Option<Vec<Pair>>, other: Option<Vec<Pair>>) -> Section {
    pairs_of(title, &one.unwrap_or_default(), &other.unwrap_or_default(), true)
}

fn pairs_of(title: &str, one: &[Pair], other: &[Pair], any_case: bool) -> Section {
    let list = |pairs: &[Pair]| -> Vec<(String, String)> {
        let pairs = pairs.iter().map(|pair| (pair.name.clone(), pair.value.clone()));
        pairs.collect()
    };
    by_pairs::section(title, by_pairs::by_name(&list(one), &list(other), any_case))
}

fn bodies(title: &str, first: &Log, second: &Log, pick: fn(&LogText) -> &Message) -> Section {
    let of = |log: &'_ Log| log.text.as_ref().map(pick).cloned();
    let (one, other) = (of(first), of(second));
    let shape = |message: &'_ Option<Message>| message.as_ref().map_or(BodyKind::None, |message| message.kind);
    let is_cut = |log: &Log| log.facts.notes.contains(&Note::Truncated);
    let bytes = |message: &Option<Message>| message.as_ref().map(|message| message.body.clone()).unwrap_or_default();
    let (one_bytes, other_bytes) = (bytes(&one), bytes(&other));
    let mut section = body(
        title,
        Body {
            kind: shape(&one),
            bytes: &one_bytes,
        },
        Body {
            kind: shape(&other),
            bytes: &other_bytes,
        },
        is_cut(first) || is_cut(second),
    );
    let left_out = |log: &Log, message: &Option<Message>| {
        log.facts.notes.contains(&Note::NotCaptured) && message.as_ref().is_some_and(|message| message.kind == BodyKind::None)
    };
    if left_out(first, &one) || left_out(second, &other) {
        section
            .notes
            .push("A body that is records or a file is not in its log: it was left out on purpose.".to_owned());
    }
    section
}

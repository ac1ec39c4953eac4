//! Rules tried out on the last logs, before they are kept: nothing is stored.

use std::time::Duration;

use super::snippets;
use crate::model::log::{Log, LogFacts, LogText, Message};
use crate::model::masking::MaskRule;
use crate::model::masking::tried::{Change, Part, Tried, TriedLog};
use crate::model::page::Place;
use crate::model::query::Order;
use crate::model::selection::{LogSelection, TimeRange};
use crate::server::ingest::headers::Headers;
use crate::server::ingest::mask::MaskRules;
use crate::server::masking::{MaskingError, broken};
use crate::server::state::Server;
use crate::server::store::logs::list::{self, ListRequest};
use crate::server::store::logs::one;
use crate::server::store::projects::ProjectKey;

/// Logs that rules are tried out on.
pub const LOGS: usize = 100;
/// Logs whose bodies are in memory at the same time.
const TOGETHER: usize = 5;
/// Bytes of a log's bodies.
const MOST_BYTES: usize = 1 << 20;
/// Changes of a log that are shown.
const CHANGES: usize = 5;
/// How long the last logs are looked for.
const BUDGET: Duration = Duration::from_secs(2);
/// All times, in milliseconds since 1970.
const EVER: TimeRange = TimeRange { from: 0, to: i64::MAX };

/// What these rules would have changed of the last logs of applications. For those who may read bodies.
pub async fn try_out(server: &Server, project: ProjectKey, rules: &[MaskRule]) -> Result<Tried, MaskingError> {
    let rules = server.masking.with(rules).await?;
    let selection = LogSelection::all(EVER);
    let request = ListRequest {
        project,
        selection: &selection,
        order: Order::NewestFirst,
        place: Place::Start,
        limit: LOGS,
        budget: BUDGET,
    };
    let last = list::page(&server.db, request).await?.rows;
    let all = last.len();
    let small: Vec<LogFacts> = last.into_iter().filter(is_small).collect();
    let mut tried = Tried::default();
    for some in small.chunks(TOGETHER) {
        let logs = one::with_texts(&server.db, project, some.to_vec()).await?;
        let rules = rules.clone();
        let looked_at =
            tokio::task::spawn_blocking(move || logs.into_iter().filter_map(|log| change(&rules, log)).collect::<Vec<_>>());
        for log in looked_at.await.map_err(broken)? {
            tried.looked_at += 1;
            tried.logs.extend(log);
        }
    }
    tried.left_out = (all as u32).saturating_sub(tried.looked_at);
    Ok(tried)
}

/// The sizes are what senders say; what is there is looked at again.
fn is_small(facts: &LogFacts) -> bool {
    facts.request_bytes.max(0).saturating_add(facts.response_bytes.max(0)) <= MOST_BYTES as i64
}

/// What would be different of a log; `None` where it cannot be looked at.
fn change(rules: &MaskRules, log: Log) -> Option<Option<TriedLog>> {
    let text = log
        .text
        .filter(|text| text.request.body.len() + text.response.body.len() <= MOST_BYTES)?;
    let mut found = Changes {
        all: Vec::new(),
        more: false,
    };
    found.of_facts(rules, &log.facts);
    found.of_text(rules, &text);
    if found.all.is_empty() {
        return Some(None);
    }
    Some(Some(TriedLog {
        id: log.facts.id,
        created_at: log.facts.created_at,
        method: log.facts.method,
        path: log.facts.path,
        changes: found.all,
        more: found.more,
    }))
}

struct Changes {
    all: Vec<Change>,
    more: bool,
}

impl Changes {
    /// Who did it, and from where: the logs are those of applications.
    fn of_facts(&mut self, rules: &MaskRules, facts: &LogFacts) {
        let mut of = |part, value: &Option<String>, mask: fn(&MaskRules, &str) -> Option<String>| {
            if let Some(value) = value
                && let Some(masked) = mask(rules, value)
            {
                self.push(part, value, &masked);
            }
        };
        of(Part::UserEmail, &facts.user_email, MaskRules::user_email);
        of(Part::UserId, &facts.user_id, MaskRules::user_id);
        of(Part::Ip, &facts.ip, MaskRules::ip);
    }

    fn of_text(&mut self, rules: &MaskRules, text: &LogText) {
        if let Some(masked) = rules.url(&text.url) {
            self.push(Part::Url, &text.url, &masked);
        }
        self.of_message(rules, &text.request, [Part::RequestHeaders, Part::RequestBody]);
        self.of_message(rules, &text.response, [Part::ResponseHeaders, Part::ResponseBody]);
    }

    fn of_message(&mut self, rules: &MaskRules, message: &Message, [headers, body]: [Part; 2]) {
        // What is stored was written by this service: it can be read.
        let stored = Headers::read(&message.headers, "headers").unwrap_or_default();
        for (name, value) in &stored.pairs {
            let masked = rules.header(name, value);
            let address = rules.client_header(name, masked.as_deref().unwrap_or(value));
            if let Some(masked) = address.or(masked) {
                self.push(headers, &format!("{name}: {value}"), &format!("{name}: {masked}"));
            }
        }
        if let Some(masked) = rules.body(message.kind, message.content_type.as_deref(), &message.body).bytes {
            let (before, after) = (String::from_utf8_lossy(&message.body), String::from_utf8_lossy(&masked));
            self.push(body, &before, &after);
        }
    }

    fn push(&mut self, part: Part, before: &str, after: &str) {
        let (found, more) = snippets::changes(before, after, CHANGES - self.all.len());
        self.more |= more;
        self.all
            .extend(found.into_iter().map(|(before, after)| Change { part, before, after }));
    }
}

//! Random logs and selections, and the plain scan over them that says what the store must find: written apart from the store, so that it can say no.

use audit_log::model::log::{BodyKind, LogFacts, LogText, Message, NewLog, Note, Origin, Resource, Status};
use audit_log::model::selection::{LogSelection, OneOf, TimeRange};
use audit_log::server::clock::Random;

use serde_json::{Value, json};

use crate::logs::START;

/// A few random choices, the same for the same seed.
pub struct Dice(pub Random);

impl Dice {
    pub fn below(&self, end: usize) -> usize {
        (u64::from_le_bytes(self.0.bytes()) % end as u64) as usize
    }

    pub fn of<'a, T: ?Sized>(&self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }

    pub fn maybe(&self, all: &[&str]) -> Option<String> {
        (self.below(3) > 0).then(|| self.of(all).to_owned())
    }

    /// Words of several alphabets, with letters that fold to more bytes, or to ASCII, or not at all.
    pub fn words(&self, most: usize) -> String {
        const WORDS: [&str; 14] = [
            "voucher",
            "Köln",
            "STRASSE",
            "İstanbul",
            "Ⱥ",
            "\u{212A}elvin",
            "σς Σ",
            "Жук",
            "漢字",
            "a\0b",
            "ab",
            "%_\\",
            "\"k\":1",
            "😀",
        ];
        (0..self.below(most))
            .map(|_| self.of(&WORDS))
            .collect::<Vec<_>>()
            .join(self.of(&[" ", "", "-"]))
    }

    /// Headers as they are kept, with values that JSON has to escape.
    pub fn headers(&self) -> String {
        let value = |dice: &Self| {
            json!(format!(
                "{}{}",
                dice.of(&["", "W/\"v-1\"", "a\\b", "x: y", "k=\"v\"; "]),
                dice.words(3)
            ))
        };
        let mut headers = serde_json::Map::new();
        for name in ["ETag", "x", "X-Trace", "link"] {
            match self.below(4) {
                0 => drop(headers.insert(name.to_owned(), value(self))),
                1 => drop(headers.insert(name.to_owned(), json!([value(self), value(self)]))),
                _ => {}
            }
        }
        json!(headers).to_string()
    }

    pub fn log(&self, time: i64) -> NewLog {
        let client_id = self.below(2) == 0;
        let id = if client_id {
            format!("mine-{}", self.below(1_000_000_000))
        } else {
            self.0.id(audit_log::model::id::IdKind::Log, time)
        };
        let status_code = (self.below(8) > 0).then(|| [200, 201, 400, 404, 429, 500][self.below(6)]);
        let kind = [BodyKind::Json, BodyKind::Text, BodyKind::Binary, BodyKind::None][self.below(4)];
        let body = |dice: &Self| match kind {
            BodyKind::None => Vec::new(),
            BodyKind::Binary => [b"\xFF\xC3Ab".as_slice(), dice.words(5).as_bytes(), b"\xF0\x9F"].concat(),
            _ => dice.words(40).into_bytes(),
        };
        let text = LogText {
            url: format!("/v1/{}?q={}", self.of(&["vouchers", "Customers", "orders"]), self.words(4)),
            user_agent: self.maybe(&["curl/8", "Mozilla"]),
            request: Message {
                headers: self.headers(),
                kind,
                body: body(self),
                content_type: self.maybe(&["text/plain"]),
            },
            response: Message {
                headers: self.headers(),
                kind,
                body: body(self),
                content_type: self.maybe(&["application/json"]),
            },
        };
        let facts = LogFacts {
            id,
            created_at: time,
            status: Status::of_code(status_code),
            status_code,
            request_id: self.maybe(&["req-1", "req-2", "req-3"]),
            channel: self.maybe(&["API", "WEBSITE"]),
            method: self.of(&["GET", "POST", "DELETE"]).to_owned(),
            endpoint: self
                .of(&["GET_v1_vouchers", "POST_v1_orders", "GET_v1_customers_{id}"])
                .to_owned(),
            path: format!("/v1/{}", self.words(3)),
            user_email: self.maybe(&["ann@example.com", "bob@example.com"]),
            user_id: self.maybe(&["ann@example.com", "u2"]),
            app_id: self.maybe(&["key_1", "key_2"]),
            app_name: self.maybe(&["key_1", "Shop"]),
            client_app_id: self.maybe(&["web"]),
            duration_us: self.maybe(&["x"]).map(|_| self.below(2_000_000) as i64),
            ip: self.maybe(&["10.0.0.1", "::1"]),
            origin: [Origin::Application, Origin::Application, Origin::Own][self.below(3)],
            resource: (self.below(2) == 0).then(|| Resource {
                kind: self.of(&["voucher", "order"]).to_owned(),
                id: self.of(&["v:1", "v2"]).to_owned(),
            }),
            async_action_id: self.maybe(&["aa_1"]),
            request_bytes: text.request.body.len() as i64,
            response_bytes: text.response.body.len() as i64,
            notes: if self.below(3) == 0 { vec![Note::Masked] } else { Vec::new() },
        };
        NewLog { facts, client_id, text }
    }

    pub fn one_of(&self, values: &[&str]) -> OneOf {
        let some = |dice: &Self| (0..dice.below(3)).map(|_| dice.of(values).to_owned()).collect();
        match self.below(8) {
            0 => OneOf {
                wanted: some(self),
                left_out: Vec::new(),
            },
            1 => OneOf {
                wanted: Vec::new(),
                left_out: some(self),
            },
            _ => OneOf::default(),
        }
    }

    pub fn selection(&self, logs: &[NewLog]) -> LogSelection {
        let from = START + self.below(7_200_000) as i64 - 600_000;
        let to = from + self.below(9_000_000) as i64;
        let mut selection = LogSelection::all(if self.below(2) == 0 {
            TimeRange { from, to }
        } else {
            TimeRange { from: 0, to: i64::MAX }
        });
        selection.origins = [
            vec![Origin::Application],
            vec![Origin::Own],
            vec![Origin::Application, Origin::Own],
        ][self.below(3)]
        .clone();
        if self.below(3) == 0 {
            selection.statuses = vec![[Status::Success, Status::Failure][self.below(2)]];
        }
        let code = |dice: &Self| [None, Some((404, 404)), Some((400, 499)), Some((200, 299)), Some((500, 500))][dice.below(5)];
        match self.below(6) {
            0 => selection.codes = vec![code(self), code(self)],
            1 => selection.codes_left_out = vec![code(self)],
            _ => {}
        }
        selection.methods = self.one_of(&["GET", "POST", "PATCH"]);
        selection.endpoints = self.one_of(&["GET_v1_vouchers", "POST_v1_orders"]);
        selection.channels = self.one_of(&["API", "WEBSITE", "A\0PI"]);
        selection.users = self.one_of(&["ann@example.com", "u2"]);
        selection.apps = self.one_of(&["key_1", "Shop"]);
        selection.client_apps = self.one_of(&["web", "Shop"]);
        selection.request_ids = self.one_of(&["req-1", "req-2"]);
        selection.resources = self.one_of(&["voucher:v:1", "order", "order:v2"]);
        selection.ips = self.one_of(&["10.0.0.1", "::1"]);
        if self.below(12) == 0 {
            selection.ids.wanted = (0..3).map(|_| logs[self.below(logs.len())].facts.id.clone()).collect();
        }
        if self.below(6) == 0 {
            selection.path = Some(self.needle(&logs[self.below(logs.len())].facts.path));
        }
        if self.below(8) == 0 {
            selection.slower_than_us = Some(self.below(2_000_000) as i64);
        }
        if self.below(2) == 0 {
            let log = &logs[self.below(logs.len())];
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            match self.below(7) {
                0 => selection.text.request_body = Some(self.needle(&text(&log.text.request.body))),
                1 => selection.text.response_body = Some(self.needle(&text(&log.text.response.body))),
                2 => selection.text.anywhere = Some(self.needle(&log.facts.id)),
                3 => selection.text.anywhere = Some(self.needle(&log.text.url)),
                4 => selection.text.anywhere = Some(self.needle(&header_lines(&log.text.request))),
                5 => selection.text.anywhere = Some(self.needle(&header_lines(&log.text.response))),
                _ => {
                    selection.text.anywhere = Some(self.needle(&text(&log.text.request.body)));
                    selection.text.response_body = Some(self.needle(&text(&log.text.response.body)));
                }
            }
        }
        selection
    }

    /// A part of a text, in another case; now and then something that is nowhere.
    pub fn needle(&self, text: &str) -> String {
        let letters: Vec<char> = text.chars().collect();
        if letters.is_empty() || self.below(10) == 0 {
            return self.of(&["nowhere", "q", "ß", "k"]).to_owned();
        }
        let start = self.below(letters.len());
        let part: String = letters[start..(start + 1 + self.below(12)).min(letters.len())]
            .iter()
            .collect();
        match self.below(3) {
            0 => part
                .chars()
                .flat_map(|letter| {
                    if letter.to_uppercase().count() == 1 {
                        letter.to_uppercase().next()
                    } else {
                        Some(letter)
                    }
                })
                .collect(),
            1 => part.chars().flat_map(char::to_lowercase).collect(),
            _ => part,
        }
    }
}

/// The plain scan: folds letter by letter and looks.
pub fn has(text: &[u8], needle: &str) -> bool {
    let fold = |bytes: &[u8]| -> Vec<u8> {
        let mut folded = Vec::new();
        for chunk in bytes.utf8_chunks() {
            folded.extend(
                chunk
                    .valid()
                    .chars()
                    .flat_map(char::to_lowercase)
                    .collect::<String>()
                    .into_bytes(),
            );
            folded.extend(chunk.invalid());
        }
        folded
    };
    let (text, needle) = (fold(text), fold(needle.as_bytes()));
    needle.is_empty() || text.windows(needle.len()).any(|window| window == needle)
}

/// Headers as a person reads them: `name: value`, one a line.
pub fn header_lines(message: &Message) -> String {
    let headers: serde_json::Map<String, Value> = serde_json::from_str(&message.headers).unwrap();
    let lines = headers.iter().flat_map(|(name, value)| {
        let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        values
            .iter()
            .map(move |value| format!("{name}: {}\n", value.as_str().unwrap()))
    });
    lines.collect()
}

pub fn says(log: &NewLog, selection: &LogSelection) -> bool {
    let (facts, text) = (&log.facts, &log.text);
    let resource = facts
        .resource
        .as_ref()
        .map(|resource| format!("{}:{}", resource.kind, resource.id));
    let optional = [
        &facts.request_id,
        &facts.user_email,
        &facts.user_id,
        &facts.app_id,
        &facts.client_app_id,
        &facts.ip,
        &resource,
        &facts.async_action_id,
        &text.user_agent,
        &text.request.content_type,
        &text.response.content_type,
    ];
    let mut fields: Vec<&[u8]> = optional.into_iter().flatten().map(String::as_bytes).collect();
    let lines = [header_lines(&text.request), header_lines(&text.response)];
    fields.extend(lines.iter().map(String::as_bytes));
    fields.extend([facts.id.as_bytes(), text.url.as_bytes()]);
    fields.extend([text.request.body.as_slice(), text.response.body.as_slice()]);
    let needles = &selection.text;
    needles
        .anywhere
        .as_ref()
        .is_none_or(|needle| fields.iter().any(|field| has(field, needle)))
        && needles
            .request_body
            .as_ref()
            .is_none_or(|needle| has(&text.request.body, needle))
        && needles
            .response_body
            .as_ref()
            .is_none_or(|needle| has(&text.response.body, needle))
}

pub fn is_meant(log: &NewLog, selection: &LogSelection) -> bool {
    let facts = &log.facts;
    let passes = |values: &OneOf, fields: &[&Option<String>]| {
        let is = |value: &String| {
            fields
                .iter()
                .any(|field| field.as_ref() == Some(&value.replace('\0', "\u{2400}")))
        };
        (values.wanted.is_empty() || values.wanted.iter().any(is)) && !values.left_out.iter().any(is)
    };
    let resource_is = |value: &String| {
        facts.resource.as_ref().is_some_and(|resource| match value.split_once(':') {
            Some((kind, id)) => resource.kind == kind && resource.id == id,
            None => resource.kind == *value,
        })
    };
    let code_is = |range: &Option<(u16, u16)>| match (range, facts.status_code) {
        (None, code) => code.is_none(),
        (Some((from, to)), Some(code)) => (from..=to).contains(&&code),
        _ => false,
    };
    let name_where = |client: bool| facts.app_name.clone().filter(|_| facts.client_app_id.is_some() == client);
    let (server_name, client_name) = (name_where(false), name_where(true));
    (selection.range.from..selection.range.to).contains(&facts.created_at)
        && selection.origins.contains(&facts.origin)
        && (selection.statuses.is_empty() || selection.statuses.contains(&facts.status))
        && (selection.codes.is_empty() || selection.codes.iter().any(code_is))
        && !selection.codes_left_out.iter().any(code_is)
        && passes(&selection.methods, &[&Some(facts.method.clone())])
        && passes(&selection.endpoints, &[&Some(facts.endpoint.clone())])
        && passes(&selection.channels, &[&facts.channel])
        && passes(&selection.users, &[&facts.user_email, &facts.user_id])
        && passes(&selection.apps, &[&facts.app_id, &server_name])
        && passes(&selection.client_apps, &[&facts.client_app_id, &client_name])
        && passes(&selection.request_ids, &[&facts.request_id])
        && passes(&selection.ids, &[&Some(facts.id.clone())])
        && passes(&selection.ips, &[&facts.ip])
        && (selection.resources.wanted.is_empty() || selection.resources.wanted.iter().any(resource_is))
        && !selection.resources.left_out.iter().any(resource_is)
        && selection.path.as_ref().is_none_or(|path| {
            has(
                facts.path.replace('\0', "\u{2400}").as_bytes(),
                &path.replace('\0', "\u{2400}"),
            )
        })
        && selection
            .slower_than_us
            .is_none_or(|slower| facts.duration_us.is_some_and(|duration| duration > slower))
        && says(log, selection)
}

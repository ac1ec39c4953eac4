//! The logs that every contender writes: one seeded stream, so that all of them write the same.

use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

/// 100,000 logs a day.
pub const STEP_MS: i64 = 864;

/// The application whose logs `to_line` gives a client-side key.
pub const CLIENT_APP: &str = "app-7";

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "DELETE", "PATCH"];
const CHANNELS: [&str; 4] = ["API", "WEBSITE", "Node.js-v20.20.2-SDK-v2.9.0", "Java-v17-SDK-v12.0.0"];
const RESOURCES: [&str; 5] = ["vouchers", "customers", "orders", "campaigns", "redemptions"];
const WORDS: [&str; 24] = [
    "voucher",
    "customer",
    "order",
    "discount",
    "loyalty",
    "points",
    "redeemed",
    "published",
    "summer",
    "winter",
    "gift",
    "card",
    "amount",
    "currency",
    "metadata",
    "segment",
    "campaign",
    "reward",
    "tier",
    "gold",
    "silver",
    "bronze",
    "birthday",
    "referral",
];

/// One log, as every contender takes it.
pub struct Row {
    pub created_at: i64,
    pub status_code: i64,
    pub request_id: String,
    pub channel: &'static str,
    pub method: &'static str,
    pub endpoint: String,
    pub path: String,
    pub user_email: String,
    pub app_id: String,
    pub duration_ms: i64,
    pub ip: String,
    pub resource_type: &'static str,
    pub resource_id: String,
    pub request_headers: String,
    pub request_body: String,
    pub response_headers: String,
    pub response_body: String,
}

/// The stream of logs, from a first time on.
pub struct Rows {
    random: ChaCha8Rng,
    at: i64,
    step: i64,
}

impl Rows {
    /// `step` milliseconds apart.
    pub fn new(seed: u64, from: i64, step: i64) -> Self {
        Self {
            random: ChaCha8Rng::seed_from_u64(seed),
            at: from,
            step,
        }
    }

    fn words(&mut self, bytes: usize) -> String {
        let mut text = String::new();
        while text.len() < bytes {
            text.push_str(WORDS.choose(&mut self.random).unwrap_or(&"word"));
            text.push(' ');
            if self.random.random_bool(0.3) {
                text.push_str(&format!("{:08x} ", self.random.random::<u32>()));
            }
        }
        text
    }
}

impl Iterator for Rows {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        self.at += self.step;
        let resource = *RESOURCES.choose(&mut self.random)?;
        let method = *METHODS.choose(&mut self.random)?;
        let id = format!("{}_{:016x}", &resource[..3], self.random.random::<u64>());
        let user = format!("person{}@example.com", self.random.random_range(0..500));
        let request_id = format!("v-{:032x}", self.random.random::<u128>());
        let status_code = if self.random.random_bool(0.03) {
            *[400, 401, 404, 429, 500].choose(&mut self.random)?
        } else {
            200
        };
        let request_body = json!({"id": id, "customer": {"email": user, "source_id": format!("src-{}", self.random.random::<u32>())},
            "note": self.words(250), "amount": self.random.random_range(100..100_000)});
        let response_body = json!({"id": id, "object": resource, "result": if status_code < 400 { "SUCCESS" } else { "FAILURE" },
            "tracking_id": format!("track_{:016x}", self.random.random::<u64>()), "detail": self.words(350)});
        Some(Row {
            created_at: self.at,
            status_code,
            request_id,
            channel: CHANNELS.choose(&mut self.random)?,
            method,
            endpoint: format!("{method}_v1_{resource}_{{id}}"),
            path: format!("/v1/{resource}/{id}"),
            user_email: user,
            app_id: format!("app-{}", self.random.random_range(0..20)),
            duration_ms: self.random.random_range(2..900),
            ip: format!("203.0.113.{}", self.random.random_range(1..255)),
            resource_type: &resource[..resource.len() - 1],
            resource_id: id,
            request_headers: json!({"content-type": "application/json", "accept": "*/*", "user-agent": "shop/1.4"}).to_string(),
            request_body: request_body.to_string(),
            response_headers: json!({"content-type": "application/json", "cache-control": "no-store"}).to_string(),
            response_body: response_body.to_string(),
        })
    }
}

impl Row {
    /// The log as `POST /v1/logs` takes it.
    pub fn to_json(&self) -> Value {
        let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
        json!({"created_at": self.created_at, "status_code": self.status_code, "request_id": self.request_id, "channel": self.channel,
            "method": self.method, "url": self.path, "endpoint": self.endpoint, "user_email": self.user_email, "app_id": self.app_id,
            "request_duration": self.duration_ms, "ip": self.ip, "resource": {"type": self.resource_type, "id": self.resource_id},
            "request": {"headers": parse(&self.request_headers), "body": parse(&self.request_body)},
            "response": {"headers": parse(&self.response_headers), "body": parse(&self.response_body)}})
    }

    /// A text that this log alone has, in its answer.
    pub fn tracking(&self) -> Option<&str> {
        let start = self.response_body.find("track_")?;
        self.response_body.get(start..start + 22)
    }

    /// The same as a line of NDJSON, under an id of the client's own where there is one, written straight: making it must cost next to nothing beside storing it.
    /// The logs of one application come from its own client side.
    pub fn to_line(&self, id: Option<&str>) -> String {
        let id = id.map(|id| format!(r#""id":"{id}","#)).unwrap_or_default();
        let app = if self.app_id == CLIENT_APP {
            "client_app_id"
        } else {
            "app_id"
        };
        format!(
            r#"{{{id}"created_at":{},"status_code":{},"request_id":"{}","channel":"{}","method":"{}","url":"{}","endpoint":"{}","user_email":"{}","{app}":"{}","request_duration":{},"ip":"{}","resource":{{"type":"{}","id":"{}"}},"request":{{"headers":{},"body":{}}},"response":{{"headers":{},"body":{}}}}}"#,
            self.created_at,
            self.status_code,
            self.request_id,
            self.channel,
            self.method,
            self.path,
            self.endpoint,
            self.user_email,
            self.app_id,
            self.duration_ms,
            self.ip,
            self.resource_type,
            self.resource_id,
            self.request_headers,
            self.request_body,
            self.response_headers,
            self.response_body,
        ) + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_the_json_does_and_its_id() -> crate::Outcome<()> {
        let mut clients = 0;
        for row in Rows::new(1, 0, STEP_MS).take(200) {
            let mut said: Value = serde_json::from_str(&row.to_line(Some("log_1")))?;
            let fields = said.as_object_mut().ok_or("not an object")?;
            assert_eq!(fields.remove("id"), Some("log_1".into()));
            if let Some(client) = fields.remove("client_app_id") {
                clients += 1;
                fields.insert("app_id".to_owned(), client);
            }
            assert_eq!(said, row.to_json());
        }
        assert!((1..50).contains(&clients));
        Ok(())
    }
}

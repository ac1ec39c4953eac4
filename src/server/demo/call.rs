//! One request and its answer, before it is sent in as JSON.

use serde_json::{Value, json};

use super::cast::Caller;
use super::dice::Dice;

/// Where the imaginary API is served.
const HOST: &str = "api.acme-loyalty.example";

/// A request and its answer. Secrets are in it as an application would send them: masking is the door's work.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// The log's, the same each time the demo is made: what was written before counts as a duplicate.
    pub(super) id: String,
    /// Milliseconds since 1970.
    pub(super) at: i64,
    pub(super) method: &'static str,
    /// Path and query.
    pub(super) target: String,
    /// None where no answer came.
    pub(super) code: Option<u16>,
    pub(super) duration_ms: f64,
    pub(super) caller: Caller,
    pub(super) ip: String,
    pub(super) request_id: String,
    /// The person of the dashboard: e-mail address and id.
    pub(super) person: Option<(&'static str, &'static str)>,
    pub(super) request: Body,
    pub(super) response: Body,
    pub(super) more_request_headers: Vec<(&'static str, String)>,
    pub(super) more_response_headers: Vec<(&'static str, String)>,
    pub(super) resource: Option<(&'static str, String)>,
    pub(super) async_action_id: Option<String>,
    /// Name and content of the file that was imported.
    pub(super) import_file: Option<(&'static str, String)>,
    token: String,
}

/// A body, and what it is.
#[derive(Clone, Debug)]
pub(super) enum Body {
    None,
    Json(Value),
    Text(&'static str, String),
    /// Base64.
    Binary(&'static str, &'static str),
}

impl Body {
    const fn content_type(&self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Json(_) => Some("application/json"),
            Self::Text(content_type, _) | Self::Binary(content_type, _) => Some(content_type),
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::None => Value::Null,
            Self::Json(value) => value.clone(),
            Self::Text(_, text) => Value::String(text.clone()),
            Self::Binary(_, data) => json!({ "encoding": "base64", "data": data }),
        }
    }
}

impl Call {
    /// A request that went well: 200, without bodies.
    pub(super) fn new(at: i64, dice: &mut Dice, caller: Caller, method: &'static str, target: impl Into<String>) -> Self {
        Self {
            id: String::new(),
            at,
            method,
            target: target.into(),
            code: Some(200),
            duration_ms: dice.duration(38.0),
            caller,
            ip: format!("{}.{}", caller.network, dice.range(2, if caller.client { 250 } else { 9 })),
            request_id: format!("v-{}", dice.hex(17)),
            person: None,
            request: Body::None,
            response: Body::None,
            more_request_headers: Vec::new(),
            more_response_headers: Vec::new(),
            resource: None,
            async_action_id: None,
            import_file: None,
            token: dice.hex(32),
        }
    }

    pub(super) fn sent(mut self, body: Value) -> Self {
        self.request = Body::Json(body);
        self
    }

    pub(super) fn answered(mut self, code: u16, body: Value) -> Self {
        self.code = Some(code);
        self.response = Body::Json(body);
        self
    }

    pub(super) const fn took(mut self, duration_ms: f64) -> Self {
        self.duration_ms = duration_ms;
        self
    }

    pub(super) fn about(mut self, kind: &'static str, id: impl Into<String>) -> Self {
        self.resource = Some((kind, id.into()));
        self
    }

    pub(super) const fn by(mut self, person: (&'static str, &'static str)) -> Self {
        self.person = Some(person);
        self
    }

    pub(super) fn with_request_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.more_request_headers.push((name, value.into()));
        self
    }

    pub(super) fn with_response_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.more_response_headers.push((name, value.into()));
        self
    }

    /// Refused, as the API says it: key, message, details.
    pub(super) fn refused(self, code: u16, key: &str, message: &str, details: &str) -> Self {
        let body = json!({ "code": code, "key": key, "message": message, "details": details, "request_id": self.request_id });
        self.answered(code, body)
    }

    /// The log, as an application sends it in.
    pub(super) fn to_entry(&self) -> Value {
        let (app_field, name_field) = if self.caller.client {
            ("client_app_id", "app_name")
        } else {
            ("app_id", "app_name")
        };
        let mut entry = json!({
            "id": self.id, "created_at": self.at, "method": self.method, "url": format!("https://{HOST}{}", self.target), "status_code": self.code,
            "request_duration": self.duration_ms, "request_id": self.request_id, "channel": self.caller.channel, "ip": self.ip,
            "user_agent": self.caller.user_agent,
            "request": { "headers": self.request_headers(), "body": self.request.json(), "content_type": self.request.content_type() },
        });
        if self.code.is_some() {
            entry["response"] = json!({ "headers": self.response_headers(), "body": self.response.json(), "content_type": self.response.content_type() });
        }
        if !self.caller.app_id.is_empty() {
            entry[app_field] = self.caller.app_id.into();
            entry[name_field] = self.caller.app_name.into();
        }
        if let Some((email, id)) = self.person {
            entry["user_email"] = email.into();
            entry["user_id"] = id.into();
        }
        if let Some((kind, id)) = &self.resource {
            entry["resource"] = json!({ "type": kind, "id": id });
        }
        if let Some(id) = &self.async_action_id {
            entry["async_action_id"] = id.as_str().into();
        }
        entry
    }

    fn request_headers(&self) -> Value {
        let mut headers = json!({ "host": HOST, "accept": "application/json", "user-agent": self.caller.user_agent });
        if let Some(content_type) = self.request.content_type() {
            headers["content-type"] = content_type.into();
        }
        if self.person.is_some() {
            headers["cookie"] = format!("session={}; theme=dark", self.token).into();
        } else if self.caller.client {
            headers["x-client-application-id"] = self.caller.app_id.into();
            headers["x-client-token"] = self.token.as_str().into();
        } else if self.caller.channel == "API" {
            headers["authorization"] = format!("Bearer {}", self.token).into();
        } else {
            headers["x-app-id"] = self.caller.app_id.into();
            headers["x-app-token"] = self.token.as_str().into();
        }
        for (name, value) in &self.more_request_headers {
            headers[*name] = value.as_str().into();
        }
        headers
    }

    fn response_headers(&self) -> Value {
        let mut headers = json!({ "x-request-id": self.request_id, "x-rate-limit-limit": "2000", "server": "acme" });
        if let Some(content_type) = self.response.content_type() {
            headers["content-type"] = content_type.into();
        }
        for (name, value) in &self.more_response_headers {
            headers[*name] = value.as_str().into();
        }
        headers
    }
}

//! The mixed load: logs, tasks, events and pages, sent as good clients send them, and written down in the ledger.
//!
//! What nobody knows the fate of is sent again under the same ids, as a good client does; what was refused is given up, so that it must not be there.

use std::sync::Arc;
use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use reqwest::header::{ACCEPT, COOKIE, RETRY_AFTER};
use reqwest::multipart::{Form, Part};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::ledger::{Fate, Ledger, TaskKind, call_mark, event_id, task_mark};
use super::service::{PERSON, Service};
use crate::support::cookie_of;

/// Logs that every export holds; they are sent before anything goes wrong.
pub const SEEDS: usize = 300;
/// Records of an imported file; one of them is wrong.
pub const RECORDS: usize = 40;
/// How long somebody waits after trouble.
const TROUBLE: Duration = Duration::from_millis(60);
/// No answer for so long is none.
const PATIENCE: Duration = Duration::from_secs(20);
/// Tries of a task whose fate is unknown.
const TRIES: usize = 6;

/// How to reach a service's servers.
#[derive(Clone)]
pub struct Door {
    pub ports: Vec<u16>,
    pub project: String,
    pub cookie: String,
    app_id: String,
    app_token: String,
    client: Client,
}

/// What was heard of a request.
pub enum Heard {
    /// 2xx, and what it said, where that came whole.
    Yes(Option<Value>),
    /// 429 or 503.
    Refused,
    /// The connection broke, or the answer says that nobody knows.
    Unknown,
    /// Nobody was there to hear it.
    Unsent,
}

impl Door {
    pub fn to(service: &Service, ports: Vec<u16>) -> Self {
        // An error says that TLS was chosen before, which serves as well.
        let _chosen = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy();
        Self {
            ports,
            project: service.project.clone(),
            cookie: String::new(),
            app_id: service.app_id.clone(),
            app_token: service.app_token.clone(),
            client: client.build().unwrap(),
        }
    }

    /// The address of a path, at one of the servers.
    pub fn url(&self, path: &str) -> String {
        let port = self.ports[rand::rng().random_range(0..self.ports.len())];
        format!("http://127.0.0.1:{port}{path}")
    }

    /// A call by the service's key.
    pub fn call(&self, method: Method, path: &str) -> RequestBuilder {
        let call = self.client.request(method, self.url(path));
        call.header("x-app-id", &self.app_id).header("x-app-token", &self.app_token)
    }

    /// The key's headers, as they stand in a request.
    pub fn headers(&self) -> String {
        format!("X-App-Id: {}\r\nX-App-Token: {}\r\n", self.app_id, self.app_token)
    }

    /// A page of the project, as a browser asks for it.
    pub fn page(&self, path: &str) -> RequestBuilder {
        let page = self.client.get(self.url(&format!("/projects/{}/{path}", self.project)));
        page.header(COOKIE, &self.cookie).header(ACCEPT, "text/html,*/*;q=0.8")
    }

    /// The JSON of a path that must be there.
    pub async fn get(&self, path: &str) -> Value {
        let answer = self.call(Method::GET, path).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert_eq!(status, 200, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// What lies behind a link that an answer gave.
    pub async fn fetch(&self, url: &str) -> Vec<u8> {
        let path = url.splitn(4, '/').nth(3).unwrap();
        let answer = self.client.get(self.url(&format!("/{path}"))).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{url}");
        answer.bytes().await.unwrap().to_vec()
    }

    /// Signs the person in who reads pages.
    pub async fn sign_in(&mut self) {
        let origin = format!("http://127.0.0.1:{}", self.ports[0]);
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("email", PERSON.0), ("password", PERSON.1)])
            .finish();
        let request = self.client.post(format!("{origin}/sign-in")).header("origin", &origin);
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
        self.cookie = cookie_of(&request.send().await.unwrap()).unwrap();
    }

    /// Sends a request and says what was heard of it; what nobody should hear goes into the ledger.
    pub async fn hear(&self, ledger: &Ledger, request: RequestBuilder) -> Heard {
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) if error.is_connect() => return Heard::Unsent,
            Err(_) => return Heard::Unknown,
        };
        let (status, path) = (answer.status().as_u16(), answer.url().path().to_owned());
        let may_come_back = answer.headers().contains_key(RETRY_AFTER);
        let Ok(text) = answer.text().await else {
            return if (200..300).contains(&status) {
                Heard::Yes(None)
            } else {
                Heard::Unknown
            };
        };
        match status {
            200..300 => Heard::Yes(serde_json::from_str(&text).ok()),
            503 if text.contains("outcome_unknown") => Heard::Unknown,
            429 | 503 if may_come_back => Heard::Refused,
            // The first call under the same Idempotency-Key has not ended, for all that is known.
            409 if may_come_back => Heard::Unknown,
            _ => {
                ledger.surprise(format!("{path}: {status} {}", text.chars().take(400).collect::<String>()));
                Heard::Unknown
            }
        }
    }
}

/// The load at work.
pub struct Load {
    stop: CancellationToken,
    clients: JoinSet<()>,
}

/// What each client has.
#[derive(Clone)]
struct Post {
    door: Door,
    ledger: Arc<Ledger>,
    stop: CancellationToken,
}

impl Load {
    pub fn start(door: &Door, ledger: &Arc<Ledger>) -> Self {
        let post = Post {
            door: door.clone(),
            ledger: Arc::clone(ledger),
            stop: CancellationToken::new(),
        };
        let mut clients = JoinSet::new();
        for _ in 0..3 {
            clients.spawn(post.clone().send_logs());
        }
        clients.spawn(post.clone().begin_tasks());
        clients.spawn(post.clone().post_events());
        clients.spawn(post.clone().read_pages());
        Self {
            stop: post.stop,
            clients,
        }
    }

    /// Lets every client end what it has begun.
    pub async fn stop(mut self) {
        self.stop.cancel();
        while let Some(ended) = self.clients.join_next().await {
            ended.unwrap();
        }
    }
}

impl Post {
    async fn rest(&self, pause: Duration) {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = self.stop.cancelled() => {}
        }
    }

    async fn send_logs(self) {
        let mut random = ChaCha8Rng::from_os_rng();
        while !self.stop.is_cancelled() {
            let size = if random.random_bool(0.5) {
                1
            } else {
                random.random_range(2..60)
            };
            // Some clients leave the ids to the server.
            let is_own = random.random_bool(0.85);
            let own = |place: usize| -> Vec<String> { (0..size).map(|log| format!("c{place}-{log}")).collect() };
            let place = self.ledger.call(size, |place| if is_own { own(place) } else { Vec::new() });
            let logs = logs(place, size, is_own, &mut random);
            self.send_call(place, is_own, &logs).await;
            self.rest(Duration::from_millis(random.random_range(2..30))).await;
        }
    }

    /// Tries a call until its fate is known; without ids of its own, once.
    async fn send_call(&self, place: usize, is_own: bool, logs: &Value) {
        let mut known = true;
        loop {
            match self
                .door
                .hear(&self.ledger, self.door.call(Method::POST, "/v1/logs").json(logs))
                .await
            {
                Heard::Yes(answer) => {
                    let named = answer.filter(|_| !is_own).map(|answer| ids_of(&answer["ids"]));
                    return self.ledger.called(place, Fate::Acknowledged, named);
                }
                Heard::Refused => self.ledger.called(place, Fate::Refused, None),
                Heard::Unknown => {
                    self.ledger.called(place, Fate::Unknown, None);
                    known = false;
                }
                // It is still the first try.
                Heard::Unsent if !self.stop.is_cancelled() => {
                    self.rest(TROUBLE).await;
                    continue;
                }
                Heard::Unsent => self.ledger.called(place, Fate::Refused, None),
            }
            self.rest(TROUBLE).await;
            if known || !is_own || self.stop.is_cancelled() {
                return;
            }
        }
    }

    async fn begin_tasks(self) {
        while !self.stop.is_cancelled() {
            for kind in [TaskKind::Export, TaskKind::Import] {
                let place = self.ledger.task(kind);
                self.begin_task(place, kind).await;
                self.rest(Duration::from_millis(350)).await;
            }
        }
    }

    async fn begin_task(&self, place: usize, kind: TaskKind) {
        for _ in 0..TRIES {
            let request = match kind {
                TaskKind::Export => self.door.call(Method::POST, "/v1/exports").json(&export(place)),
                TaskKind::Import => self.door.call(Method::POST, "/v1/logs/import").multipart(import(place)),
            };
            let fate = match self
                .door
                .hear(&self.ledger, request.header("idempotency-key", task_mark(place)))
                .await
            {
                Heard::Yes(answer) => {
                    let id = answer.and_then(|answer| {
                        let id = answer["async_action_id"].as_str().or(answer["id"].as_str());
                        id.map(str::to_owned)
                    });
                    return self.ledger.asked(place, Fate::Acknowledged, id);
                }
                Heard::Refused => return self.ledger.asked(place, Fate::Refused, None),
                Heard::Unknown => Fate::Unknown,
                Heard::Unsent => Fate::Refused,
            };
            self.ledger.asked(place, fate, None);
            self.rest(TROUBLE).await;
        }
    }

    async fn post_events(self) {
        while !self.stop.is_cancelled() {
            let place = self.ledger.event();
            let event = json!({"id": event_id(place), "type": "soak.event", "entity_id": format!("e{}", place % 7),
                "data": {"place": place, "filler": "x".repeat(200)}});
            loop {
                let request = self.door.call(Method::POST, "/v1/events").json(&event);
                let fate = match self.door.hear(&self.ledger, request).await {
                    Heard::Yes(_) => Fate::Acknowledged,
                    Heard::Refused | Heard::Unsent => Fate::Refused,
                    Heard::Unknown => Fate::Unknown,
                };
                self.ledger.posted(place, fate);
                self.rest(Duration::from_millis(25)).await;
                if fate != Fate::Unknown || self.stop.is_cancelled() {
                    break;
                }
            }
        }
    }

    async fn read_pages(self) {
        const PAGES: [&str; 5] = ["logs", "logs?status=FAILURE", "tasks", "exports", "sendouts"];
        const LISTS: [&str; 2] = ["/v1/logs?limit=100", "/v1/webhook-sendouts?limit=25"];
        for turn in 0.. {
            let request = match turn % 7 {
                list @ 0..2 => self.door.call(Method::GET, LISTS[list]),
                page => self.door.page(PAGES[page - 2]),
            };
            match self.door.hear(&self.ledger, request).await {
                Heard::Yes(_) => self.ledger.page(true),
                Heard::Refused => self.ledger.page(false),
                Heard::Unknown | Heard::Unsent => {}
            }
            self.rest(Duration::from_millis(120)).await;
            if self.stop.is_cancelled() {
                return;
            }
        }
    }
}

fn ids_of(ids: &Value) -> Vec<String> {
    ids.as_array()
        .unwrap()
        .iter()
        .map(|id| id.as_str().unwrap().to_owned())
        .collect()
}

fn logs(place: usize, size: usize, is_own: bool, random: &mut ChaCha8Rng) -> Value {
    let mark = call_mark(place);
    let log = |number: usize| {
        let code = if random.random_bool(0.05) { 500 } else { 201 };
        let filler = "x".repeat(random.random_range(10..1_000));
        let mut log = json!({"method": "POST", "url": format!("/v1/orders/{place}/{number}"), "status_code": code, "request_id": mark,
            "request": {"body": {"order": number, "filler": filler}}, "response": {"body": {"told": mark}}});
        if is_own {
            log["id"] = json!(format!("c{place}-{number}"));
        }
        log
    };
    Value::Array((0..size).map(log).collect())
}

/// The logs that are there before anything goes wrong.
pub fn seeds() -> Value {
    let log = |number| {
        json!({"id": format!("seed-{number}"), "method": "GET", "url": format!("/v1/seed/{number}"), "status_code": 200, "request_id": "seed",
            "response": {"body": {"number": number, "filler": "x".repeat(300)}}})
    };
    Value::Array((0..SEEDS).map(log).collect())
}

/// An export of the seeds. Its mark leaves nothing out: it is there to be found by.
fn export(place: usize) -> Value {
    let filters = json!({"junction": "AND", "endpoint": {"conditions": {"$in": ["GET_v1_seed_{id}"]}},
        "request_id": {"conditions": {"$is_not": [task_mark(place)]}}});
    json!({"exported_object": "api_log", "parameters": {"fields": ["id", "response_body"], "filters": filters}})
}

fn import(place: usize) -> Form {
    let mark = task_mark(place);
    let mut file = String::from("id,method,url,status_code,request_id\r\n");
    for record in 0..RECORDS {
        let code = if record == 7 { 99 } else { 200 };
        file.push_str(&format!("t{place}-{record},GET,/v1/imported,{code},{mark}\r\n"));
    }
    Form::new().part("file", Part::text(file).file_name("records.csv"))
}

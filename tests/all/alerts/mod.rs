//! Alerts: what is counted for whom, when they fire and are back to normal, who is told, who may do what.

mod counting;
mod mailing;
mod rights;
mod telling;

use audit_log::model::rights::{Role, Scope};
use audit_log::server::access::issue::IssuedKey;
use audit_log::server::alerts;
use audit_log::server::store::projects::Project;
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::support::TestApp;

/// A minute, in milliseconds.
const MINUTE: i64 = 60_000;

/// A person of a project, as their pages ask.
struct By<'a> {
    app: &'a TestApp,
    project: Project,
    cookie: String,
    /// A key of the project with every scope.
    key: IssuedKey,
}

impl<'a> By<'a> {
    /// A person of a new project.
    async fn new(app: &'a TestApp, role: Role) -> Self {
        let (project, cookie) = app.signed_in(role).await;
        let key = app.add_key(&project, &Scope::ALL).await;
        Self {
            app,
            project,
            cookie,
            key,
        }
    }

    /// Another person of the same project.
    async fn beside(&self, name: &str, role: Role) -> Self {
        let email = format!("{name}@example.com");
        self.app
            .add_person(&email, "correct horse", Some((&self.project, role)))
            .await;
        Self {
            app: self.app,
            project: self.project.clone(),
            cookie: self.app.sign_in(&email, "correct horse").await,
            key: self.app.add_key(&self.project, &Scope::ALL).await,
        }
    }

    async fn post(&self, path: &str, mut body: Value) -> Response {
        body["project"] = json!(self.project.id);
        let request = self.app.request(Method::POST, path).header("cookie", &self.cookie);
        request.json(&body).send().await.unwrap()
    }

    async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        let mut all = vec![("project", self.project.id.as_str())];
        all.extend_from_slice(fields);
        self.app
            .post_form(path, &all)
            .header("cookie", &self.cookie)
            .send()
            .await
            .unwrap()
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.app.get_as(&self.cookie, path).await;
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }

    /// A view that is saved; its id.
    async fn view(&self, tab: &str, name: &str, shared: bool, query: &str) -> String {
        let wish = json!({"name": name, "shared": shared, "query": query});
        good(self.post("/api/save_view", json!({"tab": tab, "wish": wish})).await).await
    }

    /// An alert on it that is made; its id.
    async fn alert(&self, view: &str, condition: Value) -> String {
        good(self.create(wish("Many failures", view, condition)).await).await
    }

    async fn create(&self, wish: Value) -> Response {
        self.post("/api/create_alert", json!({"wish": wish})).await
    }

    /// An alert's page.
    async fn page(&self, id: &str) -> Value {
        self.get(&format!("/api/alert?project={}&id={id}&query=", self.project.id))
            .await
    }

    /// Its state.
    async fn facts(&self, id: &str) -> Value {
        self.page(id).await["alert"].clone()
    }

    /// What it did, the latest first.
    async fn history(&self, id: &str) -> Vec<String> {
        let page = self.page(id).await;
        let lines = page["history"].as_array().unwrap();
        lines.iter().map(|line| line["what"].as_str().unwrap().to_owned()).collect()
    }

    async fn known(&self, id: &str) -> String {
        self.facts(id).await["changed_at"].to_string()
    }

    async fn mute(&self, id: &str, mute: &str) {
        let known: i64 = self.known(id).await.parse().unwrap();
        let answer = self
            .post("/api/mute_alert", json!({"id": id, "known": known, "mute": mute}))
            .await;
        assert_eq!(answer.status(), 200, "{:?}", answer.text().await);
    }

    async fn switch(&self, id: &str, on: bool) {
        let (known, on) = (self.known(id).await, on.to_string());
        let answer = self
            .form("/api/switch_alert", &[("id", id), ("known", &known), ("on", &on)])
            .await;
        assert_eq!(answer.status(), 200, "{:?}", answer.text().await);
    }

    /// Sends logs, each with a status code and what it says.
    async fn send(&self, codes: &[u16]) {
        let logs: Vec<Value> = codes.iter().map(|code| log(*code)).collect();
        self.send_all(json!(logs)).await;
    }

    async fn send_all(&self, logs: Value) {
        let sent = self
            .app
            .call(Method::POST, "/v1/logs", &self.key)
            .json(&logs)
            .send()
            .await
            .unwrap();
        assert_eq!(sent.status(), 201, "{:?}", sent.text().await);
    }

    /// How many alerts did something.
    async fn round(&self) -> usize {
        alerts::round(&self.app.server).await.unwrap()
    }

    /// Events of a type that were told, the latest first: their data.
    async fn told(&self, kind: &str) -> Vec<Value> {
        let call = async |path: &str| -> Value {
            let answer = self.app.call(Method::GET, path, &self.key).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{path}");
            answer.json().await.unwrap()
        };
        let list = call(&format!("/v1/webhook-sendouts?type={kind}")).await;
        let mut all = Vec::new();
        for row in list["data"].as_array().unwrap() {
            let one = call(&format!("/v1/webhook-sendouts/{}", row["id"].as_str().unwrap())).await;
            assert_eq!(one["body"]["type"], kind);
            all.push(one["body"]["data"].clone());
        }
        all
    }

    /// An endpoint that wants to hear of alerts; nothing is sent as long as nothing sends.
    async fn listens(&self) {
        let wish = json!({"target_url": "https://hooks.example.com/in", "events": ["alert.*"]});
        crate::webhooks::add_endpoint(self.app, &self.key, wish).await;
    }
}

fn log(code: u16) -> Value {
    json!({"method": "POST", "url": "https://a.example/v1/orders", "status_code": code, "user_email": "ada@example.com", "request": {"body": "needle"}})
}

fn at_least(logs: u32, minutes: u32) -> Value {
    json!({"kind": "at_least", "threshold": logs, "least_logs": 1, "window_minutes": minutes})
}

fn wish(name: &str, view: &str, condition: Value) -> Value {
    json!({"name": name, "view": view, "condition": condition, "recipients": []})
}

/// The text of an answer that is good.
async fn good(answer: Response) -> String {
    let (status, text) = words(answer).await;
    assert_eq!(status, 200, "{text}");
    serde_json::from_str(&text).unwrap()
}

async fn words(answer: Response) -> (u16, String) {
    (answer.status().as_u16(), answer.text().await.unwrap())
}

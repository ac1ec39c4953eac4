//! Who gets through which door: every route and server function of the router itself, for everybody there is.
//!
//! A new route without a line in [`DOORS`] fails the test, as does a line without a route.

mod doors;

use std::collections::{BTreeMap, BTreeSet};

use audit_log::model::key::KeyWish;
use audit_log::model::rights::{Role, Scope};
use audit_log::server::access::issue::{self, IssuedKey};
use audit_log::server::store::{accounts, keys};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::{TestApp, routes};
use Door::{Bodies, Closed, Key, Manage, Open, Own, Page, Person, Read, SettingsPage, Settle, Work};
use doors::{DOORS, Door};

const PASSWORD: &str = "correct horse";

/// Somebody at a door.
enum Somebody {
    Nobody,
    /// A person of the project, in this role; whether they may read bodies there.
    Member(Role, bool, String),
    /// An owner of another project.
    Stranger(String),
    /// A key with these scopes; of another project, or one that is taken no more.
    Key(Vec<Scope>, Standing, IssuedKey),
    /// A client-side key, from its origin.
    Client(IssuedKey),
    Manager(IssuedKey),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Good,
    Elsewhere,
    Ended,
}

impl Somebody {
    fn name(&self) -> String {
        match self {
            Self::Nobody => "nobody".to_owned(),
            Self::Member(role, true, _) => role.as_str().to_owned(),
            Self::Member(role, false, _) => format!("{} without bodies", role.as_str()),
            Self::Stranger(_) => "another project's owner".to_owned(),
            Self::Key(scopes, standing, _) => format!(
                "{standing:?} key {:?}",
                scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>()
            ),
            Self::Client(_) => "client-side key".to_owned(),
            Self::Manager(_) => "management key".to_owned(),
        }
    }

    fn sign(&self, request: RequestBuilder) -> RequestBuilder {
        match self {
            Self::Nobody => request,
            Self::Member(_, _, cookie) | Self::Stranger(cookie) => request.header("cookie", cookie),
            Self::Key(_, _, key) => request.header("x-app-id", &key.app_id).header("x-app-token", &key.app_token),
            Self::Client(key) => request
                .header("x-client-application-id", &key.app_id)
                .header("x-client-token", &key.app_token)
                .header("origin", "https://shop.example"),
            Self::Manager(key) => request
                .header("x-management-id", &key.app_id)
                .header("x-management-token", &key.app_token),
        }
    }
}

/// What somebody must be answered: one of these statuses, or none of those that turn away.
#[derive(Debug)]
enum Answer {
    LetIn,
    OneOf(&'static [u16]),
}

impl Answer {
    fn is(&self, status: u16) -> bool {
        match self {
            Self::LetIn => !matches!(status, 401 | 403) && status < 500,
            Self::OneOf(those) => those.contains(&status),
        }
    }
}

/// The sign-in page, or the refusal for programs.
const SIGN_IN: Answer = Answer::OneOf(&[303, 401]);

fn expected(door: Door, method: &str, path: &str, somebody: &Somebody) -> Answer {
    let refused = Answer::OneOf(&[403]);
    // A page of another site changes nothing, whoever it is that looks at it.
    if matches!(somebody, Somebody::Client(_)) && !matches!(door, Key(_) | Manage) && method != "GET" {
        return refused;
    }
    match door {
        Open => Answer::LetIn,
        Closed => refused,
        Manage => match somebody {
            Somebody::Manager(_) => Answer::LetIn,
            _ => Answer::OneOf(&[401]),
        },
        Key(scope) => match somebody {
            Somebody::Key(_, Standing::Ended, _) => Answer::OneOf(&[401]),
            Somebody::Key(_, Standing::Elsewhere, _) if path.contains("{id}") => Answer::OneOf(&[404]),
            Somebody::Key(scopes, ..) if scopes.contains(&scope) => Answer::LetIn,
            Somebody::Key(..) => refused,
            Somebody::Client(_)
                if matches!(path, "/v1/logs" | "/v1/events") && matches!(scope, Scope::LogsWrite | Scope::EventsWrite) =>
            {
                Answer::LetIn
            }
            Somebody::Client(_) => refused,
            _ => Answer::OneOf(&[401]),
        },
        Person | Own => match somebody {
            Somebody::Member(..) | Somebody::Stranger(_) => Answer::LetIn,
            _ => SIGN_IN,
        },
        Page | Read => match somebody {
            Somebody::Member(..) => Answer::LetIn,
            Somebody::Stranger(_) => Answer::OneOf(&[404]),
            _ => SIGN_IN,
        },
        Bodies => match somebody {
            Somebody::Member(_, true, _) => Answer::LetIn,
            Somebody::Member(..) => refused,
            Somebody::Stranger(_) => Answer::OneOf(&[404]),
            _ => SIGN_IN,
        },
        Work => match somebody {
            Somebody::Member(Role::Auditor, ..) => refused,
            Somebody::Member(..) => Answer::LetIn,
            Somebody::Stranger(_) => Answer::OneOf(&[404]),
            _ => SIGN_IN,
        },
        Settle | SettingsPage => match somebody {
            Somebody::Member(Role::Owner, ..) => Answer::LetIn,
            Somebody::Member(..) => refused,
            Somebody::Stranger(_) => Answer::OneOf(&[404]),
            _ => SIGN_IN,
        },
    }
}

/// The ids of what is there in the project, by the part of a path that leads to it.
struct There {
    project: String,
    ids: BTreeMap<&'static str, String>,
}

impl There {
    fn id(&self, path: &str) -> &str {
        let kind = [
            ("logs", "/log"),
            ("tasks", "task"),
            ("tasks", "async-actions"),
            ("sendouts", "sendout"),
            ("exports", "export"),
        ];
        let known = kind
            .iter()
            .find(|(_, word)| path.contains(word))
            .and_then(|(kind, _)| self.ids.get(kind));
        known.map_or("none", String::as_str)
    }

    /// The path with the project's own ids in it; those of what would be changed lead nowhere.
    fn path(&self, method: &str, path: &str) -> String {
        let id = if method == "GET" { self.id(path) } else { "none" };
        let path = path
            .replace("{prj}", &self.project)
            .replace("{project}", &self.project)
            .replace("{none}", "prj_none");
        path.replace("{id}", id)
            .replace("{number}", "latest")
            .replace("{*path}", "favicon.svg")
            .replace("{*rest}", "none")
    }
}

/// A request to a door, by somebody.
fn knock(app: &TestApp, there: &There, method: &str, path: &str, sent: &str, by_session: bool) -> RequestBuilder {
    let is_read = method == "GET" || method == "ANY";
    let verb = if method == "ANY" {
        Method::GET
    } else {
        method.parse().unwrap()
    };
    let mut address = format!("{}{}", app.url, there.path(method, path));
    let with_project =
        path.starts_with("/api/") && !matches!(path, "/api/frame" | "/api/account" | "/api/sign_in_facts" | "/api/invitation");
    let mut sent = sent.replace("{id}", if is_read { there.id(path) } else { "none" });
    if with_project && !sent.starts_with('{') {
        let and = if sent.is_empty() { "" } else { "&" };
        sent = format!("project={}{and}{sent}", there.project);
    }
    if is_read && !sent.is_empty() {
        address = format!("{address}?{}", sent.replace(' ', "+"));
    }
    let mut request = app.client.request(verb, address);
    if path.ends_with("/import-file") {
        request = request.header("content-disposition", "attachment; filename=\"a.csv\"");
    }
    if by_session {
        request = request.header("origin", &app.url);
    }
    if is_read {
        return request;
    }
    if sent.starts_with('{') {
        let mut json: Value = serde_json::from_str(&sent).unwrap();
        if with_project {
            json["project"] = json!(there.project);
        }
        return request.json(&json);
    }
    request
        .header("content-type", "application/x-www-form-urlencoded")
        .body(sent.replace(' ', "+"))
}

/// What is there to be seen: a log with bodies, a task, an export, a sendout.
async fn furnish(app: &TestApp, project: &audit_log::server::store::projects::Project) -> There {
    let key = app.add_key(project, &Scope::ALL).await;
    let post = async |path: &str, body: Value| -> Value {
        let answer = app.call(Method::POST, path, &key).json(&body).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    };
    post("/v1/logs", json!({"id": "one", "method": "POST", "url": "https://a.example/b", "status_code": 200, "request": {"body": {"a": 1}}, "response": {"body": {"b": 1}}})).await;
    let file = app
        .call(Method::PUT, "/v1/logs/one/import-file", &key)
        .header("content-disposition", "attachment; filename=\"a.csv\"")
        .body("a,b");
    assert!(file.send().await.unwrap().status().is_success());
    let task = post("/v1/async-actions", json!({"type": "IMPORT"})).await;
    let export = post("/v1/exports/reported", json!({"exported_object": "voucher"})).await;
    post("/v1/webhooks", json!({"target_url": "https://hooks.example.com/"})).await;
    let event = post("/v1/events", json!({"type": "voucher.created", "data": {"a": 1}})).await;
    let id = |value: &Value| value.as_str().map(str::to_owned).unwrap_or_else(|| panic!("no id: {value}"));
    let sendout = &event["sendouts"][0];
    let sendout = if sendout.is_string() {
        id(sendout)
    } else {
        id(&sendout["id"])
    };
    There {
        project: project.id.clone(),
        ids: BTreeMap::from([
            ("logs", "one".to_owned()),
            ("tasks", id(&task["id"])),
            ("exports", id(&export["id"])),
            ("sendouts", sendout),
        ]),
    }
}

async fn everybody(app: &TestApp, project: &audit_log::server::store::projects::Project) -> Vec<Somebody> {
    let other = app.add_project("other").await;
    let mut all = vec![Somebody::Nobody];
    for role in [Role::Auditor, Role::Member, Role::Owner] {
        let email = format!("{}@example.com", role.as_str());
        app.add_person(&email, PASSWORD, Some((project, role))).await;
        all.push(Somebody::Member(role, true, app.sign_in(&email, PASSWORD).await));
    }
    app.add_person("stranger@example.com", PASSWORD, Some((&other, Role::Owner)))
        .await;
    all.push(Somebody::Stranger(app.sign_in("stranger@example.com", PASSWORD).await));
    for scope in Scope::ALL {
        all.push(Somebody::Key(
            vec![scope],
            Standing::Good,
            app.add_key(project, &[scope]).await,
        ));
    }
    all.push(Somebody::Key(
        Scope::ALL.to_vec(),
        Standing::Elsewhere,
        app.add_key(&other, &Scope::ALL).await,
    ));
    let wish = KeyWish {
        name: "ends".to_owned(),
        scopes: Scope::ALL.to_vec(),
        expires_at: Some(app.server.clock.now_ms() + 1_000),
        ..KeyWish::default()
    };
    let expired = issue::project_key(app.db(), &app.issuer(), project.key, &wish)
        .await
        .unwrap()
        .0;
    all.push(Somebody::Key(Scope::ALL.to_vec(), Standing::Ended, expired));
    let revoked = app.add_key(project, &Scope::ALL).await;
    keys::revoke(app.db(), project.key, &revoked.app_id, app.server.clock.now_ms())
        .await
        .unwrap();
    all.push(Somebody::Key(Scope::ALL.to_vec(), Standing::Ended, revoked));
    all.push(Somebody::Client(app.add_client_key(project, "https://shop.example").await));
    all.push(Somebody::Manager(
        issue::management_key(app.db(), &app.issuer(), "ops").await.unwrap(),
    ));
    app.pass(1_000);
    all
}

for_each_db! {
    async fn every_door_lets_in_whom_it_should_and_nobody_else(app: TestApp) {
        let known: BTreeSet<String> = DOORS.iter().map(|(route, ..)| route.replace("{none}", "{prj}")).collect();
        let there_are = routes(app);
        assert!(there_are.len() > 120, "the router prints itself otherwise by now: {there_are:?}");
        let missing: Vec<_> = there_are.difference(&known).collect();
        assert!(missing.is_empty(), "routes without a line in DOORS: {missing:#?}");
        let gone: Vec<_> = known.difference(&there_are).collect();
        assert!(gone.is_empty(), "lines in DOORS without a route: {gone:#?}");

        let project = app.add_project("shop").await;
        let there = furnish(app, &project).await;
        let mut all = everybody(app, &project).await;
        let mut surprises = Vec::new();
        for (route, door, sent) in DOORS {
            let (method, path) = route.split_once(' ').unwrap();
            for somebody in &all {
                let by_session = matches!(somebody, Somebody::Nobody | Somebody::Member(..) | Somebody::Stranger(_));
                let answer = somebody.sign(knock(app, &there, method, path, sent, by_session)).send().await.unwrap();
                let (status, wanted) = (answer.status().as_u16(), expected(*door, method, path, somebody));
                if !wanted.is(status) {
                    surprises.push(format!("{route} by {}: {status}, not {wanted:?}", somebody.name()));
                }
            }
        }
        assert!(surprises.is_empty(), "{}", surprises.join("\n"));

        // The same for an auditor who may not read bodies there.
        accounts::set_rights(app.db(), project.key, Role::Auditor, false, true).await.unwrap();
        app.server.door.forget();
        all = vec![Somebody::Member(Role::Auditor, false, app.sign_in("auditor@example.com", PASSWORD).await)];
        for (route, door, sent) in DOORS.iter().filter(|(_, door, _)| !matches!(door, Own | Open | Closed)) {
            let (method, path) = route.split_once(' ').unwrap();
            let answer = all[0].sign(knock(app, &there, method, path, sent, true)).send().await.unwrap();
            let (status, wanted) = (answer.status().as_u16(), expected(*door, method, path, &all[0]));
            if !wanted.is(status) {
                surprises.push(format!("{route} by {}: {status}, not {wanted:?}", all[0].name()));
            }
        }
        assert!(surprises.is_empty(), "{}", surprises.join("\n"));
    }
}

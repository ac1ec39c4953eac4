//! A list that is followed: what is told, to whom, and that nothing is missed or told twice.

use std::time::Duration;

use audit_log::model::rights::{Role, Scope};
use audit_log::server::access::issue::IssuedKey;
use audit_log::server::store::projects::Project;
use audit_log::server::store::{accounts, logs::arrived};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::support::TestApp;

/// An event takes no longer than this, or never comes.
const PATIENCE: Duration = Duration::from_secs(10);

/// An open stream.
struct Stream {
    answer: Response,
    read: String,
}

#[derive(Debug)]
struct Event {
    name: String,
    id: String,
    data: Value,
}

impl Stream {
    async fn open(app: &TestApp, cookie: &str, path: &str) -> Self {
        let answer = app.get_as(cookie, path).await;
        assert_eq!(answer.status(), 200, "{path}");
        Self::of(answer).await
    }

    /// After its greeting.
    async fn of(answer: Response) -> Self {
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        let mut stream = Self {
            answer,
            read: String::new(),
        };
        assert_eq!(stream.next().await.unwrap().name, "hello");
        stream
    }

    /// The next event that says something; none at the end of the stream.
    async fn next(&mut self) -> Option<Event> {
        loop {
            while let Some((event, rest)) = self.read.split_once("\n\n") {
                let field = |name: &str| {
                    let line = event.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
                    line.unwrap_or_default().to_owned()
                };
                let event = Event {
                    name: field("event"),
                    id: field("id"),
                    data: serde_json::from_str(&field("data")).unwrap_or_default(),
                };
                self.read = rest.to_owned();
                if !matches!(event.name.as_str(), "" | "nothing") {
                    return Some(event);
                }
            }
            let chunk = tokio::time::timeout(PATIENCE, self.answer.chunk()).await;
            let chunk = chunk.expect("nothing came").unwrap()?;
            self.read.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The ids of logs that come, until there are so many, and what counts say of them.
    async fn logs(&mut self, count: u64) -> (Vec<String>, u64) {
        let (mut ids, mut counted, mut failed) = (Vec::new(), 0, 0);
        while counted < count {
            let event = self.next().await.expect("the stream ended");
            assert_eq!(event.name, "came");
            assert_eq!(event.data["missed"], false);
            counted += event.data["count"].as_u64().unwrap();
            failed += event.data["failed"].as_u64().unwrap();
            let minutes = event.data["minutes"].as_array().unwrap();
            let in_minutes: u64 = minutes
                .iter()
                .map(|minute| minute[1].as_u64().unwrap() + minute[2].as_u64().unwrap())
                .sum();
            assert_eq!(in_minutes, event.data["count"].as_u64().unwrap());
            let rows = event.data["rows"].as_array().unwrap();
            ids.extend(rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()));
        }
        assert_eq!(counted, count, "more came than was sent");
        ids.sort();
        (ids, failed)
    }
}

async fn send(app: &TestApp, key: &IssuedKey, logs: Value) {
    let sent = app.call(Method::POST, "/v1/logs", key).json(&logs).send().await.unwrap();
    assert_eq!(sent.status(), 201, "{:?}", sent.text().await);
}

fn log(id: &str, method: &str, code: u16, body: &str) -> Value {
    json!({"id": id, "method": method, "url": "https://a.example/v1/orders", "status_code": code, "user_email": "ada@example.com", "request": {"body": body}})
}

/// A member of a project with a key, and the mark at which it stands.
async fn begun(app: &TestApp) -> (Project, String, IssuedKey, i64) {
    let (project, cookie) = app.signed_in(Role::Member).await;
    let key = app.add_key(&project, &[Scope::LogsWrite]).await;
    send(app, &key, json!([log("before", "GET", 200, "")])).await;
    let mark = arrived::mark(app.db(), project.key).await.unwrap();
    (project, cookie, key, mark)
}

for_each_db! {
    async fn each_hears_of_what_their_filters_mean(app: TestApp) {
        let (project, cookie, key, mark) = begun(app).await;
        let path = |query: &str| format!("/live/{}/logs?{query}&since={mark}", project.id);
        let mut all = Stream::open(app, &cookie, &path("columns=method,status")).await;
        let mut failures = Stream::open(app, &cookie, &path("status=FAILURE&method=!PUT")).await;
        let mut texts = Stream::open(app, &cookie, &path("q=Needle")).await;
        send(app, &key, json!([log("a", "GET", 200, "a nEEdle"), log("b", "POST", 500, "hay")])).await;
        send(app, &key, json!([log("c", "PUT", 404, "hay"), log("d", "GET", 404, "needle")])).await;
        assert_eq!(all.logs(4).await, (["a", "b", "c", "d"].map(str::to_owned).to_vec(), 3));
        assert_eq!(failures.logs(2).await, (["b", "d"].map(str::to_owned).to_vec(), 2));
        assert_eq!(texts.logs(2).await, (["a", "d"].map(str::to_owned).to_vec(), 1));
        assert_eq!(app.server.live.followers(), 3);
    }

    async fn rows_are_those_of_the_page(app: TestApp) {
        let (project, cookie, key, mark) = begun(app).await;
        let query = "columns=time,status,method,endpoint,user";
        let mut stream = Stream::open(app, &cookie, &format!("/live/{}/logs?{query}&since={mark}", project.id)).await;
        send(app, &key, json!([log("a", "GET", 418, "")])).await;
        let told = stream.next().await.unwrap();
        let asked = format!("/api/logs?project={}&query={}", project.id, query.replace('=', "%3D").replace(',', "%2C"));
        let page: Value = app.get_as(&cookie, &asked).await.json().await.unwrap();
        assert_eq!(told.data["rows"][0], page["rows"][0]);
        assert_eq!(told.data["mark"], page["mark"], "a page says from where it can be followed");
    }

    async fn who_comes_back_misses_nothing_and_hears_nothing_twice(app: TestApp) {
        let (project, cookie, key, mark) = begun(app).await;
        let path = format!("/live/{}/logs?since={mark}", project.id);
        let mut stream = Stream::open(app, &cookie, &path).await;
        send(app, &key, json!([log("a", "GET", 200, "")])).await;
        let last = stream.next().await.unwrap();
        assert_eq!(last.data["rows"][0]["id"], "a");
        drop(stream);
        send(app, &key, json!([log("b", "GET", 200, "")])).await;
        // Somebody else follows meanwhile: what they have heard is read once more.
        let mut other = Stream::open(app, &cookie, &format!("/live/{}/logs?since={}", project.id, last.id)).await;
        assert_eq!(other.logs(1).await.0, ["b"]);
        send(app, &key, json!([log("c", "GET", 200, "")])).await;
        assert_eq!(other.logs(1).await.0, ["c"]);
        let back = app.request(Method::GET, &path).header("cookie", &cookie).header("last-event-id", &last.id);
        let mut back = Stream::of(back.send().await.unwrap()).await;
        assert_eq!(back.logs(2).await.0, ["b", "c"]);
        send(app, &key, json!([log("d", "GET", 200, "")])).await;
        assert_eq!(back.logs(1).await.0, ["d"]);
        assert_eq!(other.logs(1).await.0, ["d"]);
    }

    async fn those_who_come_back_together_each_hear_what_they_have_missed(app: TestApp) {
        let (project, cookie, key, mut mark) = begun(app).await;
        let mut marks = Vec::new();
        for number in 0..6 {
            marks.push(mark);
            send(app, &key, json!([log(&format!("log-{number}"), "GET", 200, "a needle")])).await;
            mark = arrived::mark(app.db(), project.key).await.unwrap();
        }
        let paths = (0..18).map(|nth: usize| {
            let query = if nth.is_multiple_of(2) { "q=NEEDLE" } else { "method=GET" };
            (nth % 6, format!("/live/{}/logs?{query}&since={}", project.id, marks[nth % 6]))
        });
        let opened = futures::future::join_all(paths.map(|(first, path)| {
            let cookie = &cookie;
            async move { (first, Stream::open(app, cookie, &path).await) }
        }));
        for (first, mut stream) in opened.await {
            let missed: Vec<String> = (first..6).map(|number| format!("log-{number}")).collect();
            assert_eq!(stream.logs(missed.len() as u64).await, (missed, 0));
        }
    }

    async fn more_than_is_told_is_told_as_missed(app: TestApp) {
        let (project, cookie, key, _) = begun(app).await;
        let last = arrived::mark(app.db(), project.key).await.unwrap();
        // From another database: this one has never been so far.
        let mut stream = Stream::open(app, &cookie, &format!("/live/{}/logs?since={}", project.id, last + 1_000)).await;
        let event = stream.next().await.unwrap();
        assert_eq!(event.data["missed"], true);
        send(app, &key, json!([log("a", "GET", 200, "")])).await;
        assert_eq!(stream.logs(1).await.0, ["a"], "and it goes on from there");
    }

    async fn old_logs_are_not_told_to_those_who_look_at_new_ones(app: TestApp) {
        let (project, cookie, key, mark) = begun(app).await;
        let mut stream = Stream::open(app, &cookie, &format!("/live/{}/logs?from=-1h&since={mark}", project.id)).await;
        let mut old = log("old", "GET", 200, "");
        old["created_at"] = json!(audit_log::model::zone::rfc3339(app.server.clock.now_ms() - 7_200_000));
        send(app, &key, json!([old])).await;
        send(app, &key, json!([log("new", "GET", 200, "")])).await;
        assert_eq!(stream.logs(1).await.0, ["new"]);
    }

    async fn another_process_tells_of_what_this_one_wrote(app: TestApp) {
        let (project, _, key, mark) = begun(app).await;
        let live = audit_log::server::live::Live::start(app.db().clone());
        let mut following = live.follow(project.key, audit_log::server::live::Wish::Records, mark).unwrap();
        let tasks = app.add_key(&project, &[Scope::TasksWrite]).await;
        let task = app.call(Method::POST, "/v1/async-actions", &tasks).json(&json!({"type": "IMPORT"})).send().await.unwrap();
        assert_eq!(task.status(), 201);
        send(app, &key, json!([log("a", "GET", 200, "")])).await;
        let news = tokio::time::timeout(PATIENCE, following.next()).await.unwrap();
        assert!(matches!(news, Some(audit_log::server::live::News::Moved(_))), "{news:?}");
        live.stop();
        let last = async { while following.next().await.is_some() {} };
        tokio::time::timeout(PATIENCE, last).await.expect("who follows is let go");
    }

    async fn records_say_that_they_moved(app: TestApp) {
        let (project, cookie, _, _) = begun(app).await;
        let mut stream = Stream::open(app, &cookie, &format!("/live/{}/records", project.id)).await;
        let tasks = app.add_key(&project, &[Scope::TasksWrite]).await;
        let task = app.call(Method::POST, "/v1/async-actions", &tasks).json(&json!({"type": "IMPORT"})).send().await.unwrap();
        assert_eq!(task.status(), 201);
        assert_eq!(stream.next().await.unwrap().name, "moved");
    }

    async fn nobody_follows_what_they_may_not_see(app: TestApp) {
        let (project, cookie, key, mark) = begun(app).await;
        let path = |query: &str| format!("/live/{}/logs?{query}since={mark}", project.id);
        app.add_person("auditor@example.com", "correct horse", Some((&project, Role::Auditor))).await;
        let auditor = app.sign_in("auditor@example.com", "correct horse").await;
        accounts::set_rights(app.db(), project.key, Role::Auditor, false, false).await.unwrap();
        app.server.door.forget();
        for query in ["q=needle&", "request_body=a&", "user=ada@example.com&"] {
            assert_eq!(app.get_as(&auditor, &path(query)).await.status(), 403, "{query}");
        }
        for (query, status) in [("to=-1h&", 400), ("status=MAYBE&", 400), ("", 200)] {
            assert_eq!(app.get_as(&cookie, &path(query)).await.status(), status, "{query}");
        }
        for since in ["", "since=", "since=-1", "since=x"] {
            assert_eq!(app.get_as(&cookie, &format!("/live/{}/logs?{since}", project.id)).await.status(), 400, "{since}");
        }
        let mut stream = Stream::open(app, &auditor, &path("columns=user&")).await;
        send(app, &key, json!([log("a", "GET", 200, "")])).await;
        let told = stream.next().await.unwrap();
        assert_eq!(told.data["rows"][0]["cells"], json!([""]), "who did it is left out");
    }

    async fn who_is_no_member_any_more_hears_no_more(app: TestApp) {
        let (project, cookie, _, mark) = begun(app).await;
        let mut stream = Stream::open(app, &cookie, &format!("/live/{}/logs?since={mark}", project.id)).await;
        let ended = app.post_form("/sign-out", &[]).header("cookie", &cookie).send().await.unwrap();
        assert!(ended.status().is_redirection(), "{}", ended.status());
        assert_eq!(stream.next().await.unwrap().name, "bye");
        assert!(stream.next().await.is_none());
    }
}

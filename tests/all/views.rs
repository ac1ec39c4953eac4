//! Saved views: whose they are, who may share and change them, what is refused, and where their links lead.

use audit_log::model::rights::{Role, Scope};
use audit_log::server::access::REMEMBERED_MS;
use audit_log::server::store::projects::Project;
use audit_log::server::store::{accounts, members};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::recording::own;
use crate::support::{TestApp, tables};
use crate::webhooks::ask;

/// A person of the project, as their page asks.
struct By<'a> {
    app: &'a TestApp,
    project: &'a Project,
    cookie: String,
}

impl<'a> By<'a> {
    /// Somebody new, in this role.
    async fn new(app: &'a TestApp, project: &'a Project, name: &str, role: Role) -> Self {
        let email = format!("{name}@example.com");
        app.add_person(&email, "correct horse", Some((project, role))).await;
        let cookie = app.sign_in(&email, "correct horse").await;
        Self { app, project, cookie }
    }

    async fn post(&self, path: &str, mut body: Value) -> Response {
        body["project"] = json!(self.project.id);
        let request = self.app.request(Method::POST, path).header("cookie", &self.cookie);
        request.json(&body).send().await.unwrap()
    }

    async fn save(&self, tab: &str, name: &str, shared: bool, query: &str) -> Response {
        let wish = json!({"name": name, "shared": shared, "query": query});
        self.post("/api/save_view", json!({"tab": tab, "wish": wish})).await
    }

    /// The id of a view that can be saved.
    async fn saved(&self, tab: &str, name: &str, shared: bool, query: &str) -> String {
        let answer = self.save(tab, name, shared, query).await;
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert_eq!(status, 200, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    /// The views of a tab.
    async fn views(&self, tab: &str) -> Vec<Value> {
        let answer = self.get(&format!("/api/views?project={}&tab={tab}", self.project.id)).await;
        let page: Value = answer.json().await.unwrap();
        page["views"].as_array().unwrap_or_else(|| panic!("{page}")).clone()
    }

    async fn view(&self, tab: &str, id: &str) -> Option<Value> {
        self.views(tab).await.into_iter().find(|view| view["id"] == id)
    }

    /// Changes a view as it was seen just now.
    async fn change(&self, tab: &str, id: &str, change: Value) -> Response {
        let known = self.view(tab, id).await.map_or(json!(0), |view| view["changed_at"].clone());
        self.change_since(id, known, change).await
    }

    async fn change_since(&self, id: &str, known: Value, change: Value) -> Response {
        let mut whole = json!({"name": null, "shared": null, "query": null});
        whole.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        self.post("/api/change_view", json!({"id": id, "known": known, "change": whole}))
            .await
    }

    async fn delete(&self, tab: &str, id: &str) -> Response {
        let known = self
            .view(tab, id)
            .await
            .map_or_else(|| "0".to_owned(), |view| view["changed_at"].to_string());
        let fields = [("project", self.project.id.as_str()), ("id", id), ("known", known.as_str())];
        let request = self.app.post_form("/api/delete_view", &fields).header("cookie", &self.cookie);
        request.send().await.unwrap()
    }

    async fn get(&self, path: &str) -> Response {
        self.app.get_as(&self.cookie, path).await
    }

    /// Where a page leads, and how.
    async fn led(&self, page: &str) -> (u16, Option<String>) {
        let answer = self.get(&format!("/projects/{}/{page}", self.project.id)).await;
        let location = answer
            .headers()
            .get("location")
            .map(|value| value.to_str().unwrap().to_owned());
        (answer.status().as_u16(), location)
    }
}

async fn words(answer: Response) -> (u16, String) {
    (answer.status().as_u16(), answer.text().await.unwrap())
}

for_each_db! {
    async fn own_views_are_ones_own_and_shared_ones_are_everybodys(app: TestApp) {
        let project = app.add_project("shop").await;
        let ada = By::new(app, &project, "ada", Role::Member).await;
        let grace = By::new(app, &project, "grace", Role::Member).await;
        let olive = By::new(app, &project, "olive", Role::Auditor).await;
        let owner = By::new(app, &project, "owner", Role::Owner).await;

        let own = ada.saved("logs", "  Failed   redemptions ", false, "view=x&after=y&status=FAILURE&from=-7d&columns=path,time&tz=utc").await;
        assert!(own.starts_with("view_") && own.len() == 31, "{own}");
        let shared = ada.saved("logs", "Slow ones", true, "slower=500").await;
        let seen = ada.views("logs").await;
        assert_eq!(seen.len(), 2);
        assert_eq!((&seen[0]["name"], &seen[0]["query"]), (&json!("Failed redemptions"), &json!("from=-7d&status=FAILURE&tz=utc&columns=path,time")));
        assert_eq!((&seen[0]["mine"], &seen[0]["can_change"], &seen[0]["shared"]), (&json!(true), &json!(true), &json!(false)));
        assert_eq!(ada.views("tasks").await, [] as [Value; 0]);

        for (by, may) in [(&grace, false), (&olive, false), (&owner, true)] {
            let seen = by.views("logs").await;
            assert_eq!(seen.len(), 1, "{seen:?}");
            assert_eq!((&seen[0]["id"], &seen[0]["by"], &seen[0]["can_change"]), (&json!(shared), &json!("ada@example.com"), &json!(may)));
            assert_eq!(by.change("logs", &own, json!({"name": "mine now"})).await.status(), 404, "nobody learns that it is there");
            assert_eq!(by.delete("logs", &own).await.status(), 404);
        }
        for by in [&grace, &olive] {
            assert_eq!(words(by.change("logs", &shared, json!({"name": "Other"})).await).await.0, 403);
            assert_eq!(by.change("logs", &shared, json!({"shared": false})).await.status(), 403);
            assert_eq!(by.delete("logs", &shared).await.status(), 403);
        }
        // An auditor changes nothing in the project, and has views all the same.
        assert_eq!(words(olive.save("logs", "For all", true, "").await).await.0, 403);
        let auditors = olive.saved("logs", "For me", false, "").await;
        assert_eq!(words(olive.change("logs", &auditors, json!({"shared": true})).await).await.0, 403);
        assert_eq!(olive.change("logs", &auditors, json!({"name": "Mine"})).await.status(), 200);

        // An owner changes what others share, but does not take it for themselves.
        let (status, why) = words(owner.change("logs", &shared, json!({"shared": false})).await).await;
        assert!(status == 403 && why.contains("Only who made a view"), "{status}: {why}");
        assert_eq!(owner.change("logs", &shared, json!({"name": "Slower than half a second", "query": "slower=500&method=POST"})).await.status(), 200);
        let now = grace.view("logs", &shared).await.unwrap();
        assert_eq!((&now["name"], &now["query"], &now["by"]), (&json!("Slower than half a second"), &json!("method=POST&slower=500"), &json!("ada@example.com")));
        // Its maker takes it back, and shares it once more.
        assert_eq!(ada.change("logs", &shared, json!({"shared": false})).await.status(), 200);
        assert_eq!(grace.views("logs").await.len(), 0);
        assert_eq!(ada.change("logs", &shared, json!({"shared": true})).await.status(), 200);
        assert_eq!(owner.delete("logs", &shared).await.status(), 200);
        assert_eq!(ada.views("logs").await.len(), 1);

        let elsewhere = app.add_project("other").await;
        let stranger = By::new(app, &elsewhere, "stranger", Role::Owner).await;
        assert_eq!(stranger.change("logs", &own, json!({"name": "x"})).await.status(), 404);
        assert_eq!(stranger.get(&format!("/api/views?project={}&tab=logs", project.id)).await.status(), 404);
        assert_eq!(app.get(&format!("/api/views?project={}&tab=logs", project.id)).await.status(), 401);
    }

    async fn a_name_is_there_once_and_bad_input_is_refused_in_words(app: TestApp) {
        let (project, cookie) = app.signed_in(Role::Owner).await;
        let owner = By { app, project: &project, cookie };
        let grace = By::new(app, &project, "grace", Role::Member).await;
        let first = owner.saved("logs", "ÜBER alles", false, "").await;
        for (tab, shared, expected) in [("logs", false, 422), ("tasks", false, 200), ("logs", true, 200), ("logs", true, 422)] {
            let (status, text) = words(owner.save(tab, " über  ALLES", shared, "").await).await;
            assert_eq!(status, expected, "{tab} {shared}: {text}");
            assert!(status == 200 || text.contains("of this name in this tab"), "{text}");
        }
        assert_eq!(grace.save("logs", "Über alles", false, "").await.status(), 200, "another one's own");
        assert_eq!(grace.save("logs", "Über Alles", true, "").await.status(), 422);
        let second = owner.saved("logs", "Second", false, "").await;
        assert_eq!(owner.change("logs", &second, json!({"name": "über Alles"})).await.status(), 422);
        assert_eq!(owner.change("logs", &second, json!({"name": "SECOND"})).await.status(), 200, "its own name in another case");
        assert_eq!(owner.change("logs", &first, json!({"shared": true})).await.status(), 422, "there the name is taken");

        for name in ["", "  ", &"x".repeat(81), "a\u{7}b"] {
            let (status, text) = words(owner.save("logs", name, false, "").await).await;
            assert!(status == 422 && text.contains("\"name\""), "{name:?}: {status} {text}");
        }
        for (tab, query, argument) in [
            ("logs", "stauts=FAILURE", "stauts"),
            ("logs", "status=MAYBE", "status"),
            ("logs", "code=banana", "code"),
            ("logs", "from=yesterday", "from"),
            ("logs", "from=-1h&to=-2h", "from"),
            ("logs", "columns=time,nothing", "columns"),
            ("logs", "tz=Mars/Olympus", "tz"),
            ("logs", "path=a%00b", "path"),
            ("tasks", "method=GET", "method"),
            ("exports", "limit=5000", "limit"),
            ("sendouts", "code=2x", "code"),
            ("sendouts", "order=status", "order"),
        ] {
            for answer in [owner.save(tab, "Wrong", false, query).await, owner.save(tab, "Wrong", true, query).await] {
                let (status, text) = words(answer).await;
                assert!(status == 400 && text.contains(&format!("\"argument\":\"{argument}\"")), "{tab}?{query}: {status} {text}");
            }
        }
        let long = format!("q={}", "x".repeat(4_200));
        assert_eq!(owner.save("logs", "Long", false, &long).await.status(), 400);
        let (status, _) = words(owner.change("logs", &second, json!({"query": "stauts=1"})).await).await;
        assert_eq!(status, 400);
        for body in [json!({"tab": "nothing", "wish": {"name": "a", "shared": false, "query": ""}}), json!({"tab": "logs"}), json!({})] {
            assert_eq!(owner.post("/api/save_view", body.clone()).await.status(), 400, "{body}");
        }
        for id in ["none", "view_\u{0}", "", "view_01JD0000000000000000000000"] {
            assert_eq!(owner.change_since(id, json!(0), json!({"name": "x"})).await.status(), 404, "{id:?}");
        }
        assert_eq!(owner.views("exports").await.len() + owner.views("sendouts").await.len(), 0, "nothing of it was kept");
    }

    async fn who_saves_late_is_told_and_a_menu_has_an_end(app: TestApp) {
        let (project, cookie) = app.signed_in(Role::Owner).await;
        let owner = By { app, project: &project, cookie };
        let grace = By::new(app, &project, "grace", Role::Member).await;
        let id = grace.saved("tasks", "Imports", true, "type=LOGS.IMPORT").await;
        let known = grace.view("tasks", &id).await.unwrap()["changed_at"].clone();
        assert_eq!(owner.change_since(&id, known.clone(), json!({"query": "status=FAILED"})).await.status(), 200);
        let (status, why) = words(grace.change_since(&id, known.clone(), json!({"query": "status=DONE"})).await).await;
        assert!(status == 409 && why.contains("Somebody else"), "{status}: {why}");
        assert_eq!(grace.view("tasks", &id).await.unwrap()["query"], "status=FAILED", "what the other did stays");

        for nth in 0..100 {
            assert_eq!(grace.save("exports", &format!("Number {nth}"), false, "").await.status(), 200);
        }
        let (status, why) = words(grace.save("exports", "One more", false, "").await).await;
        assert!(status == 409 && why.contains("100 such views"), "{status}: {why}");
        assert_eq!(grace.save("exports", "One more", true, "").await.status(), 200, "shared ones are counted by themselves");
        assert_eq!(owner.save("exports", "One more", false, "").await.status(), 200, "and so are another one's");
    }

    async fn a_link_leads_to_what_the_view_says(app: TestApp) {
        let (project, cookie) = app.signed_in(Role::Owner).await;
        let owner = By { app, project: &project, cookie };
        let grace = By::new(app, &project, "grace", Role::Member).await;
        for (tab, query) in [("logs", "status=FAILURE&columns=time,path"), ("tasks", "status=FAILED"), ("exports", ""), ("sendouts", "code=5xx&order=created_at")] {
            let id = owner.saved(tab, "Shared", true, query).await;
            let list = format!("/projects/{}/{tab}", project.id);
            let mut says = format!("view={id}");
            if !query.is_empty() {
                says = format!("{says}&{}", query.replace("&columns", "&order=-created_at&columns"));
            }
            if !says.contains("order") {
                says.push_str("&order=-created_at");
            }
            for by in [&owner, &grace] {
                assert_eq!(by.led(&format!("{tab}?view={id}")).await, (303, Some(format!("{list}?{says}"))));
            }
            let zoned = owner.led(&format!("{tab}?view={id}&tz=Asia/Tokyo")).await.1.unwrap();
            assert!(zoned.contains("tz=Asia/Tokyo"), "{zoned}");
            assert_eq!(owner.led(&format!("{tab}?{says}")).await, (200, None), "and no further");
            // A page that is awake follows the same by its router.
            let api = owner.get(&format!("/api/{tab}?project={}&query=view%3D{id}", project.id)).await;
            assert_eq!((api.status().as_u16(), api.headers().contains_key("serverfnredirect")), (200, true));
            assert_eq!(api.headers()["location"].to_str().unwrap(), format!("{list}?{says}"));
            let other = if tab == "logs" { "tasks" } else { "logs" };
            assert_eq!(owner.led(&format!("{other}?view={id}")).await, (200, None), "another tab's view is none here");
        }
        let own = owner.saved("logs", "Own", false, "status=FAILURE").await;
        for (by, link, told) in [(&grace, own.as_str(), true), (&grace, "view_none", true), (&owner, own.as_str(), false)] {
            let (status, location) = by.led(&format!("logs?view={link}")).await;
            assert_eq!((status, location.is_none()), if told { (200, true) } else { (303, false) });
            let page = by.get(&format!("/projects/{}/logs?view={link}&status=SUCCESS", project.id)).await.text().await.unwrap().replace("<!>", "");
            assert_eq!(page.contains("The view of this link is not there"), told, "{link}");
            assert_eq!(page.contains("changed</span>"), !told, "{link}");
        }
        assert_eq!(owner.delete("logs", &own).await.status(), 200);
        let page = owner.get(&format!("/projects/{}/logs?view={own}", project.id)).await.text().await.unwrap();
        assert!(page.contains("The view of this link is not there") && page.contains("what the tab shows by itself"));
    }

    async fn a_view_gives_nobody_what_its_address_would_not(app: TestApp) {
        let project = app.add_project("shop").await;
        let ada = By::new(app, &project, "ada", Role::Member).await;
        let olive = By::new(app, &project, "olive", Role::Auditor).await;
        let by_user = ada.saved("logs", "Of Grace", true, "user=grace@example.com").await;
        let by_text = ada.saved("logs", "With needle", true, "q=needle").await;
        accounts::set_rights(app.db(), project.key, Role::Auditor, false, false).await.unwrap();
        app.pass(REMEMBERED_MS);
        let seen = olive.view("logs", &by_user).await.unwrap();
        assert_eq!(seen["by"], Value::Null, "who made it is for those who may see who did what");
        for (id, query) in [(&by_user, "user=grace@example.com"), (&by_text, "q=needle")] {
            let (status, location) = olive.led(&format!("logs?view={id}")).await;
            assert_eq!(status, 303);
            let page = olive.get(&location.unwrap()).await;
            let typed = olive.get(&format!("/projects/{}/logs?{query}", project.id)).await;
            assert_eq!((page.status(), typed.status()), (reqwest::StatusCode::FORBIDDEN, reqwest::StatusCode::FORBIDDEN));
            assert_eq!(olive.save("logs", "Try", false, query).await.status(), 403, "and what they may not ask they do not save");
        }
    }

    async fn a_view_of_another_version_breaks_no_page(app: TestApp) {
        let (project, cookie) = app.signed_in(Role::Owner).await;
        let owner = By { app, project: &project, cookie };
        let id = owner.saved("logs", "Old", true, "status=FAILURE").await;
        tables::execute(app.db(), format!("UPDATE views SET query = 'gone=1&status=MAYBE&method=GET&limit=9000' WHERE id = '{id}'")).await;
        let seen = owner.view("logs", &id).await.unwrap();
        assert_eq!((&seen["query"], &seen["left_out"]), (&json!("method=GET"), &json!(["gone", "status", "limit"])));
        let (status, location) = owner.led(&format!("logs?view={id}")).await;
        assert_eq!(status, 303);
        let page = owner.get(&location.unwrap()).await;
        assert_eq!(page.status(), 200);
        assert!(page.text().await.unwrap().contains("left out by this one: gone, status, limit"));
        assert_eq!(owner.change("logs", &id, json!({"query": "method=GET"})).await.status(), 200, "saved anew it is whole");
        assert_eq!(owner.view("logs", &id).await.unwrap()["left_out"], json!([]));
    }

    async fn changes_of_shared_views_are_on_the_log_and_own_ones_say_nothing(app: TestApp) {
        let (project, cookie) = app.signed_in(Role::Owner).await;
        let owner = By { app, project: &project, cookie };
        let key = app.add_key(&project, &Scope::ALL).await;
        let id = owner.saved("logs", "Failures", true, "status=FAILURE").await;
        let logs = own(app, &key, 2).await;
        let (made, body) = (&logs[1], &logs[1]["response"]["body"]);
        assert_eq!((&made["endpoint"], &made["user_email"], &made["resource"]), (&json!("POST_api_save_view"), &json!("owner@example.com"), &json!({"type": "view", "id": id})));
        assert_eq!((&body["before"], &body["after"]["name"], &body["after"]["query"]), (&Value::Null, &json!("Failures"), &json!("status=FAILURE")));
        assert_eq!(owner.change("logs", &id, json!({"name": "All failures"})).await.status(), 200);
        let body = own(app, &key, 3).await[2]["response"]["body"].clone();
        assert_eq!((&body["before"]["name"], &body["after"]["name"]), (&json!("Failures"), &json!("All failures")));
        assert_eq!(owner.change("logs", &id, json!({"shared": false})).await.status(), 200);
        let body = own(app, &key, 4).await[3]["response"]["body"].clone();
        assert_eq!((&body["before"]["name"], &body["after"]), (&json!("All failures"), &Value::Null), "the project has it no more");
        assert_eq!(owner.change("logs", &id, json!({"name": "Private words", "query": "path=/secret"})).await.status(), 200);
        let mine = owner.saved("logs", "Private too", false, "path=/secret").await;
        assert_eq!(owner.save("logs", "Private too", false, "path=/secret").await.status(), 422);
        assert_eq!(owner.delete("logs", &mine).await.status(), 200);
        let logs = own(app, &key, 8).await;
        for log in &logs[4..] {
            assert_eq!(log["user_email"], "owner@example.com", "that somebody did something is on it: {log}");
            assert!(!log.to_string().contains("rivate") && !log.to_string().contains("secret"), "what somebody keeps for themselves: {log}");
        }
    }

    async fn keys_read_what_is_shared(app: TestApp) {
        let (project, cookie) = app.signed_in(Role::Owner).await;
        let owner = By { app, project: &project, cookie };
        let key = app.add_key(&project, &[Scope::Read]).await;
        let shared = owner.saved("logs", "b", true, "status=FAILURE").await;
        let tasks = owner.saved("tasks", "c", true, "").await;
        owner.saved("logs", "A", true, "").await;
        let own = owner.saved("logs", "mine", false, "").await;
        let list = ask(app, &key, Method::GET, "/v1/views", Value::Null, 200).await;
        let names: Vec<&str> = list["data"].as_array().unwrap().iter().map(|view| view["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["A", "b", "c"], "by tab and name");
        assert_eq!((&list["has_more"], &list["more_starting_after"]), (&json!(false), &Value::Null));
        let of_tasks = ask(app, &key, Method::GET, "/v1/views?tab=tasks", Value::Null, 200).await;
        assert_eq!((of_tasks["data"].as_array().unwrap().len(), &of_tasks["data"][0]["id"]), (1, &json!(tasks)));
        let view = ask(app, &key, Method::GET, &format!("/v1/views/{shared}"), Value::Null, 200).await;
        assert_eq!((&view["object"], &view["tab"], &view["query"], &view["created_by"]), (&json!("view"), &json!("logs"), &json!("status=FAILURE"), &json!("owner@example.com")));
        ask(app, &key, Method::GET, &format!("/v1/logs?{}", view["query"].as_str().unwrap()), Value::Null, 200).await;
        for gone in [own.as_str(), "view_none", "%00"] {
            ask(app, &key, Method::GET, &format!("/v1/views/{gone}"), Value::Null, 404).await;
        }
        ask(app, &key, Method::GET, "/v1/views?tab=nothing", Value::Null, 400).await;
        let other = app.add_project("other").await;
        let strange = app.add_key(&other, &Scope::ALL).await;
        ask(app, &strange, Method::GET, &format!("/v1/views/{shared}"), Value::Null, 404).await;
        assert_eq!(ask(app, &strange, Method::GET, "/v1/views", Value::Null, 200).await["data"], json!([]));
        let blind = app.add_key(&project, &[Scope::LogsWrite]).await;
        ask(app, &blind, Method::GET, "/v1/views", Value::Null, 403).await;
    }

    async fn who_leaves_takes_their_own_views_along_and_leaves_what_they_shared(app: TestApp) {
        let (project, cookie) = app.signed_in(Role::Owner).await;
        let owner = By { app, project: &project, cookie };
        let grace = By::new(app, &project, "grace", Role::Member).await;
        let own = grace.saved("logs", "Own", false, "").await;
        let shared = grace.saved("logs", "Shared", true, "").await;
        let people = members::list(app.db(), project.key, 0).await.unwrap();
        let id = &people.iter().find(|member| member.email == "grace@example.com").unwrap().id;
        members::remove(app.db(), project.key, id).await.unwrap();
        let kept = owner.view("logs", &shared).await.unwrap();
        assert_eq!((&kept["by"], &kept["can_change"]), (&json!("grace@example.com"), &json!(true)));
        assert_eq!(tables::count(app.db(), "views").await, 1);
        app.server.door.forget();
        assert_eq!(grace.get(&format!("/api/views?project={}&tab=logs", project.id)).await.status(), 404);
        assert_eq!(grace.change_since(&own, json!(0), json!({"name": "x"})).await.status(), 404);
    }
}

//! Embedded views: what a link shows to somebody without an account, where it may be framed, how it ends, who may make one, and that its token is written down nowhere.

mod record;
mod rights;

use audit_log::model::rights::{Role, Scope};
use audit_log::server::access::issue::IssuedKey;
use audit_log::server::config::Config;
use audit_log::server::selection;
use audit_log::server::store::projects::Project;
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::support::TestApp;

const DAY_MS: i64 = 86_400_000;
/// In every body here.
const NEEDLE: &str = "Nadel-im-Heu";

/// A person of the project, as their page asks.
struct By<'a> {
    app: &'a TestApp,
    project: &'a Project,
    cookie: String,
}

impl<'a> By<'a> {
    async fn new(app: &'a TestApp, project: &'a Project, name: &str, role: Role) -> Self {
        let email = format!("{name}@example.com");
        app.add_person(&email, "correct horse", Some((project, role))).await;
        let cookie = app.sign_in(&email, "correct horse").await;
        Self { app, project, cookie }
    }

    async fn post(&self, path: &str, mut body: Value) -> (u16, String) {
        body["project"] = json!(self.project.id);
        let request = self.app.request(Method::POST, path).header("cookie", &self.cookie);
        words(request.json(&body).send().await.unwrap()).await
    }

    async fn form(&self, path: &str, id: &str) -> (u16, String) {
        let fields = [("project", self.project.id.as_str()), ("id", id)];
        let request = self.app.post_form(path, &fields).header("cookie", &self.cookie);
        words(request.send().await.unwrap()).await
    }

    /// A shared view of the Logs tab.
    async fn view(&self, name: &str, query: &str) -> String {
        let wish = json!({"name": name, "shared": true, "query": query});
        let (status, text) = self.post("/api/save_view", json!({"tab": "logs", "wish": wish})).await;
        assert_eq!(status, 200, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    async fn change_view(&self, id: &str, change: Value) -> (u16, String) {
        let views = self.get(&format!("/api/views?project={}&tab=logs", self.project.id)).await;
        let views: Value = serde_json::from_str(&views.1).unwrap();
        let known = views["views"].as_array().unwrap().iter().find(|view| view["id"] == id);
        let mut whole = json!({"name": null, "shared": null, "query": null});
        whole.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        self.post(
            "/api/change_view",
            json!({"id": id, "known": known.unwrap()["changed_at"], "change": whole}),
        )
        .await
    }

    async fn wish(&self, view: &str, wish: Value) -> (u16, String) {
        let mut whole = json!({"name": "Board", "view": view, "bodies": false, "users": false, "origins": [], "days": 30});
        whole.as_object_mut().unwrap().extend(wish.as_object().unwrap().clone());
        self.post("/api/create_embed", json!({"wish": whole})).await
    }

    /// The id of an embedded view that can be made.
    async fn embed(&self, view: &str, wish: Value) -> String {
        let (status, text) = self.wish(view, wish).await;
        assert_eq!(status, 200, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    /// The path of a link that can be made.
    async fn link(&self, view: &str, wish: Value) -> String {
        let id = self.embed(view, wish).await;
        self.path(&id).await
    }

    async fn path(&self, id: &str) -> String {
        let link = self.facts(id).await["link"].as_str().unwrap().to_owned();
        link.strip_prefix(&self.app.url).unwrap().to_owned()
    }

    async fn embeds(&self) -> Value {
        let (status, text) = self.get(&format!("/api/embeds?project={}&query=", self.project.id)).await;
        assert_eq!(status, 200, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    async fn facts(&self, id: &str) -> Value {
        let all = self.embeds().await;
        let found = all["embeds"].as_array().unwrap().iter().find(|embed| embed["id"] == id);
        found.unwrap_or_else(|| panic!("{id} in {all}")).clone()
    }

    async fn get(&self, path: &str) -> (u16, String) {
        words(self.app.get_as(&self.cookie, path).await).await
    }
}

async fn words(answer: Response) -> (u16, String) {
    (answer.status().as_u16(), answer.text().await.unwrap().replace("<!>", ""))
}

/// What somebody sees who has a link and nothing else.
async fn opened(app: &TestApp, path: &str) -> (u16, String) {
    words(app.get(path).await).await
}

/// The token of a link, without the id and the time that stand in it.
fn signature(path: &str) -> String {
    path.rsplit_once('.').unwrap().1.to_owned()
}

fn log(id: &str, minutes_ago: i64, code: u16) -> Value {
    let now = audit_log::server::clock::Clock::System.now_ms();
    json!({
        "id": id, "created_at": now - minutes_ago * 60_000, "method": "POST", "url": format!("https://api.example.com/v1/{id}?told={NEEDLE}"), "status_code": code,
        "user_email": "grace@example.com", "app_name": "Checkout service", "ip": "203.0.113.77", "request_id": format!("req-{id}"), "user_agent": format!("agent {NEEDLE}"),
        "request": {"headers": {"x-own": format!("header {NEEDLE}")}, "body": {"told": format!("<b>{NEEDLE}</b> {id}")}},
        "response": {"headers": {"content-type": "text/plain"}, "body": format!("answer {NEEDLE}")},
    })
}

async fn send(app: &TestApp, project: &Project, logs: &Value) -> IssuedKey {
    let key = app.add_key(project, &Scope::ALL).await;
    let sent = app.call(Method::POST, "/v1/logs", &key).json(logs).send().await.unwrap();
    assert_eq!(sent.status(), 201, "{:?}", sent.text().await);
    key
}

/// An owner, and a project with one log that failed and one that did not.
async fn owner(app: &TestApp) -> (Project, String, IssuedKey) {
    let (project, cookie) = app.signed_in(Role::Owner).await;
    let key = send(app, &project, &json!([log("broken", 1, 500), log("fine", 2, 200)])).await;
    (project, cookie, key)
}

for_each_db! {
    async fn a_link_shows_what_its_view_selects_and_nothing_else(app: TestApp) {
        let (project, cookie, _) = owner(app).await;
        let ada = By { app, project: &project, cookie };
        let view = ada.view("Failed orders", "status=FAILURE&columns=time,path,user").await;
        let link = ada.link(&view, json!({"name": "Board for Acme"})).await;
        let answer = app.get(&link).await;
        let headers = answer.headers().clone();
        for (name, value) in [("cache-control", "no-store"), ("referrer-policy", "no-referrer"), ("x-robots-tag", "noindex, nofollow"), ("x-frame-options", "DENY")] {
            assert_eq!(headers[name], value, "{name}");
        }
        assert!(!headers.contains_key("set-cookie"));
        let (status, page) = words(answer).await;
        assert_eq!(status, 200);
        for shown in ["shop", "Failed orders", "title=\"broken\"", "/v1/broken", "As of ", "UTC", "1 shown"] {
            assert!(page.contains(shown), "{shown}: {page}");
        }
        for hidden in ["fine", "grace@example.com", "Checkout", NEEDLE, "203.0.113.77", "Board for Acme", "<script", "<form", "/projects/", &signature(&link), " style="] {
            assert!(!page.contains(hidden), "{hidden}: {page}");
        }
        assert!(!page.contains(">User<"), "no column for what it does not show: {page}");

        // Nothing in the address makes it more.
        for more in ["status=SUCCESS", "status=", "from=-90d", "origin=self", "columns=user,ip", "view=view_1", "q=fine", "limit=100", "tz=Asia/Tokyo", "project=x", "embed=x"] {
            let (status, other) = opened(app, &format!("{link}?{more}")).await;
            assert_eq!(status, 200, "{more}");
            assert!(other.contains("title=\"broken\"") && !other.contains("fine") && other.contains("UTC"), "{more}: {other}");
            assert!(!other.contains("grace") && !other.contains("203.0.113"), "{more}");
        }
        // A session changes nothing either.
        let (_, signed_in) = ada.get(&link).await;
        assert!(!signed_in.contains("fine") && !signed_in.contains("grace@example.com"));

        // One log: its facts alone.
        let (status, page) = opened(app, &format!("{link}?log=broken")).await;
        assert_eq!(status, 200);
        for shown in ["/v1/broken", "req-broken", "500", "this link does not show headers and bodies", "href=\"?\""] {
            assert!(page.contains(shown), "{shown}: {page}");
        }
        for hidden in [NEEDLE, "grace@example.com", "Checkout", "203.0.113.77", "x-own", "<script", &signature(&link)] {
            assert!(!page.contains(hidden), "{hidden}: {page}");
        }
        let other = app.add_project("other").await;
        send(app, &other, &json!([log("elsewhere", 1, 500)])).await;
        for none in ["fine", "elsewhere", "nothing", "a%20b", "%00", "..%2F", &"x".repeat(500)] {
            let (status, page) = opened(app, &format!("{link}?log={none}")).await;
            assert_eq!(status, 404, "{none}");
            assert!(page.contains("There is no such log here"), "{none}: {page}");
        }
        // The view's time goes on, and with it what is opened.
        app.pass(DAY_MS);
        assert_eq!(opened(app, &format!("{link}?log=broken")).await.0, 404, "it is no longer of the last 24 hours");
        let (status, page) = opened(app, &link).await;
        assert!(status == 200 && page.contains("No log in this range matches") && !page.contains("broken"), "{page}");
    }

    async fn what_was_never_a_link_and_what_has_ended_look_the_same(app: TestApp) {
        let (project, cookie, _) = owner(app).await;
        let ada = By { app, project: &project, cookie };
        let view = ada.view("All", "").await;
        let id = ada.embed(&view, json!({"days": 2})).await;
        let link = ada.path(&id).await;
        let seen = async |path: &str| {
            let answer = app.get(path).await;
            let mut headers = answer.headers().clone();
            for other in ["x-request-id", "date"] {
                headers.remove(other);
            }
            (answer.status().as_u16(), format!("{headers:?}"), answer.text().await.unwrap())
        };
        assert_eq!(seen(&link).await.0, 200);
        let never = seen("/embed/emb_01JD0000000000000000000000.9999999999999.AAAA").await;
        assert_eq!(never.0, 404);
        assert!(never.2.contains("This link is not valid or has ended") && never.1.contains("no-store") && never.1.contains("no-referrer"), "{never:?}");

        let (said, signed) = link.rsplit_once('.').unwrap();
        let (of, until) = said.split_once('.').unwrap();
        let longer = format!("{of}.{}.{signed}", until.parse::<i64>().unwrap() + 1);
        let flipped = if signed.starts_with('A') { 'B' } else { 'A' };
        let edited = format!("{said}.{flipped}{}", &signed[1..]);
        for wrong in [longer, edited, format!("{said}."), said.to_owned(), format!("{link}A"), format!("{link}%00"), "/embed/%FF".to_owned(), "/embed/x".to_owned()] {
            assert_eq!(seen(&wrong).await, never, "{wrong}");
        }
        // Whatever is asked of it.
        assert_eq!(seen(&format!("{link}A?log=broken")).await, never);

        let other = ada.embed(&view, json!({"days": 1, "origins": ["https://a.example"]})).await;
        let revoked = ada.path(&other).await;
        assert_eq!(seen(&revoked).await.0, 200);
        assert_eq!(ada.form("/api/revoke_embed", &other).await.0, 200);
        assert_eq!(seen(&revoked).await, never, "at once");
        assert_eq!(seen(&format!("{revoked}?log=broken")).await, never);
        assert_eq!(ada.form("/api/delete_embed", &other).await.0, 200);
        assert_eq!(seen(&revoked).await, never, "and once it is gone");

        app.pass(2 * DAY_MS - 60_000);
        assert_eq!(seen(&link).await.0, 200);
        app.pass(60_000);
        assert_eq!(seen(&link).await, never, "its time has passed");
        assert_eq!(ada.facts(&id).await["link"], Value::Null);

        // Nor does a link whose project is gone lead anywhere.
        let last = ada.link(&view, json!({})).await;
        assert_eq!(seen(&last).await.0, 200);
        let gone = ada.post("/api/delete_project", json!({"name": "shop"})).await;
        assert_eq!(gone.0, 200, "{}", gone.1);
        assert_eq!(seen(&last).await, never);
    }

    async fn only_its_own_origins_frame_it_and_nobody_frames_anything_else(app: TestApp) {
        let (project, cookie, _) = owner(app).await;
        let ada = By { app, project: &project, cookie };
        let view = ada.view("All", "").await;
        let origins = json!(["https://Shop.Example.com:443/", " https://b.example:8443", "", "http://localhost:8080", "https://shop.example.com"]);
        let id = ada.embed(&view, json!({"origins": origins})).await;
        assert_eq!(ada.facts(&id).await["origins"], json!(["https://shop.example.com", "https://b.example:8443", "http://localhost:8080"]));
        let framed = ada.path(&id).await;
        let alone = ada.link(&view, json!({})).await;
        let policy = async |path: &str| {
            let answer = app.get(path).await;
            let policies = answer.headers().get_all("content-security-policy").iter().map(|value| value.to_str().unwrap().to_owned());
            (policies.collect::<Vec<_>>(), answer.headers().contains_key("x-frame-options"))
        };
        let strict = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors ";
        let named = format!("{strict}https://shop.example.com https://b.example:8443 http://localhost:8080");
        for page in ["", "?log=broken", "?log=none", "?after=none"] {
            assert_eq!(policy(&format!("{framed}{page}")).await, (vec![named.clone()], false), "{page}");
            assert_eq!(policy(&format!("{alone}{page}")).await, (vec![format!("{strict}'none'")], true), "{page}");
        }
        for other in ["/", "/sign-in", "/embed", "/embed/x", "/v1/logs", &format!("/projects/{}/logs", project.id)] {
            let (policies, denied) = policy(other).await;
            assert!(denied && policies.len() == 1 && policies[0].ends_with("frame-ancestors 'none'"), "{other}: {policies:?}");
        }
        let page = app.get_as(&ada.cookie, &format!("/projects/{}/settings/embedding", project.id)).await;
        assert_eq!(page.headers()["x-frame-options"], "DENY");
    }

    async fn headers_bodies_and_users_are_shown_where_the_link_names_them(app: TestApp) {
        let (project, cookie, _) = owner(app).await;
        let ada = By { app, project: &project, cookie };
        let view = ada.view("Failed", "status=FAILURE&columns=time,path,user,app").await;
        let bodies = ada.link(&view, json!({"bodies": true})).await;
        let (_, list) = opened(app, &bodies).await;
        assert!(!list.contains("grace@example.com") && !list.contains(NEEDLE), "{list}");
        let (status, page) = opened(app, &format!("{bodies}?log=broken")).await;
        assert_eq!(status, 200);
        for shown in ["&lt;b&gt;Nadel-im-Heu&lt;/b&gt; broken", "header Nadel-im-Heu", "answer Nadel-im-Heu", "agent Nadel-im-Heu", "Request body", "<summary>Headers"] {
            assert!(page.contains(shown), "{shown}: {page}");
        }
        for hidden in ["<b>Nadel", "grace@example.com", "Checkout service", "203.0.113.77", "<script", "Copy as cURL", "Download"] {
            assert!(!page.contains(hidden), "{hidden}: {page}");
        }

        let users = ada.link(&view, json!({"users": true})).await;
        let (_, list) = opened(app, &users).await;
        assert!(list.contains("grace@example.com") && list.contains("Checkout service"), "{list}");
        let (_, page) = opened(app, &format!("{users}?log=broken")).await;
        assert!(page.contains("grace@example.com") && page.contains("203.0.113.77") && !page.contains(NEEDLE), "{page}");

        // Where somebody came from, only where the view shows it.
        let with_ip = ada.view("With IP", "columns=time,ip").await;
        let (_, page) = opened(app, &format!("{}?log=broken", ada.link(&with_ip, json!({})).await)).await;
        assert!(page.contains("203.0.113.77") && !page.contains("grace@example.com"), "{page}");

        // The log of the log, where a view shows it, says no more than to anybody.
        let of_own = ada.view("Own", "origin=self&columns=time,path,user,origin").await;
        let link = ada.link(&of_own, json!({})).await;
        let (_, page) = opened(app, &link).await;
        assert!(!page.contains("owner@example.com") && !page.contains(&signature(&link)), "{page}");
    }

    async fn pages_turn_by_places_of_their_own(app: TestApp) {
        let (project, cookie) = app.signed_in(Role::Owner).await;
        let logs: Vec<Value> = (0..60).map(|nth| log(&format!("l{nth:02}"), nth + 1, 500)).collect();
        send(app, &project, &json!(logs)).await;
        let ada = By { app, project: &project, cookie };
        let view = ada.view("All", "").await;
        let link = ada.link(&view, json!({})).await;
        let ids = |page: &str| page.matches("title=\"l").count();
        let way = |page: &str, rel: &str| {
            let from = page.find(&format!("rel=\"{rel}\""))?;
            let tag = &page[page[..from].rfind("<a")?..];
            let tag = &tag[..tag.find('>')?];
            let href = tag.split_once("href=\"")?.1.split_once('"')?.0;
            Some(href.replace("&amp;", "&"))
        };
        let (_, first) = opened(app, &link).await;
        assert_eq!((ids(&first), way(&first, "prev")), (50, None));
        let older = way(&first, "next").unwrap();
        assert!(older.starts_with("?after="), "{older}");
        let (status, second) = opened(app, &format!("{link}{older}")).await;
        assert_eq!((status, ids(&second), way(&second, "next")), (200, 10, None));
        assert!(second.contains("title=\"l59\"") && second.contains("title=\"l50\"") && !second.contains("title=\"l49\""), "{second}");
        let newer = way(&second, "prev").unwrap();
        let (_, back) = opened(app, &format!("{link}{newer}")).await;
        assert!(ids(&back) == 50 && back.contains("title=\"l00\""), "{back}");
        // A log that was opened from the second page leads back there.
        let log = second.split_once("href=\"?log=l55").unwrap().1.split_once('"').unwrap().0.replace("&amp;", "&");
        let (status, one) = opened(app, &format!("{link}?log=l55{log}")).await;
        assert!(status == 200 && one.contains(&format!("href=\"{older}\"")), "{older}: {one}");

        // A place of the Logs tab, of another link, and what is none.
        let place = audit_log::model::page::Key { created_at: i64::MAX / 2, id: String::new() };
        let of_project = selection::cursor(&app.server.key, &project.id, &place);
        let other = ada.link(&view, json!({})).await;
        for wrong in [format!("after={of_project}"), format!("before={of_project}"), "after=none".to_owned(), older.trim_start_matches('?').replace("after=", "after=A")] {
            let (status, page) = opened(app, &format!("{link}?{wrong}")).await;
            assert!(status == 400 && page.contains("This list has no such place") && !page.contains("title=\"l"), "{wrong}: {status}");
        }
        assert_eq!(opened(app, &format!("{other}{older}")).await.0, 400, "another link's");
        let tab = ada.get(&format!("/projects/{}/logs{older}", project.id)).await;
        assert_eq!(tab.0, 400, "nor is a link's place one of the Logs tab");
    }

    async fn it_is_read_and_nothing_else(app: TestApp) {
        let (project, cookie, _) = owner(app).await;
        let ada = By { app, project: &project, cookie };
        let link = ada.link(&ada.view("All", "").await, json!({})).await;
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
            let answer = app.request(method.clone(), &link).send().await.unwrap();
            assert_eq!(answer.status(), 405, "{method}");
        }
        let head = app.request(Method::HEAD, &link).send().await.unwrap();
        assert_eq!((head.status().as_u16(), head.headers()["referrer-policy"].to_str().unwrap()), (200, "no-referrer"));
        assert_eq!(head.bytes().await.unwrap().len(), 0);
        assert_eq!(opened(app, &format!("{link}/logs")).await.0, 404);
    }

    async fn what_cannot_be_embedded_is_refused_in_words(app: TestApp) {
        let (project, cookie, _) = owner(app).await;
        let ada = By { app, project: &project, cookie };
        let grace = By::new(app, &project, "grace", Role::Member).await;
        let view = ada.view("All", "").await;
        let (_, tasks) = ada.post("/api/save_view", json!({"tab": "tasks", "wish": {"name": "Tasks", "shared": true, "query": ""}})).await;
        let (_, private) = grace.post("/api/save_view", json!({"tab": "logs", "wish": {"name": "Mine", "shared": false, "query": ""}})).await;
        let [tasks, private] = [&tasks, &private].map(|text| serde_json::from_str::<String>(text).unwrap());
        let view = view.as_str();
        for (view, wish, field) in [
            (view, json!({"name": "  "}), "name"),
            (view, json!({"name": "x".repeat(81)}), "name"),
            (view, json!({"name": "a\u{7}b"}), "name"),
            (view, json!({"days": 0}), "days"),
            (view, json!({"days": 366}), "days"),
            (view, json!({"origins": ["shop.example.com"]}), "origins"),
            (view, json!({"origins": ["https://*.example.com"]}), "origins"),
            (view, json!({"origins": ["https://a.example", "https://b.example; script-src *"]}), "origins"),
            (view, json!({"origins": ["http://shop.example.com"]}), "origins"),
            (view, json!({"origins": (0..11).map(|nth| format!("https://a{nth}.example")).collect::<Vec<_>>()}), "origins"),
            ("view_none", json!({}), "view"),
            ("", json!({}), "view"),
            ("%00", json!({}), "view"),
            (tasks.as_str(), json!({}), "view"),
            (private.as_str(), json!({}), "view"),
        ] {
            let (status, text) = ada.wish(view, wish.clone()).await;
            assert!(status == 422 && text.contains(&format!("\"field\":\"{field}\"")), "{view} {wish}: {status} {text}");
        }
        assert_eq!(grace.wish(&private, json!({})).await.0, 422, "one's own is not shared either");
        for body in [json!({"wish": {"name": "a"}}), json!({}), json!({"wish": {"name": "a", "view": view, "bodies": "yes", "users": false, "origins": [], "days": 1}})] {
            assert_eq!(ada.post("/api/create_embed", body.clone()).await.0, 400, "{body}");
        }
        for (id, path) in [("\u{0}", "/api/revoke_embed"), ("", "/api/delete_embed"), ("view_1", "/api/revoke_embed")] {
            assert_eq!(ada.form(path, id).await.0, 404, "{id:?}");
        }
        assert_eq!(ada.embeds().await["embeds"], json!([]), "nothing of it was kept");
        for nth in 0..50 {
            ada.embed(view, json!({"name": format!("Number {nth}")})).await;
        }
        let (status, why) = ada.wish(view, json!({})).await;
        assert!(status == 409 && why.contains("50 embedded views"), "{status}: {why}");
        let (_, page) = ada.get(&format!("/projects/{}/settings/embedding", project.id)).await;
        assert!(page.contains("Number 49") && page.contains(&format!("{}/embed/emb_", app.url)) , "{page}");
    }
}

/// Addresses of visitors, as the proxy on this machine names them.
fn behind_a_proxy(config: &mut Config) {
    config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
}

for_each_db! {
    with behind_a_proxy;

    async fn one_who_asks_too_often_waits_and_others_do_not(app: TestApp) {
        let (project, cookie, _) = owner(app).await;
        let ada = By { app, project: &project, cookie };
        let view = ada.view("All", "").await;
        let (link, other) = (ada.link(&view, json!({"origins": ["https://a.example"]})).await, ada.link(&view, json!({})).await);
        let from = async |path: &str, address: &str| app.request(Method::GET, path).header("x-forwarded-for", address).send().await.unwrap();
        // An allowance fills up while it is used: by one a second.
        let begun = std::time::Instant::now();
        let until_refused = async |address: &str, allowed: u64| {
            for taken in 0_u64.. {
                let answer = from(&link, address).await;
                if answer.status() == 429 {
                    assert!((allowed..=allowed + begun.elapsed().as_secs() + 1).contains(&taken), "{address}: {taken}");
                    return answer;
                }
                assert_eq!(answer.status(), 200, "{address}");
            }
            unreachable!()
        };
        let late = until_refused("203.0.113.1", 60).await;
        assert!(late.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
        assert!(late.text().await.unwrap().contains("That was too often"));
        for (path, address) in [(&link, "203.0.113.2"), (&other, "203.0.113.1"), (&link, "2001:db8::1")] {
            assert_eq!(from(path, address).await.status(), 200, "{address}");
        }
        // A network of IPv6 is one customer's.
        for _ in 0..30 {
            assert_eq!(from(&link, "2001:db8::2").await.status(), 200);
        }
        until_refused("2001:db8::3", 29).await;
        app.pass(60_000);
        assert_eq!(from(&link, "203.0.113.1").await.status(), 200);
    }
}

mod with_no_time_to_search {
    use super::*;

    for_each_db! {
        with |config: &mut Config| config.search_ms = 0;

        async fn a_search_says_how_far_it_got_and_goes_on(app: TestApp) {
            let (project, cookie) = app.signed_in(Role::Owner).await;
            let logs: Vec<Value> = (1..=30).map(|nth| log(&format!("log-{nth}"), nth, 500)).collect();
            send(app, &project, &json!(logs)).await;
            let ada = By { app, project: &project, cookie };
            let view = ada.view("Found", &format!("q={NEEDLE}")).await;
            let link = ada.link(&view, json!({"bodies": true})).await;
            let (mut query, mut turns, mut seen) = (String::new(), 0, String::new());
            loop {
                let (status, page) = opened(app, &format!("{link}{query}")).await;
                assert_eq!(status, 200);
                seen.push_str(page.split_once("<tbody").map_or("", |(_, rest)| rest));
                let Some((_, searched)) = page.split_once("class=\"searched\"") else { break };
                assert!(searched.contains("Searched back to "), "{searched}");
                query = searched.split_once("href=\"").unwrap().1.split_once('"').unwrap().0.replace("&amp;", "&");
                turns += 1;
                assert!(turns < 50, "{query}");
            }
            assert!(turns > 0, "all was found at once");
            for nth in 1..=30 {
                assert_eq!(seen.matches(&format!("title=\"log-{nth}\"")).count(), 1, "{nth}");
            }
            assert_eq!(opened(app, &format!("{link}?log=log-30")).await.0, 200, "what is meant is opened, however long the list takes");
        }
    }
}

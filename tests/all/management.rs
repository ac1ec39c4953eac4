//! The management API: projects, their members, keys and webhooks, by a key that is of no project.

use audit_log::model::rights::{Role, Scope};
use audit_log::server::access::issue::{self, IssuedKey};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::support::TestApp;

const PROJECTS: &str = "/management/v1/projects";

/// A management key, and calls signed by it.
struct Manager<'a> {
    app: &'a TestApp,
    key: IssuedKey,
}

impl<'a> Manager<'a> {
    async fn of(app: &'a TestApp) -> Self {
        let key = issue::management_key(app.db(), &app.issuer(), "ops").await.unwrap();
        Self { app, key }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.app.client.request(method, format!("{}{path}", self.app.url));
        request
            .header("x-management-id", &self.key.app_id)
            .header("x-management-token", &self.key.app_token)
    }

    /// The status and the body of a call.
    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let request = self.request(method, path);
        let request = match &body {
            Some(body) => request.json(body),
            None => request,
        };
        let answer = request.send().await.unwrap();
        let status = answer.status();
        assert!(answer.headers().contains_key("x-request-id"));
        assert_eq!(
            answer.headers().contains_key("x-rate-limit-remaining"),
            status.is_success(),
            "{path}"
        );
        let text = answer.text().await.unwrap();
        let json = if text.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&text).unwrap_or_else(|_| panic!("{path}: {text}"))
        };
        if !status.is_success() {
            assert_eq!(json["code"], status.as_u16(), "{json}");
        }
        (status.as_u16(), json)
    }

    async fn project(&self, name: &str) -> String {
        let (status, made) = self.call(Method::POST, PROJECTS, Some(json!({"name": name}))).await;
        assert_eq!(status, 201, "{made}");
        made["id"].as_str().unwrap().to_owned()
    }
}

for_each_db! {
    async fn a_project_lives_and_ends(app: TestApp) {
        let manager = Manager::of(app).await;
        let wish = json!({"name": "shop", "time_zone": "Europe/Berlin", "endpoint_templates": ["/v1/vouchers/{code}"],
            "role_rights": {"auditor": {"read_bodies": false, "read_users": true}}});
        let (status, made) = manager.call(Method::POST, PROJECTS, Some(wish)).await;
        assert_eq!(status, 201, "{made}");
        assert_eq!(made["object"], "project");
        assert_eq!(made["role_rights"]["auditor"], json!({"read_bodies": false, "read_users": true}));
        assert_eq!(made["role_rights"]["member"], json!({"read_bodies": true, "read_users": true}));
        let path = format!("{PROJECTS}/{}", made["id"].as_str().unwrap());
        assert_eq!(manager.call(Method::GET, &path, None).await, (200, made.clone()));
        let (_, list) = manager.call(Method::GET, PROJECTS, None).await;
        assert_eq!(list, json!({"object": "list", "data_ref": "data", "data": [made], "has_more": false, "more_starting_after": null}));
        let (status, changed) = manager.call(Method::PATCH, &path, Some(json!({"name": "Shop 2"}))).await;
        assert_eq!((status, &changed["name"], &changed["time_zone"]), (200, &json!("Shop 2"), &json!("Europe/Berlin")), "what is not named stays");
        assert_eq!(changed["endpoint_templates"], json!(["/v1/vouchers/{code}"]));
        for (bad, word) in [
            (json!({"name": ""}), "needs a name"),
            (json!({"time_zone": "Mars"}), "no time zone"),
            (json!({"endpoint_templates": ["x"]}), "no route template"),
            (json!({"nome": "x"}), "nome: there is no such field"),
            (json!({"name": 3}), "name"),
            (json!({"role_rights": {"owner": {"read_bodies": false, "read_users": false}}}), "owner"),
        ] {
            let (status, error) = manager.call(Method::PATCH, &path, Some(bad.clone())).await;
            assert_eq!(status, 422, "{bad}");
            assert!(error["details"].as_str().unwrap().contains(word), "{bad}: {error}");
        }
        assert_eq!(manager.call(Method::GET, &path, None).await.1, changed, "nothing was changed");
        assert_eq!(manager.call(Method::DELETE, &path, None).await.0, 204);
        assert_eq!(manager.call(Method::GET, &path, None).await.0, 404);
        assert_eq!(manager.call(Method::DELETE, &path, None).await.0, 404);
        assert_eq!(manager.call(Method::PUT, PROJECTS, Some(json!({}))).await.0, 405);
    }

    async fn members_are_added_invited_changed_and_removed(app: TestApp) {
        let manager = Manager::of(app).await;
        let project = manager.project("shop").await;
        let members = format!("{PROJECTS}/{project}/members");
        app.add_person("ada@example.com", "correct horse", None).await;
        let (status, ada) = manager.call(Method::POST, &members, Some(json!({"email": "Ada@example.com", "role": "owner"}))).await;
        assert_eq!((status, &ada["object"], &ada["role"]), (201, &json!("member"), &json!("owner")), "{ada}");
        let again = manager.call(Method::POST, &members, Some(json!({"email": "ada@example.com", "role": "member"}))).await;
        assert_eq!(again.0, 409);
        let (status, invited) = manager.call(Method::POST, &members, Some(json!({"email": "new@example.com", "role": "auditor"}))).await;
        assert_eq!((status, &invited["object"]), (201, &json!("invitation")));
        let link = invited["link"].as_str().unwrap();
        let token = link.split_once("token=").unwrap().1;
        let joined = app.post_form("/invite", &[("token", token), ("password", "correct horse")]).send().await.unwrap();
        assert_eq!(joined.headers()["location"], format!("/projects/{project}/logs").as_str());
        let (_, list) = manager.call(Method::GET, &members, None).await;
        let roles: Vec<&Value> = list["data"].as_array().unwrap().iter().map(|member| &member["role"]).collect();
        assert_eq!(roles, [&json!("owner"), &json!("auditor")]);
        let of_ada = format!("{members}/{}", ada["id"].as_str().unwrap());
        assert_eq!(manager.call(Method::PATCH, &of_ada, Some(json!({"role": "member"}))).await.0, 409, "the last owner");
        assert_eq!(manager.call(Method::DELETE, &of_ada, None).await.0, 409);
        let new = format!("{members}/{}", list["data"][1]["id"].as_str().unwrap());
        assert_eq!(manager.call(Method::PATCH, &new, Some(json!({"role": "owner"}))).await.1["role"], "owner");
        assert_eq!(manager.call(Method::DELETE, &of_ada, None).await.0, 204);
        assert_eq!(manager.call(Method::GET, &of_ada, None).await.0, 404);
        for (bad, word) in [
            (json!({"email": "x", "role": "member"}), "email"),
            (json!({"email": "x@y.z", "role": "king"}), "role"),
            (json!({"role": "member"}), "email: is missing"),
        ] {
            let (status, error) = manager.call(Method::POST, &members, Some(bad)).await;
            assert_eq!(status, 422);
            assert!(error["details"].as_str().unwrap().contains(word), "{error}");
        }
    }

    async fn invitations_are_listed_and_taken_back(app: TestApp) {
        let manager = Manager::of(app).await;
        let project = manager.project("shop").await;
        let (_, invited) = manager.call(Method::POST, &format!("{PROJECTS}/{project}/members"), Some(json!({"email": "new@example.com", "role": "member"}))).await;
        let invitations = format!("{PROJECTS}/{project}/invitations");
        let (_, list) = manager.call(Method::GET, &invitations, None).await;
        assert_eq!(list["data"][0]["id"], invited["id"]);
        assert!(list["data"][0].get("link").is_none(), "it is shown once");
        let one = format!("{invitations}/{}", invited["id"].as_str().unwrap());
        assert_eq!(manager.call(Method::DELETE, &one, None).await.0, 204);
        assert_eq!(manager.call(Method::DELETE, &one, None).await.0, 404);
    }

    async fn keys_are_made_changed_rotated_and_revoked(app: TestApp) {
        let manager = Manager::of(app).await;
        let project = manager.project("shop").await;
        let keys = format!("{PROJECTS}/{project}/keys");
        let (status, made) = manager.call(Method::POST, &keys, Some(json!({"name": "shop", "scopes": ["read"], "calls_a_minute": 90}))).await;
        assert_eq!(status, 201, "{made}");
        let works = async |token: &Value| {
            let key = IssuedKey { app_id: made["app_id"].as_str().unwrap().to_owned(), app_token: token.as_str().unwrap().to_owned() };
            app.call(Method::GET, "/v1/logs", &key).send().await.unwrap().status()
        };
        assert_eq!(works(&made["app_token"]).await, StatusCode::OK);
        let one = format!("{keys}/{}", made["id"].as_str().unwrap());
        let (_, read) = manager.call(Method::GET, &one, None).await;
        assert!(read.get("app_token").is_none() && read["calls_a_minute"] == 90, "{read}");
        let (_, changed) = manager.call(Method::PATCH, &one, Some(json!({"calls_a_minute": null, "scopes": ["read", "logs:write"]}))).await;
        assert_eq!((&changed["calls_a_minute"], &changed["scopes"]), (&Value::Null, &json!(["read", "logs:write"])));
        let (status, rotated) = manager.call(Method::POST, &format!("{one}/rotate"), Some(json!({"overlap_seconds": 0}))).await;
        assert_eq!(status, 200);
        assert_eq!(works(&made["app_token"]).await, StatusCode::UNAUTHORIZED);
        assert_eq!(works(&rotated["app_token"]).await, StatusCode::OK);
        assert_eq!(manager.call(Method::DELETE, &one, None).await.0, 204);
        assert_eq!(works(&rotated["app_token"]).await, StatusCode::UNAUTHORIZED, "at once");
        assert_eq!(manager.call(Method::DELETE, &one, None).await.0, 404);
        let client = json!({"name": "web", "scopes": ["logs:write"], "origins": ["https://shop.example"], "expires_at": "2100-01-01T00:00:00Z"});
        let (_, client) = manager.call(Method::POST, &keys, Some(client)).await;
        assert_eq!((&client["client"], &client["expires_at"]), (&json!(true), &json!("2100-01-01T00:00:00.000Z")));
        for (bad, word) in [
            (json!({"name": "x", "scopes": []}), "at least one scope"),
            (json!({"name": "x", "scopes": ["admin"]}), "scopes"),
            (json!({"name": "x", "scopes": ["read"], "expires_at": "2001-01-01T00:00:00Z"}), "future"),
            (json!({"name": "x", "scopes": ["read"], "expires_at": "soon"}), "expires_at"),
            (json!({"name": "x", "scopes": ["read"], "origins": ["https://a.example"]}), "client-side"),
        ] {
            let (status, error) = manager.call(Method::POST, &keys, Some(bad.clone())).await;
            assert_eq!(status, 422, "{bad}");
            assert!(error["details"].as_str().unwrap().contains(word), "{bad}: {error}");
        }
    }

    async fn webhooks_are_those_of_the_project_s_own_api(app: TestApp) {
        let manager = Manager::of(app).await;
        let project = manager.project("shop").await;
        let webhooks = format!("{PROJECTS}/{project}/webhooks");
        let (status, made) = manager.call(Method::POST, &webhooks, Some(json!({"target_url": "https://hooks.example.com/in", "headers": {"x-own": "secret"}}))).await;
        assert_eq!(status, 201, "{made}");
        assert!(made["secret"].as_str().unwrap().starts_with("whsec_"));
        let one = format!("{webhooks}/{}", made["id"].as_str().unwrap());
        assert_eq!(manager.call(Method::GET, &one, None).await.1["headers"]["x-own"], "secret");
        assert_eq!(manager.call(Method::GET, &webhooks, None).await.1["data"].as_array().unwrap().len(), 1);
        assert_eq!(manager.call(Method::PATCH, &one, Some(json!({"active": false}))).await.1["active"], false);
        let (_, rotated) = manager.call(Method::POST, &format!("{one}/rotate-secret"), None).await;
        assert_ne!(rotated["secret"], made["secret"]);
        assert_eq!(manager.call(Method::DELETE, &one, None).await.0, 204);
        assert_eq!(manager.call(Method::GET, &one, None).await.0, 404);
        assert_eq!(manager.call(Method::GET, &format!("{webhooks}/../keys"), None).await.0, 200, "the client itself goes up");
        assert_eq!(manager.call(Method::GET, &format!("{webhooks}/a/b/c/d"), None).await.0, 404);
        assert_eq!(manager.call(Method::POST, &webhooks, Some(json!({"target_url": "nonsense"}))).await.0, 422);
    }

    async fn how_long_logs_are_kept_is_chosen(app: TestApp) {
        let manager = Manager::of(app).await;
        let project = manager.project("shop").await;
        let path = format!("{PROJECTS}/{project}/retention");
        let (_, first) = manager.call(Method::GET, &path, None).await;
        assert_eq!((&first["logs_days"], &first["in_force"]["logs_days"]), (&Value::Null, &Value::Null), "the tests' own server keeps for ever: {first}");
        let (status, chosen) = manager.call(Method::PUT, &path, Some(json!({"logs_days": 30, "bodies_days": 7}))).await;
        assert_eq!((status, &chosen["in_force"]), (200, &json!({"logs_days": 30, "bodies_days": 7})), "{chosen}");
        let (_, changed) = manager.call(Method::PATCH, &path, Some(json!({"bodies_days": null}))).await;
        assert_eq!((&changed["logs_days"], &changed["bodies_days"]), (&json!(30), &Value::Null), "what is not named stays");
        for (bad, word) in [(json!({"logs_days": 0}), "logs_days"), (json!({"bodies_days": 31}), "bodies_days"), (json!({"days": 1}), "days"), (json!({"logs_days": "x"}), "logs_days")] {
            let (status, error) = manager.call(Method::PUT, &path, Some(bad.clone())).await;
            assert_eq!(status, 422, "{bad}");
            assert!(error["details"].as_str().unwrap().contains(word), "{bad}: {error}");
        }
        assert_eq!(manager.call(Method::GET, &path, None).await.1["logs_days"], 30);
    }

    async fn what_a_project_masks_is_put_as_a_whole(app: TestApp) {
        let manager = Manager::of(app).await;
        let project = manager.project("shop").await;
        let path = format!("{PROJECTS}/{project}/masking");
        assert_eq!(manager.call(Method::GET, &path, None).await, (200, json!({"object": "masking", "rules": []})));
        let rules = json!([{"kind": "key", "text": "nickname", "note": "asked for by the works council"}, {"kind": "pattern", "text": "[0-9]{9}", "note": ""}]);
        let (status, put) = manager.call(Method::PUT, &path, Some(json!({"rules": rules}))).await;
        assert_eq!((status, &put["rules"]), (200, &rules), "{put}");
        let people = json!([{"kind": "key", "text": "!token", "note": ""}, {"kind": "user", "text": "email", "note": ""}, {"kind": "ip", "text": "network", "note": ""}]);
        let (status, put) = manager.call(Method::PUT, &path, Some(json!({"rules": people}))).await;
        assert_eq!((status, &put["rules"]), (200, &people), "{put}");
        manager.call(Method::PUT, &path, Some(json!({"rules": rules}))).await;
        for (bad, word) in [
            (json!({"rules": [{"kind": "ip", "text": "/8"}]}), "rule 1"),
            (json!({"rules": [{"kind": "pattern", "text": "("}]}), "rule 1"),
            (json!({"rules": [{"kind": "colour", "text": "x"}]}), "kind"),
            (json!({"rules": [{"kind": "key", "text": ""}]}), "rule 1"),
            (json!({}), "rules: is missing"),
        ] {
            let (status, error) = manager.call(Method::PUT, &path, Some(bad.clone())).await;
            assert_eq!(status, 422, "{bad}");
            assert!(error["details"].as_str().unwrap().contains(word), "{bad}: {error}");
        }
        assert_eq!(manager.call(Method::GET, &path, None).await.1["rules"], rules, "nothing was changed");
        let key = app.add_key(&audit_log::server::store::projects::find(app.db(), &project).await.unwrap().unwrap(), &Scope::ALL).await;
        let log = json!({"id": "one", "method": "GET", "url": "https://a.example/b", "status_code": 200, "request": {"body": {"nickname": "ada", "n": "123456789"}}});
        assert_eq!(app.call(Method::POST, "/v1/logs", &key).json(&log).send().await.unwrap().status(), 201);
        let body = app.call(Method::GET, "/v1/logs/one/request", &key).send().await.unwrap().text().await.unwrap();
        assert!(!body.contains("ada") && !body.contains("123456789") && body.contains("masked"), "{body}");
    }

    async fn nobody_else_manages(app: TestApp) {
        let (project, owner) = app.signed_in(Role::Owner).await;
        let key = app.add_key(&project, &Scope::ALL).await;
        let manager = Manager::of(app).await;
        for path in ["", "/prj_none", "/x/members", "/x/keys", "/x/webhooks", "/x/webhooks/y", "/x/invitations"] {
            let path = format!("{PROJECTS}{path}");
            assert_eq!(app.get(&path).await.status(), 401, "{path}");
            assert_eq!(app.get_as(&owner, &path).await.status(), 401, "{path}");
            assert_eq!(app.call(Method::GET, &path, &key).send().await.unwrap().status(), 401, "{path}");
            let wrong = app.client.get(format!("{}{path}", app.url)).header("x-management-id", &manager.key.app_id).header("x-management-token", "alm_wrong");
            assert_eq!(wrong.send().await.unwrap().status(), 401, "{path}");
        }
        for path in ["/prj_none", "/prj_none/members", "/prj_none/keys", "/prj_none/webhooks", "/prj_none/invitations"] {
            assert_eq!(manager.call(Method::GET, &format!("{PROJECTS}{path}"), None).await.0, 404, "{path}");
        }
        let signed = app.client.get(format!("{}/v1/logs", app.url)).header("x-management-id", &manager.key.app_id).header("x-management-token", &manager.key.app_token);
        assert_eq!(signed.send().await.unwrap().status(), 401, "it reads no project's logs");
    }

    async fn a_call_is_done_once_under_its_idempotency_key(app: TestApp) {
        let manager = Manager::of(app).await;
        let make = async |name: &str| {
            let answer = manager.request(Method::POST, PROJECTS).header("idempotency-key", "one").json(&json!({"name": name})).send().await.unwrap();
            (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
        };
        let first = make("shop").await;
        assert_eq!(first.0, 201);
        assert_eq!(make("shop").await, first);
        assert_eq!(make("other").await.0, 409);
        assert_eq!(manager.call(Method::GET, PROJECTS, None).await.1["data"].as_array().unwrap().len(), 1);
    }

    async fn what_is_managed_is_on_the_project_s_log(app: TestApp) {
        let (project, owner) = app.signed_in(Role::Owner).await;
        let manager = Manager::of(app).await;
        let (_, made) = manager.call(Method::POST, &format!("{PROJECTS}/{}/keys", project.id), Some(json!({"name": "shop", "scopes": ["read"]}))).await;
        let token = made["app_token"].as_str().unwrap();
        let logs = format!("/projects/{}/logs?origin=self&from=-1h", project.id);
        let mut text = String::new();
        for _ in 0..200 {
            text = app.get_as(&owner, &logs).await.text().await.unwrap();
            if text.contains("/management/v1/projects/") {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        assert!(text.contains("/management/v1/projects/"), "{text}");
        let key = app.add_key(&project, &[Scope::Read, Scope::ReadBodies]).await;
        let all = app.call(Method::GET, "/v1/logs?origin=self&limit=100", &key).send().await.unwrap().text().await.unwrap();
        assert!(all.contains("/management/v1/projects/") && !all.contains(token), "a token stays out of it: {all}");
    }
}

//! A change of a project's settings is on its log with what held before and after, whoever makes it: a page, an application's key, a management key.

use audit_log::model::rights::{Role, Scope};
use audit_log::server::access::issue::{self, IssuedKey};
use audit_log::server::store::projects::Project;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::recording::own;
use crate::support::TestApp;

/// One who settles a project by its page, and a key that reads its logs.
struct Owner<'a> {
    app: &'a TestApp,
    project: Project,
    cookie: String,
    key: IssuedKey,
    /// How many changes were looked at.
    seen: std::cell::Cell<usize>,
}

impl<'a> Owner<'a> {
    async fn of(app: &'a TestApp) -> Self {
        let (project, cookie) = app.signed_in(Role::Owner).await;
        let key = app.add_key(&project, &Scope::ALL).await;
        Self {
            app,
            project,
            cookie,
            key,
            // The sign-in.
            seen: std::cell::Cell::new(1),
        }
    }

    /// What the page asks for, which must work; gives the answer.
    async fn page(&self, path: &str, mut body: Value) -> Value {
        body["project"] = json!(self.project.id);
        self.sent(
            self.app
                .request(Method::POST, path)
                .header("cookie", &self.cookie)
                .json(&body),
        )
        .await
    }

    /// The same, of what is sent as forms are.
    async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Value {
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .copied()
            .chain([("project", self.project.id.as_str())])
            .collect();
        self.sent(self.app.post_form(path, &fields).header("cookie", &self.cookie))
            .await
    }

    async fn sent(&self, request: RequestBuilder) -> Value {
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{status}: {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// The log of the change that was just made.
    async fn log(&self) -> Value {
        let seen = self.seen.get();
        self.seen.set(seen + 1);
        let log = own(self.app, &self.key, seen + 1).await.swap_remove(seen);
        assert_eq!(log["ip"], "127.0.0.1", "{log}");
        assert_eq!(
            log["response"]["body"].as_object().unwrap_or_else(|| panic!("{log}")).len(),
            2
        );
        log
    }

    /// Before and after of the change that was just made.
    async fn change(&self) -> (Value, Value) {
        let mut log = self.log().await;
        assert_eq!(log["user_email"], "owner@example.com", "{log}");
        let body = &mut log["response"]["body"];
        (body["before"].take(), body["after"].take())
    }
}

/// A management key's calls to the same project.
async fn manager(owner: &Owner<'_>) -> IssuedKey {
    issue::management_key(owner.app.db(), &owner.app.issuer(), "ops")
        .await
        .unwrap()
}

async fn managed(owner: &Owner<'_>, key: &IssuedKey, method: Method, path: &str, body: Value) -> (Value, Value) {
    let path = format!("{}/management/v1/projects/{}{path}", owner.app.url, owner.project.id);
    let call = owner.app.client.request(method, path);
    let call = call
        .header("x-management-id", &key.app_id)
        .header("x-management-token", &key.app_token);
    owner.sent(if body.is_null() { call } else { call.json(&body) }).await;
    let mut log = owner.log().await;
    assert_eq!(
        (&log["app_id"], &log["app_name"]),
        (&json!(key.app_id), &json!("ops")),
        "{log}"
    );
    let body = &mut log["response"]["body"];
    (body["before"].take(), body["after"].take())
}

for_each_db! {
    async fn of_members_roles_and_invitations(app: TestApp) {
        let owner = Owner::of(app).await;
        let invite = json!({"email": "ada@example.com", "role": "member"});
        let fresh = owner.page("/api/invite_member", invite.clone()).await;
        let (before, first) = owner.change().await;
        assert_eq!(before, Value::Null);
        assert_eq!((&first["object"], &first["email"], &first["role"]), (&json!("invitation"), &json!("ada@example.com"), &json!("member")));
        let fresh_again = owner.page("/api/invite_member", json!({"email": "ada@example.com", "role": "auditor"})).await;
        let (before, second) = owner.change().await;
        assert_eq!((&before, &second["role"]), (&first, &json!("auditor")), "it took the first one's place");
        owner.form("/api/revoke_invitation", &[("id", fresh_again["id"].as_str().unwrap())]).await;
        assert_eq!(owner.change().await, (second, Value::Null));

        let third = owner.page("/api/invite_member", invite).await;
        owner.log().await;
        let token = third["link"].as_str().unwrap().split_once("token=").unwrap().1.to_owned();
        let joined = app.post_form("/invite", &[("token", &token), ("name", "Ada"), ("password", "correct horse")]).send().await.unwrap();
        assert_eq!(joined.status(), 303);
        let log = owner.log().await;
        let body = &log["response"]["body"];
        assert_eq!(log["user_email"], "ada@example.com");
        assert_eq!((&body["before"]["object"], &body["before"]["id"]), (&json!("invitation"), &third["id"]));
        assert_eq!((&body["after"]["object"], &body["after"]["name"], &body["after"]["role"]), (&json!("member"), &json!("Ada"), &json!("member")));
        let ada = body["after"].clone();

        owner.page("/api/change_role", json!({"user": ada["id"], "role": "owner"})).await;
        let (before, after) = owner.change().await;
        assert_eq!(before, ada);
        assert_eq!(after["role"], "owner");
        owner.form("/api/remove_member", &[("user", ada["id"].as_str().unwrap())]).await;
        assert_eq!(owner.change().await, (after, Value::Null));
        owner.page("/api/set_role_rights", json!({"rights": {"role": "auditor", "read_bodies": false, "read_users": true}})).await;
        let (before, after) = owner.change().await;
        assert_eq!(before["role_rights"], json!({"auditor": {"read_bodies": true, "read_users": true}}));
        assert_eq!(after["role_rights"], json!({"auditor": {"read_bodies": false, "read_users": true}}));
        let logs = json!(own(app, &owner.key, 9).await).to_string();
        for link in [&fresh, &fresh_again, &third] {
            let token = link["link"].as_str().unwrap().split_once("token=").unwrap().1;
            assert!(!logs.contains(token), "no link is on a log");
        }
    }

    async fn of_keys(app: TestApp) {
        let owner = Owner::of(app).await;
        let made = owner.page("/api/create_key", json!({"wish": {"name": "shop", "scopes": ["read"], "origins": null, "calls_a_minute": 90, "expires_at": null}})).await;
        let (before, first) = owner.change().await;
        assert_eq!(before, Value::Null);
        assert_eq!((&first["object"], &first["name"], &first["scopes"], &first["calls_a_minute"]), (&json!("key"), &json!("shop"), &json!(["read"]), &json!(90)));
        let id = made["app_id"].as_str().unwrap();
        owner.page("/api/change_key", json!({"app_id": id, "wish": {"name": "shop 2", "scopes": ["read", "logs:write"], "origins": null, "calls_a_minute": null, "expires_at": null}})).await;
        let (before, second) = owner.change().await;
        assert_eq!(before, first);
        assert_eq!((&second["name"], &second["scopes"], &second["calls_a_minute"]), (&json!("shop 2"), &json!(["read", "logs:write"]), &Value::Null));
        let rotated = owner.form("/api/rotate_key", &[("app_id", id), ("overlap_hours", "1")]).await;
        let (before, third) = owner.change().await;
        assert_eq!(before, second);
        assert!(second["old_token_until"].is_null() && third["old_token_until"].is_string(), "{third}");
        owner.form("/api/revoke_key", &[("app_id", id)]).await;
        let (before, after) = owner.change().await;
        assert_eq!(before, third);
        assert!(third["revoked_at"].is_null() && after["revoked_at"].is_string(), "it is there still, and says so: {after}");
        // What changed nothing says nothing of a change.
        let again = app.post_form("/api/revoke_key", &[("app_id", id), ("project", &owner.project.id)]).header("cookie", &owner.cookie);
        assert_eq!(again.send().await.unwrap().status(), 409);
        let logs = own(app, &owner.key, 6).await;
        assert!(logs[5]["response"]["body"].get("before").is_none(), "{}", logs[5]);
        let all = json!(logs).to_string();
        assert!(!all.contains(made["app_token"].as_str().unwrap()) && !all.contains(rotated["app_token"].as_str().unwrap()));
    }

    async fn of_masking_retention_and_the_project(app: TestApp) {
        let owner = Owner::of(app).await;
        let rule = json!({"kind": "key", "text": "nickname", "note": ""});
        owner.page("/api/save_masking", json!({"known": [], "rules": [rule]})).await;
        let (before, after) = owner.change().await;
        assert_eq!((&before["rules"], &after["rules"]), (&json!([]), &json!([rule])));
        owner.page("/api/save_masking", json!({"known": [rule], "rules": []})).await;
        assert_eq!(owner.change().await, (after, before));

        owner.page("/api/set_retention", json!({"choice": {"logs_days": 90, "bodies_days": 30}})).await;
        let (before, after) = owner.change().await;
        assert_eq!((&before["logs_days"], &after["logs_days"], &after["bodies_days"]), (&Value::Null, &json!(90), &json!(30)));

        let wish = json!({"name": "Shop 2", "time_zone": "Europe/Berlin", "templates": ["/v1/vouchers/{code}"]});
        owner.page("/api/change_project", json!({"wish": wish})).await;
        let (before, after) = owner.change().await;
        assert_eq!((&before["name"], &before["time_zone"], &before["endpoint_templates"]), (&json!("shop"), &json!("UTC"), &json!([])));
        assert_eq!((&after["name"], &after["time_zone"], &after["endpoint_templates"]), (&json!("Shop 2"), &json!("Europe/Berlin"), &json!(["/v1/vouchers/{code}"])));
    }

    async fn of_endpoints(app: TestApp) {
        let owner = Owner::of(app).await;
        let wish = |value: &str, active: bool| json!({"target_url": "https://hooks.example.com/in?token=hidden-0", "events": ["*"], "active": active,
            "headers": [["x-own", value], ["x-same", "hidden-1"]], "send_paused": false});
        let made = owner.page("/api/create_endpoint", json!({"wish": wish("hidden-2", true)})).await;
        let (before, first) = owner.change().await;
        assert_eq!((&before, &first["object"], &first["active"]), (&Value::Null, &json!("webhook"), &json!(true)));
        assert_eq!((&first["header_names"], &first["target_url"]), (&json!(["x-own", "x-same"]), &json!("https://hooks.example.com/in?token=masked")));
        owner.page("/api/update_endpoint", json!({"id": made["id"], "wish": wish("hidden-3", false)})).await;
        let (before, second) = owner.change().await;
        assert_eq!(before, first);
        assert_eq!((&second["active"], &second["changed_headers"]), (&json!(false), &json!(["x-own"])));
        let rotated = owner.form("/api/rotate_secret", &[("id", made["id"].as_str().unwrap())]).await;
        let (_, third) = owner.change().await;
        assert!(second["old_secret_until"].is_null() && third["old_secret_until"].is_string(), "{third}");
        owner.form("/api/delete_endpoint", &[("id", made["id"].as_str().unwrap())]).await;
        let (before, after) = owner.change().await;
        assert_eq!((&before["id"], &before["active"], &after), (&made["id"], &json!(false), &Value::Null));

        // By an application's key.
        let call = async |method: Method, path: &str, body: Value| {
            let answer = owner.sent(app.call(method, path, &owner.key).json(&body)).await;
            let mut log = owner.log().await;
            assert_eq!(log["app_id"], owner.key.app_id);
            let body = &mut log["response"]["body"];
            (answer, body["before"].take(), body["after"].take())
        };
        let (made, before, after) = call(Method::POST, "/v1/webhooks", json!({"target_url": "https://hooks.example.com/"})).await;
        assert_eq!((&before, &after["id"]), (&Value::Null, &made["id"]));
        let path = format!("/v1/webhooks/{}", made["id"].as_str().unwrap());
        let (_, before, after) = call(Method::PATCH, &path, json!({"events": ["a.*"], "headers": {"x": "hidden-4"}})).await;
        assert_eq!((&before["events"], &after["events"], &after["changed_headers"]), (&json!(["*"]), &json!(["a.*"]), &json!(["x"])));
        let (again, _, after) = call(Method::POST, &format!("{path}/rotate-secret"), Value::Null).await;
        assert!(after["old_secret_until"].is_string());
        let (_, before, after) = call(Method::DELETE, &path, Value::Null).await;
        assert_eq!((&before["events"], &after), (&json!(["a.*"]), &Value::Null));

        let all = json!(own(app, &owner.key, 9).await).to_string();
        assert!(!all.contains("hidden-"), "{all}");
        for answer in [&made, &again, &rotated] {
            assert!(!all.contains(answer["secret"].as_str().unwrap()), "no secret is on a log");
        }
    }

    async fn by_the_management_api(app: TestApp) {
        let owner = Owner::of(app).await;
        let key = manager(&owner).await;
        let by = async |method: Method, path: &str, body: Value| managed(&owner, &key, method, path, body).await;
        let wish = json!({"name": "Shop 2", "role_rights": {"auditor": {"read_bodies": false, "read_users": true}}});
        let (before, after) = by(Method::PATCH, "", wish).await;
        assert_eq!((&before["name"], &after["name"]), (&json!("shop"), &json!("Shop 2")));
        assert_eq!((&before["role_rights"]["auditor"]["read_bodies"], &after["role_rights"]["auditor"]["read_bodies"]), (&json!(true), &json!(false)));
        app.add_person("ada@example.com", "correct horse", None).await;
        let (before, ada) = by(Method::POST, "/members", json!({"email": "ada@example.com", "role": "member"})).await;
        assert_eq!((&before, &ada["email"]), (&Value::Null, &json!("ada@example.com")));
        let of_ada = format!("/members/{}", ada["id"].as_str().unwrap());
        let (before, after) = by(Method::PATCH, &of_ada, json!({"role": "auditor"})).await;
        assert_eq!((&before, &after["role"]), (&ada, &json!("auditor")));
        assert_eq!(by(Method::DELETE, &of_ada, Value::Null).await, (after, Value::Null));
        let (_, invited) = by(Method::POST, "/members", json!({"email": "new@example.com", "role": "member"})).await;
        assert_eq!((&invited["object"], &invited["invited_by"]), (&json!("invitation"), &json!("management key ops")));
        let taken_back = by(Method::DELETE, &format!("/invitations/{}", invited["id"].as_str().unwrap()), Value::Null).await;
        assert_eq!(taken_back, (invited, Value::Null));
        let (before, made) = by(Method::POST, "/keys", json!({"name": "shop", "scopes": ["read"]})).await;
        assert_eq!((&before, &made["name"]), (&Value::Null, &json!("shop")));
        let of_key = format!("/keys/{}", made["id"].as_str().unwrap());
        let (before, changed) = by(Method::PATCH, &of_key, json!({"name": "shop 2"})).await;
        assert_eq!((&before, &changed["name"]), (&made, &json!("shop 2")));
        let (before, rotated) = by(Method::POST, &format!("{of_key}/rotate"), json!({"overlap_seconds": 60})).await;
        assert_eq!(before, changed);
        let (before, revoked) = by(Method::DELETE, &of_key, Value::Null).await;
        assert_eq!(before, rotated);
        assert!(revoked["revoked_at"].is_string());
        let (before, after) = by(Method::PUT, "/masking", json!({"rules": [{"kind": "header", "text": "X-Customer"}]})).await;
        assert_eq!((&before["rules"], &after["rules"][0]["text"]), (&json!([]), &json!("X-Customer")));
        let (before, after) = by(Method::PATCH, "/retention", json!({"logs_days": 60})).await;
        assert_eq!((&before["logs_days"], &after["logs_days"]), (&Value::Null, &json!(60)));
        let (before, after) = by(Method::POST, "/webhooks", json!({"target_url": "https://hooks.example.com/"})).await;
        assert_eq!((&before, &after["object"]), (&Value::Null, &json!("webhook")));
    }

    async fn of_a_project_that_is_made(app: TestApp) {
        let owner = Owner::of(app).await;
        let made = app.post_form("/account/projects", &[("name", "Second"), ("time_zone", "UTC")]).header("cookie", &owner.cookie).send().await.unwrap();
        let location = made.headers()["location"].to_str().unwrap().to_owned();
        let id = location.split('/').nth(2).unwrap().to_owned();
        let second = audit_log::server::store::projects::find(app.db(), &id).await.unwrap().unwrap();
        let key = app.add_key(&second, &Scope::ALL).await;
        let log = own(app, &key, 1).await.swap_remove(0);
        let body = &log["response"]["body"];
        assert_eq!((&body["before"], &body["after"]["name"], &body["after"]["id"]), (&Value::Null, &json!("Second"), &json!(id)));
        let of_first = own(app, &owner.key, 2).await.swap_remove(1);
        assert!(of_first["response"]["body"].get("after").is_none(), "another project is not told: {of_first}");
    }
}

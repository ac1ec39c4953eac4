//! Keys: who they let in, and where to.

use audit_log::model::key::KeyWish;
use audit_log::model::rights::{Role, Scope};
use audit_log::server::access::{self, AccessError, REMEMBERED_MS, issue};
use audit_log::server::store::{accounts, keys};
use axum::http::HeaderMap;
use reqwest::Method;
use serde_json::json;

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .collect()
}

for_each_db! {
    async fn a_key_lets_in_by_both_headers_or_by_its_token_alone(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &[Scope::Read, Scope::LogsWrite]).await;
        let bearer = format!("Bearer {}", key.app_token);
        for shown in [headers(&[("x-app-id", &key.app_id), ("x-app-token", &key.app_token)]), headers(&[("authorization", &bearer)])] {
            let access = access::key(&app.server, &shown).await.unwrap();
            assert_eq!((&access.project, &access.app_id), (&project, &key.app_id));
            assert!(!access.rights.read_bodies && !access.rights.settle && !access.client);
            access.require(Scope::Read).unwrap();
            assert!(matches!(access.require(Scope::ReadBodies), Err(AccessError::Forbidden(words)) if words.contains("read:bodies")));
        }
    }

    async fn a_wrong_key_is_unauthorized(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &[Scope::Read]).await;
        let other = app.add_key(&app.add_project("other").await, &[Scope::Read]).await;
        for shown in [
            headers(&[("x-app-id", &key.app_id), ("x-app-token", "wrong")]),
            headers(&[("x-app-id", &key.app_id), ("x-app-token", &other.app_token)]),
            headers(&[("x-app-id", "wrong"), ("x-app-token", &key.app_token)]),
            headers(&[("x-app-id", &key.app_id)]),
            headers(&[("x-app-id", &key.app_id), ("x-app-token", "")]),
            headers(&[("authorization", "Bearer wrong")]),
            headers(&[("authorization", &format!("Basic {}", key.app_token))]),
            headers(&[("x-client-application-id", &key.app_id), ("x-client-token", &key.app_token)]),
            headers(&[]),
        ] {
            let refused = access::key(&app.server, &shown).await;
            assert!(matches!(refused, Err(AccessError::Unauthorized(_))), "{shown:?}: {refused:?}");
        }
    }

    async fn a_revoked_key_is_refused_within_seconds(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &[Scope::Read]).await;
        let shown = headers(&[("x-app-id", &key.app_id), ("x-app-token", &key.app_token)]);
        access::key(&app.server, &shown).await.unwrap();
        let other = app.add_project("other").await;
        assert!(keys::revoke(app.db(), other.key, &key.app_id, 1).await.unwrap().is_none(), "another project cannot");
        assert!(keys::revoke(app.db(), project.key, &key.app_id, 1).await.unwrap().is_some());
        assert!(keys::revoke(app.db(), project.key, &key.app_id, 1).await.unwrap().is_none(), "once is enough");
        app.pass(REMEMBERED_MS);
        assert!(matches!(access::key(&app.server, &shown).await, Err(AccessError::Unauthorized(_))));
    }

    async fn a_client_side_key_only_sends_and_only_from_its_origins(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_client_key(&project, "https://shop.example").await;
        let from = |origin: &str| {
            let mut shown = headers(&[("x-client-application-id", &key.app_id), ("x-client-token", &key.app_token)]);
            if !origin.is_empty() {
                shown.insert("origin", origin.parse().unwrap());
            }
            shown
        };
        assert!(access::sender_key(&app.server, &from("https://shop.example")).await.unwrap().client);
        for origin in ["", "https://evil.example", "http://shop.example", "https://shop.example.evil.example", "null"] {
            let refused = access::sender_key(&app.server, &from(origin)).await;
            assert!(matches!(refused, Err(AccessError::Forbidden(_))), "{origin:?}: {refused:?}");
        }
        let elsewhere = access::key(&app.server, &from("https://shop.example")).await;
        assert!(matches!(elsewhere, Err(AccessError::Forbidden(words)) if words.contains("/v1/logs")));
        let disguised = headers(&[("x-app-id", &key.app_id), ("x-app-token", &key.app_token), ("origin", "https://shop.example")]);
        assert!(matches!(access::sender_key(&app.server, &disguised).await, Err(AccessError::Unauthorized(_))));
    }

    async fn a_management_key_is_of_no_project_and_the_other_way_round(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &Scope::ALL).await;
        let management = issue::management_key(app.db(), &app.issuer(), "ops").await.unwrap();
        let shown = |id: &'static str, token: &'static str, key: &issue::IssuedKey| headers(&[(id, &key.app_id), (token, &key.app_token)]);
        let right = access::management_key(&app.server, &shown("x-management-id", "x-management-token", &management)).await.unwrap();
        assert_eq!(right.name, "ops");
        assert!(access::management_key(&app.server, &shown("x-management-id", "x-management-token", &key)).await.is_err());
        assert!(access::key(&app.server, &shown("x-app-id", "x-app-token", &management)).await.is_err());
    }

    async fn when_a_key_was_used_last_is_known_to_the_minute(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &[Scope::Read]).await;
        let shown = headers(&[("x-app-id", &key.app_id), ("x-app-token", &key.app_token)]);
        access::key(&app.server, &shown).await.unwrap();
        let hash = <[u8; 32]>::from(<sha2::Sha256 as sha2::Digest>::digest(key.app_token.as_bytes()));
        let mut last = None;
        for _ in 0..100 {
            last = keys::find_by_token(app.db(), &hash, 0).await.unwrap().unwrap().last_used_at;
            if last.is_some() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert!(last.is_some_and(|last| app.server.clock.now_ms() - last < 60_000), "{last:?}");
    }

    async fn a_member_has_the_rights_of_their_role_there_and_none_elsewhere(app: TestApp) {
        let other = app.add_project("other").await;
        let (project, cookie) = app.signed_in(Role::Auditor).await;
        let cookie = headers(&[("cookie", &cookie)]);
        let member = access::member(&app.server, &cookie, &project.id).await.unwrap();
        assert_eq!(member.role, Role::Auditor);
        assert!(member.rights.read_bodies && member.rights.read_users && !member.rights.work && !member.rights.settle);
        for id in [other.id.as_str(), "prj_none", ""] {
            assert!(matches!(access::member(&app.server, &cookie, id).await, Err(AccessError::NotFound)), "{id:?}");
        }
        let nobody = access::member(&app.server, &headers(&[]), &project.id).await;
        assert!(matches!(nobody, Err(AccessError::Unauthorized(_))));
    }

    async fn what_a_project_takes_from_a_role_is_gone_within_seconds(app: TestApp) {
        let (project, cookie) = app.signed_in(Role::Auditor).await;
        let cookie = headers(&[("cookie", &cookie)]);
        assert!(access::member(&app.server, &cookie, &project.id).await.unwrap().rights.read_bodies);
        accounts::set_rights(app.db(), project.key, Role::Auditor, false, true).await.unwrap();
        app.pass(REMEMBERED_MS);
        let rights = access::member(&app.server, &cookie, &project.id).await.unwrap().rights;
        assert!(!rights.read_bodies && rights.read_users);
        accounts::set_rights(app.db(), project.key, Role::Auditor, true, false).await.unwrap();
        app.server.door.forget();
        let rights = access::member(&app.server, &cookie, &project.id).await.unwrap().rights;
        assert!(rights.read_bodies && !rights.read_users);
    }

    async fn at_the_door_of_the_api_a_wrong_key_is_401_and_a_missing_scope_403(app: TestApp) {
        let project = app.add_project("shop").await;
        let reader = app.add_key(&project, &[Scope::Read]).await;
        let sender = app.add_key(&project, &[Scope::LogsWrite]).await;
        assert_eq!(app.call(Method::GET, "/v1/logs", &reader).send().await.unwrap().status(), 200);
        assert_eq!(app.call(Method::POST, "/v1/logs", &sender).json(&log()).send().await.unwrap().status(), 201);
        refused(app.call(Method::POST, "/v1/logs", &reader).json(&log()).send().await.unwrap(), 403, "logs:write").await;
        refused(app.call(Method::GET, "/v1/logs", &sender).send().await.unwrap(), 403, "read").await;
        refused(app.call(Method::GET, "/v1/logs?q=x", &reader).send().await.unwrap(), 403, "read:bodies").await;
        refused(app.get("/v1/logs").await, 401, "X-App-Id").await;
        let wrong = issue::IssuedKey { app_id: reader.app_id.clone(), app_token: "als_wrong".to_owned() };
        refused(app.call(Method::GET, "/v1/logs", &wrong).send().await.unwrap(), 401, "wrong").await;
        let bearer = app.request(Method::GET, "/v1/logs").bearer_auth(&reader.app_token).send().await.unwrap();
        assert_eq!(bearer.status(), 200);
    }

    async fn at_the_door_of_the_api_a_revoked_key_is_401(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &[Scope::Read]).await;
        assert_eq!(app.call(Method::GET, "/v1/logs", &key).send().await.unwrap().status(), 200);
        keys::revoke(app.db(), project.key, &key.app_id, app.server.clock.now_ms()).await.unwrap();
        app.pass(REMEMBERED_MS);
        refused(app.call(Method::GET, "/v1/logs", &key).send().await.unwrap(), 401, "revoked").await;
    }

    async fn another_projects_logs_are_not_found(app: TestApp) {
        let (shop, other) = (app.add_project("shop").await, app.add_project("other").await);
        let of_shop = app.add_key(&shop, &Scope::ALL).await;
        let of_other = app.add_key(&other, &Scope::ALL).await;
        let sent = app.call(Method::POST, "/v1/logs", &of_shop).json(&log()).send().await.unwrap();
        let id = sent.json::<serde_json::Value>().await.unwrap()["ids"][0].as_str().unwrap().to_owned();
        for part in ["", "/request", "/response", "/import-file"] {
            let path = format!("/v1/logs/{id}{part}");
            refused(app.call(Method::GET, &path, &of_other).send().await.unwrap(), 404, "").await;
        }
        assert_eq!(app.call(Method::GET, &format!("/v1/logs/{id}"), &of_shop).send().await.unwrap().status(), 200);
        let list = app.call(Method::GET, "/v1/logs", &of_other).send().await.unwrap().json::<serde_json::Value>().await.unwrap();
        assert_eq!(list["data"].as_array().unwrap().len(), 0);
        let (_, cookie) = app.signed_in(Role::Owner).await;
        for path in ["/logs", &format!("/logs/{id}"), &format!("/logs/{id}/request")] {
            let page = app.get_as(&cookie, &format!("/projects/{}{path}", shop.id)).await;
            let text = page.text().await.unwrap();
            assert!(!text.contains("api.example.com"), "an owner elsewhere is a stranger here: {text}");
        }
        let body = app.get_as(&cookie, &format!("/projects/{}/logs/{id}/request", shop.id)).await;
        assert_eq!(body.status(), 404);
    }

    async fn at_the_door_of_the_api_a_client_side_key_sends_from_its_origin_alone(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_client_key(&project, "https://shop.example").await;
        let call = |method: Method, path: &str, origin: &str| {
            app.client
                .request(method, format!("{}{path}", app.url))
                .header("x-client-application-id", &key.app_id)
                .header("x-client-token", &key.app_token)
                .header("origin", origin)
        };
        let sent = call(Method::POST, "/v1/logs", "https://shop.example").json(&log()).send().await.unwrap();
        assert_eq!(sent.status(), 201);
        refused(call(Method::POST, "/v1/logs", "https://evil.example").json(&log()).send().await.unwrap(), 403, "origin").await;
        refused(call(Method::GET, "/v1/logs", "https://shop.example").send().await.unwrap(), 403, "client-side").await;
        let id = sent.json::<serde_json::Value>().await.unwrap()["ids"][0].as_str().unwrap().to_owned();
        let file = call(Method::PUT, &format!("/v1/logs/{id}/import-file"), "https://shop.example").body("a,b").send().await.unwrap();
        refused(file, 403, "client-side").await;
    }

    async fn a_rotated_key_is_taken_by_both_tokens_until_the_old_one_ends(app: TestApp) {
        let project = app.add_project("shop").await;
        let key = app.add_key(&project, &[Scope::Read]).await;
        let shown = |token: &str| headers(&[("x-app-id", &key.app_id), ("x-app-token", token)]);
        let rotate = async |overlap| issue::rotate_key(app.db(), &app.issuer(), project.key, &key.app_id, overlap).await.unwrap().0.app_token;
        let second = rotate(60_000).await;
        app.server.door.forget();
        for token in [&key.app_token, &second] {
            access::key(&app.server, &shown(token)).await.unwrap();
        }
        app.pass(50_000);
        access::key(&app.server, &shown(&key.app_token)).await.unwrap();
        app.pass(10_000);
        assert!(matches!(access::key(&app.server, &shown(&key.app_token)).await, Err(AccessError::Unauthorized(_))), "even where it was remembered");
        access::key(&app.server, &shown(&second)).await.unwrap();
        let third = rotate(0).await;
        app.server.door.forget();
        assert!(matches!(access::key(&app.server, &shown(&second)).await, Err(AccessError::Unauthorized(_))), "no overlap was wanted");
        access::key(&app.server, &shown(&third)).await.unwrap();
        let other = app.add_project("other").await;
        assert!(issue::rotate_key(app.db(), &app.issuer(), other.key, &key.app_id, 0).await.is_err(), "another project cannot");
    }

    async fn a_key_ends_when_it_was_told_to(app: TestApp) {
        let project = app.add_project("shop").await;
        let now = app.server.clock.now_ms();
        let wish = |expires_at| KeyWish { name: "short".to_owned(), scopes: vec![Scope::Read], expires_at: Some(expires_at), ..KeyWish::default() };
        assert!(issue::project_key(app.db(), &app.issuer(), project.key, &wish(now)).await.is_err(), "its end lies in the future");
        let key = issue::project_key(app.db(), &app.issuer(), project.key, &wish(now + 1_000)).await.unwrap().0;
        let call = async || app.call(Method::GET, "/v1/logs", &key).send().await.unwrap();
        assert_eq!(call().await.status(), 200);
        app.pass(1_000);
        refused(call().await, 401, "expired").await;
        assert!(issue::rotate_key(app.db(), &app.issuer(), project.key, &key.app_id, 0).await.is_err(), "what has ended stays so");
    }

    async fn a_key_has_calls_of_its_own(app: TestApp) {
        let project = app.add_project("shop").await;
        let wish = KeyWish { name: "slow".to_owned(), scopes: vec![Scope::Read], calls_a_minute: Some(2), ..KeyWish::default() };
        let key = issue::project_key(app.db(), &app.issuer(), project.key, &wish).await.unwrap().0;
        for left in ["1", "0"] {
            let answer = app.call(Method::GET, "/v1/logs", &key).send().await.unwrap();
            let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
            assert_eq!((header("x-rate-limit-limit"), header("x-rate-limit-remaining")), ("2".to_owned(), left.to_owned()));
        }
        let answer = app.call(Method::GET, "/v1/logs", &key).send().await.unwrap();
        assert_eq!(answer.headers()["retry-after"], "30");
        refused(answer, 429, "2 calls a minute").await;
        app.pass(30_000);
        assert_eq!(app.call(Method::GET, "/v1/logs", &key).send().await.unwrap().status(), 200);
    }

    async fn keys_are_settled_by_owners_alone_and_no_token_is_kept_in_the_clear(app: TestApp) {
        let (project, owner) = app.signed_in(Role::Owner).await;
        app.add_person("mo@example.com", "correct horse", Some((&project, Role::Member))).await;
        let member = app.sign_in("mo@example.com", "correct horse").await;
        let call = async |cookie: &str, path: &str, body: serde_json::Value| {
            app.request(Method::POST, path).header("cookie", cookie).json(&body).send().await.unwrap()
        };
        let wish = json!({"name": "shop", "scopes": ["read", "logs:write"], "origins": null, "calls_a_minute": null, "expires_at": null});
        let made = json!({"project": project.id, "wish": wish});
        assert_eq!(call(&member, "/api/create_key", made.clone()).await.status(), 403);
        let fresh: serde_json::Value = call(&owner, "/api/create_key", made).await.json().await.unwrap();
        let (app_id, token) = (fresh["app_id"].as_str().unwrap(), fresh["app_token"].as_str().unwrap());
        let key = issue::IssuedKey { app_id: app_id.to_owned(), app_token: token.to_owned() };
        assert_eq!(app.call(Method::GET, "/v1/logs", &key).send().await.unwrap().status(), 200);

        let page = format!("/projects/{}/settings/keys", project.id);
        let text = app.get_as(&owner, &page).await.text().await.unwrap();
        assert!(text.contains(app_id) && !text.contains(token));
        let text = app.get_as(&member, &page).await.text().await.unwrap();
        assert!(!text.contains(app_id) && text.contains("an owner can"), "{text}");

        let revoke = [("project", project.id.as_str()), ("app_id", app_id)];
        let by = async |cookie: &str| app.post_form("/api/revoke_key", &revoke).header("cookie", cookie).send().await.unwrap();
        assert_eq!(by(&member).await.status(), 403);
        assert!(by(&owner).await.status().is_success());
        refused(app.call(Method::GET, "/v1/logs", &key).send().await.unwrap(), 401, "revoked").await;

        let logs = format!("/projects/{}/logs?origin=self&from=-1h", project.id);
        let mut text = String::new();
        for _ in 0..200 {
            text = app.get_as(&owner, &logs).await.text().await.unwrap();
            if text.contains("/api/create_key") && text.contains("/api/revoke_key") {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        assert!(text.contains("/api/create_key") && text.contains("/api/revoke_key"), "what was done is on the log: {text}");
        if app.database_url.starts_with("sqlite") {
            for file in ["audit-log.db", "audit-log.db-wal"] {
                let bytes = std::fs::read(app.folder().join(file)).unwrap_or_default();
                assert!(memchr::memmem::find(&bytes, token.as_bytes()).is_none(), "of a token only its hash is kept: {file}");
            }
        }
    }
}

fn log() -> serde_json::Value {
    serde_json::json!({"method": "GET", "url": "https://api.example.com/v1/vouchers", "status_code": 200})
}

/// The answer is a refusal in the API's one shape, and says why.
async fn refused(answer: reqwest::Response, status: u16, word: &str) {
    assert_eq!(answer.status().as_u16(), status);
    let body: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(body["code"], status, "{body}");
    assert!(body["request_id"].is_string(), "{body}");
    let words = format!("{} {}", body["message"], body["details"]);
    assert!(words.contains(word), "{word:?} in {words}");
}

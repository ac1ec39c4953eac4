//! The settings page of masking: who may settle rules, which are refused, and what trying them out shows.

use audit_log::model::masking::{MaskRule, RuleKind};
use audit_log::model::rights::Role;
use audit_log::server::access::REMEMBERED_MS;
use audit_log::server::masking;
use audit_log::server::store::accounts;
use audit_log::server::store::projects::Project;
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::masking::{post, rule, rules, sent};
use crate::recording::own;
use crate::support::TestApp;
use crate::webhooks::{ALL, ask};

async fn by_page(app: &TestApp, cookie: &str, path: &str, body: Value) -> Response {
    app.request(Method::POST, path)
        .header("cookie", cookie)
        .json(&body)
        .send()
        .await
        .unwrap()
}

for_each_db! {
    async fn rules_are_settled_by_owners_alone(app: TestApp) {
        let (project, owner) = app.signed_in(Role::Owner).await;
        app.add_person("mo@example.com", "correct horse", Some((&project, Role::Member))).await;
        let member = app.sign_in("mo@example.com", "correct horse").await;
        let other = app.add_project("other").await;
        let body = |project: &Project, known: &[MaskRule], rules: &[MaskRule]| json!({"project": project.id, "known": known, "rules": rules});
        for path in ["/api/save_masking", "/api/try_masking"] {
            assert_eq!(by_page(app, &member, path, body(&project, &[], &rules())).await.status(), 403, "{path}");
            assert_eq!(by_page(app, &owner, path, body(&other, &[], &rules())).await.status(), 404, "{path}");
            assert_eq!(by_page(app, "none=1", path, body(&project, &[], &rules())).await.status(), 401, "{path}");
        }
        let page = format!("/projects/{}/settings/masking", project.id);
        let shown = app.get_as(&member, &page).await.text().await.unwrap();
        assert!(shown.contains("an owner can") && !shown.contains("Add a rule"), "{shown}");
        let shown = app.get_as(&owner, &page).await.text().await.unwrap();
        assert!(shown.contains("no rules of its own") && shown.contains("socialsecuritynumber") && shown.contains("Try out"), "{shown}");

        let kept: Vec<MaskRule> = by_page(app, &owner, "/api/save_masking", body(&project, &[], &rules())).await.json().await.unwrap();
        assert_eq!(kept, rules());
        assert_eq!(masking::rules(&app.server, project.key).await.unwrap(), rules());
        let shown = app.get_as(&owner, &page).await.text().await.unwrap();
        assert!(shown.contains("value=\"$.customer.address.line1\"") && !shown.contains("no rules of its own"), "{shown}");

        // Somebody else was quicker: what they did stays.
        let late = by_page(app, &owner, "/api/save_masking", body(&project, &[], &[])).await;
        assert_eq!(late.status(), 409);
        assert!(late.text().await.unwrap().contains("Somebody else"));
        assert_eq!(masking::rules(&app.server, project.key).await.unwrap(), rules());

        let key = app.add_key(&project, &ALL).await;
        let logs = own(app, &key, 6).await;
        let saved = logs.iter().find(|log| log["endpoint"] == "POST_api_save_masking" && log["status_code"] == 200).unwrap_or_else(|| panic!("{logs:#?}"));
        assert_eq!((&saved["user_email"], &saved["resource"]["type"]), (&json!("owner@example.com"), &json!("masking")));
        assert_eq!(saved["request"]["body"]["rules"][1]["text"], "nickname", "who made which rule is on the log: {saved}");
    }

    async fn a_rule_that_is_wrong_is_refused_with_its_place(app: TestApp) {
        let (project, owner) = app.signed_in(Role::Owner).await;
        for (wrong, place, word) in [
            (rule(RuleKind::Pattern, "ab(c"), Some(3), "unclosed group"),
            (rule(RuleKind::Pattern, "[0-9]*"), None, "where nothing stands"),
            (rule(RuleKind::Pattern, r"\w{500}"), None, "too large"),
            (rule(RuleKind::Path, "$.a..b"), Some(5), "Key name"),
            (rule(RuleKind::Header, "X Y"), Some(2), "header's name"),
            (rule(RuleKind::Key, "nickname"), None, "the same as rule 1"),
            (rule(RuleKind::Key, "!nickname"), None, "the opposite of rule 1"),
            (rule(RuleKind::Header, "!Authorization"), None, "always masked"),
            (rule(RuleKind::User, "name"), None, "email or id"),
            (rule(RuleKind::Ip, "/24"), None, "network"),
        ] {
            for path in ["/api/save_masking", "/api/try_masking"] {
                let body = json!({"project": project.id, "known": [], "rules": [rule(RuleKind::Key, "nickname"), wrong]});
                let refused = by_page(app, &owner, path, body).await;
                assert_eq!(refused.status(), 422, "{wrong:?}");
                let refused: Value = refused.json().await.unwrap();
                let told = &refused["BadField"];
                let reason = told["reason"].as_str().unwrap_or_else(|| panic!("{refused}"));
                assert_eq!(told["field"], "rules.1", "{refused}");
                assert!(reason.to_lowercase().contains(&word.to_lowercase()), "{word} in {reason}");
                assert_eq!(reason.starts_with("At character"), place.is_some(), "{reason}");
                assert!(place.is_none_or(|place| reason.starts_with(&format!("At character {place}:"))), "{reason}");
            }
        }
        assert_eq!(masking::rules(&app.server, project.key).await.unwrap(), []);
    }

    async fn trying_out_shows_people_and_addresses_too(app: TestApp) {
        let (project, owner) = app.signed_in(Role::Owner).await;
        let key = app.add_key(&project, &ALL).await;
        let log = json!({"id": "one", "method": "GET", "url": "/v1/a", "status_code": 200, "user_email": "ada@example.com", "user_id": "u-17", "ip": "203.0.113.7",
            "request": {"headers": {"X-Real-IP": "203.0.113.7"}}});
        assert_eq!(post(app, &key, "application/json", log.to_string()).await, 201);
        let rules = [rule(RuleKind::User, "email"), rule(RuleKind::User, "id"), rule(RuleKind::Ip, "network")];
        let answer = by_page(app, &owner, "/api/try_masking", json!({"project": project.id, "rules": rules})).await;
        let tried: Value = answer.json().await.unwrap();
        let changes = tried["logs"][0]["changes"].as_array().unwrap_or_else(|| panic!("{tried}"));
        let parts: Vec<&str> = changes.iter().map(|change| change["part"].as_str().unwrap()).collect();
        assert_eq!(parts, ["user_email", "user_id", "ip", "request_headers"]);
        assert_eq!((&changes[0]["before"]["changed"], &changes[0]["after"]["changed"]), (&json!("ada@example.com"), &json!("masked")));
        let saved = by_page(app, &owner, "/api/save_masking", json!({"project": project.id, "known": [], "rules": rules})).await;
        assert_eq!(saved.json::<Vec<MaskRule>>().await.unwrap(), rules);
        let page = app.get_as(&owner, &format!("/projects/{}/settings/masking", project.id)).await.text().await.unwrap();
        assert!(page.contains("E-mail addresses") && page.contains("All but the network"), "{page}");
    }

    async fn trying_out_shows_what_would_change_and_stores_nothing(app: TestApp) {
        let (project, owner) = app.signed_in(Role::Owner).await;
        let key = app.add_key(&project, &ALL).await;
        let try_out = async |rules: &[MaskRule]| {
            let answer = by_page(app, &owner, "/api/try_masking", json!({"project": project.id, "rules": rules})).await;
            assert_eq!(answer.status(), 200);
            answer.json::<Value>().await.unwrap()
        };
        assert_eq!(try_out(&rules()).await, json!({"looked_at": 0, "left_out": 0, "logs": []}));
        let plain = |id: usize| json!({"id": format!("plain-{id}"), "method": "GET", "url": "/v1/a", "status_code": 200});
        let many: Vec<Value> = (0..120).map(plain).collect();
        assert_eq!(post(app, &key, "application/json", json!(many).to_string()).await, 201);
        app.pass(1_000);
        let large = json!({"id": "large", "method": "GET", "url": "/v1/a", "status_code": 200, "response": {"body": "ada@example.com ".repeat(100_000)}});
        assert_eq!(post(app, &key, "application/json", json!([sent("found"), large]).to_string()).await, 201);
        let tried = try_out(&rules()).await;
        assert_eq!((&tried["looked_at"], &tried["left_out"]), (&json!(99), &json!(1)), "{tried}");
        let logs = tried["logs"].as_array().unwrap();
        assert_eq!((logs.len(), &logs[0]["id"], &logs[0]["more"]), (1, &json!("found"), &json!(true)), "{tried}");
        let changes = logs[0]["changes"].as_array().unwrap();
        let side = |change: &Value, side: &str| format!("{}<{}>{}", change[side]["lead"].as_str().unwrap(), change[side]["changed"].as_str().unwrap(), change[side]["trail"].as_str().unwrap());
        let shown: Vec<(&str, String, String)> =
            changes.iter().map(|change| (change["part"].as_str().unwrap(), side(change, "before"), side(change, "after"))).collect();
        assert_eq!(shown[0].0, "url");
        assert!(shown[0].1.starts_with("/v1/customers/<ada%40example.com>/orders?") && shown[0].2.starts_with("/v1/customers/<masked>/orders?"), "{shown:?}");
        assert!(shown.iter().any(|(part, before, after)| *part == "request_headers" && before == "X-Customer: <c-17>" && after == "X-Customer: <masked>"), "{shown:?}");

        let only_path = try_out(&[rule(RuleKind::Path, "$.customer.address.line1")]).await;
        let change = &only_path["logs"][0]["changes"][0];
        assert_eq!((change["part"].as_str(), only_path["logs"][0]["more"].as_bool()), (Some("request_body"), Some(false)), "{only_path}");
        assert_eq!((&change["before"]["changed"], &change["after"]["changed"]), (&json!("12 High Street"), &json!("masked")), "{change}");
        assert_eq!(try_out(&[rule(RuleKind::Key, "nothing")]).await["logs"], json!([]));

        assert_eq!(masking::rules(&app.server, project.key).await.unwrap(), [], "they are not kept");
        let log = ask(app, &key, Method::GET, "/v1/logs/found", Value::Null, 200).await;
        assert_eq!((&log["request"]["body"], &log["notes"]), (&sent("found")["request"]["body"], &json!([])), "and what is there stays");

        let logs = own(app, &key, 2).await;
        let recorded: Vec<&Value> = logs.iter().filter(|log| log["endpoint"] == "POST_api_try_masking").collect();
        assert!(!recorded.is_empty(), "{logs:#?}");
        for log in recorded {
            assert!(!log.to_string().contains("ada") && log["notes"].as_array().unwrap().contains(&json!("not captured")), "what it showed is not on the log: {log}");
            assert_eq!(log["user_email"], "owner@example.com", "that somebody looked is: {log}");
        }

        accounts::set_rights(app.db(), project.key, Role::Owner, false, true).await.unwrap();
        app.pass(REMEMBERED_MS);
        let refused = by_page(app, &owner, "/api/try_masking", json!({"project": project.id, "rules": rules()})).await;
        assert_eq!(refused.status(), 403);
        assert!(refused.text().await.unwrap().contains("read:bodies"));
        let page = app.get_as(&owner, &format!("/projects/{}/settings/masking", project.id)).await.text().await.unwrap();
        assert!(page.contains("read:bodies") && !page.contains(">Try out<"), "{page}");
    }
}

//! What is written down of a link that is opened: who, when and how often, and never its token.

use std::time::Duration;

use super::*;
use crate::chain;
use crate::kill::{Victim, client};
use crate::recording::own;

for_each_db! {
    async fn opening_is_on_the_log_of_the_log_without_the_token(app: TestApp) {
        let (project, cookie, key) = owner(app).await;
        let ada = By { app, project: &project, cookie };
        let view = ada.view("All", "").await;
        // The sign-in, what was sent for the view, and the making.
        let id = ada.embed(&view, json!({"name": "Board", "bodies": true, "origins": ["https://a.example"]})).await;
        let logs = own(app, &key, 3).await;
        let made = &logs[2];
        assert_eq!((&made["endpoint"], &made["resource"], &made["user_email"]), (&json!("POST_api_create_embed"), &json!({"type": "embed", "id": id}), &json!("owner@example.com")));
        let body = &made["response"]["body"];
        assert_eq!((&body["before"], &body["after"]["name"], &body["after"]["read_bodies"], &body["after"]["origins"]), (&Value::Null, &json!("Board"), &json!(true), &json!(["https://a.example"])));

        let link = ada.path(&id).await;
        let (token, signed) = (link.strip_prefix("/embed/").unwrap(), signature(&link));
        let list = app.request(Method::GET, &link).header("referer", format!("https://host.example/?frame={link}")).header("user-agent", format!("agent {token}"));
        assert_eq!(list.send().await.unwrap().status(), 200);
        let opening = &own(app, &key, 4).await[3];
        assert_eq!((&opening["endpoint"], &opening["url"], &opening["method"]), (&json!("GET_embed_{token}"), &json!("/embed/masked"), &json!("GET")));
        assert_eq!((&opening["resource"], &opening["ip"], &opening["user_email"], &opening["status_code"]), (&json!({"type": "embed", "id": id}), &json!("127.0.0.1"), &Value::Null, &json!(200)));
        assert_eq!(opening["request"]["headers"]["referer"], "https://host.example/?frame=/embed/masked");
        assert!(opening["notes"].as_array().unwrap().contains(&json!("not captured")), "what it showed lies here already: {opening}");

        // A log that was opened is about that log and about the link; one that it does not show is about the link.
        assert_eq!(opened(app, &format!("{link}?log=broken")).await.0, 200);
        assert_eq!(opened(app, &format!("{link}?log=none")).await.0, 404);
        let logs = own(app, &key, 7).await;
        let mut about: Vec<(String, u64)> = logs[4..7].iter().map(|log| (log["resource"]["type"].as_str().unwrap().to_owned(), log["status_code"].as_u64().unwrap())).collect();
        about.sort();
        assert_eq!(about, [("api_log".to_owned(), 200), ("embed".to_owned(), 200), ("embed".to_owned(), 404)]);
        assert!(logs[4..7].iter().all(|log| log["url"].as_str().unwrap().starts_with("/embed/masked?log=")), "{logs:?}");

        // What was made up is nobody's; a link that has ended is its project's.
        assert_eq!(opened(app, &format!("{link}A")).await.0, 404);
        assert_eq!(ada.form("/api/revoke_embed", &id).await.0, 200);
        own(app, &key, 8).await;
        assert_eq!(opened(app, &link).await.0, 404);
        own(app, &key, 9).await;
        assert_eq!(ada.form("/api/delete_embed", &id).await.0, 200);
        let logs = own(app, &key, 10).await;
        let rest: Vec<_> = logs[7..].iter().map(|log| (log["endpoint"].as_str().unwrap(), log["status_code"].as_u64().unwrap())).collect();
        assert_eq!(rest, [("POST_api_revoke_embed", 200), ("GET_embed_{token}", 404), ("POST_api_delete_embed", 200)]);
        let revoked = &logs[7]["response"]["body"];
        assert!(revoked["before"]["revoked_at"].is_null() && revoked["after"]["revoked_at"].is_string(), "{revoked}");
        assert_eq!(logs[9]["response"]["body"]["after"], Value::Null);
        let all = json!(logs).to_string();
        assert!(!all.contains(&signed) && !all.contains(token), "{all}");
        let (code, said) = chain::run(app, &["verify", "--project", &project.id]);
        assert_eq!(code, Some(0), "{said}");
    }

    async fn it_is_counted_how_often_it_was_opened(app: TestApp) {
        let (project, cookie, _) = owner(app).await;
        let ada = By { app, project: &project, cookie };
        let id = ada.embed(&ada.view("All", "").await, json!({})).await;
        let link = ada.path(&id).await;
        let facts = ada.facts(&id).await;
        assert_eq!((&facts["opened"], &facts["opened_at"]), (&json!(0), &Value::Null));
        for page in ["", "?log=broken", "?log=none", "?after=none"] {
            opened(app, &format!("{link}{page}")).await;
        }
        for _ in 0..200 {
            if ada.facts(&id).await["opened"] == 2 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        let facts = ada.facts(&id).await;
        assert!(facts["opened"] == 2 && facts["opened_at"].is_i64(), "what it showed is counted, not what it refused: {facts}");
    }
}

/// What the service itself says on standard error of a link that was opened.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_not_in_the_servers_own_lines() {
    let mut victim = Victim::new(None);
    let lines = victim.folder.path().join("lines");
    victim.lines = Some(lines.clone());
    victim.environment = vec![("AUDIT_LOG_LOG_LEVEL", "info,audit_log=trace".to_owned())];
    victim.start().await;
    let address = format!("http://127.0.0.1:{}/embed/emb_1.9999999999999.{NEEDLE}", victim.port);
    assert_eq!(client().get(address).send().await.unwrap().status(), 404);
    victim.kill();
    let said = std::fs::read_to_string(lines).unwrap();
    assert!(said.contains("/embed/masked") && said.contains("404"), "{said}");
    assert!(!said.contains(NEEDLE), "{said}");
}

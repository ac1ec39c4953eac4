//! Who may see and change which, what is refused in words, and what the log of a change says.

use audit_log::model::rights::{Role, Scope};
use audit_log::server::store::accounts;
use serde_json::{Value, json};

use super::{By, at_least, wish, words};
use crate::recording::own;

/// The log of the log, once the last of these requests is on it.
async fn all_until(by: &By<'_>, path: &str) -> Vec<Value> {
    for at_least in 1..100 {
        let logs = own(by.app, &by.key, at_least).await;
        if logs.iter().any(|log| log["url"].as_str().unwrap().ends_with(path)) {
            return logs;
        }
    }
    panic!("{path} never came");
}

for_each_db! {
    async fn auditors_look_and_others_work(app: TestApp) {
        let ada = By::new(app, Role::Member).await;
        let view = ada.view("logs", "Failures", true, "status=FAILURE").await;
        let id = ada.alert(&view, at_least(2, 1)).await;
        let olive = ada.beside("olive", Role::Auditor).await;
        let owner = ada.beside("owen", Role::Owner).await;
        assert_eq!(olive.facts(&id).await["name"], "Many failures");
        let list = olive.get(&format!("/api/alerts?project={}&query=", ada.project.id)).await;
        assert_eq!((list["alerts"].as_array().unwrap().len(), &list["around"]["may_work"]), (1, &json!(false)));
        let known: i64 = ada.known(&id).await.parse().unwrap();
        let change = json!({"id": id, "known": known, "wish": wish("Other", &view, at_least(3, 1))});
        for (path, body) in [
            ("/api/create_alert", json!({"wish": wish("Hers", &view, at_least(1, 1))})),
            ("/api/change_alert", change.clone()),
            ("/api/mute_alert", json!({"id": id, "known": known, "mute": "hour"})),
        ] {
            let (status, why) = words(olive.post(path, body).await).await;
            assert!(status == 403 && why.contains("a member or an owner can"), "{path}: {status} {why}");
        }
        for path in ["/api/test_alert", "/api/delete_alert", "/api/switch_alert"] {
            let known = known.to_string();
            assert_eq!(olive.form(path, &[("id", &id), ("known", &known), ("on", "false")]).await.status(), 403, "{path}");
        }
        assert_eq!(owner.post("/api/change_alert", change).await.status(), 200);
        assert_eq!(ada.facts(&id).await["name"], "Other");
        // Pages.
        for (path, status) in [("alerts", 200), (&*format!("alerts/{id}"), 200), ("alerts/alert_none", 404)] {
            let page = app.get_as(&olive.cookie, &format!("/projects/{}/settings/{path}", ada.project.id)).await;
            assert_eq!(page.status(), status, "{path}");
            assert!(status == 404 || page.text().await.unwrap().contains("Other"), "{path}");
        }
        // Another project's people find none of it.
        let elsewhere = app.add_project("other").await;
        app.add_person("eve@example.com", "correct horse", Some((&elsewhere, Role::Owner))).await;
        let key = app.add_key(&elsewhere, &Scope::ALL).await;
        let eve = By { app, project: elsewhere, cookie: app.sign_in("eve@example.com", "correct horse").await, key };
        assert_eq!(eve.form("/api/test_alert", &[("id", &id)]).await.status(), 404);
        let (status, _) = words(eve.create(wish("Mine", &view, at_least(1, 1))).await).await;
        assert_eq!(status, 422, "another project's view is none");
        let path = format!("/api/alert?project={}&id={id}&query=", eve.project.id);
        assert_eq!(app.get_as(&eve.cookie, &path).await.status(), 404);
    }

    async fn what_makes_no_sense_is_refused_in_words(app: TestApp) {
        let ada = By::new(app, Role::Member).await;
        let view = ada.view("logs", "Failures", true, "status=FAILURE").await;
        let own = ada.view("logs", "Mine", false, "status=FAILURE").await;
        let tasks = ada.view("tasks", "Tasks", true, "").await;
        let share = |threshold: u32, least: u32| json!({"kind": "failure_share", "threshold": threshold, "least_logs": least, "window_minutes": 5});
        for (wish, field) in [
            (wish("", &view, at_least(1, 1)), "name"),
            (wish(&"x".repeat(81), &view, at_least(1, 1)), "name"),
            (wish("a", &own, at_least(1, 1)), "view"),
            (wish("a", &tasks, at_least(1, 1)), "view"),
            (wish("a", "view_none", at_least(1, 1)), "view"),
            (wish("a", "\u{0}", at_least(1, 1)), "view"),
            (wish("a", &view, at_least(0, 1)), "threshold"),
            (wish("a", &view, at_least(1_000_000_001, 1)), "threshold"),
            (wish("a", &view, at_least(1, 0)), "window"),
            (wish("a", &view, at_least(1, 1_441)), "window"),
            (wish("a", &view, share(1_001, 1)), "threshold"),
            (wish("a", &view, share(0, 1)), "threshold"),
            (wish("a", &view, share(10, 0)), "least_logs"),
        ] {
            let (status, text) = words(ada.create(wish.clone()).await).await;
            assert!(status == 422 && text.contains(&format!("\"field\":\"{field}\"")), "{wish}: {status} {text}");
        }
        let eleven: Vec<String> = (0..11).map(|nth| format!("a{nth}@example.com")).collect();
        for recipients in [json!(["nobody"]), json!(["a@b.c\nBcc: d@e.f"]), json!(["a@b.c,d@e.f"]), json!(eleven)] {
            let mut wish = wish("a", &view, at_least(1, 1));
            wish["recipients"] = recipients;
            let (status, text) = words(ada.create(wish.clone()).await).await;
            assert!(status == 422 && text.contains("\"field\":\"recipients\""), "{wish}: {status} {text}");
        }
        assert_eq!(ada.create(json!({"name": "a"})).await.status(), 400);
        for _ in 0..50 {
            ada.alert(&view, at_least(1, 1)).await;
        }
        let (status, why) = words(ada.create(wish("One more", &view, at_least(1, 1))).await).await;
        assert!(status == 409 && why.contains("at most 50 alerts"), "{status}: {why}");
    }

    async fn who_may_not_ask_what_the_view_asks_neither_makes_it_nor_sees_the_figures(app: TestApp) {
        let owner = By::new(app, Role::Owner).await;
        let view = owner.view("logs", "Needles", true, "request_body=needle").await;
        let id = owner.alert(&view, at_least(1, 1)).await;
        owner.send(&[200]).await;
        assert_eq!(owner.round().await, 1);
        let mary = owner.beside("mary", Role::Member).await;
        assert_eq!(mary.facts(&id).await["figures"]["logs"], 1);
        accounts::set_rights(app.db(), owner.project.key, Role::Member, false, true).await.unwrap();
        app.server.door.forget();
        let page = mary.page(&id).await;
        assert_eq!((&page["alert"]["figures"], &page["history"][0]["figures"]), (&Value::Null, &Value::Null));
        assert_eq!(page["history"][0]["what"], "Fired");
        let (status, why) = words(mary.create(wish("Hers", &view, at_least(1, 1))).await).await;
        assert!(status == 403 && why.contains("read:bodies"), "{status}: {why}");
        assert_eq!(owner.facts(&id).await["figures"]["logs"], 1);
    }

    async fn the_log_of_a_change_says_what_was(app: TestApp) {
        let owner = By::new(app, Role::Owner).await;
        let view = owner.view("logs", "Failures", true, "status=FAILURE").await;
        let id = owner.alert(&view, at_least(2, 1)).await;
        owner.mute(&id, "until_unmuted").await;
        let known: i64 = owner.known(&id).await.parse().unwrap();
        let mut other = wish("Other", &view, at_least(9, 1));
        other["recipients"] = json!(["ops@example.com"]);
        assert_eq!(owner.post("/api/change_alert", json!({"id": id, "known": known, "wish": other})).await.status(), 200);
        let known = owner.known(&id).await;
        assert_eq!(owner.form("/api/delete_alert", &[("id", &id), ("known", &known)]).await.status(), 200);
        let logs = all_until(&owner, "/api/delete_alert").await;
        let of = |path: &str| {
            let found = logs.iter().find(|log| log["url"].as_str().unwrap().ends_with(path));
            found.unwrap_or_else(|| panic!("{path} in {logs:#?}"))
        };
        let made = &of("/api/create_alert")["response"]["body"];
        assert_eq!((&made["before"], &made["after"]["name"], &made["after"]["id"]), (&Value::Null, &json!("Many failures"), &json!(id)));
        assert_eq!(of("/api/create_alert")["resource"], json!({"type": "alert", "id": id}));
        assert_eq!(of("/api/mute_alert")["response"]["body"]["after"]["muted_until"], "unmuted");
        let changed = &of("/api/change_alert")["response"]["body"];
        assert_eq!((&changed["before"]["name"], &changed["after"]["name"]), (&json!("Many failures"), &json!("Other")));
        assert_eq!((&changed["before"]["condition"], &changed["after"]["condition"]), (&json!("At least 2 logs within 1 minute"), &json!("At least 9 logs within 1 minute")));
        assert_eq!(changed["after"]["recipients"], json!(["ops@example.com"]));
        let gone = &of("/api/delete_alert")["response"]["body"];
        assert_eq!((&gone["before"]["name"], &gone["after"]), (&json!("Other"), &Value::Null));
    }
}

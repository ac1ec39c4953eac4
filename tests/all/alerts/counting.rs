//! What is counted: each log once, whoever counts; from now on, and anew where something else is watched.

use audit_log::model::rights::Role;
use audit_log::server::alerts;
use audit_log::server::store::Db;
use reqwest::Method;
use serde_json::{Value, json};

use super::{By, MINUTE, at_least, log, wish, words};
use crate::support::{TestApp, tables};

/// What an alert counted within its window by now.
async fn counted(by: &By<'_>, id: &str) -> (u64, u64) {
    let facts = by.facts(id).await;
    let figure = |name: &str| facts["figures"][name].as_u64().unwrap_or_else(|| panic!("{facts}"));
    (figure("logs"), figure("failed"))
}

for_each_db! {
    async fn a_count_fires_once_and_is_back_to_normal(app: TestApp) {
        let ada = By::new(app, Role::Member).await;
        let view = ada.view("logs", "Failures", true, "status=FAILURE&from=-7d&columns=path").await;
        ada.send(&[500, 500, 500]).await;
        let id = ada.alert(&view, at_least(3, 1)).await;
        assert!(id.starts_with("alert_"), "{id}");
        assert_eq!(ada.round().await, 0);
        assert_eq!(counted(&ada, &id).await, (0, 0), "what came before is not counted");
        ada.send(&[500, 200, 404, 200, 201]).await;
        assert_eq!(ada.round().await, 0);
        assert_eq!(counted(&ada, &id).await, (2, 2));
        ada.send(&[503]).await;
        assert_eq!(ada.round().await, 1);
        assert_eq!(ada.round().await, 0, "once is enough");
        let facts = ada.facts(&id).await;
        assert_eq!((&facts["firing"], &facts["figures"]["logs"]), (&json!(true), &json!(3)));

        app.pass(2 * MINUTE);
        assert_eq!(ada.round().await, 1);
        assert_eq!(ada.round().await, 0);
        assert_eq!(ada.facts(&id).await["firing"], false);
        assert_eq!(ada.history(&id).await, ["Resolved", "Fired", "Began"]);
        // The line says what was so then, and leads to those logs.
        let page = ada.page(&id).await;
        let fired = &page["history"][1];
        assert_eq!((&fired["figures"]["logs"], &fired["figures"]["failed"], &fired["muted"]), (&json!(3), &json!(3), &json!(false)));
        let link = fired["logs"].as_str().unwrap();
        assert!(link.contains("status=FAILURE") && link.contains("view=view_") && !link.contains("columns"), "{link}");
        let tab = app.get_as(&ada.cookie, &format!("/projects/{}/logs{link}", ada.project.id)).await;
        assert_eq!(tab.status(), 200);
        let arguments: Vec<&str> = link.trim_start_matches('?').split('&').filter(|pair| !pair.starts_with("view=")).collect();
        let found = app.call(Method::GET, &format!("/v1/logs?{}", arguments.join("&")), &ada.key).send().await.unwrap();
        let found: Value = found.json().await.unwrap();
        let mut codes: Vec<i64> = found["data"].as_array().unwrap().iter().map(|log| log["status_code"].as_i64().unwrap()).collect();
        codes.sort_unstable();
        // Those from before the alert was made are in the window, too; the alert did not count them.
        assert_eq!(codes, [404, 500, 500, 500, 500, 503]);
    }

    async fn a_share_needs_enough_logs(app: TestApp) {
        let ada = By::new(app, Role::Member).await;
        let view = ada.view("logs", "All", true, "").await;
        let id = ada.alert(&view, json!({"kind": "failure_share", "threshold": 500, "least_logs": 4, "window_minutes": 5})).await;
        ada.send(&[500]).await;
        assert_eq!(ada.round().await, 0, "one of one is no alarm");
        ada.send(&[200, 200, 200]).await;
        assert_eq!(ada.round().await, 0, "one of four");
        ada.send(&[500, 500]).await;
        assert_eq!(ada.round().await, 1, "three of six");
        ada.send(&[200]).await;
        assert_eq!(ada.round().await, 1, "three of seven");
        assert_eq!(ada.history(&id).await, ["Resolved", "Fired", "Began"]);
    }

    async fn fewer_waits_for_a_whole_window(app: TestApp) {
        let ada = By::new(app, Role::Member).await;
        let view = ada.view("logs", "Orders", true, "method=POST").await;
        let id = ada.alert(&view, json!({"kind": "fewer_than", "threshold": 1, "least_logs": 1, "window_minutes": 2})).await;
        assert_eq!(ada.round().await, 0);
        assert!(ada.facts(&id).await["waits_until"].is_i64());
        app.pass(MINUTE);
        assert_eq!(ada.round().await, 0, "half a window says nothing");
        app.pass(MINUTE);
        assert_eq!(ada.round().await, 1, "nothing came");
        assert_eq!(ada.facts(&id).await["waits_until"], Value::Null);
        ada.send(&[200]).await;
        assert_eq!(ada.round().await, 1);
        assert_eq!(ada.facts(&id).await["firing"], false);
        app.pass(3 * MINUTE);
        assert_eq!(ada.round().await, 1);
        assert_eq!(ada.history(&id).await, ["Fired", "Resolved", "Fired", "Began"]);
    }

    async fn logs_are_counted_by_when_they_were_made(app: TestApp) {
        let ada = By::new(app, Role::Member).await;
        let view = ada.view("logs", "All", true, "").await;
        let id = ada.alert(&view, at_least(2, 1)).await;
        app.pass(10 * MINUTE);
        let old = app.server.clock.now_ms() - 5 * MINUTE;
        let made = |at: i64| {
            let mut log = log(200);
            log["created_at"] = json!(at);
            log
        };
        ada.send_all(json!([made(old), made(old), made(old)])).await;
        assert_eq!(ada.round().await, 0, "they are of another window");
        let now = app.server.clock.now_ms();
        ada.send_all(json!([made(now), made(now - 30_000)])).await;
        assert_eq!(ada.round().await, 1);
        assert_eq!(counted(&ada, &id).await, (2, 0));
    }

    async fn several_who_count_at_the_same_time_count_each_log_once(app: TestApp) {
        let ada = By::new(app, Role::Member).await;
        let all = ada.view("logs", "All", true, "").await;
        let texts = ada.view("logs", "Needles", true, "q=needle&status=FAILURE").await;
        let of_all = ada.alert(&all, at_least(1_000, 60)).await;
        let of_texts = ada.alert(&texts, at_least(1_000, 90)).await;
        let sending = async {
            for _ in 0..30 {
                ada.send(&[200, 500, 200]).await;
            }
        };
        // Each process looks after alerts; here many do in one.
        let looking = futures::future::join_all((0..6).map(|_| async {
            for _ in 0..20 {
                alerts::round(&app.server).await.unwrap();
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        }));
        tokio::join!(sending, looking);
        ada.round().await;
        assert_eq!(counted(&ada, &of_all).await, (90, 30));
        assert_eq!(counted(&ada, &of_texts).await, (30, 30));
        // Another process goes on where they stopped.
        if let Db::Postgres(_) = app.db() {
            let other = TestApp::another(&app.database_url, &app.folder().join("files")).await;
            ada.send(&[500]).await;
            alerts::round(&other.server).await.unwrap();
            ada.round().await;
            other.stop().await;
            assert_eq!(counted(&ada, &of_all).await, (91, 31));
        }
    }

    async fn more_than_is_read_at_once_is_counted_in_portions(app: TestApp) {
        let ada = By::new(app, Role::Member).await;
        let view = ada.view("logs", "All", true, "").await;
        let id = ada.alert(&view, at_least(1_000_000, 60)).await;
        let many: Vec<Value> = (0..7_500).map(|_| json!({"method": "GET", "url": "/a", "status_code": 200})).collect();
        for _ in 0..3 {
            ada.send_all(json!(many)).await;
        }
        ada.round().await;
        assert_eq!(counted(&ada, &id).await, (22_500, 0));
        assert_eq!(ada.history(&id).await, ["Began"], "nothing was missed");
    }

    async fn what_cannot_be_read_is_noted_and_a_window_waited_for_anew(app: TestApp) {
        let ada = By::new(app, Role::Member).await;
        let view = ada.view("logs", "All", true, "").await;
        let id = ada.alert(&view, json!({"kind": "fewer_than", "threshold": 1, "least_logs": 1, "window_minutes": 1})).await;
        app.pass(2 * MINUTE);
        // As if entries between had gone behind a checkpoint.
        tables::execute(app.db(), format!("UPDATE alert_marks SET mark = -7 WHERE project_id = {}", ada.project.key)).await;
        assert_eq!(ada.round().await, 0, "it is not known that nothing came");
        assert_eq!(ada.history(&id).await, ["Missed", "Began"]);
        assert!(ada.facts(&id).await["waits_until"].is_i64());
        app.pass(2 * MINUTE);
        assert_eq!(ada.round().await, 1);
        // A database that was restored has fewer entries than were counted.
        tables::execute(app.db(), format!("UPDATE alert_marks SET mark = 1000000 WHERE project_id = {}", ada.project.key)).await;
        ada.round().await;
        assert_eq!(ada.history(&id).await, ["Missed", "Fired", "Missed", "Began"]);
        ada.send(&[200]).await;
        app.pass(2 * MINUTE);
        ada.send(&[200]).await;
        assert_eq!(ada.round().await, 1, "it counts on");
        assert_eq!(counted(&ada, &id).await, (1, 0));
    }

    async fn another_view_another_window_and_switching_on_count_anew(app: TestApp) {
        let ada = By::new(app, Role::Member).await;
        let view = ada.view("logs", "Failures", true, "status=FAILURE").await;
        let id = ada.alert(&view, at_least(2, 5)).await;
        ada.send(&[500, 500]).await;
        assert_eq!(ada.round().await, 1);
        let change = async |change: Value| {
            let views = ada.get(&format!("/api/views?project={}&tab=logs", ada.project.id)).await;
            let known = views["views"].as_array().unwrap().iter().find(|one| one["id"] == view).unwrap()["changed_at"].clone();
            let mut whole = json!({"name": null, "shared": null, "query": null});
            whole.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            words(ada.post("/api/change_view", json!({"id": view, "known": known, "change": whole})).await).await
        };
        // How it shows them is no matter.
        assert_eq!(change(json!({"query": "status=FAILURE&columns=path&from=-1h", "name": "Failed"})).await.0, 200);
        assert_eq!(counted(&ada, &id).await, (2, 2));
        assert_eq!(ada.facts(&id).await["firing"], true);
        assert_eq!(change(json!({"query": "status=FAILURE&method=GET"})).await.0, 200);
        assert_eq!(counted(&ada, &id).await, (0, 0));
        assert_eq!((ada.facts(&id).await["firing"].clone(), ada.round().await), (json!(false), 0));
        assert_eq!(ada.history(&id).await, ["Began", "Fired", "Began"]);
        ada.send(&[500]).await;
        ada.send_all(json!([{"method": "GET", "url": "/a", "status_code": 500}])).await;
        ada.round().await;
        assert_eq!(counted(&ada, &id).await, (1, 1), "by its new filters");

        // It stays where an alert watches it, for everyone.
        for wrong in [json!({"shared": false}), json!({"shared": false, "name": "Mine"})] {
            let (status, why) = change(wrong).await;
            assert!(status == 409 && why.contains("“Many failures” watches this view"), "{status}: {why}");
        }
        let views = ada.get(&format!("/api/views?project={}&tab=logs", ada.project.id)).await;
        let known = views["views"][0]["changed_at"].to_string();
        let (status, why) = words(ada.form("/api/delete_view", &[("id", &view), ("known", &known)]).await).await;
        assert!(status == 409 && why.contains("“Many failures” watches this view"), "{status}: {why}");

        ada.switch(&id, false).await;
        ada.send_all(json!([{"method": "GET", "url": "/a", "status_code": 500}])).await;
        assert_eq!(ada.round().await, 0);
        assert_eq!(ada.facts(&id).await["figures"], Value::Null);
        ada.switch(&id, true).await;
        ada.round().await;
        assert_eq!(counted(&ada, &id).await, (0, 0), "what came while it was off is not counted");

        let known = ada.known(&id).await;
        let other = json!({"id": id, "known": known.parse::<i64>().unwrap(), "wish": wish("Other", &view, at_least(2, 6))});
        assert_eq!(ada.post("/api/change_alert", other.clone()).await.status(), 200);
        let (status, why) = words(ada.post("/api/change_alert", other).await).await;
        assert!(status == 409 && why.contains("Somebody else has changed"), "{status}: {why}");
        assert_eq!(ada.history(&id).await, ["Began", "Began", "Began", "Fired", "Began"]);
        let known = ada.known(&id).await;
        assert_eq!(ada.form("/api/delete_alert", &[("id", &id), ("known", &known)]).await.status(), 200);
        let known = ada.get(&format!("/api/views?project={}&tab=logs", ada.project.id)).await["views"][0]["changed_at"].to_string();
        assert_eq!(ada.form("/api/delete_view", &[("id", &view), ("known", &known)]).await.status(), 200, "nothing watches it any more");
        assert_eq!(ada.round().await, 0);
        for table in ["alerts", "alert_counts", "alert_history", "alert_mails"] {
            assert_eq!(tables::count(app.db(), table).await, 0, "{table}");
        }
    }
}

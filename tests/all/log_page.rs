//! A log's page as the server renders it, before any script: facts, first rows, neighbours, and nothing that whoever asks may not see.

use audit_log::model::rights::{Role, Scope};
use axum::http::Method;
use serde_json::json;

use crate::support::TestApp;

/// Sends logs in, and gives the `Cookie` header of a member.
async fn filled(app: &TestApp, logs: &serde_json::Value) -> (String, String) {
    let (project, cookie) = app.signed_in(Role::Member).await;
    let key = app.add_key(&project, &[Scope::LogsWrite]).await;
    let sent = app.call(Method::POST, "/v1/logs", &key).json(logs).send().await.unwrap();
    assert_eq!(sent.status(), 201, "{:?}", sent.text().await);
    (format!("/projects/{}/logs", project.id), cookie)
}

/// What a page shows: its own part, without the data that wakes it.
async fn page(app: &TestApp, cookie: &str, path: &str) -> (u16, String) {
    let answer = app.get_as(cookie, path).await;
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (status, own_part(&text))
}

fn own_part(page: &str) -> String {
    let main = page.split_once("<main").and_then(|(_, rest)| rest.split_once("</main>"));
    main.map_or_else(String::new, |(main, _)| main.to_owned())
}

fn logs() -> serde_json::Value {
    let now = audit_log::server::clock::Clock::System.now_ms();
    let time = |minutes: i64| audit_log::model::zone::rfc3339(now - minutes * 60_000);
    json!([
        {"id": "newest", "created_at": time(1), "method": "GET", "url": "/v1/a", "status_code": 500},
        {"id": "middle", "created_at": time(2), "method": "POST", "url": "https://api.example.com/v1/b?x=1&token=hidden-1", "status_code": 404,
         "request_id": "req-7", "user_email": "grace@example.com", "resource": {"type": "voucher", "id": "v_1"},
         "request": {"headers": {"authorization": "Bearer hidden-2"}, "body": {"name": "<b>Tea</b>", "password": "hidden-3"}},
         "response": {"headers": {"content-type": "text/csv"}, "body": "day,orders\n2026-01-01,17\n"}},
        {"id": "success", "created_at": time(3), "method": "GET", "url": "/v1/c", "status_code": 200},
        {"id": "oldest", "created_at": time(4), "method": "GET", "url": "/v1/d", "status_code": 503}
    ])
}

for_each_db! {
    async fn a_page_shows_its_log_without_its_secrets(app: TestApp) {
        let (logs_path, cookie) = filled(app, &logs()).await;
        let answer = app.get_as(&cookie, &format!("{logs_path}/middle")).await;
        let whole = answer.text().await.unwrap();
        assert!(!whole.contains("hidden-"), "no secret, neither shown nor in the data");
        let (status, page) = page(app, &cookie, &format!("{logs_path}/middle")).await;
        assert_eq!(status, 200);
        for shown in ["404", "grace@example.com", "req-7", "voucher:v_1", "2026-01-01", "&lt;b&gt;Tea&lt;/b&gt;", ">masked<", "Copy as cURL"] {
            assert!(page.contains(shown), "{shown}: {page}");
        }
        assert!(!page.contains("<b>Tea"), "a body is never markup");
        assert!(!page.contains(" style="), "the policy allows no style attribute");
    }

    async fn neighbours_are_those_of_the_list(app: TestApp) {
        let (logs_path, cookie) = filled(app, &logs()).await;
        let (_, plain) = page(app, &cookie, &format!("{logs_path}/middle")).await;
        assert!(plain.contains(&format!("{logs_path}/newest\"")) && plain.contains(&format!("{logs_path}/success\"")), "{plain}");
        let (_, failures) = page(app, &cookie, &format!("{logs_path}/middle?status=FAILURE")).await;
        assert!(failures.contains(&format!("{logs_path}/oldest?status=FAILURE")), "{failures}");
        assert!(!failures.contains("/success"), "a success is no neighbour among failures");
        let (status, odd) = page(app, &cookie, &format!("{logs_path}/middle?limit=nonsense")).await;
        assert_eq!(status, 200, "what makes no sense to the list costs the page nothing: {odd}");
    }

    async fn a_missing_log_and_another_projects_are_not_found(app: TestApp) {
        let (logs_path, cookie) = filled(app, &logs()).await;
        let (status, text) = page(app, &cookie, &format!("{logs_path}/nothing")).await;
        assert_eq!(status, 404);
        assert!(text.contains("There is no such log"), "{text}");
        let other = app.add_project("other").await;
        let (status, _) = page(app, &cookie, &format!("/projects/{}/logs/middle", other.id)).await;
        assert_eq!(status, 404);
        let (status, list) = page(app, &cookie, &format!("/projects/{}/logs", other.id)).await;
        assert_eq!(status, 404);
        assert!(!list.contains("/v1/a"), "{list}");
    }
}

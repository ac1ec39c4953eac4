//! The Logs tab as the server renders it, before any script: what a page says, and where its links lead.

use audit_log::model::rights::{Role, Scope};
use axum::http::Method;
use serde_json::{Value, json};

use crate::support::TestApp;

/// A member's page of logs, one call a log so that each is a block of its own: its path, and the `Cookie` header.
async fn filled(app: &TestApp, logs: impl IntoIterator<Item = Value>) -> (String, String) {
    let (project, cookie) = app.signed_in(Role::Member).await;
    let key = app.add_key(&project, &[Scope::LogsWrite]).await;
    for log in logs {
        let sent = app.call(Method::POST, "/v1/logs", &key).json(&log).send().await.unwrap();
        assert_eq!(sent.status(), 201, "{:?}", sent.text().await);
    }
    (format!("/projects/{}/logs", project.id), cookie)
}

/// A page's text up to its scripts, with the status.
async fn page(app: &TestApp, cookie: &str, path: &str) -> (u16, String) {
    let answer = app.get_as(cookie, path).await;
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    let body = text.split_once("<body").map_or("", |(_, body)| body);
    (status, body.split("<script").next().unwrap().replace("<!>", ""))
}

/// What stands between two texts, the first time.
fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    text.split_once(start)?.1.split_once(end).map(|(found, _)| found)
}

fn one_a_minute(count: i64) -> Vec<Value> {
    let now = audit_log::server::clock::Clock::System.now_ms();
    let time = |minutes: i64| audit_log::model::zone::rfc3339(now - minutes * 60_000);
    let log = |minute: i64| json!({"id": format!("log-{minute}"), "created_at": time(minute), "method": "GET", "url": "/v1/needle", "status_code": 200});
    (1..=count).map(log).collect()
}

for_each_db! {
    async fn tabs_keep_the_zone(app: TestApp) {
        let (path, cookie) = filled(app, []).await;
        let project = path.trim_end_matches("/logs");
        for (cookie, query, tabs) in [
            (cookie.clone(), "", ""),
            (cookie.clone(), "?tz=Asia%2FTokyo", "?tz=Asia%2FTokyo"),
            // A choice that only a cookie knows is put into the address on the way.
            (format!("{cookie}; zone=Europe%2FBerlin"), "", "?tz=Europe%2FBerlin"),
            (format!("{cookie}; zone=Europe%2FBerlin"), "?tz=utc", "?tz=utc"),
        ] {
            for from in ["logs", "tasks"] {
                let (status, page) = page(app, &cookie, &format!("{project}/{from}{query}")).await;
                assert_eq!(status, 200);
                for tab in ["logs", "tasks", "exports", "sendouts"] {
                    assert!(page.contains(&format!("href=\"{project}/{tab}{tabs}\"")), "{tab} {query}: {}", between(&page, "<nav", "</nav>").unwrap());
                }
            }
        }
    }

    async fn a_range_typed_in_without_scripts_names_its_zone(app: TestApp) {
        let (path, cookie) = filled(app, []).await;
        let in_berlin = format!("{cookie}; zone=Europe%2FBerlin");
        for path in [path.clone(), path.replace("/logs", "/tasks")] {
            let (_, page) = page(app, &in_berlin, &path).await;
            assert_eq!(between(&page, "<noscript><input type=\"hidden\" name=\"tz\" value=\"", "\""), Some("Europe/Berlin"), "{page}");
        }
        let (_, page) = page(app, &in_berlin, &format!("{path}?tz=utc")).await;
        assert!(!page.contains("<noscript><input"), "the form has it already");
        assert!(page.contains("name=\"tz\" value=\"utc\""));
    }

    async fn another_projects_page_has_no_filters(app: TestApp) {
        let (path, cookie) = filled(app, one_a_minute(1)).await;
        let other = app.add_project("other").await;
        for tab in ["logs", "tasks", "exports", "sendouts"] {
            let (status, there) = page(app, &cookie, &format!("/projects/{}/{tab}?status=FAILURE", other.id)).await;
            assert_eq!(status, 404);
            assert!(there.contains("There is no such page") && !there.contains("id=\"filters\"") && !there.contains("Filters that are set"), "{tab}: {there}");
            let (status, mine) = page(app, &cookie, &path.replace("logs", tab)).await;
            assert_eq!(status, 200);
            assert!(mine.contains("id=\"filters\""), "{tab}: {mine}");
        }
    }
}

mod with_no_time_to_search {
    use super::*;

    for_each_db! {
        with |config: &mut audit_log::server::config::Config| config.search_ms = 0;

        async fn a_search_says_how_far_it_got_and_goes_on(app: TestApp) {
            let (path, cookie) = filled(app, one_a_minute(30)).await;
            for (order, words, first, last) in [("-created_at", "Searched back to ", "log-1\"", "log-30\""), ("created_at", "Searched up to ", "log-30\"", "log-1\"")] {
                let (mut query, mut turns, mut seen) = (format!("?q=needle&order={order}"), 0, String::new());
                loop {
                    let (status, page) = page(app, &cookie, &format!("{path}{query}")).await;
                    assert_eq!(status, 200);
                    assert!(turns > 0 || !page.contains(last), "the first look does not get that far");
                    seen.push_str(between(&page, "<tbody", "</tbody>").unwrap_or_default());
                    let Some(searched) = between(&page, "class=\"searched\">", "</p>") else { break };
                    assert!(searched.starts_with(words), "{order}: {searched}");
                    query = between(searched, "href=\"", "\"").unwrap().replace("&amp;", "&");
                    turns += 1;
                    assert!(turns < 100, "{query}");
                }
                assert!(turns > 2, "{order}: {turns}");
                for id in 1..=30 {
                    assert_eq!(seen.matches(&format!("title=\"log-{id}\"")).count(), 1, "{order}: each log once: {id}");
                }
                assert!(seen.find(first) < seen.find(last), "{order}");
            }
        }
    }
}

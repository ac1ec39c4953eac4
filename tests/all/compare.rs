//! Two logs beside each other, as the page comes: found by id or by what one is to the other, without what whoever asks may not see, and on the record.

use audit_log::model::rights::{Role, Scope};
use audit_log::model::zone::rfc3339;
use audit_log::server::access::REMEMBERED_MS;
use audit_log::server::store::accounts;
use reqwest::Method;
use serde_json::{Value, json};

use crate::recording::own;
use crate::support::TestApp;

/// A log of one endpoint; `minutes` ago.
fn log(app: &TestApp, id: &str, minutes: i64, code: u16, more: Value) -> Value {
    let at = rfc3339(app.server.clock.now_ms() - minutes * 60_000);
    let mut log = json!({"id": id, "created_at": at, "method": "POST", "url": "https://api.example.com/v1/vouchers/redemption?dry=1", "status_code": code});
    log.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    log
}

/// The project's logs and its member's cookie; the key reads all.
async fn filled(app: &TestApp) -> (String, String, audit_log::server::access::issue::IssuedKey) {
    let (project, cookie) = app.signed_in(Role::Member).await;
    let key = app.add_key(&project, &Scope::ALL).await;
    let logs = json!([
        log(
            app,
            "old-success",
            50,
            200,
            json!({"request": {"headers": {"X-Kept": "1", "X-Version": "1"}, "body": {"code": "A-1", "amount": 100}}, "response": {"body": {"ok": true}}})
        ),
        log(
            app,
            "success",
            40,
            200,
            json!({"user_email": "ada@example.com", "request": {"headers": {"X-Kept": "1", "X-Version": "2", "Authorization": "Bearer hidden-1"}, "body": {"amount": 100, "code": "A-1", "items": [1, 2, 3]}}, "response": {"body": {"ok": true}}})
        ),
        log(app, "elsewhere", 35, 200, json!({"url": "https://api.example.com/v1/other"})),
        log(
            app,
            "failure",
            30,
            404,
            json!({"user_email": "grace@example.com", "request": {"headers": {"x-kept": "1", "X-Version": "3", "Authorization": "Bearer hidden-2"}, "body": {"code": "A-1", "items": [1, 3, 4], "amount": 250, "note": "<b>bold</b>"}}, "response": {"headers": {"content-type": "text/plain"}, "body": "no such voucher\nat all"}})
        ),
        log(app, "later", 20, 503, json!({})),
        log(app, "compare", 10, 200, json!({"url": "https://api.example.com/v1/odd"})),
    ]);
    let sent = app.call(Method::POST, "/v1/logs", &key).json(&logs).send().await.unwrap();
    assert_eq!(sent.status(), 201, "{:?}", sent.text().await);
    (format!("/projects/{}/logs", project.id), cookie, key)
}

/// What a page shows: its own part, without the data that wakes it.
async fn page(app: &TestApp, cookie: &str, path: &str) -> (u16, String) {
    let answer = app.get_as(cookie, path).await;
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap().replace("<!>", "");
    let main = text.split_once("<main").and_then(|(_, rest)| rest.split_once("</main>"));
    (status, main.map_or_else(String::new, |(main, _)| main.to_owned()))
}

/// The rows of a page that differ: their signs and what both sides say.
fn differing(page: &str) -> Vec<String> {
    let rows = page
        .split("<div class=\"compare-row ")
        .skip(1)
        .filter(|row| !row.starts_with("same"));
    let bare = |row: &str| {
        let mut text = String::new();
        let mut inside = true;
        for letter in row.split("</div>").next().unwrap().chars() {
            match letter {
                '<' => inside = true,
                '>' => inside = false,
                letter if !inside => text.push(letter),
                _ => {}
            }
        }
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    rows.map(bare).collect()
}

for_each_db! {
    async fn two_logs_are_compared_by_structure(app: TestApp) {
        let (logs, cookie, _) = filled(app).await;
        let (status, shown) = page(app, &cookie, &format!("{logs}/compare?a=success&b=failure&tz=utc&status=FAILURE")).await;
        assert_eq!(status, 200);
        let rows = differing(&shown);
        let has = |words: &str| assert!(rows.iter().any(|row| row.contains(words)), "{words}: {rows:#?}");
        for words in [
            "differs: StatusSuccessFailure", "differs: Code200404", "Userada@example.comgrace@example.com", "differs: X-Version23",
            "\"amount\": 100 \"amount\": 250", "only in the second: \"note\": &quot;&lt;b&gt;bold&lt;/b&gt;&quot;", "only in the first: 2", "only in the second: 4",
        ] {
            has(&words.replace('"', "&quot;"));
        }
        for same in ["X-Kept", "code", "dry", "Authorization"] {
            assert!(!rows.iter().any(|row| row.contains(same)), "{same} is in both: {rows:#?}");
        }
        assert!(shown.contains("Masked values stay masked") && !shown.contains("hidden-"), "{shown}");
        assert!(!shown.contains("<b>bold") && !shown.contains(" style="), "{shown}");
        assert!(shown.contains(&format!("href=\"{logs}/success?status=FAILURE&amp;tz=utc\"")) && shown.contains("?a=failure&amp;b=success&amp;status=FAILURE&amp;tz=utc"), "the list is kept: {shown}");
        let folds = shown.matches("<details class=\"compare-fold\">").count();
        let (_, all) = page(app, &cookie, &format!("{logs}/compare?a=success&b=failure&show=all")).await;
        assert_eq!(all.matches("<details class=\"compare-fold\" open>").count(), folds, "{all}");

        let (_, same) = page(app, &cookie, &format!("{logs}/compare?a=success&b=success")).await;
        assert!(same.contains("Nothing differs") && differing(&same).is_empty(), "{same}");
    }

    async fn another_log_is_found_by_what_it_is_to_this_one(app: TestApp) {
        let (logs, cookie, _) = filled(app).await;
        let led = async |query: &str| {
            let answer = app.get_as(&cookie, &format!("{logs}/compare?{query}")).await;
            let location = answer.headers().get("location").map(|value| value.to_str().unwrap().to_owned());
            (answer.status().as_u16(), location)
        };
        for (with, pair) in [
            ("success", "a=success&b=failure"), ("before", "a=success&b=failure"), ("after", "a=failure&b=later"),
        ] {
            assert_eq!(led(&format!("b=failure&with={with}&status=FAILURE")).await, (303, Some(format!("{logs}/compare?{pair}&status=FAILURE"))), "{with}");
        }
        assert_eq!(led("b=later&with=failure").await.1, Some(format!("{logs}/compare?a=failure&b=later")));
        assert_eq!(led("b=success&with=success").await.1, Some(format!("{logs}/compare?a=old-success&b=success")));
        for (query, expected) in [("b=failure&with=failure", 409), ("b=later&with=after", 409), ("b=old-success&with=before", 409), ("b=failure", 400), ("b=failure&with=nothing", 400), ("a=x&b=failure&with=success", 400)] {
            assert_eq!(led(query).await, (expected, None), "{query}");
        }
        for query in ["a=success&b=nothing", "a=%00&b=failure", "a=&b=failure&with=", "b=nothing&with=success", "a=success&b=%F0%9F"] {
            let (status, location) = led(query).await;
            assert!(matches!(status, 400 | 404) && location.is_none(), "{query}: {status}");
        }
        let (_, told) = page(app, &cookie, &format!("{logs}/compare?b=failure&with=failure")).await;
        assert!(told.contains("no failure of the same endpoint"), "{told}");
        // A log that is called as the page is has its own page all the same.
        let (status, odd) = page(app, &cookie, &format!("{logs}/compare")).await;
        assert!(status == 200 && odd.contains("/v1/odd") && odd.contains("Compare with…"), "{status}: {odd}");
    }

    async fn nothing_is_compared_that_may_not_be_seen(app: TestApp) {
        let (logs, cookie, _) = filled(app).await;
        let project = logs.split('/').nth(2).unwrap().to_owned();
        let key = audit_log::server::store::projects::find(app.db(), &project).await.unwrap().unwrap().key;
        accounts::set_rights(app.db(), key, Role::Member, false, false).await.unwrap();
        app.pass(REMEMBERED_MS);
        let (status, shown) = page(app, &cookie, &format!("{logs}/compare?a=success&b=failure")).await;
        assert_eq!(status, 200);
        assert!(shown.contains("read:bodies") && shown.contains("differs: "), "{shown}");
        for kept in ["X-Version", "amount", "grace@", "dry", "no such voucher"] {
            assert!(!shown.contains(kept), "{kept}: {shown}");
        }
        let api = app.get_as(&cookie, &format!("/api/compare_logs?project={project}&query=a%3Dsuccess%26b%3Dfailure")).await.text().await.unwrap();
        assert!(!api.contains("grace@") && !api.contains("amount"), "{api}");
        let other = app.add_project("other").await;
        let (status, _) = page(app, &cookie, &format!("/projects/{}/logs/compare?a=success&b=failure", other.id)).await;
        assert_eq!(status, 404);
    }

    async fn who_compares_is_on_the_record_of_both_logs(app: TestApp) {
        let (logs, cookie, key) = filled(app).await;
        page(app, &cookie, &format!("{logs}/compare?a=success&b=failure")).await;
        let project = logs.split('/').nth(2).unwrap();
        app.get_as(&cookie, &format!("/api/compare_logs?project={project}&query=a%3Dsuccess%26b%3Dfailure")).await;
        page(app, &cookie, &format!("{logs}/compare?a=success&b=success")).await;
        let recorded = own(app, &key, 6).await;
        let compared: Vec<&Value> = recorded.iter().filter(|log| log["endpoint"].as_str().unwrap().contains("compare")).collect();
        let about: Vec<&str> = compared.iter().map(|log| log["resource"]["id"].as_str().unwrap_or_default()).collect();
        let mut sorted = about.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, ["failure", "failure", "success", "success", "success"], "{recorded:#?}");
        for log in compared {
            assert_eq!((&log["user_email"], &log["resource"]["type"]), (&json!("member@example.com"), &json!("api_log")));
            assert!(log["notes"].as_array().unwrap().contains(&json!("not captured")), "what was shown lies here already: {log}");
        }
    }

    async fn large_and_odd_bodies_are_told_whole(app: TestApp) {
        let (project, cookie) = app.signed_in(Role::Member).await;
        let key = app.add_key(&project, &Scope::ALL).await;
        let large = |word: &str| format!("{{\"a\":\"{}{word}\"}}", "x".repeat(1 << 20));
        let send = async |id: &str, body: Value| {
            let log = log(app, id, 1, 200, json!({"response": {"headers": {"content-type": "application/json"}, "body": body}}));
            let sent = app.call(Method::POST, "/v1/logs", &key).json(&log).send().await.unwrap();
            assert_eq!(sent.status(), 201);
        };
        send("large-1", json!(large("1"))).await;
        send("large-2", json!(large("2"))).await;
        send("bytes", json!({"encoding": "base64", "data": "AAEC/w=="})).await;
        send("none", Value::Null).await;
        let logs = format!("/projects/{}/logs", project.id);
        let told = async |a: &str, b: &str| page(app, &cookie, &format!("{logs}/compare?a={a}&b={b}")).await.1;
        let shown = told("large-1", "large-2").await;
        assert!(shown.contains("too large to be compared row by row") && shown.len() < 40_000, "{}", shown.len());
        assert!(told("large-1", "large-1").await.contains("The same, byte by byte"));
        assert!(told("bytes", "large-1").await.contains("too large"));
        assert!(told("bytes", "none").await.contains("They differ"));
        assert!(told("none", "none").await.contains("Neither has a body"));
    }
}

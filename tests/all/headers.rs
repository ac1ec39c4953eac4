//! What every answer carries, whose pages may act, health and metrics.

use audit_log::model::rights::Role;
use reqwest::Method;
use serde_json::Value;

use crate::logs_api::READS_AND_WRITES;

for_each_db! {
    async fn every_answer_is_guarded(app: TestApp) {
        for path in ["/", "/sign-in", "/v1/logs", "/v1/nothing", "/nothing", "/health/live", "/metrics", "/assets/nothing.js"] {
            let answer = app.get(path).await;
            let headers = answer.headers();
            assert!(headers["x-request-id"].to_str().unwrap().starts_with("req_"), "{path}");
            for (name, value) in [
                ("x-content-type-options", "nosniff"),
                ("referrer-policy", "same-origin"),
                ("x-frame-options", "DENY"),
                ("cross-origin-opener-policy", "same-origin"),
                ("cross-origin-resource-policy", "same-origin"),
            ] {
                assert_eq!(headers[name], value, "{path}");
            }
            let policy = headers["content-security-policy"].to_str().unwrap();
            assert!(policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
            assert!(!policy.contains("unsafe-inline"), "{path}: {policy}");
            assert_eq!(headers.get_all("content-security-policy").iter().count(), 1, "{path}");
            assert!(!headers.contains_key("strict-transport-security"), "{path}");
        }
    }

    async fn each_request_has_an_id_of_its_own(app: TestApp) {
        let ask = || app.request(Method::GET, "/v1/logs").header("x-request-id", "theirs").send();
        let (first, second) = (ask().await.unwrap(), ask().await.unwrap());
        assert_ne!(first.headers()["x-request-id"], second.headers()["x-request-id"]);
        let id = first.headers()["x-request-id"].to_str().unwrap().to_owned();
        assert_eq!(first.json::<Value>().await.unwrap()["request_id"], id);
    }

    async fn another_sites_page_cannot_act(app: TestApp) {
        let (_, cookie) = app.signed_in(Role::Owner).await;
        let post = |headers: &[(&str, &str)]| {
            let mut request = app.client.post(format!("{}/sign-out", app.url)).header("cookie", &cookie);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            request.send()
        };
        for headers in [
            &[("origin", "https://evil.example")][..],
            &[("origin", "null")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site"), ("origin", &app.url)],
        ] {
            let answer = post(headers).await.unwrap();
            assert_eq!(answer.status(), 403, "{headers:?}");
            assert_eq!(answer.json::<Value>().await.unwrap()["key"], "forbidden");
        }
        assert_eq!(app.get_as(&cookie, "/account").await.status(), 200, "still signed in");
        assert_eq!(post(&[("origin", &app.url)]).await.unwrap().status(), 303);
    }

    async fn a_form_has_its_size(app: TestApp) {
        let large = app.request(Method::POST, "/sign-in").header("content-type", "application/x-www-form-urlencoded").body("a".repeat(2 << 20));
        assert_eq!(large.send().await.unwrap().status(), 413);
    }

    async fn health_says_what_is_wrong(app: TestApp) {
        assert_eq!(app.get("/health/live").await.status(), 200);
        assert_eq!(app.get("/health/ready").await.status(), 200);
        app.server.writer.stop().await;
        let answer = app.get("/health/ready").await;
        assert_eq!(answer.status(), 503);
        assert!(answer.headers().contains_key("retry-after"));
        assert!(answer.json::<Value>().await.unwrap()["details"].as_str().unwrap().contains("writer"));
        app.server.db.close().await;
        assert_eq!(app.get("/health/live").await.status(), 200);
        assert_eq!(app.get("/health/ready").await.status(), 503);
    }

    async fn a_database_out_of_reach_is_said_without_its_words(app: TestApp) {
        let key = app.add_key(&app.add_project("shop").await, &READS_AND_WRITES).await;
        app.server.db.close().await;
        let answer = app.call(Method::GET, "/v1/logs", &key).send().await.unwrap();
        assert_eq!(answer.status(), 503);
        assert!(answer.headers().contains_key("retry-after"));
        assert_eq!(answer.json::<Value>().await.unwrap()["details"], "The database cannot be reached right now");
    }

    async fn metrics_are_for_this_machine(app: TestApp) {
        let key = app.add_key(&app.add_project("shop").await, &READS_AND_WRITES).await;
        app.call(Method::POST, "/v1/logs", &key).json(&crate::logs_api::sent("a", 200)).send().await.unwrap();
        let text = app.get("/metrics").await.text().await.unwrap();
        assert!(text.contains("http_requests_total{route=\"/v1/logs\",method=\"POST\",status=\"201\"}"), "{text}");
        assert!(text.contains("ingest_logs_accepted_total") && text.contains("http_request_duration_seconds_bucket"), "{text}");
        let proxied = app.request(Method::GET, "/metrics").header("x-forwarded-for", "203.0.113.7").send().await.unwrap();
        assert_eq!(proxied.status(), 403);
    }
}

for_each_db! {
    with |config: &mut audit_log::server::config::Config| {
        config.public_url = Some("https://audit.example.com".to_owned());
        config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    };

    async fn behind_https_browsers_are_held_to_it(app: TestApp) {
        let answer = app.get("/sign-in").await;
        assert_eq!(answer.headers()["strict-transport-security"], "max-age=31536000");
        let post = app.client.post(format!("{}/sign-out", app.url)).header("origin", "https://audit.example.com").send().await.unwrap();
        assert_eq!(post.status(), 303);
    }

    async fn what_leaves_the_machine_is_compressed(app: TestApp) {
        let key = app.add_key(&app.add_project("shop").await, &READS_AND_WRITES).await;
        let logs: Vec<Value> = (0..20).map(|nth| crate::logs_api::sent(&format!("l{nth}"), 200)).collect();
        app.call(Method::POST, "/v1/logs", &key).json(&logs).send().await.unwrap();
        let ask = |path: &str| app.call(Method::GET, path, &key).header("accept-encoding", "gzip");
        let near = ask("/v1/logs").send().await.unwrap();
        assert!(!near.headers().contains_key("content-encoding"));
        let far = ask("/v1/logs").header("x-forwarded-for", "203.0.113.7").send().await.unwrap();
        assert_eq!(far.headers()["content-encoding"], "gzip");
        let small = ask("/v1/logs?id=none").header("x-forwarded-for", "203.0.113.7").send().await.unwrap();
        assert!(!small.headers().contains_key("content-encoding"));
    }
}

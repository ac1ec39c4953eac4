//! Signing in, staying in, and getting out.

use audit_log::model::rights::Role;
use audit_log::server::access::{DEMO_EMAIL, DEMO_PASSWORD};
use reqwest::{Method, Response};

use crate::support::cookie_of;

const PASSWORD: &str = "correct horse";

fn location(answer: &Response) -> &str {
    answer.headers().get("location").map_or("", |value| value.to_str().unwrap())
}

for_each_db! {
    async fn a_person_signs_in_by_the_form_and_lands_where_they_wanted(app: TestApp) {
        app.add_person("Ada@Example.com", PASSWORD, None).await;
        let form = [("email", " ada@example.COM "), ("password", PASSWORD), ("next", "/projects/prj_1/logs?status=FAILURE")];
        let answer = app.post_form("/sign-in", &form).send().await.unwrap();
        assert_eq!(answer.status(), 303);
        assert_eq!(location(&answer), "/projects/prj_1/logs?status=FAILURE");
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        assert!(cookie.starts_with("audit_log_session="), "{cookie}");
        for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age="] {
            assert!(cookie.contains(part), "{part} in {cookie}");
        }
        assert!(!cookie.contains("Secure"), "not without https: {cookie}");
    }

    async fn a_wrong_password_and_an_unknown_person_are_told_the_same(app: TestApp) {
        app.add_person("ada@example.com", PASSWORD, None).await;
        for (email, password) in [("ada@example.com", "wrong horse"), ("eve@example.com", PASSWORD), ("", ""), ("ada@example.com", "")] {
            let form = [("email", email), ("password", password), ("next", "/projects/prj_1/logs?a=b&c=d")];
            let answer = app.post_form("/sign-in", &form).send().await.unwrap();
            assert_eq!(answer.status(), 303, "{email}");
            assert_eq!(location(&answer), "/sign-in?error=wrong&next=%2Fprojects%2Fprj%5F1%2Flogs%3Fa%3Db%26c%3Dd");
            assert_eq!(cookie_of(&answer), None);
        }
    }

    async fn no_redirect_leads_away(app: TestApp) {
        app.add_person("ada@example.com", PASSWORD, None).await;
        for next in ["https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example", "javascript:alert(1)"] {
            let form = [("email", "ada@example.com"), ("password", PASSWORD), ("next", next)];
            let right = app.post_form("/sign-in", &form).send().await.unwrap();
            assert_eq!(location(&right), "/", "{next:?}");
            let form = [("email", "ada@example.com"), ("password", "wrong horse"), ("next", next)];
            let wrong = app.post_form("/sign-in", &form).send().await.unwrap();
            assert_eq!(location(&wrong), "/sign-in?error=wrong&next=%2F", "{next:?}");
        }
    }

    async fn the_start_leads_to_the_last_used_project(app: TestApp) {
        assert_eq!(location(&app.get("/").await), "/sign-in");
        let (first, cookie) = app.signed_in(Role::Member).await;
        let second = app.add_project("second").await;
        let user = audit_log::server::store::accounts::find_by_email(app.db(), "member@example.com").await.unwrap().unwrap();
        assert_eq!(location(&app.get_as(&cookie, "/").await), format!("/projects/{}/logs", first.id));
        audit_log::server::store::accounts::set_last_project(app.db(), user.key, second.key).await.unwrap();
        assert_eq!(location(&app.get_as(&cookie, "/").await), format!("/projects/{}/logs", first.id), "the second is not theirs");
        audit_log::server::store::accounts::set_member(app.db(), second.key, user.key, Role::Auditor, 0).await.unwrap();
        assert_eq!(location(&app.get_as(&cookie, "/").await), format!("/projects/{}/logs", second.id));
    }

    async fn whoever_belongs_to_no_project_is_told_so(app: TestApp) {
        app.add_person("ada@example.com", PASSWORD, None).await;
        let cookie = app.sign_in("ada@example.com", PASSWORD).await;
        assert_eq!(location(&app.get_as(&cookie, "/").await), "/account");
        let account = app.get_as(&cookie, "/account").await;
        assert!(account.text().await.unwrap().contains("belong to no project"));
    }

    async fn signing_out_ends_the_session_itself(app: TestApp) {
        let (_, cookie) = app.signed_in(Role::Member).await;
        assert!(location(&app.get_as(&cookie, "/").await).starts_with("/projects/"));
        let answer = app.post_form("/sign-out", &[]).header("cookie", &cookie).send().await.unwrap();
        assert_eq!(answer.status(), 303);
        assert_eq!(location(&answer), "/sign-in");
        assert!(answer.headers()["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
        assert_eq!(location(&app.get_as(&cookie, "/").await), "/sign-in", "the old cookie opens nothing");
    }

    async fn a_session_cookie_that_was_edited_opens_nothing(app: TestApp) {
        let (_, cookie) = app.signed_in(Role::Member).await;
        let token = cookie.split_once('=').unwrap().1;
        let swapped = if token.starts_with('A') { "B" } else { "A" };
        for edited in [format!("{swapped}{}", &token[1..]), token[..token.len() - 1].to_owned(), format!("{token}x"), String::new()] {
            let answer = app.get_as(&format!("audit_log_session={edited}"), "/").await;
            assert_eq!(location(&answer), "/sign-in", "{edited:?}");
        }
    }

    async fn a_session_lasts_while_it_is_used(app: TestApp) {
        const DAY: i64 = 86_400_000;
        let (_, cookie) = app.signed_in(Role::Member).await;
        for _ in 0..3 {
            app.pass(20 * DAY);
            assert!(location(&app.get_as(&cookie, "/").await).starts_with("/projects/"));
            // That it is used is written down beside the request.
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        }
        app.pass(31 * DAY);
        assert_eq!(location(&app.get_as(&cookie, "/").await), "/sign-in");
    }

    async fn guessing_is_slowed_down_for_that_person_alone(app: TestApp) {
        app.add_person("ada@example.com", PASSWORD, None).await;
        app.add_person("bob@example.com", PASSWORD, None).await;
        for _ in 0..10 {
            let form = [("email", "ada@example.com"), ("password", "wrong horse")];
            assert_eq!(app.post_form("/sign-in", &form).send().await.unwrap().status(), 303);
        }
        let right = [("email", "ada@example.com"), ("password", PASSWORD)];
        let answer = app.post_form("/sign-in", &right).send().await.unwrap();
        assert_eq!(answer.status(), 429, "even with the right password");
        let wait: i64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=900).contains(&wait), "{wait}");
        assert!(answer.text().await.unwrap().contains("Too many sign-ins failed"));
        app.sign_in("bob@example.com", PASSWORD).await;
        app.pass(wait * 1_000);
        app.sign_in("ada@example.com", PASSWORD).await;
    }

    async fn a_form_that_is_none_is_refused(app: TestApp) {
        let post = |body: String| {
            app.request(Method::POST, "/sign-in").header("content-type", "application/x-www-form-urlencoded").body(body).send()
        };
        assert_eq!(post("email=ada".to_owned()).await.unwrap().status(), 422);
        assert_eq!(post(format!("email=a&password={}", "x".repeat(20_000))).await.unwrap().status(), 413);
        let json = app.request(Method::POST, "/sign-in").header("content-type", "application/json").body("{}").send().await.unwrap();
        assert_eq!(json.status(), 415);
    }

    async fn without_demo_its_person_stays_outside(app: TestApp) {
        app.add_person(DEMO_EMAIL, DEMO_PASSWORD, None).await;
        assert_eq!(app.post_form("/sign-in/demo", &[]).send().await.unwrap().status(), 403);
        let form = [("email", DEMO_EMAIL), ("password", DEMO_PASSWORD)];
        assert_eq!(app.post_form("/sign-in", &form).send().await.unwrap().status(), 403);
    }
}

for_each_db! {
    with |config| config.demo = true;

    async fn the_demo_lets_in_from_this_machine_alone(app: TestApp) {
        app.add_person(DEMO_EMAIL, DEMO_PASSWORD, None).await;
        let form = [("email", DEMO_EMAIL), ("password", DEMO_PASSWORD), ("next", "/account")];
        for path in ["/sign-in", "/sign-in/demo"] {
            let here = app.post_form(path, &form).send().await.unwrap();
            assert_eq!((here.status().as_u16(), location(&here)), (303, "/account"), "{path}");
            assert!(cookie_of(&here).is_some());
            let proxied = app.post_form(path, &form).header("x-forwarded-for", "198.51.100.7").send().await.unwrap();
            assert_eq!(proxied.status(), 403, "{path}");
            assert_eq!(cookie_of(&proxied), None);
        }
        let bare = app.request(Method::POST, "/sign-in/demo").send().await.unwrap();
        assert_eq!((bare.status().as_u16(), location(&bare)), (303, "/"), "a button without fields");
    }
}

for_each_db! {
    with |config| config.public_url = Some("https://audit.example.com".to_owned());

    async fn with_https_the_cookie_never_leaves_it(app: TestApp) {
        app.add_person("ada@example.com", PASSWORD, None).await;
        let form = [("email", "ada@example.com"), ("password", PASSWORD)];
        let request = app.client.post(format!("{}/sign-in", app.url)).header("origin", "https://audit.example.com");
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let answer = request.header("content-type", "application/x-www-form-urlencoded").body(body).send().await.unwrap();
        assert_eq!(answer.status(), 303);
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        assert!(cookie.starts_with("__Host-audit_log_session=") && cookie.contains("Secure"), "{cookie}");
    }
}

//! One's own account: the password, where one is signed in, and out of everywhere.

use audit_log::model::rights::Role;
use reqwest::Response;

use crate::support::TestApp;

const PASSWORD: &str = "correct horse";

fn location(answer: &Response) -> &str {
    answer.headers().get("location").map_or("", |value| value.to_str().unwrap())
}

async fn change(app: &TestApp, cookie: &str, current: &str, new: &str) -> Response {
    let form = [("current_password", current), ("new_password", new)];
    app.post_form("/account/password", &form)
        .header("cookie", cookie)
        .send()
        .await
        .unwrap()
}

/// Whether a cookie still lets in.
async fn lets_in(app: &TestApp, cookie: &str) -> bool {
    app.get_as(cookie, "/account").await.status() == 200
}

/// The names of the sessions that can be ended, as the page has them.
async fn others(app: &TestApp, cookie: &str) -> Vec<String> {
    let text = app.get_as(cookie, "/account").await.text().await.unwrap();
    let parts = text.split("name=\"session\" value=\"").skip(1);
    parts.map(|part| part.split('"').next().unwrap().to_owned()).collect()
}

for_each_db! {
    async fn a_changed_password_ends_every_other_sign_in(app: TestApp) {
        let (_, cookie) = app.signed_in(Role::Member).await;
        let elsewhere = app.sign_in("member@example.com", PASSWORD).await;
        let changed = change(app, &cookie, PASSWORD, "another horse").await;
        assert_eq!((changed.status().as_u16(), location(&changed)), (303, "/account?done=password"));
        assert!(lets_in(app, &cookie).await);
        assert!(!lets_in(app, &elsewhere).await);
        app.sign_in("member@example.com", "another horse").await;
        let old = app.post_form("/sign-in", &[("email", "member@example.com"), ("password", PASSWORD)]).send().await.unwrap();
        assert!(location(&old).contains("error=wrong"));
        assert!(app.get_as(&cookie, "/account?done=password").await.text().await.unwrap().contains("Your password is changed"));
    }

    async fn a_password_is_not_changed_without_the_one_before_nor_to_one_that_is_none(app: TestApp) {
        let (_, cookie) = app.signed_in(Role::Member).await;
        let elsewhere = app.sign_in("member@example.com", PASSWORD).await;
        for (current, new, problem) in [
            ("wrong horse", "another horse", "wrong"),
            ("", "another horse", "wrong"),
            (PASSWORD, "short", "short"),
            (PASSWORD, &"x".repeat(1_025), "long"),
        ] {
            let answer = change(app, &cookie, current, new).await;
            assert_eq!(location(&answer), format!("/account?problem={problem}"));
            assert!(app.get_as(&cookie, location(&answer)).await.text().await.unwrap().contains("role=\"alert\""));
        }
        assert!(lets_in(app, &elsewhere).await, "nothing was changed");
        app.sign_in("member@example.com", PASSWORD).await;
        assert_eq!(location(&change(app, "", PASSWORD, "another horse").await), "/sign-in");
    }

    async fn guesses_at_the_current_password_are_slowed_as_sign_ins_are(app: TestApp) {
        let (_, cookie) = app.signed_in(Role::Member).await;
        let mut last = String::new();
        for _ in 0..12 {
            last = location(&change(app, &cookie, "wrong horse", "another horse").await).to_owned();
        }
        assert_eq!(last, "/account?problem=slow");
        let right = change(app, &cookie, PASSWORD, "another horse").await;
        assert_eq!(location(&right), "/account?problem=slow", "the right one waits, too");
    }

    async fn a_sign_in_is_ended_from_elsewhere_and_only_one_s_own(app: TestApp) {
        let (_, cookie) = app.signed_in(Role::Member).await;
        let elsewhere = app.sign_in("member@example.com", PASSWORD).await;
        app.add_person("eve@example.com", PASSWORD, None).await;
        let eve = app.sign_in("eve@example.com", PASSWORD).await;
        let known = others(app, &cookie).await;
        assert_eq!(known.len(), 1, "this one, and another");
        let end = async |by: &str, session: &str| {
            app.post_form("/account/end-session", &[("session", session)]).header("cookie", by).send().await.unwrap()
        };
        assert_eq!(location(&end(&eve, &known[0]).await), "/account?problem=session", "it is not hers");
        assert!(lets_in(app, &elsewhere).await);
        assert_eq!(location(&end(&cookie, &known[0]).await), "/account?done=session");
        assert!(!lets_in(app, &elsewhere).await, "at once");
        assert!(lets_in(app, &cookie).await && lets_in(app, &eve).await);
        assert!(others(app, &cookie).await.is_empty());
    }

    async fn signing_out_everywhere_leaves_no_one_in(app: TestApp) {
        let (_, cookie) = app.signed_in(Role::Member).await;
        let elsewhere = app.sign_in("member@example.com", PASSWORD).await;
        app.add_person("eve@example.com", PASSWORD, None).await;
        let eve = app.sign_in("eve@example.com", PASSWORD).await;
        let answer = app.post_form("/account/sign-out-everywhere", &[]).header("cookie", &elsewhere).send().await.unwrap();
        assert_eq!(location(&answer), "/sign-in?done=everywhere");
        assert!(!lets_in(app, &cookie).await && !lets_in(app, &elsewhere).await);
        assert!(lets_in(app, &eve).await);
    }

    async fn another_site_s_page_changes_nothing(app: TestApp) {
        let (_, cookie) = app.signed_in(Role::Member).await;
        for path in ["/account/password", "/account/end-session", "/account/sign-out-everywhere", "/account/projects", "/invite"] {
            let answer = app.post_form(path, &[]).header("cookie", &cookie).header("sec-fetch-site", "cross-site").send().await.unwrap();
            assert_eq!(answer.status(), 403, "{path}");
        }
        assert!(lets_in(app, &cookie).await);
    }
}

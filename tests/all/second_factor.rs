//! The second factor: set up, asked for, taken once, and turned off.

use audit_log::model::rights::Role;
use data_encoding::BASE32_NOPAD;
use reqwest::Response;
use totp_rs::{Builder, Secret};

use crate::support::{TestApp, cookie_of};

const PASSWORD: &str = "correct horse";
const EMAIL: &str = "member@example.com";
const STEP_MS: i64 = 30_000;

fn location(answer: &Response) -> &str {
    answer.headers().get("location").map_or("", |value| value.to_str().unwrap())
}

async fn post(app: &TestApp, cookie: &str, path: &str, fields: &[(&str, &str)]) -> Response {
    app.post_form(path, fields).header("cookie", cookie).send().await.unwrap()
}

/// What the authenticator shows now.
fn code(app: &TestApp, secret: &str) -> String {
    let secret = BASE32_NOPAD.decode(secret.as_bytes()).unwrap();
    let totp = Builder::new()
        .with_secret(Secret::new(secret.into()))
        .with_account_name("x")
        .build()
        .unwrap();
    totp.generate(app.server.clock.now_ms() as u64 / 1_000).to_string()
}

/// Sets a second factor up: its secret, and its recovery codes.
async fn set_up(app: &TestApp, cookie: &str) -> (String, Vec<String>) {
    assert_eq!(
        location(&post(app, cookie, "/account/second-factor/begin", &[("current_password", PASSWORD)]).await),
        "/account#second-factor"
    );
    let page = app.get_as(cookie, "/account").await.text().await.unwrap();
    let inner = |class: &str, end: &str| {
        let (_, rest) = page.split_once(class).unwrap();
        let (_, rest) = rest.split_once('>').unwrap();
        rest.split(end).next().unwrap().to_owned()
    };
    let secret = inner("second-secret\"", "<");
    let recovery = inner("second-codes\"", "<").lines().map(str::to_owned).collect();
    assert!(page.contains("<svg"), "a picture");
    let confirmed = post(
        app,
        cookie,
        "/account/second-factor/confirm",
        &[("code", &code(app, &secret))],
    )
    .await;
    assert_eq!(location(&confirmed), "/account?done=second");
    (secret, recovery)
}

/// Signs in by password; the cookie with which the code is to be given.
async fn half_way(app: &TestApp) -> String {
    let form = [("email", EMAIL), ("password", PASSWORD), ("next", "/account")];
    let answer = app.post_form("/sign-in", &form).send().await.unwrap();
    assert_eq!(location(&answer), "/sign-in/code?next=%2Faccount");
    let cookie = cookie_of(&answer).unwrap();
    assert!(cookie.starts_with("audit_log_second="), "{cookie}");
    cookie
}

async fn give(app: &TestApp, ticket: &str, code: &str) -> Response {
    post(app, ticket, "/sign-in/code", &[("code", code), ("next", "/account")]).await
}

/// The session of an answer that let in.
fn session(answer: &Response) -> Option<String> {
    let all = answer
        .headers()
        .get_all("set-cookie")
        .iter()
        .map(|value| value.to_str().unwrap());
    let own = all.filter(|cookie| cookie.starts_with("audit_log_session=") && !cookie.starts_with("audit_log_session=;"));
    own.map(|cookie| cookie.split(';').next().unwrap().to_owned()).next()
}

for_each_db! {
    async fn whoever_has_one_is_asked_for_a_code_and_each_is_taken_once(app: TestApp) {
        let (_, cookie) = app.signed_in(Role::Member).await;
        let (secret, _) = set_up(app, &cookie).await;
        let page = app.get_as(&cookie, "/account").await.text().await.unwrap();
        assert!(page.contains("10 recovery codes left") && !page.contains(&secret), "{page}");
        let ticket = half_way(app).await;
        assert_eq!(app.get_as(&ticket, "/account").await.status(), 303, "a password alone lets nobody in");
        assert!(app.get_as(&ticket, "/sign-in/code").await.text().await.unwrap().contains("Code of your authenticator"));
        let used = give(app, &ticket, &code(app, &secret)).await;
        assert_eq!(location(&used), "/sign-in/code?error=wrong&next=%2Faccount", "that code has turned it on");
        app.pass(STEP_MS);
        let now = code(app, &secret);
        let entered = give(app, &ticket, &format!("{} {}", &now[..3], &now[3..])).await;
        assert_eq!(location(&entered), "/account", "{entered:?}");
        assert_eq!(app.get_as(&session(&entered).unwrap(), "/account").await.status(), 200);
        assert!(session(&give(app, &ticket, &now).await).is_none(), "a code is taken once");
        app.pass(3 * STEP_MS);
        assert!(session(&give(app, &ticket, &now).await).is_none(), "and is gone with its time");
    }

    async fn a_recovery_code_lets_in_once(app: TestApp) {
        let (_, cookie) = app.signed_in(Role::Member).await;
        let (_, recovery) = set_up(app, &cookie).await;
        assert_eq!(recovery.len(), 10);
        let ticket = half_way(app).await;
        assert!(session(&give(app, &ticket, &recovery[3].to_uppercase().replace('-', " ")).await).is_some(), "{}", recovery[3]);
        assert!(session(&give(app, &ticket, &recovery[3]).await).is_none());
        assert!(app.get_as(&cookie, "/account").await.text().await.unwrap().contains("9 recovery codes left"));
        if app.database_url.starts_with("sqlite") {
            for file in ["audit-log.db", "audit-log.db-wal"] {
                let bytes = std::fs::read(app.folder().join(file)).unwrap_or_default();
                assert!(memchr::memmem::find(&bytes, recovery[0].as_bytes()).is_none(), "only hashes are kept: {file}");
            }
        }
    }

    async fn wrong_codes_are_slowed_and_a_ticket_ends(app: TestApp) {
        let (_, cookie) = app.signed_in(Role::Member).await;
        let (secret, _) = set_up(app, &cookie).await;
        let ticket = half_way(app).await;
        for _ in 0..10 {
            assert!(location(&give(app, &ticket, "000000").await).contains("error=wrong"));
        }
        app.pass(STEP_MS);
        assert_eq!(give(app, &ticket, &code(app, &secret)).await.status(), 429, "the right one waits, too");
        app.pass(16 * 60_000);
        let late = give(app, &ticket, &code(app, &secret)).await;
        assert_eq!(location(&late), "/sign-in?error=late&next=%2Faccount");
        for wrong in ["", "nonsense", "AAAA"] {
            let forged = give(app, &format!("audit_log_second={wrong}"), &code(app, &secret)).await;
            assert!(location(&forged).starts_with("/sign-in?error=late"), "{wrong:?}");
        }
    }

    async fn it_is_set_up_and_turned_off_by_whoever_knows_the_password(app: TestApp) {
        let (_, cookie) = app.signed_in(Role::Member).await;
        let begin = "/account/second-factor/begin";
        assert_eq!(location(&post(app, &cookie, begin, &[("current_password", "wrong horse")]).await), "/account?problem=wrong");
        assert_eq!(location(&post(app, &cookie, "/account/second-factor/confirm", &[("code", "123456")]).await), "/account?problem=not-begun");
        post(app, &cookie, begin, &[("current_password", PASSWORD)]).await;
        assert_eq!(location(&post(app, &cookie, "/account/second-factor/confirm", &[("code", "12345")]).await), "/account?problem=code");
        app.sign_in(EMAIL, PASSWORD).await;
        assert_eq!(location(&post(app, &cookie, "/account/second-factor/leave", &[]).await), "/account");
        let (secret, _) = set_up(app, &cookie).await;
        app.pass(STEP_MS);
        let off = async |password: &str, code: &str| {
            let answer = post(app, &cookie, "/account/second-factor/off", &[("current_password", password), ("code", code)]).await;
            location(&answer).to_owned()
        };
        assert_eq!(off("wrong horse", &code(app, &secret)).await, "/account?problem=wrong");
        assert_eq!(off(PASSWORD, "000000").await, "/account?problem=code");
        assert_eq!(off(PASSWORD, &code(app, &secret)).await, "/account?done=off");
        app.sign_in(EMAIL, PASSWORD).await;
    }

    async fn whoever_runs_the_server_helps_who_is_locked_out(app: TestApp) {
        let (_, cookie) = app.signed_in(Role::Member).await;
        set_up(app, &cookie).await;
        let refused = app.command(&["user", "reset", EMAIL], "");
        assert!(!refused.status.success());
        let nobody = app.command(&["user", "reset", "eve@example.com", "--second-factor-off"], "");
        assert!(String::from_utf8_lossy(&nobody.stderr).contains("there is nobody"), "{nobody:?}");
        let reset = app.command(&["user", "reset", EMAIL, "--second-factor-off", "--password-stdin"], "another horse\n");
        assert!(reset.status.success(), "{reset:?}");
        app.pass(audit_log::server::access::REMEMBERED_MS);
        assert_eq!(app.get_as(&cookie, "/account").await.status(), 303, "every sign-in has ended");
        app.sign_in(EMAIL, "another horse").await;
    }

    async fn an_invitation_waits_for_the_code_too(app: TestApp) {
        let (_, cookie) = app.signed_in(Role::Member).await;
        set_up(app, &cookie).await;
        let other = app.add_project("other").await;
        let invited = audit_log::server::access::invite::invite(&app.server, other.key, "owner@example.com", EMAIL, Role::Owner).await.unwrap();
        let token = invited.link.split_once("token=").unwrap().1;
        let joined = app.post_form("/invite", &[("token", token), ("password", PASSWORD)]).send().await.unwrap();
        assert!(location(&joined).starts_with("/sign-in?email="), "{joined:?}");
        assert!(session(&joined).is_none());
    }
}

//! Mails on their way by `audit-log worker`, which is there beside PostgreSQL: behind TLS, signed in, and nothing said to a stranger; a worker that is killed in the middle of one.

use std::time::Duration;

use audit_log::model::rights::Role;
use audit_log::server::alerts;
use serde_json::{Value, json};

use super::{By, MINUTE, at_least, good, wish};
use crate::support::{Database, Door, Mailbox, TestApp, Worker};

/// Asks an alert's page until its last line says so many mails sent, or why not.
async fn told(by: &By<'_>, id: &str) -> Value {
    for _ in 0..600 {
        let mails = by.page(id).await["history"][0]["mails"].clone();
        if mails["waiting"] == 0 || !mails["error"].is_null() {
            return mails;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nobody mailed anything: {}", by.page(id).await)
}

/// An alert that has fired, with a mail that waits.
async fn fired(by: &By<'_>) -> String {
    let view = by.view("logs", "All", true, "").await;
    let mut wish = wish("Many failures", &view, at_least(2, 1));
    wish["recipients"] = json!(["ops@example.com"]);
    let id = good(by.create(wish).await).await;
    by.send(&[500, 500]).await;
    assert_eq!(by.round().await, 1);
    id
}

async fn behind(app: &TestApp, door: Door, url: impl Fn(u16) -> String) {
    let (mailbox, port, certificate) = Mailbox::behind_tls(door).await;
    let file = app.folder().join("mail.pem");
    std::fs::write(&file, certificate).unwrap();
    let by = By::new(app, Role::Member).await;
    let id = fired(&by).await;
    let mut environment = vec![
        ("AUDIT_LOG_SMTP_URL", url(port)),
        ("AUDIT_LOG_SMTP_FROM", "audit-log@example.com".to_owned()),
    ];

    // Nobody vouches for it: neither a password nor a mail is told.
    let stranger = Worker::start(app, &environment);
    let mails = told(&by, &id).await;
    assert!(
        mails["error"].as_str().is_some_and(|error| error.contains("certificate")),
        "{mails}"
    );
    assert!(!mails.to_string().contains("hunter2"), "{mails}");
    drop(stranger);
    assert_eq!((mailbox.names(), mailbox.mails().len()), (0, 0));

    environment.push(("SSL_CERT_FILE", file.display().to_string()));
    assert_eq!(by.form("/api/test_alert", &[("id", &id)]).await.status(), 200);
    let _worker = Worker::start(app, &environment);
    assert_eq!(told(&by, &id).await["sent"], 1);
    let mails = mailbox.mails();
    assert_eq!(mails[0].signed_in.as_deref(), Some("\0ada\0hunter2"));
    assert_eq!(mails[0].head("Subject"), "[shop] Test: Many failures");
}

/// So that a mail waits; who sends it is told of another one.
fn configured(config: &mut audit_log::server::config::Config) {
    config.smtp_url = Some("smtp://127.0.0.1:1".to_owned().into());
    config.smtp_from = Some("audit-log@example.com".to_owned());
}

#[test]
fn mails_go_behind_tls_to_who_is_vouched_for_alone() {
    TestApp::run(Database::Postgres, configured, async |app| {
        behind(app, Door::Tls, |port| format!("smtps://ada:hunter2@localhost:{port}")).await;
    });
}

#[test]
fn tls_that_is_begun_on_an_open_connection_is_as_good() {
    TestApp::run(Database::Postgres, configured, async |app| {
        behind(app, Door::StartTls, |port| {
            format!("smtp://ada:hunter2@localhost:{port}?tls=required")
        })
        .await;
    });
}

#[test]
fn where_tls_is_required_and_not_offered_nothing_is_said() {
    TestApp::run(Database::Postgres, Mailbox::configure, async |app| {
        let mailbox = Mailbox::serve(&app.server.config);
        let by = By::new(app, Role::Member).await;
        let id = fired(&by).await;
        let plain = app.server.config.smtp_url.as_ref().unwrap().tell().to_owned();
        let url = plain.replace("smtp://", "smtp://ada:hunter2@") + "?tls=required";
        let environment = [
            ("AUDIT_LOG_SMTP_URL", url),
            ("AUDIT_LOG_SMTP_FROM", "audit-log@example.com".to_owned()),
        ];
        let _worker = Worker::start(app, &environment);
        let mails = told(&by, &id).await;
        assert!(mails["error"].is_string(), "{mails}");
        assert_eq!((mailbox.names(), mailbox.mails().len()), (0, 0));
    });
}

#[test]
fn a_worker_that_is_killed_in_the_middle_of_a_mail_loses_it_to_another() {
    TestApp::run(Database::Postgres, Mailbox::configure, async |app| {
        let mailbox = Mailbox::serve(&app.server.config);
        let by = By::new(app, Role::Member).await;
        let id = fired(&by).await;
        mailbox.hold(true);
        let url = app.server.config.smtp_url.as_ref().unwrap().tell().to_owned();
        let environment = [
            ("AUDIT_LOG_SMTP_URL", url),
            ("AUDIT_LOG_SMTP_FROM", "audit-log@example.com".to_owned()),
        ];
        let worker = Worker::start(app, &environment);
        mailbox.until_held().await;
        drop(worker);
        mailbox.hold(false);
        assert_eq!(
            alerts::send_due(&app.server).await.unwrap(),
            0,
            "whoever sends it may still be at it"
        );
        app.pass(2 * MINUTE);
        assert_eq!(alerts::send_due(&app.server).await.unwrap(), 1);
        let line = by.page(&id).await["history"][0]["mails"].clone();
        assert_eq!((&line["sent"], &line["waiting"]), (&json!(1), &json!(0)), "{line}");
        assert_eq!(mailbox.mails().len(), 1);
    });
}

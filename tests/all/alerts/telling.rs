//! Who is told: endpoints and addresses, once, unless it is muted; and nobody is forgotten when a mail server is away.

use audit_log::model::rights::Role;
use audit_log::server::alerts;
use serde_json::{Value, json};

use super::{By, MINUTE, at_least, good, wish, words};
use crate::support::Mailbox;

/// An alert that tells these addresses.
async fn with_mails(by: &By<'_>, view: &str, addresses: &[&str]) -> String {
    let mut wish = wish("Many failures", view, at_least(2, 1));
    wish["recipients"] = json!(addresses);
    good(by.create(wish).await).await
}

/// What became of the mails of a line of its history.
async fn mails(by: &By<'_>, id: &str, line: usize) -> Value {
    by.page(id).await["history"][line]["mails"].clone()
}

for_each_db! {
    async fn endpoints_hear_of_it_and_of_nothing_in_the_logs(app: TestApp) {
        let ada = By::new(app, Role::Member).await;
        ada.listens().await;
        let view = ada.view("logs", "Hers", true, "user=ada@example.com&q=needle").await;
        let id = ada.alert(&view, at_least(2, 1)).await;
        ada.send(&[500, 200]).await;
        assert_eq!(ada.round().await, 1);
        let told = ada.told("alert.fired").await;
        assert_eq!(told.len(), 1);
        let data = &told[0];
        assert_eq!((&data["object"], &data["id"], &data["name"], &data["status"]), (&json!("alert"), &json!(id), &json!("Many failures"), &json!("FIRING")));
        assert_eq!((&data["count"], &data["failed"], &data["failure_share"], &data["threshold"]), (&json!(2), &json!(1), &json!(50.0), &json!(2)));
        assert_eq!((&data["view"], &data["test"], &data["window_minutes"]), (&json!({"id": view, "name": "Hers"}), &json!(false), &json!(1)));
        assert_eq!(data["url"], format!("{}/projects/{}/settings/alerts/{id}", app.url, ada.project.id));
        for secret in ["ada@example.com", "needle", "orders"] {
            assert!(!data.to_string().contains(secret), "{data}");
        }
        app.pass(2 * MINUTE);
        ada.round().await;
        let over = ada.told("alert.resolved").await;
        assert_eq!((over.len(), &over[0]["status"], &over[0]["count"]), (1, &json!("NORMAL"), &json!(0)));
        assert_eq!(ada.told("alert.fired").await.len(), 1);
        // What it told is on the chain, and fits.
        let (code, words) = crate::chain::run(app, &["verify", "--project", &ada.project.id]);
        assert_eq!(code, Some(0), "{words}");
    }

    async fn while_it_is_muted_it_counts_and_nobody_hears(app: TestApp) {
        let ada = By::new(app, Role::Member).await;
        ada.listens().await;
        let view = ada.view("logs", "All", true, "").await;
        let id = ada.alert(&view, at_least(1, 90)).await;
        ada.mute(&id, "hour").await;
        ada.send(&[500]).await;
        assert_eq!(ada.round().await, 1);
        assert_eq!(ada.page(&id).await["history"][0]["muted"], true);
        assert_eq!(ada.told("alert.fired").await.len(), 0);
        app.pass(59 * MINUTE);
        assert_eq!(ada.round().await, 0);
        // It fires still when the hour is over: that is told now.
        app.pass(2 * MINUTE);
        assert_eq!(ada.round().await, 1);
        assert_eq!(ada.round().await, 0);
        assert_eq!(ada.told("alert.fired").await.len(), 1);
        ada.mute(&id, "until_unmuted").await;
        app.pass(60 * MINUTE);
        assert_eq!(ada.round().await, 1);
        assert_eq!(ada.told("alert.resolved").await.len(), 0, "muted");
        ada.mute(&id, "off").await;
        assert_eq!(ada.facts(&id).await["muted_until"], Value::Null);
        assert_eq!(ada.history(&id).await, ["Resolved", "StillFiring", "Fired", "Began"]);
        // What nobody was told of, nobody is told the end of.
        ada.mute(&id, "hour").await;
        ada.send(&[500]).await;
        ada.round().await;
        ada.mute(&id, "off").await;
        app.pass(120 * MINUTE);
        assert_eq!(ada.round().await, 1);
        assert_eq!((ada.told("alert.resolved").await.len(), ada.told("alert.fired").await.len()), (0, 1));
    }

    async fn a_test_is_marked_and_says_whether_anybody_wants_it(app: TestApp) {
        let ada = By::new(app, Role::Member).await;
        let view = ada.view("logs", "All", true, "").await;
        let id = ada.alert(&view, at_least(5, 1)).await;
        let (status, heard) = words(ada.form("/api/test_alert", &[("id", &id)]).await).await;
        assert_eq!((status, heard.as_str()), (200, "false"));
        ada.listens().await;
        let (status, heard) = words(ada.form("/api/test_alert", &[("id", &id)]).await).await;
        assert_eq!((status, heard.as_str()), (200, "true"));
        let told = ada.told("alert.fired").await;
        assert_eq!((told.len(), &told[0]["test"], &told[0]["id"]), (1, &json!(true), &json!(id)));
        assert_eq!(ada.history(&id).await, ["Tested", "Tested", "Began"]);
        assert_eq!(ada.facts(&id).await["firing"], false);
        ada.switch(&id, false).await;
        let (status, why) = words(ada.form("/api/test_alert", &[("id", &id)]).await).await;
        assert!(status == 409 && why.contains("switch it on"), "{status}: {why}");
    }

    async fn without_a_mail_server_nothing_waits_to_be_mailed(app: TestApp) {
        let ada = By::new(app, Role::Member).await;
        let view = ada.view("logs", "All", true, "").await;
        let id = with_mails(&ada, &view, &["ops@example.com"]).await;
        ada.send(&[500, 500]).await;
        assert_eq!(ada.round().await, 1);
        assert_eq!(mails(&ada, &id, 0).await, json!({"waiting": 0, "sent": 0, "given_up": 0, "error": null}));
        assert_eq!(ada.page(&id).await["around"]["has_mail"], false);
        assert_eq!(alerts::send_due(&app.server).await.unwrap(), 0);
    }
}

for_each_db! {
    with Mailbox::configure;

    async fn a_mail_says_what_happened_and_where_to_look(app: TestApp) {
        let mailbox = Mailbox::serve(&app.server.config);
        let ada = By::new(app, Role::Member).await;
        let view = ada.view("logs", "Failures", true, "status=FAILURE&path=/v1/orders").await;
        let id = with_mails(&ada, &view, &["Ops@Example.com", "ops@example.com", "boss@example.com"]).await;
        ada.send(&[500, 500]).await;
        assert_eq!(ada.round().await, 1);
        assert_eq!(mails(&ada, &id, 0).await["waiting"], 2, "an address is told once");
        assert_eq!(alerts::send_due(&app.server).await.unwrap(), 2);
        assert_eq!(alerts::send_due(&app.server).await.unwrap(), 0);
        let came = mailbox.mails();
        let mut to: Vec<&str> = came.iter().map(|mail| mail.to.as_str()).collect();
        to.sort_unstable();
        assert_eq!(to, ["boss@example.com", "ops@example.com"]);
        let mail = &came[0];
        assert_eq!((mail.from.as_str(), mail.head("Subject")), ("audit-log@example.com", "[shop] Fired: Many failures"));
        assert_eq!(mail.head("Auto-Submitted"), "auto-generated");
        assert_ne!(came[0].head("Message-ID"), came[1].head("Message-ID"));
        let text = mail.text();
        for line in ["The alert fires.", "View: Failures", "Condition: At least 2 logs within 1 minute", "Counted: 2 of 2 logs"] {
            assert!(text.lines().any(|said| said == line), "{line} in {text}");
        }
        let link = text.lines().find(|line| line.contains("/logs?")).unwrap_or_else(|| panic!("{text}"));
        assert!(link.starts_with(&app.url) && link.contains("status=FAILURE") && link.contains("&to="), "{link}");
        let tab = app.get_as(&ada.cookie, link.strip_prefix(&app.url).unwrap()).await;
        assert_eq!(tab.status(), 200);
        assert!(text.contains(&format!("/settings/alerts/{id}")), "{text}");
        assert_eq!(mails(&ada, &id, 0).await["sent"], 2);

        ada.form("/api/test_alert", &[("id", &id)]).await;
        app.pass(2 * MINUTE);
        ada.round().await;
        alerts::send_due(&app.server).await.unwrap();
        let subjects: Vec<String> = mailbox.mails()[2..].iter().map(|mail| mail.head("Subject").to_owned()).collect();
        assert_eq!(subjects.iter().filter(|subject| *subject == "[shop] Test: Many failures").count(), 2, "{subjects:?}");
        assert_eq!(subjects.iter().filter(|subject| *subject == "[shop] Back to normal: Many failures").count(), 2, "{subjects:?}");
    }

    async fn a_mail_that_is_refused_is_sent_again_and_given_up_at_last(app: TestApp) {
        let mailbox = Mailbox::serve(&app.server.config);
        let ada = By::new(app, Role::Member).await;
        let view = ada.view("logs", "All", true, "").await;
        let id = with_mails(&ada, &view, &["ops@example.com"]).await;
        mailbox.refuse(1);
        ada.send(&[500, 500]).await;
        ada.round().await;
        assert_eq!(alerts::send_due(&app.server).await.unwrap(), 1);
        let waits = mails(&ada, &id, 0).await;
        assert_eq!(waits["waiting"], 1);
        assert!(waits["error"].as_str().unwrap().contains("come back later"), "{waits}");
        assert_eq!(alerts::send_due(&app.server).await.unwrap(), 0, "not before its time");
        app.pass(MINUTE + 1_000);
        assert_eq!(alerts::send_due(&app.server).await.unwrap(), 1);
        assert_eq!((mails(&ada, &id, 0).await["sent"].clone(), mailbox.mails().len()), (json!(1), 1));

        mailbox.refuse(usize::MAX);
        ada.form("/api/test_alert", &[("id", &id)]).await;
        let mut tries = 0;
        for _ in 0..20 {
            tries += alerts::send_due(&app.server).await.unwrap();
            app.pass(7 * 60 * MINUTE);
        }
        assert_eq!(tries, 7);
        let line = mails(&ada, &id, 0).await;
        assert_eq!((&line["given_up"], &line["waiting"]), (&json!(1), &json!(0)), "{line}");
    }

    async fn several_who_send_send_each_mail_once(app: TestApp) {
        let mailbox = Mailbox::serve(&app.server.config);
        let ada = By::new(app, Role::Member).await;
        let view = ada.view("logs", "All", true, "").await;
        let addresses: Vec<String> = (0..10).map(|nth| format!("a{nth}@example.com")).collect();
        let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
        with_mails(&ada, &view, &addresses).await;
        ada.send(&[500, 500]).await;
        ada.round().await;
        let tried = futures::future::join_all((0..5).map(|_| alerts::send_due(&app.server))).await;
        assert_eq!(tried.into_iter().map(Result::unwrap).sum::<usize>(), 10);
        let mut to: Vec<String> = mailbox.mails().into_iter().map(|mail| mail.to).collect();
        to.sort_unstable();
        assert_eq!(to, addresses);
    }

    async fn a_mail_whose_sender_was_killed_is_sent_by_another(app: TestApp) {
        let mailbox = Mailbox::serve(&app.server.config);
        let ada = By::new(app, Role::Member).await;
        let view = ada.view("logs", "All", true, "").await;
        with_mails(&ada, &view, &["ops@example.com"]).await;
        ada.send(&[500, 500]).await;
        ada.round().await;
        // It was taken for an attempt, whose end nobody noted.
        let now = app.server.clock.now_ms();
        let due = audit_log::server::store::alerts::mails::due(app.db(), now, i64::MAX, 10).await.unwrap();
        assert!(audit_log::server::store::alerts::mails::take(app.db(), &due[0], now + MINUTE).await.unwrap());
        assert!(!audit_log::server::store::alerts::mails::take(app.db(), &due[0], now + MINUTE).await.unwrap(), "once at a time");
        assert_eq!(alerts::send_due(&app.server).await.unwrap(), 0);
        app.pass(MINUTE + 1_000);
        assert_eq!(alerts::send_due(&app.server).await.unwrap(), 1);
        assert_eq!(mailbox.mails().len(), 1);
    }
}

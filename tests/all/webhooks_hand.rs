//! Sendouts as people find and send them by hand: while an attempt is on its way, by an endpoint's address, and what is said where it is off or gone.

use std::time::Duration;

use audit_log::server::webhooks;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Receiver};
use crate::webhooks::{ALL, add_endpoint, allow, ask, post_event, until};

for_each_db! {
    with allow;

    async fn a_retry_by_hand_follows_the_attempt_that_is_on_its_way_if_that_fails(app: TestApp) {
        let key = app.add_key(&app.add_project("shop").await, &ALL).await;
        // The first is never answered; what comes later is taken.
        let receiver = Receiver::start(|before, _| if before == 0 { Answer::Never } else { Answer::code(200) }).await;
        let sender = webhooks::start(&app.server).await.unwrap();
        add_endpoint(app, &key, json!({"target_url": receiver.url()})).await;
        let posted = post_event(app, &key, json!({"type": "a", "data": 1})).await;
        let id = posted["sendouts"][0].as_str().unwrap();
        receiver.until(1).await;
        let asked = ask(app, &key, Method::POST, &format!("/v1/webhook-sendouts/{id}/retry"), Value::Null, 202).await;
        assert_eq!((&asked["next_attempt_by_hand"], &asked["attempts_count"]), (&json!(true), &json!(0)), "{asked:#}");
        let taken = until(app, &key, id, |sendout| sendout["attempts_count"] == 2).await;
        assert_eq!((&taken["status"], &taken["next_attempt_at"]), (&json!("SUCCEEDED"), &Value::Null), "{taken:#}");
        assert_eq!((&taken["attempts"][0]["by_hand"], &taken["attempts"][1]["by_hand"]), (&json!(false), &json!(true)));
        sender.stop().await;
    }

    async fn a_retry_by_hand_is_not_needed_where_the_attempt_on_its_way_is_taken(app: TestApp) {
        let key = app.add_key(&app.add_project("shop").await, &ALL).await;
        let receiver = Receiver::start(|_, _| Answer::Slowly(Duration::from_millis(1_500))).await;
        let sender = webhooks::start(&app.server).await.unwrap();
        add_endpoint(app, &key, json!({"target_url": receiver.url()})).await;
        let posted = post_event(app, &key, json!({"type": "a", "data": 1})).await;
        let id = posted["sendouts"][0].as_str().unwrap();
        receiver.until(1).await;
        ask(app, &key, Method::POST, &format!("/v1/webhook-sendouts/{id}/retry"), Value::Null, 202).await;
        let taken = until(app, &key, id, |sendout| sendout["status"] == "SUCCEEDED").await;
        assert_eq!((&taken["next_attempt_at"], &taken["next_attempt_by_hand"]), (&Value::Null, &json!(false)), "{taken:#}");
        assert!(taken["duration"].as_f64().unwrap() >= 1_500.0);
        sender.stop().await;
    }

    async fn sendouts_are_found_by_an_address_and_by_the_beginning_of_a_type(app: TestApp) {
        let key = app.add_key(&app.add_project("shop").await, &ALL).await;
        let mut ids = Vec::new();
        for (path, kind) in [("one", "voucher.created"), ("two", "voucher.deleted"), ("two", "order.paid")] {
            let url = format!("http://127.0.0.2:1/{path}");
            ids.push(add_endpoint(app, &key, json!({"target_url": url, "events": [kind]})).await["id"].as_str().unwrap().to_owned());
            post_event(app, &key, json!({"type": kind, "data": 1})).await;
        }
        for (query, count) in [
            ("webhook=http%3A%2F%2F127.0.0.2%3A1%2Fone".to_owned(), 1),
            ("webhook=http%3A%2F%2F127.0.0.2%3A1%2Ftwo".to_owned(), 2),
            ("webhook=!http%3A%2F%2F127.0.0.2%3A1%2Ftwo".to_owned(), 1),
            (format!("webhook={}", ids[1]), 1),
            (format!("webhook={},http%3A%2F%2F127.0.0.2%3A1%2Fone", ids[1]), 2),
            ("webhook=http%3A%2F%2F127.0.0.2%3A1%2Fthree".to_owned(), 0),
            ("type=voucher.*".to_owned(), 2),
            ("type=!voucher.*".to_owned(), 1),
            ("type=*".to_owned(), 3),
            ("type=voucher".to_owned(), 0),
            // What a list does not know it passes over, as that of the logs does.
            ("statuss=FAILED".to_owned(), 3),
        ] {
            let listed = ask(app, &key, Method::GET, &format!("/v1/webhook-sendouts?{query}"), Value::Null, 200).await;
            assert_eq!(listed["data"].as_array().unwrap().len(), count, "{query}");
        }
    }

    async fn what_an_endpoint_that_is_off_or_gone_means_is_said(app: TestApp) {
        let key = app.add_key(&app.add_project("shop").await, &ALL).await;
        let off = add_endpoint(app, &key, json!({"target_url": "http://127.0.0.2:1/off", "events": ["off"], "active": false})).await;
        let gone = add_endpoint(app, &key, json!({"target_url": "http://127.0.0.2:1/gone", "events": ["gone"]})).await;
        let kept = post_event(app, &key, json!({"type": "off", "data": 1})).await["sendouts"][0].as_str().unwrap().to_owned();
        let lost = post_event(app, &key, json!({"type": "gone", "data": 1})).await["sendouts"][0].as_str().unwrap().to_owned();
        let (path, kept) = (format!("/v1/webhooks/{}", off["id"].as_str().unwrap()), format!("/v1/webhook-sendouts/{kept}"));
        ask(app, &key, Method::DELETE, &format!("/v1/webhooks/{}", gone["id"].as_str().unwrap()), Value::Null, 204).await;
        let sendout = ask(app, &key, Method::GET, &kept, Value::Null, 200).await;
        assert_eq!(sendout["paused_reason"], "paused: its endpoint is off");
        let counted = ask(app, &key, Method::POST, "/v1/webhook-sendouts/retry", json!({"dry_run": true}), 200).await;
        assert_eq!(counted, json!({"count": 1, "of_these_endpoint_off": 1, "left_out_endpoint_deleted": 1}));
        ask(app, &key, Method::POST, &format!("/v1/webhook-sendouts/{lost}/retry"), Value::Null, 409).await;
        ask(app, &key, Method::PUT, &path, json!({"active": true}), 200).await;
        let sendout = ask(app, &key, Method::GET, &kept, Value::Null, 200).await;
        let why = sendout["paused_reason"].as_str().unwrap();
        assert!(why.starts_with("kept while its endpoint was off") && why.contains("send_paused"), "{why}");
    }

    async fn a_body_that_is_no_object_is_refused_in_words(app: TestApp) {
        let key = app.add_key(&app.add_project("shop").await, &ALL).await;
        for (path, body, words) in [
            ("/v1/events", json!(["a", {}, null, null, null, null, null]), "the body must be a JSON object"),
            ("/v1/events", json!([]), "the body must be a JSON object"),
            ("/v1/events", json!({"type": 1, "data": {}}), "must be a text"),
            ("/v1/webhooks", json!([]), "the body must be a JSON object"),
            ("/v1/webhooks", json!(["http://127.0.0.2:1/", null, null, null, null, null, null, null]), "the body must be a JSON object"),
            ("/v1/webhooks", json!({"rate_limit": "x"}), "rate_limit: must be a whole number from 1 to 100000, or null"),
            ("/v1/webhooks", json!({"colour": "x"}), "colour: there is no such field"),
            ("/v1/webhook-sendouts/retry", json!([]), "the body must be a JSON object"),
            ("/v1/async-actions", json!(["A.B", null, null, null, null, null, null]), "the body must be a JSON object"),
            ("/v1/exports", json!(["api_log", {}]), "the body must be a JSON object"),
        ] {
            let said = ask(app, &key, Method::POST, path, body.clone(), 422).await;
            assert!(said["details"].as_str().unwrap().contains(words), "{path} {body}: {said}");
        }
    }
}

//! Receivers that misbehave, each handled and shown; the schedule, pauses, retries by hand and in bulk, and lanes beside one another.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use audit_log::server::webhooks;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Receiver, TestApp};
use crate::webhooks::{ALL, add_endpoint, allow, ask, post_event, until};

async fn sent(app: &TestApp, key: &audit_log::server::access::issue::IssuedKey, kind: &str) -> String {
    let posted = post_event(app, key, json!({"type": kind, "data": {"n": 1}})).await;
    posted["sendouts"][0].as_str().unwrap().to_owned()
}

fn is_tried(sendout: &Value) -> bool {
    !sendout["attempts"].as_array().unwrap().is_empty()
}

fn fast(config: &mut audit_log::server::config::Config) {
    allow(config);
    config.webhook_schedule = vec![1, 1];
}

for_each_db! {
    with allow;

    async fn every_misbehaviour_is_handled_and_shown(app: TestApp) {
        let key = app.add_key(&app.add_project("shop").await, &ALL).await;
        let sender = webhooks::start(&app.server).await.unwrap();
        let started = Instant::now();
        let mut expected = HashMap::new();
        for (kind, answer, status, words) in [
            ("t.never", Answer::Never, "RETRYING", "no answer within 10 s"),
            ("t.drip", Answer::Drip, "RETRYING", "no answer within 10 s"),
            ("t.drip-body", Answer::DripBody, "SUCCEEDED", ""),
            ("t.close", Answer::Close, "RETRYING", "closed before an answer"),
            ("t.redirect", Answer::With(301, vec![("location", "http://127.0.0.1:1/".to_owned())], String::new()), "RETRYING", "redirects are not followed"),
            ("t.huge", Answer::Endless, "SUCCEEDED", ""),
            ("t.gone", Answer::code(410), "FAILED", "answered 410"),
            ("t.error", Answer::With(500, Vec::new(), "oops".to_owned()), "RETRYING", "answered 500"),
        ] {
            let receiver = Receiver::start(move |_, _| answer.clone()).await;
            add_endpoint(app, &key, json!({"target_url": receiver.url(), "events": [kind]})).await;
            expected.insert(sent(app, &key, kind).await, (kind, status, words));
        }
        // TLS is spoken to what speaks none; and nothing listens.
        let plain = Receiver::start(|_, _| Answer::code(200)).await;
        add_endpoint(app, &key, json!({"target_url": format!("https://127.0.0.1:{}/", plain.port), "events": ["t.tls"]})).await;
        expected.insert(sent(app, &key, "t.tls").await, ("t.tls", "RETRYING", "the answer was not TLS: is this an http address?"));
        add_endpoint(app, &key, json!({"target_url": "http://127.0.0.1:1/", "events": ["t.nobody"]})).await;
        expected.insert(sent(app, &key, "t.nobody").await, ("t.nobody", "RETRYING", "refused"));
        for (id, (kind, status, words)) in &expected {
            let sendout = until(app, &key, id, is_tried).await;
            assert_eq!(sendout["status"], *status, "{kind}: {sendout:#}");
            assert!(sendout["error"].as_str().unwrap_or_default().contains(words), "{kind}: {}", sendout["error"]);
            if *kind == "t.huge" {
                assert_eq!(sendout["attempts"][0]["response_body"].as_str().unwrap().len(), 16 << 10);
                assert_eq!(sendout["attempts"][0]["notes"], json!(["truncated"]));
            }
            if *kind == "t.drip-body" {
                let attempt = &sendout["attempts"][0];
                assert_eq!((&attempt["response_code"], &attempt["notes"]), (&json!(200), &json!(["truncated"])));
                assert!((2..=11).contains(&attempt["response_body"].as_str().unwrap().len()), "ten seconds of it: {attempt}");
            }
            if *kind == "t.error" {
                assert_eq!(sendout["attempts"][0]["response_body"], "oops");
            }
        }
        assert!(started.elapsed() < Duration::from_secs(20), "each ended at its 10 s: {:?}", started.elapsed());
        let endpoints = ask(app, &key, Method::GET, "/v1/webhooks", Value::Null, 200).await;
        let gone = endpoints["data"].as_array().unwrap().iter().find(|one| one["events"] == json!(["t.gone"])).unwrap();
        assert_eq!(gone["active"], false);
        assert!(gone["disabled_reason"].as_str().unwrap().contains("410"), "{gone}");
        sender.stop().await;
    }

    async fn names_that_lead_inside_are_refused(app: TestApp) {
        let key = app.add_key(&app.add_project("shop").await, &ALL).await;
        let receiver = Receiver::start(|_, _| Answer::code(200)).await;
        let lookup: webhooks::Lookup = Arc::new(|name: String| {
            let address: &[&str] = match name.as_str() {
                "metadata.test" => &["169.254.169.254"],
                "mapped.test" => &["::ffff:10.0.0.1"],
                "private.test" => &["10.1.2.3", "fd00::1"],
                // One that is refused and one that is allowed here: only the allowed one is connected to.
                "mixed.test" => &["10.1.2.3", "127.0.0.1"],
                _ => &[],
            };
            let found: Vec<IpAddr> = address.iter().map(|text| text.parse().unwrap()).collect();
            Box::pin(async move { Ok(found) })
        });
        let sender = webhooks::start_with(&app.server, lookup).await.unwrap();
        for (kind, host, words) in [
            ("n.a", "metadata.test", "metadata"),
            ("n.b", "mapped.test", "private network"),
            ("n.c", "private.test", "private network"),
            ("n.d", "nowhere.test", "could not be found"),
            ("n.e", "mixed.test", ""),
        ] {
            add_endpoint(app, &key, json!({"target_url": format!("http://{host}:{}/", receiver.port), "events": [kind]})).await;
            let sendout = until(app, &key, &sent(app, &key, kind).await, is_tried).await;
            assert!(sendout["error"].as_str().unwrap_or_default().contains(words), "{host}: {}", sendout["error"]);
            assert_eq!(sendout["status"] == "SUCCEEDED", words.is_empty(), "{host}");
        }
        assert_eq!(receiver.count(), 1);
        sender.stop().await;
    }

    async fn a_test_event_takes_the_same_path_once(app: TestApp) {
        let key = app.add_key(&app.add_project("shop").await, &ALL).await;
        let receiver = Receiver::start(|_, _| Answer::code(500)).await;
        let sender = webhooks::start(&app.server).await.unwrap();
        let endpoint = add_endpoint(app, &key, json!({"target_url": receiver.url(), "events": ["nothing.else"]})).await;
        let path = format!("/v1/webhooks/{}/test", endpoint["id"].as_str().unwrap());
        let test = ask(app, &key, Method::POST, &path, Value::Null, 202).await;
        let sendout = until(app, &key, test["sendout_id"].as_str().unwrap(), is_tried).await;
        assert_eq!((&sendout["status"], &sendout["type"]), (&json!("FAILED"), &json!("webhook.test")), "{sendout:#}");
        sender.stop().await;
    }

    async fn a_retry_by_hand_leaves_the_schedule_as_it_was(app: TestApp) {
        let key = app.add_key(&app.add_project("shop").await, &ALL).await;
        let receiver = Receiver::start(|before, _| Answer::code(if before < 2 { 500 } else { 200 })).await;
        let sender = webhooks::start(&app.server).await.unwrap();
        add_endpoint(app, &key, json!({"target_url": receiver.url()})).await;
        let id = sent(app, &key, "a").await;
        let first = until(app, &key, &id, |sendout| sendout["status"] == "RETRYING").await;
        let retry = format!("/v1/webhook-sendouts/{id}/retry");
        ask(app, &key, Method::POST, &retry, Value::Null, 202).await;
        let second = until(app, &key, &id, |sendout| sendout["attempts_count"] == 2).await;
        assert_eq!((&second["status"], &second["next_attempt_at"]), (&json!("RETRYING"), &first["next_attempt_at"]));
        assert_eq!(second["attempts"][1]["by_hand"], true);
        ask(app, &key, Method::POST, &retry, Value::Null, 202).await;
        let third = until(app, &key, &id, |sendout| sendout["attempts_count"] == 3).await;
        assert_eq!((&third["status"], &third["next_attempt_at"]), (&json!("SUCCEEDED"), &Value::Null));
        ask(app, &key, Method::POST, &retry, Value::Null, 202).await;
        until(app, &key, &id, |sendout| sendout["attempts_count"] == 4).await;
        let seen = receiver.seen();
        assert!(seen.iter().all(|request| request.header("webhook-id") == id && request.body == seen[0].body));
        sender.stop().await;
    }

    async fn a_secret_that_was_rotated_signs_too(app: TestApp) {
        let key = app.add_key(&app.add_project("shop").await, &ALL).await;
        let receiver = Receiver::start(|_, _| Answer::code(200)).await;
        let sender = webhooks::start(&app.server).await.unwrap();
        let endpoint = add_endpoint(app, &key, json!({"target_url": receiver.url()})).await;
        sent(app, &key, "a").await;
        receiver.until(1).await;
        let path = format!("/v1/webhooks/{}/rotate-secret", endpoint["id"].as_str().unwrap());
        ask(app, &key, Method::POST, &path, Value::Null, 200).await;
        sent(app, &key, "a").await;
        let seen = receiver.until(2).await;
        assert_eq!(seen[0].header("webhook-signature").split(' ').count(), 1);
        assert_eq!(seen[1].header("webhook-signature").split(' ').count(), 2);
        sender.stop().await;
    }

    async fn first_attempts_of_an_entity_begin_in_order_and_a_dead_lane_slows_nobody(app: TestApp) {
        let key = app.add_key(&app.add_project("shop").await, &ALL).await;
        let dead = Receiver::start(|_, _| Answer::Never).await;
        let slow = Receiver::start(|_, _| Answer::Slowly(Duration::from_millis(300))).await;
        let healthy = Receiver::start(|_, _| Answer::code(200)).await;
        let sender = webhooks::start(&app.server).await.unwrap();
        for receiver in [&dead, &slow, &healthy] {
            add_endpoint(app, &key, json!({"target_url": receiver.url()})).await;
        }
        let started = Instant::now();
        for number in 0..200 {
            post_event(app, &key, json!({"type": "a", "data": number, "entity_id": "e"})).await;
        }
        let seen = healthy.until(200).await;
        assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
        let first: Vec<u64> = seen.iter().map(|request| serde_json::from_slice::<Value>(&request.body).unwrap()["data"].as_u64().unwrap()).collect();
        // Up to 16 are in flight: what begins in order arrives nearly so.
        assert!(first.iter().enumerate().all(|(place, number)| number.abs_diff(place as u64) < 16), "{first:?}");
        assert!(dead.count() <= 16 && slow.count() >= 16);
        sender.stop().await;
    }
}

for_each_db! {
    with fast;

    async fn what_uses_up_its_retries_switches_its_endpoint_off_and_can_be_sent_afterwards(app: TestApp) {
        let key = app.add_key(&app.add_project("shop").await, &ALL).await;
        let receiver = Receiver::start(|before, _| Answer::code(if before < 3 { 503 } else { 200 })).await;
        let other = Receiver::start(|_, _| Answer::code(200)).await;
        let sender = webhooks::start(&app.server).await.unwrap();
        let endpoint = add_endpoint(app, &key, json!({"target_url": receiver.url(), "events": ["a"]})).await;
        add_endpoint(app, &key, json!({"target_url": other.url(), "events": ["webhook.disabled"]})).await;
        let failed = sent(app, &key, "a").await;
        let sendout = until(app, &key, &failed, |sendout| sendout["status"] == "FAILED").await;
        assert_eq!(sendout["attempts_count"], 3, "the first and two retries: {sendout:#}");
        let path = format!("/v1/webhooks/{}", endpoint["id"].as_str().unwrap());
        let off = ask(app, &key, Method::GET, &path, Value::Null, 200).await;
        assert_eq!(off["active"], false);
        assert!(off["disabled_reason"].as_str().unwrap().contains("503"), "{off}");
        let told: Value = serde_json::from_slice(&other.until(1).await[0].body).unwrap();
        assert_eq!((&told["type"], &told["data"]["id"]), (&json!("webhook.disabled"), &endpoint["id"]));
        let missed = sent(app, &key, "a").await;
        let paused = until(app, &key, &missed, |_| true).await;
        assert_eq!((&paused["status"], &paused["paused"], &paused["next_attempt_at"]), (&json!("PENDING"), &json!(true), &Value::Null));
        let on = ask(app, &key, Method::PUT, &path, json!({"active": true, "send_paused": true}), 200).await;
        assert_eq!((&on["active"], &on["disabled_reason"]), (&json!(true), &Value::Null));
        until(app, &key, &missed, |sendout| sendout["status"] == "SUCCEEDED").await;
        // In bulk: the number first, then a task.
        let filter = json!({"status": "FAILED", "dry_run": true});
        let count = ask(app, &key, Method::POST, "/v1/webhook-sendouts/retry", filter, 200).await;
        assert_eq!(count["count"], 1);
        let workers = app.work();
        let task = ask(app, &key, Method::POST, "/v1/webhook-sendouts/retry", json!({"status": ["FAILED"], "per_second": 10}), 202).await;
        until(app, &key, &failed, |sendout| sendout["status"] == "SUCCEEDED").await;
        let path = format!("/v1/async-actions/{}", task["async_action_id"].as_str().unwrap());
        let patience = Instant::now() + Duration::from_secs(20);
        loop {
            let task = ask(app, &key, Method::GET, &path, Value::Null, 200).await;
            if task["status"] == "DONE" {
                assert_eq!((&task["type"], &task["result"]["done_count"]), (&json!("SENDOUTS.RETRY"), &json!(1)));
                break;
            }
            assert!(Instant::now() < patience, "{task}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        workers.stop().await;
        sender.stop().await;
    }

    async fn retry_after_is_waited_for_and_a_server_that_begins_again_goes_on(app: TestApp) {
        let key = app.add_key(&app.add_project("shop").await, &ALL).await;
        let receiver = Receiver::start(|before, _| match before {
            0 => Answer::With(503, vec![("retry-after", "3600".to_owned())], String::new()),
            _ => Answer::code(200),
        }).await;
        let sender = webhooks::start(&app.server).await.unwrap();
        add_endpoint(app, &key, json!({"target_url": receiver.url()})).await;
        let id = sent(app, &key, "a").await;
        until(app, &key, &id, |sendout| sendout["status"] == "RETRYING").await;
        sender.stop().await;
        app.pass(1_800_000);
        let sender = webhooks::start(&app.server).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        assert_eq!(receiver.count(), 1, "not before its time");
        app.pass(1_800_000);
        until(app, &key, &id, |sendout| sendout["status"] == "SUCCEEDED").await;
        sender.stop().await;
    }
}

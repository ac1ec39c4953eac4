//! What is reached, and what is not: a certificate that nobody vouches for, and a name that changes between look-up and connect.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use audit_log::server::access::issue::IssuedKey;
use audit_log::server::config::Config;
use audit_log::server::webhooks;
use serde_json::{Value, json};

use crate::support::{Answer, Receiver, SelfSigned, TestApp};
use crate::webhooks::{ALL, add_endpoint, post_event, until};

/// Opens one address of this machine alone.
fn allow_one(config: &mut Config) {
    config.webhook_allow = vec!["127.0.0.1/32".parse().unwrap()];
}

/// Posts an event; its sendout, once it was tried.
async fn tried(app: &TestApp, key: &IssuedKey) -> Value {
    let posted = post_event(app, key, json!({"type": "a", "data": {}})).await;
    let is_tried = |sendout: &Value| sendout["attempts_count"] == 1;
    until(app, key, posted["sendouts"][0].as_str().unwrap(), is_tried).await
}

for_each_db! {
    with allow_one;

    async fn a_certificate_that_nobody_vouches_for_is_refused_and_said(app: TestApp) {
        let key = app.add_key(&app.add_project("shop").await, &ALL).await;
        let receiver = SelfSigned::start().await;
        let sender = webhooks::start(&app.server).await.unwrap();
        add_endpoint(app, &key, json!({"target_url": format!("https://127.0.0.1:{}/hook", receiver.port)})).await;
        let sendout = tried(app, &key).await;
        let said = "the connection could not be made safe (TLS): nobody whom this machine trusts vouches for its certificate";
        assert_eq!((&sendout["status"], &sendout["error"]), (&json!("RETRYING"), &json!(said)));
        let attempt = &sendout["attempts"][0];
        assert_eq!((&attempt["number"], &attempt["response_code"], &attempt["error"]), (&json!(1), &Value::Null, &json!(said)), "{attempt}");
        assert_eq!(receiver.counts(), (1, 0), "nothing was sent");
        sender.stop().await;
    }

    async fn what_a_name_leads_to_is_looked_up_once_and_that_is_reached(app: TestApp) {
        let key = app.add_key(&app.add_project("shop").await, &ALL).await;
        // It closes each connection, so that each attempt makes one, and looks the name up.
        let receiver = Receiver::start(|_, _| Answer::With(200, vec![("connection", "close".to_owned())], String::new())).await;
        let trap = tokio::net::TcpListener::bind((Ipv4Addr::new(127, 0, 0, 2), receiver.port)).await.unwrap();
        let (looked_up, caught) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let catching = caught.clone();
        tokio::spawn(async move {
            while trap.accept().await.is_ok() {
                catching.fetch_add(1, Ordering::SeqCst);
            }
        });
        // The first answer is one that may be reached; every second one is not.
        let asked = looked_up.clone();
        let lookup: webhooks::Lookup = Arc::new(move |_| {
            let last = 1 + (asked.fetch_add(1, Ordering::SeqCst) % 2) as u8;
            Box::pin(async move { Ok(vec![IpAddr::from([127, 0, 0, last])]) })
        });
        let sender = webhooks::start_with(&app.server, lookup).await.unwrap();
        let url = format!("http://changing.test:{}/hook", receiver.port);
        add_endpoint(app, &key, json!({"target_url": url})).await;
        for attempt in 1..=6 {
            let sendout = tried(app, &key).await;
            assert_eq!(looked_up.load(Ordering::SeqCst), attempt, "one look-up an attempt: what it said is what is connected to");
            let address = &sendout["attempts"][0]["address"];
            if attempt % 2 == 1 {
                assert_eq!((&sendout["status"], address), (&json!("SUCCEEDED"), &json!(format!("127.0.0.1:{}", receiver.port))));
            } else {
                let said = sendout["error"].as_str().unwrap_or_default();
                assert_eq!((&sendout["status"], address), (&json!("RETRYING"), &Value::Null), "{said}");
                assert!(said.contains("changing.test") && said.contains("127.0.0.2") && said.contains("this machine itself"), "{said}");
            }
        }
        assert_eq!((receiver.count(), caught.load(Ordering::SeqCst)), (3, 0), "the other address was never connected to");
        // The trap would have caught what came: it does when it is asked.
        tokio::net::TcpStream::connect((Ipv4Addr::new(127, 0, 0, 2), receiver.port)).await.unwrap();
        while caught.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        sender.stop().await;
    }
}

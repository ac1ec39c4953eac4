//! Every accepted event arrives, however often the sending process is killed.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use reqwest::Method;
use serde_json::{Value, json};

use crate::kill::{Victim, client};
use crate::support::{Answer, Receiver};

const KILLS: u64 = 50;
const SENDERS: usize = 4;

/// A call by the victim's key.
pub fn call(victim: &Victim, method: Method, path: &str) -> reqwest::RequestBuilder {
    client()
        .request(method, format!("http://127.0.0.1:{}{path}", victim.port))
        .header("x-app-id", &victim.app_id)
        .header("x-app-token", &victim.app_token)
}

/// Posts events until the process is dead; notes the sendouts of those that were acknowledged.
async fn post_until_dead((port, id, token): (u16, String, String), acknowledged: Arc<Mutex<BTreeSet<String>>>) {
    let client = client();
    loop {
        let posted = client
            .post(format!("http://127.0.0.1:{port}/v1/events"))
            .header("x-app-id", &id)
            .header("x-app-token", &token)
            .json(&json!({"type": "a", "data": {"filler": "x".repeat(200)}}))
            .send()
            .await;
        let Ok(answer) = posted else { return };
        if answer.status() != 201 {
            continue;
        }
        let Ok(answer) = answer.json::<Value>().await else { return };
        for sendout in answer["sendouts"].as_array().unwrap() {
            acknowledged.lock().unwrap().insert(sendout.as_str().unwrap().to_owned());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_kills_lose_no_event() {
    let receiver = Receiver::start(|before, _| Answer::code(if before % 50 == 49 { 500 } else { 200 })).await;
    let mut victim = Victim::new(None);
    victim.environment = vec![
        ("AUDIT_LOG_WEBHOOK_ALLOW", "127.0.0.0/8".to_owned()),
        ("AUDIT_LOG_WEBHOOK_SCHEDULE", "1,1,1,1,1,1,1,1".to_owned()),
    ];
    let acknowledged: Arc<Mutex<BTreeSet<String>>> = Arc::default();
    let mut random = ChaCha8Rng::seed_from_u64(4);
    for kill in 0..KILLS {
        victim.start().await;
        if kill == 0 {
            let endpoint = json!({"target_url": receiver.url()});
            let made = call(&victim, Method::POST, "/v1/webhooks")
                .json(&endpoint)
                .send()
                .await
                .unwrap();
            assert_eq!(made.status(), 201);
        }
        let whose = (victim.port, victim.app_id.clone(), victim.app_token.clone());
        let senders: Vec<_> = (0..SENDERS)
            .map(|_| tokio::spawn(post_until_dead(whose.clone(), acknowledged.clone())))
            .collect();
        tokio::time::sleep(Duration::from_millis(random.random_range(20..300))).await;
        victim.kill();
        for sender in senders {
            sender.await.unwrap();
        }
    }
    victim.start().await;
    let patience = Instant::now() + Duration::from_secs(60);
    loop {
        let open = call(&victim, Method::GET, "/v1/webhook-sendouts?status=PENDING,RETRYING&limit=1");
        let open: Value = open.send().await.unwrap().json().await.unwrap();
        if open["data"].as_array().unwrap().is_empty() {
            break;
        }
        assert!(Instant::now() < patience, "stuck: {open}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let seen = receiver.seen();
    let arrived: BTreeSet<String> = seen.iter().map(|request| request.header("webhook-id").to_owned()).collect();
    let acknowledged = acknowledged.lock().unwrap().clone();
    assert!(acknowledged.len() > 100, "{} events", acknowledged.len());
    let lost: Vec<_> = acknowledged.difference(&arrived).collect();
    assert!(lost.is_empty(), "{lost:?} of {}", acknowledged.len());
    // Attempts that are recorded were made: no sendout has more of them than the receiver saw.
    for id in acknowledged.iter().take(200) {
        let one = call(&victim, Method::GET, &format!("/v1/webhook-sendouts/{id}"));
        let one: Value = one.send().await.unwrap().json().await.unwrap();
        assert_eq!(one["status"], "SUCCEEDED", "{one}");
        let recorded = one["attempts"].as_array().unwrap().len();
        let came = seen.iter().filter(|request| request.header("webhook-id") == id).count();
        assert!((1..=came).contains(&recorded), "{id}: {recorded} recorded, {came} came");
    }
}

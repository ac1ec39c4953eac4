//! What the other tabs show: some tasks, exports and sendouts, so that the pages that are looked at are no empty ones.

use std::fs;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::days::Days;
use super::stand::Stand;
use crate::Outcome;
use crate::http::Client;
use crate::receiver::{Board, Manner, Receiver};
use crate::server::Server;

const TASKS: usize = 40;
const EXPORTS: usize = 3;
const EVENTS: usize = 60;
const PATIENCE: Duration = Duration::from_mins(2);

/// Once a folder.
pub fn furnished(stand: &Stand, server: &Server, days: &Days) -> Outcome<()> {
    let file = stand.file("furnished");
    if file.exists() {
        return Ok(());
    }
    let mut client = Client::new(&server.host, &server.key)?;
    for number in 0..TASKS {
        let task = json!({"type": "VOUCHERS.IMPORT", "request_id": format!("v-{number:032}"), "status": "DONE", "progress": 100});
        post(&mut client, "/v1/async-actions", &task)?;
    }
    exports(&mut client, days)?;
    sendouts(&mut client)?;
    fs::write(file, "")?;
    Ok(())
}

fn post(client: &mut Client, path: &str, body: &Value) -> Outcome<Value> {
    let answer = client.send("POST", path, "application/json", body.to_string().as_bytes())?;
    let said: Value = serde_json::from_slice(&answer.body)?;
    if answer.code >= 300 {
        return Err(format!("POST {path} answered {}: {said}", answer.code).into());
    }
    Ok(said)
}

/// Of one person's logs each, which is little.
fn exports(client: &mut Client, days: &Days) -> Outcome<()> {
    let last = days.last();
    let range = json!({"conditions": {"$after": crate::rfc3339(last.from), "$before": crate::rfc3339(last.to)}});
    for number in 0..EXPORTS {
        let user = format!("person{number}@example.com");
        let filters = json!({"created_at": range, "user": {"conditions": {"$in": [user]}}});
        let made = post(
            client,
            "/v1/exports",
            &json!({"exported_object": "api_log", "parameters": {"filters": filters}}),
        )?;
        let path = format!("/v1/exports/{}", made["id"].as_str().unwrap_or_default());
        let begun = Instant::now();
        loop {
            let export: Value = serde_json::from_slice(&client.get(&path)?.body)?;
            match export["status"].as_str() {
                Some("DONE") => break,
                Some("SCHEDULED" | "IN_PROGRESS") if begun.elapsed() < PATIENCE => sleep(Duration::from_millis(50)),
                _ => return Err(format!("the export did not end well: {export}").into()),
            }
        }
    }
    Ok(())
}

fn sendouts(client: &mut Client) -> Outcome<()> {
    let board = Board::new(EVENTS, vec![Manner::Takes]);
    let receiver = Receiver::start(Arc::clone(&board))?;
    let target = format!("http://127.0.0.1:{}/0", receiver.port);
    let endpoint = post(
        client,
        "/v1/webhooks",
        &json!({"target_url": target, "events": ["voucher.published"]}),
    )?;
    for number in 0..EVENTS {
        post(
            client,
            "/v1/events",
            &json!({"type": "voucher.published", "data": {"n": number, "object": "voucher"}}),
        )?;
    }
    let begun = Instant::now();
    while board.missing() > 0 && begun.elapsed() < PATIENCE {
        sleep(Duration::from_millis(20));
    }
    // Nobody listens there once this is over.
    let path = format!("/v1/webhooks/{}", endpoint["id"].as_str().unwrap_or_default());
    client.send("DELETE", &path, "text/plain", b"")?;
    Ok(())
}

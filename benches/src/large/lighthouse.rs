//! Pages in the browser, as Lighthouse sees them: `benches/browser/lighthouse.mjs` opens them, this says where and judges.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use super::days::Days;
use super::furnish::furnished;
use super::stand::Stand;
use crate::Outcome;
use crate::report::Report;

const SCRIPT: &str = "benches/browser/lighthouse.mjs";
const SCORES: [&str; 3] = ["performance", "accessibility", "best-practices"];
const PAINT_AIM: Duration = Duration::from_millis(500);
const INTERACTIVE_AIM: Duration = Duration::from_secs(1);

/// Every page, with the large database behind it.
pub fn measure(report: &mut Report, stand: &Stand, days: &Days) -> Outcome<()> {
    let server = stand.large()?;
    furnished(stand, &server, days)?;
    let (id, _) = days.batch(days.last_batches().start).next().ok_or("no logs")?;
    let last = days.last().arguments();
    let pages = [
        ("Logs", format!("logs?{last}")),
        ("a log", format!("logs/{id}")),
        ("Background tasks", "tasks".to_owned()),
        ("Exports", "exports".to_owned()),
        ("Webhook sendouts", "sendouts".to_owned()),
        ("Settings, Keys", "settings/keys".to_owned()),
    ];
    let address = |path: &str| format!("http://{}/projects/{}/{path}", server.host, server.project);
    let pages: Vec<Value> = pages
        .iter()
        .map(|(name, path)| json!({"name": name, "url": address(path)}))
        .collect();
    let cookie = server.cookie.trim_start_matches("Cookie:").trim();
    let seen = seen(&json!({"cookie": cookie, "pages": pages}))?;
    for page in seen["pages"].as_array().ok_or("Lighthouse told of no pages")? {
        told(report, page);
    }
    report.figure(
        "looked at by",
        format!("{}, {}", text(&seen["lighthouse"]), text(&seen["browser"])),
        None,
        &Value::Null,
    );
    server.stop()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Lets the script look; what it says on standard error goes through.
fn seen(wish: &Value) -> Outcome<Value> {
    let mut child = Command::new("node")
        .arg(SCRIPT)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(wish.to_string().as_bytes())?;
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Err(format!("{SCRIPT} ended with {}", output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn told(report: &mut Report, page: &Value) {
    let name = text(&page["name"]);
    let scores: Vec<f64> = SCORES.iter().map(|score| page[score].as_f64().unwrap_or_default()).collect();
    let words: Vec<String> = scores.iter().map(|score| format!("{score:.0}")).collect();
    let missed: Vec<&str> = page["missed"].as_array().into_iter().flatten().map(text).collect();
    let missed = if missed.is_empty() {
        String::new()
    } else {
        format!(" ({})", missed.join(", "))
    };
    report.figure(
        &format!("{name}: performance, accessibility, best practices"),
        format!("{}{missed}", words.join(", ")),
        Some(("100 each".to_owned(), scores.iter().all(|score| *score >= 100.0))),
        page,
    );
    let spent = |value: &Value| Duration::from_secs_f64(value.as_f64().unwrap_or(f64::from(u32::MAX)) / 1e3);
    report.time(&format!("{name}: largest paint"), spent(&page["paint"]), PAINT_AIM);
    report.time(&format!("{name}: interactive"), spent(&page["interactive"]), INTERACTIVE_AIM);
    let bytes = page["bytes"].as_f64().unwrap_or_default();
    report.figure(
        &format!("{name}: everything that is sent for it"),
        format!("{:.0} KB", bytes / 1e3),
        None,
        &json!(bytes),
    );
}

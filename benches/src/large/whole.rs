//! All of the days asked at once: an answer, or an honest part of one, in time. The worst of several times counts, the first and coldest too.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::days::Days;
use super::people;
use super::questions::{self, Question};
use crate::Outcome;
use crate::http::Client;
use crate::report::Report;
use crate::server::Server;

const TIMES: usize = 7;
const AIM: Duration = Duration::from_millis(300);

pub fn measure(report: &mut Report, server: &Server, days: &Days) -> Outcome<()> {
    let mut worst = (Duration::ZERO, String::new());
    for question in questions::all(days, days.whole(), days.batches())? {
        let (spent, words) = asked(&question, server)?;
        said(report, &question.name, spent, &words);
        if spent > worst.0 {
            worst = (spent, question.name);
        }
    }
    report.time(&format!("the worst of them: {}", worst.1), worst.0, AIM);
    by_api(report, server, days)
}

fn said(report: &mut Report, name: &str, spent: Duration, words: &str) {
    let millis = spent.as_secs_f64() * 1e3;
    report.figure(
        name,
        format!("{millis:.1} ms; {words}"),
        Some((format!("at most {} ms", AIM.as_millis()), spent <= AIM)),
        &json!({"ms": millis, "answer": words}),
    );
}

/// The longest that it took, as a page and as the page's data, and the least that was answered.
fn asked(question: &Question, server: &Server) -> Outcome<(Duration, String)> {
    let mut client = Client::new(&server.host, &server.cookie)?;
    let mut worst = Duration::ZERO;
    let mut least: Option<people::Answered> = None;
    for time in 0..TIMES {
        let path = question.path(server, time);
        let begun = Instant::now();
        let answer = client.get(&path)?;
        worst = worst.max(begun.elapsed());
        if answer.code != 200 {
            return Err(format!("{path} answered {}", answer.code).into());
        }
        let Some(arguments) = question.arguments(time) else {
            continue;
        };
        let path = people::data_path(people::LOGS, &server.project, arguments);
        let begun = Instant::now();
        let data = people::data(&mut client, &path)?;
        worst = worst.max(begun.elapsed());
        let answered = people::answered(&data)?;
        let is_less = |before: &people::Answered| answered.searched.unwrap_or(1.0) < before.searched.unwrap_or(1.0);
        if least.as_ref().is_none_or(is_less) {
            least = Some(answered);
        }
    }
    let words = least.map_or_else(|| "answered".to_owned(), |least| least.words());
    Ok((worst, words))
}

/// What a caller of the API waits for the same texts; it may take longer there, and says so too.
fn by_api(report: &mut Report, server: &Server, days: &Days) -> Outcome<()> {
    let mut client = Client::new(&server.host, &server.key)?;
    for (name, text) in [
        ("absent", "track_absent0099zz"),
        ("three letters, absent", "qzx"),
        ("common", "customer"),
    ] {
        let path = format!("/v1/logs?{}&limit=50&q={text}", days.whole().arguments());
        let begun = Instant::now();
        let answer = client.get(&path)?;
        let spent = begun.elapsed();
        let page: Value = serde_json::from_slice(&answer.body)?;
        let rows = page["data"]
            .as_array()
            .ok_or_else(|| format!("{path} answered {}", answer.code))?
            .len();
        let how = match page["searched_to"].as_str() {
            Some(time) => format!("a part: {rows} rows, searched to {time}"),
            None => format!("{rows} rows"),
        };
        let millis = spent.as_secs_f64() * 1e3;
        report.figure(
            &format!("by the API: text, {name}"),
            format!("{millis:.1} ms; {how}"),
            None,
            &json!({"ms": millis, "answer": how}),
        );
    }
    Ok(())
}

//! Ingest while four people page and search: how many logs, how long a call takes, what people notice, and whether anybody starves.
//!
//! On the large database, whose trees are deep. The logs are of now, and have no ids of their own, as most callers' have none.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::json;

use super::days::{Days, grouped};
use super::generate::post;
use super::stand::Stand;
use crate::Outcome;
use crate::data::Rows;
use crate::http::Client;
use crate::measure::at;
use crate::report::Report;
use crate::server::Server;

const CLIENTS: [usize; 3] = [1, 16, 256];
const LOGS_A_CALL: [usize; 2] = [1, 1_000];
const LASTING: Duration = Duration::from_secs(10);
const PEOPLE: usize = 4;
/// Between one page and the next that somebody opens.
const PAUSE: Duration = Duration::from_millis(100);
/// Nobody starves: whoever is answered the least has at least so great a share of what everybody has in the mean.
const FAIR: f64 = 0.2;
/// Different calls, so that not all the logs say the same.
const BODIES: [usize; 2] = [4_000, 16];

/// What one client, or one person, came to.
#[derive(Default)]
struct Went {
    calls: Vec<Duration>,
    searches: Vec<Duration>,
    put_off: u32,
}

pub fn measure(report: &mut Report, stand: &Stand, days: &Days) -> Outcome<()> {
    let server = stand.large()?;
    let (_, people, _) = together(&server, days, 0, &[])?;
    noticed(report, "four people, nothing sent", people);
    for (logs, bodies) in LOGS_A_CALL.into_iter().zip(BODIES) {
        let bodies = made(logs, bodies)?;
        for clients in CLIENTS {
            let (sent, people, spent) = together(&server, days, clients, &bodies)?;
            let name = format!(
                "{clients} {}, {} a call",
                if clients == 1 { "client" } else { "clients" },
                words(logs)
            );
            told(report, &name, logs, sent, spent);
            noticed(report, &format!("{name}: four people meanwhile"), people);
        }
    }
    report.bytes("most memory of the server meanwhile", server.peak_memory()?, None);
    server.stop()
}

fn words(logs: usize) -> String {
    if logs == 1 {
        "1 log".to_owned()
    } else {
        format!("{} logs", grouped(logs as u64))
    }
}

/// Calls of logs of just now.
fn made(logs: usize, calls: usize) -> Outcome<Vec<String>> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as i64;
    let mut rows = Rows::new(now as u64, now - (logs * calls) as i64 / 10, 0);
    let calls = (0..calls).map(|_| rows.by_ref().take(logs).map(|row| row.to_line(None)).collect());
    Ok(calls.collect())
}

/// Everybody at once; gives what the clients and the people came to, and how long it took until the last call was answered.
fn together(server: &Server, days: &Days, clients: usize, bodies: &[String]) -> Outcome<(Vec<Went>, Vec<Went>, Duration)> {
    let over = AtomicBool::new(false);
    let begun = Instant::now();
    thread::scope(|scope| {
        let sending: Vec<_> = (0..clients)
            .map(|nth| scope.spawn(move || send(server, bodies, nth, begun).map_err(|error| error.to_string())))
            .collect();
        let looking: Vec<_> = (0..PEOPLE)
            .map(|nth| {
                let over = &over;
                scope.spawn(move || look(server, days, nth, over).map_err(|error| error.to_string()))
            })
            .collect();
        let sent: Result<Vec<Went>, String> = sending
            .into_iter()
            .map(|client| client.join().map_err(|_| "a client panicked".to_owned())?)
            .collect();
        let spent = begun.elapsed();
        thread::sleep(LASTING.saturating_sub(spent));
        over.store(true, Ordering::SeqCst);
        let people: Result<Vec<Went>, String> = looking
            .into_iter()
            .map(|person| person.join().map_err(|_| "somebody panicked".to_owned())?)
            .collect();
        Ok((sent?, people?, spent))
    })
}

/// One client: a call, its answer, and again. A call is as long as it takes until it is taken.
fn send(server: &Server, bodies: &[String], nth: usize, begun: Instant) -> Outcome<Went> {
    let mut client = Client::new(&server.host, &server.key)?;
    let mut went = Went::default();
    for body in bodies.iter().cycle().skip(nth * 7 % bodies.len()) {
        if begun.elapsed() >= LASTING {
            break;
        }
        let since = Instant::now();
        went.put_off += post(&mut client, body.as_bytes())?;
        went.calls.push(since.elapsed());
    }
    Ok(went)
}

/// One person: the page as it is opened, with what has just come, then a text in the last of the days.
fn look(server: &Server, days: &Days, nth: usize, over: &AtomicBool) -> Outcome<Went> {
    let mut client = Client::new(&server.host, &server.cookie)?;
    let mut went = Went::default();
    let pages = [
        format!("/projects/{}/logs", server.project),
        format!("/projects/{}/logs?status=FAILURE", server.project),
    ];
    let last = days.last().arguments();
    for round in nth.. {
        let texts = ["customer".to_owned(), format!("track_absent{round:04}zz")];
        let search = format!("/projects/{}/logs?{last}&q={}", server.project, texts[round % 2]);
        for (path, is_search) in [(&pages[round / 2 % 2], false), (&search, true)] {
            let since = Instant::now();
            let answer = client.get(path)?;
            let spent = if is_search { &mut went.searches } else { &mut went.calls };
            spent.push(since.elapsed());
            if answer.code != 200 {
                return Err(format!("{path} answered {}", answer.code).into());
            }
            if over.load(Ordering::SeqCst) {
                return Ok(went);
            }
            thread::sleep(PAUSE);
        }
    }
    Ok(went)
}

fn millis(spent: Duration) -> f64 {
    spent.as_secs_f64() * 1e3
}

/// What the clients came to.
fn told(report: &mut Report, name: &str, logs: usize, sent: Vec<Went>, spent: Duration) {
    let counts: Vec<usize> = sent.iter().map(|went| went.calls.len()).collect();
    let (fewest, most) = (
        counts.iter().min().copied().unwrap_or_default(),
        counts.iter().max().copied().unwrap_or_default(),
    );
    let mean = counts.iter().sum::<usize>() as f64 / counts.len().max(1) as f64;
    let put_off: u32 = sent.iter().map(|went| went.put_off).sum();
    report.rate(name, counts.iter().sum::<usize>() * logs, spent);
    let calls: Vec<Duration> = sent.into_iter().flat_map(|went| went.calls).collect();
    let [p50, p99, longest] = [0.5, 0.99, 1.0].map(|share| millis(at(calls.clone(), share)));
    report.figure(
        &format!("{name}: p50, p99 and longest of a call"),
        format!("{p50:.1}, {p99:.1}, {longest:.1} ms"),
        None,
        &json!({"p50": p50, "p99": p99, "longest": longest}),
    );
    let is_fair = fewest > 0 && fewest as f64 >= FAIR * mean.floor();
    report.figure(
        &format!("{name}: calls of a client, fewest to most; put off (429)"),
        format!("{fewest} to {most}; {put_off}"),
        Some((format!("none below {FAIR} of the mean"), is_fair)),
        &json!({"fewest": fewest, "most": most, "mean": mean, "put_off": put_off}),
    );
}

/// What people noticed.
fn noticed(report: &mut Report, name: &str, people: Vec<Went>) {
    let fewest = people.iter().map(|went| went.calls.len()).min().unwrap_or_default();
    let (mut pages, mut searches) = (Vec::new(), Vec::new());
    for went in people {
        pages.extend(went.calls);
        searches.extend(went.searches);
    }
    let p99 = |spent: &Vec<Duration>| millis(at(spent.clone(), 0.99));
    report.figure(
        &format!("{name}: p99 of a page, of a search"),
        format!("{:.1}, {:.1} ms", p99(&pages), p99(&searches)),
        Some(("everybody is served".to_owned(), fewest > 0)),
        &json!({"page": p99(&pages), "search": p99(&searches), "pages": pages.len(), "fewest": fewest}),
    );
}

//! What is measured of a running server: ingest, pages, text search.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Outcome;
use crate::http::Client;
use crate::server::Server;

/// Sends every batch file once, over so many connections; gives the time until the last one was acknowledged.
pub fn ingest(server: &Server, batches: &[PathBuf], connections: usize) -> Outcome<Duration> {
    let next = AtomicUsize::new(0);
    let begun = Instant::now();
    thread::scope(|scope| {
        let senders: Vec<_> = (0..connections)
            .map(|_| scope.spawn(|| send_all(server, batches, &next).map_err(|error| error.to_string())))
            .collect();
        for sender in senders {
            sender.join().map_err(|_| "a sender panicked")??;
        }
        Outcome::Ok(())
    })?;
    Ok(begun.elapsed())
}

fn send_all(server: &Server, batches: &[PathBuf], next: &AtomicUsize) -> Outcome<()> {
    let mut client = Client::new(&server.host, &server.key)?;
    while let Some(batch) = batches.get(next.fetch_add(1, Ordering::SeqCst)) {
        let body = fs::read(batch)?;
        loop {
            let answer = client.send("POST", "/v1/logs", "application/x-ndjson", &body)?;
            match answer.code {
                201 => break,
                429 | 503 => thread::sleep(Duration::from_millis(50)),
                code => return Err(format!("ingest answered {code}: {}", String::from_utf8_lossy(&answer.body)).into()),
            }
        }
    }
    Ok(())
}

/// The median time of a page at one client, after a warm-up.
pub fn page_p50(server: &Server, path: &str, times: usize) -> Outcome<Duration> {
    let mut client = Client::new(&server.host, &server.cookie)?;
    let mut spent = Vec::with_capacity(times);
    for round in 0..times + 20 {
        let begun = Instant::now();
        let answer = client.get(path)?;
        if answer.code != 200 || !answer.body.windows(6).any(|window| window == b"<tbody") {
            return Err(format!("{path} answered {} without a table", answer.code).into());
        }
        if round >= 20 {
            spent.push(begun.elapsed());
        }
    }
    Ok(median(spent))
}

/// Pages a second at so many clients.
pub fn pages_a_second(server: &Server, path: &str, clients: usize, lasting: Duration) -> Outcome<f64> {
    requests_a_second(&server.host, &server.cookie, path, clients, lasting)
}

/// The same of any server; `headers` as [`Client::new`] takes them.
pub fn requests_a_second(host: &str, headers: &str, path: &str, clients: usize, lasting: Duration) -> Outcome<f64> {
    let begun = Instant::now();
    let pages = AtomicUsize::new(0);
    thread::scope(|scope| {
        let readers: Vec<_> = (0..clients)
            .map(|_| {
                scope.spawn(|| -> Result<(), String> {
                    let mut client = Client::new(host, headers).map_err(|error| error.to_string())?;
                    while begun.elapsed() < lasting {
                        let answer = client.get(path).map_err(|error| error.to_string())?;
                        if answer.code != 200 {
                            return Err(format!("{path} answered {}", answer.code));
                        }
                        pages.fetch_add(1, Ordering::Relaxed);
                    }
                    Ok(())
                })
            })
            .collect();
        for reader in readers {
            reader.join().map_err(|_| "a reader panicked")??;
        }
        Outcome::Ok(())
    })?;
    Ok(pages.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64())
}

/// The median time of a text search by API, each time for another needle; every search must find `at_least` logs and come to its end or its page's.
pub fn search_p50(server: &Server, range: &str, needles: &[String], at_least: usize) -> Outcome<Duration> {
    let mut client = Client::new(&server.host, &server.key)?;
    let mut spent = Vec::new();
    for needle in needles {
        let path = format!("/v1/logs?{range}&limit=50&q={needle}");
        let begun = Instant::now();
        let answer = client.get(&path)?;
        spent.push(begun.elapsed());
        let found: Value = serde_json::from_slice(&answer.body)?;
        let rows = found["data"]
            .as_array()
            .ok_or_else(|| format!("{path} answered {}", answer.code))?
            .len();
        if rows < at_least {
            return Err(format!("{path} found {rows} logs, not {at_least}").into());
        }
    }
    Ok(median(spent))
}

/// The middle one.
pub fn median(spent: Vec<Duration>) -> Duration {
    at(spent, 0.5)
}

/// The one that so great a share of them are below; nothing of none.
pub fn at(mut spent: Vec<Duration>, share: f64) -> Duration {
    spent.sort_unstable();
    let place = (spent.len() as f64 * share) as usize;
    spent
        .get(place.min(spent.len().saturating_sub(1)))
        .copied()
        .unwrap_or_default()
}

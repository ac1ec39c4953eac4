//! Many people who follow the Logs tab with different filters while logs come in: how late each hears of what, and what it costs whoever sends,
//! at a steady pace and where as much is sent as is taken.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::Outcome;
use crate::http::Client;
use crate::measure::at;
use crate::report::Report;
use crate::server::Server;

/// Who follows.
const FOLLOWERS: usize = 200;
/// Each filter has so many values; every log has one of each.
const VALUES: usize = 50;
/// Senders, each with a call of so many logs every so often: 2,000 logs a second.
const SENDERS: usize = 4;
const LOGS: usize = 50;
const EVERY: Duration = Duration::from_millis(100);
/// How long they do.
const SPENT: Duration = Duration::from_secs(20);
/// How long as many logs are sent as are taken, each time.
const FLOOD: Duration = Duration::from_secs(8);

/// Measures it on a server of its own.
pub fn measure(report: &mut Report, name: &str, server: &Server) -> Outcome<()> {
    // What is there before: pages and indexes of some size.
    flood(server, FLOOD)?;
    let before = server.memory("status", "VmRSS:")?;
    let alone = paced(server)?;
    let followers = Followers::open(server, hear)?;
    let beside = paced(server)?;
    let heard = followers.close()?;
    let rate = beside.rate();
    report.duration(
        &format!("{name}: {FOLLOWERS} followers, {rate:.0} logs a second, heard after, half of it"),
        heard.half,
    );
    report.duration(&format!("{name}: the same, p99"), heard.p99);
    report.time(&format!("{name}: the same, the latest"), heard.latest, Duration::from_secs(1));
    report.ratio(
        &format!("{name}: logs a second that are sent so and taken, with the followers / without"),
        rate / alone.rate(),
        0.9,
        true,
    );
    for (share, word) in [(0.5, "p50"), (0.99, "p99")] {
        report.duration(
            &format!("{name}: one of these calls without followers, {word}"),
            at(alone.calls.clone(), share),
        );
        report.duration(
            &format!("{name}: the same beside them, {word}"),
            at(beside.calls.clone(), share),
        );
    }
    let (mut alone, mut followed) = (0.0, 0.0);
    for with in [false, true, true, false] {
        let followers = with.then(|| Followers::open(server, read_alone)).transpose()?;
        let rate = flood(server, FLOOD)?;
        *(if with { &mut followed } else { &mut alone }) += rate;
        if let Some(followers) = followers {
            followers.close()?;
        }
    }
    report.a_second(&format!("{name}: ingest in calls of {LOGS}"), alone / 2.0, None);
    report.ratio(
        &format!("{name}: the same with {FOLLOWERS} followers / without"),
        followed / alone,
        0.9,
        true,
    );
    report.memory(&format!("{name}: memory before anybody followed"), before);
    report.memory(&format!("{name}: peak memory"), server.peak_memory()?);
    Ok(())
}

/// A call's logs; `nth` is the first one's number.
fn call(nth: usize) -> String {
    let log = |number: usize| {
        let value = number * 7 % VALUES;
        let code = if number.is_multiple_of(9) { 500 } else { 200 };
        json!({
            "method": "GET", "url": format!("https://api.example.com/v1/kind-{value}/items"), "status_code": code,
            "user_email": format!("user-{value}@example.com"), "request_duration": 12.5,
            "request": {"body": {"needle": format!("word-{value}-end"), "of": number}},
            "response": {"body": {"ok": code == 200, "items": [number, number + 1, number + 2]}},
        })
    };
    (nth..nth + LOGS).map(|number| format!("{}\n", log(number))).collect()
}

/// What was sent and taken.
struct Sent {
    /// How long each call took.
    calls: Vec<Duration>,
    /// How long all of them took.
    spent: Duration,
}

impl Sent {
    /// Logs a second.
    fn rate(&self) -> f64 {
        (self.calls.len() * LOGS) as f64 / self.spent.as_secs_f64()
    }
}

/// Sends as much as is taken for so long; gives logs a second.
fn flood(server: &Server, long: Duration) -> Outcome<f64> {
    let begun = Instant::now();
    Ok(send(server, || (begun.elapsed() < long).then_some(Duration::ZERO))?.rate())
}

/// Sends at a steady pace.
fn paced(server: &Server) -> Outcome<Sent> {
    let begun = Instant::now();
    let calls = AtomicUsize::new(0);
    send(server, || {
        let due = EVERY * (calls.fetch_add(1, Ordering::Relaxed) / SENDERS) as u32;
        (due < SPENT).then(|| due.saturating_sub(begun.elapsed()))
    })
}

/// Sends calls from several connections, each after the time that `next` says, until it says none.
fn send(server: &Server, next: impl Fn() -> Option<Duration> + Sync) -> Outcome<Sent> {
    let begun = Instant::now();
    let (sent, calls) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        let one = || -> Result<(), String> {
            let words = |error: Box<dyn std::error::Error + Send + Sync>| error.to_string();
            let mut client = Client::new(&server.host, &server.key).map_err(|error| words(error.to_string().into()))?;
            while let Some(wait) = next() {
                thread::sleep(wait);
                let body = call(sent.fetch_add(LOGS, Ordering::Relaxed));
                let since = Instant::now();
                let answer = client
                    .send("POST", "/v1/logs", "application/x-ndjson", body.as_bytes())
                    .map_err(|error| error.to_string())?;
                if answer.code != 201 {
                    return Err(format!(
                        "ingest answered {}: {}",
                        answer.code,
                        String::from_utf8_lossy(&answer.body)
                    ));
                }
                calls.lock().unwrap_or_else(PoisonError::into_inner).push(since.elapsed());
            }
            Ok(())
        };
        let senders: Vec<_> = (0..SENDERS).map(|_| scope.spawn(one)).collect();
        for sender in senders {
            sender.join().map_err(|_| "a sender panicked")??;
        }
        Outcome::Ok(())
    })?;
    Ok(Sent {
        calls: calls.into_inner().unwrap_or_else(PoisonError::into_inner),
        spent: begun.elapsed(),
    })
}

/// How late they heard.
struct Heard {
    half: Duration,
    p99: Duration,
    latest: Duration,
}

/// What a follower heard: how late each event was, in milliseconds; and how many logs they were told of.
type Told = (Vec<i64>, u64);

/// People who follow.
struct Followers {
    streams: Vec<TcpStream>,
    threads: Vec<thread::JoinHandle<Result<Told, String>>>,
}

static OPEN: AtomicBool = AtomicBool::new(false);

impl Followers {
    fn open(server: &Server, hear: fn(BufReader<TcpStream>) -> Result<Told, String>) -> Outcome<Self> {
        let page = Client::new(&server.host, &server.cookie)?.get(&format!("/api/logs?project={}&query=", server.project))?;
        let page: Value = serde_json::from_slice(&page.body)?;
        let mark = page["mark"].as_i64().ok_or("the page says no mark")?;
        OPEN.store(true, Ordering::SeqCst);
        let mut all = Self {
            streams: Vec::new(),
            threads: Vec::new(),
        };
        for place in 0..FOLLOWERS {
            let value = place % VALUES;
            let query = match place / VALUES {
                0 => format!("path=/v1/kind-{value}/"),
                1 => format!("user=user-{value}@example.com&status=FAILURE"),
                2 => format!("user=user-{value}@example.com"),
                _ => format!("q=word-{value}-end"),
            };
            let mut stream = TcpStream::connect(&server.host)?;
            write!(
                stream,
                "GET /live/{}/logs?{query}&since={mark} HTTP/1.1\r\nHost: {}\r\n{}\r\n",
                server.project, server.host, server.cookie
            )?;
            let mut reader = BufReader::new(stream.try_clone()?);
            let mut line = String::new();
            reader.read_line(&mut line)?;
            if !line.contains(" 200 ") {
                return Err(format!("a stream was answered {line}").into());
            }
            all.streams.push(stream);
            all.threads
                .push(thread::Builder::new().stack_size(256 << 10).spawn(move || hear(reader))?);
        }
        Ok(all)
    }

    fn close(self) -> Outcome<Heard> {
        // What was written last is heard, too.
        thread::sleep(Duration::from_secs(2));
        OPEN.store(false, Ordering::SeqCst);
        for stream in &self.streams {
            stream.shutdown(Shutdown::Both)?;
        }
        let mut late = Vec::new();
        for thread in self.threads {
            let (heard, count) = thread.join().map_err(|_| "a follower panicked")??;
            if count == 0 {
                return Err("a follower heard nothing".into());
            }
            late.extend(heard);
        }
        late.sort_unstable();
        let at = |place: usize| late.get(place).map_or(0, |ms| (*ms).max(0)).unsigned_abs();
        Ok(Heard {
            half: Duration::from_millis(at(late.len() / 2)),
            p99: Duration::from_millis(at(late.len() * 99 / 100)),
            latest: Duration::from_millis(at(late.len().saturating_sub(1))),
        })
    }
}

/// Reads a stream until it is closed.
fn hear(mut reader: BufReader<TcpStream>) -> Result<Told, String> {
    let (mut late, mut count) = (Vec::new(), 0);
    let mut line = String::new();
    loop {
        line.clear();
        match reader.read_line(&mut line) {
            Ok(read) if read > 0 => {}
            _ if OPEN.load(Ordering::SeqCst) => return Err("a stream ended by itself".to_owned()),
            _ => return Ok((late, count)),
        }
        let Some(data) = line.strip_prefix("data: ").filter(|data| data.contains("\"rows\"")) else {
            continue;
        };
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_err(|error| error.to_string())?
            .as_millis() as i64;
        let news: Value = serde_json::from_str(data).map_err(|error| error.to_string())?;
        if news["missed"] == true {
            return Err("a follower missed something".to_owned());
        }
        count += news["count"].as_u64().unwrap_or_default();
        let rows = news["rows"].as_array().into_iter().flatten();
        late.extend(rows.filter_map(|row| row["at"].as_i64()).min().map(|at| now - at));
    }
}

/// Reads a stream until it is closed, and looks at nothing in it: what a browser does with it costs whoever sends nothing.
fn read_alone(mut reader: BufReader<TcpStream>) -> Result<Told, String> {
    let (mut line, mut count) = (Vec::new(), 0);
    loop {
        line.clear();
        match reader.read_until(b'\n', &mut line) {
            Ok(read) if read > 0 => {}
            _ if OPEN.load(Ordering::SeqCst) => return Err("a stream ended by itself".to_owned()),
            _ => return Ok((Vec::new(), count)),
        }
        count += u64::from(line.starts_with(b"data: {\"mark\""));
    }
}

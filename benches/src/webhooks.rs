//! Webhooks end to end, client, server and receiver on one machine: how many, how soon, and beside which neighbours.
//!
//! One event a request, from 32 clients that wait for each answer; the receiver notes when each came. What is durable stays so.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::Outcome;
use crate::http::Client;
use crate::receiver::{Board, Manner, Receiver, message};
use crate::report::Report;
use crate::server::Server;

/// Clients that post.
const CLIENTS: usize = 32;
/// Bare loops beside one another: as many as an endpoint's lane has requests in flight.
const LOOPS: usize = 16;
/// Events of a run at saturation with one endpoint; with ten there are as many deliveries and half as many again.
const EVENTS: usize = 40_000;
/// Events with and without a dead and a slow endpoint beside: so many a round, so many a second. Rounds take turns, so that both meet the same machine.
const BESIDE: (usize, usize, f64) = (4, 2_500, 500.0);
/// How long the slow one takes.
const SLOW: Duration = Duration::from_secs(1);
/// Nothing may take longer.
const PATIENCE: Duration = Duration::from_mins(4);

/// Waits that were measured, the shortest first.
struct Waits(Vec<Duration>);

impl Waits {
    fn at(&self, share: f64) -> Duration {
        let place = (self.0.len() as f64 * share) as usize;
        self.0
            .get(place.min(self.0.len().saturating_sub(1)))
            .copied()
            .unwrap_or_default()
    }
}

/// What a run came to.
struct Run {
    /// Deliveries a second, from the first post to the last delivery.
    rate: f64,
    /// From a post's answer until the first endpoint had the event; and from the beginning of the post.
    since_accepted: Waits,
    since_posted: Waits,
}

/// Every figure of one database. `aim` is how many deliveries a second are wanted of it.
pub async fn measure(report: &mut Report, name: &str, server: &Server, aim: Option<f64>) -> Outcome<()> {
    run(server, 2_000, vec![Manner::Takes], None).await?;
    let one = run(server, EVENTS, vec![Manner::Takes], None).await?.rate;
    let ten = run(server, EVENTS * 15 / 100, vec![Manner::Takes; 10], None).await?.rate;
    let (bare, many) = (bare_loops(1).await?, bare_loops(LOOPS).await?);
    report.a_second(&format!("{name}: events accepted and delivered, one endpoint"), one, aim);
    report.a_second(&format!("{name}: deliveries to ten endpoints"), ten, aim);
    report.a_second(
        &format!("{name}: meanwhile a bare HTTP client loop into the same receiver"),
        bare,
        None,
    );
    report.a_second(&format!("{name}: meanwhile {LOOPS} such loops at once"), many, None);
    report.ratio(
        &format!("{name}: events delivered to one endpoint / bare loop"),
        one / bare,
        0.33,
        true,
    );
    report.ratio(
        &format!("{name}: deliveries to ten endpoints / bare loop"),
        ten / bare,
        0.33,
        true,
    );
    at_half(report, name, server, one / 2.0).await?;
    beside(report, name, server).await
}

/// How soon events come at a load that is half of what is possible.
async fn at_half(report: &mut Report, name: &str, server: &Server, pace: f64) -> Outcome<()> {
    let calm = run(server, (pace * 10.0) as usize, vec![Manner::Takes], Some(pace)).await?;
    let what = format!("{name}: accepted to delivered at half that load");
    report.time(
        &format!("{what}, p50"),
        calm.since_accepted.at(0.5),
        Duration::from_millis(10),
    );
    report.duration(&format!("{what}, p99"), calm.since_accepted.at(0.99));
    let what = format!("{name}: posted to delivered at that load");
    report.duration(&format!("{what}, p50"), calm.since_posted.at(0.5));
    report.duration(&format!("{what}, p99"), calm.since_posted.at(0.99));
    Ok(())
}

/// What a dead and a slow endpoint cost a healthy one: the middle one of the rounds' p99.
async fn beside(report: &mut Report, name: &str, server: &Server) -> Outcome<()> {
    let (rounds, events, pace) = BESIDE;
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let neighbours = vec![Manner::Takes, Manner::Dead, Manner::Slow(SLOW)];
        for (manners, waits) in [(vec![Manner::Takes], &mut alone), (neighbours, &mut beside)] {
            waits.push(run(server, events, manners, Some(pace)).await?.since_posted.at(0.99));
        }
    }
    let [alone, beside] = [alone, beside].map(|mut waits| {
        waits.sort();
        waits[waits.len() / 2]
    });
    report.duration(&format!("{name}: posted to delivered, p99, one endpoint alone"), alone);
    report.duration(&format!("{name}: the same beside a dead and a slow one"), beside);
    let ratio = beside.as_secs_f64() / alone.as_secs_f64();
    report.ratio(&format!("{name}: beside a dead and a slow one / alone"), ratio, 2.0, false);
    Ok(())
}

/// Posts so many events, at a pace or as fast as they are taken, and waits until each endpoint that takes at once has them all.
async fn run(server: &Server, events: usize, manners: Vec<Manner>, pace: Option<f64>) -> Outcome<Run> {
    let board = Board::new(events, manners);
    let receiver = Receiver::start(Arc::clone(&board))?;
    let kind = format!("bench.{}", receiver.port);
    let endpoints = add_endpoints(server, &receiver, board.manners.len(), &kind)?;
    let posting = Arc::new(Posting {
        board: Arc::clone(&board),
        next: AtomicUsize::new(0),
        host: server.host.clone(),
        key: server.key.clone(),
        kind,
        pace,
        begun: Instant::now(),
    });
    let clients: Vec<_> = (0..CLIENTS).map(|_| tokio::spawn(post_all(Arc::clone(&posting)))).collect();
    for client in clients {
        client.await?.map_err(|problem| problem.to_string())?;
    }
    while board.missing() > 0 {
        if posting.begun.elapsed() > PATIENCE {
            return Err(format!("{} of {events} events never came", board.missing()).into());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    remove_endpoints(server, &endpoints)?;
    Ok(came_to(&board))
}

fn came_to(board: &Board) -> Run {
    let of = |times: &[std::sync::atomic::AtomicU64]| -> Vec<u64> { times.iter().map(|at| at.load(Ordering::SeqCst)).collect() };
    let (posted, accepted, first) = (of(&board.posted), of(&board.accepted), of(&board.delivered[0]));
    let taking = board
        .delivered
        .iter()
        .zip(&board.manners)
        .filter(|(_, manner)| matches!(manner, Manner::Takes));
    let last = taking.clone().flat_map(|(times, _)| of(times)).max().unwrap_or_default();
    let begun = posted.iter().min().copied().unwrap_or_default();
    let deliveries = taking.count() * posted.len();
    let waits = |since: &[u64]| {
        // What came before its post was answered was not waited for.
        let mut waits: Vec<Duration> = first
            .iter()
            .zip(since)
            .map(|(at, since)| Duration::from_micros(at.saturating_sub(*since)))
            .collect();
        waits.sort();
        Waits(waits)
    };
    Run {
        rate: deliveries as f64 / Duration::from_micros(last - begun).as_secs_f64(),
        since_accepted: waits(&accepted),
        since_posted: waits(&posted),
    }
}

fn add_endpoints(server: &Server, receiver: &Receiver, count: usize, kind: &str) -> Outcome<Vec<String>> {
    let mut client = Client::new(&server.host, &server.key)?;
    let add = |number: usize| {
        let target = format!("http://127.0.0.1:{}/{number}", receiver.port);
        let wish = json!({"target_url": target, "events": [kind]}).to_string();
        let answer = client.send("POST", "/v1/webhooks", "application/json", wish.as_bytes())?;
        let made: Value = serde_json::from_slice(&answer.body)?;
        let id = made["id"]
            .as_str()
            .ok_or_else(|| format!("POST /v1/webhooks answered {}: {made}", answer.code))?;
        Ok(id.to_owned())
    };
    (0..count).map(add).collect()
}

fn remove_endpoints(server: &Server, ids: &[String]) -> Outcome<()> {
    let mut client = Client::new(&server.host, &server.key)?;
    for id in ids {
        client.send("DELETE", &format!("/v1/webhooks/{id}"), "text/plain", b"")?;
    }
    Ok(())
}

/// What the clients share.
struct Posting {
    board: Arc<Board>,
    next: AtomicUsize,
    host: String,
    key: String,
    kind: String,
    pace: Option<f64>,
    begun: Instant,
}

impl Posting {
    fn request(&self, number: usize) -> String {
        let body = format!(
            r#"{{"type":"{}","entity_id":"v_{}","data":{{"n":{number},"object":"voucher","code":"SUMMER-{number}","note":"{:x<300}"}}}}"#,
            self.kind,
            number % 1_000,
            ""
        );
        format!(
            "POST /v1/events HTTP/1.1\r\nHost: {}\r\n{}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.host,
            self.key,
            body.len()
        )
    }
}

type Sent = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// One client: the next event, its answer, and again.
async fn post_all(posting: Arc<Posting>) -> Sent {
    let mut stream = TcpStream::connect(&posting.host).await?;
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(4 << 10);
    let board = &posting.board;
    loop {
        let number = posting.next.fetch_add(1, Ordering::SeqCst);
        if number >= board.posted.len() {
            return Ok(());
        }
        let request = posting.request(number);
        if let Some(pace) = posting.pace {
            let at = posting.begun + Duration::from_secs_f64(number as f64 / pace);
            tokio::time::sleep_until(at.into()).await;
        }
        board.note(&board.posted[number]);
        loop {
            stream.write_all(request.as_bytes()).await?;
            let (head, body) = message(&mut stream, &mut buffer)
                .await
                .ok_or("the server closed the connection")?;
            match head.split(' ').nth(1).unwrap_or_default() {
                "201" => break,
                "429" | "503" => tokio::time::sleep(Duration::from_millis(20)).await,
                code => return Err(format!("POST /v1/events answered {code}: {}", String::from_utf8_lossy(&body)).into()),
            }
        }
        board.note(&board.accepted[number]);
    }
}

/// Requests a second of the client library that sends webhooks, in so many loops with nothing around them.
async fn bare_loops(count: usize) -> Outcome<f64> {
    const LASTING: Duration = Duration::from_secs(5);
    let receiver = Receiver::start(Board::new(0, vec![Manner::Takes]))?;
    let client = reqwest::Client::builder().no_proxy().tcp_nodelay(true).build()?;
    let url = format!("http://127.0.0.1:{}/0", receiver.port);
    let begun = Instant::now();
    let loops: Vec<_> = (0..count)
        .map(|_| {
            let (client, url) = (client.clone(), url.clone());
            tokio::spawn(async move {
                let mut sent = 0_u64;
                while begun.elapsed() < LASTING {
                    let answer = client.post(&url).body(vec![b'x'; 900]).send().await?;
                    answer.error_for_status()?.bytes().await?;
                    sent += 1;
                }
                Ok::<u64, reqwest::Error>(sent)
            })
        })
        .collect();
    let mut sent = 0;
    for one in loops {
        sent += one.await??;
    }
    Ok(sent as f64 / begun.elapsed().as_secs_f64())
}

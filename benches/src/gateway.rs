//! The recording gateway beside nginx, both before the same upstream: requests a second and waits, with recording and without.
//!
//! 64 connections, a POST of 400 bytes of JSON each time, an answer of 600. How many go through is measured with every connection busy; waits are measured at a rate that all of them
//! keep up with, since at the limit a wait says nothing but how many stand in the queue. nginx, the gateway without and with recording take turns.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::Outcome;
use crate::http::{Client, header};
use crate::measure::{at, median};
use crate::report::Report;
use crate::server::{program, told};

const CONNECTIONS: usize = 64;
const ROUNDS: usize = 3;
/// How long a round lasts, once it is warm.
const WARM: Duration = Duration::from_secs(1);
const LASTING: Duration = Duration::from_secs(5);
/// Requests a second at which waits are measured, or a quarter of what nginx takes where that is less.
const STEADY: f64 = 2_000.0;
/// What the gateway recorded is stored within this time afterwards.
const PATIENCE: Duration = Duration::from_mins(2);

/// What stands before the upstream.
struct Front {
    name: &'static str,
    port: u16,
    rates: Vec<f64>,
    /// Waits of the 99th of a hundred, at the limit and at the steady rate.
    busy: Vec<Duration>,
    steady: Vec<Duration>,
}

/// A process that ends with the benchmark.
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        // Told first: nginx takes its workers along then, and leaves them behind when it is killed.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        for _ in 0..100 {
            if !matches!(self.0.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(30));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Every figure.
pub async fn measure(report: &mut Report, binary: &Path, folder: &Path) -> Outcome<()> {
    let upstream = upstream().await?;
    let (nginx_port, quiet_port, recording_port, metrics_port) = (port()?, port()?, port()?, port()?);
    let _nginx = nginx(folder, nginx_port, upstream)?;
    let url = format!("sqlite://{}", folder.join("gateway.db").display());
    let files = folder.join("files");
    fs::create_dir_all(&files)?;
    let project = told(program(binary, &url, &files).args(["project", "add", "Bench"]), "")?;
    let gateway = |port: u16, spool: &str, more: &[&str]| -> Outcome<Ends> {
        let spool = folder.join(spool);
        let child = program(binary, &url, &files)
            .args([
                "gateway",
                "--upstream",
                &format!("http://127.0.0.1:{upstream}"),
                "--project",
                &project,
            ])
            .args(["--listen", &format!("127.0.0.1:{port}"), "--spool"])
            .arg(&spool)
            .args(more)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Ends(child))
    };
    let _quiet = gateway(quiet_port, "quiet", &["--record", "false"])?;
    let metrics = format!("127.0.0.1:{metrics_port}");
    let _recording = gateway(recording_port, "recording", &["--metrics-listen", &metrics])?;
    let front = |name, port| Front {
        name,
        port,
        rates: Vec::new(),
        busy: Vec::new(),
        steady: Vec::new(),
    };
    let mut fronts = [
        front("the upstream itself", upstream),
        front("nginx", nginx_port),
        front("gateway, recording off", quiet_port),
        front("gateway, recording on", recording_port),
    ];
    for front in &fronts {
        until_up(front.port).await?;
    }
    let mut steady = STEADY;
    for _ in 0..ROUNDS {
        for front in &mut fronts {
            let (rate, waits) = load(front.port, None).await?;
            front.rates.push(rate);
            front.busy.push(at(waits, 0.99));
        }
        steady = steady.min(fronts[1].rates.iter().copied().fold(f64::MAX, f64::min) / 4.0);
        for front in &mut fronts {
            let (_, waits) = load(front.port, Some(steady)).await?;
            front.steady.push(at(waits, 0.99));
        }
    }
    told_of(report, &fronts, steady);
    recorded(report, &metrics).await
}

fn told_of(report: &mut Report, fronts: &[Front], steady: f64) {
    let middle = |rates: &[f64]| {
        let mut rates = rates.to_vec();
        rates.sort_by(f64::total_cmp);
        rates.get(rates.len() / 2).copied().unwrap_or_default()
    };
    for front in fronts {
        report.a_second(
            &format!("gateway: {}, {CONNECTIONS} connections, requests", front.name),
            middle(&front.rates),
            None,
        );
        report.duration(
            &format!("gateway: {}, p99 with all of them busy", front.name),
            median(front.busy.clone()),
        );
        let name = format!("gateway: {}, p99 at {steady:.0} requests a second", front.name);
        report.duration(&name, median(front.steady.clone()));
    }
    let [_, nginx, off, on] = fronts else { return };
    report.ratio(
        "gateway, recording off / nginx, requests",
        middle(&off.rates) / middle(&nginx.rates),
        0.5,
        true,
    );
    report.ratio(
        "gateway, recording on / nginx, requests",
        middle(&on.rates) / middle(&nginx.rates),
        0.5,
        true,
    );
    let more = median(on.steady.clone()).saturating_sub(median(nginx.steady.clone()));
    let name = format!("gateway, recording on: p99 beyond that of nginx, at {steady:.0} requests a second");
    report.time(&name, more, Duration::from_millis(2));
}

/// That every request which went through is stored, and how long that took after the last one.
async fn recorded(report: &mut Report, metrics: &str) -> Outcome<()> {
    let begun = Instant::now();
    loop {
        let text = String::from_utf8(Client::new(metrics, "")?.get("/metrics")?.body)?;
        let figure = |name: &str| -> f64 {
            text.lines()
                .filter(|line| line.starts_with(name))
                .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
                .sum()
        };
        let (passed, stored, dropped) = (
            figure("gateway_requests_total"),
            figure("gateway_records_stored_total"),
            figure("gateway_records_dropped_total"),
        );
        if dropped > 0.0 {
            return Err(format!("{dropped} requests of {passed} were not recorded").into());
        }
        if stored >= passed {
            report.figure(
                "gateway: requests recorded in all, none missing",
                format!("{stored:.0}"),
                None,
                &json!(stored),
            );
            report.duration("gateway: until the last of them was stored", begun.elapsed());
            return Ok(());
        }
        if begun.elapsed() > PATIENCE {
            return Err(format!("{stored} of {passed} requests were stored").into());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn port() -> Outcome<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

async fn until_up(port: u16) -> Outcome<()> {
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        if begun.elapsed() > Duration::from_secs(30) {
            return Err(format!("nothing came up at port {port}").into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// nginx as its own documentation has a proxy that keeps connections: without it, it would make one for each request.
fn nginx(folder: &Path, port: u16, upstream: u16) -> Outcome<Ends> {
    let home = folder.join("nginx");
    fs::create_dir_all(&home)?;
    let user = if fs::metadata("/proc/self").is_ok_and(|us| std::os::unix::fs::MetadataExt::uid(&us) == 0) {
        "user root;"
    } else {
        ""
    };
    let config = format!(
        "{user} worker_processes auto; daemon off; pid nginx.pid; error_log stderr error;
        events {{ worker_connections 1024; }}
        http {{
            access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
            keepalive_requests 100000000;
            upstream api {{ server 127.0.0.1:{upstream}; keepalive {CONNECTIONS}; keepalive_requests 100000000; }}
            server {{
                listen 127.0.0.1:{port};
                location / {{
                    proxy_pass http://api; proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_set_header Host $http_host;
                    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;
                }}
            }}
        }}"
    );
    fs::write(home.join("nginx.conf"), config)?;
    // Debian has it where only root's path leads.
    let program = ["/usr/sbin/nginx", "/usr/bin/nginx"]
        .into_iter()
        .find(|path| Path::new(path).exists());
    let child = Command::new(program.unwrap_or("nginx"))
        .arg("-p")
        .arg(&home)
        .args(["-c", "nginx.conf"])
        .stdout(Stdio::null())
        .spawn()
        .map_err(|error| format!("nginx: {error}; `scripts/setup bench` installs it"))?;
    Ok(Ends(child))
}

/// An upstream that costs next to nothing: it reads a request and writes the same answer.
async fn upstream() -> Outcome<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let body = format!(
        r#"{{"id":"ord_1","object":"order","status":"CREATED","note":"{}"}}"#,
        "x".repeat(540)
    );
    let answer: Arc<[u8]> = format!(
        "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
    .into();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = Arc::clone(&answer);
            tokio::spawn(async move {
                let _nodelay = stream.set_nodelay(true);
                let mut messages = Messages::on(stream);
                while messages.next().await.is_some() {
                    if messages.stream.write_all(&answer).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    Ok(port)
}

/// Messages with a length, one after the other.
struct Messages {
    stream: TcpStream,
    bytes: Vec<u8>,
}

impl Messages {
    fn on(stream: TcpStream) -> Self {
        Self {
            stream,
            bytes: Vec::with_capacity(1 << 14),
        }
    }

    /// Reads one; the beginning of its first line.
    async fn next(&mut self) -> Option<[u8; 12]> {
        let mut chunk = [0; 8_192];
        loop {
            if let Some(end) = self.end() {
                let start = self.bytes.first_chunk::<12>().copied();
                self.bytes.drain(..end);
                return start;
            }
            match self.stream.read(&mut chunk).await {
                Ok(read @ 1..) => self.bytes.extend_from_slice(&chunk[..read]),
                _ => return None,
            }
        }
    }

    fn end(&self) -> Option<usize> {
        let head = self.bytes.windows(4).position(|bytes| bytes == b"\r\n\r\n")? + 4;
        let lower = String::from_utf8_lossy(&self.bytes[..head]).to_ascii_lowercase();
        let length: usize = header(&lower, "content-length")
            .and_then(|length| length.parse().ok())
            .unwrap_or(0);
        (self.bytes.len() >= head + length).then_some(head + length)
    }
}

/// Requests a second, and how long each took: as many as go through, or so many a second over all connections.
async fn load(port: u16, rate: Option<f64>) -> Outcome<(f64, Vec<Duration>)> {
    let begun = Instant::now();
    let mut connections = Vec::new();
    for number in 0..CONNECTIONS {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        connections.push(tokio::spawn(ask(stream, number, rate, begun)));
    }
    let mut all = Vec::new();
    for connection in connections {
        all.extend(connection.await??);
    }
    Ok((all.len() as f64 / LASTING.as_secs_f64(), all))
}

async fn ask(stream: TcpStream, number: usize, rate: Option<f64>, begun: Instant) -> Result<Vec<Duration>, String> {
    let body = format!(r#"{{"customer":"cus_{number}","voucher":"{}"}}"#, "y".repeat(350));
    let request = format!(
        "POST /v1/orders/{number}?source=bench HTTP/1.1\r\nHost: api.example.com\r\nUser-Agent: bench\r\nAccept: application/json\r\n\
        Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut messages = Messages::on(stream);
    let (mut waits, mut turn) = (Vec::new(), 0_u32);
    // Where there is a rate, each connection has its own turns, and a wait counts from when its turn was.
    let step = rate.map(|rate| Duration::from_secs_f64(CONNECTIONS as f64 / rate));
    let offset = step
        .map(|step| step.mul_f64(number as f64 / CONNECTIONS as f64))
        .unwrap_or_default();
    while begun.elapsed() < WARM + LASTING {
        let due = match step {
            Some(step) => {
                let due = begun + offset + step * turn;
                turn += 1;
                tokio::time::sleep_until(due.into()).await;
                due
            }
            None => Instant::now(),
        };
        messages
            .stream
            .write_all(request.as_bytes())
            .await
            .map_err(|error| error.to_string())?;
        let answer = messages.next().await.ok_or("a connection was closed")?;
        if &answer != b"HTTP/1.1 201" {
            return Err(format!("the answer began with {:?}", String::from_utf8_lossy(&answer)));
        }
        if due.duration_since(begun) >= WARM {
            waits.push(due.elapsed());
        }
    }
    Ok(waits)
}

//! Kills under load, of the real binary: of the gateway, of the store, of the network to the upstream. What clients saw is held against what is stored.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use audit_log::server::gateway::GAP_METHOD;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::rig::until;
use super::wire::Wire;
use crate::kill::{Victim, client, own_port};

/// A gateway of its own process, which sends to a server elsewhere.
pub struct Process {
    pub port: u16,
    folder: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(&'static str, String)>,
    child: Option<Child>,
}

impl Process {
    pub fn new(folder: &Path, upstream: &str, arguments: &[&str], environment: &[(&'static str, String)]) -> Self {
        let port = own_port();
        let mut all = vec!["gateway".to_owned(), "--upstream".to_owned(), upstream.to_owned()];
        all.extend(["--listen".to_owned(), format!("127.0.0.1:{port}")]);
        all.extend(arguments.iter().map(|&argument| argument.to_owned()));
        Self {
            port,
            folder: folder.to_owned(),
            arguments: all,
            environment: environment.to_vec(),
            child: None,
        }
    }

    pub async fn start(&mut self) {
        let child = Command::new(env!("CARGO_BIN_EXE_audit-log"))
            .args(&self.arguments)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.child = Some(child);
        let port = self.port;
        until("the gateway is up", async || {
            TcpStream::connect(("127.0.0.1", port)).await.is_ok()
        })
        .await;
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// SIGTERM; how long it took to end.
    pub fn stop(&mut self) -> Duration {
        let mut child = self.child.take().unwrap();
        let begun = Instant::now();
        assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
        assert!(child.wait().unwrap().success());
        begun.elapsed()
    }

    /// The most memory that it has had, in bytes.
    pub fn peak_memory(&self) -> u64 {
        let said = std::fs::read_to_string(format!("/proc/{}/status", self.child.as_ref().unwrap().id())).unwrap();
        let line = said.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() * 1_024
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What clients saw of each request: the status of a whole answer, or that the connection broke.
#[derive(Clone, Default)]
pub struct Ledger {
    seen: Arc<Mutex<BTreeMap<u64, Option<u16>>>>,
    next: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
}

impl Ledger {
    /// Sends one request after the other until it is told to stop.
    pub fn load(&self, port: u16, senders: usize) -> Vec<tokio::task::JoinHandle<()>> {
        self.stop.store(false, Ordering::SeqCst);
        let sender = |ledger: Self| async move {
            let client = client();
            while !ledger.stop.load(Ordering::SeqCst) {
                let number = ledger.next.fetch_add(1, Ordering::SeqCst);
                let asked = client
                    .post(format!("http://127.0.0.1:{port}/orders/{number}"))
                    .header("x-request-id", number.to_string())
                    .body(format!("order {number}"));
                let status = match asked.send().await {
                    Ok(answer) => {
                        let status = answer.status().as_u16();
                        answer.bytes().await.ok().map(|_| status)
                    }
                    Err(_) => {
                        tokio::time::sleep(Duration::from_millis(2)).await;
                        None
                    }
                };
                ledger.seen.lock().unwrap().insert(number, status);
            }
        };
        (0..senders).map(|_| tokio::spawn(sender(self.clone()))).collect()
    }

    pub async fn end(&self, senders: Vec<tokio::task::JoinHandle<()>>) {
        self.stop.store(true, Ordering::SeqCst);
        for sender in senders {
            sender.await.unwrap();
        }
    }

    /// Waits until so many more requests are answered than now: on a slow machine a moment is too short to mean anything.
    pub async fn until_answered(&self, more: usize) {
        let wanted = self.answered().len() + more;
        until("enough to go through", async || self.answered().len() >= wanted).await;
    }

    pub fn answered(&self) -> BTreeMap<u64, u16> {
        let seen = self.seen.lock().unwrap();
        seen.iter()
            .filter_map(|(number, status)| Some((*number, (*status)?)))
            .collect()
    }
}

/// Every log that the server has.
pub async fn stored(victim: &Victim) -> Vec<Value> {
    let (client, mut logs, mut after) = (client(), Vec::new(), String::new());
    loop {
        let page = client
            .get(format!("http://127.0.0.1:{}/v1/logs?limit=100{after}", victim.port))
            .header("X-App-Id", &victim.app_id)
            .header("X-App-Token", &victim.app_token)
            .send()
            .await
            .unwrap();
        let page: Value = page.json().await.unwrap();
        logs.extend(page["data"].as_array().unwrap_or_else(|| panic!("{page}")).iter().cloned());
        match page["more_starting_after"].as_str().filter(|_| page["has_more"] == true) {
            Some(next) => after = format!("&after={next}"),
            None => return logs,
        }
    }
}

/// The logs once nothing more comes, by the number of the request: the status that was recorded, and how many are missing.
pub async fn settled(victim: &Victim, gateway: &Process) -> (BTreeMap<u64, Value>, u64) {
    let spool = gateway.folder.join("spool");
    until("everything is stored", async || {
        let position = std::fs::read_to_string(spool.join("position")).unwrap_or_default();
        let (segment, offset) = position.split_once('.').unwrap_or_default();
        let last = std::fs::read_dir(&spool).unwrap().filter_map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            name.strip_suffix(".seg")?.parse::<u64>().ok()
        });
        let last = last.max().unwrap_or_default();
        let length = std::fs::metadata(spool.join(format!("{last}.seg"))).map_or(0, |file| file.len());
        !spool.join("gap.json").exists() && segment == last.to_string() && offset == length.to_string()
    })
    .await;
    let (mut by_number, mut missing) = (BTreeMap::new(), 0);
    for log in stored(victim).await {
        if log["method"] == GAP_METHOD {
            let id = log["id"].as_str().unwrap();
            let gap: Value = client()
                .get(format!("http://127.0.0.1:{}/v1/logs/{id}", victim.port))
                .header("X-App-Id", &victim.app_id)
                .header("X-App-Token", &victim.app_token)
                .send()
                .await
                .unwrap()
                .json()
                .await
                .unwrap();
            missing += gap["response"]["body"]["not_recorded"].as_u64().unwrap();
            continue;
        }
        let number: u64 = log["request_id"].as_str().unwrap().parse().unwrap();
        assert!(
            by_number.insert(number, log["status_code"].clone()).is_none(),
            "{number} is there twice"
        );
    }
    (by_number, missing)
}

pub async fn upstream() -> Wire {
    Wire::saying("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await
}

fn gateway(victim: &Victim, upstream: u16) -> Process {
    let to = format!("http://127.0.0.1:{}", victim.port);
    let arguments = ["--to", &to, "--key", &victim.app_token, "--spool", "spool"];
    Process::new(victim.folder.path(), &format!("http://127.0.0.1:{upstream}"), &arguments, &[])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_gateway_takes_with_it_is_counted() {
    const ROUNDS: u64 = 5;
    let (mut victim, upstream, ledger) = (Victim::new(None), upstream().await, Ledger::default());
    victim.start().await;
    let mut gateway = gateway(&victim, upstream.port);
    for round in 0..ROUNDS {
        gateway.start().await;
        let load = ledger.load(gateway.port, 8);
        ledger.until_answered(20).await;
        tokio::time::sleep(Duration::from_millis(150 + 100 * round)).await;
        gateway.kill();
        ledger.end(load).await;
    }
    gateway.start().await;
    let (stored, missing) = settled(&victim, &gateway).await;
    let answered = ledger.answered();
    assert!(
        answered.len() > 50,
        "too little went through for the test to mean anything: {}",
        answered.len()
    );
    let lost = answered.keys().filter(|number| !stored.contains_key(number)).count() as u64;
    // The count is some hundredths of a second old when the gateway dies.
    assert!(
        lost <= missing + 20 * ROUNDS && (lost == 0 || missing > 0),
        "{lost} are missing, {missing} are said to be"
    );
    for (number, status) in &answered {
        if let Some(recorded) = stored.get(number) {
            assert_eq!(recorded, status, "{number}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_becomes_of_the_store_nothing_is_missing_and_nobody_notices() {
    let (mut victim, upstream, ledger) = (Victim::new(None), upstream().await, Ledger::default());
    let mut gateway = gateway(&victim, upstream.port);
    // It is not there yet, either.
    gateway.start().await;
    let load = ledger.load(gateway.port, 8);
    for round in 0..3 {
        victim.start().await;
        ledger.until_answered(20).await;
        tokio::time::sleep(Duration::from_millis(300 + 100 * round)).await;
        victim.kill();
    }
    ledger.end(load).await;
    victim.start().await;
    let (stored, missing) = settled(&victim, &gateway).await;
    let answered = ledger.answered();
    assert!(answered.len() > 50, "{}", answered.len());
    assert_eq!(
        answered.len() as u64,
        ledger.next.load(Ordering::SeqCst),
        "a client saw something of it"
    );
    assert!(answered.values().all(|status| *status == 200));
    assert_eq!((stored.len(), missing), (answered.len(), 0));
    assert!(gateway.stop() < Duration::from_secs(5), "nothing is in flight");
}

/// What lies between the gateway and its upstream, and can be cut.
struct Line {
    port: u16,
    is_cut: watch::Sender<bool>,
}

impl Line {
    async fn to(upstream: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (is_cut, cut) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let mut cut = cut.clone();
                tokio::spawn(async move {
                    let passing = async {
                        let mut far = TcpStream::connect(("127.0.0.1", upstream)).await?;
                        tokio::io::copy_bidirectional(&mut near, &mut far).await
                    };
                    tokio::select! {
                        _ended = passing => {}
                        _cut = cut.wait_for(|is_cut| *is_cut) => {}
                    }
                });
            }
        });
        Self { port, is_cut }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_clients_saw_of_a_broken_upstream_is_what_is_recorded() {
    let (mut victim, upstream, ledger) = (Victim::new(None), upstream().await, Ledger::default());
    victim.start().await;
    let line = Line::to(upstream.port).await;
    let mut gateway = gateway(&victim, line.port);
    gateway.start().await;
    let load = ledger.load(gateway.port, 8);
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        line.is_cut.send_replace(true);
        tokio::time::sleep(Duration::from_millis(50)).await;
        line.is_cut.send_replace(false);
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    ledger.end(load).await;
    let (stored, missing) = settled(&victim, &gateway).await;
    let answered = ledger.answered();
    let count = |status: u16| answered.values().filter(|seen| **seen == status).count();
    assert!(count(200) > 20 && count(502) > 0, "{} and {}", count(200), count(502));
    assert_eq!(missing, 0);
    for (number, status) in &answered {
        assert_eq!(stored.get(number), Some(&Value::from(*status)), "{number}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_bodies_pass_without_being_held() {
    const BYTES: usize = 192 << 20;
    let folder = tempfile::tempdir().unwrap();
    let upstream = drain_and_pour(BYTES).await;
    let arguments = [
        "--to",
        "http://127.0.0.1:1",
        "--key",
        "nobody",
        "--spool",
        "spool",
        "--body-kb",
        "64",
    ];
    let mut gateway = Process::new(folder.path(), &format!("http://127.0.0.1:{upstream}"), &arguments, &[]);
    gateway.start().await;
    let before = gateway.peak_memory();
    let chunk = bytes::Bytes::from(vec![b'a'; 1 << 16]);
    let chunks = std::iter::repeat_n(chunk, BYTES >> 16).map(Ok::<_, std::io::Error>);
    let answer = client()
        .post(format!("http://127.0.0.1:{}/large", gateway.port))
        .body(reqwest::Body::wrap_stream(futures::stream::iter(chunks)))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.headers()["x-came"], BYTES.to_string());
    let (mut came, mut body) = (0, answer.bytes_stream());
    while let Some(chunk) = futures::StreamExt::next(&mut body).await {
        came += chunk.unwrap().len();
    }
    assert_eq!(came, BYTES);
    let grown = gateway.peak_memory() - before;
    // Buffers of sockets, what is recorded of both, and its way to the disk: not a third of either body.
    assert!(grown < 64 << 20, "{} MB more", grown >> 20);
}

/// An upstream that reads a body in chunks, says how long it was, and answers one as long.
async fn drain_and_pour(bytes: usize) -> u16 {
    use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        let (mut line, mut came) = (String::new(), 0);
        while line != "\r\n" {
            line.clear();
            stream.read_line(&mut line).await.unwrap();
        }
        loop {
            line.clear();
            stream.read_line(&mut line).await.unwrap();
            let length = u64::from_str_radix(line.trim(), 16).unwrap();
            came += tokio::io::copy(&mut (&mut stream).take(length), &mut tokio::io::sink())
                .await
                .unwrap();
            stream.read_line(&mut line).await.unwrap();
            if length == 0 {
                break;
            }
        }
        let head = format!("HTTP/1.1 200 OK\r\nX-Came: {came}\r\nContent-Length: {bytes}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let chunk = vec![b'a'; 1 << 16];
        for _ in 0..bytes >> 16 {
            stream.write_all(&chunk).await.unwrap();
        }
    });
    port
}

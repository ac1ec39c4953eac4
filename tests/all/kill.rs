//! Nothing that was acknowledged is ever lost: the server is killed at random moments under ingest, as a process and as a machine.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use sqlx::Row;

const SENDERS: usize = 3;

/// A client beside a server of another process: TLS is chosen here, where no server of ours has chosen it.
pub fn client() -> reqwest::Client {
    // An error says that one was chosen before, which serves as well.
    let _chosen = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

/// A server of its own process on a database of its own, to be killed and started again.
pub struct Victim {
    pub folder: tempfile::TempDir,
    pub port: u16,
    /// Variables beside those that name its database and its files.
    pub environment: Vec<(&'static str, String)>,
    /// Where it writes its own log lines; nowhere unless said.
    pub lines: Option<PathBuf>,
    preload: Option<PathBuf>,
    child: Option<Child>,
    pub project: String,
    pub app_id: String,
    pub app_token: String,
}

/// A port that no other test's server is given while this one is down: below those that the system hands out.
pub fn own_port() -> u16 {
    static NEXT: std::sync::atomic::AtomicU16 = std::sync::atomic::AtomicU16::new(20_000);
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    std::iter::repeat_with(|| NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
        .take(5_000)
        .find(free)
        .unwrap()
}

impl Victim {
    pub fn new(preload: Option<PathBuf>) -> Self {
        Self::with(preload, Vec::new())
    }

    /// One whose commands and server have these variables from the start: another database, say.
    pub fn with(preload: Option<PathBuf>, environment: Vec<(&'static str, String)>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = own_port();
        let mut victim = Self {
            folder,
            port,
            environment,
            lines: None,
            preload,
            child: None,
            project: String::new(),
            app_id: String::new(),
            app_token: String::new(),
        };
        victim.project = victim.command(&["project", "add", "Killed"]).trim().to_owned();
        let project = victim.project.clone();
        let key = victim.command(&[
            "key",
            "add",
            "--project",
            &project,
            "--name",
            "sender",
            "--scopes",
            "logs:write,read,read:bodies,exports:write,tasks:write,events:write,webhooks:write",
        ]);
        let key: Value = serde_json::from_str(&key).unwrap();
        key["app_id"].as_str().unwrap().clone_into(&mut victim.app_id);
        key["app_token"].as_str().unwrap().clone_into(&mut victim.app_token);
        victim
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("audit-log.db")
    }

    fn lines(&self) -> Stdio {
        let file = self
            .lines
            .as_ref()
            .map(|path| fs::File::options().create(true).append(true).open(path).unwrap());
        file.map_or_else(Stdio::null, Stdio::from)
    }

    fn program(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_audit-log"));
        command
            .env("DATABASE_URL", format!("sqlite://{}", self.database().display()))
            .env(
                "AUDIT_LOG_FILES_URL",
                format!("file:{}", self.folder.path().join("files").display()),
            )
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stderr(self.lines());
        command
    }

    pub fn command(&self, arguments: &[&str]) -> String {
        let output = self.program().args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?} failed");
        String::from_utf8(output.stdout).unwrap()
    }

    pub async fn start(&mut self) {
        let mut command = self.program();
        if let Some(library) = &self.preload {
            command.env("LD_PRELOAD", library);
        }
        command
            .args(["serve", "--listen", &format!("127.0.0.1:{}", self.port)])
            .stdout(Stdio::null());
        self.child = Some(command.spawn().unwrap());
        for _ in 0..400 {
            if client()
                .get(format!("http://127.0.0.1:{}/health/ready", self.port))
                .send()
                .await
                .is_ok_and(|answer| answer.status() == 200)
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("the server did not come up again");
    }

    /// `kill -9`: no handler runs, nothing is flushed.
    pub fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Throws away what no sync had covered, as a power cut would.
    fn cut_the_power(&self) -> u64 {
        cut_the_power(&self.database())
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Throws away what no sync of a database had covered: how many writes.
pub fn cut_the_power(database: &Path) -> u64 {
    let wal = PathBuf::from(format!("{}-wal", database.display()));
    let thrown_away = undo(database) + undo(&wal);
    // Shared memory does not outlive a machine.
    let _ = fs::remove_file(format!("{}-shm", database.display()));
    thrown_away
}

/// Plays a file's undo records backwards; the records are laid out in `tests/shim/unsynced.c`.
fn undo(path: &Path) -> u64 {
    let undo_path = PathBuf::from(format!("{}.undo", path.display()));
    let Ok(bytes) = fs::read(&undo_path) else { return 0 };
    let number = |place: usize| i64::from_ne_bytes(bytes[place..place + 8].try_into().unwrap());
    let mut records = Vec::new();
    let mut place = 0;
    // A kill inside the record's own write leaves a torn last record, whose change never began.
    while place + 32 <= bytes.len() {
        let length = number(place + 16) as usize;
        if place + 32 + length > bytes.len() {
            break;
        }
        records.push((number(place + 8) as u64, place + 32, length, number(place + 24) as u64));
        place += 32 + length;
    }
    if let Ok(mut file) = fs::OpenOptions::new().write(true).open(path) {
        for (offset, start, length, size) in records.iter().rev() {
            file.seek(SeekFrom::Start(*offset)).unwrap();
            file.write_all(&bytes[*start..*start + *length]).unwrap();
            file.set_len(*size).unwrap();
        }
    }
    fs::remove_file(undo_path).unwrap();
    records.len() as u64
}

/// With fewer acknowledged logs a test means nothing.
const ENOUGH: usize = 1_000;

/// What the senders were told.
#[derive(Clone, Default)]
struct Told {
    acknowledged: BTreeSet<String>,
    calls: Vec<Vec<String>>,
}

async fn send_until_dead(victim: (u16, String, String), told: Arc<Mutex<Told>>, counter: Arc<AtomicU64>, seed: u64) {
    let (port, app_id, app_token) = victim;
    let client = client();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    loop {
        let size = if random.random_bool(0.5) {
            1
        } else {
            random.random_range(2..200)
        };
        let ids: Vec<String> = (0..size)
            .map(|_| format!("c{}", counter.fetch_add(1, Ordering::SeqCst)))
            .collect();
        let logs: Vec<Value> = ids.iter().map(|id| a_log(id, &mut random)).collect();
        told.lock().unwrap().calls.push(ids.clone());
        let sent = client
            .post(format!("http://127.0.0.1:{port}/v1/logs"))
            .header("X-App-Id", &app_id)
            .header("X-App-Token", &app_token)
            .json(&logs)
            .send()
            .await;
        match sent {
            Ok(answer) if answer.status() == 201 => told.lock().unwrap().acknowledged.extend(ids),
            Ok(answer) => assert!(answer.status() == 429 || answer.status() == 503, "{}", answer.status()),
            Err(_) => return,
        }
    }
}

fn a_log(id: &str, random: &mut ChaCha8Rng) -> Value {
    let filler = "x".repeat(random.random_range(10..3_000));
    json!({"id": id, "method": "POST", "url": format!("/v1/orders/{id}"), "status_code": 201,
           "request": {"body": {"order": id, "filler": filler}}, "response": {"body": {"told": id}}})
}

/// Kills it so many times, and on a slow machine up to twice as many: until enough logs were acknowledged to mean anything.
async fn kill_at_random_moments(mut victim: Victim, moments: u64) {
    let told = Arc::new(Mutex::new(Told::default()));
    let counter = Arc::new(AtomicU64::new(0));
    let mut random = ChaCha8Rng::seed_from_u64(50);
    let mut thrown_away = 0;
    for moment in 0..2 * moments {
        if moment >= moments && told.lock().unwrap().acknowledged.len() > ENOUGH {
            break;
        }
        victim.start().await;
        let senders: Vec<_> = (0..SENDERS)
            .map(|sender| {
                let door = (victim.port, victim.app_id.clone(), victim.app_token.clone());
                tokio::spawn(send_until_dead(
                    door,
                    told.clone(),
                    counter.clone(),
                    moment * 10 + sender as u64,
                ))
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(random.random_range(20..400))).await;
        victim.kill();
        for sender in senders {
            sender.await.unwrap();
        }
        if victim.preload.is_some() {
            thrown_away += victim.cut_the_power();
        }
        let so_far = told.lock().unwrap().clone();
        nothing_is_lost(&victim.database(), &so_far).await;
    }
    let acknowledged = told.lock().unwrap().acknowledged.len();
    assert!(
        acknowledged > ENOUGH,
        "too few logs were acknowledged for the test to mean anything: {acknowledged}"
    );
    assert!(
        victim.preload.is_none() || thrown_away > 0,
        "no unsynced write was thrown away: the library was not preloaded"
    );
    every_text_is_there(&mut victim, &told).await;
}

async fn nothing_is_lost(database: &Path, told: &Told) {
    let pool = sqlx::SqlitePool::connect(&format!("sqlite://{}", database.display()))
        .await
        .unwrap();
    let integrity: String = sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&pool).await.unwrap();
    assert_eq!(integrity, "ok");
    let rows = sqlx::query("SELECT id, COUNT(*) AS times FROM logs GROUP BY id")
        .fetch_all(&pool)
        .await
        .unwrap();
    let stored: BTreeSet<String> = rows
        .iter()
        .map(|row| {
            assert_eq!(row.get::<i64, _>("times"), 1, "a log is there twice");
            row.get("id")
        })
        .collect();
    let lost: Vec<_> = told.acknowledged.difference(&stored).collect();
    assert!(lost.is_empty(), "acknowledged and gone: {lost:?}");
    for call in &told.calls {
        let there = call.iter().filter(|id| stored.contains(*id)).count();
        assert!(
            there == 0 || there == call.len(),
            "half a call was stored: {there} of {}",
            call.len()
        );
    }
    let counted: i64 = sqlx::query_scalar("SELECT COALESCE(SUM(count), 0) FROM log_minutes")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(counted, stored.len() as i64, "the minute counts do not agree with the logs");
    pool.close().await;
}

/// What a log says lies apart from its row: a sample is read through the public door.
async fn every_text_is_there(victim: &mut Victim, told: &Arc<Mutex<Told>>) {
    victim.start().await;
    let client = client();
    let sample: Vec<String> = told.lock().unwrap().acknowledged.iter().step_by(23).cloned().collect();
    for id in sample {
        let answer = client
            .get(format!("http://127.0.0.1:{}/v1/logs/{id}", victim.port))
            .header("X-App-Id", &victim.app_id)
            .header("X-App-Token", &victim.app_token)
            .send()
            .await
            .unwrap();
        let log: Value = answer.json().await.unwrap();
        assert_eq!(log["request"]["body"]["order"], json!(id));
        assert_eq!(log["response"]["body"]["told"], json!(id));
    }
}

/// Builds the library that remembers what stood under each unsynced write.
fn shim(folder: &Path) -> PathBuf {
    built(folder, "unsynced")
}

/// Builds a library of `tests/shim/`, to be preloaded.
pub fn built(folder: &Path, name: &str) -> PathBuf {
    let library = folder.join(format!("{name}.so"));
    let source = format!("{}/tests/shim/{name}.c", env!("CARGO_MANIFEST_DIR"));
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library)
        .arg(source)
        .arg("-ldl")
        .status()
        .unwrap();
    assert!(built.success(), "cc could not build the library");
    library
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_kills_lose_nothing_that_was_acknowledged() {
    kill_at_random_moments(Victim::new(None), 50).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_power_cuts_lose_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    kill_at_random_moments(Victim::new(Some(shim(folder.path()))), 50).await;
}

#[test]
fn the_undo_of_a_file_gives_back_what_was_synced() {
    let folder = tempfile::tempdir().unwrap();
    let library = shim(folder.path());
    let path = folder.path().join("proof.db");
    let script = "use Fcntl; use IO::Handle; sysopen(my $f, $ARGV[0], O_RDWR | O_CREAT) or die;\n\
        syswrite($f, 'synced'); $f->sync or die;\n\
        sysseek($f, 0, 0); syswrite($f, 'LOST'); sysseek($f, 100, 0); syswrite($f, 'more');\n\
        truncate($f, 3) or die; kill 'KILL', $$;\n";
    let mut child = Command::new("perl")
        .args(["-e", script])
        .arg(&path)
        .env("LD_PRELOAD", &library)
        .spawn()
        .unwrap();
    child.wait().unwrap();
    assert_eq!(undo(&path), 3);
    let mut text = String::new();
    fs::File::open(&path).unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "synced");
}

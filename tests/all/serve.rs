//! `audit-log serve`, as the real binary: up, and down again in order.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use audit_log::model::rights::Role;

use crate::support::{cookie_of, run_binary};

/// A server of its own process; killed with the test, if it has not ended by then.
struct Served {
    child: Child,
    /// Its standard output, held open: a server whose reader has gone could not print.
    _lines: BufReader<std::process::ChildStdout>,
    address: SocketAddr,
}

impl Served {
    fn start(database_url: &str, folder: &Path, options: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_audit-log"))
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(options)
            .env_clear()
            .env("DATABASE_URL", database_url)
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        let address = line.trim().rsplit("http://").next().unwrap_or_default();
        let address = address.parse().unwrap_or_else(|_| panic!("it printed {line:?}"));
        Self {
            child,
            _lines: lines,
            address,
        }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    fn tell(&self, signal: &str) {
        let status = Command::new("kill")
            .args([signal, &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Waits for its end; what it said on standard error.
    fn ended(mut self, within: Duration) -> (Option<i32>, String) {
        let patience = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(patience.elapsed() < within, "it did not end");
            std::thread::sleep(Duration::from_millis(20));
        }
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap().code(), said)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended already: then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

for_each_db! {
    async fn it_prints_its_address_and_stops_when_told(app: TestApp) {
        for signal in ["-TERM", "-INT"] {
            let served = Served::start(&app.database_url, app.folder(), &[]);
            let answer = app.client.get(format!("http://{}/", served.address)).send().await.unwrap();
            assert_eq!((answer.status().as_u16(), answer.headers()["location"].to_str().unwrap()), (303, "/sign-in"));
            served.tell(signal);
            let (code, said) = served.ended(Duration::from_secs(20));
            assert_eq!(code, Some(0), "{said}");
            assert!(said.contains("stopping"), "{said}");
        }
    }

    async fn what_runs_is_finished_before_it_stops(app: TestApp) {
        app.add_person("ada@example.com", "correct horse", None).await;
        let served = Served::start(&app.database_url, app.folder(), &[]);
        let mut stream = served.connect();
        let (early, late) = ("email=ada%40example.com&pass", "word=correct+horse");
        write!(
            stream,
            "POST /sign-in HTTP/1.1\r\nHost: {0}\r\nOrigin: http://{0}\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {1}\r\n\r\n{early}",
            served.address,
            early.len() + late.len(),
        )
        .unwrap();
        std::thread::sleep(Duration::from_millis(300));
        served.tell("-TERM");
        std::thread::sleep(Duration::from_millis(300));
        assert!(TcpStream::connect(served.address).is_err(), "nobody new is let in");
        stream.write_all(late.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 303") && answer.to_lowercase().contains("set-cookie: audit_log_session="), "{answer}");
        assert_eq!(served.ended(Duration::from_secs(20)).0, Some(0));
    }

    async fn readers_who_leave_in_the_middle_of_a_page_break_nothing(app: TestApp) {
        let project = app.add_project("Left").await;
        app.add_person("ada@example.com", "correct horse", Some((&project, Role::Member))).await;
        let served = Served::start(&app.database_url, app.folder(), &[]);
        let form = "email=ada%40example.com&password=correct+horse";
        let address = format!("http://{}", served.address);
        let answer = app.client.post(format!("{address}/sign-in")).header("Origin", &address).header("Content-Type", "application/x-www-form-urlencoded").body(form).send().await.unwrap();
        let cookie = cookie_of(&answer).unwrap();
        std::thread::scope(|scope| {
            for reader in 0..4_u64 {
                let (served, cookie, project) = (&served, &cookie, &project.id);
                scope.spawn(move || {
                    for time in 0..40_u64 {
                        let mut stream = served.connect();
                        let page = ["logs", "logs?status=FAILURE", "tasks", "exports"][(time % 4) as usize];
                        write!(stream, "GET /projects/{project}/{page} HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\n\r\n", served.address).unwrap();
                        // Every moment of a page's making, which takes some milliseconds, sees somebody leave.
                        std::thread::sleep(Duration::from_micros((time * 4 + reader) * 97 % 20_000));
                    }
                });
            }
        });
        served.tell("-TERM");
        // Pages that nobody waits for any more are made to their end first, which takes a while on a machine that does much else.
        let (code, said) = served.ended(Duration::from_mins(2));
        assert_eq!(code, Some(0), "{said}");
        assert!(!said.contains("panicked"), "{said}");
    }

    async fn whoever_never_finishes_is_cut_off(app: TestApp) {
        let served = Served::start(&app.database_url, app.folder(), &["--stop-seconds", "1"]);
        let mut stream = served.connect();
        stream.write_all(b"POST /sign-in HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nemail").unwrap();
        std::thread::sleep(Duration::from_millis(300));
        served.tell("-TERM");
        let (code, said) = served.ended(Duration::from_secs(10));
        assert_eq!(code, Some(0));
        assert!(said.contains("cut off"), "{said}");
    }

    async fn its_own_lines_can_be_json(app: TestApp) {
        let served = Served::start(&app.database_url, app.folder(), &["--log-format", "json"]);
        served.tell("-TERM");
        let (_, said) = served.ended(Duration::from_secs(20));
        assert!(!said.is_empty());
        for line in said.lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(line["timestamp"].is_string() && line["level"].is_string(), "{line}");
        }
    }
}

#[test]
fn it_makes_its_database_and_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start("sqlite://data/audit-log.db", folder.path(), &[]);
    assert!(folder.path().join("data/audit-log.db").exists());
    assert!(folder.path().join("data/secret.key").exists());
    drop(served);
}

#[test]
fn an_address_in_use_is_told_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = run_binary(&["serve", "--listen", &address], "", &[], folder.path());
    assert_eq!(output.status.code(), Some(1));
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(words.contains(&address) && words.contains("in use"), "{words}");
}

#[test]
fn a_bad_log_level_is_told_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let output = run_binary(&["serve", "--log-level", "audit_log=loud"], "", &[], folder.path());
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("--log-level"));
}

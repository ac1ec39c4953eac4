//! A service of its own processes on one database: servers and workers that are killed, stopped and started again.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::kill::{client, own_port};

/// Where a service lies: what is the same for all its processes.
pub struct Service {
    pub folder: tempfile::TempDir,
    pub database_url: String,
    pub files: PathBuf,
    /// Variables of the processes that serve and work, beside those that say where things lie.
    pub environment: Vec<(&'static str, String)>,
    /// Libraries that those are started with.
    pub preload: Vec<PathBuf>,
    pub project: String,
    pub app_id: String,
    pub app_token: String,
}

/// Who reads pages.
pub const PERSON: (&str, &str) = ("ada@example.com", "correct horse");
/// The instance key of every service here.
const KEY: &str = "c29ha3NvYWtzb2Frc29ha3NvYWtzb2Frc29ha3NvYWs=";
/// What its key may do.
const SCOPES: &str = "logs:write,read,read:bodies,exports:write,tasks:write,events:write,webhooks:write";

impl Service {
    /// One on SQLite, in a folder of its own.
    pub fn on_sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("audit-log.db");
        Self::new(folder, format!("sqlite://{}", database.display()))
    }

    /// One on this database, with its project, its key and a person.
    pub fn new(folder: tempfile::TempDir, database_url: String) -> Self {
        let mut service = Self::bare(folder, database_url);
        service.project = service.told(&["project", "add", "Soaked"]).trim().to_owned();
        let project = service.project.clone();
        let add = ["key", "add", "--project", &project, "--name", "sender", "--scopes", SCOPES];
        let key: Value = serde_json::from_str(&service.told(&add)).unwrap();
        key["app_id"].as_str().unwrap().clone_into(&mut service.app_id);
        key["app_token"].as_str().unwrap().clone_into(&mut service.app_token);
        let person = [
            "user",
            "add",
            PERSON.0,
            "--role",
            "owner",
            "--project",
            &project,
            "--password-stdin",
        ];
        service.told_with(&person, PERSON.1);
        service
    }

    /// The same service as it was restored: on this database, with these files.
    pub fn restored(&self, database_url: String, files: PathBuf) -> Self {
        let restored = Self::bare(tempfile::tempdir().unwrap(), database_url);
        Self {
            files,
            environment: self.environment.clone(),
            project: self.project.clone(),
            app_id: self.app_id.clone(),
            app_token: self.app_token.clone(),
            ..restored
        }
    }

    fn bare(folder: tempfile::TempDir, database_url: String) -> Self {
        Self {
            files: folder.path().join("files"),
            folder,
            database_url,
            environment: vec![
                ("AUDIT_LOG_WEBHOOK_ALLOW", "127.0.0.0/8".to_owned()),
                ("AUDIT_LOG_WEBHOOK_SCHEDULE", "1,1,1,1,1,1,1,1".to_owned()),
                ("AUDIT_LOG_LOG_LEVEL", "warn".to_owned()),
            ],
            preload: Vec::new(),
            project: String::new(),
            app_id: String::new(),
            app_token: String::new(),
        }
    }

    /// The SQLite file.
    pub fn sqlite(&self) -> Option<PathBuf> {
        self.database_url.strip_prefix("sqlite://").map(PathBuf::from)
    }

    fn program(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_audit-log"));
        command
            .env("DATABASE_URL", &self.database_url)
            .env("AUDIT_LOG_FILES_URL", format!("file:{}", self.files.display()))
            .env("AUDIT_LOG_SECRET_KEY", KEY)
            .current_dir(self.folder.path());
        command
    }

    /// Runs a command beside it.
    pub fn command(&self, arguments: &[&str]) -> Output {
        self.program().args(arguments).stdin(Stdio::null()).output().unwrap()
    }

    /// What a command says, which must go well.
    pub fn told(&self, arguments: &[&str]) -> String {
        self.told_with(arguments, "")
    }

    fn told_with(&self, arguments: &[&str], input: &str) -> String {
        use std::io::Write;
        let mut command = self.program();
        command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that reads nothing may be gone before this is written.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// Starts a server on a port; not awaited.
    pub fn serve(&self, port: u16) -> Process {
        self.start(&["serve", "--listen", &format!("127.0.0.1:{port}")], port)
    }

    /// Starts a worker.
    pub fn work(&self) -> Process {
        self.start(&["worker"], 0)
    }

    fn start(&self, arguments: &[&str], port: u16) -> Process {
        let lines = fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.path().join("lines"))
            .unwrap();
        let mut command = self.program();
        if !self.preload.is_empty() {
            let libraries: Vec<String> = self.preload.iter().map(|library| library.display().to_string()).collect();
            command.env("LD_PRELOAD", libraries.join(" "));
        }
        command
            .args(arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(lines);
        Process {
            child: command.spawn().unwrap(),
            port,
        }
    }

    /// The last lines that its processes said, for whoever looks at a failure.
    pub fn lines(&self) -> String {
        let said = fs::read_to_string(self.folder.path().join("lines")).unwrap_or_default();
        let lines: Vec<&str> = said.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

/// A process of a service; killed with the test.
pub struct Process {
    child: Child,
    pub port: u16,
}

impl Process {
    /// A port for a server, which keeps it over all its starts.
    pub fn port() -> u16 {
        own_port()
    }

    /// Waits until it is ready for work.
    pub async fn ready(&mut self) {
        let client = client();
        let url = format!("http://127.0.0.1:{}/health/ready", self.port);
        let patience = Instant::now() + Duration::from_secs(60);
        while !client.get(&url).send().await.is_ok_and(|answer| answer.status() == 200) {
            assert!(self.ended().is_none(), "the server ended by itself: {:?}", self.ended());
            assert!(Instant::now() < patience, "the server did not come up");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// `kill -9`: no handler runs, nothing is flushed.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Tells it to stop.
    pub fn terminate(&self) {
        let told = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(told.success());
    }

    /// Its end, if it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Kilobytes of memory that it holds.
    pub fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already: then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

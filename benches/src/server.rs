//! The product as it ships: the release binary as a process of its own, and what it costs.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Outcome;
use crate::http::Client;

/// The file that says who uses a server's database.
const ACCESS: &str = "access.json";
/// The file with the number of a server's process.
const PROCESS: &str = "process";
/// How long a server may take to come up, or to end.
const PATIENCE: Duration = Duration::from_mins(1);
const PASSWORD: &str = "a long enough password for a benchmark";

/// A running server with one project, one person and one key.
pub struct Server {
    child: Child,
    pub host: String,
    pub project: String,
    /// Headers of a call by key.
    pub key: String,
    /// The header of a signed-in person's page.
    pub cookie: String,
}

/// The program, on this database and these files.
pub fn program(binary: &Path, url: &str, files: &Path) -> Command {
    let mut command = Command::new(binary);
    command
        .env("DATABASE_URL", url)
        .env("AUDIT_LOG_FILES_URL", format!("file:{}", files.display()));
    command.env("AUDIT_LOG_SECRET_KEY_FILE", files.with_file_name("secret-key"));
    // What a folder that is kept holds gets old: only what a benchmark purges goes.
    command.env("AUDIT_LOG_RETENTION_DAYS", "0");
    // The receiver of webhooks is on this machine.
    command.env("AUDIT_LOG_WEBHOOK_ALLOW", "127.0.0.0/8");
    command
}

/// Runs a command to its end; what it said.
pub fn told(command: &mut Command, input: &str) -> Outcome<String> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Err(format!("{command:?} ended with {}", output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// Makes a project, its owner and a key on a database that is empty.
fn admit(binary: &Path, url: &str, files: &Path) -> Outcome<Value> {
    let project = told(program(binary, url, files).args(["project", "add", "Bench"]), "")?;
    let person = [
        "user",
        "add",
        "bench@example.com",
        "--role",
        "owner",
        "--project",
        &project,
        "--password-stdin",
    ];
    told(program(binary, url, files).args(person), PASSWORD)?;
    let scopes = [
        "key",
        "add",
        "--project",
        &project,
        "--name",
        "bench",
        "--scopes",
        "read,read:bodies,logs:write,tasks:write,exports:write,webhooks:write,events:write",
    ];
    let mut access: Value = serde_json::from_str(&told(program(binary, url, files).args(scopes), "")?)?;
    access["project"] = project.into();
    Ok(access)
}

/// Verifies everything on a server's database, as a process of its own; gives what it said.
pub fn verify(binary: &Path, url: &str, folder: &Path) -> Outcome<Value> {
    let said = told(program(binary, url, &folder.join("files")).arg("verify"), "")?;
    Ok(serde_json::from_str(said.lines().next().unwrap_or_default())?)
}

impl Server {
    /// Starts it: on a database that is empty with people and a key made first, on one that a run before has kept with those of then.
    pub fn start(binary: &Path, url: &str, folder: &Path) -> Outcome<Self> {
        let mut server = Self::launch(binary, url, folder)?;
        server.wait()?;
        server.sign_in()?;
        Ok(server)
    }

    /// Starts it, and waits for nothing; nobody is signed in.
    pub fn launch(binary: &Path, url: &str, folder: &Path) -> Outcome<Self> {
        let files: PathBuf = folder.join("files");
        fs::create_dir_all(&files)?;
        let access = match fs::read(folder.join(ACCESS)) {
            Ok(kept) => serde_json::from_slice(&kept)?,
            Err(_) => admit(binary, url, &files)?,
        };
        fs::write(folder.join(ACCESS), access.to_string())?;

        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let host = format!("127.0.0.1:{port}");
        let child = program(binary, url, &files)
            .args(["serve", "--listen", &host])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        fs::write(folder.join(PROCESS), child.id().to_string())?;
        let text = |name: &str| access[name].as_str().unwrap_or_default().to_owned();
        let key = format!("X-App-Id: {}\r\nX-App-Token: {}\r\n", text("app_id"), text("app_token"));
        Ok(Self {
            child,
            host,
            project: text("project"),
            key,
            cookie: String::new(),
        })
    }

    /// Waits until it is ready for work.
    pub fn wait(&self) -> Outcome<()> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Ok(mut client) = Client::new(&self.host, "")
                && client.get("/health/ready").is_ok_and(|answer| answer.code == 200)
            {
                return Ok(());
            }
            sleep(Duration::from_millis(1));
        }
        Err("the server did not come up".into())
    }

    /// Lets it end by itself, so that its database is left as it should be.
    pub fn stop(mut self) -> Outcome<()> {
        terminate(self.child.id())?;
        let begun = Instant::now();
        while self.child.try_wait()?.is_none() {
            if begun.elapsed() > PATIENCE {
                return Err("the server did not end".into());
            }
            sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// The number of its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    fn sign_in(&mut self) -> Outcome<()> {
        let form = format!("email=bench%40example.com&password={}&next=%2F", PASSWORD.replace(' ', "+"));
        let origin = format!("Origin: http://{}\r\n", self.host);
        let answer =
            Client::new(&self.host, &origin)?.send("POST", "/sign-in", "application/x-www-form-urlencoded", form.as_bytes())?;
        let cookie = answer
            .head
            .lines()
            .filter_map(|line| {
                line.split_once(':')
                    .filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"))
            })
            .filter_map(|(_, value)| value.trim().split(';').next())
            .collect::<Vec<_>>()
            .join("; ");
        if cookie.is_empty() {
            return Err(format!("sign-in answered {}", answer.code).into());
        }
        self.cookie = format!("Cookie: {cookie}\r\n");
        Ok(())
    }

    /// The most memory it has had resident, in bytes (`VmHWM`, proc(5)).
    pub fn peak_memory(&self) -> Outcome<u64> {
        self.memory("status", "VmHWM:")
    }

    /// A line of what the system says of its memory, in bytes.
    pub fn memory(&self, file: &str, line: &str) -> Outcome<u64> {
        let said = fs::read_to_string(format!("/proc/{}/{file}", self.child.id()))?;
        let kilobytes = said
            .lines()
            .find_map(|said| said.strip_prefix(line))
            .ok_or_else(|| format!("no {line} in {file}"))?;
        Ok(kilobytes.trim().trim_end_matches(" kB").trim().parse::<u64>()? * 1024)
    }
}

/// Asks a process to end.
fn terminate(process: u32) -> Outcome<()> {
    let status = Command::new("kill").arg(process.to_string()).status()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("process {process} could not be asked to end").into())
    }
}

/// Ends the server that a run before left behind on a folder's database, where it was killed itself.
pub fn end_left_over(binary: &Path, folder: &Path) -> Outcome<()> {
    let Ok(Ok(process)) = fs::read_to_string(folder.join(PROCESS)).map(|number| number.parse::<u32>()) else {
        return Ok(());
    };
    let runs = || fs::read_link(format!("/proc/{process}/exe")).is_ok_and(|program| program == binary);
    if !runs() {
        return Ok(());
    }
    terminate(process)?;
    let begun = Instant::now();
    while runs() && begun.elapsed() < PATIENCE {
        sleep(Duration::from_millis(50));
    }
    Ok(())
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

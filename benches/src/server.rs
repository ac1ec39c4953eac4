//! The product as it ships: the release binary as a process of its own, and what it costs.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::Outcome;
use crate::http::Client;

/// The file that says who uses a server's database.
const ACCESS: &str = "access.json";
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

fn program(binary: &Path, url: &str, files: &Path) -> Command {
    let mut command = Command::new(binary);
    command
        .env("DATABASE_URL", url)
        .env("AUDIT_LOG_FILES_URL", format!("file:{}", files.display()));
    command.env("AUDIT_LOG_SECRET_KEY_FILE", files.with_file_name("secret-key"));
    // The receiver of webhooks is on this machine.
    command.env("AUDIT_LOG_WEBHOOK_ALLOW", "127.0.0.0/8");
    command
}

fn told(command: &mut Command, input: &str) -> Outcome<String> {
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
        "read,read:bodies,logs:write,exports:write,webhooks:write,events:write",
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
        let text = |name: &str| access[name].as_str().unwrap_or_default().to_owned();
        let key = format!("X-App-Id: {}\r\nX-App-Token: {}\r\n", text("app_id"), text("app_token"));
        let mut server = Self {
            child,
            host,
            project: text("project"),
            key,
            cookie: String::new(),
        };
        server.wait()?;
        server.sign_in()?;
        Ok(server)
    }

    fn wait(&self) -> Outcome<()> {
        for _ in 0..200 {
            if let Ok(mut client) = Client::new(&self.host, "")
                && client.get("/health/ready").is_ok_and(|answer| answer.code == 200)
            {
                return Ok(());
            }
            sleep(Duration::from_millis(50));
        }
        Err("the server did not come up".into())
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
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .ok_or("no VmHWM")?;
        Ok(line.trim().trim_end_matches(" kB").trim().parse::<u64>()? * 1024)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

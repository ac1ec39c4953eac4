//! The same rows served by Datasette, from a plain table with an index for just this question: a page of 50, by status, the newest first.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::days::Days;
use super::growth::shown;
use super::stand::Stand;
use crate::http::Client;
use crate::measure::requests_a_second;
use crate::report::Report;
use crate::{Outcome, export};

const CLIENTS: usize = 4;
const LASTING: Duration = Duration::from_secs(5);
const ROUNDS: usize = 2;
const TIMES_AIM: f64 = 100.0;
const AIM: f64 = 800.0;
const ROWS: usize = 50;
/// The columns that the Logs tab shows unless others are chosen.
const COLUMNS: [&str; 7] = [
    "created_at",
    "status",
    "method",
    "endpoint",
    "channel",
    "user_email",
    "request_duration",
];
const PATIENCE: Duration = Duration::from_mins(1);

/// Both in turn; also Datasette without what it does beside the rows.
pub fn measure(report: &mut Report, stand: &Stand, folder: &Path, days: &Days) -> Outcome<()> {
    let plain = filled(folder, days)?;
    let columns: String = COLUMNS.map(|column| format!("&_col={column}")).concat();
    let theirs = format!("/plain/plain?status=FAILURE&_sort_desc=created_at&_size={ROWS}{columns}");
    let server = stand.large()?;
    let ours = format!(
        "/projects/{}/logs?status=FAILURE&{}",
        server.project,
        days.whole().arguments()
    );
    let day = format!("/projects/{}/logs?status=FAILURE&{}", server.project, days.last().arguments());

    let datasette = Datasette::start(&plain, &[])?;
    let (mut of_ours, mut of_theirs, mut of_day) = (0.0, 0.0, 0.0);
    for _ in 0..ROUNDS {
        of_theirs += pages(&datasette.host, "", &theirs)? / ROUNDS as f64;
        of_ours += pages(&server.host, &server.cookie, &ours)? / ROUNDS as f64;
        of_day += pages(&server.host, &server.cookie, &day)? / ROUNDS as f64;
    }
    let version = datasette.version()?;
    drop(datasette);
    let bare = Datasette::start(&plain, &["--setting", "suggest_facets", "off"])?;
    let of_bare = pages(&bare.host, "", &format!("{theirs}&_nocount=1"))?;

    report.a_second("a page of 50 failures of all days, 4 clients", of_ours, Some(AIM));
    report.a_second("a page of 50 failures of the last day", of_day, Some(AIM));
    report.figure(
        &format!("{version}, 50 failures of all days"),
        format!("{of_theirs:.1}/s"),
        None,
        &of_theirs.into(),
    );
    report.ratio("pages a second / Datasette's", of_ours / of_theirs, TIMES_AIM, true);
    report.figure(
        &format!("{version}, counting nothing and suggesting nothing"),
        format!("{of_bare:.1}/s"),
        None,
        &of_bare.into(),
    );
    report.figure(
        "pages a second / Datasette's without counts and suggestions",
        format!("{:.1}", of_ours / of_bare),
        None,
        &(of_ours / of_bare).into(),
    );
    server.stop()
}

/// Pages a second, of a page that has as many rows as it should.
fn pages(host: &str, headers: &str, path: &str) -> Outcome<f64> {
    let answer = Client::new(host, headers)?.get(path)?;
    let rows = shown(&answer.body).saturating_sub(1);
    if answer.code != 200 || rows != ROWS {
        return Err(format!("{path} answered {} with {rows} rows, not {ROWS}", answer.code).into());
    }
    requests_a_second(host, headers, path, CLIENTS, LASTING)
}

/// The plain table, made once.
fn filled(folder: &Path, days: &Days) -> Outcome<PathBuf> {
    let path = folder.join("datasette").join("plain.db");
    if path.exists() {
        return Ok(path);
    }
    eprintln!("filling a plain table with the same rows for Datasette");
    fs::create_dir_all(folder.join("datasette"))?;
    let passing = path.with_extension("new");
    let _ = fs::remove_file(&passing);
    export::fill(&passing, days.rows())?;
    Connection::open(&passing)?.execute_batch("CREATE INDEX by_status ON plain (status, created_at); ANALYZE")?;
    fs::rename(passing, &path)?;
    Ok(path)
}

/// A running Datasette.
struct Datasette {
    program: PathBuf,
    child: Child,
    host: String,
}

impl Datasette {
    fn start(database: &Path, more: &[&str]) -> Outcome<Self> {
        let program = std::env::var_os("BENCH_LARGE_DATASETTE")
            .ok_or("BENCH_LARGE_DATASETTE names no program: scripts/bench-large installs it")?;
        let program = PathBuf::from(program);
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let child = Command::new(&program)
            .arg("serve")
            .arg(database)
            .args(["--host", "127.0.0.1", "--port", &port.to_string()])
            .args(more)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{}: {error}", program.display()))?;
        let datasette = Self {
            program,
            child,
            host: format!("127.0.0.1:{port}"),
        };
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let answer = Client::new(&datasette.host, "").and_then(|mut client| client.get("/-/versions.json"));
            if answer.is_ok_and(|answer| answer.code == 200) {
                return Ok(datasette);
            }
            sleep(Duration::from_millis(50));
        }
        Err("Datasette did not come up".into())
    }

    fn version(&self) -> Outcome<String> {
        let said = Command::new(&self.program).arg("--version").output()?.stdout;
        let said = String::from_utf8(said)?;
        Ok(format!("Datasette {}", said.trim().rsplit(' ').next().unwrap_or_default()))
    }
}

impl Drop for Datasette {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

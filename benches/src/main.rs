//! `make bench`: every aim of performance in one run on one machine, as a table and as `target/bench.json`.
//!
//! Usage: `bench BINARY DIST` (the release binary and the built browser bundle). `BENCH_LOGS` (1,000,000 unless said) sizes it,
//! `BENCH_ONLY` (`sqlite`, `postgres`, `webhooks`, `retention`, `live`, `gateway`) runs a part; `browser` is for `browser/run.mjs`, which `make bench` runs after this and alone then.
//! `BENCH_KEEP` names a folder that is kept: a second run with it reads the SQLite database of the first and measures reading alone.
//! `bench large BINARY DIST` is `make bench-large`, see `large/`.
//! Baselines and product take turns on the same disk; times of making the data are left out.
#![allow(missing_docs, unreachable_pub, reason = "a program, not a library")]
#![allow(clippy::disallowed_methods, reason = "a benchmark asks for the time")]
#![allow(clippy::format_push_string, reason = "data is made before anything is measured")]

mod bundle;
mod data;
mod export;
mod gateway;
mod http;
mod large;
mod live;
mod measure;
mod plain;
mod postgres;
mod receiver;
mod report;
mod retention;
mod server;
mod webhooks;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bundle::Bundle;
use data::{Row, Rows, STEP_MS};
use report::Report;
use server::Server;

/// A step of the benchmark goes well, or says why not.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const SEED: u64 = 20_261_122;
const DAY_MS: i64 = 86_400_000;
const BATCH: usize = 1_000;
const CONNECTIONS: usize = 4;

struct Bench {
    binary: PathBuf,
    folder: PathBuf,
    logs: usize,
    from: i64,
    report: Report,
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let mut arguments = std::env::args_os()
        .skip(1)
        .filter(|argument| !argument.to_string_lossy().starts_with("--"))
        .peekable();
    let is_large = arguments.next_if(|argument| argument == "large").is_some();
    let binary = PathBuf::from(arguments.next().unwrap_or_else(|| "target/release/audit-log".into()));
    let dist = PathBuf::from(arguments.next().unwrap_or_else(|| "dist".into()));
    if is_large {
        return large::run(&binary, &dist).await;
    }
    let logs = std::env::var("BENCH_LOGS")
        .ok()
        .and_then(|logs| logs.parse().ok())
        .unwrap_or(1_000_000);
    let only = std::env::var("BENCH_ONLY").unwrap_or_default();
    // Beside target/, so that the disk is the project's and not a memory file system. BENCH_KEEP names a folder that outlives the run.
    let kept = std::env::var_os("BENCH_KEEP").map(PathBuf::from);
    let passing = tempfile::Builder::new().prefix("bench-").tempdir_in("target")?;
    let folder = kept.as_deref().unwrap_or_else(|| passing.path());
    fs::create_dir_all(folder)?;
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)?
        .as_millis() as i64;
    // A folder that was kept goes on with its own days.
    let from = match fs::read_to_string(folder.join("from")) {
        Ok(kept) => kept.trim().parse()?,
        Err(_) => now / DAY_MS * DAY_MS - (logs as i64 * STEP_MS / DAY_MS + 1) * DAY_MS,
    };
    fs::write(folder.join("from"), from.to_string())?;
    let mut bench = Bench {
        binary,
        folder: fs::canonicalize(folder)?,
        logs,
        from,
        report: Report::default(),
    };

    let is_meant = |part: &str| only.is_empty() || only == part;
    if !matches!(only.as_str(), "webhooks" | "live" | "gateway") {
        if only != "retention" {
            bench.report.bundle(&Bundle::read(&dist)?)?;
        }
        let batches = bench.make_batches("batches", &mut Rows::new(SEED, from, STEP_MS).take(logs))?;
        if is_meant("sqlite") {
            bench.sqlite(&batches)?;
        }
        if is_meant("postgres") {
            bench.postgres(&batches).await?;
        }
        if is_meant("retention") {
            bench.retention(&batches, now)?;
        }
    }
    if is_meant("webhooks") {
        bench.webhooks().await?;
    }
    if is_meant("live") {
        bench.live()?;
    }
    if is_meant("gateway") {
        let folder = tempfile::Builder::new().prefix("gateway-").tempdir_in(&bench.folder)?;
        gateway::measure(&mut bench.report, &bench.binary, folder.path()).await?;
    }
    bench.report.print();
    bench.report.write(Path::new("target/bench.json"))
}

impl Bench {
    fn rows(&self) -> impl Iterator<Item = Row> + use<> {
        Rows::new(SEED, self.from, STEP_MS).take(self.logs)
    }

    /// The logs as NDJSON files of 1,000, made before anything is timed.
    fn make_batches(&self, name: &str, rows: &mut dyn Iterator<Item = Row>) -> Outcome<Vec<PathBuf>> {
        let folder = self.folder.join(name);
        let made = self.folder.join(format!("{name}.made"));
        if made.exists() {
            let mut files = fs::read_dir(&folder)?
                .map(|entry| Ok(entry?.path()))
                .collect::<Outcome<Vec<_>>>()?;
            files.sort();
            return Ok(files);
        }
        fs::create_dir_all(&folder)?;
        let mut files = Vec::new();
        loop {
            let mut text = String::new();
            for row in rows.take(BATCH) {
                text.push_str(&row.to_json().to_string());
                text.push('\n');
            }
            if text.is_empty() {
                fs::write(made, "")?;
                return Ok(files);
            }
            let file = folder.join(format!("{:05}.ndjson", files.len()));
            fs::write(&file, text)?;
            files.push(file);
        }
    }

    fn sqlite(&mut self, batches: &[PathBuf]) -> Outcome<()> {
        let database = self.folder.join("product.db");
        let has_run = database.exists();
        let server = Server::start(
            &self.binary,
            &format!("sqlite://{}", database.display()),
            &self.folder.join("sqlite"),
        )?;
        if has_run {
            println!("{} is read as it is: no ingest is measured", database.display());
        } else {
            self.sqlite_ingest(&server, &database, batches)?;
        }
        let wide = self.reading("sqlite", &server)?;
        self.export(&server)?;
        self.report.memory("sqlite: peak memory of the server", server.peak_memory()?);
        drop(server);
        let narrow = self.narrow_page()?;
        self.report.ratio(
            "sqlite: the day's page, 1,000,000 logs / 100 times fewer around it",
            wide.as_secs_f64() / narrow.as_secs_f64(),
            1.3,
            false,
        );
        Ok(())
    }

    fn sqlite_ingest(&mut self, server: &Server, database: &Path, batches: &[PathBuf]) -> Outcome<()> {
        let ours = measure::ingest(server, batches, CONNECTIONS)?;
        let schema = plain::Schema::of_sqlite(database)?;
        let loop_alone = plain::sqlite(&self.folder.join("plain.db"), &schema, self.rows(), false)?;
        fs::remove_file(self.folder.join("plain.db"))?;
        let with_fts5 = plain::sqlite(&self.folder.join("fts5.db"), &schema, self.rows(), true)?;
        fs::remove_file(self.folder.join("fts5.db"))?;
        self.report
            .rate("sqlite: ingest over HTTP, batches of 1,000", self.logs, ours);
        self.report
            .rate("sqlite: plain prepared-statement loop", self.logs, loop_alone);
        self.report.rate("sqlite: that loop with FTS5 trigram", self.logs, with_fts5);
        self.report.ratio(
            "sqlite: ingest / plain loop",
            loop_alone.as_secs_f64() / ours.as_secs_f64(),
            0.6,
            true,
        );
        self.report.ratio(
            "sqlite: ingest / loop with FTS5",
            with_fts5.as_secs_f64() / ours.as_secs_f64(),
            2.5,
            true,
        );
        Ok(())
    }

    async fn postgres(&mut self, batches: &[PathBuf]) -> Outcome<()> {
        let database = postgres::Postgres::start(&std::env::temp_dir().join(format!("bench-postgres-{}", std::process::id())))?;
        let server = Server::start(&self.binary, &database.url, &self.folder.join("postgres"))?;
        let ours = measure::ingest(&server, batches, CONNECTIONS)?;
        let pool = sqlx::PgPool::connect(&database.url).await?;
        let copy = plain::postgres(&pool, self.rows()).await?;
        self.report
            .rate("postgres: ingest over HTTP, batches of 1,000", self.logs, ours);
        self.report.rate("postgres: COPY", self.logs, copy);
        self.report
            .ratio("postgres: ingest / COPY", copy.as_secs_f64() / ours.as_secs_f64(), 0.3, true);
        self.reading("postgres", &server)?;
        self.report
            .memory("postgres: peak memory of the server", server.peak_memory()?);
        Ok(())
    }

    /// Webhooks, on a new database of each kind. `BENCH_ONLY=webhooks` measures them alone.
    async fn webhooks(&mut self) -> Outcome<()> {
        let folder = tempfile::Builder::new().prefix("webhooks-").tempdir_in(&self.folder)?;
        let url = format!("sqlite://{}", folder.path().join("webhooks.db").display());
        let server = Server::start(&self.binary, &url, &folder.path().join("sqlite"))?;
        webhooks::measure(&mut self.report, "sqlite", &server, Some(4_000.0)).await?;
        self.report
            .memory("sqlite: peak memory of a server that sends webhooks", server.peak_memory()?);
        drop(server);
        let database = postgres::Postgres::start(&std::env::temp_dir().join(format!("bench-webhooks-{}", std::process::id())))?;
        let server = Server::start(&self.binary, &database.url, &folder.path().join("postgres"))?;
        webhooks::measure(&mut self.report, "postgres", &server, None).await?;
        self.report
            .memory("postgres: peak memory of a server that sends webhooks", server.peak_memory()?);
        Ok(())
    }

    /// Followers of the Logs tab, on a new database of each kind. `BENCH_ONLY=live` measures them alone.
    fn live(&mut self) -> Outcome<()> {
        let folder = tempfile::Builder::new().prefix("live-").tempdir_in(&self.folder)?;
        let database = postgres::Postgres::start(&std::env::temp_dir().join(format!("bench-live-{}", std::process::id())))?;
        let sqlite = format!("sqlite://{}", folder.path().join("live.db").display());
        for (name, url) in [("sqlite", sqlite), ("postgres", database.url.clone())] {
            let server = Server::start(&self.binary, &url, &folder.path().join(name))?;
            live::measure(&mut self.report, name, &server)?;
        }
        Ok(())
    }

    /// Ingest beside a purge of all logs, on a new database of each kind. `BENCH_ONLY=retention` measures it alone.
    fn retention(&mut self, batches: &[PathBuf], now_ms: i64) -> Outcome<()> {
        let folder = tempfile::Builder::new().prefix("retention-").tempdir_in(&self.folder)?;
        let database = postgres::Postgres::start(&std::env::temp_dir().join(format!("bench-retention-{}", std::process::id())))?;
        let sqlite = format!("sqlite://{}", folder.path().join("retention.db").display());
        for (name, url) in [("sqlite", sqlite), ("postgres", database.url.clone())] {
            let server = Server::start(&self.binary, &url, &folder.path().join(name))?;
            measure::ingest(&server, batches, CONNECTIONS)?;
            self.verify(name, &url, &folder.path().join(name))?;
            let measured = retention::measure(&server, now_ms)?;
            self.report
                .duration(&format!("{name}: 20 logs a call, 1,000 logs a second, p99"), measured.without);
            self.report
                .duration(&format!("{name}: the same during a purge, p99"), measured.during);
            self.report.rate(&format!("{name}: purge"), measured.deleted, measured.purge);
            self.report.ratio(
                &format!("{name}: ingest p99 during a purge / without"),
                measured.during.as_secs_f64() / measured.without.as_secs_f64(),
                2.0,
                false,
            );
        }
        Ok(())
    }

    /// Everything read again and held against the chain, while the server stands by.
    fn verify(&mut self, name: &str, url: &str, folder: &Path) -> Outcome<()> {
        let begun = std::time::Instant::now();
        let said = server::verify(&self.binary, url, folder)?;
        let spent = begun.elapsed();
        let logs = said["logs"].as_f64().unwrap_or_default();
        if said["ok"] != true || logs < self.logs as f64 {
            return Err(format!("{name}: the chain does not hold, or not all was read: {said}").into());
        }
        let rate = logs / spent.as_secs_f64();
        self.report.a_second(&format!("{name}: logs verified"), rate, Some(100_000.0));
        Ok(())
    }

    /// Every log as CSV, against the sqlite3 shell.
    fn export(&mut self, server: &Server) -> Outcome<()> {
        let plain = self.folder.join("export.db");
        if !plain.exists() {
            export::fill(&plain, self.rows())?;
        }
        // Once before, so that both find their pages where the machine keeps them.
        export::sqlite3(&plain)?;
        let shell = export::sqlite3(&plain)?;
        let ours = export::ours(server, self.logs)?;
        self.report.speed("sqlite: export of all as CSV", ours.rate());
        self.report.speed("sqlite3 -csv, the same columns", shell.rate());
        self.report.ratio(
            "sqlite: export / sqlite3 -csv, bytes a second",
            ours.rate() / shell.rate(),
            0.5,
            true,
        );
        self.report
            .memory("sqlite: peak memory of the server, the export too", server.peak_memory()?);
        Ok(())
    }

    /// The whole day that is measured: the fifth of ten, or the first where there are fewer.
    fn day(&self) -> (i64, i64) {
        let days = self.logs as i64 * STEP_MS / DAY_MS;
        let from = self.from + days / 2 * DAY_MS;
        (from, from + DAY_MS)
    }

    fn page_path(project: &str, (from, to): (i64, i64)) -> String {
        format!(
            "/projects/{project}/logs?status=FAILURE&from={}&to={}",
            rfc3339(from),
            rfc3339(to)
        )
    }

    fn reading(&mut self, name: &str, server: &Server) -> Outcome<Duration> {
        let path = Self::page_path(&server.project, self.day());
        let page = measure::page_p50(server, &path, 300)?;
        self.report.time(
            &format!("{name}: Logs page by status, 50 rows, p50 at one client"),
            page,
            Duration::from_millis(2),
        );
        let pages = measure::pages_a_second(server, &path, 4, Duration::from_secs(5))?;
        self.report
            .ratio(&format!("{name}: Logs pages a second at four clients"), pages, 800.0, true);

        let day = format!("from={}&to={}", rfc3339(self.day().0), rfc3339(self.day().1));
        let all = format!(
            "from={}&to={}",
            rfc3339(self.from),
            rfc3339(self.from + self.logs as i64 * STEP_MS + DAY_MS)
        );
        // Rare: a tracking id that one log alone has.
        let rare_in_day: Vec<String> = needles(
            &mut self
                .rows()
                .filter(|row| (self.day().0..self.day().1).contains(&row.created_at)),
            4_000,
        );
        let rare: Vec<String> = needles(&mut self.rows(), self.logs / 20);
        let absent: Vec<String> = (0..20).map(|number| format!("track_absent{number:04}zz")).collect();
        let common = vec!["customer".to_owned(); 20];
        for (what, range, needles, found, aim) in [
            ("rare id, a day", &day, &rare_in_day, 1, 15),
            ("absent text, a day", &day, &absent, 0, 15),
            ("common text, a day", &day, &common, 50, 5),
            ("rare id, everything", &all, &rare, 1, 120),
            ("absent text, everything", &all, &absent, 0, 120),
            ("common text, everything", &all, &common, 50, 5),
        ] {
            let spent = measure::search_p50(server, range, needles, found)?;
            self.report
                .time(&format!("{name}: search, {what}, p50"), spent, Duration::from_millis(aim));
        }
        Ok(page)
    }

    /// The same day's page, in a database where the other days have 100 times fewer logs.
    fn narrow_page(&self) -> Outcome<Duration> {
        let day = self.day();
        let mut rows = self
            .rows()
            .enumerate()
            .filter(|(number, row)| (day.0..day.1).contains(&row.created_at) || number % 100 == 0)
            .map(|(_, row)| row);
        let has_run = self.folder.join("narrow.db").exists();
        let url = format!("sqlite://{}", self.folder.join("narrow.db").display());
        let server = Server::start(&self.binary, &url, &self.folder.join("narrow-files"))?;
        if !has_run {
            let batches = self.make_batches("narrow", &mut rows)?;
            measure::ingest(&server, &batches, CONNECTIONS)?;
        }
        measure::page_p50(&server, &Self::page_path(&server.project, day), 300)
    }
}

/// Twenty tracking ids, one of every so many logs.
fn needles(rows: &mut dyn Iterator<Item = Row>, every: usize) -> Vec<String> {
    rows.step_by(every.max(1))
        .take(20)
        .filter_map(|row| row.tracking().map(str::to_owned))
        .collect()
}

/// A time as a URL has it. Days and civil dates after Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
fn rfc3339(ms: i64) -> String {
    let (days, rest) = (ms.div_euclid(DAY_MS) + 719_468, ms.rem_euclid(DAY_MS));
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hours, minutes, seconds, millis) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1_000 % 60, rest % 1_000);
    format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}.{millis:03}Z")
}

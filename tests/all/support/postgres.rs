//! A PostgreSQL of the tests' own: started once, at first need; one database a test; gone when the tests end, however they end.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use audit_log::server::store::Db;
use sqlx::Connection;
use tokio::sync::OnceCell;

/// What makes the tests' common one quick: nobody minds what it loses.
const CARELESS: &str = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=300 -c max_wal_size=192MB -c min_wal_size=64MB";

/// A PostgreSQL on a loopback port.
pub struct Cluster {
    /// `postgres://USER@HOST:PORT`, without a database.
    pub url: String,
    pub port: u16,
    folder: PathBuf,
    options: String,
    /// While this is open, the server may run: a shell waits for its end, which comes with ours.
    _alive: ChildStdin,
}

static POSTGRES: OnceLock<Cluster> = OnceLock::new();
static MIGRATED: OnceCell<()> = OnceCell::const_new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// The URL of a new database without rows: a copy of one that was migrated once.
pub async fn new_database() -> String {
    let postgres = tokio::task::spawn_blocking(|| POSTGRES.get_or_init(|| Cluster::start(CARELESS)))
        .await
        .unwrap();
    MIGRATED
        .get_or_init(async || {
            postgres.create("migrated", "template1").await;
            let db = Db::open(&format!("{}/migrated", postgres.url)).await.unwrap();
            db.migrate().await.unwrap();
            db.close().await;
        })
        .await;
    let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::SeqCst));
    postgres.create(&name, "migrated").await;
    format!("{}/{name}", postgres.url)
}

/// The URL of a new database without tables.
pub async fn bare_database() -> String {
    let postgres = tokio::task::spawn_blocking(|| POSTGRES.get_or_init(|| Cluster::start(CARELESS)))
        .await
        .unwrap();
    let name = format!("bare_{}", DATABASES.fetch_add(1, Ordering::SeqCst));
    postgres.create(&name, "template1").await;
    format!("{}/{name}", postgres.url)
}

/// Throws away a database that [`new_database`] made, whoever is still connected: some ten megabytes each, and there are hundreds of tests.
pub async fn drop_database(url: &str) {
    let (cluster, name) = url.rsplit_once('/').unwrap();
    let mut connection = sqlx::PgConnection::connect(&format!("{cluster}/postgres")).await.unwrap();
    let sql = sqlx::AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"));
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

impl Cluster {
    /// Makes one with these settings, and starts it; gone when the tests end, however they end.
    pub fn start(settings: &str) -> Self {
        let programs = programs();
        let folder = tempfile::Builder::new().prefix("audit-log-pg-").tempdir().unwrap().keep();
        if is_root() {
            let owner = Command::new("chown").arg("postgres").arg(&folder).status().expect("chown");
            assert!(
                owner.success(),
                "PostgreSQL does not run as root, and there is no user postgres"
            );
        }
        let data = folder.join("data");
        let locale = ["-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"];
        run(
            &programs.join("initdb"),
            &[&["-D", path(&data), "-U", "postgres"], &locale[..]].concat(),
        );
        // Another process may take the port in between; then the start fails and says so.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let cluster = Self {
            url: format!("postgres://postgres@127.0.0.1:{port}"),
            port,
            options: format!(
                "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c shared_buffers=64MB {settings}"
            ),
            _alive: watch(&programs.join("pg_ctl"), &data, &folder),
            folder,
        };
        cluster.start_again();
        cluster
    }

    /// Starts it once it was stopped; waits until it takes connections.
    pub fn start_again(&self) {
        let log = self.folder.join("log");
        self.control(&["-l", path(&log), "-o", &self.options, "-w", "-t", "60", "start"]);
    }

    /// Stops it: `fast` in order, `immediate` as a crash. Waits until it is gone.
    pub fn stop(&self, how: &str) {
        self.control(&["-m", how, "-w", "-t", "60", "stop"]);
    }

    fn control(&self, arguments: &[&str]) {
        let data = self.folder.join("data");
        run(&programs().join("pg_ctl"), &[&["-D", path(&data)], arguments].concat());
    }

    /// Makes a database of another one.
    pub async fn create(&self, name: &str, template: &str) {
        let mut connection = sqlx::PgConnection::connect(&format!("{}/postgres", self.url)).await.unwrap();
        let sql = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name} TEMPLATE {template}"));
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }
}

#[allow(clippy::zombie_processes, reason = "the shell outlives us")]
/// A shell that reads from us until we are gone, then stops the server and clears its folder away.
fn watch(pg_ctl: &Path, data: &Path, folder: &Path) -> ChildStdin {
    use std::os::unix::process::CommandExt;
    let stop = command(pg_ctl, &["-D", path(data), "-m", "immediate", "stop"]);
    let stop: Vec<String> = std::iter::once(stop.get_program())
        .chain(stop.get_args())
        .map(|word| format!("'{}'", word.to_str().unwrap()))
        .collect();
    let script = format!("read forever; {} ; rm -rf '{}'", stop.join(" "), path(folder));
    let mut shell = Command::new("sh")
        .args(["-c", &script])
        // A group of its own: Ctrl-C in the terminal is for the tests, and their end is the shell's sign.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    shell.stdin.take().unwrap()
}

fn run(program: &Path, arguments: &[&str]) {
    // The server keeps what it inherits, and a pipe of ours would never end.
    let status = command(program, arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .status()
        .unwrap();
    assert!(status.success(), "{} failed: {status}", program.display());
}

/// The command, as the user postgres where we are root, since PostgreSQL refuses root.
fn command(program: &Path, arguments: &[&str]) -> Command {
    let mut command = if is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--", path(program)]);
        command
    } else {
        Command::new(program)
    };
    command.args(arguments).current_dir("/");
    command
}

/// Where `initdb` and `pg_ctl` are: on the PATH, or where Debian puts them, the newest.
fn programs() -> PathBuf {
    let on_path = std::env::var_os("PATH")
        .into_iter()
        .flat_map(|paths| std::env::split_paths(&paths).collect::<Vec<_>>());
    let debian = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"));
    let mut debian: Vec<PathBuf> = debian.collect();
    debian.sort();
    on_path
        .chain(debian.into_iter().rev())
        .find(|folder| folder.join("initdb").exists() && folder.join("pg_ctl").exists())
        .expect("PostgreSQL's initdb and pg_ctl are needed for the tests: install the package postgresql")
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|us| us.uid() == 0)
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

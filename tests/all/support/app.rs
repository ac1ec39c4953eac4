//! The service as a test sees it.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use audit_log::model::id::IdKind;
use audit_log::model::rights::{Role, Scope};
use audit_log::server::access::issue::{self, IssuedKey, Issuer};
use audit_log::server::access::passwords;
use audit_log::server::clock::{Clock, Random};
use audit_log::server::config::Config;
use audit_log::server::http;
use audit_log::server::jobs::{self, Workers};
use audit_log::server::secrets::InstanceKey;
use audit_log::server::state::Server;
use audit_log::server::store::projects::{self, Project};
use audit_log::server::store::{Db, accounts};
use reqwest::{Client, Method, RequestBuilder, Response};
use tokio_util::sync::CancellationToken;

/// Which database a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    Sqlite,
    Postgres,
}

/// The service, running on a loopback port with an empty database of its own.
pub struct TestApp {
    /// Its database's URL, for commands run beside it.
    pub database_url: String,
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    /// The running server's parts.
    pub server: Server,
    /// Follows no redirect and keeps no cookie.
    pub client: Client,
    shift: Arc<AtomicI64>,
    folder: tempfile::TempDir,
}

impl TestApp {
    /// Starts the service, runs a test's body, and stops it.
    pub fn run(database: Database, configure: impl FnOnce(&mut Config), body: impl AsyncFnOnce(&Self)) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let app = Self::start(database, configure).await;
            body(&app).await;
            app.server.stop().await;
            app.server.db.close().await;
            if database == Database::Postgres {
                super::postgres::drop_database(&app.database_url).await;
            }
        });
        runtime.shutdown_background();
    }

    async fn start(database: Database, configure: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database_url = match database {
            Database::Sqlite => format!("sqlite://{}/audit-log.db", folder.path().display()),
            Database::Postgres => super::postgres::new_database().await,
        };
        let files = folder.path().join("files");
        Self::serve(folder, database_url, &files, configure).await
    }

    /// Starts one more service, on a database and files that are there: a restored backup, a copy, a database of an older version.
    pub async fn another(database_url: &str, files: &Path) -> Self {
        Self::serve(tempfile::tempdir().unwrap(), database_url.to_owned(), files, |_| {}).await
    }

    /// Stops a service that was started by hand.
    pub async fn stop(self) {
        self.server.stop().await;
        self.server.db.close().await;
    }

    async fn serve(folder: tempfile::TempDir, database_url: String, files: &Path, configure: impl FnOnce(&mut Config)) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut config = Config {
            listen: listener.local_addr().unwrap(),
            // Some tests name days of the calendar, which pass.
            retention_days: 0,
            ..Config::default()
        };
        config.data.database.database_url.clone_from(&database_url);
        config.data.files_url = format!("file:{}", files.display());
        configure(&mut config);
        let url = format!("http://{}", config.listen);
        let db = Db::open(&database_url).await.unwrap();
        db.migrate().await.unwrap();
        let shift = Arc::new(AtomicI64::new(0));
        let server = Server::new(
            db,
            config,
            InstanceKey::new([7; 32]),
            Clock::Shifted(shift.clone()),
            Random::system(),
        )
        .unwrap();
        tokio::spawn(http::serve::serve(
            listener,
            http::router(server.clone()),
            CancellationToken::new(),
        ));
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Self {
            database_url,
            url,
            server,
            client,
            shift,
            folder,
        }
    }

    /// Lets this process do what waits in the queue, from now on. Nothing is done before, so that a test can see it wait.
    pub fn work(&self) -> Workers {
        jobs::start(&self.server, 2)
    }

    /// The database.
    pub fn db(&self) -> &Db {
        &self.server.db
    }

    /// A folder of this test's own.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Lets time pass for the service, without waiting.
    pub fn pass(&self, ms: i64) {
        self.shift.fetch_add(ms, Ordering::SeqCst);
    }

    /// Makes a project.
    pub async fn add_project(&self, name: &str) -> Project {
        let now_ms = self.server.clock.now_ms();
        projects::add(
            self.db(),
            &self.server.random.id(IdKind::Project, now_ms),
            name,
            "UTC",
            now_ms,
        )
        .await
        .unwrap()
    }

    /// Makes a person, in a project or in none, and gives their number.
    pub async fn add_person(&self, email: &str, password: &str, place: Option<(&Project, Role)>) -> i64 {
        let now_ms = self.server.clock.now_ms();
        let new = accounts::NewUser {
            id: &self.server.random.id(IdKind::User, now_ms),
            email,
            name: "",
            password_hash: &passwords::hash(password.to_owned(), &self.server.random).await.unwrap(),
            may_operate: true,
            now_ms,
        };
        let user = accounts::add(self.db(), new).await.unwrap();
        if let Some((project, role)) = place {
            accounts::set_member(self.db(), project.key, user.key, role, now_ms)
                .await
                .unwrap();
        }
        user.key
    }

    /// Makes a server-side key.
    pub async fn add_key(&self, project: &Project, scopes: &[Scope]) -> IssuedKey {
        issue::server_key(self.db(), &self.issuer(), project.key, "test key", scopes)
            .await
            .unwrap()
    }

    /// Makes a client-side key that may send logs and events.
    pub async fn add_client_key(&self, project: &Project, origin: &str) -> IssuedKey {
        let scopes = [Scope::LogsWrite, Scope::EventsWrite];
        issue::client_key(
            self.db(),
            &self.issuer(),
            project.key,
            "test client key",
            &scopes,
            &[origin.to_owned()],
        )
        .await
        .unwrap()
    }

    /// What keys are made with.
    pub fn issuer(&self) -> Issuer<'_> {
        Issuer {
            clock: &self.server.clock,
            random: &self.server.random,
        }
    }

    /// Signs in by the form, which must work, and gives the `Cookie` header.
    pub async fn sign_in(&self, email: &str, password: &str) -> String {
        let answer = self
            .post_form("/sign-in", &[("email", email), ("password", password)])
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 303, "{:?}", answer.headers());
        cookie_of(&answer).unwrap_or_else(|| panic!("no cookie: {:?}", answer.headers()))
    }

    /// A member of a new project who has signed in: the project, and the `Cookie` header.
    pub async fn signed_in(&self, role: Role) -> (Project, String) {
        let project = self.add_project("shop").await;
        let email = format!("{}@example.com", role.as_str());
        self.add_person(&email, "correct horse", Some((&project, role))).await;
        let cookie = self.sign_in(&email, "correct horse").await;
        (project, cookie)
    }

    /// A request to a path of the service, from its own pages.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method.clone(), format!("{}{path}", self.url));
        // Browsers name the origin of whatever may change something.
        if method.is_safe() {
            request
        } else {
            request.header("origin", &self.url)
        }
    }

    /// A `GET` by nobody.
    pub async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    /// A `GET` by somebody who has signed in.
    pub async fn get_as(&self, cookie: &str, path: &str) -> Response {
        self.request(Method::GET, path).header("cookie", cookie).send().await.unwrap()
    }

    /// A form, as a browser posts it.
    pub fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        self.request(Method::POST, path)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
    }

    /// A call signed by a server-side key; no browser, so no origin.
    pub fn call(&self, method: Method, path: &str, key: &IssuedKey) -> RequestBuilder {
        self.client
            .request(method, format!("{}{path}", self.url))
            .header("x-app-id", &key.app_id)
            .header("x-app-token", &key.app_token)
    }

    /// Every log that a key reads, page by page: its id.
    pub async fn all_ids(&self, key: &IssuedKey) -> Vec<String> {
        const ALL: &str = "/v1/logs?limit=100&from=2000-01-01T00:00:00Z";
        let (mut ids, mut path) = (Vec::new(), ALL.to_owned());
        loop {
            let answer = self.call(Method::GET, &path, key).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{path}");
            let page: serde_json::Value = answer.json().await.unwrap();
            let rows = page["data"].as_array().unwrap();
            ids.extend(rows.iter().map(|log| log["id"].as_str().unwrap().to_owned()));
            let Some(next) = page["more_starting_after"].as_str().filter(|_| page["has_more"] == true) else {
                return ids;
            };
            path = format!("{ALL}&after={next}");
        }
    }

    /// Runs the real binary beside the service, on the same database.
    pub fn command(&self, arguments: &[&str], input: &str) -> Output {
        run_binary(arguments, input, &[("DATABASE_URL", &self.database_url)], self.folder())
    }

    /// Runs the real binary, letting the service go on meanwhile.
    pub fn command_beside(&self, arguments: &[&str]) -> Output {
        tokio::task::block_in_place(|| self.command(arguments, ""))
    }
}

/// Runs the real binary with nothing of our environment but what is given.
pub fn run_binary(arguments: &[&str], input: &str, environment: &[(&str, &str)], folder: &Path) -> Output {
    use std::io::Write;
    let mut child = Command::new(env!("CARGO_BIN_EXE_audit-log"))
        .args(arguments)
        .env_clear()
        .envs(environment.iter().copied())
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that reads nothing may be gone before this is written.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// The `Cookie` header that a browser would send after this answer.
pub fn cookie_of(answer: &Response) -> Option<String> {
    let set = answer.headers().get("set-cookie")?.to_str().unwrap();
    Some(set.split(';').next().unwrap().to_owned())
}

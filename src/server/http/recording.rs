//! The service records itself: every request that matters becomes a log of its project, origin `self`.
//!
//! The layer of the `recorder` crate sees the exchange; [`describe`] and the handlers say whose it is; [`OwnLogs`] writes it down.
//! Left out are what sends records in, health, metrics, assets, pages (but for a log's own) and the paging of lists.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri, header};
use axum::middleware::Next;
use axum::response::Response;
use recorder::{Exchange, Sink};
use tokio::sync::OwnedSemaphorePermit;

use super::embed;
use super::headers::RequestId;
use super::sign_in::Attempted;
use crate::model::id::is_client_id;
use crate::model::log::Resource;
use crate::model::query;
use crate::server::access::{self, KeyAccess, ManagementAccess, Member, Person, oidc};
use crate::server::state::Server;
use crate::server::store::projects::ProjectKey;

pub mod change;
mod log;
mod quiet;
mod write;

use quiet::Quiet;

/// The server functions behind a log's page, and behind two logs beside each other.
const LOG_PAGE: &str = "/api/log";
const COMPARE_LOGS: &str = "/api/compare_logs";
/// The page of two logs. A log whose id is that word has the same page, where no other is named.
const COMPARE_PAGE: &str = "compare";
/// Letters of a client's own channel.
const MAX_CHANNEL: usize = 64;

/// The recording of a request, as handlers find it in the extensions.
pub type Recording = recorder::Recording<Subject>;

/// What an exchange is about.
#[derive(Debug, Default)]
pub struct Subject {
    /// Whose log it becomes: usually one project, for a sign-in or sign-out all of the person's, for a stranger none.
    pub projects: Vec<ProjectKey>,
    /// Who did it.
    pub by: By,
    /// What it is about.
    pub resource: Option<Resource>,
    /// Another thing that it is about as much: it becomes a log of that, too.
    pub beside: Option<Resource>,
    request_id: String,
    route: Option<String>,
    channel: Option<String>,
    ip: Option<IpAddr>,
    /// The task that it began, and the id that its log has then.
    began: Option<(String, String)>,
    /// The e-mail address that somebody failed to sign in with.
    attempted: Option<String>,
    /// What it changed of a project's settings.
    change: Option<change::Change>,
    /// Whether it failed, though its answer does not say so: what leads back to a form is no failure of HTTP's.
    failed: bool,
    /// Its place among the recordings that are on their way.
    place: Option<OwnedSemaphorePermit>,
}

/// Who did it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum By {
    /// Nobody who is known.
    #[default]
    Nobody,
    /// A person: number, id and e-mail address.
    Person {
        /// `usr_…`.
        id: String,
        /// How they sign in.
        email: String,
    },
    /// A server-side or a client-side key.
    Key {
        /// Its public id.
        app_id: String,
        /// Its name.
        name: String,
        /// Whether it is a client-side key.
        client: bool,
    },
}

impl Subject {
    /// Done by a person.
    pub fn by_person(&mut self, person: &Person) {
        self.by = By::Person {
            id: person.id.clone(),
            email: person.email.clone(),
        };
    }

    /// Done by a person in one of their projects.
    pub fn by_member(&mut self, member: &Member) {
        self.projects = vec![member.project.key];
        self.by_person(&member.person);
    }

    /// Done by a management key, in a project that is said later.
    pub fn by_manager(&mut self, key: &ManagementAccess) {
        self.by = By::Key {
            app_id: key.app_id.clone(),
            name: key.name.clone(),
            client: false,
        };
    }

    /// Done by a key.
    pub fn by_key(&mut self, key: &KeyAccess) {
        self.projects = vec![key.project.key];
        self.by = By::Key {
            app_id: key.app_id.clone(),
            name: key.name.clone(),
            client: key.client,
        };
    }
}

/// What a request was, for what it sets in motion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Its id.
    pub request_id: Option<String>,
    /// WEBSITE, API, or the client's own name.
    pub channel: Option<String>,
}

/// What the request of this recording was.
pub fn asked(recording: Option<&Recording>) -> Asked {
    let mut asked = Asked::default();
    if let Some(recording) = recording {
        recording.context(|subject| {
            asked.request_id = Some(subject.request_id.clone()).filter(|id| !id.is_empty());
            asked.channel.clone_from(&subject.channel);
        });
    }
    asked
}

/// Says that the request began a task: its log will have this id, and name the task.
pub fn began(recording: Option<&Recording>, task_id: &str, log_id: &str) {
    if let Some(recording) = recording {
        recording.context(|subject| subject.began = Some((task_id.to_owned(), log_id.to_owned())));
    }
}

/// Says what the request is about, where its address does not.
pub fn about(recording: Option<&Recording>, kind: &str, id: &str) {
    if let Some(recording) = recording {
        recording.context(|subject| {
            subject.resource = Some(Resource {
                kind: kind.to_owned(),
                id: id.to_owned(),
            });
        });
    }
}

/// Says that the request is about another thing as much: it becomes a log of that, too.
pub fn beside(recording: Option<&Recording>, kind: &str, id: &str) {
    if let Some(recording) = recording {
        recording.context(|subject| {
            subject.beside = Some(Resource {
                kind: kind.to_owned(),
                id: id.to_owned(),
            });
        });
    }
}

/// Says that somebody asked who is nobody but the holder of a link of this project.
pub fn by_link(recording: Option<&Recording>, project: ProjectKey) {
    if let Some(recording) = recording {
        recording.context(|subject| subject.projects = vec![project]);
    }
}

/// Says that the request is about two things alike, where its address does not: it becomes a log of each.
pub fn about_both(recording: Option<&Recording>, kind: &str, [first, second]: [&str; 2]) {
    about(recording, kind, first);
    if first != second {
        beside(recording, kind, second);
    }
}

/// Says that a member asked, of the recording in these extensions; server functions have them in the request's parts.
pub fn by_member(extensions: &axum::http::Extensions, member: &Member) {
    if let Some(recording) = extensions.get::<Recording>() {
        recording.context(|subject| subject.by_member(member));
    }
}

/// Where this service's own logs go.
#[derive(Clone, Debug)]
pub(crate) struct OwnLogs(pub(crate) Server);

impl Sink for OwnLogs {
    type Context = Subject;

    fn begin(&self, request: &Parts) -> Option<Subject> {
        let route = request.extensions.get::<MatchedPath>().map(MatchedPath::as_str);
        if !is_recorded(&request.method, route?, request.uri.query().unwrap_or_default()) {
            return None;
        }
        let peer = request.extensions.get::<ConnectInfo<SocketAddr>>();
        Some(Subject {
            request_id: request
                .extensions
                .get::<RequestId>()
                .map(|id| id.0.clone())
                .unwrap_or_default(),
            route: route.map(str::to_owned),
            resource: log_of(&request.uri),
            channel: Some(channel(route?, &request.headers)),
            ip: peer.map(|ConnectInfo(peer)| access::client_ip(&self.0.config, *peer, &request.headers)),
            ..Subject::default()
        })
    }

    fn record(&self, exchange: Exchange<Subject>) {
        if exchange.context.projects.is_empty() && exchange.context.attempted.is_none() {
            return;
        }
        let server = self.0.clone();
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => {
                server
                    .recordings
                    .clone()
                    .spawn_on(async move { write::write(&server, exchange).await }, &runtime);
            }
            Err(error) => write::failed(&exchange.context.request_id, &error),
        }
    }
}

/// Whether a request to this route becomes a log.
fn is_recorded(method: &Method, route: &str, query: &str) -> bool {
    let is_read = method.is_safe();
    match route {
        "/health/live" | "/health/ready" | "/metrics" => false,
        "/v1/logs" | "/v1/events" | "/v1/otlp/v1/traces" | "/v1/otlp/v1/logs" if *method == Method::POST => false,
        _ if *method == Method::OPTIONS || route.starts_with("/assets/") => false,
        _ if route.starts_with("/v1/") || route.starts_with("/management/") => !(is_read && is_paging(query)),
        // Whoever opens an embedded view is nobody who is known: each page counts.
        embed::ROUTE | oidc::CALLBACK => true,
        // A log's page and its files show what was said; the other pages show lists.
        _ if is_read => {
            [LOG_PAGE, COMPARE_LOGS].contains(&route)
                || (route.starts_with("/projects/") && is_of_one_log(route))
                || is_file(route)
        }
        _ => true,
    }
}

fn is_paging(query: &str) -> bool {
    query::pairs(query).any(|(name, value)| matches!(name.as_str(), "after" | "before") && !value.is_empty())
}

/// A task's or an export's file says what was said, too.
fn is_file(route: &str) -> bool {
    route.starts_with("/projects/")
        && ["/file", "/rejected", "/result", "/parameters"]
            .iter()
            .any(|end| route.ends_with(end))
}

fn is_of_one_log(route: &str) -> bool {
    route.split('/').nth(3) == Some("logs") && route.split('/').nth(4).is_some()
}

/// WEBSITE, API, or what a client calls itself, where that is a name of a sane length.
fn channel(route: &str, headers: &HeaderMap) -> String {
    let own = headers
        .get("x-voucherify-channel")
        .and_then(|value| value.to_str().ok())
        .map(str::trim);
    let is_name =
        |name: &&str| (1..=MAX_CHANNEL).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    let default = if super::errors::is_for_machines(route) {
        "API"
    } else {
        "WEBSITE"
    };
    own.filter(is_name).unwrap_or(default).to_owned()
}

/// Waits for a place among the recordings, and says of the exchange what can be said without its handler.
pub(crate) async fn describe(State(server): State<Server>, request: Request, next: Next) -> Response {
    let Some(recording) = request.extensions().get::<Recording>().cloned() else {
        return next.run(request).await;
    };
    // Nothing is dropped where the writer is behind: whoever asks waits.
    if let Ok(place) = server.limits.recordings.clone().acquire_owned().await {
        recording.context(|subject| subject.place = Some(place));
    }
    let visited = project_of(request.uri()).map(|project| (project, request.headers().clone()));
    let is_read = request.method().is_safe();
    let quiet = if is_read {
        Quiet::Nothing
    } else {
        quiet::of(request.uri().path())
    };
    if quiet != Quiet::Nothing {
        recording.not_captured();
    }
    if quiet == Quiet::Both {
        recording.request_not_captured();
    }
    let response = next.run(request).await;
    if is_read && (response.status().is_success() || is_page(&response)) {
        // Records and files lie here already; who read them, and when, is what counts.
        recording.not_captured();
    }
    if let Some(person) = response.extensions().get::<Person>() {
        signed_in_or_out(&server, &recording, person).await;
    } else if let Some(Attempted(email)) = response.extensions().get::<Attempted>() {
        recording.context(|subject| {
            subject.attempted = Some(email.clone());
            subject.failed = true;
        });
    } else if let Some((project, headers)) = visited
        && let Ok(member) = access::member(&server, &headers, &project).await
    {
        recording.context(|subject| subject.by_member(&member));
    }
    response
}

/// A sign-in is a log of every project that it opens, and a sign-out of every one that it closes.
async fn signed_in_or_out(server: &Server, recording: &Recording, person: &Person) {
    match access::projects_of(server, person).await {
        Ok(projects) => recording.context(|subject| {
            subject.by_person(person);
            subject.projects = projects.iter().map(|(project, _)| project.key).collect();
        }),
        Err(error) => tracing::error!(%error, "a sign-in or sign-out could not be recorded: its projects are not known"),
    }
}

/// The project that a page, or a server function that reads, was asked about.
fn project_of(uri: &Uri) -> Option<String> {
    if let Some(rest) = uri.path().strip_prefix("/projects/") {
        return rest.split('/').next().filter(|id| !id.is_empty()).map(str::to_owned);
    }
    argument(uri, "project").filter(|_| uri.path().starts_with("/api/"))
}

/// The log that a request is about.
fn log_of(uri: &Uri) -> Option<Resource> {
    let path = uri.path();
    let id = match path
        .strip_prefix("/v1/logs/")
        .or_else(|| path.split_once("/logs/").map(|(_, rest)| rest))
    {
        Some(rest) => rest.split('/').next().map(str::to_owned),
        None if path == LOG_PAGE => argument(uri, "id"),
        None => None,
    };
    // Two logs beside each other: what the page asks for says which.
    let is_pair = id.as_deref() == Some(COMPARE_PAGE) && argument(uri, "a").or_else(|| argument(uri, "b")).is_some();
    let id = id.filter(|id| is_client_id(id) && !is_pair)?;
    Some(Resource {
        kind: "api_log".to_owned(),
        id,
    })
}

fn argument(uri: &Uri, name: &str) -> Option<String> {
    let (_, value) = query::pairs(uri.query()?).find(|(argument, _)| argument == name)?;
    Some(value)
}

fn is_page(response: &Response) -> bool {
    response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matters_is_recorded() {
        for (method, route, query, is) in [
            (Method::POST, "/v1/logs", "", false),
            (Method::POST, "/v1/otlp/v1/traces", "", false),
            (Method::POST, "/v1/otlp/v1/logs", "", false),
            (Method::GET, "/v1/logs", "status=FAILURE", true),
            (Method::GET, "/v1/logs", "after=abc", false),
            (Method::GET, "/v1/logs", "after=", true),
            (Method::GET, "/v1/logs/{id}", "", true),
            (Method::PUT, "/v1/logs/{id}/import-file", "", true),
            (Method::POST, "/v1/events", "", false),
            (Method::OPTIONS, "/v1/logs", "", false),
            (Method::GET, "/health/ready", "", false),
            (Method::GET, "/assets/{*path}", "", false),
            (Method::POST, "/sign-in", "", true),
            (Method::POST, "/sign-out", "", true),
            (Method::GET, "/sign-in", "", false),
            (Method::GET, "/projects/{project}/logs", "", false),
            (Method::GET, "/projects/{project}/logs/{id}", "", true),
            (Method::GET, "/projects/{project}/logs/{id}/request", "", true),
            (Method::GET, "/projects/{project}/tasks/{id}", "", false),
            (Method::POST, "/api/delete_export", "", true),
            (Method::GET, "/api/log", "project=prj_1&id=a", true),
            (Method::GET, "/api/compare_logs", "project=prj_1&query=", true),
            (Method::GET, "/projects/{project}/logs/compare", "a=1&b=2", true),
            (Method::GET, "/api/logs", "project=prj_1", false),
            (Method::GET, "/embed/{token}", "after=abc", true),
            (Method::HEAD, "/embed/{token}", "", true),
        ] {
            assert_eq!(is_recorded(&method, route, query), is, "{method} {route}?{query}");
        }
    }

    #[test]
    fn a_request_says_what_it_is_about() {
        for (uri, project, log) in [
            ("/v1/logs/a", None, Some("a")),
            ("/v1/logs/a/request?x", None, Some("a")),
            ("/v1/logs?project=prj_1", None, None),
            ("/v1/logs/a%20b", None, None),
            ("/projects/prj_1/logs/a", Some("prj_1"), Some("a")),
            ("/projects/prj_1/logs", Some("prj_1"), None),
            ("/projects/prj_1/logs/compare?a=x&b=y", Some("prj_1"), None),
            ("/projects/prj_1/logs/compare?b=y&with=success", Some("prj_1"), None),
            ("/projects/prj_1/logs/compare?status=FAILURE", Some("prj_1"), Some("compare")),
            ("/projects/", None, None),
            ("/api/log?id=a&project=prj_1", Some("prj_1"), Some("a")),
            ("/sign-in", None, None),
        ] {
            let uri: Uri = uri.parse().unwrap();
            assert_eq!(project_of(&uri).as_deref(), project, "{uri}");
            assert_eq!(log_of(&uri).map(|resource| resource.id).as_deref(), log, "{uri}");
        }
    }

    #[test]
    fn a_channel_is_a_name() {
        let of = |value: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert("x-voucherify-channel", axum::http::HeaderValue::from_bytes(value).unwrap());
            channel("/v1/logs", &headers)
        };
        assert_eq!(of(b"Node.js-v20.20.2-SDK-v2.9.0"), "Node.js-v20.20.2-SDK-v2.9.0");
        for bad in [&b""[..], b"  ", "é".as_bytes(), &[b'a'; 65]] {
            assert_eq!(of(bad), "API");
        }
        assert_eq!(channel("/sign-in", &HeaderMap::new()), "WEBSITE");
    }
}

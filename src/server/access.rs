//! Who asks, and what they may see. Every page, server function and endpoint comes through here.
//!
//! People come by a session cookie ([`person`], [`member`]); applications by a key ([`key`], [`sender_key`], [`management_key`]).
//! What was found is remembered for [`REMEMBERED_MS`], so a key that is revoked or a role that is changed takes hold within that time.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, header};
use ipnet::IpNet;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::model::rights::{Rights, Role, Scope};

use super::config::Config;
use super::state::Server;
use super::store::projects::{self, Project};
use super::store::{Db, StoreError, accounts, keys, sessions};
use brief::Brief;
pub(in crate::server) use throttle::network;

pub(in crate::server) mod brief;
pub mod invite;
pub mod issue;
pub mod oidc;
pub mod own;
pub mod passwords;
pub mod second;
mod throttle;

/// How long what was found in the database is believed, in milliseconds.
pub const REMEMBERED_MS: i64 = 3_000;
/// How many of each are remembered.
const REMEMBERED: usize = 10_000;
/// How often a session's last use is written down.
const SESSION_TOUCH_MS: i64 = 60 * 60 * 1_000;
/// How often a key's last use is written down.
const KEY_TOUCH_MS: i64 = 60 * 1_000;

/// The person of a demo, who is let in on the server's own machine alone, and while it runs with `--demo`.
pub const DEMO_EMAIL: &str = "demo@audit-log.example";
/// Their password: no secret, since the e-mail address is let in on the server's own machine alone.
pub const DEMO_PASSWORD: &str = "demo-demo";

/// A signed-in person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The number that tables use.
    pub key: i64,
    /// `usr_…`.
    pub id: String,
    /// How they sign in.
    pub email: String,
    /// Whether they run the instance.
    pub operator: bool,
}

/// A person in one of their projects.
#[derive(Clone, Debug)]
pub struct Member {
    /// Who.
    pub person: Person,
    /// Where.
    pub project: Project,
    /// As what.
    pub role: Role,
    /// What they may do there.
    pub rights: Rights,
}

/// A key that signed a call.
#[derive(Clone, Debug)]
pub struct KeyAccess {
    /// Where.
    pub project: Project,
    /// The key's public id (`X-App-Id`).
    pub app_id: String,
    /// Its name.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// Whether it is a client-side key.
    pub client: bool,
    /// Calls a minute of its own; `None` for the instance's.
    pub calls_a_minute: Option<u32>,
    /// What it may see.
    pub rights: Rights,
}

impl KeyAccess {
    /// `Forbidden`, in words, where the key lacks a scope.
    pub fn require(&self, scope: Scope) -> Result<(), AccessError> {
        if self.scopes.contains(&scope) {
            return Ok(());
        }
        Err(AccessError::Forbidden(format!("this key lacks the scope {}", scope.as_str())))
    }
}

/// A key that manages the instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagementAccess {
    /// Its public id (`X-Management-Id`).
    pub app_id: String,
    /// Its name.
    pub name: String,
}

/// Why somebody was turned away.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// Nobody is signed in, or the key is wrong.
    #[error("{0}")]
    Unauthorized(String),
    /// Signed in, but may not.
    #[error("{0}")]
    Forbidden(String),
    /// There is no such project for whoever asks.
    #[error("not found")]
    NotFound,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The SHA-256 of a token: what the database has of it.
type TokenHash = [u8; 32];

/// Who came in lately, and who failed to.
#[derive(Debug)]
pub struct Door {
    sessions: Brief<TokenHash, sessions::Session>,
    members: Brief<(i64, String), (Project, Role, Rights)>,
    projects: Brief<i64, Vec<(Project, Role)>>,
    keys: Brief<TokenHash, keys::ApiKey>,
    throttle: throttle::Throttle,
}

impl Default for Door {
    fn default() -> Self {
        Self {
            sessions: Brief::new(REMEMBERED_MS, REMEMBERED),
            members: Brief::new(REMEMBERED_MS, REMEMBERED),
            projects: Brief::new(REMEMBERED_MS, REMEMBERED),
            keys: Brief::new(REMEMBERED_MS, REMEMBERED),
            throttle: throttle::Throttle::default(),
        }
    }
}

impl Door {
    /// Forgets every member, project and key at once: call it after changing projects, members, rights or keys, so that this server follows without delay.
    pub fn forget(&self) {
        self.members.forget_if(|_| true);
        self.projects.forget_if(|_| true);
        self.keys.forget_if(|_| true);
    }

    /// Forgets every session at once: call it after ending some.
    pub fn forget_sessions(&self) {
        self.sessions.forget_if(|_| true);
    }
}

/// The person whose session cookie came with a request.
pub async fn person(server: &Server, headers: &HeaderMap) -> Result<Option<Person>, AccessError> {
    let Some(token_hash) = session_hash(&server.config, headers) else {
        return Ok(None);
    };
    let now_ms = server.clock.now_ms();
    let session = match server.door.sessions.get(&token_hash, now_ms) {
        Some(session) => Some(session).filter(|session| session.expires_at > now_ms),
        None => find_session(server, token_hash, now_ms).await?,
    };
    let person = session.map(|session| Person {
        key: session.user_key,
        id: session.user_id,
        email: session.email,
        operator: session.operator,
    });
    // A demo's session ends with the demo.
    Ok(person.filter(|person| server.config.demo || !is_demo_email(&person.email)))
}

/// Whether this is how the person of a demo signs in.
pub fn is_demo_email(email: &str) -> bool {
    accounts::fold_email(email) == DEMO_EMAIL
}

/// The person of a demo, where there is one. Whether they may come in is for the caller to see.
pub async fn demo_person(server: &Server) -> Result<Option<Person>, AccessError> {
    let user = accounts::find_by_email(&server.db, DEMO_EMAIL).await?;
    Ok(user.map(|user| Person {
        key: user.key,
        id: user.id,
        email: user.email,
        operator: user.operator,
    }))
}

async fn find_session(server: &Server, token_hash: TokenHash, now_ms: i64) -> Result<Option<sessions::Session>, StoreError> {
    let Some(session) = sessions::find(&server.db, &token_hash, now_ms).await? else {
        return Ok(None);
    };
    if now_ms - session.last_seen_at >= SESSION_TOUCH_MS {
        let expires_at = now_ms.saturating_add(server.config.session_ms());
        note(&server.db, "a session", async move |db| {
            sessions::touch(&db, &token_hash, now_ms, expires_at).await
        });
    }
    server.door.sessions.put(token_hash, session.clone(), now_ms);
    Ok(Some(session))
}

/// The person behind a request, in this project; `Unauthorized` where nobody is signed in, `NotFound` where it is not theirs.
pub async fn member(server: &Server, headers: &HeaderMap, project_id: &str) -> Result<Member, AccessError> {
    let person = person(server, headers)
        .await?
        .ok_or_else(|| AccessError::Unauthorized("sign in first".to_owned()))?;
    let now_ms = server.clock.now_ms();
    let place = (person.key, project_id.to_owned());
    let (project, role, rights) = if let Some(known) = server.door.members.get(&place, now_ms) {
        known
    } else {
        let found = find_member(&server.db, person.key, project_id)
            .await?
            .ok_or(AccessError::NotFound)?;
        let (user, project) = (person.key, found.0.key);
        note(&server.db, "the last project", async move |db| {
            accounts::set_last_project(&db, user, project).await
        });
        server.door.members.put(place, found.clone(), now_ms);
        found
    };
    Ok(Member {
        person,
        project,
        role,
        rights,
    })
}

async fn find_member(db: &Db, user: i64, project_id: &str) -> Result<Option<(Project, Role, Rights)>, StoreError> {
    let Some(project) = projects::find(db, project_id).await? else {
        return Ok(None);
    };
    let Some(role) = accounts::role(db, project.key, user).await? else {
        return Ok(None);
    };
    let rights = accounts::rights(db, project.key, role).await?;
    Ok(Some((project, role, rights)))
}

/// The projects of a person, with their role, in the order they joined; the operator sees those alone where they were made a member, too.
pub async fn projects_of(server: &Server, person: &Person) -> Result<Vec<(Project, Role)>, AccessError> {
    Ok(accounts::projects_of(&server.db, person.key).await?)
}

/// The same for what stands around a page of the project `here`, remembered: every page asks. Asked anew where that project is not among them, which another
/// server may just have made.
pub async fn projects_around(server: &Server, person: &Person, here: Option<&str>) -> Result<Vec<(Project, Role)>, AccessError> {
    let now_ms = server.clock.now_ms();
    let is_here = |(project, _): &(Project, Role)| here.is_none_or(|here| project.id == here);
    let known = server.door.projects.get(&person.key, now_ms);
    if let Some(projects) = known.filter(|projects| projects.iter().any(is_here)) {
        return Ok(projects);
    }
    let projects = projects_of(server, person).await?;
    server.door.projects.put(person.key, projects.clone(), now_ms);
    Ok(projects)
}

/// The server-side key that signed a call: `X-App-Id` with `X-App-Token`, or `Authorization: Bearer` with the token alone.
/// A client-side key is `Forbidden`: anybody can read it in a browser, so it only sends (see [`sender_key`]).
pub async fn key(server: &Server, headers: &HeaderMap) -> Result<KeyAccess, AccessError> {
    let found = sender_key(server, headers).await?;
    if found.client {
        return Err(AccessError::Forbidden(
            "a client-side key may only POST /v1/logs and /v1/events; sign this call with a server-side key".to_owned(),
        ));
    }
    Ok(found)
}

/// The key that signed a call, client-side keys too: for `POST /v1/logs` and `POST /v1/events` alone.
pub async fn sender_key(server: &Server, headers: &HeaderMap) -> Result<KeyAccess, AccessError> {
    let shown = ShownKey::read(headers)?;
    let wrong =
        || AccessError::Unauthorized("this key does not exist, has expired, was revoked, or its token is wrong".to_owned());
    let found = find_key(server, sha256(shown.token)).await?.ok_or_else(wrong)?;
    if shown
        .app_id
        .is_some_and(|app_id| !same(app_id.as_bytes(), found.app_id.as_bytes()))
        || shown.client != found.client
    {
        return Err(wrong());
    }
    if found.client {
        check_origin(headers, &found.origins)?;
    }
    Ok(KeyAccess {
        rights: Rights::of_scopes(&found.scopes),
        project: found.project,
        app_id: found.app_id,
        name: found.name,
        scopes: found.scopes,
        client: found.client,
        calls_a_minute: found.calls_a_minute,
    })
}

/// The management key that signed a call: `X-Management-Id` with `X-Management-Token`.
pub async fn management_key(server: &Server, headers: &HeaderMap) -> Result<ManagementAccess, AccessError> {
    let (Some(app_id), Some(token)) = (text(headers, "x-management-id"), text(headers, "x-management-token")) else {
        return Err(AccessError::Unauthorized(
            "sign this call with X-Management-Id and X-Management-Token".to_owned(),
        ));
    };
    let token_hash = sha256(token);
    let found = keys::find_management_by_token(&server.db, &token_hash).await?;
    match found.filter(|key| same(&key.token_hash, &token_hash) && same(key.app_id.as_bytes(), app_id.as_bytes())) {
        Some(key) => Ok(ManagementAccess {
            app_id: key.app_id,
            name: key.name,
        }),
        None => Err(AccessError::Unauthorized(
            "this management key does not exist, was revoked, or its token is wrong".to_owned(),
        )),
    }
}

/// A key as a call shows it.
struct ShownKey<'a> {
    /// None in the Bearer form, which names the token alone.
    app_id: Option<&'a str>,
    token: &'a str,
    client: bool,
}

impl<'a> ShownKey<'a> {
    fn read(headers: &'a HeaderMap) -> Result<Self, AccessError> {
        for (id, token, client) in [
            ("x-app-id", "x-app-token", false),
            ("x-client-application-id", "x-client-token", true),
        ] {
            match (text(headers, id), text(headers, token)) {
                (Some(app_id), Some(token)) => {
                    return Ok(Self {
                        app_id: Some(app_id),
                        token,
                        client,
                    });
                }
                (None, None) => {}
                _ => {
                    return Err(AccessError::Unauthorized(format!(
                        "{id} and {token} come together, and only one of them came"
                    )));
                }
            }
        }
        let bearer = text(headers, "authorization").and_then(|value| value.split_once(' '));
        match bearer {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Self {
                app_id: None,
                token: token.trim(),
                client: false,
            }),
            _ => Err(AccessError::Unauthorized(
                "sign this call with X-App-Id and X-App-Token, or with Authorization: Bearer and the token".to_owned(),
            )),
        }
    }
}

async fn find_key(server: &Server, token_hash: TokenHash) -> Result<Option<keys::ApiKey>, StoreError> {
    let now_ms = server.clock.now_ms();
    if let Some(known) = server.door.keys.get(&token_hash, now_ms) {
        return Ok(Some(known).filter(|key| key.until.is_none_or(|until| until > now_ms)));
    }
    let found = keys::find_by_token(&server.db, &token_hash, now_ms)
        .await?
        .filter(|key| same(&key.token_hash, &token_hash));
    let Some(key) = found else { return Ok(None) };
    if key.last_used_at.is_none_or(|last| now_ms - last >= KEY_TOUCH_MS) {
        let (project, id) = (key.project.key, key.id.clone());
        note(&server.db, "a key's last use", async move |db| {
            keys::touch(&db, project, &id, now_ms).await
        });
    }
    server.door.keys.put(token_hash, key.clone(), now_ms);
    Ok(Some(key))
}

fn check_origin(headers: &HeaderMap, allowed: &[String]) -> Result<(), AccessError> {
    let Some(origin) = text(headers, "origin") else {
        return Err(AccessError::Forbidden(
            "a client-side key is taken from a browser alone: the Origin header is missing".to_owned(),
        ));
    };
    if allowed.iter().any(|known| known.eq_ignore_ascii_case(origin)) {
        return Ok(());
    }
    Err(AccessError::Forbidden(format!(
        "this client-side key is not taken from the origin {origin}"
    )))
}

/// The address of whoever asks: the peer's, unless that is a trusted proxy; then the last one in `X-Forwarded-For` that is not.
pub fn client_ip(config: &Config, peer: SocketAddr, headers: &HeaderMap) -> IpAddr {
    client_ip_behind(&config.trusted_proxies, peer, headers)
}

/// The same, where these proxies are trusted.
pub fn client_ip_behind(proxies: &[IpNet], peer: SocketAddr, headers: &HeaderMap) -> IpAddr {
    let trusted = |ip: &IpAddr| proxies.iter().any(|network| network.contains(ip));
    let mut ip = peer.ip().to_canonical();
    let hops = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    for hop in hops.collect::<Vec<_>>().into_iter().rev() {
        if !trusted(&ip) {
            break;
        }
        let Ok(before) = hop.trim().parse::<IpAddr>() else { break };
        ip = before.to_canonical();
    }
    ip
}

/// The name of the session's cookie; with https the browser itself guards it by its prefix (RFC 6265bis, 4.1.3.2).
pub(super) const fn cookie_name(https: bool) -> &'static str {
    if https {
        "__Host-audit_log_session"
    } else {
        "audit_log_session"
    }
}

/// What the database has of the session cookie that came with a request.
fn session_hash(config: &Config, headers: &HeaderMap) -> Option<TokenHash> {
    let name = cookie_name(config.is_https());
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let token = cookies.flat_map(|value| value.split(';')).find_map(|pair| {
        pair.trim()
            .split_once('=')
            .filter(|(key, _)| *key == name)
            .map(|(_, token)| token)
    })?;
    Some(sha256(token))
}

/// Writes something down without making anybody wait: what is noted is worth a log line when it fails, and no more.
fn note<F>(db: &Db, what: &'static str, work: impl FnOnce(Db) -> F)
where
    F: Future<Output = Result<(), StoreError>> + Send + 'static,
{
    let work = work(db.clone());
    tokio::spawn(async move {
        if let Err(error) = work.await {
            tracing::warn!(%error, "{what} could not be noted");
        }
    });
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().filter(|value| !value.is_empty())
}

fn sha256(token: &str) -> TokenHash {
    Sha256::digest(token.as_bytes()).into()
}

/// Compares in a time that says nothing of where the two differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn a_forwarded_address_is_believed_from_trusted_proxies_alone() {
        let config = Config {
            trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
            ..Config::default()
        };
        let ip = |peer: &str, forwarded: &[&str]| {
            let pairs: Vec<_> = forwarded.iter().map(|value| ("x-forwarded-for", *value)).collect();
            client_ip(&config, SocketAddr::new(peer.parse().unwrap(), 1), &headers(&pairs)).to_string()
        };
        assert_eq!(ip("192.0.2.1", &["198.51.100.7"]), "192.0.2.1", "not from a proxy");
        assert_eq!(ip("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(ip("10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(
            ip("10.0.0.1", &["203.0.113.9, 198.51.100.7, 10.0.0.2"]),
            "198.51.100.7",
            "what a client itself wrote is not"
        );
        assert_eq!(
            ip("10.0.0.1", &["203.0.113.9", "198.51.100.7"]),
            "198.51.100.7",
            "several headers are one list"
        );
        assert_eq!(ip("10.0.0.1", &["nonsense"]), "10.0.0.1");
        assert_eq!(ip("::ffff:10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
    }

    #[test]
    fn a_key_is_shown_in_one_of_its_forms() {
        let shown = |pairs: &[(&'static str, &str)]| {
            let headers = headers(pairs);
            ShownKey::read(&headers)
                .map(|shown| (shown.app_id.map(str::to_owned), shown.token.to_owned(), shown.client))
                .map_err(|error| error.to_string())
        };
        assert_eq!(
            shown(&[("x-app-id", "a"), ("x-app-token", "t")]),
            Ok((Some("a".into()), "t".into(), false))
        );
        assert_eq!(
            shown(&[("x-client-application-id", "a"), ("x-client-token", "t")]),
            Ok((Some("a".into()), "t".into(), true))
        );
        assert_eq!(shown(&[("authorization", "bearer t")]), Ok((None, "t".into(), false)));
        assert!(shown(&[("x-app-id", "a")]).unwrap_err().contains("together"));
        assert!(shown(&[("authorization", "Basic dDp0")]).is_err());
        assert!(shown(&[]).is_err());
    }

    #[test]
    fn the_session_is_found_among_other_cookies() {
        let config = Config::default();
        let found = session_hash(
            &config,
            &headers(&[("cookie", "theme=dark; audit_log_session=abc"), ("cookie", "x=y")]),
        );
        assert_eq!(found, Some(sha256("abc")));
        assert_eq!(session_hash(&config, &headers(&[("cookie", "xaudit_log_session=abc")])), None);
    }
}

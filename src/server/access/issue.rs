//! Gives out what lets somebody in: sessions for people, keys for applications. What is secret in them is shown once and kept as a hash.

use axum::http::HeaderMap;
use axum_extra::extract::cookie::{Cookie, SameSite};
use data_encoding::BASE64URL_NOPAD;
use serde::Serialize;
use std::net::IpAddr;

use super::passwords::{self, PasswordError};
use super::second::{self, SecondError};
use super::{AccessError, Person, cookie_name, session_hash, sha256};
use crate::model::id::IdKind;
use crate::model::key::{KeyFacts, KeyWish};
use crate::model::rights::Scope;
use crate::server::clock::{Clock, Random};
use crate::server::config::Config;
use crate::server::state::Server;
use crate::server::store::projects::ProjectKey;
use crate::server::store::{Changed, Db, StoreError, accounts, keys, sessions};

/// How long a browser keeps the cookie: as long as browsers allow (RFC 6265bis, 5.5), since the server decides when a session ends.
const COOKIE_AGE: time::Duration = time::Duration::days(400);
/// Characters of a key's name.
const NAME_CHARS: usize = 100;
/// How much of a `User-Agent` is kept with a session.
const USER_AGENT_CHARS: usize = 256;

/// Why a sign-in failed.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// There is no such person, or the password is another; which of the two is not said.
    #[error("the e-mail address or the password is wrong")]
    Wrong,
    /// Too many failed before.
    #[error("too many sign-ins failed; try again in {retry_after_s} s")]
    Throttled {
        /// Seconds.
        retry_after_s: u64,
    },
    /// The password could not be checked.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where a sign-in comes from.
#[derive(Clone, Copy, Debug)]
pub struct Visitor<'a> {
    /// From which address.
    pub ip: IpAddr,
    /// By which browser.
    pub user_agent: &'a str,
}

/// Checks an e-mail address and a password. It takes as long for people who do not exist, and too many failures have to wait.
pub async fn check_password(server: &Server, email: &str, password: &str, ip: IpAddr) -> Result<Person, SignInError> {
    let email = accounts::fold_email(email);
    let now_ms = server.clock.now_ms();
    server
        .door
        .throttle
        .attempt(&email, ip, now_ms)
        .map_err(|retry_after_s| SignInError::Throttled { retry_after_s })?;
    let user = accounts::find_by_email(&server.db, &email).await?;
    let hash = user.as_ref().map(|user| user.password_hash.clone());
    let right = passwords::verify(password.to_owned(), hash).await?;
    let user = user.filter(|_| right).ok_or(SignInError::Wrong)?;
    server.door.throttle.forgive(&email, ip);
    Ok(Person {
        key: user.key,
        id: user.id,
        email: user.email,
        operator: user.operator,
    })
}

/// Why a code did not let somebody in.
#[derive(Debug, thiserror::Error)]
pub enum CodeError {
    /// Too many failed before; so many seconds are to wait.
    #[error("too many codes were wrong; try again in {0} s")]
    Throttled(u64),
    /// It is wrong, or cannot be checked.
    #[error(transparent)]
    Second(#[from] SecondError),
}

/// Checks the code that comes after a password. Too many failures have to wait, as with passwords; they are counted apart.
pub async fn check_code(server: &Server, person: &Person, code: &str, ip: IpAddr) -> Result<(), CodeError> {
    let counted = format!("{} code", person.email);
    let throttle = &server.door.throttle;
    throttle
        .attempt(&counted, ip, server.clock.now_ms())
        .map_err(CodeError::Throttled)?;
    second::check(server, person, code).await?;
    throttle.forgive(&counted, ip);
    Ok(())
}

/// Begins a session and gives its cookie.
pub async fn session(server: &Server, person: &Person, visitor: Visitor<'_>) -> Result<Cookie<'static>, StoreError> {
    let token = BASE64URL_NOPAD.encode(&server.random.bytes::<32>());
    let now_ms = server.clock.now_ms();
    let user_agent: String = visitor.user_agent.chars().take(USER_AGENT_CHARS).collect();
    let new = sessions::NewSession {
        token_hash: sha256(&token),
        user: person.key,
        now_ms,
        expires_at: now_ms.saturating_add(server.config.session_ms()),
        ip: &visitor.ip.to_string(),
        user_agent: &user_agent,
    };
    sessions::add(&server.db, new).await?;
    let mut cookie = session_cookie(&server.config, token);
    cookie.set_max_age(COOKIE_AGE);
    Ok(cookie)
}

/// Ends the session that came with a request, and gives the cookie that takes the browser's away.
pub async fn end_session(server: &Server, headers: &HeaderMap) -> Result<Cookie<'static>, AccessError> {
    if let Some(token_hash) = session_hash(&server.config, headers) {
        sessions::end(&server.db, &token_hash).await?;
        server.door.sessions.forget_if(|known| *known == token_hash);
    }
    let mut cookie = session_cookie(&server.config, String::new());
    cookie.make_removal();
    Ok(cookie)
}

fn session_cookie(config: &Config, token: String) -> Cookie<'static> {
    Cookie::build((cookie_name(config.is_https()), token))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(config.is_https())
        .build()
}

/// A key as it is shown, once.
#[derive(Debug, Serialize)]
pub struct IssuedKey {
    /// Its public id.
    pub app_id: String,
    /// The secret.
    pub app_token: String,
}

/// What keys are made with.
#[derive(Clone, Copy, Debug)]
pub struct Issuer<'a> {
    /// The time.
    pub clock: &'a Clock,
    /// Randomness.
    pub random: &'a Random,
}

impl Issuer<'_> {
    /// A key's public id and its token, its `key_…`, and the time. The token's prefix lets a scanner of leaked secrets know it.
    fn draw(&self, prefix: &str) -> (IssuedKey, String, i64) {
        let now_ms = self.clock.now_ms();
        let app_id = uuid::Builder::from_random_bytes(self.random.bytes()).into_uuid().to_string();
        let app_token = format!("{prefix}{}", BASE64URL_NOPAD.encode(&self.random.bytes::<32>()));
        (IssuedKey { app_id, app_token }, self.random.id(IdKind::Key, now_ms), now_ms)
    }
}

/// Why a key cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum KeyIssueError {
    /// It has no name.
    #[error("a key needs a name")]
    NoName,
    /// It could do nothing.
    #[error("a key needs at least one scope")]
    NoScope,
    /// Anybody can read a client-side key in a browser.
    #[error("a client-side key can have the scopes logs:write and events:write alone, not {0}")]
    ClientScope(&'static str),
    /// It would be taken from nowhere.
    #[error("a client-side key needs at least one origin, such as https://shop.example.com")]
    NoOrigin,
    /// Nobody could read its name in a list.
    #[error("a key's name has at most {NAME_CHARS} characters")]
    LongName,
    /// It could be used for nothing.
    #[error("a key has one call a minute at least")]
    NoCalls,
    /// It would never be taken.
    #[error("a key's end lies in the future")]
    Past,
    /// There is no such key, or it was revoked, or its time has passed.
    #[error("there is no such key any more: it was revoked or has expired")]
    NoKey,
    /// It is not what a browser sends as one.
    #[error("{0:?} is no origin: one looks like https://shop.example.com, without a path")]
    Origin(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes a server-side key of a project, without an end.
pub async fn server_key(
    db: &Db,
    issuer: &Issuer<'_>,
    project: ProjectKey,
    name: &str,
    scopes: &[Scope],
) -> Result<IssuedKey, KeyIssueError> {
    let wish = KeyWish {
        name: name.to_owned(),
        scopes: scopes.to_vec(),
        ..KeyWish::default()
    };
    Ok(project_key(db, issuer, project, &wish).await?.0)
}

/// Makes a client-side key of a project, which is taken from these origins alone and can only send logs and events.
pub async fn client_key(
    db: &Db,
    issuer: &Issuer<'_>,
    project: ProjectKey,
    name: &str,
    scopes: &[Scope],
    origins: &[String],
) -> Result<IssuedKey, KeyIssueError> {
    let wish = KeyWish {
        name: name.to_owned(),
        scopes: scopes.to_vec(),
        origins: Some(origins.to_vec()),
        ..KeyWish::default()
    };
    Ok(project_key(db, issuer, project, &wish).await?.0)
}

/// Makes a project's key; gives it as it is shown once, and as it is from then on.
pub async fn project_key(
    db: &Db,
    issuer: &Issuer<'_>,
    project: ProjectKey,
    wish: &KeyWish,
) -> Result<(IssuedKey, KeyFacts), KeyIssueError> {
    let wish = checked(wish, issuer.clock.now_ms())?;
    let (key, id, now_ms) = issuer.draw(if wish.origins.is_some() { "alc_" } else { "als_" });
    let new = keys::NewKey {
        id: &id,
        app_id: &key.app_id,
        token_hash: sha256(&key.app_token),
        name: &wish.name,
        now_ms,
    };
    let facts = keys::add(db, project, new, powers(&wish)).await?;
    Ok((key, facts))
}

/// Changes what a project's key is called and may do; gives it before and after. What it is, server-side or client-side, it stays.
pub async fn change_key(
    db: &Db,
    clock: &Clock,
    project: ProjectKey,
    app_id: &str,
    wish: &KeyWish,
) -> Result<Changed<KeyFacts>, KeyIssueError> {
    let wish = checked(wish, clock.now_ms())?;
    let changed = keys::change(db, project, app_id, &wish.name, powers(&wish)).await?;
    changed.ok_or(KeyIssueError::NoKey)
}

/// Gives a project's key another token; the one before is taken for `overlap_ms` more. Gives the key before and after, too.
pub async fn rotate_key(
    db: &Db,
    issuer: &Issuer<'_>,
    project: ProjectKey,
    app_id: &str,
    overlap_ms: i64,
) -> Result<(IssuedKey, Changed<KeyFacts>), KeyIssueError> {
    // Its kind shows in the token's first letters.
    let known = keys::find(db, project, app_id).await?;
    let is_client = known.ok_or(KeyIssueError::NoKey)?.origins.is_some();
    let (drawn, _, now_ms) = issuer.draw(if is_client { "alc_" } else { "als_" });
    let old_until = now_ms.saturating_add(overlap_ms.max(0));
    let rotated = keys::rotate(db, project, app_id, &sha256(&drawn.app_token), old_until, now_ms).await?;
    let changed = rotated.ok_or(KeyIssueError::NoKey)?;
    let key = IssuedKey {
        app_id: app_id.to_owned(),
        app_token: drawn.app_token,
    };
    Ok((key, changed))
}

const fn powers(wish: &KeyWish) -> keys::KeyPowers<'_> {
    keys::KeyPowers {
        scopes: wish.scopes.as_slice(),
        client_origins: match &wish.origins {
            Some(origins) => Some(origins.as_slice()),
            None => None,
        },
        calls_a_minute: wish.calls_a_minute,
        expires_at: wish.expires_at,
    }
}

/// The wish as it can be kept, or what is wrong with it.
fn checked(wish: &KeyWish, now_ms: i64) -> Result<KeyWish, KeyIssueError> {
    let name = wish.name.trim();
    if name.is_empty() {
        return Err(KeyIssueError::NoName);
    }
    if name.chars().count() > NAME_CHARS {
        return Err(KeyIssueError::LongName);
    }
    if wish.scopes.is_empty() {
        return Err(KeyIssueError::NoScope);
    }
    if wish.calls_a_minute == Some(0) {
        return Err(KeyIssueError::NoCalls);
    }
    if wish.expires_at.is_some_and(|end| end <= now_ms) {
        return Err(KeyIssueError::Past);
    }
    let origins = wish.origins.as_ref().map(|origins| client_origins(&wish.scopes, origins));
    let mut scopes = wish.scopes.clone();
    scopes.sort_unstable();
    scopes.dedup();
    Ok(KeyWish {
        name: name.to_owned(),
        scopes,
        origins: origins.transpose()?,
        ..*wish
    })
}

/// A client-side key's origins as browsers send them.
fn client_origins(scopes: &[Scope], origins: &[String]) -> Result<Vec<String>, KeyIssueError> {
    let mut more = scopes
        .iter()
        .filter(|scope| !matches!(scope, Scope::LogsWrite | Scope::EventsWrite));
    if let Some(scope) = more.next() {
        return Err(KeyIssueError::ClientScope(scope.as_str()));
    }
    if origins.is_empty() {
        return Err(KeyIssueError::NoOrigin);
    }
    origins.iter().map(|origin| read_origin(origin)).collect()
}

/// Makes a management key.
pub async fn management_key(db: &Db, issuer: &Issuer<'_>, name: &str) -> Result<IssuedKey, KeyIssueError> {
    if name.trim().is_empty() {
        return Err(KeyIssueError::NoName);
    }
    let (key, id, now_ms) = issuer.draw("alm_");
    let new = keys::NewKey {
        id: &id,
        app_id: &key.app_id,
        token_hash: sha256(&key.app_token),
        name: name.trim(),
        now_ms,
    };
    keys::add_management(db, new).await?;
    Ok(key)
}

/// The form in which a browser sends an origin: scheme, host, and the port where it is not the usual one.
fn read_origin(text: &str) -> Result<String, KeyIssueError> {
    let wrong = || KeyIssueError::Origin(text.to_owned());
    let url = url::Url::parse(text.trim()).map_err(|_| wrong())?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if !bare || !matches!(url.scheme(), "http" | "https") {
        return Err(wrong());
    }
    Ok(url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_kept_as_browsers_send_them() {
        assert_eq!(
            read_origin("https://Shop.Example.com:443/").unwrap(),
            "https://shop.example.com"
        );
        assert_eq!(read_origin("http://localhost:8080").unwrap(), "http://localhost:8080");
        for bad in [
            "shop.example.com",
            "*",
            "https://a.example/path",
            "null",
            "file:///",
            "https://u@a.example",
            "",
        ] {
            assert!(read_origin(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_cookie_is_guarded() {
        let plain = session_cookie(&Config::default(), "abc".to_owned()).to_string();
        assert_eq!(plain, "audit_log_session=abc; HttpOnly; SameSite=Lax; Path=/");
        let https = Config {
            public_url: Some("https://a.example".to_owned()),
            ..Config::default()
        };
        let secure = session_cookie(&https, "abc".to_owned()).to_string();
        assert_eq!(secure, "__Host-audit_log_session=abc; HttpOnly; SameSite=Lax; Secure; Path=/");
    }
}

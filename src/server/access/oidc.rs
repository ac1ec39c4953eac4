//! Signing in by an identity provider (OpenID Connect, authorization code with PKCE). The provider is asked who it is, and for its keys, once an hour.
//!
//! Somebody is known by the provider's subject; the first time by their e-mail address, which the provider must have verified. Whoever is new
//! comes into being without a password, and belongs to no project until they are invited.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata, CoreUserInfoClaims};
use openidconnect::{
    AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndUserEmail, EndUserName, EndpointMaybeSet, EndpointNotSet,
    EndpointSet, HttpRequest, HttpResponse, IssuerUrl, LocalizedClaim, Nonce, OAuth2TokenResponse, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, Scope, TokenResponse,
};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use tokio::sync::Mutex;

use super::{Person, passwords};
use crate::model::id::IdKind;
use crate::model::member::read_email;
use crate::server::config::Config;
use crate::server::state::Server;
use crate::server::store::{StoreError, accounts};

/// Where the provider leads back to.
pub const CALLBACK: &str = "/sign-in/oidc/callback";
/// How long the way there and back may take, in milliseconds.
pub const JOURNEY_MS: i64 = 10 * 60_000;
/// How long what the provider said of itself is believed, in milliseconds.
const KNOWN_MS: i64 = 60 * 60_000;
/// How long the provider is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of an answer of the provider's.
const MAX_ANSWER: usize = 1 << 20;
/// Characters of a person's name.
const NAME_CHARS: usize = 100;
/// What the journey is sealed for.
const PURPOSE: &str = "oidc-journey";

/// The provider's client, as far as its addresses are known.
type Client = CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// Why somebody did not come in by the provider.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    /// Nothing is configured.
    #[error("no identity provider is configured")]
    Off,
    /// They began elsewhere, or too long ago, or somebody sent them here.
    #[error("this sign-in was not begun here, or too long ago")]
    Lost,
    /// The provider says no, in its own word.
    #[error("the identity provider refused: {0}")]
    Refused(String),
    /// It does not say an address that it has verified.
    #[error("the identity provider does not vouch for an e-mail address")]
    NoEmail,
    /// It could not be reached, or what it says is not what it should.
    #[error("the identity provider: {0}")]
    Provider(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is known of the provider.
#[derive(Debug, Default)]
pub struct Provider(Mutex<Option<(i64, CoreProviderMetadata)>>);

/// What is carried from here to the provider and back, sealed.
#[derive(Serialize, Deserialize)]
struct Journey {
    state: String,
    nonce: String,
    verifier: String,
    next: String,
    until: i64,
}

/// What the provider leads back with.
#[derive(Debug, Deserialize)]
pub struct Back {
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
}

/// Why the provider did not answer.
#[derive(Debug, thiserror::Error)]
enum HttpError {
    #[error(transparent)]
    Request(#[from] reqwest::Error),
    #[error("the answer is longer than {MAX_ANSWER} bytes")]
    Long,
    #[error(transparent)]
    Parts(#[from] axum::http::Error),
}

async fn ask(request: HttpRequest) -> Result<HttpResponse, HttpError> {
    // An error says that there is a provider of cryptography already: the same one.
    let _chosen = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE)
        .build()?;
    let mut answer = client.execute(request.try_into()?).await?;
    let mut response = axum::http::Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        response = response.header(name, value);
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ANSWER {
            return Err(HttpError::Long);
        }
    }
    Ok(response.body(body)?)
}

/// What went wrong, with what that came of: the library's own words end at its own part.
fn told(error: &(dyn std::error::Error + 'static)) -> OidcError {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words.push_str(": ");
        words.push_str(&error.to_string());
        cause = error.source();
    }
    OidcError::Provider(words)
}

/// Whether people are offered the way by the provider.
pub const fn is_on(config: &Config) -> bool {
    config.oidc_issuer.is_some() && config.oidc_client_id.is_some()
}

async fn client(server: &Server, anew: bool) -> Result<Client, OidcError> {
    let (Some(issuer), Some(id)) = (&server.config.oidc_issuer, &server.config.oidc_client_id) else {
        return Err(OidcError::Off);
    };
    let now_ms = server.clock.now_ms();
    let mut known = server.oidc.0.lock().await;
    let is_fresh = |at: i64| !anew && (0..KNOWN_MS).contains(&now_ms.saturating_sub(at));
    let metadata = if let Some((_, metadata)) = known.as_ref().filter(|(at, _)| is_fresh(*at)) {
        metadata.clone()
    } else {
        let issuer = IssuerUrl::new(issuer.clone()).map_err(|error| told(&error))?;
        let read = CoreProviderMetadata::discover_async(issuer, &ask).await;
        let read = read.map_err(|error| told(&error))?;
        *known = Some((now_ms, read.clone()));
        read
    };
    let secret = server.config.oidc_client_secret.as_ref();
    let secret = secret.map(|secret| ClientSecret::new(secret.tell().to_owned()));
    let back = RedirectUrl::new(format!("{}{CALLBACK}", server.config.public_url())).map_err(|error| told(&error))?;
    let client = CoreClient::from_provider_metadata(metadata, ClientId::new(id.clone()), secret);
    Ok(client.set_redirect_uri(back))
}

/// Begins: where to send somebody, and what their browser carries there and back.
pub async fn begin(server: &Server, next: &str) -> Result<(String, String), OidcError> {
    let draw = || BASE64URL_NOPAD.encode(&server.random.bytes::<32>());
    let journey = Journey {
        state: draw(),
        nonce: draw(),
        verifier: draw(),
        next: next.to_owned(),
        until: server.clock.now_ms().saturating_add(JOURNEY_MS),
    };
    let client = client(server, false).await?;
    let challenge = PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(journey.verifier.clone()));
    let (state, nonce) = (journey.state.clone(), journey.nonce.clone());
    let request = client
        .authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            move || CsrfToken::new(state),
            move || Nonce::new(nonce),
        )
        .add_scope(Scope::new("email".to_owned()))
        .add_scope(Scope::new("profile".to_owned()))
        .set_pkce_challenge(challenge);
    let (url, _, _) = request.url();
    // Texts and a number alone: there is nothing in it that JSON cannot say.
    let json = serde_json::to_vec(&journey).unwrap_or_default();
    Ok((
        url.into(),
        BASE64URL_NOPAD.encode(&server.key.seal(PURPOSE, &json, &server.random)),
    ))
}

/// Ends: who came back, and where they wanted to go.
pub async fn end(server: &Server, carried: &str, back: Back) -> Result<(Person, String), OidcError> {
    let sealed = BASE64URL_NOPAD.decode(carried.as_bytes()).ok();
    let opened = sealed.and_then(|sealed| server.key.open(PURPOSE, &sealed));
    let journey = opened.and_then(|json| serde_json::from_slice::<Journey>(&json).ok());
    let journey = journey
        .filter(|journey| journey.until > server.clock.now_ms())
        .ok_or(OidcError::Lost)?;
    let state = back.state.unwrap_or_default();
    if !bool::from(state.as_bytes().ct_eq(journey.state.as_bytes())) {
        return Err(OidcError::Lost);
    }
    if let Some(error) = back.error {
        return Err(OidcError::Refused(
            error.chars().filter(char::is_ascii_graphic).take(100).collect(),
        ));
    }
    let code = back.code.ok_or(OidcError::Lost)?;
    let said = said(server, code, &journey).await?;
    let person = known(server, said).await?;
    Ok((person, journey.next))
}

/// Who the provider says that somebody is.
struct Said {
    /// The issuer, a space, and the subject.
    subject: String,
    /// Their e-mail address, if the provider has verified it.
    email: Option<String>,
    name: String,
}

async fn said(server: &Server, code: String, journey: &Journey) -> Result<Said, OidcError> {
    let asked = client(server, false).await?;
    let request = asked
        .exchange_code(AuthorizationCode::new(code))
        .map_err(|error| told(&error))?;
    let verifier = PkceCodeVerifier::new(journey.verifier.clone());
    let token = request.set_pkce_verifier(verifier).request_async(&ask).await;
    let token = token.map_err(|error| told(&error))?;
    let id_token = token
        .id_token()
        .ok_or_else(|| OidcError::Provider("it gave no ID token".to_owned()))?;
    let nonce = Nonce::new(journey.nonce.clone());
    let now_ms = server.clock.now_ms();
    let now = move || chrono::DateTime::from_timestamp_millis(now_ms).unwrap_or_default();
    let first = id_token.claims(&asked.id_token_verifier().set_time_fn(now), &nonce).cloned();
    let claims = if let Ok(claims) = first {
        claims
    } else {
        // It may sign with a key that is newer than what is known of it.
        let anew = client(server, true).await?;
        let claims = id_token.claims(&anew.id_token_verifier().set_time_fn(now), &nonce).cloned();
        claims.map_err(|error| told(&error))?
    };
    let subject = format!("{} {}", claims.issuer().as_str(), claims.subject().as_str());
    let verified = |email: Option<&EndUserEmail>, is: Option<bool>| {
        email
            .filter(|_| is == Some(true))
            .and_then(|email| read_email(email.as_str()))
    };
    let named = |name: Option<&LocalizedClaim<EndUserName>>| {
        let name = name
            .and_then(|name| name.get(None))
            .map(|name| name.as_str().trim())
            .unwrap_or_default();
        name.chars().take(NAME_CHARS).collect::<String>()
    };
    let email = verified(claims.email(), claims.email_verified());
    if email.is_some() {
        let name = named(claims.name());
        return Ok(Said { subject, email, name });
    }
    // Providers to the letter of the standard say it there alone (OpenID Connect Core, 5.4).
    let request = asked.user_info(token.access_token().clone(), Some(claims.subject().clone()));
    let Ok(request) = request else {
        return Ok(Said {
            subject,
            email: None,
            name: String::new(),
        });
    };
    let info: CoreUserInfoClaims = request.request_async(&ask).await.map_err(|error| told(&error))?;
    Ok(Said {
        subject,
        email: verified(info.email(), info.email_verified()),
        name: named(info.name()),
    })
}

async fn known(server: &Server, said: Said) -> Result<Person, OidcError> {
    if let Some(user) = accounts::find_by_oidc_subject(&server.db, &said.subject).await? {
        return Ok(of(user));
    }
    let email = said.email.ok_or(OidcError::NoEmail)?;
    let user = match accounts::find_by_email(&server.db, &email).await? {
        Some(user) => user,
        None => come_into_being(server, &email, &said.name).await?,
    };
    // Somebody whom the provider knew under another subject stays theirs: an address may have changed hands.
    if !accounts::set_oidc_subject(&server.db, user.key, &said.subject).await? {
        return Err(OidcError::Refused(
            "the account of this e-mail address belongs to another identity".to_owned(),
        ));
    }
    Ok(of(user))
}

async fn come_into_being(server: &Server, email: &str, name: &str) -> Result<accounts::User, StoreError> {
    let now_ms = server.clock.now_ms();
    let new = accounts::NewUser {
        id: &server.random.id(IdKind::User, now_ms),
        email,
        name,
        password_hash: passwords::NONE,
        may_operate: false,
        now_ms,
    };
    accounts::add(&server.db, new).await
}

fn of(user: accounts::User) -> Person {
    Person {
        key: user.key,
        id: user.id,
        email: user.email,
        operator: user.operator,
    }
}

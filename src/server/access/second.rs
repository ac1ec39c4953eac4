//! The second factor of a sign-in: codes of an authenticator by time (RFC 6238: SHA-1, six digits, 30 seconds, one step to either side), and
//! recovery codes for whoever has lost it.

use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD, HEXLOWER};
use qrcode::QrCode;
use qrcode::render::svg;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use totp_rs::{Builder, Secret, Totp, TotpError};

use super::Person;
use crate::server::secrets::purposes;
use crate::server::state::Server;
use crate::server::store::StoreError;
use crate::server::store::accounts;
use crate::server::store::second_factor::{self as store};

/// What secrets, what waits, and tickets are sealed for.
const SECRET_PURPOSE: &str = purposes::SECOND_FACTOR;
const PENDING_PURPOSE: &str = purposes::SECOND_FACTOR_PENDING;
const TICKET_PURPOSE: &str = "second-factor-ticket";
/// Who the authenticator shows beside a code.
const ISSUER: &str = "audit-log";
/// Recovery codes of a person, and bytes of one.
const CODES: usize = 10;
const CODE_BYTES: usize = 10;
/// How long after the password the code may come, in milliseconds.
pub const TICKET_MS: i64 = 5 * 60_000;
/// Side of the picture that an authenticator reads, in pixels.
const PICTURE: u32 = 200;

/// Why a second factor could not be used.
#[derive(Debug, thiserror::Error)]
pub enum SecondError {
    /// The code is wrong, or was used.
    #[error("the code is wrong, or was used already")]
    Wrong,
    /// There is nothing to confirm, or something else by now.
    #[error("there is nothing to confirm: begin again")]
    NotBegun,
    /// What is kept cannot be opened: another instance key sealed it.
    #[error("the second factor cannot be read: it was sealed with another instance key")]
    Sealed,
    /// The library refused its own parameters.
    #[error("the second factor cannot be made: {0:?}")]
    Totp(TotpError),
    /// The picture could not be drawn.
    #[error("the picture of the secret could not be drawn: {0}")]
    Picture(#[from] qrcode::types::QrError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What waits to be confirmed.
#[derive(Serialize, Deserialize)]
struct Waiting {
    secret: Vec<u8>,
    recovery: Vec<String>,
}

/// What whoever turns it on keeps, as the page shows it until a code has confirmed it.
#[derive(Debug)]
pub struct Begun {
    /// The secret in base 32, for typing.
    pub secret: String,
    /// The same as a picture, an SVG.
    pub picture: String,
    /// The recovery codes.
    pub recovery: Vec<String>,
}

/// How a person's second factor stands.
#[derive(Debug)]
pub enum Stands {
    /// It is off.
    Off,
    /// It waits to be confirmed.
    Begun(Begun),
    /// It is on: so many recovery codes are left.
    On(usize),
}

fn totp(secret: &[u8], email: &str) -> Result<Totp, SecondError> {
    // The name may hold no colon: it is what divides issuer and account.
    let account = email.replace(':', "_");
    let builder = Builder::new()
        .with_secret(Secret::new(secret.into()))
        .with_account_name(account)
        .with_issuer(Some(ISSUER));
    builder.build().map_err(SecondError::Totp)
}

fn hash(code: &str) -> String {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    HEXLOWER.encode(&Sha256::digest(plain.to_ascii_lowercase()))
}

/// A recovery code as people copy it: `xxxx-xxxx-xxxx-xxxx`.
fn draw(bytes: [u8; CODE_BYTES]) -> String {
    let letters = BASE32_NOPAD.encode(&bytes).to_ascii_lowercase();
    let groups: Vec<&str> = (0..letters.len())
        .step_by(4)
        .filter_map(|at| letters.get(at..at + 4))
        .collect();
    groups.join("-")
}

/// How a person's second factor stands.
pub async fn stands(server: &Server, person: &Person) -> Result<Stands, SecondError> {
    let kept = store::find(&server.db, person.key).await?;
    if kept.secret.is_some() {
        let left = kept.recovery.as_deref().unwrap_or_default();
        return Ok(Stands::On(left.split(',').filter(|hash| !hash.is_empty()).count()));
    }
    let Some(sealed) = kept.pending else { return Ok(Stands::Off) };
    let Some(waiting) = open_waiting(server, &sealed) else {
        return Ok(Stands::Off);
    };
    let totp = totp(&waiting.secret, &person.email)?;
    let url = totp.to_url().map_err(SecondError::Totp)?;
    let picture = QrCode::new(url)?
        .render::<svg::Color<'_>>()
        .min_dimensions(PICTURE, PICTURE)
        .build();
    Ok(Stands::Begun(Begun {
        secret: BASE32_NOPAD.encode(&waiting.secret),
        // Without the declaration it stands in a page as it is.
        picture: picture
            .trim_start_matches(|letter| letter != '>')
            .trim_start_matches('>')
            .to_owned(),
        recovery: waiting.recovery,
    }))
}

fn open_waiting(server: &Server, sealed: &[u8]) -> Option<Waiting> {
    let opened = server.key.open(PENDING_PURPOSE, sealed)?;
    serde_json::from_slice(&opened).ok()
}

/// Draws a secret and recovery codes, which wait to be confirmed.
pub async fn begin(server: &Server, person: &Person) -> Result<(), SecondError> {
    let waiting = Waiting {
        secret: server.random.bytes::<20>().to_vec(),
        recovery: (0..CODES).map(|_| draw(server.random.bytes())).collect(),
    };
    // Bytes and texts alone: there is nothing in it that JSON cannot say.
    let json = serde_json::to_vec(&waiting).unwrap_or_default();
    let sealed = server.key.seal(PENDING_PURPOSE, &json, &server.random);
    Ok(store::set_pending(&server.db, person.key, Some(&sealed)).await?)
}

/// Forgets what waits to be confirmed.
pub async fn leave(server: &Server, person: &Person) -> Result<(), SecondError> {
    Ok(store::set_pending(&server.db, person.key, None).await?)
}

/// Turns it on, once a code shows that the authenticator has the secret.
pub async fn confirm(server: &Server, person: &Person, code: &str) -> Result<(), SecondError> {
    let kept = store::find(&server.db, person.key).await?;
    let sealed = kept.pending.filter(|_| kept.secret.is_none()).ok_or(SecondError::NotBegun)?;
    let waiting = open_waiting(server, &sealed).ok_or(SecondError::NotBegun)?;
    let step = totp(&waiting.secret, &person.email)?
        .check(code.trim(), seconds(server))
        .ok_or(SecondError::Wrong)?;
    let secret = server.key.seal(SECRET_PURPOSE, &waiting.secret, &server.random);
    let hashes: Vec<String> = waiting.recovery.iter().map(|code| hash(code)).collect();
    let step = i64::try_from(step).unwrap_or(i64::MAX);
    if store::confirm(&server.db, person.key, &sealed, &secret, &hashes.join(","), step).await? {
        Ok(())
    } else {
        Err(SecondError::NotBegun)
    }
}

fn seconds(server: &Server) -> u64 {
    u64::try_from(server.clock.now_ms() / 1_000).unwrap_or(0)
}

/// Whether a person is asked for a code.
pub async fn is_on(server: &Server, user: i64) -> Result<bool, StoreError> {
    Ok(store::find(&server.db, user).await?.secret.is_some())
}

/// Takes a code, of the authenticator or for recovery, each once.
pub async fn check(server: &Server, person: &Person, code: &str) -> Result<(), SecondError> {
    let kept = store::find(&server.db, person.key).await?;
    let Some(sealed) = kept.secret else { return Ok(()) };
    let secret = server.key.open(SECRET_PURPOSE, &sealed).ok_or(SecondError::Sealed)?;
    let digits: String = code.chars().filter(|letter| !letter.is_whitespace()).collect();
    if let Some(step) = totp(&secret, &person.email)?.check(&digits, seconds(server)) {
        let step = i64::try_from(step).unwrap_or(i64::MAX);
        return if store::take_step(&server.db, person.key, step).await? {
            Ok(())
        } else {
            Err(SecondError::Wrong)
        };
    }
    let before = kept.recovery.unwrap_or_default();
    let hash = hash(code);
    let left: Vec<&str> = before.split(',').filter(|known| *known != hash).collect();
    let left = left.join(",");
    if left.len() < before.len() && store::set_recovery(&server.db, person.key, &before, &left).await? {
        return Ok(());
    }
    Err(SecondError::Wrong)
}

/// Turns it off.
pub async fn turn_off(server: &Server, person: &Person) -> Result<(), SecondError> {
    Ok(store::clear(&server.db, person.key).await?)
}

/// Whose password was right, and until when their code may come.
#[derive(Serialize, Deserialize)]
struct Ticket {
    email: String,
    until: i64,
}

/// What whoever showed the right password carries to the question for the code: sealed, and good for [`TICKET_MS`].
pub fn ticket(server: &Server, person: &Person) -> String {
    let ticket = Ticket {
        email: person.email.clone(),
        until: server.clock.now_ms().saturating_add(TICKET_MS),
    };
    // A text and a number: there is nothing in it that JSON cannot say.
    let json = serde_json::to_vec(&ticket).unwrap_or_default();
    BASE64URL_NOPAD.encode(&server.key.seal(TICKET_PURPOSE, &json, &server.random))
}

/// Whose ticket it is, as long as it is good.
pub async fn holder(server: &Server, ticket: &str) -> Result<Option<Person>, StoreError> {
    let sealed = BASE64URL_NOPAD.decode(ticket.as_bytes()).ok();
    let opened = sealed.and_then(|sealed| server.key.open(TICKET_PURPOSE, &sealed));
    let read = opened.and_then(|json| serde_json::from_slice::<Ticket>(&json).ok());
    let Some(ticket) = read.filter(|ticket| ticket.until > server.clock.now_ms()) else {
        return Ok(None);
    };
    let user = accounts::find_by_email(&server.db, &ticket.email).await?;
    Ok(user.map(|user| Person {
        key: user.key,
        id: user.id,
        email: user.email,
        operator: user.operator,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_rfc() {
        // RFC 6238, appendix B, SHA-1, cut to six digits.
        let totp = totp(b"12345678901234567890", "ada@example.com").unwrap();
        for (at, code) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            assert_eq!(totp.check(code, at), Some(at / 30));
            assert_eq!(totp.check(code, at + 90), None, "three steps later");
        }
        assert_eq!(totp.check("", 59), None);
        assert_eq!(totp.check("2870821", 59), None);
    }

    #[test]
    fn a_recovery_code_is_read_however_it_is_typed() {
        let code = draw([7; CODE_BYTES]);
        assert_eq!(code.len(), 19, "{code}");
        assert_eq!(hash(&code), hash(&code.to_uppercase().replace('-', " ")));
        assert_ne!(hash(&code), hash(&draw([8; CODE_BYTES])));
    }
}

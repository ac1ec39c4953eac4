//! Passwords: hashed with argon2id, checked away from the threads that answer requests, and never many at once.

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, Salt};
use argon2::{Algorithm, Argon2, Params, Version};
use data_encoding::BASE64_NOPAD;
use tokio::sync::Semaphore;

use crate::server::clock::Random;

/// What people may choose, in characters and bytes.
const MIN_CHARS: usize = 8;
const MAX_BYTES: usize = 1_024;
/// 19 MiB, two passes, one lane: OWASP's Password Storage Cheat Sheet, argon2id.
const MEMORY_KIB: u32 = 19 * 1_024;
const PASSES: u32 = 2;
/// Hashes at the same time: each takes 19 MiB and a core.
const AT_ONCE: usize = 2;

/// Stands for the hash of somebody who has no password: they come by an identity provider.
pub const NONE: &str = "!";

static PERMITS: Semaphore = Semaphore::const_new(AT_ONCE);

/// Why a password cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Too short to be one.
    #[error("a password has at least {MIN_CHARS} characters")]
    Short,
    /// Nobody types that.
    #[error("a password has at most {MAX_BYTES} bytes")]
    Long,
    /// The hash could not be made or read.
    #[error("the password could not be hashed: {0}")]
    Hash(#[from] argon2::password_hash::Error),
    /// The server is stopping.
    #[error("the password could not be checked: the server is stopping")]
    Stopping,
}

/// Hashes a new password, as a PHC string.
pub async fn hash(password: String, random: &Random) -> Result<String, PasswordError> {
    if password.chars().count() < MIN_CHARS {
        return Err(PasswordError::Short);
    }
    if password.len() > MAX_BYTES {
        return Err(PasswordError::Long);
    }
    let salt = BASE64_NOPAD.encode(&random.bytes::<16>());
    away(move || {
        let salt = Salt::from_b64(&salt)?;
        Ok(hasher()?.hash_password(password.as_bytes(), salt)?.to_string())
    })
    .await
}

/// Whether a password is the one that was hashed. Without a hash (there is no such person) it takes as long, and is not.
pub async fn verify(password: String, hash: Option<String>) -> Result<bool, PasswordError> {
    if password.len() > MAX_BYTES {
        return Ok(false);
    }
    away(move || {
        let Some(hash) = hash.filter(|hash| hash != NONE) else {
            let nobody = Salt::from_b64("bm9ib2R5IGlzIGhlcmU")?;
            hasher()?.hash_password(password.as_bytes(), nobody)?;
            return Ok(false);
        };
        match hasher()?.verify_password(password.as_bytes(), &PasswordHash::new(&hash)?) {
            Ok(()) => Ok(true),
            Err(argon2::password_hash::Error::Password) => Ok(false),
            Err(error) => Err(error.into()),
        }
    })
    .await
}

async fn away<T: Send + 'static>(work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static) -> Result<T, PasswordError> {
    let _permit = PERMITS.acquire().await.map_err(|_| PasswordError::Stopping)?;
    tokio::task::spawn_blocking(work).await.map_err(|_| PasswordError::Stopping)?
}

fn hasher() -> Result<Argon2<'static>, PasswordError> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).map_err(argon2::password_hash::Error::from)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_same_password_is_right() {
        let random = Random::seeded(1);
        let first = hash("correct horse".to_owned(), &random).await.unwrap();
        let second = hash("correct horse".to_owned(), &random).await.unwrap();
        assert!(first.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{first}");
        assert_ne!(first, second, "each has a salt of its own");
        assert!(verify("correct horse".to_owned(), Some(first.clone())).await.unwrap());
        assert!(!verify("Correct horse".to_owned(), Some(first)).await.unwrap());
        assert!(!verify("correct horse".to_owned(), None).await.unwrap());
    }

    #[tokio::test]
    async fn a_password_has_its_length() {
        let random = Random::seeded(1);
        assert!(matches!(hash("äöüäöüä".to_owned(), &random).await, Err(PasswordError::Short)));
        assert!(matches!(hash("x".repeat(1_025), &random).await, Err(PasswordError::Long)));
        assert!(!verify("x".repeat(100_000), None).await.unwrap());
    }

    #[tokio::test]
    async fn a_broken_hash_is_an_error_and_not_a_no() {
        assert!(matches!(
            verify("correct horse".to_owned(), Some("plain".to_owned())).await,
            Err(PasswordError::Hash(_))
        ));
    }
}

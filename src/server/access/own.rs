//! What people settle of their own account: their password, and where they are signed in.

use std::net::IpAddr;

use axum::http::HeaderMap;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::issue::{self, SignInError};
use super::{Person, TokenHash, passwords, session_hash};
use crate::model::account::SessionFacts;
use crate::server::state::Server;
use crate::server::store::{StoreError, accounts, sessions};

/// Bytes of a session's name.
const NAME_BYTES: usize = 12;

/// What a session is called among a person's: drawn from what the database has of its cookie, and no way back to that.
fn name(token_hash: &TokenHash) -> String {
    let digest = Sha256::new()
        .chain_update("a session's name")
        .chain_update(token_hash)
        .finalize();
    HEXLOWER.encode(&digest[..NAME_BYTES])
}

/// A person's sign-ins, the latest used first; `headers` are those of the request that asks.
pub async fn sessions_of(server: &Server, headers: &HeaderMap, person: &Person) -> Result<Vec<SessionFacts>, StoreError> {
    let this = session_hash(&server.config, headers);
    let all = sessions::of(&server.db, person.key, server.clock.now_ms()).await?;
    Ok(all
        .into_iter()
        .map(|session| SessionFacts {
            id: name(&session.token_hash),
            is_this: this == Some(session.token_hash),
            ip: session.ip,
            user_agent: session.user_agent,
            created_at: session.created_at,
            last_seen_at: session.last_seen_at,
            expires_at: session.expires_at,
        })
        .collect())
}

/// Ends one of a person's sign-ins, at once; false where it is not theirs, or has ended.
pub async fn end(server: &Server, person: &Person, session: &str) -> Result<bool, StoreError> {
    let all = sessions::of(&server.db, person.key, server.clock.now_ms()).await?;
    let Some(found) = all.into_iter().find(|known| name(&known.token_hash) == session) else {
        return Ok(false);
    };
    sessions::end(&server.db, &found.token_hash).await?;
    server.door.forget_sessions();
    Ok(true)
}

/// Ends all of a person's sign-ins, the one that asks too.
pub async fn end_everywhere(server: &Server, person: &Person) -> Result<(), StoreError> {
    sessions::end_all(&server.db, person.key, None).await?;
    server.door.forget_sessions();
    Ok(())
}

/// Changes a person's password and ends all their other sign-ins. The one that they have is asked for, and guesses at it count as failed sign-ins.
pub async fn change_password(
    server: &Server,
    headers: &HeaderMap,
    person: &Person,
    (current, new): (&str, &str),
    ip: IpAddr,
) -> Result<(), SignInError> {
    issue::check_password(server, &person.email, current, ip).await?;
    let hash = passwords::hash(new.to_owned(), &server.random).await?;
    accounts::set_password(&server.db, person.key, &hash).await?;
    let this = session_hash(&server.config, headers);
    sessions::end_all(&server.db, person.key, this.as_ref()).await?;
    server.door.forget_sessions();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_s_name_is_its_own_and_not_its_hash() {
        let (one, other) = (name(&[1; 32]), name(&[2; 32]));
        assert_ne!(one, other);
        assert_eq!(one.len(), 2 * NAME_BYTES);
        assert!(!HEXLOWER.encode(&[1; 32]).contains(&one));
    }
}

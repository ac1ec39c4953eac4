//! Invites people into a project by a link, dated and taken once, and lets those in who come by one.

use data_encoding::BASE64URL_NOPAD;

use super::passwords::{self, PasswordError};
use super::{Person, sha256};
use crate::model::id::IdKind;
use crate::model::member::{InvitationFacts, read_email};
use crate::model::rights::Role;
use crate::server::state::Server;
use crate::server::store::invitations::{self, Invitation, NewInvitation, Taken, Taker};
use crate::server::store::projects::ProjectKey;
use crate::server::store::{StoreError, accounts, members};

/// How long a link leads in, in days.
pub const DAYS: i64 = 7;
const DAY_MS: i64 = 86_400_000;
/// Characters of a person's name.
const NAME_CHARS: usize = 100;

/// Why somebody cannot be invited.
#[derive(Debug, thiserror::Error)]
pub enum InviteError {
    /// Nobody could be reached there.
    #[error("{0:?} is no e-mail address")]
    Email(String),
    /// They are there already.
    #[error("{0} belongs to this project already: change their role in the list of members")]
    Member(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An invitation as it is given, once.
#[derive(Debug)]
pub struct Invited {
    /// What it is.
    pub facts: InvitationFacts,
    /// The one that it replaces.
    pub before: Option<InvitationFacts>,
    /// Where it leads in: the whole link, with its token.
    pub link: String,
}

/// Invites somebody; a link that they were given before leads nowhere from then on.
pub async fn invite(server: &Server, project: ProjectKey, by: &str, email: &str, role: Role) -> Result<Invited, InviteError> {
    let email = read_email(email).ok_or_else(|| InviteError::Email(email.trim().to_owned()))?;
    if members::has_email(&server.db, project, &email).await? {
        return Err(InviteError::Member(email));
    }
    let now_ms = server.clock.now_ms();
    let token = BASE64URL_NOPAD.encode(&server.random.bytes::<32>());
    let id = server.random.id(IdKind::Invitation, now_ms);
    let new = NewInvitation {
        id: &id,
        token_hash: sha256(&token),
        email: &email,
        role,
        invited_by: by,
        now_ms,
        expires_at: now_ms + DAYS * DAY_MS,
    };
    let before = invitations::put(&server.db, project, new).await?;
    let facts = InvitationFacts {
        role,
        invited_by: by.to_owned(),
        created_at: new.now_ms,
        expires_at: new.expires_at,
        id,
        email,
    };
    let link = format!("{}/invite?token={token}", server.config.public_url());
    Ok(Invited { facts, before, link })
}

/// Where a link leads, as long as it leads in.
pub async fn find(server: &Server, token: &str) -> Result<Option<Invitation>, StoreError> {
    invitations::find_by_token(&server.db, &sha256(token), server.clock.now_ms()).await
}

/// Why somebody did not come in by a link.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// It was taken, revoked, replaced, or its time has passed.
    #[error("this invitation leads nowhere any more: it was used or taken back, or its time has passed; ask for another")]
    Gone,
    /// It is for somebody else.
    #[error("this invitation is for {0}: sign out, and open the link again")]
    SomebodyElse(String),
    /// Whom it is for has an account, and is not signed in.
    #[error("sign in as {0} first, then open the link again")]
    SignInFirst(String),
    /// The password that they chose cannot be one.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What somebody shows beside a link.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// Who is signed in.
    pub person: Option<&'a Person>,
    /// What they are called, where they are new.
    pub name: &'a str,
    /// The password that they choose, where they are new.
    pub password: &'a str,
}

/// Somebody who came in.
#[derive(Debug)]
pub struct Joined {
    /// Who.
    pub person: Person,
    /// The id of the project that they belong to from now on.
    pub project_id: String,
    /// The invitation that was, and the member that is.
    pub taken: Taken,
}

/// Takes an invitation.
pub async fn join(server: &Server, token: &str, shown: Shown<'_>) -> Result<Joined, JoinError> {
    let invitation = find(server, token).await?.ok_or(JoinError::Gone)?;
    let email = invitation.facts.email;
    let project_id = invitation.project_id;
    let person = match shown.person {
        Some(person) if person.email == email => person.clone(),
        Some(_) => return Err(JoinError::SomebodyElse(email)),
        // By whatever way they have: a password, a second factor, an identity provider.
        None if accounts::find_by_email(&server.db, &email).await?.is_some() => return Err(JoinError::SignInFirst(email)),
        None => {
            let (person, taken) = come_into_being(server, token, &email, shown).await?;
            return Ok(Joined {
                person,
                project_id,
                taken,
            });
        }
    };
    let taken = take(server, token, Taker::Known(person.key)).await?;
    Ok(Joined {
        person,
        project_id,
        taken,
    })
}

async fn come_into_being(server: &Server, token: &str, email: &str, shown: Shown<'_>) -> Result<(Person, Taken), JoinError> {
    let hash = passwords::hash(shown.password.to_owned(), &server.random).await?;
    let now_ms = server.clock.now_ms();
    let id = server.random.id(IdKind::User, now_ms);
    let name: String = shown.name.trim().chars().take(NAME_CHARS).collect();
    let new = accounts::NewUser {
        id: &id,
        email,
        name: &name,
        password_hash: &hash,
        may_operate: false,
        now_ms,
    };
    let taken = take(server, token, Taker::New(new)).await?;
    let user = accounts::find_by_email(&server.db, email).await?.ok_or(JoinError::Gone)?;
    let person = Person {
        key: user.key,
        id: user.id,
        email: user.email,
        operator: user.operator,
    };
    Ok((person, taken))
}

async fn take(server: &Server, token: &str, taker: Taker<'_>) -> Result<Taken, JoinError> {
    let taken = invitations::take(&server.db, &sha256(token), taker, server.clock.now_ms()).await;
    match taken {
        Ok(Some(taken)) => {
            server.door.forget();
            Ok(taken)
        }
        // Somebody came into being by the same link, in the same moment.
        Ok(None) | Err(StoreError::Taken(_)) => Err(JoinError::Gone),
        Err(error) => Err(error.into()),
    }
}

/// Whether a password that somebody new chose was refused for what it is.
pub const fn is_unfit(error: &JoinError) -> bool {
    matches!(error, JoinError::Password(PasswordError::Short | PasswordError::Long))
}

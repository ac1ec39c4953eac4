//! Making embedded views, ending them, and taking away those that have ended.

use super::{can_end, query, store, view_of};
use crate::model::embed::{self, DAYS, EmbedWish, MOST, MOST_ORIGINS, covers};
use crate::model::id::{IdKind, is_client_id};
use crate::server::access::Member;
use crate::server::state::Server;
use crate::server::store::embeds::Embed;
use crate::server::store::projects::ProjectKey;
use crate::server::store::{Changed, StoreError};

const DAY_MS: i64 = 86_400_000;
/// Letters of what was given that a reason repeats.
const SHOWN: usize = 60;

/// Why an embedded view cannot be as somebody wants it.
#[derive(Debug, thiserror::Error)]
pub enum EmbedError {
    /// Something that was filled in is wrong.
    #[error("{reason}")]
    Field {
        /// The field of the wish.
        field: &'static str,
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// There are as many as a project has.
    #[error("The project has {MOST} embedded views already: delete one that has ended, or revoke one first.")]
    Many,
    /// Whoever asks may not; what is missing, and who can help.
    #[error("{0}")]
    NotAllowed(&'static str),
    /// There is no such one for whoever asks.
    #[error("not found")]
    NotFound,
    /// It has ended already, so it cannot be ended.
    #[error("This embedded view is revoked already.")]
    Revoked,
    /// It has not ended, so it cannot be taken away.
    #[error("The link of this embedded view still leads somewhere: revoke it first.")]
    Open,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl EmbedError {
    fn field(field: &'static str, reason: impl Into<String>) -> Self {
        Self::Field {
            field,
            reason: reason.into(),
        }
    }
}

const MAY_NOT_WORK: &str = "Your role in this project may not embed views; a member or an owner can.";
const MAY_NOT_END: &str = "Only who made an embedded view and the project's owners may end it.";
const SEES_LESS: &str =
    "A link shows no more than whoever makes it sees: your role in this project may see less. An owner can make it.";

/// Makes one.
pub async fn create(server: &Server, member: &Member, wish: &EmbedWish) -> Result<Embed, EmbedError> {
    must_work(member)?;
    let name = embed::name(&wish.name).map_err(|reason| EmbedError::field("name", reason))?;
    let origins = origins(&wish.origins)?;
    if !(DAYS.0..=DAYS.1).contains(&wish.days) {
        return Err(EmbedError::field("days", "A link holds from 1 day to 365."));
    }
    if !covers(member.rights, wish.bodies, wish.users) {
        return Err(EmbedError::NotAllowed(SEES_LESS));
    }
    let (project, now_ms) = (&member.project, server.clock.now_ms());
    let view = view_of(server, project.key, &wish.view).await?;
    let view = view.ok_or_else(|| EmbedError::field("view", "Choose a view of the Logs tab that is shared in the project."))?;
    let rights = embed::rights(wish.bodies, wish.users);
    query(server, project, &view, rights, now_ms).map_err(|closed| EmbedError::field("view", closed.to_string()))?;
    has_room(server, project.key).await?;
    let made = Embed {
        id: server.random.id(IdKind::Embed, now_ms),
        user: member.person.key,
        by: member.person.email.clone(),
        role: Some(member.role),
        name,
        view: view.id,
        bodies: wish.bodies,
        users: wish.users,
        origins,
        created_at: now_ms,
        expires_at: now_ms + i64::from(wish.days) * DAY_MS,
        revoked_at: None,
        opened: 0,
        opened_at: None,
    };
    store::add(&server.db, project.key, &made).await?;
    Ok(made)
}

/// The origins as a policy names them, each once.
fn origins(wished: &[String]) -> Result<Vec<String>, EmbedError> {
    let mut kept = Vec::new();
    for text in wished.iter().filter(|text| !text.trim().is_empty()) {
        let origin = embed::origin(text).ok_or_else(|| {
            let given: String = text.trim().chars().take(SHOWN).collect();
            let reason = format!(
                "“{given}” is no origin that can be named: write https:// and the host alone, such as https://shop.example.com (http://localhost:8080 on one's own machine)."
            );
            EmbedError::field("origins", reason)
        })?;
        if !kept.contains(&origin) {
            kept.push(origin);
        }
    }
    if kept.len() > MOST_ORIGINS {
        return Err(EmbedError::field("origins", format!("At most {MOST_ORIGINS} origins.")));
    }
    Ok(kept)
}

/// Two who make one at the same moment may both find room: the bound is a page's, not the database's.
async fn has_room(server: &Server, project: ProjectKey) -> Result<(), EmbedError> {
    let count = store::count(&server.db, project).await?;
    if usize::try_from(count).is_ok_and(|count| count < MOST) {
        Ok(())
    } else {
        Err(EmbedError::Many)
    }
}

/// Ends one, at once.
pub async fn revoke(server: &Server, member: &Member, id: &str) -> Result<Changed<Embed>, EmbedError> {
    let embed = to_end(server, member, id).await?;
    let changed = store::revoke(&server.db, member.project.key, embed, server.clock.now_ms()).await?;
    changed.ok_or(EmbedError::Revoked)
}

/// Takes one away that has ended; gives what it was.
pub async fn remove(server: &Server, member: &Member, id: &str) -> Result<Embed, EmbedError> {
    let embed = to_end(server, member, id).await?;
    if store::remove(&server.db, member.project.key, id, server.clock.now_ms()).await? {
        Ok(embed)
    } else {
        Err(EmbedError::Open)
    }
}

async fn to_end(server: &Server, member: &Member, id: &str) -> Result<Embed, EmbedError> {
    must_work(member)?;
    let found = if is_client_id(id) {
        store::find(&server.db, member.project.key, id).await?
    } else {
        None
    };
    let embed = found.ok_or(EmbedError::NotFound)?;
    if can_end(&embed, member) {
        Ok(embed)
    } else {
        Err(EmbedError::NotAllowed(MAY_NOT_END))
    }
}

const fn must_work(member: &Member) -> Result<(), EmbedError> {
    if member.rights.work {
        Ok(())
    } else {
        Err(EmbedError::NotAllowed(MAY_NOT_WORK))
    }
}

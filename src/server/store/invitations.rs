//! Invitations into projects: of a link's token only its SHA-256 is known. One an e-mail address and project; taken once.

use sqlx::{query, query_as, query_scalar};

use super::accounts::NewUser;
use super::db::{WriteTx, on_db, on_tx};
use super::projects::ProjectKey;
use super::{Db, StoreError, members};
use crate::model::member::{InvitationFacts, MemberFacts};
use crate::model::rights::Role;

/// An invitation to be kept.
#[derive(Clone, Copy, Debug)]
pub struct NewInvitation<'a> {
    /// `inv_…`.
    pub id: &'a str,
    /// The SHA-256 of the link's token.
    pub token_hash: [u8; 32],
    /// Whom it is for, folded.
    pub email: &'a str,
    /// What they will be.
    pub role: Role,
    /// Who invites them.
    pub invited_by: &'a str,
    /// Milliseconds since 1970.
    pub now_ms: i64,
    /// From when on the link leads nowhere.
    pub expires_at: i64,
}

/// An invitation and where it leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// The project's number.
    pub project: ProjectKey,
    /// `prj_…`.
    pub project_id: String,
    /// What people call the project.
    pub project_name: String,
    /// The rest.
    pub facts: InvitationFacts,
}

#[derive(sqlx::FromRow)]
struct Row {
    project: i64,
    project_id: String,
    project_name: String,
    #[sqlx(flatten)]
    facts: FactsRow,
}

impl Row {
    fn read(self) -> Result<Invitation, StoreError> {
        Ok(Invitation {
            project: self.project,
            project_id: self.project_id,
            project_name: self.project_name,
            facts: self.facts.read()?,
        })
    }
}

#[derive(sqlx::FromRow)]
struct FactsRow {
    id: String,
    email: String,
    role: String,
    invited_by: String,
    created_at: i64,
    expires_at: i64,
}

impl FactsRow {
    fn read(self) -> Result<InvitationFacts, StoreError> {
        Ok(InvitationFacts {
            role: Role::parse(&self.role)
                .ok_or_else(|| StoreError::Corrupt(format!("the role {:?} of an invitation", self.role)))?,
            id: self.id,
            email: self.email,
            invited_by: self.invited_by,
            created_at: self.created_at,
            expires_at: self.expires_at,
        })
    }
}

/// Keeps an invitation in the place of one to the same address, which it gives; clears away those whose time has passed a month ago.
pub async fn put(db: &Db, project: ProjectKey, new: NewInvitation<'_>) -> Result<Option<InvitationFacts>, StoreError> {
    const MONTH_MS: i64 = 30 * 86_400_000;
    const CLEAR: &str = "DELETE FROM invitations WHERE project_id = $1 AND (email = $2 OR expires_at < $3) \
         RETURNING id, email, role, invited_by, created_at, expires_at";
    const ADD: &str = "INSERT INTO invitations (project_id, id, token_hash, email, role, invited_by, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let mut tx = WriteTx::begin(db).await?;
    let cleared: Vec<FactsRow> = on_tx!(&mut tx, connection => query_as(CLEAR)
        .bind(project)
        .bind(new.email)
        .bind(new.now_ms - MONTH_MS)
        .fetch_all(connection)
        .await?);
    on_tx!(&mut tx, connection => query(ADD)
        .bind(project)
        .bind(new.id)
        .bind(&new.token_hash[..])
        .bind(new.email)
        .bind(new.role.as_str())
        .bind(new.invited_by)
        .bind(new.now_ms)
        .bind(new.expires_at)
        .execute(connection)
        .await?
        .rows_affected());
    tx.commit().await?;
    let same = cleared.into_iter().find(|row| row.email == new.email);
    same.map(FactsRow::read).transpose()
}

/// A project's invitations, the newest first.
pub async fn list(db: &Db, project: ProjectKey) -> Result<Vec<InvitationFacts>, StoreError> {
    const SQL: &str = "SELECT p.id AS project, p.public_id AS project_id, p.name AS project_name, i.id, i.email, i.role, i.invited_by, \
         i.created_at, i.expires_at FROM invitations i JOIN projects p ON p.id = i.project_id \
         WHERE i.project_id = $1 ORDER BY i.created_at DESC, i.id DESC";
    let rows: Vec<Row> = on_db!(read db, pool => query_as(SQL).bind(project).fetch_all(pool).await?);
    rows.into_iter()
        .map(|row| row.read().map(|invitation| invitation.facts))
        .collect()
}

/// The invitation that a link's token leads to, as long as it is open.
pub async fn find_by_token(db: &Db, token_hash: &[u8; 32], now_ms: i64) -> Result<Option<Invitation>, StoreError> {
    const SQL: &str = "SELECT p.id AS project, p.public_id AS project_id, p.name AS project_name, i.id, i.email, i.role, i.invited_by, \
         i.created_at, i.expires_at FROM invitations i JOIN projects p ON p.id = i.project_id \
         WHERE i.token_hash = $1 AND i.expires_at > $2 AND p.deleted_at IS NULL";
    let row: Option<Row> = on_db!(read db, pool => query_as(SQL).bind(&token_hash[..]).bind(now_ms).fetch_optional(pool).await?);
    row.map(Row::read).transpose()
}

/// Takes an invitation back: gives it, where there was one.
pub async fn revoke(db: &Db, project: ProjectKey, id: &str) -> Result<Option<InvitationFacts>, StoreError> {
    const SQL: &str = "DELETE FROM invitations WHERE project_id = $1 AND id = $2 \
         RETURNING id, email, role, invited_by, created_at, expires_at";
    let row: Option<FactsRow> = on_db!(write db, pool => query_as(SQL).bind(project).bind(id).fetch_optional(pool).await?);
    row.map(FactsRow::read).transpose()
}

/// Who takes an invitation.
#[derive(Clone, Copy, Debug)]
pub enum Taker<'a> {
    /// A person that there is: their number.
    Known(i64),
    /// Somebody who comes into being with it.
    New(NewUser<'a>),
}

/// An invitation that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Into which project.
    pub project: ProjectKey,
    /// What it was.
    pub invitation: InvitationFacts,
    /// Whoever took it, as they are from then on.
    pub member: MemberFacts,
}

#[derive(sqlx::FromRow)]
struct TakenRow {
    project_id: i64,
    #[sqlx(flatten)]
    facts: FactsRow,
}

/// Takes an invitation, once: whoever takes it is a member from then on. Whoever is one already keeps the role that they have.
/// None where it is gone; `Taken` where somebody has that e-mail address by now.
pub async fn take(db: &Db, token_hash: &[u8; 32], taker: Taker<'_>, now_ms: i64) -> Result<Option<Taken>, StoreError> {
    const TAKE: &str = "DELETE FROM invitations WHERE token_hash = $1 AND expires_at > $2 \
         RETURNING project_id, id, email, role, invited_by, created_at, expires_at";
    const JOIN: &str = "INSERT INTO members (project_id, user_id, role, created_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (project_id, user_id) DO NOTHING";
    let mut tx = WriteTx::begin(db).await?;
    let taken: Option<TakenRow> =
        on_tx!(&mut tx, connection => query_as(TAKE).bind(&token_hash[..]).bind(now_ms).fetch_optional(connection).await?);
    let Some(TakenRow { project_id, facts }) = taken else {
        return Ok(None);
    };
    let user = match taker {
        Taker::Known(user) => user,
        Taker::New(new) => add_in(&mut tx, new, now_ms).await?,
    };
    on_tx!(&mut tx, connection => query(JOIN)
        .bind(project_id)
        .bind(user)
        .bind(&facts.role)
        .bind(now_ms)
        .execute(connection)
        .await?
        .rows_affected());
    let member = members::one_in(&mut tx, project_id, user).await?;
    tx.commit().await?;
    let invitation = facts.read()?;
    Ok(member.map(|member| Taken {
        project: project_id,
        invitation,
        member,
    }))
}

/// Somebody who comes into being: their number.
async fn add_in(tx: &mut WriteTx, new: NewUser<'_>, now_ms: i64) -> Result<i64, StoreError> {
    const USER: &str = "INSERT INTO users (public_id, email, name, password_hash, operator, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6) RETURNING id";
    let added = on_tx!(tx, connection => query_scalar(USER)
        .bind(new.id)
        .bind(new.email)
        .bind(new.name)
        .bind(new.password_hash)
        .bind(false)
        .bind(now_ms)
        .fetch_one(connection)
        .await);
    added.map_err(|error| match error.as_database_error() {
        Some(broken) if broken.is_unique_violation() => StoreError::Taken(format!("the e-mail address {}", new.email)),
        _ => error.into(),
    })
}

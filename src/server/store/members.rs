//! Who belongs to a project. A project that has people keeps an owner among them, whoever changes what at the same time.

use sqlx::{query, query_as, query_scalar};

use super::db::{WriteTx, on_db, on_tx};
use super::projects::ProjectKey;
use super::{Db, StoreError, views};
use crate::model::member::{MemberFacts, RoleRights};
use crate::model::rights::Role;

/// What came of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemberChange {
    /// It is done: who the person was before, without when they were seen.
    Done(MemberFacts),
    /// There is no such member.
    NoMember,
    /// The project would be left without an owner.
    LastOwner,
}

#[derive(sqlx::FromRow)]
struct MemberRow {
    id: String,
    email: String,
    name: String,
    role: String,
    joined_at: i64,
    last_seen_at: Option<i64>,
}

impl MemberRow {
    fn read(self) -> Result<MemberFacts, StoreError> {
        Ok(MemberFacts {
            role: read_role(&self.role)?,
            id: self.id,
            email: self.email,
            name: self.name,
            joined_at: self.joined_at,
            last_seen_at: self.last_seen_at,
        })
    }
}

/// A project's people, in the order they came.
pub async fn list(db: &Db, project: ProjectKey, now_ms: i64) -> Result<Vec<MemberFacts>, StoreError> {
    const SQL: &str = "SELECT u.public_id AS id, u.email, u.name, m.role, m.created_at AS joined_at, \
         (SELECT MAX(s.last_seen_at) FROM sessions s WHERE s.user_id = u.id AND s.expires_at > $2) AS last_seen_at \
         FROM members m JOIN users u ON u.id = m.user_id WHERE m.project_id = $1 ORDER BY m.created_at, u.id";
    let rows: Vec<MemberRow> = on_db!(read db, pool => query_as(SQL).bind(project).bind(now_ms).fetch_all(pool).await?);
    rows.into_iter().map(MemberRow::read).collect()
}

/// A member as a transaction sees them, without when they were seen.
pub(super) async fn one_in(tx: &mut WriteTx, project: ProjectKey, user: i64) -> Result<Option<MemberFacts>, StoreError> {
    const SQL: &str = "SELECT u.public_id AS id, u.email, u.name, m.role, m.created_at AS joined_at, CAST(NULL AS BIGINT) AS last_seen_at \
         FROM members m JOIN users u ON u.id = m.user_id WHERE m.project_id = $1 AND m.user_id = $2";
    let row: Option<MemberRow> =
        on_tx!(tx, connection => query_as(SQL).bind(project).bind(user).fetch_optional(connection).await?);
    row.map(MemberRow::read).transpose()
}

/// Whether somebody with this e-mail address belongs to the project.
pub async fn has_email(db: &Db, project: ProjectKey, email: &str) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT COUNT(*) FROM members m JOIN users u ON u.id = m.user_id WHERE m.project_id = $1 AND u.email = $2";
    let found: i64 = on_db!(read db, pool => query_scalar(SQL).bind(project).bind(email).fetch_one(pool).await?);
    Ok(found > 0)
}

/// Gives a member (`usr_…`) another role.
pub async fn set_role(db: &Db, project: ProjectKey, user_id: &str, role: Role) -> Result<MemberChange, StoreError> {
    const SET: &str = "UPDATE members SET role = $3 WHERE project_id = $1 AND user_id = $2";
    let mut tx = WriteTx::begin(db).await?;
    let (user, before) = match found(&mut tx, project, user_id, role == Role::Owner).await? {
        Ok(found) => found,
        Err(not) => return Ok(not),
    };
    on_tx!(&mut tx, connection => query(SET).bind(project).bind(user).bind(role.as_str()).execute(connection).await?.rows_affected());
    tx.commit().await?;
    Ok(MemberChange::Done(before))
}

/// Takes a member (`usr_…`) out of a project, and their own views with them; what they shared stays.
pub async fn remove(db: &Db, project: ProjectKey, user_id: &str) -> Result<MemberChange, StoreError> {
    const REMOVE: &str = "DELETE FROM members WHERE project_id = $1 AND user_id = $2";
    let mut tx = WriteTx::begin(db).await?;
    let (user, before) = match found(&mut tx, project, user_id, false).await? {
        Ok(found) => found,
        Err(not) => return Ok(not),
    };
    on_tx!(&mut tx, connection => query(REMOVE).bind(project).bind(user).execute(connection).await?.rows_affected());
    views::remove_own_in(&mut tx, project, user).await?;
    tx.commit().await?;
    Ok(MemberChange::Done(before))
}

/// The member and their number, if they may lose the role; until the transaction ends nobody else changes the project's people.
async fn found(
    tx: &mut WriteTx,
    project: ProjectKey,
    user_id: &str,
    stays_owner: bool,
) -> Result<Result<(i64, MemberFacts), MemberChange>, StoreError> {
    // Two owners who remove each other at the same time come one after the other.
    const LOCK: &str = "UPDATE projects SET name = name WHERE id = $1";
    const FIND: &str = "SELECT id FROM users WHERE public_id = $1";
    const OWNERS: &str = "SELECT COUNT(*) FROM members WHERE project_id = $1 AND role = 'owner'";
    on_tx!(&mut *tx, connection => query(LOCK).bind(project).execute(connection).await?.rows_affected());
    let user: Option<i64> = on_tx!(&mut *tx, connection => query_scalar(FIND).bind(user_id).fetch_optional(connection).await?);
    let Some(user) = user else {
        return Ok(Err(MemberChange::NoMember));
    };
    let Some(member) = one_in(tx, project, user).await? else {
        return Ok(Err(MemberChange::NoMember));
    };
    if member.role == Role::Owner && !stays_owner {
        let owners: i64 = on_tx!(&mut *tx, connection => query_scalar(OWNERS).bind(project).fetch_one(connection).await?);
        if owners < 2 {
            return Ok(Err(MemberChange::LastOwner));
        }
    }
    Ok(Ok((user, member)))
}

/// What the project lets each role see; a role without a row sees both.
pub async fn rights(db: &Db, project: ProjectKey) -> Result<Vec<RoleRights>, StoreError> {
    const SQL: &str = "SELECT role, read_bodies, read_users FROM role_rights WHERE project_id = $1";
    let rows: Vec<(String, bool, bool)> = on_db!(read db, pool => query_as(SQL).bind(project).fetch_all(pool).await?);
    let all = [Role::Auditor, Role::Member, Role::Owner].into_iter();
    Ok(all
        .map(|role| {
            let row = rows.iter().find(|(word, ..)| word == role.as_str());
            let (read_bodies, read_users) = row.map_or((true, true), |(_, bodies, users)| (*bodies, *users));
            RoleRights {
                role,
                read_bodies,
                read_users,
            }
        })
        .collect())
}

fn read_role(word: &str) -> Result<Role, StoreError> {
    Role::parse(word).ok_or_else(|| StoreError::Corrupt(format!("the role {word:?} of a member")))
}

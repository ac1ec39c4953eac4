//! People, and who they are in which project.

use sqlx::{query, query_as, query_scalar};

use super::db::{WriteTx, on_db, on_tx};
use super::projects::{Project, ProjectKey};
use super::{Db, StoreError};
use crate::model::member::RoleRights;
use crate::model::rights::{Rights, Role};

/// A person.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct User {
    /// The number that tables use.
    #[sqlx(rename = "id")]
    pub key: i64,
    /// `usr_…`.
    #[sqlx(rename = "public_id")]
    pub id: String,
    /// How they sign in, in lower case.
    pub email: String,
    /// What people call them; empty where nobody said.
    pub name: String,
    /// Argon2id, as a PHC string.
    pub password_hash: String,
    /// Whether they run the instance.
    pub operator: bool,
    /// Milliseconds since 1970.
    pub created_at: i64,
}

/// Who is to be added.
#[derive(Clone, Copy, Debug)]
pub struct NewUser<'a> {
    /// `usr_…`.
    pub id: &'a str,
    /// How they sign in.
    pub email: &'a str,
    /// What people call them.
    pub name: &'a str,
    /// Argon2id, as a PHC string.
    pub password_hash: &'a str,
    /// Whether they run the instance where nobody does so yet.
    pub may_operate: bool,
    /// Milliseconds since 1970.
    pub now_ms: i64,
}

/// The form in which an e-mail address is kept and looked for.
pub fn fold_email(email: &str) -> String {
    email.trim().to_lowercase()
}

/// Adds a person; the first who may is made the operator. `Taken` where the e-mail is.
pub async fn add(db: &Db, new: NewUser<'_>) -> Result<User, StoreError> {
    const SQL: &str = "INSERT INTO users (public_id, email, name, password_hash, operator, created_at) \
         SELECT $1, $2, $3, $4, CAST($5 AS BOOLEAN) AND NOT EXISTS (SELECT 1 FROM users WHERE operator), $6 \
         RETURNING id, public_id, email, name, password_hash, operator, created_at";
    let email = fold_email(new.email);
    let added = on_db!(write db, pool => query_as::<_, User>(SQL)
        .bind(new.id)
        .bind(&email)
        .bind(new.name)
        .bind(new.password_hash)
        .bind(new.may_operate)
        .bind(new.now_ms)
        .fetch_one(pool)
        .await);
    added.map_err(|error| match error.as_database_error() {
        Some(broken) if broken.is_unique_violation() => StoreError::Taken(format!("the e-mail address {email}")),
        _ => error.into(),
    })
}

/// The person with this e-mail address, in any case.
pub async fn find_by_email(db: &Db, email: &str) -> Result<Option<User>, StoreError> {
    const SQL: &str = "SELECT id, public_id, email, name, password_hash, operator, created_at FROM users WHERE email = $1";
    let email = fold_email(email);
    Ok(on_db!(read db, pool => query_as(SQL).bind(&email).fetch_optional(pool).await?))
}

/// The person whom an identity provider knows by this subject: the issuer, a space, and the subject.
pub async fn find_by_oidc_subject(db: &Db, subject: &str) -> Result<Option<User>, StoreError> {
    const SQL: &str = "SELECT id, public_id, email, name, password_hash, operator, created_at FROM users WHERE oidc_subject = $1";
    Ok(on_db!(read db, pool => query_as(SQL).bind(subject).fetch_optional(pool).await?))
}

/// Notes who a person is to an identity provider; false where they are somebody else to it already.
pub async fn set_oidc_subject(db: &Db, user: i64, subject: &str) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE users SET oidc_subject = $2 WHERE id = $1 AND (oidc_subject IS NULL OR oidc_subject = $2)";
    Ok(on_db!(write db, pool => query(SQL).bind(user).bind(subject).execute(pool).await?.rows_affected()) == 1)
}

/// Gives a person another password; its hash is a PHC string.
pub async fn set_password(db: &Db, user: i64, password_hash: &str) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE users SET password_hash = $2 WHERE id = $1";
    on_db!(write db, pool => query(SQL).bind(user).bind(password_hash).execute(pool).await.map(|_| ()))?;
    Ok(())
}

/// Makes a person a member of a project, or gives them another role there.
pub async fn set_member(db: &Db, project: ProjectKey, user: i64, role: Role, now_ms: i64) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO members (project_id, user_id, role, created_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (project_id, user_id) DO UPDATE SET role = excluded.role";
    on_db!(write db, pool => query(SQL).bind(project).bind(user).bind(role.as_str()).bind(now_ms).execute(pool).await.map(|_| ()))?;
    Ok(())
}

/// What a person is in a project.
pub async fn role(db: &Db, project: ProjectKey, user: i64) -> Result<Option<Role>, StoreError> {
    const SQL: &str = "SELECT role FROM members WHERE project_id = $1 AND user_id = $2";
    let word: Option<String> = on_db!(read db, pool => query_scalar(SQL).bind(project).bind(user).fetch_optional(pool).await?);
    word.map(|word| read_role(&word)).transpose()
}

/// The projects of a person and their role there, in the order they joined.
pub async fn projects_of(db: &Db, user: i64) -> Result<Vec<(Project, Role)>, StoreError> {
    const SQL: &str = "SELECT p.id, p.public_id, p.name, p.time_zone, p.created_at, m.role \
         FROM members m JOIN projects p ON p.id = m.project_id WHERE m.user_id = $1 AND p.deleted_at IS NULL ORDER BY m.created_at, p.id";
    let rows: Vec<(i64, String, String, String, i64, String)> =
        on_db!(read db, pool => query_as(SQL).bind(user).fetch_all(pool).await?);
    rows.into_iter()
        .map(|(key, id, name, time_zone, created_at, role)| {
            Ok((
                Project {
                    key,
                    id,
                    name,
                    time_zone,
                    created_at,
                },
                read_role(&role)?,
            ))
        })
        .collect()
}

/// What a role may do in a project.
pub async fn rights(db: &Db, project: ProjectKey, role: Role) -> Result<Rights, StoreError> {
    const SQL: &str = "SELECT read_bodies, read_users FROM role_rights WHERE project_id = $1 AND role = $2";
    let row: Option<(bool, bool)> =
        on_db!(read db, pool => query_as(SQL).bind(project).bind(role.as_str()).fetch_optional(pool).await?);
    let (read_bodies, read_users) = row.unwrap_or((true, true));
    Ok(Rights::of_role(role, read_bodies, read_users))
}

/// Takes `read:bodies` and `read:users` from a role in a project, or gives them back; gives what held before.
pub async fn set_rights(
    db: &Db,
    project: ProjectKey,
    role: Role,
    read_bodies: bool,
    read_users: bool,
) -> Result<RoleRights, StoreError> {
    // Whoever sets them at the same time waits here.
    const LOCK: &str = "UPDATE projects SET name = name WHERE id = $1";
    const BEFORE: &str = "SELECT read_bodies, read_users FROM role_rights WHERE project_id = $1 AND role = $2";
    const SQL: &str = "INSERT INTO role_rights (project_id, role, read_bodies, read_users) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (project_id, role) DO UPDATE SET read_bodies = excluded.read_bodies, read_users = excluded.read_users";
    let mut tx = WriteTx::begin(db).await?;
    on_tx!(&mut tx, connection => query(LOCK).bind(project).execute(connection).await?.rows_affected());
    let row: Option<(bool, bool)> =
        on_tx!(&mut tx, connection => query_as(BEFORE).bind(project).bind(role.as_str()).fetch_optional(connection).await?);
    on_tx!(&mut tx, connection => query(SQL)
        .bind(project)
        .bind(role.as_str())
        .bind(read_bodies)
        .bind(read_users)
        .execute(connection)
        .await?
        .rows_affected());
    tx.commit().await?;
    let (read_bodies, read_users) = row.unwrap_or((true, true));
    Ok(RoleRights {
        role,
        read_bodies,
        read_users,
    })
}

/// The number of the project that a person looked at last.
pub async fn last_project(db: &Db, user: i64) -> Result<Option<ProjectKey>, StoreError> {
    const SQL: &str = "SELECT last_project_id FROM users WHERE id = $1";
    let row: Option<Option<i64>> = on_db!(read db, pool => query_scalar(SQL).bind(user).fetch_optional(pool).await?);
    Ok(row.flatten())
}

/// Notes the project that a person looks at; writes only where it is another one than before.
pub async fn set_last_project(db: &Db, user: i64, project: ProjectKey) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE users SET last_project_id = $2 WHERE id = $1";
    if last_project(db, user).await? == Some(project) {
        return Ok(());
    }
    on_db!(write db, pool => query(SQL).bind(user).bind(project).execute(pool).await.map(|_| ()))?;
    Ok(())
}

fn read_role(word: &str) -> Result<Role, StoreError> {
    Role::parse(word).ok_or_else(|| StoreError::Corrupt(format!("the role {word:?} of a member")))
}

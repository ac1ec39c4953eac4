//! Who asks, and what they may see. Every page, server function and endpoint comes through here.

use axum::http::HeaderMap;

use crate::model::rights::{Rights, Role, Scope};

use super::state::Server;
use super::store::StoreError;
use super::store::projects::Project;

/// A signed-in person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The number that tables use.
    pub key: i64,
    /// `usr_…`.
    pub id: String,
    /// How they sign in.
    pub email: String,
    /// Whether they run the instance.
    pub operator: bool,
}

/// A person in one of their projects.
#[derive(Clone, Debug)]
pub struct Member {
    /// Who.
    pub person: Person,
    /// Where.
    pub project: Project,
    /// As what.
    pub role: Role,
    /// What they may do there.
    pub rights: Rights,
}

/// A key that signed a call.
#[derive(Clone, Debug)]
pub struct KeyAccess {
    /// Where.
    pub project: Project,
    /// The key's public id (`X-App-Id`).
    pub app_id: String,
    /// Its name.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// Whether it is a client-side key.
    pub client: bool,
    /// What it may see.
    pub rights: Rights,
}

/// Why somebody was turned away.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// Nobody is signed in, or the key is wrong.
    #[error("{0}")]
    Unauthorized(String),
    /// Signed in, but may not.
    #[error("{0}")]
    Forbidden(String),
    /// There is no such project for whoever asks.
    #[error("not found")]
    NotFound,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The person whose session cookie came with a request.
pub async fn person(server: &Server, headers: &HeaderMap) -> Result<Option<Person>, AccessError> {
    let _ = (server, headers);
    todo!()
}

/// The person behind a request, in this project; `Unauthorized` where nobody is signed in, `NotFound` where it is not theirs.
pub async fn member(server: &Server, headers: &HeaderMap, project_id: &str) -> Result<Member, AccessError> {
    let _ = (server, headers, project_id);
    todo!()
}

/// The projects of a person, with their role, in the order they joined; the operator sees those alone where they were made a member, too.
pub async fn projects_of(server: &Server, person: &Person) -> Result<Vec<(Project, Role)>, AccessError> {
    let _ = (server, person);
    todo!()
}

/// The key that signed a call, whatever form its headers have.
pub async fn key(server: &Server, headers: &HeaderMap) -> Result<KeyAccess, AccessError> {
    let _ = (server, headers);
    todo!()
}

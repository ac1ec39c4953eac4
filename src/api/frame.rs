//! What stands around every page: who is signed in, their projects, the zone; and what the sign-in page must know.

#![allow(missing_docs, reason = "the server functions' own types are written by a macro")]

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use crate::model::rights::Role;

/// A project of a person's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectFacts {
    /// `prj_…`.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What the person is in it.
    pub role: Role,
    /// Its time zone's IANA name.
    pub time_zone: String,
}

/// What the frame shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameFacts {
    /// How the person signs in.
    pub email: String,
    /// Whether they run the instance, and so make projects.
    pub operator: bool,
    /// Their projects.
    pub projects: Vec<ProjectFacts>,
    /// Where this server is: `https://logs.example.com`.
    pub address: String,
    /// Their last choice of a zone: `utc`, `local`, `project`, or an IANA name.
    pub last_zone: Option<String>,
    /// The browser's zone, where it has told.
    pub local_zone: Option<String>,
}

/// Who is signed in, and what is theirs.
#[server(name = ReadFrame, input = GetUrl, endpoint = "frame")]
pub async fn frame() -> Result<FrameFacts, ApiError> {
    on_server::frame().await.map_err(ApiError::told)
}

/// What the sign-in page must know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInFacts {
    /// Whether the demo's sign-in is on offer.
    pub demo: bool,
    /// What the identity provider is called, where there is one.
    pub oidc: Option<String>,
}

/// Whether the demo's sign-in is on offer.
#[server(name = ReadSignInFacts, input = GetUrl, endpoint = "sign_in_facts")]
#[allow(clippy::unused_async, reason = "a server function is async")]
pub async fn sign_in_facts() -> Result<SignInFacts, ApiError> {
    on_server::sign_in_facts().map_err(ApiError::told)
}

#[cfg(feature = "ssr")]
pub(crate) use on_server::project_facts;

#[cfg(feature = "ssr")]
mod on_server {
    use axum::http::request::Parts;
    use leptos::prelude::use_context;

    use super::{ApiError, FrameFacts, ProjectFacts, SignInFacts};
    use crate::api::visit::{cookie, person, request};
    use crate::api::zones;
    use crate::model::rights::Role;
    use crate::server::access::{self, oidc};
    use crate::server::store::projects::Project;

    pub(crate) fn project_facts((project, role): (Project, Role)) -> ProjectFacts {
        ProjectFacts {
            id: project.id,
            name: project.name,
            role,
            time_zone: project.time_zone,
        }
    }

    pub(super) async fn frame() -> Result<FrameFacts, ApiError> {
        let (_, headers) = request()?;
        let (server, person) = person().await?;
        let path = use_context::<Parts>().map(|parts| parts.uri.path().to_owned());
        let here = path
            .as_deref()
            .and_then(|path| path.strip_prefix("/projects/")?.split('/').next());
        let projects = access::projects_around(&server, &person, here).await?;
        Ok(FrameFacts {
            address: server.config.public_url(),
            operator: person.operator,
            email: person.email,
            projects: projects.into_iter().map(project_facts).collect(),
            last_zone: cookie(&headers, "zone").filter(|zone| zones::is_choice(zone)),
            local_zone: cookie(&headers, "tz"),
        })
    }

    pub(super) fn sign_in_facts() -> Result<SignInFacts, ApiError> {
        let (server, _) = request()?;
        Ok(SignInFacts {
            demo: server.config.demo,
            oidc: oidc::is_on(&server.config).then(|| server.config.oidc_name.clone()),
        })
    }
}

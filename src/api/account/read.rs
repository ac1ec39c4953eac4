//! Reads what the pages of an account and of an invitation show.

use axum::http::HeaderMap;

use super::{AccountPage, Invitation, Joining, Second};
use crate::api::error::ApiError;
use crate::api::frame::project_facts;
use crate::api::visit::{cookie, request};
use crate::api::zones::{ChosenZone, ZoneHints, choose};
use crate::server::access::second::{self, SecondError, Stands};
use crate::server::access::{self, invite, own, passwords};
use crate::server::store::accounts;

/// The last choice of a zone; outside a project, a project's is UTC.
fn zone(headers: &HeaderMap) -> Result<ChosenZone, ApiError> {
    Ok(choose(&ZoneHints {
        asked: None,
        last: cookie(headers, "zone").as_deref(),
        local: cookie(headers, "tz").as_deref(),
        project: "UTC",
    })?)
}

/// The account of whoever asks.
pub(super) async fn account() -> Result<AccountPage, ApiError> {
    let (server, headers) = request()?;
    let person = access::person(&server, &headers).await?.ok_or(ApiError::SignedOut)?;
    let projects = access::projects_of(&server, &person).await?;
    let sessions = own::sessions_of(&server, &headers, &person).await?;
    let second = match second::stands(&server, &person).await.map_err(unreadable)? {
        Stands::Off => Second::Off,
        Stands::On(left) => Second::On { left },
        Stands::Begun(begun) => Second::Begun {
            secret: begun.secret,
            picture: begun.picture,
            recovery: begun.recovery,
        },
    };
    let now = server.clock.now_ms();
    let earliest = sessions.iter().map(|session| session.created_at).min().unwrap_or(now);
    let user = accounts::find_by_email(&server.db, &person.email).await?;
    Ok(AccountPage {
        has_password: user.is_some_and(|user| user.password_hash != passwords::NONE),
        is_demo: access::is_demo_email(&person.email),
        operator: person.operator,
        email: person.email,
        projects: projects.into_iter().map(project_facts).collect(),
        second,
        sessions,
        zone: zone(&headers)?.zone_around(earliest, now),
    })
}

fn unreadable(error: SecondError) -> ApiError {
    match error {
        SecondError::Store(error) => error.into(),
        other => {
            tracing::error!(error = %other, "a second factor could not be read");
            ApiError::Unavailable("Your second factor cannot be read now.".to_owned())
        }
    }
}

/// Where a link leads.
pub(super) async fn invitation(token: &str) -> Result<Option<Invitation>, ApiError> {
    let (server, headers) = request()?;
    let Some(found) = invite::find(&server, token).await? else {
        return Ok(None);
    };
    let person = access::person(&server, &headers).await?;
    let facts = found.facts;
    let joining = match person {
        Some(person) if person.email == facts.email => Joining::SignedIn,
        Some(person) => Joining::SomebodyElse(person.email),
        None if accounts::find_by_email(&server.db, &facts.email).await?.is_some() => Joining::Known,
        None => Joining::New,
    };
    let now = server.clock.now_ms();
    Ok(Some(Invitation {
        zone: zone(&headers)?.zone_around(now, facts.expires_at),
        email: facts.email,
        role: facts.role,
        project: found.project_name,
        invited_by: facts.invited_by,
        expires_at: facts.expires_at,
        joining,
    }))
}

//! What a link leads to: the row is asked each time, so that a link that somebody ended leads nowhere at once.

use super::token::Signed;
use super::{Closed, store, view_of};
use crate::model::embed::{EmbedStanding, rights};
use crate::model::query::LogQuery;
use crate::model::rights::Rights;
use crate::server::state::Server;
use crate::server::store::StoreError;
use crate::server::store::embeds::Embed;
use crate::server::store::projects::Project;
use crate::server::store::views::View;

/// Where a link leads, whether it has ended or not.
#[derive(Clone, Debug)]
pub struct Found {
    /// The project.
    pub project: Project,
    /// The embedded view.
    pub embed: Embed,
}

/// What a link shows.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The view.
    pub view: View,
    /// What it selects.
    pub query: LogQuery,
    /// What its holder may see: what the link names, and nothing else.
    pub rights: Rights,
}

/// The embedded view that a signed token names.
pub async fn find(server: &Server, signed: &Signed) -> Result<Option<Found>, StoreError> {
    let Some(project) = store::project_of(&server.db, &signed.id).await? else {
        return Ok(None);
    };
    let embed = store::find(&server.db, project.key, &signed.id).await?;
    Ok(embed
        .filter(|embed| embed.expires_at == signed.until_ms)
        .map(|embed| Found { project, embed }))
}

/// What a link shows now; nothing where it has ended, and where its view or the rights that it names are in the way.
pub async fn shown(server: &Server, found: &Found, now_ms: i64) -> Result<Option<Shown>, StoreError> {
    let (project, embed) = (&found.project, &found.embed);
    if embed.standing(now_ms) != EmbedStanding::Open {
        return Ok(None);
    }
    let Some(view) = view_of(server, project.key, &embed.view).await? else {
        return Ok(None);
    };
    let rights = rights(embed.bodies, embed.users);
    match super::query(server, project, &view, rights, now_ms) {
        Ok(query) => Ok(Some(Shown { view, query, rights })),
        Err(Closed::Gone | Closed::LeftOut(_) | Closed::MayNot(_) | Closed::Problem(_)) => Ok(None),
    }
}

/// Notes that it has shown a page, without making its reader wait.
pub fn note(server: &Server, found: &Found, now_ms: i64) {
    let (db, project, id) = (server.db.clone(), found.project.key, found.embed.id.clone());
    tokio::spawn(async move {
        if let Err(error) = store::opened(&db, project, &id, now_ms).await {
            tracing::warn!(%error, "an embedded view's page could not be counted");
        }
    });
}

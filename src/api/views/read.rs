//! Reads a tab's views, and follows a view's own link.

use super::ViewsPage;
use crate::api::error::ApiError;
use crate::api::visit::{Visit, lead_to};
use crate::model::query::{escape, pairs};
use crate::model::view::{ViewTab, view_alone};
use crate::server::store::embeds;
use crate::server::store::views as store;
use crate::server::views::{self, ViewError, kept};

/// The views.
pub(super) async fn page(project: &str, tab: ViewTab) -> Result<ViewsPage, ApiError> {
    let visit = Visit::to(project).await?;
    let (server, member) = (&visit.server, &visit.member);
    let seen = store::seen(&server.db, member.project.key, tab, member.person.key).await?;
    let shown_by = if seen.is_empty() {
        Vec::new()
    } else {
        embeds::shown_by(&server.db, member.project.key, server.clock.now_ms()).await?
    };
    let facts = |view| views::facts(server, view, member, &shown_by);
    Ok(ViewsPage {
        views: seen.into_iter().map(facts).collect(),
        may_share: member.rights.work,
    })
}

/// Where an address that names a view and nothing else leads: the tab with what the view says, which the reader is sent to. `None` for any other
/// address, and where there is no such view for whoever asks: the page then says so.
pub(crate) async fn led(tab: ViewTab, project: &str, query: &str) -> Result<Option<String>, ApiError> {
    let Some(id) = view_alone(query) else {
        return Ok(None);
    };
    let visit = Visit::to(project).await?;
    let view = match views::one(&visit.server, &visit.member, &id).await {
        Ok(view) if view.tab == tab => view,
        Ok(_) | Err(ViewError::NotFound) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let (says, _) = kept::read(&visit.server, &visit.member.project, &view);
    let zone = pairs(query).find(|(name, value)| name == "tz" && !value.is_empty());
    let link = says.link(&view.id, zone.as_ref().map(|(_, zone)| zone.as_str()));
    lead_to(&format!("/projects/{}/{}{link}", escape(project), tab.as_str()));
    Ok(Some(link.trim_start_matches('?').to_owned()))
}

//! Reads a timeline.

use super::TimelinePage;
use crate::api::error::ApiError;
use crate::api::records::zone_of;
use crate::api::visit::Visit;
use crate::model::id::is_client_id;
use crate::model::query::pairs;
use crate::model::timeline::Thing;
use crate::server::store::logs::one;
use crate::server::webhooks::timeline::{of_export, of_log, of_sendout, of_task};

/// The story of a thing.
pub(super) async fn timeline(project: &str, thing: Thing, id: &str, query: &str) -> Result<TimelinePage, ApiError> {
    let visit = Visit::to(project).await?;
    if !is_client_id(id) {
        return Err(ApiError::NotFound);
    }
    let (server, key) = (&visit.server, visit.member.project.key);
    let story = match thing {
        Thing::ApiLog => match one::find(&server.db, key, id).await? {
            Some(log) => Some(of_log(server, key, log.facts).await?),
            None => None,
        },
        Thing::AsyncAction => of_task(server, key, id).await?,
        Thing::Export => of_export(server, key, id).await?,
        Thing::WebhookSendout => of_sendout(server, key, id).await?,
        Thing::Event | Thing::Attempt => None,
    };
    let story = story.ok_or(ApiError::NotFound)?;
    let asked = pairs(query).find(|(name, _)| name == "tz").map(|(_, zone)| zone);
    // A zone that makes no sense is told of by the page itself.
    let zone = zone_of(&visit, asked.as_deref().filter(|zone| !zone.is_empty())).or_else(|_| zone_of(&visit, None))?;
    let now = server.clock.now_ms();
    let earliest = story.all.first().map_or(now, |happened| happened.at);
    Ok(TimelinePage {
        request_id: story.request_id,
        all: story.all,
        cut: story.cut,
        zone: zone.zone_around(earliest, now),
        now,
    })
}

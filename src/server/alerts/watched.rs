//! What alerts watch: the filters of their views, as the logs that come are held against them.

use std::collections::HashMap;

use jiff::tz::TimeZone;

use crate::model::log::Origin;
use crate::model::query::LogQuery;
use crate::model::rights::Rights;
use crate::model::selection::{LogSelection, TimeRange};
use crate::model::view::ViewTab;
use crate::server::selection::{self, QueryContext, SelectionError};
use crate::server::state::Server;
use crate::server::store::StoreError;
use crate::server::store::alerts::{self as store, Alert};
use crate::server::store::projects::Project;
use crate::server::store::views::{self, View};
use crate::server::views::kept;

/// An alert with the view that it watches.
#[derive(Clone, Debug)]
pub struct Watched {
    /// The alert.
    pub alert: Alert,
    /// Its view; none where it is gone.
    pub view: Option<View>,
    /// The view's filters, and nothing else of it.
    pub filters: LogQuery,
    /// Filters that mean nothing to this version.
    pub left_out: Vec<String>,
    /// The logs that are meant; none where that is not known, so that it is not evaluated.
    pub selection: Option<LogSelection>,
}

/// A project's alerts with their views. The alerts are read first: where a view changes meanwhile, its alerts count anew, and what was counted for those that
/// were read here is not added.
pub async fn all(server: &Server, project: &Project) -> Result<Vec<Watched>, StoreError> {
    let alerts = store::list(&server.db, project.key).await?;
    if alerts.is_empty() {
        return Ok(Vec::new());
    }
    let views = views::shared(&server.db, project.key, Some(ViewTab::Logs)).await?;
    let views: HashMap<String, View> = views.into_iter().map(|view| (view.id.clone(), view)).collect();
    let with_view = |alert: Alert| {
        let view = views.get(&alert.view).cloned();
        of(server, project, alert, view)
    };
    Ok(alerts.into_iter().map(with_view).collect())
}

/// One alert with its view.
pub async fn one(server: &Server, project: &Project, id: &str) -> Result<Option<Watched>, StoreError> {
    let Some(alert) = store::find(&server.db, project.key, id).await? else {
        return Ok(None);
    };
    let view = views::find(&server.db, project.key, &alert.view).await?;
    Ok(Some(of(server, project, alert, view.filter(|view| view.shared))))
}

/// An alert with a view that was read.
pub fn of(server: &Server, project: &Project, alert: Alert, view: Option<View>) -> Watched {
    let (filters, left_out) = match &view {
        Some(view) => kept::filters(server, project, view),
        None => (LogQuery::default(), Vec::new()),
    };
    let is_known = view.is_some() && left_out.is_empty();
    let selection = is_known
        .then(|| selection(server, project, kept::ALL_RIGHTS, &filters).ok())
        .flatten()
        .map(|selection| LogSelection {
            range: TimeRange {
                from: alert.counts_since,
                to: i64::MAX,
            },
            ..selection
        });
    Watched {
        alert,
        view,
        filters,
        left_out,
        selection,
    }
}

/// What filters select for whoever has these rights, whenever it was made.
pub fn selection(server: &Server, project: &Project, rights: Rights, filters: &LogQuery) -> Result<LogSelection, SelectionError> {
    let context = QueryContext {
        now_ms: server.clock.now_ms(),
        zone: &TimeZone::UTC,
        rights,
        key: &server.key,
        project_id: &project.id,
        default_origin: Origin::Application,
    };
    selection::resolve(filters, &context).map(|(selection, _)| selection)
}

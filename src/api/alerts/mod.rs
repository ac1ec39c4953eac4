//! The settings page of alerts: a project's alerts, what each did, and what people do with them.

#![allow(missing_docs, reason = "the server functions' own types are written by a macro")]

#[cfg(feature = "ssr")]
mod change;
#[cfg(feature = "ssr")]
mod read;

use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json};
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use crate::model::alert::{AlertFacts, AlertWish, HistoryLine, Mute};
use crate::model::zone::Zone;

/// What stands around alerts on their pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Around {
    /// The shared views of the Logs tab, ids and names: what an alert can watch.
    pub views: Vec<(String, String)>,
    /// Whether whoever looks may make, change, mute, test and delete alerts.
    pub may_work: bool,
    /// Whether a mail server is configured.
    pub has_mail: bool,
    /// The zone that the times are shown in.
    pub zone: Zone,
    /// The server's time.
    pub now: i64,
}

/// All that the settings page of alerts shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertsPage {
    /// The alerts, by name.
    pub alerts: Vec<AlertFacts>,
    /// What stands around them.
    pub around: Around,
}

/// All that an alert's page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertPage {
    /// The alert.
    pub alert: AlertFacts,
    /// What it did, the latest first.
    pub history: Vec<HistoryLine>,
    /// What stands around it.
    pub around: Around,
}

/// A project's alerts. The query string is the page's: it names the zone.
#[server(name = ReadAlerts, input = GetUrl, endpoint = "alerts")]
pub async fn alerts_page(project: String, query: String) -> Result<AlertsPage, ApiError> {
    read::all(&project, &query).await.map_err(ApiError::told)
}

/// An alert, and what it did.
#[server(name = ReadAlert, input = GetUrl, endpoint = "alert")]
pub async fn alert_page(project: String, id: String, query: String) -> Result<AlertPage, ApiError> {
    read::one(&project, &id, &query).await.map_err(ApiError::told)
}

/// Makes an alert; gives its id.
#[server(name = CreateAlert, input = Json, endpoint = "create_alert")]
pub async fn create_alert(project: String, wish: AlertWish) -> Result<String, ApiError> {
    change::create(&project, &wish).await.map_err(ApiError::told)
}

/// Changes an alert, if it has not changed since `known`.
#[server(name = ChangeAlert, input = Json, endpoint = "change_alert")]
pub async fn change_alert(project: String, id: String, known: i64, wish: AlertWish) -> Result<(), ApiError> {
    change::change(&project, &id, known, &wish).await.map_err(ApiError::told)
}

/// Switches an alert on or off, if it has not changed since `known`.
#[server(name = SwitchAlert, endpoint = "switch_alert")]
pub async fn switch_alert(project: String, id: String, known: i64, on: bool) -> Result<(), ApiError> {
    change::switch(&project, &id, known, on).await.map_err(ApiError::told)
}

/// Mutes an alert or lets it be heard again, if it has not changed since `known`.
#[server(name = MuteAlert, input = Json, endpoint = "mute_alert")]
pub async fn mute_alert(project: String, id: String, known: i64, mute: Mute) -> Result<(), ApiError> {
    change::mute(&project, &id, known, mute).await.map_err(ApiError::told)
}

/// Tells of an alert as a test; whether any endpoint wants the event.
#[server(name = TestAlert, endpoint = "test_alert")]
pub async fn test_alert(project: String, id: String) -> Result<bool, ApiError> {
    change::test(&project, &id).await.map_err(ApiError::told)
}

/// Deletes an alert, if it has not changed since `known`.
#[server(name = DeleteAlert, endpoint = "delete_alert")]
pub async fn delete_alert(project: String, id: String, known: i64) -> Result<(), ApiError> {
    change::delete(&project, &id, known).await.map_err(ApiError::told)
}

//! The settings page of webhooks: a project's endpoints, made and changed.
//!
//! A secret is in the answers to [`create_endpoint`] and [`rotate_secret`] alone; neither it nor own headers reach a log of the request
//! (`server/http/recording/quiet.rs`).

#![allow(missing_docs, reason = "the server functions' own types are written by a macro")]

#[cfg(feature = "ssr")]
mod change;
#[cfg(feature = "ssr")]
mod read;

use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json};
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use crate::model::endpoint::{EndpointFacts, Source};
use crate::model::zone::Zone;

/// All that the settings page of webhooks shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointsPage {
    /// The endpoints, oldest first; without the values of their headers where whoever looks may not see them.
    pub endpoints: Vec<EndpointFacts>,
    /// Whether whoever looks may make, change and delete endpoints.
    pub can_settle: bool,
    /// Whether whoever looks may send a test event.
    pub can_test: bool,
    /// The zone that the times are shown in.
    pub zone: Zone,
    /// The server's time.
    pub now: i64,
}

/// What somebody wants an endpoint to be; `None` stays as it is, or is as by default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointWish {
    /// Where events are sent.
    pub target_url: Option<String>,
    /// The types that it wants.
    pub events: Option<Vec<String>>,
    /// Whether events are sent to it.
    pub active: Option<bool>,
    /// What it belongs to.
    pub source: Option<Source>,
    /// Headers of its own.
    pub headers: Option<Vec<(String, String)>>,
    /// A person's words.
    pub description: Option<String>,
    /// Requests a second; 0 for as many as it takes.
    pub rate_limit: Option<u32>,
    /// Whether what waited while it was off is sent now.
    pub send_paused: bool,
}

/// A secret, as it is shown once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreshSecret {
    /// The endpoint's id.
    pub id: String,
    /// `whsec_…`.
    pub secret: String,
}

impl std::fmt::Debug for FreshSecret {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("FreshSecret").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A project's endpoints. The query string is the page's: it names the zone.
#[server(name = ReadEndpointsPage, input = GetUrl, endpoint = "endpoints")]
pub async fn endpoints_page(project: String, query: String) -> Result<EndpointsPage, ApiError> {
    read::page(&project, &query).await.map_err(ApiError::told)
}

/// Makes an endpoint; gives its secret, this once.
#[server(name = CreateEndpoint, input = Json, endpoint = "create_endpoint")]
pub async fn create_endpoint(project: String, wish: EndpointWish) -> Result<FreshSecret, ApiError> {
    change::create(&project, wish).await.map_err(ApiError::told)
}

/// Changes an endpoint.
#[server(name = UpdateEndpoint, input = Json, endpoint = "update_endpoint")]
pub async fn update_endpoint(project: String, id: String, wish: EndpointWish) -> Result<(), ApiError> {
    change::update(&project, &id, wish).await.map_err(ApiError::told)
}

/// Deletes an endpoint.
#[server(name = DeleteEndpoint, endpoint = "delete_endpoint")]
pub async fn delete_endpoint(project: String, id: String) -> Result<(), ApiError> {
    change::delete(&project, &id).await.map_err(ApiError::told)
}

/// Gives an endpoint a new secret; gives it, this once.
#[server(name = RotateSecret, endpoint = "rotate_secret")]
pub async fn rotate_secret(project: String, id: String) -> Result<FreshSecret, ApiError> {
    change::rotate(&project, &id).await.map_err(ApiError::told)
}

/// Sends a test event; gives the sendout's id.
#[server(name = TestEndpoint, endpoint = "test_endpoint")]
pub async fn test_endpoint(project: String, id: String) -> Result<String, ApiError> {
    change::test(&project, &id).await.map_err(ApiError::told)
}

//! The settings page of masking: what is masked anyway, and the project's own rules, tried out and saved.
//!
//! What trying out gives quotes bodies, so neither side of that request reaches a log (`server/http/recording/quiet.rs`).

#![allow(missing_docs, reason = "the server functions' own types are written by a macro")]

#[cfg(feature = "ssr")]
mod change;
#[cfg(feature = "ssr")]
mod read;

use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json};
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use crate::model::masking::MaskRule;
use crate::model::masking::tried::Tried;
use crate::model::zone::Zone;

/// Names that are masked in every project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameList {
    /// What the names are of.
    pub about: String,
    /// The names.
    pub names: Vec<String>,
}

/// All that the settings page of masking shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaskingPage {
    /// The project's own rules, in their order.
    pub rules: Vec<MaskRule>,
    /// What is masked anyway.
    pub built_in: Vec<NameList>,
    /// Whether whoever looks may read bodies, which trying out shows.
    pub can_try: bool,
    /// The zone that the times are shown in.
    pub zone: Zone,
    /// The server's time.
    pub now: i64,
}

/// What a project masks, for its owners. The query string is the page's: it names the zone.
#[server(name = ReadMaskingPage, input = GetUrl, endpoint = "masking")]
pub async fn masking_page(project: String, query: String) -> Result<MaskingPage, ApiError> {
    read::page(&project, &query).await.map_err(ApiError::told)
}

/// What these rules would have changed of the project's last logs; nothing is stored.
#[server(name = TryMasking, input = Json, endpoint = "try_masking")]
pub async fn try_masking(project: String, rules: Vec<MaskRule>) -> Result<Tried, ApiError> {
    change::try_out(&project, rules).await.map_err(ApiError::told)
}

/// Gives the project these rules in place of those that are `known`; gives them as they are kept.
#[server(name = SaveMasking, input = Json, endpoint = "save_masking")]
pub async fn save_masking(project: String, known: Vec<MaskRule>, rules: Vec<MaskRule>) -> Result<Vec<MaskRule>, ApiError> {
    change::save(&project, known, rules).await.map_err(ApiError::told)
}

/// The place of the rule that an error is about, from 0.
pub fn faulty_rule(error: &ApiError) -> Option<usize> {
    match error {
        ApiError::BadField { field, .. } => field.strip_prefix(RULE)?.parse().ok(),
        _ => None,
    }
}

/// The name of a rule's field, before its place.
const RULE: &str = "rules.";

//! A project's own settings, as people see and change them.

use serde::{Deserialize, Serialize};

/// What can be changed of a project.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectWish {
    /// What people call it.
    pub name: String,
    /// The time zone that its people mean by "Project": an IANA name.
    pub time_zone: String,
    /// Its own route templates, as `/v1/vouchers/{code}` or `POST /v1/vouchers`; they come before the general rule for endpoint names.
    pub templates: Vec<String>,
}

/// What a project holds, for whoever is about to delete it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holdings {
    /// Logs that applications sent; this service's own are not deleted with it.
    pub logs: i64,
    /// Background tasks.
    pub tasks: i64,
    /// Exports.
    pub exports: i64,
    /// Webhook endpoints.
    pub endpoints: i64,
    /// API keys that were not revoked.
    pub keys: i64,
    /// People.
    pub members: i64,
}

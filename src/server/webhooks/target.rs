//! An endpoint as it is sent to, its secrets and headers open.

use url::Url;

use super::attempt::Target;
use super::endpoints::{HEADERS_PURPOSE, SECRET_PURPOSE};
use super::sign;
use crate::server::secrets::InstanceKey;
use crate::server::store::projects::{self, ProjectKey};
use crate::server::store::webhooks::endpoints::{self, Endpoint};
use crate::server::store::{Db, StoreError};

/// Reads an endpoint.
pub(super) async fn read(db: &Db, key: &InstanceKey, project: ProjectKey, id: &str) -> Result<Target, StoreError> {
    let missing = || StoreError::Corrupt(format!("the endpoint {id} is not there"));
    let endpoint = endpoints::find(db, project, id).await?.ok_or_else(missing)?;
    let project_id = projects::public_id(db, project).await?.ok_or_else(missing)?;
    let target = open(key, project, project_id, &endpoint);
    target.ok_or_else(|| {
        StoreError::Corrupt(format!(
            "the secret of the endpoint {id} was sealed with another instance key"
        ))
    })
}

fn open(key: &InstanceKey, project: ProjectKey, project_id: String, endpoint: &Endpoint) -> Option<Target> {
    let secret = |sealed: &[u8]| sign::key_of(&String::from_utf8(key.open(SECRET_PURPOSE, sealed)?).ok()?);
    let old_secret = match (&endpoint.old_secret, endpoint.facts.old_secret_until) {
        (Some(sealed), Some(until)) => Some((secret(sealed)?, until)),
        _ => None,
    };
    let headers = match &endpoint.headers {
        Some(sealed) => serde_json::from_slice(&key.open(HEADERS_PURPOSE, sealed)?).ok()?,
        None => Vec::new(),
    };
    let facts = &endpoint.facts;
    Some(Target {
        project,
        project_id,
        endpoint_id: facts.id.clone(),
        url: Url::parse(&facts.target_url).ok(),
        target_url: facts.target_url.clone(),
        source: facts.source,
        active: facts.active,
        deleted: endpoint.deleted,
        rate_limit: facts.rate_limit,
        secret: secret(&endpoint.secret)?,
        old_secret,
        headers,
    })
}

//! Writes a recorded exchange: it waits where the writer is busy, and what cannot be written is counted and said.

use std::time::Duration;

use recorder::Exchange;

use super::{Subject, log};
use crate::model::log::{Origin, Resource};
use crate::server::ingest::endpoint::CallNames;
use crate::server::ingest::entry::EntryContext;
use crate::server::state::Server;
use crate::server::store::logs::write::{LogCall, WriteError};
use crate::server::store::projects::ProjectKey;
use crate::server::store::{StoreError, accounts};

/// Writes the exchange into each of its projects.
pub(super) async fn write(server: &Server, mut exchange: Exchange<Subject>) {
    if let Some(email) = exchange.context.attempted.take() {
        // Looked up after the answer went out, so that its time tells nobody whether there is such an account.
        match projects_of(server, &email).await {
            Ok(projects) => exchange.context.projects = projects,
            Err(error) => return failed(&exchange.context.request_id, &error),
        }
    }
    let subject = &exchange.context;
    // One log, and one more where it is about two things.
    let about = [Some(subject.resource.as_ref()), subject.beside.as_ref().map(Some)];
    for project in &subject.projects {
        for about in about.iter().flatten() {
            if let Err(error) = write_into(server, *project, *about, &exchange).await {
                failed(&subject.request_id, &error);
            }
        }
    }
}

/// The projects of whoever has this e-mail address; none for a stranger.
async fn projects_of(server: &Server, email: &str) -> Result<Vec<ProjectKey>, StoreError> {
    let Some(user) = accounts::find_by_email(&server.db, email).await? else {
        return Ok(Vec::new());
    };
    let projects = accounts::projects_of(&server.db, user.key).await?;
    Ok(projects.into_iter().map(|(project, _)| project.key).collect())
}

/// Why an exchange was not written.
#[derive(Debug, thiserror::Error)]
enum RecordError {
    #[error("it is no log: {0}")]
    Fault(String),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

async fn write_into(
    server: &Server,
    project: ProjectKey,
    about: Option<&Resource>,
    exchange: &Exchange<Subject>,
) -> Result<(), RecordError> {
    let names = CallNames::of(&server.endpoints(project).await?);
    let mask = server.mask(project).await?;
    let now_ms = server.clock.now_ms();
    let context = EntryContext {
        now_ms,
        retention_ms: i64::MAX,
        mask: &mask,
        endpoints: &names,
        random: &server.random,
        origin: Origin::Own,
        sender: None,
    };
    let log = log::of_exchange(exchange, project, about, &context).map_err(|fault| RecordError::Fault(fault.to_string()))?;
    loop {
        let call = LogCall {
            project,
            logs: vec![log.clone()],
            idempotency: None,
            received_at: now_ms,
        };
        match server.writer.write(call).await {
            Err(WriteError::Full { retry_after_s }) => tokio::time::sleep(Duration::from_secs(retry_after_s)).await,
            Err(error) => return Err(error.into()),
            Ok(_) => {
                names.keep();
                return Ok(());
            }
        }
    }
}

/// An audit log that loses a record says so.
pub(super) fn failed(request_id: &str, error: &dyn std::error::Error) {
    metrics::counter!("recordings_failed_total").increment(1);
    tracing::error!(request_id, error = %error, "a request to this service could not be recorded");
}

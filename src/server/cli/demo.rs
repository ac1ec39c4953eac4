//! `--demo`: who can sign in is told at once; the traffic is recorded while the server answers already.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::{CliError, print};
use crate::server::access::{DEMO_EMAIL, DEMO_PASSWORD};
use crate::server::demo::{self, DAYS, DemoError};
use crate::server::state::Server;
use crate::server::store::logs::write::WriteError;
use crate::server::store::projects::Project;

/// Makes the demo on an empty database, goes on with one that was interrupted, and tells how to sign in wherever there is one.
pub(super) async fn start(server: &Server) -> Result<(), CliError> {
    let unfinished = demo::prepare(server).await?;
    if crate::server::access::demo_person(server)
        .await
        .is_ok_and(|person| person.is_some())
    {
        print(&format!(
            "the demo: sign in as {DEMO_EMAIL} with {DEMO_PASSWORD} (on this machine alone)"
        ))?;
    }
    if let Some(project) = unfinished {
        tokio::spawn(record(server.clone(), project));
    }
    Ok(())
}

async fn record(server: Server, project: Project) {
    let bar = std::io::stderr().is_terminal().then(bar);
    let recorded = demo::record(&server, &project, DAYS, |days, logs| {
        if let Some(bar) = &bar {
            bar.set_position(days.unsigned_abs());
            bar.set_message(format!("{logs} logs"));
        }
    })
    .await;
    if let Some(bar) = &bar {
        bar.finish_and_clear();
    }
    match recorded {
        // Who reads standard output may have gone; the demo is there all the same.
        Ok(logs) => drop(writeln!(
            std::io::stdout(),
            "the demo: {logs} requests of the last {DAYS} days are recorded"
        )),
        Err(DemoError::Write(WriteError::Stopping)) => {
            tracing::warn!("stopped before all of the demo's traffic was recorded; the next start makes up for it");
        }
        Err(error) => tracing::error!(%error, "the demo's traffic could not be recorded"),
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::new(DAYS.unsigned_abs());
    match ProgressStyle::with_template("recording the demo's traffic {bar:30} day {pos} of {len}  {msg}") {
        Ok(style) => bar.set_style(style),
        Err(error) => tracing::debug!(%error, "the bar keeps its own style"),
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

//! Alerts: what comes is counted for each as it is written, and from the counts alone it is decided what they do. Logs are never searched for it.
//!
//! `watched` knows what each watches; `count` counts; `decide` decides; `told` and `letter` say it; `outbox` sends the mails; `settle` is what people do with
//! alerts, and `facts` what they see. Any number of processes may do all of it at the same time: each step is one transaction that only one of them makes.

mod count;
mod decide;
mod entry;
pub mod facts;
mod letter;
mod outbox;
pub mod settle;
mod told;
pub mod watched;

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::state::Server;
use super::store::StoreError;
use super::store::alerts::counts::{self, Marked};

/// How often what came is counted, and decided upon.
const LOOK: Duration = Duration::from_secs(2);
/// How often it is looked whether a mail is due.
const MAILS: Duration = Duration::from_secs(1);

/// What looks after the alerts in this process.
#[derive(Debug)]
pub struct Watch {
    stop: CancellationToken,
    looking: JoinHandle<()>,
    mailing: JoinHandle<()>,
}

impl Watch {
    /// Ends after what is under way: nothing is left half done.
    pub async fn stop(self) {
        self.stop.cancel();
        // Both end at the token; an error would say that they have ended already.
        let _ended = self.looking.await;
        let _ended = self.mailing.await;
    }
}

/// Looks after alerts from now on.
pub fn start(server: &Server) -> Watch {
    let stop = CancellationToken::new();
    Watch {
        looking: tokio::spawn(look(server.clone(), stop.clone())),
        mailing: tokio::spawn(mail(server.clone(), stop.clone())),
        stop,
    }
}

async fn look(server: Server, stop: CancellationToken) {
    loop {
        if let Err(error) = round(&server).await {
            tracing::warn!(%error, "alerts could not be looked after; tried again");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = stop.cancelled() => return,
        }
    }
}

async fn mail(server: Server, stop: CancellationToken) {
    if server.mail.is_none() {
        return;
    }
    loop {
        if let Err(error) = send_due(&server).await {
            tracing::warn!(%error, "mails that tell of alerts could not be sent; tried again");
        }
        tokio::select! {
            () = tokio::time::sleep(MAILS) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Counts what came for every project's alerts, and decides; how many did something.
pub async fn round(server: &Server) -> Result<usize, StoreError> {
    let (mut done, mut failed) = (0, None);
    for marked in counts::projects(&server.db).await? {
        match of_project(server, &marked).await {
            Ok(count) => done += count,
            // What is broken in one project is no reason to pass over the others.
            Err(error) => failed = Some(error),
        }
    }
    if done > 0 {
        server.webhooks.ring();
    }
    failed.map_or(Ok(done), Err)
}

async fn of_project(server: &Server, marked: &Marked) -> Result<usize, StoreError> {
    match count::catch_up(server, marked).await? {
        Some((mark, all)) => decide::decide(server, &marked.project, mark, &all).await,
        // Where another server counts, that one decides.
        None => Ok(0),
    }
}

/// Sends the mails that are due; how many were tried.
pub async fn send_due(server: &Server) -> Result<usize, StoreError> {
    outbox::send_due(server).await
}

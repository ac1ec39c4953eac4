//! `kill -9` at random moments; on SQLite also with the writes thrown away that no sync had covered.

use std::time::Duration;

use rand::Rng;

use super::run::{Run, cluster, on};
use super::service::Service;
use super::{is_full, rounds, say};
use crate::kill::{built, cut_the_power};

/// Kills the server, a number of times, and starts it again.
async fn kill(mut run: Run, kills: u64, power: bool) {
    let mut thrown_away = 0;
    for _ in 0..kills {
        run.until_acknowledged(10, Duration::from_secs(60)).await;
        let moment = rand::rng().random_range(0..400);
        tokio::time::sleep(Duration::from_millis(moment)).await;
        run.processes[0].kill();
        if power {
            thrown_away += cut_the_power(&run.sqlite());
        }
        run.start(0);
        run.processes[0].ready().await;
    }
    // In a few rounds every kill may meet a moment at which all was synced.
    assert!(
        !power || !is_full() || thrown_away > 0,
        "no unsynced write was thrown away: the library was not preloaded"
    );
    if power {
        say(&format!("{}: {thrown_away} unsynced writes were thrown away", run.name));
    }
    run.end(kills).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_on_sqlite() {
    let run = Run::begin("killed, SQLite", Service::on_sqlite(), 1, 0).await;
    kill(run, rounds(5, 100), false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_power_on_sqlite() {
    let mut service = Service::on_sqlite();
    service.preload.push(built(service.folder.path(), "unsynced"));
    let run = Run::begin("without power, SQLite", service, 1, 0).await;
    kill(run, rounds(5, 100), true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_on_postgres() {
    let (_cluster, url) = cluster().await;
    let run = Run::begin("killed, PostgreSQL", on(&url), 1, 0).await;
    kill(run, rounds(5, 100), false).await;
}

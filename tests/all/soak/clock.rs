//! Somebody sets the machine's clock, back and forth, while the service runs and while it does not.

use std::time::Duration;

use super::check;
use super::rounds;
use super::run::{Run, cluster, on};
use super::service::Service;
use super::shims::Faults;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

async fn set(mut run: Run, faults: Faults) {
    let rounds = rounds(1, 10);
    for _ in 0..rounds {
        for off in [-HOUR, 2 * DAY, 0] {
            faults.set_clock(off);
            run.goes_on(&format!("{off} ms off")).await;
        }
        // It ends days ahead, with tasks claimed and sendouts due, and begins again in its own time.
        faults.set_clock(2 * DAY);
        run.until_acknowledged(20, Duration::from_secs(60)).await;
        run.processes[0].kill();
        faults.set_clock(0);
        run.start(0);
        run.processes[0].ready().await;
        run.goes_on("after days ahead").await;
    }
    run.quiet().await;
    check::paged(&run).await;
    run.end(rounds * 4).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_clock_set_on_sqlite() {
    let mut service = Service::on_sqlite();
    let faults = Faults::of(&mut service);
    set(Run::begin("clock set, SQLite", service, 1, 0).await, faults).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_clock_set_on_postgres() {
    let (_cluster, url) = cluster().await;
    let mut service = on(&url);
    let faults = Faults::of(&mut service);
    set(Run::begin("clock set, PostgreSQL", service, 1, 0).await, faults).await;
}

//! Two servers and two workers on one PostgreSQL, killed in turn: no job has two results, no sendout is lost.

use std::time::Duration;

use rand::Rng;

use super::rounds;
use super::run::{Run, cluster, on};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_and_two_workers_killed_in_turn() {
    let (_cluster, url) = cluster().await;
    let mut run = Run::begin("two servers and two workers", on(&url), 2, 2).await;
    let kills = rounds(4, 40);
    for kill in 0..kills {
        run.until_acknowledged(30, Duration::from_secs(60)).await;
        let moment = rand::rng().random_range(0..800);
        tokio::time::sleep(Duration::from_millis(moment)).await;
        let place = (kill % 4) as usize;
        run.processes[place].kill();
        // Meanwhile the others go on.
        run.until_acknowledged(30, Duration::from_secs(60)).await;
        run.start(place);
        if run.processes[place].port != 0 {
            run.processes[place].ready().await;
        }
    }
    run.end(kills).await;
}

//! A gateway that opens a PostgreSQL itself, beside a server of its own process, under load: the database falls and comes back, the gateway is killed while it is away.

use std::time::Duration;

use super::kill::{Ledger, Process, settled, upstream};
use crate::kill::Victim;
use crate::soak::run::cluster;

const SENDERS: usize = 8;

fn gateway(victim: &Victim, database: &str, upstream: u16) -> Process {
    let environment = [
        ("DATABASE_URL", database.to_owned()),
        (
            "AUDIT_LOG_FILES_URL",
            format!("file:{}", victim.folder.path().join("files").display()),
        ),
    ];
    let arguments = ["--project", &victim.project, "--spool", "spool"];
    let upstream = format!("http://127.0.0.1:{upstream}");
    Process::new(victim.folder.path(), &upstream, &arguments, &environment)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_falls_takes_nothing_with_it_and_a_killed_gateway_counts_what_it_takes() {
    let (cluster, database) = cluster().await;
    let mut victim = Victim::with(None, vec![("DATABASE_URL", database.clone())]);
    victim.start().await;
    let (upstream, ledger) = (upstream().await, Ledger::default());
    let mut gateway = gateway(&victim, &database, upstream.port);
    gateway.start().await;

    let load = ledger.load(gateway.port, SENDERS);
    for _ in 0..3 {
        ledger.until_answered(20).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        tokio::task::block_in_place(|| cluster.stop("immediate"));
        tokio::time::sleep(Duration::from_millis(300)).await;
        tokio::task::block_in_place(|| cluster.start_again());
    }
    ledger.end(load).await;
    let (stored, missing) = settled(&victim, &gateway).await;
    let before = ledger.answered();
    assert!(before.len() > 50, "too little went through: {}", before.len());
    assert!(before.values().all(|status| *status == 200), "a client saw something of it");
    assert_eq!((stored.len(), missing), (before.len(), 0));

    // Killed while the database is away, and started while it still is.
    tokio::task::block_in_place(|| cluster.stop("immediate"));
    let load = ledger.load(gateway.port, SENDERS);
    ledger.until_answered(30).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    gateway.kill();
    ledger.end(load).await;
    gateway.start().await;
    let load = ledger.load(gateway.port, SENDERS);
    ledger.until_answered(30).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    ledger.end(load).await;
    tokio::task::block_in_place(|| cluster.start_again());
    let (stored, missing) = settled(&victim, &gateway).await;
    let answered = ledger.answered();
    assert!(
        answered.len() > before.len() + 50,
        "too little went through without a database"
    );
    let lost = answered.keys().filter(|number| !stored.contains_key(number)).count() as u64;
    // The count is some hundredths of a second old when the gateway dies.
    assert!(
        lost <= missing + 20 && (lost == 0 || missing > 0),
        "{lost} are missing, {missing} are said to be"
    );
    assert!(
        answered
            .iter()
            .all(|(number, status)| stored.get(number).is_none_or(|recorded| recorded == status)),
        "something is recorded otherwise than it was answered"
    );
    tokio::task::block_in_place(|| cluster.stop("fast"));
}

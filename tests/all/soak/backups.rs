//! A backup is made under load and restored: it has what was acknowledged before it began, and nothing that was refused.

use std::time::Duration;

use super::ledger::{Entries, Fate};
use super::rounds;
use super::run::{Run, cluster, on};
use super::service::Service;

/// What must hold of a backup: what was acknowledged before it began is in it, of all else each is whole or not at all.
fn expected(before: &Entries, mut all: Entries) -> Entries {
    let doubt = |fate: &mut Fate, known: Option<Fate>| {
        if *fate != Fate::Refused && known != Some(Fate::Acknowledged) {
            *fate = Fate::Unknown;
        }
    };
    for (place, call) in all.calls.iter_mut().enumerate() {
        doubt(&mut call.fate, before.calls.get(place).map(|call| call.fate));
    }
    for (place, task) in all.tasks.iter_mut().enumerate() {
        doubt(&mut task.fate, before.tasks.get(place).map(|task| task.fate));
    }
    all
}

async fn back_up(run: Run, target: Option<&str>) {
    let backups = rounds(1, 5);
    for backup in 0..backups {
        run.until_acknowledged(400, Duration::from_secs(60)).await;
        let before = run.ledger.copy();
        let file = run.service.folder.path().join(format!("kept-{backup}.db"));
        tokio::task::block_in_place(|| run.service.told(&["backup", file.to_str().unwrap()]));
        let expected = expected(&before, run.ledger.copy());
        let files = run.service.folder.path().join(format!("kept-{backup}.db.files"));
        let backed_up = format!("sqlite://{}", file.display());
        let database = match target {
            None => backed_up,
            Some(target) => {
                let to = format!("{target}{backup}");
                tokio::task::block_in_place(|| run.service.told(&["copy", "--database-url", &backed_up, "--to", &to]));
                to
            }
        };
        let restored = run.service.restored(database, files);
        Run::restored(&format!("{}, restored", run.name), restored, expected, run.receiver.clone())
            .await
            .end(1)
            .await;
    }
    run.end(backups).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backed_up_and_restored_on_sqlite() {
    back_up(Run::begin("backup, SQLite", Service::on_sqlite(), 1, 0).await, None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backed_up_and_restored_on_postgres() {
    let (cluster, url) = cluster().await;
    for backup in 0..rounds(1, 5) {
        cluster.create(&format!("restored{backup}"), "template1").await;
    }
    let target = format!("{}/restored", cluster.url);
    back_up(Run::begin("backup, PostgreSQL", on(&url), 1, 0).await, Some(&target)).await;
}

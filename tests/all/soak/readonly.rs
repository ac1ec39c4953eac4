//! The database can only be read for a while: a file system that was set so, a PostgreSQL that others write to.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::disk::writes_are_refused;
use super::rounds;
use super::run::{Run, cluster, on};
use super::service::Service;
use super::shims::Faults;

/// "Read-only file system".
const EROFS: i64 = 30;

async fn only_read(mut run: Run, set: impl AsyncFn(bool)) {
    let rounds = rounds(1, 10);
    for _ in 0..rounds {
        run.until_acknowledged(200, Duration::from_secs(60)).await;
        set(true).await;
        run.until_refused(3, Duration::from_secs(30)).await;
        writes_are_refused(&run, "only be read").await;
        set(false).await;
        run.until_acknowledged(100, Duration::from_secs(20)).await;
    }
    assert!(run.processes[0].ended().is_none(), "nobody had to restart it");
    run.end(rounds).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_read_on_sqlite() {
    let mut service = Service::on_sqlite();
    let faults = Faults::of(&mut service);
    let run = Run::begin("read-only, SQLite", service, 1, 0).await;
    only_read(run, async |only| faults.refuse_writes(if only { EROFS } else { 0 })).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_read_on_postgres() {
    let (cluster, url) = cluster().await;
    let admin = format!("{}/postgres", cluster.url);
    let run = Run::begin("read-only, PostgreSQL", on(&url), 1, 0).await;
    let set = async |only: bool| {
        let mut connection = PgConnection::connect(&admin).await.unwrap();
        let is = if only { "on" } else { "off" };
        for sql in [
            "SET default_transaction_read_only = off".to_owned(),
            format!("ALTER SYSTEM SET default_transaction_read_only = {is}"),
            "SELECT pg_reload_conf()".to_owned(),
        ] {
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
        }
        connection.close().await.unwrap();
    };
    only_read(run, set).await;
}

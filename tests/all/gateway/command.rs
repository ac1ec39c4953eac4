//! The real binary: a gateway beside a server in one process, one that opens the database itself, and what it is told wrongly.

use std::time::Duration;

use serde_json::{Value, json};

use super::kill::{Process, stored};
use super::rig::until;
use super::wire::Wire;
use crate::kill::{Victim, client, own_port};
use crate::support::run_binary;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

async fn post(port: u16, number: usize) {
    let asked = client().post(format!("http://127.0.0.1:{port}/orders/{number}")).body("{}");
    assert_eq!(asked.send().await.unwrap().text().await.unwrap(), "ok");
}

async fn until_stored(victim: &Victim, count: usize) -> Vec<Value> {
    until("everything is stored", async || stored(victim).await.len() >= count).await;
    let logs = stored(victim).await;
    assert_eq!(logs.len(), count);
    logs
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_has_a_gateway_in_its_own_process() {
    let (mut victim, upstream, port) = (Victim::new(None), Wire::saying(OK).await, own_port());
    victim.environment = vec![
        ("AUDIT_LOG_GATEWAY_UPSTREAM", format!("http://127.0.0.1:{}", upstream.port)),
        ("AUDIT_LOG_GATEWAY_LISTEN", format!("127.0.0.1:{port}")),
        ("AUDIT_LOG_GATEWAY_PROJECT", victim.project.clone()),
        (
            "AUDIT_LOG_GATEWAY_SPOOL",
            victim.folder.path().join("spool").display().to_string(),
        ),
    ];
    victim.start().await;
    for number in 0..5 {
        post(port, number).await;
    }
    let logs = until_stored(&victim, 5).await;
    assert_eq!(
        (&logs[0]["channel"], &logs[0]["endpoint"]),
        (&json!("API"), &json!("POST_orders_{id}"))
    );
    assert_eq!(upstream.seen()[0].header("x-forwarded-for"), Some("127.0.0.1"));
    // What is on disk is stored by the next one.
    for number in 5..10 {
        post(port, number).await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    victim.kill();
    victim.start().await;
    until_stored(&victim, 10).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_opens_the_database_itself() {
    let (mut victim, upstream) = (Victim::new(None), Wire::saying(OK).await);
    victim.start().await;
    let folder = victim.folder.path();
    let environment = [
        ("DATABASE_URL", format!("sqlite://{}/audit-log.db", folder.display())),
        ("AUDIT_LOG_FILES_URL", format!("file:{}/files", folder.display())),
    ];
    let arguments = ["--project", &victim.project, "--spool", "spool"];
    let mut gateway = Process::new(
        folder,
        &format!("http://127.0.0.1:{}", upstream.port),
        &arguments,
        &environment,
    );
    gateway.start().await;
    for number in 0..5 {
        post(gateway.port, number).await;
    }
    until_stored(&victim, 5).await;
    post(gateway.port, 5).await;
    assert!(gateway.stop() < Duration::from_secs(10));
    until_stored(&victim, 6).await;
}

#[test]
fn what_it_is_told_wrongly_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}/a.db", folder.path().display());
    let run = |arguments: &[&str]| {
        let all = [&["gateway", "--listen", "127.0.0.1:0"], arguments].concat();
        let ended = run_binary(&all, "", &[("DATABASE_URL", &database)], folder.path());
        assert!(!ended.status.success(), "{arguments:?}");
        String::from_utf8(ended.stderr).unwrap()
    };
    let upstream = ["--upstream", "http://127.0.0.1:1"];
    assert!(run(&[]).contains("--upstream"));
    assert!(run(&upstream).contains("--project"));
    assert!(run(&[&upstream[..], &["--project", "prj_1"]].concat()).contains("there is no database"));
    run_binary(&["project", "add", "Shop"], "", &[("DATABASE_URL", &database)], folder.path());
    assert!(run(&[&upstream[..], &["--project", "prj_1"]].concat()).contains("there is no project prj_1"));
    assert!(run(&["--upstream", "api.internal", "--project", "prj_1"]).contains("http:// or https://"));
    let serve = ["serve", "--listen", "127.0.0.1:0", "--gateway-upstream", "http://127.0.0.1:1"];
    let ended = run_binary(&serve, "", &[("DATABASE_URL", &database)], folder.path());
    assert!(String::from_utf8(ended.stderr).unwrap().contains("--gateway-project"));
}

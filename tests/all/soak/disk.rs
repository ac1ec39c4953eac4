//! The disk fills up under load, and is freed again.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::run::Run;
use super::service::Service;
use super::shims::Faults;
use super::{rounds, say};

/// Megabytes of the small disk.
const SIZE: u64 = 160;
/// "No space left on device".
const ENOSPC: i64 = 28;

/// A disk of its own, small enough to be filled.
struct Small(PathBuf);

impl Small {
    /// Mounts one; none where that is not allowed.
    fn mount(at: &Path) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let size = format!("size={SIZE}m");
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(at)
            .stderr(Stdio::null());
        mount
            .status()
            .is_ok_and(|status| status.success())
            .then(|| Self(at.to_owned()))
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }

    /// Takes all the room there is.
    fn fill(&self) {
        let mut file = File::options().create(true).append(true).open(self.ballast()).unwrap();
        for piece in [1 << 20, 4 << 10] {
            while file.write_all(&vec![0; piece]).is_ok() {}
        }
    }

    fn free(&self) {
        std::fs::remove_file(self.ballast()).unwrap();
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        // The server, which holds its files open, may still be ending.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
        let _ = std::fs::remove_dir_all(self.0.parent().unwrap());
    }
}

/// While nothing can be written: who writes is told so, who reads is served.
pub async fn writes_are_refused(run: &Run, words: &str) {
    let log = json!({"id": "meanwhile", "method": "GET", "url": "/v1/meanwhile", "status_code": 200});
    let answer = run.door.call(Method::POST, "/v1/logs").json(&log).send().await.unwrap();
    let (status, is_told) = (answer.status(), answer.headers().contains_key("retry-after"));
    let text = answer.text().await.unwrap();
    assert!(
        status == 503 && is_told && text.contains(words),
        "{}: {status}, Retry-After: {is_told}: {text}",
        run.name
    );
    for call in [
        run.door.call(Method::GET, "/v1/logs?limit=25"),
        run.door.page("logs"),
        run.door.page("tasks"),
    ] {
        let answer = call.send().await.unwrap();
        let (url, status) = (answer.url().clone(), answer.status());
        assert_eq!(status, 200, "{}: {url} is read", run.name);
    }
}

async fn filled(mut run: Run, fill: impl Fn(bool)) {
    let rounds = rounds(1, 10);
    for _ in 0..rounds {
        run.until_acknowledged(200, Duration::from_secs(60)).await;
        fill(true);
        run.until_refused(3, Duration::from_secs(60)).await;
        writes_are_refused(&run, "full").await;
        fill(false);
        run.until_acknowledged(100, Duration::from_secs(20)).await;
    }
    assert!(run.processes[0].ended().is_none(), "nobody had to restart it");
    run.end(rounds).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("small");
    let small = Small::mount(&place);
    let mut service = Service::new(folder, format!("sqlite://{}/audit-log.db", place.display()));
    if let Some(small) = small {
        service.files = place.join("files");
        let run = Run::begin("disk full", service, 1, 0).await;
        filled(run, |full| if full { small.fill() } else { small.free() }).await;
    } else {
        say("disk full: NOT CHECKED on a small disk, which cannot be mounted here; writes are refused by a library instead");
        let faults = Faults::of(&mut service);
        let run = Run::begin("disk full (by a library)", service, 1, 0).await;
        filled(run, |full| faults.refuse_writes(if full { ENOSPC } else { 0 })).await;
    }
}

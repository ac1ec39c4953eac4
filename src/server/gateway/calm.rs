//! Threads that make way: what was recorded is stored on them, with what the machine leaves once requests have passed. Until then it waits in the spool.

use std::future::Future;
use std::io;

use rustix::process::setpriority_process;
use rustix::thread::gettid;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;

/// How nice these threads are to others (see `nice(7)`): where nothing is idle, one of them gets about a third of what another thread gets. With 10, a tenth, a machine that
/// was busy with something else let the spool grow; so while there is room in the spool, the sender rests beside it (`pressure`), which it gives up when half of it is used.
const NICE: i32 = 5;
/// Reading and masking run on threads for work that blocks; these only wait.
const THREADS: usize = 1;

/// A runtime whose threads, and those that they start, make way for others.
pub(super) struct Calm {
    /// Always there until it is dropped.
    runtime: Option<Runtime>,
    handle: Handle,
}

impl Calm {
    pub(super) fn start() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("gateway-store")
            .on_thread_start(make_way)
            .enable_all()
            .build()?;
        Ok(Self {
            handle: runtime.handle().clone(),
            runtime: Some(runtime),
        })
    }

    /// Runs something there.
    pub(super) fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.handle.spawn(future)
    }
}

impl Drop for Calm {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // A runtime that waits for its threads may not be dropped by a task.
            runtime.shutdown_background();
        }
    }
}

/// Whoever may not be nice is as quick as before.
fn make_way() {
    if let Err(error) = setpriority_process(Some(gettid()), NICE) {
        tracing::debug!(%error, "storing what was recorded does not make way for what passes");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Linux tells of each thread how nice it is in the 19th column of its line.
    fn nice_here() -> i32 {
        let line = std::fs::read_to_string(format!("/proc/self/task/{}/stat", gettid().as_raw_nonzero())).unwrap();
        let after_name = line.rsplit_once(')').unwrap().1;
        after_name.split_whitespace().nth(16).unwrap().parse().unwrap()
    }

    #[tokio::test]
    async fn its_threads_and_those_they_start_make_way_and_nobody_else_does() {
        let before = nice_here();
        let calm = Calm::start().unwrap();
        let there = calm.spawn(async {
            let blocking = tokio::task::spawn_blocking(nice_here).await.unwrap();
            let started = std::thread::spawn(nice_here).join().unwrap();
            (nice_here(), blocking, started)
        });
        let nice = NICE.max(before);
        assert_eq!(there.await.unwrap(), (nice, nice, nice));
        assert_eq!(nice_here(), before);
        drop(calm);
    }
}

//! Everything that can go wrong around the service goes wrong while it is under mixed load; a ledger that is kept outside says what must be there afterwards.
//!
//! Everything acknowledged is there, once; nothing that was refused is there; no task and no sendout is stuck; the chain verifies. Each test runs a few
//! rounds; `make soak` (`SOAK=full`) as many as decision 0019 says. A new fault: a file here, whose test starts a [`Run`](run::Run), breaks something while
//! its load goes on, mends it, and ends it.

mod away;
mod backups;
mod check;
mod clock;
mod crowd;
mod disk;
mod kills;
mod ledger;
mod load;
mod proxy;
mod readonly;
pub mod run;
mod service;
mod several;
mod shims;
mod stops;

use std::time::Duration;

/// Rounds: a few in every test run, many in a soak.
pub fn rounds(short: u64, full: u64) -> u64 {
    if is_full() { full } else { short }
}

/// Whether this is the soak itself.
pub fn is_full() -> bool {
    std::env::var_os("SOAK").is_some_and(|size| size == "full")
}

/// A bound of time: as it is promised where a soak runs alone, and longer where other tests have the machine at the same time.
pub fn within(promised: Duration) -> Duration {
    if is_full() { promised } else { promised * 4 }
}

/// Says how far it is; heard in a soak, and where a test fails.
pub fn say(words: &str) {
    println!("soak: {words}");
}

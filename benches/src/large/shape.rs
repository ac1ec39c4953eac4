//! Waiting until a server has put in shape what it was sent: small blocks are merged every ten seconds.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::server::Server;

/// Longer than two looks of the server's own are apart.
const WINDOW: Duration = Duration::from_secs(12);
const PATIENCE: Duration = Duration::from_mins(20);
/// Ticks of the clock that times of processes are told in (`USER_HZ`, proc(5)), a second.
const TICKS: f64 = 100.0;
/// Of one core. A server that does nothing takes 0.002; one whose PostgreSQL does most of the work of grouping signatures takes 0.04.
const QUIET: f64 = 0.01;

/// Waits until the server does next to nothing by itself.
pub fn settled(server: &Server) -> Outcome<()> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        let before = worked(server)?;
        sleep(WINDOW);
        if (worked(server)? - before) / WINDOW.as_secs_f64() < QUIET {
            return Ok(());
        }
    }
    Err("the server never came to rest".into())
}

/// Seconds that it has worked, on all cores.
fn worked(server: &Server) -> Outcome<f64> {
    let said = fs::read_to_string(format!("/proc/{}/stat", server.process()))?;
    let (_, fields) = said.rsplit_once(") ").ok_or("no such line in proc(5)")?;
    let ticks = fields
        .split(' ')
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<f64>().ok());
    Ok(ticks.sum::<f64>() / TICKS)
}

//! How far a command is, on standard error: one line that changes where a person looks on, a line now and then where a file does.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use crate::server::store::copy::Progress;

/// How long a file waits for its next line.
const PAUSE: Duration = Duration::from_secs(5);

/// Says how far a command is.
pub(super) struct Teller {
    bar: Option<ProgressBar>,
    last: Option<Instant>,
}

impl Teller {
    /// On standard error, whatever that is.
    pub(super) fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(ProgressBar::new_spinner);
        if let Some(bar) = &bar {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Self { bar, last: None }
    }

    /// Says it, where it is time to.
    pub(super) fn tell(&mut self, words: impl FnOnce() -> String) {
        if let Some(bar) = &self.bar {
            bar.set_message(words());
        } else if self.last.is_none_or(|last| last.elapsed() >= PAUSE) {
            self.last = Some(Instant::now());
            eprintln!("{}", words());
        }
    }

    /// Clears the line that changed.
    pub(super) fn done(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// How far a table is, in words.
pub(super) fn table(progress: &Progress<'_>) -> String {
    let what = if progress.comparing { "comparing" } else { "copying" };
    format!(
        "{what} {} (table {} of {}): {} rows",
        progress.table, progress.nth, progress.of, progress.rows
    )
}

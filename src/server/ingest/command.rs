//! `audit-log import FILE`: the file in, a bar on a terminal (lines elsewhere), every rejected entry with its reason, and a summary.

use std::fs::File;
use std::io::{IsTerminal, Read};
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::import::{self, Format, ImportError, ImportParts, Progress, Rejected};

/// Without a terminal, how often a line tells how far it is.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Imports a file and tells on standard error how it goes; the answer has the counts.
pub async fn import(parts: ImportParts, path: &Path) -> Result<Progress, ImportError> {
    let unreadable = |error: std::io::Error| ImportError::Read(format!("{}: {error}", path.display()));
    let mut file = File::open(path).map_err(unreadable)?;
    let total = file.metadata().map_err(unreadable)?.len();
    let mut beginning = Vec::new();
    file.by_ref()
        .take(import::BEGINNING)
        .read_to_end(&mut beginning)
        .map_err(unreadable)?;
    let format = Format::of(&path.to_string_lossy(), &beginning);
    let left_out = import::left_out(format, &beginning);
    if !left_out.is_empty() {
        eprintln!("{}", import::said_of_left_out(format, &left_out));
    }
    let mut display = Display::new(total);
    let whole = std::io::Cursor::new(beginning).chain(file);
    let done = import::run(parts, format, whole, |rejected, progress| display.show(rejected, progress)).await;
    display.end();
    done
}

/// The summary's line.
pub fn summary(done: Progress) -> String {
    format!(
        "{} accepted, {} there already, {} rejected",
        done.accepted, done.duplicates, done.rejected
    )
}

/// What is shown while it runs.
enum Display {
    Bar(ProgressBar),
    Lines { total: u64, last: Instant },
}

impl Display {
    fn new(total: u64) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self::Lines {
                total,
                last: Instant::now(),
            };
        }
        let bar = ProgressBar::new(total);
        match ProgressStyle::with_template("{bar:40} {percent:>3} %  {bytes} of {total_bytes}  {binary_bytes_per_sec}  {msg}") {
            Ok(style) => bar.set_style(style),
            Err(error) => tracing::debug!(%error, "the bar keeps its own style"),
        }
        Self::Bar(bar)
    }

    fn show(&mut self, rejected: &[Rejected], progress: Progress) {
        match self {
            Self::Bar(bar) => {
                bar.suspend(|| tell(rejected));
                bar.set_position(progress.bytes_read);
                bar.set_message(summary(progress));
            }
            Self::Lines { total, last } => {
                tell(rejected);
                if last.elapsed() >= LINE_EVERY {
                    *last = Instant::now();
                    let percent = 100 * progress.bytes_read / (*total).max(1);
                    eprintln!("{percent} % read: {}", summary(progress));
                }
            }
        }
    }

    fn end(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

fn tell(rejected: &[Rejected]) {
    for entry in rejected {
        eprintln!("{entry}");
    }
}

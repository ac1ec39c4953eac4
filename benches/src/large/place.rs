//! The folder of the large benchmark: what it will take, whether there is room, and which days it has.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use super::days::{Days, grouped};
use crate::{DAY_MS, Outcome};

/// Logs of a day.
const DAY_LOGS: usize = 100_000;
/// Bytes on disk for a log, roughly and rather too many: in each database, and in the plain table that Datasette serves. With what PostgreSQL keeps
/// for recovery on top.
const SIZES: [(&str, u64, u64); 3] = [
    ("sqlite", 1_400, 0),
    ("postgres", 1_700, 2_000_000_000),
    ("datasette", 2_000, 0),
];
/// Room that is left alone.
const SPARE: u64 = 2_000_000_000;
const WORDS: [&str; 8] = [
    "sqlite",
    "postgres",
    "generate",
    "growth",
    "datasette",
    "browser",
    "footprint",
    "load",
];

/// What the environment asks for.
pub struct Place {
    pub folder: PathBuf,
    days: usize,
    only: Vec<String>,
}

impl Place {
    pub fn of_environment() -> Outcome<Self> {
        let logs = match std::env::var("BENCH_LARGE_LOGS") {
            Ok(logs) => logs
                .replace(['_', ','], "")
                .parse()
                .map_err(|_| "BENCH_LARGE_LOGS is a number of logs")?,
            Err(_) => 10_000_000_usize,
        };
        let only: Vec<String> = std::env::var("BENCH_LARGE_ONLY")
            .unwrap_or_default()
            .split(',')
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect();
        if let Some(unknown) = only.iter().find(|word| !WORDS.contains(&word.as_str())) {
            return Err(format!("BENCH_LARGE_ONLY knows {}, not {unknown}", WORDS.join(", ")).into());
        }
        let folder = std::env::var_os("BENCH_LARGE_FOLDER").map_or_else(|| PathBuf::from("target/bench-large"), PathBuf::from);
        Ok(Self {
            folder,
            days: logs.div_ceil(DAY_LOGS).max(1),
            only,
        })
    }

    /// Whether a database, or a part, is meant: where none of its kind is named, all are.
    pub fn means(&self, word: &str) -> bool {
        let of_its_kind = if WORDS[..2].contains(&word) {
            &WORDS[..2]
        } else {
            &WORDS[2..]
        };
        let mut named = self
            .only
            .iter()
            .filter(|only| of_its_kind.contains(&only.as_str()))
            .peekable();
        named.peek().is_none() || named.any(|only| only == word)
    }

    /// Says what it will take, refuses where there is less room, and makes the folder or goes on with the one that there is.
    pub fn ready(self) -> Outcome<(Days, Self)> {
        fs::create_dir_all(&self.folder)?;
        let folder = fs::canonicalize(&self.folder)?;
        let days = self.days_of(&folder)?;
        let (wanted, has) = (self.size(days.logs() as u64), size_of(&folder)?);
        let room = number(Command::new("df").args(["--output=avail", "-B1"]).arg(&folder))?;
        println!(
            "{} logs, {} days of {}, in {}: {} expected, {} there, {} free",
            days.words(),
            self.days,
            grouped(DAY_LOGS as u64),
            folder.display(),
            gigabytes(wanted),
            gigabytes(has),
            gigabytes(room)
        );
        if wanted.saturating_sub(has) + SPARE > room {
            return Err(format!(
                "not enough room: {} more are needed, and {} to spare. BENCH_LARGE_FOLDER names another folder, BENCH_LARGE_LOGS fewer logs, BENCH_LARGE_ONLY fewer databases",
                gigabytes(wanted.saturating_sub(has)),
                gigabytes(SPARE)
            )
            .into());
        }
        Ok((days, Self { folder, ..self }))
    }

    /// The days up to this one's midnight, or those of the run that made the folder.
    fn days_of(&self, folder: &Path) -> Outcome<Days> {
        let file = folder.join("days");
        if !file.exists() {
            let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as i64;
            let from = now / DAY_MS * DAY_MS - self.days as i64 * DAY_MS;
            fs::write(&file, format!("{from} {}", self.days))?;
        }
        let kept = fs::read_to_string(&file)?;
        let (from, count) = kept.trim().split_once(' ').ok_or("the file `days` is no such file")?;
        if count.parse() != Ok(self.days) {
            return Err(format!(
                "{} has {count} days of logs, not {}: name another by BENCH_LARGE_FOLDER, or remove it",
                folder.display(),
                self.days
            )
            .into());
        }
        Ok(Days::new(from.parse()?, self.days))
    }

    fn size(&self, logs: u64) -> u64 {
        let meant = SIZES.iter().filter(|(word, ..)| match *word {
            "datasette" => self.means("sqlite") && self.means("datasette"),
            word => self.means(word),
        });
        meant.map(|(_, bytes, more)| logs * bytes + more).sum()
    }
}

/// Bytes that a folder takes on its disk.
fn size_of(folder: &Path) -> Outcome<u64> {
    number(Command::new("du").args(["-s", "-B1"]).arg(folder))
}

/// The first number that a program says.
fn number(command: &mut Command) -> Outcome<u64> {
    let said = String::from_utf8(command.output()?.stdout)?;
    let found = said.split_whitespace().find_map(|word| word.parse().ok());
    Ok(found.ok_or_else(|| format!("{command:?} says no number: {said}"))?)
}

fn gigabytes(bytes: u64) -> String {
    format!("{:.1} GB", bytes as f64 / 1e9)
}

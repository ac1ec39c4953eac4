//! What an alert watches for: how many logs come, or which share of them fails, within a window.

use serde::{Deserialize, Serialize};

use crate::model::format;

/// The longest window, in minutes.
pub const MAX_WINDOW: u32 = 24 * 60;
/// The most logs that a condition may name.
pub const MAX_LOGS: u32 = 1_000_000_000;
/// Tenths of a percent in a whole.
const WHOLE: u32 = 1_000;
const MINUTE_MS: i64 = 60_000;
/// Windows up to so many minutes are counted in steps of ten seconds, longer ones by the minute.
const SHORT: u32 = 60;

/// What is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// At least so many logs.
    #[default]
    AtLeast,
    /// Fewer than so many logs.
    FewerThan,
    /// At least such a share of failures.
    FailureShare,
}

impl AlertKind {
    /// All of them; a kind's place is its number in the database.
    pub const ALL: [Self; 3] = [Self::AtLeast, Self::FewerThan, Self::FailureShare];

    /// The word of events and forms.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AtLeast => "at_least",
            Self::FewerThan => "fewer_than",
            Self::FailureShare => "failure_share",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// What people read.
    pub const fn label(self) -> &'static str {
        match self {
            Self::AtLeast => "At least so many logs",
            Self::FewerThan => "Fewer than so many logs",
            Self::FailureShare => "At least such a share of failures",
        }
    }

    /// The number that the database keeps.
    pub const fn number(self) -> i16 {
        self as i16
    }

    /// The kind that a number of the database stands for.
    pub const fn of_number(number: i16) -> Self {
        match number {
            0 => Self::AtLeast,
            1 => Self::FewerThan,
            _ => Self::FailureShare,
        }
    }
}

/// Logs within a window, and how many of them failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// All of them.
    pub logs: u64,
    /// Failures among them.
    pub failed: u64,
}

impl Figures {
    /// The share of failures in percent, to the tenth; none of no logs.
    pub fn share(self) -> Option<f64> {
        (self.logs > 0).then(|| (self.failed as f64 * 1_000.0 / self.logs as f64).round() / 10.0)
    }
}

/// When an alert fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// What is counted.
    pub kind: AlertKind,
    /// Logs; of a share, tenths of a percent.
    pub threshold: u32,
    /// Of a share: of fewer logs than these nothing follows, so that one failure of one is no alarm.
    pub least_logs: u32,
    /// The window, in minutes.
    pub window_minutes: u32,
}

impl Condition {
    /// Whether these figures are what it watches for.
    pub const fn is_met(&self, figures: Figures) -> bool {
        let threshold = self.threshold as u64;
        match self.kind {
            AlertKind::AtLeast => figures.logs >= threshold,
            AlertKind::FewerThan => figures.logs < threshold,
            AlertKind::FailureShare => {
                let is_enough = figures.logs > 0 && figures.logs >= self.least_logs as u64;
                is_enough && figures.failed.saturating_mul(WHOLE as u64) >= threshold.saturating_mul(figures.logs)
            }
        }
    }

    /// The window, in milliseconds.
    pub const fn window_ms(&self) -> i64 {
        self.window_minutes as i64 * MINUTE_MS
    }

    /// Logs are counted together that were made within so many milliseconds.
    pub const fn step_ms(&self) -> i64 {
        if self.window_minutes <= SHORT { 10_000 } else { MINUTE_MS }
    }

    /// When the step began that a time is in.
    pub const fn step_of(&self, at: i64) -> i64 {
        at.div_euclid(self.step_ms()) * self.step_ms()
    }

    /// When the window begins that ends now: at a step's beginning, so that it is never shorter than what was asked for.
    pub const fn window_from(&self, now_ms: i64) -> i64 {
        self.step_of(now_ms.saturating_sub(self.window_ms()))
    }

    /// The field that makes no sense, and what would; nothing where all does.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        if !(1..=MAX_WINDOW).contains(&self.window_minutes) {
            return Err(("window", "Within: 1 minute to 24 hours.".to_owned()));
        }
        match self.kind {
            AlertKind::FailureShare if !(1..=WHOLE).contains(&self.threshold) => {
                Err(("threshold", "Share: a percentage from 0.1 to 100.".to_owned()))
            }
            AlertKind::FailureShare if !(1..=MAX_LOGS).contains(&self.least_logs) => {
                Err(("least_logs", "Logs at least: a whole number from 1.".to_owned()))
            }
            AlertKind::AtLeast | AlertKind::FewerThan if !(1..=MAX_LOGS).contains(&self.threshold) => {
                Err(("threshold", "Logs: a whole number from 1 to 1,000,000,000.".to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// `At least 100 logs within 5 minutes`.
    pub fn words(&self) -> String {
        let within = window_words(self.window_minutes);
        match self.kind {
            AlertKind::AtLeast => format!("At least {} within {within}", logs(self.threshold.into())),
            AlertKind::FewerThan => format!("Fewer than {} within {within}", logs(self.threshold.into())),
            AlertKind::FailureShare => format!(
                "At least {} failures within {within}, of {} or more",
                percent(self.threshold),
                logs(self.least_logs.into())
            ),
        }
    }

    /// `12 of 100 logs`, `3 of 40 logs failed: 7.5 %`.
    pub fn figures(&self, figures: Figures) -> String {
        match self.kind {
            AlertKind::AtLeast | AlertKind::FewerThan => {
                format!("{} of {}", format::count(figures.logs), logs(self.threshold.into()))
            }
            AlertKind::FailureShare => {
                let share = figures.share().map(|share| format!(": {share} %")).unwrap_or_default();
                format!("{} of {} failed{share}", format::count(figures.failed), logs(figures.logs))
            }
        }
    }
}

fn logs(count: u64) -> String {
    format!("{} {}", format::count(count), if count == 1 { "log" } else { "logs" })
}

/// `5 minutes`, `1 hour`, `90 minutes`.
pub fn window_words(minutes: u32) -> String {
    let (count, unit) = if minutes.is_multiple_of(60) && minutes > 0 {
        (minutes / 60, "hour")
    } else {
        (minutes, "minute")
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// `5 %`, `0.5 %`, from tenths of a percent.
pub fn percent(tenths: u32) -> String {
    format!("{} %", percent_number(tenths))
}

/// `5`, `0.5`: as a form has it.
pub fn percent_number(tenths: u32) -> String {
    match tenths % 10 {
        0 => (tenths / 10).to_string(),
        tenth => format!("{}.{tenth}", tenths / 10),
    }
}

/// Reads a percentage as tenths; none where it is no number, or finer than that.
pub fn read_percent(text: &str) -> Option<u32> {
    let text = text.trim().trim_end_matches('%').trim_end();
    let (whole, tenth) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(tenth) || tenth.len() > 1 {
        return None;
    }
    let (whole, tenth): (u32, u32) = (whole.parse().ok()?, tenth.parse().ok()?);
    whole.checked_mul(10)?.checked_add(tenth)
}

#[cfg(test)]
mod tests;

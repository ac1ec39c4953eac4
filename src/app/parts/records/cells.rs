//! What stands in a record's cells, as markup: times, states, bars. Everything that a record says is escaped here.
//!
//! To add a kind of cell: a function that gives its markup, through [`Escaped`].

use super::RowContext;
use crate::app::parts::markup::Escaped;
use crate::model::export::ExportStatus;
use crate::model::format;
use crate::model::sendout::{SendoutFacts, SendoutStatus};
use crate::model::task::{OperationStatus, TaskStatus};
use crate::model::zone::rfc3339;

/// A text, empty where there is none.
pub fn text(value: Option<&str>) -> String {
    value.map(|value| Escaped(value).to_string()).unwrap_or_default()
}

/// A time: short to read, whole in the title.
pub fn time(at: i64, context: &RowContext) -> String {
    format!(
        r#"<time datetime="{}" title="{}">{}</time>"#,
        rfc3339(at),
        Escaped(&context.zone.full(at)),
        Escaped(&context.zone.short(at, context.now)),
    )
}

/// A duration in milliseconds.
pub fn duration(ms: Option<i64>) -> String {
    took(ms.map(|ms| ms.saturating_mul(1_000)))
}

/// A duration in microseconds.
pub fn took(micros: Option<i64>) -> String {
    micros.map(format::duration).unwrap_or_default()
}

/// How far something got: a bar, and the percent as text.
pub fn progress(percent: u8) -> String {
    let percent = percent.min(100);
    format!(
        r#"<span class="progress"><progress max="100" value="{percent}" aria-label="Progress"></progress><span>{percent} %</span></span>"#
    )
}

fn stand(look: &str, word: &str) -> String {
    format!(r#"<span class="stand {look}">{word}</span>"#)
}

/// Where a task stands.
pub fn task_status(status: TaskStatus) -> String {
    let look = match status {
        TaskStatus::Enqueued => "waiting",
        TaskStatus::InProgress => "running",
        TaskStatus::Done => "well",
        TaskStatus::Failed => "badly",
    };
    stand(look, status.label())
}

/// How what a task did went; empty until that is known.
pub fn operation_status(status: Option<OperationStatus>) -> String {
    let Some(status) = status else {
        return String::new();
    };
    let look = match status {
        OperationStatus::Success => "well",
        OperationStatus::Failed => "badly",
        OperationStatus::Unknown => "waiting",
    };
    stand(look, status.label())
}

/// Where an export stands, with how far it got while it runs.
pub fn export_status(status: ExportStatus, percent: u8) -> String {
    let look = match status {
        ExportStatus::Scheduled => "waiting",
        ExportStatus::InProgress => "running",
        ExportStatus::Done => "well",
        ExportStatus::Error => "badly",
    };
    let word = stand(look, status.label());
    if status == ExportStatus::InProgress {
        format!("{word} {}", progress(percent))
    } else {
        word
    }
}

/// Where a sendout stands, with what happens next.
pub fn sendout_status(sendout: &SendoutFacts, context: &RowContext) -> String {
    let look = match sendout.status {
        SendoutStatus::Pending => "waiting",
        SendoutStatus::Retrying => "running",
        SendoutStatus::Succeeded => "well",
        SendoutStatus::Failed => "badly",
    };
    let word = stand(look, sendout.status.label());
    if let Some(why) = sendout.waits_because() {
        return format!(r#"{word} <span class="quiet">{}</span>"#, Escaped(why));
    }
    match sendout.next_at.filter(|_| sendout.status == SendoutStatus::Retrying) {
        Some(at) => format!(r#"{word} <span class="quiet">next {}</span>"#, time(at, context)),
        None => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_record_says_is_text() {
        assert_eq!(text(Some("<b>&")), "&lt;b&gt;&amp;");
        assert_eq!(text(None), "");
    }

    #[test]
    fn a_bar_never_leaves_its_ends() {
        assert!(progress(250).contains(r#"value="100""#));
        assert!(export_status(ExportStatus::InProgress, 41).contains("41 %"));
        assert!(!export_status(ExportStatus::Done, 100).contains("progress"));
    }
}

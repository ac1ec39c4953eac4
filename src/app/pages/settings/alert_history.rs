//! What an alert did: with which figures, and who was told.

use leptos::prelude::*;

use super::alert::Board;
use crate::model::alert::{AlertEvent, HistoryLine, MailsFacts, SHOWN};
use crate::model::zone::{Zone, rfc3339};

/// The history, the latest first.
#[component]
pub fn History(
    /// What the page shares.
    board: Board,
) -> impl IntoView {
    let lines = Memo::new(move |_| board.page.with(|page| page.history.clone()));
    let is_cut = move || lines.with(|lines| lines.len() >= SHOWN);
    let zone = move || board.page.with_untracked(|page| page.around.zone.clone());
    let project = board.project();
    let items = move || {
        let zone = zone();
        lines.with(|lines| lines.iter().map(|line| item(line, &project, &zone)).collect_view())
    };
    view! {
        <h2>"History"</h2>
        <ul class="sessions alert-history">{items}</ul>
        {move || is_cut().then(|| view! {
            <p class="quiet">{format!("The latest {SHOWN} are shown.")}</p>
        })}
    }
}

fn item(line: &HistoryLine, project: &str, zone: &Zone) -> impl IntoView + use<> {
    let look = match line.what {
        AlertEvent::Fired | AlertEvent::StillFiring | AlertEvent::Missed => "stand badly",
        AlertEvent::Resolved => "stand well",
        AlertEvent::Tested | AlertEvent::Began => "stand waiting",
    };
    let figures = match (line.figures, line.what.has_figures()) {
        (Some(figures), _) => Some(format!("{}. {}.", line.condition.figures(figures), line.condition.words())),
        (None, true) => Some(format!("{}.", line.condition.words())),
        (None, false) => missing(line.what),
    };
    let logs = line.logs.as_ref().map(|link| {
        let href = format!("/projects/{project}/logs{link}");
        view! { <a href=href>"Logs of this window"</a> }
    });
    let mails = mails(&line.mails);
    view! {
        <li>
            <div>
                <p>
                    <span class=look>{line.what.label()}</span>" "
                    <time class="quiet" datetime=rfc3339(line.at)>{zone.full(line.at)}</time>
                    {line.muted.then(|| view! { <span class="badge">"muted"</span> })}
                </p>
                {figures.map(|words| view! { <p class="quiet">{words}</p> })}
                {mails.map(|words| view! { <p class="quiet">{words}</p> })}
            </div>
            {logs}
        </li>
    }
}

/// What is to be known of a line that has no figures.
fn missing(what: AlertEvent) -> Option<String> {
    match what {
        AlertEvent::Missed => Some(
            "They could not be read any more when they were to be counted: the figures of windows around this are too low."
                .to_owned(),
        ),
        _ => None,
    }
}

/// What became of the mails; nothing where there was none.
fn mails(mails: &MailsFacts) -> Option<String> {
    let mut parts = Vec::new();
    for (count, words) in [(mails.sent, "sent"), (mails.waiting, "waiting"), (mails.given_up, "given up")] {
        if count > 0 {
            parts.push(format!("{count} {words}"));
        }
    }
    let error = mails.error.as_ref().filter(|_| mails.waiting + mails.given_up > 0);
    let why = error.map(|why| format!(". The mail server said: {why}")).unwrap_or_default();
    (!parts.is_empty()).then(|| format!("Mails: {}{why}", parts.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mails_say_what_became_of_them() {
        assert_eq!(mails(&MailsFacts::default()), None);
        let sent = MailsFacts {
            sent: 2,
            ..MailsFacts::default()
        };
        assert_eq!(mails(&sent), Some("Mails: 2 sent".to_owned()));
        let both = MailsFacts {
            waiting: 1,
            given_up: 1,
            error: Some("no route".to_owned()),
            ..sent.clone()
        };
        assert_eq!(
            mails(&both),
            Some("Mails: 2 sent, 1 waiting, 1 given up. The mail server said: no route".to_owned())
        );
        let late = MailsFacts {
            error: Some("busy".to_owned()),
            ..sent
        };
        assert_eq!(
            mails(&late),
            Some("Mails: 2 sent".to_owned()),
            "an attempt before the good one is over"
        );
    }
}

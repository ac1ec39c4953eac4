//! How an alert stands, in words: for the list and for its own page.

use leptos::prelude::*;

use crate::app::parts::records::facts::{self, fact};
use crate::model::alert::{AlertFacts, Mute};
use crate::model::query::escape;
use crate::model::zone::Zone;

/// The state, and what keeps it from being told.
pub fn stands(alert: &AlertFacts, zone: &Zone) -> impl IntoView + use<> {
    let (look, words) = state(alert, zone);
    let muted = alert.muted_until.filter(|_| alert.active).map(|until| {
        let words = if until == Mute::FOR_EVER {
            "Muted until somebody unmutes it".to_owned()
        } else {
            format!("Muted until {}", zone.full(until))
        };
        view! { <span class="stand waiting">{words}</span> }
    });
    view! { <p class="alert-stands"><span class=look>{words}</span>{muted}</p> }
}

fn state(alert: &AlertFacts, zone: &Zone) -> (&'static str, String) {
    if !alert.active {
        return ("stand waiting", "Off: it counts nothing".to_owned());
    }
    if alert.view.is_none() {
        return ("stand badly", "Not evaluated: the view that it watches is gone".to_owned());
    }
    if !alert.left_out.is_empty() {
        let words = format!(
            "Not evaluated: its view has filters that this version does not know ({})",
            alert.left_out.join(", ")
        );
        return ("stand badly", words);
    }
    match (alert.firing, alert.waits_until) {
        (true, _) => ("stand badly", format!("Firing since {}", zone.full(alert.since))),
        (false, Some(until)) => (
            "stand waiting",
            format!("Waiting until {}, when one whole window is counted", zone.full(until)),
        ),
        (false, None) => ("stand well", format!("Normal since {}", zone.full(alert.since))),
    }
}

/// What it watches, and what it counted.
pub fn what_it_watches(alert: &AlertFacts, project: &str, zone: &Zone) -> impl IntoView + use<> {
    let view = alert.view.as_ref().map(|(id, name)| {
        let href = format!("/projects/{project}/logs?view={}", escape(id));
        fact("View", view! { <a href=href>{name.clone()}</a> })
    });
    let counted = match alert.figures {
        Some(figures) => Some(alert.condition.figures(figures)),
        None if alert.active && alert.view.is_some() && alert.left_out.is_empty() => {
            Some("not allowed: its filters read what your role may not see".to_owned())
        }
        None => None,
    };
    let since = alert.active.then(|| facts::time("Counting since", alert.counts_since, zone));
    view! {
        {view}
        {facts::words("Fires at", Some(alert.condition.words()))}
        {facts::words("Counted now", counted)}
        {since}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::alert::Condition;

    fn alert() -> AlertFacts {
        AlertFacts {
            id: "alert_1".to_owned(),
            name: "a".to_owned(),
            view: Some(("view_1".to_owned(), "v".to_owned())),
            left_out: Vec::new(),
            condition: Condition {
                kind: crate::model::alert::AlertKind::AtLeast,
                threshold: 1,
                least_logs: 1,
                window_minutes: 1,
            },
            recipients: Vec::new(),
            active: true,
            muted_until: None,
            firing: false,
            since: 0,
            counts_since: 0,
            waits_until: None,
            figures: None,
            changed_at: 0,
        }
    }

    #[test]
    fn what_keeps_it_from_firing_is_said_first() {
        let said = |alert: &AlertFacts| state(alert, &Zone::utc()).1;
        assert!(said(&alert()).starts_with("Normal since 1970-01-01"));
        let firing = AlertFacts { firing: true, ..alert() };
        assert!(said(&firing).starts_with("Firing since"));
        let waiting = AlertFacts {
            waits_until: Some(60_000),
            ..alert()
        };
        assert!(said(&waiting).starts_with("Waiting until 1970-01-01 00:01:00"));
        let lost = AlertFacts {
            left_out: vec!["colour".to_owned()],
            ..firing.clone()
        };
        assert!(said(&lost).contains("(colour)"));
        assert!(
            said(&AlertFacts {
                view: None,
                ..firing.clone()
            })
            .contains("is gone")
        );
        assert!(said(&AlertFacts { active: false, ..firing }).starts_with("Off"));
    }
}

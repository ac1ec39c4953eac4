//! What came of trying masking rules out: each change of the last logs, before and after.

use leptos::prelude::*;

use crate::model::format;
use crate::model::masking::tried::{Change, Snippet, Tried, TriedLog};
use crate::model::query::escape;
use crate::model::zone::{Zone, rfc3339};

/// Logs that are shown unfolded.
const UNFOLDED: usize = 10;

/// The section; nothing before rules were tried out.
#[component]
pub fn Outcome(
    /// What came of it.
    tried: Memo<Option<Tried>>,
    /// Whether the rules are others by now.
    is_stale: Memo<bool>,
    /// The project.
    project: String,
    /// The zone that times are shown in.
    zone: StoredValue<Zone>,
    /// The server's time when the page was read.
    now: i64,
) -> impl IntoView {
    move || {
        let tried = tried.get()?;
        let (first, rest) = tried.logs.split_at(tried.logs.len().min(UNFOLDED));
        let show = |logs: &[TriedLog]| {
            let zone = zone.try_get_value().unwrap_or_else(Zone::utc);
            logs.iter().map(|each| log(each, &project, &zone, now)).collect_view()
        };
        let more = (!rest.is_empty()).then(|| {
            let words = format!("{} more logs", format::count(rest.len() as u64));
            view! { <details class="mask-more"><summary>{words}</summary>{show(rest)}</details> }
        });
        Some(view! {
            <section class="mask-tried" aria-labelledby="tried-title">
                <h2 id="tried-title">"Tried out"</h2>
                <p role="status">{summary(&tried)}</p>
                {move || is_stale.get().then(|| view! { <p class="notice">"The rules are others by now: what follows is of those that were tried out."</p> })}
                {show(first)}
                {more}
            </section>
        })
    }
}

/// How many, in words.
fn summary(tried: &Tried) -> String {
    let logs = |count: u32| format!("{} {}", format::count(count.into()), if count == 1 { "log" } else { "logs" });
    let left_out = match tried.left_out {
        0 => String::new(),
        count => format!(
            " {} could not be looked at: the bodies are too large for that, or no longer kept.",
            logs(count)
        ),
    };
    if tried.looked_at == 0 {
        let none = "There is no log yet that the rules could be tried out on: they will act on the first that comes in.";
        return if left_out.is_empty() {
            none.to_owned()
        } else {
            left_out.trim_start().to_owned()
        };
    }
    let changed = match tried.logs.len() as u32 {
        0 => "none would be different".to_owned(),
        1 => "1 would be different".to_owned(),
        count => format!("{} would be different", format::count(count.into())),
    };
    let of = match tried.looked_at {
        1 => "Of the last log".to_owned(),
        count => format!("Of the last {}", logs(count)),
    };
    format!("{of}, {changed}. Nothing was stored.{left_out}")
}

fn log(log: &TriedLog, project: &str, zone: &Zone, now: i64) -> AnyView {
    let href = format!("/projects/{project}/logs/{}", escape(&log.id));
    let changes = log.changes.iter().map(change).collect_view();
    let more = log
        .more
        .then(|| view! { <p class="quiet">"There are more changes in this log."</p> });
    view! {
        <article class="mask-log">
            <h3>
                <a href=href class="mono">{log.method.clone()}" "{log.path.clone()}</a>
                " "<time class="quiet" datetime=rfc3339(log.created_at)>{zone.short(log.created_at, now)}</time>
            </h3>
            {changes}
            {more}
        </article>
    }
    .into_any()
}

fn change(change: &Change) -> impl IntoView + use<> {
    view! {
        <div class="mask-change">
            <h4>{change.part.label()}</h4>
            {side("Before", &change.before, true)}
            {side("After", &change.after, false)}
        </div>
    }
}

fn side(title: &'static str, snippet: &Snippet, is_before: bool) -> impl IntoView + use<> {
    let changed = snippet.changed.clone();
    let changed = if is_before {
        view! { <del>{changed}</del> }.into_any()
    } else {
        view! { <ins>{changed}</ins> }.into_any()
    };
    view! {
        <div class="mask-side">
            <p class="quiet">{title}</p>
            <p class="mono">{snippet.lead.clone()}{changed}{snippet.trail.clone()}</p>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_of_it_is_said_in_words() {
        let tried = |looked_at, left_out, changed| Tried {
            looked_at,
            left_out,
            logs: vec![
                TriedLog {
                    id: String::new(),
                    created_at: 0,
                    method: String::new(),
                    path: String::new(),
                    changes: Vec::new(),
                    more: false,
                };
                changed
            ],
        };
        assert_eq!(
            summary(&tried(100, 0, 12)),
            "Of the last 100 logs, 12 would be different. Nothing was stored."
        );
        assert!(
            summary(&tried(1, 2, 0))
                .starts_with("Of the last log, none would be different. Nothing was stored. 2 logs could not")
        );
        assert!(summary(&tried(0, 0, 0)).starts_with("There is no log yet"));
        assert!(summary(&tried(0, 1, 0)).starts_with("1 log could not be looked at"));
    }
}

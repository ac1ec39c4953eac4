//! What the database holds, by table; how it grows, and how long the disk will do.

use leptos::prelude::*;

use super::retention::Board;
use crate::api::retention::{RetentionPage, Storage};
use crate::app::parts::records::facts;
use crate::model::format;

/// The section.
#[component]
pub fn Stored(
    /// What the page shares.
    board: Board,
) -> impl IntoView {
    let storage = Memo::new(move |_| board.page.with(|page| page.storage.clone()));
    let measuring = move || {
        storage.with(Option::is_none).then(|| {
            view! { <p class="quiet" role="status">"It is being measured: it appears here by itself."</p> }
        })
    };
    let list = move || {
        board
            .page
            .with(|page| page.storage.as_ref().map(|storage| list_facts(page, storage)))
    };
    let tables = move || storage.with(|storage| storage.as_ref().map(tables));
    view! {
        <h2>"What the database holds"</h2>
        {measuring}
        {list}
        {tables}
    }
}

fn list_facts(page: &RetentionPage, storage: &Storage) -> impl IntoView + use<> {
    let whole = match storage.reusable.filter(|bytes| *bytes > 0) {
        Some(reusable) => format!(
            "{}, of which {} are free to be used again",
            format::size(storage.whole),
            format::size(reusable)
        ),
        None => format::size(storage.whole),
    };
    let flow = format!(
        "about {} come and {} go a day",
        format::count(storage.coming),
        format::count(storage.going)
    );
    let disk = storage.disk_free.map_or_else(
        || "cannot be known from here: the database may be on another machine".to_owned(),
        |bytes| format!("{} free", format::size(bytes)),
    );
    view! {
        <dl class="record-list">
            {facts::words("Logs here", Some(format::count(page.logs)))}
            {facts::words("All projects", Some(format!("{} logs, {flow}", format::count(storage.logs))))}
            {facts::words("Database", Some(whole))}
            {facts::words("Growth", growth(storage.growth))}
            {facts::words("Disk", Some(disk))}
            {facts::words("Disk is full", full(storage))}
            {facts::time("Measured", storage.at, &page.zone)}
        </dl>
    }
}

/// `about 1.2 MB a day`; none where there are no logs.
fn growth(growth: Option<i64>) -> Option<String> {
    growth.map(|bytes| match bytes {
        ..0 => format!("about {} a day less", format::size(-bytes)),
        bytes => format!("about {} a day", format::size(bytes)),
    })
}

/// When the disk is full, where that can be said.
fn full(storage: &Storage) -> Option<String> {
    storage.disk_free?;
    storage.growth?;
    Some(match storage.days_left {
        None => "never, as things are: what comes does not outgrow what goes".to_owned(),
        Some(days) if days > 36_500 => "in more than 100 years, as things are".to_owned(),
        Some(1) => "in about 1 day".to_owned(),
        Some(days) => format!("in about {} days", format::count(days)),
    })
}

/// Tables that are listed by themselves.
const LISTED: usize = 10;

fn tables(storage: &Storage) -> impl IntoView + use<> {
    let (listed, others) = storage.tables.split_at(storage.tables.len().min(LISTED));
    let rest: i64 = others.iter().map(|(_, bytes)| bytes).sum();
    let rest = (!others.is_empty()).then(|| {
        view! { <tr><td>{format!("{} others", others.len())}</td><td></td><td class="figure">{format::size(rest)}</td></tr> }
    });
    let rows = listed
        .iter()
        .map(|(table, bytes)| {
            view! { <tr><td class="mono">{table.clone()}</td><td>{said_of(table)}</td><td class="figure">{format::size(*bytes)}</td></tr> }
        })
        .collect_view();
    view! {
        <div class="record-scroll" tabindex="0" role="group" aria-label="Bytes by table">
            <table class="plain">
                <caption class="quiet">"All projects together, each table with its indexes"</caption>
                <thead><tr><th scope="col">"Table"</th><th scope="col">"Holds"</th><th scope="col" class="figure">"Size"</th></tr></thead>
                <tbody>{rows}{rest}</tbody>
            </table>
        </div>
    }
}

/// What a table holds, in words; nothing of those that are small anyway.
fn said_of(table: &str) -> &'static str {
    match table {
        "logs" => "the facts of logs, and their indexes",
        "log_blocks" => "what logs say, compressed",
        "log_slices" | "log_groups" | "log_signatures" => "signatures, for searching text",
        "log_minutes" | "log_quarters" | "log_value_hours" | "log_value_days" | "log_value_weeks" => {
            "counts, for charts and choices"
        }
        "log_ids" => "ids that clients gave their logs",
        "import_files" => "originals beside logs",
        "tasks" | "jobs" | "job_failures" => "background tasks",
        "exports" => "exports; their files lie elsewhere",
        "events" | "sendouts" | "attempts" => "events and their sendouts",
        "chain_leaves" | "chain_entries" => "the chain: what logs are verified by",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_can_be_said() {
        let storage = |disk_free, growth, days_left| Storage {
            at: 0,
            tables: Vec::new(),
            whole: 0,
            reusable: None,
            disk_free,
            logs: 0,
            coming: 0,
            going: 0,
            growth,
            days_left,
        };
        assert_eq!(full(&storage(None, Some(1), Some(3))), None);
        assert_eq!(full(&storage(Some(1), None, None)), None);
        assert!(full(&storage(Some(1), Some(0), None)).is_some_and(|words| words.starts_with("never")));
        assert_eq!(
            full(&storage(Some(1), Some(1), Some(1_204))),
            Some("in about 1,204 days".to_owned())
        );
        assert_eq!(growth(Some(-1_200)), Some("about 1.2 KB a day less".to_owned()));
        assert_eq!(growth(None), None);
    }
}

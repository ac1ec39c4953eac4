//! `audit-log trail`: what this service recorded about itself, of living and of deleted projects. Works while the server runs, and changes nothing.

use std::io::Write;
use std::time::Duration;

use clap::Args;
use jiff::tz::TimeZone;
use serde_json::json;

use super::{CliError, people, print};
use crate::model::log::{LogFacts, Origin};
use crate::model::page::{Key, Page, Place};
use crate::model::query::Order;
use crate::model::selection::{LogSelection, TimeRange};
use crate::model::zone::rfc3339;
use crate::server::clock::Clock;
use crate::server::config::DatabaseOption;
use crate::server::http::v1::json_line;
use crate::server::selection::read_time;
use crate::server::store::logs::{list, one};
use crate::server::store::projects::ProjectKey;
use crate::server::store::{Db, trail};

/// Logs, and projects, that are read together.
const PAGE: usize = 500;
/// Bytes of bodies that are in memory together, beyond one log's.
const TOGETHER: i64 = 8 << 20;
/// No page takes as long: no filter but the time is asked for.
const BUDGET: Duration = Duration::from_mins(1);

#[derive(Debug, Args)]
pub(super) struct Trail {
    /// The project whose log of the log is printed, deleted or not; without it the projects are listed
    #[arg(long, value_name = "PRJ")]
    project: Option<String>,
    /// From when on: 2026-01-31T10:00:00Z, or -30d
    #[arg(long, value_name = "TIME", requires = "project", allow_hyphen_values = true)]
    from: Option<String>,
    /// Before when
    #[arg(long, value_name = "TIME", requires = "project", allow_hyphen_values = true)]
    to: Option<String>,
    #[command(flatten)]
    database: DatabaseOption,
}

/// Prints it, a JSON object a line.
pub(super) async fn trail(trail: Trail) -> Result<(), CliError> {
    let range = range(&trail)?;
    let db = people::open(&trail.database).await?;
    let done = match &trail.project {
        Some(project) => logs(&db, project, range).await,
        None => projects(&db).await,
    };
    db.close().await;
    done
}

fn range(trail: &Trail) -> Result<TimeRange, CliError> {
    let now_ms = Clock::System.now_ms();
    let read = |name: &str, text: &Option<String>, else_ms: i64| match text {
        None => Ok(else_ms),
        Some(text) => read_time(name, text, now_ms, &TimeZone::UTC).map_err(|problem| CliError::Refused(problem.to_string())),
    };
    Ok(TimeRange {
        from: read("--from", &trail.from, 0)?,
        to: read("--to", &trail.to, i64::MAX)?,
    })
}

async fn projects(db: &Db) -> Result<(), CliError> {
    let mut after = 0;
    loop {
        let some = trail::some(db, after, PAGE as i64).await?;
        for project in &some {
            let line = json!({
                "id": project.id,
                "name": project.name,
                "created_at": rfc3339(project.created_at),
                "deleted_at": project.deleted_at.map(rfc3339),
                "logs": trail::count(db, project.project).await?,
            });
            print(&line.to_string())?;
        }
        match some.last() {
            Some(last) if some.len() == PAGE => after = last.project,
            _ => return Ok(()),
        }
    }
}

async fn logs(db: &Db, id: &str, range: TimeRange) -> Result<(), CliError> {
    let project = trail::find(db, id).await?;
    let project = project.ok_or_else(|| CliError::NoProject(id.to_owned()))?.project;
    let selection = LogSelection {
        origins: vec![Origin::Own],
        ..LogSelection::all(range)
    };
    let mut place = Place::Start;
    loop {
        let request = list::ListRequest {
            project,
            selection: &selection,
            order: Order::OldestFirst,
            place,
            limit: PAGE,
            budget: BUDGET,
        };
        let page = list::page(db, request).await?;
        let Some(next) = next(&page) else {
            return write(db, project, page.rows).await;
        };
        place = next;
        write(db, project, page.rows).await?;
    }
}

/// Where the next page begins, where there is one.
fn next(page: &Page<LogFacts>) -> Option<Place> {
    let last = page.rows.last().filter(|_| page.more_after)?;
    Some(Place::After(Key {
        created_at: last.created_at,
        id: last.id.clone(),
    }))
}

/// Writes logs with what they say, some at a time.
async fn write(db: &Db, project: ProjectKey, rows: Vec<LogFacts>) -> Result<(), CliError> {
    let size = |facts: &LogFacts| facts.request_bytes.saturating_add(facts.response_bytes);
    let mut rows = rows.into_iter().peekable();
    while let Some(facts) = rows.next() {
        let mut bytes = size(&facts);
        let mut some = vec![facts];
        while let Some(next) = rows.next_if(|facts| bytes.saturating_add(size(facts)) <= TOGETHER) {
            bytes = bytes.saturating_add(size(&next));
            some.push(next);
        }
        for log in one::with_texts(db, project, some).await? {
            let line = json_line(&log);
            std::io::stdout().write_all(&line).map_err(CliError::io("standard output"))?;
        }
    }
    Ok(())
}

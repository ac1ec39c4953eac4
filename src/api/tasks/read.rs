//! Reads what the Background tasks tab and a task's page show, and moves tasks.

use super::{Failure, Listed, Offer, SentAgain, TaskFile, TaskPage};
use crate::api::error::ApiError;
use crate::api::records::{Meant, listed, listing, meant};
use crate::api::visit::Visit;
use crate::model::filter::Term;
use crate::model::json_doc::message::Form;
use crate::model::json_doc::{Preview, preview};
use crate::model::selection::OneOf;
use crate::model::tab::{Tab, TabQuery};
use crate::model::task::{FailedRow, ImportResult, TaskFacts, TaskStatus, kinds, shown_reason};
use crate::model::zone::rfc3339;
use crate::server::http::v1::shown_result;
use crate::server::jobs::control;
use crate::server::jobs::retry::Payload;
use crate::server::masking;
use crate::server::store::records::{self, RecordRequest};
use crate::server::store::tasks::{self, Task};
use crate::server::store::{exports, jobs};

/// Types that the filter offers at most.
const MOST_KINDS: i64 = 100;
/// Rows of a JSON that come with the page.
const PREVIEW_ROWS: u32 = 200;
/// Records that were not taken that come with the page.
const FAILED_ROWS: usize = 100;

/// The list.
pub(super) async fn list(project: &str, query: &str) -> Result<Listed<TaskFacts>, ApiError> {
    let meant = listing(Tab::Tasks, project, query).await?;
    let (db, key) = (&meant.visit.server.db, meant.visit.member.project.key);
    let request = RecordRequest {
        project: key,
        selection: &meant.selection,
        order: meant.query.order,
        place: meant.place.clone(),
        limit: meant.query.limit.into(),
    };
    let mut page = records::tasks(db, request).await?;
    hide_users(&meant, &mut page.rows);
    let any = !page.rows.is_empty() || records::any(db, key, Tab::Tasks).await?;
    let kinds = tasks::kinds(db, key, MOST_KINDS)
        .await?
        .into_iter()
        .map(Offer::plain)
        .collect();
    let place = |facts: &TaskFacts| (facts.created_at, facts.id.clone());
    Ok(listed(&meant, page, any, vec![("type".to_owned(), kinds)], place))
}

fn hide_users(meant: &Meant, rows: &mut [TaskFacts]) {
    if !meant.visit.member.rights.read_users {
        // One's own name is no secret to oneself.
        let own = meant.visit.member.person.email.as_str();
        for facts in rows {
            facts.by.take_if(|by| by != own);
        }
    }
}

/// The task, what came of it masked as the project masks.
async fn found(visit: &Visit, id: &str) -> Result<Task, ApiError> {
    if !crate::model::id::is_client_id(id) {
        return Err(ApiError::NotFound);
    }
    let (server, project) = (&visit.server, visit.member.project.key);
    let mut task = tasks::find(&server.db, project, id).await?.ok_or(ApiError::NotFound)?;
    let rules = server.mask(project).await?;
    masking::task(&rules, &mut task);
    Ok(task)
}

/// A task's page.
pub(super) async fn page(project: &str, id: &str, query: &str) -> Result<TaskPage, ApiError> {
    let meant = meant(Tab::Tasks, project, query).await?;
    let visit = &meant.visit;
    let task = found(visit, id).await?;
    let (db, key, rights) = (&visit.server.db, visit.member.project.key, visit.member.rights);
    let failures = jobs::failures(db, key, id).await?;
    let mask = visit.server.mask(key).await?;
    let reason_of = |reason: &str| {
        let reason = shown_reason(reason, task.may_quote(), rights);
        mask.text(reason).unwrap_or_else(|| reason.to_owned())
    };
    let result = shown_result(&task, rights);
    let result = result.as_deref().map(serde_json::value::RawValue::get);
    let (failed, failed_count) = result.map(failed_rows).unwrap_or_default();
    let parameters = task.shown_parameters().filter(|_| rights.read_bodies);
    let sent_again = sent_again(&task).filter(|_| rights.read_bodies);
    let earliest = sent_again.as_ref().and_then(|again| again.from).unwrap_or(i64::MAX);
    let path = |end: &str| format!("/projects/{project}/tasks/{id}/{end}");
    let file = |name: &str, bytes: i64, end: &str| TaskFile {
        name: name.to_owned(),
        bytes,
        href: path(end),
    };
    let has_export = match &task.facts.export_id {
        Some(export) => exports::find(db, key, export).await?.is_some(),
        None => true,
    };
    let mut facts = task.facts.clone();
    if !has_export {
        facts.export_id = None;
    }
    let is_own = facts.by.as_deref() == Some(visit.member.person.email.as_str());
    let users_hidden = !rights.read_users && facts.by.is_some() && !is_own;
    if users_hidden {
        facts.by = None;
    }
    Ok(TaskPage {
        users_hidden,
        parameters_hidden: task.parameters.is_some() && !rights.read_bodies,
        result_hidden: task.result.is_some() && result.is_none(),
        parameters: parameters.map(|json| shown(&json)),
        sent_again,
        result: result.map(shown),
        failed,
        failed_count,
        import_file: task
            .file
            .as_ref()
            .filter(|_| rights.read_bodies)
            .map(|(_, name, bytes)| file(name, *bytes, "file")),
        rejected: task
            .rejected
            .as_ref()
            .filter(|_| rights.read_bodies)
            .map(|(_, bytes)| file("rejected.csv", *bytes, "rejected")),
        files_expired: task.files_expired,
        failures: failures
            .into_iter()
            .map(|(attempt, at, reason)| Failure {
                attempt,
                at,
                reason: reason_of(&reason),
            })
            .collect(),
        can_cancel: rights.work && (rights.settle || !control::is_owners(&task)) && control::can_cancel(&task),
        can_retry: rights.work && has_export && control::can_retry(&task),
        zone: meant.zone.zone_around(task.facts.created_at.min(earliest), meant.now),
        now: meant.now,
        facts,
    })
}

/// What a retry in bulk was given, as its list's query has it.
fn sent_again(task: &Task) -> Option<SentAgain> {
    let parameters = task.parameters.as_deref().filter(|_| task.facts.kind == kinds::RETRY)?;
    let Payload {
        selection,
        pin,
        total,
        per_second,
    } = serde_json::from_str(parameters).ok()?;
    let from = Some(selection.range.from).filter(|from| *from > 0);
    let to = selection.range.to;
    let terms = |values: OneOf| {
        let term = |without| move |value| Term { without, value };
        let wanted = values.wanted.into_iter().map(term(false));
        wanted.chain(values.left_out.into_iter().map(term(true))).collect()
    };
    let filters = selection.filters.into_iter();
    let query = TabQuery {
        from: Some(from.map_or_else(|| Tab::EVERYTHING.to_owned(), rfc3339)),
        to: Some(rfc3339(to)),
        filters: filters.map(|(argument, values)| (argument, terms(values))).collect(),
        ..TabQuery::all(Tab::Sendouts)
    };
    Some(SentAgain {
        query,
        from,
        to,
        total,
        pin,
        per_second,
    })
}

fn shown(json: &str) -> Preview {
    preview(json.as_bytes(), Form::Pretty, false, PREVIEW_ROWS)
}

/// The records that a result says were not taken.
fn failed_rows(result: &str) -> (Vec<FailedRow>, u64) {
    let Ok(mut result) = serde_json::from_str::<ImportResult>(result) else {
        return (Vec::new(), 0);
    };
    result.failed.truncate(FAILED_ROWS);
    (result.failed, result.failed_count)
}

/// Stops a task.
pub(super) async fn cancel(project: &str, id: &str) -> Result<(), ApiError> {
    let visit = Visit::to_change(project, ("async_action", id)).await?;
    let task = may_work(&visit, id).await?;
    if control::is_owners(&task) && !visit.member.rights.settle {
        return Err(ApiError::NotAllowed(
            "Only an owner can stop what deletes logs that have passed the retention.".to_owned(),
        ));
    }
    let by = visit.member.person.email.clone();
    if control::cancel(&visit.server, visit.member.project.key, &task, &by).await? {
        return Ok(());
    }
    Err(ApiError::Refused(format!(
        "It cannot be cancelled: it is {} already.",
        task.facts.status.label().to_lowercase()
    )))
}

/// Has a task tried again.
pub(super) async fn retry(project: &str, id: &str) -> Result<(), ApiError> {
    let visit = Visit::to_change(project, ("async_action", id)).await?;
    let task = may_work(&visit, id).await?;
    if control::retry(&visit.server, visit.member.project.key, &task).await? {
        return Ok(());
    }
    let why = match (task.facts.status, task.facts.kind.as_str()) {
        (TaskStatus::Failed, kinds::EXPORT) => "It cannot be tried again: its export was deleted.",
        (TaskStatus::Failed, _) => "It cannot be tried again: what it needs is no longer kept.",
        _ => "It cannot be tried again: it did not fail.",
    };
    Err(ApiError::Refused(why.to_owned()))
}

async fn may_work(visit: &Visit, id: &str) -> Result<Task, ApiError> {
    if !visit.member.rights.work {
        return Err(ApiError::NotAllowed(
            "Your role in this project may not do that; a member or an owner can.".to_owned(),
        ));
    }
    found(visit, id).await
}

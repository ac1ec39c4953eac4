//! One story: what belongs to a request, in order; begun at a log, a task, an export or a sendout, it is the same.
//!
//! To add a kind of thing: its word in [`Thing`], and a method of [`Teller`] that reads it by request id, called in [`Teller::request`].

use std::collections::HashSet;

use crate::model::export::{ExportFacts, ExportStatus};
use crate::model::log::{LogFacts, Origin, Status};
use crate::model::page::Place;
use crate::model::query::Order;
use crate::model::selection::{LogSelection, OneOf, TimeRange};
use crate::model::sendout::{SendoutFacts, SendoutStatus};
use crate::model::tab::Tab;
use crate::model::task::{TaskFacts, TaskStatus};
use crate::model::timeline::{Happened, Thing, Went};
use crate::server::state::Server;
use crate::server::store::logs::{list, one};
use crate::server::store::projects::ProjectKey;
use crate::server::store::records::{self, RecordRequest, RecordSelection};
use crate::server::store::webhooks::sendouts::{self, BriefAttempt};
use crate::server::store::{StoreError, exports, tasks};

/// Things of a kind that are told.
const MOST: usize = 200;
/// How long logs of the request are looked for.
const BUDGET: std::time::Duration = std::time::Duration::from_secs(1);
/// All times, in milliseconds since 1970.
const EVER: TimeRange = TimeRange { from: 0, to: i64::MAX };

/// What belongs together.
#[derive(Clone, Debug)]
pub struct Story {
    /// The request's id, where there is one.
    pub request_id: Option<String>,
    /// In the order of time; of one moment, causes come before what they cause.
    pub all: Vec<Happened>,
    /// Whether there is more than is told.
    pub cut: bool,
}

/// The story of a log.
pub async fn of_log(server: &Server, project: ProjectKey, log: LogFacts) -> Result<Story, StoreError> {
    let mut teller = Teller::new(server, project);
    let (request, task) = (log.request_id.clone(), log.async_action_id.clone());
    teller.log(log);
    if let Some(id) = task {
        teller.task_of(&id).await?;
    }
    teller.end(request).await
}

/// The story of a task; `None` where there is none of this id.
pub async fn of_task(server: &Server, project: ProjectKey, id: &str) -> Result<Option<Story>, StoreError> {
    let mut teller = Teller::new(server, project);
    match teller.task_of(id).await? {
        None => Ok(None),
        Some(facts) => teller.end(facts.request_id).await.map(Some),
    }
}

/// The story of an export; `None` where there is none of this id.
pub async fn of_export(server: &Server, project: ProjectKey, id: &str) -> Result<Option<Story>, StoreError> {
    let Some(export) = exports::find(&server.db, project, id).await? else {
        return Ok(None);
    };
    let mut teller = Teller::new(server, project);
    let task = match &export.facts.task_id {
        Some(id) => teller.task_of(id).await?,
        None => None,
    };
    teller.export(export.facts);
    teller.end(task.and_then(|task| task.request_id)).await.map(Some)
}

/// The story of a sendout; `None` where there is none of this id.
pub async fn of_sendout(server: &Server, project: ProjectKey, id: &str) -> Result<Option<Story>, StoreError> {
    let Some(facts) = sendouts::find(&server.db, project, id).await? else {
        return Ok(None);
    };
    let mut teller = Teller::new(server, project);
    if let Some(event) = sendouts::event(&server.db, project, &facts.event_id).await? {
        teller.event(event.id, event.created_at, event.kind);
    }
    for attempt in sendouts::attempts_of_one(&server.db, project, id).await? {
        teller.attempt(attempt);
    }
    let request = facts.request_id.clone();
    teller.sendout(facts);
    teller.end(request).await.map(Some)
}

/// Gathers what happened, each thing once.
struct Teller<'a> {
    server: &'a Server,
    project: ProjectKey,
    told: HashSet<(Thing, String, Option<u32>)>,
    all: Vec<Happened>,
    cut: bool,
}

impl<'a> Teller<'a> {
    fn new(server: &'a Server, project: ProjectKey) -> Self {
        Self {
            server,
            project,
            told: HashSet::new(),
            all: Vec::new(),
            cut: false,
        }
    }

    fn push(&mut self, happened: Happened) {
        if self.told.insert((happened.thing, happened.id.clone(), happened.number)) {
            self.all.push(happened);
        }
    }

    async fn end(mut self, request_id: Option<String>) -> Result<Story, StoreError> {
        if let Some(request) = &request_id {
            self.request(request).await?;
        }
        self.all.sort_by_key(|happened| (happened.at, happened.thing));
        Ok(Story {
            request_id,
            all: self.all,
            cut: self.cut,
        })
    }

    /// All that has a request's id.
    async fn request(&mut self, request: &str) -> Result<(), StoreError> {
        self.logs_of(request).await?;
        self.tasks_of(request).await?;
        let (db, project) = (&self.server.db, self.project);
        let events = sendouts::events_of(db, project, request).await?;
        self.cut |= events.len() >= MOST;
        for (id, at, kind) in events {
            self.event(id, at, kind);
        }
        let some = sendouts::of_request(db, project, request).await?;
        self.cut |= some.len() >= MOST;
        for facts in some {
            self.sendout(facts);
        }
        let attempts = sendouts::attempts_of_request(db, project, request).await?;
        self.cut |= attempts.len() >= sendouts::MOST_ATTEMPTS;
        for attempt in attempts {
            self.attempt(attempt);
        }
        Ok(())
    }

    async fn logs_of(&mut self, request: &str) -> Result<(), StoreError> {
        let selection = LogSelection {
            origins: vec![Origin::Application, Origin::Own],
            request_ids: only(request),
            ..LogSelection::all(EVER)
        };
        let asked = list::ListRequest {
            project: self.project,
            selection: &selection,
            order: Order::OldestFirst,
            place: Place::Start,
            limit: MOST,
            budget: BUDGET,
        };
        let page = list::page(&self.server.db, asked).await?;
        self.cut |= page.more_after;
        for facts in page.rows {
            self.log(facts);
        }
        Ok(())
    }

    async fn tasks_of(&mut self, request: &str) -> Result<(), StoreError> {
        let selection = RecordSelection {
            tab: Tab::Tasks,
            range: EVER,
            filters: vec![("request_id".to_owned(), only(request))],
        };
        let asked = RecordRequest {
            project: self.project,
            selection: &selection,
            order: Order::OldestFirst,
            place: Place::Start,
            limit: MOST,
        };
        let page = records::tasks(&self.server.db, asked).await?;
        self.cut |= page.more_after;
        for facts in page.rows {
            self.task(facts).await?;
        }
        Ok(())
    }

    /// The task with this id, where there is one.
    async fn task_of(&mut self, id: &str) -> Result<Option<TaskFacts>, StoreError> {
        let Some(task) = tasks::find(&self.server.db, self.project, id).await? else {
            return Ok(None);
        };
        self.task(task.facts.clone()).await?;
        Ok(Some(task.facts))
    }

    /// A task, what it makes, and the log of the request that asked for it.
    async fn task(&mut self, facts: TaskFacts) -> Result<(), StoreError> {
        let (db, project) = (&self.server.db, self.project);
        if let Some(id) = &facts.export_id
            && let Some(export) = exports::find(db, project, id).await?
        {
            self.export(export.facts);
        }
        // The call by which an application reports a task is no part of what it tells of.
        if facts.own
            && let Some(id) = &facts.log_id
            && !self.told.contains(&(Thing::ApiLog, id.clone(), None))
            && let Some(log) = one::find(db, project, id).await?
        {
            self.log(log.facts);
        }
        let went = match facts.status {
            TaskStatus::Enqueued => Went::Waits,
            TaskStatus::InProgress => Went::On,
            TaskStatus::Done => Went::Well,
            TaskStatus::Failed => Went::Badly,
        };
        let status = facts.status.as_str().to_owned();
        self.push(happened(
            (facts.created_at, Thing::AsyncAction),
            facts.id,
            facts.kind,
            (status, went),
        ));
        Ok(())
    }

    fn log(&mut self, facts: LogFacts) {
        let went = match facts.status {
            Status::Success => Went::Well,
            Status::Failure => Went::Badly,
        };
        let status = facts.status.as_str().to_owned();
        self.push(happened(
            (facts.created_at, Thing::ApiLog),
            facts.id,
            facts.endpoint,
            (status, went),
        ));
    }

    fn export(&mut self, facts: ExportFacts) {
        let went = match facts.status {
            ExportStatus::Scheduled => Went::Waits,
            ExportStatus::InProgress => Went::On,
            ExportStatus::Done => Went::Well,
            ExportStatus::Error => Went::Badly,
        };
        let status = facts.status.as_str().to_owned();
        self.push(happened(
            (facts.created_at, Thing::Export),
            facts.id,
            facts.exported_object,
            (status, went),
        ));
    }

    fn event(&mut self, id: String, at: i64, kind: String) {
        self.push(happened((at, Thing::Event), id, kind, ("ACCEPTED".to_owned(), Went::Well)));
    }

    fn sendout(&mut self, facts: SendoutFacts) {
        let went = match facts.status {
            SendoutStatus::Pending => Went::Waits,
            SendoutStatus::Retrying => Went::On,
            SendoutStatus::Succeeded => Went::Well,
            SendoutStatus::Failed => Went::Badly,
        };
        let status = facts.status.as_str().to_owned();
        self.push(happened(
            (facts.created_at, Thing::WebhookSendout),
            facts.id,
            facts.kind,
            (status, went),
        ));
    }

    fn attempt(&mut self, attempt: BriefAttempt) {
        let number = attempt.number.max(0).unsigned_abs();
        let went = if attempt.error.is_none() { Went::Well } else { Went::Badly };
        let status = match attempt.code {
            Some(code) => code.to_string(),
            None => attempt.error.unwrap_or_default(),
        };
        let what = format!("attempt {number}");
        self.push(Happened {
            number: Some(number),
            ..happened((attempt.at, Thing::Attempt), attempt.sendout_id, what, (status, went))
        });
    }
}

fn only(request: &str) -> OneOf {
    OneOf {
        wanted: vec![request.to_owned()],
        left_out: Vec::new(),
    }
}

fn happened((at, thing): (i64, Thing), id: String, what: String, (status, went): (String, Went)) -> Happened {
    Happened {
        at,
        thing,
        id,
        what,
        status,
        went,
        number: None,
    }
}

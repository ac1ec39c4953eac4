//! What the load generator was told, kept outside the service: each call, task and event, and whether it was acknowledged, refused, or never heard of again.

use std::sync::{Mutex, MutexGuard};

/// What became of something that was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fate {
    /// It is on its way.
    #[default]
    Open,
    /// 2xx: it must be there, once.
    Acknowledged,
    /// 429 or 503: it must not be there.
    Refused,
    /// The connection broke, or the answer says that nobody knows: all of it is there, or nothing.
    Unknown,
}

impl Fate {
    /// What holds after one more try. A try that nobody knows of is not undone by a later refusal.
    const fn then(self, next: Self) -> Self {
        match (self, next) {
            (_, Self::Acknowledged) | (Self::Acknowledged, _) => Self::Acknowledged,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (_, next) => next,
        }
    }
}

/// A call of logs. Each of its logs carries [`Call::mark`] as its request id.
#[derive(Clone, Debug)]
pub struct Call {
    /// The sender's own ids; those that the answer named where it chose none.
    pub ids: Vec<String>,
    /// How many logs it has.
    pub size: usize,
    pub fate: Fate,
}

/// What a task was begun for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskKind {
    Export,
    Import,
}

/// A task, or an export, that was asked for.
#[derive(Clone, Debug)]
pub struct Task {
    pub kind: TaskKind,
    /// Its id, once that was told.
    pub id: Option<String>,
    pub fate: Fate,
}

/// All that was sent.
#[derive(Clone, Debug, Default)]
pub struct Entries {
    pub calls: Vec<Call>,
    pub tasks: Vec<Task>,
    /// Events, by their place; their ids are [`event_id`]s.
    pub events: Vec<Fate>,
    /// Pages and lists that were answered, and those that were refused in order.
    pub pages: (usize, usize),
    /// Answers that nobody should get.
    pub surprises: Vec<String>,
}

/// The request id of every log of a call.
pub fn call_mark(place: usize) -> String {
    format!("call-{place}")
}

/// What tells a task from every other one: in an export's filters, and the request id of an imported log.
pub fn task_mark(place: usize) -> String {
    format!("task-{place}")
}

/// The id of an event.
pub fn event_id(place: usize) -> String {
    format!("event-{place}")
}

/// The ledger.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Entries>);

impl Ledger {
    /// One that says this.
    pub const fn of(entries: Entries) -> Self {
        Self(Mutex::new(entries))
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap()
    }

    /// As it stands now.
    pub fn copy(&self) -> Entries {
        self.entries().clone()
    }

    /// A call that is about to be sent: its place.
    pub fn call(&self, size: usize, ids: impl FnOnce(usize) -> Vec<String>) -> usize {
        let mut entries = self.entries();
        let place = entries.calls.len();
        let ids = ids(place);
        entries.calls.push(Call {
            ids,
            size,
            fate: Fate::Open,
        });
        place
    }

    /// What became of a try of a call; the ids that the answer named.
    pub fn called(&self, place: usize, fate: Fate, ids: Option<Vec<String>>) {
        let call = &mut self.entries().calls[place];
        call.fate = call.fate.then(fate);
        if let Some(ids) = ids {
            call.ids = ids;
        }
    }

    /// A task that is about to be asked for: its place.
    pub fn task(&self, kind: TaskKind) -> usize {
        let tasks = &mut self.entries().tasks;
        tasks.push(Task {
            kind,
            id: None,
            fate: Fate::Open,
        });
        tasks.len() - 1
    }

    /// What became of asking for it.
    pub fn asked(&self, place: usize, fate: Fate, id: Option<String>) {
        let task = &mut self.entries().tasks[place];
        task.fate = task.fate.then(fate);
        if id.is_some() {
            task.id = id;
        }
    }

    /// An event that is about to be posted: its place.
    pub fn event(&self) -> usize {
        let events = &mut self.entries().events;
        events.push(Fate::Open);
        events.len() - 1
    }

    /// What became of posting it.
    pub fn posted(&self, place: usize, fate: Fate) {
        let event = &mut self.entries().events[place];
        *event = event.then(fate);
    }

    /// A page was answered, or refused in order.
    pub fn page(&self, answered: bool) {
        let pages = &mut self.entries().pages;
        if answered {
            pages.0 += 1;
        } else {
            pages.1 += 1;
        }
    }

    /// An answer that nobody should get.
    pub fn surprise(&self, what: String) {
        self.entries().surprises.push(what);
    }

    /// Logs that were acknowledged so far.
    pub fn acknowledged(&self) -> usize {
        logs(&self.entries(), Fate::Acknowledged)
    }

    /// Calls that were acknowledged so far.
    pub fn acknowledged_calls(&self) -> usize {
        calls_of(&self.entries(), Fate::Acknowledged)
    }

    /// Calls that were refused so far.
    pub fn refused(&self) -> usize {
        calls_of(&self.entries(), Fate::Refused)
    }
}

/// How many calls are of a fate.
pub fn calls_of(entries: &Entries, fate: Fate) -> usize {
    entries.calls.iter().filter(|call| call.fate == fate).count()
}

/// Logs of calls of a fate.
pub fn logs(entries: &Entries, fate: Fate) -> usize {
    entries
        .calls
        .iter()
        .filter(|call| call.fate == fate)
        .map(|call| call.size)
        .sum()
}

impl Entries {
    /// What was sent, in a line.
    pub fn words(&self) -> String {
        let tasks = |kind| {
            let of = self.tasks.iter().filter(|task| task.kind == kind);
            of.filter(|task| task.fate == Fate::Acknowledged).count()
        };
        let events = self.events.iter().filter(|fate| **fate == Fate::Acknowledged).count();
        let unknown = self
            .calls
            .iter()
            .filter(|call| matches!(call.fate, Fate::Unknown | Fate::Open));
        format!(
            "{} logs acknowledged, {} refused, {} calls unknown; {} exports, {} imports, {events} events acknowledged; {} pages answered, {} refused",
            logs(self, Fate::Acknowledged),
            logs(self, Fate::Refused),
            unknown.count(),
            tasks(TaskKind::Export),
            tasks(TaskKind::Import),
            self.pages.0,
            self.pages.1,
        )
    }
}

#[test]
fn a_try_that_nobody_knows_of_is_not_undone_by_a_refusal() {
    assert_eq!(Fate::Open.then(Fate::Refused), Fate::Refused);
    assert_eq!(Fate::Open.then(Fate::Unknown).then(Fate::Refused), Fate::Unknown);
    assert_eq!(Fate::Unknown.then(Fate::Acknowledged), Fate::Acknowledged);
}

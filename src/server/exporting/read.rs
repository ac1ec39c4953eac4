//! Reading a plan's records in short chunks, each a statement of its own: a snapshot held open for minutes would stop the write-ahead log and the
//! dropping of old partitions. The watermark in the selection keeps what comes meanwhile out.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinError;
use tokio_util::task::AbortOnDropHandle;

use super::cells::{Cell, of_export, of_log, of_sendout, of_task};
use super::plan::{Plan, Source};
use super::{EncodeError, Encoder};
use crate::model::export::SAID;
use crate::model::log::Log;
use crate::model::page::{Key, Page, Place};
use crate::model::query::Order;
use crate::model::selection::LogSelection;
use crate::model::tab::Tab;
use crate::server::ingest::mask::MaskRules;
use crate::server::masking;
use crate::server::secrets::InstanceKey;
use crate::server::store::logs::scan::Scan;
use crate::server::store::logs::{list, matching};
use crate::server::store::projects::ProjectKey;
use crate::server::store::records::{self, RecordRequest, RecordSelection};
use crate::server::store::{Db, StoreError, exports, tasks};
use crate::server::webhooks::sendouts;

/// Records of a chunk.
const CHUNK: usize = 1_000;
/// How long a search goes on before it says how far it got.
const BUDGET: Duration = Duration::from_secs(2);

/// Why reading stopped.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A record could not be written.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

type Reading<T> = AbortOnDropHandle<Result<T, StoreError>>;

/// Chunks of logs in their order, read ahead: while one is written, the texts of the next one and the facts of the one after it are read, each on a task
/// of its own. Given up with whoever waits for them.
#[derive(Debug)]
struct Ahead {
    chunks: mpsc::Receiver<Reading<Vec<Log>>>,
    /// What begins them, and tells how that ended.
    beginning: Reading<()>,
}

impl Ahead {
    fn read(scan: Scan) -> Self {
        let (begun, chunks) = mpsc::channel(1);
        let beginning = AbortOnDropHandle::new(tokio::spawn(begin(scan, begun)));
        Self { chunks, beginning }
    }

    /// The next chunk; none at the end.
    async fn next(&mut self) -> Result<Option<Vec<Log>>, StoreError> {
        match self.chunks.recv().await {
            Some(chunk) => Ok(Some(ended(chunk.await)?)),
            None => ended((&mut self.beginning).await).map(|()| None),
        }
    }
}

async fn begin(scan: Scan, begun: mpsc::Sender<Reading<Vec<Log>>>) -> Result<(), StoreError> {
    let mut place = Some(Place::Start);
    while let Some(from) = place {
        let mut chunk = scan.begin(from).await?;
        place = chunk.next.take();
        // Whoever wanted them has gone.
        let Ok(room) = begun.reserve().await else { break };
        let scan = scan.clone();
        room.send(AbortOnDropHandle::new(tokio::spawn(async move { scan.finish(chunk).await })));
    }
    Ok(())
}

fn ended<T>(task: Result<Result<T, StoreError>, JoinError>) -> Result<T, StoreError> {
    task.map_err(|problem| StoreError::Database(sqlx::Error::Io(std::io::Error::other(problem))))?
}

/// Reads a plan's records, in its order.
#[derive(Debug)]
pub struct Records<'a> {
    db: &'a Db,
    key: &'a InstanceKey,
    rules: &'a MaskRules,
    project: ProjectKey,
    plan: &'a Plan,
    place: Place,
    is_done: bool,
    /// The ends of time between which records lie, in the plan's order; for the progress.
    ends: Option<(i64, i64)>,
    at: Option<i64>,
    /// The logs that are being read.
    ahead: Option<Ahead>,
    /// Records written.
    pub rows: u64,
}

impl<'a> Records<'a> {
    /// From the first record on; `rules` mask what is no log, which is masked when it comes in.
    pub const fn new(db: &'a Db, key: &'a InstanceKey, rules: &'a MaskRules, project: ProjectKey, plan: &'a Plan) -> Self {
        Self {
            db,
            key,
            rules,
            project,
            plan,
            place: Place::Start,
            is_done: false,
            ends: None,
            at: None,
            ahead: None,
            rows: 0,
        }
    }

    /// Appends the next chunk to `out`; false where there is none left.
    pub async fn next(&mut self, encoder: &mut Encoder, out: &mut Vec<u8>) -> Result<bool, ReadError> {
        if self.is_done {
            return Ok(false);
        }
        match &self.plan.source {
            Source::Logs(selection) => self.logs(selection, encoder, out).await?,
            Source::Records(selection) => self.records(selection, encoder, out).await?,
        }
        Ok(true)
    }

    /// How far, in percent of the time that the records span.
    pub fn progress(&self) -> u8 {
        let (Some((first, last)), Some(at)) = (self.ends, self.at) else {
            return 0;
        };
        let whole = (last - first).abs().max(1);
        // 100 is for the one who has finished.
        ((at - first).abs() * 100 / whole).clamp(0, 99) as u8
    }

    async fn logs(&mut self, selection: &LogSelection, encoder: &mut Encoder, out: &mut Vec<u8>) -> Result<(), ReadError> {
        if self.ends.is_none() {
            self.ends = Some(self.ends_of(selection).await?);
        }
        let mut ahead = match self.ahead.take() {
            Some(ahead) => ahead,
            None => Ahead::read(self.scan(selection)),
        };
        let Some(logs) = ahead.next().await? else {
            self.is_done = true;
            return Ok(());
        };
        self.ahead = Some(ahead);
        self.at = logs.last().map(|log| log.facts.created_at).or(self.at);
        for log in &logs {
            let is_meant = |selection: &LogSelection| matching::is_meant(selection, log);
            self.write(|field| of_log(field, log, self.plan.rights), is_meant, encoder, out)?;
        }
        Ok(())
    }

    fn scan(&self, selection: &LogSelection) -> Scan {
        Scan {
            db: self.db.clone(),
            project: self.project,
            selection: selection.clone(),
            order: self.plan.order,
            with_texts: self.needs_text(),
        }
    }

    /// The times of the first and the last log that there may be.
    async fn ends_of(&self, selection: &LogSelection) -> Result<(i64, i64), StoreError> {
        let facts_alone = LogSelection {
            up_to_seq: None,
            ..LogSelection::all(selection.range)
        };
        let mut ends = [selection.range.from, selection.range.to];
        for (end, order) in ends.iter_mut().zip([Order::OldestFirst, Order::NewestFirst]) {
            let request = list::ListRequest {
                project: self.project,
                selection: &facts_alone,
                order,
                place: Place::Start,
                limit: 1,
                budget: BUDGET,
            };
            let page = list::page(self.db, request).await?;
            if let Some(facts) = page.rows.first() {
                *end = facts.created_at;
            }
        }
        Ok(self.in_order(ends.into()))
    }

    /// The oldest and the newest time as the plan meets them.
    const fn in_order(&self, (oldest, newest): (i64, i64)) -> (i64, i64) {
        match self.plan.order {
            Order::NewestFirst => (newest, oldest),
            Order::OldestFirst => (oldest, newest),
        }
    }

    /// Whether a column or a comparison reads what a log says.
    fn needs_text(&self) -> bool {
        let names = |field: &String| SAID.contains(&field.as_str());
        let condition = &self.plan.condition;
        condition.searches() || condition.reads(SAID) || self.plan.fields.iter().any(names)
    }

    fn move_on<T>(&mut self, page: &Page<T>, key: impl Fn(&T) -> (i64, &str)) {
        self.is_done = !page.more_after;
        let last = page.rows.last().map(key);
        let next = match (page.searched_to, last) {
            (Some(searched_to), _) => (searched_to, ""),
            (None, Some(last)) => last,
            (None, None) => {
                self.is_done = true;
                return;
            }
        };
        self.at = Some(next.0);
        self.place = Place::After(Key {
            created_at: next.0,
            id: next.1.to_owned(),
        });
    }

    fn write<'c>(
        &mut self,
        cell: impl Fn(&str) -> Cell<'c>,
        is_meant: impl Fn(&LogSelection) -> bool,
        encoder: &mut Encoder,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        if !self.plan.condition.holds(&cell, is_meant) {
            return Ok(());
        }
        let cells: Vec<Cell<'c>> = self.plan.fields.iter().map(|field| cell(field)).collect();
        encoder.row(&cells, out)?;
        self.rows += 1;
        Ok(())
    }

    async fn records(&mut self, selection: &RecordSelection, encoder: &mut Encoder, out: &mut Vec<u8>) -> Result<(), ReadError> {
        let request = RecordRequest {
            project: self.project,
            selection,
            order: self.plan.order,
            place: self.place.clone(),
            limit: CHUNK,
        };
        if self.ends.is_none() {
            let ends = records::ends(self.db, self.project, selection).await?;
            self.ends = ends.map(|ends| self.in_order(ends));
        }
        let rights = self.plan.rights;
        let no_logs = |_: &LogSelection| false;
        match selection.tab {
            Tab::Tasks => {
                let page = records::tasks(self.db, request).await?;
                self.move_on(&page, |facts| (facts.created_at, facts.id.as_str()));
                for facts in page.rows {
                    // A task is kept for ever: it is there.
                    if let Some(mut task) = tasks::find(self.db, self.project, &facts.id).await? {
                        masking::task(self.rules, &mut task);
                        self.write(|field| of_task(field, &task, rights), no_logs, encoder, out)?;
                    }
                }
            }
            Tab::Exports => {
                let page = records::exports(self.db, request).await?;
                self.move_on(&page, |facts| (facts.created_at, facts.id.as_str()));
                for facts in page.rows {
                    // One that was deleted meanwhile is left out.
                    if let Some(export) = exports::find(self.db, self.project, &facts.id).await? {
                        self.write(
                            |field| of_export(field, &export.facts, &export.parameters, rights),
                            no_logs,
                            encoder,
                            out,
                        )?;
                    }
                }
            }
            Tab::Sendouts => {
                let page = records::sendouts(self.db, request).await?;
                self.move_on(&page, |facts| (facts.created_at, facts.id.as_str()));
                let with_data = rights.read_bodies && self.plan.reads_data();
                for facts in page.rows {
                    // One by one: a chunk of the largest data would fill the memory.
                    let data = if with_data {
                        sendouts::event_data(self.db, self.key, self.rules, self.project, &facts.event_id).await?
                    } else {
                        None
                    };
                    self.write(|field| of_sendout(field, &facts, data.as_deref()), no_logs, encoder, out)?;
                }
            }
        }
        Ok(())
    }
}
